package provider

import (
	"encoding/json"

	"pyagent/core/llm"
)

// readPuterUsage reads token counts in the shapes that the vendors behind Puter have given them: OpenAI's names, Anthropic's,
// or a list of what was charged. Anthropic's input leaves cached tokens out. OpenAI's includes them, but Puter takes them
// off for some vendors; that shows only where more tokens were cached than are said to have been read. The cost, which Puter
// states in cents, becomes dollars.
func readPuterUsage(data json.RawMessage) llm.Usage {
	if absent(data) {
		return llm.Usage{}
	}
	if data[0] == '[' {
		return readCharges(data)
	}
	numbers := map[string]loose{}
	llm.Members(data, func(key, value []byte) {
		var number loose
		number.read(value)
		numbers[string(key)] = number
	})
	if numbers["input_tokens"].set {
		return anthropicCounts(numbers)
	}
	usage := llm.Usage{
		PromptTokens:     firstCount(numbers["prompt_tokens"]),
		CompletionTokens: firstCount(numbers["completion_tokens"], numbers["output_tokens"]),
		TotalTokens:      firstCount(numbers["total_tokens"]), CachedTokens: firstCount(numbers["cached_tokens"]),
		ReasoningTokens: firstCount(numbers["reasoning_tokens"], numbers["thinking_tokens"]), Cost: dollars(numbers["usd_cents"]),
	}
	if prompt, cached := usage.PromptTokens, usage.CachedTokens; prompt != nil && cached != nil && *cached > *prompt {
		sum := *prompt + *cached
		usage.PromptTokens = &sum
	}
	return usage
}

func anthropicCounts(numbers map[string]loose) llm.Usage {
	written := firstCount(numbers["cache_creation_input_tokens"])
	if written == nil {
		written = sum(firstCount(numbers["ephemeral_5m_input_tokens"]), firstCount(numbers["ephemeral_1h_input_tokens"]))
	}
	read := firstCount(numbers["cache_read_input_tokens"], numbers["cached_tokens"])
	return llm.Usage{
		PromptTokens: sum(firstCount(numbers["input_tokens"]), read, written), CompletionTokens: firstCount(numbers["output_tokens"]),
		TotalTokens: firstCount(numbers["total_tokens"]), CachedTokens: read, CacheWriteTokens: written,
		ReasoningTokens: firstCount(numbers["thinking_tokens"]), Cost: dollars(numbers["usd_cents"]),
	}
}

// sum adds the counts that are known; nil if none is.
func sum(counts ...*int64) *int64 {
	var total *int64
	for _, count := range counts {
		if count != nil {
			if total == nil {
				total = new(int64)
			}
			*total += *count
		}
	}
	return total
}

func dollars(cents loose) *float64 {
	if !cents.set {
		return nil
	}
	value := cents.number / 100
	return &value
}

// readCharges reads the older list: an entry for each kind of token. Its costs have no stated unit and are left alone.
func readCharges(data json.RawMessage) (usage llm.Usage) {
	llm.Elements(data, func(value []byte) {
		var kind string
		var amount loose
		llm.Members(value, func(key, value []byte) {
			switch string(key) {
			case "type":
				readText(&kind, value)
			case "amount":
				amount.read(value)
			}
		})
		switch kind {
		case "prompt", "input":
			usage.PromptTokens = sum(usage.PromptTokens, firstCount(amount))
		case "completion", "output":
			usage.CompletionTokens = sum(usage.CompletionTokens, firstCount(amount))
		}
	})
	return usage
}
