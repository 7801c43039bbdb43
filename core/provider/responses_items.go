package provider

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"

	"pyagent/core/llm"
)

// answerItem is an item of an answer that is being made.
type answerItem struct {
	index    int
	kind     string
	call     bool     // a call that was announced
	tool     uint16   // its number
	input    itemPart // its arguments
	parts    []*itemPart
	told     string // the kind of event that brings its reasoning
	notes    int    // annotations delivered
	logprobs bool
	closed   bool
}

// itemPart is a piece of an item that grows.
type itemPart struct {
	kind   llm.EventKind
	index  int
	length int // bytes delivered
}

// open begins an item, which may be whole already.
func (d *responsesDecoder) open(index int, data []byte) *answerItem {
	if old := d.find(index); old != nil && !old.closed {
		d.close(old, nil)
	}
	made := readOutputItem(data)
	item := &answerItem{index: index, kind: made.kind}
	d.fast.ready = false
	d.items = append(d.items, item)
	d.held += 256 // what an item takes
	d.announce(item, &made)
	return item
}

// find returns the last item of a place.
func (d *responsesDecoder) find(index int) *answerItem {
	for _, item := range slices.Backward(d.items) {
		if item.index == index {
			return item
		}
	}
	return nil
}

// item is the one that an event is about. One that a proxy did not announce begins now.
func (d *responsesDecoder) item(event *responsesEvent, kind string) *answerItem {
	index := event.Item.index(max(0, len(d.items)-1))
	if item := d.find(index); item != nil {
		return item
	}
	return d.open(index, newObject(nil).member("type", llm.AppendString(nil, kind)))
}

// announce begins a call as soon as its name is known. An id that is missing is made up, the same for the same answer.
func (d *responsesDecoder) announce(item *answerItem, made *outputItem) {
	if item.call || !made.isCall() || made.name == "" || item.closed {
		return
	}
	id := made.toolID()
	if id == "" {
		sum := sha256.Sum256(fmt.Appendf(nil, "%s|%d|%s", d.finish.ID, d.calls, made.name))
		id = "call_made_" + hex.EncodeToString(sum[:12])
	}
	item.call, item.tool = true, uint16(d.calls)
	item.input.kind = llm.EventToolArgs
	d.calls++
	d.emit(llm.Event{Kind: llm.EventToolBegin, Index: item.tool, Data: &llm.ToolBegin{
		ID: id, Name: made.name, Custom: made.kind == "custom_tool_call",
	}})
}

// part is the piece of an item that a kind of text belongs to.
func (d *responsesDecoder) part(item *answerItem, kind llm.EventKind, index int) *itemPart {
	for _, part := range slices.Backward(item.parts) {
		if part.kind == kind && part.index == index {
			return part
		}
	}
	part := &itemPart{kind: kind, index: index}
	item.parts = append(item.parts, part)
	d.parts++
	return part
}

// textDelta delivers a piece of text. It returns the text, if that is all that the event did. A server that tells its
// reasoning in full and summed up does not get to say it twice: what comes first counts.
func (d *responsesDecoder) textDelta(kind llm.EventKind, event *responsesEvent) learned {
	text := ""
	readText(&text, event.Delta)
	home := "message"
	if kind == llm.EventReasoning {
		home = "reasoning"
	}
	item := d.item(event, home)
	if kind == llm.EventReasoning {
		item.told = firstWord(item.told, event.Type)
	}
	if item.closed || kind == llm.EventReasoning && item.told != event.Type {
		return learned{}
	}
	said := d.text(d.part(item, kind, event.Content.index(0)), 0, text)
	if d.probabilities(item, event.Logprobs) {
		return learned{}
	}
	return said
}

func (d *responsesDecoder) argumentsDelta(event *responsesEvent) learned {
	item := d.find(event.Item.index(max(0, len(d.items)-1)))
	if item == nil || !item.call || item.closed {
		return learned{} // they come once more, when the item is done
	}
	text := ""
	readText(&text, event.Delta)
	return d.text(&item.input, item.tool, text)
}

// text delivers text of a part. Reasoning comes in paragraphs.
func (d *responsesDecoder) text(part *itemPart, index uint16, text string) learned {
	if text == "" {
		return learned{}
	}
	if part != d.grows {
		d.grows, d.fast.ready = part, false
	}
	said := learned{kind: part.kind, index: index, text: text}
	if part.kind == llm.EventReasoning && part != d.thought {
		if d.thought != nil {
			d.emit(llm.Event{Kind: part.kind, Text: []byte("\n\n")})
		}
		d.thought = part
	}
	part.length += len(text)
	d.emit(llm.Event{Kind: part.kind, Index: index, Text: []byte(text)})
	return said
}

// probabilities delivers log-probabilities in the shape that chat completions have.
func (d *responsesDecoder) probabilities(item *answerItem, list json.RawMessage) bool {
	if len(list) == 0 || list[0] != '[' || string(bytes.Join(bytes.Fields(list), nil)) == "[]" {
		return false
	}
	item.logprobs = true
	d.emit(llm.Event{Kind: llm.EventLogprobs, Data: newObject(nil).member("content", list)})
	return true
}

func (d *responsesDecoder) itemDone(event *responsesEvent) {
	index := event.Item.index(max(0, len(d.items)-1))
	item := d.find(index)
	if item == nil || item.closed && !event.Item.set {
		item = d.open(index, event.Whole)
	}
	if !item.closed {
		d.close(item, event.Whole)
	}
}

// close ends an item: what of it did not come in pieces is delivered, and it is kept for its return.
func (d *responsesDecoder) close(item *answerItem, data []byte) {
	d.fast.ready = false
	made := readOutputItem(data)
	if made.kind == "" {
		made.kind = item.kind
	}
	d.announce(item, &made)
	item.closed = true
	switch {
	case item.call:
		if item.input.length == 0 {
			d.text(&item.input, item.tool, made.arguments)
		}
		d.emit(llm.Event{Kind: llm.EventToolEnd, Index: item.tool, Data: &llm.ToolEnd{}})
	case made.kind == "message":
		d.closeMessage(item, &made)
	case made.kind == "reasoning" && len(item.parts) == 0:
		told := made.content
		if len(told) == 0 {
			told = made.summary
		}
		for i := range told {
			d.text(d.part(item, llm.EventReasoning, i), 0, told[i].text)
		}
	case made.kind == "image_generation_call" && made.image != "":
		d.emit(llm.Event{Kind: llm.EventPart, Data: imagePart(&made)})
	}
	if len(data) > 0 && data[0] == '{' {
		d.details = append(d.details, bytes.Clone(data))
		d.held += len(data)
	}
}

func (d *responsesDecoder) closeMessage(item *answerItem, made *outputItem) {
	notes := 0
	for i, content := range made.content {
		kind := llm.EventText
		switch content.kind {
		case "refusal":
			kind = llm.EventRefusal
		case "output_text":
		default:
			continue
		}
		if part := d.part(item, kind, i); part.length == 0 {
			d.text(part, 0, content.text)
			if !item.logprobs {
				d.probabilities(&answerItem{}, content.logprobs)
			}
		}
		for _, note := range content.annotations {
			if notes++; notes > item.notes {
				d.emit(llm.Event{Kind: llm.EventAnnotation, Data: note})
			}
		}
	}
}

// imagePart is an image in the shape that chat completions have for one.
func imagePart(made *outputItem) json.RawMessage {
	image := media{mime: "image/" + firstWord(made.format, "png"), data: made.image}
	address := newObject(nil).member("url", llm.AppendString(nil, image.dataURL()))
	return wrap("image_url", address)
}

// deliverDetails delivers the items as they are to return, unless the message says all that there is to them.
func (d *responsesDecoder) deliverDetails() {
	stored := d.call.Request == nil || keepsAnswers(d.call.Request)
	if d.stored != nil {
		stored = *d.stored
	}
	var details []json.RawMessage
	needed := false
	for _, data := range d.details {
		item := readOutputItem(data)
		detail := item.detail(stored)
		if detail == nil {
			continue
		}
		// Several messages are one in the shape that hosts have, and a text behind a call comes before it there.
		needed = needed || !item.isPlain() || item.kind == "message" && len(details) > 0
		details = append(details, detail)
	}
	for _, detail := range details {
		if needed {
			d.emit(llm.Event{Kind: llm.EventDetail, Data: detail})
		}
	}
}
