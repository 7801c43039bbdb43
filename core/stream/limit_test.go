package stream

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
)

func TestLimit(t *testing.T) {
	long := strings.Repeat("x", 100)
	tests := map[string]struct {
		stream   string
		limit    int
		events   int
		tooLarge bool
	}{
		"exactly":                      {"data: 0123456789\n\ndata: 0123456789\n\n", 10, 2, false},
		"exactly, no space":            {"data:0123456789\r\n\r\n", 10, 1, false},
		"one more":                     {"data: 0123456789\n\ndata: 0123456789a\n\n", 10, 1, true},
		"one more, no space":           {"data:0123456789a\n\n", 10, 0, true},
		"one more, never ended":        {"data: 0123456789a", 10, 0, true},
		"one more, neither":            {"data:0123456789a", 10, 0, true},
		"lines exactly":                {"data: 0123\ndata: 56789\n\n", 10, 1, false},
		"lines, one more":              {"data: 0123\ndata: 567890\n\n", 10, 0, true},
		"the line feeds count":         {"data\ndata\ndata\n\n", 1, 0, true},
		"a long comment":               {": " + long + "\ndata: a\n\n", 10, 1, false},
		"a long comment beside":        {"data: 0123456789\n: " + long + "\n\n", 10, 1, false},
		"names beside":                 {"data: 0123456789\nevent: message_delta\nid: " + long + "\n\n", 10, 1, false},
		"a field of many bytes":        {"event: " + strings.Repeat("x", 2*readSize) + "\n\n", 10, 0, true},
		"a field never ended":          {strings.Repeat("x", 2*readSize), 10, 0, true},
		"a comment of many bytes":      {":" + strings.Repeat("x", 9*readSize) + "\ndata: a\n\n", 10, 1, false},
		"a limit of nothing":           {"data\n\ndata: a\n\n", 0, 1, true},
		"a limit below nothing":        {"data\n\ndata: a\n\n", -1, 1, true},
		"the largest limit there is":   {"data: a\n\n", int(^uint(0) >> 1), 1, false},
		"nothing comes after too much": {"data: 0123456789a\n\ndata: a\n\n", 10, 0, true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			for _, reader := range []io.Reader{
				strings.NewReader(test.stream), iotest.OneByteReader(strings.NewReader(test.stream)),
			} {
				got, err := events(reader, test.limit)
				var large *TooLargeError
				if errors.As(err, &large) != test.tooLarge || !test.tooLarge && err != io.EOF || len(got) != test.events {
					t.Errorf("got %d events and %v", len(got), err)
				}
				if large != nil && (large.Limit != max(test.limit, 0) || !strings.Contains(err.Error(), fmt.Sprint(large.Limit))) {
					t.Errorf("the error has limit %d and says %q", large.Limit, err)
				}
			}
			if _, tooLarge := reference(test.stream, max(test.limit, 0)); tooLarge != test.tooLarge && test.limit < mebibyte {
				t.Errorf("the reference parser says %v", tooLarge)
			}
		})
	}
}

// meter counts what a decoder does with its memory: a read that does not go where the one before ended means that the
// buffer was moved, and a longer one that there is a larger one.
type meter struct {
	reader io.Reader
	read   int
	reads  int
	moves  int
	after  *byte
}

func (m *meter) Read(p []byte) (int, error) {
	m.reads++
	if m.after != &p[0] {
		m.moves++
	}
	n, err := m.reader.Read(p)
	m.read += n
	m.after = nil
	if n < cap(p) {
		m.after = &p[:n+1][n]
	}
	return n, err
}

// repeated is an endless line, or an endless anything.
func repeated(text string) io.Reader {
	return &endless{block: []byte(strings.Repeat(text, 64<<10/len(text)))}
}

func TestNeverReadsMuchMoreThanTheLimit(t *testing.T) {
	const limit = 300_000
	for name, reader := range map[string]io.Reader{
		"one line":   io.MultiReader(strings.NewReader("data: "), repeated("x")),
		"many lines": repeated("data: x\n"),
		"no colon":   repeated("data\n"),
		"a field":    repeated("x"),
		"with names": repeated("event: abc\ndata: 0123456789\nid: 1\n"),
	} {
		t.Run(name, func(t *testing.T) {
			reader := &meter{reader: reader}
			decoder := NewSSE(reader, limit)
			var large *TooLargeError
			if _, err := decoder.Next(); !errors.As(err, &large) {
				t.Fatalf("got %v", err)
			}
			if len(decoder.bytes) > limit+readSize {
				t.Errorf("the buffer has %d bytes", len(decoder.bytes))
			}
			if name == "one line" && reader.read > limit+readSize {
				t.Errorf("%d bytes were read", reader.read)
			}
		})
	}
}

func TestCommentsTakeNoMemory(t *testing.T) {
	for name, stream := range map[string]io.Reader{
		"one endless":     io.LimitReader(repeated(":"), 16*mebibyte),
		"many":            io.LimitReader(repeated(": keep-alive\n\n"), 16*mebibyte),
		"inside an event": io.MultiReader(strings.NewReader("data: 1\n"), io.LimitReader(repeated(": x\n"), 16*mebibyte)),
	} {
		t.Run(name, func(t *testing.T) {
			decoder := NewSSE(stream, mebibyte)
			for {
				if _, err := decoder.Next(); err == io.EOF {
					break
				} else if err != nil {
					t.Fatal(err)
				}
			}
			if len(decoder.bytes) > readSize {
				t.Errorf("the buffer has %d bytes", len(decoder.bytes))
			}
		})
	}
}

// Growing, moving and shrinking of the buffer must not change what is decoded, wherever the reads cut the stream.
func TestLargeEventsInRandomReads(t *testing.T) {
	source := rand.New(rand.NewPCG(3, 4))
	lineEnds := []string{"\n", "\r\n", "\r"}
	for round := range 30 {
		var stream strings.Builder
		for stream.Len() < 3*mebibyte/2 {
			end := lineEnds[source.IntN(len(lineEnds))]
			for range source.IntN(5) {
				field := []string{"data: ", "data:", ": ", "event: e", "id: i", ""}[source.IntN(6)]
				size := source.IntN(1 << source.IntN(17))
				if field == "event: e" || field == "id: i" {
					size = source.IntN(20)
				}
				stream.WriteString(field + strings.Repeat("x", size) + end)
			}
			stream.WriteString(end)
		}
		limit := 100_000 << source.IntN(4)
		want, tooLarge := reference(stream.String(), limit)
		reader := &blocks{[]byte(stream.String()), source}
		got, err := events(reader, limit)
		var large *TooLargeError
		if errors.As(err, &large) != tooLarge || !tooLarge && err != io.EOF || !reflect.DeepEqual(got, want) {
			t.Fatalf("round %d: %d events and %v, want %d events (too large: %v)", round, len(got), err, len(want), tooLarge)
		}
	}
}

// blocks reads between one byte and what there is room for, small sizes as often as large ones.
type blocks struct {
	data   []byte
	source *rand.Rand
}

func (b *blocks) Read(p []byte) (int, error) {
	if len(b.data) == 0 {
		return 0, io.EOF
	}
	n := copy(p[:1+b.source.IntN(1+b.source.IntN(len(p)))], b.data)
	b.data = b.data[n:]
	return n, nil
}

// The buffer may be moved only a number of times that grows with the logarithm of the event, so that every byte is
// moved a bounded number of times; and the event may cost only a small multiple of its size in memory.
func TestCostIsLinear(t *testing.T) {
	const size = 16 * mebibyte
	lines := func(line string) string {
		return strings.Repeat(line+"\n", size/(len(line)+1)) + "\n"
	}
	for name, stream := range map[string]string{
		"one line":               "data: " + strings.Repeat("x", size) + "\n\n",
		"lines of 1 KiB":         lines("data: " + strings.Repeat("x", 1024)),
		"lines of 1 byte":        lines("data:x"),
		"lines of 1 byte and CR": strings.ReplaceAll(lines("data:x"), "\n", "\r"),
		"comments between":       strings.ReplaceAll(lines("data: 01234567890123456789,: comment"), ",", "\n"),
	} {
		t.Run(name, func(t *testing.T) {
			for _, read := range []int{512, readSize} {
				reader := &meter{reader: &limited{strings.NewReader(stream), read}}
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				event, err := NewSSE(reader, size).Next()
				runtime.ReadMemStats(&after)
				if err != nil || len(event.Data) < size/4 {
					t.Fatalf("got %d bytes, %v", len(event.Data), err)
				}
				if allocated := after.TotalAlloc - before.TotalAlloc; allocated > 5*size {
					t.Errorf("%d bytes were allocated", allocated)
				}
				if reader.moves > 40 {
					t.Errorf("the buffer was moved %d times", reader.moves)
				}
				if reader.reads > size/read*2+40 {
					t.Errorf("%d reads", reader.reads)
				}
			}
		})
	}
}

// limited reads at most size bytes at a time.
type limited struct {
	reader io.Reader
	size   int
}

func (l *limited) Read(p []byte) (int, error) { return l.reader.Read(p[:min(len(p), l.size)]) }

func TestMemoryOfALargeEventIsGivenBack(t *testing.T) {
	large := "data: " + strings.Repeat("x", 16*mebibyte) + "\n\n"
	decoder := NewSSE(io.MultiReader(strings.NewReader(large), repeated("data: x\n\n")), 64*mebibyte)
	if event, err := decoder.Next(); err != nil || len(event.Data) != 16*mebibyte {
		t.Fatalf("got %d bytes, %v", len(event.Data), err)
	}
	for range 2 * readSize {
		if _, err := decoder.Next(); err != nil {
			t.Fatal(err)
		}
	}
	if len(decoder.bytes) > readSize {
		t.Errorf("the buffer still has %d bytes", len(decoder.bytes))
	}
}

func TestSmallStreamTakesLittleMemory(t *testing.T) {
	decoder := NewSSE(iotest.OneByteReader(strings.NewReader(strings.Repeat("data: x\n\n", 1000))), mebibyte)
	for {
		if _, err := decoder.Next(); err == io.EOF {
			break
		}
	}
	if len(decoder.bytes) != firstSize {
		t.Errorf("the buffer has %d bytes", len(decoder.bytes))
	}
}

func TestEventsAllocateNothing(t *testing.T) {
	for name, block := range map[string]string{
		"data":           "data: " + delta(200) + "\n\n",
		"CRLF":           "data: " + delta(200) + "\r\n\r\n",
		"names":          "event: a\ndata: x\n\nevent: b_b_b_b_b_b_b_b_b_b_b_b_b_b_b_b_b_b_b\ndata: x\n\n",
		"the same id":    "id: 12345678901234567890\ndata: x\n\n",
		"unknown fields": "x-a-field-that-nobody-knows-and-that-is-long: y\ndata: x\n\n",
		"lines":          "data: x\ndata: y\n: comment\ndata: z\n\n",
		"100 KiB":        "data: " + strings.Repeat("x", 100<<10) + "\n\n",
	} {
		t.Run(name, func(t *testing.T) {
			decoder := NewSSE(&endless{block: []byte(block)}, mebibyte)
			next := func() {
				if _, err := decoder.Next(); err != nil {
					t.Fatal(err)
				}
			}
			for range 2000 {
				next()
			}
			if got := testing.AllocsPerRun(2000, next); got != 0 {
				t.Errorf("%v allocations for an event", got)
			}
		})
	}
}
