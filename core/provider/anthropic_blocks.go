package provider

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"

	"pyagent/core/llm"
)

// content is the content of a message as blocks. Blank texts are left out: the vendor refuses them.
func (e *messagesEncoder) content(m *llm.Message) (blocks []json.RawMessage) {
	if m.Parts == nil {
		if !isBlank(m.Text) {
			blocks = append(blocks, textBlock(m.Text))
		}
		return blocks
	}
	foreign := e.call.isForeign(m)
	for _, part := range m.Parts {
		if block := e.block(part, foreign); block != nil {
			blocks = append(blocks, block)
		}
	}
	return blocks
}

func isBlank(text string) bool { return strings.TrimSpace(text) == "" }

func textBlock(text string) json.RawMessage {
	o := newObject(nil)
	o.text("type", "text")
	return o.member("text", llm.AppendString(nil, text))
}

// block translates a content part. One of the vendor's own types goes out as it is; nil is one that does not go out.
func (e *messagesEncoder) block(part llm.Part, foreign bool) json.RawMessage {
	switch part.Type {
	case "text":
		if isBlank(part.Text) {
			return nil
		}
		return part.Raw
	case "refusal":
		text := ""
		llm.Members(part.Raw, func(key, value []byte) {
			if string(key) == "refusal" {
				readText(&text, value)
			}
		})
		if isBlank(text) {
			return nil
		}
		return textBlock(text)
	}
	if thought, signed := isThought(part.Raw); thought {
		if foreign || !signed {
			return nil
		}
		return part.Raw
	}
	m, known, err := readMedia(part)
	switch {
	case err != nil && known && part.Raw != nil:
		e.wrong(err.Param, "%s", err.Message)
		return nil
	case !known:
		if bytes.Contains(part.Raw, []byte(`"file_id"`)) {
			e.needs(filesBeta)
		}
		return part.Raw
	}
	if m.detail != "" && m.detail != "auto" {
		e.warnOnce("%s has no detail of images; %q was left out", e.row.Name, m.detail)
	}
	return e.media(part, &m)
}

func (e *messagesEncoder) needs(beta string) {
	if !slices.Contains(e.betas, beta) {
		e.betas = append(e.betas, beta)
	}
}

// media writes an image or a document, and the keys beside it that mean something to the vendor.
func (e *messagesEncoder) media(part llm.Part, m *media) json.RawMessage {
	kind, source := e.source(part.Type, m)
	if source == nil {
		return nil
	}
	o := newObject(nil)
	o.text("type", kind)
	o.raw("source", source)
	titled := false
	llm.Members(part.Raw, func(key, value []byte) {
		switch name := string(key); name {
		case cacheMark, "citations", "context", "title":
			titled = titled || name == "title"
			o.raw(name, value)
		}
	})
	if m.name != "" && kind == "document" && !titled {
		o.text("title", m.name)
	}
	return o.end()
}

// source is where the bytes of a medium come from, and whether the block is an "image" or a "document".
func (e *messagesEncoder) source(part string, m *media) (kind string, source json.RawMessage) {
	if m.kind == "audio" || m.kind == "video" {
		e.refuse("messages", "%s takes no %s; a content part has the type %q", e.row.Name, m.kind, part)
		return "", nil
	}
	kind = "document"
	if m.kind == "image" {
		kind = "image"
	}
	o := newObject(nil)
	switch {
	case m.fileID != "":
		e.needs(filesBeta)
		o.text("type", "file")
		return kind, o.member("file_id", llm.AppendString(nil, m.fileID))
	case m.url != "":
		if !strings.HasPrefix(m.url, "https://") && !strings.HasPrefix(m.url, "http://") {
			e.refuse("messages", "%s fetches nothing from %q; give an https address, or the bytes as a data URL", e.row.Name, m.url)
		}
		o.text("type", "url")
		return kind, o.member("url", llm.AppendString(nil, m.url))
	}
	return e.bytes(o, m)
}

// bytes is the source of a medium that comes with the request. What it is decides, where nobody said, how it begins.
func (e *messagesEncoder) bytes(o *object, m *media) (kind string, source json.RawMessage) {
	mime := strings.ToLower(m.mime)
	if mime == "" || mime == "application/octet-stream" {
		mime = sniff(m.data)
	}
	switch {
	case mime == "image/jpg":
		mime = "image/jpeg"
		fallthrough
	case mime == "image/jpeg" || mime == "image/png" || mime == "image/gif" || mime == "image/webp":
		kind = "image"
	case mime == "application/pdf":
		kind = "document"
	case strings.HasPrefix(mime, "text/"):
		text, err := base64.StdEncoding.DecodeString(m.data)
		if err != nil || !utf8.Valid(text) {
			e.wrong("messages", "a file of the type %q is not text in base64; check how it was encoded", mime)
		}
		o.text("type", "text")
		o.text("media_type", "text/plain")
		return "document", o.member("data", llm.AppendString(nil, string(text)))
	default:
		e.refuse("messages", "%s takes images (PNG, JPEG, GIF, WebP), PDF and text, not %s", e.row.Name, firstWord(mime, "bytes of an unknown type"))
		return "", nil
	}
	if m.kind == "image" && kind != "image" {
		e.wrong("messages", "a content part of type \"image_url\" has data of the type %q; send it as a \"file\"", mime)
	}
	o.text("type", "base64")
	o.text("media_type", mime)
	return kind, o.member("data", llm.AppendString(nil, m.data))
}

// sniff tells a type by how the bytes begin: https://mimesniff.spec.whatwg.org/#matching-an-image-type-pattern. Text is what
// has no bytes that text cannot have.
func sniff(data string) string {
	head := make([]byte, 48)
	n, _ := base64.StdEncoding.Decode(head, []byte(data[:min(len(data), 64)&^3]))
	head = head[:n]
	for _, known := range []struct{ begins, mime string }{
		{"\x89PNG\r\n\x1a\n", "image/png"}, {"\xff\xd8\xff", "image/jpeg"}, {"GIF87a", "image/gif"}, {"GIF89a", "image/gif"},
		{"%PDF-", "application/pdf"},
	} {
		if bytes.HasPrefix(head, []byte(known.begins)) {
			return known.mime
		}
	}
	if len(head) >= 12 && string(head[:4]) == "RIFF" && string(head[8:12]) == "WEBP" {
		return "image/webp"
	}
	all, err := base64.StdEncoding.DecodeString(data)
	if err == nil && len(all) > 0 && utf8.Valid(all) && bytes.IndexByte(all, 0) < 0 {
		return "text/plain"
	}
	return ""
}
