package llm

import (
	"bytes"
	"unicode/utf8"
)

// Reading by hand what every request and every answer has: encoding/json takes several times as long for it, which is a tenth
// of a small completion. The text has been found valid before, so these functions only look for its parts.

// Members visits the members of an object in order; anything else has none. A value is a part of data.
func Members(data []byte, visit func(key, value []byte)) {
	at := SkipSpace(data, 0)
	if at == len(data) || data[at] != '{' {
		return
	}
	at = SkipSpace(data, at+1)
	for at < len(data) && data[at] == '"' {
		end := SkipString(data, at)
		if end < 0 {
			return
		}
		key := data[at+1 : end-1]
		at = SkipSpace(data, SkipSpace(data, end)+1) // over the colon
		if end = SkipValue(data, at); end < 0 {
			return
		}
		if bytes.IndexByte(key, '\\') >= 0 || !utf8.Valid(key) {
			key, _ = Unescape(nil, key)
		}
		visit(key, data[at:end])
		at = nextItem(data, end)
	}
}

// Elements visits the elements of a list in order; anything else has none.
func Elements(data []byte, visit func(value []byte)) {
	at := SkipSpace(data, 0)
	if at == len(data) || data[at] != '[' {
		return
	}
	at = SkipSpace(data, at+1)
	for at < len(data) && data[at] != ']' {
		end := SkipValue(data, at)
		if end < 0 {
			return
		}
		visit(data[at:end])
		at = nextItem(data, end)
	}
}

// nextItem goes from the end of a value over the comma to the item behind it.
func nextItem(data []byte, at int) int {
	at = SkipSpace(data, at)
	if at < len(data) && data[at] == ',' {
		at = SkipSpace(data, at+1)
	}
	return at
}

// SkipSpace returns where the white space that may begin at at ends.
func SkipSpace(data []byte, at int) int {
	for at < len(data) && (data[at] == ' ' || data[at] == '\t' || data[at] == '\n' || data[at] == '\r') {
		at++
	}
	return at
}

// SkipString returns where the string that begins at the quote ends, behind its closing quote; -1 if it does not end. It looks
// for the next quote and for a backslash before it, which for text of megabytes is much faster than going byte by byte.
func SkipString(data []byte, at int) int {
	quote := at
	for at++; at < len(data); {
		if quote < at {
			next := bytes.IndexByte(data[at:], '"')
			if next < 0 {
				return -1
			}
			quote = at + next
		}
		escape := bytes.IndexByte(data[at:quote], '\\')
		if escape < 0 {
			return quote + 1
		}
		at += escape + 2
	}
	return -1
}

// SkipValue returns where a value of valid JSON ends; -1 if it does not.
func SkipValue(data []byte, at int) int {
	if at >= len(data) {
		return -1
	}
	switch data[at] {
	case '"':
		return SkipString(data, at)
	case '{', '[':
		return skipNested(data, at)
	}
	for at < len(data) {
		switch data[at] {
		case ',', '}', ']', ' ', '\t', '\n', '\r':
			return at
		}
		at++
	}
	return at
}

func skipNested(data []byte, at int) int {
	depth := 0
	for at < len(data) {
		switch data[at] {
		case '"':
			if at = SkipString(data, at); at < 0 {
				return -1
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			depth--
			if depth == 0 {
				return at + 1
			}
		}
		at++
	}
	return -1
}
