package bridge

import (
	"maps"
	"slices"
	"sync"
	"time"

	"pyagent/core/engine"
)

// inbox is one receiving place for many calls: an event loop watches one file descriptor and fetches for all of its calls in
// one poll. It holds no frames of its own, only the order in which calls have something to say; every call keeps its own
// bounded queue, so one busy call neither starves nor floods the others.
//
// The descriptor is the host's own, of which the library has the writing end; or it is the library's, of a watch. Then the
// sockets of slow streams are in the watch as well: they wake the host, and its poll reads them.
type inbox struct {
	wakeFD int
	poll   pollState

	mu     sync.Mutex
	ready  []*queue            // calls with waiting frames, longest waiting first
	spare  []*queue            // the line of the fetch before, for its memory
	told   bool                // the host was woken and has not fetched since
	done   []uint64            // calls whose last frame the present fetch delivers
	calls  map[uint64]struct{} // handles of the calls that report here
	closed bool
}

func newInbox(wakeFD int) *inbox {
	return &inbox{wakeFD: wakeFD, poll: pollState{ready: make(chan struct{}, 1)}, calls: make(map[uint64]struct{})}
}

// newWatchingInbox makes one with a descriptor of the library; nil where the system has no watch.
func newWatchingInbox() *inbox {
	watch := engine.NewWatch()
	if watch == nil {
		return nil
	}
	b := newInbox(-1)
	b.poll.eager = true
	b.poll.watch.Store(watch)
	return b
}

// watch is where the sockets of calls are watched that the host reads by itself; nil for none.
func (b *inbox) watch() *engine.Watch { return b.poll.watch.Load() }

// add notes that a call has something to say.
func (b *inbox) add(q *queue) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.closed {
		b.ready = append(b.ready, q)
		b.tell()
	}
}

// tell wakes the host, once for each of its fetches. It is called with the lock held: after close no byte can go to a
// descriptor that the host has given away.
func (b *inbox) tell() {
	if b.told {
		return
	}
	b.told = true
	b.poll.signal()
	if b.wakeFD >= 0 {
		writeWakeByte(b.wakeFD)
	}
}

// wait is the poll of an inbox. ended is told of each call that has nothing more to say.
func (b *inbox) wait(dst []byte, timeout time.Duration, ended func(call uint64)) (int, Status) {
	return b.poll.wait(timeout, func() (int, Status, bool) {
		used, need := b.fetch(dst)
		for _, call := range b.done {
			ended(call)
		}
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
// piece finds no room to its front, and the host is woken again for either.
func (b *inbox) fetch(dst []byte) (used, need int) {
	b.mu.Lock()
	line := b.ready
	b.ready, b.told = b.spare[:0], false
	b.mu.Unlock()
	var more []*queue
	b.done = b.done[:0]
	for i, q := range line {
		n, wants, rest, done := q.fetch(dst[used:])
		used += n
		if done {
			b.done = append(b.done, q.call)
		}
		if rest && n > 0 {
			more = append(more, q)
		} else if rest {
			if used == 0 {
				need = wants
			}
			more = slices.Concat(line[i:], more)
			break
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	clear(line)
	b.spare = line[:0]
	if len(more) > 0 && !b.closed {
		b.ready = append(more, b.ready...)
		b.tell()
	}
	return used, need
}

// close forgets the line and returns the handles of the calls that reported here.
func (b *inbox) close() []uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	b.ready, b.spare = nil, nil
	b.poll.close()
	if watch := b.watch(); watch != nil {
		watch.Close()
	}
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
