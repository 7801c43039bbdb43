package provider

import (
	"unicode/utf8"

	"pyagent/core/llm"
)

// span is the inside of a string within some bytes.
type span struct{ start, end int }

// findString walks valid JSON to the string at a path. It refuses wherever encoding/json might take another value than
// the one found: a key on the way that occurs twice in its object, in any case or spelt with escapes.
func findString(data []byte, path []string) (span, bool) {
	at := llm.SkipSpace(data, 0)
	for _, step := range path {
		if at >= len(data) {
			return span{}, false
		}
		switch data[at] {
		case '[':
			at = llm.SkipSpace(data, at+1)
			if step != "0" || at >= len(data) || data[at] == ']' {
				return span{}, false
			}
		case '{':
			value, ok := findMember(data, at, step)
			if !ok {
				return span{}, false
			}
			at = value
		default:
			return span{}, false
		}
	}
	if at >= len(data) || data[at] != '"' {
		return span{}, false
	}
	end := llm.SkipString(data, at)
	if end < 0 {
		return span{}, false
	}
	return span{at + 1, end - 1}, true
}

// findNumber finds a whole number among the members of an object.
func findNumber(data []byte, key string) (span, bool) {
	at := llm.SkipSpace(data, 0)
	if at >= len(data) || data[at] != '{' {
		return span{}, false
	}
	at, ok := findMember(data, at, key)
	if !ok {
		return span{}, false
	}
	_, length := leadingNumber(data[at:])
	return span{at, at + length}, length > 0 && llm.SkipValue(data, at) == at+length
}

// findMember returns where the value of a key begins in the object that begins at start.
func findMember(data []byte, start int, key string) (int, bool) {
	found, at := -1, llm.SkipSpace(data, start+1)
	for at < len(data) && data[at] == '"' {
		end := llm.SkipString(data, at)
		if end < 0 {
			return 0, false
		}
		name := data[at+1 : end-1]
		at = llm.SkipSpace(data, end)
		if at >= len(data) || data[at] != ':' {
			return 0, false
		}
		at = llm.SkipSpace(data, at+1)
		exact, similar := compareKey(name, key)
		if similar && (!exact || found >= 0) {
			return 0, false
		}
		if exact {
			found = at
		}
		if at = llm.SkipValue(data, at); at < 0 {
			return 0, false
		}
		at = llm.SkipSpace(data, at)
		if at < len(data) && data[at] == ',' {
			at = llm.SkipSpace(data, at+1)
		}
	}
	return found, found >= 0 && at < len(data) && data[at] == '}'
}

// compareKey tells whether a key is the wanted one, and whether encoding/json might take it for that: it ignores case,
// and an escaped or non-ASCII key could be anything.
func compareKey(name []byte, key string) (exact, similar bool) {
	if string(name) == key {
		return true, true
	}
	same := len(name) == len(key)
	for i, c := range name {
		if c == '\\' || c >= utf8.RuneSelf {
			return false, true
		}
		same = same && lower(c) == lower(key[min(i, len(key)-1)])
	}
	return false, same
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
