package provider

import (
	"maps"
	"slices"
	"strings"

	"pyagent/core/llm"
)

// Row is everything that tells one vendor from another within a dialect. It is data: the registry holds one literal row
// for each known vendor, and a user's own endpoint is the same thing as JSON.
type Row struct {
	Name    string `json:"name"`
	Dialect string `json:"dialect,omitempty"` // vendor protocol; default "openai"

	BaseURL          string   `json:"base_url,omitempty"`
	BaseURLEnv       []string `json:"base_url_env,omitempty"` // environment variables that replace it; the host reads them
	KeyEnv           []string `json:"key_env,omitempty"`      // environment variables for the key; the host reads them
	TokenEnv         []string `json:"token_env,omitempty"`    // and for a token, which is sent as a bearer's; where there is no key
	KeyOptional      bool     `json:"key_optional,omitempty"`
	Auth             string   `json:"auth,omitempty"`               // one of authWays; default "bearer"
	ChatPath         string   `json:"chat_path,omitempty"`          // default: the dialect's
	EmbedPath        string   `json:"embed_path,omitempty"`         // default: the dialect's
	ModelsPath       string   `json:"models_path,omitempty"`        // default: the dialect's
	MoreModelsPath   string   `json:"more_models_path,omitempty"`   // where a vendor lists the models that models_path leaves out
	LoginURL         string   `json:"login_url,omitempty"`          // where a name and a password are exchanged for a key
	EmbedBatch       int      `json:"embed_batch,omitempty"`        // inputs that one request may embed; 0: all; see EmbedLimit
	EmbedFormat      string   `json:"embed_format,omitempty"`       // encoding_format to ask for: "base64", or nothing
	EmbedParts       string   `json:"embed_parts,omitempty"`        // content parts as inputs: none, "content" or "alone"
	EmbedPartsPath   string   `json:"embed_parts_path,omitempty"`   // the route for inputs that are alone
	EmbedPartsModels []string `json:"embed_parts_models,omitempty"` // models whose names begin so take only such inputs
	Lacks            []llm.Op `json:"lacks,omitempty"`              // operations that the vendor does not have
	Deployments      bool     `json:"deployments,omitempty"`        // Azure's URL: /openai/deployments/NAME, api-version
	APIVersion       string   `json:"api_version,omitempty"`        // default api-version of such URLs
	APIVersionEnv    []string `json:"api_version_env,omitempty"`
	DeploymentEnv    []string `json:"deployment_env,omitempty"`
	Local            bool     `json:"local,omitempty"` // answered in process, without a network

	Headers map[string]string `json:"headers,omitempty"` // sent with every request; the user's win

	Rename         map[string]string `json:"rename,omitempty"`        // our name of a request field -> the vendor's
	RenameExcept   []string          `json:"rename_except,omitempty"` // models whose names begin so keep our names
	Unsupported    []string          `json:"unsupported,omitempty"`   // fields it refuses or drops: an error here
	Ignored        []string          `json:"ignored,omitempty"`       // fields it takes and says are without effect
	Formats        []string          `json:"formats,omitempty"`       // response_format types it takes; empty: all
	ShortToolIDs   bool              `json:"short_tool_ids,omitempty"`
	ToolChoices    []string          `json:"tool_choices,omitempty"`    // modes of tool_choice it takes, "tool" for one tool by name; empty: all forms
	ToolStream     string            `json:"tool_stream,omitempty"`     // the field that makes it stream arguments in pieces
	ToolParameters bool              `json:"tool_parameters,omitempty"` // demands parameters of functions that have none
	TextResults    bool              `json:"text_results,omitempty"`    // tool results are text: what else they hold follows in a user message
	NoEmpty        bool              `json:"no_empty,omitempty"`        // refuses answers without content and calls: they are left out
	Parts          string            `json:"parts,omitempty"`           // whose shape content parts have, one of partShapes; empty: as they were given
	MaxStops       int               `json:"max_stops,omitempty"`       // stop sequences it takes, always as a list; 0: any number
	Roles          map[string]string `json:"roles,omitempty"`           // our role of a message -> the vendor's
	Prefill        string            `json:"prefill,omitempty"`         // the key that marks a last assistant message as a beginning
	CacheMarks     bool              `json:"cache_marks,omitempty"`     // knows cache_control; elsewhere the marks are left out

	Reasoning *Reasoning `json:"reasoning,omitempty"` // default: the field reasoning_effort alone

	UsageAlways        bool `json:"usage_always,omitempty"`        // streams count tokens without being asked
	ReasoningUncounted bool `json:"reasoning_uncounted,omitempty"` // completion_tokens leaves reasoning out
	ThinkTags          bool `json:"think_tags,omitempty"`          // <think>...</think> in the content is reasoning

	Rules []llm.Rule `json:"rules,omitempty"` // what the vendor's own error words mean
}

// The request fields that a row may rename, refuse or call ignored.
func requestFields() []string {
	return []string{
		"max_tokens", "max_completion_tokens", "temperature", "top_p", "top_k", "stop", "frequency_penalty", "presence_penalty",
		"seed", "n", "tools", "tool_choice", "parallel_tool_calls", "response_format", "logprobs", "top_logprobs", "logit_bias",
		"reasoning_effort", "reasoning_budget", "reasoning_summary", "verbosity", "service_tier", "store",
		"metadata", "user", "safety_identifier", "prompt_cache_key",
		"modalities", "audio", "prediction", "stream_options", "dimensions", "input_type",
	}
}

// ParseRow reads a user's own endpoint.
func ParseRow(data []byte) (*Row, *llm.Error) {
	row := new(Row)
	if err := llm.DecodeStrict("the provider", data, row); err != nil {
		return nil, err
	}
	if row.Local {
		return nil, llm.Configuration("local", "provider %q cannot be local; leave it out, and give base_url", row.Name)
	}
	if err := row.check(); err != nil {
		return nil, err
	}
	return row, nil
}

func (r *Row) check() *llm.Error {
	if r.Name == "" {
		return llm.Configuration("name", "the provider has no name; give {\"name\": ..., \"base_url\": ...}")
	}
	if _, known := dialects()[r.Dialect]; !known {
		names := slices.DeleteFunc(slices.Sorted(maps.Keys(dialects())), func(name string) bool { return name == "" })
		return llm.Configuration("dialect", "provider %q has the unknown dialect %q; it is one of %q", r.Name, r.Dialect, names)
	}
	if !slices.Contains(authWays(), firstWord(r.Auth, "bearer")) {
		return llm.Configuration("auth", "provider %q has the unknown auth %q; it is one of %q", r.Name, r.Auth, authWays())
	}
	if err := r.checkRoutes(); err != nil {
		return err
	}
	for _, address := range []string{r.BaseURL, r.LoginURL} {
		if _, err := parseBase(address); address != "" && err != nil {
			return err
		}
	}
	for name, value := range r.Headers {
		if err := checkHeader(name, value); err != nil {
			return err
		}
	}
	for ours := range r.Rename {
		if err := r.checkField("rename", ours); err != nil {
			return err
		}
	}
	for _, field := range r.Unsupported {
		if err := r.checkField("unsupported", field); err != nil {
			return err
		}
	}
	for _, field := range r.Ignored {
		if err := r.checkField("ignored", field); err != nil {
			return err
		}
	}
	if r.Parts != "" && !slices.Contains(partShapes(), r.Parts) {
		return llm.Configuration("parts", "provider %q has the unknown parts %q; it is one of %q", r.Name, r.Parts, partShapes())
	}
	if r.MaxStops < 0 {
		return llm.Configuration("max_stops", "max_stops of provider %q must be 0 (any number) or more, got %d", r.Name, r.MaxStops)
	}
	if r.Reasoning != nil {
		if err := r.Reasoning.check(r.Name); err != nil {
			return err
		}
	}
	return r.checkRules()
}

// checkRoutes checks paths, and what is said about operations beside chats.
func (r *Row) checkRoutes() *llm.Error {
	for name, path := range map[string]string{"chat_path": r.ChatPath, "embed_path": r.EmbedPath, "models_path": r.ModelsPath,
		"more_models_path": r.MoreModelsPath, "embed_parts_path": r.EmbedPartsPath} {
		if path != "" && !strings.HasPrefix(path, "/") {
			return llm.Configuration(name, "%s of provider %q must begin with \"/\", got %q", name, r.Name, path)
		}
	}
	if r.EmbedBatch < 0 {
		return llm.Configuration("embed_batch", "embed_batch of provider %q must be 0 (no limit) or more, got %d", r.Name,
			r.EmbedBatch)
	}
	if !slices.Contains([]string{"", "base64", "float"}, r.EmbedFormat) {
		return llm.Configuration("embed_format", `embed_format of provider %q is %q; it is "base64", "float" or nothing`, r.Name,
			r.EmbedFormat)
	}
	if !slices.Contains([]string{"", "content", "alone"}, r.EmbedParts) {
		return llm.Configuration("embed_parts", `embed_parts of provider %q is %q; it is "content", "alone" or nothing`, r.Name,
			r.EmbedParts)
	}
	for _, op := range r.Lacks {
		if !slices.Contains(llm.Ops(), op) {
			return llm.Configuration("lacks", "lacks of provider %q names the unknown operation %q; it is one of %q", r.Name, op,
				llm.Ops())
		}
	}
	return nil
}

func (r *Row) checkField(where, name string) *llm.Error {
	known := requestFields()
	for _, field := range known {
		if field == name {
			return nil
		}
	}
	if guess := llm.Nearest(name, known); guess != "" {
		return llm.Configuration(where, "%s of provider %q names the unknown field %q; did you mean %q?", where, r.Name,
			name, guess)
	}
	return llm.Configuration(where, "%s of provider %q names the unknown field %q; fields are named as in a request",
		where, r.Name, name)
}

func (r *Row) checkRules() *llm.Error {
	kinds := llm.Kinds()
	for i, rule := range r.Rules {
		known := false
		for _, kind := range kinds {
			known = known || kind == rule.Kind
		}
		if !known {
			return llm.Configuration("rules", "rules[%d] of provider %q has the unknown kind %q; it is one of %q", i,
				r.Name, rule.Kind, kinds)
		}
		if rule.Code == "" && rule.Status == 0 && len(rule.Text) == 0 {
			return llm.Configuration("rules", "rules[%d] of provider %q matches every error; give it a code, a status or a text", i, r.Name)
		}
	}
	return nil
}

// Protocol returns the dialect that the row speaks.
func (r *Row) Protocol() Dialect { return dialects()[r.Dialect] }
