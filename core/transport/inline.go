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

// An event loop does not wait at all. The socket of an exchange that begins for one is put into its watch, which tells when
// something has come, and Arrive takes that in.

// Patience is how long a thread of the host waits for a piece of an answer. A thread that sleeps in the system call cannot be
// woken without the connection, and the longer an answer takes, the less a hand-over matters.
const Patience = 20 * time.Millisecond

// Begin sends a request, if that can be done at once, for Wait and Send to go on with. Otherwise nothing has happened and it
// returns nil. When ctx ends, the connection is closed at once.
func (t *Transport) Begin(ctx context.Context, request Request) *Exchange {
	return t.begin(ctx, request, t.pool.prompt, func(c *conn) bool {
		return c.hold() && c.raw.(*socket).stay(nil) // no event loop is to wake for it
	})
}

// BeginWatched is Begin for Arrive in place of Wait. The watch tells reader when there is something for it.
func (t *Transport) BeginWatched(ctx context.Context, request Request, watch *Watch, reader Reader) *Exchange {
	x := t.begin(ctx, request, t.pool.idle, func(c *conn) bool {
		socket := c.lend()
		if socket == nil {
			return false
		}
		if !socket.stay(watch) {
			socket.takeBack()
			return false
		}
		watch.tell(socket.descriptor(), reader) // before anything is sent that could be answered
		return true
	})
	if x != nil {
		x.watch = watch
	}
	return x
}

// begin takes an idle connection, gets it ready, and sends the request.
func (t *Transport) begin(ctx context.Context, request Request, take func(route) *conn, prepare func(*conn) bool) *Exchange {
	at, err := t.addressOf(request)
	if err != nil || t.http2 != nil || len(request.Body) > readBuffer {
		return nil
	}
	seen := t.exposure(request, at)
	if seen == public {
		return nil
	}
	c := take(at.route)
	if c == nil {
		return nil
	}
	if seen == byAddress && c.exposure() == public || !prepare(c) {
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
	began := time.Now()
	whole, _ := x.gather(func() bool { return time.Since(began) > Patience })
	return whole
}

// Arrive takes in what has come. The answer has either arrived to its end, as with Wait; or its rest is waited for, and the
// reader will be told; or the exchange is for Send.
func (x *Exchange) Arrive() (whole, waits bool) {
	socket := x.conn.raw.(*socket)
	socket.allow(2 * readBuffer)
	whole, err := x.gather(func() bool { return false })
	waits = !whole && IsNotYet(err) && !socket.spent()
	if !waits {
		x.Leave()
	}
	return whole, waits
}

// Leave ends that the watch tells of the exchange. It is followed by Send.
func (x *Exchange) Leave() {
	if x.watch != nil {
		socket := x.conn.raw.(*socket)
		x.watch.tell(socket.descriptor(), nil)
		socket.takeBack()
		x.watch = nil
	}
}

// gather reads until the answer is there to its end. Otherwise it says why reading ended; nil for a limit and what is left to Send.
func (x *Exchange) gather(limit func() bool) (whole bool, failure error) {
	for reader := x.conn.reader; ; {
		for x.answer == nil && x.failure == nil && bytes.Contains(arrived(reader), []byte("\r\n\r\n")) {
			x.readHeader()
		}
		if x.failure != nil {
			return true, nil
		}
		if x.answer != nil {
			if whole, simple := x.whole(); whole || !simple {
				return whole, nil
			}
		}
		if reader.Buffered() == readBuffer || limit() {
			return false, nil
		}
		if _, err := reader.Peek(reader.Buffered() + 1); err != nil {
			return false, err
		}
	}
}

func arrived(reader *bufio.Reader) []byte {
	waiting, _ := reader.Peek(reader.Buffered())
	return waiting
}

// whole reports whether all of the answer is in the read buffer. One that is not simple never is: it unpacks to more, redirects,
// or ends with its connection.
func (x *Exchange) whole() (whole, simple bool) {
	var framing framing
	if framing.frame(x.answer, x.method) != nil {
		return true, true // there is nothing to wait for
	}
	body := arrived(x.conn.reader)
	switch {
	case x.answer.header["content-encoding"] != "" || x.answer.status >= 300 && x.answer.status < 400:
		return false, false
	case framing.chunked:
		return hasLastChunk(body), true
	}
	return framing.left >= 0 && framing.left <= int64(len(body)), framing.left >= 0
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
