package llm

import (
	"encoding/json"
	"strings"
	"testing"
)

const minimal = `"op":"stream","model":"m","messages":[{"role":"user","content":"hi"}]`

func TestDecodeRequest(t *testing.T) {
	got, err := DecodeRequest([]byte(`{` + minimal +
		`,"temperature":0,"stop":"x","n":2,"timeouts":{"idle":0},"extra_body":{"a":null}}`))
	if err != nil {
		t.Fatal(err)
	}
	if got.Temperature == nil || *got.Temperature != 0 || len(got.Stop.List) != 1 || *got.N != 2 ||
		*got.Timeouts.Idle != 0 ||
		string(got.ExtraBody["a"]) != "null" || got.TopP != nil {
		t.Errorf("got %+v", got)
	}
	if got, err := DecodeRequest([]byte(`{"op":"fake","fake":{"port":0}}`)); err != nil ||
		string(got.Fake) != `{"port":0}` {
		t.Errorf("fake: %+v, %v", got, err)
	}
}

func TestDecodeRequestRefuses(t *testing.T) {
	message := func(m string) string { return `{"op":"stream","model":"m","messages":[` + m + `]}` }
	with := func(fields string) string { return `{` + minimal + `,` + fields + `}` }
	tests := []struct{ name, request, param, says string }{
		{"no op", `{"model":"m"}`, "op", "op is missing"},
		{"unknown op", `{"op":"dance"}`, "op", `"dance"`},
		{"no model", `{"op":"stream","messages":[{"role":"user","content":"x"}]}`, "model", "model is missing"},
		{"no messages", `{"op":"stream","model":"m"}`, "messages", "messages is empty"},
		{"typing error", with(`"temprature":1`), "temprature", `did you mean "temperature"`},
		{"typing error inside", with(`"timeouts":{"ilde":1}`), "ilde", `did you mean "idle"`},
		{"unknown", with(`"wings":2`), "wings", "extra_body"},
		{"wrong type", with(`"temperature":"hot"`), "temperature", "temperature must be a number, got a string"},
		{"fraction", with(`"max_tokens":1.5`), "max_tokens", "max_tokens must be a whole number, got 1.5"},
		{"boolean", with(`"store":1`), "store", "store must be true or false"},
		{"list", with(`"tools":{}`), "tools", "tools must be a list, got an object"},
		{"two objects", `{` + minimal + `}{}`, "the request", "more data"},
		{"cut", `{` + minimal, "the request", "not valid JSON"},
		{"stop", with(`"stop":5`), "stop", "'stop' must be a string or list of strings."},
		{"max_tokens", with(`"max_tokens":0`), "max_tokens", "1 or more, got 0"},
		{"both token limits", with(`"max_tokens":1,"max_completion_tokens":1`), "max_completion_tokens", "one of them"},
		{"n", with(`"n":-1`), "n", "got -1"},
		{"retries", with(`"max_retries":-1`), "max_retries", "0 or more"},
		{"clock", with(`"timeouts":{"idle":-1}`), "timeouts.idle", "got -1"},
		{"limit", with(`"limits":{"event_bytes":0}`), "limits.event_bytes", "more than 0"},
		{"header limit of a call", with(`"limits":{"header_bytes":5}`), "limits.header_bytes", "on the client"},
		{"tool without type", with(`"tools":[{"function":{}}]`), "tools", "tools[0] has no type"},
		{"tool as a string", with(`"tools":["f"]`), "tools", "each of tools must be an object"},
		{"message as a string", message(`"hi"`), "messages", "each message must be an object"},
		{"no role", message(`{"content":"x"}`), "messages", "messages[0] has no role"},
		{"role as a number", message(`{"role":1,"content":"x"}`), "messages", "role must be a string"},
		{"no content", message(`{"role":"user"}`), "messages", "messages[0] (user) has no content"},
		{"content as a number", message(`{"role":"user","content":1}`), "messages", "got the number 1"},
		{"misspelt key", message(`{"role":"user","contnet":"x"}`), "messages", `did you mean "content"`},
		{"part without type", message(`{"role":"user","content":[{}]}`), "messages", "no type"},
		{"part as a number", message(`{"role":"user","content":[1]}`), "messages", "a content part must be an object"},
		{"tool answer without id", message(`{"role":"tool","content":"x"}`), "messages", "no tool_call_id"},
		{"tool calls as an object", message(`{"role":"assistant","tool_calls":{}}`), "messages",
			"tool_calls must be a list"},
		{"tool call without name", message(`{"role":"assistant","tool_calls":[{"id":"a"}]}`), "messages",
			"no function name"},
		{"tool call as a string", message(`{"role":"assistant","tool_calls":["a"]}`), "messages", "each of tool_calls"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := DecodeRequest([]byte(test.request))
			if err == nil || err.Kind != KindConfiguration || err.Param != test.param ||
				!strings.Contains(err.Message, test.says) {
				t.Errorf("got %+v", err)
			}
		})
	}
}

func TestMessageKeepsEverything(t *testing.T) {
	var got Message
	err := json.Unmarshal([]byte(`{"role":"assistant","content":null,"name":"bob","zeta":[1],"tool_calls":[
		{"id":"a","function":{"name":"f","arguments":{"x":1}},"extra_content":{"s":1}},
		{"id":"b","type":"custom","custom":{"name":"g","input":"ls"}}],"alpha":{"b":2}}`), &got)
	if err != nil {
		t.Fatal(err)
	}
	first, second := got.ToolCalls[0], got.ToolCalls[1]
	if got.HasContent || got.Name != "bob" || len(got.Extra) != 2 || got.Extra[0].Key != "zeta" ||
		string(got.Extra[1].Value) != `{"b":2}` ||
		first.Arguments != `{"x":1}` || first.Type != "function" || first.Extra[0].Key != "extra_content" ||
		second.Type != "custom" || second.Arguments != "ls" || second.Name != "g" {
		t.Errorf("got %+v", got)
	}
}

// What pyagent notes of a message is not among what goes out with it.
func TestNotesOfAMessage(t *testing.T) {
	var m Message
	text := `{"role":"assistant","content":"a","interrupted":true,"source":{"provider":"p","model":"m"},"mine":1}`
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		t.Fatal(err)
	}
	if len(m.Extra) != 1 || m.Extra[0].Key != "mine" || m.Source != (Source{"p", "m"}) {
		t.Errorf("got %+v", m)
	}
}

func TestStringPart(t *testing.T) {
	var got Message
	if err := json.Unmarshal([]byte(`{"role":"user","content":[ "<a>" ,{"type":"text","text":"b"}]}`),
		&got); err != nil {
		t.Fatal(err)
	}
	if len(got.Parts) != 2 || string(got.Parts[0].Raw) != `{"type":"text","text":"<a>"}` ||
		got.Parts[0].Text != "<a>" || got.Parts[1].Text != "b" {
		t.Errorf("got %+v", got.Parts)
	}
}

func TestDecodeConfig(t *testing.T) {
	if got, err := DecodeConfig(nil); err != nil || got.Provider != nil {
		t.Errorf("empty: %+v, %v", got, err)
	}
	got, err := DecodeConfig([]byte(`{"provider":{"name":"x"},"timeouts":{"total":0},"network":{"client_cert":["a","b"]},"max_retries":0}`))
	if err != nil || string(got.Provider) != `{"name":"x"}` || *got.Timeouts.Total != 0 || *got.MaxRetries != 0 {
		t.Errorf("got %+v, %v", got, err)
	}
	tests := []struct{ name, config, param, says string }{
		{"typing error", `{"base_ulr":"x"}`, "base_ulr", `did you mean "base_url"`},
		{"retries", `{"max_retries":-1}`, "max_retries", "got -1"},
		{"backoff", `{"retry_backoff":-0.5}`, "retry_backoff", "got -0.5"},
		{"certificate without key", `{"network":{"client_cert":["a"]}}`, "client_cert", "got 1 names"},
		{"connections", `{"network":{"max_connections":-1}}`, "max_connections", "got -1"},
		{"clock", `{"timeouts":{"connect":-1}}`, "timeouts.connect", "timeouts.connect"},
		{"limit", `{"limits":{"body_bytes":-5}}`, "limits.body_bytes", "got -5"},
		{"wrong type", `{"extra_headers":[]}`, "extra_headers", "must be an object, got a list"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := DecodeConfig([]byte(test.config))
			if err == nil || err.Kind != KindConfiguration || err.Param != test.param ||
				!strings.Contains(err.Message, test.says) {
				t.Errorf("got %+v", err)
			}
		})
	}
}

func TestNearest(t *testing.T) {
	known := []string{"temperature", "top_p", "top_k", "tools", "stop", "seed"}
	for name, want := range map[string]string{
		"temprature": "temperature", "Temperature": "temperature", "top-p": "top_p", "tpo_p": "top_p", "sotp": "stop", "sede": "seed",
		"xyz": "", "frequency": "", "": "",
	} {
		if got := Nearest(name, known); got != want {
			t.Errorf("%q: %q, expected %q", name, got, want)
		}
	}
}

func TestUsageMerge(t *testing.T) {
	one, two, three := int64(1), int64(2), int64(3)
	usage := Usage{PromptTokens: &one, CompletionTokens: &one}
	usage.Merge(Usage{CompletionTokens: &two, TotalTokens: &three})
	if *usage.PromptTokens != 1 || *usage.CompletionTokens != 2 || *usage.TotalTokens != 3 ||
		usage.CachedTokens != nil {
		t.Errorf("got %+v", usage)
	}
}

func TestRedact(t *testing.T) {
	if got := Redact("a secret-key b secret-key", "secret-key", "a", ""); got != "a [redacted] b [redacted]" {
		t.Errorf("got %q", got)
	}
}

// FuzzDecodeRequest: whatever a host writes is a request or an error that names a field.
func FuzzDecodeRequest(f *testing.F) {
	f.Add([]byte(`{` + minimal + `}`))
	f.Add([]byte(`{"op":"stream","model":"m","messages":[{"role":"assistant","tool_calls":[{"id":"a","function":{"name":"f","arguments":{}}}]}]}`))
	f.Add([]byte(`{` + minimal + `,"tools":[{"type":"function"}],"stop":["a"]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, err := DecodeRequest(data); err != nil && (err.Kind != KindConfiguration || err.Message == "") {
			t.Errorf("%q: %+v", data, err)
		}
	})
}
