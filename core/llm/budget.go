package llm

// Budget bounds what may be spent. All clients of the process that name the same budget and period share one account.
type Budget struct {
	Name   string   `json:"name,omitempty"`
	USD    *float64 `json:"usd,omitempty"`
	Tokens *int64   `json:"tokens,omitempty"`
	Period *float64 `json:"period,omitempty"` // seconds, beginning with the first request; none: the life of the process
}

func (b *Budget) check() *Error {
	switch {
	case b == nil:
		return nil
	case b.USD == nil && b.Tokens == nil:
		return Configuration("budget", "the budget bounds nothing; give usd, tokens or both")
	case b.USD != nil && !(*b.USD >= 0):
		return Configuration("budget.usd", "budget.usd must be 0 or more dollars, got %g", *b.USD)
	case b.Tokens != nil && *b.Tokens < 0:
		return Configuration("budget.tokens", "budget.tokens must be 0 or more, got %d", *b.Tokens)
	case b.Period != nil && !(*b.Period > 0):
		return Configuration("budget.period", "budget.period must be more than 0 seconds, got %g", *b.Period)
	}
	return nil
}
