package engine

import (
	"bytes"
	"context"
	"io"
	"slices"
	"time"

	"pyagent/core/llm"
	"pyagent/core/stream"
	"pyagent/core/transport"
)

// answerReader is the body of an answer as decoders see it. Before every read from the network it hands the gathered events to
// the host: exactly then nothing more can be decoded, so a burst travels as a whole and a single delta travels at once.
type answerReader struct {
	exchange *exchange
	body     io.Reader
	head     []byte // read to look at, not yet passed on
	ended    bool   // the body came to its proper end
	lending         // of the connection, to threads of the host
}

func (x *exchange) newReader(response *transport.Response) *answerReader {
	x.reader = answerReader{exchange: x, body: response.Body}
	return &x.reader
}

func (r *answerReader) Read(p []byte) (int, error) {
	if len(r.head) > 0 {
		n := copy(p, r.head)
		r.head = r.head[n:]
		return n, nil
	}
	if r.ended {
		return 0, io.EOF
	}
	if err := r.flush(); err != nil {
		return 0, err
	}
	n, err := r.read(p)
	r.ended = err == io.EOF
	if n > 0 {
		r.exchange.watch.afterRead()
	}
	return n, err
}

// flush hands the gathered events over. The watchdog's clock stands while the host takes its time.
func (r *answerReader) flush() error {
	watch, sink := &r.exchange.watch, r.exchange.call.sink
	watch.beforeRead()
	if sink.Full() {
		if r.loan != nil { // a thread of the host is not to wait
			r.paused, r.full = true, true
			return stream.ErrNotYet
		}
		watch.note(true)
		defer watch.note(false)
	}
	return sink.Flush(r.exchange.ctx)
}

// peek returns the first byte that is no white space, without consuming anything; 0 at the end of the body.
func (r *answerReader) peek() (byte, error) {
	buf := make([]byte, 0, 512)
	for {
		if len(buf) == cap(buf) {
			buf = append(buf, 0)[:len(buf)]
		}
		n, err := r.Read(buf[len(buf):cap(buf)])
		seen := buf[len(buf) : len(buf)+n]
		buf = buf[:len(buf)+n]
		for _, c := range seen {
			if c != ' ' && c != '\t' && c != '\r' && c != '\n' {
				r.head = buf
				return c, nil
			}
		}
		if err != nil {
			r.head = buf
			return 0, err
		}
	}
}

// all reads to the end of the body, or a little beyond so many bytes.
func (r *answerReader) all(limit int64) ([]byte, error) {
	body := r.head
	r.head = nil
	for int64(len(body)) < limit {
		if len(body) == cap(body) {
			body = slices.Grow(body, bytes.MinRead)
		}
		n, err := r.Read(body[len(body):cap(body)])
		if body = body[:len(body)+n]; err != nil {
			if err == io.EOF {
				err = nil
			}
			return body, err
		}
	}
	return body, nil
}

// rest is a stream that is complete for the host although its body may go on: servers end the body shortly after their
// terminal signal, or never.
type rest struct {
	body   io.ReadCloser
	atEnd  bool
	cancel context.CancelCauseFunc
}

const (
	restBytes    = 64 << 10
	restPatience = 500 * time.Millisecond
)

// readRest reads a finished answer's last bytes, so that its connection can serve another call. A body that does not end soon
// loses its connection instead.
func (c *Call) readRest() {
	if c.rest == nil {
		return
	}
	if !c.rest.atEnd {
		patience := time.AfterFunc(restPatience, func() {
			c.rest.cancel(llm.Errorf(llm.KindInterrupted, "the answer goes on after its end"))
		})
		_, _ = io.CopyN(io.Discard, c.rest.body, restBytes)
		patience.Stop()
	}
	_ = c.rest.body.Close()
	c.rest.cancel(nil)
}
