// Package price knows what models cost, and what a request cost by the tokens that its vendor counted.
package price

import (
	_ "embed"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"pyagent/core/llm"
)

//go:embed prices.json
var file string

// Row is what the models of a family cost at some vendors.
type Row struct {
	Providers []string `json:"providers"`
	Model     string   `json:"model"` // of the family, see llm.OfFamily
	llm.Price
	Source string `json:"source"` // the vendor's page that says so
	Seen   string `json:"seen"`   // when it said so
}

// List gives every row that is known.
func List() []Row {
	var table struct{ Rows []Row }
	if json.Unmarshal([]byte(file), &table) != nil {
		return nil // which a test would find
	}
	rows := table.Rows
	for _, row := range table.Rows {
		if maker := resold[row.Providers[0]]; maker != "" {
			row.Providers, row.Model = []string{reseller}, maker+dotted(row.Model)
			rows = append(rows, row)
		}
	}
	return rows
}

const reseller = "openrouter"

// resold are the names under which it has the models of other vendors, at the vendors' own prices:
// https://openrouter.ai/docs/faq.
var resold = map[string]string{
	"openai": "openai/", "anthropic": "anthropic/", "gemini": "google/", "mistral": "mistralai/", "deepseek": "deepseek/", "xai": "x-ai/",
	"cohere": "cohere/",
}

// dotted is a model's name as OpenRouter writes it: where Anthropic's own has the version -4-5, it has -4.5. It is not a regular
// expression, because the package for those is a fiftieth of the library.
func dotted(name string) string {
	text := []byte(name)
	digit := func(at int) bool { return text[at] >= '0' && text[at] <= '9' }
	for at := 0; at+3 < len(text); at++ {
		if text[at] == '-' && digit(at+1) && text[at+2] == '-' && digit(at+3) {
			text[at+2] = '.'
		}
	}
	return string(text)
}

// Offer is one model of a vendor's. What it costs is read when it is first asked for: to read all that is known takes longer than
// the first request.
type Offer struct {
	model, line string
	price       atomic.Pointer[llm.Price]
}

// Offers are those of one vendor.
func Offers(provider string) []Offer {
	var found []Offer
	quoted := strconv.Quote(provider)
	for line := range strings.Lines(file) {
		providers, rest, _ := strings.Cut(line, `], "model": "`)
		providers, ok := strings.CutPrefix(providers, `{"providers": [`)
		if !ok {
			continue // the lines around the rows
		}
		model, _, _ := strings.Cut(rest, `"`)
		if strings.Contains(providers, quoted) {
			found = append(found, Offer{model: model, line: line})
		}
		if provider == reseller {
			first, _, _ := strings.Cut(providers[1:], `"`)
			if maker := resold[first]; maker != "" {
				found = append(found, Offer{model: maker + dotted(model), line: line})
			}
		}
	}
	return found
}

// read gives the price.
func (o *Offer) read() *llm.Price {
	if known := o.price.Load(); known != nil {
		return known
	}
	var row Row
	if json.Unmarshal([]byte(strings.TrimRight(o.line, ",\n")), &row) != nil {
		return nil // which a test would find
	}
	o.price.Store(&row.Price)
	return &row.Price
}

// Find is the price of a model among a vendor's offers, or the user's own, which has the first word; nil where neither knows it. Of
// several names that match, the longest is meant.
func Find(own map[string]llm.Price, offers []Offer, model string) *llm.Price {
	var found *llm.Price
	longest := -1
	for name, price := range own {
		if len(name) > longest && llm.OfFamily(model, name) {
			found, longest = &price, len(name)
		}
	}
	if found != nil {
		return found
	}
	var meant *Offer
	for i := range offers {
		if name := offers[i].model; len(name) > longest && llm.OfFamily(model, name) {
			meant, longest = &offers[i], len(name)
		}
	}
	if meant == nil {
		return nil
	}
	return meant.read()
}

// Count is what a price is asked for.
type Count struct {
	Op     llm.Op
	Usage  *llm.Usage
	Images int    // of the answer
	Tier   string // of service, as the vendor or the request says
}

const million = 1e6

// Cost is what a request cost in US dollars: its prompt and its answer. ok is false where the counts or the price leave it open.
func Cost(p *llm.Price, count Count) (prompt, answer float64, ok bool) {
	if p == nil || count.Usage == nil {
		return 0, 0, false
	}
	factor, ok := tier(p, count.Tier)
	if !ok {
		return 0, 0, false
	}
	if count.Op == llm.OpEmbed {
		prompt, ok = embedding(p, count.Usage)
		return prompt * factor, 0, ok
	}
	rates := *p
	if u := count.Usage; p.Long != nil && u.PromptTokens != nil && *u.PromptTokens > p.Long.Above {
		rates.Input, rates.Output, rates.Cached, rates.CacheWrite = p.Long.Input, p.Long.Output, p.Long.Cached, p.Long.CacheWrite
		rates.Reasoning = nil
	}
	prompt, known := promptCost(&rates, count.Usage)
	answer, ok = answerCost(&rates, count.Usage, count.Images)
	return prompt * factor, answer * factor, known && ok
}

// tier is what a tier of service multiplies the price by. The ordinary ones go by many names; what any other costs must be said.
func tier(p *llm.Price, name string) (factor float64, ok bool) {
	if factor, ok = p.Tiers[name]; ok {
		return factor, true
	}
	return 1, slices.Contains([]string{"", "auto", "default", "standard", "standard_only", "on_demand"}, strings.ToLower(name))
}

func embedding(p *llm.Price, u *llm.Usage) (float64, bool) {
	tokens, rate := u.PromptTokens, p.Embedding
	if tokens == nil {
		tokens = u.TotalTokens
	}
	if rate == nil {
		rate = p.Input
	}
	if tokens == nil || rate == nil {
		return 0, false
	}
	return float64(*tokens) * *rate / million, true
}

// promptCost counts cached and written tokens as parts of the prompt, which they are.
func promptCost(p *llm.Price, u *llm.Usage) (float64, bool) {
	if u.PromptTokens == nil || p.Input == nil {
		return 0, false
	}
	cached, written := part(u.CachedTokens), part(u.CacheWriteTokens)
	plain := max(float64(*u.PromptTokens)-cached-written, 0)
	return (plain**p.Input + cached*or(p.Cached, *p.Input) + written*or(p.CacheWrite, *p.Input)) / million, true
}

// answerCost counts reasoning, and the tokens that images are, as parts of the answer.
func answerCost(p *llm.Price, u *llm.Usage, images int) (float64, bool) {
	if u.CompletionTokens == nil || p.Output == nil && *u.CompletionTokens > 0 {
		return 0, false
	}
	thought, rest, pictures := part(u.ReasoningTokens), float64(*u.CompletionTokens), 0.0
	if p.Image != nil {
		pictures = float64(images) * *p.Image
		rest -= float64(images) * float64(p.ImageTokens)
	}
	output := or(p.Output, 0)
	return (max(rest-thought, 0)*output+thought*or(p.Reasoning, output))/million + pictures, true
}

func part(tokens *int64) float64 {
	if tokens == nil {
		return 0
	}
	return float64(*tokens)
}

func or(rate *float64, otherwise float64) float64 {
	if rate == nil {
		return otherwise
	}
	return *rate
}
