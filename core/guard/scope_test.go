package guard

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var errOver = errors.New("it is over")

func ended(ctx context.Context) bool {
	select {
	case <-ctx.Done():
		return true
	case <-time.After(5 * time.Second):
		return false
	}
}

func TestTheEndOfAScopeHasItsCause(t *testing.T) {
	scope := new(Scope)
	early := scope.Done()
	if scope.Err() != nil || context.Cause(scope) != nil {
		t.Fatal("it has not ended")
	}
	scope.End(errOver)
	scope.End(errors.New("another one"))
	<-early
	<-scope.Done()
	if scope.Err() != errOver || context.Cause(scope) != errOver {
		t.Error(scope.Err(), context.Cause(scope))
	}
	late := new(Scope)
	late.End(nil)
	<-late.Done() // asked for after the end
	if late.Err() != context.Canceled {
		t.Error(late.Err())
	}
}

func TestAScopeEndsWithTheOneAround(t *testing.T) {
	plain, cancel := context.WithCancelCause(context.Background())
	outer := NewScope(plain)
	inner := NewScope(outer)
	derived, stop := context.WithTimeout(NewScope(inner), time.Hour)
	defer stop()
	apart := NewScope(outer)
	apart.Leave()
	cancel(errOver)
	for _, ctx := range []context.Context{outer, inner, derived} {
		if !ended(ctx) || context.Cause(ctx) != errOver {
			t.Error(context.Cause(ctx))
		}
	}
	if apart.Err() != nil {
		t.Error("a scope that left has ended as well")
	}
	if after := NewScope(outer); after.Err() != errOver {
		t.Error("a scope was made inside of one that had ended")
	}
}

func TestAScopeThatEndsIsForgottenByTheOneAround(t *testing.T) {
	outer := new(Scope)
	for range 3 {
		NewScope(outer).End(nil)
	}
	if outer.hooks != nil || outer.Err() != nil {
		t.Error("something is left")
	}
}

func TestWhatFollowsTheEndOfAScope(t *testing.T) {
	scope := new(Scope)
	done := make(chan string, 4)
	say := func(word string) func() { return func() { done <- word } }
	first, second := After(scope, say("first")), After(scope, say("second"))
	if !second() || second() {
		t.Error("what is stopped once is stopped")
	}
	scope.End(errOver)
	if got := <-done; got != "first" || first() {
		t.Error(got)
	}
	if stop := After(scope, say("at once")); <-done != "at once" || stop() {
		t.Error("what comes too late runs at once")
	}
	plain, cancel := context.WithCancel(context.Background())
	After(plain, say("plain"))
	cancel()
	if got := <-done; got != "plain" {
		t.Error(got)
	}
	select {
	case got := <-done:
		t.Error("unexpected", got)
	case <-time.After(5 * time.Millisecond):
	}
}

func TestWhatPanicsAfterAScopeHarmsNobody(t *testing.T) {
	scope := new(Scope)
	other := make(chan struct{})
	After(scope, func() { close(other) })
	After(scope, func() { panic("no") })
	scope.End(nil)
	<-other
}

func TestAScopeUnderFire(t *testing.T) {
	for range 200 {
		outer := new(Scope)
		var ran, stopped atomic.Int32
		var all, hooks sync.WaitGroup
		for range 8 {
			all.Go(func() {
				inner := NewScope(outer)
				hooks.Add(1)
				stop := After(inner, func() { ran.Add(1); hooks.Done() })
				inner.Leave()
				if stop() {
					stopped.Add(1)
					hooks.Done()
				}
				inner.End(errOver)
				<-inner.Done()
			})
		}
		all.Go(func() { outer.End(nil) })
		all.Wait()
		hooks.Wait()
		if ran.Load()+stopped.Load() != 8 || outer.hooks != nil {
			t.Fatal(ran.Load(), stopped.Load())
		}
	}
}
