package provider

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"testing"
	"unicode/utf8"

	"pyagent/core/llm"
)

// collected is what a client makes of one answer's events; it fails the test when events contradict each other.
type collected struct {
	t           testing.TB
	start       *llm.Start
	text        map[uint16]string
	reasoning   string
	refusal     string
	calls       []*collectedCall
	usage       *llm.Usage
	logprobs    []string
	annotations []string
	parts       []string
	details     []string
	raw         []string
	vectors     [][]float32
	models      []*llm.Model
	count       *llm.TokenCount
	login       *llm.Login
	finish      llm.Finish
	complete    bool
	done        bool
	err         error
}

type collectedCall struct {
	llm.ToolBegin
	arguments string
	pieces    int
	ended     bool
}

func collect(t testing.TB) *collected { return &collected{t: t, text: map[uint16]string{}} }

func (c *collected) emit(event llm.Event) {
	c.t.Helper()
	if event.Kind.IsDelta() && (len(event.Text) == 0 || !utf8.Valid(event.Text)) {
		c.t.Errorf("delta of kind %d is empty or not UTF-8: %q", event.Kind, event.Text)
	}
	if event.Kind != llm.EventStart && event.Kind != llm.EventRaw && c.start == nil && event.Kind.IsVisible() {
		c.t.Errorf("event of kind %d came before the start", event.Kind)
	}
	switch event.Kind {
	case llm.EventText:
		c.text[event.Index] += string(event.Text)
	case llm.EventReasoning:
		c.reasoning += string(event.Text)
	case llm.EventRefusal:
		c.refusal += string(event.Text)
	case llm.EventStart:
		if c.start != nil {
			c.t.Error("a second start")
		}
		c.start = event.Data.(*llm.Start)
	case llm.EventUsage:
		c.usage = event.Data.(*llm.Usage)
	case llm.EventToolBegin, llm.EventToolArgs, llm.EventToolEnd:
		c.tool(event)
	case llm.EventVector:
		vector := make([]float32, len(event.Text)/4)
		if _, err := binary.Decode(event.Text, binary.LittleEndian, vector); err != nil || len(event.Text)%4 != 0 {
			c.t.Errorf("a vector of %d bytes", len(event.Text))
		}
		c.vectors = append(c.vectors, vector)
	case llm.EventItem:
		c.item(event.Data)
	default:
		c.json(event)
	}
}

func (c *collected) tool(event llm.Event) {
	c.t.Helper()
	if event.Kind == llm.EventToolBegin {
		if int(event.Index) != len(c.calls) {
			c.t.Errorf("tool call %d begins as number %d", len(c.calls), event.Index)
		}
		begin := event.Data.(*llm.ToolBegin)
		c.calls = append(c.calls, &collectedCall{ToolBegin: *begin})
		return
	}
	if int(event.Index) >= len(c.calls) || c.calls[event.Index].ended {
		c.t.Fatalf("event of kind %d for tool call %d, which is not open", event.Kind, event.Index)
	}
	call := c.calls[event.Index]
	if event.Kind == llm.EventToolEnd {
		call.ended = true
		return
	}
	call.arguments += string(event.Text)
	call.pieces++
}

func (c *collected) item(data any) {
	c.t.Helper()
	switch item := data.(type) {
	case *llm.Model:
		c.models = append(c.models, item)
	case *llm.Login:
		c.login = item
	case *llm.TokenCount:
		c.count = item
	default:
		c.t.Fatalf("an item that is a %T", data)
	}
}

func (c *collected) modelIDs() []string {
	var ids []string
	for _, model := range c.models {
		ids = append(ids, model.ID)
	}
	return ids
}

func (c *collected) json(event llm.Event) {
	c.t.Helper()
	raw, ok := event.Data.(json.RawMessage)
	if !ok || !json.Valid(raw) {
		c.t.Fatalf("event of kind %d carries %T, not valid JSON: %s", event.Kind, event.Data, raw)
	}
	list := map[llm.EventKind]*[]string{
		llm.EventLogprobs: &c.logprobs, llm.EventAnnotation: &c.annotations, llm.EventPart: &c.parts,
		llm.EventDetail: &c.details, llm.EventRaw: &c.raw,
	}[event.Kind]
	if list == nil {
		c.t.Fatalf("unexpected event of kind %d", event.Kind)
	}
	*list = append(*list, string(raw))
}

// end finishes decoding and returns what was collected.
func (c *collected) end(decoder Decoder) *collected {
	c.finish, c.complete = decoder.End(c.emit)
	return c
}

// testCall is a call to a known vendor.
func testCall(t testing.TB, name string) Call {
	t.Helper()
	row, ok := Lookup(name)
	if !ok {
		t.Fatalf("no row named %q", name)
	}
	return Call{
		Row: row, BaseURL: row.BaseURL, APIKey: "test-key",
		Request: &llm.Request{Op: llm.OpStream, Model: "m"},
	}
}

// streamed decodes the data of a stream's events.
func streamed(t testing.TB, call Call, events ...string) *collected {
	t.Helper()
	decoder := call.Row.Protocol().NewDecoder(call)
	got := collect(t)
	for _, data := range events {
		if got.done, got.err = decoder.Event("", []byte(data), got.emit); got.done || got.err != nil {
			break
		}
	}
	return got.end(decoder)
}

// answered decodes a one-shot body.
func answered(t testing.TB, call Call, body string) *collected {
	t.Helper()
	decoder := call.Row.Protocol().NewDecoder(call)
	got := collect(t)
	got.err = decoder.Body([]byte(body), got.emit)
	return got.end(decoder)
}

// summary is everything that two decodings of the same answer must have in common.
func (c *collected) summary() string {
	calls := ""
	for _, call := range c.calls {
		calls += fmt.Sprintf("%+v %q %v; ", call.ToolBegin, call.arguments, call.ended)
	}
	finish, _ := json.Marshal(c.finish)
	return fmt.Sprintf("%v|%v|%q|%q|%s|%q|%q|%q|%q|%s|%v|%v", c.start, c.text, c.reasoning, c.refusal, calls,
		c.logprobs,
		c.annotations, c.parts, c.details, finish, c.complete, c.err)
}
