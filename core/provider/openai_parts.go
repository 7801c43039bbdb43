package provider

import (
	"encoding/json"
	"slices"

	"pyagent/core/llm"
)

// Content parts that are not text, in the shape of the vendor where that is known to differ. Parts of other vendors go out as
// they came in: what a compatible server takes, only it knows.

// partShapes are the words for whose shape content parts have.
func partShapes() []string { return []string{"openai", "openrouter", "mistral"} }

// parts are the parts of a message as the vendor takes them.
func (e *chatEncoder) parts(parts []llm.Part) []json.RawMessage {
	list := make([]json.RawMessage, 0, len(parts))
	for _, part := range parts {
		raw := part.Raw
		if e.row.Parts != "" && part.Type != "text" {
			raw = e.part(part)
		}
		list = append(list, e.unmarked(raw))
	}
	return list
}

func (e *chatEncoder) part(part llm.Part) json.RawMessage {
	m, known, err := readMedia(part)
	if !known {
		return part.Raw
	}
	if err != nil {
		e.wrong("messages", "%s", err.Message)
		return part.Raw
	}
	switch {
	case m.kind == "video" && e.row.Parts != "openrouter":
		e.refuse("messages", "%s does not take videos; leave the part of type %q out", e.row.Name, part.Type)
	case m.kind == "file" && m.url != "" && e.row.Parts == "openai":
		e.refuse("messages", "%s fetches no files; give the file itself as file_data, or a file_id", e.row.Name)
	case m.kind == "file" && m.url != "" && e.row.Parts == "openrouter":
		return fileAt(m) // https://openrouter.ai/docs/features/multimodal/pdfs: file_data may be an address
	case e.row.Parts == "mistral":
		return mistralPart(m, part)
	}
	return part.Raw
}

func fileAt(m media) json.RawMessage {
	file := newObject(nil)
	if m.name != "" {
		file.text("filename", m.name)
	}
	file.text("file_data", m.url)
	o := newObject(nil)
	o.text("type", "file")
	o.raw("file", file.end())
	return o.end()
}

// mistralPart is audio as the bare data, a document by its address or as a data URL, and a file by its id:
// https://docs.mistral.ai/api/endpoint/chat
func mistralPart(m media, part llm.Part) json.RawMessage {
	o := newObject(nil)
	switch {
	case m.kind == "audio":
		o.text("type", "input_audio")
		o.text("input_audio", firstWord(m.data, m.url))
	case m.kind == "file" && m.fileID != "":
		o.text("type", "file")
		o.text("file_id", m.fileID)
	case m.kind == "file":
		o.text("type", "document_url")
		if m.url == "" {
			m.url = "data:" + firstWord(m.mime, "application/pdf") + ";base64," + m.data
		}
		o.text("document_url", m.url)
		if m.name != "" {
			o.text("document_name", m.name)
		}
	default:
		return part.Raw
	}
	return o.end()
}

// lifted are the messages for a vendor whose tool results are text and nothing else, or that refuses empty answers.
func (e *chatEncoder) lifted() []llm.Message {
	messages := e.request.Messages
	if e.row.NoEmpty && slices.ContainsFunc(messages, saysNothing) {
		messages = slices.DeleteFunc(slices.Clone(messages), saysNothing)
	}
	if e.row.TextResults && slices.ContainsFunc(messages, hasOtherThanText) {
		return liftMedia(messages)
	}
	return messages
}

// saysNothing tells an answer without content and calls.
func saysNothing(m llm.Message) bool {
	return m.Role == "assistant" && m.Text == "" && len(m.Parts) == 0 && len(m.ToolCalls) == 0 && len(m.Details) == 0
}

func hasOtherThanText(m llm.Message) bool {
	return m.Role == "tool" && slices.ContainsFunc(m.Parts, func(part llm.Part) bool { return part.Type != "text" })
}

// tool is a tool's declaration. Mistral demands parameters of a function that has none.
func (e *chatEncoder) tool(tool llm.Tool) json.RawMessage {
	if f, ok, _ := readTool(tool, 0); !ok || !e.row.ToolParameters || f.parameters != nil {
		return tool.Raw
	}
	o := newObject(nil)
	llm.Members(tool.Raw, func(key, value []byte) {
		if string(key) != "function" {
			o.raw(string(key), kept(value))
			return
		}
		function := newObject(nil)
		llm.Members(value, func(key, value []byte) { function.raw(string(key), kept(value)) })
		function.raw("parameters", []byte(`{"type":"object","properties":{}}`))
		o.raw("function", function.end())
	})
	return o.end()
}
