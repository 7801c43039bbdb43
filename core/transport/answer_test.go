package transport

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"pyagent/core/llm"
)

// scripted is a connection that answers every request with the same bytes, a few at a time.
type scripted struct {
	net.Conn // nil: what is not used here
	answer   io.Reader
	piece    int
	sent     bytes.Buffer
	closed   bool
}

func (s *scripted) Read(p []byte) (int, error) {
	if s.piece > 0 && len(p) > s.piece {
		p = p[:s.piece]
	}
	return s.answer.Read(p)
}
func (s *scripted) Write(p []byte) (int, error)     { return s.sent.Write(p) }
func (s *scripted) Close() error                    { s.closed = true; return nil }
func (s *scripted) SetDeadline(time.Time) error     { return nil }
func (s *scripted) SetReadDeadline(time.Time) error { return nil }

// answerOf reads one scripted answer through a transport.
func answerOf(raw string, piece int) (status int, header map[string]string, body string, reusable bool, failed error) {
	wire := &scripted{answer: strings.NewReader(raw), piece: piece}
	client, err := New(Options{HeaderBytes: 1 << 20, Dial: func(context.Context, string, string) (net.Conn, error) { return wire, nil }})
	if err != nil {
		return 0, nil, "", false, err
	}
	response, err := client.Send(context.Background(), Request{Method: "POST", URL: "http://host/v1", Body: []byte("{}")}, 0)
	if err != nil {
		return 0, nil, "", false, err
	}
	content, failed := io.ReadAll(response.Body)
	_ = response.Body.Close()
	return response.Status, response.Header, string(content), !wire.closed, failed
}

func TestAnswers(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\n"
	cases := []struct {
		name, raw string
		body      string
		reusable  bool
		failure   string
	}{
		{"counted", ok + "Content-Length: 2\r\n\r\nhi", "hi", true, ""},
		{"counted twice alike", ok + "Content-Length: 2, 2\r\n\r\nhi", "hi", true, ""},
		{"empty", ok + "Content-Length: 0\r\n\r\n", "", true, ""},
		{"no content", "HTTP/1.1 204 No Content\r\n\r\n", "", true, ""},
		{"up to the end of the connection", ok + "\r\nhi", "hi", false, ""},
		{"HTTP/1.0", "HTTP/1.0 200 OK\r\n\r\nhi", "hi", false, ""},
		{"HTTP/1.0 that stays", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nhi", "hi", true, ""},
		{"connection closes", ok + "Connection: close\r\nContent-Length: 2\r\n\r\nhi", "hi", false, ""},
		{"chunked", ok + "Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n3\r\n ho\r\n0\r\n\r\n", "hi ho", true, ""},
		{"chunk extension and trailer", ok + "Transfer-Encoding: chunked\r\n\r\n2;x=y\r\nhi\r\n0\r\nT: v\r\n\r\n", "hi", true, ""},
		{"upper-case size", ok + "Transfer-Encoding: chunked\r\n\r\nA\r\n0123456789\r\n0\r\n\r\n", "0123456789", true, ""},
		{"interim answer first", "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + ok + "Content-Length: 2\r\n\r\nhi", "hi", true, ""},
		{"line feeds alone", "HTTP/1.1 200 OK\nContent-Length: 2\n\nhi", "hi", true, ""},
		{"more than counted", ok + "Content-Length: 2\r\n\r\nhi there", "hi", false, ""},
		{"no reason phrase", "HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nhi", "hi", true, ""},
		{"cut in the body", ok + "Content-Length: 5\r\n\r\nhi", "hi", false, "unexpected EOF"},
		{"cut in a chunk", ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhi", "hi", false, "unexpected EOF"},
		{"cut between chunks", ok + "Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n", "hi", false, "unexpected EOF"},
		{"bad chunk size", ok + "Transfer-Encoding: chunked\r\n\r\nzz\r\nhi", "", false, "not a number"},
		{"negative chunk size", ok + "Transfer-Encoding: chunked\r\n\r\n-2\r\nhi", "", false, "not a number"},
		{"chunk too long", ok + "Transfer-Encoding: chunked\r\n\r\n2\r\nhiho\r\n0\r\n\r\n", "hi", false, "longer than it says"},
		{"a sign before a chunk size", ok + "Transfer-Encoding: chunked\r\n\r\n+2\r\nhi", "", false, "not a number"},
		{"huge chunk size", ok + "Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n7fffffffffffffff\r\nhi there", "hihi there", false, "unexpected EOF"},
		{"chunk size of more than 63 bits", ok + "Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n8000000000000000\r\nhi", "hi", false, "not a number"},
		{"chunked and counted", ok + "Content-Length: 100\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", "hi", false, ""},
		{"chunked in HTTP/1.0", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\nhi", "hi", false, ""},
		{"chunked twice", ok + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "", false, "transfer encoding"},
		{"another transfer encoding", ok + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "", false, "transfer encoding"},
		{"a word that ends like chunked", ok + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", "", false, "transfer encoding"},
		{"identity", ok + "Transfer-Encoding: identity\r\nContent-Length: 2\r\n\r\nhi", "hi", false, ""},
		{"two lengths", ok + "Content-Length: 2\r\nContent-Length: 5\r\n\r\nhi", "", false, "Content-Length"},
		{"a sign before a length", ok + "Content-Length: +2\r\n\r\nhi", "", false, "Content-Length"},
		{"an empty length", ok + "Content-Length:\r\n\r\nhi", "", false, "Content-Length"},
		{"a change of protocol", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n", "", false, "h2c"},
		{"no version", "HTTP/1.x 200 OK\r\n\r\n", "", false, "does not speak HTTP"},
		{"interim answers without end", strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 50_000), "", false, "limits.header_bytes"},
		{"a trailer without end", ok + "Transfer-Encoding: chunked\r\n\r\n0\r\n" + strings.Repeat("T: v\r\n", 10_000), "", false, "too large"},
		{"a chunk extension without end", ok + "Transfer-Encoding: chunked\r\n\r\n2;" + strings.Repeat("x", 100_000), "", false, "too large"},
		{"bad length", ok + "Content-Length: many\r\n\r\nhi", "", false, "Content-Length"},
		{"no HTTP at all", "SSH-2.0-OpenSSH\r\n", "", false, "does not speak HTTP"},
		{"TLS in answer to plain text", "\x15\x03\x01\x00\x02\x02\x46\r\n", "", false, "https://"},
		{"no answer", "", "", false, "closed the connection"},
		{"cut in the header", "HTTP/1.1 200 OK\r\nContent-", "", false, "closed the connection"},
		{"header without a name", ok + ": x\r\n\r\n", "", false, "without a name"},
		{"header too large", ok + "X: " + strings.Repeat("x", 1<<20) + "\r\n\r\n", "", false, "limits.header_bytes"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			for _, piece := range []int{0, 1, 3} {
				_, _, body, reusable, failed := answerOf(c.raw, piece)
				if c.failure == "" && failed != nil || c.failure != "" && (failed == nil || !strings.Contains(failed.Error(), c.failure)) {
					t.Errorf("by %d bytes: failed with %v, want %q", piece, failed, c.failure)
				}
				// Read by single bytes, what follows a counted body has not arrived when the body ends.
				if body != c.body || failed == nil && reusable != c.reusable && piece == 0 {
					t.Errorf("by %d bytes: body %q, reusable %v", piece, body, reusable)
				}
			}
		})
	}
}

func TestHeaderFields(t *testing.T) {
	_, header, _, _, failed := answerOf("HTTP/1.1 200 OK\r\nX-A: 1\r\nx-a:  2 \r\nSet-Cookie: s=1\r\nWWW-Authenticate: x\r\n"+
		"X-Folded: a\r\n  b\r\nX-Bytes: \xff\r\nX-Control: a\rb\x00c\r\nContent-Length: 0\r\n\r\n", 0)
	if failed != nil {
		t.Fatal(failed)
	}
	want := map[string]string{"x-a": "1, 2", "x-folded": "a b", "x-bytes": "\uFFFD", "x-control": "a b c", "content-length": "0"}
	if len(header) != len(want) {
		t.Errorf("got %v", header)
	}
	for name, value := range want {
		if header[name] != value {
			t.Errorf("%s is %q, want %q", name, header[name], value)
		}
	}
}

// What both understand, this client and net/http understand alike, however the bytes are cut.
func FuzzAnswer(f *testing.F) {
	f.Add("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n3;a=b\r\n ho\r\n0\r\nT: v\r\n\r\n", uint8(3))
	f.Add("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello", uint8(1))
	f.Add("HTTP/1.0 500 Oh\r\n\r\nrest", uint8(0))
	f.Fuzz(func(t *testing.T, raw string, piece uint8) {
		status, _, body, _, failed := answerOf(raw, int(piece))
		whole, _, bodyWhole, _, failedWhole := answerOf(raw, 0)
		if status != whole || body != bodyWhole || (failed == nil) != (failedWhole == nil) {
			t.Fatalf("by %d bytes %d %q %v, whole %d %q %v", piece, status, body, failed, whole, bodyWhole, failedWhole)
		}
		theirs, err := http.ReadResponse(bufio.NewReader(strings.NewReader(raw)), &http.Request{Method: "POST"})
		if err != nil || failed != nil || theirs.StatusCode < 200 || theirs.ProtoMajor != 1 || strings.Contains(strings.ToLower(raw), "encoding") &&
			!strings.Contains(raw, "Transfer-Encoding: chunked") {
			return
		}
		content, err := io.ReadAll(theirs.Body)
		if err == nil && (theirs.StatusCode != status || string(content) != body) {
			t.Fatalf("net/http reads %d %q, we %d %q", theirs.StatusCode, content, status, body)
		}
	})
}

func TestRequestOnTheWire(t *testing.T) {
	wire := &scripted{answer: strings.NewReader("HTTP/1.1 204 x\r\n\r\n")}
	client, _ := New(Options{HeaderBytes: 1 << 20, Dial: func(context.Context, string, string) (net.Conn, error) { return wire, nil }})
	_, err := client.Send(context.Background(), Request{
		Method: "POST", URL: "http://host:81/v1/chat?a=b", Header: map[string]string{"X-B": "2", "Accept": "x"}, Body: []byte("{}"),
	}, 0)
	if err != nil {
		t.Fatal(err)
	}
	want := "POST /v1/chat?a=b HTTP/1.1\r\nHost: host:81\r\nContent-Length: 2\r\nAccept: x\r\nX-B: 2\r\n\r\n{}"
	if got := wire.sent.String(); got != want {
		t.Errorf("sent %q", got)
	}
}

func TestLimitedConnections(t *testing.T) {
	hold := make(chan struct{})
	client, _ := New(Options{HeaderBytes: 1 << 20, Network: llm.Network{MaxConnections: 1},
		Dial: func(context.Context, string, string) (net.Conn, error) {
			answer := io.MultiReader(strings.NewReader("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nh"), waiting{hold}, strings.NewReader("i"))
			return &scripted{answer: answer}, nil
		}})
	request := Request{Method: "POST", URL: "http://host/"}
	first, err := client.Send(context.Background(), request, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Send(context.Background(), request, 20*time.Millisecond); err == nil || err.Clock != "connect" {
		t.Errorf("a second connection was made, or the wait had no end: %v", err)
	}
	close(hold)
	if _, failed := io.ReadAll(first.Body); failed != nil {
		t.Fatal(failed)
	}
	for range 3 { // each finds the connection before it at the end of its script, and takes a new one in its place
		next, err := client.Send(context.Background(), request, time.Second)
		if err != nil {
			t.Fatalf("an ended request keeps its place: %v", err)
		}
		_ = next.Body.Close()
	}
}

// waiting is a reader without content that ends when its channel is closed.
type waiting struct{ until chan struct{} }

func (w waiting) Read([]byte) (int, error) {
	<-w.until
	return 0, io.EOF
}

func TestCancelClosesTheConnection(t *testing.T) {
	listener, failure := net.Listen("tcp", "127.0.0.1:0")
	if failure != nil {
		t.Fatal(failure)
	}
	defer listener.Close()
	left := make(chan error, 1)
	go func() {
		accepted, err := listener.Accept()
		if err != nil {
			left <- err
			return
		}
		_, _ = accepted.Read(make([]byte, 4096))
		_, err = accepted.Read(make([]byte, 1))
		left <- err
	}()
	client := open(t, llm.Network{})
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(20*time.Millisecond, cancel)
	if _, err := client.Send(ctx, Request{Method: "POST", URL: "http://" + listener.Addr().String()}, 0); err == nil {
		t.Error("no error")
	}
	select {
	case err := <-left:
		if err == nil {
			t.Error("the server got another byte")
		}
	case <-time.After(5 * time.Second):
		t.Error("the server was not told")
	}
}

func TestOldConnectionsAreDropped(t *testing.T) {
	p := newPool(0)
	wire := &scripted{}
	c := newConn(link{wire: wire, raw: wire}, route{scheme: "http", host: "h"}, p)
	p.park(c)
	c.parkedAt = time.Now().Add(-2 * idleConnection)
	p.dropOld()
	if !wire.closed || len(p.parked) != 0 || p.sweep != nil {
		t.Errorf("closed %v, parked %v", wire.closed, p.parked)
	}
	p.park(newConn(link{wire: &scripted{}, raw: &scripted{}}, c.route, p))
	p.dropOld()
	if len(p.parked[c.route]) != 1 || p.sweep == nil {
		t.Error("a young connection was dropped")
	}
	p.close()
	late := &scripted{}
	p.park(newConn(link{wire: late, raw: late}, c.route, p))
	if !late.closed || len(p.parked) != 0 {
		t.Error("a closed pool took a connection")
	}
}

func TestErrorsOfTheContextAreTheOwners(t *testing.T) {
	ctx, cancel := context.WithCancelCause(context.Background())
	why := errors.New("enough")
	cancel(why)
	client, _ := New(Options{HeaderBytes: 1 << 20, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) { return nil, context.Cause(ctx) }})
	if _, err := client.Send(ctx, Request{Method: "POST", URL: "http://host/"}, time.Second); err == nil || err.Clock != "" {
		t.Errorf("got %+v", err)
	}
}

// The socket's deadline is the context's, but either may be noticed first.
func TestDeadlineOfTheSocketIsTheClock(t *testing.T) {
	client, _ := New(Options{HeaderBytes: 1 << 20, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded}
	}})
	_, err := client.Send(context.Background(), Request{Method: "POST", URL: "http://host/"}, 20*time.Millisecond)
	if err == nil || err.Clock != "connect" || err.Kind != llm.KindTimeout {
		t.Errorf("got %+v", err)
	}
}

// A server that refuses a large request does not read it to its end, and is heard all the same.
func TestRefusalOfALargeRequest(t *testing.T) {
	address := serve(t, func(c net.Conn) {
		_, _ = c.Read(make([]byte, 1000))
		_, _ = io.WriteString(c, "HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno")
	})
	client := open(t, llm.Network{})
	response, err := client.Send(context.Background(), Request{Method: "POST", URL: "http://" + address, Body: make([]byte, 64<<20)}, 0)
	if err != nil || response.Status != 413 {
		t.Fatalf("got %v %v", response, err)
	}
	content, failed := io.ReadAll(response.Body)
	_ = response.Body.Close()
	if string(content) != "no" || failed != nil || len(client.pool.parked[routeOf(&url.URL{Scheme: "http", Host: address}, nil)]) != 0 {
		t.Errorf("body %q %v; the connection must not be used again", content, failed)
	}
}

func TestManyHeaderLinesCostLittle(t *testing.T) {
	for name, line := range map[string]string{"repeated": "a: 1\r\n", "folded": " 1\r\n"} {
		raw := "HTTP/1.1 200 OK\r\na: 0\r\n" + strings.Repeat(line, 150_000) + "Content-Length: 0\r\n\r\n"
		begun := time.Now()
		_, header, _, _, failed := answerOf(raw, 0)
		if failed != nil || len(header["a"]) < 250_000 || time.Since(begun) > 5*time.Second {
			t.Errorf("%s: %d bytes in %v, %v", name, len(header["a"]), time.Since(begun), failed)
		}
	}
}
