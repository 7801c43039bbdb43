package policy

import (
	"time"

	"pyagent/core/llm"
)

// Amount is what a request costs.
type Amount struct {
	USD    float64 `json:"usd"`
	Tokens int64   `json:"tokens"`
}

// Account keeps what was spent in a period. It is a value without a clock and without a lock. A request is counted with what it
// may cost when it begins, and with what it did cost when it has ended. A period begins with its first request; a request
// counts for the one that it ends in.
type Account struct {
	Period   time.Duration // 0: for ever
	since    time.Time     // zero before the first request
	spent    Amount
	reserved Amount
	running  int
}

// Caps are the most that a period may cost. A nil field is no cap.
type Caps struct {
	USD    *float64
	Tokens *int64
}

// Overrun says why a request does not fit: which cap, and how long it is until the next period, 0 where there is none.
type Overrun struct {
	Cap  string // "usd" or "tokens"
	Used Amount // spent, and reserved for requests on their way
	Wait time.Duration
}

// Reserve counts a request in that may cost this much; nil when it fits.
func (a *Account) Reserve(now time.Time, caps Caps, cost Amount) *Overrun {
	a.turn(now)
	used := Amount{USD: a.spent.USD + a.reserved.USD, Tokens: a.spent.Tokens + a.reserved.Tokens}
	over := ""
	switch {
	case caps.USD != nil && (used.USD+cost.USD > *caps.USD || used.USD >= *caps.USD):
		over = "usd"
	case caps.Tokens != nil && (used.Tokens+cost.Tokens > *caps.Tokens || used.Tokens >= *caps.Tokens):
		over = "tokens"
	}
	if over != "" {
		overrun := &Overrun{Cap: over, Used: used}
		if a.Period > 0 && !a.since.IsZero() {
			overrun.Wait = a.since.Add(a.Period).Sub(now)
		}
		return overrun
	}
	if a.since.IsZero() {
		a.since = now
	}
	a.running++
	a.reserved.USD += cost.USD
	a.reserved.Tokens += cost.Tokens
	return nil
}

// Settle notes that a request is over for which so much was reserved, and what it did cost.
func (a *Account) Settle(now time.Time, reserved, cost Amount) {
	a.turn(now)
	a.spent.USD += cost.USD
	a.spent.Tokens += cost.Tokens
	a.reserved.USD -= reserved.USD
	a.reserved.Tokens -= reserved.Tokens
	if a.running--; a.running == 0 {
		a.reserved = Amount{} // without what is left of sums of fractions
	}
}

// Used says what was spent in this period, and what is reserved for requests on their way.
func (a *Account) Used(now time.Time) (spent, reserved Amount) {
	a.turn(now)
	return a.spent, a.reserved
}

// turn begins a new period when the old one is over.
func (a *Account) turn(now time.Time) {
	if a.Period > 0 && !a.since.IsZero() && now.Sub(a.since) >= a.Period {
		a.since, a.spent = time.Time{}, Amount{}
	}
}

// ResolveBudget reads the option.
func ResolveBudget(option *llm.Budget) (caps Caps, period time.Duration) {
	if option.Period != nil {
		period = seconds(*option.Period)
	}
	return Caps{USD: option.USD, Tokens: option.Tokens}, period
}
