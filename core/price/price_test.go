package price

import (
	"encoding/json"
	"math"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"pyagent/core/llm"
)

func TestRowsAreSound(t *testing.T) {
	decoder := json.NewDecoder(strings.NewReader(file))
	decoder.DisallowUnknownFields()
	var table struct {
		About string
		Rows  []Row
	}
	if err := decoder.Decode(&table); err != nil {
		t.Fatal(err)
	}
	month := regexp.MustCompile(`^20\d\d-(0[1-9]|1[0-2])$`)
	seen := map[string]bool{}
	for _, row := range table.Rows {
		for _, name := range row.Providers {
			if seen[name+" "+row.Model] {
				t.Errorf("%s of %s has two rows", row.Model, name)
			}
			seen[name+" "+row.Model] = true
		}
		if len(row.Providers) == 0 || !strings.HasPrefix(row.Source, "https://") || !month.MatchString(row.Seen) {
			t.Errorf("%s: providers %v, source %q, seen %q", row.Model, row.Providers, row.Source, row.Seen)
		}
		chat, embedding := row.Input != nil && row.Output != nil, row.Embedding != nil
		if chat == embedding {
			t.Errorf("%s is to have input and output, or embedding", row.Model)
		}
		checkOrder(t, row)
	}
	if all := List(); len(all) < len(table.Rows)+50 || len(table.Rows) < 50 {
		t.Errorf("%d rows, List gives %d", len(table.Rows), len(all))
	}
}

// checkOrder finds prices that stand in the wrong column.
func checkOrder(t *testing.T, row Row) {
	t.Helper()
	for _, rate := range []*float64{row.Input, row.Output, row.Cached, row.CacheWrite, row.Embedding} {
		if rate != nil && (*rate <= 0 || *rate > 1000) {
			t.Errorf("%s: %g dollars", row.Model, *rate)
		}
	}
	if row.Input == nil {
		return
	}
	if *row.Output < *row.Input || or(row.Cached, 0) >= *row.Input || or(row.CacheWrite, 1000) <= *row.Input {
		t.Errorf("%s: input %g, output %g, cached %v, cache_write %v", row.Model, *row.Input, *row.Output, row.Cached, row.CacheWrite)
	}
	if long := row.Long; long != nil && (long.Above < 1000 || *long.Input <= *row.Input || *long.Output <= *row.Output ||
		(long.Cached == nil) != (row.Cached == nil) || (long.CacheWrite == nil) != (row.CacheWrite == nil)) {
		t.Errorf("%s: long %+v", row.Model, long)
	}
}

func TestFind(t *testing.T) {
	dollars := 7.0
	own := map[string]llm.Price{"mine": {Input: &dollars}, "gpt-4o": {Input: &dollars}, "gpt-4o-2024-05-13": {Input: new(float64)}}
	cases := []struct {
		provider, model string
		own             map[string]llm.Price
		input           float64 // -1: none
	}{
		{"openai", "gpt-4o", nil, 2.5},
		{"openai-responses", "gpt-4o-2024-11-20", nil, 2.5},
		{"openai", "gpt-4o-2024-05-13", nil, 5},
		{"openai", "gpt-4o-mini-2024-07-18", nil, 0.15},
		{"openai", "gpt-4o-audio-preview", nil, -1},
		{"openai", "gpt-4-1106-preview", nil, 10},
		{"openai", "gpt-4-0613", nil, 30},
		{"openai", "gpt-5-chat-latest", nil, 1.25},
		{"openai", "nobody", nil, -1},
		{"anthropic", "claude-haiku-4-5-20251001", nil, 1},
		{"anthropic", "claude-opus-4-20250514", nil, 15},
		{"anthropic", "claude-opus-4-5@20251101", nil, 5},
		{"gemini", "gemini-2.5-flash-lite", nil, 0.1},
		{"gemini", "gemini-2.5-flash-image", nil, 0.3},
		{"gemini", "gemini-2.5-flash-native-audio", nil, -1},
		{"azure", "gpt-4o-2024-11-20", nil, 2.5},
		{"azure-responses", "gpt-4.1", nil, 2},
		{"vertex", "gemini-2.5-pro", nil, 1.25},
		{"groq", "llama-3.3-70b-versatile", nil, 0.59},
		{"mistral", "mistral-medium-2508", nil, 0.4},
		{"mistral", "mistral-medium-latest", nil, 1.5},
		{"groq", "gpt-4o", nil, -1},
		{"openrouter", "openai/gpt-4o", nil, 2.5},
		{"openrouter", "anthropic/claude-sonnet-4.5", nil, 3},
		{"openrouter", "anthropic/claude-3.5-haiku", nil, 0.8},
		{"openrouter", "google/gemini-2.5-pro", nil, 1.25},
		{"openrouter", "gpt-4o", nil, -1},
		{"openrouter", "openai/gpt-oss-120b", nil, -1},
		{"echo", "gpt-4o", nil, -1},
		{"openai", "gpt-4o", own, 7},
		{"openai", "gpt-4o-2024-11-20", own, 7},
		{"openai", "gpt-4o-2024-05-13", own, 0},
		{"openai", "gpt-4o-mini", own, 0.15},
		{"echo", "mine-latest", own, 7},
	}
	for _, c := range cases {
		got := -1.0
		if found := Find(c.own, Offers(c.provider), c.model); found != nil {
			got = *found.Input
		}
		if got != c.input {
			t.Errorf("%s of %s: %g, wanted %g", c.model, c.provider, got, c.input)
		}
	}
}

// What is read one by one is what is read at once.
func TestOffersAreThoseOfTheList(t *testing.T) {
	rows := map[string][]Row{}
	for _, row := range List() {
		for _, provider := range row.Providers {
			rows[provider] = append(rows[provider], row)
		}
	}
	if len(rows) < 10 {
		t.Errorf("%d vendors", len(rows))
	}
	for provider, known := range rows {
		offers := Offers(provider)
		if len(offers) != len(known) {
			t.Fatalf("%s has %d offers for %d rows", provider, len(offers), len(known))
		}
		for i, row := range known {
			for range 2 {
				if got := Find(nil, offers, row.Model); got == nil || !reflect.DeepEqual(*got, row.Price) {
					t.Errorf("%s of %s: %+v, wanted %+v", row.Model, provider, got, row.Price)
				}
			}
			if offers[i].model != row.Model {
				t.Errorf("%s: offer %d is of %q, wanted %q", provider, i, offers[i].model, row.Model)
			}
		}
	}
	for _, nobody := range []string{"", "providers", "model", "echo", `openai", "openai-responses`} {
		if offers := Offers(nobody); len(offers) > 0 {
			t.Errorf("%q has %d offers", nobody, len(offers))
		}
	}
}

func BenchmarkOffers(b *testing.B) {
	for b.Loop() {
		Find(nil, Offers("openrouter"), "openai/gpt-4o")
	}
}

// The cases of tests/cases/costs.json are run by the Python package too.
func TestCost(t *testing.T) {
	data, err := os.ReadFile("../../tests/cases/costs.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Name   string
		Price  *llm.Price
		Op     llm.Op
		Usage  *llm.Usage
		Images int
		Tier   string
		Prompt *float64
		Answer *float64
	}
	if err := json.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		prompt, answer, ok := Cost(c.Price, Count{Op: c.Op, Usage: c.Usage, Images: c.Images, Tier: c.Tier})
		if ok != (c.Prompt != nil) {
			t.Errorf("%s: known is %v", c.Name, ok)
		} else if ok && (!near(prompt, *c.Prompt) || !near(answer, *c.Answer)) {
			t.Errorf("%s: %g and %g, wanted %g and %g", c.Name, prompt, answer, *c.Prompt, *c.Answer)
		}
	}
}

func near(a, b float64) bool { return math.Abs(a-b) < 1e-12 }

func TestDotted(t *testing.T) {
	for name, want := range map[string]string{
		"claude-sonnet-4-5": "claude-sonnet-4.5", "claude-3-5-haiku-20241022": "claude-3.5-haiku-20241022", "a-1-2-3-4": "a-1.2-3.4",
		"a-1-2-3": "a-1.2-3", "gpt-4o-2024-08-06": "gpt-4o-2024-08-06", "o-4-": "o-4-", "-4-5": "-4.5", "": "", "4-5": "4-5",
	} {
		if got := dotted(name); got != want {
			t.Errorf("%q is %q, want %q", name, got, want)
		}
	}
}
