package engine

import (
	"context"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"pyagent/core/llm"
)

// dear is a price that makes every token a dollar: the echo server counts a token for each word or so.
const dear = `,"prices":{"echo":{"input":1000000,"output":1000000}}`

func costOf(t *testing.T, got *recorder) *float64 {
	t.Helper()
	if failed := got.failure(); failed != nil {
		t.Fatal(failed)
	}
	return got.terminal[0].Data.(*llm.Finish).CostUSD
}

func TestCostOfAnAnswer(t *testing.T) {
	usage := `"usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15%s}`
	cases := []struct {
		name, prices, script string
		cost                 float64 // -1: not known
	}{
		{"by the user's price", dear, fmt.Sprintf(usage, ""), 15},
		{"the vendor's word wins", dear, fmt.Sprintf(usage, `,"cost":0.25`), 0.25},
		{"also where nobody knows a price", "", fmt.Sprintf(usage, `,"cost":0.25`), 0.25},
		{"no price", "", fmt.Sprintf(usage, ""), -1},
		{"a price for another model", `,"prices":{"other":{"input":1}}`, fmt.Sprintf(usage, ""), -1},
		{"no counts", dear, `"usage":false`, -1},
	}
	for _, c := range cases {
		for _, op := range []llm.Op{llm.OpGenerate, llm.OpStream} {
			client := openEcho(t, c.prices)
			cost := costOf(t, ask(t, context.Background(), client, op, "{"+c.script+"}", "", new(recorder)))
			if (cost == nil) != (c.cost < 0) || cost != nil && *cost != c.cost {
				t.Errorf("%s (%s): %v, wanted %g", c.name, op, cost, c.cost)
			}
		}
	}
}

func TestTotals(t *testing.T) {
	client := openEcho(t, dear+`,"tag":"nightly"`)
	script := `{"usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15}}`
	var all sync.WaitGroup
	for number := range 40 {
		all.Add(1)
		go func() {
			defer all.Done()
			options := ""
			if number%4 == 0 {
				options = `,"tag":"urgent"`
			}
			ask(t, context.Background(), client, []llm.Op{llm.OpGenerate, llm.OpStream}[number%2], script, options, new(recorder))
			client.engine.Costs(false)
		}()
	}
	all.Wait()
	ask(t, context.Background(), client, llm.OpGenerate, `{"status":400}`, "", new(recorder))   // costs nothing
	ask(t, context.Background(), client, llm.OpStream, `{"end":"truncate"}`, "", new(recorder)) // nobody knows what
	ask(t, context.Background(), client, llm.OpGenerate, `{"usage":false}`, "", new(recorder))  // nor here
	want := []Spent{
		{"echo", "echo", "nightly", 32, 300, 150, 450, 2},
		{"echo", "echo", "urgent", 10, 100, 50, 150, 0},
	}
	if got := client.engine.Costs(false).Totals; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, wanted %v", got, want)
	}
	if got := client.Describe()["costs"]; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("the client says %v", got)
	}
	request, _ := llm.DecodeRequest([]byte(`{"op":"costs","reset":true}`))
	got := new(recorder)
	client.Run(context.Background(), request, got)
	if said := got.terminal[0].Data.(Costs); fmt.Sprint(said.Totals) != fmt.Sprint(want) {
		t.Errorf("the result is %v", said)
	}
	if left := client.engine.Costs(false).Totals; len(left) != 0 {
		t.Errorf("after a reset: %v", left)
	}
}

// An answer that broke off before its first word, and was asked for again, was answered twice.
func TestTotalsOfRetries(t *testing.T) {
	client := openEcho(t, dear+`,"budget":{"usd":1000}`)
	script := `{"key":"again","after":0,"end":"truncate","usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}}`
	if failed := ask(t, context.Background(), client, llm.OpStream, script, `,"max_tokens":16`, new(recorder)).failure(); failed != nil {
		t.Fatal(failed)
	}
	if totals := client.engine.Costs(false).Totals; len(totals) != 1 || totals[0].Requests != 2 || totals[0].USD != 3 || totals[0].Unpriced != 1 {
		t.Errorf("%+v", totals)
	}
	if spent, _ := client.budget.account.Used(time.Now()); spent.USD != 20+3 {
		t.Errorf("%+v", spent)
	}
}

func TestTotalsAreBounded(t *testing.T) {
	var all tally
	for number := range manyTotals + 10 {
		all.add("vendor", "model", fmt.Sprint(number), nil, new(float64))
	}
	rows := all.list(false)
	if len(rows) != manyTotals+1 || rows[0] != (Spent{"*", "*", "*", 10, 0, 0, 0, 0}) {
		t.Errorf("%d rows, the first is %+v", len(rows), rows[0])
	}
}

// With ten calls at once the budget lets as many begin as fit, and no request of the others is sent.
func TestBudget(t *testing.T) {
	client := openEcho(t, dear+`,"budget":{"name":"b","usd":100}`)
	script := `{"first_delay":0.1,"usage":{"prompt_tokens":4,"completion_tokens":6,"total_tokens":10}}`
	var all sync.WaitGroup
	var mu sync.Mutex
	refused := 0
	for range 10 {
		all.Add(1)
		go func() {
			defer all.Done()
			failed := ask(t, context.Background(), client, llm.OpStream, script, `,"max_tokens":16`, new(recorder)).failure()
			if failed == nil {
				return
			}
			mu.Lock()
			defer mu.Unlock()
			refused++
			if failed.Kind != llm.KindBudget || failed.Param != "budget.usd" || failed.Attempts != 0 || failed.RetryAfter != nil ||
				!strings.Contains(failed.Message, `the budget "b" allows 100 dollars: 100 are spent or reserved, and this request may cost 20`) {
				t.Errorf("%+v", failed)
			}
		}()
	}
	all.Wait()
	if refused != 5 {
		t.Errorf("%d were refused", refused)
	}
	state := client.engine.Costs(false).Budgets
	if len(state) != 1 || state[0].Spent.USD != 50 || state[0].Spent.Tokens != 50 || state[0].Reserved.USD != 0 {
		t.Errorf("%+v", state)
	}
}

// What a call is settled with.
func TestBudgetIsCorrected(t *testing.T) {
	cases := []struct {
		name, script string
		op           llm.Op
		spent        float64
	}{
		{"the vendor's counts", `{"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}}`, llm.OpGenerate, 3},
		{"the vendor's cost", `{"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3,"cost":0.5}}`, llm.OpGenerate, 0.5},
		{"no counts: what was expected", `{"usage":false}`, llm.OpGenerate, 20},
		{"broken off: what was expected", `{"end":"truncate","usage":false}`, llm.OpStream, 20},
		{"refused by the vendor", `{"status":400}`, llm.OpGenerate, 0},
	}
	for _, c := range cases {
		client := openEcho(t, dear+`,"budget":{"name":"b","usd":100,"tokens":1000}`)
		ask(t, context.Background(), client, c.op, c.script, `,"max_tokens":16`, new(recorder))
		state := client.engine.Costs(false).Budgets[0]
		if state.Spent.USD != c.spent || state.Reserved.USD != 0 || state.Reserved.Tokens != 0 {
			t.Errorf("%s: %+v", c.name, state)
		}
	}
}

// A budget asks for the counts of a stream whose user has no need of them.
func TestBudgetCountsStreams(t *testing.T) {
	client := openEcho(t, dear+`,"budget":{"name":"b","usd":100}`)
	ask(t, context.Background(), client, llm.OpStream, `{}`, `,"max_tokens":16,"include_usage":false`, new(recorder))
	if spent := client.engine.Costs(false).Budgets[0].Spent; spent.USD != 6 { // three words, twice
		t.Errorf("%+v", spent)
	}
}

func TestBudgetsAreShared(t *testing.T) {
	one := openEcho(t, dear+`,"budget":{"name":"team","usd":10}`)
	open := func(options string) *Client {
		config, err := llm.DecodeConfig([]byte(`{"provider":"echo"` + dear + options + `}`))
		if err != nil {
			t.Fatal(err)
		}
		client, err := one.engine.Open(config)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(client.Close)
		return client
	}
	script := `{"usage":{"prompt_tokens":5,"completion_tokens":5,"total_tokens":10}}`
	if failed := ask(t, context.Background(), one, llm.OpGenerate, script, "", new(recorder)).failure(); failed != nil {
		t.Fatal(failed)
	}
	cases := []struct {
		options string
		refused bool
	}{
		{`,"budget":{"name":"team","usd":10}`, true},
		{`,"budget":{"name":"team","usd":11}`, true}, // one dollar is left, and the prompt has four tokens
		{`,"budget":{"name":"team","usd":30}`, false},
		{`,"budget":{"name":"team","usd":10,"period":3600}`, false},
		{`,"budget":{"name":"other","usd":10}`, false},
		{`,"budget":{"usd":10}`, false},
		{``, false},
	}
	for _, c := range cases {
		failed := ask(t, context.Background(), open(c.options), llm.OpGenerate, script, "", new(recorder)).failure()
		if (failed != nil) != c.refused {
			t.Errorf("%s: %v", c.options, failed)
		}
	}
}

func TestBudgetPeriod(t *testing.T) {
	client := openEcho(t, `,"budget":{"tokens":10,"period":3600}`) // no price is needed
	script := `{"usage":{"prompt_tokens":5,"completion_tokens":5,"total_tokens":10}}`
	ask(t, context.Background(), client, llm.OpGenerate, script, "", new(recorder))
	failed := ask(t, context.Background(), client, llm.OpGenerate, script, "", new(recorder)).failure()
	if failed == nil || failed.Param != "budget.tokens" || failed.RetryAfter == nil || math.Abs(*failed.RetryAfter-3600) > 60 {
		t.Errorf("%+v", failed)
	}
}

func TestBudgetNeedsAPrice(t *testing.T) {
	client := openEcho(t, `,"budget":{"usd":1}`)
	failed := ask(t, context.Background(), client, llm.OpGenerate, `{}`, "", new(recorder)).failure()
	if failed == nil || failed.Kind != llm.KindConfiguration || failed.Param != "prices" || !strings.Contains(failed.Message, `prices={"echo":`) {
		t.Errorf("%+v", failed)
	}
}

// A budget is asked once for all inputs, before any of them is sent.
func TestBudgetOfEmbeddings(t *testing.T) {
	var inputs []string
	for range 40 {
		inputs = append(inputs, `"four"`)
	}
	request, err := llm.DecodeRequest(fmt.Appendf(nil, `{"op":"embed","model":"echo","input":[%s]}`, strings.Join(inputs, ",")))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		tokens   int
		attempts int
	}{{39, 0}, {40, 2}} {
		config, err := llm.DecodeConfig(fmt.Appendf(nil, `{"provider":"echo","budget":{"name":"e","tokens":%d},`+
			`"prices":{"echo":{"embedding":1000000}}}`, c.tokens))
		if err != nil {
			t.Fatal(err)
		}
		client, err := New("pyagent/test").Open(config)
		if err != nil {
			t.Fatal(err)
		}
		client.row.EmbedBatch = 20
		got := new(recorder)
		client.Run(context.Background(), request, got)
		if failed := got.failure(); c.attempts == 0 {
			if failed == nil || failed.Kind != llm.KindBudget || failed.Attempts != 0 {
				t.Errorf("%+v", failed)
			}
			continue
		}
		finish := got.terminal[0].Data.(*llm.Finish)
		spent := client.engine.Costs(false)
		if finish.Attempts != c.attempts || finish.CostUSD == nil || *finish.CostUSD != float64(*finish.Usage.PromptTokens) ||
			spent.Budgets[0].Spent.USD != *finish.CostUSD || spent.Totals[0].Requests != 2 || spent.Totals[0].USD != *finish.CostUSD {
			t.Errorf("%+v, cost %v, %+v", finish, finish.CostUSD, spent)
		}
		client.Close()
	}
}
