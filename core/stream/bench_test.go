package stream

import (
	"bytes"
	"io"
	"strings"
	"testing"
)

// endless repeats one block for ever, without copying more than a reader must.
type endless struct {
	block []byte
	at    int
}

func (e *endless) Read(p []byte) (int, error) {
	n := copy(p, e.block[e.at:])
	e.at = (e.at + n) % len(e.block)
	return n, nil
}

func delta(size int) string {
	const head = `{"id":"chatcmpl-1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"`
	const tail = `"}}]}`
	return head + strings.Repeat("a", max(size-len(head)-len(tail), 0)) + tail
}

func benchmarkSSE(b *testing.B, event string) {
	block := []byte(strings.Repeat(event, max(64<<10/len(event), 1)))
	events := NewSSE(&endless{block: block}, 64<<20)
	b.SetBytes(int64(len(event)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := events.Next(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSSE(b *testing.B) {
	b.Run("data 200 B", func(b *testing.B) { benchmarkSSE(b, "data: "+delta(200)+"\n\n") })
	b.Run("data 16 B", func(b *testing.B) { benchmarkSSE(b, "data: 0123456789abcdef\n\n") })
	b.Run("CRLF", func(b *testing.B) { benchmarkSSE(b, "data: "+delta(200)+"\r\n\r\n") })
	b.Run("CR", func(b *testing.B) { benchmarkSSE(b, "data: "+delta(200)+"\r\r") })
	b.Run("event and data", func(b *testing.B) {
		benchmarkSSE(b, "event: content_block_delta\ndata: "+delta(200)+"\n\n")
	})
	b.Run("eight data lines", func(b *testing.B) {
		benchmarkSSE(b, strings.Repeat("data: "+strings.Repeat("a", 24)+"\n", 8)+"\n")
	})
	b.Run("comments between", func(b *testing.B) { benchmarkSSE(b, ": keep-alive\n\ndata: "+delta(200)+"\n\n") })
	b.Run("16 MiB", func(b *testing.B) { benchmarkSSE(b, "data: "+delta(16<<20)+"\n\n") })
}

// BenchmarkFloor is the least that any decoder could do: copy the bytes into a buffer and look for one line end.
func BenchmarkFloor(b *testing.B) {
	event := "data: " + delta(200) + "\n\n"
	block := []byte(strings.Repeat(event, 64<<10/len(event)))
	reader, buffer := &endless{block: block}, make([]byte, len(block))
	rest := buffer[:0]
	b.SetBytes(int64(len(event)))
	for b.Loop() {
		if len(rest) == 0 {
			if _, err := io.ReadFull(reader, buffer); err != nil {
				b.Fatal(err)
			}
			rest = buffer
		}
		rest = rest[bytes.IndexByte(rest, '\n')+2:]
	}
}
