package llm

// Usage counts tokens the same way for every vendor: prompt tokens include cached ones, completion tokens include reasoning.
// A nil field means that the vendor did not say.
type Usage struct {
	PromptTokens     *int64   `json:"prompt_tokens,omitempty"`
	CompletionTokens *int64   `json:"completion_tokens,omitempty"`
	TotalTokens      *int64   `json:"total_tokens,omitempty"`
	CachedTokens     *int64   `json:"cached_tokens,omitempty"`      // read from the vendor's cache; part of PromptTokens
	CacheWriteTokens *int64   `json:"cache_write_tokens,omitempty"` // written to it; part of PromptTokens
	ReasoningTokens  *int64   `json:"reasoning_tokens,omitempty"`   // part of CompletionTokens
	Cost             *float64 `json:"cost,omitempty"`               // as the vendor states it; every vendor that does so counts in US dollars
}

// Merge takes every field that the later report states. Vendors repeat usage or send it in pieces; they never mean a sum.
func (u *Usage) Merge(later Usage) {
	keep(&u.PromptTokens, later.PromptTokens)
	keep(&u.CompletionTokens, later.CompletionTokens)
	keep(&u.TotalTokens, later.TotalTokens)
	keep(&u.CachedTokens, later.CachedTokens)
	keep(&u.CacheWriteTokens, later.CacheWriteTokens)
	keep(&u.ReasoningTokens, later.ReasoningTokens)
	keep(&u.Cost, later.Cost)
}

// Plus is the usage of two requests together. What one of them does not say is not known of both.
func (u *Usage) Plus(other *Usage) *Usage {
	if other == nil {
		return nil
	}
	return &Usage{
		PromptTokens:     Add(u.PromptTokens, other.PromptTokens),
		CompletionTokens: Add(u.CompletionTokens, other.CompletionTokens),
		TotalTokens:      Add(u.TotalTokens, other.TotalTokens),
		CachedTokens:     Add(u.CachedTokens, other.CachedTokens),
		CacheWriteTokens: Add(u.CacheWriteTokens, other.CacheWriteTokens),
		ReasoningTokens:  Add(u.ReasoningTokens, other.ReasoningTokens),
		Cost:             Add(u.Cost, other.Cost),
	}
}

// Add is the sum of two counts; nil where one of them is not known.
func Add[T int64 | float64](a, b *T) *T {
	if a == nil || b == nil {
		return nil
	}
	both := *a + *b
	return &both
}

func keep[T any](into **T, later *T) {
	if later != nil {
		*into = later
	}
}
