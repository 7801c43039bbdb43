package bridge

import (
	"context"
	"sync"
	"time"

	"pyagent/core/engine"
	"pyagent/core/guard"
	"pyagent/core/llm"
)

// job is the way of a call through the engine: on a goroutine, or inline, which is on the threads of the host that submit and
// poll it. A call begins inline when no other one is working, because a thread that sleeps in a system call may keep a
// processor of the scheduler from the others for a while; and after some that began so too, because a connection that goes
// back and forth between the two ways costs more than it saves. A call of an event loop begins so whenever the vendor is quick,
// because nothing sleeps for it. What inline cannot bring to its end goes on on a goroutine.
type job struct {
	bridge *Bridge
	owner  *client
	call   *call
	ctx    context.Context
	engine *engine.Call // once the request was read

	mu sync.Mutex // held by whoever takes in what has come, or takes the call away from the event loop
}

// inlineAfter is how many calls must have begun alone, one after the other, before one is inline.
const inlineAfter = 4

// inlineRequest is how large a request may be, in bytes, that the submitting thread reads itself.
const inlineRequest = 16 << 10

// read reads the request.
func (j *job) read(request []byte) *llm.Error {
	if j.owner.failed != nil {
		return j.owner.failed
	}
	decoded, err := llm.DecodeRequest(request)
	if err != nil {
		return err
	}
	j.call.op.Store(decoded.Op)
	j.call.queue.allow(int(decoded.Window))
	j.engine = j.owner.engine.NewCall(decoded, j.call.queue)
	return nil
}

// ask sends the request, if that can be done at once, and reports whether it did.
func (j *job) ask(request []byte) bool {
	return j.send(request, &j.bridge.lookout, func() bool { return j.engine.Ask(j.ctx) })
}

// askWatched does the same for an event loop: the watch tells the job when something has come.
func (j *job) askWatched(request []byte, watch *engine.Watch) bool {
	return j.send(request, &j.bridge.patient, func() bool { return j.engine.AskWatched(j.ctx, watch, j) })
}

func (j *job) send(request []byte, lookout *lookout, ask func() bool) bool {
	if len(request) > inlineRequest {
		return false
	}
	j.mu.Lock() // something may come before this is at its end
	defer j.mu.Unlock()
	asked := false
	if failed := guard.Call(func() { asked = j.read(request) == nil && ask() }); failed != nil {
		j.call.fail(failed)
		j.end()
		return true
	}
	if asked {
		j.call.asked.Store(j)
		lookout.watch(j.call.queue.call)
	}
	return asked
}

// Ready takes in what has come for a call of an event loop. It is part of engine.Reader.
func (j *job) Ready() {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.call.asked.Load() == nil {
		return
	}
	ended, waits := false, false
	failed := guard.Call(func() { ended, waits = j.engine.Arrive(j.ctx) })
	if waits {
		return
	}
	j.call.asked.Store(nil)
	switch {
	case failed != nil:
		j.engine.Leave()
		j.call.fail(failed)
		j.end()
	case ended:
		j.end()
	default:
		j.start(nil)
	}
}

// answer waits a short while for the answer, and gives the call to a goroutine if that was not its end.
func (j *job) answer() {
	ended := false
	if failed := guard.Call(func() { ended = j.engine.Answer(j.ctx) }); failed != nil {
		j.call.fail(failed)
		ended = true
	}
	if ended {
		j.end()
	} else {
		j.start(nil)
	}
}

// start carries the call out on a goroutine, to its end. Even reading the request happens there, unless ask did it: it may be
// large, and the thread that submits may be an event loop's.
func (j *job) start(request []byte) {
	guard.Go(func() {
		defer j.end()
		if j.engine == nil {
			if err := j.read(request); err != nil {
				j.call.fail(err)
				return
			}
		}
		j.engine.Run(j.ctx)
	}, j.call.fail)
}

func (j *job) end() {
	j.call.cancel(nil)
	j.owner.release()
	j.bridge.working.Add(-1)
}

// answer is what a poll of the call does first. It returns what is left of the timeout, which is < 0 for ever.
func (c *call) answer(timeout time.Duration) time.Duration {
	if timeout >= 0 && timeout < engine.AnswerPatience {
		c.leave()
		return timeout
	}
	j := c.asked.Swap(nil)
	if j == nil {
		return timeout
	}
	began := time.Now()
	j.answer()
	if timeout > 0 {
		timeout = max(timeout-time.Since(began), 0)
	}
	return timeout
}

// leave gives a call that waits for its poll to a goroutine.
func (c *call) leave() {
	if j := c.asked.Load(); j != nil {
		j.mu.Lock()
		defer j.mu.Unlock()
		if c.asked.Swap(nil) != nil {
			j.engine.Leave()
			j.start(nil)
		}
	}
}

// unpolled is how long a call may wait for its poll.
const unpolled = 5 * time.Millisecond

// lookout gives calls to goroutines when nobody polls them. It looks from time to time at all of them: a timer for each would
// cost more than the call, because the thread that sleeps until the next one has to be told.
type lookout struct {
	bridge *Bridge
	period time.Duration // a call may wait for one to two of them

	mu              sync.Mutex
	recent, earlier []uint64    // handles: most calls are gone by the time that somebody looks
	timer           *time.Timer // runs while there are any
}

func (l *lookout) watch(call uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.recent = append(l.recent, call)
	if l.timer == nil {
		l.timer = time.AfterFunc(l.period, l.look)
	}
}

func (l *lookout) look() {
	l.mu.Lock()
	late := l.earlier
	l.earlier, l.recent = l.recent, nil
	if len(l.earlier) > 0 {
		l.timer.Reset(l.period)
	} else {
		l.timer = nil
	}
	l.mu.Unlock()
	for _, handle := range late {
		if late, status := find[*call](l.bridge, handle); status == StatusOK {
			late.leave()
		}
	}
}
