package stream

import (
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"
)

// alphabet is what FuzzSSE builds streams from besides the bytes it invents: byte after byte of the input chooses one.
var alphabet = []string{
	"\n", "\r", "\r\n", "\n\n", "\r\r", "\r\n\r\n", ":", " ", "data", "data:", "data: ", "event: ", "event", "id: ",
	"id:", "retry: 1", "x", "{\"a\":1}", "{", "}", "[DONE]", "\xEF\xBB\xBF", "\xEF", "\xBB\xBF", "\x00",
	"data: {\"a\":1}\n\n",
	": comment\n", "\u00e9", "data:x\ndata:y\n",
}

// FuzzSSE holds SSE equal to the reference parser, over the whole input at once and over splits of it.
func FuzzSSE(f *testing.F) {
	for seed, stream := range []string{
		"data: {\"a\":1}\n\ndata: [DONE]\n\n",
		"\xEF\xBB\xBFevent: a\r\nid: 1\r\ndata: x\r\ndata: y\r\n\r\n: comment\r\n\r\n",
		"data: a\r\rdata: b\r\n\r\ndata: [DONE]",
		"data\n\ndata\ndata\n\ndata:",
		"id: 1\x002\ndata: a\n\nid\nretry: 5\ndata: {\"a\"\n",
		"data: 012345678901234567890123456789\n\n",
	} {
		f.Add(stream, uint64(seed), uint16(24), false)
	}
	f.Add("\x09\x10\x00\x00\x05\x08\x01\x02\x15", uint64(7), uint16(100), true)
	f.Fuzz(func(t *testing.T, stream string, seed uint64, limit uint16, fromAlphabet bool) {
		if fromAlphabet {
			var built strings.Builder
			for _, b := range []byte(stream) {
				built.WriteString(alphabet[int(b)%len(alphabet)])
			}
			stream = built.String()
		}
		if len(stream) > 16<<10 {
			t.Skip("the reference parser is slow on purpose")
		}
		want, tooLarge := reference(stream, int(limit))
		for name, reader := range map[string]io.Reader{
			"whole":        strings.NewReader(stream),
			"byte by byte": iotest.OneByteReader(strings.NewReader(stream)),
			"random":       &random{[]byte(stream), rand.New(rand.NewPCG(seed, 0))},
		} {
			got, err := events(reader, int(limit))
			var large *TooLargeError
			if show(got) != show(want) || errors.As(err, &large) != tooLarge || !tooLarge && err != io.EOF {
				t.Errorf("%s, limit %d: %q\n got %s%v\nwant %s(too large: %v)",
					name, limit, stream, show(got), err, show(want), tooLarge)
			}
		}
	})
}

// FuzzNDJSON does the same for lines of JSON.
func FuzzNDJSON(f *testing.F) {
	f.Add("{\"a\":1}\n{\"b\":2}\r\n\n \r\n{\"done\":true}", uint64(1), uint16(40))
	f.Add("{\"a\":1}\n{\"b\":", uint64(2), uint16(7))
	f.Add("12345678\r\n", uint64(3), uint16(7))
	f.Fuzz(func(t *testing.T, stream string, seed uint64, limit uint16) {
		want, tooLarge := referenceLinesOfJSON(stream, int(limit))
		for name, reader := range map[string]io.Reader{
			"whole":        strings.NewReader(stream),
			"byte by byte": iotest.OneByteReader(strings.NewReader(stream)),
			"random":       &random{[]byte(stream), rand.New(rand.NewPCG(seed, 0))},
		} {
			got, err := lines(reader, int(limit))
			var large *TooLargeError
			if strings.Join(got, "\n") != strings.Join(want, "\n") || len(got) != len(want) ||
				errors.As(err, &large) != tooLarge || !tooLarge && err != io.EOF {
				t.Errorf("%s, limit %d: %q\n got %q, %v\nwant %q (too large: %v)", name, limit, stream, got, err, want, tooLarge)
			}
		}
	})
}
