package fake

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"time"
)

// Why a handler ends before its answer does.
var (
	errLeft  = errors.New("the client left") // or the server is closing
	errCut   = errors.New("the script closes the connection")
	errReset = errors.New("the script resets the connection")
)

// output is the way back to one client. Every method that sends or waits returns errLeft as soon as the client is gone.
type output struct {
	response *response
	gone     <-chan struct{} // closed when the client leaves
	record   *record
	script   *Script
	fields   http.Header // of the response, beside those of every response
	lines    bool        // the stream is of lines of JSON, and not of server-sent events
	last     []byte      // the end of the body, to be sent when the handler is over
}

// header sends the status line and the header, with the first bytes of the body or, by a trickling script, now. length
// is that of the body, or -1 if only its end will tell.
func (o *output) header(status int, contentType string, length int) error {
	if status != http.StatusNotModified {
		o.fields.Set("Content-Type", contentType)
	}
	o.fields.Set("X-Request-Id", fmt.Sprintf("req_fake_%d", o.record.seen.ID))
	for name, value := range o.script.Headers {
		o.fields.Set(name, value)
	}
	if o.script.ContentType != "" {
		o.fields.Set("Content-Type", o.script.ContentType)
	}
	o.response.start(status, o.fields, length)
	if o.script.Trickle == 0 {
		return nil
	}
	for range o.response.pending.Len() {
		if err := left(o.response.flush(1)); err != nil {
			return err
		}
		if err := o.sleep(seconds(o.script.Trickle)); err != nil {
			return err
		}
	}
	return nil
}

// write sends p, in one write to the socket.
func (o *output) write(p []byte) error {
	select {
	case <-o.gone:
		return errLeft
	default:
		return left(o.response.write(p))
	}
}

// writeLast leaves p to whoever ends the answer.
func (o *output) writeLast(p []byte) error {
	o.last = p
	return nil
}

func left(err error) error {
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

func (o *output) sleep(total time.Duration) error {
	if total <= 0 {
		return nil
	}
	timer := time.NewTimer(total)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-o.gone:
		return errLeft
	}
}
