package provider

import "pyagent/core/llm"

// given lists the options of a chat that were set to something other than what happens anyway, by their names in a request.
func given(r *llm.Request) []string {
	var names []string
	for _, option := range []struct {
		name string
		set  bool
	}{
		{"max_tokens", r.MaxTokens != nil},
		{"max_completion_tokens", r.MaxCompletionTokens != nil},
		{"temperature", r.Temperature != nil},
		{"top_p", r.TopP != nil},
		{"top_k", r.TopK != nil},
		{"stop", len(r.Stop.List) > 0},
		{"frequency_penalty", r.FrequencyPenalty != nil && *r.FrequencyPenalty != 0},
		{"presence_penalty", r.PresencePenalty != nil && *r.PresencePenalty != 0},
		{"seed", r.Seed != nil},
		{"n", r.N != nil && *r.N != 1},
		{"tools", len(r.Tools) > 0},
		{"tool_choice", !absent(r.ToolChoice)},
		{"parallel_tool_calls", r.ParallelToolCalls != nil && !*r.ParallelToolCalls},
		{"response_format", !absent(r.ResponseFormat)},
		{"logprobs", r.Logprobs != nil && *r.Logprobs},
		{"top_logprobs", r.TopLogprobs != nil && *r.TopLogprobs != 0},
		{"logit_bias", !absent(r.LogitBias)},
		{"reasoning_effort", r.ReasoningEffort != ""},
		{"reasoning_budget", r.ReasoningBudget != nil},
		{"reasoning_summary", r.ReasoningSummary != ""},
		{"verbosity", r.Verbosity != ""},
		{"service_tier", r.ServiceTier != ""},
		{"store", r.Store != nil && *r.Store},
		{"metadata", !absent(r.Metadata)},
		{"user", r.User != ""},
		{"safety_identifier", r.SafetyIdentifier != ""},
		{"prompt_cache_key", r.PromptCacheKey != ""},
		{"modalities", !absent(r.Modalities)},
		{"audio", !absent(r.Audio)},
		{"prediction", !absent(r.Prediction)},
		{"stream_options", !absent(r.StreamOptions)},
		{"previous_response_id", r.PreviousResponseID != ""},
	} {
		if option.set {
			names = append(names, option.name)
		}
	}
	return names
}
