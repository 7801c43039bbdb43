package bridge

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"pyagent/core/llm"
)

const soon = 10 * time.Second // a bound for what should happen at once

func finished() llm.Event { return llm.Event{Kind: llm.EventFinish, Data: &llm.Finish{}} }

func TestFullQueueStopsTheWriterUntilTheHostFetches(t *testing.T) {
	q := newQueue(nil)
	for !q.Full() {
		q.Emit(text(llm.EventText, 0, strings.Repeat("x", 1000)))
		if !q.Full() {
			if err := q.Flush(context.Background()); err != nil {
				t.Fatal(err)
			}
		}
	}
	flushed := make(chan error, 1)
	go func() { flushed <- q.Flush(context.Background()) }()
	select {
	case <-flushed:
		t.Fatal("the writer went on although the queue is full")
	case <-time.After(20 * time.Millisecond):
	}
	if queued, _, _ := q.snapshot(); queued > queueBytes+2000 {
		t.Errorf("%d bytes wait, the bound is %d", queued, queueBytes)
	}
	if _, status := q.wait(make([]byte, 64<<10), 0); status != StatusOK {
		t.Fatal(status.Name())
	}
	select {
	case err := <-flushed:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(soon):
		t.Fatal("the writer still waits")
	}
}

func TestWaitingWriterEndsWithItsContext(t *testing.T) {
	q := newQueue(nil)
	for !q.Full() {
		q.waiting.bytes = append(q.waiting.bytes, make([]byte, queueBytes)...)
		q.Emit(text(llm.EventText, 0, "x"))
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	why := errors.New("enough")
	time.AfterFunc(5*time.Millisecond, func() { cancel(why) })
	if err := q.Flush(ctx); err != why {
		t.Errorf("got %v", err)
	}
}

func TestTerminalFrameNeedsNoRoomAndComesOnce(t *testing.T) {
	q := newQueue(nil)
	q.waiting.bytes = appendHeader(nil, queueBytes, llm.EventText, 0, 0, 0)
	q.waiting.bytes = append(q.waiting.bytes, make([]byte, queueBytes)...)
	q.End(finished())
	q.End(llm.Event{Kind: llm.EventError, Data: llm.Errorf(llm.KindInternal, "too late")})
	dst := make([]byte, 1<<20)
	used, status := q.wait(dst, 0)
	if status != StatusOK {
		t.Fatal(status.Name())
	}
	pieces := readFrames(t, dst[:used])
	if len(pieces) != 2 || pieces[1].kind != llm.EventFinish {
		t.Errorf("%d frames, the last of kind %d", len(pieces), pieces[len(pieces)-1].kind)
	}
	if _, status := q.wait(dst, -1); status != StatusDone {
		t.Errorf("after the terminal frame: %v, want done", status.Name())
	}
}

func TestPollStatuses(t *testing.T) {
	q := newQueue(nil)
	dst := make([]byte, 100)
	if _, status := q.wait(dst, 0); status != StatusTimeout {
		t.Errorf("empty: %v", status.Name())
	}
	q.poll.wake()
	q.poll.wake()
	if _, status := q.wait(dst, -1); status != StatusWoken {
		t.Errorf("woken before: %v", status.Name())
	}
	if _, status := q.wait(dst, time.Millisecond); status != StatusTimeout {
		t.Errorf("two wakes are one: %v", status.Name())
	}
	time.AfterFunc(5*time.Millisecond, q.poll.wake)
	if _, status := q.wait(dst, soon); status != StatusWoken {
		t.Errorf("woken while it waits: %v", status.Name())
	}
	q.Emit(text(llm.EventText, 0, strings.Repeat("x", 200)))
	_ = q.Flush(context.Background())
	if need, status := q.wait(dst, 0); status != StatusTooSmall || need != frameHeader+200 {
		t.Errorf("small buffer: %v, needs %d", status.Name(), need)
	}
	time.AfterFunc(5*time.Millisecond, q.close)
	q.waiting = frames{last: -1}
	if _, status := q.wait(dst, soon); status != StatusClosed {
		t.Errorf("closed while it waits: %v", status.Name())
	}
}

func TestOnlyOnePoller(t *testing.T) {
	q := newQueue(nil)
	started := make(chan struct{})
	ended := make(chan Status)
	go func() {
		close(started)
		_, status := q.wait(make([]byte, 10), soon)
		ended <- status
	}()
	<-started
	deadline := time.Now().Add(soon)
	for {
		if _, status := q.wait(make([]byte, 10), 0); status == StatusBusy {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("a second poller was let in")
		}
	}
	q.poll.wake()
	if status := <-ended; status != StatusWoken {
		t.Errorf("the first poller ended with %v", status.Name())
	}
}
