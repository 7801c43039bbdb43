package policy

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"pyagent/core/llm"
)

func refusedFor(kind llm.Kind) *llm.Error {
	return &llm.Error{Kind: kind, Retryable: kind == llm.KindRateLimit}
}

func TestKeysRest(t *testing.T) {
	start := time.Unix(1000, 0)
	after := func(asked float64) *llm.Error {
		return &llm.Error{Kind: llm.KindRateLimit, Retryable: true, RetryAfter: &asked}
	}
	cases := []struct {
		name string
		err  *llm.Error
		rest time.Duration
	}{
		{"a rate limit rests as long as the vendor says", after(7), 7 * time.Second},
		{"or the minute that most limits have", refusedFor(llm.KindRateLimit), time.Minute},
		{"a used-up quota rests long", refusedFor(llm.KindQuota), time.Hour},
		{"what a key may not do is soon forgotten", refusedFor(llm.KindPermission), time.Minute},
		{"a rejected key does not come back", refusedFor(llm.KindAuthentication), rejectedRest},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			keys := NewKeys("a", []string{"b", "a"})
			if next, ok := keys.Replace("a", c.err, start); next != "b" || !ok {
				t.Fatalf("replaced by %q, %v", next, ok)
			}
			if got := keys.Pick(start.Add(c.rest - 1)); got != "b" {
				t.Errorf("before the end of its rest: %q", got)
			}
			if got := keys.Pick(start.Add(c.rest)); got != "a" {
				t.Errorf("after its rest: %q", got)
			}
		})
	}
}

func TestErrorsThatAreNotAboutTheKey(t *testing.T) {
	for _, err := range []*llm.Error{
		refusedFor(llm.KindBadRequest), refusedFor(llm.KindServiceUnavailable), refusedFor(llm.KindConnection),
		{Kind: llm.KindRateLimit}, // a request that is larger than the limit of a whole minute
	} {
		keys := NewKeys("a", []string{"b"})
		if _, ok := keys.Replace("a", err, time.Unix(0, 0)); ok || keys.Pick(time.Unix(0, 0)) != "a" {
			t.Errorf("%s changed the key", err.Kind)
		}
	}
}

func TestWhenAllKeysRest(t *testing.T) {
	now := time.Unix(1000, 0)
	keys := NewKeys("a", []string{"b", "c"})
	keys.Replace("a", refusedFor(llm.KindQuota), now)
	keys.Replace("b", refusedFor(llm.KindRateLimit), now)
	if _, ok := keys.Replace("c", refusedFor(llm.KindAuthentication), now); ok {
		t.Error("there is no key that is better")
	}
	if got := keys.Pick(now); got != "b" {
		t.Errorf("picked %q, not the one that rests the shortest", got)
	}
	one := NewKeys("a", nil)
	if _, ok := one.Replace("a", refusedFor(llm.KindAuthentication), now); ok || one.Pick(now) != "a" {
		t.Error("an only key is always used")
	}
}

func TestRunRotates(t *testing.T) {
	cases := []struct {
		name     string
		errors   []llm.Kind // of the attempts, until one succeeds
		sent     []string
		changed  []bool
		slept    []time.Duration
		attempts int
		failed   bool
	}{
		{"a rate limit", []llm.Kind{llm.KindRateLimit}, []string{"a", "b"}, []bool{true}, []time.Duration{0}, 2, false},
		{"a rejection is final for the key alone", []llm.Kind{llm.KindAuthentication}, []string{"a", "b"}, []bool{true}, []time.Duration{0}, 2,
			false},
		{"all are at their limit", []llm.Kind{llm.KindRateLimit, llm.KindRateLimit}, []string{"a", "b", "b"}, []bool{true, false},
			[]time.Duration{0, time.Second}, 3, false},
		{"all are rejected", []llm.Kind{llm.KindAuthentication, llm.KindAuthentication}, []string{"a", "b"}, []bool{true}, []time.Duration{0}, 2,
			true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			clock := &frozen{now: time.Unix(1000, 0)}
			keys := NewKeys("a", []string{"b"})
			used := keys.Pick(clock.now)
			var sent []string
			var changed []bool
			chain := Chain{
				Clock: clock, Retry: Retry{Max: 3, Backoff: time.Second, Factor: 2},
				Rotate: func(err *llm.Error) bool {
					next, ok := keys.Replace(used, err, clock.now)
					if ok {
						used = next
					}
					return ok
				},
				Failed: func(retry llm.Retry) { changed = append(changed, retry.KeyChanged) },
			}
			attempts, err := chain.Run(context.Background(), func(context.Context) (bool, *llm.Error) {
				sent = append(sent, used)
				if len(sent) > len(c.errors) {
					return false, nil
				}
				return false, refusedFor(c.errors[len(sent)-1])
			})
			got := fmt.Sprint(sent, changed, clock.slept, attempts, err != nil)
			if want := fmt.Sprint(c.sent, c.changed, c.slept, c.attempts, c.failed); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

func TestNoRetryMeansNoRotationInTheCallButInTheNext(t *testing.T) {
	clock := &frozen{now: time.Unix(1000, 0)}
	keys := NewKeys("a", []string{"b"})
	chain := Chain{Clock: clock, Rotate: func(err *llm.Error) bool {
		_, ok := keys.Replace("a", err, clock.now)
		return ok
	}}
	attempts, err := chain.Run(context.Background(), func(context.Context) (bool, *llm.Error) {
		return false, refusedFor(llm.KindAuthentication)
	})
	if attempts != 1 || err == nil || keys.Pick(clock.now) != "b" {
		t.Errorf("attempts %d, err %v, next %q", attempts, err, keys.Pick(clock.now))
	}
}

func TestKeysAreSharedByThreads(t *testing.T) {
	keys, now := NewKeys("a", []string{"b", "c"}), time.Unix(1000, 0)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 200 {
				used := keys.Pick(now)
				if used != "c" {
					keys.Replace(used, refusedFor(llm.KindAuthentication), now)
				}
			}
		})
	}
	all.Wait()
	if got := keys.Pick(now); got != "c" {
		t.Errorf("picked %q", got)
	}
}
