package stream

import (
	"encoding/json"
	"strings"
)

// reference decodes a whole stream the slow way: it follows the grammar of the specification with strings, one step at
// a time. What it returns is what SSE must return for every split of the same bytes.
func reference(stream string, limit int) (events []Event, tooLarge bool) {
	stream = strings.TrimPrefix(stream, "\xEF\xBB\xBF")
	lines, rest := referenceLines(stream)
	var data []string
	var name, id string
	bare := false
	isBare := func(line string) bool { return line != "" && line[0] != ':' && (bare || data == nil && line[0] == '{') }
	field := func(line string) {
		key, value, found := strings.Cut(line, ":")
		if found {
			value = strings.TrimPrefix(value, " ")
		}
		if isBare(line) {
			bare, key, value = true, "data", line
		}
		switch {
		case key == "data":
			data = append(data, value)
			tooLarge = tooLarge || len(strings.Join(data, "\n")) > limit
		case key != "":
			tooLarge = tooLarge || len(strings.Join(data, "\n"))+len(line) > limit+lineSlack
		}
		switch {
		case key == "event":
			name = value
		case key == "id" && !strings.Contains(value, "\x00"):
			id = value
		}
	}
	dispatch := func() {
		if data != nil {
			events = append(events, Event{name, []byte(strings.Join(data, "\n")), id})
		}
		data, name, bare = nil, "", false
	}
	for _, line := range lines {
		if line == "" {
			dispatch()
		} else if field(line); tooLarge {
			return events, true
		}
	}
	if key, _, _ := strings.Cut(rest, ":"); key == "data" || isBare(rest) {
		field(rest)
	} else if key != "" && len(strings.Join(data, "\n"))+len(rest) > limit+lineSlack {
		tooLarge = true
	}
	if tooLarge {
		return events, true
	}
	whole := strings.Join(data, "\n")
	if json.Valid([]byte(whole)) || strings.TrimSpace(whole) == "[DONE]" {
		dispatch()
	}
	return events, false
}

// referenceLines splits at CRLF, LF and CR. rest is what follows the last line end.
func referenceLines(stream string) (lines []string, rest string) {
	start := 0
	for i := 0; i < len(stream); i++ {
		if c := stream[i]; c == '\n' || c == '\r' {
			lines = append(lines, stream[start:i])
			if c == '\r' && i+1 < len(stream) && stream[i+1] == '\n' {
				i++
			}
			start = i + 1
		}
	}
	return lines, stream[start:]
}
