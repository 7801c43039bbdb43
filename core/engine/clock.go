package engine

import (
	"context"
	"math/rand/v2"
	"time"
)

// realClock is the time and chance that calls live by.
type realClock struct{}

func (realClock) Now() time.Time  { return time.Now() }
func (realClock) Random() float64 { return rand.Float64() }

func (realClock) Sleep(ctx context.Context, pause time.Duration) {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
