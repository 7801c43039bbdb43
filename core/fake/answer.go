package fake

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode"
)

// answer is what the model says, before anyone decides how to send it.
type answer struct {
	id      string
	model   string
	created int64

	reasoning []string // deltas; of text, all of them repeat times
	text      []string
	repeat    int
	refusal   []string
	tools     []Tool
	toolPiece int

	finish  string
	usage   json.RawMessage // nil: not reported
	choices int             // how many times all of this is said
}

func compose(script *Script, asked *question, request int) (*answer, error) {
	a := &answer{
		id: script.ID, model: script.Model, created: time.Now().Unix(), choices: asked.choices(),
		reasoning: words(script.Reasoning), text: script.Pieces, repeat: int(optional(script.Repeat, 1)),
		refusal: words(script.Refusal), toolPiece: script.ToolPiece, finish: script.FinishReason,
	}
	if script.Text != nil {
		a.text = words(*script.Text)
	}
	if script.echoes() {
		text, err := asked.echo()
		if err != nil {
			return nil, err
		}
		a.text = words(text)
	}
	for i, tool := range script.Tools {
		if tool.ID == "" {
			tool.ID = fmt.Sprintf("call_%d", i+1)
		}
		a.tools = append(a.tools, tool)
	}
	a.id = cmp.Or(a.id, fmt.Sprintf("chatcmpl-fake-%d", request))
	a.model = cmp.Or(a.model, asked.Model, "echo")
	if len(a.tools) > 0 {
		a.finish = cmp.Or(a.finish, "tool_calls")
	}
	a.finish = cmp.Or(a.finish, "stop")
	a.usage = a.count(script.Usage, asked.words())
	return a, nil
}

// count reports the usage: what the script says, or a token for each word of the prompt and each delta of the answer.
func (a *answer) count(scripted json.RawMessage, prompt int) json.RawMessage {
	switch string(scripted) {
	case "false":
		return nil
	case "":
	default:
		return scripted
	}
	completion := len(a.reasoning) + len(a.text)*a.repeat + len(a.refusal)
	for _, tool := range a.tools {
		completion += 1 + len(strings.Fields(string(tool.Arguments)))
	}
	completion *= a.choices
	return marshal(usage{
		Prompt: prompt, Completion: completion, Total: prompt + completion,
		CompletionDetails: usageDetails{Reasoning: len(a.reasoning) * a.choices},
	})
}

type usage struct {
	Prompt            int          `json:"prompt_tokens"`
	Completion        int          `json:"completion_tokens"`
	Total             int          `json:"total_tokens"`
	PromptDetails     cacheDetails `json:"prompt_tokens_details"`
	CompletionDetails usageDetails `json:"completion_tokens_details"`
}

type cacheDetails struct {
	Cached int `json:"cached_tokens"`
}

type usageDetails struct {
	Reasoning int `json:"reasoning_tokens"`
}

// words cuts a text before each of its words; the white space goes with the word that follows it.
func words(text string) []string {
	var cut []string
	start, space := 0, true
	for i, r := range text {
		if unicode.IsSpace(r) && !space {
			cut = append(cut, text[start:i])
			start = i
		}
		space = unicode.IsSpace(r)
	}
	if start < len(text) {
		cut = append(cut, text[start:])
	}
	return cut
}

// completion is the whole answer as one JSON text.
//
// https://platform.openai.com/docs/api-reference/chat/object
func (a *answer) completion() []byte {
	said := completionMessage{Role: "assistant", Reasoning: strings.Join(a.reasoning, ""), Annotations: []string{}}
	if text := strings.Repeat(strings.Join(a.text, ""), a.repeat); text != "" || len(a.tools)+len(a.refusal) == 0 {
		said.Content = &text
	}
	if refusal := strings.Join(a.refusal, ""); refusal != "" {
		said.Refusal = &refusal
	}
	for _, tool := range a.tools {
		said.ToolCalls = append(said.ToolCalls, toolCall{
			ID: tool.ID, Type: "function", Function: toolFunction{Name: tool.Name, Arguments: string(tool.Arguments)},
		})
	}
	whole := completion{
		ID: a.id, Object: "chat.completion", Created: a.created, Model: a.model, Fingerprint: fingerprint, Usage: a.usage,
	}
	for i := range a.choices {
		whole.Choices = append(whole.Choices, completionChoice{Index: i, Message: said, FinishReason: a.finish})
	}
	return marshal(whole)
}

type completion struct {
	ID          string             `json:"id"`
	Object      string             `json:"object"`
	Created     int64              `json:"created"`
	Model       string             `json:"model"`
	Choices     []completionChoice `json:"choices"`
	Usage       json.RawMessage    `json:"usage,omitempty"`
	Fingerprint string             `json:"system_fingerprint"`
}

type completionChoice struct {
	Index        int               `json:"index"`
	Message      completionMessage `json:"message"`
	Logprobs     *struct{}         `json:"logprobs"`
	FinishReason string            `json:"finish_reason"`
}

type completionMessage struct {
	Role        string     `json:"role"`
	Content     *string    `json:"content"`
	Reasoning   string     `json:"reasoning_content,omitempty"`
	Refusal     *string    `json:"refusal"`
	ToolCalls   []toolCall `json:"tool_calls,omitempty"`
	Annotations []string   `json:"annotations"`
}

// toolCall is a call in a whole answer, and in a stream the delta that opens it, which has an index.
type toolCall struct {
	Index    *int         `json:"index,omitempty"`
	ID       string       `json:"id,omitempty"`
	Type     string       `json:"type,omitempty"`
	Function toolFunction `json:"function"`
}

type toolFunction struct {
	Name      string `json:"name,omitempty"`
	Arguments string `json:"arguments"`
}

const fingerprint = "fp_fake"

// marshal writes JSON as vendors do, without escaping HTML. The types here cannot fail.
func marshal(value any) []byte {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		panic(err)
	}
	return bytes.TrimSuffix(text.Bytes(), []byte("\n"))
}
