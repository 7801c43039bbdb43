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

// respEvent is an event of a stream; fields begin with a comma.
func respEvent(kind, fields string) string { return `{"type":"response.` + kind + `"` + fields + `}` }

func respCreated() string {
	return respEvent("created", `,"sequence_number":0,"response":{"id":"resp_1","status":"in_progress","model":"gpt-x","created_at":17,"output":[],"usage":null}`)
}

// respWhole is the answer as a body, and as the last event has it.
func respWhole(status, fields string, items ...string) string {
	return `{"id":"resp_1","object":"response","status":"` + status + `","model":"gpt-x","created_at":17,"output":[` + strings.Join(items, ",") +
		`],"usage":{"input_tokens":10,"input_tokens_details":{"cached_tokens":4},"output_tokens":20,"output_tokens_details":{"reasoning_tokens":12},` +
		`"total_tokens":30}` + fields + `}`
}

// itemEvents streams whole items in as many deltas as there are letters.
func itemEvents(items ...string) (events []string) {
	for at, data := range items {
		item := readOutputItem([]byte(data))
		letters := func(kind, place, text string) {
			for _, r := range text {
				events = append(events, respEvent(kind, fmt.Sprintf(`,"sequence_number":%d,"item_id":"x","output_index":%d%s,"delta":%s,"obfuscation":"%d"`,
					len(events)+1, at, place, llm.AppendString(nil, string(r)), len(events))))
			}
		}
		opened := fmt.Sprintf(`{"id":%q,"type":%q,"call_id":%q,"name":%q,"status":"in_progress"}`, item.id, item.kind, item.callID, item.name)
		events = append(events, respEvent("output_item.added", fmt.Sprintf(`,"output_index":%d,"item":%s`, at, opened)))
		for i, part := range item.summary {
			letters("reasoning_summary_text.delta", fmt.Sprintf(`,"summary_index":%d`, i), part.text)
		}
		for i, part := range item.content {
			kind := map[string]string{"output_text": "output_text", "refusal": "refusal", "reasoning_text": "reasoning_text"}[part.kind]
			if kind != "" {
				letters(kind+".delta", fmt.Sprintf(`,"content_index":%d`, i), part.text)
			}
			for n, note := range part.annotations {
				events = append(events, respEvent("output_text.annotation.added", fmt.Sprintf(`,"output_index":%d,"content_index":%d,"annotation_index":%d,"annotation":%s`,
					at, i, n, note)))
			}
		}
		switch item.kind {
		case "function_call":
			letters("function_call_arguments.delta", "", item.arguments)
		case "custom_tool_call":
			letters("custom_tool_call_input.delta", "", item.arguments)
		}
		events = append(events, respEvent("output_item.done", fmt.Sprintf(`,"output_index":%d,"item":%s`, at, data)))
	}
	return events
}

func itemsOf(t *testing.T, fields string, items ...string) (streams, whole *collected) {
	t.Helper()
	body := respWhole("completed", fields, items...)
	events := append(append([]string{respCreated()}, itemEvents(items...)...), respEvent("completed", `,"response":`+body))
	call := testCall(t, "openai-responses")
	return streamed(t, call, events...), answered(t, call, body)
}

const (
	rsn       = `{"id":"rs_1","type":"reasoning","summary":[{"type":"summary_text","text":"**One** \u00fc"},{"type":"summary_text","text":"Two"}],"encrypted_content":"gAAA"}`
	rsnEmpty  = `{"id":"rs_2","type":"reasoning","summary":[]}`
	rsnRaw    = `{"id":"rs_3","type":"reasoning","summary":[],"content":[{"type":"reasoning_text","text":"raw"}]}`
	msg       = `{"id":"msg_1","type":"message","status":"completed","role":"assistant","content":[{"type":"output_text","text":"Hi \u00fc","annotations":[]}]}`
	msgCited  = `{"id":"msg_2","type":"message","status":"completed","role":"assistant","content":[{"type":"output_text","text":"As said","annotations":[{"type":"url_citation","url":"https://h","title":"T","start_index":0,"end_index":2}]}]}`
	msgPhase  = `{"id":"msg_3","type":"message","status":"completed","role":"assistant","phase":"commentary","content":[{"type":"output_text","text":"Wait. ","annotations":[]}]}`
	msgNo     = `{"id":"msg_4","type":"message","status":"completed","role":"assistant","content":[{"type":"refusal","refusal":"No."}]}`
	fcall     = `{"id":"fc_1","type":"function_call","status":"completed","call_id":"call_1","name":"add","arguments":"{\"a\":1}"}`
	fcall2    = `{"id":"fc_2","type":"function_call","status":"completed","call_id":"call_2","name":"now","arguments":""}`
	custom    = `{"id":"ct_1","type":"custom_tool_call","status":"completed","call_id":"call_3","name":"sql","input":"SELECT 1"}`
	webSearch = `{"id":"ws_1","type":"web_search_call","status":"completed","action":{"type":"search","query":"x"}}`
	anImage   = `{"id":"ig_1","type":"image_generation_call","status":"completed","result":"iVBORw0KGgo=","output_format":"webp"}`
)

func itemLayouts() map[string][]string {
	return map[string][]string{
		"text":                {msg},
		"nothing":             {},
		"a refusal":           {msgNo},
		"reasoning and text":  {rsn, msg},
		"reasoning in full":   {rsnRaw, msg},
		"reasoning unseen":    {rsnEmpty, fcall},
		"calls":               {rsn, fcall, fcall2},
		"calls alone":         {fcall, fcall2},
		"a custom tool":       {custom},
		"interleaved":         {rsn, fcall, rsnRaw, fcall2, rsnEmpty, msg},
		"text behind a call":  {fcall, msg},
		"a phase":             {msgPhase, msg, fcall},
		"the vendor's tools":  {webSearch, msgCited},
		"an image":            {anImage, msg},
		"several texts":       {msgPhase, webSearch, msg, msgCited},
		"two kinds of refuse": {msg, msgNo},
	}
}

func TestResponsesStreamIsTheAnswer(t *testing.T) {
	for name, items := range itemLayouts() {
		streams, whole := itemsOf(t, "", items...)
		if streams.err != nil || !streams.complete || streams.summary() != whole.summary() {
			t.Errorf("%s:\nstream %s\nwhole  %s", name, streams.summary(), whole.summary())
		}
	}
}

// resentItems is the input that an answer becomes when the conversation goes on.
func resentItems(t *testing.T, got *collected, model string, store bool) []json.RawMessage {
	t.Helper()
	message := map[string]any{"role": "assistant", "content": got.text[0], "refusal": got.refusal,
		"source": map[string]any{"provider": "openai-responses", "model": "m"}}
	var calls []any
	for _, call := range got.calls {
		if call.Custom {
			calls = append(calls, map[string]any{"id": call.ID, "type": "custom", "custom": map[string]any{"name": call.Name, "input": call.arguments}})
			continue
		}
		calls = append(calls, map[string]any{"id": call.ID, "type": "function", "function": map[string]any{"name": call.Name, "arguments": call.arguments}})
	}
	if calls != nil {
		message["tool_calls"] = calls
	}
	var details []json.RawMessage
	for _, item := range got.details {
		details = append(details, json.RawMessage(item))
	}
	message["reasoning_details"] = details
	request, _ := json.Marshal(map[string]any{"op": "generate", "model": model, "store": store, "messages": []any{message}})
	encoded, _, err := encoded(t, "openai-responses", string(request))
	if err != nil {
		t.Fatal(err)
	}
	var sent struct{ Input []json.RawMessage }
	if err := json.Unmarshal(encoded.Body, &sent); err != nil {
		t.Fatal(err)
	}
	return sent.Input
}

// An answer returns in its order, with what only its maker understands, to its maker alone.
func TestResponsesRoundTrip(t *testing.T) {
	for name, items := range itemLayouts() {
		_, got := itemsOf(t, `,"store":true`, items...)
		var kinds, wanted []string
		for _, raw := range resentItems(t, got, "m", true) {
			item := readOutputItem(raw)
			kinds = append(kinds, firstWord(item.kind, "message"))
		}
		for _, raw := range items {
			item := readOutputItem([]byte(raw))
			wanted = append(wanted, item.kind)
		}
		if !slices.Equal(kinds, wanted) {
			t.Errorf("%s: sent %q, expected %q", name, kinds, wanted)
		}
		foreign := fmt.Sprintf("%s", resentItems(t, got, "another", true))
		for _, word := range []string{"reasoning", "rs_", "msg_", "fc_", "encrypted", "web_search", "image_generation"} {
			if strings.Contains(foreign, word) {
				t.Errorf("%s: another model gets %s", name, foreign)
			}
		}
		for _, word := range []string{`"call_1"`, `"call_3"`, "Hi ü"} {
			if strings.Contains(strings.ReplaceAll(strings.Join(items, ""), `\u00fc`, "ü"), word) != strings.Contains(foreign, word) {
				t.Errorf("%s: another model gets %s", name, foreign)
			}
		}
	}
}

// What the vendor does not keep cannot be found by its id: reasoning returns encrypted or not at all.
func TestResponsesNotStored(t *testing.T) {
	_, got := itemsOf(t, `,"store":false`, rsn, msg, rsnEmpty, fcall, anImage)
	sent := fmt.Sprintf("%s", resentItems(t, got, "m", false))
	for word, there := range map[string]bool{`"rs_1"`: true, `"gAAA"`: true, `"rs_2"`: false, `"msg_1"`: false, `"fc_1"`: false, "iVBORw0KGgo": true} {
		if strings.Contains(sent, word) != there {
			t.Errorf("%s: %v in %s", word, !there, sent)
		}
	}
	if _, got := itemsOf(t, `,"store":false`, rsnEmpty, msg, fcall); got.details != nil {
		t.Errorf("details that say nothing: %q", got.details)
	}
	_, got = itemsOf(t, `,"store":true`, anImage)
	if len(got.details) != 1 || strings.Contains(got.details[0], "iVBOR") || !strings.Contains(got.parts[0], `"data:image/webp;base64,iVBORw0KGgo="`) {
		t.Errorf("got %q, %q", got.details, got.parts)
	}
}

// The message has the last word: reasoning in front of what was changed stays behind.
func TestResponsesEdited(t *testing.T) {
	_, got := itemsOf(t, `,"store":true`, rsn, msg, rsnRaw, fcall)
	got.text[0], got.calls[0].arguments = "Changed.", `{"a":2}`
	sent := fmt.Sprintf("%s", resentItems(t, got, "m", true))
	if strings.Contains(sent, "rs_") || strings.Contains(sent, "Hi") || !strings.Contains(sent, "Changed.") || !strings.Contains(sent, `{\"a\":2}`) {
		t.Errorf("sent %s", sent)
	}
}

func TestResponsesStreams(t *testing.T) {
	completed := func(items ...string) string {
		return respEvent("completed", `,"response":`+respWhole("completed", "", items...))
	}
	added := func(at int, item string) string {
		return respEvent("output_item.added", fmt.Sprintf(`,"output_index":%d,"item":%s`, at, item))
	}
	delta := func(kind string, at int, text string) string {
		return respEvent(kind+".delta", fmt.Sprintf(`,"item_id":"rotates","output_index":%d,"delta":%q`, at, text))
	}
	const noName = `{"type":"function_call","call_id":"c","name":"","arguments":""}`
	const full = `{"type":"function_call","call_id":"c","name":"f","arguments":"{}"}`
	tests := []struct {
		name            string
		events          []string
		text, reasoning string
		calls           string
		reason, raw     string
		complete        bool
	}{
		{"everything in the last event", []string{completed(rsn, msg, fcall)}, "Hi ü", "**One** ü\n\nTwo", `call_1 add {"a":1}`, "tool_calls", "completed", true},
		{"deltas without an item", []string{delta("output_text", 0, "Hi"), completed(msg)}, "Hi", "", "", "stop", "completed", true},
		{"deltas that do not add up", []string{added(0, msg), delta("output_text", 0, "H"), completed(msg)}, "H", "", "", "stop", "completed", true},
		{"items without an end", []string{added(0, full), delta("function_call_arguments", 0, "{"), delta("function_call_arguments", 0, "}"), respEvent("completed", `,"response":{"status":"completed"}`)},
			"", "", "c f {}", "tool_calls", "completed", true},
		{"a name that comes late", []string{added(0, noName), delta("function_call_arguments", 0, "{}"), respEvent("output_item.done", `,"output_index":0,"item":`+full), completed(full)},
			"", "", "c f {}", "tool_calls", "completed", true},
		{"arguments that only come whole", []string{added(0, noName), completed(full)}, "", "", "c f {}", "tool_calls", "completed", true},
		{"calls side by side", []string{added(0, `{"type":"function_call","call_id":"a","name":"f"}`), added(1, `{"type":"function_call","call_id":"b","name":"g"}`),
			delta("function_call_arguments", 0, "1"), delta("function_call_arguments", 1, "2"), delta("function_call_arguments", 0, "1"), completed()},
			"", "", "a f 11 b g 2", "tool_calls", "completed", true},
		{"reasoning told twice", []string{added(0, rsnEmpty), delta("reasoning_text", 0, "raw"), delta("reasoning_summary_text", 0, "r"), completed(rsn)}, "", "raw", "", "stop", "completed", true},
		{"cut short", []string{respCreated(), delta("output_text", 0, "Hi"), respEvent("incomplete", `,"response":`+respWhole("incomplete", `,"incomplete_details":{"reason":"max_output_tokens"}`))},
			"Hi", "", "", "length", "max_output_tokens", true},
		{"filtered", []string{respEvent("incomplete", `,"response":`+respWhole("incomplete", `,"incomplete_details":{"reason":"content_filter"}`, msg))},
			"Hi ü", "", "", "content_filter", "content_filter", true},
		{"incomplete in a new way", []string{respEvent("incomplete", `,"response":`+respWhole("incomplete", `,"incomplete_details":{"reason":"tired"}`))}, "", "", "", "other", "tired", true},
		{"incomplete for no reason", []string{respEvent("incomplete", `,"response":{}`)}, "", "", "", "other", "incomplete", true},
		{"cancelled", []string{respEvent("cancelled", `,"response":{"id":"r"}`)}, "", "", "", "other", "cancelled", true},
		{"broken", []string{respCreated(), delta("output_text", 0, "Hi")}, "Hi", "", "", "", "", false},
		{"a proxy's end", []string{respCreated(), delta("output_text", 0, "Hi"), "[DONE]"}, "Hi", "", "", "other", "in_progress", true},
		{"what nobody knows", []string{respCreated(), respEvent("hologram.delta", `,"delta":7`), respEvent("web_search_call.searching", ""), respEvent("image_generation_call.partial_image", `,"partial_image_b64":"x"`),
			`{}`, `{"type":7}`, added(0, `{"type":"hologram"}`), completed(`{"type":"hologram","deep":[1]}`)}, "", "", "", "stop", "completed", true},
	}
	for _, test := range tests {
		got := streamed(t, testCall(t, "openai-responses"), test.events...)
		var calls []string
		for _, call := range got.calls {
			calls = append(calls, call.ID+" "+call.Name+" "+call.arguments)
			if !call.ended && test.complete {
				t.Errorf("%s: a call is left open", test.name)
			}
		}
		if got.err != nil || got.complete != test.complete || got.text[0] != test.text || got.reasoning != test.reasoning || strings.Join(calls, " ") != test.calls ||
			got.finish.FinishReason != test.reason || got.finish.RawFinishReason != test.raw {
			t.Errorf("%s: got %s", test.name, got.summary())
		}
	}
}

func TestResponsesWhatElseIsThere(t *testing.T) {
	call := testCall(t, "openai-responses")
	call.Request.IncludeRaw = true
	const probable = `[{"token":"Hi","logprob":-0.5,"bytes":[72,105],"top_logprobs":[]}]`
	got := streamed(t, call, respCreated(), respEvent("output_text.delta", `,"output_index":0,"delta":"Hi","logprobs":`+probable),
		respEvent("completed", `,"response":`+respWhole("completed", `,"service_tier":"default"`, msg)))
	if len(got.raw) != 3 || len(got.logprobs) != 1 || got.logprobs[0] != `{"content":`+probable+`}` || got.finish.ServiceTier != "default" ||
		got.finish.Created != 17 || got.finish.ID != "resp_1" || got.start.ID != "resp_1" {
		t.Errorf("got %q, %q, %+v", got.raw, got.logprobs, got.finish)
	}
	u := got.finish.Usage
	if u == nil || *u.PromptTokens != 10 || *u.CachedTokens != 4 || *u.CompletionTokens != 20 || *u.ReasoningTokens != 12 || *u.TotalTokens != 30 {
		t.Errorf("got %+v", u)
	}
	whole := answered(t, testCall(t, "openai-responses"), respWhole("completed", "",
		strings.Replace(msgCited, `"annotations"`, `"logprobs":`+probable+`,"annotations"`, 1)))
	if len(whole.logprobs) != 1 || len(whole.annotations) != 1 || len(whole.details) != 1 {
		t.Errorf("got %s", whole.summary())
	}
	if queued := answered(t, testCall(t, "openai-responses"), `{"id":"r","status":"queued","output":[]}`); queued.err != nil || queued.finish.RawFinishReason != "queued" {
		t.Errorf("in the background: %s", queued.summary())
	}
	made := answered(t, testCall(t, "openai-responses"), respWhole("completed", "", `{"type":"function_call","name":"f","arguments":"{}"}`))
	if len(made.calls) != 1 || !strings.HasPrefix(made.calls[0].ID, "call_made_") {
		t.Errorf("a call without an id: %s", made.summary())
	}
}

func TestResponsesFailures(t *testing.T) {
	failed := func(code string) string {
		return respEvent("failed", `,"response":{"id":"r","status":"failed","error":{"code":"`+code+`","message":"x"}}`)
	}
	tests := []struct {
		name, event, data string
		kind              llm.Kind
		retry             bool
	}{
		{"flat", "error", `{"type":"error","sequence_number":2,"code":"rate_limit_exceeded","message":"x","param":null}`, llm.KindRateLimit, true},
		{"flat, without a name", "", `{"type":"error","code":"rate_limit_exceeded","message":"x"}`, llm.KindRateLimit, true},
		{"an object", "error", `{"type":"error","error":{"type":"insufficient_quota","code":"insufficient_quota","message":"x"}}`, llm.KindQuota, false},
		{"a proxy's", "", `{"error":{"code":"server_error","message":"x"}}`, llm.KindInternalServer, true},
		{"server", "response.failed", failed("server_error"), llm.KindInternalServer, true},
		{"rate", "response.failed", failed("rate_limit_exceeded"), llm.KindRateLimit, true},
		{"prompt", "response.failed", failed("invalid_prompt"), llm.KindContentPolicy, false},
		{"bio", "response.failed", failed("bio_policy"), llm.KindContentPolicy, false},
		{"misalignment", "response.failed", failed("misalignment_policy_violation"), llm.KindContentPolicy, false},
		{"image policy", "response.failed", failed("image_content_policy_violation"), llm.KindContentPolicy, false},
		{"image", "response.failed", failed("invalid_image_format"), llm.KindBadRequest, false},
		{"large image", "response.failed", failed("image_too_large"), llm.KindBadRequest, false},
		{"search", "response.failed", failed("vector_store_timeout"), llm.KindTimeout, true},
		{"for no reason", "", respEvent("failed", `,"response":{"status":"failed","error":null}`), llm.KindInternalServer, true},
		{"not JSON", "response.created", `{"type`, llm.KindParse, false},
		{"no object", "", `[1]`, llm.KindParse, false},
		{"a proxy's end without an answer", "", "[DONE]", llm.KindParse, false},
	}
	for _, test := range tests {
		call := testCall(t, "openai-responses")
		_, err := call.Row.Protocol().NewDecoder(call).Event(test.event, []byte(test.data), func(llm.Event) {})
		var found *llm.Error
		if vendor := new(llm.VendorError); errors.As(err, &vendor) {
			found = llm.Judge(vendor, call.Row.Rules)
		} else if !errors.As(err, &found) {
			t.Errorf("%s: no error", test.name)
			continue
		}
		if found.Kind != test.kind || found.Retryable != test.retry {
			t.Errorf("%s: got %+v", test.name, found)
		}
	}
	for _, body := range []string{"", "<html>", "{", `{}`, `{"output":"x"}`, `{"choices":[]}`, `{"error":{"message":"x"}}`, `{"message":"x"}`, `[]`,
		`{"status":"failed","output":[],"error":{"code":"server_error","message":"x"}}`} {
		if got := answered(t, testCall(t, "openai-responses"), body); got.err == nil || got.complete {
			t.Errorf("%q: %s", body, got.summary())
		}
	}
}

func TestResponsesBounds(t *testing.T) {
	var items []string
	for i := range 2 * maxParts {
		items = append(items, respEvent("output_item.added", fmt.Sprintf(`,"output_index":%d,"item":{"type":"message"}`, i)))
	}
	long := respEvent("output_item.done", `,"output_index":%d,"item":{"type":"web_search_call","x":"`+strings.Repeat("x", 1<<20)+`"}`)
	var whole []string
	for i := range 80 {
		whole = append(whole, fmt.Sprintf(long, i))
	}
	var parts []string
	for i := range 2 * maxParts {
		parts = append(parts, respEvent("output_text.delta", fmt.Sprintf(`,"output_index":0,"content_index":%d,"delta":"x"`, i)))
	}
	for name, events := range map[string][]string{"items": items, "long items": whole, "parts": parts} {
		got := streamed(t, testCall(t, "openai-responses"), events...)
		var failed *llm.Error
		if !errors.As(got.err, &failed) || failed.Kind != llm.KindLimit {
			t.Errorf("%s: %v", name, got.err)
		}
	}
}

func TestResponsesCounts(t *testing.T) {
	call := testCall(t, "openai-responses")
	call.Request.Op = llm.OpCount
	if got := answered(t, call, `{"object":"response.input_tokens","input_tokens":14}`); got.err != nil || got.count == nil || got.count.InputTokens != 14 {
		t.Errorf("got %+v, %v", got.count, got.err)
	}
	if got := answered(t, call, `{"tokens":14}`); got.err == nil {
		t.Error("an answer without a count was taken")
	}
}

func responsesDecoderFor(t testing.TB, plain bool) *responsesDecoder {
	call := testCall(t, "openai-responses")
	decoder := call.Row.Protocol().NewDecoder(call).(*responsesDecoder)
	decoder.noFast = plain
	return decoder
}

// respDelta is a delta as OpenAI sends it.
func respDelta(kind string, number int, text string) string {
	return fmt.Sprintf(`{"type":"response.%s.delta","sequence_number":%d,"item_id":"msg_0850765c843cca5300699cc48053e88190bf5bbc9d0c8decd5",`+
		`"output_index":0,"content_index":0,"delta":%s,"logprobs":[],"obfuscation":"EeXxvZr1"}`, kind, number, llm.AppendString(nil, text))
}

// Repeated pieces take the fast path, whatever their number, and mean the same there.
func TestResponsesTemplate(t *testing.T) {
	for _, test := range []struct{ opened, kind string }{
		{msg, "output_text"}, {rsnEmpty, "reasoning_summary_text"}, {msgNo, "refusal"}, {fcall2, "function_call_arguments"},
	} {
		decoder, got := responsesDecoderFor(t, false), collect(t)
		decoder.Event("", []byte(respEvent("output_item.added", `,"output_index":0,"item":`+test.opened)), got.emit)
		want := ""
		for i, text := range []string{"one", " two", "three", "ü\n", "\\", "end"} {
			hits := decoder.fast.hits
			decoder.Event("response."+test.kind+".delta", []byte(respDelta(test.kind, 7+i*50, text)), got.emit)
			if i > 0 && decoder.fast.hits != hits+1 {
				t.Errorf("%s: piece %d took the plain path", test.kind, i)
			}
			want += text
		}
		for _, number := range []string{"01", "-1", "1.5", `"1"`, "", "1e3"} {
			other := strings.Replace(respDelta(test.kind, 7, "x"), `"sequence_number":7`, `"sequence_number":`+number, 1)
			if decoder.fast.emit([]byte(other), func(llm.Event) {}) {
				t.Errorf("%s: the number %s was taken", test.kind, number)
			}
		}
		all := got.text[0] + got.reasoning + got.refusal
		if len(got.calls) > 0 {
			all = got.calls[0].arguments
		}
		if all != want {
			t.Errorf("got %q, expected %q", all, want)
		}
	}
}

// FuzzResponses gives the decoder any bytes as the events of a stream, with and without the fast path, and as a body.
func FuzzResponses(f *testing.F) {
	f.Add(strings.Join(append(append([]string{respCreated()}, itemEvents(rsn, msgCited, fcall, custom, anImage)...), respEvent("completed", `,"response":`+respWhole("completed", "", rsn, msg))), "\n"))
	f.Add(respDelta("output_text", 1, "a") + "\n" + respDelta("output_text", 2, "b") + "\n" + respDelta("reasoning_text", 3, "c") + "\n" + respDelta("output_text", 40, "d"))
	f.Add(`{"type":"response.output_item.added","item":7,"output_index":-1}` + "\n" + `{"type":"response.completed","response":{"output":[7,null,"x",{"type":["x"]}],"usage":[]}}`)
	f.Add(`{"output":[7,"x",{"type":"message","content":7},{"type":"function_call","name":"f"},null],"usage":{"input_tokens":"x"}}`)
	f.Fuzz(func(t *testing.T, soup string) {
		fast, plain := responsesDecoderFor(t, false), responsesDecoderFor(t, true)
		fromFast, fromPlain := collect(t), collect(t)
		for _, line := range strings.Split(soup, "\n") {
			doneFast, errFast := fast.Event("", []byte(line), fromFast.emit)
			donePlain, errPlain := plain.Event("", []byte(line), fromPlain.emit)
			if doneFast != donePlain || fmt.Sprint(errFast) != fmt.Sprint(errPlain) {
				t.Fatalf("%q: %v %v, plainly %v %v", line, doneFast, errFast, donePlain, errPlain)
			}
			if doneFast || errFast != nil {
				break
			}
		}
		if a, b := fromFast.end(fast).summary(), fromPlain.end(plain).summary(); a != b {
			t.Fatalf("fast  %s\nplain %s", a, b)
		}
		whole, got := responsesDecoderFor(t, false), collect(t)
		got.err = whole.Body([]byte(soup), got.emit)
		got.end(whole)
	})
}

// BenchmarkResponses is BenchmarkDecode for this dialect: a delta may cost half as much again.
func BenchmarkResponses(b *testing.B) {
	for _, mode := range []struct {
		name  string
		plain bool
	}{{"fast", false}, {"plain", true}} {
		b.Run(mode.name, func(b *testing.B) {
			decoder, bytes := responsesDecoderFor(b, mode.plain), 0
			piece := []byte(respDelta("output_text", 1234, " wonderful"))
			emit := func(event llm.Event) { bytes += len(event.Text) }
			b.ReportAllocs()
			b.SetBytes(int64(len(piece)))
			for b.Loop() {
				decoder.Event("response.output_text.delta", piece, emit)
			}
		})
	}
}
