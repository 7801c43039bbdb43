package provider

import (
	"net/url"
	"strings"

	"pyagent/core/llm"
)

// encodeEmbed builds a request for vectors: https://ai.google.dev/api/embeddings. One input has a route of its own, several
// go together. Vertex AI has the older form that all its models share:
// https://docs.cloud.google.com/vertex-ai/generative-ai/docs/model-reference/text-embeddings-api
func (g gemini) encodeEmbed(call Call) (*HTTPRequest, []string, *llm.Error) {
	e := &geminiEncoder{body: newBody(call), vertex: g.vertex}
	e.merges = true
	e.takes()
	inputs, method := call.Request.Input, "embedContent"
	var text []byte
	switch {
	case g.vertex:
		method, text = "predict", e.predict()
	case len(inputs) == 1:
		text = e.embedOne(inputs[0])
	default:
		method = "batchEmbedContents"
		all := newObject(nil)
		all.key("requests")
		for i, input := range inputs {
			one := *e // extra_body is part of each
			one.out, one.written = newObject(nil), map[string]bool{}
			all.out = append(append(all.out, "[,"[min(i, 1)]), one.embedOne(input)...)
			e.failed = one.failed
			if e.failed != nil {
				break
			}
		}
		all.out = append(all.out, ']')
		text = all.end()
	}
	if e.failed != nil {
		return nil, nil, e.failed
	}
	request, failed := g.request(call, "POST", g.route(call.Request.Model, method), nil, text)
	return request, e.warnings, failed
}

func (e *geminiEncoder) embedOne(input llm.Input) []byte {
	r := e.request
	e.putText("model", geminiModelName(r.Model))
	parts := []byte(nil)
	switch {
	case input.Raw == nil:
		parts = append(append(append(parts, '['), geminiText(input.Text)...), ']')
	case hasParts(input):
		message := llm.Message{Parts: list(input.Raw, readInputPart)}
		parts = appendList(parts, e.parts(&message))
	default:
		e.refuse("input", "%s does not embed token ids; give the text", e.row.Name)
	}
	e.putRaw("content", newObject(nil).member("parts", parts))
	if r.InputType != "" {
		e.putText("taskType", strings.ToUpper(r.InputType))
	}
	if r.Dimensions != nil {
		e.put("outputDimensionality", func(out []byte) []byte { return appendInt(out, *r.Dimensions) })
	}
	return e.end()
}

// readInputPart reads a content part of an input, which was found to be an object in a list.
func readInputPart(raw []byte) (part llm.Part) {
	_ = part.UnmarshalJSON(raw) // a part without a type is refused like one of an unknown type
	return part
}

func (e *geminiEncoder) predict() []byte {
	r := e.request
	e.put("instances", func(out []byte) []byte {
		for i, input := range r.Input {
			if input.Raw != nil {
				e.refuse("input", "%s embeds texts; input[%d] is a list", e.row.Name, i)
			}
			o := newObject(append(out, "[,"[min(i, 1)]))
			o.text("content", input.Text)
			if r.InputType != "" {
				o.text("task_type", strings.ToUpper(r.InputType))
			}
			out = o.end()
		}
		return append(out, ']')
	})
	if r.Dimensions != nil {
		e.put("parameters", func(out []byte) []byte {
			o := newObject(out)
			o.key("outputDimensionality")
			o.out = appendInt(o.out, *r.Dimensions)
			return o.end()
		})
	}
	return e.end()
}

// readGeminiVectors reads an embedding, a list of them, or Vertex AI's predictions.
func readGeminiVectors(d *wholeDecoder, body []byte) error {
	found := vectors{call: d.call}
	var prompt loose
	var failed error
	add := func(embedding []byte) {
		if values := memberRaw(schemaMembers(embedding), "values"); failed == nil {
			failed = found.add(len(found.list), values)
		}
	}
	llm.Members(body, func(key, value []byte) {
		switch string(key) {
		case "embedding":
			add(value)
		case "embeddings":
			llm.Elements(value, add)
		case "predictions":
			llm.Elements(value, func(prediction []byte) {
				embedding := memberRaw(schemaMembers(prediction), "embeddings")
				add(embedding)
				var count loose
				if count.read(memberRaw(schemaMembers(memberRaw(schemaMembers(embedding), "statistics")), "token_count")); count.set {
					prompt = loose{prompt.number + count.number, true}
				}
			})
		case "usageMetadata":
			prompt.read(memberRaw(schemaMembers(value), "promptTokenCount"))
		}
	})
	if failed != nil {
		return failed
	}
	if prompt.set {
		d.finish.Usage = &llm.Usage{PromptTokens: firstCount(prompt), TotalTokens: firstCount(prompt)}
	}
	return found.deliver(d)
}

// encodeModels builds the request for a page of the list of models: https://ai.google.dev/api/models
func (g gemini) encodeModels(call Call) (*HTTPRequest, []string, *llm.Error) {
	options := newBody(call)
	options.takes()
	if options.failed != nil {
		return nil, nil, options.failed
	}
	query := url.Values{"pageSize": {"1000"}}
	if call.Page != "" {
		query.Set("pageToken", call.Page)
	}
	request, failed := g.request(call, "GET", firstWord(call.Row.ModelsPath, "/models"), query, nil)
	return request, options.warnings, failed
}

func readGeminiModels(d *wholeDecoder, body []byte) error {
	listed := false
	llm.Members(body, func(key, value []byte) {
		switch string(key) {
		case "models":
			listed = true
			llm.Elements(value, func(value []byte) {
				if model := readGeminiModel(value); model.ID != "" {
					d.emit(llm.Event{Kind: llm.EventItem, Data: model})
				}
			})
		case "nextPageToken":
			readText(&d.finish.NextPage, value)
		}
	})
	if !listed && len(schemaMembers(body)) > 0 { // an empty last page is an empty object
		return llm.Errorf(llm.KindParse, "the answer has no list of models; it reads %s", excerpt(body))
	}
	return nil
}

func readGeminiModel(data []byte) *llm.Model {
	model, features := new(llm.Model), featureSet{}
	number := func(value []byte) *int64 {
		var limit loose
		limit.read(value)
		return firstCount(limit)
	}
	llm.Members(data, func(key, value []byte) {
		switch string(key) {
		case "name":
			readText(&model.ID, value)
			model.ID = bareModel(model.ID)
		case "displayName":
			readText(&model.Name, value)
		case "inputTokenLimit":
			model.ContextTokens = number(value)
		case "outputTokenLimit":
			model.OutputTokens = number(value)
		case "thinking":
			features.add("reasoning", string(value) == "true")
		case "supportedGenerationMethods":
			llm.Elements(value, func(value []byte) {
				switch llm.Unquote(value) {
				case "generateContent":
					features.add("chat", true)
				case "embedContent", "embedText":
					features.add("embeddings", true)
				case "predictLongRunning":
					features.add("video_output", true)
				}
			})
		}
	})
	model.Capabilities = features.list()
	return model
}

func readGeminiCount(d *wholeDecoder, body []byte) error {
	var total loose
	if members := schemaMembers(body); len(members) > 0 {
		total.read(memberRaw(members, "totalTokens"))
	}
	count := firstCount(total)
	if count == nil {
		return llm.Errorf(llm.KindParse, "the answer has no totalTokens; it reads %s", excerpt(body))
	}
	d.emit(llm.Event{Kind: llm.EventItem, Data: &llm.TokenCount{InputTokens: *count}})
	return nil
}
