package fake

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
)

const jsonLines = "application/x-ndjson"

// ollama answers POST .../api/chat, in the words of Ollama's own API, whose streams are lines of JSON:
// https://docs.ollama.com/api/chat
func (s *Server) ollama(out *output, script *Script, asked *question) error {
	answer, err := compose(script, asked, out.record.seen.ID)
	if err != nil {
		return out.refuse(http.StatusBadRequest, err.Error(), "")
	}
	if !asked.Stream {
		fields := []string{}
		if reasoning := strings.Join(answer.reasoning, ""); reasoning != "" {
			fields = append(fields, thinkingField(reasoning))
		}
		fields = append(fields, contentField(strings.Repeat(strings.Join(answer.text, ""), answer.repeat)))
		if len(answer.tools) > 0 {
			fields = append(fields, callsField(answer.tools...))
		}
		return out.document(script.status(), applicationJSON, answer.line(strings.Join(fields, ","), answer.done()))
	}
	out.lines = true
	if err := out.begin(jsonLines); err != nil {
		return err
	}
	line := func(field string) []byte { return append(answer.line(field, `"done":false`), '\n') }
	one := func(tool Tool) string { return contentField("") + "," + callsField(tool) }
	if err := out.deltas(answer.sequence(thinkingField, contentField, one, line)); err != nil {
		return err
	}
	return out.end(nil, string(answer.line(contentField(""), answer.done()))+"\n")
}

func thinkingField(text string) string { return fmt.Sprintf(`"thinking":%s`, marshal(text)) }

func contentField(text string) string { return fmt.Sprintf(`"content":%s`, marshal(text)) }

func callsField(tools ...Tool) string {
	var calls []string
	for _, tool := range tools {
		calls = append(calls, fmt.Sprintf(`{"function":{"name":%s,"arguments":%s}}`, marshal(tool.Name), tool.Arguments.object()))
	}
	return fmt.Sprintf(`"tool_calls":[%s]`, strings.Join(calls, ","))
}

// line is an answer or a piece of it, with the fields of its message and with those of its end.
func (a *answer) line(fields, end string) []byte {
	return fmt.Appendf(nil, `{"model":%s,"created_at":%q,"message":{"role":"assistant",%s},%s}`,
		marshal(a.model), time.Unix(a.created, 0).UTC().Format(time.RFC3339), fields, end)
}

// done is what the end of an answer says: why it ended, where calls of tools have no word of their own, and the usage.
func (a *answer) done() string {
	reason := a.finish
	if reason == "tool_calls" {
		reason = "stop"
	}
	end := fmt.Sprintf(`"done":true,"done_reason":%s`, marshal(reason))
	var counted usage
	if json.Unmarshal(a.usage, &counted) == nil {
		end += fmt.Sprintf(`,"prompt_eval_count":%d,"eval_count":%d`, counted.Prompt, counted.Completion)
	}
	return end
}
