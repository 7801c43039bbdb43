package fake

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// generateContent answers POST .../models/M:generateContent and ...:streamGenerateContent, in the words of Gemini's API:
// https://ai.google.dev/api/generate-content
func (s *Server) generateContent(out *output, script *Script, asked *question) error {
	asked.readContents()
	answer, err := compose(script, asked, out.record.seen.ID)
	if err != nil {
		return out.refuse(http.StatusBadRequest, err.Error(), "")
	}
	if !asked.Stream {
		parts := append(answer.contents(), answer.calls()...)
		return out.document(script.status(), applicationJSON, answer.generated(parts, true))
	}
	if err := out.begin(eventStream); err != nil {
		return err
	}
	event := func(part string) []byte {
		return fmt.Appendf(nil, "data: %s\n\n", answer.generated([]string{part}, false))
	}
	if err := out.deltas(answer.sequence(thoughtPart, textPart, callPart, event)); err != nil {
		return err
	}
	return out.end(nil, fmt.Sprintf("data: %s\n\n", answer.generated(nil, true)))
}

// readContents takes from path and body what other APIs have elsewhere.
func (q *question) readContents() {
	_, name, _ := strings.Cut(q.path, "/models/")
	q.Model, _, _ = strings.Cut(name, ":")
	for _, content := range q.Contents {
		q.Messages = append(q.Messages, message{Role: content.Role, Content: content.Parts})
	}
}

func thoughtPart(text string) string { return fmt.Sprintf(`{"text":%s,"thought":true}`, marshal(text)) }

func textPart(text string) string { return fmt.Sprintf(`{"text":%s}`, marshal(text)) }

func callPart(tool Tool) string {
	return fmt.Sprintf(`{"functionCall":{"name":%s,"args":%s}}`, marshal(tool.Name), tool.Arguments.object())
}

// contents are the parts of a whole answer that are text.
func (a *answer) contents() []string {
	var parts []string
	if reasoning := strings.Join(a.reasoning, ""); reasoning != "" {
		parts = append(parts, thoughtPart(reasoning))
	}
	if text := strings.Repeat(strings.Join(a.text, ""), a.repeat); text != "" {
		parts = append(parts, textPart(text))
	}
	return parts
}

func (a *answer) calls() []string {
	var parts []string
	for _, tool := range a.tools {
		parts = append(parts, callPart(tool))
	}
	return parts
}

// generated is an answer or a piece of it. The end of an answer, which is its last piece or the whole, says why it ended.
func (a *answer) generated(parts []string, end bool) []byte {
	finish, report := "", ""
	if end {
		finish = fmt.Sprintf(`,"finishReason":%s`, marshal(a.finishWord()))
		report = a.usageMetadata()
	}
	return fmt.Appendf(nil, `{"candidates":[{"content":{"parts":[%s],"role":"model"}%s,"index":0}]%s,"modelVersion":%s,"responseId":%s}`,
		strings.Join(parts, ","), finish, report, marshal(a.model), marshal(a.id))
}

// finishWord is Gemini's word for why the answer ended; calls of tools have none of their own.
func (a *answer) finishWord() string {
	words := map[string]string{"stop": "STOP", "tool_calls": "STOP", "length": "MAX_TOKENS", "content_filter": "SAFETY"}
	return cmp.Or(words[a.finish], a.finish)
}

// usageMetadata is the usage in Gemini's words, in which thoughts are no part of the candidates.
func (a *answer) usageMetadata() string {
	var counted usage
	if json.Unmarshal(a.usage, &counted) != nil {
		return ""
	}
	thoughts := counted.CompletionDetails.Reasoning
	return fmt.Sprintf(`,"usageMetadata":{"promptTokenCount":%d,"candidatesTokenCount":%d,"thoughtsTokenCount":%d,"totalTokenCount":%d}`,
		counted.Prompt, counted.Completion-thoughts, thoughts, counted.Total)
}
