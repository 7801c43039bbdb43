package provider

import (
	"bytes"
	"encoding/json"

	"pyagent/core/llm"
)

// Thoughts that a vendor wants back are put together here while they go by, and become details of the answer at its end.

// thought is one content part of the type "thinking", in pieces: https://docs.mistral.ai/capabilities/reasoning
type thought struct {
	choice int
	pieces []json.RawMessage // of the list in it: texts, joined, and what else there may be
	text   []byte            // the last of them, while it grows
	rest   []llm.Member      // other keys, with their last value
	bare   bool              // the thinking is a string, not a list
}

// think takes a thinking part of a message. In a stream it continues the one before, unless that was closed or text of the
// answer came since.
func (d *chatDecoder) think(choice int, raw json.RawMessage) {
	if d.whole {
		d.emit(llm.Event{Kind: llm.EventDetail, Index: uint16(choice), Data: raw})
		return
	}
	if d.thought == nil || d.thought.choice != choice {
		d.thought = &thought{choice: choice}
		d.thoughts = append(d.thoughts, d.thought)
	}
	d.held += len(raw)
	if d.thought.add(raw) {
		d.thought = nil
	}
}

// add takes one piece and reports that it is the last one.
func (t *thought) add(raw json.RawMessage) (closed bool) {
	llm.Members(raw, func(key, value []byte) {
		switch name := string(key); {
		case name == "type" || absent(value):
		case name == "thinking" && quoted(value):
			t.text, t.bare = append(t.text, llm.Unquote(value)...), true
		case name == "thinking":
			llm.Elements(value, t.addInner)
		default:
			closed = closed || name == "closed" && string(value) == "true"
			t.set(name, value)
		}
	})
	return closed
}

func (t *thought) addInner(value []byte) {
	kind, text := "", ""
	llm.Members(value, func(key, value []byte) {
		switch string(key) {
		case "type":
			readText(&kind, value)
		case "text":
			readText(&text, value)
		}
	})
	if kind == "text" {
		t.text = append(t.text, text...)
		return
	}
	t.endText()
	t.pieces = append(t.pieces, bytes.Clone(value))
}

func (t *thought) endText() {
	if len(t.text) > 0 {
		t.pieces, t.text = append(t.pieces, textPart(string(t.text)).Raw), nil
	}
}

func (t *thought) set(name string, value []byte) {
	for i := range t.rest {
		if t.rest[i].Key == name {
			t.rest[i].Value = bytes.Clone(value)
			return
		}
	}
	t.rest = append(t.rest, llm.Member{Key: name, Value: bytes.Clone(value)})
}

func (t *thought) encode() json.RawMessage {
	o := newObject(nil)
	o.text("type", "thinking")
	if t.bare {
		o.text("thinking", string(t.text))
	} else {
		t.endText()
		o.key("thinking")
		o.out = appendRaw(o.out, t.pieces)
	}
	o.members(t.rest)
	return o.end()
}

// remember keeps reasoning_content for a vendor that wants it back.
func (d *chatDecoder) remember(choice int, text []byte) {
	if d.held > maxHeld { // an error as soon as a chunk is looked at
		return
	}
	d.held += len(text)
	if state := d.state(choice); state != nil {
		state.reasoning = append(state.reasoning, text...)
	}
}

// flushThoughts delivers what was kept.
func (d *chatDecoder) flushThoughts() {
	for _, thought := range d.thoughts {
		d.emit(llm.Event{Kind: llm.EventDetail, Index: uint16(thought.choice), Data: thought.encode()})
	}
	for _, choice := range d.choices {
		if len(choice.reasoning) > 0 {
			d.emit(llm.Event{Kind: llm.EventDetail, Index: uint16(choice.index),
				Data: wrap("reasoning_content", llm.AppendString(nil, string(choice.reasoning)))})
		}
	}
	d.details.flush(func(item json.RawMessage) { d.emit(llm.Event{Kind: llm.EventDetail, Data: item}) })
}
