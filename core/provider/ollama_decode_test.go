package provider

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"pyagent/core/llm"
)

// ollamaLine is a line as Ollama sends it; message is the inside of its message.
func ollamaLine(at int, message string) string {
	return fmt.Sprintf(`{"model":"llama-x","created_at":"2026-01-01T00:00:00.%dZ","message":{"role":"assistant",%s},"done":false}`, at+1, message)
}

const ollamaEnd = `{"model":"llama-x","created_at":"2026-01-01T00:00:01Z","message":{"role":"assistant","content":""},"done":true,` +
	`"done_reason":"stop","total_duration":100,"load_duration":10,"prompt_eval_count":20,"prompt_eval_duration":30,"eval_count":5,"eval_duration":60}`

func TestOllamaStreams(t *testing.T) {
	ended := func(with string) string { return strings.Replace(ollamaEnd, `"done_reason":"stop"`, with, 1) }
	tests := []struct {
		name            string
		lines           []string
		text, reasoning string
		calls           []string
		finish, raw     string
		complete        bool
	}{
		{"text", []string{ollamaLine(1, `"content":"Hel"`), ollamaLine(2, `"content":"lo"`), ollamaEnd}, "Hello", "", nil, "stop", "stop", true},
		{"thinking", []string{ollamaLine(1, `"content":"","thinking":"h"`), ollamaLine(2, `"content":"","thinking":"m"`), ollamaLine(3, `"content":"Hi"`), ollamaEnd},
			"Hi", "hm", nil, "stop", "stop", true},
		{"text and thinking in one", []string{ollamaLine(1, `"content":"Hi","thinking":"hm"`), ollamaEnd}, "Hi", "hm", nil, "stop", "stop", true},
		{"a tool call", []string{ollamaLine(1, `"content":"","tool_calls":[{"id":"call_1","function":{"index":0,"name":"add","arguments":{"a": 1}}}]`), ollamaEnd},
			"", "", []string{`call_1 add {"a":1}`}, "tool_calls", "stop", true},
		{"tool calls without ids, all number 0", []string{
			ollamaLine(1, `"content":"","tool_calls":[{"function":{"index":0,"name":"f","arguments":{}}},{"function":{"index":0,"name":"f","arguments":{}}}]`),
			ollamaLine(2, `"tool_calls":[{"function":{"name":"g"}}]`), ollamaEnd},
			"", "", []string{"call_made_ f {}", "call_made_ f {}", "call_made_ g "}, "tool_calls", "stop", true},
		{"arguments as text", []string{ollamaLine(1, `"tool_calls":[{"id":"a","function":{"name":"f","arguments":"{\"a\":1}"}}]`), ollamaEnd},
			"", "", []string{`a f {"a":1}`}, "tool_calls", "stop", true},
		{"cut at the limit", []string{ollamaLine(1, `"content":"x"`), ended(`"done_reason":"length"`)}, "x", "", nil, "length", "length", true},
		{"cut at the limit behind a call", []string{ollamaLine(1, `"tool_calls":[{"id":"a","function":{"name":"f","arguments":{}}}]`), ended(`"done_reason":"length"`)},
			"", "", []string{"a f {}"}, "length", "length", true},
		{"only loaded", []string{ended(`"done_reason":"load"`)}, "", "", nil, "other", "load", true},
		{"only unloaded", []string{ended(`"done_reason":"unload"`)}, "", "", nil, "other", "unload", true},
		{"no reason", []string{ollamaLine(1, `"content":"x"`), ended(`"x":1`)}, "x", "", nil, "", "", true},
		{"text in the last line", []string{strings.Replace(ollamaEnd, `"content":""`, `"content":"x"`, 1)}, "x", "", nil, "stop", "stop", true},
		{"nothing after the last line", []string{ollamaLine(1, `"content":"x"`), ollamaEnd, ollamaLine(1, `"content":"y"`)}, "x", "", nil, "stop", "stop", true},
		{"broken off", []string{ollamaLine(1, `"content":"x"`)}, "x", "", nil, "", "", false},
		{"broken off behind a call", []string{ollamaLine(1, `"tool_calls":[{"id":"a","function":{"name":"f","arguments":{}}}]`)},
			"", "", []string{"a f {}"}, "tool_calls", "", false},
		{"odd types and gaps", []string{`{}`, " ", `{"model":7,"created_at":true,"message":null,"done":"no"}`, `{"message":{"content":null,"tool_calls":null,"images":{}}}`,
			`{"message":"x"}`, `{"message":{"tool_calls":[7,{"function":null},{"function":{"name":""}}]}}`, ollamaLine(1, `"content":"x"`), ollamaEnd}, "x", "", nil, "stop", "stop", true},
		{"the route without a conversation", []string{`{"model":"m","response":"x","done":false}`, `{"model":"m","response":"","done":true,"done_reason":"stop"}`},
			"x", "", nil, "stop", "stop", true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := streamed(t, testCall(t, "ollama"), test.lines...)
			if got.err != nil || got.text[0] != test.text || got.reasoning != test.reasoning || got.complete != test.complete ||
				got.finish.FinishReason != test.finish || got.finish.RawFinishReason != test.raw || len(got.calls) != len(test.calls) {
				t.Fatalf("got %s", got.summary())
			}
			ids := map[string]bool{}
			for i, call := range got.calls {
				id := call.ID
				if ids[id] = true; isMadeID(id) {
					id = madeIDPrefix
				}
				if have := fmt.Sprintf("%s %s %s", id, call.Name, call.arguments); have != test.calls[i] || !call.ended {
					t.Errorf("call %d: %q, ended %v; expected %q", i, have, call.ended, test.calls[i])
				}
			}
			if len(ids) != len(got.calls) {
				t.Errorf("ids are not unique: %s", got.summary())
			}
		})
	}
}

func TestOllamaFinish(t *testing.T) {
	got := streamed(t, testCall(t, "ollama"), ollamaLine(0, `"content":"x"`), ollamaEnd)
	finish := got.finish
	if finish.Model != "llama-x" || finish.Provider != "ollama" || finish.Created != 1767225600.1 || got.start.Model != "llama-x" ||
		*finish.Usage.PromptTokens != 20 || *finish.Usage.CompletionTokens != 5 || finish.Usage.TotalTokens != nil {
		t.Errorf("got %s", got.summary())
	}
	got = streamed(t, testCall(t, "ollama"), strings.Replace(ollamaEnd, `"prompt_eval_count":20,`, "", 1))
	if got.finish.Usage.PromptTokens != nil || *got.finish.Usage.CompletionTokens != 5 {
		t.Errorf("without the prompt's count: %s", got.summary())
	}
}

func TestOllamaExtras(t *testing.T) {
	got := streamed(t, testCall(t, "ollama"), ollamaLine(1, `"content":"x","images":["/9j/4AA","iVBORw0"]`),
		`{"message":{"content":"y"},"logprobs":[{"token":"y","logprob":-0.5}],"done":false}`, ollamaEnd)
	if fmt.Sprint(got.logprobs) != `[{"content":[{"token":"y","logprob":-0.5}]}]` {
		t.Errorf("logprobs %q", got.logprobs)
	}
	if want := `[{"type":"image_url","image_url":{"url":"data:image/jpeg;base64,/9j/4AA"}} ` +
		`{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0"}}]`; fmt.Sprint(got.parts) != want {
		t.Errorf("parts %q", got.parts)
	}
	call := testCall(t, "ollama")
	call.Request.IncludeRaw = true
	if got := streamed(t, call, ollamaLine(1, `"content":"x"`), ollamaLine(2, `"content":"y"`), ollamaEnd); len(got.raw) != 3 || got.text[0] != "xy" {
		t.Errorf("raw: %s", got.summary())
	}
}

// The reasoning that led to tool calls returns with the message, in the form in which it is sent; no other does.
func TestOllamaThinkingReturns(t *testing.T) {
	thinking := []string{ollamaLine(1, `"content":"","thinking":"a"`), ollamaLine(2, `"content":"","thinking":"b"`),
		ollamaLine(3, `"content":"","thinking":"c"`), ollamaLine(4, `"content":"","thinking":"d"`)}
	call := ollamaLine(5, `"content":"","tool_calls":[{"function":{"name":"f","arguments":{"a":1}}}]`)
	if got := streamed(t, testCall(t, "ollama"), append(thinking, ollamaLine(5, `"content":"x"`), ollamaEnd)...); len(got.details) != 0 {
		t.Errorf("an answer without calls has the details %q", got.details)
	}
	got := streamed(t, testCall(t, "ollama"), append(thinking, call, ollamaEnd)...)
	if len(got.details) != 1 || got.details[0] != `{"type":"thinking","thinking":"abcd"}` || got.reasoning != "abcd" {
		t.Fatalf("got %s", got.summary())
	}
	again := streamed(t, testCall(t, "ollama"), append(thinking, call, ollamaEnd)...)
	if again.calls[0].ID != got.calls[0].ID {
		t.Errorf("the same call has the ids %q and %q", got.calls[0].ID, again.calls[0].ID)
	}
	back, _ := json.Marshal([]any{
		map[string]any{"role": "assistant", "content": nil, "source": llm.Source{Provider: "ollama", Model: "m"},
			"reasoning_details": []any{json.RawMessage(got.details[0])},
			"tool_calls":        []any{map[string]any{"id": got.calls[0].ID, "function": map[string]any{"name": "f", "arguments": got.calls[0].arguments}}}},
		map[string]any{"role": "tool", "tool_call_id": got.calls[0].ID, "content": "1"},
	})
	request, _, err := encoded(t, "ollama", `{"op":"generate","model":"m","messages":`+string(back)+`}`)
	want := `"messages":[{"role":"assistant","content":"","thinking":"abcd","tool_calls":[{"function":{"name":"f","arguments":{"a":1}}}]},` +
		`{"role":"tool","content":"1","tool_name":"f"}]`
	if err != nil || !strings.Contains(string(request.Body), want) {
		t.Errorf("got %v %s", err, request.Body)
	}
}

// A call of the same kind in a later answer has another id.
func TestMadeIDsOfAConversation(t *testing.T) {
	line := `{"message":{"tool_calls":[{"function":{"name":"f","arguments":{}}}]},"done":true}`
	first, later := testCall(t, "ollama"), testCall(t, "ollama")
	later.Request.Messages = make([]llm.Message, 3)
	a, b := streamed(t, first, line), streamed(t, later, line)
	if a.calls[0].ID == b.calls[0].ID {
		t.Errorf("both have the id %q", a.calls[0].ID)
	}
}

func TestOllamaBodies(t *testing.T) {
	got := answered(t, testCall(t, "ollama"), "\n"+`{"model":"m","created_at":"2026-01-01T00:00:00Z","message":{"role":"assistant","content":"Hi","thinking":"hm",`+
		`"tool_calls":[{"id":"a","function":{"name":"f","arguments":{}}}]},"done":true,"done_reason":"stop","prompt_eval_count":1,"eval_count":2}`)
	if got.err != nil || !got.complete || got.text[0] != "Hi" || got.reasoning != "hm" || len(got.calls) != 1 || got.finish.FinishReason != "tool_calls" ||
		len(got.details) != 1 {
		t.Errorf("got %s", got.summary())
	}
	for _, body := range []string{"", "  ", "<html>", "404 page not found", "[]", "null", `{"status":"success"}`, `{"message":`, `{"model":"m","done":true}`} {
		got := answered(t, testCall(t, "ollama"), body)
		var failed *llm.Error
		if !errors.As(got.err, &failed) || failed.Kind != llm.KindParse || got.complete {
			t.Errorf("%q: %s", body, got.summary())
		}
	}
	if got := streamed(t, testCall(t, "ollama"), "hello"); got.err == nil || got.complete {
		t.Errorf("a line that is not JSON: %s", got.summary())
	}
}

func TestOllamaErrors(t *testing.T) {
	tests := []struct {
		status int
		body   string
		kind   llm.Kind
		retry  bool
	}{
		{404, `{"error":"model \"x\" not found, try pulling it first"}`, llm.KindNotFound, false},
		{404, "404 page not found", llm.KindNotFound, false},
		{400, `{"error":"registry.ollama.ai/library/x does not support tools"}`, llm.KindBadRequest, false},
		{400, `{"error":"\"x\" does not support thinking"}`, llm.KindBadRequest, false},
		{400, `{"error":"\"x\" does not support chat"}`, llm.KindBadRequest, false},
		{400, `{"error":"the input length exceeds the context length"}`, llm.KindContextWindow, false},
		{400, `{"error":"prompt length exceeds maximum context length"}`, llm.KindContextWindow, false},
		{401, `{"error":"unauthorized","signin_url":"https://ollama.com/connect"}`, llm.KindAuthentication, false},
		{403, `{"error":"this model requires a subscription"}`, llm.KindPermission, false},
		{429, `{"error":"too many concurrent requests"}`, llm.KindRateLimit, true},
		{429, `{"error":"you've reached your hourly usage limit, please upgrade to continue"}`, llm.KindQuota, false},
		{500, `{"error":"llama runner process has terminated: exit status 2"}`, llm.KindInternalServer, true},
		{502, `{"error":"the cloud model is unreachable"}`, llm.KindServiceUnavailable, true},
		{503, `{"error":"server busy, please try again.  maximum pending requests exceeded"}`, llm.KindServiceUnavailable, true},
		{200, `{"error":"llama runner process has terminated"}`, llm.KindInternalServer, true},
		{200, `{"error":"model \"x\" not found, try pulling it first"}`, llm.KindNotFound, false},
		{200, `{"error":"server busy, please try again.  maximum pending requests exceeded"}`, llm.KindServiceUnavailable, true},
		{200, `{"error":"you've reached your weekly usage limit"}`, llm.KindQuota, false},
		{200, `{"error":"the input length exceeds the context length"}`, llm.KindContextWindow, false},
	}
	for _, test := range tests {
		checkLineError(t, "ollama", test.status, test.body, test.kind, test.retry)
	}
}

// checkLineError judges an error of a vendor that streams lines; status 200 is a line in a stream, behind some text.
func checkLineError(t *testing.T, row string, status int, body string, kind llm.Kind, retry bool) {
	t.Helper()
	call := testCall(t, row)
	var report *llm.VendorError
	if status == 200 {
		got := streamed(t, call, body)
		if !errors.As(got.err, &report) || got.complete {
			t.Errorf("%s: not the vendor's error but %s", body, got.summary())
			return
		}
		if got := answered(t, call, body); got.err == nil || got.err.Error() != report.Error() {
			t.Errorf("%s as a body: %s", body, got.summary())
		}
	} else {
		report = call.Row.Protocol().DecodeError(call, status, nil, []byte(body))
	}
	judged := llm.Judge(report, call.Row.Rules)
	if judged.Kind != kind || judged.Retryable != retry || judged.Message == "" || judged.StatusCode != status {
		t.Errorf("%d %s: got %+v, expected %s, retry %v", status, body, judged, kind, retry)
	}
}

func TestOllamaOperations(t *testing.T) {
	embed := func(inputs, fields, body string) *collected {
		return answered(t, embedCall(t, "ollama", inputs, fields), body)
	}
	got := embed(`["a","b"]`, "", `{"model":"m","embeddings":[[0.5,-1],[0.25,2]],"total_duration":1,"prompt_eval_count":2}`)
	if got.err != nil || !got.complete || fmt.Sprint(got.vectors) != "[[0.5 -1] [0.25 2]]" || got.finish.Model != "m" || *got.finish.Usage.PromptTokens != 2 {
		t.Errorf("got %v, %s", got.vectors, got.summary())
	}
	if got := embed(`"a"`, "", `{"embedding":[0.1]}`); got.err != nil || len(got.vectors) != 1 {
		t.Errorf("the old route: %s", got.summary())
	}
	for _, body := range []string{`{"embeddings":[[1],[]]}`, `{"embeddings":[[1],["x"]]}`, `{"error":"x"}`, ""} {
		if got := embed(`["a","b"]`, "", body); got.err == nil || got.complete {
			t.Errorf("%s: %s", body, got.summary())
		}
	}
	call := testCall(t, "ollama")
	call.Request.Op, call.Request.Model = llm.OpModels, ""
	got = answered(t, call, `{"models":[{"name":"a:latest","model":"a:latest","modified_at":"2026-01-01T00:00:00Z","size":1,"details":{"family":"llama"}},`+
		`{"name":"b"},{"model":"c","capabilities":["completion","tools","vision","insert","thinking"]},{}]}`)
	items, _ := json.Marshal(got.models)
	if want := `[{"id":"a:latest"},{"id":"b"},{"id":"c","capabilities":["chat","tools","reasoning","images"]}]`; got.err != nil || string(items) != want {
		t.Errorf("got %s, %s", items, got.summary())
	}
	if got := answered(t, call, `{"status":"x"}`); got.err == nil {
		t.Errorf("no list: %s", got.summary())
	}
}
