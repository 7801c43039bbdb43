package llm

import (
	"bytes"
	"unicode/utf16"
	"unicode/utf8"
)

// Unquote returns the text of a JSON string, or "" for any other value.
func Unquote(value []byte) string {
	if len(value) < 2 || value[0] != '"' {
		return ""
	}
	inside := value[1 : len(value)-1]
	if bytes.IndexByte(inside, '\\') < 0 && utf8.Valid(inside) {
		return string(inside)
	}
	text, _ := Unescape(make([]byte, 0, len(inside)), inside)
	return string(text)
}

// Unescape appends the text of a JSON string's inside to out, exactly as encoding/json reads it: half a surrogate pair
// and bytes that are not UTF-8 become U+FFFD. It refuses what is not the inside of a valid string.
func Unescape(out, inside []byte) ([]byte, bool) {
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
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return -1
		}
		r = r<<4 | rune(c)
	}
	return r
}
