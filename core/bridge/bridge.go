// Package bridge is the C ABI as plain Go: handles, queues, inboxes and frames. Package cabi only converts pointers. It can
// therefore be tested, raced and fuzzed without C, and carried over another boundary than C some day.
package bridge

import (
	"bytes"
	"runtime"
	"sync/atomic"
	"time"

	"pyagent/core/engine"
	"pyagent/core/guard"
	"pyagent/core/llm"
)

// Version is the version of the library; ABIVersion changes when a host would have to be rewritten.
const (
	Version    = "0.1.0"
	ABIVersion = 1
)

// OwnDescriptor in place of an inbox's wake descriptor asks for one of the library's.
const OwnDescriptor = -2

// Bridge is one library in one process.
type Bridge struct {
	engine  *engine.Engine
	handles handles
	working atomic.Int64 // call goroutines that have not ended
	alone   atomic.Int64 // calls in a row that began while no other one was working
	procs   processors
	served  bool // polls come from goroutines
	lookout lookout
	crew    *guard.Crew
	yields  yielding
	ballast []byte
}

// ballastBytes are allocated and never touched, so they take no memory but address space. Go collects garbage when the heap
// has doubled: for the small heap of a client that is after every hundred small calls, at the cost of a tenth of each. More
// would cost more than it saves: each call would begin on pages of memory that were never touched before.
const ballastBytes = 16 << 20

// New makes an empty bridge. The ballast comes with the first collection: to allocate it is to begin one, and in the short life of
// a program that asks once there would be none.
func New() *Bridge {
	b := &Bridge{engine: engine.New("pyagent/" + Version), crew: guard.NewCrew(), yields: yielding{began: time.Now()}}
	runtime.AddCleanup(new(yielding), (*Bridge).takeBallast, b)
	return b
}

func (b *Bridge) takeBallast() { b.ballast = make([]byte, ballastBytes) }

// ManageProcessors lets the bridge choose how many processors the scheduler uses, up to as many as the process may. It is for
// a host whose user has not chosen.
func (b *Bridge) ManageProcessors() { b.procs.managed = runtime.GOMAXPROCS(0) > 1 }

// PolledByGoroutines says that no thread of a host submits and polls, but goroutines do. Sleeping in a system call for them is
// what the scheduler does best, so no call is inline and no stream is lent.
func (b *Bridge) PolledByGoroutines() { b.served = true }

// client is an open engine client, or the error that opening gave.
type client struct {
	engine *engine.Client
	failed *llm.Error
	queue  *queue       // holds the error, for the host to fetch
	users  atomic.Int64 // the handle and the calls that need the client
}

// acquire counts a user in, unless the client is gone for good.
func (c *client) acquire() bool {
	for {
		users := c.users.Load()
		if users == 0 {
			return false
		}
		if c.users.CompareAndSwap(users, users+1) {
			return true
		}
	}
}

func (c *client) release() {
	if c.users.Add(-1) == 0 && c.engine != nil {
		c.engine.Close()
	}
}

// call is one submitted request.
type call struct {
	queue *queue
	scope *guard.Scope
	op    atomic.Value // llm.Op, once the request was read
	began time.Time
	asked atomic.Pointer[job] // sent, and neither polled nor given to a goroutine since
}

// OpenClient prepares a client. A bad configuration gives a handle too, whose first frame is the error.
func (b *Bridge) OpenClient(config []byte) uint64 {
	opened := &client{queue: newQueue(nil)}
	opened.users.Store(1)
	decoded, err := llm.DecodeConfig(config)
	if err == nil {
		opened.engine, err = b.engine.Open(decoded)
	}
	opened.failed = err
	handle := b.handles.add(opened)
	opened.queue.call = handle
	if err != nil {
		opened.queue.End(llm.Event{Kind: llm.EventError, Data: err})
	} else {
		opened.queue.mu.Lock()
		opened.queue.delivered = true // a client that opened has nothing to say
		opened.queue.mu.Unlock()
	}
	return handle
}

// OpenInbox makes a receiving place for calls, whichever clients they are of; the one named here only says whose library it
// is. wakeFD gets a byte when something waits that the host has not been woken for since its last poll; -1 for hosts that
// only poll. With OwnDescriptor the library brings the descriptor, which Inspect tells; not every system has that.
func (b *Bridge) OpenInbox(clientHandle uint64, wakeFD int) (uint64, Status) {
	if _, status := find[*client](b, clientHandle); status != StatusOK {
		return 0, status
	}
	opened := newInbox(wakeFD)
	if wakeFD == OwnDescriptor {
		if opened = newWatchingInbox(); opened == nil {
			return 0, StatusInvalid
		}
	}
	return b.handles.add(opened), StatusOK
}

// Submit starts a call. It returns at once; whatever goes wrong with the request is the call's terminal frame.
func (b *Bridge) Submit(clientHandle, inboxHandle uint64, request []byte) (uint64, Status) {
	owner, status := find[*client](b, clientHandle)
	if status != StatusOK {
		return 0, status
	}
	var box *inbox
	if inboxHandle != 0 {
		if box, status = find[*inbox](b, inboxHandle); status != StatusOK {
			return 0, status
		}
	}
	if !owner.acquire() { // closed by another thread just now
		return 0, StatusClosed
	}
	started := &call{queue: newQueue(box), scope: new(guard.Scope), began: time.Now()}
	started.queue.poll.first = started.answer
	started.queue.lends = b.lends
	handle := b.handles.add(started)
	started.queue.call = handle
	if box != nil && !box.attach(handle) {
		b.handles.remove(handle)
		owner.release()
		return 0, StatusClosed
	}
	job := &job{bridge: b, owner: owner, call: started}
	working := b.working.Add(1)
	if owner.failed != nil { // perhaps for want of what even waiting takes, see guard.MakePoller
		started.fail(owner.failed)
		job.end()
		return handle, StatusOK
	}
	request = bytes.Clone(request) // the host may reuse its buffer as soon as this function returns
	alone := b.alone.Add(1)
	if working > 1 || box != nil {
		alone = 0
		b.alone.Store(0)
	}
	inline := alone > inlineAfter && !b.served && job.ask(request)
	b.procs.began(working, box == nil && !inline)
	if !inline {
		job.start(request)
	}
	return handle, StatusOK
}

// lentAlone is how many calls may be working when one is lent to its own poll: each of those takes two descriptors more.
const lentAlone = 16

// lends says whether a stream is lent to the thread that polls it.
func (b *Bridge) lends() bool {
	working := b.working.Load()
	if b.served || working > lentAlone {
		return false
	}
	b.procs.lends(working)
	return true
}

func (c *call) fail(err *llm.Error) { c.queue.End(llm.Event{Kind: llm.EventError, Data: err}) }

// Poll copies every waiting frame that fits into dst and returns their bytes. It waits up to timeout; < 0 is for ever. For a
// call of an inbox that has a window it only asks for more.
func (b *Bridge) Poll(handle uint64, dst []byte, timeout time.Duration) (int, Status) {
	b.yields.yield()
	thing, status := b.handles.get(handle)
	switch thing := thing.(type) {
	case *call:
		if thing.queue.inbox == nil {
			return thing.queue.wait(dst, timeout)
		}
		if thing.queue.more() { // its frames go to the inbox
			return 0, StatusOK
		}
		return 0, StatusInvalid
	case *inbox:
		return thing.wait(dst, timeout, func(call uint64) { b.Close(call) })
	case *client:
		return thing.queue.wait(dst, timeout)
	}
	return 0, status
}

// Wake makes the running or the next poll of a handle return StatusWoken.
func (b *Bridge) Wake(handle uint64) Status {
	thing, status := b.handles.get(handle)
	switch thing := thing.(type) {
	case *call:
		thing.queue.poll.wake()
	case *inbox:
		thing.poll.wake()
	case *client:
		thing.queue.poll.wake()
	}
	return status
}

// Cancel ends a call: its connection is closed at once, and its terminal frame says so unless another one was first.
func (b *Bridge) Cancel(handle uint64) Status {
	thing, status := find[*call](b, handle)
	if status == StatusOK {
		thing.scope.End(llm.Errorf(llm.KindCancelled, "the call was cancelled"))
		thing.leave()
	}
	return status
}

// Close gives a handle back. A call is cancelled, if it has not ended; the calls of an inbox are cancelled and closed; the
// calls of a client go on, and the client's connections go when the last of them has ended.
func (b *Bridge) Close(handle uint64) Status {
	thing, status := b.handles.remove(handle)
	switch thing := thing.(type) {
	case *call:
		thing.queue.close()
		if thing.queue.inbox != nil {
			thing.queue.inbox.detach(handle)
		}
		if _, ended, _ := thing.queue.snapshot(); !ended {
			thing.scope.End(llm.Errorf(llm.KindCancelled, "the call was closed"))
			thing.leave()
		}
	case *inbox:
		for _, member := range thing.close() {
			b.Close(member)
		}
	case *client:
		thing.queue.close()
		thing.release()
	}
	return status
}

func find[T any](b *Bridge, handle uint64) (T, Status) {
	thing, status := b.handles.get(handle)
	found, ok := thing.(T)
	if status == StatusOK && !ok {
		status = StatusInvalid
	}
	return found, status
}
