package provider

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"

	"pyagent/core/llm"
)

// Reading by hand what every answer has: encoding/json takes five times as long for it, which is a tenth of a small
// completion. The text has been found valid before, so members and elements only look for its parts. A value of another
// type than the field's is passed over, because servers differ in everything that is not the text.

// members visits the members of an object; anything else has none. A value is a part of data.
func members(data []byte, visit func(key, value []byte)) {
	at := llm.SkipSpace(data, 0)
	if at == len(data) || data[at] != '{' {
		return
	}
	at = llm.SkipSpace(data, at+1)
	for at < len(data) && data[at] == '"' {
		end := llm.SkipString(data, at)
		if end < 0 {
			return
		}
		key := data[at+1 : end-1]
		at = llm.SkipSpace(data, llm.SkipSpace(data, end)+1) // over the colon
		if end = llm.SkipValue(data, at); end < 0 {
			return
		}
		if bytes.IndexByte(key, '\\') >= 0 {
			key, _ = unescape(nil, key)
		}
		visit(key, data[at:end])
		at = nextItem(data, end)
	}
}

// elements visits the elements of a list; anything else has none.
func elements(data []byte, visit func(value []byte)) {
	at := llm.SkipSpace(data, 0)
	if at == len(data) || data[at] != '[' {
		return
	}
	at = llm.SkipSpace(data, at+1)
	for at < len(data) && data[at] != ']' {
		end := llm.SkipValue(data, at)
		if end < 0 {
			return
		}
		visit(data[at:end])
		at = nextItem(data, end)
	}
}

// nextItem goes from the end of a value over the comma to the item behind it.
func nextItem(data []byte, at int) int {
	at = llm.SkipSpace(data, at)
	if at < len(data) && data[at] == ',' {
		at = llm.SkipSpace(data, at+1)
	}
	return at
}

// list reads every element of a list.
func list[T any](value []byte, read func(value []byte) T) []T {
	var made []T
	elements(value, func(value []byte) { made = append(made, read(value)) })
	return made
}

// readText sets a string field.
func readText(into *string, value []byte) {
	if quoted(value) {
		*into = unquote(value)
	}
}

// kept is a value that outlives the text it was read from; null is nothing.
func kept(value []byte) json.RawMessage {
	if absent(value) {
		return nil
	}
	return bytes.Clone(value)
}

// unquote returns a raw JSON string's text, or "" for anything else.
func unquote(raw json.RawMessage) string {
	if !quoted(raw) {
		return ""
	}
	inside := raw[1 : len(raw)-1]
	if bytes.IndexByte(inside, '\\') < 0 && utf8.Valid(inside) {
		return string(inside)
	}
	text, _ := unescape(make([]byte, 0, len(inside)), inside)
	return string(text)
}
