package bridge

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pyagent/core/llm"
)

// piece is one delta or JSON frame as a host sees it after reading frames.
type piece struct {
	kind  llm.EventKind
	index uint16
	call  uint64
	text  string
}

// readFrames is the host's side: it must understand everything that this package writes.
func readFrames(t testing.TB, data []byte) (pieces []piece) {
	t.Helper()
	for len(data) > 0 {
		if len(data) < frameHeader || len(data) < frameHeader+frameSize(data) {
			t.Fatalf("a frame is cut: %d bytes left, %q", len(data), data)
		}
		size := frameSize(data)
		payload := string(data[frameHeader : frameHeader+size])
		texts := []string{payload}
		if frameFlags(data)&flagMany != 0 {
			texts = strings.Split(payload, "\x00")
		}
		for _, text := range texts {
			pieces = append(pieces, piece{frameKind(data), frameIndex(data), binary.LittleEndian.Uint64(data[8:]), text})
		}
		data = data[frameHeader+size:]
	}
	return pieces
}

func text(kind llm.EventKind, index uint16, content string) llm.Event {
	return llm.Event{Kind: kind, Index: index, Text: []byte(content)}
}

func TestRunOfDeltasIsOneFrame(t *testing.T) {
	f := frames{last: -1}
	for _, word := range []string{"a", "bb", "ccc"} {
		f.appendEvent(text(llm.EventText, 0, word), 7)
	}
	f.appendEvent(text(llm.EventReasoning, 0, "why"), 7)
	f.appendEvent(text(llm.EventText, 1, "x"), 7)
	f.appendEvent(text(llm.EventText, 1, "n\x00l"), 7)
	f.appendEvent(text(llm.EventText, 1, "y"), 7)
	f.appendEvent(llm.Event{Kind: llm.EventToolEnd, Index: 3, Data: llm.ToolEnd{}}, 7)
	if got, want := frameSize(f.bytes), len("a\x00bb\x00ccc"); got != want {
		t.Errorf("the first frame has %d bytes, want %d", got, want)
	}
	want := []piece{
		{llm.EventText, 0, 7, "a"}, {llm.EventText, 0, 7, "bb"}, {llm.EventText, 0, 7, "ccc"}, {llm.EventReasoning, 0, 7, "why"},
		{llm.EventText, 1, 7, "x"}, {llm.EventText, 1, 7, "n\x00l"}, {llm.EventText, 1, 7, "y"}, {llm.EventToolEnd, 3, 7, "{}"},
	}
	if got := readFrames(t, f.bytes); !slices.Equal(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestBatchesJoinWhereTheyMeet(t *testing.T) {
	waiting, batch := frames{last: -1}, frames{last: -1}
	for i := range 4 {
		batch.appendEvent(text(llm.EventText, 0, fmt.Sprint("d", i)), 1)
		waiting.appendFrames(&batch)
	}
	if got := frameHeader + frameSize(waiting.bytes); got != len(waiting.bytes) {
		t.Errorf("four batches of one delta are not one frame: %q", waiting.bytes)
	}
	if len(batch.bytes) != 0 || batch.last != -1 {
		t.Errorf("the batch is not empty: %+v", batch)
	}
}

func TestTakeSaysWhatItNeeds(t *testing.T) {
	f := frames{last: -1}
	f.appendEvent(text(llm.EventText, 0, strings.Repeat("x", 100)), 1)
	f.appendEvent(text(llm.EventText, 0, "y"), 1)
	used, need, rest := take(make([]byte, 50), f.bytes)
	if used != 0 || need != frameHeader+100 || len(rest) != len(f.bytes) {
		t.Errorf("used %d need %d rest %d of %d", used, need, len(rest), len(f.bytes))
	}
}

// checkTaking sends events through batches and small buffers, and wants back what went in.
func checkTaking(t testing.TB, random *rand.Rand) {
	waiting, batch := frames{last: -1}, frames{last: -1}
	var want []piece
	for range random.IntN(40) {
		kind := llm.EventKind(1 + random.IntN(2))
		index := uint16(random.IntN(2))
		content := strings.Repeat("é", 1+random.IntN(12))
		switch random.IntN(8) {
		case 0:
			content += "\x00" + content
		case 1:
			kind, content = llm.EventToolEnd, "{}"
		}
		event := text(kind, index, content)
		event.Data = llm.ToolEnd{}
		batch.appendEvent(event, 9)
		want = append(want, piece{kind, index, 9, content})
		if random.IntN(3) == 0 {
			waiting.appendFrames(&batch)
		}
	}
	waiting.appendFrames(&batch)
	var got []piece
	unread := waiting.bytes
	for len(unread) > 0 {
		dst := make([]byte, 1+random.IntN(200))
		used, need, rest := take(dst, unread)
		if used == 0 && need <= len(dst) {
			t.Fatalf("nothing fits into %d bytes although only %d are needed", len(dst), need)
		}
		if used == 0 { // exactly what it asks for must do
			dst = make([]byte, need)
			if used, _, rest = take(dst, unread); used == 0 {
				t.Fatalf("%d bytes were asked for and do not do", need)
			}
		}
		got = append(got, readFrames(t, dst[:used])...)
		unread = rest
	}
	if !slices.Equal(got, want) {
		t.Fatalf("got  %+v\nwant %+v", got, want)
	}
}

func TestTakingKeepsEverything(t *testing.T) {
	for seed := range uint64(2000) {
		if checkTaking(t, rand.New(rand.NewPCG(seed, 1))); t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// decisions is a source of chance that takes its numbers from a script, one byte for each, as long as there are any.
type decisions struct {
	script []byte
	after  rand.PCG
}

func (d *decisions) Uint64() uint64 {
	if len(d.script) == 0 {
		return d.after.Uint64()
	}
	b := d.script[0]
	d.script = d.script[1:]
	return uint64(b) * 0x0101010101010101
}

// FuzzFrames lets every byte decide something: kinds, choices, lengths and NULs of deltas, where batches end, and how much a
// host's buffer takes. No delta is lost, joined to another one, or delivered out of turn.
func FuzzFrames(f *testing.F) {
	f.Add([]byte("\xff\x10\x80\x20\x00\x10\x80\x20\x00\x01\x02\x03"))
	f.Add(bytes.Repeat([]byte{0x80, 0x00, 0xff, 0x40}, 60))
	f.Fuzz(func(t *testing.T, script []byte) { checkTaking(t, rand.New(&decisions{script: script})) })
}

func TestDivideAtTheVeryEdge(t *testing.T) {
	f := frames{last: -1}
	for _, word := range []string{"aaaa", "bbbb"} {
		f.appendEvent(text(llm.EventText, 0, word), 1)
	}
	dst := make([]byte, frameHeader+4) // exactly one delta, without its separator
	used, _, rest := take(dst, f.bytes)
	if used != len(dst) || frameFlags(dst) != 0 || !bytes.Equal(dst[frameHeader:], []byte("aaaa")) {
		t.Fatalf("used %d, frame %q", used, dst)
	}
	if got := readFrames(t, rest); len(got) != 1 || got[0].text != "bbbb" || frameFlags(rest) != 0 {
		t.Errorf("rest %q", rest)
	}
}
