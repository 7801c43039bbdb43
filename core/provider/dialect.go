// Package provider translates between the vocabulary of package llm and the JSON of model vendors. Everything here is
// pure: values in, values out, no socket, clock, environment or goroutine. Engine brings bytes and takes events.
package provider

import (
	"time"

	"pyagent/core/llm"
)

// Call is one attempt at one vendor: what to ask, and where.
type Call struct {
	Row          *Row
	Request      *llm.Request
	BaseURL      string
	APIKey       string
	ExtraHeaders map[string]string // of the client and of the request, the latter winning
	Azure        llm.Azure
	Stream       bool
	Now          time.Time  // for keys that are only valid for a while
	Page         string     // of a listing: llm.Finish.NextPage of the page before
	Addresses    *Addresses // of the client; nil for none
}

// HTTPRequest is an encoded call. Header names are in canonical form.
type HTTPRequest struct {
	Method string
	URL    string
	Header map[string]string
	Body   []byte
}

// Framing is how a vendor cuts a stream into events.
type Framing int

const (
	SSE   Framing = iota // server-sent events
	Lines                // one JSON object on each line
)

// Dialect is one vendor protocol.
type Dialect interface {
	// Framing tells how streams are cut.
	Framing() Framing
	// Encode builds the HTTP request for the call's operation. The strings are warnings for the user. An option or an
	// operation that the vendor cannot honour is an error that names it, never dropped.
	Encode(call Call) (*HTTPRequest, []string, *llm.Error)
	// NewDecoder returns a decoder for the answer of one call, whatever its operation.
	NewDecoder(call Call) Decoder
	// DecodeError reads a non-2xx answer. Header names are lower-case.
	DecodeError(call Call, status int, header map[string]string, body []byte) *llm.VendorError
}

// dialects are the protocols by their name in a row.
func dialects() map[string]Dialect {
	return map[string]Dialect{
		"":          openAI{},
		"openai":    openAI{},
		"anthropic": anthropic{},
		"gemini":    gemini{},
		"vertex":    gemini{vertex: true},
		"ollama":    ollama{},
		"puter":     puter{},
		"responses": responses{},
	}
}

// refuseOperation is the error for an operation that a vendor does not have.
func refuseOperation(call Call) *llm.Error {
	err := llm.Errorf(llm.KindUnsupported, "%s has no operation %q", call.Row.Name, call.Request.Op)
	err.Param, err.Provider, err.Model = "op", call.Row.Name, call.Request.Model
	return err
}

// Decoder turns one answer into events. It is used by one goroutine, for one answer, in one of two ways: Event for each
// frame of a stream, or Body once for a one-shot answer; then End.
type Decoder interface {
	// Event translates one frame of the stream. done reports the vendor's terminal signal: what follows is ignored. An
	// error is a *llm.VendorError for the vendor's own report, or a *llm.Error where the frame makes no sense.
	Event(name string, data []byte, emit func(llm.Event)) (done bool, err error)
	// Body translates a whole one-shot answer into the same events.
	Body(body []byte, emit func(llm.Event)) error
	// End is called once after the last frame, or when the stream broke. It emits what must be closed, and returns what
	// is known of the answer; complete reports that it had a proper end.
	End(emit func(llm.Event)) (finish llm.Finish, complete bool)
}
