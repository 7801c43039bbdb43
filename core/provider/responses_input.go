package provider

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"

	"pyagent/core/llm"
)

// The conversation as input items: a message is one or, where it carries tool calls, several of them.

func (e *responsesEncoder) input(messages []llm.Message) []json.RawMessage {
	e.custom = map[string]bool{}
	for i := range messages {
		for _, call := range messages[i].ToolCalls {
			e.custom[call.ID] = call.Type == "custom"
		}
	}
	var items []json.RawMessage
	for i := range messages {
		switch m := &messages[i]; m.Role {
		case "assistant":
			items = append(items, e.history(m)...)
		case "tool":
			items = append(items, e.toolOutput(m))
		case "function":
			e.wrong("messages", "messages has one of the old role %q, which names no call; give it as \"tool\" with a tool_call_id",
				m.Role)
		default:
			items = append(items, m.Details...) // such as an approval, which only this vendor has a word for
			if m.HasContent {
				items = append(items, e.message(m))
			}
		}
	}
	return items
}

// message writes a message as a single item.
func (e *responsesEncoder) message(m *llm.Message) json.RawMessage {
	o := newObject(nil)
	o.text("role", m.Role)
	refusal := ""
	if m.Role == "assistant" {
		refusal = refusalText(m)
	}
	o.key("content")
	switch {
	case m.Parts == nil && refusal == "":
		o.out = llm.AppendString(o.out, m.Text)
	case m.Role == "assistant":
		o.out = appendRaw(o.out, e.said(m, refusal))
	default:
		o.out = appendRaw(o.out, e.parts(m.Parts))
	}
	if m.Name != "" {
		e.warnOnce("%s has no place for the name of a message; it is left out", e.row.Name)
	}
	e.extra(o, m)
	return o.end()
}

// extra writes the keys of a message that pyagent does not know, such as phase.
func (e *responsesEncoder) extra(o *object, m *llm.Message) {
	foreign := e.call.isForeign(m)
	for _, member := range m.Extra {
		switch name := member.Key; {
		case name == "refusal" || absent(member.Value):
		case name == cacheMark && !e.row.CacheMarks:
			e.warnMark()
		case slices.Contains(makerKeys(), name):
			if !foreign && string(member.Value) != "[]" {
				e.warnOnce("%s does not take %s in a message; it is left out", e.row.Name, name)
			}
		default:
			o.raw(name, member.Value)
		}
	}
}

// said writes what an assistant said as content parts.
func (e *responsesEncoder) said(m *llm.Message, refusal string) []json.RawMessage {
	var parts []json.RawMessage
	if m.Text != "" {
		parts = append(parts, typedText("output_text", "text", m.Text))
	}
	for _, part := range m.Parts {
		switch part.Type {
		case "text":
			parts = append(parts, e.retyped(part, "output_text"))
		case "output_text", "refusal":
			parts = append(parts, e.unmarked(part.Raw))
		case "thinking", "redacted_thinking":
			if !e.call.isForeign(m) {
				e.warnOnce("%s does not take content parts of type %q; they are left out", e.row.Name, part.Type)
			}
		default:
			e.wrong("messages", "an assistant message has a part of type %q; %s takes text and refusals there, so put it into a "+
				"user message", part.Type, e.row.Name)
		}
	}
	if refusal != "" {
		parts = append(parts, typedText("refusal", "refusal", refusal))
	}
	return parts
}

func typedText(kind, key, text string) json.RawMessage {
	o := newObject(nil)
	o.text("type", kind)
	o.text(key, text)
	return o.end()
}

// retyped is a text part under the protocol's name for it.
func (e *responsesEncoder) retyped(part llm.Part, kind string) json.RawMessage {
	o := newObject(nil)
	o.text("type", kind)
	llm.Members(e.unmarked(part.Raw), func(key, value []byte) {
		if string(key) != "type" {
			o.raw(string(key), value)
		}
	})
	return o.end()
}

// parts writes the content of what is not the assistant's. A part of the protocol's own types passes as it is.
func (e *responsesEncoder) parts(parts []llm.Part) []json.RawMessage {
	written := make([]json.RawMessage, 0, len(parts))
	for _, part := range parts {
		if part.Type == "text" {
			written = append(written, e.retyped(part, "input_text"))
			continue
		}
		m, ok, err := readMedia(part)
		if err != nil {
			e.wrong("messages", "%s", err.Message)
			continue
		}
		switch {
		case !ok:
			written = append(written, e.unmarked(part.Raw))
		case m.kind == "image":
			written = append(written, inputImage(&m))
		case m.kind == "file":
			written = append(written, inputFile(&m))
		default:
			e.refuse("messages", "%s takes no %s, as in the content part of type %q", e.row.Name, m.kind, part.Type)
		}
	}
	return written
}

func inputImage(m *media) json.RawMessage {
	o := newObject(nil)
	o.text("type", "input_image")
	where := m.url
	if m.data != "" {
		if m.mime == "" {
			m.mime = "image/png" // bare base64: the vendor looks at the bytes, but wants an image's type
		}
		where = m.dataURL()
	}
	o.text("image_url", where)
	if m.detail != "" {
		o.text("detail", m.detail)
	}
	return o.end()
}

func inputFile(m *media) json.RawMessage {
	o := newObject(nil)
	o.text("type", "input_file")
	switch {
	case m.fileID != "":
		o.text("file_id", m.fileID)
		return o.end()
	case m.url != "":
		o.text("file_url", m.url)
		return o.end()
	}
	if m.name != "" {
		o.text("filename", m.name)
	}
	if m.mime != "" {
		o.text("file_data", m.dataURL())
	} else {
		o.text("file_data", m.data)
	}
	return o.end()
}

// toolOutput writes the result of a tool call. Images and files may be part of it.
func (e *responsesEncoder) toolOutput(m *llm.Message) json.RawMessage {
	o := newObject(nil)
	kind := "function_call_output"
	if e.custom[m.ToolCallID] {
		kind = "custom_tool_call_output"
	}
	o.text("type", kind)
	o.text("call_id", callID(m.ToolCallID))
	o.key("output")
	if m.Parts == nil {
		o.out = llm.AppendString(o.out, m.Text)
	} else {
		o.out = appendRaw(o.out, e.parts(m.Parts))
	}
	e.extra(o, m)
	return o.end()
}

// toolCall writes a tool call. An empty string of arguments is what models say for none; what is parsed back must be JSON.
func (e *responsesEncoder) toolCall(c *llm.ToolCall) json.RawMessage {
	o := newObject(nil)
	if c.Type == "custom" {
		o.text("type", "custom_tool_call")
		o.text("call_id", callID(c.ID))
		o.text("name", c.Name)
		o.text("input", c.Arguments)
	} else {
		o.text("type", "function_call")
		o.text("call_id", callID(c.ID))
		o.text("name", c.Name)
		o.text("arguments", firstWord(c.Arguments, "{}"))
	}
	o.members(c.Inner)
	return o.end()
}

// callID shortens the ids of other vendors that are longer than this one takes. The same id gives the same result, so that a
// call and its output still belong together.
func callID(id string) string {
	const longest = 64
	if len(id) <= longest {
		return id
	}
	sum := sha256.Sum256([]byte(id))
	return "call_" + hex.EncodeToString(sum[:16])
}
