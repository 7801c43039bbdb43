package provider

import (
	"fmt"
	"strings"
	"testing"

	"pyagent/core/llm"
)

func geminiDecoderFor(t testing.TB, vendor string) *geminiDecoder {
	call := testCall(t, vendor)
	return call.Row.Protocol().NewDecoder(call).(*geminiDecoder)
}

// The usual chunks of a stream, whose numbers change with each, take the fast path and are counted all the same.
func TestGeminiTemplate(t *testing.T) {
	decoder, got := geminiDecoderFor(t, "gemini"), collect(t)
	for i := range 20 {
		chunk := geminiTextChunk(fmt.Sprintf(`w%d\n`, i), 20+7*i, 1406+7*i)
		if i >= 2 && !decoder.fast.emit([]byte(chunk), func(llm.Event) {}) {
			t.Errorf("chunk %d took the plain path", i)
		}
		if _, err := decoder.Event("", []byte(chunk), got.emit); err != nil {
			t.Fatal(err)
		}
	}
	got.end(decoder)
	usage := got.finish.Usage
	if usage == nil || *usage.PromptTokens != 272 || *usage.CompletionTokens != 20+7*19+1114 || *usage.TotalTokens != 1406+7*19 || !strings.HasSuffix(got.text[0], "w18\nw19\n") {
		t.Errorf("got %s", got.summary())
	}
	if written := decoder.candidates[0].written; written != len(got.text[0]) {
		t.Errorf("%d bytes are counted, %d were delivered", written, len(got.text[0]))
	}
}

func TestGeminiTemplateLeavesOthersAlone(t *testing.T) {
	decoder, got := geminiDecoderFor(t, "gemini"), collect(t)
	for i := range 3 {
		if _, err := decoder.Event("", []byte(geminiTextChunk("x", i, i)), got.emit); err != nil {
			t.Fatal(err)
		}
	}
	if !decoder.fast.ready {
		t.Fatal("no template after three chunks")
	}
	usual := geminiTextChunk("x", 5, 6)
	for name, pair := range map[string][2]string{
		"finish reason":      {`"index": 0`, `"finishReason": "STOP"`},
		"another candidate":  {`"index": 0`, `"index": 1`},
		"a thought":          {`"text": "x"`, `"text": "x","thought": true`},
		"no number":          {`"candidatesTokenCount": 5`, `"candidatesTokenCount": `},
		"a fraction":         {`"candidatesTokenCount": 5`, `"candidatesTokenCount": 5.5`},
		"a leading zero":     {`"candidatesTokenCount": 5`, `"candidatesTokenCount": 05`},
		"a negative number":  {`"candidatesTokenCount": 5`, `"candidatesTokenCount": -5`},
		"a huge number":      {`"candidatesTokenCount": 5`, `"candidatesTokenCount": 5000000000000000`},
		"another count":      {`"candidatesTokenCount"`, `"cachedContentTokenCount"`},
		"a number of a name": {`"modality": "TEXT"`, `"modality": "TEX7"`},
		"cut":                {`qAM"}`, `qAM"`},
		"two texts":          {`{"text": "x"}`, `{"text": "x"},{"text": "x"}`},
	} {
		changed := strings.Replace(usual, pair[0], pair[1], 1)
		if changed == usual || decoder.fast.emit([]byte(changed), func(llm.Event) {}) {
			t.Errorf("%s was taken for a repeated chunk", name)
		}
	}
}

func TestGeminiFastPathAllocatesNothing(t *testing.T) {
	decoder := geminiDecoderFor(t, "gemini")
	emit := func(llm.Event) {}
	for i := range 3 {
		if _, err := decoder.Event("", []byte(geminiTextChunk(`\n`, i, i)), emit); err != nil {
			t.Fatal(err)
		}
	}
	chunk := []byte(geminiTextChunk(`esc\"aped`, 7, 8))
	if n := testing.AllocsPerRun(100, func() { decoder.Event("", chunk, emit) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// FuzzGeminiTemplate decodes sequences of similar chunks with and without the fast path and compares all that comes out.
func FuzzGeminiTemplate(f *testing.F) {
	f.Add("one", "two", "5", uint16(0), byte(0))
	f.Add(`\ud83d\ude00`, `\ud83d`, "05", uint16(200), byte('"'))
	f.Add("a\xffb", "\x00", `{"x":1}`, uint16(130), byte('7'))
	f.Add("0", `"`, "", uint16(200), byte('"'))
	f.Add("", `x","thought":true,"y":"`, `"8"`, uint16(180), byte('{'))
	formats := []string{
		`{"candidates":[{"content":{"parts":[{"text":"%s"}],"role":"model"},"index":0}],"usageMetadata":{"promptTokenCount":4,"candidatesTokenCount":%s,"x":{"totalTokenCount":1}},"responseId":"r"}`,
		`{"usageMetadata":{"x":"totalTokenCount","totalTokenCount":9,"thoughtsTokenCount":7},"candidates":[{"content":{"parts":[{"text":"%s","thought":true}]}}],"n":"%s"}`,
		`{"candidates":[{"content":{"parts":[{"text":"%s"}]},"index":1}],"usageMetadata":{"totalTokenCount":1,"totalTokenCount":2,"n":"%s"}}`,
		`{"candidates":[{"content":{"parts":[{"text":"%s"}]}}],"usageMetadata":{"totalTokenCount":1},"usageMetadata":{"totalTokenCoun\u0074":2},"n":"%s"}`,
		`{"candidates":[{"content":{"parts":[{"text":"%s"}]},"finishReason":"%s"}],"usageMetadata":{"totalTokenCount":1}}`,
	}
	f.Fuzz(func(t *testing.T, first, second, third string, at uint16, with byte) {
		for _, format := range formats {
			var chunks []string
			for i, text := range []string{"a", "b", "c", first, second, "d"} {
				chunks = append(chunks, fmt.Sprintf(format, text, third), fmt.Sprintf(format, text, fmt.Sprint(i)))
			}
			changed := []byte(chunks[len(chunks)-1])
			changed[int(at)%len(changed)] = with
			chunks = append(chunks, string(changed), chunks[0], string(changed), string(changed), chunks[1])
			compareGeminiPaths(t, chunks)
		}
	})
}

func compareGeminiPaths(t *testing.T, chunks []string) {
	t.Helper()
	fast, plain := geminiDecoderFor(t, "gemini"), geminiDecoderFor(t, "gemini")
	plain.noFast = true
	fromFast, fromPlain := collect(t), collect(t)
	for i, chunk := range chunks {
		_, errFast := fast.Event("", []byte(chunk), fromFast.emit)
		_, errPlain := plain.Event("", []byte(chunk), fromPlain.emit)
		if fmt.Sprint(errFast) != fmt.Sprint(errPlain) {
			t.Fatalf("chunk %d %q: %v, plainly %v", i, chunk, errFast, errPlain)
		}
	}
	if a, b := fromFast.end(fast).summary(), fromPlain.end(plain).summary(); a != b {
		t.Fatalf("%q:\nfast  %s\nplain %s", chunks, a, b)
	}
	for i := range plain.candidates {
		if fast.candidates[i].written != plain.candidates[i].written {
			t.Fatalf("%q: the fast path counts %d bytes, the plain one %d", chunks, fast.candidates[i].written, plain.candidates[i].written)
		}
	}
}

// FuzzGeminiAnswer decodes anything as a stream and as a body: it ends with events that make sense together or an error.
func FuzzGeminiAnswer(f *testing.F) {
	for _, seed := range []string{
		geminiTextChunk("x", 1, 2), geminiParts(`{"functionCall":{"name":"f","willContinue":true}}`, ""), `[{"error":{"code":1,"details":[{"@type":"x.RetryInfo","retryDelay":"1s"}]}}]`,
		geminiParts(`{"functionCall":{"partialArgs":[{"jsonPath":"$.a[0]['b']","stringValue":"x","willContinue":true},{"jsonPath":"$.a.b","numberValue":1}]}}`, geminiStop),
		`{"promptFeedback":{"blockReason":"X"},"candidates":[{"index":65536},{"index":-1}]}`, `{"embeddings":[{"values":[1,"x"]}]}`,
		`{"models":[{"name":7,"inputTokenLimit":"x"}],"nextPageToken":null}`, `{"totalTokens":-1}`,
	} {
		f.Add(seed, seed)
	}
	f.Fuzz(func(t *testing.T, first, second string) {
		call := testCall(t, "gemini")
		decoder, got := call.Row.Protocol().NewDecoder(call), collect(t)
		for _, data := range []string{first, second, first} {
			if done, err := decoder.Event("", []byte(data), got.emit); done || err != nil {
				break
			}
		}
		got.end(decoder)
		for _, op := range []llm.Op{llm.OpGenerate, llm.OpEmbed, llm.OpModels, llm.OpCount} {
			call.Request.Op, call.Request.Input = op, make(llm.Inputs, 1)
			if body := answered(t, call, first); body.err == nil && body.start == nil {
				t.Errorf("an answer without anything: %q", first)
			}
		}
		call.Row.Protocol().DecodeError(call, 429, nil, []byte(first))
	})
}

func BenchmarkGeminiDecode(b *testing.B) {
	chunks := [][]byte{[]byte(geminiTextChunk(" wonderful", 47, 1433)), []byte(geminiTextChunk(" delightful", 74, 1460))}
	for _, mode := range []struct {
		name   string
		noFast bool
	}{{"fast", false}, {"plain", true}} {
		b.Run(mode.name, func(b *testing.B) {
			decoder := geminiDecoderFor(b, "gemini")
			decoder.noFast = mode.noFast
			bytes, i := 0, 0
			emit := func(event llm.Event) { bytes += len(event.Text) }
			b.ReportAllocs()
			for b.Loop() {
				i++
				decoder.Event("", chunks[i&1], emit)
			}
		})
	}
}
