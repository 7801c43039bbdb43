package provider

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"pyagent/core/llm"
)

func TestRows(t *testing.T) {
	names := map[string]bool{}
	for _, row := range Rows() {
		if names[row.Name] {
			t.Errorf("two rows named %q", row.Name)
		}
		names[row.Name] = true
		if err := row.check(); err != nil {
			t.Errorf("%s: %s", row.Name, err)
		}
		if len(row.KeyEnv) == 0 && !row.KeyOptional {
			t.Errorf("%s needs a key but names no variable for it", row.Name)
		}
		if row.BaseURL == "" && len(row.BaseURLEnv) == 0 {
			t.Errorf("%s has no base URL and no variable for it", row.Name)
		}
		if row.Local { // not for users, see TestParseRow
			continue
		}
		data, _ := json.Marshal(row)
		again, err := ParseRow(data)
		if err != nil || !reflect.DeepEqual(*again, row) {
			t.Errorf("%s does not survive JSON: %v %s", row.Name, err, data)
		}
	}
	for _, name := range strings.Fields("openai openrouter anthropic groq together fireworks deepseek xai nvidia mistral cerebras moonshot " +
		"perplexity lmstudio vllm llamacpp ollama ollama-openai puter azure echo compatible alibaba huggingface zai gemini gemini-openai vertex volcengine sambanova") {
		if !names[name] {
			t.Errorf("no row named %q", name)
		}
	}
}

// A caller that changes its row must not change the next caller's.
func TestLookupCopies(t *testing.T) {
	first, _ := Lookup("openai")
	first.Rename["seed"], first.KeyEnv[0] = "x", "y"
	if second, _ := Lookup("openai"); second.Rename["seed"] != "" || second.KeyEnv[0] != "OPENAI_API_KEY" {
		t.Error("rows share memory")
	}
	if _, ok := Lookup("nobody"); ok {
		t.Error("found nobody")
	}
}

func TestUnknownProvider(t *testing.T) {
	if err := UnknownProvider("opnai"); err.Kind != llm.KindConfiguration ||
		!strings.Contains(err.Message, `did you mean "openai"`) {
		t.Errorf("got %s", err)
	}
	if err := UnknownProvider("hal9000"); !strings.Contains(err.Message, `"groq"`) ||
		!strings.Contains(err.Message, "base_url") {
		t.Errorf("got %s", err)
	}
}

func TestParseRow(t *testing.T) {
	row, err := ParseRow([]byte(`{"name":"mine","base_url":"http://h/v1","key_optional":true,"rename":{"seed":"s"},
		"unsupported":["top_k"],"rules":[{"code":"busy","kind":"rate_limit"}]}`))
	if err != nil || row.Name != "mine" || row.Rules[0].Kind != llm.KindRateLimit {
		t.Fatalf("got %+v, %v", row, err)
	}
	tests := []struct{ name, row, says string }{
		{"no name", `{"base_url":"http://h"}`, "no name"},
		{"typing error", `{"name":"a","base_ulr":"http://h"}`, `did you mean "base_url"`},
		{"wrong type", `{"name":"a","unsupported":"seed"}`, "unsupported must be a list"},
		{"unknown dialect", `{"name":"a","dialect":"morse"}`, "morse"},
		{"unknown auth", `{"name":"a","auth":"basic"}`, `"bearer"`},
		{"chat path", `{"name":"a","chat_path":"chat"}`, `begin with "/"`},
		{"base URL", `{"name":"a","base_url":"h"}`, "https://"},
		{"header", `{"name":"a","headers":{"X":"a\nb"}}`, `"X"`},
		{"field", `{"name":"a","unsupported":["sede"]}`, `did you mean "seed"`},
		{"renamed field", `{"name":"a","rename":{"wings":"x"}}`, "wings"},
		{"ignored field", `{"name":"a","ignored":["wings"]}`, "wings"},
		{"rule kind", `{"name":"a","rules":[{"code":"x","kind":"sad"}]}`, "sad"},
		{"rule for everything", `{"name":"a","rules":[{"kind":"timeout"}]}`, "matches every error"},
		{"local", `{"name":"a","local":true}`, "cannot be local"},
		{"not an object", `"openai"`, "must be an object"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if _, err := ParseRow([]byte(test.row)); err == nil || err.Kind != llm.KindConfiguration ||
				!strings.Contains(err.Message, test.says) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// FuzzAnswer decodes anything as a stream of two chunks and as a body: whatever a server sends, decoding ends with
// events that make sense together or with an error.
func FuzzAnswer(f *testing.F) {
	for _, seed := range []string{
		delta(`"content":"x"`), finished("stop"), `{"error":"x"}`, `[{"error":{"code":1}}]`, "<html>", "[DONE]",
		tools(piece("0", "a", "f", "{}"), piece("", "", "g",
			"")), delta(`"reasoning_details":[{"type":"reasoning.text","text":"x","index":0}]`),
		delta(`"content":[{"type":"thinking","thinking":[{"text":"x"}]},"y",7]`), `{"choices":[{"index":1e9},{"index":-1}],"usage":{"cost":{}}}`,
	} {
		f.Add("", seed, seed)
		f.Add("error", seed, finished("length"))
	}
	f.Fuzz(func(t *testing.T, name, first, second string) {
		call := testCall(t, []string{"xai", "zai"}[len(first)%2])
		call.Row.ThinkTags = len(second)%2 == 1
		decoder, got := call.Row.Protocol().NewDecoder(call), collect(t)
		for _, data := range []string{first, second, first} {
			if done, err := decoder.Event(name, []byte(data), got.emit); done || err != nil {
				break
			}
		}
		got.end(decoder)
		body := answered(t, call, first)
		if body.err == nil && len(body.finish.Choices) == 0 && body.start == nil {
			t.Errorf("an answer without anything: %q", first)
		}
		call.Row.Protocol().DecodeError(call, 400, nil, []byte(first))
	})
}
