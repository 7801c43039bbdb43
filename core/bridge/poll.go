package bridge

import "sync"

// Waiter is a host thread that sleeps until a handle has something for it. It sleeps on its own side of the boundary: a
// thread that waited inside Go would cost the scheduler several hand-overs for each wake-up, and a stack while it waits.
// Waiters are compared with ==.
type Waiter interface {
	// Signal wakes the thread, or keeps it from falling asleep. One signal too many is harmless.
	Signal()
}

// pollState is the receiving side of a handle: one poller at a time, and wake-ups that stick when nobody sleeps.
type pollState struct {
	mu     sync.Mutex
	owner  Waiter // of the poll that is under way with a waiter
	armed  bool   // the owner is to be signalled
	woken  bool
	closed bool
}

// signal says that there may be something to fetch. The lock is held meanwhile, so that a poll that has returned is not
// signalled any more.
func (p *pollState) signal() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.armed {
		p.armed = false
		p.owner.Signal()
	}
}

// wake makes the poll under way, or the next one that finds nothing, return StatusWoken.
func (p *pollState) wake() {
	p.mu.Lock()
	p.woken = true
	p.mu.Unlock()
	p.signal()
}

func (p *pollState) close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.signal()
}

// step is one turn of a poll: it arms the waiter, and then looks, so that nothing can come in between unseen. StatusPending
// means that the waiter is to sleep until its signal and take another turn; last ends that. A poll without a waiter has one
// turn.
func (p *pollState) step(waiter Waiter, last bool, look func() (int, Status, bool)) (int, Status) {
	p.mu.Lock()
	if p.owner != nil && p.owner != waiter {
		p.mu.Unlock()
		return 0, StatusBusy
	}
	p.owner, p.armed = waiter, waiter != nil
	p.mu.Unlock()
	used, status, found := look()
	p.mu.Lock()
	defer p.mu.Unlock()
	if !found {
		switch {
		case p.closed:
			status = StatusClosed
		case p.woken:
			p.woken, status = false, StatusWoken
		case last || waiter == nil:
			status = StatusTimeout
		default:
			return 0, StatusPending
		}
	}
	p.owner, p.armed = nil, false
	return used, status
}
