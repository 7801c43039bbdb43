package fake

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"strings"
	"time"
	"unicode/utf8"
)

// Script says what the model answers, how fast, and what goes wrong. Every field may be left out; the empty script
// repeats the user's last message word by word. Times are in seconds.
type Script struct {
	Text         *string         `json:"text"`          // the answer, streamed word by word
	Pieces       []string        `json:"pieces"`        // the answer in the deltas that are to be streamed
	Repeat       *int            `json:"repeat"`        // how often pieces are sent; default 1
	Reasoning    string          `json:"reasoning"`     // thoughts before the answer, streamed word by word
	Refusal      string          `json:"refusal"`       // a refusal, streamed word by word
	Tools        []Tool          `json:"tools"`         // tool calls after the answer
	ToolPiece    int             `json:"tool_piece"`    // bytes of arguments in one delta; 0: all of them
	Usage        json.RawMessage `json:"usage"`         // an object, or false for none; default: words counted
	FinishReason string          `json:"finish_reason"` // default "stop", or "tool_calls" if there are any
	Model        string          `json:"model"`         // the model's name in the answer; default: the one asked for
	ID           string          `json:"id"`            // the answer's id

	HeaderDelay  float64 `json:"header_delay"`  // before the response header
	FirstDelay   float64 `json:"first_delay"`   // between the header and the first byte of the body
	Delay        float64 `json:"delay"`         // between two writes
	PerWrite     *int    `json:"per_write"`     // deltas in one write; default 1
	CommentEvery float64 `json:"comment_every"` // while a stream waits: the time between two ": keep-alive" comments
	Trickle      float64 `json:"trickle"`       // between two bytes of the response header

	Status      int               `json:"status"`       // default 200; 300 and more without body answers an error
	Body        json.RawMessage   `json:"body"`         // JSON, sent as it is, or a string, sent as text
	Headers     map[string]string `json:"headers"`      // additional response headers
	ContentType string            `json:"content_type"` // default: what the body is
	Raw         *string           `json:"raw"`          // the response body verbatim
	Splits      []int             `json:"splits"`       // sizes of the writes that raw is cut into; the rest is one more

	After   *int            `json:"after"`   // deltas before the end; default: all
	End     End             `json:"end"`     // how the answer ends
	Error   json.RawMessage `json:"error"`   // for end "error": the error object
	Garbage string          `json:"garbage"` // for end "garbage": the text

	Times *int   `json:"times"` // how many requests with the same key fail, before the first that does not; default 1
	Key   string `json:"key"`
}

// Tool is a tool call of an answer.
type Tool struct {
	ID        string    `json:"id"` // default "call_1", "call_2" and so on
	Name      string    `json:"name"`
	Arguments Arguments `json:"arguments"`
}

// Arguments is the text of a tool call's arguments. In a script it may be written as a string, which need not be valid
// JSON, or as the object itself.
type Arguments string

// End is a way for an answer to end.
type End string

// The ends that a script can ask for. An answer that is not streamed has one JSON body: the ends that stop a stream
// early then stop in the middle of the body.
const (
	EndDone     End = "done"     // finish reason, usage if asked for, [DONE]
	EndNoDone   End = "no_done"  // the same without [DONE]
	EndTruncate End = "truncate" // the body ends properly, but the answer in it has no end
	EndCut      End = "cut"      // the connection is closed inside the body
	EndReset    End = "reset"    // the connection is reset inside the body (over a pipe: closed)
	EndStall    End = "stall"    // nothing more comes; the connection stays open until the client leaves
	EndOpen     End = "open"     // complete with [DONE], but the connection stays open until the client leaves
	EndError    End = "error"    // an error object, in a stream after the deltas
	EndGarbage  End = "garbage"  // the script's garbage, in a stream after the deltas
)

func ends() []End {
	return []End{EndDone, EndNoDone, EndTruncate, EndCut, EndReset, EndStall, EndOpen, EndError, EndGarbage}
}

// maxAnswer bounds the text that a script may ask for, in bytes: a one-shot answer is built in memory.
const maxAnswer = 1 << 30

// ParseScript reads a script from JSON. An unknown field is an error: a misspelt fault would otherwise be a passing
// test.
func ParseScript(data []byte) (*Script, error) {
	script := new(Script)
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(script); err != nil {
		return nil, explain(err)
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, errors.New("the fake script must be one JSON object, but more follows it")
	}
	for _, field := range []*json.RawMessage{&script.Body, &script.Error, &script.Usage} {
		if string(*field) == "null" { // a host language's way to leave a field out
			*field = nil
		}
	}
	return script, script.check()
}

func explain(err error) error {
	if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return fmt.Errorf("the fake script has no field %s; it knows %s", name, strings.Join(fieldNames(), ", "))
	}
	var mismatch *json.UnmarshalTypeError
	if errors.As(err, &mismatch) && mismatch.Field != "" {
		return fmt.Errorf("the fake script's field %s cannot be a JSON %s; give a value of type %s",
			mismatch.Field, mismatch.Value, mismatch.Type)
	}
	if errors.As(err, &mismatch) {
		return fmt.Errorf("the fake script must be a JSON object, got %s", mismatch.Value)
	}
	return fmt.Errorf("the fake script is not valid: %w", err)
}

func fieldNames() []string {
	var names []string
	for field := range reflect.TypeFor[Script]().Fields() {
		names = append(names, field.Tag.Get("json"))
	}
	return names
}

func (s *Script) check() error {
	numbers := []struct {
		name       string
		value      float64
		least, max float64
	}{
		{"repeat", optional(s.Repeat, 1), 0, math.MaxInt32},
		{"tool_piece", float64(s.ToolPiece), 0, math.MaxInt32},
		{"header_delay", s.HeaderDelay, 0, maxWait},
		{"first_delay", s.FirstDelay, 0, maxWait},
		{"delay", s.Delay, 0, maxWait},
		{"comment_every", s.CommentEvery, 0, maxWait},
		{"trickle", s.Trickle, 0, maxWait},
		{"per_write", optional(s.PerWrite, 1), 1, math.MaxInt32},
		{"after", optional(s.After, 0), 0, math.MaxInt32},
		{"times", optional(s.Times, 1), 0, math.MaxInt32},
	}
	for _, n := range numbers {
		if !(n.value >= n.least && n.value <= n.max) {
			return fmt.Errorf("the fake script's %s must be from %g to %g, got %g", n.name, n.least, n.max, n.value)
		}
	}
	if s.Status != 0 && (s.Status < 200 || s.Status > 599) {
		return fmt.Errorf("the fake script's status must be from 200 to 599, got %d", s.Status)
	}
	for _, size := range s.Splits {
		if size < 1 {
			return fmt.Errorf("the fake script's splits must be sizes of 1 byte or more, got %d", size)
		}
	}
	return s.checkTogether()
}

// checkTogether refuses fields that make no sense together, or alone.
func (s *Script) checkTogether() error {
	known := s.End == ""
	for _, end := range ends() {
		known = known || end == s.End
	}
	size := 0
	for _, piece := range s.Pieces {
		size += len(piece)
	}
	switch {
	case !known:
		return fmt.Errorf("the fake script's end must be one of %q, got %q", ends(), s.End)
	case s.Text != nil && s.Pieces != nil:
		return errors.New("the fake script has both text and pieces; give one of them")
	case s.Repeat != nil && s.Pieces == nil:
		return errors.New("the fake script has repeat without pieces; give the pieces that are to be repeated")
	case size > 0 && int(optional(s.Repeat, 1)) > maxAnswer/size:
		return fmt.Errorf("the fake script's pieces times repeat must be at most %d bytes", maxAnswer)
	case s.Times != nil && s.Key == "":
		return errors.New("the fake script has times without key; give a key by which its requests are counted")
	case s.Raw != nil && s.Body != nil:
		return errors.New("the fake script has both raw and body; give one of them")
	case s.Splits != nil && s.Raw == nil:
		return errors.New("the fake script has splits without raw; give the raw text that is to be split")
	}
	if usage := string(s.Usage); usage != "" && usage != "false" && usage[0] != '{' {
		return fmt.Errorf("the fake script's usage must be an object or false, got %s", usage)
	}
	return nil
}

// UnmarshalJSON accepts "{\"a\":1}" as well as {"a":1}.
func (a *Arguments) UnmarshalJSON(data []byte) error {
	if data[0] == '"' {
		return json.Unmarshal(data, (*string)(a))
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, data); err != nil {
		return err
	}
	*a = Arguments(compact.String())
	return nil
}

// object is the arguments for APIs in which they are an object; what is none is left out.
func (a Arguments) object() []byte {
	if !json.Valid([]byte(a)) {
		return []byte("{}")
	}
	return []byte(a)
}

// pieces cuts the arguments into deltas of about size bytes, never inside a character, which JSON could not carry.
func (a Arguments) pieces(size int) []string {
	text := string(a)
	if size == 0 || text == "" {
		return []string{text}
	}
	var pieces []string
	for len(text) > 0 {
		cut := min(size, len(text))
		for cut < len(text) && !utf8.RuneStart(text[cut]) {
			cut++
		}
		pieces, text = append(pieces, text[:cut]), text[cut:]
	}
	return pieces
}

// normal is the script without its failures: what a request gets when the failing ones are over.
func (s *Script) normal() *Script {
	normal := *s
	normal.Status, normal.Body, normal.Raw, normal.Splits, normal.ContentType = 0, nil, nil, nil, ""
	normal.After, normal.End = nil, ""
	normal.HeaderDelay, normal.Trickle = 0, 0
	return &normal
}

// echoes reports whether the script leaves it to the user's message what the answer says.
func (s *Script) echoes() bool {
	return s.Text == nil && s.Pieces == nil && len(s.Tools) == 0 && s.Refusal == ""
}

// maxWait bounds a delay, in seconds.
const maxWait = 86400

func seconds(value float64) time.Duration { return time.Duration(value * float64(time.Second)) }

func optional(value *int, otherwise int) float64 {
	if value == nil {
		return float64(otherwise)
	}
	return float64(*value)
}
