package provider

import (
	"encoding/json"
	"time"

	"pyagent/core/llm"
)

// ollamaDecoder translates one answer of /api/chat. Its lines and its one-shot body are the same object.
type ollamaDecoder struct {
	lineDecoder
	reason   string // done_reason
	out      func(llm.Event)
	tee      func(llm.Event) // keeps reasoning and passes everything on to out
	thinking []byte
}

func newOllamaDecoder(call Call) *ollamaDecoder {
	d := &ollamaDecoder{lineDecoder: newLineDecoder(call, templatePaths{
		text: []textPath{
			{llm.EventText, []string{"message", "content"}},
			{llm.EventReasoning, []string{"message", "thinking"}},
		},
		noise: []string{"created_at"}, // another in each line; that of the first counts
	})}
	d.read, d.tee = d.readAnswer, d.keep
	return d
}

// Event translates one line.
func (d *ollamaDecoder) Event(_ string, data []byte, emit func(llm.Event)) (bool, error) {
	d.out = emit
	return d.next(data, d.tee)
}

// Body translates a one-shot answer.
func (d *ollamaDecoder) Body(body []byte, emit func(llm.Event)) error {
	d.out = emit
	return d.body(body, d.tee)
}

func (d *ollamaDecoder) keep(event llm.Event) {
	if event.Kind == llm.EventReasoning {
		d.thinking = append(d.thinking, event.Text...)
		d.held += len(event.Text)
	}
	d.out(event)
}

// ollamaAnswer is one line, or the body.
type ollamaAnswer struct {
	Model, CreatedAt, DoneReason string

	Message    *ollamaMessage
	Done       bool
	Prompt     loose
	Completion loose
	Logprobs   json.RawMessage
	Error      json.RawMessage
}

type ollamaMessage struct {
	Content, Thinking string

	ToolCalls []ollamaToolCall
	Images    []json.RawMessage
}

type ollamaToolCall struct {
	ID, Name  string
	Arguments json.RawMessage
}

func readOllama(data []byte) (a ollamaAnswer) {
	llm.Members(data, func(key, value []byte) {
		switch string(key) {
		case "model":
			readText(&a.Model, value)
		case "created_at":
			readText(&a.CreatedAt, value)
		case "message":
			a.Message = readOllamaMessage(value)
		case "response": // what /api/generate, the route without a conversation, calls the text
			a.Message = &ollamaMessage{Content: llm.Unquote(value)}
		case "done":
			a.Done = string(value) == "true"
		case "done_reason":
			readText(&a.DoneReason, value)
		case "prompt_eval_count":
			a.Prompt.read(value)
		case "eval_count":
			a.Completion.read(value)
		case "logprobs":
			a.Logprobs = kept(value)
		case "error":
			a.Error = kept(value)
		}
	})
	return a
}

func readOllamaMessage(data []byte) *ollamaMessage {
	if data[0] != '{' {
		return nil
	}
	m := new(ollamaMessage)
	llm.Members(data, func(key, value []byte) {
		switch string(key) {
		case "content":
			readText(&m.Content, value)
		case "thinking":
			readText(&m.Thinking, value)
		case "tool_calls":
			m.ToolCalls = list(value, readOllamaCall)
		case "images":
			m.Images = list(value, kept)
		}
	})
	return m
}

func readOllamaCall(data []byte) (c ollamaToolCall) {
	llm.Members(data, func(key, value []byte) {
		switch string(key) {
		case "id":
			readText(&c.ID, value)
		case "function":
			llm.Members(value, func(key, value []byte) {
				switch string(key) {
				case "name":
					readText(&c.Name, value)
				case "arguments":
					c.Arguments = kept(value)
				}
			})
		}
	})
	return c
}

func (d *ollamaDecoder) readAnswer(data []byte) error {
	a := readOllama(data)
	if hasError(a.Error) {
		return vendorError(d.call, 200, data)
	}
	if d.whole && a.Message == nil {
		return llm.Errorf(llm.KindParse, "the answer has no message; it reads %s", excerpt(data))
	}
	d.identify(&a)
	if a.Message != nil {
		d.message(a.Message)
	}
	if !absent(a.Logprobs) {
		d.emit(llm.Event{Kind: llm.EventLogprobs, Data: newObject(nil).member("content", a.Logprobs)})
	}
	d.count(llm.Usage{PromptTokens: firstCount(a.Prompt), CompletionTokens: firstCount(a.Completion)})
	d.note(&d.reason, a.DoneReason)
	d.done = a.Done
	return nil
}

func (d *ollamaDecoder) identify(a *ollamaAnswer) {
	d.note(&d.finish.Model, a.Model)
	if d.finish.Created == 0 && a.CreatedAt != "" {
		d.effects++
		if at, err := time.Parse(time.RFC3339Nano, a.CreatedAt); err == nil {
			d.finish.Created = float64(at.UnixNano()) / 1e9
		}
	}
	if a.Model != "" {
		d.start()
	}
}

func (d *ollamaDecoder) message(m *ollamaMessage) {
	d.text(llm.EventReasoning, m.Thinking)
	d.text(llm.EventText, m.Content)
	for _, call := range m.ToolCalls {
		d.toolCall(call.ID, call.Name, argumentsText(call.Arguments), nil)
	}
	for _, image := range m.Images {
		if data := llm.Unquote(image); data != "" {
			url := llm.AppendString(nil, "data:"+imageType(data)+";base64,"+data)
			d.emit(llm.Event{Kind: llm.EventPart, Data: wrap("image_url", newObject(nil).member("url", url))})
		}
	}
}

// imageType knows an image by how its base64 begins.
func imageType(data string) string {
	for _, known := range []struct{ begins, mime string }{
		{"/9j/", "image/jpeg"}, {"R0lG", "image/gif"}, {"UklG", "image/webp"},
	} {
		if len(data) > 4 && data[:4] == known.begins {
			return known.mime
		}
	}
	return "image/png"
}

// End sums up. The reasoning that led to tool calls is delivered once more as a detail, which returns with the message: the
// model goes on from it when the results are there. Nothing else wants it back.
func (d *ollamaDecoder) End(emit func(llm.Event)) (llm.Finish, bool) {
	d.sink = emit
	if d.done && d.calls > 0 && len(d.thinking) > 0 {
		o := newObject(nil)
		o.text("type", "thinking")
		o.text("thinking", string(d.thinking))
		d.emit(llm.Event{Kind: llm.EventDetail, Data: json.RawMessage(o.end())})
	}
	d.thinking = nil
	return d.conclude(emit, d.reason)
}
