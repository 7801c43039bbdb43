package guard

import (
	"sync"
	"time"

	"pyagent/core/llm"
)

// Crew runs work on goroutines as Go does, and keeps some of them for the work that comes next: a new one has to grow its
// stack first, which takes a twenty-fifth of a small completion.
type Crew struct {
	offered chan task // taken by those who wait
	mu      sync.Mutex
	waiting int
	sweep   *time.Timer // runs while anybody waits
}

type task struct {
	work   func()
	failed func(*llm.Error)
}

const (
	maxWaiting = 128         // goroutines that are kept, with some 32 KB each
	restTime   = time.Second // nobody waits for much longer
)

// NewCrew makes a crew of nobody.
func NewCrew() *Crew { return &Crew{offered: make(chan task)} }

// Go runs work on a goroutine. When work panics, failed receives the error, on that goroutine.
func (c *Crew) Go(work func(), failed func(*llm.Error)) {
	next := task{work, failed}
	select {
	case c.offered <- next:
	default:
		go c.serve(next)
	}
}

func (c *Crew) serve(next task) {
	growStack()
	for next.work != nil {
		if err := Call(next.work); err != nil {
			next.failed(err)
		}
		next = task{} // or it would be kept alive
		if !c.enter() {
			return
		}
		next = <-c.offered
		c.leave()
	}
}

// enter makes one more wait, unless enough do.
func (c *Crew) enter() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.waiting == maxWaiting {
		return false
	}
	c.waiting++
	if c.sweep == nil {
		c.sweep = time.AfterFunc(restTime, c.dismiss)
	}
	return true
}

func (c *Crew) leave() {
	c.mu.Lock()
	c.waiting--
	c.mu.Unlock()
}

// dismiss ends all who wait at the moment. While there is work that costs next to nothing, and afterwards nobody is left.
func (c *Crew) dismiss() {
	c.mu.Lock()
	count := c.waiting
	c.mu.Unlock()
	for range count {
		select {
		case c.offered <- task{}:
		default: // has got work meanwhile
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.waiting == 0 {
		c.sweep = nil
	} else {
		c.sweep.Reset(restTime)
	}
}
