package provider

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"pyagent/core/llm"
)

func TestModelRowsAreSound(t *testing.T) {
	seen := map[string]bool{}
	for _, row := range Models() {
		for _, name := range row.Providers {
			if seen[name+" "+row.Name] {
				t.Errorf("%s of %s has two rows", row.Name, name)
			}
			seen[name+" "+row.Name] = true
		}
		for _, word := range slices.Concat(row.Has, row.Lacks) {
			if !slices.Contains(Features(), word) {
				t.Errorf("%s: %q is no word of Features", row.Name, word)
			}
		}
		for _, word := range row.Has {
			if slices.Contains(row.Lacks, word) {
				t.Errorf("%s both has and lacks %q", row.Name, word)
			}
		}
		if !strings.HasPrefix(row.Source, "https://") || len(row.Seen) != len("2006-01") {
			t.Errorf("%s: source %q, seen %q", row.Name, row.Source, row.Seen)
		}
	}
}

func TestFindModel(t *testing.T) {
	cases := []struct{ provider, model, want string }{
		{"openai", "gpt-4o", "gpt-4o"},
		{"openai-responses", "gpt-4o-2024-08-06", "gpt-4o"},
		{"openai", "gpt-4o-mini", "gpt-4o-mini"},
		{"openai", "gpt-4o-mini-2024-07-18", "gpt-4o-mini"},
		{"openai", "gpt-4o-audio-preview", ""},
		{"openai", "gpt-3.5-turbo-0125", "gpt-3.5-turbo"},
		{"openai", "gpt-3.5-turbo-16k", ""},
		{"openai", "o3-pro", ""},
		{"openai", "gpt-5-2", ""},
		{"openai", "", ""},
		{"anthropic", "claude-3-5-haiku-latest", "claude-3-5-haiku"},
		{"anthropic", "claude-haiku-4-5@20251001", "claude-haiku-4-5"},
		{"gemini", "gemini-2.0-flash-001", "gemini-2.0-flash"},
		{"gemini", "gemini-2.0-flash-lite", "gemini-2.0-flash-lite"},
		{"openrouter", "gpt-4o", ""},
	}
	for _, c := range cases {
		got := ""
		if row := findModel(ModelsOf(c.provider), c.model); row != nil {
			got = row.Name
		}
		if got != c.want {
			t.Errorf("%s of %s is %q, want %q", c.model, c.provider, got, c.want)
		}
	}
}

func TestCheckModel(t *testing.T) {
	part := func(kind string) string { return `"messages":[{"role":"user","content":[{"type":"` + kind + `"}]}]` }
	hello := `"messages":[{"role":"user","content":"hi"}]`
	schema := `"response_format":{"type":"json_schema","json_schema":{"name":"a","schema":{"type":"object"}}}`
	cases := []struct {
		name, provider, model, op, options string
		param, feature                     string // "" where it is allowed
	}{
		{"a chat", "openai", "gpt-3.5-turbo", "generate", hello, "", ""},
		{"an image", "openai", "gpt-3.5-turbo", "stream", part("image_url"), "messages", "images"},
		{"an image all the same", "openai", "gpt-3.5-turbo", "stream", part("image_url") + `,"allow_unsupported":true`, "", ""},
		{"an image to a model that sees", "openai", "gpt-4o", "generate", part("image_url"), "", ""},
		{"an image to an unknown model", "openai", "gpt-9", "generate", part("image_url"), "", ""},
		{"an image to a vendor without rows", "groq", "gpt-3.5-turbo", "generate", part("image_url"), "", ""},
		{"audio", "anthropic", "claude-haiku-4-5", "generate", part("input_audio"), "messages", "audio"},
		{"video", "openai", "gpt-4.1", "count", part("video_url"), "messages", "video"},
		{"a file", "gemini", "gemini-embedding-001", "generate", part("file"), "messages", "chat"},
		{"reasoning", "openai", "gpt-4o", "generate", hello + `,"reasoning_effort":"low"`, "reasoning_effort", "reasoning"},
		{"no reasoning", "openai", "gpt-4o", "generate", hello + `,"reasoning_effort":"none"`, "", ""},
		{"a budget", "anthropic", "claude-3-5-haiku", "generate", hello + `,"reasoning_budget":1024`, "reasoning_budget", "reasoning"},
		{"a budget of nothing", "anthropic", "claude-3-5-haiku", "generate", hello + `,"reasoning_budget":0`, "", ""},
		{"a schema", "openai", "gpt-3.5-turbo", "generate", hello + "," + schema, "response_format", "structured_output"},
		{"a JSON object", "openai", "gpt-3.5-turbo", "generate", hello + `,"response_format":{"type":"json_object"}`, "", ""},
		{"embeddings of a chat model", "openai", "gpt-4o", "embed", `"input":"a"`, "input", "embeddings"},
		{"embeddings", "openai", "text-embedding-3-small", "embed", `"input":"a"`, "", ""},
		{"a chat with an embedding model", "openai", "text-embedding-3-small", "generate", hello, "messages", "chat"},
		{"a list", "openai", "", "models", `"max_retries":0`, "", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			request, failed := llm.DecodeRequest([]byte(`{"op":"` + c.op + `","model":"` + c.model + `",` + c.options + `}`))
			if failed != nil {
				t.Fatal(failed)
			}
			err := CheckModel(ModelsOf(c.provider), &Row{Name: c.provider}, request)
			if (err == nil) != (c.feature == "") {
				t.Fatalf("got %v", err)
			}
			if err != nil && (err.Kind != llm.KindUnsupported || err.Param != c.param || !strings.Contains(err.Message, `"`+c.feature+`"`) ||
				!strings.Contains(err.Message, c.model) || !strings.Contains(err.Message, "allow_unsupported")) {
				text, _ := json.Marshal(err)
				t.Errorf("got %s", text)
			}
		})
	}
}

func TestOperations(t *testing.T) {
	chats := []llm.Op{llm.OpGenerate, llm.OpStream}
	cases := map[string][]llm.Op{
		"openai":     append(slices.Clone(chats), llm.OpEmbed, llm.OpModels),
		"gemini":     append(slices.Clone(chats), llm.OpEmbed, llm.OpModels, llm.OpCount),
		"ollama":     append(slices.Clone(chats), llm.OpEmbed, llm.OpModels),
		"puter":      append(slices.Clone(chats), llm.OpModels, llm.OpLogin),
		"perplexity": append(slices.Clone(chats), llm.OpModels),
	}
	for _, listed := range List() {
		for _, op := range chats {
			if !slices.Contains(listed.Operations, op) {
				t.Errorf("%s has no %q", listed.Name, op)
			}
		}
		if want, ok := cases[listed.Name]; ok && !slices.Equal(listed.Operations, want) {
			t.Errorf("%s: got %q, want %q", listed.Name, listed.Operations, want)
		}
	}
}
