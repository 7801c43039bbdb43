// Package provider translates between the vocabulary of package llm and the JSON of model vendors. Everything here is
// pure: values in, values out, no socket, clock, environment or goroutine. Engine brings bytes and takes events.
package provider

import "pyagent/core/llm"

// Call is one attempt at one vendor: what to ask, and where.
type Call struct {
	Row          *Row
	Request      *llm.Request
	BaseURL      string
	APIKey       string
	ExtraHeaders map[string]string // of the client and of the request, the latter winning
	Azure        llm.Azure
	Stream       bool
}

// HTTPRequest is an encoded call. Header names are in canonical form.
type HTTPRequest struct {
	Method string
	URL    string
	Header map[string]string
	Body   []byte
}

// Dialect is one vendor protocol.
type Dialect interface {
	// Encode builds the HTTP request. The strings are warnings for the user. An option that the vendor cannot honour is
	// an error that names it, never dropped.
	Encode(call Call) (*HTTPRequest, []string, *llm.Error)
	// NewDecoder returns a decoder for the answer of one call.
	NewDecoder(call Call) Decoder
	// DecodeError reads a non-2xx answer. Header names are lower-case.
	DecodeError(call Call, status int, header map[string]string, body []byte) *llm.VendorError
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
