package provider

import (
	"crypto/sha256"
	"encoding/binary"

	"pyagent/core/llm"
)

// messages writes the conversation in OpenAI's shape. Keys that pyagent does not know (reasoning details, cache marks,
// prefix flags) go out as they came in.
func (e *chatEncoder) messages(out []byte) []byte {
	out = append(out, '[')
	for i := range e.request.Messages {
		if i > 0 {
			out = append(out, ',')
		}
		out = e.message(out, &e.request.Messages[i])
	}
	return append(out, ']')
}

func (e *chatEncoder) message(out []byte, m *llm.Message) []byte {
	o := newObject(out)
	o.text("role", m.Role)
	o.key("content")
	switch {
	case m.Parts != nil:
		for i, part := range m.Parts {
			o.out = append(append(o.out, "[,"[min(i, 1)]), part.Raw...)
		}
		if len(m.Parts) == 0 {
			o.out = append(o.out, '[')
		}
		o.out = append(o.out, ']')
	case m.HasContent:
		o.out = llm.AppendString(o.out, m.Text)
	default:
		o.out = append(o.out, "null"...) // some servers demand the key beside tool_calls
	}
	if m.Name != "" {
		o.text("name", m.Name)
	}
	if len(m.ToolCalls) > 0 {
		o.key("tool_calls")
		for i := range m.ToolCalls {
			o.out = e.toolCall(append(o.out, "[,"[min(i, 1)]), &m.ToolCalls[i])
		}
		o.out = append(o.out, ']')
	}
	if m.ToolCallID != "" {
		o.text("tool_call_id", e.toolID(m.ToolCallID))
	}
	if len(m.Details) > 0 {
		o.key("reasoning_details")
		for i, item := range m.Details {
			o.out = append(append(o.out, "[,"[min(i, 1)]), item...)
		}
		o.out = append(o.out, ']')
	}
	o.members(m.Extra)
	return o.end()
}

func (e *chatEncoder) toolCall(out []byte, c *llm.ToolCall) []byte {
	o := newObject(out)
	if c.ID != "" {
		o.text("id", e.toolID(c.ID))
	}
	o.text("type", c.Type)
	if c.Type == "custom" {
		o.key("custom")
		custom := newObject(o.out)
		custom.text("name", c.Name)
		custom.text("input", c.Arguments)
		custom.members(c.Inner)
		o.out = custom.end()
	} else {
		arguments := c.Arguments
		if arguments == "" {
			arguments = "{}" // models say "" for no arguments; servers that parse it back want JSON
		}
		o.key("function")
		function := newObject(o.out)
		function.text("name", c.Name)
		function.text("arguments", arguments)
		function.members(c.Inner)
		o.out = function.end()
	}
	o.members(c.Extra)
	return o.end()
}

// toolID rewrites the ids of other vendors for those that only take nine letters and digits. The same id gives the same
// result, so that a call and its answer still belong together.
func (e *chatEncoder) toolID(id string) string {
	if !e.row.ShortToolIDs || isShortID(id) {
		return id
	}
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	sum := sha256.Sum256([]byte(id))
	number := binary.BigEndian.Uint64(sum[:8])
	short := make([]byte, 9)
	for i := range short {
		short[i] = letters[number%uint64(len(letters))]
		number /= uint64(len(letters))
	}
	return string(short)
}

func isShortID(id string) bool {
	for i := range len(id) {
		if c := id[i]; !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9') {
			return false
		}
	}
	return len(id) == 9
}
