package provider

import (
	"bytes"
	"encoding/base64"
	"path"
	"strings"

	"pyagent/core/llm"
)

// mediaPart writes an image, audio, video or file. Google must be told what it is, so where nobody says, the first bytes or
// the name do.
func (e *geminiEncoder) mediaPart(part llm.Part) []byte {
	m, ok, failed := readMedia(part)
	switch {
	case !ok:
		e.refuse("messages", "%s does not take content parts of type %q", e.row.Name, part.Type)
		return nil
	case failed != nil:
		e.wrong(failed.Param, "%s", failed.Message)
		return nil
	}
	o := newObject(nil)
	if m.data != "" {
		inline := newObject(nil)
		inline.text("mimeType", e.mimeOf(m))
		inline.text("data", m.data)
		o.raw("inlineData", inline.end())
	} else {
		file := newObject(nil)
		uri := m.url
		if uri == "" {
			uri = e.fileURI(m.fileID)
		}
		if mime := firstWord(m.mime, mimeByName(firstWord(m.name, uri))); mime != "" {
			file.text("mimeType", mime)
		}
		file.text("fileUri", uri)
		o.raw("fileData", file.end())
	}
	e.resolution(o, m.detail)
	return o.end()
}

// fileURI is the address of a file that Google keeps; its files are named files/x. Vertex AI keeps none but in buckets.
func (e *geminiEncoder) fileURI(id string) string {
	if strings.Contains(id, "://") {
		return id
	}
	if e.vertex {
		e.refuse("messages", "%s keeps no files; give the file itself, or an address such as \"gs://bucket/name\" in place of %q",
			e.row.Name, id)
	}
	base := strings.TrimRight(firstWord(e.call.BaseURL, e.row.BaseURL), "/")
	return base + "/files/" + strings.TrimPrefix(id, "files/")
}

// resolution says how closely to look at an image, which only later models are told for each one.
func (e *geminiEncoder) resolution(o *object, detail string) {
	if detail == "" || detail == "auto" {
		return
	}
	level := map[string]string{"low": "LOW", "medium": "MEDIUM", "high": "HIGH", "original": "ULTRA_HIGH"}[detail]
	if level == "" || e.generation < 3 {
		e.warn("%s does not take the detail %q of an image for %s", e.row.Name, detail, e.request.Model)
		return
	}
	resolution := newObject(nil)
	resolution.text("level", "MEDIA_RESOLUTION_"+level)
	o.raw("mediaResolution", resolution.end())
}

func (e *geminiEncoder) mimeOf(m media) string {
	mime := m.mime
	if mime == "" || mime == "application/octet-stream" || mime == "audio/" {
		mime = firstWord(mimeByBytes(m.data), mimeByName(m.name))
	}
	if mime == "" {
		e.wrong("messages", "what kind of %s this is cannot be told from its first bytes; "+
			"give it as a data URL, such as \"data:image/png;base64,...\"", m.kind)
	}
	return mime
}

// mimeByBytes recognises the formats that Google takes by how they begin.
func mimeByBytes(data string) string {
	const enough = 64 // letters of base64, which are 48 bytes
	head := strings.NewReplacer("-", "+", "_", "/", "=", "", "\n", "", "\r", "").Replace(data[:min(len(data), enough)])
	first, _ := base64.RawStdEncoding.DecodeString(head) // what comes before an error is enough
	for _, format := range []struct {
		begins string
		at     int    // where the second mark is
		has    string // the second mark
		mime   string
	}{
		{"\x89PNG\r\n\x1a\n", 0, "", "image/png"}, {"\xff\xd8\xff", 0, "", "image/jpeg"}, {"GIF8", 0, "", "image/gif"},
		{"RIFF", 8, "WEBP", "image/webp"}, {"", 4, "ftypheic", "image/heic"}, {"", 4, "ftypmif1", "image/heif"},
		{"%PDF-", 0, "", "application/pdf"}, {"RIFF", 8, "WAVE", "audio/wav"}, {"ID3", 0, "", "audio/mpeg"},
		{"\xff\xfb", 0, "", "audio/mpeg"}, {"\xff\xf3", 0, "", "audio/mpeg"}, {"\xff\xf1", 0, "", "audio/aac"},
		{"OggS", 0, "", "audio/ogg"}, {"fLaC", 0, "", "audio/flac"}, {"", 4, "ftypM4A", "audio/mp4"},
		{"", 4, "ftypqt", "video/quicktime"}, {"", 4, "ftyp", "video/mp4"}, {"\x1a\x45\xdf\xa3", 0, "", "video/webm"},
		{"RIFF", 8, "AVI ", "video/avi"},
	} {
		if bytes.HasPrefix(first, []byte(format.begins)) && len(first) >= format.at &&
			bytes.HasPrefix(first[format.at:], []byte(format.has)) {
			return format.mime
		}
	}
	return ""
}

// mimeByName goes by the ending of a file's name or address.
func mimeByName(name string) string {
	name, _, _ = strings.Cut(name, "?")
	name, _, _ = strings.Cut(name, "#")
	return map[string]string{
		".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".webp": "image/webp", ".gif": "image/gif",
		".heic": "image/heic", ".heif": "image/heif", ".pdf": "application/pdf", ".txt": "text/plain", ".md": "text/markdown",
		".csv": "text/csv", ".html": "text/html", ".json": "application/json", ".wav": "audio/wav", ".mp3": "audio/mpeg",
		".aac": "audio/aac", ".ogg": "audio/ogg", ".flac": "audio/flac", ".m4a": "audio/mp4", ".mp4": "video/mp4",
		".mov": "video/quicktime", ".webm": "video/webm", ".avi": "video/avi", ".mpeg": "video/mpeg",
	}[strings.ToLower(path.Ext(name))]
}
