package provider

import (
	"bytes"
	"encoding/json"
	"slices"

	"pyagent/core/llm"
)

// What of a message goes to which vendor: its maker gets everything back, others only what every vendor understands.

// cacheMark is the key with which some vendors are told where a prompt is worth keeping.
const cacheMark = "cache_control"

// makerKeys are keys of assistant messages and of tool calls that mean something to the maker alone.
func makerKeys() []string {
	return []string{
		"reasoning", "reasoning_content", "reasoning_text", "encrypted_content", "extra_content", "annotations", "audio",
		"thinking", "thinking_blocks", "provider_specific_fields", "signature", "thought_signature", "prefix", "partial", "refusal",
	}
}

// thoughts are what a message's reasoning_details hold, by the places in which they return.
type thoughts struct {
	details []json.RawMessage // for the key reasoning_details
	parts   []json.RawMessage // for the content
	content string            // for the key reasoning_content
	extra   json.RawMessage   // for the key extra_content: Gemini's signature of a text
}

// thoughts sorts the details of a message. Those that the vendor has no place for are left out.
func (e *chatEncoder) thoughts(m *llm.Message) (t thoughts) {
	if e.call.isForeign(m) {
		return t
	}
	left := 0
	own := m.Source != llm.Source{} // what a vendor sends, it takes
	for _, item := range m.Details {
		kind, inner := readThought(item)
		switch {
		case kind == "reasoning_content":
			readText(&t.content, inner)
		case kind == "extra_content":
			t.extra = inner
		case kind == "thinking" && (own || e.way.Parts):
			t.parts = append(t.parts, item)
		case kind != "thinking" && (own || e.way.Details):
			t.details = append(t.details, item)
		default:
			left++
		}
	}
	if left > 0 {
		e.warnOnce("%s does not take reasoning_details; they are left out", e.row.Name)
	}
	return t
}

// readThought tells the type of a detail, and what it holds under the key of that name.
func readThought(item json.RawMessage) (kind string, inner json.RawMessage) {
	llm.Members(item, func(key, value []byte) {
		if string(key) == "type" {
			readText(&kind, value)
		}
	})
	llm.Members(item, func(key, value []byte) {
		if string(key) == kind {
			inner = value
		}
	})
	return kind, inner
}

// returns tells whether reasoning_content goes back with the message at a place, and whether it must be there even if empty.
// DeepSeek: https://api-docs.deepseek.com/guides/thinking_mode, Z.ai: https://docs.z.ai/guides/capabilities/thinking-mode
func (e *chatEncoder) returns(at int) (back, required bool) {
	switch e.way.Back {
	case "always":
		return true, false
	case "loop":
		return at > e.lastUser, false
	case "tools":
		called := e.turnCalls(at)
		return called, called
	}
	return false, false
}

// turnCalls tells whether tools were called between the user's messages around a place.
func (e *chatEncoder) turnCalls(at int) bool {
	messages := e.request.Messages
	for _, forward := range []bool{false, true} {
		for i := at; i >= 0 && i < len(messages) && messages[i].Role != "user"; {
			if len(messages[i].ToolCalls) > 0 {
				return true
			}
			if forward {
				i++
			} else {
				i--
			}
		}
	}
	return false
}

func lastUser(messages []llm.Message) int {
	for i := len(messages) - 1; i >= 0; i-- {
		if messages[i].Role == "user" {
			return i
		}
	}
	return -1
}

// reasoningContent writes the thoughts of a message where the vendor wants them back.
func (e *chatEncoder) reasoningContent(o *object, m *llm.Message, at int, content string) {
	given := slices.IndexFunc(m.Extra, func(member llm.Member) bool { return member.Key == "reasoning_content" })
	if given >= 0 && !e.call.isForeign(m) {
		readText(&content, m.Extra[given].Value)
	}
	if e.way.Back == "" {
		if given >= 0 && !e.call.isForeign(m) {
			o.raw("reasoning_content", m.Extra[given].Value)
		}
		return
	}
	if back, required := e.returns(at); m.Role == "assistant" && back && (content != "" || required) {
		o.text("reasoning_content", content)
	}
}

// extra writes the keys of a message or a tool call that pyagent does not know.
func (e *chatEncoder) extra(o *object, members []llm.Member, foreign bool) {
	for _, member := range members {
		switch {
		case member.Key == "reasoning_content": // see reasoningContent
		case foreign && slices.Contains(makerKeys(), member.Key):
		case member.Key == cacheMark && !e.row.CacheMarks:
			e.warnMark()
		case member.Key == "is_error": // of a tool's result, for vendors that have a word for it
			e.warnOnce("%s has no %q of a message; it was left out", e.row.Name, member.Key)
		default:
			o.raw(member.Key, member.Value)
		}
	}
}

// unmarked is a content part or a tool without marks for the cache, where the vendor does not know them.
func (b *body) unmarked(raw json.RawMessage) json.RawMessage {
	if b.row.CacheMarks || !bytes.Contains(raw, []byte(`"`+cacheMark+`"`)) {
		return raw
	}
	marked := false
	o := newObject(nil)
	llm.Members(raw, func(key, value []byte) {
		switch {
		case string(key) == cacheMark:
			marked = true
		case string(key) == "function":
			value = b.unmarked(value)
			fallthrough
		default:
			o.raw(string(key), value)
		}
	})
	if marked {
		b.warnMark()
	}
	return o.end()
}

// refusalText is the text of a refusal that another vendor wrote: only a few know a key for it.
func refusalText(m *llm.Message) string {
	text := ""
	for _, member := range m.Extra {
		if member.Key == "refusal" {
			readText(&text, member.Value)
		}
	}
	return text
}
