package provider

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"pyagent/core/llm"
)

// chatToolCall is a tool call, or a piece of one.
type chatToolCall struct {
	Index        loose
	ID, Type     string
	Function     *chatFunction
	Custom       *chatFunction
	ExtraContent json.RawMessage // Gemini's thought signature
}

func readToolCall(data []byte) (c chatToolCall) {
	llm.Members(data, func(key, value []byte) {
		switch string(key) {
		case "index":
			c.Index.read(value)
		case "id":
			readText(&c.ID, value)
		case "type":
			readText(&c.Type, value)
		case "function":
			c.Function = readFunction(value)
		case "custom":
			c.Custom = readFunction(value)
		case "extra_content":
			c.ExtraContent = kept(value)
		}
	})
	return c
}

type chatFunction struct {
	Name      string
	Arguments json.RawMessage // a string; from some servers an object
	Input     string          // of a custom tool: free text
}

// readFunction returns nil for anything but an object.
func readFunction(data []byte) *chatFunction {
	if data[0] != '{' {
		return nil
	}
	f := new(chatFunction)
	llm.Members(data, func(key, value []byte) {
		switch string(key) {
		case "name":
			readText(&f.Name, value)
		case "arguments":
			f.Arguments = value
		case "input":
			readText(&f.Input, value)
		}
	})
	return f
}

// toolState is a tool call being put together.
type toolState struct {
	key    int // the server's index, or -1
	id     string
	name   string
	custom bool
	extra  json.RawMessage
	number uint16
	begun  bool
	held   []byte // arguments that came before the call could begin
	sofar  []byte // all arguments, kept only where calls can be told apart by nothing else
}

// toolDelta merges one piece: it finds the call that the piece belongs to, or opens a new one.
func (d *chatDecoder) toolDelta(state *choiceState, piece *chatToolCall, position, pieces int) {
	d.effects++
	name, arguments, custom := piece.content()
	call := d.findCall(state, piece, name, position, pieces)
	if call == nil {
		call = &toolState{key: piece.Index.index(-1)}
		state.calls = append(state.calls, call)
		d.opened++
	}
	call.custom = call.custom || custom
	if call.id == "" {
		call.id = piece.ID
	}
	if call.name == "" {
		call.name = name
	}
	if !absent(piece.ExtraContent) {
		extra := newObject(nil)
		extra.raw("extra_content", piece.ExtraContent)
		call.extra = extra.end()
	}
	if !call.begun && call.name != "" && call.id != "" {
		d.beginCall(state, call)
	}
	d.callArguments(call, arguments)
}

func (c *chatToolCall) content() (name string, arguments []byte, custom bool) {
	switch {
	case c.Custom != nil:
		return c.Custom.Name, []byte(c.Custom.Input), true
	case c.Function == nil:
		return "", nil, c.Type == "custom"
	case absent(c.Function.Arguments):
		return c.Function.Name, nil, false
	case quoted(c.Function.Arguments):
		return c.Function.Name, []byte(llm.Unquote(c.Function.Arguments)), false
	}
	return c.Function.Name, compacted(c.Function.Arguments), false
}

// findCall tells which call a piece continues; nil means a new one. Servers number calls from 0 or 1, give all parallel
// calls the same number, leave the number out, or repeat id and name in every piece.
func (d *chatDecoder) findCall(state *choiceState, piece *chatToolCall, name string, position, pieces int) *toolState {
	if d.whole || len(state.calls) == 0 {
		return nil
	}
	key := piece.Index.index(-1)
	if key < 0 {
		return unnumbered(state.calls, piece.ID, name, position, pieces)
	}
	for i := len(state.calls) - 1; i >= 0; i-- {
		call := state.calls[i]
		if call.key != key {
			continue
		}
		otherID := piece.ID != "" && call.id != "" && piece.ID != call.id && name != ""
		otherName := name != "" && call.name != "" && name != call.name && piece.ID == "" && llm.Valid(call.sofar)
		if !otherID && !otherName {
			return call
		}
		return latestByID(state.calls, piece.ID)
	}
	return nil
}

// unnumbered finds the call of a piece without an index: by its id; else the only piece of a chunk continues the
// current call, and several go by position. A name beside complete arguments begins the next call.
func unnumbered(calls []*toolState, id, name string, position, pieces int) *toolState {
	if id != "" {
		if call := latestByID(calls, id); call != nil {
			return call
		}
		if current := calls[len(calls)-1]; current.id == "" && current.name == "" {
			return current
		}
		return nil
	}
	call := calls[len(calls)-1]
	if pieces > 1 {
		if position >= len(calls) {
			return nil
		}
		call = calls[position]
	}
	if name != "" && call.name != "" && (name != call.name || llm.Valid(call.sofar)) {
		return nil
	}
	return call
}

func latestByID(calls []*toolState, id string) *toolState {
	for i := len(calls) - 1; i >= 0 && id != ""; i-- {
		if calls[i].id == id {
			return calls[i]
		}
	}
	return nil
}

// beginCall announces a call. It waits for name and id, because both belong into the announcement.
func (d *chatDecoder) beginCall(state *choiceState, call *toolState) {
	call.begun = true
	call.number = d.calls
	d.calls++
	d.emit(llm.Event{Kind: llm.EventToolBegin, Index: call.number, Data: &llm.ToolBegin{
		ID: call.id, Name: call.name, Choice: state.index, Custom: call.custom, Extra: call.extra,
	}})
	if len(call.held) > 0 {
		d.emit(llm.Event{Kind: llm.EventToolArgs, Index: call.number, Text: call.held})
		call.held = nil
	}
}

func (d *chatDecoder) callArguments(call *toolState, arguments []byte) {
	if len(arguments) == 0 {
		return
	}
	if call.key < 0 || call.id == "" {
		call.sofar = append(call.sofar, arguments...)
		d.held += len(arguments)
	}
	if call.begun {
		d.emit(llm.Event{Kind: llm.EventToolArgs, Index: call.number, Text: arguments})
		return
	}
	call.held = append(call.held, arguments...)
	d.held += len(arguments)
}

// endCalls closes the calls of a choice. A call whose id never came gets one made up here, from what is known of it.
func (d *chatDecoder) endCalls(state *choiceState, complete bool) {
	for _, call := range state.calls {
		if !call.begun {
			if call.id == "" {
				call.id = d.madeUpID(state, call)
			}
			d.beginCall(state, call)
		}
		if complete {
			d.emit(llm.Event{Kind: llm.EventToolEnd, Index: call.number, Data: &llm.ToolEnd{}})
		}
	}
}

// madeUpID is the same for the same answer: package provider has no source of randomness, and tests stay exact.
func (d *chatDecoder) madeUpID(state *choiceState, call *toolState) string {
	seed := fmt.Sprintf("%s|%v|%d|%d|%s|%s", d.finish.ID, d.finish.Created, state.index, d.calls, call.name, call.held)
	sum := sha256.Sum256([]byte(seed))
	return "call_" + hex.EncodeToString(sum[:12])
}
