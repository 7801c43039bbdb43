package stream

import (
	"errors"
	"fmt"
	"io"
	"math"
)

// Sizes of the read buffer in bytes. It starts small, because many answers are; it grows to readSize when reads fill
// it, so that a fast stream costs few reads; it grows further only for one event that needs it, and what is above
// keepSize is given back after that event.
const (
	firstSize = 4 << 10
	readSize  = 64 << 10
	keepSize  = 1 << 20

	// lineSlack is what a line that is not data may weigh beyond the limit. It leaves room for names and identifiers
	// beside data of exactly the limit, and keeps half of readSize free for reading.
	lineSlack = readSize / 2

	// emptyReads is how often in a row a reader may return nothing before it counts as broken.
	emptyReads = 100
)

// ErrNotYet is what a reader returns that has nothing now and may have more later. It ends nothing: Next returns it too, and
// goes on where it was when it is called again.
var ErrNotYet = errors.New("nothing has arrived yet")

// TooLargeError reports one event, or one line, that is larger than Limit bytes.
type TooLargeError struct {
	Limit int
}

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("one event of the stream is larger than the limit of %d bytes; "+
		"raise limits.event_bytes to accept it", e.Limit)
}

// buffer holds the bytes of one event while it is read. Two stretches of it are alive: what is finished of the event,
// bytes[from:to], and what is not parsed yet, bytes[pos:end]. Everything else is free to be overwritten.
//
// Every byte is moved a bounded number of times: the live bytes move to the front only when they fill at most half of
// the buffer, and otherwise into a buffer of twice the size.
type buffer struct {
	reader   io.Reader
	bytes    []byte
	from, to int
	pos, end int
	limit    int
	fresh    int   // how many bytes the last read brought
	filled   bool  // the last read left no room, so the reader probably has more
	err      error // what the reader said together with its last bytes
}

func newBuffer(r io.Reader, limit int) buffer {
	return buffer{reader: r, limit: min(max(limit, 0), math.MaxInt-2*readSize)}
}

// more reads once from the reader, and blocks as long as that does. An error means that not a single byte came. What is
// alive may have moved afterwards.
func (b *buffer) more() error {
	b.fresh = 0
	if b.err != nil {
		return b.err
	}
	b.makeRoom()
	for range emptyReads {
		space := b.bytes[b.end:min(len(b.bytes), b.end+readSize)]
		n, err := b.reader.Read(space)
		b.end += n
		b.fresh = n
		b.filled = n == len(space)
		if err != ErrNotYet {
			b.err = err
		}
		if n > 0 {
			return nil
		}
		if err != nil {
			return err
		}
	}
	b.err = io.ErrNoProgress
	return b.err
}

// makeRoom leaves at least a quarter of readSize free for reading, in a small buffer a quarter of that.
func (b *buffer) makeRoom() {
	live := b.to - b.from + b.end - b.pos
	size := len(b.bytes)
	switch largest := b.limit + readSize; {
	case size == 0:
		b.move(make([]byte, firstSize))
	case size > keepSize && live <= readSize/2:
		b.move(make([]byte, readSize))
	case b.filled && size < readSize:
		b.move(make([]byte, 2*size))
	case live == 0:
		b.move(b.bytes)
	case size-b.end >= min(size, readSize)/4:
	case live > size/2 && size < largest:
		b.move(make([]byte, min(2*size, largest)))
	default:
		b.move(b.bytes)
	}
}

// move puts the live bytes at the front of target, which may be the present buffer.
func (b *buffer) move(target []byte) {
	finished := copy(target, b.bytes[b.from:b.to])
	waiting := copy(target[finished:], b.bytes[b.pos:b.end])
	b.bytes = target
	b.from, b.to = 0, finished
	b.pos, b.end = finished, finished+waiting
}
