package stream

import (
	"io"
	"slices"
	"testing"
)

// pausing gives step bytes at a time, and says before each of them that nothing has arrived yet.
type pausing struct {
	rest  string
	step  int
	asked bool
}

func (p *pausing) Read(into []byte) (int, error) {
	if p.asked = !p.asked; p.asked {
		return 0, ErrNotYet
	}
	if p.rest == "" {
		return 0, io.EOF
	}
	n := copy(into, p.rest[:min(p.step, len(p.rest))])
	p.rest = p.rest[n:]
	return n, nil
}

// drain reads to the end, however often that takes, and counts the pauses.
func drain(t *testing.T, next func() (string, error)) (all []string, pauses int) {
	t.Helper()
	for {
		one, err := next()
		switch err {
		case nil:
			all = append(all, one)
		case ErrNotYet:
			pauses++
		case io.EOF:
			return all, pauses
		default:
			t.Fatal(err)
		}
	}
}

func TestADecoderGoesOnAfterAPause(t *testing.T) {
	const (
		sent  = "\xEF\xBB\xBF: hello\r\nevent: a\r\nid: 1\ndata: one\rdata: two\n\n:" + "long comment\ndata\ndata: x\r\n\r\nevent: b\ndata: {}\n"
		lines = "{\"a\": 1}\n\r\n[2]\r\n\"last\""
	)
	whole, _ := drain(t, sseOf(&pausing{rest: sent, step: len(sent)}))
	wholeLines, _ := drain(t, linesOf(&pausing{rest: lines, step: len(lines)}))
	if len(whole) != 3 || len(wholeLines) != 3 {
		t.Fatalf("%q %q", whole, wholeLines)
	}
	for step := 1; step < 40; step++ {
		got, pauses := drain(t, sseOf(&pausing{rest: sent, step: step}))
		if !slices.Equal(got, whole) || pauses < len(sent)/step {
			t.Errorf("events, %d bytes at a time: %q after %d pauses", step, got, pauses)
		}
		got, _ = drain(t, linesOf(&pausing{rest: lines, step: step}))
		if !slices.Equal(got, wholeLines) {
			t.Errorf("lines, %d bytes at a time: %q", step, got)
		}
	}
}

func sseOf(r io.Reader) func() (string, error) {
	decoder := NewSSE(r, mebibyte)
	return func() (string, error) {
		event, err := decoder.Next()
		return event.Name + "|" + event.ID + "|" + string(event.Data), err
	}
}

func linesOf(r io.Reader) func() (string, error) {
	decoder := NewNDJSON(r, mebibyte)
	return func() (string, error) {
		line, err := decoder.Next()
		return string(line), err
	}
}
