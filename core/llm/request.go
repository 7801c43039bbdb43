package llm

import (
	"cmp"
	"encoding/json"
)

// Op names what a submitted request asks for.
type Op string

const (
	OpGenerate Op = "generate" // one answer, delivered whole
	OpStream   Op = "stream"   // one answer, delivered as it is made
	OpEmbed    Op = "embed"    // vectors of the inputs
	OpModels   Op = "models"   // the models that the vendor offers
	OpCount    Op = "count"    // how many tokens the request would have
	OpLogin    Op = "login"    // exchange a name and a password for a token
	OpCosts    Op = "costs"    // what this process has spent, as the RESULT; nothing is sent
	OpFake     Op = "fake"     // run the scripted model server on loopback until cancelled
)

// Ops lists every operation.
func Ops() []Op {
	return []Op{OpGenerate, OpStream, OpEmbed, OpModels, OpCount, OpLogin, OpCosts, OpFake}
}

// IsChat reports whether the operation asks a model for an answer.
func (o Op) IsChat() bool { return o == OpGenerate || o == OpStream }

// Request is one question to a model, in the words of OpenAI's chat API where that has a word. A nil or empty field was not
// given and is not sent. Raw JSON fields pass through to vendors that know them.
type Request struct {
	Op       Op        `json:"op"`
	Model    string    `json:"model,omitempty"`
	Messages []Message `json:"messages,omitempty"`

	MaxTokens           *int64   `json:"max_tokens,omitempty"`
	MaxCompletionTokens *int64   `json:"max_completion_tokens,omitempty"`
	Temperature         *float64 `json:"temperature,omitempty"`
	TopP                *float64 `json:"top_p,omitempty"`
	TopK                *int64   `json:"top_k,omitempty"`
	Stop                Strings  `json:"stop,omitzero"`
	FrequencyPenalty    *float64 `json:"frequency_penalty,omitempty"`
	PresencePenalty     *float64 `json:"presence_penalty,omitempty"`
	Seed                *int64   `json:"seed,omitempty"`
	N                   *int64   `json:"n,omitempty"`

	Tools             []Tool          `json:"tools,omitempty"`
	ToolChoice        json.RawMessage `json:"tool_choice,omitempty"`
	ParallelToolCalls *bool           `json:"parallel_tool_calls,omitempty"`
	ResponseFormat    json.RawMessage `json:"response_format,omitempty"`

	Logprobs    *bool           `json:"logprobs,omitempty"`
	TopLogprobs *int64          `json:"top_logprobs,omitempty"`
	LogitBias   json.RawMessage `json:"logit_bias,omitempty"`

	ReasoningEffort  string          `json:"reasoning_effort,omitempty"`  // "none" switches reasoning off
	ReasoningBudget  *int64          `json:"reasoning_budget,omitempty"`  // tokens; 0 switches reasoning off
	ReasoningSummary string          `json:"reasoning_summary,omitempty"` // "auto", "concise" or "detailed"
	Verbosity        string          `json:"verbosity,omitempty"`
	ServiceTier      string          `json:"service_tier,omitempty"`
	Store            *bool           `json:"store,omitempty"`
	Metadata         json.RawMessage `json:"metadata,omitempty"`
	User             string          `json:"user,omitempty"`
	SafetyIdentifier string          `json:"safety_identifier,omitempty"`
	PromptCacheKey   string          `json:"prompt_cache_key,omitempty"`
	Modalities       json.RawMessage `json:"modalities,omitempty"`
	Audio            json.RawMessage `json:"audio,omitempty"`
	Prediction       json.RawMessage `json:"prediction,omitempty"`
	StreamOptions    json.RawMessage `json:"stream_options,omitempty"`

	PreviousResponseID string `json:"previous_response_id,omitempty"` // go on from an answer that the vendor keeps

	Input      Inputs `json:"input,omitzero"`       // for OpEmbed
	Dimensions *int64 `json:"dimensions,omitempty"` // for OpEmbed: how long the vectors are to be
	InputType  string `json:"input_type,omitempty"` // for OpEmbed: what the vectors are for, in the vendor's words

	AllowUnsupported bool `json:"allow_unsupported,omitempty"` // send what the model's row says that it lacks

	Options map[string]json.RawMessage `json:"options,omitempty"` // request fields for one vendor each, see For
	merged  map[string]bool            // keys of ExtraBody that came from Options

	Login *Credentials `json:"login,omitempty"` // for OpLogin

	IncludeUsage *bool                      `json:"include_usage,omitempty"` // streams: ask the vendor for token counts
	IncludeRaw   bool                       `json:"include_raw,omitempty"`   // deliver the vendor's own JSON as well
	ExtraBody    map[string]json.RawMessage `json:"extra_body,omitempty"`    // the last word on the request body
	ExtraHeaders map[string]string          `json:"extra_headers,omitempty"`

	Tag   string `json:"tag,omitempty"`   // whom or what the cost is counted for; not sent
	Reset bool   `json:"reset,omitempty"` // for OpCosts: count from zero again

	APIKey     string   `json:"api_key,omitempty"`
	BaseURL    string   `json:"base_url,omitempty"`
	Timeouts   Timeouts `json:"timeouts,omitzero"`
	Limits     Limits   `json:"limits,omitzero"`
	MaxRetries *int     `json:"max_retries,omitempty"`

	Window int64           `json:"window,omitempty"` // in an inbox: bytes that may be delivered before the host asks for more
	Fake   json.RawMessage `json:"fake,omitempty"`   // for OpFake: the server's options
}

// Strings is a list of strings that may be written as a single string. Which of the two it was is kept: some servers take
// only one of them.
type Strings struct {
	List []string
	Bare bool // written as a single string
}

// UnmarshalJSON accepts "a" as well as ["a", "b"].
func (s *Strings) UnmarshalJSON(data []byte) error {
	var one string
	if json.Unmarshal(data, &one) == nil {
		*s = Strings{List: []string{one}, Bare: true}
		return nil
	}
	s.Bare = false
	if json.Unmarshal(data, &s.List) != nil {
		return Configuration("stop", "'stop' must be a string or list of strings.")
	}
	return nil
}

// DecodeRequest reads and checks one request.
func DecodeRequest(data []byte) (*Request, *Error) {
	request := new(Request)
	rest, err := request.readMain(data)
	if err == nil && len(rest) > 0 {
		err = DecodeStrict("the request", rest, request)
	}
	if err != nil {
		return nil, err
	}
	return request, request.check()
}

// readMain reads what every request has and most of its bytes are, and returns what is left as an object; nothing, if
// nothing is. What is not a JSON object at all is left as it is.
func (r *Request) readMain(data []byte) (rest []byte, err *Error) {
	if !Valid(data) || jsonKind(data) != "an object" {
		return data, nil
	}
	var failed error
	Members(data, func(key, value []byte) {
		switch string(key) {
		case "op":
			failed = cmp.Or(failed, text("op", "op", value, (*string)(&r.Op)))
		case "model":
			failed = cmp.Or(failed, text("model", "model", value, &r.Model))
		case "messages":
			r.Messages = nil
			failed = cmp.Or(failed, list("messages", value, &r.Messages))
		default:
			name, _ := json.Marshal(string(key))
			rest = append(append(append(append(rest, ','), name...), ':'), value...)
		}
	})
	if failed != nil {
		return nil, failed.(*Error)
	}
	if len(rest) > 0 {
		rest[0] = '{'
		rest = append(rest, '}')
	}
	return rest, nil
}

func (r *Request) check() *Error {
	switch r.Op {
	case OpFake, OpCosts:
		return nil
	case OpGenerate, OpStream, OpEmbed, OpModels, OpCount, OpLogin:
	case "":
		return Configuration("op", "op is missing; it is one of %q", Ops())
	default:
		return Configuration("op", "op %q is not known; it is one of %q", r.Op, Ops())
	}
	if r.Model == "" && r.Op != OpModels && r.Op != OpLogin {
		return Configuration("model", "model is missing; give the name of a model, for example \"gpt-4o-mini\"")
	}
	if r.Login != nil && r.Op != OpLogin {
		return Configuration("login", "login is for the operation %q; leave it out", OpLogin)
	}
	if err := r.checkContent(); err != nil {
		return err
	}
	return r.checkNumbers()
}

func (r *Request) checkContent() *Error {
	switch {
	case len(r.Options) > 0 && !r.Op.IsChat() && r.Op != OpCount:
		return Configuration("options", "options is for chats; leave it out of the operation %q", r.Op)
	case r.Op == OpModels:
		return nil
	case r.Op == OpLogin:
		return r.Login.check()
	case r.Op == OpEmbed:
		return r.Input.check()
	case len(r.Input) > 0:
		return Configuration("input", "input is for embeddings; give messages")
	case r.Dimensions != nil || r.InputType != "":
		return Configuration("dimensions", "dimensions and input_type are for embeddings; leave them out")
	case len(r.Messages) == 0:
		return Configuration("messages", "messages is empty; give at least one message")
	}
	for i := range r.Messages {
		if err := r.Messages[i].check(i); err != nil {
			return err
		}
	}
	for i := range r.Tools {
		if err := r.Tools[i].check(i); err != nil {
			return err
		}
	}
	return nil
}

func (r *Request) checkNumbers() *Error {
	positive := []struct {
		name  string
		value *int64
	}{{"max_tokens", r.MaxTokens}, {"max_completion_tokens", r.MaxCompletionTokens}, {"n", r.N}, {"dimensions", r.Dimensions}}
	for _, field := range positive {
		if field.value != nil && *field.value < 1 {
			return Configuration(field.name, "%s must be 1 or more, got %d", field.name, *field.value)
		}
	}
	if r.MaxTokens != nil && r.MaxCompletionTokens != nil {
		return Configuration("max_completion_tokens", "max_tokens and max_completion_tokens mean the same; give one of them")
	}
	if r.ReasoningBudget != nil && *r.ReasoningBudget < 0 {
		return Configuration("reasoning_budget", "reasoning_budget must be 0 (no reasoning) or more tokens, got %d", *r.ReasoningBudget)
	}
	if r.Window < 0 {
		return Configuration("window", "window must be 0 (no limit) or more bytes, got %d", r.Window)
	}
	if r.MaxRetries != nil && *r.MaxRetries < 0 {
		return Configuration("max_retries", "max_retries must be 0 or more, got %d", *r.MaxRetries)
	}
	if err := r.Timeouts.check(); err != nil {
		return err
	}
	if r.Limits.HeaderBytes != nil {
		return Configuration("limits.header_bytes", "limits.header_bytes can only be set on the client: connections are shared by its calls")
	}
	return r.Limits.check()
}
