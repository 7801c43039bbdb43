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
	"slices"
	"strconv"
	"time"

	"pyagent/core/guard"
	"pyagent/core/llm"
)

// conn is one HTTP/1.1 connection. It is used by one request at a time, and idle in the pool between requests.
type conn struct {
	link
	reader   *bufio.Reader
	route    route
	pool     *pool
	parkedAt time.Time
	reused   bool
	began    time.Time // of the present or last exchange
	prompt   bool      // the last answer came within Patience
	answered bool      // a byte of the present answer has come
	head     []byte    // buffer for request headers
}

func newConn(made link, key route, pool *pool) *conn {
	c := &conn{link: made, route: key, pool: pool}
	c.reader = bufio.NewReaderSize(made.wire, readBuffer)
	return c
}

// errHeader is the answer's header being larger than allowed.
var errHeader = errors.New("header too large")

// stale reports whether a failure means that a kept-alive connection was closed before it could carry the request: then
// nobody has answered, and the request may go out again.
func (c *conn) stale(failure error) bool {
	if failure == nil || !c.reused || c.answered {
		return false
	}
	return errors.Is(failure, io.EOF) || errors.Is(failure, io.ErrUnexpectedEOF) || isReset(failure)
}

// alive looks for signs that the server has closed an idle connection, or said something that nobody asked for.
func (c *conn) alive() bool {
	if c.reader.Buffered() > 0 {
		return false
	}
	if socket, ok := c.raw.(*socket); ok && !socket.quiet() {
		return false
	}
	return c.wire == c.raw || c.holdsNothing()
}

// holdsNothing reports whether TLS has nothing in store that came together with the answer before.
func (c *conn) holdsNothing() bool {
	_ = c.wire.SetReadDeadline(time.Unix(1, 0)) // long over: what is in store can be read, the socket cannot
	n, err := c.wire.Read(make([]byte, 1))
	_ = c.wire.SetReadDeadline(time.Time{})
	return n == 0 && errors.Is(err, os.ErrDeadlineExceeded)
}

// abandon closes the connection in place of using it.
func (c *conn) abandon() {
	_ = c.raw.Close()
	c.pool.leave(c.route)
}

// Exchange is a request that was sent over a connection, up to the header of its answer.
type Exchange struct {
	conn    *conn
	ctx     context.Context
	method  string
	sent    *sending
	stop    func() bool // ends the watch on ctx
	budget  int64       // what the header may still weigh
	answer  *answer     // once its header was read
	failure error       // why that was not possible
}

// begin sends a request. When ctx ends, the connection is closed at once.
func (c *conn) begin(ctx context.Context, request Request, target *url.URL, headerBytes int64) *Exchange {
	c.began, c.answered = time.Now(), false
	x := &Exchange{conn: c, method: request.Method, budget: headerBytes}
	x.follow(ctx)
	c.writeHead(request, target)
	x.sent = c.send(request.Body)
	return x
}

// follow makes ctx the context that ends the exchange.
func (x *Exchange) follow(ctx context.Context) {
	if x.ctx == ctx {
		return
	}
	if x.ctx != nil {
		x.stop()
	}
	x.ctx = ctx
	x.stop = guard.After(ctx, func() { _ = x.conn.raw.Close() })
}

// response waits for the header of the answer. On failure the connection is closed and gone.
func (x *Exchange) response() (*Response, error) {
	for x.answer == nil && x.failure == nil {
		x.readHeader()
	}
	var response *Response
	if x.failure == nil {
		response, x.failure = x.conn.respond(x.answer, x.method, x.stop, x.sent)
	}
	if x.failure != nil {
		x.stop()
		x.conn.abandon()
	}
	return response, x.failure
}

// readHeader reads one header, which may be that of an interim answer: then the real one follows.
func (x *Exchange) readHeader() {
	answer, err := x.conn.readHeader(&x.budget)
	switch {
	case err != nil:
		// A server that closes while it is written to is heard by the writer first.
		if failure := x.sent.failure(); failure != nil && !x.conn.answered && !isAlert(err) {
			err = failure
		}
		x.failure = err
	case answer.status == http.StatusSwitchingProtocols:
		x.failure = llm.Errorf(llm.KindParse, "the server changes to the protocol %q, which was not asked for", answer.header["upgrade"])
	case answer.status >= 200:
		x.answer = answer
	}
}

// sending is a request on its way out: done receives its outcome.
type sending struct {
	done    chan error
	outcome error
	over    bool
}

// failure is why sending ended, as far as it has ended.
func (s *sending) failure() error {
	if !s.over {
		select {
		case s.outcome = <-s.done:
			s.over = true
		default:
		}
	}
	return s.outcome
}

// complete reports whether all was sent.
func (s *sending) complete() bool { return s.failure() == nil && s.over }

// send writes the header that is ready in c.head, and the body. A large body is written beside the reading: a server that
// refuses it answers before it has read all of it, and may then read no further.
func (c *conn) send(body []byte) *sending {
	if len(body) <= readBuffer {
		c.head = append(c.head, body...)
		_, err := c.wire.Write(c.head)
		return &sending{outcome: err, over: true}
	}
	sent := &sending{done: make(chan error, 1)}
	head := c.head
	c.head = nil // the writer keeps it
	guard.Go(func() {
		buffers := net.Buffers{head, body}
		_, err := buffers.WriteTo(c.wire)
		sent.done <- err
	}, func(failed *llm.Error) { sent.done <- failed })
	return sent
}

// writeHead makes the request's header in c.head.
func (c *conn) writeHead(request Request, target *url.URL) {
	out := append(c.head[:0], request.Method...)
	out = append(out, ' ')
	if c.proxy != "" {
		out = append(append(append(out, target.Scheme...), "://"...), target.Host...)
	}
	out = append(out, target.RequestURI()...)
	out = append(out, " HTTP/1.1\r\nHost: "...)
	if host := request.Header["Host"]; host != "" {
		out = append(out, host...)
	} else {
		out = append(out, target.Host...)
	}
	out = append(out, "\r\nContent-Length: "...)
	out = append(strconv.AppendInt(out, int64(len(request.Body)), 10), "\r\n"...)
	names := make([]string, 0, len(request.Header)+1)
	for name := range request.Header {
		if name != "Host" && name != "Content-Length" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		out = append(append(append(append(out, name...), ": "...), request.Header[name]...), "\r\n"...)
	}
	if c.credentials != "" {
		out = append(append(append(out, "Proxy-Authorization: "...), c.credentials...), "\r\n"...)
	}
	c.head = append(out, "\r\n"...)
}

// answer is the header of a response.
type answer struct {
	status int
	http10 bool
	header map[string]string // names in lower case
}

// readHeader reads a status line and the fields below it (RFC 9112, sections 4 and 5). budget is what the header may weigh.
func (c *conn) readHeader(budget *int64) (*answer, error) {
	line, err := c.readLine(budget)
	if err != nil {
		if isTLS(line) {
			err = notHTTP(line)
		}
		return nil, err
	}
	status, http10, ok := parseStatus(line)
	if !ok {
		return nil, notHTTP(line)
	}
	fields := fieldList{values: make(map[string]string, 8)}
	for {
		line, err := c.readLine(budget)
		if err != nil {
			return nil, err
		}
		if len(line) == 0 {
			return &answer{status: status, http10: http10, header: fields.joined()}, nil
		}
		if !fields.add(line) {
			return nil, &llm.Error{Kind: llm.KindParse, Message: "the header of the answer has a line without a name"}
		}
	}
}

// readLine reads up to a line feed and cuts line feed and carriage return off. The line is valid until the next read; with an
// error it is what had come.
func (c *conn) readLine(budget *int64) ([]byte, error) {
	line, err := c.reader.ReadSlice('\n')
	if len(line) > 0 {
		c.answered = true
	}
	if err == bufio.ErrBufferFull {
		long := append([]byte(nil), line...)
		for err == bufio.ErrBufferFull && int64(len(long)) <= *budget {
			line, err = c.reader.ReadSlice('\n')
			long = append(long, line...)
		}
		line = long
	}
	*budget -= int64(len(line))
	if *budget < 0 {
		return nil, errHeader
	}
	if err != nil {
		if err == io.EOF && c.answered {
			err = io.ErrUnexpectedEOF
		}
		return line, err
	}
	line = line[:len(line)-1]
	return bytes.TrimSuffix(line, []byte{'\r'}), nil
}
