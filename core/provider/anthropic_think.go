package provider

import "pyagent/core/llm"

// thinkPlan is how a request asks a model to think: https://docs.claude.com/en/docs/build-with-claude/extended-thinking
type thinkPlan struct {
	kind    string // "adaptive", "enabled", "disabled", or "" where nothing was said
	budget  int64  // of "enabled": tokens
	display string // "summarized" where the thoughts are to be seen
	effort  string // for output_config
	most    int64  // max_tokens
}

func (t *thinkPlan) on() bool { return t.kind == "adaptive" || t.kind == "enabled" }

// plan decides how the model is to think, and how many tokens it gets for thoughts and answer together.
func (e *messagesEncoder) plan() {
	r := e.request
	limit := r.MaxTokens
	if limit == nil {
		limit = r.MaxCompletionTokens
	}
	e.think.most = e.model.output
	if limit != nil {
		e.think.most = *limit
	}
	effort, budget := r.ReasoningEffort, r.ReasoningBudget
	switch off := effort == "none" || budget != nil && *budget == 0; {
	case off && (effort != "" && effort != "none" || budget != nil && *budget > 0):
		e.wrong("reasoning_budget", "reasoning_effort is %q but reasoning_budget is %d; give one of them", effort, *budget)
	case off && r.ReasoningSummary != "":
		e.wrong("reasoning_summary", "there is no reasoning to sum up when it is switched off; leave reasoning_summary out")
	case off:
		if e.model.budget || e.model.adaptive {
			e.think.kind = "disabled"
		}
	case budget != nil:
		e.planBudget(*budget, limit != nil)
	case effort != "":
		e.planEffort(effort)
	case r.ReasoningSummary != "" && e.model.adaptive:
		e.think.kind = "adaptive"
	case r.ReasoningSummary != "":
		e.wrong("reasoning_summary", "reasoning_summary shows the reasoning of a model that reasons; give reasoning_effort or "+
			"reasoning_budget as well")
	}
	if r.ReasoningSummary != "" {
		e.think.display = "summarized" // there is one kind of summary
	}
}

// planBudget takes the user's number of tokens. It is part of max_tokens, and must leave room for an answer.
func (e *messagesEncoder) planBudget(budget int64, limited bool) {
	switch effort := e.request.ReasoningEffort; {
	case !e.model.budget && !e.request.AllowUnsupported:
		e.refuse("reasoning_budget", "%s takes no reasoning_budget for the model %q; give reasoning_effort", e.row.Name, e.request.Model)
	case effort != "" && !e.model.effort:
		e.wrong("reasoning_effort", "reasoning_effort and reasoning_budget mean the same to the model %q; give one of them", e.request.Model)
	case budget < leastBudget:
		e.wrong("reasoning_budget", "reasoning_budget must be 0 or at least %d tokens, got %d", leastBudget, budget)
	case limited && budget >= e.think.most:
		e.wrong("reasoning_budget", "reasoning_budget (%d) must be less than max_tokens (%d), of which it is a part", budget, e.think.most)
	default:
		if !limited {
			e.think.most = max(e.think.most, budget+4096)
		}
		e.think.kind, e.think.budget, e.think.effort = "enabled", budget, effort
	}
}

// planEffort turns an effort into what the model knows: adaptive thinking of that effort, or a number of tokens.
func (e *messagesEncoder) planEffort(effort string) {
	budget, known := effortBudgets()[effort]
	switch {
	case !known:
		e.wrong("reasoning_effort", "reasoning_effort is %q; for %s it is one of %q", effort, e.row.Name, effortWords())
		return
	case !e.model.adaptive && !e.model.budget:
		e.refuse("reasoning_effort", "the model %q of %s does not reason; leave reasoning_effort out", e.request.Model, e.row.Name)
		return
	case e.model.effort:
		if e.think.effort = effort; effort == "minimal" {
			e.think.effort = "low"
			e.warn(`%s has no reasoning_effort "minimal"; its least is "low"`, e.row.Name)
		}
	}
	if e.model.adaptive {
		e.think.kind = "adaptive"
		return
	}
	if e.think.most <= leastBudget {
		e.wrong("reasoning_effort", "max_tokens (%d) leaves no room for reasoning, which takes at least %d tokens of it", e.think.most,
			leastBudget)
	}
	e.think.kind, e.think.budget = "enabled", max(leastBudget, min(budget, e.think.most*3/4))
}

func (e *messagesEncoder) putThinking() {
	if e.think.kind == "" {
		return
	}
	e.put("thinking", func(out []byte) []byte {
		o := newObject(out)
		o.text("type", e.think.kind)
		if e.think.kind == "enabled" {
			o.raw("budget_tokens", appendInt(nil, e.think.budget))
		}
		if e.think.display != "" {
			o.text("display", e.think.display)
		}
		return o.end()
	})
}

// isThought tells whether a block is a thought, and whether it may go back: one without a signature never does, because the
// vendor takes nobody's word for what its model thought.
func isThought(block []byte) (thought, signed bool) {
	kind, signature := "", ""
	llm.Members(block, func(key, value []byte) {
		switch string(key) {
		case "type":
			readText(&kind, value)
		case "signature":
			readText(&signature, value)
		}
	})
	return kind == "thinking" || kind == "redacted_thinking", kind == "redacted_thinking" || signature != ""
}
