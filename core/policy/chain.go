// Package policy decides when and how often a call is attempted. Its decisions are pure: values in, values out; time and
// chance come from the caller.
package policy

import (
	"context"
	"time"

	"pyagent/core/llm"
)

// Clock is the time that policies live in.
type Clock interface {
	Now() time.Time
	// Sleep waits, or returns early when ctx ends.
	Sleep(ctx context.Context, pause time.Duration)
	// Random returns a number from 0 up to but not including 1.
	Random() float64
}

// Attempt asks the vendor once. committed reports that the host has seen part of the answer: then the attempt is final.
type Attempt func(ctx context.Context) (committed bool, err *llm.Error)

// Limit lets attempts in one by one, or whole calls.
type Limit interface {
	// Enter waits for its turn. An error is final.
	Enter(ctx context.Context) *llm.Error
	// Leave ends what Enter let in.
	Leave(err *llm.Error)
}

// Within carries out a call that its budget allows. It is the outermost policy, around everything that Along and Run do, and around
// all the requests of a call that takes several:
//
//	budget -> route -> Run
func Within(ctx context.Context, budget Limit, run func() *llm.Error) (err *llm.Error) {
	if budget == nil {
		return run()
	}
	if err := budget.Enter(ctx); err != nil {
		return err
	}
	defer func() { budget.Leave(err) }()
	return run()
}

// Ask carries out a call at one deployment. committed reports that the host has seen part of the answer.
type Ask func() (attempts int, committed bool, err *llm.Error)

// Route says whom a call asks, one after the other.
type Route interface {
	// Next chooses who is asked next, after one that failed with last (nil at first); it may wait. There is nobody where ask is
	// nil: then err is final, or where that is nil too, last is.
	Next(ctx context.Context, last *llm.Error) (ask Ask, err *llm.Error)
}

// Along asks one deployment after the other until one has answered. It stands between Within and Run:
//
//	budget -> route -> Run
func Along(ctx context.Context, route Route) (attempts int, err *llm.Error) {
	for {
		ask, failed := route.Next(ctx, err)
		if failed != nil {
			return attempts, failed
		}
		if ask == nil {
			return attempts, err
		}
		var tried int
		var committed bool
		tried, committed, err = ask()
		attempts += tried
		if err == nil || committed || ctx.Err() != nil {
			return attempts, err
		}
	}
}

// Rotate is told of every failed attempt, and reports whether another one would go out with another key.
type Rotate func(err *llm.Error) bool

// Chain is what one call is subject to.
type Chain struct {
	Clock    Clock
	Retry    Retry
	Deadline time.Time       // of all attempts together; zero for none
	Limit    Limit           // nil for none
	Rotate   Rotate          // nil where there is one key
	Failed   func(llm.Retry) // is told of each attempt that will be repeated

	Elsewhere func(*llm.Error) bool // reports that another deployment is asked rather than waiting for this one; nil for none
}

// Run is one request: with Within and Along the only place that states the order of policies. From the outside in:
//
//	total clock -> retry -> key -> limit -> attempt (which runs the connect, first-token and idle clocks)
//
// It returns how often it tried, and the error of the last attempt.
func (c Chain) Run(ctx context.Context, attempt Attempt) (attempts int, err *llm.Error) {
	for attempts = 1; ; attempts++ {
		if c.Limit != nil {
			if err := c.Limit.Enter(ctx); err != nil {
				return attempts - 1, err
			}
		}
		committed, err := c.once(ctx, attempt)
		if err == nil || ctx.Err() != nil {
			return attempts, err
		}
		otherKey := c.Rotate != nil && c.Rotate(err)
		if committed {
			return attempts, err
		}
		var left time.Duration
		if !c.Deadline.IsZero() {
			left = max(c.Deadline.Sub(c.Clock.Now()), 1)
		}
		wait, again := c.Retry.Next(err, otherKey, attempts, left, c.Clock.Random())
		if !again {
			return attempts, err
		}
		if wait > 0 && c.Elsewhere != nil && c.Elsewhere(err) {
			return attempts, err
		}
		c.Failed(llm.Retry{Attempt: attempts, Wait: wait.Seconds(), KeyChanged: otherKey, Error: err})
		c.Clock.Sleep(ctx, wait)
		if ctx.Err() != nil {
			return attempts, err
		}
	}
}

func (c Chain) once(ctx context.Context, attempt Attempt) (committed bool, err *llm.Error) {
	if c.Limit != nil {
		defer func() { c.Limit.Leave(err) }()
	}
	return attempt(ctx)
}
