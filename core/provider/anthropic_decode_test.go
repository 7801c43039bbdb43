package provider

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pyagent/core/llm"
)

// The events of a stream, as short as they can be written.
func msgStart(fields string) string {
	return `{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"claude-x","content":[],` +
		`"stop_reason":null,"usage":{"input_tokens":10,"cache_creation_input_tokens":5,"cache_read_input_tokens":100,"output_tokens":1}` + fields + `}}`
}

func blockStart(index int, block string) string {
	return fmt.Sprintf(`{"type":"content_block_start","index":%d,"content_block":%s}`, index, block)
}

func blockDelta(index int, delta string) string {
	return fmt.Sprintf(`{"type":"content_block_delta","index":%d,"delta":%s}`, index, delta)
}

func blockStop(index int) string {
	return fmt.Sprintf(`{"type":"content_block_stop","index":%d}`, index)
}

func msgDelta(reason, fields string) string {
	return `{"type":"message_delta","delta":{"stop_reason":"` + reason + `","stop_sequence":null` + fields + `},"usage":{"output_tokens":30}}`
}

const msgStop = `{"type":"message_stop"}`

// blocksOf streams whole blocks in as many deltas as bytes, which is what an answer may not depend on.
func blocksOf(blocks ...string) (events []string) {
	for i, block := range blocks {
		var shape struct {
			Type, Text, Thinking, Signature string
			Input                           json.RawMessage
			Citations                       []json.RawMessage
		}
		json.Unmarshal([]byte(block), &shape)
		piece := func(kind, key, text string) {
			for _, r := range text {
				events = append(events, blockDelta(i, fmt.Sprintf(`{"type":%q,%q:%s}`, kind, key, llm.AppendString(nil, string(r)))))
			}
		}
		opened := block
		switch shape.Type {
		case "text":
			opened = `{"type":"text","text":""}`
		case "thinking":
			opened = `{"type":"thinking","thinking":"","signature":""}`
		case "tool_use", "server_tool_use":
			opened = strings.Replace(block, `"input":`+string(shape.Input), `"input":{}`, 1)
		}
		events = append(events, blockStart(i, opened))
		piece("text_delta", "text", shape.Text)
		piece("thinking_delta", "thinking", shape.Thinking)
		if len(shape.Input) > 0 && string(shape.Input) != "{}" {
			piece("input_json_delta", "partial_json", string(shape.Input))
		}
		for _, citation := range shape.Citations {
			events = append(events, blockDelta(i, `{"type":"citations_delta","citation":`+string(citation)+`}`))
		}
		if shape.Signature != "" {
			events = append(events, blockDelta(i, fmt.Sprintf(`{"type":"signature_delta","signature":%q}`, shape.Signature)))
		}
		events = append(events, blockStop(i))
	}
	return events
}

// answersOf are the same blocks as a stream and as a one-shot body.
func answersOf(t *testing.T, reason string, blocks ...string) (streams, whole *collected) {
	t.Helper()
	events := append([]string{msgStart("")}, blocksOf(blocks...)...)
	events = append(events, msgDelta(reason, ""), msgStop)
	body := `{"id":"msg_1","type":"message","role":"assistant","model":"claude-x","content":[` + strings.Join(blocks, ",") +
		`],"stop_reason":"` + reason + `","stop_sequence":null,"usage":{"input_tokens":10,"cache_creation_input_tokens":5,` +
		`"cache_read_input_tokens":100,"output_tokens":30}}`
	return streamed(t, testCall(t, "anthropic"), events...), answered(t, testCall(t, "anthropic"), body)
}

const (
	aThought     = `{"type":"thinking","thinking":"Let me see \u00fc","signature":"EqQB"}`
	aHidden      = `{"type":"redacted_thinking","data":"Eowd"}`
	aText        = `{"type":"text","text":"Hi there."}`
	anotherText  = `{"type":"text","text":" More."}`
	toolBlock    = `{"type":"tool_use","id":"toolu_1","name":"add","input":{"a":1}}`
	secondTool   = `{"type":"tool_use","id":"toolu_2","name":"now","input":{}}`
	searchBlock  = `{"type":"server_tool_use","id":"srvtoolu_1","name":"web_search","input":{"query":"x"}}`
	searchResult = `{"type":"web_search_tool_result","tool_use_id":"srvtoolu_1","content":[{"type":"web_search_result","url":"https://h","encrypted_content":"E"}]}`
	aCitedText   = `{"type":"text","text":"As said.","citations":[{"type":"web_search_result_location","url":"https://h","cited_text":"q"},{"type":"char_location","cited_text":"r"}]}`
	aSummary     = `{"type":"compaction","content":"So far."}`
	aByProgram   = `{"type":"tool_use","id":"toolu_3","name":"add","input":{},"caller":{"type":"code_execution_20250825","tool_id":"srvtoolu_1"}}`
)

// layouts are answers of every order that occurs.
func layouts() map[string][]string {
	return map[string][]string{
		"text":                     {aText},
		"nothing":                  {},
		"thought and text":         {aThought, aText},
		"hidden thought":           {aHidden, aThought, aText},
		"call":                     {aThought, aText, toolBlock, secondTool},
		"call without a word":      {aThought, toolBlock},
		"text behind a call":       {toolBlock, aText},
		"several texts":            {aText, anotherText, toolBlock},
		"thoughts between":         {aThought, aText, aThought, toolBlock, aHidden, secondTool},
		"the vendor's own tools":   {aThought, aText, searchBlock, searchResult, aCitedText, anotherText},
		"a search and then a call": {searchBlock, searchResult, aText, toolBlock},
		"a paused answer":          {aText, searchBlock},
		"a summary":                {aSummary, aText},
		"a call by a program":      {aText, searchBlock, aByProgram},
		"unknown blocks":           {`{"type":"hologram","depth":{"a":[1]}}`, aText, `{"type":"fallback","from":{"model":"a"}}`},
		"a cited text alone":       {aCitedText},
		"white space":              {aThought, `{"type":"text","text":"\n\n"}`, toolBlock},
	}
}

// A stream gives the same events as a one-shot answer, whatever its blocks and their order.
func TestMessagesStreamIsTheAnswer(t *testing.T) {
	for name, blocks := range layouts() {
		streams, whole := answersOf(t, "end_turn", blocks...)
		if streams.err != nil || !streams.complete || streams.summary() != whole.summary() {
			t.Errorf("%s:\nstream %s\nwhole  %s", name, streams.summary(), whole.summary())
		}
	}
}

func TestMessagesStreams(t *testing.T) {
	hello := []string{blockStart(0, `{"type":"text","text":""}`), blockDelta(0, `{"type":"text_delta","text":"Hi"}`), blockStop(0)}
	with := func(events ...[]string) []string { return slices.Concat(events...) }
	const ping = `{"type":"ping"}`
	tests := []struct {
		name           string
		events         []string
		text, reason   string
		calls, usage   string
		complete, done bool
	}{
		{"ping before anything", with([]string{ping, msgStart(""), ping}, hello, []string{ping, msgDelta("end_turn", ""), ping, msgStop}), "Hi", "stop", "", "115/30", true, true},
		{"a second beginning", with([]string{msgStart(""), msgStart("")}, hello, []string{msgDelta("end_turn", ""), msgStop}), "Hi", "stop", "", "115/30", true, true},
		{"a second beginning half-way", with([]string{msgStart("")}, hello[:2], []string{msgStart("")}, hello[1:], []string{msgDelta("stop_sequence", ""), msgStop}), "HiHi", "stop", "", "115/30", true, true},
		{"no terminal signal", with([]string{msgStart("")}, hello, []string{msgDelta("max_tokens", "")}), "Hi", "length", "", "115/30", true, false},
		{"cut", with([]string{msgStart("")}, hello), "Hi", "", "", "115/1", false, false},
		{"a proxy's end", with([]string{msgStart("")}, hello, []string{msgDelta("end_turn", ""), "[DONE]"}), "Hi", "stop", "", "115/30", true, true},
		{"unknown events and deltas", with([]string{msgStart(""), `{"type":"weather","sun":1}`}, hello[:2], []string{blockDelta(0, `{"type":"smell_delta","smell":"x"}`),
			`{"type":"content_block_delta"}`, `{"type":"content_block_start","index":7}`, blockStop(9)}, hello[2:], []string{msgDelta("end_turn", ""), msgStop}), "Hi", "stop", "", "115/30", true, true},
		{"a block that nobody opened", []string{msgStart(""), blockDelta(0, `{"type":"text_delta","text":"Hi"}`), msgDelta("end_turn", ""), msgStop}, "Hi", "stop", "", "115/30", true, true},
		{"interleaved blocks", []string{msgStart(""), blockStart(0, `{"type":"text","text":"H"}`), blockStart(1, toolBlock), blockDelta(0, `{"type":"text_delta","text":"i"}`),
			blockDelta(1, `{"type":"input_json_delta","partial_json":"{}"}`), blockDelta(0, `{"type":"text_delta","text":"!"}`), blockStop(1), blockStop(0),
			msgDelta("tool_use", ""), msgStop}, "Hi!", "tool_calls", "toolu_1 add {};", "115/30", true, true},
		{"no arguments", []string{msgStart(""), blockStart(0, secondTool), blockDelta(0, `{"type":"input_json_delta","partial_json":""}`), blockStop(0),
			msgDelta("tool_use", ""), msgStop}, "", "tool_calls", "toolu_2 now {};", "115/30", true, true},
		{"arguments at the beginning", []string{msgStart(""), blockStart(0, toolBlock), blockStop(0), msgDelta("tool_use", ""), msgStop}, "", "tool_calls", `toolu_1 add {"a":1};`, "115/30", true, true},
		{"arguments that were cut", []string{msgStart(""), blockStart(0, secondTool), blockDelta(0, `{"type":"input_json_delta","partial_json":"{\"a"}`),
			msgDelta("max_tokens", ""), msgStop}, "", "length", `toolu_2 now {"a;`, "115/30", true, true},
		{"a pause", with([]string{msgStart("")}, hello, []string{msgDelta("pause_turn", ""), msgStop}), "Hi", "other", "", "115/30", true, true},
		{"a refusal", []string{msgStart(""), msgDelta("refusal", `,"stop_details":{"type":"refusal","category":"cyber"}`), msgStop}, "", "content_filter", "", "115/30", true, true},
		{"a full window", with([]string{msgStart("")}, hello, []string{msgDelta("model_context_window_exceeded", ""), msgStop}), "Hi", "length", "", "115/30", true, true},
		{"a word of tomorrow", with([]string{msgStart("")}, hello, []string{msgDelta("bored", ""), msgStop}), "Hi", "other", "", "115/30", true, true},
		{"counts at the end win, null says nothing", with([]string{msgStart("")}, hello, []string{`{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"input_tokens":20,` +
			`"cache_read_input_tokens":null,"cache_creation_input_tokens":0,"output_tokens":8,"output_tokens_details":{"thinking_tokens":3}}}`, msgStop}), "Hi", "stop", "", "120/8", true, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := streamed(t, testCall(t, "anthropic"), test.events...)
			calls, usage := "", ""
			for _, call := range got.calls {
				calls += fmt.Sprintf("%s %s %s;", call.ID, call.Name, call.arguments)
			}
			if u := got.finish.Usage; u != nil {
				usage = fmt.Sprintf("%d/%d", *u.PromptTokens, *u.CompletionTokens)
			}
			if got.err != nil || got.text[0] != test.text || got.finish.FinishReason != test.reason || calls != test.calls || usage != test.usage ||
				got.complete != test.complete || got.done != test.done {
				t.Errorf("got %s, calls %q, usage %s", got.summary(), calls, usage)
			}
		})
	}
}

func TestMessagesWhatElseIsThere(t *testing.T) {
	got := streamed(t, testCall(t, "anthropic"), append(append([]string{msgStart("")}, blocksOf(aThought, aCitedText)...),
		msgDelta("refusal", `,"stop_details":{"type":"refusal","explanation":"No."}`), msgStop)...)
	if got.reasoning != "Let me see ü" || len(got.annotations) != 3 || !strings.Contains(got.annotations[2], "No.") {
		t.Errorf("got %s", got.summary())
	}
	whole := answered(t, testCall(t, "anthropic"), `{"id":"a","model":"m","content":[{"type":"text","text":"x"}],"stop_reason":"end_turn",`+
		`"usage":{"input_tokens":4,"cache_read_input_tokens":6,"cache_creation_input_tokens":5,"output_tokens":9,"service_tier":"standard",`+
		`"output_tokens_details":{"thinking_tokens":2}}}`)
	u := whole.finish.Usage
	if u == nil || *u.PromptTokens != 15 || *u.CachedTokens != 6 || *u.CacheWriteTokens != 5 || *u.CompletionTokens != 9 || *u.ReasoningTokens != 2 ||
		whole.finish.ServiceTier != "standard" {
		t.Errorf("got %s", whole.summary())
	}
	call := testCall(t, "anthropic")
	call.Request.IncludeRaw = true
	if got := streamed(t, call, msgStart(""), msgDelta("end_turn", ""), msgStop); len(got.raw) != 3 {
		t.Errorf("raw %q", got.raw)
	}
}

func TestMessagesFailures(t *testing.T) {
	const overloaded = `{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"},"request_id":"req_1"}`
	tests := []struct {
		name, event, data string
		kind              llm.Kind
		retry             bool
	}{
		{"overloaded", "error", overloaded, llm.KindServiceUnavailable, true},
		{"overloaded, without a name", "", overloaded, llm.KindServiceUnavailable, true},
		{"a proxy's error", "", `{"error":{"type":"overloaded_error","message":"x"}}`, llm.KindServiceUnavailable, true},
		{"rate limit", "error", `{"type":"error","error":{"type":"rate_limit_error","message":"x"}}`, llm.KindRateLimit, true},
		{"bug", "error", `{"type":"error","error":{"type":"api_error","message":"x"}}`, llm.KindInternalServer, true},
		{"timeout", "error", `{"type":"error","error":{"type":"timeout_error","message":"x"}}`, llm.KindTimeout, true},
		{"billing", "error", `{"type":"error","error":{"type":"billing_error","message":"x"}}`, llm.KindQuota, false},
		{"key", "error", `{"type":"error","error":{"type":"authentication_error","message":"x"}}`, llm.KindAuthentication, false},
		{"permission", "error", `{"type":"error","error":{"type":"permission_error","message":"x"}}`, llm.KindPermission, false},
		{"not found", "error", `{"type":"error","error":{"type":"not_found_error","message":"x"}}`, llm.KindNotFound, false},
		{"too large", "error", `{"type":"error","error":{"type":"request_too_large","message":"x"}}`, llm.KindBadRequest, false},
		{"bad request", "error", `{"type":"error","error":{"type":"invalid_request_error","message":"x"}}`, llm.KindBadRequest, false},
		{"not JSON", "message_delta", `{"type`, llm.KindParse, false},
		{"no object", "", `[1]`, llm.KindParse, false},
		{"an end without a beginning", "", msgStop, llm.KindParse, false},
		{"a proxy's end without a beginning", "", "[DONE]", llm.KindParse, false},
	}
	for _, test := range tests {
		call := testCall(t, "anthropic")
		decoder := call.Row.Protocol().NewDecoder(call)
		_, err := decoder.Event(test.event, []byte(test.data), func(llm.Event) {})
		var failed *llm.Error
		if vendor := new(llm.VendorError); errors.As(err, &vendor) {
			failed = llm.Judge(vendor, call.Row.Rules)
			if test.data == overloaded && failed.RequestID != "req_1" {
				t.Errorf("%s: request id %q", test.name, failed.RequestID)
			}
		} else if !errors.As(err, &failed) {
			t.Errorf("%s: no error", test.name)
			continue
		}
		if failed.Kind != test.kind || failed.Retryable != test.retry {
			t.Errorf("%s: got %+v", test.name, failed)
		}
	}
	for _, body := range []string{"", "<html>", "{", `{}`, `{"content":"x"}`, `{"choices":[]}`, overloaded, `{"message":"x"}`, `[]`} {
		if got := answered(t, testCall(t, "anthropic"), body); got.err == nil || got.complete {
			t.Errorf("%q: %s", body, got.summary())
		}
	}
}

func TestMessagesStatuses(t *testing.T) {
	said := func(kind, message string) string {
		return `{"type":"error","error":{"type":"` + kind + `","message":"` + message + `"},"request_id":"req_2"}`
	}
	const invalid = "invalid_request_error"
	tests := []struct {
		status int
		body   string
		kind   llm.Kind
		retry  bool
	}{
		{400, said(invalid, "prompt is too long: 210000 tokens > 200000 maximum"), llm.KindContextWindow, false},
		{400, said(invalid, "input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000"), llm.KindContextWindow, false},
		{400, said(invalid, "Your credit balance is too low to access the Anthropic API."), llm.KindQuota, false},
		{400, said(invalid, "You have reached your specified API usage limits. You will regain access on 2026-12-01."), llm.KindQuota, false},
		{400, said(invalid, "Output blocked by content filtering policy"), llm.KindContentPolicy, false},
		{400, said(invalid, "messages: at least one message is required"), llm.KindBadRequest, false},
		{401, said("authentication_error", "invalid x-api-key"), llm.KindAuthentication, false},
		{402, said("billing_error", "x"), llm.KindQuota, false},
		{403, said("permission_error", "x"), llm.KindPermission, false},
		{404, said("not_found_error", "model: claude-y"), llm.KindNotFound, false},
		{413, said("request_too_large", "Request exceeds the maximum size"), llm.KindBadRequest, false},
		{429, said("rate_limit_error", "x"), llm.KindRateLimit, true},
		{500, said("api_error", "x"), llm.KindInternalServer, true},
		{504, said("timeout_error", "x"), llm.KindTimeout, true},
		{529, said("overloaded_error", "Overloaded"), llm.KindServiceUnavailable, true},
	}
	for _, test := range tests {
		call := testCall(t, "anthropic")
		vendor := call.Row.Protocol().DecodeError(call, test.status, map[string]string{"request-id": "req_1"}, []byte(test.body))
		judged := llm.Judge(vendor, call.Row.Rules)
		if judged.Kind != test.kind || judged.Retryable != test.retry || judged.RequestID != "req_1" {
			t.Errorf("%d %s: %+v", test.status, test.body, judged)
		}
	}
}

func TestMessagesBounds(t *testing.T) {
	var calls, open []string
	for i := range 2 * maxParts {
		calls = append(calls, blockStart(i, `{"type":"tool_use","id":"a","name":"f","input":{}}`), blockStop(i))
		open = append(open, blockStart(i, `{"type":"text","text":""}`))
	}
	long := blockDelta(0, `{"type":"thinking_delta","thinking":"`+strings.Repeat("x", 1<<20)+`"}`)
	tests := map[string][]string{
		"calls": calls, "open blocks": open,
		"a thought": append([]string{blockStart(0, `{"type":"thinking","thinking":""}`)}, slices.Repeat([]string{long}, 80)...),
	}
	for name, events := range tests {
		got := streamed(t, testCall(t, "anthropic"), append([]string{msgStart("")}, events...)...)
		var failed *llm.Error
		if !errors.As(got.err, &failed) || failed.Kind != llm.KindLimit {
			t.Errorf("%s: %v", name, got.err)
		}
	}
	thoughts := []string{msgStart("")}
	for i := range 80 { // what is finished is kept no longer
		thoughts = append(thoughts, blockStart(i, `{"type":"thinking","thinking":""}`), strings.Replace(long, `"index":0`, fmt.Sprintf(`"index":%d`, i), 1), blockStop(i))
	}
	if got := streamed(t, testCall(t, "anthropic"), append(thoughts, msgDelta("end_turn", ""), msgStop)...); got.err != nil || !got.complete {
		t.Errorf("thoughts one by one: %v", got.err)
	}
}

func TestAnthropicOperations(t *testing.T) {
	call := testCall(t, "anthropic")
	call.Request.Op = llm.OpModels
	got := answered(t, call, `{"data":[{"type":"model","id":"claude-x","display_name":"Claude X","created_at":"2026-01-01T00:00:00Z","max_input_tokens":200000,`+
		`"max_tokens":64000,"capabilities":{"image_input":{"supported":true},"pdf_input":{"supported":false},"structured_outputs":{"supported":true},`+
		`"thinking":{"supported":true,"types":{}},"batch":{"supported":true}}},{"type":"model","id":"claude-y","created_at":"1970-01-01T00:00:00Z",`+
		`"max_input_tokens":null,"capabilities":null}],"has_more":true,"first_id":"claude-x","last_id":"claude-y"}`)
	if got.err != nil || len(got.models) != 2 || got.finish.NextPage != "claude-y" {
		t.Fatalf("got %+v, %v", got.models, got.err)
	}
	x, y := got.models[0], got.models[1]
	if x.ID != "claude-x" || x.Name != "Claude X" || x.Created != 1767225600 || *x.ContextTokens != 200000 || *x.OutputTokens != 64000 ||
		fmt.Sprint(x.Capabilities) != "[structured_output reasoning images]" {
		t.Errorf("got %+v", x)
	}
	if y.Created != 0 || y.ContextTokens != nil || y.Capabilities != nil {
		t.Errorf("got %+v", y)
	}
	if got := answered(t, call, `{"data":[],"has_more":false,"last_id":null}`); got.err != nil || got.finish.NextPage != "" {
		t.Errorf("an empty list: %v %q", got.err, got.finish.NextPage)
	}
	call.Request.Op = llm.OpCount
	if got := answered(t, call, `{"input_tokens":14}`); got.err != nil || got.count == nil || got.count.InputTokens != 14 {
		t.Errorf("got %+v, %v", got.count, got.err)
	}
	if got := answered(t, call, `{"tokens":14}`); got.err == nil {
		t.Error("an answer without a count was taken")
	}
}
