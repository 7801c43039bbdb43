package provider

import (
	"bytes"
	"slices"
	"strconv"
	"unicode/utf8"

	"pyagent/core/llm"
)

// Parsing JSON for every token is most of what streaming costs, and nearly all of it is repeated: the chunks of a
// stream are the same bytes but for one string, the delta's text, and with some vendors a second one of random padding,
// or numbers of tokens that grow with every chunk. So when a chunk was decoded by the plain path and had no other effect
// than one text delta, its bytes become a template with holes where these strings and numbers are. The next chunk that
// equals the template outside the holes, and has a valid JSON string or number in each, is the same JSON with another
// text: it is emitted without parsing. Everything else takes the plain path, which alone decides what is an error. A fuzz
// test holds both paths equal.

// templatePaths says where a dialect's chunks have their holes. A step is the key of an object, or "0" for the first
// element of a list.
type templatePaths struct {
	text   []textPath
	noise  []string // top-level keys whose strings, or whole numbers, mean nothing
	counts string   // a top-level object whose whole numbers change from chunk to chunk
	count  []string // the keys in it whose numbers mean something
	padded bool     // white space of any length may stand before the last brace: Anthropic hides lengths with it
}

type textPath struct {
	kind llm.EventKind
	path []string
}

// learned is the one effect of a chunk.
type learned struct {
	kind   llm.EventKind
	index  uint16
	text   string
	counts int // numbers of templatePaths.count that it set
}

const maxHoles = 16

// hitsToNarrow is after how many chunks a number that did not change is taken to stay as it is.
const hitsToNarrow = 4

// hole is a place of a chunk that changes.
type hole struct {
	span
	number bool
	count  int // position of its key in templatePaths.count; -1 for a number that nobody wants to know, and for strings
}

// template is the memory of one stream.
type template struct {
	paths   templatePaths
	ready   bool
	kind    llm.EventKind
	index   uint16
	fixed   [maxHoles + 1][]byte // bytes before, between and after the holes
	holes   []hole
	text    int    // which hole is the text
	scratch []byte // for texts with escapes

	numbers [maxHoles]int64 // of the last chunk that fitted, by its holes
	first   [maxHoles]int64 // of the chunk that was learned from
	changed [maxHoles]bool  // numbers that were seen to be another
	narrow  bool            // numbers that stayed the same are holes no more
	size    int             // of the text of the last chunk that fitted

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
	t.size = len(text)
	if t.hits++; t.hits <= hitsToNarrow && t.paths.counts != "" {
		t.watch()
	}
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
		var end int
		if t.holes[i].number {
			if t.numbers[i], end = leadingNumber(data); end == 0 {
				return nil, false
			}
		} else if end = t.inside(i, data, &text); end < 0 {
			return nil, false
		}
		data = data[end:]
	}
	if t.paths.padded {
		data = unpadded(data)
	}
	return text, bytes.Equal(data, t.fixed[len(t.holes)])
}

// watch notes which numbers change.
func (t *template) watch() {
	for i := range t.holes {
		t.changed[i] = t.changed[i] || t.numbers[i] != t.first[i]
	}
	if t.hits == hitsToNarrow {
		t.close()
	}
}

// close makes fixed bytes of the numbers that were the same in every chunk so far: each hole costs time. One that changes
// all the same is learned again.
func (t *template) close() {
	open, text := 0, 0
	for i, hole := range t.holes {
		if hole.number && !t.changed[i] {
			t.fixed[open] = append(strconv.AppendInt(t.fixed[open], t.numbers[i], 10), t.fixed[i+1]...)
			t.narrow = true
			continue
		}
		if i == t.text {
			text = open
		}
		t.holes[open], t.numbers[open] = hole, t.numbers[i]
		open++
		if open <= i {
			t.fixed[open] = append(t.fixed[open][:0], t.fixed[i+1]...)
		}
	}
	t.holes, t.text = t.holes[:open], text
}

// forget is called for a chunk that was not learned from. It may have changed numbers that the template takes to stay as
// they are.
func (t *template) forget() {
	if t.narrow {
		t.ready = false
	}
}

// inside reads the string of a hole, up to its closing quote.
func (t *template) inside(i int, data []byte, text *[]byte) (end int) {
	end, plain := stringEnd(data)
	if end < 0 {
		return -1
	}
	hole := data[:end]
	if !plain {
		if i != t.text {
			if _, ok := llm.Unescape(t.scratch[len(t.scratch):], hole); !ok { // behind the text, which may be there
				return -1
			}
		} else if t.scratch, plain = llm.Unescape(t.scratch[:0], hole); !plain {
			return -1
		} else {
			hole = t.scratch
		}
	}
	if i == t.text {
		*text = hole
	}
	return end
}

// leadingNumber reads the whole number that data begins with, and returns where it ends; 0 where it is none, or longer than
// numbers of tokens are.
func leadingNumber(data []byte) (number int64, end int) {
	const most = 15 // digits, all of which a float64 has
	for end < len(data) && data[end] >= '0' && data[end] <= '9' {
		number = number*10 + int64(data[end]-'0')
		if end++; end > most {
			return 0, 0
		}
	}
	if end > 1 && data[0] == '0' {
		return 0, 0
	}
	return number, end
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
		t.forget()
		return
	}
	if t.ready && t.hits == 0 {
		t.misses = min(t.misses+1, 8)
		t.skip = 1<<t.misses - 1
	} else {
		t.misses = 0
	}
	t.ready, t.hits, t.holes = false, 0, t.holes[:0]
	textHole, ok := t.findText(data, what)
	if !ok {
		return
	}
	t.holes = append(t.holes, hole{span: textHole, count: -1})
	for _, key := range t.paths.noise {
		if noise, ok := findString(data, []string{key}); ok {
			t.holes = append(t.holes, hole{span: noise, count: -1})
		} else if noise, ok := findNumber(data, key); ok {
			t.holes = append(t.holes, hole{span: noise, number: true, count: -1})
		}
	}
	if counts := t.findCounts(data); counts != what.counts || len(t.holes) > maxHoles {
		return
	}
	slices.SortFunc(t.holes, func(a, b hole) int { return a.start - b.start })
	t.cut(data, textHole, what)
}

func (t *template) findText(data []byte, what learned) (span, bool) {
	for _, candidate := range t.paths.text {
		if candidate.kind != what.kind {
			continue
		}
		found, ok := findString(data, candidate.path)
		if !ok || found.end == found.start {
			continue
		}
		text, ok := llm.Unescape(nil, data[found.start:found.end])
		if ok && string(text) == what.text {
			return found, true
		}
	}
	return span{}, false
}

// findCounts makes holes of the numbers that change, and returns how many of them mean something.
func (t *template) findCounts(data []byte) (known int) {
	if t.paths.counts == "" {
		return 0
	}
	at, ok := findMember(data, llm.SkipSpace(data, 0), t.paths.counts)
	if !ok || data[at] != '{' {
		return 0
	}
	key, depth := "", 0
	for end := llm.SkipValue(data, at); at < end; {
		switch c := data[at]; {
		case c == '"':
			after := llm.SkipString(data, at)
			key, at = string(data[at+1:after-1]), after
			continue
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			depth--
		case c == '-' || c >= '0' && c <= '9':
			after := llm.SkipValue(data, at)
			if _, size := leadingNumber(data[at:after]); size == after-at {
				found := hole{span: span{at, after}, number: true, count: -1}
				if depth == 1 {
					found.count = slices.Index(t.paths.count, key)
				}
				if found.count >= 0 {
					known++
				}
				t.holes = append(t.holes, found)
			}
			at = after
			continue
		}
		at++
	}
	return known
}

// cut stores the bytes around the holes.
func (t *template) cut(data []byte, textHole span, what learned) {
	t.kind, t.index, t.narrow = what.kind, what.index, false
	start := 0
	for i, hole := range t.holes {
		if hole.span == textHole {
			t.text = i
		}
		if t.changed[i] = false; hole.number {
			t.first[i], _ = leadingNumber(data[hole.start:hole.end])
		}
		t.fixed[i] = append(t.fixed[i][:0], data[start:hole.start]...)
		start = hole.end
	}
	end := data[start:]
	if t.paths.padded {
		end = unpadded(end)
	}
	t.fixed[len(t.holes)] = append(t.fixed[len(t.holes)][:0], end...)
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
