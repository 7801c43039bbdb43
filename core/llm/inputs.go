package llm

import (
	"bytes"
	"encoding/json"
)

// Inputs is what is to be embedded: a list that may be written as its only element. An element is a text, a list of token
// ids, or a list of content parts for models that embed images too.
type Inputs []Input

// Input is one element: its text, or what else it is as it was given.
type Input struct {
	Text string
	Raw  json.RawMessage // nil for texts
}

// UnmarshalJSON accepts "a", ["a", "b"], [1, 2], [[1, 2], [3]], and lists of lists of content parts.
func (list *Inputs) UnmarshalJSON(data []byte) error {
	*list = nil
	if jsonKind(data) == "a string" {
		*list = Inputs{{Text: Unquote(data)}}
		return nil
	}
	if kind := jsonKind(data); kind != "a list" {
		return Configuration("input", "input must be a string or a list, got %s", kind)
	}
	numbers := false
	var failed error
	Elements(data, func(value []byte) {
		switch kind := jsonKind(value); kind {
		case "a string":
			*list = append(*list, Input{Text: Unquote(value)})
		case "a list":
			*list = append(*list, Input{Raw: bytes.Clone(value)})
		case "true or false", "null", "an object":
			if failed == nil {
				failed = Configuration("input", "input[%d] must be a string, a list of token ids or a list of content parts, got %s",
					len(*list), kind)
			}
		default:
			numbers = true
			*list = append(*list, Input{})
		}
	})
	if numbers { // the list itself is one input
		*list = Inputs{{Raw: bytes.Clone(data)}}
	}
	return failed
}

func (list Inputs) check() *Error {
	if len(list) == 0 {
		return Configuration("input", "input is empty; give a text or a list of texts")
	}
	for i, input := range list {
		if input.Text == "" && input.Raw == nil {
			return Configuration("input", "input[%d] is an empty text, which has no embedding; leave it out", i)
		}
	}
	return nil
}
