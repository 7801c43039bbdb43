package provider

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"

	"pyagent/core/llm"
)

// answerBlock is a block of an answer that is being made.
type answerBlock struct {
	index     int
	kind      string
	members   []llm.Member // as it was opened
	place     int          // among the blocks; -1 for a text without anything in it
	tool      uint16       // the number of a tool call
	grown     []byte       // a thought, or the input of the vendor's own tools
	signature string
	span      int // of a text: its place in spans
	fed       bool
}

// openBlock begins a block, which in a one-shot answer is whole.
func (d *messagesDecoder) openBlock(index int, data []byte) {
	d.fast.ready = false
	if old := d.find(index); old != nil {
		d.closeBlock(old)
	}
	block := &answerBlock{index: index, place: -1}
	llm.Members(data, func(key, value []byte) {
		if string(key) == "type" {
			readText(&block.kind, value)
		}
		d.held += len(value)
		block.members = append(block.members, llm.Member{Key: string(key), Value: slices.Clone(value)})
	})
	d.open = append(d.open, block)
	switch block.kind {
	case "text":
		d.text(llm.EventText, block, block.word("text"))
		llm.Elements(block.member("citations"), func(value []byte) { d.cite(block, value) })
	case "thinking":
		block.place = d.nextPlace()
		d.text(llm.EventReasoning, block, block.word("thinking"))
		block.signature = block.word("signature")
	case "tool_use":
		d.beginCall(block)
	default:
		block.place = d.nextPlace()
	}
}

func (d *messagesDecoder) nextPlace() int {
	d.places++
	return d.places - 1
}

func (b *answerBlock) member(name string) json.RawMessage {
	for _, member := range b.members {
		if member.Key == name {
			return member.Value
		}
	}
	return nil
}

func (b *answerBlock) word(name string) string { return llm.Unquote(b.member(name)) }

func (d *messagesDecoder) find(index int) *answerBlock {
	for _, block := range d.open {
		if block.index == index {
			return block
		}
	}
	return nil
}

// beginCall announces a tool call. An id that is missing is made up, the same for the same answer.
func (d *messagesDecoder) beginCall(block *answerBlock) {
	block.place = d.nextPlace()
	if d.calls == 0 {
		d.called = block.place
	}
	id, name := block.word("id"), block.word("name")
	if id == "" {
		sum := sha256.Sum256(fmt.Appendf(nil, "%s|%d|%s", d.finish.ID, d.calls, name))
		id = "toolu_made_" + hex.EncodeToString(sum[:12])
	}
	block.tool = uint16(d.calls)
	d.calls++
	d.emit(llm.Event{Kind: llm.EventToolBegin, Index: block.tool, Data: &llm.ToolBegin{ID: id, Name: name}})
	if caller := block.member("caller"); len(caller) > 0 && caller[0] == '{' {
		if kind, _, _ := readBlock(caller); kind != "direct" {
			o := newObject(nil)
			o.text("type", "tool_use")
			o.text("id", id)
			o.raw("caller", caller)
			d.detail(block, o)
		}
	}
}

// detail delivers what goes back with the message, in its place.
func (d *messagesDecoder) detail(block *answerBlock, o *object) {
	d.emit(llm.Event{Kind: llm.EventDetail, Data: o.member("index", appendInt(nil, int64(block.place)))})
}

// messageDelta is what a block grows by.
type messageDelta struct {
	Type      string
	Text      string
	Thinking  string
	JSON      string
	Signature string
	Citation  json.RawMessage
}

func readMessageDelta(data []byte) (m messageDelta) {
	llm.Members(data, func(key, value []byte) {
		switch string(key) {
		case "type":
			readText(&m.Type, value)
		case "text":
			readText(&m.Text, value)
		case "thinking":
			readText(&m.Thinking, value)
		case "partial_json":
			readText(&m.JSON, value)
		case "signature":
			readText(&m.Signature, value)
		case "citation":
			m.Citation = value
		}
	})
	return m
}

// delta lets a block grow. It returns the text, if that is all that the delta did.
func (d *messagesDecoder) delta(event *messageEvent) learned {
	index := event.Index.index(0)
	block, delta := d.find(index), readMessageDelta(event.Delta)
	if block == nil { // a proxy did not announce it
		kind := map[string]string{"text_delta": "text", "thinking_delta": "thinking"}[delta.Type]
		if kind == "" {
			return learned{}
		}
		d.openBlock(index, newObject(nil).member("type", llm.AppendString(nil, kind)))
		block = d.find(index)
	}
	switch delta.Type + " " + block.kind {
	case "text_delta text":
		return d.text(llm.EventText, block, delta.Text)
	case "thinking_delta thinking":
		return d.text(llm.EventReasoning, block, delta.Thinking)
	case "input_json_delta tool_use":
		return d.text(llm.EventToolArgs, block, delta.JSON)
	case "signature_delta thinking":
		d.held += len(delta.Signature)
		block.signature = delta.Signature
	case "citations_delta text":
		if len(delta.Citation) > 0 && delta.Citation[0] == '{' {
			d.cite(block, delta.Citation)
		}
	default:
		d.change(block, &delta, event.Delta)
	}
	return learned{}
}

// change lets a block grow that is kept as it is: the input of the vendor's own tools comes in pieces, and whatever else
// a delta has takes the place of what there was.
func (d *messagesDecoder) change(block *answerBlock, delta *messageDelta, data []byte) {
	switch block.kind {
	case "text", "thinking", "tool_use":
		return
	}
	if delta.Type == "input_json_delta" {
		d.grow(block, []byte(delta.JSON))
		return
	}
	changed := members{block.members}
	llm.Members(data, func(key, value []byte) {
		if string(key) != "type" {
			d.held += len(value)
			changed.set(string(key), slices.Clone(value))
		}
	})
	block.members = changed.list
}

// text delivers a piece of text, of a thought, or of the arguments of a call.
func (d *messagesDecoder) text(kind llm.EventKind, block *answerBlock, text string) learned {
	if text == "" {
		return learned{}
	}
	if kind == llm.EventText && block.place < 0 {
		block.place, block.span = d.nextPlace(), len(d.spans)
		d.spans = append(d.spans, textSpan{at: block.place})
		d.held += 64
	}
	event := llm.Event{Kind: kind, Text: []byte(text)}
	if kind == llm.EventToolArgs {
		event.Index = block.tool
	}
	if block != d.grows {
		d.grows, d.fast.ready = block, false
	}
	d.grow(block, event.Text)
	d.emit(event)
	return learned{kind: kind, index: event.Index, text: text}
}

// grow notes what a piece means for its block.
func (d *messagesDecoder) grow(block *answerBlock, text []byte) {
	block.fed = true
	switch block.kind {
	case "text":
		d.spans[block.span].length += len(text)
	case "tool_use":
	default:
		block.grown = append(block.grown, text...)
		d.held += len(text)
	}
}

// cite delivers what a text refers to, and keeps it for the text's return.
func (d *messagesDecoder) cite(block *answerBlock, citation []byte) {
	d.emit(llm.Event{Kind: llm.EventAnnotation, Data: kept(citation)})
	if block.place < 0 { // before the text itself
		block.place, block.span = d.nextPlace(), len(d.spans)
		d.spans = append(d.spans, textSpan{at: block.place})
	}
	span := &d.spans[block.span]
	span.citations = append(append(span.citations, "[,"[min(len(span.citations), 1)]), citation...)
	d.held += len(citation)
}

// closeBlock ends a block, and delivers what goes back with the message.
func (d *messagesDecoder) closeBlock(block *answerBlock) {
	d.fast.ready = false
	d.open = slices.DeleteFunc(d.open, func(other *answerBlock) bool { return other == block })
	for _, member := range block.members {
		d.held -= len(member.Value)
	}
	switch block.kind {
	case "text":
	case "thinking":
		d.closeThought(block)
	case "tool_use":
		d.closeCall(block)
	default:
		changed := members{block.members}
		if len(block.grown) > 0 && llm.Valid(block.grown) {
			changed.set("input", block.grown)
		}
		o := newObject(nil)
		o.members(changed.list)
		if block.kind != "" {
			d.detail(block, o)
		}
	}
	d.held = max(0, d.held-len(block.grown)-len(block.signature))
}

// closeThought delivers a thought as it came. One without a signature is of no use to anyone but the reader, who has it.
func (d *messagesDecoder) closeThought(block *answerBlock) {
	if block.signature == "" {
		return
	}
	thought := members{block.members}
	thought.set("thinking", llm.AppendString(nil, string(block.grown)))
	thought.set("signature", llm.AppendString(nil, block.signature))
	o := newObject(nil)
	o.members(thought.list)
	d.detail(block, o)
}

// closeCall ends a call. The input that it was opened with is a placeholder, unless nothing else came.
func (d *messagesDecoder) closeCall(block *answerBlock) {
	if !block.fed {
		arguments := argumentsText(block.member("input"))
		if len(arguments) == 0 {
			arguments = []byte("{}")
		}
		d.emit(llm.Event{Kind: llm.EventToolArgs, Index: block.tool, Text: arguments})
	}
	d.emit(llm.Event{Kind: llm.EventToolEnd, Index: block.tool, Data: &llm.ToolEnd{}})
}

// placeTexts says where the texts belong, if that does not follow from the places of the other blocks.
func (d *messagesDecoder) placeTexts() {
	if len(d.spans) == 1 && d.spans[0].citations == nil && (d.calls == 0 || d.spans[0].at < d.called) {
		return
	}
	for _, span := range d.spans {
		o := newObject(nil)
		o.text("type", "text")
		o.raw("length", appendInt(nil, int64(span.length)))
		if span.citations != nil {
			o.raw("citations", append(span.citations, ']'))
		}
		d.detail(&answerBlock{place: span.at}, o)
	}
}
