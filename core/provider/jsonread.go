package provider

import (
	"bytes"
	"encoding/json"

	"pyagent/core/llm"
)

// A value of another type than the field's is passed over: servers differ in everything that is not the text.

// list reads every element of a list.
func list[T any](value []byte, read func(value []byte) T) []T {
	var made []T
	llm.Elements(value, func(value []byte) { made = append(made, read(value)) })
	return made
}

// readText sets a string field.
//
//go:noinline
func readText(into *string, value []byte) {
	if quoted(value) {
		*into = llm.Unquote(value)
	}
}

// kept is a value that outlives the text it was read from; null is nothing.
//
//go:noinline
func kept(value []byte) json.RawMessage {
	if absent(value) {
		return nil
	}
	return bytes.Clone(value)
}
