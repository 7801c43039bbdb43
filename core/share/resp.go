package share

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// What a server says in version 2 of Redis's protocol (https://redis.io/docs/latest/develop/reference/protocol-spec/) becomes a
// string (simple or bulk), an int64, a []any, nil (for either null) or a said.

// said is an error that the server tells of.
type said string

func (s said) Error() string { return string(s) }

// What a reply may have. Those that are asked for have a record and a few words.
const (
	mostLine   = 4 << 10
	mostBulk   = 2 * slotBytes
	mostItems  = 64
	mostNested = 4
)

var errProtocol = errors.New("what it says is not Redis's protocol")

func notRedis(format string, args ...any) error {
	return fmt.Errorf("%w: %s", errProtocol, fmt.Sprintf(format, args...))
}

// appendCommand writes one command.
func appendCommand(to []byte, words ...string) []byte {
	to = fmt.Appendf(to, "*%d\r\n", len(words))
	for _, word := range words {
		to = fmt.Appendf(to, "$%d\r\n%s\r\n", len(word), word)
	}
	return to
}

// readReply reads one reply. The reader's buffer has room for mostLine.
func readReply(from *bufio.Reader) (any, error) { return readNested(from, mostNested) }

func readNested(from *bufio.Reader, levels int) (any, error) {
	line, err := from.ReadSlice('\n')
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return nil, notRedis("a line is longer than %d bytes", mostLine)
	case err != nil:
		return nil, err
	case len(line) < 3 || line[len(line)-2] != '\r':
		return nil, notRedis("a line begins with %q", line[:min(len(line), 20)])
	}
	kind, text := line[0], string(line[1:len(line)-2])
	switch kind {
	case '+':
		return text, nil
	case '-':
		return said(text), nil
	}
	number, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return nil, notRedis("a line begins with %q", line[:min(len(line), 20)])
	}
	switch kind {
	case ':':
		return number, nil
	case '$':
		return readBulk(from, number)
	case '*':
		return readItems(from, number, levels)
	}
	return nil, notRedis("a line begins with %q", line[:min(len(line), 20)])
}

func readBulk(from *bufio.Reader, length int64) (any, error) {
	if length == -1 {
		return nil, nil
	}
	if length < 0 || length > mostBulk {
		return nil, notRedis("a string of %d bytes", length)
	}
	data := make([]byte, length+2)
	if _, err := io.ReadFull(from, data); err != nil {
		return nil, err
	}
	if string(data[length:]) != "\r\n" {
		return nil, notRedis("a string goes on after its %d bytes", length)
	}
	return string(data[:length]), nil
}

func readItems(from *bufio.Reader, count int64, levels int) (any, error) {
	if count == -1 {
		return nil, nil
	}
	if count < 0 || count > mostItems || levels == 0 {
		return nil, notRedis("a list of %d, in %d others", count, mostNested-levels)
	}
	items := make([]any, count)
	for i := range items {
		item, err := readNested(from, levels-1)
		if err != nil {
			return nil, err
		}
		items[i] = item
	}
	return items, nil
}
