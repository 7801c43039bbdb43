package fake

import "fmt"

// chunks writes the server-sent events of one streamed answer.
//
// https://platform.openai.com/docs/api-reference/chat/streaming
type chunks struct {
	head  []byte // of every event, up to the choice's index
	usage string // what every event but the last says of the usage
}

func newChunks(a *answer, usage bool) chunks {
	c := chunks{head: fmt.Appendf(nil,
		`data: {"id":%s,"object":"chat.completion.chunk","created":%d,"model":%s,"system_fingerprint":"%s","choices":[`,
		marshal(a.id), a.created, marshal(a.model), fingerprint)}
	if usage {
		c.usage = `,"usage":null`
	}
	return c
}

// event is one event about one choice. finish is JSON.
func (c chunks) event(choice int, delta, finish string) []byte {
	return fmt.Appendf(nil, `%s{"index":%d,"delta":%s,"logprobs":null,"finish_reason":%s}]%s}`+"\n\n",
		c.head, choice, delta, finish, c.usage)
}

// each writes the same delta for every choice.
func (c chunks) each(choices int, delta, finish string) []byte {
	var all []byte
	for choice := range choices {
		all = append(all, c.event(choice, delta, finish)...)
	}
	return all
}

func (c chunks) report(usage []byte) []byte {
	return fmt.Appendf(nil, "%s],\"usage\":%s}\n\n", c.head, usage)
}

// sequence is the deltas of an answer, encoded once each. The middle ones come round and round, so that a stream of any
// length costs its server no more than copying.
type sequence struct {
	head, cycle, tail [][]byte
	length            int
}

func newSequence(a *answer, c chunks) *sequence {
	s := new(sequence)
	add := func(to *[][]byte, delta string) {
		for choice := range a.choices {
			*to = append(*to, c.event(choice, delta, "null"))
		}
	}
	for _, word := range a.reasoning {
		add(&s.head, fmt.Sprintf(`{"reasoning_content":%s}`, marshal(word)))
	}
	for _, word := range a.text {
		add(&s.cycle, fmt.Sprintf(`{"content":%s}`, marshal(word)))
	}
	for _, word := range a.refusal {
		add(&s.tail, fmt.Sprintf(`{"refusal":%s}`, marshal(word)))
	}
	for i, tool := range a.tools {
		opening := toolCall{Index: &i, ID: tool.ID, Type: "function", Function: toolFunction{Name: tool.Name}}
		add(&s.tail, fmt.Sprintf(`{"tool_calls":[%s]}`, marshal(opening)))
		for _, piece := range tool.Arguments.pieces(a.toolPiece) {
			more := toolCall{Index: &i, Function: toolFunction{Arguments: piece}}
			add(&s.tail, fmt.Sprintf(`{"tool_calls":[%s]}`, marshal(more)))
		}
	}
	s.length = len(s.head) + len(s.cycle)*a.repeat + len(s.tail)
	return s
}

// sequence writes the deltas of APIs in which a call of a tool is one delta. Each function makes the JSON of one, and event
// what is sent of it.
func (a *answer) sequence(reasoning, text func(string) string, tool func(Tool) string, event func(string) []byte) *sequence {
	s := new(sequence)
	for _, word := range a.reasoning {
		s.head = append(s.head, event(reasoning(word)))
	}
	for _, word := range a.text {
		s.cycle = append(s.cycle, event(text(word)))
	}
	for _, called := range a.tools {
		s.tail = append(s.tail, event(tool(called)))
	}
	s.length = len(s.head) + len(s.cycle)*a.repeat + len(s.tail)
	return s
}

// at is the event of delta i.
func (s *sequence) at(i int) []byte {
	if i < len(s.head) {
		return s.head[i]
	}
	if tail := i - (s.length - len(s.tail)); tail >= 0 {
		return s.tail[tail]
	}
	return s.cycle[(i-len(s.head))%len(s.cycle)]
}
