package provider

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"pyagent/core/llm"
)

// Base64 of the beginnings of files, enough to know them by.
const (
	pngData, jpegData, gifData = "iVBORw0KGgo=", "/9j/4AAQSkZJRgABAQ==", "R0lGODlhAQABAA=="
	webpData, pdfData          = "UklGRiQAAABXRUJQVlA4IA==", "JVBERi0xLjcK"
	textData, nothingKnown     = "SGVsbG8gdGhlcmU=", "AAECAwQFBgcICQ=="
)

const claudeAdd = `{"type":"function","function":{"name":"add","description":"Adds.","strict":true,"parameters":{"type":"object",` +
	`"properties":{"a":{"type":"integer"}},"required":["a"]}},"cache_control":{"type":"ephemeral"}},{"type":"function","function":{"name":"now"}}`

func anthropicEncodeTests() []encodeTest {
	on := func(model, fields string) string { return `{"op":"generate","model":"` + model + `",` + fields + `}` }
	said := func(fields string) string { return on("claude-sonnet-4-5", ask+`,`+fields) }
	talk := func(messages string) string { return on("claude-sonnet-4-5", `"messages":[`+messages+`]`) }
	part := func(parts string) string { return talk(`{"role":"user","content":[` + parts + `]}`) }
	const add = `"tools":[` + claudeAdd + `]`
	call := func(id string) string { return `{"id":"` + id + `","function":{"name":"add","arguments":"{\"a\":1}"}}` }
	tests := []encodeTest{
		{request: on("claude-sonnet-4-5", ask), name: "minimal"},
		{request: `{"op":"stream","model":"claude-sonnet-4-5",` + ask + `,"stream_options":{"include_usage":true}}`, name: "stream"},
		{request: talk(`{"role":"system","content":"Be brief."},{"role":"user","content":"hi"}`), name: "a system prompt"},
		{request: talk(`{"role":"system","content":"One."},{"role":"user","content":"hi"},{"role":"developer","content":"Two."},` +
			`{"role":"system","content":"  "}`), name: "several system prompts"},
		{request: talk(`{"role":"system","content":[{"type":"text","text":"One.","cache_control":{"type":"ephemeral","ttl":"1h"}}]},` +
			`{"role":"user","content":"hi"}`), name: "a system prompt to keep"},
		{request: talk(`{"role":"system","content":"One.","cache_control":{"type":"ephemeral"}},{"role":"user","content":"hi",` +
			`"cache_control":{"type":"ephemeral"}}`), name: "marks on messages"},
		{request: talk(`{"role":"user","content":"a"},{"role":"user","content":[{"type":"text","text":"b"},{"type":"text","text":" \n"}]},` +
			`{"role":"user","content":""},{"role":"assistant","content":"c"},{"role":"assistant","content":"d"},{"role":"user","content":"e"}`),
			name: "turns are merged, blank text left out"},
		{request: talk(`{"role":"assistant","content":"Hello, I am Claude."},{"role":"user","content":"hi"}`), name: "an answer first"},
		{request: talk(`{"role":"user","content":"JSON"},{"role":"assistant","content":"{ \n"}`), name: "a beginning of the answer"},
		{request: talk(`{"role":"user","content":"a"},{"role":"assistant","content":null,"refusal":"No."},{"role":"user","content":"b"}`), name: "a refusal"},
		{request: on("claude-sonnet-4-5", `"messages":[{"role":"user","content":"sum"},{"role":"assistant","content":"Calling.","tool_calls":[`+
			call("toolu_1")+`,`+call("call.2")+`,`+call("toolu_3")+`]},{"role":"tool","tool_call_id":"toolu_1","name":"add","content":"3"},`+
			`{"role":"user","content":"And?"},{"role":"tool","tool_call_id":"call.2","content":[{"type":"text","text":"shot"},`+
			`{"type":"image_url","image_url":{"url":"data:image/png;base64,`+pngData+`"}}],"is_error":true,"cache_control":{"type":"ephemeral"}}],`+add),
			name: "results first, foreign ids, a missing result"},
		{request: on("claude-sonnet-4-5", `"messages":[{"role":"user","content":"x"},{"role":"assistant","content":null,"tool_calls":[`+
			`{"id":"a","function":{"name":"add","arguments":""}},{"id":"b","function":{"name":"add","arguments":"not {json"}},`+
			`{"id":"c","function":{"name":"now","arguments":{"deep":[1]}}}]},{"role":"tool","tool_call_id":"a","content":""}]`),
			name: "no tools although some were called, old arguments, no result at the end"},
		{request: talk(`{"role":"user","content":"x"},{"role":"assistant","content":[{"type":"text","text":"y"},{"type":"tool_use","id":"t","name":"f","input":{}}]},` +
			`{"role":"user","content":[{"type":"text","text":"z"},{"type":"tool_result","tool_use_id":"t","content":"1"}]}`), name: "the vendor's own blocks"},
		{request: part(`{"type":"image_url","image_url":{"url":"https://h/a.png"}},{"type":"image_url","image_url":"data:image/jpg;base64,` + jpegData + `"},` +
			`{"type":"image_url","image_url":"` + pngData + `"},{"type":"image_url","image_url":{"url":"` + gifData + `","detail":"auto"},"cache_control":{"type":"ephemeral"}},` +
			`{"type":"image_url","image_url":"` + webpData + `"},{"type":"image_url","image_url":"` + jpegData + `"}`), name: "images"},
		{request: part(`{"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,` + pdfData + `"},"citations":{"enabled":true}},` +
			`{"type":"file","file":{"file_data":"` + pdfData + `"},"title":"T","context":"C"},{"type":"file","file":{"file_url":"https://h/b.pdf"}},` +
			`{"type":"file","file":{"file_data":"data:text/markdown;base64,` + textData + `"}},{"type":"file","file":{"file_data":"` + textData + `"}},` +
			`{"type":"file","file":{"file_data":"data:image/png;base64,` + pngData + `"}},{"type":"file","file":{"file_id":"file_1"}}`), name: "files"},
		{request: part(`{"type":"document","source":{"type":"text","media_type":"text/plain","data":"x"},"citations":{"enabled":true}},` +
			`{"type":"search_result","source":"s","title":"t","content":[{"type":"text","text":"x"}]}`), name: "documents of its own"},
		{request: said(add + `,"tool_choice":"auto"`), name: "tools"},
		{request: said(`"tools":[{"type":"web_search_20250305","name":"web_search","max_uses":2},{"type":"function","function":{"name":"f",` +
			`"parameters":{"properties":{}}},"defer_loading":true}]`), name: "tools of its own, a schema without a type"},
		{request: said(add + `,"tool_choice":"none"`), name: "no tool"},
		{request: said(add + `,"tool_choice":"required","parallel_tool_calls":false`), name: "any tool, one"},
		{request: said(add + `,"tool_choice":{"type":"function","function":{"name":"now"}}`), name: "one tool"},
		{request: said(add + `,"tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"required","tools":[{"type":"function","function":{"name":"now"}}]}}`),
			name: "allowed tools"},
		{request: said(add + `,"parallel_tool_calls":false`), name: "one call at a time"},
		{request: said(`"tool_choice":"auto","parallel_tool_calls":false`), name: "a choice without tools"},
		{request: said(`"response_format":{"type":"json_schema","json_schema":{"name":"n","strict":true,"schema":{"type":"object"}}}`), name: "a schema"},
		{request: said(`"max_tokens":5,"temperature":0.5,"top_p":0.9,"top_k":40,"stop":"END","user":"u","service_tier":"auto"`), name: "options"},
		{request: said(`"max_completion_tokens":5,"stop":["A","B"],"metadata":{"user_id":"u"},"service_tier":"default","n":1,"seed":null,"modalities":["text"]`),
			name: "options, other names"},
		{request: said(`"safety_identifier":"u","user":"u","frequency_penalty":0,"logprobs":false,"store":false`), name: "what happens anyway"},
		{request: said(`"extra_body":{"max_tokens":7,"container":"c","cache_control":{"type":"ephemeral"},"thinking":{"type":"adaptive"},"tools":[]},"max_tokens":5`), name: "extra_body"},
		{request: said(`"extra_body":{"container":"mine"},"tools":[{"type":"code_execution_20250825","name":"code_execution"}]`), name: "a container by hand"},
	}
	return withRow("anthropic", append(tests, anthropicThinkTests()...))
}

func anthropicThinkTests() []encodeTest {
	on := func(model, fields string) string {
		return `{"op":"generate","model":"` + model + `",` + ask + `,` + fields + `}`
	}
	return []encodeTest{
		{request: on("claude-sonnet-4-5", `"reasoning_effort":"medium"`), name: "effort as tokens"},
		{request: on("claude-sonnet-4-5", `"reasoning_effort":"high","max_tokens":4000,"temperature":1`), name: "effort as tokens, within the limit"},
		{request: on("claude-opus-4-5", `"reasoning_effort":"low"`), name: "effort of a model with both"},
		{request: on("claude-opus-4-6-20260101", `"reasoning_effort":"max","reasoning_summary":"auto"`), name: "effort of an adaptive model"},
		{request: on("claude-opus-4-6", `"reasoning_effort":"high","reasoning_budget":5000`), name: "effort and a budget"},
		{request: on("claude-opus-4-7", `"reasoning_effort":"minimal","temperature":1`), name: "the least effort"},
		{request: on("us.anthropic.claude-fable-5", `"reasoning_summary":"detailed"`), name: "a newer model that shows its thoughts"},
		{request: on("claude-opus-4-1", `"reasoning_budget":2048`), name: "a budget"},
		{request: on("claude-opus-4-1", `"reasoning_budget":40000`), name: "a budget beyond the default"},
		{request: on("claude-opus-4-1", `"reasoning_budget":2048,"max_tokens":3000,"top_p":0.97`), name: "a budget within a limit"},
		{request: on("claude-opus-4-7", `"reasoning_effort":"none"`), name: "no thoughts"},
		{request: on("claude-3-7-sonnet-latest", `"reasoning_budget":0`), name: "a budget of nothing"},
		{request: on("claude-3-5-haiku-latest", `"reasoning_effort":"none"`), name: "no thoughts of a model that has none"},
		{request: on("claude-3-opus-20240229", `"temperature":0`), name: "an old model"},
		{request: on("glm-5", `"reasoning_effort":"low","temperature":1`), name: "somebody else's model"},
		{request: on("claude-opus-4-8", `"temperature":0.5,"allow_unsupported":true`), name: "sampling all the same"},
		{request: on("claude-opus-4-8", `"temperature":0.5,"extra_body":{"temperature":0.6}`), name: "sampling by extra_body"},
	}
}

func withRow(row string, tests []encodeTest) []encodeTest {
	for i := range tests {
		tests[i].row = row
	}
	return tests
}

func TestAnthropicEncode(t *testing.T) {
	const file = "testdata/anthropic.golden"
	var all strings.Builder
	for _, test := range anthropicEncodeTests() {
		request, warnings, err := encoded(t, test.row, test.request)
		if err != nil {
			t.Fatalf("%s: %s", test.name, err)
		}
		if !json.Valid(request.Body) || request.Method != "POST" || request.URL != "https://api.anthropic.com/v1/messages" {
			t.Errorf("%s: %s %s %s", test.name, request.Method, request.URL, request.Body)
		}
		fmt.Fprintf(&all, "# %s %q %s\n%s\n", test.name, warnings, request.Header["Anthropic-Beta"], request.Body)
	}
	checkGolden(t, file, all.String())
}

func TestAnthropicRefuses(t *testing.T) {
	part := func(part string) string { return `"messages":[{"role":"user","content":[` + part + `]}]` }
	const add = ask + `,"tools":[` + claudeAdd + `],`
	const unsupported, wrong = llm.KindUnsupported, llm.KindConfiguration
	tests := []struct {
		model, fields, param, says string
		kind                       llm.Kind
	}{
		{"", ask + `,"seed":1`, "seed", "extra_body", unsupported},
		{"", ask + `,"n":2`, "n", "", unsupported},
		{"", ask + `,"frequency_penalty":1`, "frequency_penalty", "", unsupported},
		{"", ask + `,"presence_penalty":1`, "presence_penalty", "", unsupported},
		{"", ask + `,"logprobs":true`, "logprobs", "", unsupported},
		{"", ask + `,"logit_bias":{"1":1}`, "logit_bias", "", unsupported},
		{"", ask + `,"store":true`, "store", "", unsupported},
		{"", ask + `,"verbosity":"low"`, "verbosity", "", unsupported},
		{"", ask + `,"prediction":{}`, "prediction", "", unsupported},
		{"", ask + `,"previous_response_id":"r"`, "previous_response_id", "", unsupported},
		{"", ask + `,"prompt_cache_key":"k"`, "prompt_cache_key", "", unsupported},
		{"", ask + `,"modalities":["text","audio"]`, "modalities", "audio", unsupported},
		{"", ask + `,"service_tier":"flex"`, "service_tier", `"auto"`, unsupported},
		{"", ask + `,"metadata":{"team":"x"}`, "metadata", `"team"`, unsupported},
		{"", ask + `,"metadata":[1]`, "metadata", "object", wrong},
		{"", ask + `,"user":"a","metadata":{"user_id":"b"}`, "user", "one of them", wrong},
		{"", ask + `,"response_format":{"type":"json_object"}`, "response_format", "json_schema", unsupported},
		{"", ask + `,"stream_options":{"x":1}`, "stream_options", `"x"`, unsupported},
		{"", ask + `,"tools":[{"type":"custom","custom":{"name":"f"}}]`, "tools", "tools[0]", unsupported},
		{"", add + `"tool_choice":{"type":"allowed_tools","allowed_tools":{"tools":[{"name":"other"}]}}`, "tool_choice", `"other"`, wrong},
		{"", ask + `,"tool_choice":"required"`, "tool_choice", "give tools", wrong},
		{"", add + `"tool_choice":"perhaps"`, "tool_choice", `"perhaps"`, wrong},
		{"", add + `"tool_choice":"required","reasoning_effort":"low"`, "tool_choice", `"auto"`, unsupported},
		{"", part(`{"type":"input_audio","input_audio":{"data":"AA==","format":"wav"}}`), "messages", "audio", unsupported},
		{"", part(`{"type":"video_url","video_url":{"url":"https://h/v"}}`), "messages", "video", unsupported},
		{"", part(`{"type":"image_url","image_url":{"url":"data:image/bmp;base64,Qk0="}}`), "messages", "image/bmp", unsupported},
		{"", part(`{"type":"image_url","image_url":{"url":"gs://b/i"}}`), "messages", "gs://b/i", unsupported},
		{"", part(`{"type":"image_url","image_url":{"url":"data:application/pdf;base64,` + pdfData + `"}}`), "messages", `"file"`, wrong},
		{"", part(`{"type":"file","file":{"file_data":"` + nothingKnown + `"}}`), "messages", "unknown type", unsupported},
		{"", part(`{"type":"file","file":{"file_data":"data:text/plain;base64,/w=="}}`), "messages", "text/plain", wrong},
		{"", part(`{"type":"image_url"}`), "messages", "no url", wrong},
		{"", `"messages":[{"role":"critic","content":"x"}]`, "messages", `"critic"`, wrong},
		{"", `"messages":[{"role":"system","content":"x"},{"role":"user","content":" "}]`, "messages", "something in it", wrong},
		{"", ask + `,"reasoning_effort":"huge"`, "reasoning_effort", `"xhigh"`, wrong},
		{"", ask + `,"reasoning_effort":"low","max_tokens":1024`, "reasoning_effort", "1024", wrong},
		{"", ask + `,"reasoning_budget":1000`, "reasoning_budget", "1024", wrong},
		{"", ask + `,"reasoning_budget":2000,"max_tokens":2000`, "reasoning_budget", "max_tokens", wrong},
		{"", ask + `,"reasoning_budget":2000,"reasoning_effort":"low"`, "reasoning_effort", "one of them", wrong},
		{"", ask + `,"reasoning_budget":2000,"reasoning_effort":"none"`, "reasoning_budget", "one of them", wrong},
		{"", ask + `,"reasoning_summary":"auto"`, "reasoning_summary", "reasoning_effort", wrong},
		{"", ask + `,"reasoning_summary":"auto","reasoning_effort":"none"`, "reasoning_summary", "switched off", wrong},
		{"", ask + `,"reasoning_effort":"low","temperature":0.5`, "temperature", "must be 1", unsupported},
		{"", ask + `,"reasoning_effort":"low","top_p":0.5`, "top_p", "0.95", unsupported},
		{"", ask + `,"reasoning_effort":"low","top_k":5`, "top_k", "", unsupported},
		{"claude-opus-4-7", ask + `,"reasoning_budget":2000`, "reasoning_budget", "reasoning_effort", unsupported},
		{"claude-opus-4-7", ask + `,"temperature":0.5`, "temperature", "claude-opus-4-7", unsupported},
		{"claude-opus-4-7", ask + `,"top_k":5`, "top_k", "", unsupported},
		{"claude-3-5-haiku-latest", ask + `,"reasoning_effort":"low"`, "reasoning_effort", "does not reason", unsupported},
	}
	for _, test := range tests {
		_, _, err := encoded(t, "anthropic", `{"op":"stream","model":"`+firstWord(test.model, "claude-sonnet-4-5")+`",`+test.fields+`}`)
		if err == nil || err.Param != test.param || err.Kind != test.kind || !strings.Contains(err.Message, test.says) {
			t.Errorf("%s: got %+v", test.fields, err)
		}
	}
	for _, request := range []string{`{"op":"embed","model":"m","input":"a"}`, `{"op":"login","login":{"username":"u","password":"p"}}`} {
		if _, _, err := encoded(t, "anthropic", request); err == nil || err.Param != "op" {
			t.Errorf("%s: got %v", request, err)
		}
	}
}

func TestAnthropicWarns(t *testing.T) {
	_, warnings, err := encoded(t, "anthropic", `{"op":"generate","model":"claude-opus-4-7","reasoning_effort":"minimal","messages":[`+
		`{"role":"user","name":"bob","content":[{"type":"image_url","image_url":{"url":"https://h/i","detail":"low"}}],"mood":"good"},`+
		`{"role":"assistant","content":"a","audio":null,"annotations":[],"prefix":true},{"role":"user","content":"b","mood":"bad"}]}`)
	said := strings.Join(warnings, "\n")
	if err != nil || len(warnings) != 4 {
		t.Fatalf("got %q, %v", warnings, err)
	}
	for _, word := range []string{`"bob"`, `"low"`, `"mood"`, `"minimal"`} {
		if !strings.Contains(said, word) {
			t.Errorf("nothing of %s in %q", word, warnings)
		}
	}
}

func TestAnthropicHeaders(t *testing.T) {
	const file = `"messages":[{"role":"user","content":[{"type":"file","file":{"file_id":"f"}}]}]`
	tests := []struct {
		name, key, message string
		extra, want        map[string]string
	}{
		{"a key", "sk-ant-api03-x", ask, nil, map[string]string{"X-Api-Key": "sk-ant-api03-x", "Authorization": "", "Anthropic-Version": "2023-06-01",
			"Anthropic-Beta": ""}},
		{"a token of a login", "sk-ant-oat01-x", ask, nil, map[string]string{"X-Api-Key": "", "Authorization": "Bearer sk-ant-oat01-x",
			"Anthropic-Beta": "oauth-2025-04-20"}},
		{"a token of a gateway", "Bearer mine", ask, nil, map[string]string{"X-Api-Key": "", "Authorization": "Bearer mine", "Anthropic-Beta": ""}},
		{"another version", "k", ask, map[string]string{"anthropic-version": "2026-10-21"}, map[string]string{"Anthropic-Version": "2026-10-21"}},
		{"betas of the user", "k", ask, map[string]string{"anthropic-beta": "a,b"}, map[string]string{"Anthropic-Beta": "a,b"}},
		{"a kept file", "k", file, nil, map[string]string{"Anthropic-Beta": "files-api-2025-04-14"}},
		{"a kept file beside betas", "k", file, map[string]string{"Anthropic-Beta": "a"}, map[string]string{"Anthropic-Beta": "a,files-api-2025-04-14"}},
		{"a key in the user's headers", "", ask, map[string]string{"x-api-key": "mine"}, map[string]string{"X-Api-Key": "mine"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			call := testCall(t, "anthropic")
			decoded, failed := llm.DecodeRequest([]byte(`{"op":"generate","model":"m",` + test.message + `}`))
			if failed != nil {
				t.Fatal(failed)
			}
			call.Request, call.APIKey, call.ExtraHeaders = decoded, test.key, test.extra
			request, _, err := call.Row.Protocol().Encode(call)
			if err != nil {
				t.Fatal(err)
			}
			for name, want := range test.want {
				if request.Header[name] != want {
					t.Errorf("%s is %q, expected %q", name, request.Header[name], want)
				}
			}
		})
	}
	call := testCall(t, "anthropic")
	call.APIKey = ""
	call.Request.Messages = []llm.Message{{Role: "user", Text: "x"}}
	if _, _, err := call.Row.Protocol().Encode(call); err == nil || err.Param != "api_key" || !strings.Contains(err.Message, "ANTHROPIC_API_KEY") {
		t.Errorf("without a key: %v", err)
	}
}

func TestAnthropicAddresses(t *testing.T) {
	tests := []struct{ base, chat, op, page, want string }{
		{"https://h", "", "generate", "", "https://h/v1/messages"},
		{"https://h/", "", "generate", "", "https://h/v1/messages"},
		{"https://h/v1", "", "generate", "", "https://h/v1/messages"},
		{"https://h/v1/messages", "", "generate", "", "https://h/v1/messages"},
		{"https://h/anthropic?a=b", "", "generate", "", "https://h/anthropic/v1/messages?a=b"},
		{"https://h/x", "/chat", "generate", "", "https://h/x/chat"},
		{"https://h", "", "count", "", "https://h/v1/messages/count_tokens"},
		{"https://h/v1/messages", "", "count", "", "https://h/v1/messages/count_tokens"},
		{"https://h/x", "/chat", "count", "", "https://h/x/chat/count_tokens"},
		{"https://h/v1/messages", "", "models", "", "https://h/v1/models?limit=1000"},
		{"https://h?a=b", "", "models", "claude x", "https://h/v1/models?a=b&after_id=claude+x&limit=1000"},
	}
	for _, test := range tests {
		call := testCall(t, "anthropic")
		call.BaseURL, call.Row.ChatPath, call.Page = test.base, test.chat, test.page
		call.Request = &llm.Request{Op: llm.Op(test.op), Model: "m", Messages: []llm.Message{{Role: "user", Text: "x"}}}
		request, _, err := call.Row.Protocol().Encode(call)
		if err != nil || request.URL != test.want {
			t.Errorf("%+v: got %v %v", test, request, err)
		}
	}
}

func TestAnthropicCounts(t *testing.T) {
	_, _, err := encoded(t, "anthropic", `{"op":"count","model":"claude-sonnet-4-5","max_tokens":5,"temperature":0.5,"reasoning_budget":1024,`+
		`"messages":[{"role":"system","content":"s"},{"role":"user","content":"hi"}],"tools":[`+claudeAdd+`],"max_completion_tokens":null}`)
	if err == nil {
		t.Error("a budget beyond max_tokens was taken")
	}
	request, _, err := encoded(t, "anthropic", `{"op":"count","model":"claude-sonnet-4-5","temperature":1,"reasoning_budget":1024,`+
		`"messages":[{"role":"system","content":"s"},{"role":"user","content":"hi"}],"tools":[{"type":"function","function":{"name":"f"}}]}`)
	const want = `{"model":"claude-sonnet-4-5","system":"s","messages":[{"role":"user","content":[{"type":"text","text":"hi"}]}],` +
		`"tools":[{"name":"f","input_schema":{"type":"object","properties":{}}}],"thinking":{"type":"enabled","budget_tokens":1024}}`
	if err != nil || string(request.Body) != want {
		t.Errorf("got %s, %v", request.Body, err)
	}
}

// A row says what its vendor lacks, in this dialect too.
func TestAnthropicRowsOfOnesOwn(t *testing.T) {
	row, failed := ParseRow([]byte(`{"name":"mine","dialect":"anthropic","base_url":"https://h","auth":"bearer","unsupported":["top_k"],
		"lacks":["count"],"headers":{"anthropic-version":"2024-01-01"}}`))
	if failed != nil {
		t.Fatal(failed)
	}
	number := int64(3)
	call := Call{Row: row, BaseURL: row.BaseURL, APIKey: "k", Now: time.Now(),
		Request: &llm.Request{Op: llm.OpGenerate, Model: "m", Messages: []llm.Message{{Role: "user", Text: "x"}}}}
	request, _, err := row.Protocol().Encode(call)
	if err != nil || request.Header["Authorization"] != "Bearer k" || request.Header["Anthropic-Version"] != "2024-01-01" {
		t.Errorf("got %+v, %v", request, err)
	}
	call.Request.TopK = &number
	if _, _, err := row.Protocol().Encode(call); err == nil || err.Param != "top_k" {
		t.Errorf("top_k: %v", err)
	}
	call.Request.TopK, call.Request.Op = nil, llm.OpCount
	if _, _, err := row.Protocol().Encode(call); err == nil || err.Param != "op" {
		t.Errorf("count: %v", err)
	}
}
