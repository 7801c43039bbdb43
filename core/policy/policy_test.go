package policy

import (
	"context"
	"testing"
	"time"

	"pyagent/core/llm"
)

func number(value float64) *float64 { return &value }

func TestClocks(t *testing.T) {
	second := time.Second
	cases := []struct {
		name         string
		op           llm.Op
		client, call llm.Timeouts
		want         Clocks
	}{
		{"defaults of a stream", llm.OpStream, llm.Timeouts{}, llm.Timeouts{}, Clocks{10 * second, 600 * second, 180 * second, 0}},
		{"defaults of one answer", llm.OpGenerate, llm.Timeouts{}, llm.Timeouts{}, Clocks{10 * second, 0, 0, 600 * second}},
		{"short form bounds the whole of one answer", llm.OpGenerate, llm.Timeouts{Request: number(5)}, llm.Timeouts{}, Clocks{10 * second, 0, 0, 5 * second}},
		{"short form bounds each wait of a stream", llm.OpStream, llm.Timeouts{Request: number(5)}, llm.Timeouts{}, Clocks{10 * second, 5 * second, 5 * second, 0}},
		{"a name beats the short form", llm.OpStream, llm.Timeouts{Request: number(5), Idle: number(7)}, llm.Timeouts{}, Clocks{10 * second, 5 * second, 7 * second, 0}},
		{"the call beats the client", llm.OpStream, llm.Timeouts{Idle: number(7)}, llm.Timeouts{Request: number(2)}, Clocks{10 * second, 2 * second, 2 * second, 0}},
		{"a first token asked for bounds one answer", llm.OpGenerate, llm.Timeouts{}, llm.Timeouts{FirstToken: number(3), Idle: number(1)},
			Clocks{10 * second, 3 * second, 0, 600 * second}},
		{"zero is no clock", llm.OpGenerate, llm.Timeouts{}, llm.Timeouts{Total: number(0), Connect: number(0)}, Clocks{}},
		{"a thousand years is no clock", llm.OpGenerate, llm.Timeouts{}, llm.Timeouts{Total: number(3e10)}, Clocks{Connect: 10 * second}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := ResolveClocks(c.op, c.client, c.call); got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

func TestSizes(t *testing.T) {
	small := int64(10)
	got := ResolveSizes(llm.Limits{EventBytes: &small}, llm.Limits{BodyBytes: &small})
	if want := (Sizes{Event: 10, Body: 10, Header: 1 << 20, Redirects: 5}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestRetryNext(t *testing.T) {
	again := &llm.Error{Kind: llm.KindRateLimit, Retryable: true}
	after := func(seconds float64) *llm.Error {
		return &llm.Error{Kind: llm.KindRateLimit, Retryable: true, RetryAfter: &seconds}
	}
	retry := Retry{Max: 3, Backoff: time.Second, Factor: 2}
	cases := []struct {
		name    string
		err     *llm.Error
		attempt int
		left    time.Duration
		random  float64
		want    time.Duration
		ok      bool

		otherKey bool
	}{
		{"first pause is drawn below the backoff", again, 1, 0, 0.5, 500 * time.Millisecond, true, false},
		{"second is doubled", again, 2, 0, 0.5, time.Second, true, false},
		{"never above the longest", again, 3, 0, 1, 4 * time.Second, true, false},
		{"after the last retry it is final", again, 4, 0, 0.5, 0, false, false},
		{"what is not retryable is final", &llm.Error{Kind: llm.KindQuota}, 1, 0, 0.5, 0, false, false},
		{"Retry-After is a lower bound", after(10), 1, 0, 0, 10 * time.Second, true, false},
		{"Retry-After with jitter on top", after(10), 1, 0, 1, 11 * time.Second, true, false},
		{"too long a Retry-After ends it", after(121), 1, 0, 0, 0, false, false},
		{"no pause beyond the deadline", after(10), 1, 9 * time.Second, 0, 0, false, false},
		{"with another key nothing is waited for", after(10), 1, 9 * time.Second, 0.5, 0, true, true},
		{"with another key a rejection is not final", &llm.Error{Kind: llm.KindAuthentication}, 1, 0, 0.5, 0, true, true},
		{"another key is an attempt like any other", after(10), 4, 0, 0.5, 0, false, true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			wait, ok := retry.Next(c.err, c.otherKey, c.attempt, c.left, c.random)
			if wait != c.want || ok != c.ok {
				t.Errorf("got %v %v, want %v %v", wait, ok, c.want, c.ok)
			}
		})
	}
}

// frozen is a clock whose sleeps pass at once and are written down.
type frozen struct {
	now    time.Time
	slept  []time.Duration
	during func()
}

func (c *frozen) Now() time.Time  { return c.now }
func (c *frozen) Random() float64 { return 0.5 }
func (c *frozen) Sleep(_ context.Context, pause time.Duration) {
	c.slept = append(c.slept, pause)
	c.now = c.now.Add(pause)
	if c.during != nil {
		c.during()
	}
}

func TestRun(t *testing.T) {
	retryable := &llm.Error{Kind: llm.KindServiceUnavailable, Retryable: true}
	cases := []struct {
		name      string
		outcomes  []*llm.Error
		committed bool
		deadline  time.Duration
		attempts  int
		failed    bool
	}{
		{"success at once", []*llm.Error{nil}, false, 0, 1, false},
		{"success after two failures", []*llm.Error{retryable, retryable, nil}, false, 0, 3, false},
		{"gives up after the last retry", []*llm.Error{retryable, retryable, retryable, nil}, false, 0, 3, true},
		{"never again once the host saw something", []*llm.Error{retryable, nil}, true, 0, 1, true},
		{"not when the pause would pass the deadline", []*llm.Error{retryable, nil}, false, time.Millisecond, 1, true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			clock := &frozen{now: time.Unix(1000, 0)}
			var deadline time.Time
			if c.deadline > 0 {
				deadline = clock.now.Add(c.deadline)
			}
			asked, reports := 0, 0
			chain := Chain{
				Clock: clock, Retry: Retry{Max: 2, Backoff: time.Second, Factor: 2}, Deadline: deadline, Failed: func(llm.Retry) { reports++ },
			}
			attempts, err := chain.Run(context.Background(), func(context.Context) (bool, *llm.Error) {
				asked++
				return c.committed, c.outcomes[asked-1]
			})
			if attempts != c.attempts || asked != c.attempts || (err != nil) != c.failed || reports != c.attempts-1 || len(clock.slept) != reports {
				t.Errorf("attempts %d asked %d err %v reports %d slept %v", attempts, asked, err, reports, clock.slept)
			}
		})
	}
}

func TestRunStopsWhenCancelledInThePause(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	clock := &frozen{during: cancel}
	asked := 0
	chain := Chain{Clock: clock, Retry: Retry{Max: 5, Backoff: time.Second}, Failed: func(llm.Retry) {}}
	_, err := chain.Run(ctx, func(context.Context) (bool, *llm.Error) {
		asked++
		return false, &llm.Error{Kind: llm.KindConnection, Retryable: true}
	})
	if asked != 1 || err == nil {
		t.Errorf("asked %d times, err %v", asked, err)
	}
}

// turnstile is a limit that lets a number of attempts in, and writes down who left it how.
type turnstile struct {
	turns int
	left  []*llm.Error
}

func (l *turnstile) Enter(context.Context) *llm.Error {
	if l.turns--; l.turns < 0 {
		return &llm.Error{Kind: llm.KindRateLimit}
	}
	return nil
}

func (l *turnstile) Leave(err *llm.Error) { l.left = append(l.left, err) }

func TestRunLetsEachAttemptThroughTheLimit(t *testing.T) {
	again := &llm.Error{Kind: llm.KindConnection, Retryable: true}
	limit := &turnstile{turns: 2}
	chain := Chain{Clock: &frozen{}, Retry: Retry{Max: 5}, Limit: limit, Failed: func(llm.Retry) {}}
	attempts, err := chain.Run(context.Background(), func(context.Context) (bool, *llm.Error) { return false, again })
	if attempts != 2 || err.Kind != llm.KindRateLimit || len(limit.left) != 2 || limit.left[0] != again {
		t.Errorf("%d attempts, %v, left %v", attempts, err, limit.left)
	}
	limit = &turnstile{turns: 1}
	chain.Limit = limit
	func() {
		defer func() { _ = recover() }()
		_, _ = chain.Run(context.Background(), func(context.Context) (bool, *llm.Error) { panic("in the attempt") })
	}()
	if len(limit.left) != 1 {
		t.Error("an attempt that panics keeps its place")
	}
}
