package provider

import (
	"slices"

	"pyagent/core/llm"
)

// Lookup finds a vendor's row by name. The row is a copy of its own.
func Lookup(name string) (*Row, bool) {
	for _, row := range Rows() {
		if row.Name == name {
			return &row, true
		}
	}
	return nil, false
}

// UnknownProvider is the error for a name that Lookup does not find.
func UnknownProvider(name string) *llm.Error {
	var names []string
	for _, row := range Rows() {
		names = append(names, row.Name)
	}
	slices.Sort(names)
	if guess := llm.Nearest(name, names); guess != "" {
		return llm.Configuration("provider", "provider %q is not known; did you mean %q?", name, guess)
	}
	return llm.Configuration("provider",
		"provider %q is not known; it is one of %q, or an object such as {\"name\": %q, \"base_url\": ...}", name, names, name)
}

// Rows lists every known vendor. To add one that speaks an existing dialect, add its row and a folder of recorded
// answers. A field is listed as unsupported only where the vendor documents that it refuses or drops it: what a vendor
// learns to take should work without a new release, and what it refuses it says itself.
func Rows() []Row {
	return slices.Concat(openAIRows(), routerRows(), hostedRows(), googleRows(), regionalRows(), localRows())
}

func openAIRows() []Row {
	// Models from the o-series on refuse max_tokens; the older families know both names, but old servers only the old
	// one.
	modern := map[string]string{"max_tokens": "max_completion_tokens"}
	old := []string{"gpt-3.5", "gpt-4", "chatgpt-4o", "ft:gpt-3.5", "ft:gpt-4"}
	return []Row{
		{
			Name: "openai", BaseURL: "https://api.openai.com/v1", BaseURLEnv: []string{"OPENAI_BASE_URL"},
			KeyEnv: []string{"OPENAI_API_KEY"}, Rename: modern, RenameExcept: old, Unsupported: []string{"top_k", "input_type"},
			EmbedBatch: 2048, EmbedFormat: "base64", Parts: "openai", TextResults: true,
			Rules: []llm.Rule{{Code: "invalid_prompt", Kind: llm.KindContentPolicy}},
		},
		{
			Name: "openai-responses", Dialect: "responses", BaseURL: "https://api.openai.com/v1", BaseURLEnv: []string{"OPENAI_BASE_URL"},
			KeyEnv: []string{"OPENAI_API_KEY"}, Unsupported: []string{"top_k", "input_type"},
			EmbedBatch: 2048, EmbedFormat: "base64", Rules: responsesRules(),
		},
		{
			Name: "azure", BaseURLEnv: []string{"AZURE_OPENAI_ENDPOINT"}, KeyEnv: []string{"AZURE_OPENAI_API_KEY"},
			Auth: "api-key", Deployments: true, APIVersion: "2024-10-21",
			APIVersionEnv: []string{"AZURE_OPENAI_API_VERSION", "OPENAI_API_VERSION"},
			DeploymentEnv: []string{"AZURE_OPENAI_DEPLOYMENT_NAME"},
			Rename:        modern, RenameExcept: append(slices.Clone(old), "gpt-35"), Unsupported: []string{"top_k", "input_type"},
			EmbedBatch: 2048, EmbedFormat: "base64", Parts: "openai", TextResults: true,
		},
		{
			Name: "azure-responses", Dialect: "responses", BaseURLEnv: []string{"AZURE_OPENAI_ENDPOINT"},
			KeyEnv: []string{"AZURE_OPENAI_API_KEY"}, Auth: "api-key", Deployments: true, APIVersion: "2024-10-21",
			DeploymentEnv: []string{"AZURE_OPENAI_DEPLOYMENT_NAME"}, Unsupported: []string{"top_k", "input_type"},
			EmbedBatch: 2048, EmbedFormat: "base64", Rules: responsesRules(),
		},
	}
}

// routerRows are vendors that serve the models of others, and any compatible server at all.
func routerRows() []Row {
	onlyMaxTokens := map[string]string{"max_completion_tokens": "max_tokens"}
	return []Row{
		{
			Name: "openrouter", BaseURL: "https://openrouter.ai/api/v1", BaseURLEnv: []string{"OPENROUTER_BASE_URL"},
			KeyEnv: []string{"OPENROUTER_API_KEY"}, EmbedFormat: "base64", EmbedParts: "content", MoreModelsPath: "/embeddings/models",
			Unsupported: []string{"n", "store", "safety_identifier"}, Parts: "openrouter",
			ToolChoices: []string{"auto", "none", "required", "tool"}, CacheMarks: true, Reasoning: openRouterReasoning(), Rules: openRouterRules(),
		},
		{
			Name: "together", BaseURL: "https://api.together.xyz/v1", BaseURLEnv: []string{"TOGETHER_BASE_URL"},
			KeyEnv: []string{"TOGETHER_API_KEY"}, Rename: onlyMaxTokens, Roles: noDeveloper(),
			Reasoning: &Reasoning{Effort: field("reasoning_effort"), Off: control(`{"reasoning":{"enabled":false}}`)},
		},
		{
			Name: "fireworks", BaseURL: "https://api.fireworks.ai/inference/v1", BaseURLEnv: []string{"FIREWORKS_BASE_URL"},
			KeyEnv: []string{"FIREWORKS_API_KEY"}, Rename: onlyMaxTokens, Roles: noDeveloper(),
			Reasoning: &Reasoning{
				Effort: field("reasoning_effort"), Budget: control(`{"thinking":{"type":"enabled","budget_tokens":"$"}}`), Back: "loop",
			},
		},
		{
			Name: "nvidia", BaseURL: "https://integrate.api.nvidia.com/v1", BaseURLEnv: []string{"NVIDIA_BASE_URL"},
			KeyEnv: []string{"NVIDIA_API_KEY"}, Rename: onlyMaxTokens, Roles: noDeveloper(), EmbedFormat: "base64",
		},
		{
			Name: "huggingface", BaseURL: "https://router.huggingface.co/v1", BaseURLEnv: []string{"HF_BASE_URL"},
			KeyEnv: []string{"HF_TOKEN", "HUGGINGFACE_TOKEN"}, Rename: onlyMaxTokens, Roles: noDeveloper(), Lacks: chatsOnly(),
		},
		{
			Name: "groq", BaseURL: "https://api.groq.com/openai/v1", BaseURLEnv: []string{"GROQ_BASE_URL"},
			KeyEnv: []string{"GROQ_API_KEY"}, Unsupported: []string{"logprobs", "top_logprobs", "logit_bias", "n",
				"top_k"}, Lacks: chatsOnly(),
		},
		{
			Name: "cerebras", BaseURL: "https://api.cerebras.ai/v1", BaseURLEnv: []string{"CEREBRAS_BASE_URL"},
			KeyEnv: []string{"CEREBRAS_API_KEY"}, Unsupported: []string{"top_k"}, Lacks: chatsOnly(),
			Rules: []llm.Rule{
				{Code: "token_quota_exceeded", Kind: llm.KindRateLimit},
				{Code: "queue_exceeded", Kind: llm.KindRateLimit},
			},
		},
		{
			Name: "puter", Dialect: "puter", BaseURL: "https://api.puter.com", BaseURLEnv: []string{"PUTER_API_BASE"},
			KeyEnv: []string{"PUTER_AUTH_TOKEN"}, LoginURL: "https://puter.com/login", Rules: puterRules(),
		},
		{
			Name: "sambanova", BaseURL: "https://api.sambanova.ai/v1", BaseURLEnv: []string{"SAMBANOVA_BASE_URL"},
			KeyEnv: []string{"SAMBANOVA_API_KEY"}, Rename: onlyMaxTokens, Roles: noDeveloper(),
		},
		{Name: "compatible", BaseURLEnv: []string{"OPENAI_COMPATIBLE_BASE_URL"},
			KeyEnv: []string{"OPENAI_COMPATIBLE_API_KEY"}, KeyOptional: true, CacheMarks: true},
	}
}

// googleRows are Gemini's models in Google's own protocol, in its compatible one, and at Vertex AI. The address at Vertex AI
// holds a project and a place, which the host puts together from GOOGLE_CLOUD_PROJECT and GOOGLE_CLOUD_LOCATION where
// nobody gives it.
func googleRows() []Row {
	keys := []string{"GEMINI_API_KEY", "GOOGLE_API_KEY"}
	return []Row{
		{
			Name: "gemini", Dialect: "gemini", BaseURL: "https://generativelanguage.googleapis.com/v1beta",
			BaseURLEnv: []string{"GOOGLE_BASE_URL"}, KeyEnv: keys, Auth: "x-goog-api-key", EmbedBatch: 100, UsageAlways: true,
			Rules: googleRules(),
		},
		{
			Name: "gemini-openai", BaseURL: "https://generativelanguage.googleapis.com/v1beta/openai",
			BaseURLEnv: []string{"GOOGLE_BASE_URL"}, KeyEnv: slices.Clone(keys), Unsupported: []string{"top_k"},
			Rules: googleRules(),
		},
		{
			// Its embedding models take one text a request.
			Name: "vertex", Dialect: "vertex", BaseURLEnv: []string{"VERTEX_BASE_URL"}, KeyEnv: []string{"GOOGLE_ACCESS_TOKEN"},
			EmbedBatch: 1, UsageAlways: true, Lacks: []llm.Op{llm.OpModels}, Rules: googleRules(),
		},
	}
}

// hostedRows are vendors that serve their own models.
func hostedRows() []Row {
	onlyMaxTokens := map[string]string{"max_completion_tokens": "max_tokens"}
	return []Row{
		{
			Name: "anthropic", Dialect: "anthropic", BaseURL: "https://api.anthropic.com/v1",
			BaseURLEnv: []string{"ANTHROPIC_BASE_URL"}, KeyEnv: []string{"ANTHROPIC_API_KEY"}, TokenEnv: []string{"ANTHROPIC_AUTH_TOKEN"},
			Auth: "x-api-key", Lacks: chatsOnly(), CacheMarks: true, Rules: anthropicRules(),
		},
		{
			Name: "anthropic-openai", BaseURL: "https://api.anthropic.com/v1", BaseURLEnv: []string{"ANTHROPIC_BASE_URL"},
			KeyEnv: []string{"ANTHROPIC_API_KEY"}, Lacks: chatsOnly(), Unsupported: []string{"n", "top_k"},
			Ignored: []string{
				"logprobs", "top_logprobs", "logit_bias", "frequency_penalty", "presence_penalty", "seed", "metadata", "service_tier",
				"store", "user", "prediction", "audio", "modalities", "response_format", "reasoning_effort",
			},
		},
		{
			Name: "deepseek", BaseURL: "https://api.deepseek.com", BaseURLEnv: []string{"DEEPSEEK_BASE_URL"},
			KeyEnv: []string{"DEEPSEEK_API_KEY"}, Rename: onlyMaxTokens, Unsupported: []string{"top_k", "n", "seed"},
			Formats: []string{"text", "json_object"}, Roles: noDeveloper(), Prefill: "prefix", Lacks: chatsOnly(),
			Reasoning: thinking("reasoning_effort", "tools"),
		},
		{
			Name: "xai", BaseURL: "https://api.x.ai/v1", BaseURLEnv: []string{"XAI_BASE_URL"}, KeyEnv: []string{"XAI_API_KEY"},
			Unsupported: []string{"top_k"}, ReasoningUncounted: true, ModelsPath: "/language-models",
		},
		mistralRow(),
		{
			// Its embeddings are 8-bit numbers only.
			Name: "perplexity", Lacks: chatsOnly(), BaseURL: "https://api.perplexity.ai", BaseURLEnv: []string{"PERPLEXITY_BASE_URL"},
			KeyEnv: []string{"PERPLEXITY_API_KEY"}, Rename: onlyMaxTokens, UsageAlways: true, Roles: noDeveloper(),
		},
	}
}

// regionalRows are vendors whose service has separate sites for China and the world; the rows name the latter.
func regionalRows() []Row {
	onlyMaxTokens := map[string]string{"max_completion_tokens": "max_tokens"}
	return []Row{
		moonshotRow(),
		{
			Name: "alibaba", BaseURL: "https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
			BaseURLEnv: []string{"DASHSCOPE_BASE_URL"}, KeyEnv: []string{"DASHSCOPE_API_KEY"}, Rename: onlyMaxTokens,
			Unsupported: []string{"input_type"}, EmbedBatch: 10, Roles: noDeveloper(), Prefill: "partial", CacheMarks: true,
			Reasoning: &Reasoning{
				Budget: control(`{"enable_thinking":true,"thinking_budget":"$"}`),
				On:     control(`{"enable_thinking":true}`), Off: control(`{"enable_thinking":false}`),
			},
			Rules: []llm.Rule{
				{Code: "data_inspection_failed", Kind: llm.KindContentPolicy},
				{Code: "Arrearage", Kind: llm.KindQuota},
			},
		},
		{
			Name: "zai", BaseURL: "https://api.z.ai/api/paas/v4", BaseURLEnv: []string{"ZAI_BASE_URL",
				"ZHIPUAI_BASE_URL"},
			KeyEnv: []string{"ZAI_API_KEY", "ZHIPUAI_API_KEY"}, UsageAlways: true, Roles: noDeveloper(),
			Rename:      map[string]string{"max_completion_tokens": "max_tokens", "user": "user_id"},
			ToolChoices: []string{"auto"}, ToolStream: "tool_stream", MaxStops: 1, TextResults: true, Reasoning: zaiReasoning(),
			Unsupported: []string{"n", "top_k", "frequency_penalty", "presence_penalty", "input_type"},
			Formats:     []string{"text", "json_object"}, EmbedBatch: 64, Rules: zaiRules(),
		},
		{
			Name: "volcengine", BaseURL: "https://ark.cn-beijing.volces.com/api/v3",
			BaseURLEnv: []string{"ARK_BASE_URL", "VOLCENGINE_BASE_URL"}, KeyEnv: []string{"ARK_API_KEY", "VOLCENGINE_API_KEY"},
			Unsupported: []string{"n", "top_k", "seed", "input_type"},
			EmbedBatch:  256, EmbedFormat: "base64", EmbedParts: "alone", EmbedPartsPath: "/embeddings/multimodal",
			EmbedPartsModels: []string{"doubao-embedding-vision"}, Roles: noDeveloper(),
			Reasoning: thinking("reasoning_effort", "loop"), Rules: arkRules(),
		},
	}
}

// noDeveloper are the roles of vendors that know OpenAI's newer word only by its older one.
func noDeveloper() map[string]string { return map[string]string{"developer": "system"} }

// chatsOnly is what a vendor without embeddings lacks.
func chatsOnly() []llm.Op { return []llm.Op{llm.OpEmbed} }

// mistralRow is Mistral's compatible route. It rejects every field that it does not know, so the list is the complement
// of its documented one.
func mistralRow() Row {
	return Row{
		Name: "mistral", BaseURL: "https://api.mistral.ai/v1", BaseURLEnv: []string{"MISTRAL_BASE_URL"},
		KeyEnv: []string{"MISTRAL_API_KEY"}, UsageAlways: true, ShortToolIDs: true,
		Rename: map[string]string{
			"seed": "random_seed", "max_completion_tokens": "max_tokens", "dimensions": "output_dimension",
		},
		EmbedFormat: "base64", Roles: noDeveloper(), Prefill: "prefix", Parts: "mistral", ToolParameters: true,
		NoEmpty:     true,
		ToolChoices: []string{"auto", "none", "required", "tool"},
		Reasoning:   &Reasoning{Effort: field("reasoning_effort"), Parts: true},
		Unsupported: []string{
			"input_type", "top_k", "logprobs", "top_logprobs", "logit_bias", "verbosity", "store", "user", "safety_identifier",
			"modalities", "audio", "stream_options",
		},
		Rules: []llm.Rule{
			{Code: "invalid_model", Kind: llm.KindNotFound},
			{Code: "1500", Kind: llm.KindNotFound},
			{Code: "3051", Kind: llm.KindContextWindow},
			{Code: "invalid_request_prompt_too_long", Kind: llm.KindContextWindow},
			{Text: []string{"you have exceeded your monthly"}, Kind: llm.KindQuota},
			{Text: []string{"inactive subscription or usage limit reached"}, Kind: llm.KindQuota},
		},
	}
}

func moonshotRow() Row {
	return Row{
		Name: "moonshot", BaseURL: "https://api.moonshot.ai/v1", BaseURLEnv: []string{"MOONSHOT_BASE_URL"},
		KeyEnv: []string{"MOONSHOT_API_KEY"}, Rename: map[string]string{"max_completion_tokens": "max_tokens"},
		Unsupported: []string{"top_k"}, Formats: []string{"text", "json_object"}, Lacks: chatsOnly(),
		Roles: noDeveloper(), Prefill: "partial", Reasoning: moonshotReasoning(),
		Rules: []llm.Rule{
			{Code: "exceeded_current_quota_error", Kind: llm.KindQuota},
			{Code: "rate_limit_reached_error", Kind: llm.KindRateLimit},
			{Code: "engine_overloaded_error", Kind: llm.KindServiceUnavailable},
			{Code: "content_filter", Kind: llm.KindContentPolicy},
		},
	}
}

// localRows are servers on the user's own machine, which need no key.
func localRows() []Row {
	onlyMaxTokens := map[string]string{"max_completion_tokens": "max_tokens"}
	return []Row{
		{
			Name: "lmstudio", BaseURL: "http://127.0.0.1:1234/v1", BaseURLEnv: []string{"LMSTUDIO_BASE_URL"},
			KeyEnv: []string{"LMSTUDIO_API_KEY"}, KeyOptional: true, Roles: noDeveloper(), Rename: onlyMaxTokens,
		},
		{
			Name: "vllm", BaseURL: "http://127.0.0.1:8000/v1", BaseURLEnv: []string{"VLLM_BASE_URL"},
			KeyEnv: []string{"VLLM_API_KEY"}, KeyOptional: true, Roles: noDeveloper(), EmbedFormat: "base64",
		},
		{
			Name: "llamacpp", BaseURL: "http://127.0.0.1:8080/v1", BaseURLEnv: []string{"LLAMACPP_BASE_URL"},
			KeyEnv: []string{"LLAMA_API_KEY"}, KeyOptional: true, Roles: noDeveloper(), Rename: onlyMaxTokens, EmbedFormat: "base64",
		},
		{
			Name: "ollama", Dialect: "ollama", BaseURL: "http://127.0.0.1:11434", BaseURLEnv: []string{"OLLAMA_BASE_URL", "OLLAMA_HOST"},
			KeyEnv: []string{"OLLAMA_API_KEY"}, KeyOptional: true, Rules: ollamaRules(),
		},
		{
			// Ollama's compatible route drops what it does not know without a word.
			Name: "ollama-openai", BaseURL: "http://127.0.0.1:11434/v1", BaseURLEnv: []string{"OLLAMA_BASE_URL", "OLLAMA_HOST"},
			KeyEnv: []string{"OLLAMA_API_KEY"}, KeyOptional: true, Rename: onlyMaxTokens, Rules: ollamaRules(),
			Unsupported: []string{"top_k", "n", "tool_choice", "logit_bias", "parallel_tool_calls", "user"},
		},
		{
			Name: "echo", BaseURL: "http://echo/v1", Auth: "none", KeyOptional: true, Local: true, CacheMarks: true,
			EmbedBatch: 100, EmbedFormat: "base64",
		},
	}
}
