package guard

import (
	"strings"
	"testing"

	"pyagent/core/llm"
)

func TestPanicBecomesInternalError(t *testing.T) {
	failed := make(chan *llm.Error, 1)
	Go(func() { panic("index gone") }, func(err *llm.Error) { failed <- err })
	err := <-failed
	if err.Kind != llm.KindInternal || !strings.Contains(err.Message, "index gone") || !strings.Contains(err.Body, "guard_test.go") {
		t.Fatalf("unexpected error %+v", err)
	}
}

func TestCallReturnsNilWithoutPanic(t *testing.T) {
	ran := false
	if err := Call(func() { ran = true }); err != nil || !ran {
		t.Fatalf("ran %v, err %v", ran, err)
	}
}
