package fake

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"testing"
)

func TestEchoStreams(t *testing.T) {
	everywhere(t, func(t *testing.T, s *site) {
		s.T = t
		response, text := s.ask(body(true, ""))
		if got := response.Header.Get("Content-Type"); got != "text/event-stream; charset=utf-8" {
			t.Errorf("content type %q", got)
		}
		events, done := s.parse(text)
		if !done || len(events) != 6 {
			t.Fatalf("got %d events, done %v: %s", len(events), done, text)
		}
		if role := events[0].Choices[0].Delta; role.Role != "assistant" || role.Content == nil || *role.Content != "" {
			t.Errorf("the first event is %+v", role)
		}
		for i, want := range []string{"one", " two", " three"} {
			if got := content(events[i+1 : i+2]); got != want {
				t.Errorf("delta %d is %q, want %q", i, got, want)
			}
		}
		if finish := events[4].Choices[0].FinishReason; finish == nil || *finish != "stop" {
			t.Errorf("the finish event has reason %v", finish)
		}
		last := events[5]
		if last.Choices == nil || len(last.Choices) != 0 || last.Usage == nil || last.Usage.Prompt != 3 ||
			last.Usage.Completion != 3 || last.Usage.Total != 6 {
			t.Errorf("the usage event is %+v", last)
		}
		for i, event := range events {
			if event.Object != "chat.completion.chunk" || event.Model != "m" || event.ID != events[0].ID || event.ID == "" {
				t.Errorf("event %d: %+v", i, event)
			}
		}
		if seen := s.last(stateFinished); seen.Deltas != 3 || seen.Ended == nil || *seen.Ended < seen.Started {
			t.Errorf("the log has %+v", seen)
		}
	})
}

func TestUsageComesOnlyWhenAskedFor(t *testing.T) {
	s := overPipe(t, Options{})
	_, text := s.ask(`{"messages":[{"role":"user","content":"hi"}],"stream":true}`)
	if strings.Contains(text, "usage") || !strings.HasSuffix(text, "data: [DONE]\n\n") {
		t.Errorf("got %s", text)
	}
	_, text = s.ask(body(true, `{"usage":{"prompt_tokens":9,"x":[1]}}`))
	if !strings.Contains(text, `"choices":[],"usage":{"prompt_tokens":9,"x":[1]}}`) {
		t.Errorf("scripted usage: %s", text)
	}
	_, text = s.ask(body(true, `{"usage":false}`))
	if strings.Contains(text, `"usage":{`) || !strings.Contains(text, `"usage":null`) {
		t.Errorf("usage false: %s", text)
	}
	if _, text = s.ask(body(false, `{"usage":false}`)); strings.Contains(text, "usage") {
		t.Errorf("usage false, one shot: %s", text)
	}
}

func TestOneShot(t *testing.T) {
	everywhere(t, func(t *testing.T, s *site) {
		s.T = t
		script := `{"text":"<b> & ü","reasoning":"hm hm","finish_reason":"length","model":"x","id":"y"}`
		response, text := s.ask(body(false, script))
		var got struct {
			ID, Object, Model string
			Created           int64
			Choices           []struct {
				Index        int
				Message      map[string]any
				FinishReason string `json:"finish_reason"`
			}
			Usage usage
		}
		if err := json.Unmarshal([]byte(text), &got); err != nil {
			t.Fatalf("%v in %s", err, text)
		}
		if got.ID != "y" || got.Object != "chat.completion" || got.Model != "x" || got.Created == 0 ||
			len(got.Choices) != 1 || got.Choices[0].FinishReason != "length" ||
			got.Choices[0].Message["content"] != "<b> & ü" || got.Choices[0].Message["role"] != "assistant" ||
			got.Choices[0].Message["reasoning_content"] != "hm hm" {
			t.Errorf("got %s", text)
		}
		if got.Usage != (usage{Prompt: 3, Completion: 5, Total: 8, CompletionDetails: usageDetails{Reasoning: 2}}) {
			t.Errorf("usage %+v", got.Usage)
		}
		if !strings.Contains(text, `"<b> & ü"`) {
			t.Errorf("HTML is escaped: %s", text)
		}
		if response.Header.Get("Content-Type") != "application/json" || response.ContentLength != int64(len(text)) ||
			response.Header.Get("X-Request-Id") == "" {
			t.Errorf("header %v", response.Header)
		}
	})
}

func TestToolCalls(t *testing.T) {
	s := overPipe(t, Options{})
	script := `{"tools":[{"id":"a","name":"f","arguments":{"x": "ü"}},{"name":"g","arguments":"{bad"}],"tool_piece":4}`
	_, text := s.ask(body(true, script))
	events, _ := s.parse(text)
	var arguments [2]string
	var opened []toolCall
	for _, event := range events[1:] {
		for _, choice := range event.Choices {
			for _, call := range choice.Delta.ToolCalls {
				if call.ID != "" {
					opened = append(opened, call)
				}
				arguments[*call.Index] += call.Function.Arguments
			}
		}
	}
	if arguments != [2]string{`{"x":"ü"}`, "{bad"} {
		t.Errorf("arguments %q", arguments)
	}
	if len(opened) != 2 || opened[0].ID != "a" || opened[0].Type != "function" ||
		opened[0].Function != (toolFunction{"f", ""}) || opened[1].ID != "call_2" || opened[1].Function.Name != "g" {
		t.Errorf("opened %+v", opened)
	}
	if events[0].Choices[0].Delta.Content != nil || *events[len(events)-2].Choices[0].FinishReason != "tool_calls" {
		t.Errorf("role or finish: %s", text)
	}
	_, text = s.ask(body(false, script))
	want := `"content":null,"refusal":null,"tool_calls":[{"id":"a","type":"function","function":{"name":"f",` +
		`"arguments":"{\"x\":\"ü\"}"}},{"id":"call_2","type":"function","function":{"name":"g","arguments":"{bad"}}]`
	if !strings.Contains(text, want) || !strings.Contains(text, `"finish_reason":"tool_calls"`) {
		t.Errorf("one shot: %s", text)
	}
}

func TestRefusal(t *testing.T) {
	s := overPipe(t, Options{})
	_, text := s.ask(body(true, `{"refusal":"I cannot"}`))
	if !strings.Contains(text, `"delta":{"refusal":"I"}`) || !strings.Contains(text, `"delta":{"refusal":" cannot"}`) {
		t.Errorf("stream: %s", text)
	}
	_, text = s.ask(body(false, `{"refusal":"I cannot"}`))
	if !strings.Contains(text, `"content":null,"refusal":"I cannot"`) ||
		!strings.Contains(text, `"finish_reason":"stop"`) {
		t.Errorf("one shot: %s", text)
	}
}

func TestSeveralChoices(t *testing.T) {
	s := overPipe(t, Options{})
	request := func(stream string) string {
		return `{"n":3,"messages":[{"role":"user","content":"a b"}],` + stream + `}`
	}
	_, text := s.ask(request(`"stream":true,"stream_options":{"include_usage":true}`))
	events, done := s.parse(text)
	var texts, finished [3]string
	for _, event := range events {
		for _, choice := range event.Choices {
			if choice.Delta.Content != nil {
				texts[choice.Index] += *choice.Delta.Content
			}
			if choice.FinishReason != nil {
				finished[choice.Index] += *choice.FinishReason
			}
		}
	}
	if !done || texts != [3]string{"a b", "a b", "a b"} || finished != [3]string{"stop", "stop", "stop"} {
		t.Errorf("got %q, %q, done %v", texts, finished, done)
	}
	if used := events[len(events)-1].Usage; used == nil || used.Completion != 6 {
		t.Errorf("usage %+v", used)
	}
	_, text = s.ask(request(`"stream":false`))
	if strings.Count(text, `"content":"a b"`) != 3 || !strings.Contains(text, `"index":2`) {
		t.Errorf("one shot: %s", text)
	}
}

func TestEchoOf(t *testing.T) {
	tests := map[string]struct{ messages, want string }{
		"the last user message": {`[{"role":"user","content":"a"},{"role":"user","content":"b"},` +
			`{"role":"assistant","content":"c"}]`, "b"},
		"the last of all": {`[{"role":"system","content":"a"},{"role":"developer","content":"b"}]`, "b"},
		"text parts": {`[{"role":"user","content":[{"type":"text","text":"a "},` +
			`{"type":"image_url","image_url":{"url":"x"}},"b ",{"type":"text","text":"c"}]}]`, "a b c"},
		"nothing":  {`[{"role":"user","content":null}]`, ""},
		"no value": {`[{"role":"user"}]`, ""},
	}
	s := overPipe(t, Options{})
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := *s
			s.T = t
			_, text := s.ask(`{"messages":` + test.messages + `}`)
			if quoted := string(marshal(test.want)); !strings.Contains(text, `"content":`+quoted+`,`) {
				t.Errorf("got %s, want %s", text, quoted)
			}
		})
	}
}

func TestPiecesRepeatInWritesOfSeveral(t *testing.T) {
	everywhere(t, func(t *testing.T, s *site) {
		s.T = t
		script := `{"pieces":["a","bc",""],"repeat":5,"per_write":4}`
		_, text := s.ask(body(true, script))
		events, _ := s.parse(text)
		if got := content(events); got != strings.Repeat("abc", 5) || len(events) != 1+15+2 {
			t.Errorf("%d events with %q", len(events), got)
		}
		if used := events[len(events)-1].Usage; used.Completion != 15 {
			t.Errorf("usage %+v", used)
		}
		if _, text = s.ask(body(false, script)); !strings.Contains(text, `"content":"abcabcabcabcabc"`) {
			t.Errorf("one shot: %s", text)
		}
	})
}

func TestWhereTheScriptComesFrom(t *testing.T) {
	text := func(s string) *Script { return &Script{Text: &s} }
	s := overPipe(t, Options{Script: text("of-server")})
	inPath := "/script/" + url.PathEscape(`{"text":"of/path"}`) + "/v1/chat/completions"
	tests := []struct{ name, path, header, body, want string }{
		{"server", "/v1/chat/completions", "", "", "of-server"},
		{"path", inPath, "", "", "of/path"},
		{"header", inPath, `{"text":"of-header"}`, "", "of-header"},
		{"body", inPath, `{"text":"of-header"}`, `{"text":"of-body"}`, "of-body"},
		{"null in the body", inPath, "", `null`, "of/path"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := s.answerTo(t, test.path, test.header, body(false, test.body))
			if !strings.Contains(got, `"content":"`+test.want+`"`) {
				t.Errorf("got %s, want %q", got, test.want)
			}
		})
	}
	refused := []struct{ name, path, header, body string }{
		{"path without more", "/script/%7B%7D", "", ""},
		{"bad percent", "/script/%7B%22text%22:%22%25zz%22%7D/v1/chat/completions", "{", ""},
		{"bad JSON in the path", "/script/x/v1/chat/completions", "", ""},
		{"bad header", "/v1/chat/completions", "{", ""},
		{"bad body", "/v1/chat/completions", "", `{"x":1}`},
	}
	for _, test := range refused {
		t.Run(test.name, func(t *testing.T) {
			got := s.answerTo(t, test.path, test.header, body(false, test.body))
			if !strings.Contains(got, "the fake script") || !strings.Contains(got, "invalid_request_error") {
				t.Errorf("got %s", got)
			}
		})
	}
}

func TestFailuresEndAfterTimes(t *testing.T) {
	s := overPipe(t, Options{})
	script := func(key string) string { return body(false, `{"status":503,"times":2,"key":"`+key+`","text":"fine"}`) }
	var statuses []int
	for _, key := range []string{"a", "a", "b", "a", "b", "b"} {
		response, text := s.ask(script(key))
		statuses = append(statuses, response.StatusCode)
		if response.StatusCode == 200 && !strings.Contains(text, `"content":"fine"`) {
			t.Errorf("the normal answer is %s", text)
		}
	}
	if want := []int{503, 503, 503, 200, 503, 200}; !slices.Equal(statuses, want) {
		t.Errorf("got %v, want %v", statuses, want)
	}
}
