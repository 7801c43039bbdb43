package fake

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// responses answers POST .../responses, in the words of OpenAI's newer API:
// https://platform.openai.com/docs/api-reference/responses
func (s *Server) responses(out *output, script *Script, asked *question) error {
	asked.readInput()
	answer, err := compose(script, asked, out.record.seen.ID)
	if err != nil {
		return out.refuse(http.StatusBadRequest, err.Error(), "")
	}
	if !asked.Stream {
		return out.document(script.status(), applicationJSON, answer.response())
	}
	if err := out.begin(eventStream); err != nil {
		return err
	}
	items := newItems(answer)
	if err := out.write(items.opening); err != nil {
		return err
	}
	if err := out.deltas(&items.deltas); err != nil {
		return err
	}
	kind := "response.completed"
	if answer.responseStatus() == "incomplete" {
		kind = "response.incomplete"
	}
	return out.end(items.closing, responseEvent(kind, fmt.Sprintf(`,"response":%s`, answer.response())))
}

// readInput takes the messages from the input, which is a text or a list of items; one without a role is no message.
func (q *question) readInput() {
	var text string
	if json.Unmarshal(q.Input, &text) == nil {
		q.Messages = []message{{Role: "user", Content: q.Input}}
		return
	}
	var items []message
	json.Unmarshal(q.Input, &items)
	for _, item := range items {
		if item.Role != "" {
			q.Messages = append(q.Messages, item)
		}
	}
}

func responseEvent(kind, fields string) string {
	return fmt.Sprintf("event: %s\ndata: {\"type\":%q%s}\n\n", kind, kind, fields)
}

// items writes the events of one streamed answer. What opens and closes an item goes with the deltas around it, so that a
// script counts the same deltas as in a chat.
type items struct {
	opening, closing []byte
	deltas           sequence
	index            int // of the item that is open
	pending          string
}

func newItems(a *answer) *items {
	w := &items{index: -1}
	w.pending = responseEvent("response.created", fmt.Sprintf(
		`,"response":{"id":%s,"object":"response","created_at":%d,"model":%s,"status":"in_progress","output":[],"usage":null}`,
		marshal(a.id), a.created, marshal(a.model)))
	for _, item := range a.items() {
		w.index++
		w.pending += responseEvent("response.output_item.added", fmt.Sprintf(`,"output_index":%d,"item":%s`, w.index, item.opened))
		to := &w.deltas.head
		switch {
		case item.cycles:
			w.flush()
			to = &w.deltas.cycle
		case item.tool:
			to = &w.deltas.tail
		}
		for _, text := range item.pieces {
			event := responseEvent("response."+item.delta+".delta", fmt.Sprintf(
				`,"item_id":"item_%d","output_index":%d%s,"delta":%s`, w.index, w.index, item.place, marshal(text)))
			*to = append(*to, []byte(w.pending+event))
			w.pending = ""
		}
		w.pending += responseEvent("response.output_item.done", fmt.Sprintf(`,"output_index":%d,"item":%s`, w.index, item.whole))
	}
	w.closing = []byte(w.pending)
	w.deltas.length = len(w.deltas.head) + len(w.deltas.cycle)*a.repeat + len(w.deltas.tail)
	if w.deltas.length == 0 {
		w.opening, w.closing = append(w.opening, w.closing...), nil
	}
	return w
}

// flush sends what is pending with what came before it: deltas that are repeated bring nothing else with them.
func (w *items) flush() {
	if last := len(w.deltas.head) - 1; last >= 0 {
		w.deltas.head[last] = append(w.deltas.head[last], w.pending...)
	} else {
		w.opening = append(w.opening, w.pending...)
	}
	w.pending = ""
}

// responseItem is a part of an answer, whole and as it is streamed.
type responseItem struct {
	opened, whole string
	delta, place  string
	pieces        []string
	cycles, tool  bool
}

func (a *answer) items() (list []responseItem) {
	text := func(kind, delta, key string, pieces []string, repeat int) {
		whole := strings.Repeat(strings.Join(pieces, ""), repeat)
		const form = `{"id":"item_%d","type":"message","status":%q,"role":"assistant","content":[%s]}`
		part := fmt.Sprintf(`{"type":%q,%q:%s,"annotations":[]}`, kind, key, marshal(whole))
		list = append(list, responseItem{
			opened: fmt.Sprintf(form, len(list), "in_progress", ""), whole: fmt.Sprintf(form, len(list), "completed", part),
			delta: delta, place: `,"content_index":0`, pieces: pieces, cycles: kind == "output_text",
		})
	}
	if len(a.reasoning) > 0 {
		const form = `{"id":"item_0","type":"reasoning","summary":[%s]}`
		part := fmt.Sprintf(`{"type":"summary_text","text":%s}`, marshal(strings.Join(a.reasoning, "")))
		list = append(list, responseItem{
			opened: fmt.Sprintf(form, ""), whole: fmt.Sprintf(form, part), delta: "reasoning_summary_text",
			place: `,"summary_index":0`, pieces: a.reasoning,
		})
	}
	if len(a.refusal) > 0 {
		text("refusal", "refusal", "refusal", a.refusal, 1)
	}
	if len(a.text) > 0 {
		text("output_text", "output_text", "text", a.text, a.repeat)
	}
	for _, tool := range a.tools {
		form := func(status string, arguments []byte) string {
			return fmt.Sprintf(`{"id":"item_%d","type":"function_call","status":%q,"call_id":%s,"name":%s,"arguments":%s}`,
				len(list), status, marshal(tool.ID), marshal(tool.Name), arguments)
		}
		list = append(list, responseItem{
			opened: form("in_progress", []byte(`""`)), whole: form("completed", marshal(string(tool.Arguments))),
			delta: "function_call_arguments", pieces: tool.Arguments.pieces(a.toolPiece), tool: true,
		})
	}
	return list
}

// response is the whole answer as one JSON text.
func (a *answer) response() []byte {
	var output []string
	for _, item := range a.items() {
		output = append(output, item.whole)
	}
	return fmt.Appendf(nil, `{"id":%s,"object":"response","created_at":%d,"model":%s,"status":%q,"error":null,`+
		`"incomplete_details":%s,"output":[%s],"usage":%s}`, marshal(a.id), a.created, marshal(a.model), a.responseStatus(),
		a.incompleteness(), strings.Join(output, ","), a.responseUsage())
}

func (a *answer) responseStatus() string {
	if a.finish == "length" || a.finish == "content_filter" {
		return "incomplete"
	}
	return "completed"
}

func (a *answer) incompleteness() string {
	switch a.finish {
	case "length":
		return `{"reason":"max_output_tokens"}`
	case "content_filter":
		return `{"reason":"content_filter"}`
	}
	return "null"
}

// responseUsage is the usage in the API's words.
func (a *answer) responseUsage() []byte {
	var counted usage
	if json.Unmarshal(a.usage, &counted) != nil {
		return []byte("null")
	}
	return fmt.Appendf(nil, `{"input_tokens":%d,"input_tokens_details":{"cached_tokens":%d},"output_tokens":%d,`+
		`"output_tokens_details":{"reasoning_tokens":%d},"total_tokens":%d}`, counted.Prompt, counted.PromptDetails.Cached,
		counted.Completion, counted.CompletionDetails.Reasoning, counted.Total)
}
