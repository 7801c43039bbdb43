package provider

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"

	"pyagent/core/llm"
)

// The vendor wants turns: user and assistant by turns, the user first, the results of tools at the head of the user's turn
// behind the calls, no text that is blank. A conversation in OpenAI's shape is brought into that form; nothing of it is lost
// but what is blank.

// turn is one message of the vendor's.
type turn struct {
	role     string
	results  []json.RawMessage // of tools; they go first
	answered []string          // the calls that they answer
	blocks   []json.RawMessage
	calls    []calledTool // made in this turn
}

type calledTool struct{ id, name string }

// opening is what the user is taken to have said where a conversation begins with an answer.
const opening = "."

// notRun is the result of a call of which the conversation has none: the vendor demands one.
const notRun = "The tool was not run."

// conversation sorts the messages of the request into the system prompt, as it is sent, and turns.
func (e *messagesEncoder) conversation() (system []byte, turns []turn) {
	var prompts []json.RawMessage
	plain := ""
	for i := range e.request.Messages {
		m := &e.request.Messages[i]
		switch m.Role {
		case "system", "developer":
			if len(turns) > 0 {
				e.warnOnce("%s has one place for system messages: a later one counts from the start of the conversation", e.row.Name)
			}
			prompts = append(prompts, e.marked(m, e.content(m))...)
			if m.Parts == nil && len(m.Extra) == 0 {
				plain = m.Text
			}
		case "user":
			turns = e.userTurn(turns, m)
		case "tool":
			result := e.toolResult(m)
			turns = openTurn(turns, "user")
			now := &turns[len(turns)-1]
			now.results, now.answered = append(now.results, result), append(now.answered, e.toolID(m.ToolCallID))
		case "assistant":
			turns = e.assistantTurn(turns, m)
		default:
			e.wrong("messages", `%s has no role %q; it is "system", "user", "assistant" or "tool"`, e.row.Name, m.Role)
		}
	}
	if turns = finishTurns(turns); len(turns) == 0 {
		e.wrong("messages", "%s needs a message with something in it besides system prompts; give messages", e.row.Name)
	}
	switch {
	case len(prompts) == 1 && plain != "":
		system = llm.AppendString(nil, plain)
	case len(prompts) > 0:
		system = appendRaw(nil, prompts)
	}
	return system, turns
}

// openTurn makes the last turn one of the role.
func openTurn(turns []turn, role string) []turn {
	if len(turns) == 0 || turns[len(turns)-1].role != role {
		return append(turns, turn{role: role})
	}
	return turns
}

func (e *messagesEncoder) userTurn(turns []turn, m *llm.Message) []turn {
	blocks := e.marked(m, e.content(m))
	if len(blocks) == 0 {
		return turns
	}
	turns = openTurn(turns, "user")
	now := &turns[len(turns)-1]
	for _, block := range blocks {
		kind, id, _ := readBlock(block)
		if kind == "tool_result" { // in the vendor's own shape
			now.results, now.answered = append(now.results, block), append(now.answered, id)
		} else {
			now.blocks = append(now.blocks, block)
		}
	}
	return turns
}

func (e *messagesEncoder) assistantTurn(turns []turn, m *llm.Message) []turn {
	blocks := e.marked(m, e.answer(m))
	if len(blocks) == 0 {
		return turns
	}
	turns = openTurn(turns, "assistant")
	now := &turns[len(turns)-1]
	now.blocks = append(now.blocks, blocks...)
	for _, block := range blocks {
		if kind, id, name := readBlock(block); kind == "tool_use" {
			now.calls = append(now.calls, calledTool{id, name})
		}
	}
	return turns
}

// readBlock tells what a block is, and the id and the name of a call or of the call that it answers.
func readBlock(block []byte) (kind, id, name string) {
	llm.Members(block, func(key, value []byte) {
		switch string(key) {
		case "type":
			readText(&kind, value)
		case "id", "tool_use_id":
			readText(&id, value)
		case "name":
			readText(&name, value)
		}
	})
	return kind, id, name
}

// finishTurns mends what the vendor would refuse: calls without a result, an answer at the head, and white space at the end of
// an answer that the model is to go on with.
func finishTurns(turns []turn) []turn {
	for i := 0; i < len(turns); i++ {
		if len(turns[i].calls) == 0 {
			continue
		}
		if i+1 == len(turns) {
			turns = append(turns, turn{role: "user"})
		}
		next := &turns[i+1]
		for _, call := range turns[i].calls {
			if !slices.Contains(next.answered, call.id) {
				next.results = append(next.results, newToolResult(call.id, llm.AppendString(nil, notRun), true).end())
			}
		}
	}
	if len(turns) == 0 {
		return nil
	}
	if turns[0].role == "assistant" {
		turns = slices.Insert(turns, 0, turn{role: "user", blocks: []json.RawMessage{textBlock(opening)}})
	}
	if end := &turns[len(turns)-1]; end.role == "assistant" {
		end.blocks = trimEnd(end.blocks)
	}
	return turns
}

// trimEnd takes the white space off the end of a text that the model is to go on with.
func trimEnd(blocks []json.RawMessage) []json.RawMessage {
	at := len(blocks) - 1
	kind, text := "", ""
	o := newObject(nil)
	llm.Members(blocks[at], func(key, value []byte) {
		switch string(key) {
		case "type":
			readText(&kind, value)
		case "text":
			readText(&text, value)
			value = llm.AppendString(nil, strings.TrimRight(text, " \t\r\n"))
		}
		o.raw(string(key), value)
	})
	if kind == "text" {
		blocks[at] = o.end()
	}
	return blocks
}

func appendTurns(out []byte, turns []turn) []byte {
	out = append(out, '[')
	for i, turn := range turns {
		if i > 0 {
			out = append(out, ',')
		}
		o := newObject(out)
		o.text("role", turn.role)
		o.key("content")
		o.out = appendRaw(o.out, slices.Concat(turn.results, turn.blocks))
		out = o.end()
	}
	return append(out, ']')
}

// answer is the content of an assistant message: what the maker gave with it, the text, the calls.
func (e *messagesEncoder) answer(m *llm.Message) []json.RawMessage {
	kept := placed{}
	if !e.call.isForeign(m) {
		kept = readPlaced(m)
	}
	texts := kept.texts(m)
	if texts == nil {
		texts = e.content(m)
		if len(texts) == 0 {
			if text := refusalText(m); text != "" {
				texts = append(texts, textBlock(text))
			} else if m.Text != "" {
				texts = append(texts, nil) // blank: it has a place, but is not sent
			}
		}
	}
	rest := texts
	for i := range m.ToolCalls {
		rest = append(rest, e.toolUse(&m.ToolCalls[i], kept.callers))
	}
	return kept.merge(rest)
}

func (e *messagesEncoder) toolUse(c *llm.ToolCall, callers map[string]json.RawMessage) json.RawMessage {
	o := newObject(nil)
	o.text("type", "tool_use")
	o.text("id", e.toolID(c.ID))
	o.text("name", c.Name)
	o.raw("input", argumentsObject(c.Arguments))
	if caller := callers[c.ID]; caller != nil {
		o.raw("caller", caller)
	}
	for _, member := range c.Extra { // what another vendor gave with the call means nothing here
		if member.Key == cacheMark {
			o.raw(member.Key, member.Value)
		}
	}
	return o.end()
}

func (e *messagesEncoder) toolResult(m *llm.Message) json.RawMessage {
	var content []byte
	if m.Parts != nil {
		if blocks := e.content(m); len(blocks) > 0 {
			content = appendRaw(nil, blocks)
		}
	} else if m.Text != "" {
		content = llm.AppendString(nil, m.Text)
	}
	failed := false
	for _, member := range m.Extra {
		failed = failed || member.Key == "is_error" && string(member.Value) == "true"
	}
	o := newToolResult(e.toolID(m.ToolCallID), content, failed)
	return e.marked(m, []json.RawMessage{o.end()})[0]
}

func newToolResult(id string, content []byte, failed bool) *object {
	o := newObject(nil)
	o.text("type", "tool_result")
	o.text("tool_use_id", id)
	if content != nil {
		o.raw("content", content)
	}
	if failed {
		o.raw("is_error", []byte("true"))
	}
	return o
}

// toolID is an id that the vendor takes. The same id gives the same result, so that a call and its answer still belong
// together.
func (e *messagesEncoder) toolID(id string) string {
	fits := id != ""
	for i := range len(id) {
		c := id[i]
		fits = fits && (c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-')
	}
	if fits {
		return id
	}
	sum := sha256.Sum256([]byte(id))
	return "toolu_" + hex.EncodeToString(sum[:12])
}

// marked handles what a message has besides its content: a mark for the cache goes to its last block, what only another
// vendor knows stays here.
func (e *messagesEncoder) marked(m *llm.Message, blocks []json.RawMessage) []json.RawMessage {
	if m.Name != "" && m.Role != "tool" {
		e.warnOnce("%s has no names of speakers; %q was left out", e.row.Name, m.Name)
	}
	for _, member := range m.Extra {
		switch {
		case member.Key == cacheMark && len(blocks) > 0:
			end := newObject(nil)
			llm.Members(blocks[len(blocks)-1], func(key, value []byte) {
				if string(key) != cacheMark {
					end.raw(string(key), value)
				}
			})
			blocks[len(blocks)-1] = end.member(cacheMark, member.Value)
		case member.Key == "is_error" && m.Role == "tool", absent(member.Value), slices.Contains(makerKeys(), member.Key):
		default:
			e.warnOnce("%s has no %q of a message; it was left out", e.row.Name, member.Key)
		}
	}
	return blocks
}
