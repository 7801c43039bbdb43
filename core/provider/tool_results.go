package provider

import (
	"slices"

	"pyagent/core/llm"
)

// Tool results in a conversation: for vendors that pair them with their calls by name, and for those that take only text.

// liftMedia makes tool results plain text for a vendor that takes nothing else there: their images and files follow in a
// user message behind the last result of the turn.
func liftMedia(messages []llm.Message) []llm.Message {
	if !slices.ContainsFunc(messages, hasMediaResult) {
		return messages
	}
	lifted := make([]llm.Message, 0, len(messages)+1)
	var media []llm.Part
	for i := range messages {
		m := messages[i]
		if m.Role == "tool" && m.Parts != nil {
			text, others := splitParts(m.Parts)
			m.Text, m.Parts = text, nil
			if len(others) > 0 {
				media = append(media, textPart("From the result of the tool "+toolNameOf(messages[:i], &m)+":"))
				media = append(media, others...)
			}
		}
		lifted = append(lifted, m)
		if last := i+1 == len(messages) || messages[i+1].Role != "tool"; last && len(media) > 0 {
			lifted = append(lifted, llm.Message{Role: "user", Parts: media, HasContent: true})
			media = nil
		}
	}
	return lifted
}

func hasMediaResult(m llm.Message) bool { return m.Role == "tool" && m.Parts != nil }

// splitParts joins the text of a list of parts, and returns the parts that are none.
func splitParts(parts []llm.Part) (text string, others []llm.Part) {
	for _, part := range parts {
		if part.Type == "text" {
			text += part.Text
		} else {
			others = append(others, part)
		}
	}
	return text, others
}

func textPart(text string) llm.Part {
	o := newObject(nil)
	o.text("type", "text")
	o.text("text", text)
	return llm.Part{Type: "text", Text: text, Raw: o.end()}
}

// toolNameOf finds the name of the tool whose result a message is: that of the latest call with its id.
func toolNameOf(before []llm.Message, result *llm.Message) string {
	for i := len(before) - 1; i >= 0; i-- {
		for _, call := range before[i].ToolCalls {
			if call.ID == result.ToolCallID {
				return call.Name
			}
		}
	}
	return result.Name
}
