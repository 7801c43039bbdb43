package provider

import (
	"strings"

	"pyagent/core/llm"
)

// thinkSplitter tells reasoning from answer in the content of models that write <think>...</think> before they answer.
// Only a tag at the very beginning counts; the tags may be cut anywhere between chunks.
type thinkSplitter struct {
	state thinkState
	held  string // the beginning of a tag, perhaps
}

type thinkState uint8

const (
	thinkBefore thinkState = iota // nothing but white space so far
	thinkInside
	thinkAfter
)

const openTag, closeTag = "<think>", "</think>"

func (s *thinkSplitter) add(text string, emit func(llm.EventKind, string)) {
	text = s.held + text
	s.held = ""
	if s.state == thinkBefore {
		start := strings.TrimLeft(text, " \t\r\n")
		if strings.HasPrefix(openTag, start) && start != openTag {
			s.held = text // too short to tell
			return
		}
		s.state = thinkAfter
		if rest, ok := strings.CutPrefix(start, openTag); ok {
			s.state, text = thinkInside, rest
		}
	}
	if s.state == thinkInside {
		before, after, found := strings.Cut(text, closeTag)
		if !found {
			keep := tagStart(text)
			s.held = text[len(text)-keep:]
			emit(llm.EventReasoning, text[:len(text)-keep])
			return
		}
		s.state, text = thinkAfter, after
		emit(llm.EventReasoning, before)
	}
	emit(llm.EventText, text)
}

// flush gives out what was held back for a tag that did not come.
func (s *thinkSplitter) flush(emit func(llm.EventKind, string)) {
	kind := llm.EventText
	if s.state == thinkInside {
		kind = llm.EventReasoning
	}
	emit(kind, s.held)
	s.held = ""
}

// tagStart is how many bytes at the end of text may be the beginning of the closing tag.
func tagStart(text string) int {
	for n := min(len(text), len(closeTag)-1); n > 0; n-- {
		if strings.HasSuffix(text, closeTag[:n]) {
			return n
		}
	}
	return 0
}
