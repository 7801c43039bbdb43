// The bytes of answers, in the formats that the measured clients read.
package main

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
)

// format is everything that the server ever writes, ready to be written.
type format struct {
	completion, head, tail []byte
	before, after          []byte // an event around its text
	words                  []string

	mutex sync.Mutex
	made  map[[2]int][]byte // segments by their first word and size
}

// chatFormat is that of OpenAI's chat completions.
func chatFormat(say spoken) *format {
	const about = `{"id":"chatcmpl-9aKqX2mV7sT4bLwYc1dEfGhJ","object":"%s","created":1760000000,"model":"%s",` +
		`"service_tier":"default","system_fingerprint":"fp_44709d6fcb",`
	event := func(delta, finish string) string {
		return "data: " + fmt.Sprintf(about, "chat.completion.chunk", say.Model) +
			`"choices":[{"index":0,"delta":` + delta + `,"logprobs":null,"finish_reason":` + finish + "}]}\n\n"
	}
	whole := fmt.Sprintf(about, "chat.completion", say.Model) +
		`"choices":[{"index":0,"message":{"role":"assistant","content":"` + say.Answer + `","refusal":null,` +
		`"annotations":[]},"logprobs":null,"finish_reason":"stop"}],` +
		`"usage":{"prompt_tokens":12,"completion_tokens":19,"total_tokens":31}}`
	return newFormat(say, events, whole,
		event(`{"role":"assistant","content":"","refusal":null}`, "null"),
		event(`{"content":"<text>"}`, "null"),
		event(`{}`, `"stop"`)+"data: [DONE]\n\n")
}

// messagesFormat is that of Anthropic.
func messagesFormat(say spoken) *format {
	event := func(kind, fields string) string {
		return "event: " + kind + "\ndata: {\"type\":\"" + kind + `"` + fields + "}\n\n"
	}
	message := func(content, reason string) string {
		return `{"id":"msg_01XFDUDYJgAACzvnptvVoYEL","type":"message","role":"assistant","model":"` + say.Model +
			`","content":[` + content + `],"stop_reason":` + reason +
			`,"stop_sequence":null,"usage":{"input_tokens":12,"output_tokens":19}}`
	}
	return newFormat(say, events, message(`{"type":"text","text":"`+say.Answer+`"}`, `"end_turn"`),
		event("message_start", `,"message":`+message("", "null"))+
			event("content_block_start", `,"index":0,"content_block":{"type":"text","text":""}`),
		event("content_block_delta", `,"index":0,"delta":{"type":"text_delta","text":"<text>"}`),
		event("content_block_stop", `,"index":0`)+
			event("message_delta", `,"delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":19}`)+
			event("message_stop", ""))
}

// geminiFormat is that of Google, whose streams are whole answers one after the other, each with the counts so far.
func geminiFormat(say spoken) *format {
	answer := func(text, reason string) string {
		return `{"candidates":[{"content":{"parts":[{"text":"` + text + `"}],"role":"model"}` + reason + `,"index":0}],` +
			`"usageMetadata":{"promptTokenCount":12,"candidatesTokenCount":19,"totalTokenCount":31,` +
			`"promptTokensDetails":[{"modality":"TEXT","tokenCount":12}]},"modelVersion":"` + say.Model +
			`","responseId":"9aKqX2mV7sT4bLwYc1dEfGhJ"}`
	}
	event := func(text, reason string) string { return "data: " + answer(text, reason) + "\r\n\r\n" }
	const stop = `,"finishReason":"STOP"`
	return newFormat(say, events, answer(say.Answer, stop), event("", ""), event("<text>", ""), event("", stop))
}

// ollamaFormat is that of Ollama: lines of JSON.
func ollamaFormat(say spoken) *format {
	line := func(text, end string) string {
		return `{"model":"` + say.Model + `","created_at":"2026-01-01T00:00:00.123456789Z","message":{"role":"assistant","content":"` +
			text + `"},"done":` + end + "}\n"
	}
	const end = `true,"done_reason":"stop","total_duration":5043500667,"load_duration":5025959,"prompt_eval_count":12,` +
		`"prompt_eval_duration":325953000,"eval_count":19,"eval_duration":4709213000`
	return newFormat(say, "application/x-ndjson", line(say.Answer, end), line("", "false"), line("<text>", "false"), line("", end))
}

const events = "text/event-stream; charset=utf-8" // the type of most streams

func newFormat(say spoken, kind, whole, head, delta, tail string) *format {
	before, after, _ := strings.Cut(delta, "<text>")
	return &format{
		completion: fmt.Appendf(nil, "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n"+
			"x-request-id: req_bench\r\n\r\n%s", len(whole), whole),
		head: append([]byte("HTTP/1.1 200 OK\r\ncontent-type: "+kind+"\r\n"+
			"transfer-encoding: chunked\r\nx-request-id: req_bench\r\n\r\n"), chunk([]byte(head))...),
		tail:   append(chunk([]byte(tail)), "0\r\n\r\n"...),
		before: []byte(before),
		after:  []byte(after),
		words:  say.Words,
		made:   map[[2]int][]byte{},
	}
}

func (f *format) event(text string) []byte {
	return bytes.Join([][]byte{f.before, []byte(text), f.after}, nil)
}

// segment is a write of so many deltas, of which the first has this number.
func (f *format) segment(number, deltas int) []byte {
	key := [2]int{number % len(f.words), deltas}
	f.mutex.Lock()
	defer f.mutex.Unlock()
	made, found := f.made[key]
	if !found {
		for i := range deltas {
			made = append(made, f.event(f.words[(number+i)%len(f.words)])...)
		}
		made = chunk(made)
		f.made[key] = made
	}
	return made
}

// large is one event of that many bytes.
func (f *format) large(size int) []byte {
	const line = "All work and no play makes a dull loopback. "
	text := strings.Repeat(line, size/len(line)+1)
	return chunk(f.event(text[:size-len(f.before)-len(f.after)]))
}

func chunk(content []byte) []byte {
	return fmt.Appendf(nil, "%x\r\n%s\r\n", len(content), content)
}
