package transport

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"pyagent/core/llm"
)

// respond makes the response of an answer whose header was read, with the body that the header announces (RFC 9112,
// section 6.3).
func (c *conn) respond(a *answer, method string, stop func() bool, sent *sending) (*Response, error) {
	if c.proxy != "" && a.status == http.StatusProxyAuthRequired {
		return nil, &proxyError{c.proxy, wrongCredentials()}
	}
	body := &body{conn: c, stop: stop, sent: sent}
	if err := body.frame(a, method); err != nil {
		return nil, err
	}
	decoded, err := decodeBody(a.header["content-encoding"], body)
	if err != nil {
		return nil, err
	}
	if body.left == 0 && !body.chunked {
		body.finish()
	}
	for _, name := range privateFields() {
		delete(a.header, name)
	}
	return &Response{Status: a.status, Header: a.header, Body: decoded}, nil
}

// framing says where a body ends.
type framing struct {
	keep    bool // the connection may serve another request
	chunked bool
	left    int64 // bytes of the body or, when chunked, of the present chunk; -1: up to the end of the connection
}

// frame finds out how long the body is. Where the header says it in two ways, or in one that only newer versions of HTTP have,
// sender and receiver may disagree on where the next answer begins, so the connection carries none.
func (f *framing) frame(a *answer, method string) *llm.Error {
	*f = framing{keep: !a.http10, left: -1}
	if connection := strings.ToLower(a.header["connection"]); connection != "" {
		f.keep = !strings.Contains(connection, "close") && (f.keep || strings.Contains(connection, "keep-alive"))
	}
	coding, coded := a.header["transfer-encoding"]
	coding = strings.ToLower(strings.TrimSpace(coding))
	length, stated := a.header["content-length"]
	f.keep = f.keep && !(coded && (stated || a.http10))
	switch {
	case method == http.MethodHead || a.status == http.StatusNoContent || a.status == http.StatusNotModified:
		f.left = 0
	case coding == "chunked" && !a.http10:
		f.chunked, f.left = true, 0
	case coding != "" && coding != "identity" && !a.http10:
		return llm.Errorf(llm.KindParse, "the answer has the transfer encoding %q, which was not asked for; chunked can be read", coding)
	case stated:
		size, ok := contentLength(length)
		if !ok {
			return llm.Errorf(llm.KindParse, "the answer has the unusable Content-Length %q", length)
		}
		f.left = size
	}
	return nil
}

// contentLength reads a length, which some proxies state more than once (RFC 9112, section 6.3).
func contentLength(stated string) (int64, bool) {
	first, rest, more := strings.Cut(stated, ",")
	first = strings.TrimSpace(first)
	for more {
		var next string
		if next, rest, more = strings.Cut(rest, ","); strings.TrimSpace(next) != first {
			return 0, false
		}
	}
	size, err := strconv.ParseUint(first, 10, 63) // takes no sign
	return int64(size), err == nil
}

// privateFields are left out of what the host sees: nobody needs them, and they would end in logs.
func privateFields() []string {
	return []string{"set-cookie", "set-cookie2", "authorization", "proxy-authorization", "www-authenticate", "proxy-authenticate"}
}

// body reads one answer's body. When it has been read to its end, the connection goes back to the pool; when it is closed
// before, so is the connection.
type body struct {
	framing
	conn   *conn
	sent   *sending
	stop   func() bool // ends the watch on the request's context; false: the context has ended
	inside bool        // a chunk was begun, and its last line end is still to come
	loan   *Loan       // while the connection is lent
	err    error       // how it ended
}

var errClosedBody = errors.New("the body of the answer was closed")

func (b *body) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	if len(p) == 0 {
		return 0, nil
	}
	if b.chunked {
		return b.readChunks(p)
	}
	if b.left >= 0 && int64(len(p)) > b.left {
		p = p[:b.left]
	}
	n, err := b.conn.reader.Read(p)
	if b.left >= 0 {
		b.left -= int64(n)
	}
	switch {
	case b.left == 0:
		b.finish()
	case err == io.EOF && b.left < 0:
		b.keep = false // the end of the connection is the end of the body
		b.finish()
	case IsNotYet(err):
		return n, err
	case err != nil:
		b.fail(err)
	}
	if n > 0 {
		return n, nil
	}
	return 0, b.err
}

// readChunks fills p from as many chunks as are there without waiting for more than the first byte (RFC 9112, section 7.1).
func (b *body) readChunks(p []byte) (n int, err error) {
	reader := b.conn.reader
	for n < len(p) {
		if b.left == 0 {
			if n > 0 && !lineBuffered(reader, b.inside) {
				break
			}
			if err := b.nextChunk(); IsNotYet(err) {
				return n, err
			} else if err != nil {
				b.fail(err)
				break
			}
			if b.err != nil { // the last chunk
				break
			}
		}
		if n > 0 && reader.Buffered() == 0 {
			break
		}
		m, err := reader.Read(p[n : n+int(min(int64(len(p)-n), b.left))])
		n += m
		b.left -= int64(m)
		if IsNotYet(err) {
			return n, err
		}
		if err != nil {
			b.fail(err)
			break
		}
	}
	if n > 0 {
		return n, nil
	}
	return 0, b.err
}

// lineBuffered reports whether the next chunk's size line has arrived whole, with the line end before it, and with the trailers
// behind it where it is that of the last chunk.
func lineBuffered(reader *bufio.Reader, inside bool) bool {
	waiting, _ := reader.Peek(reader.Buffered())
	if inside {
		end := bytes.IndexByte(waiting, '\n')
		if end < 0 {
			return false
		}
		waiting = waiting[end+1:]
	}
	line, rest, whole := bytes.Cut(waiting, []byte{'\n'})
	if size, _, _ := bytes.Cut(line, []byte{';'}); !whole || len(bytes.Trim(size, "0 \t\r")) > 0 {
		return whole
	}
	for whole && len(bytes.TrimSuffix(line, []byte{'\r'})) > 0 {
		line, rest, whole = bytes.Cut(rest, []byte{'\n'})
	}
	return whole
}

// awaitLine waits for the line that nextChunk reads, on a connection that is lent: there a line may only be read whole.
func (b *body) awaitLine() error {
	for reader := b.conn.reader; b.loan != nil && !lineBuffered(reader, b.inside); {
		if reader.Buffered() == readBuffer {
			return errHeader
		}
		if _, err := reader.Peek(reader.Buffered() + 1); err != nil {
			return err
		}
	}
	return nil
}

// chunkLine bounds a chunk's size line with its extensions, and a trailer.
const chunkLine = 16 << 10

func (b *body) nextChunk() error {
	if err := b.awaitLine(); err != nil {
		return err
	}
	budget := int64(chunkLine)
	if b.inside {
		line, err := b.conn.readLine(&budget)
		if err != nil {
			return err
		}
		if len(line) != 0 {
			return errors.New("a chunk of the answer is longer than it says")
		}
		b.inside = false
	}
	line, err := b.conn.readLine(&budget)
	if err != nil {
		return err
	}
	size, _, _ := bytes.Cut(line, []byte{';'})
	length, err := strconv.ParseUint(string(bytes.TrimSpace(size)), 16, 63) // takes no sign
	if err != nil {
		return errors.New("the size of a chunk of the answer is not a number")
	}
	b.left = int64(length)
	b.inside = true
	if b.left > 0 {
		return nil
	}
	for len(line) > 0 { // trailers, up to an empty line
		if line, err = b.conn.readLine(&budget); err != nil {
			return err
		}
	}
	b.finish()
	return nil
}

// finish ends the body properly.
func (b *body) finish() {
	if b.err != nil {
		return
	}
	b.err = io.EOF
	b.conn.prompt = time.Since(b.conn.began) < Patience
	if b.loan == nil {
		b.settle()
	}
}

// settle gives the connection of a body that was read to its end back, or up.
func (b *body) settle() {
	c := b.conn
	if b.stop() && b.keep && b.sent.complete() && c.reader.Buffered() == 0 {
		c.pool.park(c)
		return
	}
	c.abandon()
}

// fail ends the body with an error.
func (b *body) fail(err error) {
	if b.err != nil {
		return
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	b.err = err
	b.stop()
	b.conn.abandon()
}

func (b *body) Close() error {
	b.fail(errClosedBody)
	return nil
}
