package provider

import (
	"encoding/json"
	"strings"

	"pyagent/core/llm"
)

// mergeJSON lets what the user wrote have the last word on what we wrote: members of objects are merged at every depth,
// anything else takes the place of ours. The same key may be written in camel case and in snake case, as vendors who
// describe their protocol in protocol buffers accept both: https://protobuf.dev/programming-guides/json/
func mergeJSON(ours, theirs json.RawMessage) json.RawMessage {
	if !isObject(ours) || !isObject(theirs) {
		return theirs
	}
	merged, found := newObject(nil), map[string]bool{}
	llm.Members(ours, func(key, value []byte) {
		llm.Members(theirs, func(their, replacement []byte) {
			if string(their) == string(key) || string(their) == snakeCase(string(key)) {
				value = mergeJSON(value, replacement)
				found[string(their)] = true
			}
		})
		merged.raw(string(key), value)
	})
	llm.Members(theirs, func(key, value []byte) {
		if !found[string(key)] {
			merged.raw(string(key), value)
		}
	})
	return merged.end()
}

func isObject(raw json.RawMessage) bool {
	at := llm.SkipSpace(raw, 0)
	return at < len(raw) && raw[at] == '{'
}

// snakeCase writes generationConfig as generation_config.
func snakeCase(name string) string {
	var out strings.Builder
	for _, c := range name {
		if c >= 'A' && c <= 'Z' {
			out.WriteByte('_')
			c += 'a' - 'A'
		}
		out.WriteRune(c)
	}
	return out.String()
}
