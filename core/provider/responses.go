package provider

import (
	"net/url"
	"slices"
	"strings"

	"pyagent/core/llm"
)

// responses is OpenAI's Responses protocol: https://platform.openai.com/docs/api-reference/responses. Embeddings and lists
// of models have the same routes as beside chat completions.
type responses struct{ reported }

func (responses) Framing() Framing { return SSE }

// Encode builds the request of a chat or of a count of tokens, or what the older dialect has for the rest.
func (responses) Encode(call Call) (*HTTPRequest, []string, *llm.Error) {
	row := *call.Row
	row.ChatPath = firstWord(row.ChatPath, "/responses")
	call.Row = &row
	op := call.Request.Op
	if slices.Contains(row.Lacks, op) || !op.IsChat() && op != llm.OpCount {
		return openAI{}.Encode(call)
	}
	header, failed := requestHeader(call)
	if failed != nil {
		return nil, nil, failed
	}
	address, failed := responsesURL(call)
	if failed != nil {
		return nil, nil, failed
	}
	encoder := &responsesEncoder{body: newBody(call)}
	text := encoder.write()
	if encoder.failed != nil {
		return nil, nil, encoder.failed
	}
	return &HTTPRequest{Method: "POST", URL: address, Header: header, Body: text}, encoder.warnings, nil
}

// NewDecoder returns a decoder for the answer to the call's operation.
func (responses) NewDecoder(call Call) Decoder {
	switch {
	case call.Request == nil || call.Request.Op.IsChat():
		return newResponsesDecoder(call)
	case call.Request.Op == llm.OpCount:
		return &wholeDecoder{call: call, read: readInputTokens}
	}
	return openAI{}.NewDecoder(call)
}

// readInputTokens reads a count: https://platform.openai.com/docs/api-reference/responses/input-tokens
func readInputTokens(d *wholeDecoder, body []byte) error {
	var count loose
	llm.Members(body, func(key, value []byte) {
		if string(key) == "input_tokens" {
			count.read(value)
		}
	})
	tokens := firstCount(count)
	if tokens == nil {
		if said := parseError(body); said.message != "" {
			return vendorError(d.call, 200, body)
		}
		return llm.Errorf(llm.KindParse, "the answer has no input_tokens; it reads %s", excerpt(body))
	}
	d.finish.Model = d.call.Request.Model
	d.emit(llm.Event{Kind: llm.EventItem, Data: &llm.TokenCount{InputTokens: *tokens}})
	return nil
}

func responsesURL(call Call) (string, *llm.Error) {
	route := call.Row.ChatPath
	if call.Request.Op == llm.OpCount {
		route += "/input_tokens"
	}
	if call.Row.Deployments {
		var err *llm.Error
		if call, err = azureResponses(call); err != nil {
			return "", err
		}
	}
	return endpoint(call, route, "")
}

// azureResponses gives a call the base of an Azure resource's Responses route, which names the deployment in the body:
// /openai/v1, or /openai with an api-version that is a date, for those who ask for one. The row's own api-version is that of
// the older routes. https://learn.microsoft.com/azure/ai-foundry/openai/api-version-lifecycle
func azureResponses(call Call) (Call, *llm.Error) {
	row := *call.Row
	row.Deployments = false
	call.Row = &row
	base := firstWord(call.BaseURL, row.BaseURL)
	if base == "" {
		return call, nil // endpoint says what is missing
	}
	address, err := parseBase(base)
	if err != nil {
		return call, err
	}
	query := address.Query()
	if call.Azure.APIVersion != "" {
		query.Set("api-version", call.Azure.APIVersion)
		address.RawQuery = query.Encode()
	}
	path := strings.TrimSuffix(strings.TrimRight(address.EscapedPath(), "/"), row.ChatPath)
	path, _, _ = strings.Cut(path, "/openai/deployments/")
	if !strings.HasSuffix(path, "/openai/v1") {
		path = strings.TrimSuffix(path, "/openai") + "/openai"
		if version := query.Get("api-version"); version == "" || version[0] < '0' || version[0] > '9' {
			path += "/v1"
		}
	}
	if address.Path, address.RawPath = path, path; strings.Contains(path, "%") {
		address.Path, _ = url.PathUnescape(path)
	}
	call.BaseURL = address.String()
	return call, nil
}
