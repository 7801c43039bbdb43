package provider

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"pyagent/core/llm"
)

// lineDecoder is what the decoders of the vendors that stream JSON lines have in common. Such a vendor sends whole tool
// calls, one answer at a time, and in a one-shot body much the same as in a line; what a line means is up to read.
type lineDecoder struct {
	call    Call
	read    func(data []byte) error // reads one line, or the body
	sink    func(llm.Event)
	raw     bool // deliver the vendor's JSON as well
	number  int  // lines seen
	effects int  // of the current line
	sources int  // texts of the current line that had something in them
	last    learned
	fast    template
	noFast  bool // tests switch the template off
	whole   bool // decoding a one-shot body
	started bool
	done    bool
	finish  llm.Finish
	usage   llm.Usage
	calls   int // tool calls so far
	held    int // bytes kept for later
}

func newLineDecoder(call Call, paths templatePaths) lineDecoder {
	return lineDecoder{call: call, raw: call.Request != nil && call.Request.IncludeRaw, fast: template{paths: paths}}
}

// next decodes one line.
func (d *lineDecoder) next(data []byte, emit func(llm.Event)) (bool, error) {
	if d.done {
		return true, nil
	}
	d.number++
	if !d.raw && !d.noFast && d.fast.emit(data, emit) {
		return false, d.bounded()
	}
	d.sink = emit
	data = bytes.TrimSpace(data)
	if len(data) == 0 {
		return false, nil
	}
	if err := checkObject(data); err != nil {
		return false, llm.Errorf(llm.KindParse, "line %d of the stream is not JSON: %s; it reads %s", d.number, err, excerpt(data))
	}
	d.effects, d.sources, d.last = 0, 0, learned{}
	d.deliverRaw(data)
	if err := d.read(data); err != nil {
		return false, err
	}
	if !d.raw && !d.noFast && !d.done && d.effects == 1 && d.sources == 1 && d.last.text != "" {
		d.fast.learn(data, d.last)
	}
	return d.done, d.bounded()
}

// body decodes a one-shot answer.
func (d *lineDecoder) body(body []byte, emit func(llm.Event)) error {
	d.sink, d.whole = emit, true
	body, err := wholeBody(body)
	if err != nil {
		return err
	}
	d.deliverRaw(body)
	if err := d.read(body); err != nil {
		return err
	}
	d.done = true
	return d.bounded()
}

func checkObject(data []byte) error {
	if data[0] != '{' {
		return errors.New("it is no object")
	}
	return checkJSON(data)
}

func (d *lineDecoder) deliverRaw(data []byte) {
	if d.raw {
		d.emit(llm.Event{Kind: llm.EventRaw, Data: json.RawMessage(bytes.Clone(data))})
	}
}

// bounded refuses an answer that grows without end in what has to be kept of it.
func (d *lineDecoder) bounded() error {
	if d.calls > maxParts {
		return tooMany()
	}
	if d.held > maxHeld {
		return llm.Errorf(llm.KindLimit, "the answer made pyagent hold back more than %d bytes of unfinished pieces", maxHeld)
	}
	return nil
}

// note keeps the first value of something that every line repeats.
func (d *lineDecoder) note(into *string, value string) {
	if *into == "" && value != "" {
		*into = value
		d.effects++
	}
}

func (d *lineDecoder) start() {
	if d.started {
		return
	}
	d.started = true
	d.effects++
	d.sink(llm.Event{Kind: llm.EventStart, Data: &llm.Start{
		ID: d.finish.ID, Model: d.finish.Model, Provider: d.call.Row.Name,
	}})
}

func (d *lineDecoder) emit(event llm.Event) {
	d.effects++
	if event.Kind != llm.EventRaw {
		d.start()
	}
	d.sink(event)
}

func (d *lineDecoder) text(kind llm.EventKind, text string) {
	if text == "" {
		return
	}
	d.sources++
	d.last = learned{kind: kind, text: text}
	d.emit(llm.Event{Kind: kind, Text: []byte(text)})
}

// toolCall delivers a whole tool call.
func (d *lineDecoder) toolCall(id, name string, arguments []byte, extra json.RawMessage) {
	if name == "" || d.calls > maxParts {
		return
	}
	if id == "" {
		id = d.madeID(name, arguments)
	}
	index := uint16(d.calls)
	d.calls++
	d.emit(llm.Event{Kind: llm.EventToolBegin, Index: index, Data: &llm.ToolBegin{ID: id, Name: name, Extra: extra}})
	if len(arguments) > 0 {
		d.emit(llm.Event{Kind: llm.EventToolArgs, Index: index, Text: arguments})
	}
	d.emit(llm.Event{Kind: llm.EventToolEnd, Index: index, Data: &llm.ToolEnd{}})
}

// madeIDPrefix begins the ids that are made here for vendors that give none, so that they are known as such when the
// conversation comes back.
const madeIDPrefix = "call_made_"

// madeID stands in for the id of a tool call. The same call of the same answer gets the same id every time; the length of
// the conversation, the time of the answer and the call's number in it keep the ids of one conversation apart.
func (d *lineDecoder) madeID(name string, arguments []byte) string {
	messages := 0
	if d.call.Request != nil {
		messages = len(d.call.Request.Messages)
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%d|%v|%s|%d|%s|%s", messages, d.finish.Created, d.finish.ID, d.calls, name, arguments))
	return madeIDPrefix + hex.EncodeToString(sum[:12])
}

func isMadeID(id string) bool { return strings.HasPrefix(id, madeIDPrefix) }

// argumentsText is a call's arguments as the text that hosts expect: a vendor's object without white space, a string as it is.
func argumentsText(value json.RawMessage) []byte {
	switch {
	case absent(value):
		return nil
	case quoted(value):
		return []byte(llm.Unquote(value))
	}
	return compacted(value)
}

// count merges what a line says of tokens.
func (d *lineDecoder) count(found llm.Usage) {
	before := d.usage
	d.usage.Merge(found)
	if !sameUsage(before, d.usage) {
		usage := d.usage
		d.emit(llm.Event{Kind: llm.EventUsage, Data: &usage})
	}
}

// conclude sums up an answer that ended for the vendor's reason raw.
func (d *lineDecoder) conclude(emit func(llm.Event), raw string) (llm.Finish, bool) {
	d.sink = emit
	if d.done {
		d.start()
	}
	d.finish.Provider = d.call.Row.Name
	d.finish.RawFinishReason, d.finish.FinishReason = raw, unifiedReason(raw, d.calls > 0)
	if d.usage != (llm.Usage{}) {
		usage := d.usage
		d.finish.Usage = &usage
	}
	return d.finish, d.done
}

// streamOptions accepts the one stream option that asks for what these vendors do anyway.
func (b *body) streamOptions() {
	llm.Members(b.request.StreamOptions, func(key, value []byte) {
		if string(key) != "include_usage" {
			b.refuse("stream_options", "%s has no stream option %q; leave it out", b.row.Name, key)
		}
	})
}
