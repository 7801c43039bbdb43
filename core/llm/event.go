package llm

import "encoding/json"

// EventKind numbers what happens in the life of a call. The same numbers are the frame kinds of the C ABI, so they only
// ever grow: a number is never given a second meaning.
type EventKind uint8

// Kinds below 16 carry raw UTF-8 deltas, kinds from 16 carry one JSON object, kinds from 32 carry raw bytes, kinds from 64
// carry one JSON object and are terminal: exactly one of them ends a call.
const (
	EventText      EventKind = 1 // visible answer text; Index is the choice
	EventReasoning EventKind = 2 // reasoning ("thinking") text; Index is the choice
	EventRefusal   EventKind = 3 // refusal text; Index is the choice
	EventToolArgs  EventKind = 4 // a piece of a tool call's JSON arguments; Index is the tool call

	EventStart      EventKind = 16 // *Start: the vendor has begun to answer
	EventToolBegin  EventKind = 17 // *ToolBegin; Index is the tool call
	EventToolEnd    EventKind = 18 // *ToolEnd; Index is the tool call
	EventUsage      EventKind = 19 // *Usage: what is known so far, merged
	EventLogprobs   EventKind = 20 // json.RawMessage: token log-probabilities as the vendor sent them; Index is the choice
	EventAnnotation EventKind = 21 // json.RawMessage: a citation or annotation; Index is the choice
	EventPart       EventKind = 22 // json.RawMessage: an image or audio part; Index is the choice
	EventDetail     EventKind = 23 // json.RawMessage: reasoning details or a signature, to be sent back; Index is the choice
	EventRetry      EventKind = 24 // *Retry: an attempt failed and another follows
	EventRaw        EventKind = 25 // json.RawMessage: the vendor's own JSON, only when the request asked for it
	EventNotice     EventKind = 26 // json.RawMessage: a report of a long-running operation
	EventItem       EventKind = 27 // *Model, *TokenCount, *Login: one result of an operation that is not a chat

	EventVector EventKind = 32 // Text: one embedding, its numbers as little-endian float32; vectors come in the order of the inputs

	EventFinish EventKind = 64 // *Finish: the answer is complete
	EventResult EventKind = 65 // json.RawMessage: the result of an operation that has no stream
	EventError  EventKind = 66 // *Error: the call failed
)

// IsDelta reports whether events of this kind carry raw text pieces that may be merged in a queue.
func (k EventKind) IsDelta() bool { return k < EventStart }

// IsRaw reports whether events of this kind carry bytes as they are, neither text nor JSON.
func (k EventKind) IsRaw() bool { return k >= EventVector && k < EventFinish }

// IsTerminal reports whether an event of this kind ends its call.
func (k EventKind) IsTerminal() bool { return k >= EventFinish }

// IsVisible reports whether the event is part of the answer. The first visible event is the commit point: before it a
// failed attempt may be repeated, after it never.
func (k EventKind) IsVisible() bool {
	switch k {
	case EventStart, EventUsage, EventRetry, EventRaw, EventNotice, EventError:
		return false
	}
	return true
}

// Event is one thing that happened in a call. Text is only valid until the function that received the event returns.
type Event struct {
	Kind  EventKind
	Index uint16
	Text  []byte // for delta kinds: valid UTF-8, never empty; for raw kinds: the bytes
	Data  any    // for JSON kinds: the type named beside the kind
}

// Start is sent once per call, when the vendor's answer has begun.
type Start struct {
	ID        string            `json:"id,omitempty"`
	Model     string            `json:"model,omitempty"`
	Provider  string            `json:"provider,omitempty"`
	RequestID string            `json:"request_id,omitempty"`
	Headers   map[string]string `json:"headers,omitempty"` // lower-case names; secrets left out

	Deployment string `json:"deployment,omitempty"` // that answers, where a client has several
}

// ToolBegin opens a tool call. Custom tools take free text instead of JSON arguments.
type ToolBegin struct {
	ID     string          `json:"id"`
	Name   string          `json:"name"`
	Choice int             `json:"choice,omitempty"`
	Custom bool            `json:"custom,omitempty"`
	Extra  json.RawMessage `json:"extra,omitempty"` // vendor data that must return with the call, such as a signature
}

// ToolEnd closes a tool call: its arguments are complete.
type ToolEnd struct{}

// Retry tells that an attempt failed and that the next one starts after Wait seconds.
type Retry struct {
	Attempt    int     `json:"attempt"`               // the attempt that failed, from 1
	Wait       float64 `json:"wait"`                  // seconds
	KeyChanged bool    `json:"key_changed,omitempty"` // the next attempt uses another one of the client's keys
	Error      *Error  `json:"error"`
}

// PastAttempt is a failed attempt that another one followed, as the end of the call remembers it.
type PastAttempt struct {
	Attempt    int     `json:"attempt"` // from 1
	Wait       float64 `json:"wait"`    // seconds up to the next attempt
	KeyChanged bool    `json:"key_changed,omitempty"`
	Kind       Kind    `json:"kind"`
	Message    string  `json:"message"`
	StatusCode int     `json:"status_code,omitempty"`
	Deployment string  `json:"deployment,omitempty"` // which of the client's deployments was asked
}

// Finish is what is known about a complete answer besides its content.
type Finish struct {
	FinishReason    string            `json:"finish_reason,omitempty"`     // unified word, see FinishReason
	RawFinishReason string            `json:"raw_finish_reason,omitempty"` // the vendor's own word
	Usage           *Usage            `json:"usage,omitempty"`
	CostUSD         *float64          `json:"cost_usd,omitempty"` // US dollars: the vendor's word, or the price of Usage; nil: not known
	Model           string            `json:"model,omitempty"`
	RequestedModel  string            `json:"requested_model,omitempty"` // as the request named it: a message's Source
	ID              string            `json:"id,omitempty"`
	Provider        string            `json:"provider,omitempty"`
	Deployment      string            `json:"deployment,omitempty"` // which of the client's deployments answered
	RequestID       string            `json:"request_id,omitempty"`
	Created         float64           `json:"created,omitempty"` // seconds since 1970 UTC, as the vendor says
	Fingerprint     string            `json:"system_fingerprint,omitempty"`
	ServiceTier     string            `json:"service_tier,omitempty"`
	Headers         map[string]string `json:"headers,omitempty"`
	Warnings        []string          `json:"warnings,omitempty"`
	Attempts        int               `json:"attempts,omitempty"`
	Retries         []PastAttempt     `json:"retries,omitempty"`
	Choices         []Choice          `json:"choices,omitempty"` // only when there is more than one

	NextPage string `json:"-"` // of a listing: what Call.Page must be for the rest
}

// Choice is the end of one of several parallel answers (n > 1).
type Choice struct {
	Index           int    `json:"index"`
	FinishReason    string `json:"finish_reason,omitempty"`
	RawFinishReason string `json:"raw_finish_reason,omitempty"`
}

// The unified finish reasons. A vendor's word that is in no table becomes FinishOther and stays readable as the raw reason.
const (
	FinishStop          = "stop"
	FinishLength        = "length"
	FinishToolCalls     = "tool_calls"
	FinishContentFilter = "content_filter"
	FinishError         = "error"
	FinishOther         = "other"
)
