package engine

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pyagent/core/llm"
	"pyagent/core/policy"
)

// Requests begin in the order in which they came, each as soon as the rates let it.
func TestThrottleLetsInInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := &throttle{window: policy.Window{Rates: policy.Rates{Requests: 2, Period: time.Minute}}}
		began := time.Now()
		var mu sync.Mutex
		var order []int
		var times []time.Duration
		for number := range 6 {
			go func() {
				ticket, err := gate.enter(context.Background(), 0, latest{})
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				order, times = append(order, number), append(times, time.Since(began))
				mu.Unlock()
				gate.leave(ticket, -1)
			}()
			synctest.Wait() // it stands in the queue
		}
		time.Sleep(3 * time.Minute)
		synctest.Wait()
		if !slices.Equal(order, []int{0, 1, 2, 3, 4, 5}) ||
			!slices.Equal(times, []time.Duration{0, 0, time.Minute, time.Minute, 2 * time.Minute, 2 * time.Minute}) {
			t.Errorf("order %v, times %v", order, times)
		}
	})
}

// One that gives up leaves its place to those behind it; so does the end of another, and a correction of tokens.
func TestThrottleGoesOn(t *testing.T) {
	cases := []struct {
		name  string
		rates policy.Rates
		event func(gate *throttle, first pass, giveUp func())
		at    time.Duration // when the last one begins
	}{
		{"the first of the queue gives up", policy.Rates{Requests: 1, Period: time.Minute},
			func(_ *throttle, _ pass, giveUp func()) { giveUp() }, time.Minute},
		{"another ends", policy.Rates{Concurrency: 1},
			func(gate *throttle, first pass, giveUp func()) { giveUp(); gate.leave(first, -1) }, time.Second},
		{"it had fewer tokens", policy.Rates{Tokens: 10, Period: time.Minute},
			func(gate *throttle, first pass, giveUp func()) { gate.leave(first, 1); giveUp() }, time.Second},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				gate := &throttle{window: policy.Window{Rates: c.rates}}
				began := time.Now()
				first, err := gate.enter(context.Background(), 10, latest{})
				if err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithCancel(context.Background())
				go gate.enter(ctx, 10, latest{})
				synctest.Wait()
				var last time.Duration
				go func() {
					_, _ = gate.enter(context.Background(), 5, latest{})
					last = time.Since(began)
				}()
				time.Sleep(time.Second)
				c.event(gate, first, cancel)
				time.Sleep(time.Hour)
				synctest.Wait()
				if last != c.at {
					t.Errorf("it began after %v, wanted %v", last, c.at)
				}
				if len(gate.queue) > 0 {
					t.Errorf("%d still wait", len(gate.queue))
				}
			})
		})
	}
}

func TestThrottleRefuses(t *testing.T) {
	rates := policy.Rates{Requests: 1, Period: time.Minute}
	cases := []struct {
		name   string
		rates  policy.Rates
		queued bool // another one waits already
		within time.Duration
		after  time.Duration // when it is refused
		asked  float64       // retry_after
	}{
		{"at once", rates, false, 0, 0, 60},
		{"at once, where its turn comes too late", rates, false, 30 * time.Second, 0, 60},
		{"when the time is over, where its turn is not known", rates, true, 30 * time.Second, 30 * time.Second, -1},
		{"when the time is over, where others must end", policy.Rates{Concurrency: 1}, false, 30 * time.Second, 30 * time.Second, -1},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				gate := &throttle{window: policy.Window{Rates: c.rates}}
				_, _ = gate.enter(context.Background(), 0, latest{})
				ctx, cancel := context.WithCancel(context.Background())
				defer cancel()
				if c.queued {
					go gate.enter(ctx, 0, latest{})
					synctest.Wait()
				}
				began := time.Now()
				_, err := gate.enter(context.Background(), 0, latest{began.Add(c.within), "throttle.max_wait"})
				if err == nil || err.Kind != llm.KindRateLimit || err.Code != "throttled" || err.Retryable {
					t.Fatalf("got %v", err)
				}
				if time.Since(began) != c.after {
					t.Errorf("refused after %v", time.Since(began))
				}
				if asked := err.RetryAfter; c.asked < 0 && asked != nil || c.asked >= 0 && (asked == nil || *asked != c.asked) {
					t.Errorf("retry_after %v", asked)
				}
			})
		})
	}
}

// Accounts are one for each key and model of the same rates, whichever client asks, and are forgotten when they are at rest.
func TestThrottleAccounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var all throttles
		rates := policy.Rates{Requests: 1, Period: time.Minute}
		first := all.find(account{base: "b", key: "k", model: "m", rates: rates})
		if again := all.find(account{base: "b", key: "k", model: "m", rates: rates}); again != first {
			t.Error("the same account twice")
		}
		ticket, _ := first.enter(context.Background(), 0, latest{})
		first.leave(ticket, -1)
		all.leave(first)
		all.leave(first)
		for number := range manyAccounts {
			all.leave(all.find(account{base: "b", key: strings.Repeat("k", number), model: "other", rates: rates}))
		}
		if all.find(account{base: "b", key: "k", model: "m", rates: rates}) != first {
			t.Error("an account was forgotten that still counts")
		}
		if len(all.accounts) > 3 {
			t.Errorf("%d accounts are kept", len(all.accounts))
		}
	})
}

func TestThrottledCalls(t *testing.T) {
	client := openEcho(t, `,"throttle":{"requests":2,"max_wait":0}`)
	for number := range 3 {
		got := ask(t, context.Background(), client, llm.OpGenerate, `{}`, "", new(recorder))
		failed := got.failure()
		if number < 2 && failed != nil {
			t.Fatalf("request %d: %v", number, failed)
		}
		if number == 2 && (failed == nil || failed.Code != "throttled" || failed.Attempts != 0 || failed.Provider != "echo") {
			t.Errorf("request %d: %+v", number, failed)
		}
	}
	another, err := New("pyagent/test").Open(client.config)
	if err != nil {
		t.Fatal(err)
	}
	defer another.Close()
	if failed := ask(t, context.Background(), another, llm.OpStream, `{}`, "", new(recorder)).failure(); failed != nil {
		t.Errorf("another engine shares the account: %v", failed)
	}
}

// Every attempt counts, and one that waits for its turn can be cancelled.
func TestThrottledRetries(t *testing.T) {
	client := openEcho(t, `,"throttle":{"requests":1,"period":30}`)
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(100*time.Millisecond, cancel)
	got := ask(t, ctx, client, llm.OpStream, `{"status":503}`, "", new(recorder))
	if failed := got.failure(); failed.Kind != llm.KindCancelled || failed.Attempts != 1 {
		t.Errorf("got %+v", failed)
	}
	got = ask(t, context.Background(), client, llm.OpStream, `{}`, `,"timeouts":{"total":5}`, new(recorder))
	if failed := got.failure(); failed == nil || failed.Code != "throttled" || !strings.Contains(failed.Message, "timeouts.total=5") {
		t.Errorf("got %+v", failed)
	}
}

// What a request really had counts, once the vendor has said so.
func TestThrottledTokens(t *testing.T) {
	client := openEcho(t, `,"throttle":{"tokens":150,"max_wait":0}`)
	for number := range 3 {
		got := ask(t, context.Background(), client, llm.OpGenerate, `{}`, `,"max_tokens":90`, new(recorder))
		if failed := got.failure(); failed != nil {
			t.Fatalf("request %d: %v", number, failed)
		}
	}
}

func TestRefusedRequestsHaveNoTokens(t *testing.T) {
	client := openEcho(t, `,"throttle":{"tokens":150,"max_wait":0},"max_retries":0`)
	for _, script := range []string{`{"status":400}`, `{"status":400}`, `{}`} {
		got := ask(t, context.Background(), client, llm.OpGenerate, script, `,"max_tokens":90`, new(recorder))
		if failed := got.failure(); failed != nil && failed.StatusCode != 400 {
			t.Fatalf("%s: %v", script, failed)
		}
	}
}
