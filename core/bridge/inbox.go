package bridge

import (
	"maps"
	"slices"
	"sync"
	"time"
)

// inbox is one receiving place for many calls: an event loop watches one file descriptor and fetches for all of its calls in
// one poll. It holds no frames of its own, only the order in which calls have something to say; every call keeps its own
// bounded queue, so one busy call neither starves nor floods the others.
type inbox struct {
	wakeFD int
	poll   pollState

	mu     sync.Mutex
	ready  []*queue            // calls with waiting frames, longest waiting first
	calls  map[uint64]struct{} // handles of the calls that report here
	closed bool
}

func newInbox(wakeFD int) *inbox {
	return &inbox{wakeFD: wakeFD, poll: pollState{ready: make(chan struct{}, 1)}, calls: make(map[uint64]struct{})}
}

// add notes that a call has something to say. The host's descriptor gets its byte when nothing was waiting before. The byte
// is written under the lock, so that after close no byte can go to a descriptor that the host has given away.
func (b *inbox) add(q *queue) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return
	}
	b.ready = append(b.ready, q)
	if len(b.ready) == 1 {
		b.poll.signal()
		if b.wakeFD >= 0 {
			writeWakeByte(b.wakeFD)
		}
	}
}

func (b *inbox) wait(dst []byte, timeout time.Duration) (int, Status) {
	return b.poll.wait(timeout, func() (int, Status, bool) {
		used, need := b.fetch(dst)
		switch {
		case need > 0:
			return need, StatusTooSmall, true
		case used > 0:
			return used, StatusOK, true
		}
		return 0, StatusTimeout, false
	})
}

// fetch takes from the calls in turn until dst is full. A call that has more goes to the back of the line, one whose next
// piece finds no room to its front.
func (b *inbox) fetch(dst []byte) (used, need int) {
	for turns := b.waiting(); turns > 0; turns-- {
		q := b.next()
		n, wants, more := q.fetch(dst[used:])
		used += n
		if !more {
			continue
		}
		b.mu.Lock()
		if n > 0 {
			b.ready = append(b.ready, q)
		} else {
			b.ready = slices.Insert(b.ready, 0, q)
		}
		b.mu.Unlock()
		if n == 0 {
			if used == 0 {
				return 0, wants
			}
			break
		}
	}
	return used, 0
}

func (b *inbox) waiting() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.ready)
}

// next takes the first call out of the line. Only the poller does that, so the line is as long as it was counted.
func (b *inbox) next() *queue {
	b.mu.Lock()
	defer b.mu.Unlock()
	q := b.ready[0]
	b.ready = slices.Delete(b.ready, 0, 1)
	return q
}

// close forgets the line and returns the handles of the calls that reported here.
func (b *inbox) close() []uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	b.ready = nil
	b.poll.close()
	return slices.Collect(maps.Keys(b.calls))
}

// attach counts a call in, unless the inbox is closed.
func (b *inbox) attach(call uint64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.closed {
		b.calls[call] = struct{}{}
	}
	return !b.closed
}

func (b *inbox) detach(call uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.calls, call)
}
