package provider

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"pyagent/core/llm"
)

// tools is a chunk with tool-call pieces.
func tools(pieces ...string) string { return delta(`"tool_calls":[` + strings.Join(pieces, ",") + `]`) }

// piece is a tool-call delta; index "" leaves the key out, likewise id and name.
func piece(index, id, name, arguments string) string {
	var keys []string
	if index != "" {
		keys = append(keys, `"index":`+index)
	}
	if id != "" {
		keys = append(keys, `"id":"`+id+`"`)
	}
	function := `"arguments":` + string(llm.AppendString(nil, arguments))
	if name != "" {
		function = `"name":"` + name + `",` + function
	}
	return `{` + strings.Join(append(keys, `"function":{`+function+`}`), ",") + `}`
}

// Every way in which servers cut tool calls; want is "id name arguments" of each.
func TestToolCallMerging(t *testing.T) {
	tests := []struct {
		name   string
		events []string
		want   []string
	}{
		{"OpenAI", []string{tools(piece("0", "a", "f", "")), tools(piece("0", "", "", `{"x`)),
			tools(piece("0", "", "", `":1}`)),
			tools(piece("1", "b", "g", "")), tools(piece("1", "", "", "{}"))}, []string{`a f {"x":1}`, "b g {}"}},
		{"interleaved", []string{tools(piece("0", "a", "f", ""), piece("1", "b", "g", "")),
			tools(piece("1", "", "", "[2")),
			tools(piece("0", "", "", "[1")), tools(piece("1", "", "", "]"),
				piece("0", "", "", "]"))}, []string{"a f [1]", "b g [2]"}},
		{"index from 1", []string{tools(piece("1", "a", "f", "{")), tools(piece("1", "", "", "}"))},
			[]string{"a f {}"}},
		{"id and name repeated", []string{tools(piece("0", "a", "f", "{")), tools(piece("0", "a", "f", "}"))},
			[]string{"a f {}"}},
		{"id and name empty later", []string{tools(piece("0", "a", "f", "{")),
			`{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"","type":null,"function":{"name":"","arguments":"}"}}]}}]}`},
			[]string{"a f {}"}},
		{"id changes without a name", []string{tools(piece("0", "a", "f", "{")), tools(piece("0", "b", "", "}"))},
			[]string{"a f {}"}},
		{"all calls number 0", []string{tools(piece("0", "a", "f", "{}"), piece("0", "b", "f", "[]")),
			tools(piece("0", "c", "g", "1"))},
			[]string{"a f {}", "b f []", "c g 1"}},
		{"all calls number 0, in pieces", []string{tools(piece("0", "a", "f", "{")), tools(piece("0", "a", "f", "}")),
			tools(piece("0", "b", "g", "[")), tools(piece("0", "", "", "]"))},
			[]string{"a f {}", "b g []"}},
		{"no index", []string{tools(piece("", "a", "f", "{")), tools(piece("", "", "", "}")),
			tools(piece("", "b", "g", "{")), tools(piece("", "", "", "}"))},
			[]string{"a f {}", "b g {}"}},
		{"no index, by position", []string{tools(piece("", "a", "f", "["), piece("", "b", "g", "{")),
			tools(piece("", "", "", "]"), piece("", "", "", "}"))},
			[]string{"a f []", "b g {}"}},
		{"no index, id repeated", []string{tools(piece("", "a", "f", "{")), tools(piece("", "a", "", "}"))},
			[]string{"a f {}"}},
		{"whole calls, nothing to tell them apart",
			[]string{tools(piece("", "", "f", "{}")), tools(piece("", "", "f", "{}")), tools(piece("", "", "g", "{}"))},
			[]string{"call_ f {}", "call_ f {}", "call_ g {}"}},
		{"id never comes", []string{tools(piece("0", "", "f", "{")), tools(piece("0", "", "", "}"))},
			[]string{"call_ f {}"}},
		{"id comes late", []string{tools(piece("0", "", "f", "{")), tools(piece("0", "a", "", "}"))},
			[]string{"a f {}"}},
		{"name comes late", []string{tools(piece("0", "a", "", "{")), tools(piece("0", "", "f", "}"))},
			[]string{"a f {}"}},
		{"arguments null", []string{delta(`"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":null}}]`)}, []string{"a f "}},
		{"arguments an object", []string{delta(`"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":{ "x" : [1, 2] }}}]`)}, []string{`a f {"x":[1,2]}`}},
		{"custom", []string{delta(`"tool_calls":[{"index":0,"id":"a","type":"custom","custom":{"name":"f","input":"l"}}]`), delta(`"tool_calls":[{"index":0,"custom":{"input":"s"}}]`)},
			[]string{"a f ls"}},
		{"the old function_call", []string{delta(`"function_call":{"name":"f","arguments":"{"}`),
			delta(`"function_call":{"arguments":"}"}`)}, []string{"call_ f {}"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := streamed(t, testCall(t, "compatible"), append(test.events, finished("stop"))...)
			if got.err != nil || got.finish.FinishReason != "tool_calls" || len(got.calls) != len(test.want) {
				t.Fatalf("got %s", got.summary())
			}
			for i, call := range got.calls {
				id := call.ID
				if strings.HasPrefix(id, "call_") && len(id) > 20 {
					id = "call_"
				}
				if have := fmt.Sprintf("%s %s %s", id, call.Name, call.arguments); have != test.want[i] || !call.ended {
					t.Errorf("call %d: %q, ended %v; expected %q", i, have, call.ended, test.want[i])
				}
			}
		})
	}
}

func TestMadeUpToolIDsDiffer(t *testing.T) {
	got := streamed(t, testCall(t, "compatible"), tools(piece("", "", "f", "{}")), tools(piece("", "", "f", "{}")),
		finished("stop"))
	if len(got.calls) != 2 || got.calls[0].ID == got.calls[1].ID {
		t.Errorf("calls %+v", got.calls)
	}
}

// Arguments reach the host as they come, not at the end.
func TestToolArgumentsStream(t *testing.T) {
	got := streamed(t, testCall(t, "openai"), tools(piece("0", "a", "f", "")), tools(piece("0", "", "", "[")),
		tools(piece("0", "", "", "1")))
	if len(got.calls) != 1 || got.calls[0].pieces != 2 || got.calls[0].ended || got.complete {
		t.Errorf("got %s", got.summary())
	}
}

func TestToolSignature(t *testing.T) {
	got := streamed(t, testCall(t, "gemini-openai"),
		delta(`"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{}"},"extra_content":{"google":{"thought_signature":"s"}}}]`), finished("stop"))
	if len(got.calls) != 1 || string(got.calls[0].Extra) != `{"extra_content":{"google":{"thought_signature":"s"}}}` {
		t.Errorf("calls %+v", got.calls)
	}
}

// Every piece looks for its own among what is there: without a bound, one event could keep a processor busy for hours.
func TestTooManyPartsAreRefused(t *testing.T) {
	calls, choices, details := make([]string, 2*maxParts), make([]string, 2*maxParts), make([]string, 50*maxParts)
	for i := range calls {
		calls[i] = piece(fmt.Sprint(i), fmt.Sprint("id", i), "f", "{}")
		choices[i] = fmt.Sprintf(`{"index":%d,"delta":{"content":"x"}}`, i)
	}
	for i := range details {
		details[i] = fmt.Sprintf(`{"type":"reasoning.text","index":%d,"text":"x"}`, i)
	}
	oneByOne := make([]string, len(calls))
	for i, call := range calls {
		oneByOne[i] = tools(call)
	}
	tests := map[string][]string{
		"calls at once":    {tools(calls...)},
		"calls one by one": oneByOne,
		"choices":          {`{"choices":[` + strings.Join(choices, ",") + `]}`},
	}
	for name, events := range tests {
		got := streamed(t, testCall(t, "openai"), events...)
		var failed *llm.Error
		if !errors.As(got.err, &failed) || failed.Kind != llm.KindLimit {
			t.Errorf("%s: %v", name, got.err)
		}
	}
	if got := streamed(t, testCall(t, "openai"), tools(calls[:maxParts]...), finished("stop")); got.err != nil {
		t.Errorf("%d calls: %v", maxParts, got.err)
	}
	got := streamed(t, testCall(t, "openai"), delta(`"reasoning_details":[`+strings.Join(details, ",")+`]`), finished("stop"))
	if got.err != nil {
		t.Errorf("%d details: %v", len(details), got.err)
	}
}
