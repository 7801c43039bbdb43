package engine

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pyagent/core/llm"
	"pyagent/core/policy"
)

// What it takes to let a crowd in grows with the crowd, and not with its square.
func TestWaitingCostsTheSameInACrowd(t *testing.T) {
	for name, deployment := range map[string]llm.Deployment{
		"for time":   {Name: "a", Group: "g", RPM: 500},
		"for others": {Name: "a", Group: "g", MaxParallel: 500},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const crowd = 2000
				r := &router{clock: realClock{}, policy: policy.NewRouter([]llm.Deployment{deployment}, &llm.Routing{})}
				began := time.Now()
				tries := 0
				var all sync.WaitGroup
				for range crowd {
					all.Go(func() {
						trip, _ := r.policy.Plan("g")
						trip.Tokens = func(int) int64 { return 1 }
						var seat *policy.Seat
						err := r.stand(t.Context(), latest{}, trip.Line(), func(now time.Time) (bool, time.Duration, bool) {
							tries++
							found, wait, known := r.policy.Choose(now, r.random, trip)
							seat = found
							return found != nil, wait, known
						})
						if err != nil {
							t.Error(err)
							return
						}
						time.Sleep(time.Second)
						r.leave(seat, policy.Result{})
					})
				}
				all.Wait()
				if tries > 5*crowd {
					t.Errorf("%d tries for %d calls", tries, crowd)
				}
				if took := time.Since(began).Round(time.Second); took != 3*time.Minute+time.Second && took != 4*time.Second {
					t.Errorf("it took %v", took)
				}
			})
		})
	}
}

// Calls that wait for different deployments do not wait for one another, and those who want the same are let in by their coming.
func TestLinesPassOneAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		deployments := []llm.Deployment{{Name: "a", Group: "both", RPM: 1}, {Name: "b", Group: "both", RPM: 1}}
		r := &router{clock: realClock{}, policy: policy.NewRouter(deployments, &llm.Routing{Strategy: llm.InOrder})}
		began := time.Now()
		var mu sync.Mutex
		var order []string
		for _, name := range []string{"a", "a", "a", "both", "b", "both", "b"} {
			go func() {
				trip, _ := r.policy.Plan(name)
				trip.Tokens = func(int) int64 { return 1 }
				at := ""
				if err := r.stand(t.Context(), latest{}, trip.Line(), func(now time.Time) (bool, time.Duration, bool) {
					found, wait, known := r.policy.Choose(now, r.random, trip)
					if found != nil {
						at = deployments[found.Deployment].Name
					}
					return found != nil, wait, known
				}); err != nil {
					t.Error(err)
				}
				mu.Lock()
				order = append(order, fmt.Sprintf("%s at %s in %.0f", name, at, time.Since(began).Minutes()))
				mu.Unlock()
			}()
			synctest.Wait()
		}
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		want := []string{"a at a in 0", "both at b in 0", "a at a in 1", "b at b in 1", "a at a in 2", "both at b in 2", "b at b in 3"}
		slices.Sort(order)
		slices.Sort(want)
		if !slices.Equal(order, want) || len(r.lines) > 0 {
			t.Errorf("got %q, and %d lines are left", order, len(r.lines))
		}
	})
}

// Who sleeps until a moment is let in before it when room comes sooner, or when the one before it gives up.
func TestRoomThatComesSooner(t *testing.T) {
	for name, event := range map[string]func(r *router, seat *policy.Seat, giveUp func()){
		"a correction": func(r *router, seat *policy.Seat, _ func()) { r.leave(seat, policy.Result{Tokens: 1}) },
		"giving up":    func(_ *router, _ *policy.Seat, giveUp func()) { giveUp() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := &router{clock: realClock{}, policy: policy.NewRouter([]llm.Deployment{{Name: "a", Group: "g", TPM: 100}}, &llm.Routing{})}
				stand := func(ctx context.Context, tokens int64) (seat *policy.Seat) {
					trip, _ := r.policy.Plan("g")
					trip.Tokens = func(int) int64 { return tokens }
					_ = r.stand(ctx, latest{}, trip.Line(), func(now time.Time) (bool, time.Duration, bool) {
						found, wait, known := r.policy.Choose(now, r.random, trip)
						seat = found
						return found != nil, wait, known
					})
					return seat
				}
				first := stand(t.Context(), 60)
				ctx, giveUp := context.WithCancel(t.Context())
				defer giveUp()
				began := time.Now()
				go stand(ctx, 90)
				synctest.Wait()
				var waited time.Duration
				go func() { stand(t.Context(), 9); waited = time.Since(began) }()
				time.Sleep(10 * time.Second)
				event(r, first, giveUp)
				time.Sleep(time.Hour)
				synctest.Wait()
				if waited != 10*time.Second {
					t.Errorf("it waited %v", waited)
				}
			})
		})
	}
}

// Calls that come, are served and give up at random leave no line behind, and no seat taken.
func TestLinesOfARandomCrowd(t *testing.T) {
	for seed := range uint64(10) {
		synctest.Test(t, func(t *testing.T) {
			chance := rand.New(rand.NewPCG(seed, seed))
			deployments := []llm.Deployment{
				{Name: "a", Group: "g", RPM: 3, MaxParallel: 2}, {Name: "b", Group: "g", TPM: 50}, {Name: "c", Group: "h", MaxParallel: 1},
			}
			r := &router{clock: realClock{}, policy: policy.NewRouter(deployments, &llm.Routing{}),
				chance: rand.New(rand.NewPCG(seed, 0))}
			var all sync.WaitGroup
			for range 60 {
				name, tokens := []string{"g", "h", "a", "b", "c"}[chance.IntN(5)], chance.Int64N(60)
				comes, stays, patience := chance.Float64()*100, chance.Float64()*10, chance.Float64()*100
				all.Go(func() {
					time.Sleep(time.Duration(comes * float64(time.Second)))
					ctx, stop := context.WithTimeout(t.Context(), time.Duration(patience*float64(time.Second)))
					defer stop()
					trip, _ := r.policy.Plan(name)
					trip.Tokens = func(int) int64 { return tokens }
					var seat *policy.Seat
					err := r.stand(ctx, latest{}, trip.Line(), func(now time.Time) (bool, time.Duration, bool) {
						found, wait, known := r.policy.Choose(now, r.random, trip)
						seat = found
						return found != nil, wait, known
					})
					if (err == nil) != (seat != nil) {
						t.Errorf("%v and %v", err, seat)
					}
					if seat != nil {
						time.Sleep(time.Duration(stays * float64(time.Second)))
						r.leave(seat, policy.Result{Tokens: tokens / 2})
					}
				})
			}
			all.Wait()
			for i := range deployments {
				if state := r.policy.Describe(time.Now(), i); state.Running != 0 {
					t.Errorf("%s: %+v", deployments[i].Name, state)
				}
			}
			if len(r.lines) > 0 {
				t.Errorf("%d lines are left", len(r.lines))
			}
		})
	}
}

// Each batch of an embed is a request at its deployment: it counts, with its tokens, and takes its turn.
func TestEachBatchHasItsSeat(t *testing.T) {
	var asked, running, most atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		numbers := inputsOf(t, r)
		asked.Add(1)
		most.Store(max(most.Load(), running.Add(1)))
		defer running.Add(-1)
		time.Sleep(20 * time.Millisecond)
		answerVectors(w, numbers, 2, `,"tokens":7`)
	}))
	defer server.Close()
	open := func(deployment, options string) *Client {
		client := openClient(t, `{"deployments":[{"provider":"openai","base_url":"`+server.URL+`","api_key":"k","model":"m"`+deployment+`}]`+options+`}`)
		one := client.router.clients[0]
		row := *one.row
		row.EmbedBatch = 2
		one.dialect, one.row = plain{}, &row
		return client
	}
	embed := func(client *Client) *vectorSink {
		request, err := llm.DecodeRequest([]byte(counted(10, "")))
		if err != nil {
			t.Fatal(err)
		}
		request.Model = "default"
		into := new(vectorSink)
		client.Run(t.Context(), request, into)
		return into
	}
	client := open(`,"max_parallel":2`, "")
	if got := embed(client); got.failure() != nil || len(got.numbers) != 10 || !slices.IsSorted(got.numbers) {
		t.Fatalf("%v, %v", got.numbers, got.failure())
	}
	state := client.router.policy.Describe(time.Now(), 0)
	if most.Load() != 2 || state.Requests != 5 || state.Tokens != 5*7 || state.Running != 0 || state.Answered != 1 || len(client.router.lines) > 0 {
		t.Errorf("%d at once, %+v", most.Load(), state)
	}
	asked.Store(0)
	if failed := embed(open(`,"rpm":3`, `,"routing":{"max_wait":0}`)).failure(); failed == nil || failed.Code != "throttled" || asked.Load() > 3 {
		t.Errorf("%d requests, %v", asked.Load(), failed)
	}
}
