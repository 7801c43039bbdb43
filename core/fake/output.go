package fake

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"
)

var (
	// errLeft ends a handler whose client is gone, or whose server is closing.
	errLeft = errors.New("the client left")
	// errCut ends a handler that dropped its connection because the script says so.
	errCut = errors.New("the script cut the connection")
)

// output is the way back to one client. Every method that sends or waits returns errLeft as soon as the client is gone.
type output struct {
	writer     http.ResponseWriter
	controller *http.ResponseController
	context    context.Context
	connection *connection // nil under a foreign http.Server
	record     *record
	script     *Script
	hijacked   net.Conn // taken over from net/http, with a header written by hand; nil: not
}

// header sends the status line and the header, or leaves that to net/http, which sends them with the first bytes of the
// body. length is that of the body, or -1 if only its end will tell.
func (o *output) header(status int, contentType string, length int) error {
	header := o.writer.Header()
	header.Set("Content-Type", contentType)
	header.Set("X-Request-Id", fmt.Sprintf("req_fake_%d", o.record.seen.ID))
	if length >= 0 {
		header.Set("Content-Length", strconv.Itoa(length))
	}
	for name, value := range o.script.Headers {
		header.Set(name, value)
	}
	if o.script.ContentType != "" {
		header.Set("Content-Type", o.script.ContentType)
	}
	if o.script.Trickle > 0 {
		return o.trickle(status, header)
	}
	o.writer.WriteHeader(status)
	return nil
}

// trickle sends the header byte by byte. net/http sends it in one write, so the connection is taken over from it, and
// the body ends with the connection.
func (o *output) trickle(status int, header http.Header) error {
	conn, _, err := o.controller.Hijack()
	if err != nil {
		return errLeft
	}
	o.hijacked = conn
	header.Set("Connection", "close")
	var text bytes.Buffer
	fmt.Fprintf(&text, "HTTP/1.1 %d %s\r\n", status, http.StatusText(status))
	header.Write(&text)
	text.WriteString("\r\n")
	for i := range text.Len() {
		if err := o.write(text.Bytes()[i : i+1]); err != nil {
			return err
		}
		if err := o.sleep(seconds(o.script.Trickle)); err != nil {
			return err
		}
	}
	return nil
}

// write sends p at once, in one write to the socket where that is in our hands.
func (o *output) write(p []byte) error {
	if o.context.Err() != nil {
		return errLeft
	}
	if o.hijacked != nil {
		return left(o.hijacked.Write(p))
	}
	if o.connection == nil || len(p) > maxHeld {
		return o.flush(p)
	}
	o.connection.hold()
	err := o.flush(p)
	if released := o.connection.release(); released != nil {
		return errLeft
	}
	return err
}

func (o *output) flush(p []byte) error {
	if err := left(o.writer.Write(p)); err != nil {
		return err
	}
	return left(0, o.controller.Flush())
}

// writeLast leaves the sending to net/http. That happens when the handler is over, so that a client which has seen the
// end of its answer also sees in the log that the request is finished.
func (o *output) writeLast(p []byte) error {
	if o.hijacked != nil {
		return o.write(p)
	}
	return left(o.writer.Write(p))
}

func left(_ int, err error) error {
	if err != nil {
		return errLeft
	}
	return nil
}

// pause waits in the middle of a stream, sending the comments that the script wants meanwhile.
func (o *output) pause(total time.Duration) error {
	every := seconds(o.script.CommentEvery)
	for every > 0 && total > every {
		if err := o.sleep(every); err != nil {
			return err
		}
		if err := o.write([]byte(": keep-alive\n\n")); err != nil {
			return err
		}
		total -= every
	}
	return o.sleep(total)
}

// stall waits until the client leaves.
func (o *output) stall(comments bool) error {
	if comments {
		return o.pause(math.MaxInt64)
	}
	return o.sleep(math.MaxInt64)
}

// sleep waits. net/http watches the connection meanwhile and ends the context when the client closes it.
func (o *output) sleep(total time.Duration) error {
	if o.hijacked != nil {
		return o.sleepReading(total)
	}
	if total <= 0 {
		return nil
	}
	timer := time.NewTimer(total)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-o.context.Done():
		return errLeft
	}
}

// sleepReading waits on a connection that net/http no longer watches, by reading from it: only the end of the
// connection can come. The slices are for the closing of the server.
func (o *output) sleepReading(total time.Duration) error {
	const slice = 50 * time.Millisecond
	var ignored [64]byte
	for total > 0 && o.context.Err() == nil {
		start := time.Now()
		o.hijacked.SetReadDeadline(start.Add(min(total, slice)))
		if _, err := o.hijacked.Read(ignored[:]); err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			return errLeft
		}
		total -= time.Since(start)
	}
	return left(0, o.context.Err())
}

// cut drops the connection, what was written before included in what the client gets.
func (o *output) cut(reset bool) error {
	if o.hijacked == nil {
		conn, _, err := o.controller.Hijack()
		if err != nil { // a foreign server without that: ErrAbortHandler will do
			return errCut
		}
		o.hijacked = conn
	}
	drop(o.hijacked, reset)
	return errCut
}
