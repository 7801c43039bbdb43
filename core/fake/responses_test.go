package fake

import (
	"encoding/json"
	"strings"
	"testing"
)

// The deltas of a streamed answer add up to the answer that its last event and a one-shot answer have.
func TestResponses(t *testing.T) {
	const script = `{"reasoning":"let me see","pieces":["two"," words"],"repeat":2,"tools":[{"name":"add","arguments":"{\"a\":1}"}]}`
	const ask = `{"model":"m","input":[{"role":"user","content":[{"type":"input_text","text":"one two three"}]},{"type":"function_call_output","output":"x"}]`
	type item struct {
		Type, Arguments  string
		Content, Summary []struct{ Text string }
	}
	type whole struct {
		Status string
		Output []item
		Usage  struct {
			Input  int `json:"input_tokens"`
			Output int `json:"output_tokens"`
		}
	}
	everywhere(t, func(t *testing.T, s *site) {
		texts := map[string]string{}
		var last whole
		for _, event := range strings.Split(strings.TrimSpace(s.answerTo(t, "/v1/responses", script, ask+`,"stream":true}`)), "\n\n") {
			name, data, _ := strings.Cut(event, "\ndata: ")
			var shape struct {
				Type, Delta string
				Response    whole
			}
			if err := json.Unmarshal([]byte(data), &shape); err != nil || name != "event: "+shape.Type {
				t.Fatalf("%v: %s", err, event)
			}
			texts[shape.Type] += shape.Delta
			last = shape.Response
		}
		var once whole
		if err := json.Unmarshal([]byte(s.answerTo(t, "/v1/responses", script, ask+`}`)), &once); err != nil {
			t.Fatal(err)
		}
		for _, answer := range []whole{last, once} {
			if answer.Status != "completed" || len(answer.Output) != 3 || answer.Usage.Input != 3 || answer.Usage.Output != 9 {
				t.Fatalf("got %+v", answer)
			}
			if got := answer.Output[0].Summary[0].Text; got != "let me see" || got != texts["response.reasoning_summary_text.delta"] {
				t.Errorf("reasoning %q, %q", got, texts)
			}
			if got := answer.Output[1].Content[0].Text; got != "two wordstwo words" || got != texts["response.output_text.delta"] {
				t.Errorf("text %q, %q", got, texts)
			}
			if got := answer.Output[2].Arguments; got != `{"a":1}` || got != texts["response.function_call_arguments.delta"] {
				t.Errorf("arguments %q, %q", got, texts)
			}
		}
		if text := s.answerTo(t, "/v1/responses", `{"finish_reason":"length"}`, `{"input":"again","stream":true}`); !strings.Contains(text, `"delta":"again"`) ||
			!strings.Contains(text, "event: response.incomplete") || !strings.Contains(text, `"max_output_tokens"`) {
			t.Errorf("got %s", text)
		}
	})
}
