package engine

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"pyagent/core/llm"
	"pyagent/core/policy"
	"pyagent/core/price"
)

// Spent is what was asked of one model of one vendor under one tag, and what it cost.
type Spent struct {
	Provider         string  `json:"provider"`
	Model            string  `json:"model"`
	Tag              string  `json:"tag"`
	Requests         int64   `json:"requests"` // that the vendor answered, broken answers included
	PromptTokens     int64   `json:"prompt_tokens"`
	CompletionTokens int64   `json:"completion_tokens"`
	USD              float64 `json:"usd"`      // of the requests whose cost is known
	Unpriced         int64   `json:"unpriced"` // requests whose cost is not
}

// BudgetState is what an account holds.
type BudgetState struct {
	Name     string        `json:"name"`
	Period   float64       `json:"period,omitempty"` // seconds
	Spent    policy.Amount `json:"spent"`
	Reserved policy.Amount `json:"reserved"` // for requests on their way
}

// manyTotals is the number of rows that a tally may have. What comes later is counted together, as "*".
const manyTotals = 10000

// tally counts costs by vendor, model and tag.
type tally struct {
	mu   sync.Mutex
	rows map[[3]string]*Spent
}

func (t *tally) add(provider, model, tag string, usage *llm.Usage, usd *float64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	row, ok := t.rows[[3]string{provider, model, tag}]
	if !ok {
		if len(t.rows) >= manyTotals {
			provider, model, tag = "*", "*", "*"
		}
		row = t.row(provider, model, tag)
	}
	row.Requests++
	if usage != nil {
		row.PromptTokens += value(usage.PromptTokens)
		row.CompletionTokens += value(usage.CompletionTokens)
	}
	if usd == nil {
		row.Unpriced++
	} else {
		row.USD += *usd
	}
}

func (t *tally) row(provider, model, tag string) *Spent {
	key := [3]string{provider, model, tag}
	if t.rows == nil {
		t.rows = make(map[[3]string]*Spent)
	}
	if t.rows[key] == nil {
		t.rows[key] = &Spent{Provider: provider, Model: model, Tag: tag}
	}
	return t.rows[key]
}

// list gives the rows in order; with reset they are gone after that, and nothing is counted twice or lost.
func (t *tally) list(reset bool) []Spent {
	t.mu.Lock()
	defer t.mu.Unlock()
	sorted := slices.SortedFunc(maps.Values(t.rows), func(a, b *Spent) int {
		return cmp.Or(cmp.Compare(a.Provider, b.Provider), cmp.Compare(a.Model, b.Model), cmp.Compare(a.Tag, b.Tag))
	})
	rows := make([]Spent, 0, len(sorted))
	for _, row := range sorted {
		rows = append(rows, *row)
	}
	if reset {
		t.rows = nil
	}
	return rows
}

func value(count *int64) int64 {
	if count == nil {
		return 0
	}
	return *count
}

// Costs is what all clients have spent, and what is left of their budgets.
type Costs struct {
	Totals  []Spent       `json:"totals"`
	Budgets []BudgetState `json:"budgets"`
}

// Costs reads the accounts. With reset the totals begin at zero again; budgets go on.
func (e *Engine) Costs(reset bool) Costs { return Costs{e.spent.list(reset), e.budgets.list()} }

// Prices lists what is known of prices.
func (e *Engine) Prices() []price.Row { return e.prices() }

// priceOf is what the call's model costs; nil where nobody knows it.
func (c *Call) priceOf() *llm.Price {
	return price.Find(c.client.config.Prices, c.client.offers(), c.request.Model)
}

// count works out what an answer cost and adds it to the totals; broken says that it has no proper end.
func (c *Call) count(finish *llm.Finish, images int, broken bool) {
	client := c.client
	if finish.Usage != nil {
		finish.CostUSD = finish.Usage.Cost
	}
	if finish.CostUSD == nil {
		asked := price.Count{Op: c.request.Op, Usage: finish.Usage, Images: images, Tier: cmp.Or(finish.ServiceTier, c.request.ServiceTier)}
		if prompt, answer, ok := price.Cost(c.priceOf(), asked); ok {
			usd := prompt + answer
			finish.CostUSD = &usd
		}
	}
	if c.request.Op.IsChat() || c.request.Op == llm.OpEmbed {
		tag := cmp.Or(c.request.Tag, client.config.Tag)
		client.engine.spent.add(client.row.Name, c.request.Model, tag, finish.Usage, finish.CostUSD)
		for ; client != nil; client = client.parent {
			client.spent.add(c.client.row.Name, c.request.Model, tag, finish.Usage, finish.CostUSD)
		}
	}
	if c.purse != nil {
		c.purse.pay(finish, c.estimate(), broken)
	}
}

// estimate is what a request may cost.
func (c *Call) estimate() policy.Amount {
	prompt, answer := c.request.EstimateTokens()
	usage := &llm.Usage{PromptTokens: &prompt, CompletionTokens: &answer}
	asked := price.Count{Op: c.request.Op, Usage: usage}
	before, after, _ := price.Cost(c.priceOf(), asked)
	return policy.Amount{USD: before + after, Tokens: prompt + answer}
}

// purse gathers what the attempts of a call cost.
type purse struct {
	outer *purse // of the budget around this one; nil for none

	mu   sync.Mutex
	cost policy.Amount
}

// pay adds an answer. Where the vendor has not said what it had, or not all of it because it broke off, it is counted with what it
// was expected to have.
func (p *purse) pay(finish *llm.Finish, expected policy.Amount, broken bool) {
	usd, tokens := finish.CostUSD, (*int64)(nil)
	if u := finish.Usage; u != nil {
		if tokens = u.TotalTokens; tokens == nil && u.PromptTokens != nil && u.CompletionTokens != nil {
			sum := *u.PromptTokens + *u.CompletionTokens
			tokens = &sum
		}
	}
	if usd == nil || broken {
		usd = atLeast(usd, expected.USD)
	}
	if tokens == nil || broken {
		tokens = atLeast(tokens, expected.Tokens)
	}
	for ; p != nil; p = p.outer {
		p.mu.Lock()
		p.cost.USD += *usd
		p.cost.Tokens += *tokens
		p.mu.Unlock()
	}
}

func atLeast[T int64 | float64](known *T, least T) *T {
	if known != nil {
		least = max(least, *known)
	}
	return &least
}

// budgets are the accounts of the process. They stay, because what was spent stays spent.
type budgets struct {
	mu       sync.Mutex
	accounts map[budgetKey]*budget
}

type budgetKey struct {
	name   string
	period time.Duration
}

type budget struct {
	mu      sync.Mutex
	account policy.Account
}

func (b *budgets) find(of budgetKey) *budget {
	b.mu.Lock()
	defer b.mu.Unlock()
	found, ok := b.accounts[of]
	if !ok {
		found = &budget{account: policy.Account{Period: of.period}}
		if b.accounts == nil {
			b.accounts = make(map[budgetKey]*budget)
		}
		b.accounts[of] = found
	}
	return found
}

func (b *budgets) list() []BudgetState {
	b.mu.Lock()
	defer b.mu.Unlock()
	states := make([]BudgetState, 0, len(b.accounts))
	for of, found := range b.accounts {
		found.mu.Lock()
		spent, reserved := found.account.Used(time.Now())
		found.mu.Unlock()
		states = append(states, BudgetState{of.name, of.period.Seconds(), spent, reserved})
	}
	slices.SortFunc(states, func(a, b BudgetState) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Period, b.Period))
	})
	return states
}

// openBudget is the account of a client; nil without a budget. One without a name is the client's own.
func (e *Engine) openBudget(option *llm.Budget) *budget {
	if option == nil {
		return nil
	}
	_, period := policy.ResolveBudget(option)
	if option.Name == "" {
		return &budget{account: policy.Account{Period: period}}
	}
	return e.budgets.find(budgetKey{option.Name, period})
}

// expense is a call's way through its budget: policy.Limit for all of its requests.
type expense struct {
	call     *Call
	purse    *purse
	reserved policy.Amount
}

// expense makes the limit of the client's budget; nil without one, and for what costs nothing.
func (c *Call) expense() policy.Limit {
	if c.client.budget == nil || !c.request.Op.IsChat() && c.request.Op != llm.OpEmbed {
		return nil
	}
	c.purse = &purse{outer: c.purse}
	if said := c.request.IncludeUsage; said != nil && !*said { // the counts of a stream are needed all the same
		c.request.IncludeUsage = nil
	}
	return &expense{call: c, purse: c.purse}
}

// Enter is part of policy.Limit. It never waits.
func (x *expense) Enter(context.Context) *llm.Error {
	c := x.call
	option := c.client.config.Budget
	for _, one := range c.possible() {
		if option.USD != nil && one.priceOf() == nil {
			return llm.Configuration("prices", "the price of the model %q at %s is not known, so that no budget in dollars can be kept; "+
				`give its price with prices={%q: {"input": ..., "output": ...}}, in dollars for a million tokens`,
				one.request.Model, one.client.row.Name, one.request.Model)
		}
		cost := one.estimate()
		x.reserved = policy.Amount{USD: max(x.reserved.USD, cost.USD), Tokens: max(x.reserved.Tokens, cost.Tokens)}
	}
	caps, _ := policy.ResolveBudget(option)
	account := c.client.budget
	account.mu.Lock()
	defer account.mu.Unlock()
	over := account.account.Reserve(time.Now(), caps, x.reserved)
	if over == nil {
		return nil
	}
	return exceeded(option, over, x.reserved)
}

func exceeded(option *llm.Budget, over *policy.Overrun, cost policy.Amount) *llm.Error {
	name := ""
	if option.Name != "" {
		name = fmt.Sprintf(" %q", option.Name)
	}
	err := &llm.Error{Kind: llm.KindBudget, Param: "budget." + over.Cap, Code: "budget_exceeded"}
	if over.Cap == "usd" {
		err.Message = fmt.Sprintf("the budget%s allows %g dollars: %.6g are spent or reserved, and this request may cost %.6g; nothing was sent",
			name, *option.USD, over.Used.USD, cost.USD)
	} else {
		err.Message = fmt.Sprintf("the budget%s allows %d tokens: %d are spent or reserved, and this request may have %d; nothing was sent",
			name, *option.Tokens, over.Used.Tokens, cost.Tokens)
	}
	if over.Wait > 0 {
		seconds := over.Wait.Seconds()
		err.RetryAfter = &seconds
		err.Message += fmt.Sprintf("; the next period begins in %.3g s", seconds)
	}
	return err
}

// Leave is part of policy.Limit.
func (x *expense) Leave(*llm.Error) {
	c := x.call
	x.purse.mu.Lock()
	cost := x.purse.cost
	x.purse.mu.Unlock()
	account := c.client.budget
	account.mu.Lock()
	defer account.mu.Unlock()
	account.account.Settle(time.Now(), x.reserved, cost)
}
