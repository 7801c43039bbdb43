package stream

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"
)

const mebibyte = 1 << 20

// events drains a decoder, keeping copies of what it returns, and says how it ended.
func events(r io.Reader, limit int) (all []Event, err error) {
	decoder := NewSSE(r, limit)
	for {
		event, err := decoder.Next()
		if err != nil {
			if _, again := decoder.Next(); again != err {
				return nil, fmt.Errorf("after %v, Next said %v", err, again)
			}
			return all, err
		}
		event.Data = bytes.Clone(event.Data)
		all = append(all, event)
	}
}

// random returns between one and five bytes at a time, and every now and then many, or none.
type random struct {
	data   []byte
	source *rand.Rand
}

func (r *random) Read(p []byte) (int, error) {
	if len(r.data) == 0 {
		return 0, io.EOF
	}
	size := r.source.IntN(6)
	if r.source.IntN(16) == 0 {
		size = 1 + r.source.IntN(len(r.data))
	}
	n := copy(p, r.data[:min(size, len(r.data))])
	r.data = r.data[n:]
	if len(r.data) == 0 && r.source.IntN(2) == 0 {
		return n, io.EOF
	}
	return n, nil
}

func show(events []Event) string {
	var text strings.Builder
	for _, event := range events {
		fmt.Fprintf(&text, "%q %q %q\n", event.Name, event.Data, event.ID)
	}
	return text.String()
}

// check decodes a stream whole, byte by byte, and with its last bytes and the end in one read.
func check(t *testing.T, stream string, want ...Event) {
	t.Helper()
	first, second := stream[:len(stream)/2], stream[len(stream)/2:]
	readers := map[string]io.Reader{
		"whole":           strings.NewReader(stream),
		"byte by byte":    iotest.OneByteReader(strings.NewReader(stream)),
		"data with EOF":   iotest.DataErrReader(strings.NewReader(stream)),
		"halves":          iotest.HalfReader(strings.NewReader(stream)),
		"random splits":   &random{[]byte(stream), rand.New(rand.NewPCG(1, 2))},
		"two and the EOF": io.MultiReader(strings.NewReader(first), strings.NewReader(second)),
	}
	for name, reader := range readers {
		got, err := events(reader, mebibyte)
		if err != io.EOF {
			t.Errorf("%s: the stream ended in %v", name, err)
		}
		if show(got) != show(want) {
			t.Errorf("%s: %q\n got %s\nwant %s", name, stream, show(got), show(want))
		}
	}
	if by, _ := reference(stream, mebibyte); show(by) != show(want) {
		t.Errorf("the reference parser\n got %s\nwant %s", show(by), show(want))
	}
}

func data(text string) Event { return Event{Data: []byte(text)} }

func with(id, text string) Event { return Event{ID: id, Data: []byte(text)} }

func named(name, text string) Event { return Event{Name: name, Data: []byte(text)} }

func TestGrammar(t *testing.T) {
	tests := map[string]struct {
		stream string
		want   []Event
	}{
		"nothing":                   {"", nil},
		"JSON without a field":      {"data: a\n\n{\"error\": {\n  \"code\": 503\n}\n}", []Event{data("a"), data("{\"error\": {\n  \"code\": 503\n}\n}")}},
		"and then a field":          {"{\"a\":\n:x\ndata: 1}\n\ndata: b\n\n", []Event{data("{\"a\":\ndata: 1}"), data("b")}},
		"JSON cut off":              {"data: a\n\n{\"error\": {\n", []Event{data("a")}},
		"a brace behind data":       {"data: a\n{\"b\"}\n\n", []Event{data("a")}},
		"LF":                        {"data: a\n\ndata: b\n\n", []Event{data("a"), data("b")}},
		"CRLF":                      {"data: a\r\n\r\ndata: b\r\n\r\n", []Event{data("a"), data("b")}},
		"CR":                        {"data: a\r\rdata: b\r\r", []Event{data("a"), data("b")}},
		"all line ends mixed":       {"data: a\rdata: b\ndata: c\r\n\n\rdata: d\n\r", []Event{data("a\nb\nc"), data("d")}},
		"CR inside data":            {"data: a\rb\n\n", []Event{data("a")}},
		"LF CR is two ends":         {"data: a\n\rdata: b\n\r", []Event{data("a"), data("b")}},
		"CR CRLF":                   {"data: a\r\r\ndata: b\r\r\n", []Event{data("a"), data("b")}},
		"byte order mark":           {"\xEF\xBB\xBFdata: a\n\n", []Event{data("a")}},
		"only one mark":             {"\xEF\xBB\xBF\xEF\xBB\xBFdata: a\n\n", nil},
		"a mark later":              {"data: a\n\n\xEF\xBB\xBFdata: b\n\n", []Event{data("a")}},
		"half a mark":               {"\xEF\xBBdata: a\n\ndata: b\n\n", []Event{data("b")}},
		"nothing but half a mark":   {"\xEF\xBB", nil},
		"a mark and a blank line":   {"\xEF\xBB\xBF\n\ndata: b\n\n", []Event{data("b")}},
		"comments":                  {":\n: keep-alive\ndata: a\n:x: y\ndata: b\n\n:data: c\n\n", []Event{data("a\nb")}},
		"no space":                  {"data:a\n\n", []Event{data("a")}},
		"two spaces":                {"data:  a\n\n", []Event{data(" a")}},
		"a tab is no space":         {"data:\ta\n\n", []Event{data("\ta")}},
		"space before the colon":    {"data : a\n\n", nil},
		"space before the field":    {" data: a\n\n", nil},
		"colons in the value":       {"data:a:b: c\n\n", []Event{data("a:b: c")}},
		"capitals":                  {"Data: a\n\n", nil},
		"no colon":                  {"data\n\n", []Event{data("")}},
		"no colon twice":            {"data\ndata\n\n", []Event{data("\n")}},
		"empty values":              {"data:\n\ndata: \n\n", []Event{data(""), data("")}},
		"empty lines of data":       {"data:\ndata: a\ndata\ndata:b\ndata\n\n", []Event{data("\na\n\nb\n")}},
		"the event's name":          {"event: x\ndata: a\n\ndata: b\n\n", []Event{named("x", "a"), data("b")}},
		"the name behind":           {"data: a\nevent: x\n\n", []Event{named("x", "a")}},
		"the last name":             {"event: x\nevent: y\ndata: a\n\n", []Event{named("y", "a")}},
		"a name taken back":         {"event: x\nevent\ndata: a\n\n", []Event{data("a")}},
		"a name without data":       {"event: x\n\ndata: a\n\n", []Event{data("a")}},
		"an id that stays":          {"id: 1\ndata: a\n\ndata: b\n\n", []Event{with("1", "a"), with("1", "b")}},
		"an id without data":        {"id: 1\n\ndata: b\n\n", []Event{with("1", "b")}},
		"an id reset":               {"id: 1\n\nid\ndata: b\n\n", []Event{data("b")}},
		"an id with NUL":            {"id: 1\nid: 2\x003\ndata: a\n\n", []Event{with("1", "a")}},
		"retry":                     {"retry: 10\ndata: a\nretry: x\n\n", []Event{data("a")}},
		"unknown fields":            {"dat: x\ndatax: y\nfoo\ndata: a\n\n", []Event{data("a")}},
		"bytes that are not UTF-8":  {"data: \xff\x00\xfe\n\n", []Event{data("\xff\x00\xfe")}},
		"many blank lines":          {"\n\n\n\ndata: a\n\n\n\n\r\n\r\n\r\rdata: b\n\n", []Event{data("a"), data("b")}},
		"a BOM is not part of data": {"data: \xEF\xBB\xBFa\n\n", []Event{data("\xEF\xBB\xBFa")}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) { check(t, test.stream, test.want...) })
	}
}

// The examples of https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation.
func TestExamplesOfTheSpecification(t *testing.T) {
	check(t, "data: YHOO\ndata: +2\ndata: 10\n\n", data("YHOO\n+2\n10"))
	check(t, ": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event",
		Event{Data: []byte("first event"), ID: "1"}, data("second event"))
	check(t, "data\n\ndata\ndata\n\ndata:", data(""), data("\n"))
	check(t, "data:test\n\ndata: test\n\n", data("test"), data("test"))
}

func TestEndWithoutBlankLine(t *testing.T) {
	tests := map[string]struct {
		stream string
		want   []Event
	}{
		"JSON":                        {"data: {\"a\":1}\n", []Event{data(`{"a":1}`)}},
		"JSON without line end":       {"data: {\"a\":1}", []Event{data(`{"a":1}`)}},
		"JSON and CR":                 {"data: {\"a\":1}\r", []Event{data(`{"a":1}`)}},
		"JSON on two lines":           {"event: x\ndata: {\"a\":\ndata: 1}", []Event{named("x", "{\"a\":\n1}")}},
		"the end word":                {"data: [DONE]", []Event{data("[DONE]")}},
		"the end word, spaces":        {"data:[DONE] \n", []Event{data("[DONE] ")}},
		"half of JSON":                {"data: {\"a\":", nil},
		"half of JSON and line end":   {"data: {\"a\":\n", nil},
		"a second line cut":           {"data: {\"a\":1}\ndata: {\"b\":", nil},
		"text":                        {"data: hello\n", nil},
		"nothing":                     {"data:\n", nil},
		"the field's name cut":        {"data: 1\ndat", []Event{data("1")}},
		"the name's value cut":        {"data: 1\nevent: er", []Event{data("1")}},
		"the last line has no colon":  {"data: 1\ndata", []Event{data("1\n")}},
		"a comment":                   {"data: 1\n: data", []Event{data("1")}},
		"nothing after a blank line":  {"data: x\n\n:", []Event{data("x")}},
		"a blank line, then no event": {"data: x\n\nevent: a\n", []Event{data("x")}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) { check(t, test.stream, test.want...) })
	}
}

func TestBrokenStreamGivesItsLastWholeEvent(t *testing.T) {
	broken := errors.New("connection reset")
	for stream, want := range map[string]string{
		"data: 1\n\ndata: [DONE]\n": show([]Event{data("1"), data("[DONE]")}),
		"data: 1\n\ndata: {\"a":     show([]Event{data("1")}),
	} {
		reader := io.MultiReader(strings.NewReader(stream), iotest.ErrReader(broken))
		if got, err := events(reader, mebibyte); err != broken || show(got) != want {
			t.Errorf("%q: got %s, %v", stream, show(got), err)
		}
	}
}

func TestReaderThatReturnsNothing(t *testing.T) {
	if _, err := NewSSE(idle{}, mebibyte).Next(); err != io.ErrNoProgress {
		t.Errorf("got %v, want io.ErrNoProgress", err)
	}
}

type idle struct{}

func (idle) Read([]byte) (int, error) { return 0, nil }

// scripted fails the test when it is read more often than there are pieces.
type scripted struct {
	t      *testing.T
	pieces []string
	reads  int
}

func (s *scripted) Read(p []byte) (int, error) {
	if s.reads == len(s.pieces) {
		s.t.Fatal("Read was called although a complete event was buffered")
	}
	n := copy(p, s.pieces[s.reads])
	s.reads++
	return n, nil
}

// The engine hands what it has to its host before every Read, so a Read that is not needed delays what the user sees.
func TestReadsOnlyWhenNoEventIsComplete(t *testing.T) {
	tests := map[string]struct {
		pieces []string
		reads  []int // after each event
	}{
		"several in one read":  {[]string{"data: a\n\ndata: b\n\ndata: c\n\n"}, []int{1, 1, 1}},
		"CR at the end":        {[]string{"data: a\r\r", "\ndata: b\r\n\r", "data: c\n\n"}, []int{1, 2, 3}},
		"cut between":          {[]string{"data: a\n\nda", "ta: b\n", "\ndata: c\r\n\r\n"}, []int{1, 3, 3}},
		"after a mark":         {[]string{"\xEF", "\xBB\xBFdata: a\n\n"}, []int{2}},
		"a comment not closed": {[]string{": wait", " longer\n\ndata: a\n\n: more"}, []int{2}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			reader := &scripted{t: t, pieces: test.pieces}
			decoder := NewSSE(reader, mebibyte)
			for i, want := range test.reads {
				if _, err := decoder.Next(); err != nil || reader.reads != want {
					t.Fatalf("event %d came after %d reads, want %d (%v)", i, reader.reads, want, err)
				}
			}
		})
	}
}

// A caller that appends to the data of an event must not write into the next one.
func TestDataHasNoRoomBehindIt(t *testing.T) {
	decoder := NewSSE(strings.NewReader("data: a\n\ndata: b\n\n"), mebibyte)
	first, _ := decoder.Next()
	_ = append(first.Data, "zzzzzzzzzzzz"...)
	if second, err := decoder.Next(); err != nil || string(second.Data) != "b" {
		t.Errorf("got %q, %v", second.Data, err)
	}
}
