package provider

import (
	"bytes"
	"encoding/json"
	"strings"

	"pyagent/core/llm"
)

// messagesDecoder decodes one answer: https://docs.claude.com/en/api/messages-streaming. An answer is a list of blocks; in a
// stream each is opened, grows and is closed. A piece of text that fits the template of those before it has no other effect
// than theirs, on the same block: opening and closing a block forgets the template.
type messagesDecoder struct {
	call   Call
	sink   func(llm.Event)
	pass   func(llm.Event) // notes what the template found, and passes it on to sink
	raw    bool            // deliver the vendor's JSON as well
	number int             // events seen
	fast   template
	noFast bool // tests switch the template off
	grows  *answerBlock

	begun     bool // the message was announced
	started   bool
	done      bool
	whole     bool // decoding a one-shot body
	finish    llm.Finish
	reason    string
	counts    messageCounts
	usage     llm.Usage
	container json.RawMessage

	open   []*answerBlock
	places int        // blocks so far, those without anything in them left out
	spans  []textSpan // the texts among them
	called int        // the place of the first tool call, 0 before there is one
	calls  int
	held   int // bytes kept for later
}

func newMessagesDecoder(call Call) *messagesDecoder {
	d := &messagesDecoder{call: call, raw: call.Request != nil && call.Request.IncludeRaw, fast: template{paths: messagesPaths()}}
	d.pass = func(event llm.Event) {
		d.grow(d.grows, event.Text)
		d.sink(event)
	}
	return d
}

func messagesPaths() templatePaths {
	return templatePaths{padded: true, text: []textPath{
		{llm.EventText, []string{"delta", "text"}},
		{llm.EventReasoning, []string{"delta", "thinking"}},
		{llm.EventToolArgs, []string{"delta", "partial_json"}},
	}}
}

// messageEvent is one event of a stream, or a whole message, whose fields come without an event around them.
type messageEvent struct {
	Type    string
	Index   loose
	Message []byte // an object: what the event is about
	Block   json.RawMessage
	Delta   json.RawMessage
	Usage   []byte
	Error   json.RawMessage
}

func readMessageEvent(data []byte) (e messageEvent) {
	llm.Members(data, func(key, value []byte) {
		switch string(key) {
		case "type":
			readText(&e.Type, value)
		case "index":
			e.Index.read(value)
		case "message":
			e.Message = value
		case "content_block":
			e.Block = value
		case "delta":
			e.Delta = value
		case "usage":
			e.Usage = value
		case "error":
			e.Error = value
		}
	})
	return e
}

// Event decodes one event.
func (d *messagesDecoder) Event(name string, data []byte, emit func(llm.Event)) (bool, error) {
	if d.done {
		return true, nil
	}
	d.number++
	d.sink = emit
	plain := name == "" || name == "message" || name == "content_block_delta"
	if plain && !d.raw && !d.noFast && d.fast.emit(data, d.pass) {
		return false, d.bounded()
	}
	data = bytes.TrimSpace(data)
	switch {
	case len(data) == 0 || name == "ping":
		return false, nil
	case string(data) == "[DONE]": // of a proxy
		return true, d.end()
	case name == "error":
		return true, vendorError(d.call, 200, data)
	}
	if err := checkObject(data); err != nil {
		if !plain && !strings.HasPrefix(name, "message") && !strings.HasPrefix(name, "content") {
			return false, nil // an event of another kind need not be JSON
		}
		return false, llm.Errorf(llm.KindParse, "event %d of the stream is not JSON: %s; it reads %s", d.number, err, excerpt(data))
	}
	d.deliverRaw(data)
	event := readMessageEvent(data)
	if event.Type == "" && name != "message" {
		event.Type = name
	}
	return d.event(&event, plain, data)
}

func (d *messagesDecoder) event(event *messageEvent, plain bool, data []byte) (bool, error) {
	switch event.Type {
	case "content_block_delta":
		if said := d.delta(event); plain && !d.raw && !d.noFast && said.text != "" {
			d.fast.learn(data, said)
		}
	case "content_block_start":
		d.openBlock(event.Index.index(len(d.open)), event.Block)
	case "content_block_stop":
		if block := d.find(event.Index.index(-1)); block != nil {
			d.closeBlock(block)
		}
	case "message_start":
		if !d.begun {
			d.begin(event.Message)
		}
	case "message_delta":
		d.conclusion(event.Delta)
		d.count(event.Usage)
	case "message_stop":
		return true, d.end()
	case "error":
		return true, vendorError(d.call, 200, data)
	default:
		if hasError(event.Error) {
			return true, vendorError(d.call, 200, data)
		}
	}
	return false, d.bounded()
}

// end is the terminal signal.
func (d *messagesDecoder) end() error {
	d.done = true
	if !d.started {
		return llm.Errorf(llm.KindParse, "the stream ended without an answer: none of its %d events began a message", d.number)
	}
	return nil
}

func (d *messagesDecoder) deliverRaw(data []byte) {
	if d.raw {
		d.sink(llm.Event{Kind: llm.EventRaw, Data: json.RawMessage(bytes.Clone(data))})
	}
}

// begin takes in what a message says of itself at its head.
func (d *messagesDecoder) begin(message []byte) {
	d.begun = true
	llm.Members(message, func(key, value []byte) {
		switch string(key) {
		case "id":
			readText(&d.finish.ID, value)
		case "model":
			readText(&d.finish.Model, value)
		}
	})
	d.start()
	d.conclusion(message)
	llm.Members(message, func(key, value []byte) {
		if string(key) == "usage" {
			d.count(value)
		}
	})
}

// conclusion takes in why a message ended.
func (d *messagesDecoder) conclusion(data []byte) {
	llm.Members(data, func(key, value []byte) {
		switch string(key) {
		case "stop_reason":
			readText(&d.reason, value)
		case "stop_details": // why the model refused, for people
			if value[0] == '{' {
				d.emit(llm.Event{Kind: llm.EventAnnotation, Data: kept(value)})
			}
		case "container":
			if value[0] == '{' {
				d.container = kept(value)
			}
		}
	})
}

func (d *messagesDecoder) start() {
	if !d.started {
		d.started = true
		d.sink(llm.Event{Kind: llm.EventStart, Data: &llm.Start{
			ID: d.finish.ID, Model: d.finish.Model, Provider: d.call.Row.Name,
		}})
	}
}

func (d *messagesDecoder) emit(event llm.Event) {
	d.start()
	d.sink(event)
}

// bounded refuses an answer that grows without end in what has to be kept of it.
func (d *messagesDecoder) bounded() error {
	if d.calls > maxParts || len(d.open) > maxParts {
		return tooMany()
	}
	if d.held > maxHeld {
		return llm.Errorf(llm.KindLimit, "the answer made pyagent hold back more than %d bytes of unfinished pieces", maxHeld)
	}
	return nil
}

// Body decodes a one-shot answer.
func (d *messagesDecoder) Body(body []byte, emit func(llm.Event)) error {
	d.sink, d.whole = emit, true
	body, err := wholeBody(body)
	if err != nil {
		return err
	}
	kind, content := "", []byte(nil)
	llm.Members(body, func(key, value []byte) {
		switch string(key) {
		case "type":
			readText(&kind, value)
		case "content":
			content = value
		}
	})
	if kind == "error" || hasError(parseErrorKey(body)) {
		return vendorError(d.call, 200, body)
	}
	if len(content) == 0 || content[0] != '[' {
		if found := parseError(body); found.message != "" {
			return vendorError(d.call, 200, body)
		}
		return llm.Errorf(llm.KindParse, "the answer has no list of content; it reads %s", excerpt(body))
	}
	d.deliverRaw(body)
	d.begin(body)
	index := 0
	llm.Elements(content, func(value []byte) {
		if d.calls <= maxParts {
			d.openBlock(index, value)
			d.closeBlock(d.open[0])
			index++
		}
	})
	d.done = true
	return d.bounded()
}

// End closes what is open and sums up. An answer that said why it ended is complete, like one with its terminal signal.
func (d *messagesDecoder) End(emit func(llm.Event)) (llm.Finish, bool) {
	d.sink = emit
	complete := d.started && (d.done || d.reason != "")
	if complete {
		for len(d.open) > 0 {
			d.closeBlock(d.open[0])
		}
		d.placeTexts()
		if d.container != nil {
			o := newObject(nil)
			o.text("type", "container")
			llm.Members(d.container, func(key, value []byte) { o.raw(string(key), value) })
			d.emit(llm.Event{Kind: llm.EventDetail, Data: json.RawMessage(o.end())})
		}
	}
	d.finish.Provider = d.call.Row.Name
	d.finish.RawFinishReason, d.finish.FinishReason = d.reason, messageReason(d.reason, d.calls > 0)
	if d.usage != (llm.Usage{}) {
		usage := d.usage
		d.finish.Usage = &usage
	}
	return d.finish, complete
}

// messageReason translates a stop reason. Two of them mean that the vendor has more to say: the answer is sent back as it is,
// and the model goes on.
func messageReason(raw string, hasCalls bool) string {
	switch raw {
	case "refusal":
		return llm.FinishContentFilter
	case "pause_turn", "compaction":
		return llm.FinishOther
	}
	return unifiedReason(raw, hasCalls)
}
