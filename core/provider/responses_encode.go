package provider

import (
	"encoding/json"
	"slices"
	"strings"

	"pyagent/core/llm"
)

// responsesEncoder writes the body of one request: https://platform.openai.com/docs/api-reference/responses/create
type responsesEncoder struct {
	body
	custom map[string]bool // ids of the calls of custom tools
}

func (e *responsesEncoder) write() []byte {
	e.takes(
		"max_tokens", "max_completion_tokens", "temperature", "top_p", "tools", "tool_choice", "parallel_tool_calls",
		"response_format", "logprobs", "top_logprobs", "reasoning_effort", "reasoning_budget", "reasoning_summary", "verbosity", "service_tier",
		"store", "metadata", "user", "safety_identifier", "prompt_cache_key", "stream_options", "previous_response_id",
	)
	model := e.request.Model
	if e.row.Deployments && e.call.Azure.Deployment != "" {
		model = e.call.Azure.Deployment
	}
	e.putText("model", model)
	rest := e.instructions()
	e.put("input", func(out []byte) []byte { return appendRaw(out, e.input(rest)) })
	e.tools()
	e.textOptions()
	e.reasoning()
	e.text("previous_response_id", e.request.PreviousResponseID)
	if e.request.Op.IsChat() { // nothing else changes a count of tokens
		e.sampling()
		e.storing()
		e.streaming()
	}
	return e.end()
}

// instructions writes the prompts that a conversation begins with as instructions where the conversation is one that the
// vendor keeps: instructions are in force for one answer and are not kept with it, so a prompt that comes with every turn
// takes the place of the one before instead of piling up. At the beginning of a conversation prompts are items like any
// other message, so that they are kept, and a turn that goes on from there need not repeat them. It returns the messages
// that are left.
func (e *responsesEncoder) instructions() []llm.Message {
	messages := e.request.Messages
	_, previous := e.request.ExtraBody["previous_response_id"]
	_, conversation := e.request.ExtraBody["conversation"]
	if e.request.PreviousResponseID == "" && !previous && !conversation {
		return messages
	}
	var prompts []string
	for i := range messages {
		text, plain := messageText(&messages[i])
		if role := messages[i].Role; !plain || role != "system" && role != "developer" {
			break
		}
		prompts = append(prompts, text)
	}
	if len(prompts) == 0 || len(prompts) == len(messages) {
		return messages
	}
	e.putText("instructions", strings.Join(prompts, "\n\n"))
	return messages[len(prompts):]
}

// messageText is the content of a message that is nothing but text.
func messageText(m *llm.Message) (text string, plain bool) {
	text = m.Text
	for _, part := range m.Parts {
		if part.Type != "text" {
			return "", false
		}
		text += part.Text
	}
	return text, true
}

func (e *responsesEncoder) text(name, value string) {
	if value != "" {
		e.putText(name, value)
	}
}

func (e *responsesEncoder) number(name string, value *float64) {
	if value != nil {
		e.put(name, func(out []byte) []byte { return e.float(name, out, *value) })
	}
}

func (e *responsesEncoder) integer(name string, value *int64) {
	if value != nil {
		e.put(name, func(out []byte) []byte { return appendInt(out, *value) })
	}
}

// textOptions writes what the text of the answer is to look like.
func (e *responsesEncoder) textOptions() {
	asked, err := readFormat(e.request.ResponseFormat)
	if err != nil {
		e.wrong("response_format", "%s", err.Message)
		return
	}
	formatted := !absent(e.request.ResponseFormat)
	if !formatted && e.request.Verbosity == "" {
		return
	}
	e.put("text", func(out []byte) []byte {
		o := newObject(out)
		if formatted {
			o.key("format")
			o.out = asked.appendFlat(o.out)
		}
		if e.request.Verbosity != "" {
			o.text("verbosity", e.request.Verbosity)
		}
		return o.end()
	})
}

// appendFlat writes a format without the object that chat completions have around a schema.
func (f *format) appendFlat(out []byte) []byte {
	o := newObject(out)
	o.text("type", f.kind)
	if f.kind == "json_schema" {
		o.text("name", firstWord(f.name, "answer"))
		if f.description != "" {
			o.text("description", f.description)
		}
		o.raw("schema", f.schema)
		if f.strict != nil {
			o.raw("strict", boolean(*f.strict))
		}
	}
	return o.end()
}

func boolean(value bool) json.RawMessage {
	if value {
		return json.RawMessage("true")
	}
	return json.RawMessage("false")
}

func (e *responsesEncoder) reasoning() {
	effort, summary, budget := e.request.ReasoningEffort, e.request.ReasoningSummary, e.request.ReasoningBudget
	switch {
	case budget == nil:
	case *budget > 0:
		e.refuse("reasoning_budget", "%s cannot limit the tokens of reasoning; give reasoning_effort, or 0 to switch it off",
			e.row.Name)
	case effort != "" && effort != "none":
		e.wrong("reasoning_budget", "reasoning_budget 0 switches reasoning off, but reasoning_effort is %q; give one of them", effort)
	default:
		effort = "none"
	}
	if effort == "" && summary == "" {
		return
	}
	e.put("reasoning", func(out []byte) []byte {
		o := newObject(out)
		if effort != "" {
			o.text("effort", effort)
		}
		if summary != "" {
			o.text("summary", summary)
		}
		return o.end()
	})
}

func (e *responsesEncoder) sampling() {
	r := e.request
	e.integer("max_output_tokens", r.MaxTokens)
	e.integer("max_output_tokens", r.MaxCompletionTokens) // DecodeRequest allows one of them
	e.number("temperature", r.Temperature)
	e.number("top_p", r.TopP)
	e.integer("top_logprobs", r.TopLogprobs)
}

func (e *responsesEncoder) storing() {
	r := e.request
	if r.Store != nil {
		e.putRaw("store", boolean(*r.Store))
	}
	var include []string
	if !keepsAnswers(r) && mayReason(r) {
		include = append(include, "reasoning.encrypted_content")
	}
	if r.Logprobs != nil && *r.Logprobs || r.TopLogprobs != nil && *r.TopLogprobs > 0 {
		include = append(include, "message.output_text.logprobs")
	}
	if len(include) > 0 {
		e.put("include", func(out []byte) []byte { return appendStrings(out, include) })
	}
	if !absent(r.Metadata) {
		e.putRaw("metadata", r.Metadata)
	}
	e.text("service_tier", r.ServiceTier)
	e.text("user", r.User)
	e.text("safety_identifier", r.SafetyIdentifier)
	e.text("prompt_cache_key", r.PromptCacheKey)
}

// keepsAnswers tells whether the vendor is to keep the answer, which it does unless told otherwise.
func keepsAnswers(r *llm.Request) bool {
	if raw, ok := r.ExtraBody["store"]; ok {
		return string(raw) != "false"
	}
	return r.Store == nil || *r.Store
}

// mayReason tells whether encrypted reasoning can be asked for: the families from before there was reasoning refuse to be
// asked. What was not kept can only return if it came encrypted.
func mayReason(r *llm.Request) bool {
	older := []string{"gpt-3.5", "gpt-35", "gpt-4", "chatgpt-4o", "ft:gpt-3.5", "ft:gpt-4", "gpt-5-chat"}
	return r.ReasoningEffort != "" || !slices.ContainsFunc(older, func(name string) bool { return strings.HasPrefix(r.Model, name) })
}

// streaming asks for a stream. The token counts come with its last event, asked or not.
func (e *responsesEncoder) streaming() {
	theirs := e.request.StreamOptions
	if !e.call.Stream {
		if !absent(theirs) {
			e.wrong("stream_options", "stream_options is for streams only; leave it out of a one-shot call")
		}
		return
	}
	e.putRaw("stream", boolean(true))
	if absent(theirs) {
		return
	}
	if theirs[0] != '{' {
		e.wrong("stream_options", "stream_options must be an object, got %s", theirs)
		return
	}
	o := newObject(nil)
	llm.Members(theirs, func(key, value []byte) {
		if string(key) != "include_usage" {
			o.raw(string(key), value)
		}
	})
	if !o.empty {
		e.putRaw("stream_options", o.end())
	}
}
