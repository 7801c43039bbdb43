package stream

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// lines drains a decoder, keeping copies of what it returns, and says how it ended.
func lines(r io.Reader, limit int) (all []string, err error) {
	decoder := NewNDJSON(r, limit)
	for {
		line, err := decoder.Next()
		if err != nil {
			if _, again := decoder.Next(); again != err {
				return nil, fmt.Errorf("after %v, Next said %v", err, again)
			}
			return all, err
		}
		all = append(all, string(line))
	}
}

// referenceLinesOfJSON is to NDJSON what reference is to SSE.
func referenceLinesOfJSON(stream string, limit int) (all []string, tooLarge bool) {
	parts := strings.Split(stream, "\n")
	for i, line := range parts {
		line = strings.TrimSuffix(line, "\r")
		if len(line) > limit {
			return all, true
		}
		whole := i < len(parts)-1 || json.Valid([]byte(line))
		if whole && strings.TrimSpace(line) != "" {
			all = append(all, line)
		}
	}
	return all, false
}

func TestNDJSON(t *testing.T) {
	const digits = "0123456789012345"
	tests := map[string]struct {
		stream   string
		want     []string
		tooLarge bool
	}{
		"nothing":                 {"", nil, false},
		"LF":                      {"{\"a\":1}\n{\"b\":2}\n", []string{`{"a":1}`, `{"b":2}`}, false},
		"CRLF":                    {"{\"a\":1}\r\n{\"b\":2}\r\n", []string{`{"a":1}`, `{"b":2}`}, false},
		"blank lines":             {"\n\r\n{\"a\":1}\n \t\n\n{\"b\":2}\n\n", []string{`{"a":1}`, `{"b":2}`}, false},
		"CR inside":               {"{\"a\":\r1}\n", []string{"{\"a\":\r1}"}, false},
		"no line feed":            {"{\"a\":1}\n{\"b\":2}", []string{`{"a":1}`, `{"b":2}`}, false},
		"a carriage return alone": {"{\"a\":1}\r", []string{`{"a":1}`}, false},
		"half a line":             {"{\"a\":1}\n{\"b\":", []string{`{"a":1}`}, false},
		"no JSON":                 {"hello\n", []string{"hello"}, false},
		"exactly the limit":       {"0123456789012345\n9876543210987654\r\n", []string{digits, "9876543210987654"}, false},
		"one more":                {"1\n01234567890123456\n2\n", []string{"1"}, true},
		"one more, never ended":   {"1\n01234567890123456", []string{"1"}, true},
		"two more, never ended":   {"1\n012345678901234567", []string{"1"}, true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			for _, reader := range []io.Reader{
				strings.NewReader(test.stream), iotest.OneByteReader(strings.NewReader(test.stream)),
			} {
				got, err := lines(reader, 16)
				var large *TooLargeError
				if errors.As(err, &large) != test.tooLarge || !test.tooLarge && err != io.EOF || !slices.Equal(got, test.want) {
					t.Errorf("got %q, %v", got, err)
				}
			}
			got, tooLarge := referenceLinesOfJSON(test.stream, 16)
			if tooLarge != test.tooLarge || !slices.Equal(got, test.want) {
				t.Errorf("the reference parser got %q", got)
			}
		})
	}
}

func TestNDJSONOfABrokenReader(t *testing.T) {
	broken := errors.New("connection reset")
	reader := io.MultiReader(strings.NewReader("1\n{\"done\":true}"), iotest.ErrReader(broken))
	if got, err := lines(reader, mebibyte); err != broken || !slices.Equal(got, []string{"1", `{"done":true}`}) {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestNDJSONReadsOnlyWhenNoLineIsComplete(t *testing.T) {
	reader := &scripted{t: t, pieces: []string{"1\n2\n\n3\n", "4", "\n"}}
	decoder := NewNDJSON(reader, mebibyte)
	for i, want := range []int{1, 1, 1, 3} {
		if _, err := decoder.Next(); err != nil || reader.reads != want {
			t.Fatalf("line %d came after %d reads, want %d (%v)", i, reader.reads, want, err)
		}
	}
}

func TestNDJSONCost(t *testing.T) {
	const size = 16 * mebibyte
	reader := &meter{reader: strings.NewReader(strings.Repeat("x", size) + "\n1\n")}
	decoder := NewNDJSON(reader, size)
	if line, err := decoder.Next(); err != nil || len(line) != size {
		t.Fatalf("got %d bytes, %v", len(line), err)
	}
	if reader.moves > 20 || reader.reads > size/readSize+20 {
		t.Errorf("%d moves and %d reads", reader.moves, reader.reads)
	}
	small := NewNDJSON(&endless{block: []byte("{\"message\":{\"content\":\"a\"},\"done\":false}\n")}, mebibyte)
	next := func() {
		if _, err := small.Next(); err != nil {
			t.Fatal(err)
		}
	}
	for range 2000 {
		next()
	}
	if got := testing.AllocsPerRun(2000, next); got != 0 {
		t.Errorf("%v allocations for a line", got)
	}
}

func BenchmarkNDJSON(b *testing.B) {
	line := delta(200) + "\n"
	decoder := NewNDJSON(&endless{block: []byte(strings.Repeat(line, 300))}, mebibyte)
	b.SetBytes(int64(len(line)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := decoder.Next(); err != nil {
			b.Fatal(err)
		}
	}
}
