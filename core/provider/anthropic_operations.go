package provider

import (
	"time"

	"pyagent/core/llm"
)

// messageCounts are the vendor's counts. Tokens from the cache and into it are not part of the input here.
type messageCounts struct{ input, read, written, output, thinking *int64 }

// count merges a usage object: the later word on each number counts, never the sum, and null says nothing.
func (d *messagesDecoder) count(data []byte) {
	c := &d.counts
	set := func(into **int64, value []byte) {
		var number loose
		number.read(value)
		if count := firstCount(number); count != nil {
			*into = count
		}
	}
	llm.Members(data, func(key, value []byte) {
		switch string(key) {
		case "input_tokens":
			set(&c.input, value)
		case "cache_read_input_tokens":
			set(&c.read, value)
		case "cache_creation_input_tokens":
			set(&c.written, value)
		case "output_tokens":
			set(&c.output, value)
		case "output_tokens_details":
			llm.Members(value, func(key, value []byte) {
				if string(key) == "thinking_tokens" {
					set(&c.thinking, value)
				}
			})
		case "service_tier":
			readText(&d.finish.ServiceTier, value)
		}
	})
	before := d.usage
	d.usage.Merge(llm.Usage{
		PromptTokens: sum(c.input, c.read, c.written), CompletionTokens: c.output, CachedTokens: c.read, CacheWriteTokens: c.written,
		ReasoningTokens: c.thinking,
	})
	if !sameUsage(before, d.usage) {
		usage := d.usage
		d.emit(llm.Event{Kind: llm.EventUsage, Data: &usage})
	}
}

// readAnthropicCount reads the answer of count_tokens.
func readAnthropicCount(d *wholeDecoder, body []byte) error {
	var tokens loose
	llm.Members(body, func(key, value []byte) {
		if string(key) == "input_tokens" {
			tokens.read(value)
		}
	})
	count := firstCount(tokens)
	if count == nil {
		return llm.Errorf(llm.KindParse, "the answer has no input_tokens; it reads %s", excerpt(body))
	}
	d.emit(llm.Event{Kind: llm.EventItem, Data: &llm.TokenCount{InputTokens: *count}})
	return nil
}

// readAnthropicModels reads a page of the list of models: https://docs.claude.com/en/api/models-list
func readAnthropicModels(d *wholeDecoder, body []byte) error {
	more, last := false, ""
	llm.Members(body, func(key, value []byte) {
		switch string(key) {
		case "has_more":
			more = string(value) == "true"
		case "last_id":
			readText(&last, value)
		}
	})
	if more {
		d.finish.NextPage = last
	}
	return readList(d, body, readAnthropicModel)
}

func readAnthropicModel(data []byte) *llm.Model {
	model := readModel(data)
	can := featureSet{}
	llm.Members(data, func(key, value []byte) {
		switch string(key) {
		case "created_at":
			if at, err := time.Parse(time.RFC3339, llm.Unquote(value)); err == nil && at.Unix() > 0 {
				model.Created = float64(at.Unix())
			}
		case "max_input_tokens":
			model.ContextTokens = readSize(value)
		case "max_tokens":
			model.OutputTokens = readSize(value)
		case "capabilities":
			llm.Members(value, func(key, value []byte) {
				word := map[string]string{
					"image_input": "images", "pdf_input": "files", "structured_outputs": "structured_output", "thinking": "reasoning",
				}[string(key)]
				can.add(word, word != "" && isSupported(value))
			})
		}
	})
	if words := can.list(); words != nil {
		model.Capabilities = words
	}
	return model
}

func readSize(value []byte) *int64 {
	var number loose
	number.read(value)
	return firstSize(number)
}

func isSupported(capability []byte) (yes bool) {
	llm.Members(capability, func(key, value []byte) {
		yes = yes || string(key) == "supported" && string(value) == "true"
	})
	return yes
}
