package provider

import (
	"encoding/json"
	"strconv"

	"pyagent/core/llm"
)

// chatUsage is a usage object with the spellings of all servers.
type chatUsage struct {
	Prompt, Completion, Total, Input, Output loose

	DetailCached, CacheWrite, DetailReasoning loose // among the details

	CacheHit  loose // DeepSeek
	Cached    loose // Moonshot
	NumCached loose // Mistral
	Reasoning loose
	Cost      []byte // a number, or an object with total_cost
}

// readUsage returns nil for anything but an object.
func readUsage(data []byte) *chatUsage {
	if data[0] != '{' {
		return nil
	}
	u := new(chatUsage)
	llm.Members(data, func(key, value []byte) {
		switch string(key) {
		case "prompt_tokens":
			u.Prompt.read(value)
		case "completion_tokens":
			u.Completion.read(value)
		case "total_tokens":
			u.Total.read(value)
		case "input_tokens":
			u.Input.read(value)
		case "output_tokens":
			u.Output.read(value)
		case "prompt_tokens_details", "input_tokens_details":
			llm.Members(value, func(key, value []byte) {
				switch string(key) {
				case "cached_tokens":
					u.DetailCached.read(value)
				case "cache_write_tokens":
					u.CacheWrite.read(value)
				}
			})
		case "completion_tokens_details", "output_tokens_details":
			llm.Members(value, func(key, value []byte) {
				if string(key) == "reasoning_tokens" {
					u.DetailReasoning.read(value)
				}
			})
		case "prompt_cache_hit_tokens":
			u.CacheHit.read(value)
		case "cached_tokens":
			u.Cached.read(value)
		case "num_cached_tokens":
			u.NumCached.read(value)
		case "reasoning_tokens":
			u.Reasoning.read(value)
		case "cost":
			u.Cost = value
		}
	})
	return u
}

// count merges a usage object. The same answer may carry several of them; the last word on each number counts, never
// the sum.
func (d *chatDecoder) count(u *chatUsage) {
	if u == nil {
		return
	}
	d.effects++
	before := d.usage
	d.usage.Merge(u.unified(d.call.Row.ReasoningUncounted))
	if !sameUsage(before, d.usage) {
		usage := d.usage
		d.emit(llm.Event{Kind: llm.EventUsage, Data: &usage})
	}
}

func (u *chatUsage) unified(reasoningUncounted bool) llm.Usage {
	usage := llm.Usage{
		PromptTokens: firstCount(u.Prompt, u.Input), CompletionTokens: firstCount(u.Completion, u.Output),
		TotalTokens: firstCount(u.Total), Cost: u.cost(), CacheWriteTokens: firstCount(u.CacheWrite),
		CachedTokens:    firstCount(u.DetailCached, u.Cached, u.CacheHit, u.NumCached),
		ReasoningTokens: firstCount(u.DetailReasoning, u.Reasoning),
	}
	if reasoningUncounted {
		usage.CompletionTokens = withReasoning(usage)
	}
	return usage
}

// withReasoning adds the reasoning tokens to a completion count that leaves them out, which the total shows.
func withReasoning(u llm.Usage) *int64 {
	if u.CompletionTokens == nil || u.ReasoningTokens == nil {
		return u.CompletionTokens
	}
	if u.TotalTokens != nil && u.PromptTokens != nil && *u.TotalTokens == *u.PromptTokens+*u.CompletionTokens {
		return u.CompletionTokens
	}
	sum := *u.CompletionTokens + *u.ReasoningTokens
	return &sum
}

func (u *chatUsage) cost() *float64 {
	var number float64
	if absent(u.Cost) {
		return nil
	}
	if json.Unmarshal(u.Cost, &number) == nil {
		return &number
	}
	var parts struct {
		Total *float64 `json:"total_cost"`
	}
	if json.Unmarshal(u.Cost, &parts) != nil {
		return nil
	}
	return parts.Total
}

// firstCount takes the first number that is given. Counts come as floats from some servers.
//
//go:noinline
func firstCount(candidates ...loose) *int64 {
	for _, candidate := range candidates {
		if candidate.set && candidate.number >= 0 && candidate.number < 1<<53 {
			count := int64(candidate.number)
			return &count
		}
	}
	return nil
}

func sameUsage(a, b llm.Usage) bool {
	return same(a.PromptTokens, b.PromptTokens) && same(a.CompletionTokens, b.CompletionTokens) &&
		same(a.TotalTokens, b.TotalTokens) && same(a.CachedTokens, b.CachedTokens) &&
		same(a.CacheWriteTokens, b.CacheWriteTokens) && same(a.ReasoningTokens, b.ReasoningTokens) &&
		same(a.Cost, b.Cost)
}

func same[T comparable](a, b *T) bool { return a == b || a != nil && b != nil && *a == *b }

// loose is a number that may be written as a string, or be missing, or be something else and then count as missing.
type loose struct {
	number float64
	set    bool
}

// read never fails: a server's odd number is no reason to lose its answer.
func (l *loose) read(data []byte) {
	text := string(data)
	if quoted(data) {
		text = llm.Unquote(data)
	}
	number, err := strconv.ParseFloat(text, 64)
	*l = loose{number, err == nil && number == number && number >= 0 && number < 1<<62}
}

// UnmarshalJSON is read, for shapes that encoding/json takes apart.
func (l *loose) UnmarshalJSON(data []byte) error {
	l.read(data)
	return nil
}

// index is the number as a position, or otherwise.
func (l loose) index(otherwise int) int {
	if !l.set || l.number > 0xffff {
		return otherwise
	}
	return int(l.number)
}
