// Package stream cuts the body of a streamed answer into its frames: server-sent events, or lines of JSON. It knows
// bytes and an io.Reader, nothing of HTTP and nothing of what the frames mean.
package stream

import (
	"bytes"
	"encoding/json"
	"io"
)

// Event is one server-sent event. Data is a slice of the decoder's buffer, valid until the next call of Next.
type Event struct {
	Name string // "" means "message"
	Data []byte // lines joined with "\n"
	ID   string // the last event ID, which stays until the stream sets another
}

// SSE decodes a stream of server-sent events as the WHATWG describes it, with two deviations, see last and bare, and one
// addition, the limit. Any split of the same bytes over reads gives the same events.
//
// The specification is https://html.spec.whatwg.org/multipage/server-sent-events.html; comments quote its sentences.
type SSE struct {
	buffer
	lf, cr  int  // the first line feed and carriage return from pos on, or end; stale if below pos
	opened  bool // the byte order mark was looked for
	afterCR bool // the last line ended with a carriage return that was the last byte read; a line feed may belong to it
	skip    bool // the start of the present line, a comment, was thrown away
	paused  bool // the last call of Next ended with ErrNotYet, in the middle of an event
	hasData bool // the event has a data line; its data is bytes[from:to]
	isBare  bool // the event is JSON without field names, see bare
	name    string
	id      string
	names   map[string]string
}

// NewSSE returns a decoder of the events that r brings. The data of one event may have maxEvent bytes.
func NewSSE(r io.Reader, maxEvent int) *SSE {
	return &SSE{buffer: newBuffer(r, maxEvent)}
}

// Next returns the next event. It reads only when no complete event is buffered. At the end it returns io.EOF, or the
// reader's own error; an event above the limit ends the stream with a *TooLargeError.
func (s *SSE) Next() (Event, error) {
	if !s.paused {
		s.from, s.to, s.hasData, s.isBare, s.name = 0, 0, false, false, ""
	}
	s.paused = false
	for {
		start, stop, ok := s.line()
		if !ok {
			if err := s.check(); err != nil {
				return Event{}, s.fail(err)
			}
			if err := s.read(); err == ErrNotYet {
				s.paused = true
				return Event{}, err
			} else if err != nil {
				return s.last(err)
			}
			continue
		}
		switch {
		case s.skip:
			s.skip = false
		case start == stop:
			if s.hasData {
				return s.event(), nil
			}
			s.name = ""
		default:
			if err := s.field(start, stop); err != nil {
				return Event{}, s.fail(err)
			}
		}
	}
}

// event hands out what the blank line closed: "Set the data buffer and the event type buffer to the empty string" is
// done by the next call, because the data is still in use.
//
// https://html.spec.whatwg.org/multipage/server-sent-events.html#dispatchMessage
func (s *SSE) event() Event {
	return Event{Name: s.name, Data: s.bytes[s.from:s.to:s.to], ID: s.id}
}

// line takes the next complete line; bytes[start:stop] is its content. "Lines must be separated by either a U+000D
// CARRIAGE RETURN U+000A LINE FEED (CRLF) character pair, a single U+000A LINE FEED (LF) character, or a single U+000D
// CARRIAGE RETURN (CR) character." A carriage return ends its line at once, without waiting for the line feed that may
// follow.
//
// https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
func (s *SSE) line() (start, stop int, ok bool) {
	if s.afterCR && s.pos < s.end {
		s.afterCR = false
		if s.bytes[s.pos] == '\n' {
			s.pos++
		}
	}
	start = s.pos
	if s.lf < start {
		s.lf = s.find('\n', start)
	}
	if s.cr < start {
		s.cr = s.find('\r', start)
	}
	stop = min(s.lf, s.cr)
	if stop == s.end {
		return 0, 0, false
	}
	s.pos = stop + 1
	if s.cr == stop {
		if s.pos == s.end {
			s.afterCR = true
		} else if s.bytes[s.pos] == '\n' {
			s.pos++
		}
	}
	return start, stop, true
}

// find returns the first place of c at or after from, or end. Its result is kept in lf and cr, so that every byte is
// looked at once for each of the two, whatever mixture of line ends the stream has.
func (s *SSE) find(c byte, from int) int {
	if i := bytes.IndexByte(s.bytes[from:s.end], c); i >= 0 {
		return from + i
	}
	return s.end
}

// field processes one line that is not blank. "If the line starts with a U+003A COLON character (:), ignore the line.
// If the line contains a U+003A COLON character (:), collect the characters on the line before the first U+003A COLON
// character (:), and let field be that string. Collect the characters on the line after the first U+003A COLON
// character (:), and let value be that string. If value starts with a U+0020 SPACE character, remove it from value.
// Otherwise [...] using the whole line as the field name, and the empty string as the field value."
//
// https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
func (s *SSE) field(start, stop int) error {
	line := s.bytes[start:stop]
	if !s.isBare && len(line) >= 5 && string(line[:5]) == "data:" {
		return s.data(value(line[5:]), stop)
	}
	colon := bytes.IndexByte(line, ':')
	if colon == 0 {
		return nil
	}
	if s.bare(line) {
		s.isBare = true
		return s.data(line, stop)
	}
	if s.to-s.from+len(line) > s.limit+lineSlack {
		return &TooLargeError{s.limit}
	}
	if colon < 0 {
		return s.set(line, nil, stop)
	}
	return s.set(line[:colon], value(line[colon+1:]), stop)
}

// bare tells whether a line is data although it does not say so. Some servers that fail in mid-stream send their error as a
// JSON object, on one line or on many, without "data:" before it. No field has a name that begins with a brace, so such a
// line begins an event, and what follows up to the blank line is part of it.
func (s *SSE) bare(line []byte) bool { return s.isBare || !s.hasData && line[0] == '{' }

func value(afterColon []byte) []byte {
	if len(afterColon) > 0 && afterColon[0] == ' ' {
		return afterColon[1:]
	}
	return afterColon
}

// set processes a field: "The steps to process the field given a field name and a field value depend on the field
// name". "retry" sets a reconnection time, and nothing here ever reconnects: it is ignored, like the fields that nobody
// knows.
//
// https://html.spec.whatwg.org/multipage/server-sent-events.html#processField
func (s *SSE) set(field, value []byte, stop int) error {
	switch string(field) {
	case "data":
		return s.data(value, stop)
	case "event": // "Set the event type buffer to the field value."
		s.name = s.intern(value)
	case "id": // "If the field value does not contain U+0000 NULL, then set the last event ID buffer to the field value."
		if string(value) != s.id && bytes.IndexByte(value, 0) < 0 {
			s.id = string(value)
		}
	}
	return nil
}

// data appends a value that ends at stop: "Append the field value to the data buffer, then append a single U+000A LINE
// FEED (LF) character to the data buffer", of which the last one is removed again when the event is dispatched. The
// first line stays where it lies. Each further one moves down to it inside the buffer, where its own "data" left more
// room than the line feed needs.
//
// https://html.spec.whatwg.org/multipage/server-sent-events.html#processField
func (s *SSE) data(value []byte, stop int) error {
	if !s.hasData {
		if len(value) > s.limit {
			return &TooLargeError{s.limit}
		}
		s.hasData = true
		s.from, s.to = stop-len(value), stop
		return nil
	}
	if s.to-s.from+1+len(value) > s.limit {
		return &TooLargeError{s.limit}
	}
	s.bytes[s.to] = '\n'
	s.to += 1 + copy(s.bytes[s.to+1:], value)
	return nil
}

// intern returns value as a string, the same one for the same name: a stream repeats a few names thousands of times.
func (s *SSE) intern(value []byte) string {
	const mostNames, longestName = 64, 64
	if name, ok := s.names[string(value)]; ok {
		return name
	}
	name := string(value)
	if len(name) <= longestName && len(s.names) < mostNames {
		if s.names == nil {
			s.names = make(map[string]string)
		}
		s.names[name] = name
	}
	return name
}

// check refuses an incomplete line that is already too large. Of an incomplete comment nothing is kept, so that a
// comment costs no memory however long it is.
func (s *SSE) check() error {
	rest := s.bytes[s.pos:s.end]
	if s.skip || s.opened && len(rest) > 0 && rest[0] == ':' {
		s.skip = true
		s.pos, s.lf, s.cr = s.end, s.end, s.end
	} else if s.to-s.from+len(rest) > s.allowed(rest) {
		return &TooLargeError{s.limit}
	}
	return nil
}

// read brings more bytes behind an incomplete line, and looks for line ends in them alone.
func (s *SSE) read() error {
	err := s.more()
	unseen := s.end - s.fresh
	s.lf, s.cr = s.find('\n', unseen), s.find('\r', unseen)
	s.open(err != nil && err != ErrNotYet)
	return err
}

// allowed is what an incomplete line and the data before it may weigh together: enough for no line to be refused here
// that would pass when it is complete.
func (s *SSE) allowed(line []byte) int {
	if bytes.HasPrefix(line, []byte("data:")) {
		return s.limit + len("data: ")
	}
	return s.limit + lineSlack
}

// open removes a byte order mark: "The UTF-8 decode algorithm strips one leading UTF-8 Byte Order Mark (BOM), if any."
// Fewer than three bytes that may become one wait for more, unless none come.
//
// https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
func (s *SSE) open(ended bool) {
	const mark = "\xEF\xBB\xBF"
	if s.opened {
		return
	}
	have := min(len(mark), s.end-s.pos)
	if string(s.bytes[s.pos:s.pos+have]) != mark[:have] {
		s.opened = true
	} else if have == len(mark) {
		s.opened = true
		s.pos += have
	} else {
		s.opened = ended
	}
}

// last decides about an event that the stream ended in, with the error that ended it. The standard drops it: "Once the
// end of the file is reached, any pending data must be discarded." Some servers, and proxies that trim, leave out the
// last blank line, so an event whose data is evidently whole, JSON or the word [DONE], is returned before the error.
//
// https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
func (s *SSE) last(err error) (Event, error) {
	line := s.bytes[s.pos:s.end]
	if !s.skip && len(line) > 0 && (bytes.HasPrefix(line, []byte("data:")) || string(line) == "data" || s.bare(line)) {
		if err := s.field(s.pos, s.end); err != nil {
			return Event{}, s.fail(err)
		}
	}
	s.fail(err)
	if data := s.bytes[s.from:s.to]; s.hasData && (json.Valid(data) || string(bytes.TrimSpace(data)) == "[DONE]") {
		return s.event(), nil
	}
	return Event{}, err
}

// fail makes err the answer to every later call, and drops what is still buffered.
func (s *SSE) fail(err error) error {
	s.err = err
	s.pos, s.lf, s.cr = s.end, s.end, s.end
	return err
}
