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

// Rotate is told of every failed attempt, and reports whether another one would go out with another key.
type Rotate func(err *llm.Error) bool

// Run is one call: the only place that states the order of policies. From the outside in:
//
//	total clock -> retry -> key -> attempt (which runs the connect, first-token and idle clocks)
//
// It returns how often it tried, and the error of the last attempt. failed is told of each attempt that will be repeated.
func Run(ctx context.Context, clock Clock, retry Retry, deadline time.Time, rotate Rotate, attempt Attempt,
	failed func(llm.Retry)) (attempts int, err *llm.Error) {
	for attempts = 1; ; attempts++ {
		committed, err := attempt(ctx)
		if err == nil || ctx.Err() != nil {
			return attempts, err
		}
		otherKey := rotate(err)
		if committed {
			return attempts, err
		}
		var left time.Duration
		if !deadline.IsZero() {
			left = max(deadline.Sub(clock.Now()), 1)
		}
		wait, again := retry.Next(err, otherKey, attempts, left, clock.Random())
		if !again {
			return attempts, err
		}
		failed(llm.Retry{Attempt: attempts, Wait: wait.Seconds(), KeyChanged: otherKey, Error: err})
		clock.Sleep(ctx, wait)
		if ctx.Err() != nil {
			return attempts, err
		}
	}
}
