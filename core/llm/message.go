package llm

import (
	"bytes"
	"encoding/json"
	"slices"
)

// Message is one turn of a conversation in OpenAI's chat shape. Keys that only some vendors know stay in Extra and go out
// again with the message.
type Message struct {
	Role       string
	Text       string // the content when it is one string
	Parts      []Part // the content when it is a list
	HasContent bool   // false when content was null or absent
	Name       string
	ToolCalls  []ToolCall
	ToolCallID string
	Source     Source            // who made the message, if that was written down
	Details    []json.RawMessage // reasoning_details: reasoning in its maker's own form, which only the maker understands
	Extra      []Member
}

// Source is the vendor and the model that made an assistant message. It is pyagent's own note and never sent.
type Source struct {
	Provider string `json:"provider"`
	Model    string `json:"model"`
}

// Member is one key of a JSON object whose order must be kept.
type Member struct {
	Key   string
	Value json.RawMessage
}

// Part is one piece of a message's content: text, an image, audio, a file or what else a vendor takes.
type Part struct {
	Type string
	Text string          // for text parts
	Raw  json.RawMessage // the whole part as it was given
}

// ToolCall is one call that the model made.
type ToolCall struct {
	ID        string
	Type      string // "function" or "custom"
	Name      string
	Arguments string   // JSON text for functions, free text for custom tools
	Extra     []Member // keys beside the function, such as a signature
	Inner     []Member // keys inside the function
}

// Tool is one tool that the model may call; Raw is its whole declaration in OpenAI's shape.
type Tool struct {
	Type string
	Raw  json.RawMessage
}

// UnmarshalJSON reads a message dict. Values of the wrong type are errors that name the key; see Message.check for the rest.
func (m *Message) UnmarshalJSON(data []byte) error {
	if kind := jsonKind(data); kind != "an object" {
		return Configuration("messages", "each message must be an object with role and content, got %s", kind)
	}
	return eachMember(data, func(key string, value json.RawMessage) error {
		switch key {
		case "role":
			return text("messages", "role", value, &m.Role)
		case "content":
			return m.setContent(value)
		case "name":
			return text("messages", "name", value, &m.Name)
		case "tool_call_id":
			return text("messages", "tool_call_id", value, &m.ToolCallID)
		case "tool_calls":
			return list("tool_calls", value, &m.ToolCalls)
		case "source":
			return m.setSource(value)
		case "reasoning_details":
			return m.setDetails(value)
		case "interrupted": // pyagent's own note that the text was cut: nobody is sent it
			return nil
		}
		if guess := Nearest(key, []string{"role", "content", "name", "tool_calls", "tool_call_id"}); guess != "" {
			return Configuration("messages", "a message has the unknown key %q; did you mean %q?", key, guess)
		}
		m.Extra = append(m.Extra, Member{key, bytes.Clone(value)})
		return nil
	})
}

func (m *Message) setContent(value json.RawMessage) error {
	switch jsonKind(value) {
	case "null":
		return nil
	case "a string":
		m.HasContent, m.Text = true, Unquote(value)
		return nil
	case "a list":
		m.HasContent = true
		m.Parts = []Part{}
		return list("content", value, &m.Parts)
	}
	return Configuration("messages", "content of a message must be a string or a list of parts, got %s", jsonKind(value))
}

func (m *Message) setSource(value json.RawMessage) error {
	if jsonKind(value) == "null" {
		return nil
	}
	if err := DecodeStrict("source of a message", value, &m.Source); err != nil {
		return err
	}
	return nil
}

func (m *Message) setDetails(value json.RawMessage) error {
	if kind := jsonKind(value); kind != "a list" && kind != "null" {
		return Configuration("messages", "reasoning_details of a message must be a list, got %s", kind)
	}
	Elements(value, func(item []byte) { m.Details = append(m.Details, bytes.Clone(item)) })
	return nil
}

func (m *Message) check(index int) *Error {
	if m.Role == "" {
		return Configuration("messages", "messages[%d] has no role; it is \"system\", \"user\", \"assistant\" or \"tool\"", index)
	}
	if !m.HasContent && len(m.ToolCalls) == 0 && len(m.Extra) == 0 && len(m.Details) == 0 {
		return Configuration("messages", "messages[%d] (%s) has no content; give a string or a list of parts", index, m.Role)
	}
	if m.Role == "tool" && m.ToolCallID == "" {
		return Configuration("messages", "messages[%d] (tool) has no tool_call_id; give the id of the call that it answers", index)
	}
	return nil
}

// UnmarshalJSON reads a content part.
func (p *Part) UnmarshalJSON(data []byte) error {
	p.Raw = bytes.Clone(data)
	if jsonKind(data) == "a string" {
		p.Type, p.Text = "text", Unquote(data)
		p.Raw = slices.Concat([]byte(`{"type":"text","text":`), bytes.TrimSpace(data), []byte{'}'})
		return nil
	}
	if kind := jsonKind(data); kind != "an object" {
		return Configuration("messages", "a content part must be an object such as {\"type\": \"text\", \"text\": ...}, got %s", kind)
	}
	err := eachMember(data, func(key string, value json.RawMessage) error {
		switch key {
		case "type":
			return text("messages", "type of a content part", value, &p.Type)
		case "text":
			return text("messages", "text of a content part", value, &p.Text)
		}
		return nil
	})
	if err == nil && p.Type == "" {
		return Configuration("messages", "a content part has no type; it is for example \"text\" or \"image_url\"")
	}
	return err
}

// UnmarshalJSON reads a tool call. Arguments given as an object become the JSON text that vendors expect.
func (c *ToolCall) UnmarshalJSON(data []byte) error {
	if kind := jsonKind(data); kind != "an object" {
		return Configuration("messages", "each of tool_calls must be an object with id and function, got %s", kind)
	}
	c.Type = "function"
	err := eachMember(data, func(key string, value json.RawMessage) error {
		switch key {
		case "id":
			return text("messages", "id of a tool call", value, &c.ID)
		case "type":
			return text("messages", "type of a tool call", value, &c.Type)
		case "function", "custom":
			return eachMember(value, c.setFunction)
		}
		c.Extra = append(c.Extra, Member{key, bytes.Clone(value)})
		return nil
	})
	if err == nil && c.Name == "" {
		return Configuration("messages", "a tool call has no function name; give {\"function\": {\"name\": ..., \"arguments\": ...}}")
	}
	return err
}

func (c *ToolCall) setFunction(key string, value json.RawMessage) error {
	switch key {
	case "name":
		return text("messages", "name of a tool call", value, &c.Name)
	case "arguments", "input":
		if jsonKind(value) == "a string" {
			c.Arguments = Unquote(value)
		} else if jsonKind(value) != "null" {
			c.Arguments = string(value)
		}
	default:
		c.Inner = append(c.Inner, Member{key, bytes.Clone(value)})
	}
	return nil
}

// UnmarshalJSON reads a tool declaration.
func (t *Tool) UnmarshalJSON(data []byte) error {
	t.Raw = bytes.Clone(data)
	if kind := jsonKind(data); kind != "an object" {
		return Configuration("tools", "each of tools must be an object such as {\"type\": \"function\", \"function\": {...}}, got %s", kind)
	}
	return eachMember(data, func(key string, value json.RawMessage) error {
		if key == "type" {
			return text("tools", "type of a tool", value, &t.Type)
		}
		return nil
	})
}

func (t *Tool) check(index int) *Error {
	if t.Type == "" {
		return Configuration("tools", "tools[%d] has no type; a function is {\"type\": \"function\", \"function\": {\"name\": ...}}", index)
	}
	return nil
}

func text(field, what string, value json.RawMessage, into *string) error {
	if jsonKind(value) == "null" {
		return nil
	}
	if jsonKind(value) != "a string" {
		return Configuration(field, "%s must be a string, got %s", what, jsonKind(value))
	}
	*into = Unquote(value)
	return nil
}

// eachMember visits the members of an object until one of them is wrong.
func eachMember(data []byte, visit func(key string, value json.RawMessage) error) error {
	if kind := jsonKind(data); kind != "an object" {
		return Configuration("messages", "expected an object, got %s", kind)
	}
	var failed error
	Members(data, func(key, value []byte) {
		if failed == nil {
			failed = visit(string(key), value)
		}
	})
	return failed
}

// reader is what reads itself from JSON.
type reader[T any] interface {
	*T
	UnmarshalJSON(data []byte) error
}

func list[T any, P reader[T]](what string, value json.RawMessage, into *[]T) error {
	switch kind := jsonKind(value); kind {
	case "null":
		return nil
	case "a list":
	default:
		return Configuration("messages", "%s must be a list, got %s", what, kind)
	}
	var failed error
	Elements(value, func(value []byte) {
		if failed == nil {
			var item T
			failed = P(&item).UnmarshalJSON(value)
			*into = append(*into, item)
		}
	})
	return failed
}
