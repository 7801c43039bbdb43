package llm

import (
	"fmt"
	"strings"
)

// Kind is the closed list of what can go wrong. Hosts map each kind to one exception class; a test holds both lists equal.
type Kind string

const (
	KindConnection         Kind = "connection"               // no answer: DNS, refused, TLS, reset
	KindTimeout            Kind = "timeout"                  // one of the four clocks ran out
	KindInterrupted        Kind = "stream_interrupted"       // the answer broke off before its terminal signal
	KindBadRequest         Kind = "bad_request"              // 400 and the like
	KindContextWindow      Kind = "context_window_exceeded"  // the prompt is longer than the model takes
	KindContentPolicy      Kind = "content_policy_violation" // refused by the vendor's filter
	KindAuthentication     Kind = "authentication"
	KindPermission         Kind = "permission_denied"
	KindNotFound           Kind = "not_found"
	KindConflict           Kind = "conflict"
	KindUnprocessable      Kind = "unprocessable_entity"
	KindRateLimit          Kind = "rate_limit"
	KindQuota              Kind = "quota_exceeded" // paid up or used up: waiting does not help
	KindInternalServer     Kind = "internal_server"
	KindServiceUnavailable Kind = "service_unavailable" // overloaded or down
	KindParse              Kind = "response_parse"      // a 200 answer that is not what was asked for
	KindConfiguration      Kind = "configuration"       // bad option, before any request
	KindUnsupported        Kind = "unsupported_feature" // the vendor cannot honour an option
	KindCancelled          Kind = "cancelled"
	KindLimit              Kind = "limit_exceeded"  // an event, body or header above Limits
	KindBudget             Kind = "budget_exceeded" // more than the user's own Budget allows, before any request
	KindInternal           Kind = "internal"        // a bug in pyagent
)

// Kinds lists every kind in the order of the constants.
func Kinds() []Kind {
	return []Kind{
		KindConnection, KindTimeout, KindInterrupted, KindBadRequest, KindContextWindow, KindContentPolicy, KindAuthentication,
		KindPermission, KindNotFound, KindConflict, KindUnprocessable, KindRateLimit, KindQuota, KindInternalServer,
		KindServiceUnavailable, KindParse, KindConfiguration, KindUnsupported, KindCancelled, KindLimit, KindBudget, KindInternal,
	}
}

// Error is the one error of the core. It travels to the host as the JSON payload of the terminal ERROR frame.
type Error struct {
	Kind         Kind          `json:"kind"`
	Message      string        `json:"message"`
	Provider     string        `json:"provider,omitempty"`
	Model        string        `json:"model,omitempty"`
	Deployment   string        `json:"deployment,omitempty"`    // which of the client's deployments was asked
	StatusCode   int           `json:"status_code,omitempty"`   // HTTP status; 0 when there was none
	Code         string        `json:"code,omitempty"`          // the vendor's machine-readable word
	Param        string        `json:"param,omitempty"`         // the request field at fault, when known
	Clock        string        `json:"clock,omitempty"`         // for timeouts: connect, first_token, idle or total
	ClockSeconds float64       `json:"clock_seconds,omitempty"` // how long that clock had to run
	RequestID    string        `json:"request_id,omitempty"`
	RetryAfter   *float64      `json:"retry_after,omitempty"` // seconds, as the vendor asked
	Retryable    bool          `json:"is_retryable,omitempty"`
	Attempts     int           `json:"attempts,omitempty"`
	Retries      []PastAttempt `json:"retries,omitempty"`
	Body         string        `json:"body,omitempty"`     // the vendor's raw error body, capped
	Response     *Finish       `json:"response,omitempty"` // what had been learned of the answer when it broke
}

func (e *Error) Error() string { return fmt.Sprintf("%s: %s", e.Kind, e.Message) }

// Errorf makes an error of a kind.
//
//go:noinline
func Errorf(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Message: fmt.Sprintf(format, args...)}
}

// Configuration reports a bad option: it names the field, shows the value and says what to do instead.
//
//go:noinline
func Configuration(field, format string, args ...any) *Error {
	return &Error{Kind: KindConfiguration, Param: field, Message: fmt.Sprintf(format, args...)}
}

// Redact removes a secret from a text that is about to leave the core. Short strings are left alone: replacing them would
// destroy the text and protect nothing.
func Redact(text string, secrets ...string) string {
	for _, secret := range secrets {
		if len(secret) >= 6 {
			text = strings.ReplaceAll(text, secret, "[redacted]")
		}
	}
	return text
}
