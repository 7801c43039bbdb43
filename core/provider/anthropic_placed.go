package provider

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"pyagent/core/llm"
)

// An answer is a list of blocks, and a thought or a block of the vendor's own tools must return in its place between the
// texts and the calls. A host keeps the text as one string and the calls in a list, so the other blocks travel as details
// (EventDetail, reasoning_details), each as it came with its place in "index". Where the text was more than one block, had
// citations, or came behind a call, a detail for each of its blocks says where it belongs and how long it is. The caller of a
// call that the vendor's own program made, and the container that it runs in, are details too.

// placed is what the details of a message say.
type placed struct {
	blocks  []placedBlock
	spans   []textSpan
	callers map[string]json.RawMessage // by the id of the call
}

// placedBlock is a block in its place; nil for one that is not sent.
type placedBlock struct {
	at    int
	block json.RawMessage
}

// textSpan is a block of the text: how many bytes of it, and what it refers to.
type textSpan struct {
	at, length int
	citations  json.RawMessage
}

// detail is an item of a message's details.
type detail struct {
	kind, id          string
	at                int
	length            int
	citations, caller json.RawMessage
	block             json.RawMessage // without its place
	signed            bool
	thought           bool
}

func readDetailItem(item json.RawMessage) detail {
	d := detail{at: -1}
	o := newObject(nil)
	llm.Members(item, func(key, value []byte) {
		switch string(key) {
		case "index":
			if at, err := strconv.Atoi(string(value)); err == nil && at >= 0 {
				d.at = at
				return
			}
		case "type":
			readText(&d.kind, value)
		case "id":
			readText(&d.id, value)
		case "length":
			d.length, _ = strconv.Atoi(string(value))
		case "citations":
			d.citations = kept(value)
		case "caller":
			d.caller = kept(value)
		}
		o.raw(string(key), value)
	})
	d.block = o.end()
	d.thought, d.signed = isThought(d.block)
	return d
}

// readPlaced reads the details of a message. Those of another vendor's form are not this vendor's to read.
func readPlaced(m *llm.Message) placed {
	p := placed{callers: map[string]json.RawMessage{}}
	details := slices.Clone(m.Details)
	for _, member := range m.Extra {
		if member.Key == "thinking_blocks" { // LiteLLM's name for the thoughts among them
			details = append(details, list(member.Value, kept)...)
		}
	}
	for _, item := range details {
		switch d := readDetailItem(item); {
		case d.at < 0 && !d.thought, d.kind == "container":
		case d.kind == "text":
			p.spans = append(p.spans, textSpan{d.at, d.length, d.citations})
		case d.kind == "tool_use":
			p.callers[d.id] = d.caller
		case d.thought && !d.signed:
			p.blocks = append(p.blocks, placedBlock{d.at, nil})
		case !isRouted(d.kind):
			p.blocks = append(p.blocks, placedBlock{d.at, d.block})
		}
	}
	return p
}

// isRouted tells details in the form of OpenRouter and of OpenAI, which have numbers too.
func isRouted(kind string) bool {
	return kind == "" || kind == "reasoning" || strings.HasPrefix(kind, "reasoning.")
}

// texts cuts the text of a message as the model had cut it, and puts the pieces in their places. It is nil where nothing
// is said about that, or where the text is not the one that was cut.
func (p *placed) texts(m *llm.Message) []json.RawMessage {
	whole := 0
	for _, span := range p.spans {
		if span.length < 0 || span.length > len(m.Text)-whole {
			return nil
		}
		whole += span.length
	}
	if len(p.spans) == 0 || m.Parts != nil || whole != len(m.Text) {
		return nil
	}
	text := m.Text
	for _, span := range p.spans {
		piece := placedBlock{at: span.at}
		if !isBlank(text[:span.length]) {
			o := newObject(nil)
			o.text("type", "text")
			o.text("text", text[:span.length])
			if span.citations != nil {
				o.raw("citations", span.citations)
			}
			piece.block = o.end()
		}
		p.blocks = append(p.blocks, piece)
		text = text[span.length:]
	}
	return []json.RawMessage{}
}

// merge puts the blocks that have a place into theirs, and the others in order into the places between.
func (p *placed) merge(rest []json.RawMessage) (blocks []json.RawMessage) {
	slices.SortStableFunc(p.blocks, func(a, b placedBlock) int { return a.at - b.at })
	at := 0
	add := func(block json.RawMessage) {
		if block != nil {
			blocks = append(blocks, block)
		}
		at++
	}
	for _, placed := range p.blocks {
		for at < placed.at && len(rest) > 0 {
			add(rest[0])
			rest = rest[1:]
		}
		add(placed.block)
	}
	for _, block := range rest {
		add(block)
	}
	return blocks
}

// container is where the vendor's own program, which made calls, goes on: the last answer's, as long as it lives.
func (e *messagesEncoder) container() {
	usesPrograms := slices.ContainsFunc(e.request.Tools, func(tool llm.Tool) bool {
		return strings.HasPrefix(tool.Type, "code_execution")
	})
	for i := len(e.request.Messages) - 1; i >= 0 && usesPrograms; i-- {
		m := &e.request.Messages[i]
		if m.Role != "assistant" {
			continue
		}
		for _, item := range m.Details {
			if id, ends := readContainer(item); id != "" && !e.call.isForeign(m) && (ends.IsZero() || e.call.Now.Before(ends)) {
				e.putText("container", id)
				return
			}
		}
		return
	}
}

// readContainer reads the detail that names a container, and when it ends.
func readContainer(item []byte) (id string, ends time.Time) {
	kind, until := "", ""
	llm.Members(item, func(key, value []byte) {
		switch string(key) {
		case "type":
			readText(&kind, value)
		case "id":
			readText(&id, value)
		case "expires_at":
			readText(&until, value)
		}
	})
	if kind != "container" {
		return "", ends
	}
	ends, _ = time.Parse(time.RFC3339, until)
	return id, ends
}
