package fake

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"pyagent/core/guard"
)

// A request may have this many bytes in its header and in its body. While it is answered, maxAhead bytes of the next
// ones are taken in.
const (
	maxHeader = 1 << 20
	maxBody   = 256 << 20
	maxAhead  = 64 << 10
)

// drainTime is how long a client may go on sending what nobody wants, after an answer that came before its end.
const drainTime = 500 * time.Millisecond

var errHeaderTooLarge = errors.New("the header of the request is too large")

// connection is the reading half of an accepted connection: its requests, and an eye on the client between them. The
// writing half is response.
type connection struct {
	net.Conn
	number int
	reader *bufio.Reader // of the connection's own Read

	ahead  []byte // read by watch, not yet by reader
	window [512]byte
	room   int   // bytes that reader may still get
	broken error // why the connection itself can no longer be read
	unread bool  // a request was refused before its end
}

func newConnection(conn net.Conn, number int) *connection {
	c := &connection{Conn: conn, number: number}
	c.reader = bufio.NewReader(c)
	return c
}

// Read is for c.reader.
func (c *connection) Read(p []byte) (int, error) {
	if len(c.ahead) > 0 {
		n := copy(p, c.ahead)
		c.ahead = c.ahead[n:]
		return n, nil
	}
	if c.room == 0 {
		return 0, errHeaderTooLarge
	}
	n, err := c.Conn.Read(p[:min(len(p), c.room)])
	c.room -= n
	c.broken = err
	return n, err
}

// refusal is the answer to a request that breaks the rules of HTTP, or the bounds above.
type refusal struct {
	status  int
	message string
}

func (r *refusal) Error() string { return r.message }

// refuse makes the refusal of a request that could not be read, unless that is the connection's fault.
func (c *connection) refuse(status int, format string, values ...any) error {
	if c.broken != nil {
		return errLeft
	}
	c.unread = true
	return &refusal{status, fmt.Sprintf(format, values...)}
}

// next reads a request up to its body.
func (c *connection) next() (*http.Request, error) {
	c.room = maxHeader
	r, err := http.ReadRequest(c.reader)
	c.room = math.MaxInt
	switch {
	case errors.Is(err, errHeaderTooLarge):
		return nil, c.refuse(http.StatusRequestHeaderFieldsTooLarge, "The header of the request is larger than %d bytes.",
			maxHeader)
	case err != nil:
		return nil, c.refuse(http.StatusBadRequest, "The request is not valid HTTP: %s.", err)
	case r.ProtoMajor != 1:
		return nil, c.refuse(http.StatusHTTPVersionNotSupported, "The server speaks HTTP/1.1 and HTTP/1.0, not %s.", r.Proto)
	}
	r.RemoteAddr = c.RemoteAddr().String()
	return r, nil
}

// body reads the body of a request, after asking for it where the client waits for that.
func (c *connection) body(r *http.Request, limit int64) ([]byte, error) {
	const tooLarge = "The body of the request is larger than %d bytes."
	if r.ContentLength > limit {
		return nil, c.refuse(http.StatusRequestEntityTooLarge, tooLarge, limit)
	}
	if r.ContentLength != 0 && r.ProtoAtLeast(1, 1) && strings.EqualFold(r.Header.Get("Expect"), "100-continue") {
		if _, err := io.WriteString(c.Conn, "HTTP/1.1 100 Continue\r\n\r\n"); err != nil {
			return nil, errLeft
		}
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, limit+1))
	switch {
	case err != nil:
		return nil, c.refuse(http.StatusBadRequest, "The body of the request is not valid HTTP: %s.", err)
	case int64(len(body)) > limit:
		return nil, c.refuse(http.StatusRequestEntityTooLarge, tooLarge, limit)
	}
	return body, nil
}

// watch reads ahead while a request is answered, because that is how the leaving of a client shows: gone is closed
// then. The caller calls stop before it reads the next request.
func (c *connection) watch() (gone <-chan struct{}, stop func()) {
	left, ended := make(chan struct{}), make(chan struct{})
	guard.Go(func() {
		defer close(ended)
		for len(c.ahead) < maxAhead {
			n, err := c.Conn.Read(c.window[:])
			c.ahead = append(c.ahead, c.window[:n]...)
			if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
				close(left)
			}
			if err != nil {
				return
			}
		}
	}, nothing)
	return left, func() {
		c.SetReadDeadline(time.Unix(1, 0)) // long ago: it ends a Read that is under way
		<-ended
		c.SetReadDeadline(time.Time{})
	}
}

// drain reads on for a moment, so that the client finds its answer: closing a socket that has unread input resets it,
// and a reset destroys what the client has not read yet. A pipe has nothing on the way.
func (c *connection) drain() {
	if tcp, ok := c.Conn.(*net.TCPConn); ok {
		tcp.CloseWrite()
		tcp.SetReadDeadline(time.Now().Add(drainTime))
		io.Copy(io.Discard, tcp)
	}
}

// reset makes the closing of the connection a reset, where there are resets.
func (c *connection) reset() {
	if tcp, ok := c.Conn.(*net.TCPConn); ok {
		tcp.SetLinger(0)
	}
}

// nothing is left to do when a goroutine panics: what it deferred has closed the connection by then. It is generic
// because the type of the error is none of this package's business.
func nothing[E any](E) {}
