package fake

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// troubled is a listener that first returns its errors, and whose first connections panic.
type troubled struct {
	net.Listener
	errors []error
	panics []string // "write" or "address", for one connection each
}

func (l *troubled) Accept() (net.Conn, error) {
	if len(l.errors) > 0 {
		err := l.errors[0]
		l.errors = l.errors[1:]
		return nil, err
	}
	conn, err := l.Listener.Accept()
	if err == nil && len(l.panics) > 0 {
		conn = &panicking{conn, l.panics[0]}
		l.panics = l.panics[1:]
	}
	return conn, err
}

type panicking struct {
	net.Conn
	on string
}

func (c *panicking) Write(p []byte) (int, error) {
	if c.on == "write" {
		panic("write")
	}
	return c.Conn.Write(p)
}

func (c *panicking) RemoteAddr() net.Addr {
	if c.on == "address" {
		panic("address")
	}
	return c.Conn.RemoteAddr()
}

func TestPanicClosesTheConnection(t *testing.T) {
	pipe := NewPipe()
	s := serve(t, Options{}, &troubled{Listener: pipe, panics: []string{"write", "address"}}, "http://pipe", pipe.Dial)
	for _, on := range []string{"write", "address"} {
		client := s.talk()
		client.say(post("HTTP/1.1", body(true, "")))
		if text, err := io.ReadAll(client.Reader); len(text) > 0 || err != nil {
			t.Errorf("a panic in %s gave %q, %v; want a closed connection", on, text, err)
		}
	}
	s.ask(body(true, ""))
	list := s.log()
	if len(list) != 2 || list[0].State != stateDisconnected || list[1].State != stateFinished || list[1].Connection != 3 {
		t.Errorf("the log has %+v", list)
	}
}

func TestServeOutlivesALackOfFileDescriptors(t *testing.T) {
	pipe := NewPipe()
	lack := &net.OpError{Op: "accept", Err: os.NewSyscallError("accept4", syscall.EMFILE)}
	s := serve(t, Options{}, &troubled{Listener: pipe, errors: []error{lack, lack}}, "http://pipe", pipe.Dial)
	s.ask(body(true, ""))
}

func TestListenerThatFailsEndsTheServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pipe := NewPipe()
		server := New(Options{})
		served := make(chan error, 1)
		go func() { served <- server.Serve(pipe) }()
		conn, err := pipe.Dial(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		go io.WriteString(conn, post("HTTP/1.1", body(true, `{"end":"stall"}`)))
		if _, err := http.ReadResponse(bufio.NewReader(conn), nil); err != nil {
			t.Fatal(err)
		}
		pipe.Close()
		if err := <-served; !errors.Is(err, net.ErrClosed) {
			t.Errorf("Serve returned %v, want the listener's error", err)
		}
		if seen := server.log.list()[0]; seen.State != stateDisconnected {
			t.Errorf("the request is %q when Serve has returned", seen.State)
		}
		if _, err := conn.Write(nil); err == nil {
			t.Error("the connection is still open")
		}
	})
}

// What a client sends before its answer is complete belongs to its next requests, and does not hide that it leaves.
func TestRequestsSentAhead(t *testing.T) {
	everywhere(t, func(t *testing.T, s *site) {
		s.T = t
		client := s.talk()
		client.say(post("HTTP/1.1", body(true, `{"header_delay":0.05}`)))
		time.Sleep(10 * time.Millisecond)
		long := strings.Repeat("x", 2*maxAhead)
		var more strings.Builder
		for _, text := range []string{"short", long, "short"} {
			more.WriteString(post("HTTP/1.1", body(true, `{"header_delay":0.005,"text":"`+text+`"}`)))
		}
		client.say(more.String())
		for _, want := range []string{" three", "short", long, "short"} {
			text, err := io.ReadAll(client.hear(t, "POST").Body)
			if err != nil || !strings.Contains(string(text), `"content":"`+want+`"`) {
				t.Fatalf("got %d bytes without %.9q, %v", len(text), want, err)
			}
		}
		stalled := post("HTTP/1.1", body(true, `{"end":"stall"}`))
		client.say(stalled)
		client.hear(t, "POST")
		client.say(stalled)
		time.Sleep(10 * time.Millisecond)
		client.Conn.Close()
		if seen := s.last(stateDisconnected); seen.ID != 5 {
			t.Errorf("request %d is the last; that of a client that had left was answered", seen.ID)
		}
	})
}
