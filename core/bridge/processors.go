package bridge

import (
	"runtime"
	"sync"
)

// processors keeps the Go scheduler on one processor while goroutines carry out one call of a host thread after another. With
// more than one, every hand-over between the host's thread and a goroutine wakes an idle thread that looks for work and finds
// none, which is a good part of the CPU time of a small stream. As soon as two calls overlap, or there is one with an inbox or
// an inline one, the scheduler has all processors again.
//
// The zero value leaves the scheduler alone.
type processors struct {
	mu      sync.Mutex
	managed bool // the process has more than one, and its user has not set their number
	alone   int  // calls in a row that began while no other one was working
	one     bool
}

// aloneLimit is how many calls must have come one after another. Changing over stops all goroutines for some microseconds.
const aloneLimit = 16

// spread gives the scheduler all processors until calls have come one after another again.
func (p *processors) spread() { p.began(0, false) }

// began is told how many calls are working, the one that begins included, and whether the host's thread waits for a goroutine
// that carries this one out.
func (p *processors) began(working int64, waits bool) {
	if !p.managed {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if working > 1 || !waits {
		p.alone = 0
	} else if p.alone < aloneLimit {
		p.alone++
	}
	if one := p.alone == aloneLimit; one != p.one {
		p.one = one
		if one {
			runtime.GOMAXPROCS(1)
		} else {
			runtime.SetDefaultGOMAXPROCS()
		}
	}
}
