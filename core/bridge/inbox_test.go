//go:build unix

package bridge

import (
	"fmt"
	"strings"
	"syscall"
	"testing"

	"pyagent/core/llm"
)

// wakePipe is what an event loop would watch: bytes counts and takes what has been written.
type wakePipe [2]int

func newWakePipe(t *testing.T) *wakePipe {
	t.Helper()
	pipe := new(wakePipe)
	if err := syscall.Pipe(pipe[:]); err != nil {
		t.Fatal(err)
	}
	for _, end := range pipe {
		if err := syscall.SetNonblock(end, true); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = syscall.Close(end) })
	}
	return pipe
}

func (p *wakePipe) bytes() int {
	n, _ := syscall.Read(p[0], make([]byte, 64))
	return max(n, 0)
}

// talk is a queue of an inbox, and the writer that a call would be.
func talk(box *inbox, call uint64, window int) *queue {
	q := newQueue(box)
	q.call = call
	q.allow(window)
	return q
}

func say(q *queue, text string) {
	q.Emit(llm.Event{Kind: llm.EventText, Text: []byte(text)})
	q.mu.Lock()
	q.handOver()
}

func ignore(uint64) {}

func TestAnInboxWakesItsHostOnceForEachPoll(t *testing.T) {
	pipe := newWakePipe(t)
	box := newInbox(pipe[1])
	first, second := talk(box, 1, 0), talk(box, 2, 0)
	say(first, "a")
	say(second, "b")
	say(first, "c")
	if n := pipe.bytes(); n != 1 {
		t.Errorf("%d bytes for three deltas of two calls", n)
	}
	dst := make([]byte, 1<<10)
	used, status := box.wait(dst, 0, ignore)
	if got := readFrames(t, dst[:used]); status != StatusOK || len(got) != 3 || got[1].text != "c" || got[2].text != "b" {
		t.Errorf("%s: %+v", status.Name(), got)
	}
	if n := pipe.bytes(); n != 0 {
		t.Errorf("%d bytes although nothing is left", n)
	}
	say(second, "d")
	if n := pipe.bytes(); n != 1 {
		t.Errorf("%d bytes for a delta after the poll", n)
	}
}

func TestWhatOnePollCannotTakeIsAnnouncedAgain(t *testing.T) {
	pipe := newWakePipe(t)
	box := newInbox(pipe[1])
	queues := make([]*queue, 5)
	for i := range queues {
		queues[i] = talk(box, uint64(i+1), 0)
		say(queues[i], strings.Repeat(fmt.Sprint(i), 40))
	}
	var got []string
	polls := 0
	for dst := make([]byte, 130); pipe.bytes() == 1; polls++ {
		used, status := box.wait(dst, 0, ignore)
		if status != StatusOK {
			t.Fatalf("announced, but %s", status.Name())
		}
		for _, piece := range readFrames(t, dst[:used]) {
			got = append(got, piece.text[:1])
		}
	}
	if strings.Join(got, "") != "01234" || polls != 3 {
		t.Errorf("%q in %d polls", got, polls)
	}
	if _, status := box.wait(make([]byte, 130), 0, ignore); status != StatusTimeout {
		t.Errorf("not announced, but %s", status.Name())
	}
	say(queues[0], "last")
	if need, status := box.wait(make([]byte, 5), 0, ignore); status != StatusTooSmall || need != frameHeader+4 {
		t.Errorf("a small buffer: %s, needs %d", status.Name(), need)
	}
	if used, status := box.wait(make([]byte, 20), 0, ignore); status != StatusOK || used != frameHeader+4 {
		t.Errorf("after a small buffer: %s, %d bytes", status.Name(), used)
	}
}

func TestABusyCallDoesNotStarveTheOthers(t *testing.T) {
	box := newInbox(-1)
	busy, quiet := talk(box, 1, 0), talk(box, 2, 0)
	for range 100 {
		say(busy, strings.Repeat("x", 50))
	}
	say(quiet, "q")
	for polls := 1; ; polls++ {
		dst := make([]byte, 200)
		used, _ := box.wait(dst, 0, ignore)
		for _, piece := range readFrames(t, dst[:used]) {
			if piece.text == "q" {
				if polls > 2 {
					t.Errorf("it came in poll %d", polls)
				}
				return
			}
		}
	}
}

func TestAWindowHoldsACallBackUntilItsHostAsks(t *testing.T) {
	pipe := newWakePipe(t)
	box := newInbox(pipe[1])
	slow, other := talk(box, 1, 100), talk(box, 2, 0)
	dst := make([]byte, 1<<10)
	texts := func() (texts string) {
		for pipe.bytes() > 0 {
			used, _ := box.wait(dst, 0, ignore)
			for _, piece := range readFrames(t, dst[:used]) {
				texts += piece.text
			}
		}
		return texts
	}
	say(slow, strings.Repeat("a", 120))
	if got := texts(); len(got) != 120 {
		t.Errorf("the first piece of a window: %q", got)
	}
	say(slow, "b")
	say(other, "o")
	say(slow, "c")
	if got := texts(); got != "o" {
		t.Errorf("behind the window: %q", got)
	}
	if !slow.more() || other.more() {
		t.Error("only a call with a window can ask for more")
	}
	if got := texts(); got != "bc" {
		t.Errorf("after asking: %q", got)
	}
	slow.more()
	if got := texts(); got != "" {
		t.Errorf("asking when nothing waits: %q", got)
	}
	say(slow, "d")
	if got := texts(); got != "d" {
		t.Errorf("in the new window: %q", got)
	}
}

func TestACallOfAnInboxClosesItselfWithItsLastFrame(t *testing.T) {
	b := New()
	client := b.OpenClient([]byte(echo))
	box, _ := b.OpenInbox(client, -1)
	call, _ := b.Submit(client, box, []byte(hello))
	dst := make([]byte, 1<<16)
	for ended := false; !ended; {
		if left := handlesOf(t, b); left.Calls != 1 {
			t.Errorf("before its last frame: %+v", left)
		}
		used, status := b.Poll(box, dst, soon)
		if status != StatusOK {
			t.Fatal(status.Name())
		}
		for _, piece := range readFrames(t, dst[:used]) {
			ended = piece.kind.IsTerminal()
		}
	}
	if left, status := handlesOf(t, b), b.Close(call); left.Calls != 0 || status != StatusClosed {
		t.Errorf("after its last frame: %+v, closing again: %s", left, status.Name())
	}
	b.Close(box)
	b.Close(client)
	emptyAtTheEnd(t, b)
}

func TestPollingACallOfAnInboxAsksForMore(t *testing.T) {
	b := New()
	client := b.OpenClient([]byte(echo))
	box, _ := b.OpenInbox(client, -1)
	without := string(scripted(`{"after":1,"end":"stall"}`))
	with := strings.Replace(without, `"model"`, `"window":1,"model"`, 1)
	for request, want := range map[string]Status{with: StatusOK, without: StatusInvalid} {
		call, _ := b.Submit(client, box, []byte(request))
		dst := make([]byte, 1<<16)
		if _, status := b.Poll(box, dst, soon); status != StatusOK {
			t.Fatal(status.Name())
		}
		if _, status := b.Poll(call, nil, 0); status != want {
			t.Errorf("%s: %s", request, status.Name())
		}
		b.Close(call)
	}
	b.Close(box)
	b.Close(client)
	emptyAtTheEnd(t, b)
}
