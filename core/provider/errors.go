package provider

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"pyagent/core/llm"
)

// maxErrorBody bounds how much of an error's body is kept for the user.
const maxErrorBody = 64 << 10

// reported reads errors for every dialect: vendors differ, but no shape means two things.
type reported struct{}

// DecodeError reads a non-2xx answer, whatever shape it has.
func (reported) DecodeError(call Call, status int, header map[string]string, body []byte) *llm.VendorError {
	found := vendorError(call, status, body)
	found.RequestID = firstWord(RequestID(header), found.RequestID)
	if said := retryAfter(status, header); said != nil {
		found.RetryAfter = said
	}
	found.ShouldRetry = shouldRetry(header)
	return found
}

func vendorError(call Call, status int, body []byte) *llm.VendorError {
	found := parseError(body)
	made := &llm.VendorError{
		Status: status, Code: found.code, Type: found.kind, Param: found.param, Message: found.message,
		RequestID: found.requestID, RetryAfter: found.retryAfter,
		Body: strings.ToValidUTF8(string(body[:min(len(body), maxErrorBody)]), "\uFFFD"),
	}
	if call.Row != nil {
		made.Provider = call.Row.Name
	}
	if call.Request != nil {
		made.Model = call.Request.Model
	}
	if made.Message == "" {
		made.Message = bodyMessage(status, body)
	}
	return made
}

// bodyMessage stands in where no message was found: a proxy's page, plain text, nothing at all.
func bodyMessage(status int, body []byte) string {
	body = bytes.TrimSpace(body)
	switch {
	case len(body) == 0:
		return fmt.Sprintf("HTTP status %d with an empty body", status)
	case body[0] == '<' || body[0] == '{' || body[0] == '[':
		return fmt.Sprintf("HTTP status %d with a body that names no error: %s", status, excerpt(body))
	}
	return strings.ToValidUTF8(string(body[:min(len(body), 500)]), "\uFFFD")
}

// foundError is what a body says about its error.
type foundError struct {
	code, kind, param, message, requestID string
	retryAfter                            *float64 // seconds
}

// errorObject has the fields of all servers' error objects, of the object itself and of the body around it.
type errorObject struct {
	Error     json.RawMessage `json:"error"`
	Errors    json.RawMessage `json:"errors"`
	Detail    json.RawMessage `json:"detail"`
	Details   json.RawMessage `json:"details"` // Google
	Message   json.RawMessage `json:"message"`
	Msg       json.RawMessage `json:"msg"`
	Code      json.RawMessage `json:"code"`
	ErrorCode json.RawMessage `json:"errorCode"`    // Puter: more telling than code
	Upstream  json.RawMessage `json:"upstreamCode"` // Puter: the code of the vendor behind it
	Type      json.RawMessage `json:"type"`
	Status    json.RawMessage `json:"status"`
	Param     json.RawMessage `json:"param"`
	RequestID json.RawMessage `json:"request_id"` // Anthropic: beside an error inside a stream
	Reason    json.RawMessage `json:"reason"`
	StatusNum json.RawMessage `json:"statusCode"`
	Metadata  struct {
		ErrorType string          `json:"error_type"`
		Reasons   json.RawMessage `json:"reasons"`
		Flagged   json.RawMessage `json:"flagged_input"`
		Patterns  json.RawMessage `json:"patterns"`
	} `json:"metadata"`
	Inner struct {
		Code string `json:"code"`
	} `json:"innererror"`
}

// parseError finds the error in a body. Shapes seen: {"error": {...}}, {"error": "text"}, the same in a list, inside
// another error or beside {"type": "error"}, {"object": "error", "message": ...}, {"message": ...}, {"detail": "text"
// or list}, {"errors": [...]}; message may itself be an object or a list.
func parseError(body []byte) foundError {
	body = bytes.TrimSpace(body)
	if !llm.Valid(body) {
		return foundError{}
	}
	return errorIn(body, 0)
}

func errorIn(raw json.RawMessage, depth int) foundError {
	const deepest = 6
	if absent(raw) || depth > deepest {
		return foundError{}
	}
	switch raw[0] {
	case '"':
		return foundError{message: llm.Unquote(raw)}
	case '[':
		var list []json.RawMessage
		if json.Unmarshal(raw, &list) != nil || len(list) == 0 {
			return foundError{}
		}
		return errorIn(list[0], depth+1)
	case '{':
		var object errorObject
		json.Unmarshal(raw, &object) // fields of the wrong type stay empty
		return object.found(depth)
	}
	return foundError{}
}

func (o *errorObject) found(depth int) foundError {
	own := foundError{code: word(o.Code), kind: word(o.Type), param: word(o.Param), requestID: llm.Unquote(o.RequestID)}
	if own.code == "" {
		own.code = word(o.StatusNum)
	}
	if own.kind == "error" {
		own.kind = ""
	}
	for _, other := range []json.RawMessage{o.ErrorCode, o.Upstream, o.Status} { // status: Google's word, or a number
		own.kind = firstWord(own.kind, word(other))
	}
	o.metadata(&own)
	o.googleDetails(&own)
	for _, nested := range []json.RawMessage{o.Error, o.Errors, o.Message, o.Msg, o.Detail, o.Reason} {
		if !hasError(nested) {
			continue
		}
		inner := errorIn(nested, depth+1)
		if inner.message == "" { // an error may be nothing but its code
			own.code, own.kind = firstWord(own.code, inner.code), firstWord(own.kind, inner.kind)
			continue
		}
		own.message = inner.message
		own.code = firstWord(inner.code, own.code)
		own.kind = firstWord(inner.kind, own.kind)
		own.param = firstWord(inner.param, own.param)
		if inner.retryAfter != nil {
			own.retryAfter = inner.retryAfter
		}
		return own
	}
	return own
}

// metadata reads the words that OpenRouter and Azure hide deeper, and that say more than the outer ones.
func (o *errorObject) metadata(own *foundError) {
	switch {
	case o.Metadata.ErrorType != "":
		own.kind = o.Metadata.ErrorType
	case !absent(o.Metadata.Reasons) || !absent(o.Metadata.Flagged) || !absent(o.Metadata.Patterns):
		own.kind = "content_policy_violation"
	case o.Inner.Code != "" && own.kind == "":
		own.kind = o.Inner.Code
	}
}

// googleDetails reads the typed details of Google's errors, which say more than the error itself: a reason, the quota that
// is used up (one of a day before others), and how long to wait.
// https://github.com/googleapis/googleapis/blob/master/google/rpc/error_details.proto
func (o *errorObject) googleDetails(own *foundError) {
	llm.Elements(o.Details, func(detail []byte) {
		members := schemaMembers(detail)
		switch kind := memberText(members, "@type"); kind[strings.LastIndexByte(kind, '.')+1:] {
		case "ErrorInfo":
			own.code = firstWord(memberText(members, "reason"), own.code)
		case "QuotaFailure":
			llm.Elements(memberRaw(members, "violations"), func(violation []byte) {
				quota := memberText(schemaMembers(violation), "quotaId")
				if quota != "" && !strings.Contains(own.code, "PerDay") {
					own.code = quota
				}
			})
		case "RetryInfo":
			if wait, err := time.ParseDuration(memberText(members, "retryDelay")); err == nil && wait >= 0 {
				seconds := wait.Seconds()
				own.retryAfter = &seconds
				if own.code == "" || own.code == "429" {
					own.code = "RetryInfo"
				}
			}
		}
	})
}

// word reads a machine-readable word; numbers as text.
func word(raw json.RawMessage) string {
	if absent(raw) {
		return ""
	}
	if c := raw[0]; c >= '0' && c <= '9' || c == '-' {
		return string(raw)
	}
	return llm.Unquote(raw)
}

//go:noinline
func firstWord(first, second string) string {
	if first != "" {
		return first
	}
	return second
}

// hasError tells whether a value reports an error: servers also send null, false, "" and {} for none.
func hasError(raw json.RawMessage) bool {
	switch string(raw) {
	case "", "null", "false", `""`, "{}", "[]":
		return false
	}
	return true
}
