package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pyagent/core/llm"
	"pyagent/core/policy"
	"pyagent/core/share"
)

// shelf is a store in memory.
type shelf struct {
	mu      sync.Mutex
	record  []byte
	changes int
	failing error
	hangs   bool
}

func (s *shelf) String() string { return "memory" }

func (s *shelf) Update(ctx context.Context, _ string, change share.Change) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changes++
	if s.hangs {
		s.mu.Unlock()
		<-ctx.Done()
		s.mu.Lock()
		return context.Cause(ctx)
	}
	if s.failing != nil {
		return s.failing
	}
	replaced, _ := change(time.Now(), bytes.Clone(s.record))
	s.record = replaced
	return nil
}

// used says what the record holds.
func (s *shelf) used(rates policy.Rates) (requests, tokens, running int64, waiting int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return policy.ReadLedger(rates, time.Now(), s.record).Used()
}

func (s *shelf) set(failing error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failing = failing
}

// process is a throttle as another process would have it.
func process(at share.Store, rates policy.Rates, seed uint64, alone bool) *throttle {
	made := &throttle{window: policy.Window{Rates: rates}, joint: newJoint(at, account{rates: rates, alone: alone})}
	made.joint.chance, made.joint.process = rand.New(rand.NewPCG(seed, seed)).Float64, int64(seed)
	return made
}

// What all processes begin lies within the rates, and each of them gets on.
func TestSharedThrottleBoundsAllTogether(t *testing.T) {
	for seed := range uint64(5) {
		synctest.Test(t, func(t *testing.T) {
			rates := policy.Rates{Requests: 20, Concurrency: 3, Tokens: 1000, Period: time.Minute}
			at := new(shelf)
			began := time.Now()
			var mu sync.Mutex
			var times []time.Duration
			running, done := 0, make([]int, 3)
			for number := range done {
				gate := process(at, rates, 100*seed+uint64(number)+1, false)
				for worker := range 4 {
					chance := rand.New(rand.NewPCG(seed, uint64(10*number+worker)))
					go func() {
						for time.Since(began) < 10*time.Minute {
							pass, err := gate.enter(context.Background(), 100, latest{})
							if err != nil {
								t.Error(err)
								return
							}
							mu.Lock()
							times = append(times, time.Since(began))
							if running++; running > 3 {
								t.Errorf("%d at once", running)
							}
							mu.Unlock()
							time.Sleep(time.Duration(chance.Float64() * float64(8*time.Second)))
							mu.Lock()
							running--
							done[number]++
							mu.Unlock()
							gate.leave(pass, chance.Int64N(100))
						}
					}()
				}
			}
			time.Sleep(12 * time.Minute)
			synctest.Wait()
			for i := range times[20:] {
				if times[i+20]-times[i] < time.Minute {
					t.Fatalf("21 requests from %v to %v", times[i], times[i+20])
				}
			}
			if least, most := slices.Min(done), slices.Max(done); len(times) < 160 || 2*least < most {
				t.Errorf("%d requests, by process %d", len(times), done)
			}
			if at.changes > 3*600*8 { // nobody looks all the time
				t.Errorf("%d changes for %d requests", at.changes, len(times))
			}
			if _, _, running, waiting := at.used(rates); running > 0 || waiting > 0 {
				t.Errorf("left behind: %d running, %d waiting", running, waiting)
			}
		})
	}
}

func TestSharedThrottleRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		at, rates := new(shelf), policy.Rates{Requests: 1, Period: time.Minute}
		if _, err := process(at, rates, 1, false).enter(context.Background(), 0, latest{}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(15 * time.Second)
		for _, patience := range []time.Duration{0, 45 * time.Second} {
			_, err := process(at, rates, 2, false).enter(context.Background(), 0, latest{time.Now().Add(patience), "throttle.max_wait"})
			if err == nil || err.Code != "throttled" || err.RetryAfter == nil || *err.RetryAfter != 45 {
				t.Errorf("%v: %+v", patience, err)
			}
		}
		if _, _, _, waiting := at.used(rates); waiting > 0 {
			t.Error("it stands in the queue")
		}
		began := time.Now()
		pass, err := process(at, rates, 2, false).enter(context.Background(), 0, latest{began.Add(46 * time.Second), "throttle.max_wait"})
		if waited := time.Since(began).Round(10 * time.Millisecond); err != nil || waited != 45*time.Second || pass.at == 0 {
			t.Errorf("after %v: %v", waited, err)
		}
	})
}

// One that is cancelled leaves the queue of all processes, unless another one of its own takes over its place.
func TestSharedThrottleIsCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		at, rates := new(shelf), policy.Rates{Requests: 1, Period: time.Minute}
		first, second, third := process(at, rates, 1, false), process(at, rates, 2, false), process(at, rates, 3, false)
		began := time.Now()
		_, _ = first.enter(context.Background(), 0, latest{})
		ctx, cancel := context.WithCancel(context.Background())
		failed := make(chan *llm.Error, 1)
		go func() { _, err := second.enter(ctx, 0, latest{}); failed <- err }()
		synctest.Wait()
		times := make(chan time.Duration, 2)
		wait := func(gate *throttle) {
			go func() {
				_, _ = gate.enter(context.Background(), 0, latest{})
				times <- time.Since(began).Round(20 * time.Millisecond)
			}()
			synctest.Wait()
		}
		wait(third)
		wait(second)
		time.Sleep(time.Second)
		cancel()
		if err := <-failed; err == nil || err.Kind != llm.KindCancelled || time.Since(began) != time.Second {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
		if got := []time.Duration{<-times, <-times}; !slices.Equal(got, []time.Duration{time.Minute, 2 * time.Minute}) {
			t.Errorf("they began after %v", got)
		}

		ctx, cancel = context.WithCancel(context.Background())
		go func() { _, err := second.enter(ctx, 0, latest{}); failed <- err }()
		time.Sleep(time.Second)
		if _, _, _, waiting := at.used(rates); waiting != 1 {
			t.Errorf("%d stand in the queue", waiting)
		}
		cancel()
		<-failed
		if _, _, _, waiting := at.used(rates); waiting > 0 {
			t.Error("it stands in the queue")
		}
	})
}

// What a process has on its way counts for as long as it lives, and for ten seconds more.
func TestSharedThrottleOfTheDead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		at, rates := new(shelf), policy.Rates{Concurrency: 1}
		first, second := process(at, rates, 1, false), process(at, rates, 2, false)
		pass, _ := first.enter(context.Background(), 0, latest{})
		times := make(chan time.Time, 1)
		wait := func() {
			go func() {
				pass, _ := second.enter(context.Background(), 0, latest{})
				times <- time.Now()
				second.leave(pass, -1)
			}()
		}
		wait()
		time.Sleep(time.Minute)
		if len(times) > 0 {
			t.Error("it was let in while another one was on its way")
		}
		ended := time.Now()
		first.leave(pass, -1)
		if late := (<-times).Sub(ended); late > time.Second {
			t.Errorf("it began %v after the other one's end", late)
		}
		_, _ = first.enter(context.Background(), 0, latest{})
		first.joint.renewal() // as if it had died
		ended = time.Now()
		wait()
		if late := (<-times).Sub(ended); late < 5*time.Second || late > policy.Lease+time.Second {
			t.Errorf("it began %v after the other one's death", late)
		}
	})
}

func TestSharedThrottleWithoutItsStore(t *testing.T) {
	rates := policy.Rates{Requests: 2, Period: time.Minute, Concurrency: 5}
	enter := func(gate *throttle) (pass, *llm.Error) {
		return gate.enter(context.Background(), 0, latest{time.Now(), "throttle.max_wait"})
	}
	synctest.Test(t, func(t *testing.T) {
		at := &shelf{failing: errors.New("gone home")}
		gate := process(at, rates, 1, false)
		for range 3 {
			_, err := enter(gate)
			if err == nil || err.Kind != llm.KindRateLimit || err.Retryable || err.Code != "throttle_unreachable" {
				t.Fatalf("got %+v", err)
			}
			if !strings.Contains(err.Message, "in memory cannot be asked: gone home;") {
				t.Errorf("it says %s", err.Message)
			}
		}
		if at.changes != 1 {
			t.Errorf("it was asked %d times within a second", at.changes)
		}
		at.set(nil)
		time.Sleep(storeRest)
		if _, err := enter(gate); err != nil {
			t.Errorf("when it is back: %v", err)
		}
		at.hangs = true
		began := time.Now()
		if _, err := enter(gate); err == nil || time.Since(began) != storePatience || !strings.Contains(err.Message, "no answer within 2s") {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
		time.Sleep(storeRest)
		ctx, cancel := context.WithCancel(context.Background())
		time.AfterFunc(time.Second, cancel)
		began = time.Now()
		if _, err := gate.enter(ctx, 0, latest{}); err.Kind != llm.KindCancelled || time.Since(began) > time.Second+storePatience {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
		gate.joint.renewal()
	})
	synctest.Test(t, func(t *testing.T) {
		at := &shelf{failing: errors.New("gone home")}
		gate := process(at, rates, 1, true)
		one, err := enter(gate)
		if _, another := enter(gate); err != nil || another != nil {
			t.Fatal(err, another)
		}
		if _, err := enter(gate); err == nil || err.Code != "throttled" {
			t.Errorf("the limits of the process alone: %v", err)
		}
		at.set(nil)
		time.Sleep(policy.Lease)
		if _, _, running, _ := at.used(rates); running != 2 {
			t.Errorf("when it is back it knows of %d", running)
		}
		gate.leave(one, -1)
		if _, _, running, _ := at.used(rates); running != 1 {
			t.Errorf("and then of %d", running)
		}
		gate.joint.renewal()
	})
}

// A store that does not answer holds requests that go on without it up ever more seldom, and is asked soon where they do not.
func TestSharedThrottleLeavesItsStoreAlone(t *testing.T) {
	for alone, want := range map[bool]int{true: 5, false: 20} {
		synctest.Test(t, func(t *testing.T) {
			at := &shelf{hangs: true}
			gate := process(at, policy.Rates{Requests: 1000, Period: time.Minute}, 1, alone)
			began, asked := time.Now(), 0
			for time.Since(began) < time.Minute {
				_, err := gate.enter(context.Background(), 0, latest{})
				if (err == nil) != alone {
					t.Fatal(err)
				}
				asked++
				time.Sleep(100 * time.Millisecond)
			}
			if at.changes < want-1 || at.changes > want+1 {
				t.Errorf("alone %v: the store was asked %d times, wanted %d", alone, at.changes, want)
			}
		})
	}
}

// What a request really had is corrected for all processes.
func TestSharedThrottleCorrects(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		at, rates := new(shelf), policy.Rates{Tokens: 100, Period: time.Minute}
		first, second := process(at, rates, 1, false), process(at, rates, 2, false)
		pass, _ := first.enter(context.Background(), 90, latest{})
		began := time.Now()
		time.AfterFunc(10*time.Second, func() { first.leave(pass, 10) })
		if _, err := second.enter(context.Background(), 90, latest{}); err != nil || time.Since(began) > 12*time.Second {
			t.Errorf("it began after %v (%v)", time.Since(began), err)
		}
	})
}

// Two libraries, as two processes have, share a directory.
func TestSharedThrottleOfClients(t *testing.T) {
	config := fmt.Sprintf(`,"throttle":{"requests":2,"concurrency":1,"max_wait":0,"shared":%q}`, t.TempDir())
	first := openEcho(t, config)
	second, err := New("pyagent/test").Open(first.config)
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	for number, client := range []*Client{first, second, first, second} {
		failed := ask(t, context.Background(), client, llm.OpGenerate, `{}`, "", new(recorder)).failure()
		if refused := failed != nil && failed.Code == "throttled"; refused != (number >= 2) {
			t.Errorf("request %d: %v", number, failed)
		}
	}
	if failed := ask(t, context.Background(), second, llm.OpGenerate, `{}`, `,"model":"another"`, new(recorder)).failure(); failed != nil {
		t.Errorf("another model: %v", failed)
	}
	if _, err := New("pyagent/test").Open(&llm.Config{Throttle: &llm.Throttle{Shared: "here"}, BaseURL: "http://127.0.0.1"}); err == nil ||
		err.Param != "throttle.shared" {
		t.Errorf("got %v", err)
	}
}
