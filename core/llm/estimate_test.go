package llm

import "testing"

func TestEstimateTokens(t *testing.T) {
	for _, test := range []struct {
		name, request  string
		prompt, answer int64
	}{
		{"a text", `{"op":"generate","model":"m","messages":[{"role":"user","content":"12345678"}]}`, 2, 0},
		{"an answer that is bounded", `{"op":"generate","model":"m","max_tokens":10,"n":3,"messages":[{"role":"user","content":"1"}]}`, 1, 30},
		{"a picture", `{"op":"generate","model":"m","messages":[{"role":"user","content":[{"type":"text","text":"1234"},` +
			`{"type":"image_url","image_url":{"url":"https://h/a.png"}}]}]}`, 1001, 0},
		{"a call and its result", `{"op":"generate","model":"m","messages":[{"role":"assistant","tool_calls":[{"id":"1","type":"function",` +
			`"function":{"name":"add1","arguments":"{}  "}}]},{"role":"tool","tool_call_id":"1","content":"1234"}]}`, 3, 0},
		{"inputs", `{"op":"embed","model":"m","input":["1234","12345678"]}`, 3, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			request, failed := DecodeRequest([]byte(test.request))
			if failed != nil {
				t.Fatal(failed)
			}
			if prompt, answer := request.EstimateTokens(); prompt != test.prompt || answer != test.answer {
				t.Errorf("got %d and %d, wanted %d and %d", prompt, answer, test.prompt, test.answer)
			}
		})
	}
}
