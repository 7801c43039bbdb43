package guard

import (
	"context"
	"sync"
	"time"

	"pyagent/core/llm"
)

// Scope is a context that is ended by hand, with a cause. Those of package context do the same with a map, a channel and a closure
// each, whether somebody needs them or not: a small completion has three scopes, one inside of the other, and spent more on them
// than on writing its request.
//
// Err is the cause, and so context.Cause is too, of the scope and of every context that is made from it. A scope carries neither
// values nor a deadline.
type Scope struct {
	mu    sync.Mutex
	leave func() bool   // what is around it
	cause error         // once it has ended
	done  chan struct{} // once somebody has asked for it
	hooks *hook         // what its end sets off, the latest first
}

// hook is one thing that the end of a scope sets off: work on a goroutine of its own, or at once the end of a scope inside.
type hook struct {
	work  func()
	inner *Scope
	next  *hook
}

// NewScope makes a scope that ends with outer, with the same cause, unless it is ended before or leaves.
func NewScope(outer context.Context) *Scope {
	s := new(Scope)
	var leave func() bool
	if around, ok := outer.(*Scope); ok {
		leave = around.add(&hook{inner: s})
	} else {
		leave = context.AfterFunc(outer, func() { s.End(context.Cause(outer)) })
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leave = leave
	return s
}

// After runs work on a goroutine of its own once ctx has ended. It is context.AfterFunc, which takes more for a scope.
func After(ctx context.Context, work func()) (stop func() bool) {
	if s, ok := ctx.(*Scope); ok {
		return s.AfterFunc(work)
	}
	return context.AfterFunc(ctx, work)
}

// AfterFunc runs work on a goroutine of its own once the scope has ended. stop keeps it from that, and reports whether it was in
// time to. Package context asks for this method.
func (s *Scope) AfterFunc(work func()) (stop func() bool) { return s.add(&hook{work: work}) }

// Leave lets the scope go on when what is around it ends.
func (s *Scope) Leave() {
	s.mu.Lock()
	leave := s.leave
	s.mu.Unlock()
	if leave != nil {
		leave()
	}
}

// End ends the scope. Only the first cause counts; nil is context.Canceled.
func (s *Scope) End(cause error) {
	if cause == nil {
		cause = context.Canceled
	}
	s.mu.Lock()
	if s.cause != nil {
		s.mu.Unlock()
		return
	}
	s.cause = cause
	if s.done != nil {
		close(s.done)
	}
	hooks := s.hooks
	s.hooks = nil
	s.mu.Unlock()
	s.Leave()
	for h := hooks; h != nil; h = h.next {
		h.run(cause)
	}
}

func (h *hook) run(cause error) {
	if h.inner != nil {
		h.inner.End(cause)
	} else {
		Go(h.work, func(*llm.Error) {})
	}
}

func (s *Scope) add(h *hook) (remove func() bool) {
	s.mu.Lock()
	cause := s.cause
	if cause == nil {
		h.next, s.hooks = s.hooks, h
	}
	s.mu.Unlock()
	if cause != nil {
		h.run(cause)
	}
	return func() bool { return s.remove(h) }
}

// remove forgets a hook, and reports whether it was still waiting.
func (s *Scope) remove(h *hook) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for at := &s.hooks; *at != nil; at = &(*at).next {
		if *at == h {
			*at = h.next
			return true
		}
	}
	return false
}

// Done is closed when the scope has ended.
func (s *Scope) Done() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.done == nil {
		if s.done = make(chan struct{}); s.cause != nil {
			close(s.done)
		}
	}
	return s.done
}

// Err is why the scope has ended, and nil before.
func (s *Scope) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cause
}

// Deadline is none: who has a clock ends the scope by it.
func (s *Scope) Deadline() (at time.Time, ok bool) { return time.Time{}, false }

// Value is always nil.
func (s *Scope) Value(any) any { return nil }
