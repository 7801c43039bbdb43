package llm

// Model is one model of a vendor's list. What the vendor does not say is absent; prices are in US dollars for each token.
type Model struct {
	ID            string   `json:"id"`
	Name          string   `json:"name,omitempty"` // for people
	Owner         string   `json:"owner,omitempty"`
	Created       float64  `json:"created,omitempty"`        // seconds since 1970 UTC
	ContextTokens *int64   `json:"context_tokens,omitempty"` // prompt and answer, or prompt alone where the vendor says so
	OutputTokens  *int64   `json:"output_tokens,omitempty"`  // the longest answer
	Capabilities  []string `json:"capabilities,omitempty"`   // words of provider.Features
	Aliases       []string `json:"aliases,omitempty"`
	InputPrice    *float64 `json:"input_price,omitempty"`
	OutputPrice   *float64 `json:"output_price,omitempty"`
	CachedPrice   *float64 `json:"cached_price,omitempty"`
	Deprecated    bool     `json:"deprecated,omitempty"`
}

// TokenCount is how many tokens a request would have.
type TokenCount struct {
	InputTokens int64 `json:"input_tokens"`
}
