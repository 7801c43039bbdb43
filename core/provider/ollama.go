package provider

import (
	"strings"

	"pyagent/core/llm"
)

// ollama is the native protocol of Ollama: https://github.com/ollama/ollama/blob/main/docs/api.md
type ollama struct{ reported }

func (ollama) Framing() Framing { return Lines }

// Encode builds a request of the call's operation.
func (ollama) Encode(call Call) (*HTTPRequest, []string, *llm.Error) {
	switch call.Request.Op {
	case llm.OpGenerate, llm.OpStream:
		e := &ollamaEncoder{body: newBody(call)}
		return e.post(firstWord(call.Row.ChatPath, "/api/chat"), e.chat())
	case llm.OpEmbed:
		e := &ollamaEncoder{body: newBody(call)}
		return e.post(firstWord(call.Row.EmbedPath, "/api/embed"), e.embed())
	case llm.OpModels:
		request, err := httpRequest(ollamaCall(call), "GET", firstWord(call.Row.ModelsPath, "/api/tags"), nil)
		return request, nil, err
	}
	return nil, nil, refuseOperation(call)
}

// NewDecoder returns a decoder for the answer to the call's operation.
func (ollama) NewDecoder(call Call) Decoder {
	switch call.Request.Op {
	case llm.OpEmbed:
		return &wholeDecoder{call: call, read: readOllamaVectors}
	case llm.OpModels:
		return &wholeDecoder{call: call, read: readModels}
	}
	return newOllamaDecoder(call)
}

// ollamaEncoder writes one request body.
type ollamaEncoder struct{ body }

func (e *ollamaEncoder) post(path string, text []byte) (*HTTPRequest, []string, *llm.Error) {
	if e.failed != nil {
		return nil, nil, e.failed
	}
	request, err := httpRequest(ollamaCall(e.call), "POST", path, text)
	return request, e.warnings, err
}

// ollamaCall accepts a base URL that was meant for the vendor's compatible route (/v1), and one that names the folder of the
// native routes (/api).
func ollamaCall(call Call) Call {
	base := strings.TrimRight(firstWord(call.BaseURL, call.Row.BaseURL), "/")
	call.BaseURL = strings.TrimSuffix(strings.TrimSuffix(base, "/v1"), "/api")
	return call
}
