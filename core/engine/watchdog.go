package engine

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"pyagent/core/llm"
	"pyagent/core/policy"
)

// watchdog runs the two waiting clocks of a stream: up to the first visible event, and between visible events afterwards.
// Progress is only noted when the reader goes back to the network, so a delta costs it one store; the timer looks at the note
// when it fires and sleeps on for what is left. While the host is behind, the vendor is not to blame and the clock stands.
//
// Timers and monotonic time stand still while a laptop sleeps, so the watchdog looks at the wall clock too, every few
// seconds. When that says that the clock has run out, the machine has slept or its time was set: the stream has a short grace
// for any sign of life, and is dead without one.
type watchdog struct {
	cancel context.CancelCauseFunc
	now    func() instant
	idle   time.Duration
	heard  atomic.Bool // bytes came since it was last set to false

	sawProgress bool // of the reading goroutine alone

	mu      sync.Mutex
	timer   *time.Timer
	limit   time.Duration // of the clock that runs
	late    lateness      // what its end is called
	last    instant       // of the last progress
	stalled bool          // the host is behind
	waits   func() bool   // reports that the host has not read what has come, while it reads by itself
	waking  bool          // the wall clock says that the time is up, and the grace runs
	woke    time.Time     // on the clock awake: since when it does
}

// instant is a moment on two clocks: awake stands still while the machine sleeps, wall can be set.
type instant struct{ awake, wall time.Time }

func realInstant() instant {
	now := time.Now()
	return instant{awake: now, wall: now.Round(0)} // Round takes the monotonic reading away
}

const (
	lookEvery = 15 * time.Second // at most, for a sleep to be noticed
	wakeGrace = 5 * time.Second
)

func (w *watchdog) start(clocks policy.Clocks, cancel context.CancelCauseFunc, now func() instant) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cancel, w.now, w.idle = cancel, now, clocks.Idle
	w.begin(clocks.FirstToken, lateness{"first_token", "no part of the answer came within %v (timeouts.first_token)"})
}

// commit changes from the clock for the first event to the one for pauses.
func (w *watchdog) commit() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.begin(w.idle, lateness{"idle", "the stream was silent for %v (timeouts.idle); comments and pings do not count"})
}

// begin starts a clock in place of the one that runs; 0 is none.
func (w *watchdog) begin(limit time.Duration, late lateness) {
	if w.timer != nil {
		w.timer.Stop()
	}
	w.limit, w.late, w.waking = limit, late, false
	if limit > 0 {
		w.last = w.now()
		w.timer = time.AfterFunc(min(limit, lookEvery), w.check)
	}
}

// check ends the attempt when its clock has run out, and otherwise comes back.
func (w *watchdog) check() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.limit == 0 {
		return // stopped while this waited for the lock
	}
	now := w.now()
	if w.stalled || w.waits != nil && w.waits() {
		w.last = now
	}
	left := w.limit - now.awake.Sub(w.last.awake)
	if left <= 0 || w.isDead(now) {
		w.cancel(w.late.after(w.limit))
		return
	}
	next := min(left, lookEvery)
	if w.waking {
		next = min(next, wakeGrace-now.awake.Sub(w.woke))
	}
	w.timer.Reset(next)
}

// isDead looks at the wall clock, and for a sign of life when that says that the time is up.
func (w *watchdog) isDead(now instant) bool {
	slept := now.wall.Sub(w.last.wall) >= w.limit
	switch {
	case slept && !w.waking:
		w.waking, w.woke = true, now.awake
		w.heard.Store(false)
	case slept && w.heard.Load(): // it lives: the wall clock's jump is forgotten
		w.waking = false
		w.last.wall = now.wall.Add(-now.awake.Sub(w.last.awake))
	case slept:
		return now.awake.Sub(w.woke) >= wakeGrace
	default:
		w.waking = false
	}
	return false
}

// beforeRead notes progress made since the last read.
func (w *watchdog) beforeRead() {
	if w.sawProgress {
		w.sawProgress = false
		w.note(false)
	}
}

// afterRead notes that bytes came, whatever they mean.
func (w *watchdog) afterRead() {
	if !w.heard.Load() {
		w.heard.Store(true)
	}
}

// note sets whether the host is behind, and starts the pause anew.
func (w *watchdog) note(stalled bool) {
	w.mu.Lock()
	w.stalled = stalled
	w.last = w.now()
	w.mu.Unlock()
}

// watchHost sets how to see that the host is behind while it reads by itself; nil when it does not.
func (w *watchdog) watchHost(waits func() bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.waits = waits
}

func (w *watchdog) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.begin(0, lateness{})
}

// lateness is the name of a clock and what its end means.
type lateness struct{ clock, format string }

func (l lateness) after(limit time.Duration) *llm.Error {
	return &llm.Error{Kind: llm.KindTimeout, Clock: l.clock, ClockSeconds: limit.Seconds(), Retryable: true, Message: fmt.Sprintf(l.format, limit)}
}
