package provider

import (
	"encoding/json"
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pyagent/core/llm"
)

var update = flag.Bool("update", false, "write the golden requests anew")

const ask = `"messages":[{"role":"user","content":"hi"}]`

// encodeTest is one request; row names the vendor, request is as a host sends it.
type encodeTest struct{ name, row, request string }

func encodeTests() []encodeTest {
	chat := func(messages string) string { return `{"op":"generate","model":"gpt-5","messages":[` + messages + `]}` }
	with := func(model, fields string) string {
		return `{"op":"generate","model":"` + model + `",` + ask + `,` + fields + `}`
	}
	stream := func(fields string) string { return `{"op":"stream","model":"m",` + ask + fields + `}` }
	return []encodeTest{
		{"minimal", "openai", chat(`{"role":"user","content":"hi"}`)},
		{"no HTML escapes", "openai", chat(`{"role":"user","content":"<a href=\"x\">&\u2028é\ud83d\ude00\u0000\n</a>"}`)},
		{"half a surrogate pair", "openai", chat(`{"role":"user","content":"a\ud83db"}`)},
		{"list content", "openai", chat(`{"role":"user","content":[{"type":"text","text":"<what>"},"bare <string>",` +
			`{"type":"image_url","image_url":{"url":"data:image/png;base64,AA==","detail":"auto"}},` +
			`{"type":"input_audio","input_audio":{"data":"UklGR","format":"wav"}}]}`)},
		{"empty list content", "openai", chat(`{"role":"user","content":[]}`)},
		{"tool conversation", "openai", chat(`{"role":"user","content":"sum"},{"role":"assistant","content":null,"tool_calls":[` +
			`{"id":"call_1","type":"function","function":{"name":"add","arguments":"{\"a\":1}"}},` +
			`{"id":"call_2","type":"function","function":{"name":"now","arguments":""}}]},` +
			`{"role":"tool","tool_call_id":"call_1","content":"1"},{"role":"tool","tool_call_id":"call_2","content":"noon"}`)},
		{"arguments as an object", "openai", chat(`{"role":"assistant","tool_calls":[{"id":"c","function":{"name":"f","arguments":{"a":[1]}}}]},` +
			`{"role":"tool","tool_call_id":"c","content":"x"}`)},
		{"custom tool call", "openai", chat(`{"role":"assistant","tool_calls":[{"id":"c","type":"custom","custom":{"name":"sh","input":"ls <x>"}}]},` +
			`{"role":"tool","tool_call_id":"c","content":"x"}`)},
		{"unknown keys of messages", "openrouter", chat(`{"role":"assistant","content":"a","name":"bob",` +
			`"reasoning_details":[{"type":"reasoning.text","text":"t","index":0}],"cache_control":{"type":"ephemeral"}},{"role":"user","content":"b"}`)},
		{"unknown keys of tool calls", "gemini-openai", chat(`{"role":"assistant","tool_calls":[{"id":"c","function":{"name":"f","arguments":"{}"},` +
			`"extra_content":{"google":{"thought_signature":"s"}}}]},{"role":"tool","tool_call_id":"c","content":"x"}`)},
		{"all numbers", "compatible", with("m", `"temperature":0.7,"top_p":1,"top_k":40,"frequency_penalty":-0.5,"presence_penalty":1e-7,`+
			`"seed":9007199254740993,"n":2,"logprobs":true,"top_logprobs":3,"logit_bias":{"50256":-100}`)},
		{"all words", "openai", with("gpt-5", `"reasoning_effort":"low","verbosity":"low","service_tier":"auto","store":false,`+
			`"metadata":{"k":"v"},"user":"u","safety_identifier":"s","prompt_cache_key":"p","modalities":["text","audio"],`+
			`"audio":{"voice":"alloy","format":"pcm16"},"prediction":{"type":"content","content":"x"}`)},
		{"tools", "openai", with("gpt-5", `"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"},"strict":true}},`+
			`{"type":"custom","custom":{"name":"c"}}],"tool_choice":{"type":"function","function":{"name":"f"}},"parallel_tool_calls":false`)},
		{"response format", "openai", with("gpt-5",
			`"response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{}}}`)},
		{"one stop", "openai", with("gpt-5", `"stop":"END"`)},
		{"two stops", "openai", with("gpt-5", `"stop":["END","<|x|>"]`)},
		{"max_tokens of a new model", "openai", with("gpt-6-mini", `"max_tokens":5`)},
		{"max_tokens of an old model", "openai", with("gpt-4o-mini", `"max_tokens":5`)},
		{"max_tokens of a tuned old model", "openai", with("ft:gpt-4o:org", `"max_tokens":5`)},
		{"max_completion_tokens of an old model", "openai", with("gpt-4", `"max_completion_tokens":5`)},
		{"max_completion_tokens elsewhere", "together", with("m", `"max_completion_tokens":5`)},
		{"mistral's names", "mistral", with("m", `"seed":7,"max_completion_tokens":5`)},
		{"mistral's tool ids", "mistral", `{"op":"stream","model":"m","messages":[{"role":"assistant","tool_calls":[` +
			`{"id":"call_abcdef","function":{"name":"f","arguments":"{}"}},{"id":"D681PevKs","function":{"name":"g","arguments":"{}"}}]},` +
			`{"role":"tool","tool_call_id":"call_abcdef","content":"1"},{"role":"tool","tool_call_id":"D681PevKs","content":"2"}]}`},
		{"harmless values for a strict vendor", "groq", with("m", `"n":1,"logprobs":false`)},
		{"stream", "openai", stream("")},
		{"stream without usage", "openai", stream(`,"include_usage":false`)},
		{"stream where usage comes anyway", "zai", stream("")},
		{"stream where usage comes anyway, asked", "perplexity", stream(`,"include_usage":true`)},
		{"stream options merged", "openai", stream(`,"stream_options":{"include_obfuscation":false}`)},
		{"stream options of the user win", "openai",
			stream(`,"include_usage":true,"stream_options":{"include_usage":false}`)},
		{"extra_body", "openai", stream(`,"temperature":1,"extra_body":{"zeta":1,"temperature":null,"alpha":{"<":"&"},"stream_options":{},"model":"other"}`)},
		{"extra_body for a refused field", "openai", with("gpt-5", `"top_k":4,"extra_body":{"top_k":5}`)},
		{"azure deployment", "azure", with("gpt-4o", `"max_tokens":5`)},
	}
}

func encoded(t *testing.T, row, request string) (*HTTPRequest, []string, *llm.Error) {
	t.Helper()
	decoded, err := llm.DecodeRequest([]byte(request))
	if err != nil {
		t.Fatalf("%s: %s", request, err)
	}
	call := testCall(t, row)
	call.Request, call.Stream = decoded, decoded.Op == llm.OpStream
	if call.BaseURL == "" {
		call.BaseURL = "https://example.test"
	}
	return call.Row.Protocol().Encode(call)
}

func TestEncode(t *testing.T) {
	const file = "testdata/requests.golden"
	var all strings.Builder
	for _, test := range slices.Concat(encodeTests(), vendorTests(), historyTests()) {
		request, _, err := encoded(t, test.row, test.request)
		if err != nil {
			t.Fatalf("%s: %s", test.name, err)
		}
		if !json.Valid(request.Body) {
			t.Errorf("%s: not JSON: %s", test.name, request.Body)
		}
		fmt.Fprintf(&all, "# %s: %s\n%s\n", test.row, test.name, request.Body)
	}
	checkGolden(t, file, all.String())
}

// The same conversation with one more message begins with the same bytes: prompt caches look at prefixes.
func TestEncodeKeepsThePrefix(t *testing.T) {
	short, _, _ := encoded(t, "openai", `{"op":"stream","model":"m","messages":[{"role":"user","content":"a"}],"temperature":1}`)
	long, _, _ := encoded(t, "openai", `{"op":"stream","model":"m","messages":[{"role":"user","content":"a"},{"role":"user","content":"b"}]}`)
	prefix, _, _ := strings.Cut(string(short.Body), "]")
	if !strings.HasPrefix(string(long.Body), prefix) {
		t.Errorf("%s does not begin with %s", long.Body, prefix)
	}
}

func TestEncodeRefuses(t *testing.T) {
	tests := []struct{ name, row, fields, param string }{
		{"top_k of OpenAI", "openai", `"top_k":1`, "top_k"},
		{"top_k of Ollama's compatible route", "ollama-openai", `"top_k":1`, "top_k"},
		{"logprobs of Groq", "groq", `"logprobs":true`, "logprobs"},
		{"n of Groq", "groq", `"n":2`, "n"},
		{"user of Mistral", "mistral", `"user":"u"`, "user"},
		{"schema of DeepSeek", "deepseek", `"response_format":{"type":"json_schema","json_schema":{}}`,
			"response_format"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, _, err := encoded(t, test.row, `{"op":"generate","model":"m",`+ask+`,`+test.fields+`}`)
			if err == nil || err.Kind != llm.KindUnsupported || err.Param != test.param ||
				!strings.Contains(err.Message, test.row) || !strings.Contains(err.Message, test.param) {
				t.Errorf("got %+v", err)
			}
		})
	}
	if _, _, err := encoded(t, "mistral", `{"op":"stream","model":"m",`+ask+`,"stream_options":{"x":1}}`); err == nil ||
		err.Param != "stream_options" {
		t.Errorf("stream_options of Mistral: %v", err)
	}
	if _, _, err := encoded(t, "openai", `{"op":"generate","model":"m",`+ask+`,"stream_options":{"x":1}}`); err == nil || err.Kind != llm.KindConfiguration {
		t.Errorf("stream_options of a one-shot call: %v", err)
	}
	if _, _, err := encoded(t, "openai", `{"op":"stream","model":"m",`+ask+`,"stream_options":[1]}`); err == nil ||
		err.Kind != llm.KindConfiguration {
		t.Errorf("stream_options as a list: %v", err)
	}
}

func TestEncodeWarns(t *testing.T) {
	_, warnings, err := encoded(t, "anthropic-openai", `{"op":"generate","model":"m",`+ask+`,"seed":1,"store":false}`)
	if err != nil || len(warnings) != 1 || !strings.Contains(warnings[0], "seed") ||
		!strings.Contains(warnings[0], "anthropic-openai") {
		t.Errorf("got %q, %v", warnings, err)
	}
}
