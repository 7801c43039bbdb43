package provider

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"

	"pyagent/core/llm"
)

// content is one entry of a conversation: what one side said, in parts.
type content struct {
	role    string // "user" or "model"
	results bool   // results of functions, which stay apart from what a user says
	parts   []json.RawMessage
}

// geminiCall is a function call that waits for its result.
type geminiCall struct {
	id     string // as the conversation has it
	sentID string // as Google gave it; "" where it gave none
	name   string
}

// geminiTurns makes the vendor's contents of a conversation: system messages go to one place, messages of one side that follow
// one another are one turn, and the results of parallel calls are one turn in the order of the calls.
type geminiTurns struct {
	e       *geminiEncoder
	system  []string
	turns   []content
	waiting []geminiCall
}

// conversation writes systemInstruction and contents.
func (e *geminiEncoder) conversation() {
	t := &geminiTurns{e: e}
	messages := e.request.Messages
	for i := 0; i < len(messages); i++ {
		m := &messages[i]
		e.leaveOut(m)
		switch m.Role {
		case "system", "developer":
			if len(t.turns) > 0 {
				e.warnOnce("%s has one place for system messages: a later one counts from the start of the conversation", e.row.Name)
			}
			t.system = append(t.system, e.onlyText(m))
		case "tool", "function":
			end := i + 1
			for end < len(messages) && messages[end].Role == m.Role {
				end++
			}
			t.results(messages, i, end)
			i = end - 1
		case "assistant":
			t.fillIn()
			t.answer(m)
		case "user":
			t.fillIn()
			t.add(content{role: "user", parts: e.parts(m)})
		default:
			e.wrong("messages", "messages[%d] has the role %q; it is \"system\", \"user\", \"assistant\" or \"tool\"", i, m.Role)
		}
	}
	if text := strings.Join(slices.DeleteFunc(t.system, func(text string) bool { return text == "" }), "\n\n"); text != "" {
		e.putRaw("systemInstruction", newObject(nil).member("parts", appendList(nil, []json.RawMessage{geminiText(text)})))
	}
	// A conversation begins with the user's turn, and has one: the vendor refuses others.
	if len(t.turns) == 0 || t.turns[0].role != "user" {
		t.turns = slices.Insert(t.turns, 0, content{role: "user", parts: []json.RawMessage{geminiText(" ")}})
	}
	e.put("contents", func(out []byte) []byte { return appendList(out, t.contents()) })
}

// leaveOut warns of what a message has and Google does not.
func (e *geminiEncoder) leaveOut(m *llm.Message) {
	if m.Name != "" && m.Role != "tool" && m.Role != "function" {
		e.warnOnce("%s has no names of speakers; %q was left out", e.row.Name, m.Name)
	}
	e.leaveMarks(m)
	e.leaveKeys("message", m.Extra)
}

func (t *geminiTurns) contents() (list []json.RawMessage) {
	for _, turn := range t.turns {
		o := newObject(nil)
		o.text("role", turn.role)
		list = append(list, o.member("parts", appendList(nil, turn.parts)))
	}
	return list
}

// add puts a turn behind the others, or into the last one if that is the same side's. A turn without parts is none.
func (t *geminiTurns) add(next content) {
	if len(next.parts) == 0 {
		return
	}
	if last := len(t.turns) - 1; last >= 0 && t.turns[last].role == next.role && t.turns[last].results == next.results {
		t.turns[last].parts = append(t.turns[last].parts, next.parts...)
		return
	}
	t.turns = append(t.turns, next)
}

func geminiText(text string) json.RawMessage {
	o := newObject(nil)
	o.text("text", text)
	return o.end()
}

// onlyText is the text of a message that can have nothing else.
func (e *geminiEncoder) onlyText(m *llm.Message) string {
	text, others := splitParts(m.Parts)
	if len(others) > 0 {
		e.refuse("messages", "%s takes only text in a %s message, not a part of type %q", e.row.Name, m.Role, others[0].Type)
	}
	return m.Text + text
}

// parts are the content of a message; empty texts, which the vendor refuses, are left out.
func (e *geminiEncoder) parts(m *llm.Message) (list []json.RawMessage) {
	if m.Text != "" {
		list = append(list, geminiText(m.Text))
	}
	for _, part := range m.Parts {
		switch {
		case part.Type != "text":
			list = append(list, e.mediaPart(part))
		case part.Text != "":
			list = append(list, geminiText(part.Text))
		}
	}
	return list
}

// answer adds an assistant message: its text, with what its maker wants back between the pieces, and its calls.
func (t *geminiTurns) answer(m *llm.Message) {
	e := t.e
	foreign := e.call.isForeign(m)
	text, media := m.Text, []json.RawMessage(nil)
	for _, part := range m.Parts {
		switch part.Type {
		case "text":
			text += part.Text
		case "refusal":
			refusal := struct{ Refusal string }{}
			_ = json.Unmarshal(part.Raw, &refusal) // a part that was read before; without the word there is nothing to say
			text += refusal.Refusal
		case "thinking", "redacted_thinking", "reasoning": // never sent as text
		default:
			media = append(media, e.mediaPart(part))
		}
	}
	for _, extra := range m.Extra {
		if extra.Key == "refusal" {
			text += llm.Unquote(extra.Value)
		}
	}
	calls := make([]json.RawMessage, len(m.ToolCalls))
	for i := range m.ToolCalls {
		calls[i] = t.call(&m.ToolCalls[i], i == 0, foreign)
	}
	w := answerWriter{text: text, calls: calls}
	if !foreign {
		for _, item := range m.Details {
			w.detail(item)
		}
	}
	w.upTo(len(text), len(calls), media)
	t.add(content{role: "model", parts: w.parts})
}

// skipSignature stands in for the signature of a call that Gemini 3 did not make itself, which it refuses otherwise. It is
// base64 of skip_thought_signature_validator: https://ai.google.dev/gemini-api/docs/thought-signatures
const skipSignature = "c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I="

// call writes a function call and lets it wait for its result. Of parallel calls only the first one has a signature. Ids
// are sent only where Google gave them.
func (t *geminiTurns) call(c *llm.ToolCall, first, foreign bool) json.RawMessage {
	made := geminiCall{id: c.ID, name: c.Name}
	signature := thoughtSignature(c)
	if foreign {
		signature = ""
	} else if !isMadeID(c.ID) {
		made.sentID = c.ID
	}
	if signature == "" && first && t.e.generation >= 3 {
		signature = skipSignature
	}
	t.waiting = append(t.waiting, made)
	part := newObject(nil)
	call := made.begin()
	call.raw("args", argumentsObject(c.Arguments))
	part.raw("functionCall", call.end())
	if signature != "" {
		part.text("thoughtSignature", signature)
	}
	return part.end()
}

// begin writes what a call and its result have in common.
func (c *geminiCall) begin() *object {
	o := newObject(nil)
	if c.sentID != "" {
		o.text("id", c.sentID)
	}
	o.text("name", c.name)
	return o
}

// results adds the tool messages messages[start:end], in the order of the calls that they answer. Their images and files
// follow in a turn of the user's, for models that take none in a result.
func (t *geminiTurns) results(messages []llm.Message, start, end int) {
	type result struct {
		at   int // of the call that it answers
		call geminiCall
		from *llm.Message
	}
	found := make([]result, 0, end-start)
	for i := start; i < end; i++ {
		m := &messages[i]
		at := slices.IndexFunc(t.waiting, func(c geminiCall) bool { return c.id == m.ToolCallID })
		if at >= 0 {
			found = append(found, result{at, t.waiting[at], m})
			continue
		}
		call := geminiCall{id: m.ToolCallID, name: toolNameOf(messages[:i], m)}
		if call.name == "" {
			t.e.wrong("messages", "messages[%d] (tool) answers the call %q, which no message before it makes; %s needs its name",
				i, m.ToolCallID, t.e.row.Name)
		}
		found = append(found, result{len(t.waiting), call, m})
	}
	slices.SortStableFunc(found, func(a, b result) int { return a.at - b.at })
	var after []json.RawMessage
	for _, r := range found {
		part, media := t.e.result(&r.call, r.from)
		t.add(content{role: "user", results: true, parts: []json.RawMessage{part}})
		after = append(after, media...)
	}
	answered := func(c geminiCall) bool {
		return slices.ContainsFunc(found, func(r result) bool { return r.call.id == c.id })
	}
	t.waiting = slices.DeleteFunc(t.waiting, answered)
	t.fillIn()
	t.add(content{role: "user", parts: after})
}

// fillIn answers the calls that were never run: the vendor wants one result for each.
func (t *geminiTurns) fillIn() {
	for i := range t.waiting {
		t.e.warnOnce("the call %q has no tool message with its result; %s is told that it was not run", t.waiting[i].id, t.e.row.Name)
		response := t.waiting[i].begin()
		response.raw("response", []byte(`{"error":"the call was not run"}`))
		part := newObject(nil).member("functionResponse", response.end())
		t.add(content{role: "user", results: true, parts: []json.RawMessage{part}})
	}
	t.waiting = nil
}

// result writes what a function gave. It must be an object, so anything else becomes the result of one.
func (e *geminiEncoder) result(call *geminiCall, m *llm.Message) (part json.RawMessage, media []json.RawMessage) {
	text, others := splitParts(m.Parts)
	text += m.Text
	response := call.begin()
	if raw := []byte(text); isObject(raw) && llm.Valid(raw) {
		response.raw("response", raw)
	} else {
		value := newObject(nil)
		value.text("result", text)
		response.raw("response", value.end())
	}
	var inside []json.RawMessage
	for _, other := range others {
		written := e.mediaPart(other)
		data := memberRaw(schemaMembers(written), "inlineData")
		if e.generation >= 3 && data != nil {
			inside = append(inside, newObject(nil).member("inlineData", data))
		} else {
			media = append(media, written)
		}
	}
	if len(inside) > 0 {
		response.raw("parts", appendList(nil, inside))
	}
	if len(media) > 0 {
		media = slices.Insert(media, 0, geminiText("From the result of the tool "+call.name+":"))
	}
	return newObject(nil).member("functionResponse", response.end()), media
}

// answerWriter puts the parts of an answer back into their order. What hosts keep of an answer is its text, its calls and
// its details; a detail says how much of the text and how many calls came before it.
type answerWriter struct {
	text    string
	calls   []json.RawMessage
	parts   []json.RawMessage
	written int // bytes of the text
	called  int
}

// upTo writes the text and the calls before a place.
func (w *answerWriter) upTo(text, calls int, media []json.RawMessage) {
	text = min(text, len(w.text))
	if text > w.written && w.boundary(text) {
		w.parts = append(w.parts, geminiText(w.text[w.written:text]))
		w.written = text
	}
	w.parts = append(w.parts, media...)
	for ; w.called < min(calls, len(w.calls)); w.called++ {
		w.parts = append(w.parts, w.calls[w.called])
	}
}

// boundary reports whether the text can be cut at a place.
func (w *answerWriter) boundary(at int) bool { return at == len(w.text) || utf8.RuneStart(w.text[at]) }

// detail writes one detail of ours, see geminiDetail. A signature whose text is no longer there goes onto an empty text,
// which is where streams have them too.
func (w *answerWriter) detail(raw json.RawMessage) {
	var d struct {
		Type              string
		Start, End, Calls int
		Part              json.RawMessage
	}
	if json.Unmarshal(raw, &d) != nil || !isObject(d.Part) || d.Start < 0 || d.Calls < 0 {
		return
	}
	switch d.Type {
	case detailPart:
		w.upTo(d.Start, d.Calls, nil)
		w.parts = append(w.parts, d.Part)
	case detailText:
		w.upTo(d.Start, d.Calls, nil)
		covered := ""
		if d.Start == w.written && d.End > d.Start && d.End <= len(w.text) && w.boundary(d.End) {
			covered = w.text[d.Start:d.End]
			w.written = d.End
		}
		o := newObject(nil)
		o.text("text", covered)
		o.members(schemaMembers(d.Part))
		w.parts = append(w.parts, o.end())
	}
}
