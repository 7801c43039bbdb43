package llm

import "encoding/json"

// eachMember visits the members of a JSON object in order. data has been found valid by whoever read the text around it, so
// that finding the members is only a matter of counting quotes and brackets; a json.Decoder for every message would cost
// more than the rest of a small request. value is a part of data.
func eachMember(data []byte, visit func(key string, value json.RawMessage) error) error {
	at := SkipSpace(data, 0)
	if at == len(data) || data[at] != '{' {
		return Configuration("messages", "expected an object, got %s", jsonKind(data))
	}
	at = SkipSpace(data, at+1)
	for at < len(data) && data[at] == '"' {
		end := SkipString(data, at)
		if end < 0 {
			return errBroken()
		}
		var key string
		if err := json.Unmarshal(data[at:end], &key); err != nil {
			return err
		}
		at = SkipSpace(data, SkipSpace(data, end)+1) // over the colon
		if end = SkipValue(data, at); end < 0 {
			return errBroken()
		}
		if err := visit(key, data[at:end]); err != nil {
			return err
		}
		at = SkipSpace(data, end)
		if at < len(data) && data[at] == ',' {
			at = SkipSpace(data, at+1)
		}
	}
	return nil
}

func errBroken() *Error { return Configuration("messages", "a JSON object does not end") }

// SkipSpace returns where the white space that may begin at at ends.
func SkipSpace(data []byte, at int) int {
	for at < len(data) && (data[at] == ' ' || data[at] == '\t' || data[at] == '\n' || data[at] == '\r') {
		at++
	}
	return at
}

// SkipString returns where the string that begins at the quote ends, behind its closing quote; -1 if it does not end.
func SkipString(data []byte, at int) int {
	for i := at + 1; i < len(data); i++ {
		switch data[i] {
		case '"':
			return i + 1
		case '\\':
			i++
		}
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
