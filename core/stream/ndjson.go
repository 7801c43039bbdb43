package stream

import (
	"bytes"
	"encoding/json"
	"io"
)

// NDJSON decodes a stream of JSON texts, one to a line, as https://github.com/ndjson/ndjson-spec describes it: "Each
// JSON text MUST [...] be followed by a newline character \n (0x0A). The newline character MAY be preceded by a
// carriage return \r (0x0D)." Lines of nothing but white space are skipped, which the specification allows.
type NDJSON struct {
	buffer
	lf int // no line feed lies in bytes[pos:lf]; the next one is at lf, or lf equals end
}

// NewNDJSON returns a decoder of the lines that r brings. One line may have maxLine bytes, its end not counted.
func NewNDJSON(r io.Reader, maxLine int) *NDJSON {
	return &NDJSON{buffer: newBuffer(r, maxLine)}
}

// Next returns the next line without its end, valid until the next call. It reads only when no complete line is
// buffered. At the end it returns io.EOF, or the reader's own error; a line above the limit ends the stream with a
// *TooLargeError. A last line without a line feed is returned if it is whole, that is valid JSON, and dropped
// otherwise.
func (d *NDJSON) Next() ([]byte, error) {
	for {
		if d.lf < d.pos {
			d.lf = d.find(d.pos)
		}
		start, ended := d.pos, error(nil)
		if d.lf == d.end {
			if ended = d.read(); ended == nil {
				continue
			} else if ended == ErrNotYet {
				return nil, ended
			}
			start = d.pos
		}
		line := bytes.TrimSuffix(d.bytes[start:d.lf], []byte("\r"))
		d.pos = min(d.lf+1, d.end)
		switch {
		case len(line) > d.limit:
			return nil, d.fail(&TooLargeError{d.limit})
		case ended != nil && !json.Valid(line):
			return nil, d.fail(ended)
		case len(bytes.TrimSpace(line)) > 0:
			return line[:len(line):len(line)], nil
		}
	}
}

// read brings more bytes behind an incomplete line, after refusing one that is too large even if its last byte belongs
// to the line's end.
func (d *NDJSON) read() error {
	if d.err == nil && d.end-d.pos > d.limit+1 {
		d.err = &TooLargeError{d.limit}
		d.pos = d.end
	}
	err := d.more()
	d.lf = d.find(d.end - d.fresh)
	return err
}

func (d *NDJSON) find(from int) int {
	if i := bytes.IndexByte(d.bytes[from:d.end], '\n'); i >= 0 {
		return from + i
	}
	return d.end
}

// fail makes err the answer to every later call, and drops what is still buffered.
func (d *NDJSON) fail(err error) error {
	d.err = err
	d.pos, d.lf = d.end, d.end
	return err
}
