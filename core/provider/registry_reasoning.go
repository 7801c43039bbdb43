package provider

import "encoding/json"

// control is a literal control of reasoning.
//
//go:noinline
func control(object string) json.RawMessage { return json.RawMessage(object) }

// field is the control that is one field.
func field(name string) json.RawMessage { return json.RawMessage(`{"` + name + `":"$"}`) }

// thinking is how DeepSeek began to say it and others followed: a switch, and an effort beside it.
// https://api-docs.deepseek.com/guides/thinking_mode, https://www.volcengine.com/docs/82379/1494384
func thinking(effort, back string) *Reasoning {
	return &Reasoning{
		Effort: control(`{"thinking":{"type":"enabled"},"` + effort + `":"$"}`),
		On:     control(`{"thinking":{"type":"enabled"}}`), Off: control(`{"thinking":{"type":"disabled"}}`), Back: back,
	}
}

// zaiReasoning: https://docs.z.ai/guides/capabilities/thinking-mode. Models before GLM-5.2 only have the switch. All thoughts
// return: the vendor drops what clear_thinking lets it drop, and misses them where it is false.
func zaiReasoning() *Reasoning {
	way := thinking("reasoning_effort", "always")
	way.Except = []string{"glm-4", "glm-5-", "glm-5.1", "glm-5v"}
	return way
}

// moonshotReasoning: https://platform.kimi.ai/docs/guide/use-thinking-effort. Other efforts are ignored without a word, and so
// is any on models before K3, which only have the switch.
func moonshotReasoning() *Reasoning {
	return &Reasoning{
		Effort: field("reasoning_effort"), Levels: []string{"low", "high", "max"}, Except: []string{"kimi-k2", "moonshot-v1"},
		On: control(`{"thinking":{"type":"enabled"}}`), Off: control(`{"thinking":{"type":"disabled"}}`), Back: "tools",
	}
}

// openRouterReasoning: https://openrouter.ai/docs/use-cases/reasoning-tokens
func openRouterReasoning() *Reasoning {
	return &Reasoning{
		Effort: control(`{"reasoning":{"effort":"$"}}`), Budget: control(`{"reasoning":{"max_tokens":"$"}}`),
		Summary: control(`{"reasoning":{"summary":"$"}}`), Off: control(`{"reasoning":{"enabled":false}}`), Details: true,
	}
}
