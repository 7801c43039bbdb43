package provider

import (
	"encoding/json"
	"strings"

	"pyagent/core/llm"
)

// media is an image, audio, video or file of a content part, in whichever of the usual shapes it was given: OpenAI's
// (image_url, input_audio, file, video_url), or one that a vendor's own encoder passes on as it is.
type media struct {
	kind   string // "image", "audio", "video" or "file"
	mime   string // of data; "" where nobody said
	data   string // base64, without the prefix of a data URL
	url    string // where the vendor can fetch it
	fileID string // of a file that the vendor keeps
	name   string // of the file
	detail string // how closely to look at an image
	format string // of audio, as a word such as "wav"
}

// readMedia understands OpenAI's content parts. ok is false for a type that is none of them.
func readMedia(part llm.Part) (m media, ok bool, err *llm.Error) {
	var shape struct {
		ImageURL   json.RawMessage `json:"image_url"`
		VideoURL   json.RawMessage `json:"video_url"`
		InputAudio struct {
			Data   string `json:"data"`
			Format string `json:"format"`
		} `json:"input_audio"`
		File struct {
			Name string `json:"filename"`
			Data string `json:"file_data"`
			ID   string `json:"file_id"`
			URL  string `json:"file_url"`
		} `json:"file"`
	}
	if failure := json.Unmarshal(part.Raw, &shape); failure != nil {
		return m, true, llm.Configuration("messages", "a content part of type %q cannot be read: %s", part.Type, failure)
	}
	switch part.Type {
	case "image_url", "video_url":
		m.kind = strings.TrimSuffix(part.Type, "_url")
		where := shape.ImageURL
		if m.kind == "video" {
			where = shape.VideoURL
		}
		err = m.setAddress(part.Type, where)
	case "input_audio":
		m.kind, m.format = "audio", strings.ToLower(shape.InputAudio.Format)
		m.mime, m.data = "audio/"+m.format, shape.InputAudio.Data
		if strings.HasPrefix(m.data, "data:") {
			err = m.setURL(part.Type, m.data)
		}
		if m.format == "" && err == nil {
			m.format = strings.TrimPrefix(m.mime, "audio/")
		}
		if m.mime == "audio/mp3" {
			m.mime = "audio/mpeg"
		}
	case "file":
		m.kind, m.name, m.fileID = "file", shape.File.Name, shape.File.ID
		if where := firstWord(shape.File.Data, shape.File.URL); where != "" {
			err = m.setURL(part.Type, where)
		}
	default:
		return m, false, nil
	}
	if err == nil && m.data == "" && m.url == "" && m.fileID == "" {
		err = llm.Configuration("messages", "a content part of type %q has nothing in it; it looks like %s", part.Type, mediaExample(part.Type))
	}
	return m, true, err
}

// setAddress reads an image_url or video_url: an object with url, or the bare string that some servers take.
func (m *media) setAddress(kind string, raw json.RawMessage) *llm.Error {
	if quoted(raw) {
		return m.setURL(kind, llm.Unquote(raw))
	}
	var object struct{ URL, Detail string }
	if absent(raw) || json.Unmarshal(raw, &object) != nil || object.URL == "" {
		return llm.Configuration("messages", "a content part of type %q has no url; it looks like %s", kind, mediaExample(kind))
	}
	m.detail = object.Detail
	return m.setURL(kind, object.URL)
}

// setURL reads an address, or the bytes of a data URL (RFC 2397). What is neither is taken for base64.
func (m *media) setURL(kind, text string) *llm.Error {
	rest, isData := strings.CutPrefix(text, "data:")
	if !isData {
		if before, _, found := strings.Cut(text, "://"); found && len(before) <= 5 {
			m.url = text
		} else {
			m.data = text
		}
		return nil
	}
	head, data, found := strings.Cut(rest, ",")
	mime, encoded := strings.CutSuffix(head, ";base64")
	if !found || !encoded {
		return llm.Configuration("messages",
			"a content part of type %q has a data URL that is not base64; it begins like \"data:image/png;base64,\"", kind)
	}
	mime, _, _ = strings.Cut(mime, ";")
	m.mime, m.data = mime, data
	return nil
}

func mediaExample(kind string) string {
	switch kind {
	case "input_audio":
		return `{"type": "input_audio", "input_audio": {"data": BASE64, "format": "wav"}}`
	case "file":
		return `{"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,..."}}`
	}
	return `{"type": "` + kind + `", "` + kind + `": {"url": "https://..."}}`
}

// dataURL is a medium that comes with the request as a data URL.
func (m *media) dataURL() string { return "data:" + m.mime + ";base64," + m.data }
