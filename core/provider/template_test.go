package provider

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"pyagent/core/llm"
)

// openAIChunk is a chunk as OpenAI sends it, about 250 bytes; text and padding are the insides of JSON strings.
func openAIChunk(text, padding string) string {
	return `{"id":"chatcmpl-E4Rjs6IxaJVge9Ntk5keJsaeDy6vS","object":"chat.completion.chunk","created":1784728648,` +
		`"model":"gpt-5-2025-08-07","service_tier":"default","system_fingerprint":null,"choices":[{"index":0,"delta":{"content":"` +
		text + `"},"finish_reason":null}],"usage":null,"obfuscation":"` + padding + `"}`
}

func decoderFor(t testing.TB, vendor string) *chatDecoder {
	call := testCall(t, vendor)
	return call.Row.Protocol().NewDecoder(call).(*chatDecoder)
}

func TestTemplateTakesRepeatedChunks(t *testing.T) {
	tests := []struct{ name, format string }{
		{"plain", `{"id":"a","model":"m","choices":[{"index":0,"delta":{"content":%s}}]}`},
		{"text behind the padding", `{"obfuscation":"xyz","id":"a","choices":[{"delta":{"content":%s},"index":0}]}`},
		{"reasoning_content", `{"id":"a","choices":[{"index":0,"delta":{"content":null,"reasoning_content":%s}}]}`},
		{"reasoning", `{"id":"a","choices":[{"index":0,"delta":{"reasoning":%s,"channel":"analysis"}}]}`},
		{"white space", `{ "id" : "a", "choices" : [ { "index": 0, "delta" : { "content" : %s } } ] }`},
		{"second choice of two", `{"id":"a","choices":[{"index":1,"delta":{"content":%s}}]}`},
	}
	texts := []string{`"one"`, `"two"`, `"three"`, `" ü\n"`, `"\ud83d\ude00"`, `""`, `"\u0000\"\\"`, `"end"`}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			decoder, got, want := decoderFor(t, "compatible"), collect(t), ""
			for i, text := range texts {
				chunk := fmt.Sprintf(test.format, text)
				if i >= 2 && !decoder.fast.emit([]byte(chunk), func(llm.Event) {}) {
					t.Errorf("chunk %d took the plain path: %s", i, chunk)
				}
				if _, err := decoder.Event("", []byte(chunk), got.emit); err != nil {
					t.Fatal(err)
				}
				want += llm.Unquote(json.RawMessage(text))
			}
			if all := got.text[0] + got.text[1] + got.reasoning; all != want {
				t.Errorf("got %q, expected %q", all, want)
			}
		})
	}
}

// What looks like a repeated chunk but means something else, or is not JSON, must take the plain path.
func TestTemplateLeavesOthersAlone(t *testing.T) {
	decoder, got := decoderFor(t, "openai"), collect(t)
	for _, text := range []string{"one", "two", "three"} {
		if _, err := decoder.Event("", []byte(openAIChunk(text, "abc")), got.emit); err != nil {
			t.Fatal(err)
		}
	}
	if !decoder.fast.ready {
		t.Fatal("no template after three chunks")
	}
	others := map[string]string{
		"finish reason":     strings.Replace(openAIChunk("x", ""), `"finish_reason":null`, `"finish_reason":"stop"`, 1),
		"usage":             strings.Replace(openAIChunk("x", ""), `"usage":null`, `"usage":{"prompt_tokens":1}`, 1),
		"injected members":  openAIChunk(`x","refusal":"no`, ""),
		"bad escape":        openAIChunk(`\x41`, ""),
		"cut escape":        openAIChunk(`\u12`, ""),
		"raw line feed":     openAIChunk("a\nb", ""),
		"bad padding":       openAIChunk("x", `\q`),
		"control character": openAIChunk("x", "\x01"),
		"trailing bytes":    openAIChunk("x", "") + " ",
		"truncated":         strings.TrimSuffix(openAIChunk("x", ""), `"}`),
		"escaped quote":     openAIChunk(`x\`, ""),
	}
	for name, chunk := range others {
		if decoder.fast.emit([]byte(chunk), func(llm.Event) {}) {
			t.Errorf("%s was taken for a repeated chunk", name)
		}
	}
}

// Learning refuses chunks in which the text is not provably the string that encoding/json takes.
func TestTemplateRefusesToLearn(t *testing.T) {
	tests := []struct{ name, chunk string }{
		{"duplicate content", `{"id":"a","choices":[{"index":0,"delta":{"content":"x","content":"x"}}]}`},
		{"content in other case", `{"id":"a","choices":[{"index":0,"delta":{"content":"x","Content":"x"}}]}`},
		{"escaped key", `{"id":"a","choices":[{"index":0,"delta":{"\u0063ontent":"x","content":"x"}}]}`},
		{"non-ASCII key", `{"id":"a","choices":[{"index":0,"delta":{"conſent":"x","content":"x"}}]}`},
		{"duplicate delta", `{"id":"a","choices":[{"index":0,"delta":{},"delta":{"content":"x"}}]}`},
		{"duplicate choices", `{"id":"a","choices":[],"choices":[{"index":0,"delta":{"content":"x"}}]}`},
		{"both reasoning fields", `{"id":"a","choices":[{"index":0,"delta":{"reasoning":"x","reasoning_content":"x"}}]}`},
		{"text and reasoning", `{"id":"a","choices":[{"index":0,"delta":{"reasoning":"x","content":"x"}}]}`},
		{"usage", `{"id":"a","choices":[{"index":0,"delta":{"content":"x"}}],"usage":{"total_tokens":5}}`},
		{"usage in the choice", `{"id":"a","choices":[{"index":0,"delta":{"content":"x"},"usage":{"total_tokens":5}}]}`},
		{"finish reason", `{"id":"a","choices":[{"index":0,"delta":{"content":"x"},"finish_reason":"stop"}]}`},
		{"logprobs", `{"id":"a","choices":[{"index":0,"delta":{"content":"x"},"logprobs":{"content":[]}}]}`},
		{"list content", `{"id":"a","choices":[{"index":0,"delta":{"content":[{"type":"text","text":"x"}]}}]}`},
		{"citations", `{"id":"a","choices":[{"index":0,"delta":{"content":"x"}}],"citations":["http://a"]}`},
		{"details", `{"id":"a","choices":[{"delta":{"reasoning":"x","reasoning_details":[{"type":"reasoning.text","text":"x"}]}}]}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			decoder, got := decoderFor(t, "compatible"), collect(t)
			for range 3 {
				if _, err := decoder.Event("", []byte(test.chunk), got.emit); err != nil {
					t.Fatal(err)
				}
			}
			if decoder.fast.ready {
				t.Errorf("learned from %s", test.chunk)
			}
		})
	}
}

func TestTemplateBacksOff(t *testing.T) {
	decoder, learnt := decoderFor(t, "compatible"), 0
	for i := range 1000 {
		before := 0
		if decoder.fast != nil {
			before = decoder.fast.skip
		}
		chunk := fmt.Sprintf(`{"id":"a","step":%d,"choices":[{"index":0,"delta":{"content":"x"}}]}`, i)
		if _, err := decoder.Event("", []byte(chunk), func(llm.Event) {}); err != nil {
			t.Fatal(err)
		}
		if before == 0 {
			learnt++
		}
	}
	if learnt > 20 {
		t.Errorf("learned %d times from 1000 chunks that never repeat", learnt)
	}
}

func TestTemplateAllocatesNothing(t *testing.T) {
	decoder := decoderFor(t, "openai")
	emit := func(llm.Event) {}
	for range 3 {
		if _, err := decoder.Event("", []byte(openAIChunk(`\n`, "abc")), emit); err != nil {
			t.Fatal(err)
		}
	}
	for _, text := range []string{"plain", `esc\"aped`, "ümlaut", "bad \xff byte"} {
		chunk := []byte(openAIChunk(text, "Xy"))
		if n := testing.AllocsPerRun(100, func() { decoder.Event("", chunk, emit) }); n != 0 {
			t.Errorf("%q: %v allocations", text, n)
		}
	}
}

// FuzzTemplate decodes sequences of similar chunks with and without the fast path and compares everything that comes
// out.
func FuzzTemplate(f *testing.F) {
	f.Add("one", "two", "x", uint16(0), byte(0))
	f.Add(`\ud83d\ude00`, `\ud83d`, `","refusal":"no`, uint16(200), byte('"'))
	f.Add("a\xffb", "\x00", `\u00e9\/`, uint16(235), byte('C'))
	f.Add("", `\`, `"`, uint16(180), byte('{'))
	formats := []string{
		`{"id":"a","model":"m","choices":[{"index":0,"delta":{"content":"%s"},"finish_reason":null}],"obfuscation":"%s"}`,
		`{"id":"a","choices":[{"index":0,"delta":{"reasoning":"%s","content":null}}],"p":"%s"}`,
		`{"p":"%s","choices":[{"delta":{"reasoning_content":"%s"}}]}`,
		`{"choices":[{"index":1,"delta":{"content":"%s","role":"%s"}}],"usage":null}`,
		`{"choices":[{"index":0,"delta":{"content":"%s","Content":"%s"}}]}`,
		`{"choices":[{"index":0,"delta":{"content":"%s","reasoning":"%s"}}]}`,
		`{"choices":[{"index":0,"delta":{"content":[{"type":"thinking","thinking":[{"type":"text","text":"%s"}],"x":"%s"}]}}]}`,
	}
	f.Fuzz(func(t *testing.T, first, second, third string, at uint16, with byte) {
		for _, format := range formats {
			var chunks []string
			for _, text := range []string{"a", "b", "c", first, second, third, "d"} {
				chunks = append(chunks, fmt.Sprintf(format, text, first), fmt.Sprintf(format, second, text))
			}
			changed := []byte(chunks[len(chunks)-1])
			changed[int(at)%len(changed)] = with
			chunks = append(chunks, string(changed), chunks[0], string(changed), string(changed), chunks[1])
			comparePaths(t, chunks)
		}
	})
}

func comparePaths(t *testing.T, chunks []string) {
	t.Helper()
	for _, row := range []string{"xai", "deepseek"} { // the latter wants its thoughts back
		compareRow(t, row, chunks)
	}
}

func compareRow(t *testing.T, row string, chunks []string) {
	t.Helper()
	fast, plain := decoderFor(t, row), decoderFor(t, row)
	plain.noFast = true
	fromFast, fromPlain := collect(t), collect(t)
	for i, chunk := range chunks {
		doneFast, errFast := fast.Event("", []byte(chunk), fromFast.emit)
		donePlain, errPlain := plain.Event("", []byte(chunk), fromPlain.emit)
		if doneFast != donePlain || fmt.Sprint(errFast) != fmt.Sprint(errPlain) {
			t.Fatalf("chunk %d %q: %v %v, plainly %v %v", i, chunk, doneFast, errFast, donePlain, errPlain)
		}
	}
	a, b := fromFast.end(fast).summary(), fromPlain.end(plain).summary()
	if a != b {
		t.Fatalf("%q:\nfast  %s\nplain %s", chunks, a, b)
	}
}

func BenchmarkDecode(b *testing.B) {
	chunk := []byte(openAIChunk(" wonderful", "EeXxvZr1"))
	for _, mode := range []struct {
		name   string
		noFast bool
	}{{"fast", false}, {"plain", true}} {
		b.Run(mode.name, func(b *testing.B) {
			decoder := decoderFor(b, "openai")
			decoder.noFast = mode.noFast
			bytes := 0
			emit := func(event llm.Event) { bytes += len(event.Text) }
			b.ReportAllocs()
			b.SetBytes(int64(len(chunk)))
			for b.Loop() {
				decoder.Event("", chunk, emit)
			}
		})
	}
}
