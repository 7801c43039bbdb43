package provider

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pyagent/core/llm"
)

// What an answer leaves goes back as it came, in its order; with another vendor or model only what everybody understands does.
func TestMessagesRoundTrip(t *testing.T) {
	for name, blocks := range layouts() {
		t.Run(name, func(t *testing.T) {
			_, got := answersOf(t, "end_turn", blocks...)
			want := slices.Clone(blocks)
			want = slices.DeleteFunc(want, func(block string) bool { return strings.Contains(block, `"\n\n"`) })
			sent := resent(t, got, "m")
			if len(want) == 0 {
				if sent != nil {
					t.Errorf("got %s", sent)
				}
				return
			}
			wanted := "[" + strings.Join(want, ",") + "]"
			if !sameJSON(sent, []byte(wanted)) {
				t.Errorf("sent %s\nwant %s", sent, wanted)
			}
			foreign := string(resent(t, got, "another"))
			for _, word := range []string{"thinking", "signature", "server_tool_use", "web_search", "compaction", "caller", "hologram", "citations"} {
				if strings.Contains(foreign, word) {
					t.Errorf("another model gets %s", foreign)
				}
			}
			for _, word := range []string{"Hi there.", `"toolu_1"`, `"toolu_2"`} {
				if strings.Contains(wanted, word) != strings.Contains(foreign, word) {
					t.Errorf("another model gets %s", foreign)
				}
			}
		})
	}
}

// resent is the content that the answer becomes when the conversation goes on with a model.
func resent(t *testing.T, got *collected, model string) json.RawMessage {
	t.Helper()
	message := map[string]any{"role": "assistant", "content": got.text[0], "source": map[string]any{"provider": "anthropic", "model": "m"}}
	var calls []any
	messages := []any{map[string]any{"role": "user", "content": "x"}, message}
	for _, call := range got.calls {
		calls = append(calls, map[string]any{"id": call.ID, "type": "function", "function": map[string]any{"name": call.Name, "arguments": call.arguments}})
		messages = append(messages, map[string]any{"role": "tool", "tool_call_id": call.ID, "content": "1"})
	}
	if calls != nil {
		message["tool_calls"] = calls
	}
	var details []json.RawMessage
	for _, item := range got.details {
		details = append(details, json.RawMessage(item))
	}
	message["reasoning_details"] = details
	messages = append(messages, map[string]any{"role": "user", "content": "y"})
	request, _ := json.Marshal(map[string]any{"op": "generate", "model": model, "messages": messages})
	encoded, _, err := encoded(t, "anthropic", string(request))
	if err != nil {
		t.Fatal(err)
	}
	var sent struct {
		Messages []struct {
			Role    string
			Content json.RawMessage
		}
	}
	if err := json.Unmarshal(encoded.Body, &sent); err != nil {
		t.Fatal(err)
	}
	for _, message := range sent.Messages {
		if message.Role == "assistant" {
			return message.Content
		}
	}
	return nil
}

func sameJSON(a, b []byte) bool {
	var left, right any
	return json.Unmarshal(a, &left) == nil && json.Unmarshal(b, &right) == nil && fmt.Sprint(left) == fmt.Sprint(right)
}

// A text that was edited has lost its cuts, and goes out whole, where its first piece was.
func TestMessagesEditedText(t *testing.T) {
	_, got := answersOf(t, "end_turn", aThought, aText, searchBlock, searchResult, aCitedText)
	got.text[0] = "Edited."
	want := "[" + strings.Join([]string{aThought, `{"type":"text","text":"Edited."}`, searchBlock, searchResult}, ",") + "]"
	if sent := resent(t, got, "m"); !sameJSON(sent, []byte(want)) {
		t.Errorf("sent %s", sent)
	}
}

// Thoughts that a user brings along need no place; those without a signature, and those of other forms, stay here.
func TestMessagesThoughtsOfTheUser(t *testing.T) {
	request, _, err := encoded(t, "anthropic", `{"op":"generate","model":"m","messages":[{"role":"user","content":"x"},{"role":"assistant",`+
		`"content":"y","reasoning_details":[`+aThought+`,{"type":"thinking","thinking":"unsigned"},{"type":"reasoning.text","text":"z","index":0},`+
		`{"type":"reasoning","id":"rs_1","index":1}],"thinking_blocks":[`+aHidden+`]},{"role":"user","content":[{"type":"text","text":"z"}]},`+
		`{"role":"assistant","content":[{"type":"thinking","thinking":"no"},`+aThought+`,{"type":"text","text":"end"}]}]}`)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"model":"m","max_tokens":8192,"messages":[{"role":"user","content":[{"type":"text","text":"x"}]},{"role":"assistant","content":[` + aThought +
		`,` + aHidden + `,{"type":"text","text":"y"}]},{"role":"user","content":[{"type":"text","text":"z"}]},{"role":"assistant","content":[` + aThought +
		`,{"type":"text","text":"end"}]}]}`
	if !sameJSON(request.Body, []byte(want)) {
		t.Errorf("got %s\nwant %s", request.Body, want)
	}
}

func TestMessagesContainer(t *testing.T) {
	call := testCall(t, "anthropic")
	got := streamed(t, call, append(append([]string{msgStart("")}, blocksOf(aText)...),
		msgDelta("tool_use", `,"container":{"id":"container_1","expires_at":"2026-07-01T00:00:08.498202Z"}`), msgStop)...)
	if len(got.details) != 1 {
		t.Fatalf("details %q", got.details)
	}
	for moment, want := range map[string]bool{"2026-06-30T23:59:59Z": true, "2026-07-01T00:01:00Z": false} {
		decoded, failed := llm.DecodeRequest([]byte(`{"op":"generate","model":"m","messages":[{"role":"user","content":"x"},{"role":"assistant","content":"y",` +
			`"reasoning_details":[` + got.details[0] + `]},{"role":"user","content":"z"}],"tools":[{"type":"code_execution_20250825","name":"code_execution"}]}`))
		if failed != nil {
			t.Fatal(failed)
		}
		call.Request = decoded
		if err := call.Now.UnmarshalText([]byte(moment)); err != nil {
			t.Fatal(err)
		}
		request, _, err := call.Row.Protocol().Encode(call)
		if err != nil || bytes.Contains(request.Body, []byte(`"container":"container_1"`)) != want || bytes.Contains(request.Body, []byte("expires_at")) {
			t.Errorf("at %s: %s %v", moment, request.Body, err)
		}
	}
}
