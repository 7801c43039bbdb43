package provider

import (
	"bytes"
	"slices"
	"unicode/utf8"

	"pyagent/core/llm"
)

// Parsing JSON for every token is most of what streaming costs, and nearly all of it is repeated: the chunks of a
// stream are the same bytes but for one string, the delta's text, and with some vendors a second one of random padding.
// So when a chunk was decoded by the plain path and had no other effect than one text delta, its bytes become a
// template with holes where these strings are. The next chunk that equals the template outside the holes, and has a
// valid JSON string in each, is the same JSON with another text: it is emitted without parsing. Everything else takes
// the plain path, which alone decides what is an error. A fuzz test holds both paths equal.

// templatePaths says where a dialect's chunks have their holes. A step is the key of an object, or "0" for the first
// element of a list.
type templatePaths struct {
	text  []textPath
	noise []string // top-level keys whose strings, or whole numbers, mean nothing
	// padded says that white space of any length may stand before the last brace: Anthropic hides lengths with it.
	padded bool
}

type textPath struct {
	kind llm.EventKind
	path []string
}

// learned is the one effect of a chunk.
type learned struct {
	kind  llm.EventKind
	index uint16
	text  string
}

const maxHoles = 3

// template is the memory of one stream.
type template struct {
	paths   templatePaths
	ready   bool
	kind    llm.EventKind
	index   uint16
	fixed   [maxHoles + 1][]byte // bytes before, between and after the holes
	holes   int
	text    int            // which hole is the text
	number  [maxHoles]bool // which are numbers
	scratch []byte         // for texts with escapes

	hits   int // of the current template
	misses int // templates in a row that were never hit
	skip   int // chunks to wait before learning again
}

// emit delivers the chunk's text if the chunk fits the template.
func (t *template) emit(data []byte, emit func(llm.Event)) bool {
	if !t.ready {
		return false
	}
	text, ok := t.match(data)
	if !ok {
		return false
	}
	t.hits++
	if len(text) > 0 {
		emit(llm.Event{Kind: t.kind, Index: t.index, Text: text})
	}
	return true
}

// match returns the text of a chunk that fits.
func (t *template) match(data []byte) ([]byte, bool) {
	var text []byte
	for i := range t.holes {
		fixed := t.fixed[i]
		if len(data) <= len(fixed) || !bytes.Equal(data[:len(fixed)], fixed) {
			return nil, false
		}
		data = data[len(fixed):]
		if t.number[i] {
			end := numberEnd(data)
			if end < 0 {
				return nil, false
			}
			data = data[end:]
			continue
		}
		end, plain := stringEnd(data)
		if end < 0 {
			return nil, false
		}
		hole := data[:end]
		if !plain {
			if i != t.text {
				if _, ok := llm.Unescape(t.scratch[len(t.scratch):], hole); !ok { // behind the text, which may be there
					return nil, false
				}
			} else if t.scratch, plain = llm.Unescape(t.scratch[:0], hole); !plain {
				return nil, false
			} else {
				hole = t.scratch
			}
		}
		if i == t.text {
			text = hole
		}
		data = data[end:]
	}
	if t.paths.padded {
		data = unpadded(data)
	}
	return text, bytes.Equal(data, t.fixed[t.holes])
}

// unpadded is the end of an object without its last brace and the white space before that.
func unpadded(data []byte) []byte {
	if len(data) == 0 || data[len(data)-1] != '}' {
		return nil
	}
	end := len(data) - 1
	for end > 0 && (data[end-1] == ' ' || data[end-1] == '\t' || data[end-1] == '\r' || data[end-1] == '\n') {
		end--
	}
	return data[:end]
}

// learn makes a template of a chunk that the plain path found to have the effect what. Streams that never repeat soon
// stop paying for it: each template in a row that was never hit doubles the pause before the next attempt.
func (t *template) learn(data []byte, what learned) {
	if t.skip > 0 {
		t.skip--
		return
	}
	if t.ready && t.hits == 0 {
		t.misses = min(t.misses+1, 8)
		t.skip = 1<<t.misses - 1
	} else {
		t.misses = 0
	}
	t.ready, t.hits = false, 0
	var holes [maxHoles]span
	count := 0
	for _, candidate := range t.paths.text {
		if candidate.kind != what.kind {
			continue
		}
		hole, ok := findString(data, candidate.path)
		if !ok || hole.end == hole.start {
			continue
		}
		text, ok := llm.Unescape(nil, data[hole.start:hole.end])
		if ok && string(text) == what.text {
			holes[count] = hole
			count++
			break
		}
	}
	if count == 0 {
		return
	}
	textHole := holes[0]
	for _, key := range t.paths.noise {
		hole, ok := findString(data, []string{key})
		if !ok {
			hole, ok = findNumber(data, key)
		}
		if ok && count < maxHoles {
			holes[count] = hole
			count++
		}
	}
	slices.SortFunc(holes[:count], func(a, b span) int { return a.start - b.start })
	t.cut(data, holes[:count], textHole, what)
}

// cut stores the bytes around the holes.
func (t *template) cut(data []byte, holes []span, textHole span, what learned) {
	t.kind, t.index, t.holes = what.kind, what.index, len(holes)
	start := 0
	for i, hole := range holes {
		if hole == textHole {
			t.text = i
		}
		t.number[i] = data[hole.start-1] != '"'
		t.fixed[i] = append(t.fixed[i][:0], data[start:hole.start]...)
		start = hole.end
	}
	end := data[start:]
	if t.paths.padded {
		end = unpadded(end)
	}
	t.fixed[len(holes)] = append(t.fixed[len(holes)][:0], end...)
	t.ready = true
}

// stringEnd finds the quote that closes the JSON string whose inside begins at data. plain tells that the inside is the
// text itself: no escapes, nothing but ASCII or valid UTF-8. It is -1 where there is no such quote, or a raw control
// character, which JSON forbids.
func stringEnd(data []byte) (end int, plain bool) {
	ascii := true
	plain = true
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case c == '"':
			return i, plain && (ascii || utf8.Valid(data[:i]))
		case c == '\\':
			plain = false
			i++
		case c < 0x20:
			return -1, false
		case c >= utf8.RuneSelf:
			ascii = false
		}
	}
	return -1, false
}

// numberEnd finds the end of a whole number as JSON writes it; -1 where there is none.
func numberEnd(data []byte) int {
	end := 0
	for end < len(data) && data[end] >= '0' && data[end] <= '9' {
		end++
	}
	if end == 0 || end > 1 && data[0] == '0' {
		return -1
	}
	return end
}
