package provider

import (
	"encoding/json"

	"pyagent/core/llm"
)

// geminiPart is one part of a candidate's content.
type geminiPart struct {
	text      []byte // a JSON string; nil for none
	thought   bool
	signature string
	call      []byte // functionCall
	blob      []byte // inlineData or fileData
	name      string // of any other kind of data
	data      []byte
}

func readGeminiPart(data []byte) (p geminiPart) {
	llm.Members(data, func(key, value []byte) {
		switch name := string(key); name {
		case "text":
			if quoted(value) {
				p.text = value
			}
		case "thought":
			p.thought = string(value) == "true"
		case "thoughtSignature":
			readText(&p.signature, value)
		case "functionCall":
			p.call = value
		case "inlineData", "fileData":
			p.blob = value
		case "partMetadata", "videoMetadata", "mediaResolution", "mediaProcessing":
		default:
			p.name, p.data = name, value
		}
	})
	return p
}

// part decodes one part. What must return to Google with the answer, and at the same place of it, becomes a detail.
func (d *geminiDecoder) part(state *candidate, data []byte) error {
	p := readGeminiPart(data)
	switch {
	case p.call != nil:
		return d.functionCall(state, p.call, p.signature)
	case p.blob != nil:
		d.blob(state, &p, data)
	case p.text != nil && p.thought:
		d.text(state, llm.EventReasoning, llm.Unquote(p.text))
		if p.signature != "" {
			d.detail(state, detailPart, state.written, data)
		}
	case p.data != nil: // code that was run, its result, a tool of Google's own: shown, and kept for the next turn
		d.emit(llm.Event{Kind: llm.EventPart, Index: uint16(state.index), Data: wrap(p.name, p.data)})
		d.detail(state, detailPart, state.written, data)
	case p.text != nil:
		start := state.written
		d.text(state, llm.EventText, llm.Unquote(p.text))
		if p.signature != "" {
			o := newObject(nil)
			o.text("thoughtSignature", p.signature)
			d.detail(state, detailText, start, o.end())
		}
	case p.signature != "":
		d.detail(state, detailPart, state.written, data)
	}
	return nil
}

func (d *geminiDecoder) text(state *candidate, kind llm.EventKind, text string) {
	if text == "" {
		return
	}
	if kind == llm.EventText {
		state.written += len(text)
	}
	d.last.kind, d.last.index, d.last.text = kind, uint16(state.index), text
	d.emit(llm.Event{Kind: kind, Index: uint16(state.index), Text: []byte(text)})
}

// The details of an answer, which its message carries back to Google as reasoning_details. A detail is a part as Google
// sent it, with its place: how many bytes of the text, and how many calls, came before it. The part of a text holds only
// what stands beside the text, which goes from start to end.
const (
	detailText = "gemini.text"
	detailPart = "gemini.part"
)

func (d *geminiDecoder) detail(state *candidate, kind string, start int, part []byte) {
	o := newObject(nil)
	o.text("type", kind)
	o.key("start")
	o.out = appendInt(o.out, int64(start))
	if kind == detailText {
		o.key("end")
		o.out = appendInt(o.out, int64(state.written))
	}
	if state.calls > 0 {
		o.key("calls")
		o.out = appendInt(o.out, int64(state.calls))
	}
	o.raw("part", part)
	d.emit(llm.Event{Kind: llm.EventDetail, Index: uint16(state.index), Data: json.RawMessage(o.end())})
}

// blob delivers an image or audio in the shape that other vendors' have. Images return with the answer, so that they can
// be worked on; a sketch among the thoughts does not.
func (d *geminiDecoder) blob(state *candidate, p *geminiPart, data []byte) {
	var mime, content, uri string
	llm.Members(p.blob, func(key, value []byte) {
		switch string(key) {
		case "mimeType":
			readText(&mime, value)
		case "data":
			readText(&content, value)
		case "fileUri":
			readText(&uri, value)
		}
	})
	inner, o := newObject(nil), newObject(nil)
	if len(mime) > 6 && mime[:6] == "audio/" {
		if uri != "" {
			inner.text("url", uri)
		} else {
			inner.text("data", content)
		}
		inner.text("mime_type", mime)
		o.text("type", "audio")
		o.raw("audio", inner.end())
	} else {
		if uri == "" {
			uri = "data:" + mime + ";base64," + content
		}
		inner.text("url", uri)
		o.text("type", "image_url")
		o.raw("image_url", inner.end())
	}
	if p.thought {
		o.raw("thought", []byte("true"))
	}
	d.emit(llm.Event{Kind: llm.EventPart, Index: uint16(state.index), Data: json.RawMessage(o.end())})
	if !p.thought {
		d.detail(state, detailPart, state.written, data)
	}
}

// cite delivers sources in the shape of OpenAI's annotations, and what else Google says of them in its own. Chunks of a
// stream may repeat it.
func (d *geminiDecoder) cite(state *candidate, c *geminiCandidate) {
	llm.Members(c.citations, func(_, value []byte) { // citationSources; at Vertex AI citations
		llm.Elements(value, func(source []byte) { d.citeSource(state, source) })
	})
	for _, name := range []string{"groundingMetadata", "urlContextMetadata"} {
		value := c.grounding[name]
		if value == nil || state.said[name] == string(value) {
			continue
		}
		if state.said == nil {
			state.said = map[string]string{}
		}
		state.said[name] = string(value)
		llm.Members(value, func(key, chunks []byte) {
			if string(key) == "groundingChunks" {
				llm.Elements(chunks, func(chunk []byte) {
					llm.Members(chunk, func(_, source []byte) { d.citeSource(state, source) })
				})
			}
		})
		d.annotate(state, wrap(name, value))
	}
}

// citeSource delivers one source that has an address.
func (d *geminiDecoder) citeSource(state *candidate, source []byte) {
	names := map[string]string{
		"uri": "url", "title": "title", "startIndex": "start_index", "endIndex": "end_index", "license": "license",
	}
	o := newObject(nil)
	llm.Members(source, func(key, value []byte) {
		if name := names[string(key)]; name != "" && !absent(value) {
			o.raw(name, value)
		}
	})
	if memberText(schemaMembers(source), "uri") != "" {
		d.annotate(state, wrap("url_citation", o.end()))
	}
}

func (d *geminiDecoder) annotate(state *candidate, data json.RawMessage) {
	d.emit(llm.Event{Kind: llm.EventAnnotation, Index: uint16(state.index), Data: data})
}
