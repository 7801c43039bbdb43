package provider

import (
	"encoding/json"
	"slices"
	"strings"

	"pyagent/core/llm"
)

// An answer of this vendor and model returns as the items that it was made of, which are the details of its message: reasoning
// belongs directly before the call or the message that it led to, and the vendor's own tools have their place among the rest.
// https://platform.openai.com/docs/guides/reasoning#keeping-reasoning-items-in-context
//
// The message has the last word. Where it was changed since, its text or its call goes out instead of the item, and the
// reasoning in front of it stays behind: the vendor refuses reasoning without the very item that followed it.

// history writes an assistant message.
func (e *responsesEncoder) history(m *llm.Message) []json.RawMessage {
	var details []outputItem
	if !e.call.isForeign(m) {
		for _, raw := range m.Details {
			if item := readOutputItem(raw); item.isOurs() || m.Source != (llm.Source{}) {
				details = append(details, item)
			} else {
				e.warnOnce("%s does not take reasoning_details of type %q; they are left out", e.row.Name, item.kind)
			}
		}
	}
	made := &replay{encoder: e, message: m, called: make([]bool, len(m.ToolCalls))}
	content, plain := messageText(m)
	unchanged := plain && content == itemsText(details)
	for i := range details {
		switch item := &details[i]; {
		case item.kind == "message" && !unchanged:
			made.drop()
			made.addMessage()
		case item.kind == "message":
			made.said = true
			made.add(item)
		case item.isCall():
			made.addCall(item)
		default:
			made.add(item)
		}
	}
	made.drop() // reasoning that led to nothing
	made.addMessage()
	for i := range m.ToolCalls {
		if !made.called[i] {
			made.items = append(made.items, e.toolCall(&m.ToolCalls[i]))
		}
	}
	return made.items
}

// replay puts the items of one answer together again.
type replay struct {
	encoder *responsesEncoder
	message *llm.Message
	items   []json.RawMessage
	loose   int    // how many of the last items are reasoning
	said    bool   // the message's own text is among the items
	called  []bool // which of the message's calls are
}

func (r *replay) add(item *outputItem) {
	r.items = append(r.items, item.raw)
	if r.loose++; item.kind != "reasoning" {
		r.loose = 0
	}
}

// drop takes back the reasoning before an item that does not return.
func (r *replay) drop() {
	r.items, r.loose = r.items[:len(r.items)-r.loose], 0
}

// addMessage writes the message's own text, once.
func (r *replay) addMessage() {
	m := r.message
	if !r.said && (m.Text != "" || len(m.Parts) > 0 || refusalText(m) != "") {
		r.items = append(r.items, r.encoder.message(m))
	}
	r.said = true
}

// addCall adds a call that the message still has.
func (r *replay) addCall(item *outputItem) {
	at := slices.IndexFunc(r.message.ToolCalls, func(c llm.ToolCall) bool { return c.ID == item.toolID() })
	if at < 0 || r.called[at] {
		r.drop()
		return
	}
	r.called[at] = true
	if call := &r.message.ToolCalls[at]; call.Name == item.name && call.Arguments == item.arguments {
		r.add(item)
	} else {
		r.drop()
		r.items = append(r.items, r.encoder.toolCall(call))
	}
}

// itemsText is the text of an answer as its message has it.
func itemsText(items []outputItem) string {
	var text strings.Builder
	for i := range items {
		for _, part := range items[i].content {
			if part.kind == "output_text" {
				text.WriteString(part.text)
			}
		}
	}
	return text.String()
}

// outputItem is one item of an answer, or a detail of a message that was one.
type outputItem struct {
	raw       json.RawMessage
	kind      string
	id        string
	callID    string
	name      string
	arguments string // of a function; the input of a custom tool
	phase     string
	image     string       // base64
	format    string       // of the image
	content   []outputPart // of a message or of reasoning
	summary   []outputPart // of reasoning
	encrypted bool         // reasoning can be read back by the vendor without being kept
	others    []string     // keys with a value that the plain form of a call has no place for
}

func readOutputItem(raw []byte) (item outputItem) {
	item.raw = raw
	llm.Members(raw, func(key, value []byte) {
		switch name := string(key); name {
		case "type":
			readText(&item.kind, value)
		case "id":
			readText(&item.id, value)
		case "call_id":
			readText(&item.callID, value)
		case "name":
			readText(&item.name, value)
		case "arguments", "input":
			readText(&item.arguments, value)
		case "phase":
			readText(&item.phase, value)
		case "result":
			readText(&item.image, value)
		case "output_format":
			readText(&item.format, value)
		case "content":
			item.content = list(value, readOutputPart)
		case "summary":
			item.summary = list(value, readOutputPart)
		case "encrypted_content":
			item.encrypted = quoted(value)
		case "status", "role":
		default:
			if !absent(value) {
				item.others = append(item.others, name)
			}
		}
	})
	return item
}

// outputPart is a part of a message's content, or of what is told of reasoning.
type outputPart struct {
	kind        string // "output_text", "refusal", "summary_text" or "reasoning_text"
	text        string
	logprobs    json.RawMessage
	annotations []json.RawMessage
}

func readOutputPart(raw []byte) (part outputPart) {
	llm.Members(raw, func(key, value []byte) {
		switch string(key) {
		case "type":
			readText(&part.kind, value)
		case "text", "refusal":
			readText(&part.text, value)
		case "logprobs":
			part.logprobs = value
		case "annotations":
			part.annotations = list(value, kept)
		}
	})
	return part
}

func (i *outputItem) isCall() bool { return i.kind == "function_call" || i.kind == "custom_tool_call" }

// toolID pairs a call with its result. The item's own id is something else.
func (i *outputItem) toolID() string { return firstWord(i.callID, i.id) }

// isOurs tells the items of this protocol from the details of other vendors.
func (i *outputItem) isOurs() bool {
	switch i.kind {
	case "", "thinking", "redacted_thinking", "reasoning_content", "extra_content":
		return false
	}
	return !strings.Contains(i.kind, ".") // OpenRouter: reasoning.text, reasoning.encrypted
}

// isPlain tells that the plain form of a message says all that there is to the item.
func (i *outputItem) isPlain() bool {
	switch {
	case i.isCall():
		return len(i.others) == 0
	case i.kind == "message" && i.phase == "" && len(i.content) <= 1:
		return len(i.content) == 0 || len(i.content[0].annotations) == 0
	}
	return false
}

// detail is the item as it returns. What the vendor did not keep cannot be found by an id, so the items that need none go
// without, and reasoning returns only if it came encrypted, under its id, which is part of what is encrypted. An image that
// the vendor kept is found by its id alone.
func (i *outputItem) detail(kept bool) json.RawMessage {
	var without []string
	switch {
	case kept && i.kind == "image_generation_call" && i.id != "":
		without = []string{"result"}
	case kept || i.kind == "reasoning" && i.encrypted:
		return i.raw
	case i.kind == "reasoning":
		return nil
	case i.isCall():
		without = []string{"id"}
	case i.kind == "message":
		without = []string{"id", "status"}
	}
	o := newObject(nil)
	llm.Members(i.raw, func(key, value []byte) {
		if !slices.Contains(without, string(key)) {
			o.raw(string(key), value)
		}
	})
	return o.end()
}
