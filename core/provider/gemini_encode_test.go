package provider

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"pyagent/core/llm"
)

// signedTalk is a conversation in which Gemini called two tools at once and got their results in the other order.
const signedTalk = `"messages":[{"role":"user","content":"sum"},{"role":"assistant","content":null,"source":{"provider":"gemini","model":"gemini-3-pro"},"tool_calls":[` +
	`{"id":"fc1","type":"function","function":{"name":"add","arguments":"{\"a\":1}"},"extra_content":{"google":{"thought_signature":"c2ln"}}},` +
	`{"id":"call_made_ab","function":{"name":"now","arguments":""}}]},` +
	`{"role":"tool","tool_call_id":"call_made_ab","content":"noon"},{"role":"tool","tool_call_id":"fc1","content":"{\"sum\":3}"}]`

func geminiEncodeTests() []encodeTest {
	with := func(op, model, fields string) string {
		return `{"op":"` + op + `","model":"` + model + `",` + fields + `}`
	}
	old := func(fields string) string { return with("generate", "gemini-2.5-flash", ask+`,`+fields) }
	newer := func(fields string) string { return with("generate", "gemini-3-pro", ask+`,`+fields) }
	talk := func(messages string) string { return with("generate", "gemini-2.5-flash", `"messages":[`+messages+`]`) }
	answer := func(source, fields string) string {
		return with("generate", "gemini-3-pro", `"messages":[{"role":"user","content":"a"},{"role":"assistant",`+source+fields+`},{"role":"user","content":"b"}]`)
	}
	tool := func(parameters string) string {
		return old(`"tools":[{"type":"function","function":{"name":"f","parameters":` + parameters + `}}]`)
	}
	const own = `"source":{"provider":"gemini","model":"gemini-3-pro"},`
	return append([]encodeTest{
		{"minimal", "gemini", with("generate", "gemini-2.5-flash", ask)},
		{"stream", "gemini", with("stream", "models/gemini-2.5-flash", ask+`,"stream_options":{"include_usage":true}`)},
		{"tuned model", "gemini", with("generate", "tunedModels/my model", ask)},
		{"vertex", "vertex", with("stream", "gemini-2.5-flash", ask+`,"metadata":{"team":"a"}`)},
		{"vertex, another publisher", "vertex", with("generate", "publishers/meta/models/llama", ask)},
		{"count", "gemini", with("count", "gemini-2.5-flash", ask)},
		{"count at Vertex AI", "vertex", with("count", "gemini-2.5-flash", ask)},

		{"system messages", "gemini", talk(`{"role":"system","content":"Be brief."},{"role":"developer","content":[{"type":"text","text":"Be kind."}]},{"role":"user","content":"<&>"}`)},
		{"system message alone", "gemini", talk(`{"role":"system","content":"Tell a joke."}`)},
		{"assistant first", "gemini", talk(`{"role":"assistant","content":"Hello"},{"role":"user","content":"Hi"}`)},
		{"messages of one side", "gemini", talk(`{"role":"user","content":"a"},{"role":"user","content":"b"},{"role":"assistant","content":"c"},{"role":"assistant","content":"d"}`)},
		{"empty texts", "gemini", talk(`{"role":"user","content":""},{"role":"user","content":[{"type":"text","text":""},"x"]},{"role":"assistant","content":""}`)},
		{"refusal", "gemini", talk(`{"role":"user","content":"x"},{"role":"assistant","content":null,"refusal":"No."},{"role":"user","content":"y"}`)},
		{"parts", "gemini", talk(`{"role":"user","content":[{"type":"text","text":"Look"},{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBOR"}},` +
			`{"type":"image_url","image_url":"R0lGODlh"},{"type":"image_url","image_url":{"url":"https://h/a.JPG?x=1"}},{"type":"video_url","video_url":{"url":"https://youtu.be/x"}},` +
			`{"type":"input_audio","input_audio":{"data":"UklGR","format":"wav"}},{"type":"file","file":{"file_id":"files/abc"}},` +
			`{"type":"file","file":{"filename":"a.pdf","file_data":"JVBERi0xLjc="}}]}`)},
		{"detail of an image", "gemini", with("generate", "gemini-3-pro", `"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://h/a.png","detail":"low"}}]}]`)},

		{"tool conversation", "gemini", with("generate", "gemini-3-pro", signedTalk)},
		{"tool conversation of another model", "gemini", with("generate", "gemini-3-flash", signedTalk)},
		{"tool conversation of an older model", "gemini", with("generate", "gemini-2.5-flash", signedTalk)},
		{"tool conversation without a source", "gemini", with("stream", "gemini-3-pro", toolTalk)},
		{"arguments that are no object", "gemini", talk(`{"role":"user","content":"x"},{"role":"assistant","tool_calls":[{"id":"c","function":{"name":"f","arguments":"not {json"}}]},{"role":"tool","tool_call_id":"c","content":"[1]"}`)},
		{"a call without a result", "gemini", talk(`{"role":"user","content":"x"},{"role":"assistant","tool_calls":[{"id":"c","function":{"name":"f"}},{"id":"d","function":{"name":"g"}}]},` +
			`{"role":"tool","tool_call_id":"d","content":"1"},{"role":"user","content":"y"}`)},
		{"pictures in results", "gemini", with("generate", "gemini-2.5-flash", pictureTalk)},
		{"pictures in results, Gemini 3", "gemini", with("generate", "gemini-3-pro", pictureTalk)},
		{"signed text", "gemini", answer(own, `"content":"Hé there","reasoning_details":[{"type":"gemini.text","start":4,"end":9,"part":{"thoughtSignature":"s1"}},`+
			`{"type":"gemini.text","start":9,"end":9,"part":{"thoughtSignature":"s2"}}]`)},
		{"signed text that was edited", "gemini", answer(own, `"content":"é","reasoning_details":[{"type":"gemini.text","start":1,"end":9,"part":{"thoughtSignature":"s1"}}]`)},
		{"code that was run", "gemini", answer(own, `"content":"It is 4.","tool_calls":[{"id":"x","function":{"name":"f"}}],"reasoning_details":[`+
			`{"type":"gemini.part","start":0,"part":{"executableCode":{"language":"PYTHON","code":"2+2"},"thoughtSignature":"s"}},`+
			`{"type":"gemini.part","start":0,"part":{"codeExecutionResult":{"outcome":"OUTCOME_OK","output":"4"}}},{"type":"gemini.text","start":8,"end":8,"calls":1,"part":{"thoughtSignature":"t"}}]`)},
		{"thoughts of another vendor", "gemini", answer(`"source":{"provider":"anthropic","model":"m"},`, `"content":[{"type":"thinking","thinking":"hm"},{"type":"text","text":"x"}],`+
			`"reasoning_details":[{"type":"gemini.text","start":0,"end":1,"part":{"thoughtSignature":"s1"}}]`)},
	}, append(geminiToolTests(old, newer, tool), geminiOptionTests(old, newer, with)...)...)
}

func geminiToolTests(old, newer, tool func(string) string) []encodeTest {
	choose := func(choice string) string { return old(addTool + `,"tool_choice":` + choice) }
	return []encodeTest{
		{"tools", "gemini", old(addTool)},
		{"tools of Google", "gemini", old(`"tools":[{"type":"google_search"},{"type":"codeExecution"},{"type":"file_search","fileSearchStoreNames":["s"]},{"type":"url_context","url_context":{}}]`)},
		{"tools of both", "gemini", newer(`"tools":[{"type":"google_search"},{"type":"function","function":{"name":"f"}}]`)},
		{"strict tools", "gemini", old(`"tools":[{"type":"function","function":{"name":"f","strict":true}}]`)},
		{"choice auto", "gemini", choose(`"auto"`)},
		{"choice none", "gemini", choose(`"none"`)},
		{"choice required", "gemini", choose(`"required"`)},
		{"choice of one", "gemini", choose(`{"type":"function","function":{"name":"add"}}`)},
		{"allowed tools", "gemini", choose(`{"type":"allowed_tools","allowed_tools":{"mode":"auto","tools":[{"type":"function","function":{"name":"now"}}]}}`)},
		{"parameters without properties", "gemini", tool(`{"type":"object","properties":{},"additionalProperties":false,"$schema":"s"}`)},
		{"parameters of any name", "gemini", tool(`{"type":"object","additionalProperties":true}`)},
		{"parameters named like keywords", "gemini", tool(`{"type":"object","properties":{"const":{"type":"string"},"$ref":{"type":"string"},"examples":{"type":"integer"}},"required":["const"]}`)},
		{"references", "gemini", tool(`{"$schema":"s","type":"object","properties":{"a":{"$ref":"#/definitions/A"},"b":{"$ref":"#/definitions/A","description":"home"},` +
			`"n":{"$ref":"#/definitions/N","description":"d"},"o":{"allOf":[{"$ref":"#/definitions/A"}],"default":null}},` +
			`"definitions":{"A":{"type":"object","title":"A","properties":{"x":{"type":"string"}}},"N":{"type":"object","properties":{"next":{"$ref":"#/definitions/N","description":"again"}}}}}`)},
		{"a reference to nowhere", "gemini", tool(`{"type":"object","properties":{"a":{"$ref":"#/$defs/gone","description":"x"},"b":{"$ref":"http://h/s","title":"t"}}}`)},
		{"const, nullable, capitals", "gemini", tool(`{"type":"OBJECT","properties":{"a":{"const":"x"},"b":{"const":null},"c":{"type":"STRING","nullable":true},"d":{"type":["string","null"]},"e":{"anyOf":[{"const":1.5},true]}}}`)},
		{"bounds and formats", "gemini", tool(`{"type":"object","properties":{"a":{"type":"integer","exclusiveMinimum":0},"b":{"type":"number","exclusiveMaximum":1.5,"description":"part"},` +
			`"c":{"type":"string","format":"email"},"d":{"type":"string","format":"date-time"},"e":{"type":"array","items":{"type":"integer","exclusiveMaximum":10}}}}`)},
	}
}

func geminiOptionTests(old, newer func(string) string, with func(op, model, fields string) string) []encodeTest {
	return []encodeTest{
		{"options", "gemini", old(`"max_tokens":500,"temperature":0.7,"top_p":0.9,"top_k":40,"stop":"END","frequency_penalty":0,"presence_penalty":-0.5,"seed":7,"n":2`)},
		{"other options", "gemini", old(`"max_completion_tokens":5,"stop":["A","B"],"logprobs":true,"top_logprobs":3,"store":false,"service_tier":"default"`)},
		{"JSON", "gemini", old(`"response_format":{"type":"json_object"}`)},
		{"schema", "gemini", old(`"response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"object","properties":{"a":{"const":1}},"additionalProperties":false}}}`)},
		{"text", "gemini", old(`"response_format":{"type":"text"}`)},
		{"effort", "gemini", old(`"reasoning_effort":"medium"`)},
		{"no effort", "gemini", old(`"reasoning_effort":"none"`)},
		{"budget", "gemini", old(`"reasoning_budget":2000`)},
		{"no budget", "gemini", old(`"reasoning_budget":0`)},
		{"level", "gemini", newer(`"reasoning_effort":"minimal"`)},
		{"level of the newest", "gemini", with("generate", "gemini-flash-latest", ask+`,"reasoning_effort":"low"`)},
		{"budget of a new model", "gemini", newer(`"reasoning_budget":2000`)},
		{"summary", "gemini", newer(`"reasoning_summary":"auto"`)},
		{"modalities", "gemini", newer(`"modalities":["text","image"]`)},
		{"speech", "gemini", newer(`"modalities":["audio"],"audio":{"voice":"Kore","format":"pcm16"}`)},
		{"speech as MP3", "gemini", newer(`"modalities":["audio"],"audio":{"voice":"Kore","format":"mp3"}`)},
		{"extra_body", "gemini", old(`"temperature":1,"reasoning_effort":"low","extra_body":{"generationConfig":{"thinkingConfig":{"thinkingBudget":5},"mediaResolution":"MEDIA_RESOLUTION_LOW"},` +
			`"safetySettings":[{"category":"HARM_CATEGORY_HARASSMENT","threshold":"BLOCK_NONE"}],"cachedContent":"cachedContents/a"}`)},
		{"extra_body in snake case", "gemini", old(`"temperature":1,"max_tokens":5,` + addTool + `,"tool_choice":"auto","extra_body":{"generation_config":{"max_output_tokens":6,"new_thing":1},` +
			`"tool_config":{"function_calling_config":{"mode":"ANY"},"retrieval_config":{}}}`)},
		{"extra_body in place of ours", "gemini", old(`"temperature":1,"extra_body":{"generationConfig":null,"contents":[]}`)},
		{"embed", "gemini", `{"op":"embed","model":"models/gemini-embedding-001","input":["a","b"],"dimensions":256,"input_type":"retrieval_query","extra_body":{"title":"t"}}`},
		{"embed one", "gemini", `{"op":"embed","model":"gemini-embedding-001","input":"a"}`},
		{"embed parts", "gemini", `{"op":"embed","model":"gemini-embedding-2","input":[[{"type":"text","text":"a"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AA=="}}]]}`},
		{"embed at Vertex AI", "vertex", `{"op":"embed","model":"gemini-embedding-001","input":"a","dimensions":256,"input_type":"RETRIEVAL_QUERY"}`},
		{"models", "gemini", `{"op":"models"}`},
	}
}

func TestGeminiEncode(t *testing.T) {
	const file = "testdata/gemini.golden"
	var all strings.Builder
	for _, test := range geminiEncodeTests() {
		request, _, err := encoded(t, test.row, test.request)
		if err != nil {
			t.Fatalf("%s: %s", test.name, err)
		}
		if len(request.Body) > 0 && !json.Valid(request.Body) {
			t.Errorf("%s: not JSON: %s", test.name, request.Body)
		}
		key := request.Header["X-Goog-Api-Key"] + request.Header["Authorization"]
		fmt.Fprintf(&all, "# %s: %s\n%s %s (%s)\n%s\n", test.row, test.name, request.Method, request.URL, key, request.Body)
	}
	checkGolden(t, file, all.String())
}

func TestGeminiRefuses(t *testing.T) {
	tests := []struct{ name, row, fields, param, says string }{
		{"parallel_tool_calls", "gemini", `"parallel_tool_calls":false`, "parallel_tool_calls", "parallel_tool_calls"},
		{"logit_bias", "gemini", `"logit_bias":{"1":1}`, "logit_bias", "logit_bias"},
		{"user", "gemini", `"user":"u"`, "user", "user"},
		{"metadata", "gemini", `"metadata":{"a":"b"}`, "metadata", "metadata"},
		{"store at Vertex AI", "vertex", `"store":true`, "store", "store"},
		{"service_tier at Vertex AI", "vertex", `"service_tier":"flex"`, "service_tier", "service_tier"},
		{"prediction", "gemini", `"prediction":{"type":"content","content":"x"}`, "prediction", "prediction"},
		{"previous_response_id", "gemini", `"previous_response_id":"r"`, "previous_response_id", "previous_response_id"},
		{"no reasoning", "gemini", `"reasoning_effort":"none"`, "reasoning_effort", "minimal"},
		{"odd effort", "gemini", `"reasoning_effort":"huge"`, "reasoning_effort", `"high"`},
		{"effort and budget", "gemini", `"reasoning_effort":"low","reasoning_budget":5`, "reasoning_budget", "one of them"},
		{"odd audio", "gemini", `"audio":{"format":"flac"}`, "audio", "mp3"},
		{"tool of another vendor", "gemini", `"tools":[{"type":"web_search"}]`, "tools", "googleSearch"},
		{"custom tool", "gemini", `"tools":[{"type":"custom","custom":{"name":"c"}}]`, "tools", "custom"},
	}
	for _, test := range tests {
		_, _, err := encoded(t, test.row, `{"op":"generate","model":"gemini-3-pro",`+ask+`,`+test.fields+`}`)
		if err == nil || err.Param != test.param || !strings.Contains(err.Message, test.says) || err.Provider != test.row {
			t.Errorf("%s: got %+v", test.name, err)
		}
	}
	talks := []struct{ name, message, says string }{
		{"unknown part", `{"role":"user","content":[{"type":"hologram"}]}`, "hologram"},
		{"unknown bytes", `{"role":"user","content":[{"type":"image_url","image_url":"AAAAAAAAAAAAAAAA"}]}`, "data:image/png"},
		{"unknown role", `{"role":"judge","content":"x"}`, "judge"},
		{"image for the system", `{"role":"system","content":[{"type":"image_url","image_url":"R0lGODlh"}]}`, "image_url"},
		{"result of no call", `{"role":"tool","tool_call_id":"c","content":"x"}`, `"c"`},
	}
	for _, test := range talks {
		_, _, err := encoded(t, "gemini", `{"op":"generate","model":"m","messages":[`+test.message+`]}`)
		if err == nil || err.Param != "messages" || !strings.Contains(err.Message, test.says) {
			t.Errorf("%s: got %+v", test.name, err)
		}
	}
	for _, request := range []string{`{"op":"embed","model":"m","input":[[1,2]]}`, `{"op":"embed","model":"m","input":[[1],[2]]}`} {
		if _, _, err := encoded(t, "gemini", request); err == nil || err.Param != "input" || !strings.Contains(err.Message, "token ids") {
			t.Errorf("%s: got %+v", request, err)
		}
	}
	if _, _, err := encoded(t, "vertex", `{"op":"models"}`); err == nil || err.Kind != llm.KindUnsupported {
		t.Errorf("models of Vertex AI: %v", err)
	}
}

func TestGeminiWarns(t *testing.T) {
	tests := []struct{ fields, says string }{
		{`"messages":[{"role":"user","name":"bob","content":"x"}]`, `"bob"`},
		{`"messages":[{"role":"user","cache_control":{"type":"ephemeral"},"content":"x"}]`, "know cache_control"},
		{`"messages":[{"role":"user","content":"x"},{"role":"system","content":"y"}]`, "from the start"},
		{`"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://h/a.png","detail":"high"}}]}]`, `"high"`},
		{`"messages":[{"role":"user","content":"x"},{"role":"assistant","tool_calls":[{"id":"c","function":{"name":"f"}}]},{"role":"user","content":"y"}]`, "not run"},
		{ask + `,"tools":[{"type":"function","function":{"name":"f"},"cache_control":{}}]`, "know cache_control"},
		{ask + `,"reasoning_summary":"detailed"`, "reasoning_summary"},
		{ask, ""},
	}
	for _, test := range tests {
		_, warnings, err := encoded(t, "gemini", `{"op":"generate","model":"gemini-2.5-flash",`+test.fields+`}`)
		all := strings.Join(warnings, "\n")
		if err != nil || (test.says == "") != (all == "") || !strings.Contains(all, test.says) {
			t.Errorf("%s: warnings %q, error %v", test.fields, warnings, err)
		}
	}
}

func TestGeminiAddresses(t *testing.T) {
	tests := []struct{ row, base, page, request, want string }{
		{"gemini", "http://h:1/v1beta/", "", `{"op":"stream","model":"a b",` + ask + `}`, "http://h:1/v1beta/models/a%20b:streamGenerateContent?alt=sse"},
		{"gemini", "http://h/v1beta/openai/", "", `{"op":"generate","model":"models/a",` + ask + `}`, "http://h/v1beta/models/a:generateContent"},
		{"gemini", "http://h/v1?key=k", "", `{"op":"stream","model":"a",` + ask + `}`, "http://h/v1/models/a:streamGenerateContent?alt=sse&key=k"},
		{"gemini", "", "T/2", `{"op":"models"}`, "https://generativelanguage.googleapis.com/v1beta/models?pageSize=1000&pageToken=T%2F2"},
		{"vertex", "https://h/v1/projects/p/locations/l", "", `{"op":"generate","model":"endpoints/7",` + ask + `}`, "https://h/v1/projects/p/locations/l/endpoints/7:generateContent"},
	}
	for _, test := range tests {
		request, failed := llm.DecodeRequest([]byte(test.request))
		if failed != nil {
			t.Fatal(failed)
		}
		call := testCall(t, test.row)
		call.Request, call.BaseURL, call.Page, call.Stream = request, test.base, test.page, request.Op == llm.OpStream
		got, _, failed := call.Row.Protocol().Encode(call)
		if failed != nil || got.URL != test.want {
			t.Errorf("%+v: got %+v, %v", test, got, failed)
		}
	}
}

func TestGeminiGenerations(t *testing.T) {
	for model, want := range map[string]int{
		"gemini-2.5-flash": 2, "gemini-1.5-pro-002": 1, "models/gemini-3-pro": 3, "gemini-3.1-flash-lite": 3, "gemini-10-x": 10,
		"gemini-flash-latest": 3, "publishers/google/models/gemini-2.0-flash": 2, "gemma-3-27b-it": 0, "tunedModels/x": 0,
		"gemini-robotics-er-1.5-preview": 1,
	} {
		if got := geminiGeneration(model); got != want {
			t.Errorf("%s: %d, expected %d", model, got, want)
		}
	}
}

// FuzzGeminiSchema rewrites anything that is JSON: it ends, and the result is JSON too.
func FuzzGeminiSchema(f *testing.F) {
	for _, seed := range []string{
		`{"$ref":"#","title":"x"}`, `{"$ref":"#/$defs/a","title":"x","$defs":{"a":{"$ref":"#/$defs/a","title":"y"}}}`,
		`{"allOf":[{"$ref":"#/allOf/0","const":null}]}`, `{"type":[],"enum":null,"format":1,"exclusiveMinimum":"x","nullable":true}`,
		`{"properties":[],"items":[{}],"anyOf":{},"const":{"a":[1]}}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, schema string) {
		if !json.Valid([]byte(schema)) {
			return
		}
		if out := geminiSchema([]byte(schema)); !json.Valid(out) {
			t.Errorf("%s became %s", schema, out)
		}
		emptySchema([]byte(schema))
	})
}
