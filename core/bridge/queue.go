package bridge

import (
	"context"
	"sync"
	"time"

	"pyagent/core/engine"
	"pyagent/core/llm"
)

const (
	// queueBytes bounds what one call holds for a host that is slower than the vendor. The reader of the socket then waits,
	// and TCP slows the vendor down.
	queueBytes = 256 << 10
	// batchBytes bounds what a call's goroutine gathers before it hands over.
	batchBytes = 32 << 10
	// keptBytes is how large an emptied buffer may be and stay with its queue.
	keptBytes = 64 << 10
)

// queue is what a call has to say and the host has not yet fetched. The call's goroutine is its only writer: it gathers
// events in a batch of its own and hands the batch over before each read from the network, so that a burst costs one lock and
// one wake-up. Any thread may poll, one at a time.
//
// The terminal frame always finds room: a full queue may delay an answer but never its end.
type queue struct {
	call  uint64
	inbox *inbox // nil: the host polls this queue itself

	batch frames // of the writer alone

	mu        sync.Mutex
	waiting   frames // handed over, not fetched
	front     int    // where in waiting the unread frames start
	ended     bool   // the terminal frame was handed over
	delivered bool   // and fetched
	closed    bool
	blocked   bool          // the writer waits for room
	listed    bool          // the inbox knows that something waits here
	held      bool          // it does, and waits for the host to ask for more
	window    int           // how much the inbox may deliver before the host asks for more; 0: any amount
	credit    int           // what is left of the window
	room      chan struct{} // made when the writer first waits for it
	poll      pollState
	lends     func() bool // says whether a call without an inbox is lent to whoever polls it
}

func newQueue(inbox *inbox) *queue {
	q := &queue{inbox: inbox, batch: frames{last: -1}, waiting: frames{last: -1}}
	if inbox == nil {
		q.poll.ready = make(chan struct{}, 1)
	}
	return q
}

// Emit gathers one event. It is part of engine.Sink.
func (q *queue) Emit(event llm.Event) { q.batch.appendEvent(event, q.call) }

// Crowded reports that so much is gathered that Flush should not wait for the next read. It is part of engine.Sink.
func (q *queue) Crowded() bool { return len(q.batch.bytes) > batchBytes }

// Full reports that Flush will wait. It is part of engine.Sink.
func (q *queue) Full() bool {
	if len(q.batch.bytes) == 0 {
		return false
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.waiting.bytes)-q.front >= queueBytes && !q.closed
}

// Flush hands the gathered events over and waits while the host is behind. It is part of engine.Sink.
func (q *queue) Flush(ctx context.Context) error {
	if len(q.batch.bytes) == 0 {
		return nil
	}
	q.mu.Lock()
	for len(q.waiting.bytes)-q.front >= queueBytes && !q.closed {
		if q.blocked = true; q.room == nil {
			q.room = make(chan struct{}, 1)
		}
		room := q.room
		q.mu.Unlock()
		select {
		case <-room:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		q.mu.Lock()
	}
	q.handOver()
	return nil
}

// End hands over the terminal event with all that was gathered before it, and never waits. Only the first one counts. It is
// part of engine.Sink.
func (q *queue) End(event llm.Event) {
	q.mu.Lock()
	if q.ended {
		q.mu.Unlock()
		return
	}
	q.ended = true
	q.Emit(event)
	q.handOver()
}

// handOver moves the batch to the waiting frames and tells the host. It is called with the lock held and releases it.
func (q *queue) handOver() {
	if q.closed { // nobody will fetch it
		q.batch = frames{last: -1}
		q.mu.Unlock()
		return
	}
	q.waiting.appendFrames(&q.batch)
	tell := q.inbox != nil && !q.listed
	q.listed = q.listed || tell
	q.mu.Unlock()
	if q.inbox == nil {
		q.poll.signal()
	} else if tell {
		q.inbox.add(q)
	}
}

// Borrow takes a stream on for the host to read by itself. It is part of engine.Borrower.
func (q *queue) Borrow(loan *engine.Loan) bool {
	if q.inbox != nil {
		watch := q.inbox.watch()
		return watch != nil && loan.Join(watch)
	}
	if !q.lends() {
		return false
	}
	watch := engine.NewWatch()
	if watch == nil {
		return false
	}
	if !loan.Join(watch) {
		watch.Close()
		return false
	}
	q.poll.watch.Store(watch)
	q.poll.signal()
	return true
}

// GiveBack ends that. It is part of engine.Borrower.
func (q *queue) GiveBack(loan *engine.Loan) {
	if q.inbox != nil {
		loan.Leave(q.inbox.watch())
		return
	}
	watch := q.poll.watch.Swap(nil)
	loan.Leave(watch)
	watch.Close()
}

// allow sets the window of a call whose host may fall behind. It precedes the call's first event.
func (q *queue) allow(window int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.window, q.credit = window, window
}

// more is the host's word that it has used what was delivered. It is false for a call that has no window.
func (q *queue) more() bool {
	q.mu.Lock()
	held := q.held
	q.held, q.credit = false, q.window
	allowed := q.window > 0
	q.mu.Unlock()
	if held {
		q.inbox.add(q)
	}
	return allowed
}

// fetch moves waiting frames into dst. need is the room that the first piece wants when nothing fits; more reports that
// frames are left, and then the queue stays in its inbox's line; done, that nothing will ever come again.
func (q *queue) fetch(dst []byte) (used, need int, more, done bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.window > 0 && q.credit <= 0 && len(q.waiting.bytes) > q.front {
		q.held = true
		return 0, 0, false, false
	}
	used, need, rest := take(dst, q.waiting.bytes[q.front:])
	q.credit -= used
	if len(rest) == 0 {
		q.delivered = q.delivered || q.ended
		q.waiting.bytes, q.waiting.last, q.front, q.listed = q.waiting.bytes[:0], -1, 0, false
		if cap(q.waiting.bytes) > keptBytes {
			q.waiting.bytes = nil
		}
	} else {
		q.front = len(q.waiting.bytes) - len(rest)
		if q.waiting.last >= 0 && q.waiting.last < q.front { // the last frame itself was divided
			q.waiting.last = q.front
		}
		q.compact()
	}
	if q.blocked && len(q.waiting.bytes)-q.front < queueBytes {
		q.blocked = false
		select {
		case q.room <- struct{}{}:
		default:
		}
	}
	return used, need, len(rest) > 0, q.delivered
}

// compact drops fetched bytes once they outweigh the unread ones, which keeps the buffer's size and the cost of moving linear.
func (q *queue) compact() {
	if unread := len(q.waiting.bytes) - q.front; q.front > unread {
		copy(q.waiting.bytes, q.waiting.bytes[q.front:])
		q.waiting.bytes = q.waiting.bytes[:unread]
		q.waiting.last = max(q.waiting.last-q.front, -1)
		q.front = 0
	}
}

// wait is the poll of one queue. timeout < 0 waits for ever.
func (q *queue) wait(dst []byte, timeout time.Duration) (int, Status) {
	return q.poll.wait(timeout, func() (int, Status, bool) {
		used, need, _, _ := q.fetch(dst)
		switch {
		case need > 0:
			return need, StatusTooSmall, true
		case used > 0:
			return used, StatusOK, true
		}
		q.mu.Lock()
		defer q.mu.Unlock()
		if q.closed {
			return 0, StatusClosed, true
		}
		return 0, StatusDone, q.delivered
	})
}

// close drops everything and wakes whoever waits.
func (q *queue) close() {
	q.mu.Lock()
	q.closed = true
	q.waiting, q.front = frames{last: -1}, 0
	room := q.room
	q.mu.Unlock()
	select {
	case room <- struct{}{}:
	default:
	}
	q.poll.close()
}

func (q *queue) snapshot() (queued int, ended, delivered bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.waiting.bytes) - q.front, q.ended, q.delivered
}
