package provider

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pyagent/core/llm"
)

// geminiParts is a chunk with one candidate; fields are more of the candidate's.
func geminiParts(parts, fields string) string {
	return `{"candidates": [{"content": {"parts": [` + parts + `],"role": "model"}` + fields + `}],"modelVersion": "gemini-x","responseId": "r1"}`
}

// geminiTextChunk is a chunk as Google sends it; text is the inside of a JSON string.
func geminiTextChunk(text string, candidates, total int) string {
	return fmt.Sprintf(`{"candidates": [{"content": {"parts": [{"text": "%s"}],"role": "model"},"index": 0}],"usageMetadata": {"promptTokenCount": 272,`+
		`"candidatesTokenCount": %d,"totalTokenCount": %d,"promptTokensDetails": [{"modality": "TEXT","tokenCount": 14},{"modality": "IMAGE","tokenCount": 258}],`+
		`"thoughtsTokenCount": 1114},"modelVersion": "gemini-2.5-pro","responseId": "PwGzacKDPOmtz7IPmcKhqAM"}`, text, candidates, total)
}

const geminiStop = `,"finishReason": "STOP"`

func TestGeminiShapes(t *testing.T) {
	stop := geminiParts(`{"text":""}`, geminiStop)
	tests := []struct {
		name      string
		events    []string
		text      string
		reasoning string
		finish    string
		complete  bool
	}{
		{"plain", []string{geminiParts(`{"text":"Hel"}`, ""), geminiParts(`{"text":"lo"}`, geminiStop)}, "Hello", "", "stop", true},
		{"no finish reason", []string{geminiParts(`{"text":"Hel"}`, "")}, "Hel", "", "", false},
		{"nothing at all", nil, "", "", "", false},
		{"usage behind the end", []string{geminiParts(`{"text":"x"}`, geminiStop), `{"usageMetadata":{"totalTokenCount":5}}`}, "x", "", "stop", true},
		{"DONE of a proxy", []string{geminiParts(`{"text":"x"}`, geminiStop), "[DONE]"}, "x", "", "stop", true},
		{"several parts", []string{geminiParts(`{"text":"r","thought":true},{"text":"x"},{"text":"y"}`, geminiStop)}, "xy", "r", "stop", true},
		{"no content", []string{`{"candidates":[{"finishReason":"MAX_TOKENS"}]}`}, "", "", "length", true},
		{"no parts", []string{`{"candidates":[{"content":{"role":"model"},"finishReason":"SAFETY"}]}`}, "", "", "content_filter", true},
		{"blocked prompt", []string{`{"promptFeedback":{"blockReason":"PROHIBITED_CONTENT"},"usageMetadata":{"promptTokenCount":4},"modelVersion":"m"}`}, "", "", "content_filter", true},
		{"gaps and nulls", []string{`null`, `{}`, `{"candidates":null}`, `{"candidates":[]}`, `{"candidates":[{"content":null}]}`, `{"candidates":[{"content":{"parts":null}}]}`,
			`{"candidates":[{"content":{"parts":[{}]},"index":null}]}`, geminiParts(`{"text":"x"}`, ""), stop}, "x", "", "stop", true},
		{"fields of odd types", []string{`{"candidates":[{"content":{"parts":[{"text":7},{"text":"x","thought":"yes"},[],1]},"index":"0","finishReason":null}],"modelVersion":1,"usageMetadata":[]}`, stop},
			"x", "", "stop", true},
		{"broken unicode", []string{geminiParts(`{"text":"a\ud83d"}`, ""), geminiParts("{\"text\":\"\xff\\u0000\"}", geminiStop)}, "a\uFFFD\uFFFD\x00", "", "stop", true},
		{"a list", []string{`[` + geminiParts(`{"text":"x"}`, "") + "\n,\r\n" + stop + `]`}, "x", "", "stop", true},
		{"unknown part", []string{geminiParts(`{"hologram":{"x":1}},{"text":"x"}`, geminiStop)}, "x", "", "stop", true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := streamed(t, testCall(t, "gemini"), test.events...)
			if got.err != nil || got.text[0] != test.text || got.reasoning != test.reasoning ||
				got.finish.FinishReason != test.finish || got.complete != test.complete {
				t.Errorf("got %s", got.summary())
			}
		})
	}
}

func TestGeminiFinishReasons(t *testing.T) {
	reasons := map[string]string{
		"STOP": "stop", "MAX_TOKENS": "length", "FINISH_REASON_UNSPECIFIED": "other", "GALAXY": "other",
	}
	for words, unified := range map[string]string{
		"SAFETY RECITATION BLOCKLIST PROHIBITED_CONTENT SPII IMAGE_SAFETY IMAGE_PROHIBITED_CONTENT IMAGE_RECITATION":    "content_filter",
		"MALFORMED_FUNCTION_CALL UNEXPECTED_TOOL_CALL TOO_MANY_TOOL_CALLS MISSING_THOUGHT_SIGNATURE MALFORMED_RESPONSE": "error",
		"LANGUAGE OTHER NO_IMAGE IMAGE_OTHER ESCALATION":                                                                "other",
	} {
		for _, word := range strings.Fields(words) {
			reasons[word] = unified
		}
	}
	for raw, want := range reasons {
		got := streamed(t, testCall(t, "gemini"), geminiParts("", `,"finishReason":"`+raw+`","finishMessage":"why"`))
		if got.finish.FinishReason != want || got.finish.RawFinishReason != raw || !got.complete {
			t.Errorf("%s: got %s", raw, got.summary())
		}
		if told := len(got.finish.Warnings) == 1; told != (want != "stop" && want != "length") {
			t.Errorf("%s: warnings %q", raw, got.finish.Warnings)
		}
	}
}

func TestGeminiUsage(t *testing.T) {
	usage := func(fields string) string { return `{"usageMetadata":{` + fields + `}}` }
	end := geminiParts("", geminiStop)
	tests := []struct {
		name   string
		events []string
		want   string
	}{
		{"all", []string{usage(`"promptTokenCount":10,"cachedContentTokenCount":4,"candidatesTokenCount":5,"thoughtsTokenCount":7,"toolUsePromptTokenCount":3,"totalTokenCount":25`), end},
			`{"prompt_tokens":13,"completion_tokens":12,"total_tokens":25,"cached_tokens":4,"reasoning_tokens":7}`},
		{"the last word", []string{usage(`"promptTokenCount":10,"candidatesTokenCount":5`), usage(`"candidatesTokenCount":6,"totalTokenCount":16`), end},
			`{"prompt_tokens":10,"completion_tokens":6,"total_tokens":16}`},
		{"thoughts alone", []string{usage(`"promptTokenCount":1,"thoughtsTokenCount":2`), end}, `{"prompt_tokens":1,"completion_tokens":2,"reasoning_tokens":2}`},
		{"odd numbers", []string{usage(`"promptTokenCount":"8","candidatesTokenCount":-1,"totalTokenCount":{}`), end}, `{"prompt_tokens":8}`},
		{"none", []string{usage(`"trafficType":"ON_DEMAND"`), end}, `null`},
	}
	for _, test := range tests {
		got := streamed(t, testCall(t, "gemini"), test.events...)
		if text, _ := json.Marshal(got.finish.Usage); string(text) != test.want || test.want != "null" && !reflect.DeepEqual(got.usage, got.finish.Usage) {
			t.Errorf("%s: %s, told %+v", test.name, text, got.usage)
		}
	}
}

func TestGeminiCalls(t *testing.T) {
	call := func(fields string) string { return `{"functionCall":{` + fields + `}}` }
	partial := func(args ...string) string {
		return call(`"partialArgs":[` + strings.Join(args, ",") + `],"willContinue":true`)
	}
	begin := call(`"name":"f","willContinue":true`)
	tests := []struct {
		name   string
		events []string
		want   []string // name and arguments of each call
	}{
		{"whole", []string{geminiParts(call(`"id":"fc1","name":"f","args":{"a": 1}`), geminiStop)}, []string{`f {"a":1}`}},
		{"no arguments", []string{geminiParts(call(`"name":"f"`), geminiStop)}, []string{`f {}`}},
		{"two in a chunk", []string{geminiParts(call(`"name":"f"`)+`,`+call(`"name":"g","args":{}`), geminiStop)}, []string{`f {}`, `g {}`}},
		{"no name", []string{geminiParts(call(`"args":{}`), ""), geminiParts(call(``), geminiStop)}, nil},
		{"pieces", []string{geminiParts(begin, ""), geminiParts(partial(`{"jsonPath":"$.a","stringValue":"Bos\"","willContinue":true}`), ""),
			geminiParts(partial(`{"jsonPath":"$.a","stringValue":"ton","willContinue":true}`), ""), geminiParts(partial(`{"jsonPath":"$.a","stringValue":""}`), ""),
			geminiParts(call(``), geminiStop)}, []string{`f {"a":"Bos\"ton"}`}},
		{"nested", []string{geminiParts(begin, ""), geminiParts(partial(`{"jsonPath":"$.a.b[0]","numberValue":1.5}`, `{"jsonPath":"$.a.b[1].c","boolValue":true}`,
			`{"jsonPath":"$.a.b[1]['d.e']","nullValue":"NULL_VALUE"}`, `{"jsonPath":"$[\"x\\\"y\"]","stringValue":"é"}`), ""), geminiParts(call(``), geminiStop)},
			[]string{`f {"a":{"b":[1.5,{"c":true,"d.e":null}]},"x\"y":"é"}`}},
		{"a string that nobody closed", []string{geminiParts(begin, ""), geminiParts(partial(`{"jsonPath":"$.a[0]","stringValue":"x","willContinue":true}`), ""),
			geminiParts(partial(`{"jsonPath":"$.b","numberValue":1}`), ""), geminiParts(call(``), geminiStop)}, []string{`f {"a":["x"],"b":1}`}},
		{"no pieces", []string{geminiParts(begin, ""), geminiParts(call(``), geminiStop)}, []string{`f {}`}},
		{"whole arguments behind the name", []string{geminiParts(begin, ""), geminiParts(call(`"args":{"a":1}`), geminiStop)}, []string{`f {"a":1}`}},
		{"the next call ends the one before", []string{geminiParts(begin, ""), geminiParts(partial(`{"jsonPath":"$.a","numberValue":1}`), ""),
			geminiParts(call(`"name":"g"`), geminiStop)}, []string{`f {"a":1}`, `g {}`}},
		{"the stream's end ends a call", []string{geminiParts(begin, geminiStop)}, []string{`f {}`}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := streamed(t, testCall(t, "gemini"), test.events...)
			var calls []string
			for _, call := range got.calls {
				calls = append(calls, call.Name+" "+call.arguments)
				if !call.ended || call.ID == "" {
					t.Errorf("call %+v", call)
				}
			}
			finish := llm.FinishToolCalls
			if test.want == nil {
				finish = llm.FinishStop
			}
			if got.err != nil || !slices.Equal(calls, test.want) || got.finish.FinishReason != finish {
				t.Errorf("got %q, %s", calls, got.summary())
			}
		})
	}
	bad := streamed(t, testCall(t, "gemini"), geminiParts(begin, ""), geminiParts(partial(`{"jsonPath":"a..b","stringValue":"x"}`), ""))
	var failed *llm.Error
	if !errors.As(bad.err, &failed) || failed.Kind != llm.KindParse {
		t.Errorf("an odd path: %v", bad.err)
	}
}

// Ids that Google does not give are made: the same for the same answer, others for another place in the conversation.
func TestGeminiMakesIDs(t *testing.T) {
	answer := geminiParts(`{"functionCall":{"name":"f"}},{"functionCall":{"name":"f"}}`, geminiStop)
	call := testCall(t, "gemini")
	first, again := streamed(t, call, answer), answered(t, call, answer)
	call.Request.Messages = make([]llm.Message, 2)
	later := streamed(t, call, answer)
	a, b, c := first.calls[0].ID, first.calls[1].ID, later.calls[0].ID
	if a == b || a == c || a != again.calls[0].ID || !isMadeID(a) || len(a) > 40 {
		t.Errorf("ids %q %q %q %q", a, b, c, again.calls[0].ID)
	}
}

func TestGeminiRest(t *testing.T) {
	got := streamed(t, testCall(t, "gemini"),
		geminiParts(`{"executableCode":{"language":"PYTHON","code":"1"},"thoughtSignature":"a"},{"codeExecutionResult":{"outcome":"OUTCOME_OK"}}`, ""),
		geminiParts(`{"text":"é"},{"text":"x","thoughtSignature":"b"},{"text":"hm","thought":true,"thoughtSignature":"c"}`, ""),
		geminiParts(`{"inlineData":{"mimeType":"image/png","data":"AA=="}},{"inlineData":{"mimeType":"audio/L16;rate=24000","data":"BB=="}},{"thought":true,"inlineData":{"mimeType":"image/png","data":"CC=="}}`, ""),
		geminiParts(`{"functionCall":{"name":"f"},"thoughtSignature":"d"},{"text":"","thoughtSignature":"e"},{"thoughtSignature":"f"}`,
			geminiStop+`,"logprobsResult":{"chosenCandidates":[]},"citationMetadata":{"citationSources":[{"startIndex":1,"endIndex":2,"uri":"http://c","license":""},{"title":"no address"}]},`+
				`"groundingMetadata":{"groundingChunks":[{"web":{"uri":"http://g","title":"G"}}]},"urlContextMetadata":{}`),
		geminiParts("", `,"groundingMetadata":{"groundingChunks":[{"web":{"uri":"http://g","title":"G"}}]}`))
	want := []string{
		`{"type":"gemini.part","start":0,"part":{"executableCode":{"language":"PYTHON","code":"1"},"thoughtSignature":"a"}}`,
		`{"type":"gemini.part","start":0,"part":{"codeExecutionResult":{"outcome":"OUTCOME_OK"}}}`,
		`{"type":"gemini.text","start":2,"end":3,"part":{"thoughtSignature":"b"}}`,
		`{"type":"gemini.part","start":3,"part":{"text":"hm","thought":true,"thoughtSignature":"c"}}`,
		`{"type":"gemini.part","start":3,"part":{"inlineData":{"mimeType":"image/png","data":"AA=="}}}`,
		`{"type":"gemini.part","start":3,"part":{"inlineData":{"mimeType":"audio/L16;rate=24000","data":"BB=="}}}`,
		`{"type":"gemini.text","start":3,"end":3,"calls":1,"part":{"thoughtSignature":"e"}}`,
		`{"type":"gemini.part","start":3,"calls":1,"part":{"thoughtSignature":"f"}}`,
	}
	if !slices.Equal(got.details, want) {
		t.Errorf("details %s", strings.Join(got.details, "\n"))
	}
	parts := []string{
		`{"type":"executableCode","executableCode":{"language":"PYTHON","code":"1"}}`,
		`{"type":"codeExecutionResult","codeExecutionResult":{"outcome":"OUTCOME_OK"}}`,
		`{"type":"image_url","image_url":{"url":"data:image/png;base64,AA=="}}`,
		`{"type":"audio","audio":{"data":"BB==","mime_type":"audio/L16;rate=24000"}}`,
		`{"type":"image_url","image_url":{"url":"data:image/png;base64,CC=="},"thought":true}`,
	}
	if !slices.Equal(got.parts, parts) {
		t.Errorf("parts %s", strings.Join(got.parts, "\n"))
	}
	annotations := []string{
		`{"type":"url_citation","url_citation":{"start_index":1,"end_index":2,"url":"http://c","license":""}}`,
		`{"type":"url_citation","url_citation":{"url":"http://g","title":"G"}}`,
		`{"type":"groundingMetadata","groundingMetadata":{"groundingChunks":[{"web":{"uri":"http://g","title":"G"}}]}}`,
	}
	if !slices.Equal(got.annotations, annotations) {
		t.Errorf("annotations %s", strings.Join(got.annotations, "\n"))
	}
	if extra := string(got.calls[0].Extra); extra != `{"extra_content":{"google":{"thought_signature":"d"}}}` || len(got.logprobs) != 1 {
		t.Errorf("extra %s, logprobs %q", extra, got.logprobs)
	}
}

func TestGeminiCandidates(t *testing.T) {
	candidate := func(index int, text, fields string) string {
		return fmt.Sprintf(`{"index":%d,"content":{"parts":[{"text":"%s"}]}%s}`, index, text, fields)
	}
	chunk := func(candidates ...string) string { return `{"candidates":[` + strings.Join(candidates, ",") + `]}` }
	got := streamed(t, testCall(t, "gemini"), chunk(candidate(0, "a", ""), candidate(1, "b", "")), chunk(candidate(1, "c", geminiStop)),
		chunk(candidate(0, "d", `,"finishReason":"MAX_TOKENS"`)))
	want := []llm.Choice{{Index: 0, FinishReason: "length", RawFinishReason: "MAX_TOKENS"}, {Index: 1, FinishReason: "stop", RawFinishReason: "STOP"}}
	if got.text[0] != "ad" || got.text[1] != "bc" || !got.complete || !reflect.DeepEqual(got.finish.Choices, want) || got.finish.FinishReason != "length" {
		t.Errorf("got %s", got.summary())
	}
	if half := streamed(t, testCall(t, "gemini"), chunk(candidate(0, "a", geminiStop), candidate(1, "b", ""))); half.complete {
		t.Error("complete, but the second candidate has no end")
	}
}

func TestGeminiBodies(t *testing.T) {
	tests := []struct{ name, body, text, fails string }{
		{"plain", "\n" + geminiParts(`{"text":"x"}`, geminiStop), "x", ""},
		{"no finish reason", geminiParts(`{"text":"x"}`, ""), "x", ""},
		{"a stream as a list", `[` + geminiParts(`{"text":"x"}`, "") + `,` + geminiParts(`{"text":"y"}`, geminiStop) + `]`, "xy", ""},
		{"blocked", `{"promptFeedback":{"blockReason":"SAFETY"}}`, "", ""},
		{"no candidates", `{"usageMetadata":{}}`, "", "no candidates"},
		{"empty list", `[]`, "", "no candidates"},
		{"another vendor's answer", `{"choices":[]}`, "", "no candidates"},
		{"HTML", `<html>`, "", "not JSON"},
		{"cut", `{"candidates":[`, "", "not valid JSON"},
		{"empty", ` `, "", "empty"},
		{"error", `{"error":{"code":503,"message":"overloaded","status":"UNAVAILABLE"}}`, "", "overloaded"},
		{"error in a list", `[{"error":{"code":503,"message":"overloaded","status":"UNAVAILABLE"}}]`, "", "overloaded"},
	}
	for _, test := range tests {
		got := answered(t, testCall(t, "gemini"), test.body)
		if (got.err == nil) != (test.fails == "") || got.err != nil && !strings.Contains(got.err.Error(), test.fails) ||
			got.text[0] != test.text || got.complete != (test.fails == "") {
			t.Errorf("%s: %s", test.name, got.summary())
		}
	}
	if cut := answered(t, testCall(t, "gemini"), `[`+geminiParts(`{"text":"x"}`, "")+`]`); cut.complete {
		t.Error("complete, but the list has no end of the answer")
	}
}

func TestGeminiErrorInStream(t *testing.T) {
	got := streamed(t, testCall(t, "gemini"), geminiParts(`{"text":"x"}`, ""), `{"error":{"code":503,"message":"The model is overloaded.","status":"UNAVAILABLE"}}`)
	var vendor *llm.VendorError
	if got.text[0] != "x" || got.complete || !errors.As(got.err, &vendor) {
		t.Fatalf("got %s", got.summary())
	}
	if judged := llm.Judge(vendor, nil); judged.Kind != llm.KindServiceUnavailable {
		t.Errorf("judged %+v", judged)
	}
}

// A conversation that goes on sends back what the answer carried, part by part.
func TestGeminiRoundTrip(t *testing.T) {
	tests := []struct {
		name   string
		events []string
		want   string // the parts of the model's turn
	}{
		{"text in pieces, signed at the end", []string{geminiParts(`{"text":"Hé"}`, ""), geminiParts(`{"text":"llo"}`, ""), geminiParts(`{"text":"","thoughtSignature":"s"}`, geminiStop)},
			`[{"text":"Héllo"},{"text":"","thoughtSignature":"s"}]`},
		{"signed text", []string{geminiParts(`{"text":"a"},{"text":"b","thoughtSignature":"s"},{"text":"c"}`, geminiStop)}, `[{"text":"a"},{"text":"b","thoughtSignature":"s"},{"text":"c"}]`},
		{"thoughts", []string{geminiParts(`{"text":"hm","thought":true},{"text":"a"}`, geminiStop)}, `[{"text":"a"}]`},
		{"parallel calls", []string{geminiParts(`{"text":"I call."},{"functionCall":{"name":"f","args":{"a":1}},"thoughtSignature":"s"},{"functionCall":{"id":"x","name":"g","args":{}}}`, geminiStop)},
			`[{"text":"I call."},{"functionCall":{"name":"f","args":{"a":1}},"thoughtSignature":"s"},{"functionCall":{"id":"x","name":"g","args":{}}}]`},
		{"code and image", []string{geminiParts(`{"executableCode":{"code":"1"},"thoughtSignature":"s"},{"codeExecutionResult":{"output":"1"}},{"text":"It is:"},{"inlineData":{"mimeType":"image/png","data":"AA=="},"thoughtSignature":"t"},{"text":"So."}`, geminiStop)},
			`[{"executableCode":{"code":"1"},"thoughtSignature":"s"},{"codeExecutionResult":{"output":"1"}},{"text":"It is:"},{"inlineData":{"mimeType":"image/png","data":"AA=="},"thoughtSignature":"t"},{"text":"So."}]`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			call := testCall(t, "gemini")
			got := streamed(t, call, test.events...)
			message := llm.Message{Role: "assistant", Text: got.text[0], HasContent: true, Source: llm.Source{Provider: "gemini", Model: "m"}}
			for _, detail := range got.details {
				message.Details = append(message.Details, json.RawMessage(detail))
			}
			for _, made := range got.calls {
				message.ToolCalls = append(message.ToolCalls, llm.ToolCall{
					ID: made.ID, Type: "function", Name: made.Name, Arguments: made.arguments, Extra: schemaMembers(made.Extra),
				})
			}
			call.Request.Messages = []llm.Message{{Role: "user", Text: "q", HasContent: true}, message}
			request, _, failed := call.Row.Protocol().Encode(call)
			if failed != nil {
				t.Fatal(failed)
			}
			if want := `{"contents":[{"role":"user","parts":[{"text":"q"}]},{"role":"model","parts":` + test.want + `}]}`; string(request.Body) != want {
				t.Errorf("got  %s\nwant %s", request.Body, want)
			}
		})
	}
}

func TestGeminiModels(t *testing.T) {
	call := testCall(t, "gemini")
	call.Request.Op = llm.OpModels
	got := answered(t, call, `{"models":[{"name":"models/gemini-x","version":"1","displayName":"Gemini X","inputTokenLimit":1048576,"outputTokenLimit":65536,`+
		`"supportedGenerationMethods":["generateContent","countTokens"],"thinking":true},{"name":"tunedModels/t","supportedGenerationMethods":["embedContent"]}],"nextPageToken":"T2"}`)
	text, _ := json.Marshal(got.models)
	const want = `[{"id":"gemini-x","name":"Gemini X","context_tokens":1048576,"output_tokens":65536,"capabilities":["chat","reasoning"]},{"id":"tunedModels/t","capabilities":["embeddings"]}]`
	if string(text) != want || got.finish.NextPage != "T2" || !got.complete {
		t.Errorf("got %s, next page %q", text, got.finish.NextPage)
	}
	if last := answered(t, call, `{}`); last.err != nil || last.finish.NextPage != "" || !last.complete {
		t.Errorf("an empty page: %v", last.err)
	}
	if other := answered(t, call, `{"data":[]}`); other.err == nil {
		t.Error("a list of something else is taken for models")
	}
}

func TestGeminiVectors(t *testing.T) {
	tests := []struct {
		name, row string
		inputs    int
		body      string
		want      [][]float32
		prompt    string
	}{
		{"one", "gemini", 1, `{"embedding":{"values":[0.5,-1]},"usageMetadata":{"promptTokenCount":4}}`, [][]float32{{0.5, -1}}, "4"},
		{"two", "gemini", 2, `{"embeddings":[{"values":[0.5]},{"values":[2]}]}`, [][]float32{{0.5}, {2}}, ""},
		{"Vertex AI", "vertex", 2, `{"predictions":[{"embeddings":{"statistics":{"token_count":3,"truncated":false},"values":[1]}},{"embeddings":{"statistics":{"token_count":2},"values":[2]}}]}`,
			[][]float32{{1}, {2}}, "5"},
		{"an error", "gemini", 1, `{"error":{"code":500,"message":"broken"}}`, nil, ""},
	}
	for _, test := range tests {
		call := testCall(t, test.row)
		call.Request.Op, call.Request.Input = llm.OpEmbed, make(llm.Inputs, test.inputs)
		got := answered(t, call, test.body)
		prompt := ""
		if got.finish.Usage != nil {
			prompt = fmt.Sprint(*got.finish.Usage.PromptTokens)
		}
		if !reflect.DeepEqual(got.vectors, test.want) || (got.err == nil) != (test.want != nil) || prompt != test.prompt {
			t.Errorf("%s: %v, usage %s, error %v", test.name, got.vectors, prompt, got.err)
		}
	}
}

// A server that fails in mid-stream may send its error as it is, without the field name of an event.
func TestGeminiBareErrorInStream(t *testing.T) {
	body := "data: " + geminiParts(`{"text":"x"}`, "") + "\r\n\r\n{\r\n  \"error\": {\r\n    \"code\": 503,\r\n    \"message\": \"The model is overloaded.\",\r\n" +
		"    \"status\": \"UNAVAILABLE\"\r\n  }\r\n}\r\n"
	for seed := range uint64(20) {
		got := decodeSplit(t, testCall(t, "gemini"), []byte(body), rand.New(rand.NewPCG(seed, 0)))
		var vendor *llm.VendorError
		if got.text[0] != "x" || !errors.As(got.err, &vendor) || vendor.Type != "UNAVAILABLE" {
			t.Fatalf("seed %d: %s", seed, got.summary())
		}
	}
}
