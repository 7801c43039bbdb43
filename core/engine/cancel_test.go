package engine

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"pyagent/core/llm"
)

// A call that is cancelled ends at once in the states that no server can see. The others are in
// tests/system/test_hostile_cancel.py.
func TestCancelEndsACallWherever(t *testing.T) {
	silent := listen(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })
	busy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Retry-After", "60")
		w.WriteHeader(503)
	}))
	defer busy.Close()
	cases := map[string]struct{ base, options string }{
		"resolving":             {"http://slow.test", ""},
		"connecting":            {"http://" + crowded(t), ""},
		"waiting for a header":  {"http://" + silent, ""},
		"in a pause":            {busy.URL, `,"max_retries":3`},
		"waiting for its place": {"http://" + silent, `,"network":{"max_connections":1}`},
		"waiting for its turn":  {"http://" + silent, `,"throttle":{"concurrency":1}`},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if name == "resolving" {
				slowNames(t)
			}
			client := openAt(t, c.base+"/v1", c.options)
			if strings.HasPrefix(name, "waiting for its") { // one call takes it
				other, stop := context.WithCancel(context.Background())
				ended := make(chan struct{})
				go func() { client.Run(other, hello(t), new(recorder)); close(ended) }()
				defer func() { stop(); <-ended }()
				time.Sleep(50 * time.Millisecond)
			}
			var delays []time.Duration
			for range 5 {
				ctx, cancel := context.WithCancel(context.Background())
				into, ended := new(recorder), make(chan time.Time)
				go func() { client.Run(ctx, hello(t), into); ended <- time.Now() }()
				select {
				case <-ended:
					t.Fatalf("it ended by itself: %v", into.failure())
				case <-time.After(50 * time.Millisecond):
				}
				begun := time.Now()
				cancel()
				delays = append(delays, (<-ended).Sub(begun))
				if failed := into.failure(); failed == nil || failed.Kind != llm.KindCancelled {
					t.Fatalf("got %+v", failed)
				}
			}
			slices.Sort(delays)
			t.Logf("median %v, at most %v", delays[2], delays[4])
			if delays[2] > 50*time.Millisecond {
				t.Errorf("it took %v", delays)
			}
		})
	}
}

func hello(t *testing.T) *llm.Request {
	t.Helper()
	request, err := llm.DecodeRequest([]byte(`{"op":"generate","model":"m","messages":[{"role":"user","content":"hello"}]}`))
	if err != nil {
		t.Error(err)
	}
	return request
}

func listen(t *testing.T, handle func(net.Conn)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			accepted, err := listener.Accept()
			if err != nil {
				return
			}
			go handle(accepted)
		}
	}()
	return listener.Addr().String()
}

// slowNames makes name servers that never answer.
func slowNames(t *testing.T) {
	t.Helper()
	real := net.DefaultResolver
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}}
	t.Cleanup(func() { net.DefaultResolver = real })
}

// crowded is an address at which the kernel answers no further connection: the queue of a listener that accepts none is full.
func crowded(t *testing.T) string {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Close(fd) })
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	bound, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	address := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: bound.(*syscall.SockaddrInet4).Port}
	for range 8 {
		made, err := net.DialTimeout("tcp", address.String(), 100*time.Millisecond)
		if err != nil {
			return address.String()
		}
		t.Cleanup(func() { made.Close() })
	}
	t.Skip("this kernel accepts connections beyond the listener's queue; run it on Linux")
	return ""
}
