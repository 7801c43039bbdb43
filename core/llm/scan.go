package llm

import (
	"bytes"
	"encoding/json"
)

// eachMember visits the members of a JSON object in order. data has been found valid by whoever read the text around it, so
// that finding the members is only a matter of counting quotes and brackets; a json.Decoder for every message would cost
// more than the rest of a small request. value is a part of data.
func eachMember(data []byte, visit func(key string, value json.RawMessage) error) error {
	at := skipSpace(data, 0)
	if at == len(data) || data[at] != '{' {
		return Configuration("messages", "expected an object, got %s", jsonKind(data))
	}
	at = skipSpace(data, at+1)
	for at < len(data) && data[at] == '"' {
		end := skipString(data, at)
		var key string
		if err := json.Unmarshal(data[at:end], &key); err != nil {
			return err
		}
		at = skipSpace(data, skipSpace(data, end)+1) // over the colon
		end = skipValue(data, at)
		if err := visit(key, data[at:end]); err != nil {
			return err
		}
		at = skipSpace(data, end)
		if at < len(data) && data[at] == ',' {
			at = skipSpace(data, at+1)
		}
	}
	return nil
}

func skipSpace(data []byte, at int) int {
	for at < len(data) && (data[at] == ' ' || data[at] == '\n' || data[at] == '\r' || data[at] == '\t') {
		at++
	}
	return min(at, len(data))
}

// skipString returns the position behind the string that begins at a quote.
func skipString(data []byte, at int) int {
	for at++; at < len(data); at++ {
		next := bytes.IndexAny(data[at:], "\"\\")
		if next < 0 {
			break
		}
		at += next
		if data[at] == '"' {
			return at + 1
		}
		at++ // what is escaped
	}
	return len(data)
}

// skipValue returns the position behind the value that begins at at.
func skipValue(data []byte, at int) int {
	depth := 0
	for at < len(data) {
		switch data[at] {
		case '"':
			at = skipString(data, at)
		case '{', '[':
			depth++
			at++
		case '}', ']':
			if depth == 0 {
				return at // the end of what is around a bare value
			}
			depth--
			at++
		case ',', ' ', '\n', '\r', '\t':
			if depth == 0 {
				return at
			}
			at++
			continue
		default:
			at++
			continue
		}
		if depth == 0 {
			return at
		}
	}
	return at
}
