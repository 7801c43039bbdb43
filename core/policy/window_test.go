package policy

import (
	"math/rand/v2"
	"testing"
	"time"
)

func at(seconds float64) time.Time {
	return time.Unix(0, 0).Add(time.Duration(seconds * float64(time.Second)))
}

func TestWindowOfRequests(t *testing.T) {
	w := &Window{Rates: Rates{Requests: 2, Period: time.Minute}}
	for _, step := range []struct {
		at   float64
		wait time.Duration
	}{
		{0, 0}, {10, 0}, {20, 40 * time.Second}, {59, time.Second}, {60, 0}, {60, 10 * time.Second}, {70, 0}, {200, 0},
	} {
		wait, ok := w.Wait(at(step.at), 0)
		if !ok || wait != step.wait {
			t.Fatalf("at %g: %v %v, wanted %v", step.at, wait, ok, step.wait)
		}
		if wait == 0 {
			w.End(w.Begin(at(step.at), 0), -1)
		}
	}
}

func TestWindowOfTokens(t *testing.T) {
	w := &Window{Rates: Rates{Tokens: 100, Period: time.Minute}}
	first := w.Begin(at(0), 60)
	if wait, _ := w.Wait(at(1), 50); wait != 59*time.Second {
		t.Errorf("the second one waits %v", wait)
	}
	w.End(first, 40)
	if wait, _ := w.Wait(at(2), 60); wait != 0 {
		t.Errorf("after the correction it waits %v", wait)
	}
	if wait, _ := w.Wait(at(2), 1000); wait != 58*time.Second {
		t.Errorf("a large one waits %v until it is alone", wait)
	}
	if wait, _ := w.Wait(at(60), 1000); wait != 0 {
		t.Errorf("alone it waits %v", wait)
	}
	late := w.Begin(at(60), 10)
	w.Used(at(121))
	w.End(late, 5000) // which lies behind
	if _, tokens, running := w.Used(at(121)); tokens != 0 || running != 0 {
		t.Errorf("%d tokens, %d running", tokens, running)
	}
}

func TestWindowOfConcurrency(t *testing.T) {
	w := &Window{Rates: Rates{Concurrency: 1}}
	ticket := w.Begin(at(0), 0)
	if _, ok := w.Wait(at(1000), 0); ok {
		t.Error("two run at once")
	}
	w.End(ticket, -1)
	if wait, ok := w.Wait(at(1000), 0); !ok || wait != 0 {
		t.Error("nothing runs, and still it waits")
	}
}

// At no moment does a period hold more than is allowed, and a request that may begin when Wait says so may begin then.
func TestWindowHoldsItsPromise(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for round := range 200 {
		rates := Rates{Requests: random.IntN(5), Tokens: int64(random.IntN(3) * 50), Period: time.Duration(1+random.IntN(20)) * time.Second}
		w := &Window{Rates: rates}
		var log []spent
		now := at(0)
		for range 300 {
			now = now.Add(time.Duration(random.IntN(3000)) * time.Millisecond)
			tokens := int64(random.IntN(50))
			wait, ok := w.Wait(now, tokens)
			if !ok || wait < 0 {
				t.Fatalf("round %d: %v %v", round, wait, ok)
			}
			now = now.Add(wait)
			if again, _ := w.Wait(now, tokens); again != 0 {
				t.Fatalf("round %d: having waited %v it waits %v more", round, wait, again)
			}
			w.End(w.Begin(now, tokens), -1)
			log = append(log, spent{now, tokens})
			requests, sum := 0, int64(0)
			for _, request := range log {
				if now.Sub(request.at) < rates.Period {
					requests++
					sum += request.tokens
				}
			}
			if rates.Requests > 0 && requests > rates.Requests || rates.Tokens > 0 && sum > rates.Tokens {
				t.Fatalf("round %d: %d requests with %d tokens within %v, of %+v", round, requests, sum, rates.Period, rates)
			}
			if used, tokens, _ := w.Used(now); used != requests || tokens != sum {
				t.Fatalf("round %d: says %d, %d; it is %d, %d", round, used, tokens, requests, sum)
			}
		}
	}
}
