package fake

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// talk is a connection of a client that writes its HTTP by hand.
type talk struct {
	net.Conn
	*bufio.Reader
	texts chan string
	sent  chan error // the outcome of each say
}

// talk connects; the connection ends with the test. It writes on a goroutine: a pipe holds nothing, and the server may
// answer before it has read everything.
func (s *site) talk() *talk {
	s.Helper()
	conn, err := s.dial(s.Context())
	if err != nil {
		s.Fatal(err)
	}
	conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	c := &talk{conn, bufio.NewReader(conn), make(chan string, 10), make(chan error, 10)}
	go func() {
		for text := range c.texts {
			_, err := io.WriteString(conn, text)
			c.sent <- err
		}
	}()
	s.Cleanup(func() {
		close(c.texts)
		conn.Close()
	})
	return c
}

func (c *talk) Read(p []byte) (int, error) { return c.Reader.Read(p) }

func (c *talk) say(text string) { c.texts <- text }

// hear reads the header of an answer to a request with the method.
func (c *talk) hear(t *testing.T, method string) *http.Response {
	t.Helper()
	response, err := http.ReadResponse(c.Reader, &http.Request{Method: method})
	if err != nil {
		t.Fatal(err)
	}
	return response
}

// closed reports whether the server has closed the connection, as opposed to waiting for the next request.
func (c *talk) closed(t *testing.T) bool {
	t.Helper()
	c.say("GET /models HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
	line, err := c.ReadString('\n')
	if err == nil && line != "HTTP/1.1 200 OK\r\n" {
		t.Errorf("behind the answer: %q", line)
	}
	return err != nil
}

func post(head, body string) string {
	return fmt.Sprintf("POST /chat/completions %s\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", head, len(body), body)
}

// scripted is a request with its script in the path.
func scripted(script string) string {
	path := "/script/" + url.PathEscape(script) + "/chat/completions"
	return "POST " + path + " HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"
}

// conversation is a request as a client writes it, and how its answer is framed.
type conversation struct {
	name, text string
	status     int
	framing    string // "chunked", "counted" or "" for up to the end of the connection
	ends       string // the body
	closes     bool
}

func conversations() []conversation {
	const done, get = "data: [DONE]\n\n", "GET /models HTTP/1.1\r\nHost: x\r\n\r\n"
	stream := body(true, "")
	return []conversation{
		{"a stream", post("HTTP/1.1", stream), 200, "chunked", done, false},
		{"one shot", post("HTTP/1.1", body(false, "")), 200, "counted", "}", false},
		{"the client closes", post("HTTP/1.1\r\nConnection: close", stream), 200, "chunked", done, true},
		{"HTTP/1.0", post("HTTP/1.0", stream), 200, "", done, true},
		{"HTTP/1.0, one shot", post("HTTP/1.0", body(false, "")), 200, "counted", "}", true},
		{"HTTP/1.0, kept", post("HTTP/1.0\r\nConnection: keep-alive", body(false, "")), 200, "counted", "}", false},
		{"HTTP/1.0, kept in vain", post("HTTP/1.0\r\nConnection: keep-alive", stream), 200, "", done, true},
		{"the script closes", post("HTTP/1.1", body(false, `{"headers":{"Connection":"Close"}}`)), 200, "counted", "}", true},
		{"a chunked request", "POST /chat/completions HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" +
			"8\r\n{\"messag\r\n25\r\nes\":[{\"content\":\"hi\",\"role\":\"user\"}]}\r\n0\r\n\r\n", 200, "counted", "}", false},
		{"two at once", get + get, 200, "counted", "]}", false},
		{"an empty body", scripted(`{"raw":""}`), 200, "chunked", "", false},
		{"no content", scripted(`{"status":204}`), 204, "", "", false},
		{"no content, whatever the script says", scripted(`{"status":204,"raw":"abc"}`), 204, "", "", false},
		{"the script's own framing", scripted(`{"raw":"2\r\nab\r\n0\r\n\r\n","headers":{"Transfer-Encoding":"chunked"}}`),
			200, "chunked", "ab", true},
		{"no HTTP", "hello\r\n\r\n", 400, "counted", "}", true},
		{"no method", " / HTTP/1.1\r\n\r\n", 400, "counted", "}", true},
		{"a bad field", "GET / HTTP/1.1\r\nHost\r\n\r\n", 400, "counted", "}", true},
		{"a bad length", "POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n", 400, "counted", "}", true},
		{"a bad chunk", "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", 400, "counted", "}", true},
		{"HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "counted", "}", true},
		{"a long header", "GET / HTTP/1.1\r\nX: " + strings.Repeat("x", maxHeader) + "\r\n\r\n", 431, "counted", "}", true},
		{"a long body", fmt.Sprintf("POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n", maxBody+1), 413, "counted", "}", true},
		{"HEAD of chunks", "HEAD /script/%7B%22raw%22:%22abc%22%7D/models HTTP/1.1\r\n\r\n", 200, "chunked", "", false},
		{"HEAD with a body", "HEAD /chat/completions HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}", 405, "counted", "", false},
	}
}

func TestConversation(t *testing.T) {
	everywhere(t, func(t *testing.T, s *site) {
		for _, test := range conversations() {
			t.Run(test.name, func(t *testing.T) {
				s := *s
				s.T = t
				s.converse(test)
			})
		}
	})
}

func (s *site) converse(test conversation) {
	client := s.talk()
	client.say(test.text)
	method, _, _ := strings.Cut(test.text, " ")
	response := client.hear(s.T, method)
	text, err := io.ReadAll(response.Body)
	framing := strings.Join(response.TransferEncoding, ",")
	if response.ContentLength > 0 {
		framing = "counted"
	}
	if err != nil || response.StatusCode != test.status || framing != test.framing || response.Close != test.closes {
		s.Errorf("got %d, framing %q, close %v, error %v", response.StatusCode, framing, response.Close, err)
	}
	if !strings.HasSuffix(string(text), test.ends) || (len(text) == 0) != (test.ends == "") {
		s.Errorf("the body is %q, want the end %q", text, test.ends)
	}
	kept := strings.Contains(test.text, "HTTP/1.0") && !test.closes // it goes without saying only since HTTP/1.1
	if got := response.Header; got.Get("Date") == "" || (got.Get("Connection") == "keep-alive") != kept {
		s.Errorf("the header is %v, want a date, and Connection: keep-alive: %v", got, kept)
	}
	if closed := client.closed(s.T); closed != test.closes {
		s.Errorf("the server closed: %v, want %v", closed, test.closes)
	}
}

func TestHeadIsGetWithoutBody(t *testing.T) {
	s := overPipe(t, Options{})
	for _, path := range []string{"/v1/models", "/v1/models/m", "/_fake/requests"} {
		get, err := s.client.Get(s.url + path)
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, get.Body)
		get.Body.Close()
		head, err := s.client.Head(s.url + path)
		if err != nil {
			t.Fatal(err)
		}
		if head.StatusCode != 200 || head.ContentLength < 1 || head.ContentLength != get.ContentLength ||
			head.Header.Get("Content-Type") != "application/json" {
			t.Errorf("HEAD %s: %d, length %d, %v", path, head.StatusCode, head.ContentLength, head.Header)
		}
	}
}

// A length that is not true goes out as it is: clients must survive it.
func TestScriptedLengthIsKept(t *testing.T) {
	everywhere(t, func(t *testing.T, s *site) {
		s.T = t
		text, err := s.read(body(true, `{"raw":"abc","headers":{"Content-Length":"9"}}`))
		if text != "abc" || !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("got %q, %v", text, err)
		}
	})
}

func TestExpectContinue(t *testing.T) {
	everywhere(t, func(t *testing.T, s *site) {
		s.T = t
		text := body(false, "")
		head, rest, _ := strings.Cut(post("HTTP/1.1\r\nExpect: 100-Continue", text), "\r\n\r\n")
		client := s.talk()
		client.say(head + "\r\n\r\n")
		if got := client.hear(t, "POST").Status; got != "100 Continue" {
			t.Fatalf("before the body: %s", got)
		}
		client.say(rest)
		if got := client.hear(t, "POST").StatusCode; got != 200 {
			t.Errorf("after the body: %d", got)
		}
		client = s.talk()
		client.say(fmt.Sprintf("POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n", maxBody+1))
		if got := client.hear(t, "POST").StatusCode; got != 413 {
			t.Errorf("in place of a body that is too large: %d", got)
		}
	})
}

func TestBodyWithoutLengthIsBounded(t *testing.T) {
	client, server := net.Pipe()
	defer client.Close()
	server.SetReadDeadline(time.Now().Add(10 * time.Second))
	go io.WriteString(client, "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nabcdef\r\n") // and no end
	c := newConnection(server, 1)
	r, err := c.next()
	if err != nil {
		t.Fatal(err)
	}
	body, err := c.body(r, 5)
	if wrong, ok := err.(*refusal); !ok || wrong.status != 413 || body != nil || !c.unread {
		t.Errorf("got %q, %v", body, err)
	}
}

// A client that is still sending when it is refused gets its answer, and over TCP no reset.
func TestRefusalReachesAClientThatSends(t *testing.T) {
	everywhere(t, func(t *testing.T, s *site) {
		for head, status := range map[string]int{
			fmt.Sprintf("POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n", maxBody+1): 413,
			"nonsense\r\n\r\n": 400,
		} {
			client := s.talk()
			client.say(head + strings.Repeat("x", 8<<20))
			response := client.hear(t, "POST")
			if text, err := io.ReadAll(response.Body); response.StatusCode != status || len(text) == 0 || err != nil {
				t.Errorf("got %d %q, %v; want %d", response.StatusCode, text, err, status)
			}
			if s.url == "http://pipe" {
				client.Close()
			}
			if err := <-client.sent; err != nil && s.url != "http://pipe" {
				t.Errorf("status %d, and for the rest of the request %v", status, err)
			}
		}
		if list := s.log(); len(list) != 1 || list[0].State != stateFinished {
			t.Errorf("the log has %+v", list)
		}
	})
}

// counting keeps the writes of its connections.
type counting struct {
	net.Listener
	mutex  sync.Mutex
	writes []string
}

type countingConn struct {
	net.Conn
	of *counting
}

func (l *counting) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	return &countingConn{conn, l}, err
}

func (c *countingConn) Write(p []byte) (int, error) {
	c.of.mutex.Lock()
	c.of.writes = append(c.of.writes, string(p))
	c.of.mutex.Unlock()
	return c.Conn.Write(p)
}

func TestOneSocketWriteForEachWriteOfTheScript(t *testing.T) {
	const last = "0\r\n\r\n"
	tests := []struct {
		script string
		stream bool
		writes int
		ends   string // of the last write
	}{
		{`{"pieces":["a"],"repeat":640,"per_write":64}`, true, 1 + 10 + 1, "data: [DONE]\n\n\r\n" + last},
		{`{"after":2,"end":"truncate"}`, true, 1 + 2 + 1, last},
		{`{"after":2,"end":"cut"}`, true, 1 + 2, "\n\n\r\n"},
		{`{"first_delay":0.001}`, true, 1 + 1 + 3 + 1, last},
		{`{"end":"garbage","garbage":"xyz","after":0}`, true, 1 + 1, "3\r\nxyz\r\n" + last},
		{`{"raw":"abcdef","splits":[1,2]}`, true, 3, "3\r\ndef\r\n" + last},
		{`{"raw":"abcdef","splits":[6]}`, true, 1, "6\r\nabcdef\r\n" + last},
		{`{}`, false, 1, "}"},
		{`{"end":"cut"}`, false, 1, ""},
		{`{"status":500,"body":"` + strings.Repeat("x", 1<<20) + `"}`, true, 1, "x"},
		{`{"status":204}`, true, 1, "\r\n\r\n"},
	}
	for _, test := range tests {
		t.Run(test.script[:min(len(test.script), 40)], func(t *testing.T) {
			pipe := NewPipe()
			listener := &counting{Listener: pipe}
			s := serve(t, Options{}, listener, "http://pipe", pipe.Dial)
			s.read(body(test.stream, test.script))
			listener.mutex.Lock()
			defer listener.mutex.Unlock()
			if got := len(listener.writes); got != test.writes || !strings.HasSuffix(listener.writes[got-1], test.ends) {
				t.Errorf("%d writes, the last is %q; want %d and the end %q", got, listener.writes[got-1], test.writes, test.ends)
			}
		})
	}
}

func TestTrickledHeaderComesByteByByte(t *testing.T) {
	pipe := NewPipe()
	listener := &counting{Listener: pipe}
	s := serve(t, Options{}, listener, "http://pipe", pipe.Dial)
	if text, err := s.read(body(true, `{"trickle":0.00001,"raw":"abc"}`)); text != "abc" || err != nil {
		t.Fatalf("got %q, %v", text, err)
	}
	listener.mutex.Lock()
	defer listener.mutex.Unlock()
	count := len(listener.writes) - 1
	header := strings.Join(listener.writes[:count], "")
	if len(header) != count || !strings.HasSuffix(header, "\r\n\r\n") {
		t.Errorf("%d writes for the header %q", count, header)
	}
	if got := listener.writes[count]; got != "3\r\nabc\r\n0\r\n\r\n" {
		t.Errorf("the body came as %q", got)
	}
}
