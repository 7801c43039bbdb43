package engine

import (
	"context"
	"fmt"
	"sync"
	"time"

	"pyagent/core/llm"
	"pyagent/core/policy"
)

// watchdog runs the two waiting clocks of a stream: up to the first visible event, and between visible events afterwards.
// Progress is only noted when the reader goes back to the network, so a delta costs it one store; the timer looks at the note
// when it fires and sleeps on for what is left. While the host is behind, the vendor is not to blame and the clock stands.
type watchdog struct {
	clocks policy.Clocks
	cancel context.CancelCauseFunc

	sawProgress bool // of the reading goroutine alone

	mu      sync.Mutex
	timer   *time.Timer
	last    time.Time // of the last progress
	stalled bool      // the host is behind
}

func startWatchdog(clocks policy.Clocks, cancel context.CancelCauseFunc) *watchdog {
	w := &watchdog{clocks: clocks, cancel: cancel}
	if clocks.FirstToken > 0 {
		w.timer = time.AfterFunc(clocks.FirstToken, func() {
			cancel(lateError("first_token", "no part of the answer came within %v (timeouts.first_token)", clocks.FirstToken))
		})
	}
	return w
}

// commit changes from the clock for the first event to the one for pauses.
func (w *watchdog) commit() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.timer != nil {
		w.timer.Stop()
	}
	if w.clocks.Idle > 0 {
		w.last = time.Now()
		w.timer = time.AfterFunc(w.clocks.Idle, w.check)
	}
}

func (w *watchdog) check() {
	w.mu.Lock()
	defer w.mu.Unlock()
	left := w.clocks.Idle
	if !w.stalled {
		left -= time.Since(w.last)
	}
	if left > 0 {
		w.timer.Reset(left)
		return
	}
	w.cancel(lateError("idle", "the stream was silent for %v (timeouts.idle); comments and pings do not count", w.clocks.Idle))
}

// beforeRead notes progress made since the last read.
func (w *watchdog) beforeRead() {
	if w.sawProgress {
		w.sawProgress = false
		w.note(false)
	}
}

// note sets whether the host is behind, and starts the pause anew.
func (w *watchdog) note(stalled bool) {
	w.mu.Lock()
	w.stalled = stalled
	w.last = time.Now()
	w.mu.Unlock()
}

func (w *watchdog) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.timer != nil {
		w.timer.Stop()
	}
}

func lateError(clock, format string, limit time.Duration) *llm.Error {
	return &llm.Error{Kind: llm.KindTimeout, Clock: clock, Retryable: true, Message: fmt.Sprintf(format, limit)}
}
