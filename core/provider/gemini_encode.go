package provider

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	"pyagent/core/llm"
)

// encodeChat builds a request for an answer, or for the count of its tokens.
func (g gemini) encodeChat(call Call) (*HTTPRequest, []string, *llm.Error) {
	e := &geminiEncoder{body: newBody(call), vertex: g.vertex, generation: geminiGeneration(call.Request.Model)}
	e.merges = true
	text := e.write()
	if e.failed != nil {
		return nil, nil, e.failed
	}
	method, query := "generateContent", url.Values(nil)
	switch {
	case call.Request.Op == llm.OpCount:
		method = "countTokens"
		if !g.vertex { // which takes the same fields at the top
			whole := newObject(nil)
			whole.raw("generateContentRequest", text)
			text = whole.end()
		}
	case call.Stream: // without alt=sse the stream is one JSON list
		method, query = "streamGenerateContent", url.Values{"alt": {"sse"}}
	}
	request, failed := g.request(call, "POST", g.route(call.Request.Model, method), query, text)
	return request, e.warnings, failed
}

// geminiEncoder writes one GenerateContentRequest: https://ai.google.dev/api/generate-content
type geminiEncoder struct {
	body
	vertex     bool
	generation int // of the model, see geminiGeneration
}

func (e *geminiEncoder) write() []byte {
	names := []string{
		"max_tokens", "max_completion_tokens", "temperature", "top_p", "top_k", "stop", "frequency_penalty", "presence_penalty",
		"seed", "n", "tools", "tool_choice", "response_format", "logprobs", "top_logprobs", "reasoning_effort",
		"reasoning_budget", "reasoning_summary", "modalities", "audio", "stream_options",
	}
	if e.vertex {
		names = append(names, "metadata")
	} else {
		names = append(names, "store", "service_tier")
	}
	e.takes(names...)
	if e.request.Op == llm.OpCount && !e.vertex {
		e.putText("model", geminiModelName(e.request.Model))
	}
	e.conversation()
	e.tools()
	e.generationConfig()
	e.options()
	return e.end()
}

// geminiModelName is the model as bodies name it.
func geminiModelName(model string) string { return gemini{}.resource(model) }

func (e *geminiEncoder) options() {
	r := e.request
	if r.Store != nil && !e.vertex {
		e.put("store", func(out []byte) []byte { return fmt.Append(out, *r.Store) })
	}
	switch tier := strings.ToLower(r.ServiceTier); tier {
	case "", "auto":
	case "default":
		e.putText("serviceTier", "standard")
	default:
		e.putText("serviceTier", tier)
	}
	if !absent(r.Metadata) && e.vertex {
		e.putRaw("labels", r.Metadata)
	}
	e.streamOptions() // every chunk counts tokens, asked or not
}

// generationConfig writes what Google keeps under that name.
func (e *geminiEncoder) generationConfig() {
	o := newObject(nil)
	r := e.request
	for _, number := range []struct {
		name, theirs string
		value        *float64
	}{
		{"temperature", "temperature", r.Temperature}, {"top_p", "topP", r.TopP},
		{"frequency_penalty", "frequencyPenalty", r.FrequencyPenalty}, {"presence_penalty", "presencePenalty", r.PresencePenalty},
	} {
		if number.value != nil {
			o.key(number.theirs)
			o.out = e.float(number.name, o.out, *number.value)
		}
	}
	for _, integer := range []struct {
		theirs string
		value  *int64
	}{
		{"topK", r.TopK}, {"maxOutputTokens", r.MaxTokens}, {"maxOutputTokens", r.MaxCompletionTokens}, {"candidateCount", r.N},
		{"seed", r.Seed},
	} {
		if integer.value != nil {
			o.key(integer.theirs)
			o.out = appendInt(o.out, *integer.value)
		}
	}
	if len(r.Stop.List) > 0 {
		o.key("stopSequences")
		o.out = appendStrings(o.out, r.Stop.List)
	}
	e.logprobs(o)
	e.format(o)
	e.modalities(o)
	e.thinking(o)
	if !o.empty {
		e.putRaw("generationConfig", o.end())
	}
}

func (e *geminiEncoder) logprobs(o *object) {
	r := e.request
	top := r.TopLogprobs != nil && *r.TopLogprobs > 0
	if r.Logprobs != nil && *r.Logprobs || top {
		o.key("responseLogprobs")
		o.out = append(o.out, "true"...)
	}
	if top {
		o.key("logprobs")
		o.out = appendInt(o.out, *r.TopLogprobs)
	}
}

// format asks for JSON: https://ai.google.dev/gemini-api/docs/structured-output
func (e *geminiEncoder) format(o *object) {
	asked, failed := readFormat(e.request.ResponseFormat)
	if failed != nil {
		e.wrong(failed.Param, "%s", failed.Message)
		return
	}
	if asked.kind == "text" {
		return
	}
	o.text("responseMimeType", "application/json")
	if asked.kind == "json_schema" {
		o.raw("responseJsonSchema", geminiSchema(asked.schema))
	}
}

// modalities asks for other answers than text, and says how speech sounds.
func (e *geminiEncoder) modalities(o *object) {
	if !absent(e.request.Modalities) {
		var words []string
		if json.Unmarshal(e.request.Modalities, &words) != nil {
			e.wrong("modalities", "modalities must be a list of words, got %s", e.request.Modalities)
		}
		for i, word := range words {
			words[i] = strings.ToUpper(word)
		}
		o.key("responseModalities")
		o.out = appendStrings(o.out, words)
	}
	if absent(e.request.Audio) {
		return
	}
	var audio struct {
		Voice  json.RawMessage
		Format string
	}
	if json.Unmarshal(e.request.Audio, &audio) != nil || !absent(audio.Voice) && !quoted(audio.Voice) {
		e.wrong("audio", `audio must be an object such as {"voice": "Kore"}, got %s`, e.request.Audio)
	}
	if !absent(audio.Voice) {
		voice := newObject(nil).member("voiceName", audio.Voice)
		voice = newObject(nil).member("prebuiltVoiceConfig", voice)
		o.raw("speechConfig", newObject(nil).member("voiceConfig", voice))
	}
	formats := map[string]string{"wav": "AUDIO_WAV", "mp3": "AUDIO_MP3", "opus": "AUDIO_OGG_OPUS"}
	switch format := formats[audio.Format]; {
	case format != "":
		kind := newObject(nil)
		kind.text("mimeType", format)
		o.raw("responseFormat", newObject(nil).member("audio", kind.end()))
	case audio.Format != "" && audio.Format != "pcm16": // which comes unasked
		e.refuse("audio", "%s does not make audio as %q; it makes pcm16, wav, mp3 or opus", e.row.Name, audio.Format)
	}
}

// thinking says how much to think. Models before Gemini 3 take a number of tokens, later ones a level, and both together
// are an error: https://ai.google.dev/gemini-api/docs/thinking. The numbers for levels are those that Google's own
// compatible route uses.
func (e *geminiEncoder) thinking(o *object) {
	r, config := e.request, newObject(nil)
	effort := strings.ToLower(r.ReasoningEffort)
	if effort != "" && r.ReasoningBudget != nil {
		e.wrong("reasoning_budget", "reasoning_effort and reasoning_budget say the same; give one of them")
		return
	}
	budgets := map[string]int64{"none": 0, "minimal": 1024, "low": 1024, "medium": 8192, "high": 24576}
	budget, known := budgets[effort]
	off := effort == "none" || r.ReasoningBudget != nil && *r.ReasoningBudget == 0
	switch {
	case off && e.generation >= 3:
		name := "reasoning_effort"
		if effort == "" {
			name = "reasoning_budget"
		}
		e.refuse(name, "%s cannot switch off the reasoning of %s; the least is reasoning_effort \"minimal\"", e.row.Name, r.Model)
	case r.ReasoningBudget != nil:
		config.key("thinkingBudget")
		config.out = appendInt(config.out, *r.ReasoningBudget)
	case effort == "":
	case !known:
		e.wrong("reasoning_effort", "reasoning_effort is %q; it is \"none\", \"minimal\", \"low\", \"medium\" or \"high\"", effort)
	case e.generation < 3:
		config.key("thinkingBudget")
		config.out = appendInt(config.out, budget)
	default:
		config.text("thinkingLevel", strings.ToUpper(effort))
	}
	wanted := effort != "" && effort != "none" || r.ReasoningBudget != nil && *r.ReasoningBudget > 0
	if r.ReasoningSummary != "" && r.ReasoningSummary != "auto" {
		e.warn("%s makes one kind of reasoning summary, whatever reasoning_summary says", e.row.Name)
	}
	if wanted || r.ReasoningSummary != "" {
		config.key("includeThoughts")
		config.out = append(config.out, "true"...)
	}
	if !config.empty {
		o.raw("thinkingConfig", config.end())
	}
}
