package provider

import (
	"encoding/json"

	"pyagent/core/llm"
)

// chatMessage is a delta, or a whole message.
type chatMessage struct {
	Content          json.RawMessage // a string, or a list of parts
	Refusal          string
	Reasoning        string
	ReasoningContent string
	ReasoningDetails []json.RawMessage
	ToolCalls        []chatToolCall
	FunctionCall     *chatFunction
	Annotations      []json.RawMessage
	Images           []json.RawMessage
	Audio            json.RawMessage
	ExtraContent     json.RawMessage
}

// readMessage returns nil for anything but an object.
func readMessage(data []byte) *chatMessage {
	if data[0] != '{' {
		return nil
	}
	m := new(chatMessage)
	llm.Members(data, func(key, value []byte) {
		switch string(key) {
		case "content":
			m.Content = value
			if !quoted(value) { // parts are passed on as they are
				m.Content = kept(value)
			}
		case "refusal":
			readText(&m.Refusal, value)
		case "reasoning":
			readText(&m.Reasoning, value)
		case "reasoning_content":
			readText(&m.ReasoningContent, value)
		case "reasoning_details":
			m.ReasoningDetails = list(value, kept)
		case "tool_calls":
			m.ToolCalls = list(value, readToolCall)
		case "function_call":
			m.FunctionCall = readFunction(value)
		case "annotations":
			m.Annotations = list(value, kept)
		case "images":
			m.Images = list(value, kept)
		case "audio":
			m.Audio = kept(value)
		case "extra_content":
			m.ExtraContent = kept(value)
		}
	})
	return m
}

// choice decodes one of the parallel answers of a chunk.
func (d *chatDecoder) choice(c *chatChoice, position int) error {
	index := c.Index.index(position)
	state := d.state(index)
	if c.Message != nil {
		d.message(state, c.Message)
	}
	if !absent(c.Logprobs) {
		d.emit(llm.Event{Kind: llm.EventLogprobs, Index: uint16(index), Data: c.Logprobs})
	}
	if c.FinishReason != "" {
		state.raw = c.FinishReason
		d.effects++
	}
	d.count(c.Usage)
	if hasError(c.Error) {
		return vendorError(d.call, 200, c.Error)
	}
	return nil
}

func (d *chatDecoder) message(state *choiceState, m *chatMessage) {
	parts := contentParts(m.Content)
	d.reasoning(state, m, parts)
	if quoted(m.Content) {
		d.content(state, llm.Unquote(m.Content))
	}
	for _, part := range parts {
		d.part(state, part)
	}
	if m.Refusal != "" {
		d.sources++
		d.text(llm.EventRefusal, state.index, m.Refusal)
	}
	for _, item := range m.ReasoningDetails {
		d.effects++
		d.held += len(item)
		d.details.add(item, d.whole)
	}
	if !absent(m.ExtraContent) {
		d.emit(llm.Event{Kind: llm.EventDetail, Index: uint16(state.index),
			Data: wrap("extra_content", m.ExtraContent)})
	}
	for i := range m.ToolCalls {
		d.toolDelta(state, &m.ToolCalls[i], i, len(m.ToolCalls))
	}
	if m.FunctionCall != nil {
		d.toolDelta(state, &chatToolCall{Function: m.FunctionCall}, 0, 1)
	}
	for _, item := range m.Images {
		d.emit(llm.Event{Kind: llm.EventPart, Index: uint16(state.index), Data: item})
	}
	if !absent(m.Audio) {
		d.emit(llm.Event{Kind: llm.EventPart, Index: uint16(state.index), Data: wrap("audio", m.Audio)})
	}
	for _, item := range m.Annotations {
		d.emit(llm.Event{Kind: llm.EventAnnotation, Index: uint16(state.index), Data: item})
	}
}

// reasoning emits the reasoning text of a message. Some servers send the same text under two names.
func (d *chatDecoder) reasoning(state *choiceState, m *chatMessage, parts []contentPart) {
	first, second := m.ReasoningContent, m.Reasoning
	for _, text := range []string{first, second} {
		if text != "" {
			d.sources++
		}
	}
	if first == second {
		second = ""
	}
	listed := ""
	for i := range parts {
		listed += parts[i].thinking()
	}
	d.text(llm.EventReasoning, state.index, first)
	d.text(llm.EventReasoning, state.index, second)
	if listed != "" && listed != first && listed != second {
		d.sources += 2 // never a single string that the template could find
		d.text(llm.EventReasoning, state.index, listed)
	}
}

// content emits answer text. Reasoning that a server leaves in it between <think> tags stays there unless the row says
// that the tags mean reasoning: an answer may talk about such tags.
func (d *chatDecoder) content(state *choiceState, text string) {
	if text == "" {
		return
	}
	d.sources++
	d.thought = nil
	if !d.call.Row.ThinkTags {
		d.text(llm.EventText, state.index, text)
		return
	}
	d.effects++
	state.think.add(text, func(kind llm.EventKind, text string) { d.text(kind, state.index, text) })
}

// contentPart is one element of a list content.
type contentPart struct {
	Type     string          `json:"type"`
	Text     string          `json:"text"`
	Refusal  string          `json:"refusal"`
	Thinking json.RawMessage `json:"thinking"` // a string, or a list of text parts
	raw      json.RawMessage
}

func contentParts(content json.RawMessage) []contentPart {
	var list []json.RawMessage
	if absent(content) || quoted(content) {
		return nil
	}
	if json.Unmarshal(content, &list) != nil {
		list = []json.RawMessage{content} // one part that is not in a list
	}
	parts := make([]contentPart, 0, len(list))
	for _, raw := range list {
		part := contentPart{raw: raw}
		if quoted(raw) {
			part.Type, part.Text = "text", llm.Unquote(raw)
		} else if json.Unmarshal(raw, &part); part.Type == "" {
			continue
		}
		parts = append(parts, part)
	}
	return parts
}

func (p *contentPart) thinking() string {
	if p.Type != "thinking" {
		return ""
	}
	if quoted(p.Thinking) {
		return llm.Unquote(p.Thinking)
	}
	text := ""
	for _, inner := range contentParts(p.Thinking) {
		text += inner.Text
	}
	return text
}

func (d *chatDecoder) part(state *choiceState, part contentPart) {
	index := uint16(state.index)
	d.effects++
	switch part.Type {
	case "text", "output_text":
		d.content(state, part.Text)
	case "thinking":
		d.think(state.index, part.raw)
	case "refusal":
		d.text(llm.EventRefusal, state.index, part.Refusal)
	case "reference":
		d.emit(llm.Event{Kind: llm.EventAnnotation, Index: index, Data: part.raw})
	default:
		d.emit(llm.Event{Kind: llm.EventPart, Index: index, Data: part.raw})
	}
}

// cite delivers top-level citations in the shape of OpenAI's annotations. Servers repeat the growing list in every
// chunk.
func (d *chatDecoder) cite(citations []json.RawMessage) {
	for i, item := range citations {
		d.effects++
		if i < d.citation {
			continue
		}
		d.citation = i + 1
		if quoted(item) {
			item = wrap("url_citation", newObject(nil).member("url", item))
		}
		d.emit(llm.Event{Kind: llm.EventAnnotation, Data: item})
	}
}

// wrap makes {"type": name, name: value}.
func wrap(name string, value json.RawMessage) json.RawMessage {
	o := newObject(nil)
	o.text("type", name)
	o.raw(name, value)
	return o.end()
}
