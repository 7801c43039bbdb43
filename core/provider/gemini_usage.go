package provider

import (
	"slices"

	"pyagent/core/llm"
)

// geminiCounts are the numbers of usageMetadata, by their place in geminiCountKeys. They are cumulative: a later chunk's
// number replaces an earlier one's.
type geminiCounts [countKeys]loose

const (
	countPrompt = iota
	countCached
	countCandidates
	countThoughts
	countTools
	countTotal
	countKeys
)

func geminiCountKeys() []string {
	return []string{
		"promptTokenCount", "cachedContentTokenCount", "candidatesTokenCount", "thoughtsTokenCount", "toolUsePromptTokenCount",
		"totalTokenCount",
	}
}

// read takes over the numbers of one chunk, and returns how many there were.
func (c *geminiCounts) read(usage []byte, tier *string) (found int) {
	keys := geminiCountKeys()
	llm.Members(usage, func(key, value []byte) {
		if string(key) == "serviceTier" {
			readText(tier, value)
			return
		}
		var number loose
		if at := slices.Index(keys, string(key)); at >= 0 {
			if number.read(value); number.set {
				c[at] = number
				found++
			}
		}
	})
	return found
}

// unified counts as everybody else does. What tools of Google's own put before the model is part of the prompt, thoughts
// are part of the answer, and a number that is left out beside others is 0.
func (c *geminiCounts) unified() llm.Usage {
	return llm.Usage{
		PromptTokens: sumCounts(c[countPrompt], c[countTools]), CompletionTokens: sumCounts(c[countCandidates], c[countThoughts]),
		TotalTokens: firstCount(c[countTotal]), CachedTokens: firstCount(c[countCached]), ReasoningTokens: firstCount(c[countThoughts]),
	}
}

func sumCounts(a, b loose) *int64 {
	first, second := firstCount(a), firstCount(b)
	switch {
	case first == nil:
		return second
	case second != nil:
		*first += *second
	}
	return first
}

// tellUsage reports the counts when an answer ends. Numbers that change with every piece of text are not told each time:
// they would weigh more than the text.
func (d *geminiDecoder) tellUsage() {
	usage := d.counts.unified()
	if !sameUsage(usage, d.told) {
		d.told = usage
		d.emit(llm.Event{Kind: llm.EventUsage, Data: &usage})
	}
}
