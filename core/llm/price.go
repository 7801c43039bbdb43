package llm

import (
	"maps"
	"slices"
)

// Price is what a model costs, in US dollars for a million tokens, where nothing else is said. What is nil is not charged for
// in a way of its own: cached and written tokens cost what the rest of the prompt does, reasoning what the rest of the answer.
type Price struct {
	Input       *float64           `json:"input,omitempty"`
	Output      *float64           `json:"output,omitempty"`
	Cached      *float64           `json:"cached,omitempty"`       // prompt tokens read from the vendor's cache
	CacheWrite  *float64           `json:"cache_write,omitempty"`  // prompt tokens written to it
	Reasoning   *float64           `json:"reasoning,omitempty"`    // answer tokens that are reasoning
	Embedding   *float64           `json:"embedding,omitempty"`    // tokens of inputs to embed; default: input
	Image       *float64           `json:"image,omitempty"`        // dollars for each image of an answer
	ImageTokens int64              `json:"image_tokens,omitempty"` // answer tokens that such an image is, which Image pays for
	Long        *LongPrice         `json:"long,omitempty"`
	Tiers       map[string]float64 `json:"tiers,omitempty"` // what a service tier multiplies all of it by
}

// LongPrice is what all tokens of a request cost whose prompt has more than Above tokens.
type LongPrice struct {
	Above      int64    `json:"above"`
	Input      *float64 `json:"input,omitempty"`
	Output     *float64 `json:"output,omitempty"`
	Cached     *float64 `json:"cached,omitempty"`
	CacheWrite *float64 `json:"cache_write,omitempty"`
}

func checkPrices(prices map[string]Price) *Error {
	for _, model := range slices.Sorted(maps.Keys(prices)) {
		p, long := prices[model], LongPrice{}
		if p.Long != nil {
			long = *p.Long
		}
		for _, amount := range []struct {
			name  string
			value *float64
		}{
			{"input", p.Input}, {"output", p.Output}, {"cached", p.Cached}, {"cache_write", p.CacheWrite}, {"reasoning", p.Reasoning},
			{"embedding", p.Embedding}, {"image", p.Image}, {"long.input", long.Input}, {"long.output", long.Output},
			{"long.cached", long.Cached}, {"long.cache_write", long.CacheWrite},
		} {
			if amount.value != nil && *amount.value < 0 {
				return Configuration("prices", "%s of the model %q in prices must be 0 or more dollars, got %g", amount.name, model,
					*amount.value)
			}
		}
		if p.Input == nil && p.Output == nil && p.Embedding == nil && p.Image == nil {
			return Configuration("prices", `the model %q in prices has no price; give {"input": ..., "output": ...}, dollars for a million tokens`,
				model)
		}
		if p.ImageTokens < 0 || long.Above < 0 {
			return Configuration("prices", "image_tokens and long.above of the model %q in prices must be 0 or more tokens", model)
		}
	}
	return nil
}
