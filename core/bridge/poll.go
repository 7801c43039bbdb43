package bridge

import (
	"sync/atomic"
	"time"
)

// pollState is the sleeping side of a handle that can be polled: at most one poller at a time, signals that stick when nobody
// sleeps, and a timer that is made once.
type pollState struct {
	busy, woken, closed atomic.Bool
	ready               chan struct{} // holds at most one signal
	timer               *time.Timer   // of the poller, guarded by busy
	// first, when there is one, is what a poller does before anything else; it returns what is left of the timeout.
	first func(timeout time.Duration) time.Duration
}

// signal says that there may be something to fetch.
func (p *pollState) signal() {
	select {
	case p.ready <- struct{}{}:
	default:
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
	armed := false
	defer func() {
		if armed {
			p.timer.Stop()
		}
		p.busy.Store(false)
	}()
	if p.first != nil {
		timeout = p.first(timeout)
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
		if timeout == 0 {
			return 0, StatusTimeout
		}
		if timeout < 0 {
			<-p.ready
			continue
		}
		if !armed {
			armed = true
			if p.timer == nil {
				p.timer = time.NewTimer(timeout)
			} else {
				p.timer.Reset(timeout)
			}
		}
		select {
		case <-p.ready:
		case <-p.timer.C:
			timeout = 0
		}
	}
}
