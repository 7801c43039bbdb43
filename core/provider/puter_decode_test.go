package provider

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"pyagent/core/llm"
)

const puterEnd = `{"type":"usage","usage":{"prompt_tokens":5,"completion_tokens":2,"usd_cents":0.01}}`

func TestPuterStreams(t *testing.T) {
	text := func(text string) string { return `{"type":"text","text":"` + text + `"}` }
	tool := `{"type":"tool_use","id":"call_1","name":"add","input":{"a": 1},"text":""}`
	tests := []struct {
		name            string
		lines           []string
		text, reasoning string
		calls           string
		finish, raw     string
		complete        bool
	}{
		{"text", []string{text("Hel"), text("lo"), puterEnd}, "Hello", "", "", "stop", "", true},
		{"reasoning", []string{`{"type":"reasoning","reasoning":"h"}`, `{"type":"reasoning","reasoning":"m"}`, text("x"), puterEnd}, "x", "hm", "", "stop", "", true},
		{"a tool call", []string{text("so"), tool, puterEnd}, "so", "", `call_1 add {"a":1};`, "tool_calls", "", true},
		{"input as text", []string{`{"type":"tool_use","id":"a","name":"f","input":"{\"a\":1}"}`, puterEnd}, "", "", `a f {"a":1};`, "tool_calls", "", true},
		{"a call in pieces, sent on request", []string{`{"type":"tool_use_start","id":"call_1","name":"add"}`,
			`{"type":"tool_input_delta","id":"call_1","partialJson":"{"}`, tool, puterEnd}, "", "", `call_1 add {"a":1};`, "tool_calls", "", true},
		{"usage without counts", []string{text("x"), `{"type":"usage"}`}, "x", "", "", "stop", "", true},
		{"a reason, as today's servers send it", []string{text("x"), `{"type":"usage","usage":{},"stopReason":"max_tokens","stopSequence":null,"finish_reason":"length"}`},
			"x", "", "", "length", "length", true},
		{"the reason of the vendor behind", []string{text("x"), `{"type":"usage","stopReason":"refusal"}`}, "x", "", "", "content_filter", "refusal", true},
		{"nothing but the end", []string{puterEnd}, "", "", "", "stop", "", true},
		{"nothing after the end", []string{text("x"), puterEnd, text("y")}, "x", "", "", "stop", "", true},
		{"broken off", []string{text("x")}, "x", "", "", "", "", false},
		{"broken off behind a call", []string{tool}, "", "", `call_1 add {"a":1};`, "tool_calls", "", false},
		{"unknown lines and odd types", []string{`{}`, `{"type":7}`, `{"type":"news","text":"n"}`, `{"type":"reasoning_start","format":"x"}`,
			`{"type":"safeguard_results","results":[]}`, `{"type":"text","text":null}`, `{"type":"tool_use","input":[]}`, text("x"), puterEnd},
			"x", "", "", "stop", "", true},
		{"a server that does not stream", []string{`{"success":true,"result":{"message":{"role":"assistant","content":"x"},"finish_reason":"length"}}`},
			"x", "", "", "length", "length", true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := streamed(t, testCall(t, "puter"), test.lines...)
			if got.err != nil || got.text[0] != test.text || got.reasoning != test.reasoning || got.complete != test.complete ||
				got.finish.FinishReason != test.finish || got.finish.RawFinishReason != test.raw || callsText(got) != test.calls {
				t.Errorf("got %s", got.summary())
			}
		})
	}
}

// callsText is all tool calls in a line; one that is open is marked.
func callsText(got *collected) (all string) {
	for _, call := range got.calls {
		all += fmt.Sprintf("%s %s %s;", call.ID, call.Name, call.arguments)
		if !call.ended {
			all += " open"
		}
	}
	return all
}

func TestPuterDetails(t *testing.T) {
	got := streamed(t, testCall(t, "puter"),
		`{"type":"text","text":"x","extra_content":{"google":{"a":1}}}`, `{"type":"extra_content","extra_content":{"b":2}}`,
		`{"type":"reasoning_detail","detail":{"type":"thinking","thinking":"t","signature":"s"}}`,
		`{"type":"compaction","id":"c","encrypted_content":"e"}`,
		`{"type":"tool_use","id":"a","canonical_id":"fc_1","name":"f","input":{},"extra_content":{"google":{"thought_signature":"s"}}}`, puterEnd)
	want := []string{`{"type":"extra_content","extra_content":{"google":{"a":1}}}`, `{"type":"extra_content","extra_content":{"b":2}}`,
		`{"type":"thinking","thinking":"t","signature":"s"}`}
	if fmt.Sprint(got.details) != fmt.Sprint(want) || fmt.Sprint(got.parts) != `[{"type":"compaction","id":"c","encrypted_content":"e"}]` {
		t.Errorf("details %q, parts %q", got.details, got.parts)
	}
	if extra := string(got.calls[0].Extra); extra != `{"extra_content":{"google":{"thought_signature":"s"}},"canonical_id":"fc_1"}` {
		t.Errorf("extra of the call: %s", extra)
	}
}

func TestPuterResults(t *testing.T) {
	result := func(result string) string {
		return `{"success":true,"service":{"name":"ai-chat"},"result":` + result + `}`
	}
	tests := []struct {
		name, body      string
		text, reasoning string
		calls           string
		finish, raw     string
	}{
		{"OpenAI", result(`{"index":0,"message":{"role":"assistant","content":"Hi","refusal":null,"reasoning":"hm"},"finish_reason":"stop","via_ai_chat_service":true}`),
			"Hi", "hm", "", "stop", "stop"},
		{"OpenAI, tools", result(`{"message":{"content":null,"tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}}]},"finish_reason":"stop"}`),
			"", "", `a f {"a":1};`, "tool_calls", "stop"},
		{"Claude", result(`{"message":{"id":"msg_1","model":"claude-x","content":[{"type":"thinking","thinking":"hm","signature":"s"},{"type":"text","text":"H"},{"type":"text","text":"i"},` +
			`{"type":"tool_use","id":"toolu_1","name":"add","input":{"a": 1}}],"stop_reason":"tool_use"},"finish_reason":"stop"}`),
			"Hi", "hm", `toolu_1 add {"a":1};`, "tool_calls", "tool_use"},
		{"Claude, cut", result(`{"message":{"content":[{"type":"text","text":"Hi"}],"stop_reason":"max_tokens"},"finish_reason":"stop"}`), "Hi", "", "", "length", "max_tokens"},
		{"Claude, refused", result(`{"finish_reason":"stop","message":{"content":[],"stop_reason":"refusal"}}`), "", "", "", "content_filter", "refusal"},
		{"a string", result(`"Hi"`), "Hi", "", "", "stop", ""},
		{"text", result(`{"text":"Hi"}`), "Hi", "", "", "stop", ""},
		{"content", result(`{"content":"Hi"}`), "Hi", "", "", "stop", ""},
		{"content parts", result(`{"content":[{"type":"text","text":"H"},{"type":"text","text":"i"}]}`), "Hi", "", "", "stop", ""},
		{"message as a string", result(`{"message":"Hi"}`), "Hi", "", "", "stop", ""},
		{"choices", result(`{"choices":[{"message":{"content":"Hi"},"finish_reason":"length"},{"message":{"content":"no"}}]}`), "Hi", "", "", "length", "length"},
		{"bare content", `{"content":"Hi"}`, "Hi", "", "", "stop", ""},
		{"bare text", `{"text":"Hi"}`, "Hi", "", "", "stop", ""},
		{"bare message", `{"message":{"role":"assistant","content":"Hi"},"finish_reason":"stop"}`, "Hi", "", "", "stop", "stop"},
		{"empty answer", result(`{"message":{"role":"assistant","content":""},"finish_reason":"stop"}`), "", "", "", "stop", "stop"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := answered(t, testCall(t, "puter"), test.body)
			if got.err != nil || !got.complete || got.text[0] != test.text || got.reasoning != test.reasoning || callsText(got) != test.calls ||
				got.finish.FinishReason != test.finish || got.finish.RawFinishReason != test.raw {
				t.Errorf("got %s", got.summary())
			}
		})
	}
	for _, body := range []string{"", "<html>", "null", result(`{}`), result(`null`), result(`7`), result(`{"choices":[]}`), `{"success":true}`, `{"result":`} {
		got := answered(t, testCall(t, "puter"), body)
		var failed *llm.Error
		if !errors.As(got.err, &failed) || failed.Kind != llm.KindParse {
			t.Errorf("%q: %s", body, got.summary())
		}
	}
}

func TestPuterUsage(t *testing.T) {
	tests := []struct{ name, usage, want string }{
		{"OpenAI's", `{"prompt_tokens":5,"completion_tokens":2,"cached_tokens":3,"usd_cents":0.25}`,
			`{"prompt_tokens":5,"completion_tokens":2,"cached_tokens":3,"cost":0.0025}`},
		{"OpenAI's, without the cached", `{"prompt_tokens":5,"completion_tokens":2,"cached_tokens":100}`,
			`{"prompt_tokens":105,"completion_tokens":2,"cached_tokens":100}`},
		{"Anthropic's", `{"input_tokens":5,"output_tokens":2,"cache_read_input_tokens":3,"cache_creation_input_tokens":4}`,
			`{"prompt_tokens":12,"completion_tokens":2,"cached_tokens":3,"cache_write_tokens":4}`},
		{"Claude's, as Puter counts", `{"input_tokens":5,"ephemeral_5m_input_tokens":1,"ephemeral_1h_input_tokens":2,"cache_read_input_tokens":3,"output_tokens":2,` +
			`"thinking_tokens":1,"usd_cents":null}`,
			`{"prompt_tokens":11,"completion_tokens":2,"cached_tokens":3,"cache_write_tokens":3,"reasoning_tokens":1}`},
		{"a list", `[{"type":"prompt","model":"m","amount":5,"cost":1},{"type":"completion","amount":2}]`, `{"prompt_tokens":5,"completion_tokens":2}`},
		{"nothing", `null`, `null`},
		{"odd", `"many"`, `null`},
	}
	for _, test := range tests {
		got := streamed(t, testCall(t, "puter"), `{"type":"usage","usage":`+test.usage+`}`)
		if usage, _ := json.Marshal(got.finish.Usage); string(usage) != test.want || !got.complete {
			t.Errorf("%s: got %s", test.name, usage)
		}
	}
	got := answered(t, testCall(t, "puter"), `{"success":true,"metadata":{"service_used":"claude","providerUsed":"claude-x"},"result":{"message":{"content":"x",`+
		`"usage":{"input_tokens":1}},"usage":{"input_tokens":5,"output_tokens":2}}}`)
	if *got.finish.Usage.PromptTokens != 5 || got.finish.Model != "claude-x" || got.start.Model != "claude-x" {
		t.Errorf("got %s", got.summary())
	}
}

func TestPuterErrors(t *testing.T) {
	tests := []struct {
		status     int
		code, says string
		kind       llm.Kind
		retry      bool
	}{
		{401, "token_missing", "", llm.KindAuthentication, false},
		{401, "token_auth_failed", "", llm.KindAuthentication, false},
		{401, "token_invalid", "", llm.KindAuthentication, false},
		{401, "token_expired", "", llm.KindAuthentication, false},
		{401, "reauth_required", "", llm.KindAuthentication, false},
		{401, "unauthorized", "", llm.KindAuthentication, false},
		{402, "insufficient_funds", "No usage left for request.", llm.KindQuota, false},
		{402, "subscription_required", "", llm.KindQuota, false},
		{429, "usage_limited_chat", "", llm.KindQuota, false},
		{403, "forbidden", "", llm.KindPermission, false},
		{403, "permission_denied", "", llm.KindPermission, false},
		{403, "app_or_api_token_required", "", llm.KindPermission, false},
		{400, "email_must_be_confirmed", "", llm.KindPermission, false},
		{400, "account_is_not_verified", "", llm.KindPermission, false},
		{404, "not_found", "Driver not found: puter-chat-completion:claude", llm.KindNotFound, false},
		{400, "bad_request", "Model not found: x", llm.KindNotFound, false},
		{400, "upstream_provider_unavailable", "AI provider unavailable", llm.KindServiceUnavailable, true},
		{400, "upstream_failed", "All AI providers failed", llm.KindServiceUnavailable, true},
		{400, "upstream_bad_request", "messages: at least one is required", llm.KindBadRequest, false},
		{400, "upstream_bad_request", "prompt is too long: 1 tokens", llm.KindContextWindow, false},
		{400, "bad_request", "message is not allowed", llm.KindContentPolicy, false},
		{429, "too_many_requests", "Too many requests.", llm.KindRateLimit, true},
		{429, "upstream_rate_limited", "", llm.KindRateLimit, true},
		{500, "upstream_auth_failed", "", llm.KindInternalServer, true},
		{500, "internal_error", "", llm.KindInternalServer, true},
	}
	for _, test := range tests {
		says := firstWord(test.says, "it says no")
		checkLineError(t, "puter", test.status, fmt.Sprintf(`{"error":%q,"message":%q,"code":%q,"attempts":[]}`, says, says, test.code), test.kind, test.retry)
		// The older form, in a 200: the code says it, or the status beside it.
		checkLineError(t, "puter", 200, fmt.Sprintf(`{"success":false,"error":{"code":%q,"message":%q,"status":%d}}`, test.code, says, test.status),
			test.kind, test.retry)
	}
	for _, test := range []struct {
		status int
		body   string
		kind   llm.Kind
	}{
		{400, `{"error":"no","message":"no","code":"bad_request","errorCode":"moderation_flagged"}`, llm.KindContentPolicy},
		{400, `{"error":"no","message":"no","code":"upstream_bad_request","upstreamStatus":400,"upstreamCode":"context_length_exceeded"}`, llm.KindContextWindow},
		{200, `{"success":false,"error":{"message":"no","status":402}}`, llm.KindQuota},
		{200, `{"success":false,"error":"Model not found: x"}`, llm.KindNotFound},
		{200, `{"type":"error","message":"prompt is too long: 5 tokens"}`, llm.KindContextWindow},
		{200, `{"error":{"code":"insufficient_funds"}}`, llm.KindQuota},
		{200, `{"type":"text","text":"You have reached your limit.","metadata":{"usage_limited":true}}`, llm.KindQuota},
	} {
		checkLineError(t, "puter", test.status, test.body, test.kind, false)
	}
	checkLineError(t, "puter", 200, `{"type":"error","message":"it broke"}`, llm.KindInternalServer, true)
	checkLineError(t, "puter", 200, `{"success":false}`, llm.KindInternalServer, true)
}

func TestPuterLogin(t *testing.T) {
	call := func(login, page string) Call {
		request, failed := llm.DecodeRequest([]byte(`{"op":"login","login":` + login + `}`))
		if failed != nil {
			t.Fatal(failed)
		}
		call := testCall(t, "puter")
		call.Request, call.Page = request, page
		return call
	}
	const plain, withCode = `{"username":"u","password":"p"}`, `{"username":"u","password":"p","code":"1"}`
	tests := []struct{ name, login, page, body, want string }{
		{"in", plain, "", `{"proceed":true,"next_step":"complete","token":"T","user":{"username":"U","uuid":"x"}}`, "token T of U"},
		{"in, an older server", plain, "", `{"proceed":true,"token":"T"}`, "token T of u"},
		{"code wanted", withCode, "", `{"proceed":true,"next_step":"otp","otp_jwt_token":"J"}`, "page J"},
		{"code wanted and missing", plain, "", `{"proceed":true,"next_step":"otp","otp_jwt_token":"J"}`, "login.code"},
		{"code right", withCode, "J", `{"proceed":true,"token":"T"}`, "token T of u"},
		{"code wrong", withCode, "J", `{"proceed":false}`, "login.code"},
		{"password wrong", plain, "", `{"proceed":false}`, "login.password"},
		{"another step", plain, "", `{"proceed":true,"next_step":"captcha"}`, "login"},
	}
	for _, test := range tests {
		got := answered(t, call(test.login, test.page), test.body)
		have := "page " + got.finish.NextPage
		var failed *llm.Error
		if errors.As(got.err, &failed) && failed.Kind == llm.KindAuthentication && !failed.Retryable {
			have = failed.Param
		} else if got.login != nil {
			have = "token " + got.login.Token + " of " + got.login.Username
		}
		if have != test.want || got.complete != (failed == nil) {
			t.Errorf("%s: %q, expected %q; %s", test.name, have, test.want, got.summary())
		}
	}
	for _, test := range []struct {
		status int
		body   string
		kind   llm.Kind
	}{
		{400, `{"error":"Invalid password.","code":"password_required"}`, llm.KindAuthentication},
		{400, "Incorrect password.", llm.KindAuthentication},
		{400, `{"message":"Captcha verification required."}`, llm.KindAuthentication},
		{401, `{"code":"account_suspended","message":"This account is suspended."}`, llm.KindAuthentication},
		{404, `{"message":"Username not found."}`, llm.KindAuthentication},
		{403, `{"code":"forbidden","message":"This endpoint cannot be called cross-origin."}`, llm.KindPermission},
		{429, `{"code":"too_many_requests","message":"Too many requests."}`, llm.KindRateLimit},
		{500, `{"code":"internal_error","message":"x"}`, llm.KindInternalServer},
	} {
		call := call(plain, "")
		if judged := llm.Judge(puter{}.DecodeError(call, test.status, nil, []byte(test.body)), call.Row.Rules); judged.Kind != test.kind {
			t.Errorf("%d %s: %+v", test.status, test.body, judged)
		}
	}
}

func TestPuterModels(t *testing.T) {
	call := testCall(t, "puter")
	call.Request.Op, call.Request.Model = llm.OpModels, ""
	got := answered(t, call, `{"models":[`+
		`{"id":"gpt-x","provider":"openai-completion","aliases":["openai/gpt-x",7],"context":128000,"max_tokens":16384,"costs_currency":"usd-cents",`+
		`"costs":{"tokens":1000000,"prompt_tokens":25,"completion_tokens":200,"cached_tokens":2},"tool_call":true,"modalities":{"input":["text","image"],"output":["text"]}},`+
		`{"id":"claude-x","name":"Claude","provider":"claude","input_cost_key":"input_tokens","costs_currency":"usd-cents","costs":{"tokens":1000000,"input_tokens":300,"output_tokens":1500}},`+
		`{"id":"free","costs_currency":"coins","costs":{"tokens":1,"input":5}},"bare",{"provider":"x"}]}`)
	items, _ := json.Marshal(got.models)
	want := `[{"id":"gpt-x","owner":"openai-completion","context_tokens":128000,"output_tokens":16384,"capabilities":["chat","tools","images"],"aliases":["openai/gpt-x"],` +
		`"input_price":2.5e-7,"output_price":0.000002,"cached_price":2e-8},` +
		`{"id":"claude-x","name":"Claude","owner":"claude","input_price":0.000003,"output_price":0.000015},{"id":"free"},{"id":"bare"}]`
	if got.err != nil || !got.complete || string(items) != want {
		t.Errorf("got %s\nwant %s; %s", items, want, got.summary())
	}
	if got := answered(t, call, `{"success":false,"error":"down"}`); got.err == nil || !strings.Contains(got.err.Error(), "down") {
		t.Errorf("an error: %s", got.summary())
	}
}
