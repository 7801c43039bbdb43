package provider

import (
	"encoding/json"

	"pyagent/core/llm"
)

// puterDecoder translates one answer of the chat driver. Its result is shaped like the answers of the vendor behind it, in a
// stream it is Puter's own.
//
// The "usage" line proves that a stream is complete, with or without counts in it: the server writes it last, and an error
// line in its place when the vendor behind it broke off. A body that ends without either was cut on its way.
type puterDecoder struct {
	lineDecoder
	reason string // finish_reason or stop_reason
	found  bool   // something that is an answer
}

func newPuterDecoder(call Call) *puterDecoder {
	d := &puterDecoder{lineDecoder: newLineDecoder(call, templatePaths{text: []textPath{
		{llm.EventText, []string{"text"}},
		{llm.EventReasoning, []string{"reasoning"}},
	}})}
	d.read = d.readLine
	return d
}

// Event translates one line.
func (d *puterDecoder) Event(_ string, data []byte, emit func(llm.Event)) (bool, error) {
	return d.next(data, emit)
}

// Body translates a one-shot answer.
func (d *puterDecoder) Body(body []byte, emit func(llm.Event)) error {
	if err := d.body(body, emit); err != nil {
		return err
	}
	if !d.found {
		return llm.Errorf(llm.KindParse, "the answer has no result that is a message; it reads %s", excerpt(body))
	}
	return nil
}

// End sums up. Where nobody gave a reason, the end itself is one: what the model was asked for is there.
func (d *puterDecoder) End(emit func(llm.Event)) (llm.Finish, bool) {
	finish, complete := d.conclude(emit, d.reason)
	if complete && finish.FinishReason == "" {
		finish.FinishReason = llm.FinishStop
	}
	return finish, complete
}

// puterLine has the fields of all lines, and of the body.
type puterLine struct {
	Type, Text, Reasoning string
	ID, Name              string // of a tool call
	FinishReason          string
	StopReason            string

	Success  string // "false" where the answer is an error
	Input    json.RawMessage
	Extra    json.RawMessage // extra_content
	ItemID   json.RawMessage // canonical_id: the tool call's id at the vendor behind
	Detail   json.RawMessage
	Usage    json.RawMessage
	Result   json.RawMessage
	Metadata json.RawMessage
	Error    json.RawMessage
}

func readPuterLine(data []byte) (l puterLine) {
	llm.Members(data, func(key, value []byte) {
		switch string(key) {
		case "type":
			readText(&l.Type, value)
		case "text":
			readText(&l.Text, value)
		case "reasoning":
			readText(&l.Reasoning, value)
		case "id":
			readText(&l.ID, value)
		case "name":
			readText(&l.Name, value)
		case "finish_reason":
			readText(&l.FinishReason, value)
		case "stopReason":
			readText(&l.StopReason, value)
		case "success":
			l.Success = string(value)
		case "input":
			l.Input = kept(value)
		case "extra_content":
			l.Extra = kept(value)
		case "canonical_id":
			l.ItemID = kept(value)
		case "detail":
			l.Detail = kept(value)
		case "usage":
			l.Usage = kept(value)
		case "result":
			l.Result = kept(value)
		case "metadata":
			l.Metadata = kept(value)
		case "error":
			l.Error = kept(value)
		}
	})
	return l
}

func (d *puterDecoder) readLine(data []byte) error {
	l := readPuterLine(data)
	limited := d.metadata(l.Metadata)
	switch {
	case hasError(l.Error) || l.Success == "false" || l.Type == "error" || limited:
		failed := vendorError(d.call, 200, data)
		if limited {
			failed.Code = firstWord(failed.Code, "usage_limited")
		}
		return failed
	case d.whole || !absent(l.Result): // a server that does not stream answers with one line
		d.result(data, l.Result)
		d.done = d.found
		return nil
	}
	return d.streamed(&l, data)
}

// metadata reads who answered. limited reports that instead of the model it was the notice that the account is used up.
func (d *puterDecoder) metadata(data json.RawMessage) (limited bool) {
	llm.Members(data, func(key, value []byte) {
		switch string(key) {
		case "providerUsed":
			if quoted(value) {
				d.note(&d.finish.Model, llm.Unquote(value))
			}
		case "usage_limited":
			limited = string(value) == "true"
		}
	})
	return limited
}

// streamed translates a line of a stream. Lines of other types are passed over: reasoning_start, and the pieces of tool calls
// that are sent on request before the whole call.
func (d *puterDecoder) streamed(l *puterLine, data []byte) error {
	switch l.Type {
	case "text":
		d.text(llm.EventText, l.Text)
		d.extraContent(l.Extra)
	case "reasoning":
		d.text(llm.EventReasoning, firstWord(l.Reasoning, l.Text))
	case "tool_use":
		d.toolCall(l.ID, l.Name, argumentsText(l.Input), callExtra(l.Extra, l.ItemID))
	case "extra_content":
		d.extraContent(l.Extra)
	case "reasoning_detail":
		if !absent(l.Detail) {
			d.emit(llm.Event{Kind: llm.EventDetail, Data: l.Detail})
		}
	case "compaction", "server_tool":
		d.emit(llm.Event{Kind: llm.EventPart, Data: kept(data)})
	case "usage":
		d.count(readPuterUsage(l.Usage))
		d.note(&d.reason, firstWord(l.FinishReason, l.StopReason))
		d.done = true
	}
	return nil
}

func (d *puterDecoder) extraContent(extra json.RawMessage) {
	if !absent(extra) {
		d.emit(llm.Event{Kind: llm.EventDetail, Data: wrap("extra_content", extra)})
	}
}

// callExtra is what must return with a tool call.
func callExtra(extra, itemID json.RawMessage) json.RawMessage {
	o := newObject(nil)
	if !absent(extra) {
		o.raw("extra_content", extra)
	}
	if !absent(itemID) {
		o.raw("canonical_id", itemID)
	}
	if o.empty {
		return nil
	}
	return o.end()
}

// puterResult is what the driver returned, or the whole body of a server that returned it bare.
type puterResult struct {
	message, choice, content, usage json.RawMessage
	text, id, reason                string
}

func readResult(data json.RawMessage) (r puterResult) {
	llm.Members(data, func(key, value []byte) {
		switch string(key) {
		case "message":
			r.message = kept(value)
		case "choices":
			llm.Elements(value, func(value []byte) {
				if r.choice == nil {
					r.choice = kept(value)
				}
			})
		case "content":
			r.content = kept(value)
		case "text":
			readText(&r.text, value)
		case "usage":
			r.usage = kept(value)
		case "id":
			readText(&r.id, value)
		case "finish_reason", "stop_reason":
			readText(&r.reason, value)
		}
	})
	return r
}

// result translates the result of a one-shot call, whichever of the shapes that the vendors behind have given it.
func (d *puterDecoder) result(body []byte, result json.RawMessage) {
	if absent(result) {
		result = body
	}
	if quoted(result) {
		d.content(result)
		return
	}
	r := readResult(result)
	d.note(&d.finish.ID, r.id)
	switch {
	case !absent(r.message):
		d.puterMessage(r.message)
	case !absent(r.choice):
		choice := readResult(r.choice)
		d.puterMessage(choice.message)
		r.reason = firstWord(r.reason, choice.reason)
	case !absent(r.content):
		d.content(r.content)
	case r.text != "":
		d.found = true
		d.text(llm.EventText, r.text)
	}
	d.note(&d.reason, r.reason) // unless the message had its own, which some vendors' results replace with "stop"
	d.count(readPuterUsage(r.usage))
}

// puterMessage translates a message in OpenAI's or Anthropic's shape.
func (d *puterDecoder) puterMessage(data json.RawMessage) {
	if absent(data) || data[0] != '{' {
		d.content(data)
		return
	}
	d.found = true
	llm.Members(data, func(key, value []byte) {
		switch string(key) {
		case "id":
			if quoted(value) {
				d.note(&d.finish.ID, llm.Unquote(value))
			}
		case "model":
			if quoted(value) {
				d.note(&d.finish.Model, llm.Unquote(value))
			}
		case "stop_reason":
			if quoted(value) {
				d.note(&d.reason, llm.Unquote(value))
			}
		case "usage":
			d.count(readPuterUsage(value))
		}
	})
	m := readMessage(data)
	reasoning := firstWord(m.ReasoningContent, m.Reasoning)
	d.text(llm.EventReasoning, reasoning)
	d.content(m.Content)
	d.text(llm.EventRefusal, m.Refusal)
	for _, detail := range m.ReasoningDetails {
		d.emit(llm.Event{Kind: llm.EventDetail, Data: detail})
	}
	d.extraContent(m.ExtraContent)
	for i := range m.ToolCalls {
		call := &m.ToolCalls[i]
		name, arguments, _ := call.content()
		d.toolCall(call.ID, name, arguments, callExtra(call.ExtraContent, nil))
	}
	for _, image := range m.Images {
		d.emit(llm.Event{Kind: llm.EventPart, Data: image})
	}
	for _, item := range m.Annotations {
		d.emit(llm.Event{Kind: llm.EventAnnotation, Data: item})
	}
}

// content translates a text, or a list of content blocks.
func (d *puterDecoder) content(content json.RawMessage) {
	if quoted(content) {
		d.found = true
		d.text(llm.EventText, llm.Unquote(content))
		return
	}
	for _, part := range contentParts(content) {
		d.found = true
		switch part.Type {
		case "text", "output_text":
			d.text(llm.EventText, part.Text)
		case "thinking", "redacted_thinking":
			d.text(llm.EventReasoning, part.thinking())
			d.emit(llm.Event{Kind: llm.EventDetail, Data: part.raw})
		case "refusal":
			d.text(llm.EventRefusal, part.Refusal)
		case "tool_use":
			block := readPuterLine(part.raw)
			d.toolCall(block.ID, block.Name, argumentsText(block.Input), callExtra(block.Extra, block.ItemID))
		default:
			d.emit(llm.Event{Kind: llm.EventPart, Data: part.raw})
		}
	}
}
