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
// Threads of the host that wait in the system for streams on loan are another matter: each keeps a processor until the runtime
// notices, which may take a millisecond, so with several of them there are more processors than the process has, until calls
// come one after another.
//
// The zero value leaves the scheduler alone.
type processors struct {
	mu      sync.Mutex
	managed bool // the process has more than one, and its user has not set their number
	alone   int  // calls in a row that began while no other one was working
	given   processorCount
}

type processorCount int

const (
	allProcessors processorCount = iota
	oneProcessor
	moreProcessors
)

const (
	// aloneLimit is how many calls must have come one after another. Changing over stops all goroutines for some microseconds.
	aloneLimit = 16
	// asleep is how many processors may be with threads that sleep.
	asleep = 8
)

// lends is told that a thread of the host will wait in the system for its stream, and how many calls are working.
func (p *processors) lends(working int64) {
	if !p.managed {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.alone = 0
	if working > 1 {
		p.give(moreProcessors)
	} else {
		p.giveBack()
	}
}

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
	if p.alone == aloneLimit {
		p.give(oneProcessor)
	} else {
		p.giveBack()
	}
}

// giveBack gives the scheduler all processors if it has only one.
func (p *processors) giveBack() {
	if p.given == oneProcessor {
		p.give(allProcessors)
	}
}

func (p *processors) give(count processorCount) {
	if p.given == count {
		return
	}
	p.given = count
	if count == oneProcessor {
		runtime.GOMAXPROCS(1)
		return
	}
	runtime.SetDefaultGOMAXPROCS()
	if count == moreProcessors {
		runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) + asleep)
	}
}
