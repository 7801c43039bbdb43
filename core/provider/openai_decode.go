package provider

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"pyagent/core/llm"
)

// NewDecoder returns a decoder for one answer.
func (openAI) NewDecoder(call Call) Decoder {
	if call.Request != nil {
		switch call.Request.Op {
		case llm.OpEmbed:
			return newEmbedDecoder(call)
		case llm.OpModels:
			return newModelsDecoder(call)
		}
	}
	return newChatDecoder(call)
}

// chatDecoder decodes one chat-completions answer. What it learns of id, model and the like is set once and never
// changed, and everything else that a chunk does counts as an effect: a chunk whose only effect is one text delta
// teaches the template, and whatever matches the template can have no other effect either.
type chatDecoder struct {
	call     Call
	sink     func(llm.Event)
	raw      bool // deliver the vendor's JSON as well
	number   int  // events seen
	effects  int  // of the current chunk
	sources  int  // text fields of the current chunk that had something in them
	last     learned
	fast     *template // of a stream
	noFast   bool      // tests switch the template off
	whole    bool      // decoding a one-shot body: tool calls are complete, not pieces
	done     bool
	started  bool
	finish   llm.Finish
	usage    llm.Usage
	choices  []*choiceState
	calls    uint16 // tool calls of all choices, numbered in the order they began
	opened   int    // tool calls of all choices, begun or not
	held     int    // bytes kept for later
	details  detailMerger
	thoughts []*thought
	thought  *thought        // the one that the next piece may continue
	keep     func(llm.Event) // sink, and memory of reasoning_content; nil where the vendor does not want that back
	citation int             // citations delivered
}

// choiceState is what is known of one of the parallel answers.
type choiceState struct {
	index int
	raw   string // finish reason
	calls []*toolState
	think thinkSplitter

	reasoning []byte // kept where the vendor wants it back
}

// maxHeld bounds what a decoder keeps back for later: unnamed tool calls, fragments of reasoning details.
const maxHeld = 64 << 20

// maxParts bounds the parallel choices of an answer, and its tool calls. Each piece looks for its own among them.
const maxParts = 1024

func newChatDecoder(call Call) *chatDecoder {
	decoder := &chatDecoder{call: call, raw: call.Request != nil && call.Request.IncludeRaw}
	if call.Row.reasoning().Back != "" {
		decoder.keep = func(event llm.Event) {
			if event.Kind == llm.EventReasoning {
				decoder.remember(int(event.Index), event.Text)
			}
			decoder.sink(event)
		}
	}
	return decoder
}

func chatPaths() templatePaths {
	return templatePaths{
		text: []textPath{
			{llm.EventText, []string{"choices", "0", "delta", "content"}},
			{llm.EventReasoning, []string{"choices", "0", "delta", "reasoning_content"}},
			{llm.EventReasoning, []string{"choices", "0", "delta", "reasoning"}},
		},
		noise: []string{"obfuscation", "p"}, // random padding of OpenAI and Mistral
	}
}

// chatAnswer is a chunk of a stream or a whole body. Fields of an unexpected type are left empty instead of failing:
// servers differ in everything that is not the text.
type chatAnswer struct {
	ID, Model, Fingerprint, ServiceTier, Object, Type string

	Created   loose
	Choices   []chatChoice
	Usage     *chatUsage
	GroqUsage *chatUsage
	Citations []json.RawMessage
	Error     json.RawMessage
}

func readAnswer(data []byte) (a chatAnswer) {
	llm.Members(data, func(key, value []byte) {
		switch string(key) {
		case "id":
			readText(&a.ID, value)
		case "model":
			readText(&a.Model, value)
		case "system_fingerprint":
			readText(&a.Fingerprint, value)
		case "service_tier":
			readText(&a.ServiceTier, value)
		case "object":
			readText(&a.Object, value)
		case "type":
			readText(&a.Type, value)
		case "created":
			a.Created.read(value)
		case "choices":
			a.Choices = list(value, readChoice)
		case "usage":
			a.Usage = readUsage(value)
		case "x_groq":
			llm.Members(value, func(key, value []byte) {
				if string(key) == "usage" {
					a.GroqUsage = readUsage(value)
				}
			})
		case "citations":
			a.Citations = list(value, kept)
		case "error":
			a.Error = kept(value)
		}
	})
	return a
}

type chatChoice struct {
	Index        loose
	Message      *chatMessage // the delta of a chunk, the message of a body
	FinishReason string
	Logprobs     json.RawMessage
	Usage        *chatUsage
	Error        json.RawMessage
}

func readChoice(data []byte) (c chatChoice) {
	llm.Members(data, func(key, value []byte) {
		switch string(key) {
		case "index":
			c.Index.read(value)
		case "delta":
			if message := readMessage(value); message != nil {
				c.Message = message
			}
		case "message": // of a body, or of a server that streams whole messages
			if c.Message == nil {
				c.Message = readMessage(value)
			}
		case "finish_reason":
			readText(&c.FinishReason, value)
		case "logprobs":
			c.Logprobs = kept(value)
		case "usage":
			c.Usage = readUsage(value)
		case "error":
			c.Error = kept(value)
		}
	})
	return c
}

// Event decodes one chunk.
func (d *chatDecoder) Event(name string, data []byte, emit func(llm.Event)) (bool, error) {
	if d.done {
		return true, nil
	}
	if d.number++; d.fast == nil {
		d.fast = &template{paths: chatPaths()}
	}
	plain := name == "" || name == "message"
	d.sink = emit
	if d.keep != nil {
		emit = d.keep
	}
	if plain && !d.raw && !d.noFast && d.fast.emit(data, emit) {
		d.thought = nil
		return false, nil
	}
	data = bytes.TrimSpace(data)
	switch {
	case len(data) == 0:
		return false, nil
	case string(data) == "[DONE]":
		d.done = true
		if len(d.choices) == 0 {
			return true, llm.Errorf(llm.KindParse,
				"the stream ended without an answer: none of its %d events had choices", d.number)
		}
		return true, nil
	case name == "error":
		return true, vendorError(d.call, 200, data)
	case !plain && data[0] != '{' && data[0] != '[':
		return false, nil // a ping with a name of its own: no chunk of an answer looks like this
	}
	return false, d.chunk(plain, data)
}

func (d *chatDecoder) chunk(plain bool, data []byte) error {
	if err := checkJSON(data); err != nil {
		return llm.Errorf(llm.KindParse, "event %d of the stream is not JSON: %s; it reads %s", d.number, err,
			excerpt(data))
	}
	answer := readAnswer(data)
	d.effects, d.sources = 0, 0
	if err := d.answer(&answer, data); err != nil {
		return err
	}
	if plain && !d.raw && !d.noFast && d.effects == 1 && d.sources == 1 && d.last.text != "" && !d.call.Row.ThinkTags {
		d.fast.learn(data, d.last)
	}
	return nil
}

// checkJSON says what is wrong with a text that is no JSON object. A list passes, perhaps it is Gemini's form of an error,
// and so does null, which says nothing.
func checkJSON(data []byte) error {
	if llm.Valid(data) {
		if data[0] == '{' || data[0] == '[' || data[0] == 'n' {
			return nil
		}
		return errors.New("it is no object")
	}
	return json.Unmarshal(data, new(json.RawMessage))
}

// answer decodes a chunk or a body: everything that came first, then the error if there is one.
func (d *chatDecoder) answer(a *chatAnswer, data []byte) error {
	d.last = learned{}
	d.identify(a)
	if d.raw {
		d.emit(llm.Event{Kind: llm.EventRaw, Data: json.RawMessage(bytes.Clone(data))})
	}
	if a.parts() > maxParts {
		return tooMany()
	}
	var failed error
	for i := range a.Choices {
		if err := d.choice(&a.Choices[i], i); err != nil && failed == nil {
			failed = err
		}
	}
	d.cite(a.Citations)
	d.count(a.GroqUsage)
	d.count(a.Usage)
	if failed != nil {
		return failed
	}
	if hasError(a.Error) || a.Object == "error" || a.Type == "error" {
		return vendorError(d.call, 200, data)
	}
	if len(a.Choices) == 0 && a.ID == "" && a.Usage == nil && a.Model == "" {
		if found := parseError(data); found.message != "" {
			return vendorError(d.call, 200, data)
		}
	}
	if len(d.choices) > maxParts || d.opened > maxParts {
		return tooMany()
	}
	if d.held > maxHeld {
		return llm.Errorf(llm.KindLimit, "the answer made pyagent hold back more than %d bytes of unfinished pieces",
			maxHeld)
	}
	return nil
}

// parts is the number of choices, or that of their tool calls, whichever is larger.
func (a *chatAnswer) parts() int {
	calls := 0
	for _, choice := range a.Choices {
		if choice.Message != nil {
			calls += len(choice.Message.ToolCalls)
		}
	}
	return max(len(a.Choices), calls)
}

func tooMany() error {
	return llm.Errorf(llm.KindLimit, "the answer has more than %d choices or tool calls", maxParts)
}

// identify notes what the answer says about itself. The first word counts: Azure begins with empty fields, routers
// change the model's name in mid-stream.
func (d *chatDecoder) identify(a *chatAnswer) {
	d.note(&d.finish.ID, a.ID)
	d.note(&d.finish.Model, a.Model)
	d.note(&d.finish.Fingerprint, a.Fingerprint)
	d.note(&d.finish.ServiceTier, a.ServiceTier)
	if d.finish.Created == 0 && a.Created.set && a.Created.number > 0 {
		d.finish.Created = a.Created.number
		d.effects++
	}
	if a.ID != "" || a.Model != "" {
		d.start()
	}
}

func (d *chatDecoder) note(into *string, value string) {
	if *into == "" && value != "" {
		*into = value
		d.effects++
	}
}

func (d *chatDecoder) start() {
	if d.started {
		return
	}
	d.started = true
	d.emit(llm.Event{Kind: llm.EventStart, Data: &llm.Start{
		ID: d.finish.ID, Model: d.finish.Model, Provider: d.call.Row.Name,
	}})
}

func (d *chatDecoder) emit(event llm.Event) {
	d.effects++
	if event.Kind != llm.EventStart && event.Kind != llm.EventRaw {
		d.start()
	}
	d.sink(event)
}

// text emits a delta of the current chunk and remembers it for the template.
func (d *chatDecoder) text(kind llm.EventKind, choice int, text string) {
	if text == "" {
		return
	}
	d.last = learned{kind: kind, index: uint16(choice), text: text}
	if d.keep != nil && kind == llm.EventReasoning {
		d.remember(choice, []byte(text))
	}
	d.emit(llm.Event{Kind: kind, Index: uint16(choice), Text: []byte(text)})
}

// Body decodes a one-shot answer.
func (d *chatDecoder) Body(body []byte, emit func(llm.Event)) error {
	d.sink, d.whole = emit, true
	body, err := wholeBody(body)
	if err != nil {
		return err
	}
	answer := readAnswer(body)
	if len(answer.Choices) == 0 {
		if found := parseError(body); hasError(answer.Error) || found.message != "" {
			return vendorError(d.call, 200, body)
		}
		return llm.Errorf(llm.KindParse, "the answer has no choices; it reads %s", excerpt(body))
	}
	if err := d.answer(&answer, body); err != nil {
		return err
	}
	if !slices.ContainsFunc(answer.Choices, func(c chatChoice) bool { return c.Message != nil }) {
		return llm.Errorf(llm.KindParse, "the answer has choices but no message in them; it reads %s", excerpt(body))
	}
	d.done = true
	return nil
}

// End closes what is open and sums up.
func (d *chatDecoder) End(emit func(llm.Event)) (llm.Finish, bool) {
	d.sink = emit
	complete := d.done || len(d.choices) > 0
	for _, choice := range d.choices {
		complete = complete && (d.done || choice.raw != "")
	}
	for _, choice := range d.choices {
		choice.think.flush(func(kind llm.EventKind, text string) { d.text(kind, choice.index, text) })
		d.endCalls(choice, complete)
	}
	d.flushThoughts()
	if complete {
		d.start()
	}
	d.conclude()
	return d.finish, complete
}

func (d *chatDecoder) conclude() {
	d.finish.Provider = d.call.Row.Name
	if d.usage != (llm.Usage{}) {
		usage := d.usage
		d.finish.Usage = &usage
	}
	for i, choice := range d.choices {
		reason := unifiedReason(choice.raw, len(choice.calls) > 0)
		if i == 0 || choice.index == 0 {
			d.finish.FinishReason, d.finish.RawFinishReason = reason, choice.raw
		}
		if len(d.choices) > 1 {
			d.finish.Choices = append(d.finish.Choices, llm.Choice{
				Index: choice.index, FinishReason: reason, RawFinishReason: choice.raw,
			})
		}
	}
}

func (d *chatDecoder) state(index int) *choiceState {
	for _, choice := range d.choices {
		if choice.index == index {
			return choice
		}
	}
	d.effects++
	choice := &choiceState{index: index}
	d.choices = append(d.choices, choice)
	return choice
}

// unifiedReason translates a finish reason. Whether tools are to be run is decided by the calls, because servers say
// "stop" with calls and "tool_calls" without any; but an answer that was cut short or filtered stays so, its last call
// is not whole.
func unifiedReason(raw string, hasCalls bool) string {
	reason := ""
	switch strings.ToLower(raw) {
	case "":
	case "stop", "eos", "eos_token", "end_turn", "stop_sequence", "tool_calls", "function_call", "tool_use":
		reason = llm.FinishStop
	case "length", "max_tokens", "model_length", "model_context_window_exceeded":
		return llm.FinishLength
	case "content_filter", "sensitive", "safety", "refusal":
		return llm.FinishContentFilter
	case "error", "network_error", "insufficient_system_resource":
		return llm.FinishError
	default:
		reason = llm.FinishOther
	}
	if hasCalls {
		return llm.FinishToolCalls
	}
	return reason
}

// excerpt shows the beginning of what came, without what looks like a key.
func excerpt(data []byte) string {
	const limit = 200
	text := llm.MaskKeys(strings.ToValidUTF8(string(data[:min(len(data), 2*limit)]), "\uFFFD"))
	cut := 0
	for n := 0; cut < len(text) && n < limit; n++ {
		_, size := utf8.DecodeRuneInString(text[cut:])
		cut += size
	}
	if cut < len(text) || len(data) > 2*limit {
		return fmt.Sprintf("%q...", text[:cut])
	}
	return fmt.Sprintf("%q", text)
}
