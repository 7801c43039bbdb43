package provider

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"slices"

	"pyagent/core/llm"
)

// messages writes the conversation in OpenAI's shape. Keys that pyagent does not know (audio answers, prefix flags) go out
// as they came in.
func (e *chatEncoder) messages(out []byte) []byte {
	messages := e.lifted()
	e.lastUser, e.last = lastUser(messages), len(messages)-1
	out = append(out, '[')
	for i := range messages {
		if i > 0 {
			out = append(out, ',')
		}
		out = e.message(out, &messages[i], i)
	}
	return append(out, ']')
}

func (e *chatEncoder) message(out []byte, m *llm.Message, at int) []byte {
	o := newObject(out)
	role := m.Role
	if theirs, ok := e.row.Roles[role]; ok {
		role = theirs
	}
	o.text("role", role)
	foreign := e.call.isForeign(m)
	thoughts := e.thoughts(m)
	e.content(o, m, thoughts.parts, foreign)
	if m.Name != "" {
		o.text("name", m.Name)
	}
	if len(m.ToolCalls) > 0 {
		o.key("tool_calls")
		for i := range m.ToolCalls {
			o.out = e.toolCall(append(o.out, "[,"[min(i, 1)]), &m.ToolCalls[i], foreign)
		}
		o.out = append(o.out, ']')
	}
	if m.ToolCallID != "" {
		o.text("tool_call_id", e.toolID(m.ToolCallID))
	}
	e.reasoningContent(o, m, at, thoughts.content)
	if len(thoughts.details) > 0 {
		o.key("reasoning_details")
		o.out = appendRaw(o.out, thoughts.details)
	}
	if thoughts.extra != nil {
		o.raw("extra_content", thoughts.extra)
	}
	if key := e.row.Prefill; key != "" && at == e.last && isPrefill(m, key) {
		o.raw(key, []byte("true"))
	}
	e.extra(o, m.Extra, foreign)
	return o.end()
}

// content writes the content of a message, thoughts first.
func (e *chatEncoder) content(o *object, m *llm.Message, thoughts []json.RawMessage, foreign bool) {
	text, hasText := m.Text, m.HasContent && m.Parts == nil
	if foreign && !m.HasContent {
		text = refusalText(m)
		hasText = text != ""
	}
	o.key("content")
	switch {
	case m.Parts != nil || len(thoughts) > 0:
		parts := append(slices.Clone(thoughts), e.parts(m.Parts)...)
		if hasText && text != "" {
			parts = append(parts, textPart(text).Raw)
		}
		o.out = appendRaw(o.out, parts)
	case hasText:
		o.out = llm.AppendString(o.out, text)
	default:
		o.out = append(o.out, "null"...) // some servers demand the key beside tool_calls
	}
}

// isPrefill tells whether the last message is the beginning of the answer, and does not say so itself.
func isPrefill(m *llm.Message, key string) bool {
	return m.Role == "assistant" && m.HasContent && len(m.ToolCalls) == 0 &&
		!slices.ContainsFunc(m.Extra, func(member llm.Member) bool { return member.Key == key })
}

func appendRaw(out []byte, list []json.RawMessage) []byte {
	out = append(out, '[')
	for i, item := range list {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, item...)
	}
	return append(out, ']')
}

func (e *chatEncoder) toolCall(out []byte, c *llm.ToolCall, foreign bool) []byte {
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
	e.extra(o, c.Extra, foreign)
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
