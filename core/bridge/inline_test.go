//go:build unix

package bridge

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pyagent/core/engine"
	"pyagent/core/llm"
)

const answer = `{"id":"1","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"hello"},"finish_reason":"stop"}]}`

// vendor is a server and a client of it that has had some answers: the next call can be inline.
type vendor struct {
	bridge  *Bridge
	client  uint64
	gone    chan struct{} // a request whose client left
	entered chan struct{} // a further request has come
}

func newVendor(t *testing.T, serve func(n int32, w http.ResponseWriter, r *http.Request)) *vendor {
	t.Helper()
	v := &vendor{bridge: New(), gone: make(chan struct{}, 100), entered: make(chan struct{}, 100)}
	var number atomic.Int32
	number.Store(-1000) // while it warms up
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		n := number.Add(1)
		if n <= 0 {
			_, _ = io.WriteString(w, answer)
			return
		}
		v.entered <- struct{}{}
		serve(n, w, r)
		if r.Context().Err() != nil {
			v.gone <- struct{}{}
		}
	}))
	t.Cleanup(server.Close)
	v.client = v.bridge.OpenClient(fmt.Appendf(nil, `{"provider":{"name":"v","base_url":%q,"auth":"none"},"retry_backoff":0}`, server.URL))
	t.Cleanup(func() {
		v.bridge.Close(v.client)
		emptyAtTheEnd(t, v.bridge)
	})
	for calls, slow := 0, true; calls < inlineAfter || slow && calls < 100; calls++ {
		began := time.Now()
		warm := v.submit(t, "")
		if calls < inlineAfter && v.asked(warm) {
			t.Fatal("too early")
		}
		if text, ending := readAll(t, v.bridge, warm); text != "hello" {
			t.Fatalf("%q %+v", text, ending)
		}
		slow = time.Since(began) > engine.AnswerPatience/4 // a machine that is busy: the connection seems to be slow
		v.bridge.Close(warm)
		v.settle(t)
	}
	number.Store(0) // the first request of those that count is 1
	return v
}

// settle waits until no call is working.
func (v *vendor) settle(t *testing.T) {
	t.Helper()
	for handlesOf(t, v.bridge).Working > 0 {
		time.Sleep(time.Millisecond)
	}
}

func (v *vendor) submit(t *testing.T, options string) uint64 {
	t.Helper()
	request := `{"op":"generate","model":"m","messages":[{"role":"user","content":"hi"}]` + options + `}`
	handle, status := v.bridge.Submit(v.client, 0, []byte(request))
	if status != StatusOK {
		t.Fatal(status.Name())
	}
	return handle
}

// asked reports whether a call waits for its poll to be answered inline.
func (v *vendor) asked(handle uint64) bool {
	thing, _ := v.bridge.handles.get(handle)
	found, ok := thing.(*call)
	return ok && found.asked.Load() != nil
}

func write(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Length", fmt.Sprint(len(body)))
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

func stall(r *http.Request) { <-r.Context().Done() }

func TestInlineCalls(t *testing.T) {
	text := func(want string) func(string, piece) bool {
		return func(got string, ending piece) bool { return got == want && ending.kind == llm.EventFinish }
	}
	failed := func(parts ...string) func(string, piece) bool {
		return func(_ string, ending piece) bool {
			for _, part := range parts {
				if !strings.Contains(ending.text, part) {
					return false
				}
			}
			return ending.kind == llm.EventError
		}
	}
	cases := []struct {
		name, options string
		serve         func(n int32, w http.ResponseWriter, r *http.Request)
		ordinary      bool
		want          func(text string, ending piece) bool
	}{
		{name: "at once", serve: func(_ int32, w http.ResponseWriter, _ *http.Request) { write(w, 200, answer) }, want: text("hello")},
		{name: "in chunks", serve: func(_ int32, w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, answer[:40])
			w.(http.Flusher).Flush()
			_, _ = io.WriteString(w, answer[40:])
		}, want: text("hello")},
		{name: "after more than one poll", serve: func(_ int32, w http.ResponseWriter, _ *http.Request) {
			time.Sleep(200 * time.Millisecond)
			write(w, 200, answer)
		}, want: text("hello")},
		{name: "repeated after a refusal", serve: func(n int32, w http.ResponseWriter, _ *http.Request) {
			if n == 1 {
				write(w, 503, `{"error":{"message":"busy"}}`)
				return
			}
			write(w, 200, answer)
		}, want: text("hello")},
		{name: "refused for good", serve: func(_ int32, w http.ResponseWriter, _ *http.Request) {
			write(w, 400, `{"error":{"message":"no such thing"}}`)
		}, want: failed(`"status_code":400`, "no such thing", `"attempts":1`)},
		{name: "not JSON", serve: func(_ int32, w http.ResponseWriter, _ *http.Request) { write(w, 200, "<html>") },
			want: failed(`"kind":"response_parse"`, "is not JSON")},
		{name: "the total clock", options: `,"timeouts":{"total":1},"max_retries":0`,
			serve: func(_ int32, _ http.ResponseWriter, r *http.Request) { stall(r) }, want: failed(`"clock":"total"`, "within 1s")},
		{name: "a short total clock", options: `,"timeouts":{"total":0.01},"max_retries":0`, ordinary: true,
			serve: func(_ int32, _ http.ResponseWriter, r *http.Request) { stall(r) }, want: failed(`"clock":"total"`, "within 10ms")},
		{name: "a clock for the first token", options: `,"timeouts":{"first_token":0.01},"max_retries":0`, ordinary: true,
			serve: func(_ int32, _ http.ResponseWriter, r *http.Request) { stall(r) }, want: failed(`"clock":"first_token"`)},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			v := newVendor(t, c.serve)
			handle := v.submit(t, c.options)
			if v.asked(handle) == c.ordinary {
				t.Error("inline or not, but not as expected")
			}
			if got, ending := readAll(t, v.bridge, handle); !c.want(got, ending) {
				t.Errorf("got %q and %s", got, ending.text)
			}
			v.bridge.Close(handle)
		})
	}
}

func TestInlineCallThatNobodyPolls(t *testing.T) {
	v := newVendor(t, func(_ int32, w http.ResponseWriter, _ *http.Request) { write(w, 200, answer) })
	handle := v.submit(t, "")
	dst := make([]byte, 1<<16)
	for deadline := time.Now().Add(soon); ; time.Sleep(time.Millisecond) {
		if used, _ := v.bridge.Inspect(handle, dst); strings.Contains(string(dst[:used]), `"state":"ended"`) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("it waits for its poll for ever")
		}
	}
	if text, _ := readAll(t, v.bridge, handle); text != "hello" {
		t.Errorf("got %q", text)
	}
	v.bridge.Close(handle)
}

// Whatever another thread does, the poll that waits inline ends, and soon.
func TestInlinePollIsInterrupted(t *testing.T) {
	ways := map[string]struct {
		act  func(*Bridge, uint64) Status
		want Status
	}{
		"cancel": {(*Bridge).Cancel, StatusOK}, "close": {(*Bridge).Close, StatusClosed}, "wake": {(*Bridge).Wake, StatusWoken},
	}
	for name, way := range ways {
		for _, polled := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, polled %v", name, polled), func(t *testing.T) {
				v := newVendor(t, func(_ int32, _ http.ResponseWriter, r *http.Request) { stall(r) })
				handle := v.submit(t, "")
				ended := make(chan Status, 1)
				poll := func() {
					_, status := v.bridge.Poll(handle, make([]byte, 1<<16), -1)
					ended <- status
				}
				if polled {
					go poll()
					<-v.entered
				}
				way.act(v.bridge, handle)
				want := way.want
				if !polled {
					if name == "close" {
						want = StatusClosed
					}
					go poll()
				}
				select {
				case status := <-ended:
					if status != want {
						t.Errorf("the poll ended with %s", status.Name())
					}
				case <-time.After(soon):
					t.Fatal("the poll goes on")
				}
				v.bridge.Close(handle)
				select {
				case <-v.gone:
				case <-time.After(soon):
					t.Error("the connection stays open")
				}
			})
		}
	}
}

func TestInlinePollTimesOut(t *testing.T) {
	v := newVendor(t, func(_ int32, _ http.ResponseWriter, r *http.Request) { stall(r) })
	for _, timeout := range []time.Duration{0, time.Millisecond, 50 * time.Millisecond} {
		handle := v.submit(t, "")
		if _, status := v.bridge.Poll(handle, make([]byte, 1<<16), timeout); status != StatusTimeout {
			t.Errorf("%v: %s", timeout, status.Name())
		}
		v.bridge.Close(handle)
		v.settle(t)
	}
}

// A second call goes to a goroutine, and both are answered.
func TestInlineCallLeavesRoomForOthers(t *testing.T) {
	release := make(chan struct{})
	v := newVendor(t, func(_ int32, w http.ResponseWriter, _ *http.Request) {
		<-release
		write(w, 200, answer)
	})
	first, second := v.submit(t, ""), v.submit(t, "")
	if !v.asked(first) || v.asked(second) {
		t.Error("the first is to be inline, and the second not")
	}
	time.AfterFunc(10*time.Millisecond, func() { close(release) })
	for _, handle := range []uint64{second, first} {
		if text, _ := readAll(t, v.bridge, handle); text != "hello" {
			t.Errorf("got %q", text)
		}
		v.bridge.Close(handle)
	}
}
