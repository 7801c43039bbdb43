package provider

import (
	"fmt"
	"strings"
	"testing"

	"pyagent/core/llm"
)

// lineDecoderFor makes a decoder whose fast path may be switched off.
func lineDecoderFor(t testing.TB, row string, noFast bool) (Decoder, *lineDecoder) {
	call := testCall(t, row)
	switch d := call.Row.Protocol().NewDecoder(call).(type) {
	case *ollamaDecoder:
		d.noFast = noFast
		return d, &d.lineDecoder
	case *puterDecoder:
		d.noFast = noFast
		return d, &d.lineDecoder
	}
	t.Fatalf("%s streams no lines", row)
	return nil, nil
}

// The lines of a stream take the fast path from the third on, although each has another time.
func TestLineTemplate(t *testing.T) {
	formats := map[string]string{
		"ollama":  `{"model":"m","created_at":"2026-01-01T00:00:00.%[2]dZ","message":{"role":"assistant","content":"%[1]s"},"done":false}`,
		"ollama ": `{"model":"m","created_at":"2026-01-01T00:00:00.%[2]dZ","message":{"role":"assistant","content":"","thinking":"%[1]s"},"done":false}`,
		"puter":   `{"type":"text","text":"%[1]s"}`,
		"puter ":  `{"type":"reasoning","reasoning":"%[1]s"}`,
	}
	for row, format := range formats {
		decoder, lines := lineDecoderFor(t, strings.TrimSpace(row), false)
		got, want := collect(t), ""
		for i, text := range []string{"one", "two", "three", `\n`, "ü", "", "end"} {
			line := strings.ReplaceAll(fmt.Sprintf(format, text, 7*i+1), "%!(EXTRA int="+fmt.Sprint(7*i+1)+")", "")
			if i >= 2 && !lines.fast.emit([]byte(line), func(llm.Event) {}) {
				t.Errorf("%s: line %d took the plain path: %s", row, i, line)
			}
			if _, err := decoder.Event("", []byte(line), got.emit); err != nil {
				t.Fatal(err)
			}
			want += strings.ReplaceAll(text, `\n`, "\n")
		}
		if all := got.text[0] + got.reasoning; all != want {
			t.Errorf("%s: got %q, expected %q", row, all, want)
		}
	}
}

// What is more than a text is never learned from.
func TestLineTemplateRefusesToLearn(t *testing.T) {
	tests := []struct{ row, line string }{
		{"ollama", `{"message":{"content":"x","thinking":"y"},"done":false}`},
		{"ollama", `{"message":{"content":"x"},"logprobs":[]}`},
		{"ollama", `{"message":{"content":"x","tool_calls":[{"function":{"name":"f"}}]}}`},
		{"ollama", `{"message":{"content":"x","content":"x"}}`},
		{"ollama", `{"response":"x"}`},
		{"puter", `{"type":"text","text":"x","extra_content":{}}`},
		{"puter", `{"type":"reasoning","text":"x"}`},
		{"puter", `{"type":"text","text":"x","Text":"x"}`},
	}
	for _, test := range tests {
		decoder, lines := lineDecoderFor(t, test.row, false)
		got := collect(t)
		for range 3 {
			if _, err := decoder.Event("", []byte(test.line), got.emit); err != nil {
				t.Fatal(err)
			}
		}
		if lines.fast.ready {
			t.Errorf("learned from %s", test.line)
		}
	}
}

func TestLineBounds(t *testing.T) {
	many := `{"message":{"tool_calls":[` + strings.Repeat(`{"function":{"name":"f"}},`, 2*maxParts) + `{}]}}`
	if got := streamed(t, testCall(t, "ollama"), many); got.err == nil || !strings.Contains(got.err.Error(), "more than") {
		t.Errorf("got %v", got.err)
	}
	decoder, lines := lineDecoderFor(t, "ollama", false)
	lines.held = maxHeld
	if _, err := decoder.Event("", []byte(`{"message":{"thinking":"x"}}`), func(llm.Event) {}); err == nil {
		t.Error("held too much without an error")
	}
}

// FuzzLines decodes anything as a stream of lines and as a body, with the fast path and without: both give the same, and
// whatever a server sends ends with events that make sense together or with an error.
func FuzzLines(f *testing.F) {
	for _, seed := range []string{
		ollamaLine(1, `"content":"x"`), ollamaLine(2, `"thinking":"x"`), ollamaEnd, puterEnd, `{"type":"text","text":"x"}`,
		`{"message":{"tool_calls":[{"function":{"name":"f","arguments":{"a":1}}}]}}`, `{"type":"tool_use","id":"a","name":"f","input":{}}`,
		`{"success":true,"result":{"message":{"content":[{"type":"tool_use","name":"f"}]},"usage":[{"type":"prompt","amount":1}]}}`,
		`{"error":"x"}`, `{"embeddings":[[1]],"models":[{"id":"a","costs":{"tokens":0}}],"proceed":true}`, "<html>",
	} {
		f.Add(seed, seed, "x")
		f.Add(seed, ollamaLine(3, `"content":"y"`), `\ud83d`)
	}
	f.Fuzz(func(t *testing.T, first, second, text string) {
		between := func(format string) string { return fmt.Sprintf(format, text) }
		for row, format := range map[string]string{
			"ollama": `{"created_at":"z","message":{"content":"%s"}}`, "puter": `{"type":"text","text":"%s"}`,
		} {
			lines := []string{between(format), between(format), between(format), first, second, between(format), first, second}
			fast, _ := lineDecoderFor(t, row, false)
			plain, _ := lineDecoderFor(t, row, true)
			a, b := collect(t), collect(t)
			for _, line := range lines {
				doneFast, errFast := fast.Event("", []byte(line), a.emit)
				donePlain, errPlain := plain.Event("", []byte(line), b.emit)
				if doneFast != donePlain || fmt.Sprint(errFast) != fmt.Sprint(errPlain) {
					t.Fatalf("%s %q: %v %v, plainly %v %v", row, line, doneFast, errFast, donePlain, errPlain)
				}
				if errFast != nil {
					break
				}
			}
			if with, without := a.end(fast).summary(), b.end(plain).summary(); with != without {
				t.Fatalf("%s %q:\nfast  %s\nplain %s", row, lines, with, without)
			}
			for _, op := range []llm.Op{llm.OpGenerate, llm.OpEmbed, llm.OpModels, llm.OpLogin} {
				call := testCall(t, row)
				call.Request.Op, call.Request.Login = op, &llm.Credentials{Username: "u", Password: "p"}
				if got := answered(t, call, first); got.err == nil && !got.complete {
					t.Errorf("%s %s %q: neither an error nor an end", row, op, first)
				}
				call.Row.Protocol().DecodeError(call, 400, nil, []byte(first))
			}
		}
	})
}

func BenchmarkLines(b *testing.B) {
	for _, stream := range []struct{ name, row, line string }{
		{"ollama", "ollama", ollamaLine(1, `"content":" wonderful"`)},
		{"ollama thinking", "ollama", ollamaLine(1, `"content":"","thinking":" wonderful"`)},
		{"puter", "puter", `{"type":"text","text":" wonderful"}`},
	} {
		for _, noFast := range []bool{false, true} {
			b.Run(fmt.Sprintf("%s/fast=%v", stream.name, !noFast), func(b *testing.B) {
				decoder, lines := lineDecoderFor(b, stream.row, noFast)
				line, bytes := []byte(stream.line), 0
				emit := func(event llm.Event) { bytes += len(event.Text) }
				b.ReportAllocs()
				b.SetBytes(int64(len(line)))
				for b.Loop() {
					if thinker, ok := decoder.(*ollamaDecoder); ok && lines.held > 1<<16 { // an answer's worth of it
						lines.held, thinker.thinking = 0, thinker.thinking[:0]
					}
					decoder.Event("", line, emit)
				}
			})
		}
	}
}
