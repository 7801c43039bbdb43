package bridge

import (
	"sync"
	"time"

	"pyagent/core/engine"
	"pyagent/core/guard"
	"pyagent/core/llm"
)

// job is the way of a call through the engine: on a goroutine, or inline, which is on the threads of the host that submit and
// poll it. A call begins inline when no other one is working, because a thread that sleeps in a system call may keep a
// processor of the scheduler from the others for a while; and after some that began so too, because a connection that goes
// back and forth between the two ways costs more than it saves. What inline cannot bring to its end goes on on a goroutine.
type job struct {
	bridge *Bridge
	owner  *client
	call   *call
	engine *engine.Call // once the request was read
}

// inlineAfter is how many calls must have begun alone, one after the other, before one is inline.
const inlineAfter = 4

// inlineRequest is how large a request may be, in bytes, that the submitting thread reads itself.
const inlineRequest = 16 << 10

// read reads the request.
func (j *job) read(request []byte) *llm.Error {
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
	if len(request) > inlineRequest {
		return false
	}
	asked := false
	if failed := guard.Call(func() { asked = j.read(request) == nil && j.engine.Ask(j.call.scope) }); failed != nil {
		j.call.fail(failed)
		j.end()
		return true
	}
	if asked {
		j.call.asked.Store(j)
		j.bridge.lookout.watch(j.call)
	}
	return asked
}

// answer waits a short while for the answer, and gives the call to a goroutine if that was not its end.
func (j *job) answer() {
	ended := false
	if failed := guard.Call(func() { ended = j.engine.Answer(j.call.scope) }); failed != nil {
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
	j.bridge.crew.Go(func() {
		defer j.end()
		if j.engine == nil {
			if err := j.read(request); err != nil {
				j.call.fail(err)
				return
			}
		}
		j.engine.Run(j.call.scope)
	}, j.call.fail)
}

func (j *job) end() {
	j.call.scope.End(nil)
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
	if j := c.asked.Swap(nil); j != nil {
		j.start(nil)
	}
}

// unpolled is how long a call may wait for its poll.
const unpolled = 5 * time.Millisecond

// lookout gives calls to goroutines when nobody polls them. It looks from time to time at all of them: a timer for each would
// cost more than the call, because the thread that sleeps until the next one has to be told.
type lookout struct {
	mu              sync.Mutex
	recent, earlier []*call
	timer           *time.Timer // runs while there are any
}

func (l *lookout) watch(c *call) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.recent = append(l.recent, c)
	if l.timer == nil {
		l.timer = time.AfterFunc(unpolled, l.look)
	}
}

func (l *lookout) look() {
	l.mu.Lock()
	late := l.earlier
	l.earlier, l.recent = l.recent, nil
	if len(l.earlier) > 0 {
		l.timer.Reset(unpolled)
	} else {
		l.timer = nil
	}
	l.mu.Unlock()
	for _, c := range late {
		c.leave()
	}
}
