package provider

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"pyagent/core/llm"
)

// openCall is a call whose arguments come in pieces.
type openCall struct {
	number uint16
	args   argsWriter
}

// functionCall decodes a call. It is whole, unless Vertex AI was asked to stream its arguments (toolConfig's
// streamFunctionCallArguments): then a call has willContinue, and what follows has no name until the call ends.
func (d *geminiDecoder) functionCall(state *candidate, data []byte, signature string) error {
	var id, name string
	var args, partial []byte
	more := false
	llm.Members(data, func(key, value []byte) {
		switch string(key) {
		case "id":
			readText(&id, value)
		case "name":
			readText(&name, value)
		case "args":
			args = value
		case "partialArgs":
			partial = value
		case "willContinue":
			more = string(value) == "true"
		}
	})
	if name != "" {
		d.closeCall(state)
		d.beginCall(state, id, name, signature)
	}
	if state.open == nil {
		return nil // the end of a call that has ended, or a call without a name, which nobody can carry out
	}
	delta, err := state.open.args.add(partial)
	if err != nil {
		return err
	}
	if isObject(args) && len(state.open.args.path) == 0 {
		delta = argumentsText(args)
		state.open.args.done = true
	}
	d.arguments(state.open, delta)
	if !more {
		d.closeCall(state)
	}
	return nil
}

func (d *geminiDecoder) beginCall(state *candidate, id, name, signature string) {
	if id == "" {
		id = d.madeID(state, name)
	}
	begin := &llm.ToolBegin{ID: id, Name: name, Choice: state.index}
	if signature != "" {
		begin.Extra = signatureExtra(signature)
	}
	state.open = &openCall{number: uint16(d.calls)}
	state.calls++
	d.calls++
	d.emit(llm.Event{Kind: llm.EventToolBegin, Index: state.open.number, Data: begin})
}

func (d *geminiDecoder) arguments(call *openCall, delta []byte) {
	if len(delta) > 0 {
		d.emit(llm.Event{Kind: llm.EventToolArgs, Index: call.number, Text: delta})
	}
}

func (d *geminiDecoder) closeCall(state *candidate) {
	call := state.open
	if call == nil {
		return
	}
	state.open = nil
	d.arguments(call, call.args.end())
	d.emit(llm.Event{Kind: llm.EventToolEnd, Index: call.number, Data: &llm.ToolEnd{}})
}

// madeID stands in for the id of a call, as lineDecoder's does: the same for the same answer, different within a
// conversation, and known by its beginning, so that it is never sent to Google.
func (d *geminiDecoder) madeID(state *candidate, name string) string {
	messages := 0
	if d.call.Request != nil {
		messages = len(d.call.Request.Messages)
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%d|%s|%d|%d|%s", messages, d.finish.ID, state.index, d.calls, name))
	return madeIDPrefix + hex.EncodeToString(sum[:12])
}

// argsWriter makes JSON text of arguments that come as values with their paths. The values come in the order in which they
// stand in the object, so that each adds to the end of the text.
// https://docs.cloud.google.com/vertex-ai/generative-ai/docs/reference/rest/v1/PartialArg
type argsWriter struct {
	path []argStep // of the last value
	open bool      // it is a string that goes on
	done bool      // the arguments came whole
}

// argStep is a key of an object, or a position in a list.
type argStep struct {
	key   string
	index int // -1 for a key
}

// add returns the text that a list of partial arguments adds.
func (w *argsWriter) add(partial []byte) (out []byte, err error) {
	llm.Elements(partial, func(value []byte) {
		var path string
		var content []byte
		more := false
		llm.Members(value, func(key, value []byte) {
			switch string(key) {
			case "jsonPath":
				readText(&path, value)
			case "stringValue", "numberValue", "boolValue":
				content = value
			case "nullValue":
				content = []byte("null")
			case "willContinue":
				more = string(value) == "true"
			}
		})
		steps, ok := readPath(path)
		if !ok && err == nil {
			err = llm.Errorf(llm.KindParse, "the answer has an argument with the path %q, which is not understood", path)
		}
		if err == nil && content != nil {
			out = w.value(out, steps, content, more)
		}
	})
	return out, err
}

// value appends one value, or a piece of a string that goes on.
func (w *argsWriter) value(out []byte, steps []argStep, content []byte, more bool) []byte {
	text := quoted(content)
	if text {
		content = llm.AppendString(nil, llm.Unquote(content))
	}
	same := 0
	for same < min(len(steps), len(w.path)) && steps[same] == w.path[same] {
		same++
	}
	again := same == len(steps) && same == len(w.path)
	if again && !w.open {
		return out // its end was announced before
	}
	if again && text {
		out = append(out, content[1:len(content)-1]...)
	} else {
		out = w.moveTo(out, steps, min(same, len(steps)-1))
		if text {
			content = content[:len(content)-1]
		}
		out = append(out, content...)
		w.path = steps
	}
	w.open = text && more
	if text && !more {
		out = append(out, '"')
	}
	return out
}

// moveTo closes what the last path has beyond the first same steps, and opens what the next one has.
func (w *argsWriter) moveTo(out []byte, steps []argStep, same int) []byte {
	out = w.closeTo(out, same)
	if len(w.path) > 0 {
		out = append(out, ',')
	} else {
		out = append(out, '{')
	}
	for i := same; i < len(steps); i++ {
		if i > same {
			out = append(out, steps[i].brackets()[0])
		}
		if steps[i].index < 0 {
			out = append(llm.AppendString(out, steps[i].key), ':')
		}
	}
	return out
}

func (w *argsWriter) closeTo(out []byte, depth int) []byte {
	if w.open {
		out = append(out, '"')
		w.open = false
	}
	for i := len(w.path) - 1; i > depth; i-- {
		out = append(out, w.path[i].brackets()[1])
	}
	return out
}

func (s argStep) brackets() string {
	if s.index < 0 {
		return "{}"
	}
	return "[]"
}

// end returns what closes the arguments.
func (w *argsWriter) end() []byte {
	switch {
	case w.done:
		return nil
	case len(w.path) == 0:
		return []byte("{}")
	}
	return append(w.closeTo(nil, 0), '}')
}

// readPath reads a path such as $.a[0]['b c'] (RFC 9535).
func readPath(path string) (steps []argStep, ok bool) {
	const deepest = 100
	rest, ok := strings.CutPrefix(path, "$")
	for ok && rest != "" && len(steps) < deepest {
		var step argStep
		switch {
		case rest[0] == '.':
			end := strings.IndexAny(rest[1:], ".[")
			if end < 0 {
				end = len(rest) - 1
			}
			step, rest = argStep{rest[1 : 1+end], -1}, rest[1+end:]
		case strings.HasPrefix(rest, "['"), strings.HasPrefix(rest, `["`):
			end := strings.Index(rest[2:], rest[1:2]+"]")
			if end < 0 {
				return nil, false
			}
			step, rest = argStep{unescapePath(rest[2 : 2+end]), -1}, rest[end+4:]
		default:
			number, after, found := strings.Cut(strings.TrimPrefix(rest, "["), "]")
			index, err := strconv.Atoi(number)
			if !found || err != nil || index < 0 {
				return nil, false
			}
			step, rest = argStep{index: index}, after
		}
		steps = append(steps, step)
	}
	return steps, ok && rest == "" && len(steps) > 0 && steps[0].index < 0
}

// unescapePath reads the escapes of a quoted key.
func unescapePath(key string) string {
	var text string
	if json.Unmarshal([]byte(`"`+strings.ReplaceAll(key, `\'`, `'`)+`"`), &text) != nil {
		return key
	}
	return text
}
