package fake

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// question is the part of a request that shapes the answer.
type question struct {
	path string

	Model         string          `json:"model"`
	Messages      []message       `json:"messages"`
	Stream        bool            `json:"stream"`
	StreamOptions *streamOptions  `json:"stream_options"`
	N             *int            `json:"n"`
	Fake          json.RawMessage `json:"fake"`

	Contents []struct {
		Role  string          `json:"role"`
		Parts json.RawMessage `json:"parts"`
	} `json:"contents"` // Gemini's messages

	Input      json.RawMessage `json:"input"` // for embeddings
	Dimensions *int            `json:"dimensions"`
	Encoding   string          `json:"encoding_format"` // "float" or "base64"
}

type message struct {
	Role    string          `json:"role"`
	Content json.RawMessage `json:"content"`
}

type streamOptions struct {
	IncludeUsage bool `json:"include_usage"`
}

// maxChoices is what OpenAI allows for n.
const maxChoices = 128

func (q *question) parse(body []byte) error {
	err := json.Unmarshal(body, q)
	q.Stream = q.Stream || strings.HasSuffix(q.path, ":streamGenerateContent")
	var mismatch *json.UnmarshalTypeError
	switch {
	case errors.As(err, &mismatch) && mismatch.Field != "":
		return fmt.Errorf("Invalid type for '%s': got a JSON %s.", mismatch.Field, mismatch.Value)
	case errors.As(err, &mismatch):
		return fmt.Errorf("The body of the request must be a JSON object, got a JSON %s.", mismatch.Value)
	case err != nil:
		return fmt.Errorf("The body of the request is not valid JSON: %w.", err)
	case q.N != nil && (*q.N < 1 || *q.N > maxChoices):
		return fmt.Errorf("Invalid value for 'n': must be from 1 to %d, got %d.", maxChoices, *q.N)
	case q.StreamOptions != nil && !q.Stream:
		return errors.New("The 'stream_options' parameter is only allowed when 'stream' is enabled.")
	}
	return nil
}

func (q *question) includesUsage() bool {
	return q.StreamOptions != nil && q.StreamOptions.IncludeUsage
}

func (q *question) choices() int { return int(optional(q.N, 1)) }

// echo is the text to be repeated: the last message of the user, or the last of all if there is none of the user.
func (q *question) echo() (string, error) {
	if len(q.Messages) == 0 {
		return "", errors.New("Invalid 'messages': empty array. Expected at least one message to repeat.")
	}
	last := q.Messages[len(q.Messages)-1]
	for _, m := range q.Messages {
		if m.Role == "user" {
			last = m
		}
	}
	return last.text(), nil
}

// words counts the prompt.
func (q *question) words() int {
	count := 0
	for _, m := range q.Messages {
		count += len(strings.Fields(m.text()))
	}
	return count
}

// text is what a message says: its content, or the text parts of it one after the other.
func (m message) text() string {
	var text string
	if json.Unmarshal(m.Content, &text) == nil {
		return text
	}
	var parts []json.RawMessage
	json.Unmarshal(m.Content, &parts)
	var all strings.Builder
	for _, raw := range parts {
		var part struct {
			Text string `json:"text"`
		}
		if json.Unmarshal(raw, &part.Text) != nil {
			json.Unmarshal(raw, &part)
		}
		all.WriteString(part.Text)
	}
	return all.String()
}
