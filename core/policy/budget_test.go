package policy

import (
	"context"
	"testing"
	"time"

	"pyagent/core/llm"
)

func TestAccount(t *testing.T) {
	start := time.Unix(1000, 0)
	type step struct {
		at       time.Duration
		reserve  Amount
		over     string // the cap that refuses it; "" when it fits
		wait     time.Duration
		settle   *Amount // of the amount before
		spentUSD float64 // afterwards
	}
	usd, tokens := 1.0, int64(100)
	cases := []struct {
		name   string
		period time.Duration
		caps   Caps
		steps  []step
	}{
		{"reserved until it is over", 0, Caps{USD: &usd}, []step{
			{reserve: Amount{USD: 0.6}},
			{reserve: Amount{USD: 0.6}, over: "usd"},
			{settle: &Amount{USD: 0.1}, spentUSD: 0.1},
			{reserve: Amount{USD: 0.6}, spentUSD: 0.1},
		}},
		{"it may be used up to the last cent, and then nothing goes", 0, Caps{USD: &usd}, []step{
			{reserve: Amount{USD: 1}},
			{settle: &Amount{USD: 1}, spentUSD: 1},
			{reserve: Amount{}, over: "usd", spentUSD: 1},
		}},
		{"what costs more than expected counts", 0, Caps{USD: &usd}, []step{
			{reserve: Amount{USD: 0.1}},
			{settle: &Amount{USD: 3}, spentUSD: 3},
			{reserve: Amount{USD: 0.1}, over: "usd", spentUSD: 3},
		}},
		{"more than the whole budget", time.Minute, Caps{USD: &usd}, []step{{reserve: Amount{USD: 1.5}, over: "usd"}}},
		{"tokens", 0, Caps{USD: &usd, Tokens: &tokens}, []step{
			{reserve: Amount{Tokens: 60}},
			{reserve: Amount{Tokens: 60}, over: "tokens"},
			{reserve: Amount{Tokens: 40}},
		}},
		{"a period begins with its first request", time.Minute, Caps{USD: &usd}, []step{
			{at: 10 * time.Second, reserve: Amount{USD: 1}},
			{at: 15 * time.Second, settle: &Amount{USD: 1}, spentUSD: 1},
			{at: 30 * time.Second, reserve: Amount{USD: 1}, over: "usd", wait: 40 * time.Second, spentUSD: 1},
			{at: 70 * time.Second, reserve: Amount{USD: 1}},
			{at: 129 * time.Second, reserve: Amount{USD: 1}, over: "usd", wait: time.Second},
		}},
		{"a request on its way counts in the period that it ends in", time.Minute, Caps{USD: &usd}, []step{
			{reserve: Amount{USD: 0.8}},
			{at: 70 * time.Second, reserve: Amount{USD: 0.8}, over: "usd"},
			{at: 80 * time.Second, settle: &Amount{USD: 0.5}, spentUSD: 0.5},
		}},
	}
	for _, c := range cases {
		account := Account{Period: c.period}
		var last Amount
		for i, s := range c.steps {
			now := start.Add(s.at)
			if s.settle != nil {
				account.Settle(now, last, *s.settle)
			} else {
				over := account.Reserve(now, c.caps, s.reserve)
				if (over != nil) != (s.over != "") || over != nil && (over.Cap != s.over || over.Wait != s.wait) {
					t.Errorf("%s: step %d: %+v", c.name, i, over)
				}
				if over == nil {
					last = s.reserve
				}
			}
			if spent, _ := account.Used(now); spent.USD != s.spentUSD {
				t.Errorf("%s: step %d: spent %g, wanted %g", c.name, i, spent.USD, s.spentUSD)
			}
		}
	}
}

// Nothing stays reserved of sums of fractions.
func TestAccountAtRest(t *testing.T) {
	var account Account
	for range 10 {
		account.Reserve(time.Unix(1, 0), Caps{}, Amount{USD: 0.1, Tokens: 1})
	}
	for range 10 {
		account.Settle(time.Unix(1, 0), Amount{USD: 0.1, Tokens: 1}, Amount{})
	}
	if _, reserved := account.Used(time.Unix(1, 0)); reserved != (Amount{}) {
		t.Errorf("reserved %+v", reserved)
	}
}

func TestWithin(t *testing.T) {
	failed := &llm.Error{Kind: llm.KindConnection}
	budget := &turnstile{turns: 1}
	runs := 0
	run := func() *llm.Error { runs++; return failed }
	if err := Within(context.Background(), budget, run); err != failed || len(budget.left) != 1 || budget.left[0] != failed {
		t.Errorf("%v, left %v", err, budget.left)
	}
	if err := Within(context.Background(), budget, run); err.Kind != llm.KindRateLimit || runs != 1 || len(budget.left) != 1 {
		t.Errorf("%v after %d runs, left %v", err, runs, budget.left)
	}
	if err := Within(context.Background(), nil, run); err != failed || runs != 2 {
		t.Errorf("%v after %d runs", err, runs)
	}
}
