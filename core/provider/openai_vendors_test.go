package provider

import (
	"strings"
	"testing"
	"time"

	"pyagent/core/llm"
)

// vendorTests are the requests in which vendors differ from OpenAI.
func vendorTests() []encodeTest {
	with := func(model, fields string) string {
		return `{"op":"generate","model":"` + model + `",` + ask + `,` + fields + `}`
	}
	chat := func(model, messages string) string {
		return `{"op":"generate","model":"` + model + `","messages":[` + messages + `]}`
	}
	const tool = `"tools":[{"type":"function","function":{"name":"f"}}]`
	return []encodeTest{
		{"effort", "deepseek", with("m", `"reasoning_effort":"high"`)},
		{"no effort", "deepseek", with("m", `"reasoning_effort":"none"`)},
		{"no budget", "volcengine", with("m", `"reasoning_budget":0`)},
		{"effort", "volcengine", with("m", `"reasoning_effort":"low","max_tokens":5`)},
		{"effort with an answer's limit that counts thoughts", "volcengine", with("m", `"max_completion_tokens":5`)},
		{"budget", "alibaba", with("m", `"reasoning_budget":100`)},
		{"effort", "alibaba", with("m", `"reasoning_effort":"low"`)},
		{"no effort", "alibaba", with("m", `"reasoning_effort":"none"`)},
		{"effort", "moonshot", with("kimi-k3", `"reasoning_effort":"max"`)},
		{"effort of an older model", "moonshot", with("kimi-k2.6", `"reasoning_effort":"high"`)},
		{"no effort", "moonshot", with("kimi-k2.6", `"reasoning_effort":"none"`)},
		{"effort", "zai", with("glm-5.3", `"reasoning_effort":"max"`)},
		{"effort of an older model", "zai", with("glm-4.7", `"reasoning_effort":"high"`)},
		{"no effort", "zai", with("glm-4.7", `"reasoning_budget":0`)},
		{"tools in a stream", "zai", `{"op":"stream","model":"glm-5.3",` + ask + `,"tool_choice":"auto",` + tool + `}`},
		{"tools in a stream, whole", "zai", `{"op":"stream","model":"glm-5.3",` + ask + `,"extra_body":{"tool_stream":false},` + tool + `}`},
		{"one stop, names", "zai", with("glm-5.3", `"stop":"END","user":"u-hash","max_completion_tokens":7`)},
		{"effort and summary", "openrouter", with("v/m", `"reasoning_effort":"low","reasoning_summary":"auto"`)},
		{"budget", "openrouter", with("v/m", `"reasoning_budget":2000`)},
		{"no budget", "openrouter", with("v/m", `"reasoning_budget":0`)},
		{"reasoning by extra_body", "openrouter", with("v/m", `"reasoning_effort":"low","extra_body":{"reasoning":{"exclude":true},"models":["a/b"]}`)},
		{"effort", "groq", with("m", `"reasoning_effort":"default"`)},
		{"no budget", "openai", with("gpt-6", `"reasoning_budget":0`)},
		{"effort", "mistral", with("m", `"reasoning_effort":"high"`)},
		{"budget", "fireworks", with("m", `"reasoning_budget":512`)},
		{"no effort", "together", with("m", `"reasoning_effort":"none"`)},
		{"developer", "openai", chat("gpt-5", `{"role":"developer","content":"a"},{"role":"user","content":"b"}`)},
		{"developer", "mistral", chat("m", `{"role":"developer","content":"a"},{"role":"user","content":"b"}`)},
		{"prefill", "mistral", chat("m", `{"role":"user","content":"a"},{"role":"assistant","content":"b"}`)},
		{"prefill by hand", "mistral", chat("m", `{"role":"user","content":"a"},{"role":"assistant","content":"b","prefix":false}`)},
		{"prefill", "moonshot", chat("kimi-k3", `{"role":"user","content":"a"},{"role":"assistant","content":"b"}`)},
		{"prefill", "openai", chat("gpt-5", `{"role":"user","content":"a"},{"role":"assistant","content":"b"}`)},
		{"documents and references", "mistral", chat("m", `{"role":"user","content":[{"type":"document_url","document_url":"https://x.test/a.pdf","document_name":"a"},`+
			`{"type":"reference","reference_ids":[1]},{"type":"image_url","image_url":"https://x.test/a.png"}]}`)},
		{"video", "zai", chat("glm-5v", `{"role":"user","content":[{"type":"video_url","video_url":{"url":"https://x.test/a.mp4"}}]}`)},
		{"cache marks", "openrouter", chat("v/m", `{"role":"user","content":[{"type":"text","text":"a","cache_control":{"type":"ephemeral"}}]}`)},
		{"cache marks", "openai", `{"op":"generate","model":"gpt-5","messages":[{"role":"user","content":[{"cache_control":{"type":"ephemeral"},"type":"text","text":"a"}],` +
			`"cache_control":{"type":"ephemeral"}}],"tools":[{"type":"function","function":{"name":"f","cache_control":{}},"cache_control":{}}]}`},
	}
}

const (
	deepSeekMade = `"source":{"provider":"deepseek","model":"m"}`
	thoughtsOf   = `"reasoning_details":[{"type":"reasoning_content","reasoning_content":"hm"}]`
	aCall        = `"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]`
	aResult      = `{"role":"tool","tool_call_id":"c","content":"1"}`
	aQuestion    = `{"role":"user","content":"q"}`
)

// historyTests are conversations whose answers came from this vendor, or from another one.
func historyTests() []encodeTest {
	chat := func(messages ...string) string {
		return `{"op":"generate","model":"m","messages":[` + strings.Join(messages, ",") + `]}`
	}
	from := func(provider, keys string) string {
		return `{"role":"assistant","source":{"provider":"` + provider + `","model":"m"},` + keys + `}`
	}
	calls := func(provider string) string { return from(provider, `"content":null,`+thoughtsOf+`,`+aCall) }
	const openRouterDetails = `"reasoning_details":[{"type":"reasoning.text","text":"t","signature":"s","index":0}]`
	const signed = `"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"},"extra_content":{"google":{"thought_signature":"s"}}}]`
	return []encodeTest{
		{"thoughts within a loop", "deepseek", chat(aQuestion, calls("deepseek"), aResult)},
		{"thoughts of a turn with tools", "deepseek", chat(aQuestion, calls("deepseek"), aResult, from("deepseek", `"content":"a",`+thoughtsOf), aQuestion)},
		{"thoughts of a turn without tools", "deepseek", chat(aQuestion, from("deepseek", `"content":"a",`+thoughtsOf), aQuestion)},
		{"another's calls, whose thoughts are not known", "deepseek", chat(aQuestion, calls("openai"), aResult, aQuestion)},
		{"thoughts as the vendor says them", "deepseek", chat(aQuestion, `{"role":"assistant","content":null,"reasoning_content":"hm",`+aCall+`}`, aResult)},
		{"thoughts within a loop", "volcengine", chat(aQuestion, calls("volcengine"), aResult)},
		{"thoughts of an earlier loop", "volcengine", chat(aQuestion, calls("volcengine"), aResult, aQuestion)},
		{"thoughts of all", "zai", chat(aQuestion, from("zai", `"content":"a",`+thoughtsOf), aQuestion)},
		{"thoughts of another model", "zai", chat(aQuestion, `{"role":"assistant","content":"a","source":{"provider":"zai","model":"n"},`+thoughtsOf+`}`, aQuestion)},
		{"thoughts elsewhere", "openai", chat(aQuestion, calls("deepseek"), aResult)},
		{"thoughts in the content", "mistral", chat(aQuestion, from("mistral", `"content":"4","reasoning_details":[{"type":"thinking",`+
			`"thinking":[{"type":"text","text":"Hm"}],"closed":true}]`), aQuestion)},
		{"thoughts beside calls", "mistral", chat(aQuestion, from("mistral", `"content":null,"reasoning_details":[{"type":"thinking",`+
			`"thinking":[{"type":"text","text":"Hm"}]}],"tool_calls":[{"id":"D681PevKs","function":{"name":"f","arguments":"{}"}}]`),
			`{"role":"tool","tool_call_id":"D681PevKs","content":"1"}`)},
		{"thoughts of another", "mistral", chat(aQuestion, from("anthropic", `"content":"4","reasoning_details":[{"type":"thinking","thinking":"Hm","signature":"s"}]`), aQuestion)},
		{"details", "openrouter", chat(aQuestion, from("openrouter", `"content":"a",`+openRouterDetails), aQuestion)},
		{"details of another", "openrouter", chat(aQuestion, from("anthropic", `"content":"a",`+openRouterDetails), aQuestion)},
		{"details", "xai", chat(aQuestion, `{"role":"assistant","content":"a",`+openRouterDetails+`}`, aQuestion)},
		{"details that a server made itself", "compatible", chat(aQuestion, from("compatible", `"content":"a",`+openRouterDetails), aQuestion)},
		{"a signature", "compatible", chat(aQuestion, from("compatible", `"content":null,`+signed), aResult)},
		{"a signature of another", "compatible", chat(aQuestion, from("gemini", `"content":null,`+signed), aResult)},
		{"a signature of a text", "compatible", chat(aQuestion, from("compatible", `"content":"a","reasoning_details":[{"type":"extra_content",`+
			`"extra_content":{"google":{"thought_signature":"s"}}}]`), aQuestion)},
		{"a refusal", "openai", chat(aQuestion, from("openai", `"content":null,"refusal":"no"`), aQuestion)},
		{"a refusal of another", "openai", chat(aQuestion, from("azure", `"content":null,"refusal":"no","annotations":[],"audio":{"id":"a"}`), aQuestion)},
	}
}

func TestReasoningRefused(t *testing.T) {
	tests := []struct{ row, model, fields, param string }{
		{"openai", "m", `"reasoning_budget":5`, "reasoning_budget"},
		{"openai", "m", `"reasoning_summary":"auto"`, "reasoning_summary"},
		{"openai", "m", `"previous_response_id":"r"`, "previous_response_id"},
		{"deepseek", "m", `"reasoning_budget":5`, "reasoning_budget"},
		{"moonshot", "kimi-k3", `"reasoning_effort":"medium"`, "reasoning_effort"},
		{"compatible", "m", `"reasoning_budget":5`, "reasoning_budget"},
		{"zai", "m", `"tool_choice":"required"`, "tool_choice"},
		{"zai", "m", `"tool_choice":{"type":"function","function":{"name":"f"}}`, "tool_choice"},
		{"zai", "m", `"stop":["a","b"]`, "stop"},
		{"zai", "m", `"response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{}}}`, "response_format"},
		{"moonshot", "m", `"response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{}}}`, "response_format"},
		{"volcengine", "m", `"n":2`, "n"},
	}
	for _, test := range tests {
		_, _, err := encoded(t, test.row, `{"op":"generate","model":"`+test.model+`",`+ask+`,`+test.fields+`}`)
		if err == nil || err.Kind != llm.KindUnsupported || err.Param != test.param || !strings.Contains(err.Message, test.row) {
			t.Errorf("%s %s: %+v", test.row, test.fields, err)
		}
	}
	_, _, err := encoded(t, "openrouter", `{"op":"generate","model":"m",`+ask+`,"reasoning_effort":"low","reasoning_budget":5}`)
	if err == nil || err.Kind != llm.KindConfiguration {
		t.Errorf("effort and budget: %v", err)
	}
}

func TestVendorWarnings(t *testing.T) {
	tests := []struct{ row, fields, says string }{
		{"openai", `"messages":[{"role":"user","content":[{"type":"text","text":"a","cache_control":{}},{"type":"text","text":"b","cache_control":{}}]}]`, "cache_control"},
		{"xai", `"messages":[{"role":"assistant","content":"a","reasoning_details":[{"type":"x"}]},{"role":"assistant","content":"a","reasoning_details":[{"type":"x"}]}]`,
			"reasoning_details"},
		{"alibaba", ask + `,"reasoning_effort":"low"`, "only switches reasoning on"},
	}
	for _, test := range tests {
		_, warnings, err := encoded(t, test.row, `{"op":"generate","model":"m",`+test.fields+`}`)
		if err != nil || len(warnings) != 1 || !strings.Contains(warnings[0], test.says) || !strings.Contains(warnings[0], test.row) {
			t.Errorf("%s: %q, %v", test.row, warnings, err)
		}
	}
}

// Thoughts that a vendor wants back go through an answer, a message and the next request unchanged.
func TestThoughtsReturn(t *testing.T) {
	think := func(piece string) string { return delta(`"content":[` + piece + `]`) }
	tests := []struct {
		name, row string
		events    []string
		want      []string
	}{
		{"reasoning_content", "deepseek", []string{delta(`"reasoning_content":"H"`), delta(`"reasoning_content":"m\n"`), delta(`"reasoning_content":"é"`),
			delta(`"content":"4"`)}, []string{`{"type":"reasoning_content","reasoning_content":"Hm\né"}`}},
		{"nobody wants it", "xai", []string{delta(`"reasoning_content":"H"`), delta(`"content":"4"`)}, nil},
		{"parts", "mistral", []string{delta(`"content":""`), think(`{"type":"thinking","thinking":[{"type":"text","text":"H"}]}`),
			think(`{"type":"thinking","thinking":[{"type":"text","text":"m"}]}`),
			think(`{"type":"thinking","thinking":[{"type":"reference","reference_ids":[1]}],"closed":true}`), delta(`"content":"4"`)},
			[]string{`{"type":"thinking","thinking":[{"type":"text","text":"Hm"},{"type":"reference","reference_ids":[1]}],"closed":true}`}},
		{"parts around a text", "mistral", []string{delta(`"content":"1"`), delta(`"content":"2"`), think(`{"type":"thinking","thinking":[{"type":"text","text":"a"}]}`),
			delta(`"content":"3"`), delta(`"content":"4"`), think(`{"type":"thinking","thinking":[{"type":"text","text":"b"}]}`)},
			[]string{`{"type":"thinking","thinking":[{"type":"text","text":"a"}]}`, `{"type":"thinking","thinking":[{"type":"text","text":"b"}]}`}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := streamed(t, testCall(t, test.row), append(test.events, finished("stop"), "[DONE]")...)
			if strings.Join(got.details, "\n") != strings.Join(test.want, "\n") || got.err != nil {
				t.Errorf("got %q, %v", got.details, got.err)
			}
		})
	}
	got := answered(t, testCall(t, "zai"), `{"choices":[{"message":{"content":"4","reasoning_content":"Hm"},"finish_reason":"stop"}]}`)
	if len(got.details) != 1 || got.details[0] != `{"type":"reasoning_content","reasoning_content":"Hm"}` {
		t.Errorf("one-shot: %q", got.details)
	}
}

func TestKeyToken(t *testing.T) {
	now := time.UnixMilli(1760000000000)
	const want = "eyJhbGciOiJIUzI1NiIsInNpZ25fdHlwZSI6IlNJR04ifQ.eyJhcGlfa2V5IjoiaWQiLCJleHAiOjE3NjAwMDM2MDAwMDAsInRpbWVzdGFtcCI6MTc2MDAwMDAwMDAwMH0." +
		"IgEJIlMweFKBuJSGT9Wc-n9rEgcMVG5E6q1I3No_glU"
	for key, token := range map[string]string{"id.secret": want, "plain": "plain", ".secret": ".secret", "id.": "id.", "a.b.c": "a.b.c"} {
		if got := keyToken(key, now); got != token {
			t.Errorf("%s: %s", key, got)
		}
	}
	call := testCall(t, "zai")
	call.Row.Auth, call.APIKey, call.Now = "jwt", "id.secret", now
	if header, err := requestHeader(call); err != nil || header["Authorization"] != "Bearer "+want {
		t.Errorf("%v, %v", header, err)
	}
	call.Row.Auth = ""
	if header, _ := requestHeader(call); header["Authorization"] != "Bearer id.secret" {
		t.Errorf("Z.ai takes the key itself: %v", header)
	}
}

func TestArkErrors(t *testing.T) {
	tests := []struct {
		status  int
		code    string
		message string
		kind    llm.Kind
	}{
		{400, "MissingParameter.model", "", llm.KindBadRequest},
		{400, "InvalidParameter", "Total tokens of image and text exceed max message tokens", llm.KindContextWindow},
		{400, "InvalidParameter", "Input length 9 exceeds the maximum length 8", llm.KindContextWindow},
		{400, "InvalidParameter.UnsupportedImageFormat", "", llm.KindBadRequest},
		{400, "InvalidEndpoint.ClosedEndpoint", "", llm.KindNotFound},
		{400, "OutofContextError", "", llm.KindContextWindow},
		{400, "SensitiveContentDetected.SevereViolation", "", llm.KindContentPolicy},
		{400, "InputTextSensitiveContentDetected", "", llm.KindContentPolicy},
		{400, "OutputImageRiskDetection", "", llm.KindContentPolicy},
		{401, "AuthenticationError", "", llm.KindAuthentication},
		{401, "InvalidAccountStatus", "", llm.KindAuthentication},
		{403, "AccountOverdueError", "", llm.KindQuota},
		{403, "OperationDenied.ServiceOverdue", "", llm.KindQuota},
		{403, "OperationDenied.ServiceNotOpen", "", llm.KindPermission},
		{403, "AccessDenied", "", llm.KindPermission},
		{404, "InvalidEndpointOrModel.NotFound", "The model or endpoint x does not exist", llm.KindNotFound},
		{404, "InvalidEndpointOrModel.ModelIDAccessDisabled", "", llm.KindNotFound},
		{404, "ModelNotOpen", "", llm.KindNotFound},
		{429, "RateLimitExceeded.EndpointTPMExceeded", "", llm.KindRateLimit},
		{429, "ModelAccountRpmRateLimitExceeded", "", llm.KindRateLimit},
		{429, "RequestBurstTooFast", "", llm.KindRateLimit},
		{429, "QuotaExceeded", "", llm.KindQuota},
		{429, "SetLimitExceeded", "", llm.KindQuota},
		{429, "ServerOverloaded", "", llm.KindServiceUnavailable},
		{500, "InternalServiceError", "", llm.KindInternalServer},
		{503, "ServiceUnavailable", "", llm.KindServiceUnavailable},
		{504, "InferenceServiceConnectionTimeout", "", llm.KindTimeout},
	}
	for _, test := range tests {
		call := testCall(t, "volcengine")
		body := `{"error":{"code":"` + test.code + `","message":"` + test.message + `. Request id: 0217","param":"","type":"Some"}}`
		report := call.Row.Protocol().DecodeError(call, test.status, nil, []byte(body))
		if judged := llm.Judge(report, call.Row.Rules); judged.Kind != test.kind {
			t.Errorf("%d %s %q: %s, expected %s", test.status, test.code, test.message, judged.Kind, test.kind)
		}
	}
}

// A delta of reasoning costs little more where the vendor wants the thoughts back.
func BenchmarkReasoningDelta(b *testing.B) {
	for _, row := range []string{"xai", "deepseek"} {
		b.Run(row, func(b *testing.B) {
			decoder := newChatDecoder(testCall(b, row))
			events := [2][]byte{[]byte(delta(`"reasoning_content":"think"`)), []byte(delta(`"reasoning_content":" more"`))}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if _, err := decoder.Event("", events[i%2], func(llm.Event) {}); err != nil {
					b.Fatal(err)
				}
				if i%100_000 == 0 { // a long answer, not an endless one
					decoder.held, decoder.choices = 0, nil
				}
			}
		})
	}
}
