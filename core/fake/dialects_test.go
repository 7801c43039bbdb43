package fake

import (
	"encoding/json"
	"strings"
	"testing"
)

// What a server says in the words of Gemini or of Ollama: the deltas of a stream add up to the answer that comes whole.
func TestGeminiAndOllama(t *testing.T) {
	const script = `{"reasoning":"let me see","pieces":["two"," words"],"repeat":2,"tools":[{"name":"add","arguments":{"a":1}},` +
		`{"name":"odd","arguments":"{\"a\":"}],"usage":{"prompt_tokens":3,"completion_tokens":9,"total_tokens":12,` +
		`"completion_tokens_details":{"reasoning_tokens":2}}}`
	const gemini = `{"contents":[{"role":"user","parts":[{"text":"one"}]}]}`
	const ollama = `{"model":"m","messages":[{"role":"user","content":"one"}],"stream":`
	everywhere(t, func(t *testing.T, s *site) {
		for name, said := range map[string]*added{
			"gemini, streamed": addGemini(t, strings.ReplaceAll(s.answerTo(t, "/v1beta/models/m:streamGenerateContent?alt=sse", script, gemini), "data: ", "")),
			"gemini, whole":    addGemini(t, s.answerTo(t, "/v1beta/models/m:generateContent", script, gemini)),
			"ollama, streamed": addOllama(t, s.answerTo(t, "/api/chat", script, ollama+"true}")),
			"ollama, whole":    addOllama(t, s.answerTo(t, "/api/chat", script, ollama+"false}")),
		} {
			want := added{"let me see", "two wordstwo words", `add{"a":1}odd{}`, said.end, 3, said.completion, "m"}
			if *said != want {
				t.Errorf("%s: got %+v", name, *said)
			}
			if end := strings.ToLower(said.end); end != "stop" {
				t.Errorf("%s: ended by %q", name, end)
			}
			if tokens := map[bool]int{true: 7, false: 9}[name[0] == 'g']; said.completion != tokens {
				t.Errorf("%s: %d tokens", name, said.completion)
			}
		}
		if text := s.answerTo(t, "/models/m:generateContent", `{"finish_reason":"length"}`, gemini); !strings.Contains(text, `"MAX_TOKENS"`) || !strings.Contains(text, `"text":"one"`) {
			t.Errorf("got %s", text)
		}
		if text := s.answerTo(t, "/api/chat", `{"after":0,"end":"error"}`, ollama+"true}"); !strings.HasPrefix(text, `{"error":`) || strings.Count(text, "\n") != 1 {
			t.Errorf("got %q", text)
		}
	})
}

// added is what the lines of an answer say together.
type added struct {
	reasoning, text, tools, end string
	prompt, completion          int
	model                       string
}

func addGemini(t *testing.T, answer string) *added {
	sum := new(added)
	for decoder := json.NewDecoder(strings.NewReader(answer)); decoder.More(); {
		var shape struct {
			ModelVersion string
			Candidates   []struct {
				FinishReason string
				Content      struct {
					Parts []struct {
						Text         string
						Thought      bool
						FunctionCall *struct {
							Name string
							Args json.RawMessage
						}
					}
				}
			}
			UsageMetadata struct{ PromptTokenCount, CandidatesTokenCount int }
		}
		if err := decoder.Decode(&shape); err != nil {
			t.Fatal(err)
		}
		for _, part := range shape.Candidates[0].Content.Parts {
			switch {
			case part.FunctionCall != nil:
				sum.tools += part.FunctionCall.Name + string(part.FunctionCall.Args)
			case part.Thought:
				sum.reasoning += part.Text
			default:
				sum.text += part.Text
			}
		}
		sum.end, sum.model = shape.Candidates[0].FinishReason, shape.ModelVersion
		sum.prompt, sum.completion = shape.UsageMetadata.PromptTokenCount, shape.UsageMetadata.CandidatesTokenCount
	}
	return sum
}

func addOllama(t *testing.T, answer string) *added {
	sum := new(added)
	for decoder := json.NewDecoder(strings.NewReader(answer)); decoder.More(); {
		var shape struct {
			Model   string
			Message struct {
				Content, Thinking string
				ToolCalls         []struct {
					Function struct {
						Name      string
						Arguments json.RawMessage
					}
				} `json:"tool_calls"`
			}
			End        string `json:"done_reason"`
			Prompt     int    `json:"prompt_eval_count"`
			Completion int    `json:"eval_count"`
		}
		if err := decoder.Decode(&shape); err != nil {
			t.Fatal(err)
		}
		sum.text += shape.Message.Content
		sum.reasoning += shape.Message.Thinking
		for _, call := range shape.Message.ToolCalls {
			sum.tools += call.Function.Name + string(call.Function.Arguments)
		}
		sum.end, sum.model = shape.End, shape.Model
		sum.prompt, sum.completion = shape.Prompt, shape.Completion
	}
	return sum
}
