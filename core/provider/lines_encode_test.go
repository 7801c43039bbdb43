package provider

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"pyagent/core/llm"
)

const toolTalk = `"messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"sum <&>"},` +
	`{"role":"assistant","content":null,"tool_calls":[{"id":"call_1","type":"function","function":{"name":"add","arguments":"{\"a\":1}"}},` +
	`{"id":"call_made_ab","function":{"name":"now","arguments":""}}]},` +
	`{"role":"tool","tool_call_id":"call_1","content":"3"},{"role":"tool","tool_call_id":"call_made_ab","content":"noon"}]`

const addTool = `"tools":[{"type":"function","function":{"name":"add","description":"Adds.","parameters":{"type":"object","properties":{"a":{"type":"integer"}}}}},` +
	`{"type":"function","function":{"name":"now"}}]`

const pictureTalk = `"messages":[{"role":"user","content":[{"type":"text","text":"Look"},{"type":"text","text":" here"},` +
	`{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBOR"}},{"type":"image_url","image_url":"R0lGOD"}]},` +
	`{"role":"assistant","content":null,"tool_calls":[{"id":"a","function":{"name":"shoot","arguments":"{}"}},{"id":"b","function":{"name":"add","arguments":"{}"}}]},` +
	`{"role":"tool","tool_call_id":"a","content":[{"type":"text","text":"shot"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AA=="}}]},` +
	`{"role":"tool","tool_call_id":"b","content":"3"},{"role":"user","content":"And?"}]`

func lineEncodeTests() []encodeTest {
	with := func(op, fields string) string { return `{"op":"` + op + `","model":"m",` + fields + `}` }
	said := func(fields string) string { return with("generate", ask+`,`+fields) }
	return []encodeTest{
		{"minimal", "ollama", with("generate", ask)},
		{"stream", "ollama", with("stream", ask+`,"stream_options":{"include_usage":true}`)},
		{"tool conversation", "ollama", with("stream", toolTalk+`,`+addTool+`,"tool_choice":"auto"`)},
		{"tools left out", "ollama", with("stream", toolTalk+`,`+addTool+`,"tool_choice":"none"`)},
		{"allowed tools", "ollama", said(addTool + `,"tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"auto",` +
			`"tools":[{"type":"function","function":{"name":"now"}}]}}`)},
		{"old arguments", "ollama", with("generate", `"messages":[{"role":"assistant","tool_calls":[{"id":"c","function":{"name":"f","arguments":"not {json"}},`+
			`{"id":"d","function":{"name":"g","arguments":{"a":[1]}}}]},{"role":"tool","tool_call_id":"c","content":"x"}]`)},
		{"pictures", "ollama", with("generate", pictureTalk)},
		{"thinking of its own", "ollama", with("generate", `"messages":[{"role":"assistant","content":null,"source":{"provider":"ollama","model":"m"},`+
			`"reasoning_details":[{"type":"thinking","thinking":"hm"}],"tool_calls":[{"id":"c","function":{"name":"f","arguments":"{}"}}]},`+
			`{"role":"tool","tool_call_id":"c","content":"x"}]`)},
		{"thinking of another", "ollama", with("generate", `"messages":[{"role":"assistant","content":"a","source":{"provider":"anthropic","model":"m"},`+
			`"reasoning_details":[{"type":"thinking","thinking":"hm","signature":"s"}]},{"role":"user","content":"b"}]`)},
		{"thinking of the user", "ollama", with("generate", `"messages":[{"role":"assistant","content":"a","thinking":"hm"},{"role":"developer","content":"b"}]`)},
		{"options", "ollama", said(`"temperature":0.7,"top_p":0.9,"top_k":40,"seed":7,"max_tokens":500,"stop":"END","frequency_penalty":0,"presence_penalty":-0.5`)},
		{"options, other names", "ollama", said(`"max_completion_tokens":5,"stop":["A","B"],"logprobs":true,"top_logprobs":2`)},
		{"extra options", "ollama", said(`"temperature":0.7,"seed":7,"extra_body":{"num_ctx":8192,"keep_alive":"5m","truncate":false,"min_p":0.1,` +
			`"temperature":0.1,"options":{"seed":8,"repeat_penalty":1.1},"zeta":1}`)},
		{"JSON", "ollama", said(`"response_format":{"type":"json_object"}`)},
		{"text", "ollama", said(`"response_format":{"type":"text"}`)},
		{"schema", "ollama", said(`"response_format":{"type":"json_schema","json_schema":{"name":"n","strict":true,"schema":{"type":"object"}}}`)},
		{"think", "ollama", said(`"reasoning_effort":"high"`)},
		{"do not think", "ollama", said(`"reasoning_effort":"none"`)},
		{"no budget to think", "ollama", said(`"reasoning_budget":0`)},
		{"think, the vendor's way", "ollama", said(`"extra_body":{"think":true}`)},
		{"embed", "ollama", with("embed", `"input":["a","b"],"dimensions":256,"extra_body":{"truncate":false,"num_ctx":512}`)},
		{"embed one", "ollama", with("embed", `"input":"a"`)},

		{"minimal", "puter", with("generate", ask)},
		{"stream", "puter", with("stream", ask+`,"max_tokens":500,"temperature":0.7,"reasoning_effort":"low","stream_options":{"include_usage":true}`)},
		{"tool conversation", "puter", with("stream", toolTalk+`,`+addTool+`,"tool_choice":"auto"`)},
		{"pictures", "puter", with("generate", pictureTalk)},
		{"a file that it keeps", "puter", with("generate", `"messages":[{"role":"user","content":[{"type":"file","puter_path":"~/a.pdf"}]}]`)},
		{"names of today", "puter", said(`"max_completion_tokens":5,"top_p":0.5,"verbosity":"low","parallel_tool_calls":false`)},
		{"another vendor behind it", "puter", said(`"extra_body":{"provider":"claude","test_mode":true}`)},
		{"a driver of old", "puter", said(`"extra_body":{"driver":"openai-completion","args":{"vision":true},"max_tokens":4096}`)},
		{"signatures of its own", "puter", with("generate", `"messages":[{"role":"assistant","content":null,"source":{"provider":"puter","model":"m"},`+
			`"reasoning_details":[{"type":"thinking","thinking":"hm","signature":"s"}],"tool_calls":[{"id":"c","function":{"name":"f","arguments":"{}"},`+
			`"extra_content":{"google":{"thought_signature":"s"}}}]},{"role":"tool","tool_call_id":"c","content":"x"}]`)},
		{"signatures of another", "puter", with("generate", `"messages":[{"role":"assistant","content":null,"source":{"provider":"gemini","model":"m"},`+
			`"reasoning_details":[{"type":"thinking","thinking":"hm","signature":"s"}],"tool_calls":[{"id":"c","function":{"name":"f","arguments":"{}"},`+
			`"extra_content":{"google":{"thought_signature":"s"}}}]},{"role":"tool","tool_call_id":"c","content":"x"}]`)},
		{"login", "puter", `{"op":"login","login":{"username":"u","password":"p"}}`},
		{"login by mail", "puter", `{"op":"login","login":{"email":"e","password":"p"}}`},
	}
}

func TestLineEncode(t *testing.T) {
	const file = "testdata/lines.golden"
	var all strings.Builder
	for _, test := range lineEncodeTests() {
		request, _, err := encoded(t, test.row, test.request)
		if err != nil {
			t.Fatalf("%s: %s", test.name, err)
		}
		if !json.Valid(request.Body) {
			t.Errorf("%s: not JSON: %s", test.name, request.Body)
		}
		fmt.Fprintf(&all, "# %s: %s\n%s %s\n%s\n", test.row, test.name, request.Method, request.URL, request.Body)
	}
	checkGolden(t, file, all.String())
}

func TestLineEncodeRefuses(t *testing.T) {
	picture := func(part string) string { return `"messages":[{"role":"user","content":[` + part + `]}]` }
	tests := []struct{ row, fields, param, says string }{
		{"ollama", ask + `,"n":2`, "n", "leave it out"},
		{"ollama", ask + `,"parallel_tool_calls":false`, "parallel_tool_calls", "extra_body"},
		{"ollama", ask + `,"logit_bias":{"1":1}`, "logit_bias", ""},
		{"ollama", ask + `,"user":"u"`, "user", ""},
		{"ollama", ask + `,"tool_choice":"required"`, "tool_choice", `"none"`},
		{"ollama", ask + `,"tool_choice":{"type":"function","function":{"name":"f"}}`, "tool_choice", ""},
		{"ollama", ask + `,"tools":[{"type":"custom","custom":{"name":"f"}}]`, "tools", `"custom"`},
		{"ollama", ask + `,"reasoning_effort":"minimal"`, "reasoning_effort", `"low"`},
		{"ollama", ask + `,"reasoning_budget":100`, "reasoning_budget", "reasoning_effort"},
		{"ollama", ask + `,"reasoning_budget":0,"reasoning_effort":"high"`, "reasoning_budget", `"high"`},
		{"ollama", ask + `,"reasoning_summary":"auto"`, "reasoning_summary", ""},
		{"ollama", ask + `,"stream_options":{"x":1}`, "stream_options", `"x"`},
		{"ollama", ask + `,"extra_body":{"options":7}`, "extra_body", "num_ctx"},
		{"ollama", picture(`{"type":"image_url","image_url":{"url":"https://a/b.png"}}`), "messages", "download"},
		{"ollama", picture(`{"type":"input_audio","input_audio":{"data":"AA==","format":"wav"}}`), "messages", "input_audio"},
		{"ollama", picture(`{"type":"file","file":{"file_data":"data:application/pdf;base64,AA=="}}`), "messages", `"file"`},
		{"ollama", `"messages":[{"role":"critic","content":"x"}]`, "messages", `"critic"`},
		{"ollama", `"messages":[{"role":"assistant","tool_calls":[{"id":"c","type":"custom","custom":{"name":"f","input":"x"}}]}]`, "messages", `"custom"`},
		{"puter", ask + `,"seed":1`, "seed", "extra_body"},
		{"puter", ask + `,"stop":"x"`, "stop", ""},
		{"puter", ask + `,"response_format":{"type":"json_object"}`, "response_format", ""},
		{"puter", ask + `,"reasoning_budget":5`, "reasoning_budget", ""},
		{"puter", ask + `,"tool_choice":"perhaps"`, "tool_choice", `"perhaps"`},
	}
	for _, test := range tests {
		_, _, err := encoded(t, test.row, `{"op":"generate","model":"m",`+test.fields+`}`)
		if err == nil || err.Param != test.param || !strings.Contains(err.Message, test.says) ||
			err.Kind != llm.KindUnsupported && err.Kind != llm.KindConfiguration {
			t.Errorf("%s %s: got %+v", test.row, test.fields, err)
		}
	}
	operations := []struct{ row, request, param string }{
		{"ollama", `{"op":"count","model":"m",` + ask + `}`, "op"},
		{"ollama", `{"op":"login","login":{"username":"u","password":"p"}}`, "op"},
		{"ollama", `{"op":"embed","model":"m","input":[[1,2]]}`, "input"},
		{"ollama", `{"op":"embed","model":"m","input":"a","input_type":"query"}`, "input_type"},
		{"puter", `{"op":"count","model":"m",` + ask + `}`, "op"},
		{"puter", `{"op":"embed","model":"m","input":"a"}`, "op"},
		{"openai", `{"op":"login","login":{"username":"u","password":"p"}}`, "op"},
	}
	for _, test := range operations {
		if _, _, err := encoded(t, test.row, test.request); err == nil || err.Kind != llm.KindUnsupported || err.Param != test.param {
			t.Errorf("%s %s: got %+v", test.row, test.request, err)
		}
	}
}

func TestLineEncodeWarns(t *testing.T) {
	tests := []struct{ row, fields, says string }{
		{"ollama", `"messages":[{"role":"user","name":"bob","content":"x"}]`, `"bob"`},
		{"ollama", `"messages":[{"role":"user","cache_control":{},"content":"x"}]`, "know cache_control"},
		{"ollama", ask + `,"tools":[{"type":"function","function":{"name":"f","strict":true}}]`, "strict"},
		{"ollama", ask + `,"tools":[{"type":"function","function":{"name":"f"},"cache_control":{}}]`, "know cache_control"},
		{"ollama", ask, ""},
		{"puter", ask + `,"top_p":0.5`, "top_p"},
		{"puter", ask + `,"tool_choice":"required"`, "tool_choice"},
		{"puter", ask + `,"tool_choice":"auto","temperature":1,"max_tokens":5`, ""},
	}
	for _, test := range tests {
		_, warnings, err := encoded(t, test.row, `{"op":"generate","model":"m",`+test.fields+`}`)
		all := strings.Join(warnings, "\n")
		if err != nil || (test.says == "") != (all == "") || !strings.Contains(all, test.says) {
			t.Errorf("%s %s: warnings %q, error %v", test.row, test.fields, warnings, err)
		}
	}
}

func TestLineAddresses(t *testing.T) {
	models := `{"op":"models"}`
	chat := `{"op":"stream","model":"m",` + ask + `}`
	login := `{"op":"login","login":{"username":"u","password":"p"}}`
	tests := []struct{ row, base, request, page, want string }{
		{"ollama", "", chat, "", "POST http://127.0.0.1:11434/api/chat"},
		{"ollama", "http://h:1/v1/", chat, "", "POST http://h:1/api/chat"},
		{"ollama", "https://ollama.com/api", models, "", "GET https://ollama.com/api/tags"},
		{"ollama", "https://h/behind/it", chat, "", "POST https://h/behind/it/api/chat"},
		{"puter", "", chat, "", "POST https://api.puter.com/drivers/call"},
		{"puter", "", models, "", "GET https://api.puter.com/puterai/chat/models/details"},
		{"puter", "", login, "", "POST https://puter.com/login"},
		{"puter", "", login, "jwt", "POST https://puter.com/login/otp"},
		{"puter", "http://own.test/", login, "", "POST http://own.test/login"},
		{"puter", "", strings.Replace(login, `"password"`, `"url":"https://b.test/login","password"`, 1), "jwt", "POST https://b.test/login/otp"},
		{"puter", "", strings.Replace(login, `"password"`, `"recovery_code":"r","password"`, 1), "jwt", "POST https://puter.com/login/recovery-code"},
	}
	for _, test := range tests {
		request, failed := llm.DecodeRequest([]byte(test.request))
		if failed != nil {
			t.Fatal(failed)
		}
		call := testCall(t, test.row)
		call.Request, call.BaseURL, call.Page, call.Stream = request, test.base, test.page, request.Op == llm.OpStream
		got, _, failed := call.Row.Protocol().Encode(call)
		if failed != nil {
			t.Errorf("%+v: %s", test, failed)
			continue
		}
		if address := got.Method + " " + got.URL; address != test.want {
			t.Errorf("%+v: got %s", test, address)
		}
		if sent := got.Header["Authorization"]; (sent == "") != (request.Op == llm.OpLogin) {
			t.Errorf("%+v: the key is %q", test, sent)
		}
		if accepted := got.Header["Accept"]; (accepted == "application/x-ndjson") != call.Stream {
			t.Errorf("%+v: accepts %q", test, accepted)
		}
	}
}

// A list of models needs no key; a chat does, and a local server does not.
func TestLineKeys(t *testing.T) {
	for _, test := range []struct{ row, request, says string }{
		{"puter", `{"op":"models"}`, ""},
		{"puter", `{"op":"generate","model":"m",` + ask + `}`, "PUTER_AUTH_TOKEN"},
		{"ollama", `{"op":"generate","model":"m",` + ask + `}`, ""},
	} {
		request, failed := llm.DecodeRequest([]byte(test.request))
		if failed != nil {
			t.Fatal(failed)
		}
		call := testCall(t, test.row)
		call.Request, call.APIKey = request, ""
		_, _, failed = call.Row.Protocol().Encode(call)
		if (failed == nil) != (test.says == "") || failed != nil && !strings.Contains(failed.Message, test.says) {
			t.Errorf("%+v: %v", test, failed)
		}
	}
}
