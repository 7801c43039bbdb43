package engine

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"time"
)

// realClock is the time and chance that calls live by.
type realClock struct{}

func (realClock) Now() time.Time  { return time.Now() }
func (realClock) Random() float64 { return float64(drawn()>>11) / (1 << 53) }

// drawn is a number that no other process draws. The numbers of math/rand would be the same in processes that were forked off one:
// Go seeds them from bytes that the system gives to a program, and not to each process.
func drawn() uint64 {
	var number [8]byte
	_, _ = rand.Read(number[:]) // which never fails
	return binary.LittleEndian.Uint64(number[:])
}

func (realClock) Sleep(ctx context.Context, pause time.Duration) {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
