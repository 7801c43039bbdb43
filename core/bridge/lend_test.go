//go:build linux

package bridge

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"pyagent/core/engine"
	"pyagent/core/llm"
)

// writer is a server that writes a delta whenever the test says so, to any number of streams. A path may ask for more.
type writer struct {
	*httptest.Server
	bridge *Bridge
	client uint64
	write  chan string // the next delta, of whichever stream takes it; "" ends the stream
	left   chan struct{}
}

func newWriter(t *testing.T) *writer {
	t.Helper()
	w := &writer{bridge: New(), write: make(chan string), left: make(chan struct{}, 1000)}
	w.Server = httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		out.Header().Set("Content-Type", "text/event-stream")
		for {
			select {
			case text := <-w.write:
				if text == "" {
					_, _ = io.WriteString(out, "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n")
					return
				}
				delta, _ := json.Marshal(text)
				_, _ = fmt.Fprintf(out, "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":%s}}]}\n\n", delta)
				out.(http.Flusher).Flush()
			case <-r.Context().Done():
				w.left <- struct{}{}
				return
			}
		}
	}))
	t.Cleanup(w.Server.Close)
	w.client = w.bridge.OpenClient(fmt.Appendf(nil, `{"provider":{"name":"v","base_url":%q,"auth":"none"},"retry_backoff":0}`, w.URL))
	t.Cleanup(func() {
		w.bridge.Close(w.client)
		emptyAtTheEnd(t, w.bridge)
	})
	return w
}

func (w *writer) submit(t *testing.T, box uint64, options string) uint64 {
	t.Helper()
	request := `{"op":"stream","model":"m","messages":[{"role":"user","content":"hi"}]` + options + `}`
	handle, status := w.bridge.Submit(w.client, box, []byte(request))
	if status != StatusOK {
		t.Fatal(status.Name())
	}
	return handle
}

// box opens an inbox with a descriptor of the library's.
func (w *writer) box(t *testing.T) (handle uint64, descriptor int) {
	t.Helper()
	handle, status := w.bridge.OpenInbox(w.client, OwnDescriptor)
	if status != StatusOK {
		t.Fatal(status.Name())
	}
	dst := make([]byte, 1000)
	used, _ := w.bridge.Inspect(handle, dst)
	var snapshot handleSnapshot
	if err := json.Unmarshal(dst[:used], &snapshot); err != nil || snapshot.Watched == nil {
		t.Fatal(string(dst[:used]), err)
	}
	return handle, *snapshot.Watched
}

// say lets the server write deltas, slowly enough for the stream to be lent.
func (w *writer) say(deltas ...string) {
	for _, delta := range deltas {
		time.Sleep(2 * time.Millisecond)
		w.write <- delta
	}
}

// queueOf is the queue of a call.
func queueOf(t *testing.T, b *Bridge, handle uint64) *queue {
	t.Helper()
	thing, status := b.handles.get(handle)
	if status != StatusOK {
		t.Fatal(status.Name())
	}
	return thing.(*call).queue
}

// readable waits until a descriptor is.
func readable(t *testing.T, descriptor int) {
	t.Helper()
	epoll, err := syscall.EpollCreate1(0)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(epoll)
	event := syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(descriptor)}
	if err := syscall.EpollCtl(epoll, syscall.EPOLL_CTL_ADD, descriptor, &event); err != nil {
		t.Fatal(err)
	}
	for {
		n, err := syscall.EpollWait(epoll, make([]syscall.EpollEvent, 1), int(soon.Milliseconds()))
		if err != syscall.EINTR {
			if n != 1 {
				t.Fatal("nothing was told", err)
			}
			return
		}
	}
}

// collect polls an inbox as an event loop does until it has so many bytes of text or a terminal frame.
func (w *writer) collect(t *testing.T, box uint64, descriptor, size int) (text string, ending piece) {
	t.Helper()
	dst := make([]byte, 1<<16)
	for len(text) < size {
		readable(t, descriptor)
		used, status := w.bridge.Poll(box, dst, 0)
		if status != StatusOK && status != StatusTimeout {
			t.Fatal(status.Name())
		}
		for _, piece := range readFrames(t, dst[:used]) {
			if piece.kind == llm.EventText {
				text += strings.ReplaceAll(piece.text, "\x00", "")
			}
			if piece.kind.IsTerminal() {
				return text, piece
			}
		}
	}
	return text, ending
}

// lend lets the server write until the goroutine of the only stream has lent it, and returns what was written.
func (w *writer) lend(t *testing.T, q *queue) (said string) {
	t.Helper()
	for began := time.Now(); ; {
		w.say("x")
		said += "x"
		for range 5 {
			time.Sleep(time.Millisecond)
			if watch := watchOf(q); watch != nil && watch.Watched() > 0 {
				return said
			}
		}
		if time.Since(began) > soon {
			t.Fatal("the stream was not lent")
		}
	}
}

func watchOf(q *queue) *engine.Watch {
	if q.inbox != nil {
		return q.inbox.watch()
	}
	return q.poll.watch.Load()
}

func TestAnInboxReadsSlowStreamsByItself(t *testing.T) {
	w := newWriter(t)
	box, descriptor := w.box(t)
	call := w.submit(t, box, "")
	q := queueOf(t, w.bridge, call)
	said := w.lend(t, q)
	if text, _ := w.collect(t, box, descriptor, len(said)); text != said {
		t.Errorf("%q", text)
	}
	w.say("c", "d")
	if text, _ := w.collect(t, box, descriptor, 2); text != "cd" {
		t.Errorf("%q", text)
	}
	w.say("")
	if _, ending := w.collect(t, box, descriptor, 1); ending.kind != llm.EventFinish {
		t.Errorf("%+v", ending)
	}
	again := w.submit(t, box, "") // on the same connection
	w.say("e", "")
	if text, ending := w.collect(t, box, descriptor, 2); text != "e" || ending.kind != llm.EventFinish {
		t.Errorf("%q %+v", text, ending)
	}
	if _, status := w.bridge.Poll(again, nil, 0); status != StatusClosed {
		t.Error("a call of an inbox closes itself", status.Name())
	}
	w.bridge.Close(box)
}

func TestALentStreamEnds(t *testing.T) {
	for name, c := range map[string]struct {
		options string
		end     func(w *writer, call uint64)
		kind    string
	}{
		"cancelled":        {end: func(w *writer, call uint64) { w.bridge.Cancel(call) }, kind: "cancelled"},
		"cut":              {end: func(w *writer, _ uint64) { w.CloseClientConnections() }, kind: "stream_interrupted"},
		"silent":           {options: `,"timeouts":{"idle":0.1}`, end: func(*writer, uint64) {}, kind: "timeout"},
		"too long":         {options: `,"timeouts":{"total":0.2}`, end: func(*writer, uint64) {}, kind: "timeout"},
		"an event is huge": {options: `,"limits":{"event_bytes":500}`, end: func(w *writer, _ uint64) { w.say(strings.Repeat("x", 900)) }, kind: "limit"},
	} {
		for _, boxed := range []bool{true, false} {
			t.Run(fmt.Sprint(name, ", in an inbox: ", boxed), func(t *testing.T) {
				w := newWriter(t)
				var box uint64
				descriptor := 0
				if boxed {
					box, descriptor = w.box(t)
				}
				call := w.submit(t, box, c.options)
				q := queueOf(t, w.bridge, call)
				said := w.lend(t, q)
				c.end(w, call)
				var text string
				var ending piece
				if boxed {
					text, ending = w.collect(t, box, descriptor, 1<<20)
				} else {
					text, ending = readAll(t, w.bridge, call)
					text = strings.ReplaceAll(text, "\x00", "")
				}
				if text != said || ending.kind != llm.EventError || !strings.Contains(ending.text, `"kind":"`+c.kind) {
					t.Errorf("%q %+v", text, ending)
				}
				select {
				case <-w.left:
				case <-time.After(soon):
					t.Error("the server was not told")
				}
				w.bridge.Close(call)
				w.bridge.Close(box)
			})
		}
	}
}

// While the host does not come, the vendor is not to blame.
func TestTheIdleClockStandsWhileDataWaitsInTheSocket(t *testing.T) {
	w := newWriter(t)
	box, descriptor := w.box(t)
	call := w.submit(t, box, `,"timeouts":{"idle":0.1}`)
	q := queueOf(t, w.bridge, call)
	w.collect(t, box, descriptor, len(w.lend(t, q)))
	w.say("b")
	time.Sleep(300 * time.Millisecond)
	if text, ending := w.collect(t, box, descriptor, 1); text != "b" || ending.kind != 0 {
		t.Errorf("%q %+v", text, ending)
	}
	if _, ending := w.collect(t, box, descriptor, 1); !strings.Contains(ending.text, `"clock":"idle"`) {
		t.Errorf("now it is: %+v", ending)
	}
	w.bridge.Close(box)
}

func TestALoneStreamIsReadByItsPoll(t *testing.T) {
	w := newWriter(t)
	call := w.submit(t, 0, "")
	q := queueOf(t, w.bridge, call)
	dst := make([]byte, 1000)
	expect := func(want string, timeout time.Duration) {
		t.Helper()
		used, status := w.bridge.Poll(call, dst, timeout)
		got := status.Name()
		if status == StatusOK {
			frames := readFrames(t, dst[:used])
			got = frames[len(frames)-1].text
		}
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	for left := len(w.lend(t, q)); left > 0; {
		used, _ := w.bridge.Poll(call, dst, soon)
		for _, piece := range readFrames(t, dst[:used]) {
			left -= strings.Count(piece.text, "x")
		}
	}
	expect("timeout", 0)
	began := time.Now()
	expect("timeout", 20*time.Millisecond)
	if took := time.Since(began); took < 15*time.Millisecond || took > soon {
		t.Error(took)
	}
	w.bridge.Wake(call)
	expect("woken", soon)
	w.say("c")
	expect("c", -1)
	go func() { time.Sleep(10 * time.Millisecond); w.bridge.Wake(call) }()
	expect("woken", -1)
	go func() { time.Sleep(10 * time.Millisecond); w.bridge.Close(call) }()
	expect("closed", -1)
	select {
	case <-w.left:
	case <-time.After(soon):
		t.Error("the server was not told")
	}
}

// A poll that waits serves a host whose loop cannot watch descriptors.
func TestAWatchingInboxCanBeWaitedFor(t *testing.T) {
	w := newWriter(t)
	box, _ := w.box(t)
	call := w.submit(t, box, "")
	q := queueOf(t, w.bridge, call)
	go func() {
		w.say("a", "b", "c", "d", "")
	}()
	text, dst := "", make([]byte, 1000)
	for ended := false; !ended; {
		used, status := w.bridge.Poll(box, dst, soon)
		if status != StatusOK {
			t.Fatal(status.Name())
		}
		for _, piece := range readFrames(t, dst[:used]) {
			if piece.kind == llm.EventText {
				text += strings.ReplaceAll(piece.text, "\x00", "")
			}
			ended = ended || piece.kind.IsTerminal()
		}
	}
	if text != "abcd" || q.inbox.watch().Watched() != 0 {
		t.Errorf("%q", text)
	}
	go func() { time.Sleep(10 * time.Millisecond); w.bridge.Close(box) }()
	if _, status := w.bridge.Poll(box, dst, -1); status != StatusClosed {
		t.Error(status.Name())
	}
}

// A host that takes no more stops the reading: the rest stays in the socket, and the server cannot write on.
func TestALentStreamWaitsForItsHost(t *testing.T) {
	w := newWriter(t)
	box, descriptor := w.box(t)
	call := w.submit(t, box, `,"window":1000`)
	q := queueOf(t, w.bridge, call)
	sent := len(w.lend(t, q))
	done := make(chan int, 1)
	large := strings.Repeat("x", 20<<10)
	go func() {
		for range 40 {
			w.write <- large
			sent += len(large)
		}
		w.write <- ""
		done <- sent
	}()
	dst, got := make([]byte, 1<<16), 0
	for range 20 { // more than fits into the queue, never asked for
		used, _ := w.bridge.Poll(box, dst, 0)
		got += used
		time.Sleep(2 * time.Millisecond)
	}
	if queued, _, _ := q.snapshot(); queued > queueBytes+2*batchBytes+len(large) || got > 1<<16 {
		t.Errorf("%d bytes wait, %d were delivered", queued, got)
	}
	for ended := false; !ended; {
		_, _ = w.bridge.Poll(call, nil, 0)
		readable(t, descriptor)
		used, _ := w.bridge.Poll(box, dst, 0)
		got += used
		for _, piece := range readFrames(t, dst[:used]) {
			ended = ended || piece.kind == llm.EventFinish
		}
	}
	if sent = <-done; got < sent || got > sent+10000 {
		t.Errorf("%d bytes were sent, %d delivered", sent, got)
	}
	w.bridge.Close(box)
}

// Whoever wins, every call has one end and nothing stays open.
func TestLentStreamsUnderFire(t *testing.T) {
	w := newWriter(t)
	before := descriptors(t)
	for range 10 {
		box, _ := w.box(t)
		stop := make(chan struct{})
		var group sync.WaitGroup
		group.Go(func() {
			for {
				select {
				case w.write <- "x":
				case <-stop:
					return
				}
				time.Sleep(200 * time.Microsecond)
			}
		})
		var calls []uint64
		for range 12 {
			calls = append(calls, w.submit(t, box, ""))
		}
		group.Go(func() {
			dst := make([]byte, 1<<16)
			for {
				if _, status := w.bridge.Poll(box, dst, 5*time.Millisecond); status == StatusClosed {
					return
				}
			}
		})
		time.Sleep(30 * time.Millisecond)
		for i, call := range calls {
			group.Go(func() {
				if i%3 == 0 {
					w.bridge.Cancel(call)
				} else if i%3 == 1 {
					w.bridge.Close(call)
				}
			})
		}
		time.Sleep(5 * time.Millisecond)
		w.bridge.Close(box)
		close(stop)
		group.Wait()
	}
	for began := time.Now(); handlesOf(t, w.bridge).Working > 0 || descriptors(t) > before+24; time.Sleep(time.Millisecond) {
		if time.Since(began) > soon {
			t.Fatalf("%d descriptors, %d before", descriptors(t), before)
		}
	}
}

func descriptors(t *testing.T) int {
	t.Helper()
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(open)
}
