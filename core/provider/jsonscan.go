package provider

import (
	"unicode/utf16"
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

// unescape appends the text of a JSON string's inside to out, exactly as encoding/json reads it: half a surrogate pair
// and bytes that are not UTF-8 become U+FFFD. It refuses what is not the inside of a valid string.
func unescape(out, inside []byte) ([]byte, bool) {
	for i := 0; i < len(inside); {
		c := inside[i]
		switch {
		case c == '"' || c < 0x20:
			return out, false
		case c == '\\':
			var size int
			if out, size = escape(out, inside[i:]); size == 0 {
				return out, false
			}
			i += size
		case c < utf8.RuneSelf:
			out = append(out, c)
			i++
		default:
			r, size := utf8.DecodeRune(inside[i:])
			out = utf8.AppendRune(out, r)
			i += size
		}
	}
	return out, true
}

// escape reads one escape sequence and returns its length, 0 if it is not one.
func escape(out, text []byte) ([]byte, int) {
	if len(text) < 2 {
		return out, 0
	}
	switch text[1] {
	case '"', '\\', '/':
		return append(out, text[1]), 2
	case 'b':
		return append(out, '\b'), 2
	case 'f':
		return append(out, '\f'), 2
	case 'n':
		return append(out, '\n'), 2
	case 'r':
		return append(out, '\r'), 2
	case 't':
		return append(out, '\t'), 2
	case 'u':
		return unicodeEscape(out, text)
	}
	return out, 0
}

func unicodeEscape(out, text []byte) ([]byte, int) {
	r := hexRune(text)
	if r < 0 {
		return out, 0
	}
	if !utf16.IsSurrogate(r) {
		return utf8.AppendRune(out, r), 6
	}
	if pair := utf16.DecodeRune(r, hexRune(text[6:])); pair != utf8.RuneError {
		return utf8.AppendRune(out, pair), 12
	}
	return utf8.AppendRune(out, utf8.RuneError), 6
}

// hexRune reads a \u escape with its four digits, or returns -1.
func hexRune(text []byte) rune {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return -1
	}
	var r rune
	for _, c := range text[2:6] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case lower(c) >= 'a' && lower(c) <= 'f':
			c = lower(c) - 'a' + 10
		default:
			return -1
		}
		r = r<<4 | rune(c)
	}
	return r
}
