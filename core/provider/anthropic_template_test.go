package provider

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"pyagent/core/llm"
	"pyagent/core/stream"
)

func messagesDecoderFor(t testing.TB, plain bool) *messagesDecoder {
	call := testCall(t, "anthropic")
	decoder := call.Row.Protocol().NewDecoder(call).(*messagesDecoder)
	decoder.noFast = plain
	return decoder
}

// Repeated pieces take the fast path, whatever white space hides their length, and mean the same there.
func TestMessagesTemplate(t *testing.T) {
	for _, test := range []struct{ opened, kind, key string }{
		{`{"type":"text","text":""}`, "text_delta", "text"}, {`{"type":"thinking","thinking":""}`, "thinking_delta", "thinking"},
		{secondTool, "input_json_delta", "partial_json"},
	} {
		decoder, got := messagesDecoderFor(t, false), collect(t)
		feed := func(data string) { decoder.Event("content_block_delta", []byte(data), got.emit) }
		feed(msgStart(""))
		feed(blockStart(0, test.opened))
		want := ""
		for i, text := range []string{"one", " two", "three", "ü\n", "\\", "end"} {
			piece := blockDelta(0, fmt.Sprintf(`{"type":%q,%q:%s}`, test.kind, test.key, llm.AppendString(nil, text)))
			piece = piece[:len(piece)-1] + strings.Repeat(" ", i) + "}"
			if ready := decoder.fast.ready; ready != (i > 0) {
				t.Errorf("%s: piece %d, template %v", test.key, i, ready)
			}
			hits := decoder.fast.hits
			if feed(piece); i > 0 && decoder.fast.hits != hits+1 {
				t.Errorf("%s: piece %d took the plain path", test.key, i)
			}
			want += text
		}
		feed(blockStop(0))
		if decoder.fast.ready {
			t.Errorf("%s: the template outlived its block", test.key)
		}
		all := got.text[0] + got.reasoning
		if len(got.calls) > 0 {
			all = got.calls[0].arguments
		}
		if all != want {
			t.Errorf("got %q, expected %q", all, want)
		}
	}
}

// Pieces of blocks that are open at the same time are counted on their own block, whichever of them taught the template, and
// whether or not the others could: an event of another name does not.
func TestMessagesTemplateKeepsBlocksApart(t *testing.T) {
	type piece struct {
		name  string
		block int
		said  string
	}
	const usual, unusual = "content_block_delta", "a_proxy_calls_it_so"
	for name, pieces := range map[string][]piece{
		"in turn":       {{usual, 0, "a"}, {usual, 1, "bb"}, {usual, 0, "ccc"}, {usual, 1, "dddd"}},
		"after several": {{usual, 0, "a"}, {usual, 0, "bb"}, {usual, 1, "ccc"}, {usual, 0, "dddd"}, {usual, 0, "eeeee"}},
		"one that teaches nothing": {
			{usual, 0, "a"}, {usual, 0, "bb"}, {unusual, 1, "ccc"}, {usual, 0, "dddd"}, {usual, 1, "eeeee"},
		},
	} {
		for _, plain := range []bool{false, true} {
			decoder, got, lengths := messagesDecoderFor(t, plain), collect(t), make([]int, 2)
			feed := func(name, data string) {
				if _, err := decoder.Event(name, []byte(data), got.emit); err != nil {
					t.Fatal(err)
				}
			}
			feed("", msgStart(""))
			feed("", blockStart(0, `{"type":"text","text":""}`))
			feed("", blockStart(1, `{"type":"text","text":""}`))
			for _, p := range pieces {
				feed(p.name, blockDelta(p.block, fmt.Sprintf(`{"type":"text_delta","text":%q}`, p.said)))
				lengths[p.block] += len(p.said)
			}
			for block, want := range lengths {
				if have := decoder.spans[block].length; have != want {
					t.Errorf("%s, plain %v: block %d has %d bytes, and not %d", name, plain, block, have, want)
				}
			}
		}
	}
}

// FuzzMessages gives the decoder any bytes as the events of a stream, with and without the fast path, and as a body.
func FuzzMessages(f *testing.F) {
	f.Add(strings.Join(append(append([]string{msgStart("")}, blocksOf(aThought, aText, toolBlock, searchBlock, searchResult, aCitedText)...), msgDelta("end_turn", ""), msgStop), "\n"))
	f.Add(blockDelta(0, `{"type":"text_delta","text":"a"}`) + "\n" + blockDelta(0, `{"type":"text_delta","text":"b","text":"c"}   `) + "\n" + blockStart(0, "7"))
	f.Add(`{"type":"message_delta","delta":7,"usage":[]}` + "\n" + `{"type":"content_block_start","index":-1,"content_block":{"type":["x"]}}`)
	f.Add(`{"content":[7,"x",{"type":"text","text":7},{"type":"tool_use"},null],"usage":{"input_tokens":"x"}}`)
	f.Fuzz(func(t *testing.T, soup string) {
		fast, plain := messagesDecoderFor(t, false), messagesDecoderFor(t, true)
		fromFast, fromPlain := collect(t), collect(t)
		for _, line := range strings.Split(soup, "\n") {
			doneFast, errFast := fast.Event("", []byte(line), fromFast.emit)
			donePlain, errPlain := plain.Event("", []byte(line), fromPlain.emit)
			if doneFast != donePlain || fmt.Sprint(errFast) != fmt.Sprint(errPlain) {
				t.Fatalf("%q: %v %v, plainly %v %v", line, doneFast, errFast, donePlain, errPlain)
			}
			if doneFast || errFast != nil {
				break
			}
		}
		if a, b := fromFast.end(fast).summary(), fromPlain.end(plain).summary(); a != b {
			t.Fatalf("fast  %s\nplain %s", a, b)
		}
		whole, got := messagesDecoderFor(t, false), collect(t)
		got.err = whole.Body([]byte(soup), got.emit)
		got.end(whole)
	})
}

// FuzzMessagesSplits cuts a stream anywhere, and gives the answer that came back to the encoder.
func FuzzMessagesSplits(f *testing.F) {
	f.Add(uint64(1), "Hi", "hm", `{"a":1}`)
	f.Add(uint64(2), "\x00ü😀\r\n", "", "")
	f.Fuzz(func(t *testing.T, seed uint64, text, thought, arguments string) {
		blocks := []string{
			`{"type":"thinking","thinking":` + string(llm.AppendString(nil, thought)) + `,"signature":"s"}`,
			`{"type":"text","text":` + string(llm.AppendString(nil, text)) + `}`, searchBlock, searchResult, anotherText,
			`{"type":"tool_use","id":"t","name":"f","input":` + string(argumentsObject(strings.ToValidUTF8(arguments, "?"))) + `}`,
		}
		var body bytes.Buffer
		for _, event := range append(append([]string{msgStart("")}, blocksOf(blocks...)...), msgDelta("tool_use", ""), msgStop) {
			fmt.Fprintf(&body, "event: x\ndata: %s\n\n", event)
		}
		call := testCall(t, "anthropic")
		decoder, got := call.Row.Protocol().NewDecoder(call), collect(t)
		random := rand.New(rand.NewPCG(seed, 0))
		frames := stream.NewSSE(&splitReader{body.Bytes(), random, 1 + random.IntN(200)}, 1<<20)
		for !got.done && got.err == nil {
			event, err := frames.Next()
			if err != nil {
				t.Fatal(err)
			}
			got.done, got.err = decoder.Event("", event.Data, got.emit)
		}
		if got.end(decoder); got.err != nil || !got.complete {
			t.Fatal(got.summary())
		}
		if sent := resent(t, got, "m"); !strings.Contains(string(sent), searchBlock) || !strings.Contains(string(sent), `"signature":"s"`) {
			t.Errorf("sent %s", sent)
		}
	})
}

// BenchmarkMessages is BenchmarkDecode for this dialect: a delta may cost half as much again.
func BenchmarkMessages(b *testing.B) {
	piece := []byte(`{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":" wonderful"}          }`)
	for _, mode := range []struct {
		name  string
		plain bool
	}{{"fast", false}, {"plain", true}} {
		b.Run(mode.name, func(b *testing.B) {
			decoder := messagesDecoderFor(b, mode.plain)
			decoder.Event("", []byte(msgStart("")), func(llm.Event) {})
			decoder.Event("", []byte(blockStart(0, `{"type":"text","text":""}`)), func(llm.Event) {})
			bytes := 0
			emit := func(event llm.Event) { bytes += len(event.Text) }
			b.ReportAllocs()
			b.SetBytes(int64(len(piece)))
			for b.Loop() {
				decoder.Event("content_block_delta", piece, emit)
			}
		})
	}
}
