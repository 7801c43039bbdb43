package provider

import (
	"encoding/json"
	"slices"
	"strings"

	"pyagent/core/llm"
)

// encodeModels builds the request for the list of models, or for the second one of a vendor that has two.
func encodeModels(call Call) (*HTTPRequest, []string, *llm.Error) {
	request, failed := httpRequest(call, "GET", firstWord(call.Page, firstWord(call.Row.ModelsPath, "/models")), nil)
	if failed != nil {
		return nil, nil, failed
	}
	options := newBody(call)
	options.takes()
	if options.failed != nil {
		return nil, nil, options.failed
	}
	return request, options.warnings, nil
}

func newModelsDecoder(call Call) Decoder { return &wholeDecoder{call: call, read: readLists} }

// readLists reads a list of models and says where the second one is, if the vendor has one.
func readLists(d *wholeDecoder, body []byte) error {
	if d.call.Page == "" {
		d.finish.NextPage = d.call.Row.MoreModelsPath
	}
	return readModels(d, body)
}

// readModels reads a list of models whose elements are as servers of OpenAI's kind have them.
func readModels(d *wholeDecoder, body []byte) error { return readList(d, body, readModel) }

// readList reads a list of models: {"data": [...]}, {"models": [...]} or the bare list, its elements objects or names.
func readList(d *wholeDecoder, body []byte, read func(data []byte) *llm.Model) error {
	found := body
	if body[0] != '[' {
		found = nil
		llm.Members(body, func(key, value []byte) {
			if value[0] == '[' && (string(key) == "data" || string(key) == "models" && found == nil) {
				found = value
			}
		})
	}
	if found == nil {
		if said := parseError(body); said.message != "" {
			return vendorError(d.call, 200, body)
		}
		return llm.Errorf(llm.KindParse, "the answer has no list of models; it reads %s", excerpt(body))
	}
	llm.Elements(found, func(value []byte) {
		if model := read(value); model.ID != "" {
			d.emit(llm.Event{Kind: llm.EventItem, Data: model})
		}
	})
	return nil
}

// modelShape has the fields of all servers' models. Those of another type than expected stay empty.
type modelShape struct {
	ID, Name, Model, Slug string

	DisplayName  string `json:"display_name"`
	OwnedBy      string `json:"owned_by"`
	Organization string // Together
	Created      loose
	Aliases      []string
	Type         string // Together, LM Studio: "chat", "language", "llm", "vlm", "embedding"

	ContextLength    loose `json:"context_length"`     // OpenRouter, Together, Moonshot, Fireworks, SambaNova
	ContextWindow    loose `json:"context_window"`     // Groq
	MaxContextLength loose `json:"max_context_length"` // Mistral, LM Studio
	MaxModelLen      loose `json:"max_model_len"`      // vLLM
	Meta             struct {
		Context loose `json:"n_ctx"`
		Trained loose `json:"n_ctx_train"`
	} // llama.cpp
	MaxCompletion loose `json:"max_completion_tokens"` // Groq, SambaNova
	MaxOutput     loose `json:"max_output_tokens"`
	TopProvider   struct {
		MaxCompletion loose `json:"max_completion_tokens"`
	} `json:"top_provider"` // OpenRouter
	TokenLimits struct {
		Context   loose `json:"context_window"`
		Output    loose `json:"max_output_token_length"`
		Reasoning loose `json:"max_reasoning_token_length"`
	} `json:"token_limits"` // Ark

	Deprecation     json.RawMessage // Mistral: a date, or null
	ExpirationDate  json.RawMessage `json:"expiration_date"` // OpenRouter: the same
	Status          string          // Ark
	LifecycleStatus string          `json:"lifecycle_status"` // Azure

	Pricing        modelPrices
	PromptPrice    loose `json:"prompt_text_token_price"` // xAI
	CachedPrice    loose `json:"cached_prompt_text_token_price"`
	CompletedPrice loose `json:"completion_text_token_price"`

	Providers []struct {
		ContextLength loose `json:"context_length"`
		Pricing       modelPrices
		Tools         bool `json:"supports_tools"`
		Structured    bool `json:"supports_structured_output"`
	} // Hugging Face
	modelAbilities
}

// modelPrices are OpenRouter's and SambaNova's, in dollars a token, or Together's and Hugging Face's, in dollars a million.
type modelPrices struct {
	Prompt, Completion loose
	CacheRead          loose `json:"input_cache_read"`
	Input, Output      loose
	CachedInput        loose `json:"cached_input"`
}

// readModel reads one element of the list.
func readModel(data []byte) *llm.Model {
	if quoted(data) {
		return &llm.Model{ID: llm.Unquote(data)}
	}
	var shape modelShape
	json.Unmarshal(data, &shape) // a field of another type is no reason to lose the model
	model := &llm.Model{
		ID:            firstWord(firstWord(shape.ID, shape.Model), firstWord(shape.Slug, shape.Name)),
		Owner:         firstWord(shape.OwnedBy, shape.Organization),
		Created:       shape.Created.number,
		ContextTokens: shape.context(),
		OutputTokens: firstSize(shape.TopProvider.MaxCompletion, shape.MaxCompletion, shape.MaxOutput,
			shape.TokenLimits.Output),
		Deprecated: quoted(shape.Deprecation) || quoted(shape.ExpirationDate) ||
			shape.Status == "Retiring" || shape.Status == "Shutdown" || shape.LifecycleStatus == "deprecated",
	}
	if name := firstWord(shape.DisplayName, shape.Name); name != model.ID {
		model.Name = name
	}
	for _, alias := range shape.Aliases {
		if alias != model.ID {
			model.Aliases = append(model.Aliases, alias)
		}
	}
	shape.price(model)
	model.Capabilities = shape.features()
	return model
}

func (m *modelShape) context() *int64 {
	if found := firstSize(m.ContextLength, m.ContextWindow, m.MaxContextLength, m.MaxModelLen, m.TokenLimits.Context, m.Meta.Context,
		m.Meta.Trained); found != nil {
		return found
	}
	for _, provider := range m.Providers {
		if found := firstSize(provider.ContextLength); found != nil {
			return found
		}
	}
	return nil
}

// firstSize is the first number above 0: some servers say 0 for what they do not know.
func firstSize(candidates ...loose) *int64 {
	for _, candidate := range candidates {
		if candidate.number >= 1 {
			return firstCount(candidate)
		}
	}
	return nil
}

func (m *modelShape) price(model *llm.Model) {
	prices := m.Pricing
	for _, provider := range m.Providers {
		if prices == (modelPrices{}) {
			prices = provider.Pricing
		}
	}
	const million, xAI = 1e6, 1e10 // xAI counts in cents for a hundred million tokens
	set := func(into **float64, price loose, unit float64) {
		if *into == nil && price.set {
			dollars := price.number / unit
			*into = &dollars
		}
	}
	set(&model.InputPrice, prices.Prompt, 1)
	set(&model.OutputPrice, prices.Completion, 1)
	set(&model.CachedPrice, prices.CacheRead, 1)
	set(&model.InputPrice, prices.Input, million)
	set(&model.OutputPrice, prices.Output, million)
	set(&model.CachedPrice, prices.CachedInput, million)
	set(&model.InputPrice, m.PromptPrice, xAI)
	set(&model.OutputPrice, m.CompletedPrice, xAI)
	set(&model.CachedPrice, m.CachedPrice, xAI)
}

// modelAbilities are the ways in which servers say what a model can do.
type modelAbilities struct {
	Supported    []string        `json:"supported_parameters"` // OpenRouter
	Capabilities json.RawMessage // Mistral and Azure: an object of booleans; Ollama and llama.cpp: a list of words
	Architecture modalities      // OpenRouter, Hugging Face
	Modalities   modalities      // Ark
	modalities                   // xAI
	TaskType     []string        `json:"task_type"` // Ark
	Features     struct {
		Structured struct {
			Schema bool `json:"json_schema"`
		} `json:"structured_outputs"`
		Tools struct {
			Functions bool `json:"function_calling"`
		}
	} // Ark
	Chat      bool `json:"supports_chat"` // Fireworks, Moonshot
	Tools     bool `json:"supports_tools"`
	Images    bool `json:"supports_image_input"`
	ImageIn   bool `json:"supports_image_in"`
	VideoIn   bool `json:"supports_video_in"`
	Reasoning bool `json:"supports_reasoning"`
}

type modalities struct {
	Input  []string `json:"input_modalities"`
	Output []string `json:"output_modalities"`
}

func (m *modelShape) features() []string {
	can := featureSet{}
	for _, said := range []modalities{m.Architecture, m.Modalities, m.modalities} {
		can.takes(said.Input)
		can.makes(said.Output)
	}
	for _, word := range []struct{ feature, parameter string }{
		{"tools", "tools"}, {"structured_output", "structured_outputs"}, {"reasoning", "reasoning"},
	} {
		can.add(word.feature, slices.Contains(m.Supported, word.parameter))
	}
	llm.Members(m.Capabilities, func(key, value []byte) {
		can.add(abilityWords()[string(key)], string(value) == "true")
	})
	llm.Elements(m.Capabilities, func(value []byte) {
		word := abilityWords()[llm.Unquote(value)]
		can.add(word, word != "")
	})
	for _, provider := range m.Providers {
		can.add("tools", provider.Tools)
		can.add("structured_output", provider.Structured)
	}
	can.add("chat", m.Chat || m.Type == "chat" || m.Type == "llm" || m.Type == "vlm")
	can.add("embeddings", strings.HasPrefix(m.Type, "embedding") ||
		slices.ContainsFunc(m.TaskType, func(task string) bool { return strings.HasSuffix(task, "Embedding") }))
	can.add("images", m.Images || m.ImageIn || m.Type == "vlm")
	can.add("video", m.VideoIn)
	can.add("tools", m.Tools || m.Features.Tools.Functions)
	can.add("structured_output", m.Features.Structured.Schema)
	can.add("reasoning", m.Reasoning || m.TokenLimits.Reasoning.number > 0)
	return can.list()
}

// abilityWords are the words of capabilities: Mistral's, Azure's, then Ollama's.
func abilityWords() map[string]string {
	return map[string]string{
		"completion_chat": "chat", "function_calling": "tools", "reasoning": "reasoning", "vision": "images", "audio": "audio",
		"audio_speech": "audio_output", "chat_completion": "chat", "embeddings": "embeddings",
		"completion": "chat", "embedding": "embeddings", "tools": "tools", "thinking": "reasoning",
	}
}
