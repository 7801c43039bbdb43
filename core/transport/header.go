package transport

import (
	"bytes"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"pyagent/core/llm"
)

// parseStatus reads "HTTP/1.1 200 OK".
func parseStatus(line []byte) (status int, http10, ok bool) {
	if len(line) < 12 || !bytes.HasPrefix(line, []byte("HTTP/1.")) || line[8] != ' ' || len(line) > 12 && line[12] != ' ' {
		return 0, false, false
	}
	if line[7] < '0' || line[7] > '9' {
		return 0, false, false
	}
	for _, digit := range line[9:12] {
		if digit < '0' || digit > '9' {
			return 0, false, false
		}
		status = status*10 + int(digit-'0')
	}
	return status, line[7] == '0', status >= 100
}

// isTLS recognises the alert with which a server of TLS answers a request without it.
func isTLS(line []byte) bool { return len(line) > 1 && line[0] == 0x15 && line[1] == 0x03 }

// notHTTP says what came in place of an HTTP answer.
func notHTTP(line []byte) *llm.Error {
	if isTLS(line) {
		return llm.Errorf(llm.KindConnection, "it speaks TLS on this port; should base_url start with https://?")
	}
	return llm.Errorf(llm.KindConnection, "it does not speak HTTP; its answer begins with %q", line[:min(len(line), 60)])
}

// lowerName is a field name in lower case; for the names that every vendor sends, without making a string.
func lowerName(name []byte) string {
	name = bytes.TrimRight(name, " \t")
	for i, c := range name {
		if 'A' <= c && c <= 'Z' {
			name[i] = c + 'a' - 'A'
		}
	}
	switch string(name) { // the compiler makes no string for these comparisons
	case "content-type":
		return "content-type"
	case "content-length":
		return "content-length"
	case "date":
		return "date"
	case "server":
		return "server"
	case "connection":
		return "connection"
	case "transfer-encoding":
		return "transfer-encoding"
	case "x-request-id":
		return "x-request-id"
	case "cache-control":
		return "cache-control"
	}
	return string(name)
}

func fieldValue(value []byte) string {
	value = bytes.Trim(value, " \t")
	for i, c := range value {
		if c < ' ' && c != '\t' || c == 0x7f {
			value[i] = ' ' // RFC 9110, section 5.5: control characters are dangerous further on
		}
	}
	if utf8.Valid(value) {
		return string(value)
	}
	return strings.ToValidUTF8(string(value), "\uFFFD")
}

// fieldList gathers the lines of a header. Further lines of a name wait in a list and are joined once, so that a header of
// many lines costs as much as it is long.
type fieldList struct {
	values   map[string]string
	more     map[string][]string // further values of a name, in order
	previous string
}

// add takes one line; false means that it is no field.
func (f *fieldList) add(line []byte) bool {
	if line[0] == ' ' || line[0] == '\t' { // an old way of continuing the previous field
		f.append(" ", line)
		return f.previous != ""
	}
	colon := bytes.IndexByte(line, ':')
	if colon <= 0 {
		return false
	}
	f.previous = lowerName(line[:colon])
	if _, ok := f.values[f.previous]; ok {
		f.append(", ", line[colon+1:])
	} else {
		f.values[f.previous] = fieldValue(line[colon+1:])
	}
	return true
}

func (f *fieldList) append(separator string, value []byte) {
	if f.more == nil {
		f.more = make(map[string][]string)
	}
	f.more[f.previous] = append(f.more[f.previous], separator, fieldValue(value))
}

func (f *fieldList) joined() map[string]string {
	for name, more := range f.more {
		f.values[name] += strings.Join(more, "")
	}
	return f.values
}

// connectTimeout is the cause of a request's end when no connection was there in time.
type connectTimeout struct{ after time.Duration }

func (e *connectTimeout) Error() string { return fmt.Sprintf("no connection within %v", e.after) }
