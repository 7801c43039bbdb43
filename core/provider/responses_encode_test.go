package provider

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"pyagent/core/llm"
)

const flatAdd = `{"type":"function","function":{"name":"add","description":"Adds.","strict":true,"parameters":{"type":"object","properties":{"a":{"type":"integer"}}}}}`

func responsesEncodeTests() []encodeTest {
	on := func(fields string) string { return `{"op":"generate","model":"gpt-5","store":true,` + fields + `}` }
	said := func(fields string) string { return on(ask + `,` + fields) }
	talk := func(messages string) string { return on(`"messages":[` + messages + `]`) }
	part := func(parts string) string { return talk(`{"role":"user","content":[` + parts + `]}`) }
	own := func(message string) string {
		return `{"role":"assistant",` + message + `,"source":{"provider":"openai-responses","model":"gpt-5"}}`
	}
	foreign := func(message string) string {
		return `{"role":"assistant",` + message + `,"source":{"provider":"anthropic","model":"claude"}}`
	}
	const theCall = `{"id":"call_1","type":"function","function":{"name":"add","arguments":"{\"a\":1}"}}`
	const result = `{"role":"tool","tool_call_id":"call_1","content":"3"}`
	const brief = `"messages":[{"role":"system","content":"Be brief."},{"role":"developer","content":[{"type":"text","text":"Be kind."}]},{"role":"user","content":"hi"}]`
	return withRow("openai-responses", []encodeTest{
		{request: `{"op":"generate","model":"gpt-5",` + ask + `}`, name: "minimal"},
		{request: `{"op":"stream","model":"gpt-5",` + ask + `,"stream_options":{"include_usage":true}}`, name: "stream"},
		{request: `{"op":"stream","model":"gpt-5",` + ask + `,"stream_options":{"include_obfuscation":false}}`, name: "stream without padding"},
		{request: on(brief), name: "prompts are items"},
		{request: on(brief + `,"previous_response_id":"resp_1"`), name: "prompts are instructions where a conversation goes on"},
		{request: on(brief + `,"extra_body":{"conversation":"conv_1"}`), name: "and where the vendor keeps it"},
		{request: part(`{"type":"text","text":"Look"},{"type":"image_url","image_url":{"url":"https://h/a.png","detail":"low"}},{"type":"image_url","image_url":"data:image/jpeg;base64,AA=="},` +
			`{"type":"image_url","image_url":{"url":"iVBORw0KGgo="}},{"type":"input_image","file_id":"file_1"}`), name: "images"},
		{request: part(`{"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,JVBE"}},{"type":"file","file":{"file_id":"file_1"}},` +
			`{"type":"file","file":{"file_url":"https://h/b.pdf"}},{"type":"input_file","file_url":"https://h/c.pdf"}`), name: "files"},
		{request: talk(`{"role":"user","content":"sum"},` + own(`"content":"Calling.","tool_calls":[`+theCall+`]`) + `,` + result), name: "a call and its result"},
		{request: talk(own(`"content":null,"tool_calls":[`+theCall+`]`) + `,{"role":"tool","tool_call_id":"call_1","content":[{"type":"text","text":"shot"},` +
			`{"type":"image_url","image_url":{"url":"data:image/png;base64,AA=="}},{"type":"file","file":{"file_id":"f"}}]}`), name: "a result with an image and a file"},
		{request: talk(own(`"content":null,"tool_calls":[{"id":"c","type":"custom","custom":{"name":"sql","input":"SELECT 1"}}]`) + `,{"role":"tool","tool_call_id":"c","content":"1"}`), name: "a custom call"},
		{request: talk(own(`"content":null,"tool_calls":[{"id":"`+strings.Repeat("x", 70)+`","function":{"name":"add","arguments":""}}]`) + `,{"role":"tool","tool_call_id":"` + strings.Repeat("x", 70) + `","content":""}`),
			name: "a long id, no arguments"},
		{request: talk(own(`"content":"Hi \u00fc","reasoning_details":[` + rsn + `,` + msg + `]`)), name: "reasoning returns to its maker"},
		{request: `{"op":"generate","model":"gpt-5","store":false,"messages":[` + own(`"content":"","tool_calls":[`+theCall+`],"reasoning_details":[`+rsn+`,`+fcall+`]`) + `,` + result + `]}`,
			name: "encrypted reasoning where nothing is kept"},
		{request: talk(foreign(`"content":"Hi","tool_calls":[`+theCall+`],"reasoning_details":[{"type":"thinking","thinking":"x","signature":"s","index":0}]`) + `,` + result), name: "another vendor's answer"},
		{request: talk(`{"role":"assistant","content":"Hi","reasoning_content":"hm","audio":null,"annotations":[]}`), name: "an answer by hand"},
		{request: talk(`{"role":"assistant","content":null,"refusal":"No."},{"role":"assistant","content":[{"type":"text","text":"a"},{"type":"refusal","refusal":"b"}]}`), name: "refusals"},
		{request: talk(`{"role":"assistant","content":"Wait.","phase":"commentary"}`), name: "a phase"},
		{request: said(`"tools":[` + flatAdd + `,{"type":"function","function":{"name":"now"}},{"type":"web_search","search_context_size":"low"},{"type":"function","name":"flat","parameters":{}},` +
			`{"type":"custom","custom":{"name":"sql","format":{"type":"grammar","grammar":{"syntax":"lark","definition":"x"}}}}]`), name: "tools"},
		{request: said(`"tools":[` + flatAdd + `],"tool_choice":"required","parallel_tool_calls":false`), name: "any tool, one"},
		{request: said(`"tools":[` + flatAdd + `],"tool_choice":"any"`), name: "any tool, in Mistral's word"},
		{request: said(`"tools":[` + flatAdd + `],"tool_choice":{"type":"function","function":{"name":"add"}}`), name: "one tool"},
		{request: said(`"tools":[` + flatAdd + `],"tool_choice":{"type":"function","name":"add"}`), name: "one tool, flat"},
		{request: said(`"tools":[{"type":"custom","name":"sql"}],"tool_choice":{"type":"custom","custom":{"name":"sql"}}`), name: "one custom tool"},
		{request: said(`"tools":[{"type":"web_search"}],"tool_choice":{"type":"web_search"}`), name: "one of the vendor's tools"},
		{request: said(`"tools":[` + flatAdd + `],"tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"auto","tools":[{"type":"function","function":{"name":"add"}}]}}`), name: "allowed tools"},
		{request: said(`"response_format":{"type":"json_schema","json_schema":{"name":"n","description":"d","strict":true,"schema":{"type":"object"}}},"verbosity":"low"`), name: "a schema"},
		{request: said(`"response_format":{"type":"json_object"}`), name: "any JSON"},
		{request: said(`"reasoning_effort":"high","reasoning_summary":"auto"`), name: "reasoning"},
		{request: said(`"reasoning_effort":"none","verbosity":"high"`), name: "no reasoning"},
		{request: said(`"max_tokens":5,"temperature":0.5,"top_p":0.9,"top_logprobs":2,"metadata":{"k":"v"},"service_tier":"flex","user":"u","safety_identifier":"s","prompt_cache_key":"p"`), name: "options"},
		{request: said(`"max_completion_tokens":5,"logprobs":true,"n":1,"seed":null,"stop":[],"frequency_penalty":0`), name: "options, other names"},
		{request: said(`"extra_body":{"truncation":"auto","include":["file_search_call.results"],"max_output_tokens":7,"background":true},"max_tokens":5`), name: "extra_body"},
		{request: `{"op":"generate","model":"gpt-4.1","store":false,` + ask + `}`, name: "a model that does not reason"},
		{request: `{"op":"generate","model":"gpt-5","extra_body":{"store":false},` + ask + `}`, name: "not kept, by extra_body"},
		{request: `{"op":"count","model":"gpt-5","max_tokens":5,"temperature":1,"store":false,` + ask + `,"tools":[` + flatAdd + `]}`, name: "a count"},
	})
}

func TestResponsesEncode(t *testing.T) {
	var all strings.Builder
	for _, test := range responsesEncodeTests() {
		request, warnings, err := encoded(t, test.row, test.request)
		if err != nil {
			t.Fatalf("%s: %s", test.name, err)
		}
		where, counts := "https://api.openai.com/v1/responses", strings.Contains(test.request, `"op":"count"`)
		if counts {
			where += "/input_tokens"
		}
		if !json.Valid(request.Body) || request.Method != "POST" || request.URL != where {
			t.Errorf("%s: %s %s %s", test.name, request.Method, request.URL, request.Body)
		}
		fmt.Fprintf(&all, "# %s %q\n%s\n", test.name, warnings, request.Body)
	}
	checkGolden(t, "testdata/responses.golden", all.String())
}

func TestResponsesRefuses(t *testing.T) {
	part := func(part string) string { return `"messages":[{"role":"user","content":[` + part + `]}]` }
	const unsupported, wrong = llm.KindUnsupported, llm.KindConfiguration
	tests := []struct {
		fields, param, says string
		kind                llm.Kind
	}{
		{ask + `,"stop":"x"`, "stop", "extra_body", unsupported},
		{ask + `,"seed":1`, "seed", "", unsupported},
		{ask + `,"n":2`, "n", "", unsupported},
		{ask + `,"top_k":2`, "top_k", "", unsupported},
		{ask + `,"frequency_penalty":1`, "frequency_penalty", "", unsupported},
		{ask + `,"presence_penalty":1`, "presence_penalty", "", unsupported},
		{ask + `,"logit_bias":{"1":1}`, "logit_bias", "", unsupported},
		{ask + `,"modalities":["text","audio"]`, "modalities", "", unsupported},
		{ask + `,"audio":{"voice":"x"}`, "audio", "", unsupported},
		{ask + `,"prediction":{"type":"content"}`, "prediction", "", unsupported},
		{ask + `,"reasoning_budget":100`, "reasoning_budget", "", unsupported},
		{ask + `,"tool_choice":"perhaps"`, "tool_choice", `"perhaps"`, wrong},
		{ask + `,"response_format":{"type":"json_schema"}`, "response_format", "", wrong},
		{part(`{"type":"input_audio","input_audio":{"data":"AA==","format":"wav"}}`), "messages", "audio", unsupported},
		{part(`{"type":"video_url","video_url":{"url":"https://h/v"}}`), "messages", "video", unsupported},
		{part(`{"type":"image_url"}`), "messages", "no url", wrong},
		{`"messages":[{"role":"function","name":"f","content":"x"}]`, "messages", "tool_call_id", wrong},
		{`"messages":[{"role":"assistant","content":[{"type":"image_url","image_url":{"url":"https://h/i"}}]}]`, "messages", "user message", wrong},
	}
	for _, test := range tests {
		_, _, err := encoded(t, "openai-responses", `{"op":"stream","model":"gpt-5",`+test.fields+`}`)
		if err == nil || err.Param != test.param || err.Kind != test.kind || !strings.Contains(err.Message, test.says) {
			t.Errorf("%s: got %+v", test.fields, err)
		}
	}
	if _, _, err := encoded(t, "openai-responses", `{"op":"generate","model":"m","stream_options":{"x":1},`+ask+`}`); err == nil || err.Param != "stream_options" {
		t.Errorf("stream_options of what is no stream: %v", err)
	}
}

func TestResponsesWarns(t *testing.T) {
	_, warnings, err := encoded(t, "openai-responses", `{"op":"generate","model":"gpt-5","messages":[{"role":"user","name":"bob","content":"x","cache_control":{"type":"ephemeral"}},`+
		`{"role":"assistant","content":"a","reasoning_content":"hm","reasoning_details":[{"type":"thinking","thinking":"t"}]}]}`)
	said := strings.Join(warnings, "\n")
	for _, word := range []string{"name", "cache_control", "reasoning_content", `"thinking"`} {
		if err != nil || !strings.Contains(said, word) {
			t.Errorf("nothing of %s in %q, %v", word, warnings, err)
		}
	}
}

func TestResponsesAddresses(t *testing.T) {
	tests := []struct {
		row, base, op, version, deployment string
		want, model                        string
	}{
		{"openai-responses", "https://h/v1", "generate", "", "", "https://h/v1/responses", "m"},
		{"openai-responses", "https://h/v1/responses", "generate", "", "", "https://h/v1/responses", "m"},
		{"openai-responses", "https://h/v1/", "count", "", "", "https://h/v1/responses/input_tokens", "m"},
		{"openai-responses", "https://h/v1?a=b", "generate", "", "", "https://h/v1/responses?a=b", "m"},
		{"azure-responses", "https://r.openai.azure.com", "generate", "", "", "https://r.openai.azure.com/openai/v1/responses", "m"},
		{"azure-responses", "https://r.openai.azure.com/", "generate", "", "mine", "https://r.openai.azure.com/openai/v1/responses", "mine"},
		{"azure-responses", "https://r.openai.azure.com/openai/v1", "generate", "preview", "", "https://r.openai.azure.com/openai/v1/responses?api-version=preview", "m"},
		{"azure-responses", "https://r.openai.azure.com/openai/v1/responses", "count", "", "", "https://r.openai.azure.com/openai/v1/responses/input_tokens", "m"},
		{"azure-responses", "https://r.openai.azure.com", "generate", "2025-04-01-preview", "", "https://r.openai.azure.com/openai/responses?api-version=2025-04-01-preview", "m"},
		{"azure-responses", "https://r.openai.azure.com/openai/deployments/d", "generate", "", "d", "https://r.openai.azure.com/openai/v1/responses", "d"},
	}
	for _, test := range tests {
		call := testCall(t, test.row)
		call.BaseURL, call.Azure = test.base, llm.Azure{APIVersion: test.version, Deployment: test.deployment}
		call.Request = &llm.Request{Op: llm.Op(test.op), Model: "m", Messages: []llm.Message{{Role: "user", Text: "x", HasContent: true}}}
		request, _, err := call.Row.Protocol().Encode(call)
		if err != nil || request.URL != test.want || !strings.Contains(string(request.Body), `"model":"`+test.model+`"`) {
			t.Errorf("%+v: got %+v %v", test, request, err)
		}
	}
}

// Embeddings and lists of models are those of the older protocol.
func TestResponsesOperations(t *testing.T) {
	for request, want := range map[string]string{
		`{"op":"embed","model":"m","input":"a"}`: "https://api.openai.com/v1/embeddings", `{"op":"models"}`: "https://api.openai.com/v1/models",
	} {
		got, _, err := encoded(t, "openai-responses", request)
		if err != nil || got.URL != want {
			t.Errorf("%s: got %+v, %v", request, got, err)
		}
	}
	call := testCall(t, "openai-responses")
	call.Request.Op = llm.OpModels
	if got := answered(t, call, `{"object":"list","data":[{"id":"gpt-5","object":"model","created":1,"owned_by":"openai"}]}`); got.err != nil || fmt.Sprint(got.modelIDs()) != "[gpt-5]" {
		t.Errorf("got %s", got.summary())
	}
	call.Request = &llm.Request{Op: llm.OpEmbed, Model: "m", Input: make(llm.Inputs, 1)}
	if got := answered(t, call, `{"data":[{"index":0,"embedding":[1,2]}],"model":"m"}`); got.err != nil || len(got.vectors) != 1 {
		t.Errorf("got %s", got.summary())
	}
	if _, _, err := encoded(t, "openai-responses", `{"op":"login","login":{"username":"u","password":"p"}}`); err == nil || err.Param != "op" {
		t.Errorf("login: %v", err)
	}
}
