package provider

import (
	"net/url"
	"strconv"
	"strings"

	"pyagent/core/llm"
)

// gemini is Google's own protocol, of the Gemini API (https://ai.google.dev/api) and, with other addresses and a bearer
// token, of Vertex AI (https://docs.cloud.google.com/vertex-ai/generative-ai/docs/model-reference/inference).
type gemini struct {
	reported
	vertex bool
}

func (gemini) Framing() Framing { return SSE }

// Encode builds the request of any operation.
func (g gemini) Encode(call Call) (*HTTPRequest, []string, *llm.Error) {
	switch call.Request.Op {
	case llm.OpGenerate, llm.OpStream, llm.OpCount:
		return g.encodeChat(call)
	case llm.OpEmbed:
		return g.encodeEmbed(call)
	case llm.OpModels:
		if g.vertex { // it lists the models of all publishers, elsewhere and without what they can do
			return nil, nil, refuseOperation(call)
		}
		return g.encodeModels(call)
	}
	return nil, nil, refuseOperation(call)
}

// NewDecoder returns a decoder for one answer.
func (g gemini) NewDecoder(call Call) Decoder {
	if call.Request == nil {
		return newGeminiDecoder(call)
	}
	switch call.Request.Op {
	case llm.OpEmbed:
		return &wholeDecoder{call: call, read: readGeminiVectors}
	case llm.OpModels:
		return &wholeDecoder{call: call, read: readGeminiModels}
	case llm.OpCount:
		return &wholeDecoder{call: call, read: readGeminiCount}
	}
	return newGeminiDecoder(call)
}

// request puts a body and its address together. A base URL of the compatible route is as good as one of this protocol.
func (g gemini) request(call Call, method, route string, query url.Values, body []byte) (*HTTPRequest, *llm.Error) {
	call.BaseURL = strings.TrimSuffix(strings.TrimRight(firstWord(call.BaseURL, call.Row.BaseURL), "/"), "/openai")
	request, failed := httpRequest(call, method, route, body)
	if failed != nil || len(query) == 0 {
		return request, failed
	}
	base, own, found := strings.Cut(request.URL, "?")
	request.URL = base + "?" + query.Encode()
	if found {
		request.URL += "&" + own
	}
	return request, nil
}

// route is the path of a model's method. Models are named bare or, as in Google's lists, by their whole path: models/x,
// tunedModels/x; at Vertex AI also publishers/x/models/y and endpoints/x.
func (g gemini) route(model, method string) string {
	var path strings.Builder
	for _, step := range strings.Split(g.resource(model), "/") {
		path.WriteString("/" + url.PathEscape(step))
	}
	return path.String() + ":" + method
}

// resource is the model's path.
func (g gemini) resource(model string) string {
	first, _, several := strings.Cut(model, "/")
	switch {
	case several && (first == "tunedModels" || g.vertex && (first == "publishers" || first == "endpoints")):
		return model
	case g.vertex:
		return "publishers/google/models/" + bareModel(model)
	}
	return "models/" + bareModel(model)
}

func bareModel(model string) string { return strings.TrimPrefix(model, "models/") }

// geminiGeneration is the first number in a Gemini model's name: 2 for gemini-2.5-flash. A name without a number, such as
// gemini-flash-latest, stands for the newest. It is 0 for models of other families.
func geminiGeneration(model string) int {
	const newest = 3
	name := model[strings.LastIndexByte(model, '/')+1:]
	rest, ok := strings.CutPrefix(name, "gemini-")
	if !ok {
		return 0
	}
	start := strings.IndexAny(rest, "0123456789")
	if start < 0 {
		return newest
	}
	number, _, _ := strings.Cut(rest[start:], ".")
	number, _, _ = strings.Cut(number, "-")
	generation, _ := strconv.Atoi(number)
	return generation
}
