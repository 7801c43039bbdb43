package transport

import (
	"bufio"
	"bytes"
	"context"
	"strconv"
	"time"
)

// An exchange can begin and wait on a thread of the host, without a goroutine: Begin, then Wait. It saves the wake-ups of the
// threads that carry the goroutine, which is more than all the work of a small exchange. Only what is simple is done so: a
// small request, an idle connection, an answer that comes at once and fits into the read buffer. Whatever else happens is left
// as it stands to Send.

// Patience is how long a thread of the host waits for a piece of an answer. A thread that sleeps in the system call cannot be
// woken without the connection, and the longer an answer takes, the less a hand-over matters.
const Patience = 20 * time.Millisecond

// Begin sends a request, if that can be done at once, for Wait and Send to go on with. Otherwise nothing has happened and it
// returns nil. When ctx ends, the connection is closed at once.
func (t *Transport) Begin(ctx context.Context, request Request) *Exchange {
	at, err := t.addressOf(request)
	if err != nil || t.http2 != nil || len(request.Body) > readBuffer {
		return nil
	}
	seen := t.exposure(request, at)
	if seen == public {
		return nil
	}
	c := t.pool.prompt(at.route)
	if c == nil {
		return nil
	}
	if seen == byAddress && c.exposure() == public || !c.hold() {
		t.pool.park(c)
		return nil
	}
	return c.begin(ctx, request, at.target, t.headerBytes)
}

// Wait sleeps until the answer has arrived to its end, and reports whether it has: then neither Send nor reading the body
// waits for anything.
func (x *Exchange) Wait() bool {
	x.conn.hurry(true)
	defer x.conn.hurry(false)
	reader := x.conn.reader
	for began := time.Now(); ; {
		for x.answer == nil && x.failure == nil && bytes.Contains(arrived(reader), []byte("\r\n\r\n")) {
			x.readHeader()
		}
		if x.failure != nil || x.answer != nil && x.whole() {
			return true
		}
		if reader.Buffered() == readBuffer || time.Since(began) > Patience {
			return false
		}
		if _, err := reader.Peek(reader.Buffered() + 1); err != nil {
			return false
		}
	}
}

func arrived(reader *bufio.Reader) []byte {
	waiting, _ := reader.Peek(reader.Buffered())
	return waiting
}

// whole reports whether all of the answer is in the read buffer. One that unpacks to more, or that redirects, is not.
func (x *Exchange) whole() bool {
	var framing framing
	if framing.frame(x.answer, x.method) != nil {
		return true // there is nothing to wait for
	}
	body := arrived(x.conn.reader)
	switch {
	case x.answer.header["content-encoding"] != "" || x.answer.status >= 300 && x.answer.status < 400:
		return false
	case framing.chunked:
		return hasLastChunk(body)
	}
	return framing.left >= 0 && framing.left <= int64(len(body))
}

// hasLastChunk reports whether a chunked body is there to the end of its trailers.
func hasLastChunk(body []byte) bool {
	for {
		line, rest, ok := bytes.Cut(body, []byte{'\n'})
		if !ok {
			return false
		}
		size, _, _ := bytes.Cut(line, []byte{';'})
		n, err := strconv.ParseUint(string(bytes.TrimSpace(size)), 16, 31)
		if err != nil || int(n) > len(rest) {
			return false
		}
		if n == 0 {
			return bytes.HasPrefix(rest, []byte("\r\n")) || bytes.Contains(rest, []byte("\r\n\r\n"))
		}
		if _, body, ok = bytes.Cut(rest[n:], []byte{'\n'}); !ok {
			return false
		}
	}
}
