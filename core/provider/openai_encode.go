package provider

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"pyagent/core/llm"
)

// Encode builds the request of a chat, of embeddings or of the list of models.
func (openAI) Encode(call Call) (*HTTPRequest, []string, *llm.Error) {
	switch op := call.Request.Op; {
	case slices.Contains(call.Row.Lacks, op):
		return nil, nil, refuseOperation(call)
	case op.IsChat():
		return encodeChat(call)
	case op == llm.OpEmbed:
		return encodeEmbed(call)
	case op == llm.OpModels:
		return encodeModels(call)
	}
	return nil, nil, refuseOperation(call)
}

func encodeChat(call Call) (*HTTPRequest, []string, *llm.Error) {
	encoder := newChatEncoder(call)
	return encoder.post(chatRoute(call), encoder.write())
}

// post sends what was written to a route. A header or an address that will not do is reported before an option.
func (e *chatEncoder) post(route string, text []byte) (*HTTPRequest, []string, *llm.Error) {
	request, failed := httpRequest(e.call, "POST", route, text)
	if failed == nil {
		failed = e.failed
	}
	if failed != nil {
		return nil, nil, failed
	}
	return request, e.warnings, nil
}

// chatEncoder writes one request body, of a chat or of embeddings.
type chatEncoder struct {
	body
	rename   map[string]string
	way      *Reasoning // how the vendor spells reasoning
	last     int        // where the last message is
	lastUser int        // where the user's last message is
}

func newChatEncoder(call Call) *chatEncoder {
	encoder := &chatEncoder{body: newBody(call), way: call.Row.reasoning()}
	if !slices.ContainsFunc(call.Row.RenameExcept,
		func(prefix string) bool { return strings.HasPrefix(call.Request.Model, prefix) }) {
		encoder.rename = call.Row.Rename
	}
	return encoder
}

func (e *chatEncoder) model() string {
	if e.row.Deployments && e.call.Azure.Deployment != "" {
		return e.call.Azure.Deployment
	}
	return e.request.Model
}

func (e *chatEncoder) write() []byte {
	e.putText("model", e.model())
	e.put("messages", e.messages)
	e.sampling()
	e.tools()
	e.options()
	e.streaming()
	return e.end()
}

// field writes an option under the vendor's name for it, or refuses it. harmless says that the value asks for what
// happens anyway, so that a vendor without the option honours it too.
func (e *chatEncoder) field(name string, harmless bool, write func(out []byte) []byte) {
	sent := name
	if theirs, ok := e.rename[name]; ok {
		sent = theirs
	}
	if e.allows(name, sent, harmless) {
		e.put(sent, write)
	}
}

// allows tells whether an option goes to the vendor, and reports one that may not. The user's own word in extra_body, under
// the vendor's name for the option, is never questioned.
func (e *chatEncoder) allows(name, sent string, harmless bool) bool {
	if _, ok := e.request.ExtraBody[sent]; ok {
		return true
	}
	if slices.Contains(e.row.Unsupported, name) {
		if !harmless {
			e.refuse(name, "%s does not take %s; leave it out, or send it all the same with extra_body", e.row.Name, name)
		}
		return false
	}
	if slices.Contains(e.row.Ignored, name) && !harmless {
		e.warn("%s takes %s but documents that it has no effect", e.row.Name, name)
	}
	return true
}

func (e *chatEncoder) integer(name string, value *int64, harmless bool) {
	if value != nil {
		e.field(name, harmless, func(out []byte) []byte { return appendInt(out, *value) })
	}
}

func (e *chatEncoder) number(name string, value *float64) {
	if value == nil {
		return
	}
	e.field(name, false, func(out []byte) []byte { return e.float(name, out, *value) })
}

func (e *chatEncoder) boolean(name string, value *bool, harmless bool) {
	if value != nil {
		e.field(name, harmless, func(out []byte) []byte { return fmt.Append(out, *value) })
	}
}

func (e *chatEncoder) text(name, value string) {
	if value != "" {
		e.field(name, false, func(out []byte) []byte { return llm.AppendString(out, value) })
	}
}

func (e *chatEncoder) json(name string, value json.RawMessage) {
	if !absent(value) {
		e.field(name, false, func(out []byte) []byte { return append(out, value...) })
	}
}

func (e *chatEncoder) sampling() {
	r := e.request
	e.integer("max_tokens", r.MaxTokens, false)
	e.integer("max_completion_tokens", r.MaxCompletionTokens, false)
	e.number("temperature", r.Temperature)
	e.number("top_p", r.TopP)
	e.integer("top_k", r.TopK, false)
	if most := e.row.MaxStops; most > 0 && len(r.Stop.List) > most {
		e.refuse("stop", "%s takes at most %d stop sequences, got %d", e.row.Name, most, len(r.Stop.List))
	}
	if r.Stop.Bare && e.row.MaxStops == 0 {
		e.text("stop", r.Stop.List[0])
	} else if len(r.Stop.List) > 0 {
		e.field("stop", false, func(out []byte) []byte { return appendStrings(out, r.Stop.List) })
	}
	e.number("frequency_penalty", r.FrequencyPenalty)
	e.number("presence_penalty", r.PresencePenalty)
	e.integer("seed", r.Seed, false)
	e.integer("n", r.N, r.N != nil && *r.N == 1)
	e.boolean("logprobs", r.Logprobs, r.Logprobs != nil && !*r.Logprobs)
	e.integer("top_logprobs", r.TopLogprobs, false)
	e.json("logit_bias", r.LogitBias)
}

func (e *chatEncoder) tools() {
	if len(e.request.Tools) > 0 {
		e.field("tools", false, func(out []byte) []byte {
			for i, tool := range e.request.Tools {
				out = append(append(out, "[,"[min(i, 1)]), e.unmarked(e.tool(tool))...)
			}
			return append(out, ']')
		})
		if e.row.ToolStream != "" && e.call.Stream {
			e.putRaw(e.row.ToolStream, []byte("true"))
		}
	}
	e.toolChoice()
	e.boolean("parallel_tool_calls", e.request.ParallelToolCalls, false)
	e.responseFormat()
}

func (e *chatEncoder) toolChoice() {
	asked := e.request.ToolChoice
	if len(e.row.ToolChoices) > 0 && !absent(asked) {
		choice, err := readToolChoice(asked)
		if err != nil {
			e.wrong("tool_choice", "%s", err.Message)
		} else if !slices.Contains(e.row.ToolChoices, choice.mode) || len(choice.names) > 0 && choice.mode != "tool" {
			e.refuse("tool_choice", "%s does not take tool_choice %s, only %q", e.row.Name, compacted(asked), e.row.ToolChoices)
		}
	}
	e.json("tool_choice", asked)
}

func (e *chatEncoder) responseFormat() {
	format := e.request.ResponseFormat
	var typed struct {
		Type string `json:"type"`
	}
	if len(e.row.Formats) > 0 && !absent(format) && json.Unmarshal(format, &typed) == nil &&
		!slices.Contains(e.row.Formats, typed.Type) {
		e.refuse("response_format", "%s does not take response_format of type %q, only %q; put the schema into the prompt",
			e.row.Name, typed.Type, e.row.Formats)
	}
	e.json("response_format", format)
}

func (e *chatEncoder) options() {
	r := e.request
	e.reasoning()
	if r.PreviousResponseID != "" {
		e.refuse("previous_response_id", "%s keeps no answers to go on from; send the messages", e.row.Name)
	}
	e.text("verbosity", r.Verbosity)
	e.text("service_tier", r.ServiceTier)
	e.boolean("store", r.Store, r.Store != nil && !*r.Store)
	e.json("metadata", r.Metadata)
	e.text("user", r.User)
	e.text("safety_identifier", r.SafetyIdentifier)
	e.text("prompt_cache_key", r.PromptCacheKey)
	e.json("modalities", r.Modalities)
	e.json("audio", r.Audio)
	e.json("prediction", r.Prediction)
}

// streaming asks for a stream and for its token counts: always when the user says so, never when the user says no, and
// without a word from the user wherever the vendor does not count unasked.
func (e *chatEncoder) streaming() {
	theirs := e.request.StreamOptions
	if !e.call.Stream {
		if !absent(theirs) {
			e.wrong("stream_options", "stream_options is for streams only; leave it out of a one-shot call")
		}
		return
	}
	e.put("stream", func(out []byte) []byte { return append(out, "true"...) })
	include := e.request.IncludeUsage
	ask := include != nil && *include || include == nil && !e.row.UsageAlways
	if slices.Contains(e.row.Unsupported, "stream_options") {
		ask = false
	}
	var keys map[string]json.RawMessage
	if !absent(theirs) && json.Unmarshal(theirs, &keys) != nil {
		e.wrong("stream_options", "stream_options must be an object, got %s", theirs)
		return
	}
	if len(keys) == 0 && !ask {
		return
	}
	if _, ok := keys["include_usage"]; ask && !ok {
		if keys == nil {
			keys = map[string]json.RawMessage{}
		}
		keys["include_usage"] = json.RawMessage("true")
	}
	e.field("stream_options", false, func(out []byte) []byte {
		options := newObject(out)
		for _, name := range slices.Sorted(maps.Keys(keys)) {
			options.raw(name, keys[name])
		}
		return options.end()
	})
}
