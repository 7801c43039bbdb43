package bridge

import (
	"context"
	"errors"
	"os"
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

func TestInboxServesAllItsCallsInTurn(t *testing.T) {
	reading, writing, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer reading.Close()
	defer writing.Close()
	box := newInbox(int(writing.Fd()))
	queues := make([]*queue, 3)
	for i := range queues {
		queues[i] = newQueue(box)
		queues[i].call = uint64(i + 1)
		queues[i].Emit(text(llm.EventText, 0, strings.Repeat("x", 30)))
		queues[i].Emit(text(llm.EventText, 0, strings.Repeat("y", 30)))
		_ = queues[i].Flush(context.Background())
	}
	if n, _ := reading.Read(make([]byte, 10)); n != 1 {
		t.Errorf("%d wake bytes for one time of being empty", n)
	}
	seen := map[uint64]int{}
	dst := make([]byte, 100)
	for polls := 0; ; polls++ {
		used, status := box.wait(dst, 0)
		if status == StatusTimeout {
			break
		}
		if status != StatusOK || polls > 10 {
			t.Fatalf("poll %d: %v", polls, status.Name())
		}
		for _, piece := range readFrames(t, dst[:used]) {
			seen[piece.call]++
		}
	}
	for i := range queues {
		if seen[uint64(i+1)] != 2 {
			t.Errorf("call %d: %d of 2 deltas", i+1, seen[uint64(i+1)])
		}
	}
	queues[1].End(finished())
	if n, _ := reading.Read(make([]byte, 10)); n != 1 {
		t.Errorf("%d wake bytes for the second time", n)
	}
	if need, status := box.wait(make([]byte, 5), 0); status != StatusTooSmall || need < frameHeader {
		t.Errorf("small buffer: %v, needs %d", status.Name(), need)
	}
	if used, status := box.wait(dst, 0); status != StatusOK || readFrames(t, dst[:used])[0].call != 2 {
		t.Errorf("after a small buffer: %v", status.Name())
	}
}
