package provider

import (
	"bytes"
	"encoding/json"
	"time"

	"pyagent/core/llm"
)

// geminiDecoder decodes one GenerateContentResponse, or a stream of them: each chunk is a whole response with further
// parts, and there is no terminal signal but a finish reason. As with chatDecoder, everything that a chunk does beside one
// text delta and the counting of tokens is an effect that keeps it out of the template.
type geminiDecoder struct {
	call       Call
	sink       func(llm.Event)
	raw        bool // deliver the vendor's JSON as well
	number     int  // chunks seen
	effects    int  // of the current chunk
	last       learned
	fast       template
	noFast     bool // tests switch the template off
	whole      bool // a one-shot answer was read
	started    bool
	finish     llm.Finish
	counts     geminiCounts
	told       llm.Usage // what the last usage event said
	candidates []*candidate
	calls      int    // of all candidates, numbered in the order they began
	blocked    string // why the prompt was not answered
}

// candidate is what is known of one of the parallel answers.
type candidate struct {
	index   int
	raw     string // finish reason
	written int    // bytes of visible text
	calls   int
	open    *openCall // a call whose arguments still come
	said    map[string]string
}

func newGeminiDecoder(call Call) *geminiDecoder {
	text := []string{"candidates", "0", "content", "parts", "0", "text"}
	return &geminiDecoder{
		call: call, raw: call.Request != nil && call.Request.IncludeRaw,
		fast: template{paths: templatePaths{
			text: []textPath{{llm.EventText, text}, {llm.EventReasoning, text}}, counts: "usageMetadata", count: geminiCountKeys(),
		}},
	}
}

// Event decodes one chunk.
func (d *geminiDecoder) Event(_ string, data []byte, emit func(llm.Event)) (bool, error) {
	d.number++
	if !d.raw && !d.noFast && d.fast.emit(data, emit) {
		d.followFast()
		return false, nil
	}
	d.sink = emit
	data = bytes.TrimSpace(data)
	if len(data) == 0 || string(data) == "[DONE]" { // which some proxies add
		return false, nil
	}
	if err := checkJSON(data); err != nil {
		return false, llm.Errorf(llm.KindParse, "event %d of the stream is not JSON: %s; it reads %s", d.number, err, excerpt(data))
	}
	d.effects, d.last = 0, learned{}
	if err := d.chunks(data); err != nil {
		return false, err
	}
	if !d.raw && !d.noFast && d.effects == 1 && d.last.text != "" {
		d.fast.learn(data, d.last)
	} else {
		d.fast.forget()
	}
	return false, nil
}

// followFast keeps up with what a chunk that fitted the template has changed.
func (d *geminiDecoder) followFast() {
	for i := range d.fast.holes {
		if at := d.fast.holes[i].count; at >= 0 {
			d.counts[at] = loose{float64(d.fast.numbers[i]), true}
		}
	}
	if d.fast.kind == llm.EventText {
		d.candidate(int(d.fast.index)).written += d.fast.size
	}
}

// chunks decodes a response, or a list of them: that is what a stream is without alt=sse, and what errors may come in.
func (d *geminiDecoder) chunks(data []byte) error {
	if data[0] != '[' {
		return d.chunk(data)
	}
	d.effects++
	var failed error
	llm.Elements(data, func(value []byte) {
		if failed == nil {
			failed = d.chunk(value)
		}
	})
	return failed
}

// geminiChunk is one response.
type geminiChunk struct {
	candidates []geminiCandidate
	usage      []byte
	blocked    string
	id, model  string
	created    string
	failed     json.RawMessage
}

// geminiCandidate is what one response says of one candidate.
type geminiCandidate struct {
	index           loose
	parts           []byte
	reason, message string
	logprobs        json.RawMessage
	citations       []byte
	grounding       map[string][]byte // metadata by its key
}

func readGeminiChunk(data []byte) (c geminiChunk) {
	llm.Members(data, func(key, value []byte) {
		switch string(key) {
		case "candidates":
			c.candidates = list(value, readGeminiCandidate)
		case "usageMetadata":
			c.usage = value
		case "modelVersion":
			readText(&c.model, value)
		case "responseId":
			readText(&c.id, value)
		case "createTime":
			readText(&c.created, value)
		case "promptFeedback":
			readText(&c.blocked, memberRaw(schemaMembers(value), "blockReason"))
		case "error":
			c.failed = kept(value)
		}
	})
	return c
}

func readGeminiCandidate(data []byte) (c geminiCandidate) {
	llm.Members(data, func(key, value []byte) {
		switch name := string(key); name {
		case "index":
			c.index.read(value)
		case "content":
			llm.Members(value, func(key, value []byte) {
				if string(key) == "parts" {
					c.parts = value
				}
			})
		case "finishReason":
			readText(&c.reason, value)
		case "finishMessage":
			readText(&c.message, value)
		case "logprobsResult":
			c.logprobs = kept(value)
		case "citationMetadata":
			c.citations = value
		case "groundingMetadata", "urlContextMetadata":
			if hasError(value) { // it is not empty
				if c.grounding == nil {
					c.grounding = map[string][]byte{}
				}
				c.grounding[name] = value
			}
		}
	})
	return c
}

// chunk decodes one response: everything that came first, then the error if there is one.
func (d *geminiDecoder) chunk(data []byte) error {
	c := readGeminiChunk(data)
	d.note(&d.finish.ID, c.id)
	d.note(&d.finish.Model, bareModel(c.model))
	if at, err := time.Parse(time.RFC3339Nano, c.created); err == nil && d.finish.Created == 0 {
		d.finish.Created = float64(at.UnixMicro()) / 1e6
		d.effects++
	}
	if d.raw {
		d.sink(llm.Event{Kind: llm.EventRaw, Data: json.RawMessage(bytes.Clone(data))})
	}
	if c.id != "" || c.model != "" {
		d.start()
	}
	ended := len(c.candidates) == 0
	for i := range c.candidates {
		if err := d.answer(&c.candidates[i], i); err != nil {
			return err
		}
		ended = ended || c.candidates[i].reason != ""
	}
	tier := ""
	d.last.counts += d.counts.read(c.usage, &tier)
	d.note(&d.finish.ServiceTier, tier)
	if ended {
		d.tellUsage()
	}
	if c.blocked != "" && len(d.candidates) == 0 {
		d.note(&d.blocked, c.blocked)
	}
	if hasError(c.failed) {
		return vendorError(d.call, 200, data)
	}
	return nil
}

// answer decodes one candidate of a chunk.
func (d *geminiDecoder) answer(c *geminiCandidate, position int) error {
	state := d.candidate(c.index.index(position))
	var failed error
	llm.Elements(c.parts, func(value []byte) {
		if failed == nil {
			failed = d.part(state, value)
		}
	})
	if failed != nil {
		return failed
	}
	if len(d.candidates) > maxParts || d.calls > maxParts {
		return tooMany()
	}
	if !absent(c.logprobs) {
		d.emit(llm.Event{Kind: llm.EventLogprobs, Index: uint16(state.index), Data: c.logprobs})
	}
	d.cite(state, c)
	if c.reason != "" {
		d.effects++
		state.raw = c.reason
		if reason := geminiReason(c.reason, false); c.message != "" && reason != llm.FinishStop && reason != llm.FinishLength {
			d.finish.Warnings = append(d.finish.Warnings, c.reason+": "+c.message)
		}
	}
	return nil
}

func (d *geminiDecoder) candidate(index int) *candidate {
	for _, state := range d.candidates {
		if state.index == index {
			return state
		}
	}
	d.effects++
	state := &candidate{index: index}
	d.candidates = append(d.candidates, state)
	return state
}

// note keeps the first value of something that every chunk repeats.
func (d *geminiDecoder) note(into *string, value string) {
	if *into == "" && value != "" {
		*into = value
		d.effects++
	}
}

func (d *geminiDecoder) start() {
	if d.started {
		return
	}
	d.started = true
	d.effects++
	d.sink(llm.Event{Kind: llm.EventStart, Data: &llm.Start{ID: d.finish.ID, Model: d.finish.Model, Provider: d.call.Row.Name}})
}

func (d *geminiDecoder) emit(event llm.Event) {
	d.effects++
	d.start()
	d.sink(event)
}

// Body decodes a one-shot answer, or a stream that came as a list.
func (d *geminiDecoder) Body(body []byte, emit func(llm.Event)) error {
	d.sink = emit
	body, err := wholeBody(body)
	if err != nil {
		return err
	}
	if err := d.chunks(body); err != nil {
		return err
	}
	if len(d.candidates) == 0 && d.blocked == "" {
		if found := parseError(body); found.message != "" {
			return vendorError(d.call, 200, body)
		}
		return llm.Errorf(llm.KindParse, "the answer has no candidates; it reads %s", excerpt(body))
	}
	d.whole = body[0] == '{'
	return nil
}

// End closes what is open and sums up. The body just ends after a finish reason.
func (d *geminiDecoder) End(emit func(llm.Event)) (llm.Finish, bool) {
	d.sink = emit
	complete := d.whole || d.blocked != "" || len(d.candidates) > 0
	for _, state := range d.candidates {
		complete = complete && (d.whole || state.raw != "")
	}
	if complete {
		d.start()
		for _, state := range d.candidates {
			d.closeCall(state)
		}
	}
	if d.started {
		d.tellUsage()
	}
	d.conclude()
	return d.finish, complete
}

func (d *geminiDecoder) conclude() {
	d.finish.Provider = d.call.Row.Name
	if usage := d.counts.unified(); usage != (llm.Usage{}) {
		d.finish.Usage = &usage
	}
	if d.blocked != "" {
		d.finish.FinishReason, d.finish.RawFinishReason = llm.FinishContentFilter, d.blocked
	}
	for i, state := range d.candidates {
		reason := geminiReason(state.raw, state.calls > 0)
		if i == 0 || state.index == 0 {
			d.finish.FinishReason, d.finish.RawFinishReason = reason, state.raw
		}
		if len(d.candidates) > 1 {
			d.finish.Choices = append(d.finish.Choices, llm.Choice{
				Index: state.index, FinishReason: reason, RawFinishReason: state.raw,
			})
		}
	}
}

// geminiReason translates a finish reason. The vendor says STOP with calls, too.
func geminiReason(raw string, hasCalls bool) string {
	switch raw {
	case "", "STOP":
		if hasCalls {
			return llm.FinishToolCalls
		}
		if raw == "" {
			return ""
		}
		return llm.FinishStop
	case "MAX_TOKENS":
		return llm.FinishLength
	case "SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT",
		"IMAGE_RECITATION":
		return llm.FinishContentFilter
	case "MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS", "MISSING_THOUGHT_SIGNATURE", "MALFORMED_RESPONSE":
		return llm.FinishError
	}
	return llm.FinishOther
}
