package provider

import (
	"bytes"
	"encoding/json"
	"strings"

	"pyagent/core/llm"
)

// responsesDecoder decodes one answer: https://platform.openai.com/docs/api-reference/responses-streaming. An answer is a
// list of items; in a stream each is added, grows and is done, and the last event repeats the whole answer. What came in
// pieces is not read again from what is whole, and what only comes whole, as some servers have it, is not lost.
//
// Pieces are told apart by the place of their item, not by its id, which changes from event to event behind some gateways.
type responsesDecoder struct {
	call   Call
	sink   func(llm.Event)
	pass   func(llm.Event) // notes what the template found, and passes it on to sink
	raw    bool            // deliver the vendor's JSON as well
	number int             // events seen
	fast   template
	noFast bool // tests switch the template off
	grows  *itemPart

	started bool
	done    bool
	finish  llm.Finish
	status  string // how the answer ended
	reason  string // why it is incomplete
	stored  *bool  // whether the vendor keeps it
	usage   llm.Usage

	items   []*answerItem
	parts   int // of all items
	calls   int
	thought *itemPart         // the last piece of reasoning
	details []json.RawMessage // the items as they came
	held    int               // bytes kept for later
}

func newResponsesDecoder(call Call) *responsesDecoder {
	d := &responsesDecoder{call: call, raw: call.Request != nil && call.Request.IncludeRaw,
		fast: template{paths: responsesPaths()}}
	d.pass = func(event llm.Event) {
		d.grows.length += len(event.Text)
		d.sink(event)
	}
	return d
}

func responsesPaths() templatePaths {
	delta := []string{"delta"}
	return templatePaths{
		text: []textPath{
			{llm.EventText, delta}, {llm.EventReasoning, delta}, {llm.EventRefusal, delta}, {llm.EventToolArgs, delta},
		},
		noise: []string{"sequence_number", "obfuscation"},
	}
}

// responsesEvent is one event of a stream.
type responsesEvent struct {
	Type          string
	Item, Content loose // the places of the item and of the part that the event is about
	Delta         []byte
	Whole         json.RawMessage // the item
	Response      []byte
	Annotation    json.RawMessage
	Logprobs      json.RawMessage
	Error         json.RawMessage
}

func readResponsesEvent(data []byte) (e responsesEvent) {
	llm.Members(data, func(key, value []byte) {
		switch string(key) {
		case "type":
			readText(&e.Type, value)
		case "output_index":
			e.Item.read(value)
		case "content_index", "summary_index":
			e.Content.read(value)
		case "delta":
			e.Delta = value
		case "item":
			e.Whole = value
		case "response":
			e.Response = value
		case "annotation":
			e.Annotation = value
		case "logprobs":
			e.Logprobs = value
		case "error":
			e.Error = value
		}
	})
	return e
}

// Event decodes one event.
func (d *responsesDecoder) Event(name string, data []byte, emit func(llm.Event)) (bool, error) {
	if d.done {
		return true, nil
	}
	d.number++
	d.sink = emit
	plain := name == "" || name == "message" || strings.HasSuffix(name, ".delta")
	if plain && !d.raw && !d.noFast && d.fast.emit(data, d.pass) {
		return false, nil
	}
	data = bytes.TrimSpace(data)
	switch {
	case len(data) == 0:
		return false, nil
	case string(data) == "[DONE]": // of a proxy
		return true, d.end()
	case name == "error":
		return true, vendorError(d.call, 200, data)
	}
	if err := checkObject(data); err != nil {
		if !plain && !strings.HasPrefix(name, "response.") {
			return false, nil // an event of another kind need not be JSON
		}
		return false, llm.Errorf(llm.KindParse, "event %d of the stream is not JSON: %s; it reads %s", d.number, err, excerpt(data))
	}
	d.deliverRaw(data)
	event := readResponsesEvent(data)
	learnable := plain && !d.raw && !d.noFast && event.Type != ""
	if event.Type == "" && name != "message" {
		event.Type = name
	}
	said, done, err := d.event(&event, data)
	if learnable && said.text != "" {
		d.fast.learn(data, said)
	}
	if err == nil {
		err = d.bounded()
	}
	return done, err
}

// event returns the text of the event, if that is all that it did.
func (d *responsesDecoder) event(event *responsesEvent, data []byte) (said learned, done bool, err error) {
	switch event.Type {
	case "response.output_text.delta":
		return d.textDelta(llm.EventText, event), false, nil
	case "response.refusal.delta":
		return d.textDelta(llm.EventRefusal, event), false, nil
	case "response.reasoning_summary_text.delta", "response.reasoning_text.delta":
		return d.textDelta(llm.EventReasoning, event), false, nil
	case "response.function_call_arguments.delta", "response.custom_tool_call_input.delta":
		return d.argumentsDelta(event), false, nil
	case "response.output_text.annotation.added":
		if len(event.Annotation) > 0 && event.Annotation[0] == '{' {
			d.item(event, "message").notes++
			d.emit(llm.Event{Kind: llm.EventAnnotation, Data: kept(event.Annotation)})
		}
	case "response.output_item.added":
		d.open(event.Item.index(len(d.items)), event.Whole)
	case "response.output_item.done":
		d.itemDone(event)
	case "response.created", "response.in_progress", "response.queued":
		d.identify(event.Response)
	case "response.completed", "response.incomplete", "response.failed", "response.cancelled":
		return said, true, d.conclude(strings.TrimPrefix(event.Type, "response."), event.Response, data)
	case "error":
		return said, true, vendorError(d.call, 200, data)
	default:
		if hasError(event.Error) {
			return said, true, vendorError(d.call, 200, data)
		}
	}
	return said, false, nil
}

// end is a terminal signal that says nothing more.
func (d *responsesDecoder) end() error {
	d.done = true
	if len(d.items) == 0 && d.status == "" {
		return llm.Errorf(llm.KindParse, "the stream ended without an answer: none of its %d events had an item", d.number)
	}
	return nil
}

func (d *responsesDecoder) deliverRaw(data []byte) {
	if d.raw {
		d.sink(llm.Event{Kind: llm.EventRaw, Data: json.RawMessage(bytes.Clone(data))})
	}
}

// identify notes what an answer says about itself. The last word counts: some gateways give every event another id, and
// which model and tier served is only known at the end.
func (d *responsesDecoder) identify(response []byte) {
	if len(response) == 0 || response[0] != '{' {
		return
	}
	last := func(into *string, value []byte) {
		if quoted(value) && len(value) > 2 {
			*into = llm.Unquote(value)
		}
	}
	llm.Members(response, func(key, value []byte) {
		switch string(key) {
		case "id":
			last(&d.finish.ID, value)
		case "model":
			last(&d.finish.Model, value)
		case "created_at":
			var created loose
			if created.read(value); created.set && d.finish.Created == 0 {
				d.finish.Created = created.number
			}
		case "service_tier":
			last(&d.finish.ServiceTier, value)
		case "status":
			readText(&d.status, value)
		case "incomplete_details":
			llm.Members(value, func(key, value []byte) {
				if string(key) == "reason" {
					readText(&d.reason, value)
				}
			})
		case "store":
			if yes := string(value) == "true"; yes || string(value) == "false" {
				d.stored = &yes
			}
		}
	})
	d.start()
}

// conclude takes in the answer as a whole, which the last event brings.
func (d *responsesDecoder) conclude(status string, response, data []byte) error {
	d.identify(response)
	d.status = status
	var output, failure []byte
	llm.Members(response, func(key, value []byte) {
		switch string(key) {
		case "output":
			output = value
		case "usage":
			d.count(value)
		case "error":
			failure = value
		}
	})
	if status == "failed" || hasError(failure) {
		if hasError(failure) {
			data = newObject(nil).member("error", failure)
		}
		return vendorError(d.call, 200, data)
	}
	d.rest(output)
	d.done = true
	return nil
}

// rest reads the items that a stream did not bring, or did not finish.
func (d *responsesDecoder) rest(output []byte) {
	missing, index := len(d.items) == 0, 0
	llm.Elements(output, func(value []byte) {
		item := d.find(index)
		if item == nil && missing && len(d.items) <= maxParts {
			item = d.open(index, value)
		}
		if item != nil && !item.closed {
			d.close(item, value)
		}
		index++
	})
}

func (d *responsesDecoder) count(data []byte) {
	usage := readUsage(data)
	if usage == nil {
		return
	}
	before := d.usage
	d.usage.Merge(usage.unified(d.call.Row.ReasoningUncounted))
	if !sameUsage(before, d.usage) {
		merged := d.usage
		d.emit(llm.Event{Kind: llm.EventUsage, Data: &merged})
	}
}

func (d *responsesDecoder) start() {
	if !d.started {
		d.started = true
		d.sink(llm.Event{Kind: llm.EventStart, Data: &llm.Start{
			ID: d.finish.ID, Model: d.finish.Model, Provider: d.call.Row.Name,
		}})
	}
}

func (d *responsesDecoder) emit(event llm.Event) {
	d.start()
	d.sink(event)
}

// bounded refuses an answer that grows without end in what has to be kept of it.
func (d *responsesDecoder) bounded() error {
	if len(d.items) > maxParts || d.parts > maxParts {
		return llm.Errorf(llm.KindLimit, "the answer has more than %d items or parts of items", maxParts)
	}
	if d.held > maxHeld {
		return llm.Errorf(llm.KindLimit, "the answer made pyagent hold back more than %d bytes of unfinished pieces", maxHeld)
	}
	return nil
}

// Body decodes a one-shot answer.
func (d *responsesDecoder) Body(body []byte, emit func(llm.Event)) error {
	d.sink = emit
	body, err := wholeBody(body)
	if err != nil {
		return err
	}
	status, listed := "", false
	llm.Members(body, func(key, value []byte) {
		switch string(key) {
		case "status":
			readText(&status, value)
		case "output":
			listed = len(value) > 0 && value[0] == '['
		}
	})
	if !listed {
		if found := parseError(body); found.message != "" || hasError(parseErrorKey(body)) {
			return vendorError(d.call, 200, body)
		}
		return llm.Errorf(llm.KindParse, "the answer has no list of output; it reads %s", excerpt(body))
	}
	d.deliverRaw(body)
	if err := d.conclude(status, body, body); err != nil {
		return err
	}
	return d.bounded()
}

// End closes what is open and sums up.
func (d *responsesDecoder) End(emit func(llm.Event)) (llm.Finish, bool) {
	d.sink = emit
	if d.done {
		for _, item := range d.items {
			if !item.closed {
				d.close(item, nil)
			}
		}
		d.start()
		d.deliverDetails()
	}
	d.finish.Provider = d.call.Row.Name
	d.finish.FinishReason, d.finish.RawFinishReason = d.ending()
	if d.usage != (llm.Usage{}) {
		usage := d.usage
		d.finish.Usage = &usage
	}
	return d.finish, d.done
}

// ending is the reason of the end and the vendor's word for it: its status, or why the answer is incomplete.
func (d *responsesDecoder) ending() (reason, raw string) {
	if !d.done {
		return "", ""
	}
	switch d.status {
	case "", "completed":
		if d.calls > 0 {
			return llm.FinishToolCalls, d.status
		}
		return llm.FinishStop, d.status
	case "incomplete":
		switch d.reason {
		case "max_output_tokens", "max_tokens":
			return llm.FinishLength, d.reason
		case "content_filter":
			return llm.FinishContentFilter, d.reason
		}
		return llm.FinishOther, firstWord(d.reason, d.status)
	}
	return llm.FinishOther, d.status
}
