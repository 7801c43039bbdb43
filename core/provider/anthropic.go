package provider

import (
	"maps"
	"net/url"
	"slices"
	"strings"

	"pyagent/core/llm"
)

// anthropic is the Messages API: https://docs.claude.com/en/api/messages
type anthropic struct{ reported }

// anthropicVersion is sent unless the row or the user's own headers name another one.
const anthropicVersion = "2023-06-01"

// The features that a request may need and that are only there by name: https://docs.claude.com/en/api/beta-headers
const (
	filesBeta = "files-api-2025-04-14" // content that names a file kept by the vendor
	oauthBeta = "oauth-2025-04-20"     // tokens of a login in place of keys
)

func (anthropic) Framing() Framing { return SSE }

// Encode builds a request of the call's operation.
func (anthropic) Encode(call Call) (*HTTPRequest, []string, *llm.Error) {
	if slices.Contains(call.Row.Lacks, call.Request.Op) {
		return nil, nil, refuseOperation(call)
	}
	switch call.Request.Op {
	case llm.OpGenerate, llm.OpStream:
		e := newMessagesEncoder(call)
		return e.post("", e.chat())
	case llm.OpCount:
		e := newMessagesEncoder(call)
		return e.post("/count_tokens", e.count())
	case llm.OpModels:
		return encodeAnthropicModels(call)
	}
	return nil, nil, refuseOperation(call)
}

// NewDecoder returns a decoder for the answer to the call's operation.
func (anthropic) NewDecoder(call Call) Decoder {
	switch call.Request.Op {
	case llm.OpModels:
		return &wholeDecoder{call: call, read: readAnthropicModels}
	case llm.OpCount:
		return &wholeDecoder{call: call, read: readAnthropicCount}
	}
	return newMessagesDecoder(call)
}

func (e *messagesEncoder) post(behind string, text []byte) (*HTTPRequest, []string, *llm.Error) {
	if e.failed != nil {
		return nil, nil, e.failed
	}
	header, err := anthropicHeader(e.call, e.betas)
	if err != nil {
		return nil, nil, err
	}
	address, err := anthropicURL(e.call, e.row.ChatPath, "/messages", behind)
	if err != nil {
		return nil, nil, err
	}
	return &HTTPRequest{Method: "POST", URL: address, Header: header, Body: text}, e.warnings, nil
}

// anthropicURL is the address of a route. A base URL may end before or behind /v1, or name the messages route.
func anthropicURL(call Call, own, route, behind string) (string, *llm.Error) {
	row := *call.Row
	call.Row = &row
	row.ChatPath = firstWord(row.ChatPath, "/messages")
	if own != "" {
		return endpoint(call, own+behind, "")
	}
	path, _, _ := strings.Cut(firstWord(call.BaseURL, row.BaseURL), "?")
	path = strings.TrimSuffix(strings.TrimRight(path, "/"), row.ChatPath)
	if !strings.HasSuffix(path, "/v1") {
		route = "/v1" + route
	}
	return endpoint(call, route+behind, "")
}

// anthropicHeader assembles the header of a call. betas are the features that the request needs by name; those that the user
// names are kept.
func anthropicHeader(call Call, betas []string) (map[string]string, *llm.Error) {
	row := *call.Row
	call.Row = &row
	token, isToken := strings.CutPrefix(call.APIKey, "Bearer ")
	if isLogin := strings.HasPrefix(token, "sk-ant-oat"); isToken || isLogin {
		call.APIKey, row.Auth = token, "bearer"
		if isLogin {
			betas = append(betas, oauthBeta)
		}
	}
	header, err := requestHeader(call)
	if err != nil {
		return nil, err
	}
	if header["Anthropic-Version"] == "" {
		header["Anthropic-Version"] = anthropicVersion
	}
	named := header["Anthropic-Beta"]
	for _, beta := range betas {
		if !strings.Contains(named, beta) {
			named += "," + beta
		}
	}
	if named != "" {
		header["Anthropic-Beta"] = strings.TrimPrefix(named, ",")
	}
	return header, nil
}

// encodeAnthropicModels builds the request for a page of the list of models.
func encodeAnthropicModels(call Call) (*HTTPRequest, []string, *llm.Error) {
	options := newBody(call)
	options.takes()
	if options.failed != nil {
		return nil, nil, options.failed
	}
	header, err := anthropicHeader(call, nil)
	if err != nil {
		return nil, nil, err
	}
	delete(header, "Content-Type")
	address, err := anthropicURL(call, call.Row.ModelsPath, "/models", "")
	if err != nil {
		return nil, nil, err
	}
	page := url.Values{"limit": {"1000"}}
	if call.Page != "" {
		page.Set("after_id", call.Page)
	}
	mark := "?"
	if strings.Contains(address, "?") {
		mark = "&"
	}
	return &HTTPRequest{Method: "GET", URL: address + mark + page.Encode(), Header: header}, options.warnings, nil
}

// claude is what must be known of a family of models to ask it anything: the API demands max_tokens, and each generation
// takes other words for how long to think.
type claude struct {
	name     string // how the names of the family begin
	output   int64  // max_tokens where the request says nothing: the longest answer, or as much of it as fits beside long prompts
	budget   bool   // thinks when given a number of tokens for it
	adaptive bool   // decides for itself how long it thinks
	effort   bool   // takes output_config.effort
	sampling bool   // takes temperature, top_p and top_k
}

// claudes are the families, of which the first that fits is meant; a name that is not here is taken for a newer one.
// https://platform.claude.com/docs/en/about-claude/models/overview
// https://platform.claude.com/docs/en/build-with-claude/adaptive-thinking
// https://platform.claude.com/docs/en/build-with-claude/effort
func claudes() []claude {
	return []claude{
		{"claude-3-5-", 8192, false, false, false, true},
		{"claude-3-7-", 32000, true, false, false, true},
		{"claude-3-", 4096, false, false, false, true},
		{"claude-opus-4-5", 64000, true, false, true, true},
		{"claude-opus-4-6", 128000, true, true, true, true},
		{"claude-sonnet-4-6", 64000, true, true, true, true},
		{"claude-sonnet-4-5", 64000, true, false, false, true},
		{"claude-haiku-4-5", 64000, true, false, false, true},
		{"claude-opus-4-1", 32000, true, false, false, true},
		{"claude-opus-4-0", 32000, true, false, false, true},
		{"claude-opus-4-2", 32000, true, false, false, true}, // with a date
		{"claude-sonnet-4-0", 32000, true, false, false, true},
		{"claude-sonnet-4-2", 32000, true, false, false, true},
		{"claude-", 64000, false, true, true, false},
	}
}

// findClaude is what is known of a model. What is no Claude is served by somebody who took over the protocol as it was.
func findClaude(model string) claude {
	if at := strings.Index(model, "claude-"); at >= 0 {
		for _, family := range claudes() {
			if strings.HasPrefix(model[at:], family.name) {
				return family
			}
		}
	}
	return claude{output: 8192, budget: true, sampling: true}
}

// effortBudgets are the tokens that stand for an effort where a model only knows tokens.
func effortBudgets() map[string]int64 {
	return map[string]int64{"minimal": 1024, "low": 2048, "medium": 8192, "high": 16384, "xhigh": 32768, "max": 32768}
}

// leastBudget is the smallest that the vendor takes.
const leastBudget = 1024

func effortWords() []string {
	words := slices.SortedFunc(maps.Keys(effortBudgets()), func(a, b string) int { return int(effortBudgets()[a] - effortBudgets()[b]) })
	return append([]string{"none"}, words...)
}
