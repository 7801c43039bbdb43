package fake

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// messages answers POST .../messages, in the words of Anthropic's API: https://docs.claude.com/en/api/messages
func (s *Server) messages(out *output, script *Script, asked *question) error {
	answer, err := compose(script, asked, out.record.seen.ID)
	if err != nil {
		return out.refuse(http.StatusBadRequest, err.Error(), "")
	}
	if !asked.Stream {
		return out.document(script.status(), applicationJSON, answer.message())
	}
	if err := out.begin(eventStream); err != nil {
		return err
	}
	blocks := newBlocks(answer)
	if err := out.write(blocks.opening); err != nil {
		return err
	}
	if err := out.deltas(&blocks.deltas); err != nil {
		return err
	}
	return out.end(blocks.closing, messageEvent("message_stop", ""))
}

func messageEvent(kind, fields string) string {
	return fmt.Sprintf("event: %s\ndata: {\"type\":%q%s}\n\n", kind, kind, fields)
}

// blocks writes the events of one streamed message. What opens and closes a block goes with the deltas around it, so that a
// script counts the same deltas as in a chat.
type blocks struct {
	opening, closing []byte
	deltas           sequence
	index            int // of the block that is open
}

func newBlocks(a *answer) *blocks {
	b := &blocks{index: -1}
	pending := messageEvent("message_start", fmt.Sprintf(`,"message":{"id":%s,"type":"message","role":"assistant","model":%s,`+
		`"content":[],"stop_reason":null,"stop_sequence":null,"usage":%s}`, marshal(a.id), marshal(a.model), a.messageUsage(true)))
	add := func(to *[][]byte, delta string, texts []string) {
		for _, text := range texts {
			event := messageEvent("content_block_delta", fmt.Sprintf(`,"index":%d,"delta":`+delta, b.index, marshal(text)))
			*to = append(*to, []byte(pending+event))
			pending = ""
		}
	}
	if len(a.reasoning) > 0 {
		b.opening = []byte(pending + b.open(`{"type":"thinking","thinking":"","signature":""}`))
		pending = ""
		add(&b.deltas.head, `{"type":"thinking_delta","thinking":%s}`, a.reasoning)
		pending = messageEvent("content_block_delta",
			fmt.Sprintf(`,"index":%d,"delta":{"type":"signature_delta","signature":"ZmFrZQ=="}`, b.index)) + b.close()
	}
	if len(a.text) > 0 {
		opened := pending + b.open(`{"type":"text","text":""}`)
		if last := len(b.deltas.head) - 1; last >= 0 {
			b.deltas.head[last] = append(b.deltas.head[last], opened...)
		} else {
			b.opening = []byte(opened)
		}
		pending = ""
		add(&b.deltas.cycle, `{"type":"text_delta","text":%s}`, a.text)
		pending = b.close()
	}
	for _, tool := range a.tools {
		pending += b.open(fmt.Sprintf(`{"type":"tool_use","id":%s,"name":%s,"input":{}}`, marshal(tool.ID), marshal(tool.Name)))
		add(&b.deltas.tail, `{"type":"input_json_delta","partial_json":%s}`, tool.Arguments.pieces(a.toolPiece))
		pending += b.close()
	}
	b.closing = []byte(pending + messageEvent("message_delta", fmt.Sprintf(
		`,"delta":{"stop_reason":%s,"stop_sequence":null},"usage":%s`, marshal(a.stopReason()), a.messageUsage(false))))
	b.deltas.length = len(b.deltas.head) + len(b.deltas.cycle)*a.repeat + len(b.deltas.tail)
	return b
}

func (b *blocks) open(block string) string {
	b.index++
	return messageEvent("content_block_start", fmt.Sprintf(`,"index":%d,"content_block":%s`, b.index, block))
}

func (b *blocks) close() string {
	return messageEvent("content_block_stop", fmt.Sprintf(`,"index":%d`, b.index))
}

// message is the whole answer as one JSON text.
func (a *answer) message() []byte {
	content := []string{}
	if reasoning := strings.Join(a.reasoning, ""); reasoning != "" {
		content = append(content, fmt.Sprintf(`{"type":"thinking","thinking":%s,"signature":"ZmFrZQ=="}`, marshal(reasoning)))
	}
	if text := strings.Repeat(strings.Join(a.text, ""), a.repeat); text != "" {
		content = append(content, fmt.Sprintf(`{"type":"text","text":%s}`, marshal(text)))
	}
	for _, tool := range a.tools {
		content = append(content, fmt.Sprintf(`{"type":"tool_use","id":%s,"name":%s,"input":%s}`, marshal(tool.ID), marshal(tool.Name), tool.Arguments.object()))
	}
	return fmt.Appendf(nil, `{"id":%s,"type":"message","role":"assistant","model":%s,"content":[%s],"stop_reason":%s,`+
		`"stop_sequence":null,"usage":%s}`, marshal(a.id), marshal(a.model), strings.Join(content, ","), marshal(a.stopReason()),
		a.messageUsage(false))
}

// stopReason is Anthropic's word for why the answer ended.
func (a *answer) stopReason() string {
	words := map[string]string{
		"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use", "content_filter": "refusal",
	}
	return cmp.Or(words[a.finish], a.finish)
}

// messageUsage is the usage in Anthropic's words; at the start of a message nothing has been made yet.
func (a *answer) messageUsage(start bool) []byte {
	var counted usage
	if json.Unmarshal(a.usage, &counted) != nil {
		return []byte("{}")
	}
	if start {
		counted.Completion = 1
	}
	return fmt.Appendf(nil, `{"input_tokens":%d,"output_tokens":%d}`, counted.Prompt, counted.Completion)
}
