package provider

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"pyagent/core/llm"
)

// chat writes a chat request. What the vendor has no word for is refused by name. Harmless, and therefore not refused, are
// the name and description of a response format, which only label it, and its strict, which is how the vendor does it anyway.
func (e *ollamaEncoder) chat() []byte {
	r := e.request
	e.takes("max_tokens", "max_completion_tokens", "temperature", "top_p", "top_k", "stop", "frequency_penalty", "presence_penalty",
		"seed", "tools", "tool_choice", "response_format", "logprobs", "top_logprobs", "reasoning_effort", "reasoning_budget",
		"stream_options")
	e.streamOptions()
	e.putText("model", r.Model)
	e.put("messages", e.messages)
	e.tools()
	e.format()
	e.think()
	e.put("stream", func(out []byte) []byte { return fmt.Append(out, e.call.Stream) }) // the vendor streams unless told not to
	if r.Logprobs != nil && *r.Logprobs {
		e.putRaw("logprobs", []byte("true"))
	}
	if r.TopLogprobs != nil && *r.TopLogprobs != 0 {
		e.put("top_logprobs", func(out []byte) []byte { return appendInt(out, *r.TopLogprobs) })
	}
	e.options()
	return e.end()
}

// embed writes an embedding request: https://github.com/ollama/ollama/blob/main/docs/api.md#generate-embeddings
func (e *ollamaEncoder) embed() []byte {
	r := e.request
	e.takes()
	if r.InputType != "" {
		e.refuse("input_type", "%s does not take input_type; write what the vectors are for into the texts", e.row.Name)
	}
	e.putText("model", r.Model)
	e.put("input", func(out []byte) []byte {
		texts := make([]string, len(r.Input))
		for i, input := range r.Input {
			if texts[i] = input.Text; input.Raw != nil {
				e.refuse("input", "%s embeds only texts; input[%d] is a list", e.row.Name, i)
			}
		}
		return appendStrings(out, texts)
	})
	if r.Dimensions != nil {
		e.put("dimensions", func(out []byte) []byte { return appendInt(out, *r.Dimensions) })
	}
	e.options()
	return e.end()
}

// ollamaOptions are the names of the vendor's options:
// https://github.com/ollama/ollama/blob/main/docs/modelfile.mdx#valid-parameters-and-values and Options of api/types.go.
func ollamaOptions() []string {
	return []string{
		"temperature", "top_p", "top_k", "min_p", "typical_p", "seed", "num_predict", "stop", "frequency_penalty",
		"presence_penalty", "repeat_penalty", "repeat_last_n", "num_keep", "num_ctx", "num_batch", "num_gpu", "main_gpu",
		"num_thread", "use_mmap", "use_mlock", "numa", "low_vram", "f16_kv", "logits_all", "vocab_only", "mirostat",
		"mirostat_tau", "mirostat_eta", "penalize_newline", "tfs_z",
	}
}

// options writes the sampling options, which the vendor has in an object of their own. Of extra_body everything that has the
// name of an option goes there too, and so does each member of its own "options"; all of it wins over the request's fields.
func (e *ollamaEncoder) options() {
	merged := &members{}
	e.sampling(merged)
	for _, name := range ollamaOptions() {
		if raw, ok := e.request.ExtraBody[name]; ok {
			e.wrote(name)
			merged.set(name, raw)
		}
	}
	if own, ok := e.request.ExtraBody["options"]; ok {
		if absent(own) || own[0] != '{' {
			e.wrong("extra_body", `extra_body["options"] must be an object such as {"num_ctx": 8192}, got %s`, own)
		}
		llm.Members(own, func(key, value []byte) { merged.set(string(key), kept(value)) })
	}
	e.wrote("options")
	if len(merged.list) > 0 {
		e.out.key("options")
		options := newObject(e.out.out)
		options.members(merged.list)
		e.out.out = options.end()
	}
}

func (e *ollamaEncoder) sampling(into *members) {
	r := e.request
	number := func(name string, value *float64) {
		if value != nil {
			into.set(name, e.float(name, nil, *value))
		}
	}
	integer := func(name string, value *int64) {
		if value != nil {
			into.set(name, appendInt(nil, *value))
		}
	}
	number("temperature", r.Temperature)
	number("top_p", r.TopP)
	integer("top_k", r.TopK)
	integer("seed", r.Seed)
	integer("num_predict", r.MaxTokens)
	integer("num_predict", r.MaxCompletionTokens)
	if len(r.Stop.List) > 0 {
		into.set("stop", appendStrings(nil, r.Stop.List))
	}
	number("frequency_penalty", r.FrequencyPenalty)
	number("presence_penalty", r.PresencePenalty)
}

// members are the members of an object, of which a later one takes the place of an earlier.
type members struct{ list []llm.Member }

func (m *members) set(name string, value json.RawMessage) {
	at := slices.IndexFunc(m.list, func(member llm.Member) bool { return member.Key == name })
	if at < 0 {
		m.list = append(m.list, llm.Member{Key: name, Value: value})
		return
	}
	m.list[at].Value = value
}

// tools writes the tools that may be called. The vendor has no tool_choice: "none" leaves them all out, and a list of allowed
// ones the others.
func (e *ollamaEncoder) tools() {
	choice, err := readToolChoice(e.request.ToolChoice)
	switch {
	case err != nil:
		e.wrong(err.Param, "%s", err.Message)
	case choice.mode == "none":
		return
	case choice.mode == "required" || choice.mode == "tool":
		e.refuse("tool_choice", `%s cannot be made to call a tool; leave tool_choice out, or say "auto" or "none"`, e.row.Name)
	case len(e.request.Tools) > 0:
		e.put("tools", func(out []byte) []byte { return e.functions(out, choice.names) })
	}
}

func (e *ollamaEncoder) functions(out []byte, allowed []string) []byte {
	out = append(out, '[')
	written := 0
	for i, tool := range e.request.Tools {
		f, ok, err := readTool(tool, i)
		switch {
		case err != nil:
			e.wrong(err.Param, "%s", err.Message)
		case !ok:
			e.refuse("tools", "%s takes only tools of type \"function\"; tools[%d] has the type %q", e.row.Name, i, tool.Type)
		case len(allowed) > 0 && !slices.Contains(allowed, f.name):
			continue
		}
		if f.strict != nil && *f.strict {
			e.warn("%s does not enforce strict of tools[%d]", e.row.Name, i)
		}
		e.leaveKeys("tool", f.extra)
		if written++; written > 1 {
			out = append(out, ',')
		}
		out = appendFunction(out, &f)
	}
	return append(out, ']')
}

func appendFunction(out []byte, f *function) []byte {
	o := newObject(out)
	o.text("type", "function")
	o.key("function")
	inner := newObject(o.out)
	inner.text("name", f.name)
	if f.description != "" {
		inner.text("description", f.description)
	}
	if f.parameters == nil {
		f.parameters = json.RawMessage(`{"type":"object","properties":{}}`)
	}
	inner.raw("parameters", f.parameters)
	o.out = inner.end()
	return o.end()
}

func (e *ollamaEncoder) format() {
	format, err := readFormat(e.request.ResponseFormat)
	switch {
	case err != nil:
		e.wrong(err.Param, "%s", err.Message)
	case format.kind == "json_object":
		e.putText("format", "json")
	case format.kind == "json_schema":
		e.putRaw("format", format.schema)
	}
}

// think switches reasoning on and off. The vendor has levels for it but no number of tokens.
func (e *ollamaEncoder) think() {
	effort, budget := e.request.ReasoningEffort, e.request.ReasoningBudget
	switch {
	case budget != nil && *budget > 0:
		e.refuse("reasoning_budget", "%s cannot limit the tokens of reasoning; give reasoning_effort, or 0 to switch it off",
			e.row.Name)
	case budget != nil && effort != "" && effort != "none":
		e.wrong("reasoning_budget", "reasoning_budget 0 switches reasoning off, but reasoning_effort is %q; give one of them", effort)
	case budget != nil || effort == "none":
		e.putRaw("think", []byte("false"))
	case slices.Contains([]string{"low", "medium", "high", "max"}, effort):
		e.putText("think", effort)
	case effort != "":
		e.refuse("reasoning_effort", `%s does not take reasoning_effort %q; it is "none", "low", "medium", "high" or "max"`,
			e.row.Name, effort)
	}
}

// messages writes the conversation.
func (e *ollamaEncoder) messages(out []byte) []byte {
	messages := liftMedia(e.request.Messages)
	out = append(out, '[')
	for i := range messages {
		if i > 0 {
			out = append(out, ',')
		}
		out = e.message(out, messages, i)
	}
	return append(out, ']')
}

func (e *ollamaEncoder) message(out []byte, messages []llm.Message, index int) []byte {
	m := &messages[index]
	o := newObject(out)
	o.text("role", e.role(m))
	text, media := m.Text, []llm.Part(nil)
	if m.Parts != nil {
		text, media = splitParts(m.Parts)
	}
	o.text("content", text)
	if thinking := e.thinking(m); thinking != "" {
		o.text("thinking", thinking)
	}
	if len(media) > 0 {
		o.key("images")
		o.out = e.images(o.out, media)
	}
	if len(m.ToolCalls) > 0 {
		o.key("tool_calls")
		for i := range m.ToolCalls {
			o.out = e.toolCall(append(o.out, "[,"[min(i, 1)]), &m.ToolCalls[i])
		}
		o.out = append(o.out, ']')
	}
	if m.Role == "tool" {
		if name := toolNameOf(messages[:index], m); name != "" {
			o.text("tool_name", name)
		}
		if !isMadeID(m.ToolCallID) {
			o.text("tool_call_id", m.ToolCallID)
		}
	} else if m.Name != "" {
		e.warn("%s has no names of speakers; %q was left out", e.row.Name, m.Name)
	}
	e.leaveMarks(m)
	e.leaveKeys("message", slices.DeleteFunc(slices.Clone(m.Extra), func(key llm.Member) bool { return key.Key == "thinking" }))
	return o.end()
}

func (e *ollamaEncoder) role(m *llm.Message) string {
	switch m.Role {
	case "developer": // OpenAI's newer word for the same
		return "system"
	case "system", "user", "assistant", "tool":
	default:
		e.wrong("messages", `%s has no role %q; it is "system", "user", "assistant" or "tool"`, e.row.Name, m.Role)
	}
	return m.Role
}

// thinking is the reasoning that goes back to the model that wrote it, see ollamaDecoder.End; or what the user wrote there.
func (e *ollamaEncoder) thinking(m *llm.Message) string {
	for _, extra := range m.Extra {
		if extra.Key == "thinking" {
			return llm.Unquote(extra.Value)
		}
	}
	text := ""
	for _, detail := range m.Details {
		var item struct{ Type, Thinking string }
		if !e.call.isForeign(m) && json.Unmarshal(detail, &item) == nil && item.Type == "thinking" {
			text += item.Thinking
		}
	}
	return text
}

// images writes the images of a message, as base64 and nothing else. The vendor fetches none.
func (e *ollamaEncoder) images(out []byte, parts []llm.Part) []byte {
	out = append(out, '[')
	for i, part := range parts {
		m, ok, err := readMedia(part)
		switch {
		case err != nil:
			e.wrong(err.Param, "%s", err.Message)
		case !ok || m.kind != "image" && !strings.HasPrefix(m.mime, "image/"):
			e.refuse("messages", "%s takes only text and images; a content part has the type %q", e.row.Name, part.Type)
		case m.data == "":
			e.refuse("messages",
				"%s fetches no images; download the one at %q and send its bytes, as base64 or as a data URL, in image_url", e.row.Name, m.url)
		}
		if m.detail != "" && m.detail != "auto" {
			e.warnOnce("%s has no detail of images; %q was left out", e.row.Name, m.detail)
		}
		if i > 0 {
			out = append(out, ',')
		}
		out = llm.AppendString(out, m.data)
	}
	return append(out, ']')
}

func (e *ollamaEncoder) toolCall(out []byte, c *llm.ToolCall) []byte {
	if c.Type != "function" {
		e.refuse("messages", "%s knows only calls of functions; the call %q has the type %q", e.row.Name, c.ID, c.Type)
	}
	o := newObject(out)
	if c.ID != "" && !isMadeID(c.ID) {
		o.text("id", c.ID)
	}
	o.key("function")
	inner := newObject(o.out)
	inner.text("name", c.Name)
	inner.raw("arguments", argumentsObject(c.Arguments))
	o.out = inner.end()
	return o.end()
}
