package provider

import (
	"encoding/json"
	"slices"
	"strings"

	"pyagent/core/llm"
)

// encodeEmbed builds an embeddings request.
func encodeEmbed(call Call) (*HTTPRequest, []string, *llm.Error) {
	route := firstWord(call.Row.EmbedPath, "/embeddings")
	if call.Row.embedsAlone(call.Request) && call.Row.EmbedPartsPath != "" {
		route = call.Row.EmbedPartsPath
	}
	encoder := newChatEncoder(call)
	return encoder.post(route, encoder.embed())
}

func (e *chatEncoder) embed() []byte {
	e.takes("user")
	e.putText("model", e.model())
	e.put("input", e.input)
	// Numbers of another type than float32 are not what base64 is read as.
	if _, other := e.request.ExtraBody["output_dtype"]; e.row.EmbedFormat != "" && !other {
		e.putText("encoding_format", e.row.EmbedFormat)
	}
	e.integer("dimensions", e.request.Dimensions, false)
	e.text("input_type", e.request.InputType)
	e.text("user", e.request.User)
	return e.end()
}

func (e *chatEncoder) input(out []byte) []byte {
	inputs := e.request.Input
	if e.row.embedsAlone(e.request) {
		if len(inputs) > 1 {
			e.wrong("input", "%s embeds one input a request for the model %q, got %d", e.row.Name, e.request.Model, len(inputs))
		}
		if inputs[0].Raw != nil {
			return append(out, inputs[0].Raw...)
		}
		return appendRaw(out, []json.RawMessage{textPart(inputs[0].Text).Raw})
	}
	for i, input := range inputs {
		out = append(out, "[,"[min(i, 1)])
		switch {
		case input.Raw == nil:
			out = llm.AppendString(out, input.Text)
		case !hasParts(input):
			out = append(out, input.Raw...)
		case e.row.EmbedParts == "content":
			object := newObject(out)
			object.raw("content", input.Raw)
			out = object.end()
		default:
			e.refuse("input", "%s embeds texts and token ids only; input[%d] has content parts", e.row.Name, i)
		}
	}
	return append(out, ']')
}

// hasParts tells a list of content parts from a list of token ids.
func hasParts(input llm.Input) bool {
	parts := false
	llm.Elements(input.Raw, func(value []byte) { parts = parts || value[0] == '{' })
	return parts
}

// embedsAlone tells whether an input has a request to itself: where a vendor makes one vector of all that a request holds.
func (r *Row) embedsAlone(request *llm.Request) bool {
	if r.EmbedParts != "alone" {
		return false
	}
	return slices.ContainsFunc(request.Input, hasParts) ||
		slices.ContainsFunc(r.EmbedPartsModels, func(prefix string) bool { return strings.HasPrefix(request.Model, prefix) })
}

// EmbedLimit is how many inputs one request may embed; 0 means all.
func (r *Row) EmbedLimit(request *llm.Request) int {
	if r.embedsAlone(request) {
		return 1
	}
	return r.EmbedBatch
}

func newEmbedDecoder(call Call) Decoder { return &wholeDecoder{call: call, read: readEmbeddings} }

func readEmbeddings(d *wholeDecoder, body []byte) error {
	found := vectors{call: d.call}
	var data []byte
	llm.Members(body, func(key, value []byte) {
		switch string(key) {
		case "id":
			readText(&d.finish.ID, value)
		case "model":
			readText(&d.finish.Model, value)
		case "data":
			data = value
		case "usage":
			if usage := readUsage(value); usage != nil {
				counted := usage.unified(false)
				d.finish.Usage = &counted
			}
		case "created":
			var created loose
			if created.read(value); created.set {
				d.finish.Created = created.number
			}
		}
	})
	var failed error
	read := func(value []byte) {
		if failed == nil {
			failed = found.read(value)
		}
	}
	if len(data) > 0 && data[0] == '{' { // Ark's only vector
		read(data)
	} else {
		llm.Elements(data, read)
	}
	if failed != nil {
		return failed
	}
	if len(found.list) == 0 {
		if said := parseError(body); said.message != "" {
			return vendorError(d.call, 200, body)
		}
		return llm.Errorf(llm.KindParse, "the answer has no embeddings; it reads %s", excerpt(body))
	}
	return found.deliver(d)
}

// read reads one element of data.
func (v *vectors) read(data []byte) error {
	var index loose
	var embedding []byte
	llm.Members(data, func(key, value []byte) {
		switch string(key) {
		case "index":
			index.read(value)
		case "embedding":
			embedding = value
		}
	})
	if embedding == nil {
		return llm.Errorf(llm.KindParse, "the answer has an element without an embedding: %s", excerpt(data))
	}
	return v.add(index.index(len(v.list)), embedding)
}
