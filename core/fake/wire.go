package fake

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// response is the writing half of a connection, for one answer: its header and the framing of its body. The header
// waits for the first write of the body, and framing goes with what it frames: each write is one write to the socket.
type response struct {
	to       io.Writer
	old      bool // HTTP/1.0, which has no chunks
	headOnly bool // an answer that has no body, or that leaves it out
	chunked  bool
	keep     bool // the connection can carry another request
	pending  bytes.Buffer
}

func newResponse(to io.Writer, r *http.Request) *response {
	return &response{to: to, old: !r.ProtoAtLeast(1, 1), headOnly: r.Method == http.MethodHead, keep: !r.Close}
}

// start makes the header. length is that of the body, or -1 if only its end will tell. Fields of the script that frame
// the body go out as they are, and the body behind them as it is: the end of the connection is all that is sure then.
func (r *response) start(status int, fields http.Header, length int) {
	r.headOnly = r.headOnly || status == http.StatusNoContent || status == http.StatusNotModified
	switch {
	case fields["Content-Length"] != nil || fields["Transfer-Encoding"] != nil:
		r.keep = false
	case status == http.StatusNoContent || status == http.StatusNotModified:
	case length >= 0:
		fields.Set("Content-Length", strconv.Itoa(length))
	case r.old:
		r.keep = false
	default:
		fields.Set("Transfer-Encoding", "chunked")
		r.chunked = true
	}
	switch {
	case strings.EqualFold(fields.Get("Connection"), "close"):
		r.keep = false
	case !r.keep:
		fields.Set("Connection", "close")
	case r.old:
		fields.Set("Connection", "keep-alive")
	}
	if fields["Date"] == nil {
		fields.Set("Date", time.Now().UTC().Format(http.TimeFormat))
	}
	fmt.Fprintf(&r.pending, "HTTP/1.1 %d %s\r\n", status, http.StatusText(status))
	fields.Write(&r.pending)
	r.pending.WriteString("\r\n")
}

// write sends a part of the body, and what is pending of the header before it.
func (r *response) write(p []byte) error {
	r.frame(p)
	return r.flush(r.pending.Len())
}

// end sends the last part of the body.
func (r *response) end(p []byte) error {
	r.frame(p)
	if r.chunked && !r.headOnly {
		r.pending.WriteString("0\r\n\r\n")
	}
	return r.flush(r.pending.Len())
}

// frame puts a part of the body behind what is pending. An empty chunk would be the end of the body.
func (r *response) frame(p []byte) {
	switch {
	case r.headOnly || len(p) == 0:
	case r.chunked:
		r.pending.Grow(len(p) + 20)
		fmt.Fprintf(&r.pending, "%x\r\n", len(p))
		r.pending.Write(p)
		r.pending.WriteString("\r\n")
	default:
		r.pending.Write(p)
	}
}

// flush sends the first n bytes of what is pending in one write.
func (r *response) flush(n int) error {
	if n == 0 {
		return nil
	}
	_, err := r.to.Write(r.pending.Next(n))
	return err
}
