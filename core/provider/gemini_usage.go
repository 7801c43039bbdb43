package provider

import "pyagent/core/llm"

// geminiCounts are the numbers of usageMetadata. They are cumulative: a later chunk's number replaces an earlier one's.
type geminiCounts struct {
	prompt, cached, candidates, thoughts, tools, total loose
	tier                                               string
}

func geminiCountKeys() []string {
	return []string{
		"promptTokenCount", "cachedContentTokenCount", "candidatesTokenCount", "thoughtsTokenCount", "toolUsePromptTokenCount",
		"totalTokenCount",
	}
}

// read takes over the numbers of one chunk, and returns how many there were.
func (c *geminiCounts) read(usage []byte) (found int) {
	llm.Members(usage, func(key, value []byte) {
		if string(key) == "serviceTier" {
			readText(&c.tier, value)
			return
		}
		var number loose
		if number.read(value); number.set && c.set(string(key), number) {
			found++
		}
	})
	return found
}

func (c *geminiCounts) set(key string, number loose) bool {
	switch key {
	case "promptTokenCount":
		c.prompt = number
	case "cachedContentTokenCount":
		c.cached = number
	case "candidatesTokenCount":
		c.candidates = number
	case "thoughtsTokenCount":
		c.thoughts = number
	case "toolUsePromptTokenCount":
		c.tools = number
	case "totalTokenCount":
		c.total = number
	default:
		return false
	}
	return true
}

// unified counts as everybody else does. What tools of Google's own put before the model is part of the prompt, thoughts
// are part of the answer, and a number that is left out beside others is 0.
func (c *geminiCounts) unified() llm.Usage {
	return llm.Usage{
		PromptTokens: sumCounts(c.prompt, c.tools), CompletionTokens: sumCounts(c.candidates, c.thoughts),
		TotalTokens: firstCount(c.total), CachedTokens: firstCount(c.cached), ReasoningTokens: firstCount(c.thoughts),
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
