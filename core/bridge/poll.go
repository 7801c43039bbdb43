package bridge

import (
	"sync/atomic"
	"time"

	"pyagent/core/engine"
)

// pollState is the sleeping side of a handle that can be polled: at most one poller at a time, signals that stick when nobody
// sleeps, and a timer that is made once. While streams are lent to the poller it sleeps on their sockets, and reads them.
type pollState struct {
	busy, woken, closed atomic.Bool
	ready               chan struct{} // holds at most one signal; nil for what is never polled
	timer               *time.Timer   // of the poller, guarded by busy
	// first, when there is one, is what a poller does before anything else; it returns what is left of the timeout.
	first func(timeout time.Duration) time.Duration

	watch   atomic.Pointer[engine.Watch] // of the sockets that the poller reads by itself; nil for none
	eager   bool                         // it looks at them before it fetches
	serving atomic.Bool                  // it does, and then looks for what has come of it
}

// signal says that there may be something to fetch.
func (p *pollState) signal() {
	if p.serving.Load() {
		return
	}
	select {
	case p.ready <- struct{}{}:
	default:
	}
	if watch := p.watch.Load(); watch != nil {
		watch.Ring()
	}
}

// wake makes the running or the next wait return StatusWoken.
func (p *pollState) wake() {
	p.woken.Store(true)
	p.signal()
}

func (p *pollState) close() {
	p.closed.Store(true)
	p.signal()
}

// wait calls try until it is done, sleeping in between.
func (p *pollState) wait(timeout time.Duration, try func() (int, Status, bool)) (int, Status) {
	if !p.busy.CompareAndSwap(false, true) {
		return 0, StatusBusy
	}
	defer p.busy.Store(false)
	if p.first != nil {
		timeout = p.first(timeout)
	}
	watch := p.watch.Load()
	looked := watch == nil || p.eager
	if watch != nil && p.eager {
		p.serve(watch, 0)
	}
	for {
		if p.closed.Load() {
			return 0, StatusClosed
		}
		if used, status, done := try(); done {
			return used, status
		}
		if p.woken.Swap(false) {
			return 0, StatusWoken
		}
		if timeout == 0 && looked {
			return 0, StatusTimeout
		}
		timeout, looked = p.sleep(timeout), true
	}
}

// sleep waits for a signal, and returns what is left of the timeout.
func (p *pollState) sleep(timeout time.Duration) time.Duration {
	if watch := p.watch.Load(); watch != nil {
		return p.serve(watch, timeout)
	}
	if timeout < 0 {
		<-p.ready
		return timeout
	}
	began := time.Now()
	if p.timer == nil {
		p.timer = time.NewTimer(timeout)
	} else {
		p.timer.Reset(timeout)
	}
	defer p.timer.Stop()
	select {
	case <-p.ready:
		return max(timeout-time.Since(began), 0)
	case <-p.timer.C:
		return 0
	}
}

// serve waits for a signal or for the sockets of streams, and reads those.
func (p *pollState) serve(watch *engine.Watch, timeout time.Duration) time.Duration {
	select {
	case <-p.ready: // perhaps given before there was the watch
		if timeout != 0 {
			return timeout
		}
	default:
	}
	var began time.Time
	if timeout > 0 {
		began = time.Now()
	}
	if readers := watch.Wait(timeout); len(readers) > 0 {
		p.serving.Store(true)
		for _, reader := range readers {
			reader.Ready()
		}
		p.serving.Store(false)
	}
	if timeout > 0 {
		timeout = max(timeout-time.Since(began), 0)
	}
	return timeout
}
