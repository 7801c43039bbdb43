// Package guard is the only place that starts goroutines and the only place that recovers panics. A panic in Go would end
// the host's process without a word from its own crash handlers, so it is turned into an internal error instead.
package guard

import (
	"fmt"
	"runtime/debug"

	"pyagent/core/llm"
)

// Go runs work on a new goroutine. When work panics, failed receives the error, on that goroutine.
func Go(work func(), failed func(*llm.Error)) {
	go func() {
		growStack()
		if err := Call(work); err != nil {
			failed(err)
		}
	}()
}

// Call runs work here and returns its panic, if any, as an internal error with the stack in its body.
func Call(work func()) (err *llm.Error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = llm.Errorf(llm.KindInternal, "internal error: %v; please report it with the error's body", cause)
			err.Body = fmt.Sprintf("%v\n\n%s", cause, debug.Stack())
		}
	}()
	work()
	return nil
}

// growStack makes the stack of a new goroutine as large as a call needs while there is nothing on it to copy: a stack that
// doubles four times in the depth of a JSON decoder costs a tenth of a small completion.
//
//go:noinline
func growStack() byte {
	var room [12 << 10]byte
	return room[pick(&room)]
}

//go:noinline
func pick(room *[12 << 10]byte) int { return len(room) - 1 }
