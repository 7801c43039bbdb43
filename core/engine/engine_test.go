package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"pyagent/core/llm"
)

// recorder is a sink that keeps everything, with a host that is never behind.
type recorder struct {
	text, reasoning string
	events          []llm.Event
	terminal        []llm.Event
	onText          func()
}

func (r *recorder) Emit(event llm.Event) {
	switch event.Kind {
	case llm.EventText:
		r.text += string(event.Text)
		if r.onText != nil {
			r.onText()
		}
	case llm.EventReasoning:
		r.reasoning += string(event.Text)
	}
	event.Text = nil
	r.events = append(r.events, event)
}
func (r *recorder) Full() bool                  { return false }
func (r *recorder) Crowded() bool               { return false }
func (r *recorder) Flush(context.Context) error { return nil }
func (r *recorder) End(event llm.Event)         { r.terminal = append(r.terminal, event) }

func (r *recorder) count(kind llm.EventKind) (n int) {
	for _, event := range r.events {
		if event.Kind == kind {
			n++
		}
	}
	return n
}

func (r *recorder) failure() *llm.Error {
	failed, _ := r.terminal[0].Data.(*llm.Error)
	return failed
}

func openEcho(t *testing.T, options string) *Client {
	t.Helper()
	config, err := llm.DecodeConfig([]byte(`{"provider":"echo","retry_backoff":0.001` + options + `}`))
	if err != nil {
		t.Fatal(err)
	}
	client, err := New("pyagent/test").Open(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// ask sends one request with a script to the echo provider and waits for its end.
func ask(t *testing.T, ctx context.Context, client *Client, op llm.Op, script, options string, into *recorder) *recorder {
	t.Helper()
	request, err := llm.DecodeRequest(fmt.Appendf(nil,
		`{"op":%q,"model":"echo","messages":[{"role":"user","content":"one two three"}],"extra_body":{"fake":%s}%s}`, op, script, options))
	if err != nil {
		t.Fatal(err)
	}
	client.Run(ctx, request, into)
	if len(into.terminal) != 1 {
		t.Fatalf("%d terminal events", len(into.terminal))
	}
	return into
}

func TestOutcomes(t *testing.T) {
	cases := []struct {
		name, script string
		options      string
		text         string
		kind         llm.Kind // "" for success
		part         string   // of the error's message
		attempts     int
	}{
		{"a complete stream", `{}`, ``, "one two three", "", "", 1},
		{"a finish reason without [DONE] is an end", `{"end":"no_done"}`, ``, "one two three", "", "", 1},
		{"what is open after [DONE] does not hold anyone", `{"end":"open"}`, ``, "one two three", "", "", 1},
		{"a clean end without terminal signal", `{"after":2,"end":"truncate"}`, ``, "one two", llm.KindInterrupted, "terminal signal", 1},
		{"a connection cut in mid-stream", `{"after":2,"end":"cut"}`, ``, "one two", llm.KindInterrupted, "closed in the middle", 1},
		{"an error in mid-stream", `{"after":2,"end":"error","error":{"message":"the model tripped","type":"server_error"}}`, ``,
			"one two", llm.KindInternalServer, "the model tripped", 1},
		{"garbage in mid-stream", `{"after":2,"end":"garbage","garbage":"data: {oops\n\n"}`, ``, "one two", llm.KindParse, "oops", 1},
		{"silence in mid-stream", `{"after":2,"end":"stall"}`, `,"timeouts":{"idle":0.05}`, "one two", llm.KindTimeout, "timeouts.idle", 1},
		{"comments are no progress", `{"after":2,"end":"stall","comment_every":0.01}`, `,"timeouts":{"idle":0.05}`, "one two",
			llm.KindTimeout, "timeouts.idle", 1},
		{"no first token", `{"first_delay":30}`, `,"timeouts":{"first_token":0.03},"max_retries":1`, "", llm.KindTimeout, "timeouts.first_token", 2},
		{"no header", `{"header_delay":30}`, `,"timeouts":{"request":0.03},"max_retries":0`, "", llm.KindTimeout, "timeouts.first_token", 1},
		{"a total clock", `{"delay":0.02}`, `,"timeouts":{"total":0.03}`, "", llm.KindTimeout, "timeouts.total", 1},
		{"429 twice, then an answer", `{"status":429,"key":"a","times":2}`, ``, "one two three", "", "", 3},
		{"503 for ever", `{"status":503}`, `,"max_retries":1`, "", llm.KindServiceUnavailable, "", 2},
		{"401 is final", `{"status":401}`, ``, "", llm.KindAuthentication, "", 1},
		{"cut before the first token is repeated", `{"after":0,"end":"cut","key":"b","times":1}`, ``, "one two three", "", "", 2},
		{"an error event before the first token is repeated",
			`{"after":0,"end":"error","error":{"message":"busy","type":"overloaded_error"},"key":"c","times":1}`, ``, "one two three", "", "", 2},
		{"a page of HTML", `{"raw":"<html>Sign in</html>","content_type":"text/html"}`, `,"max_retries":0`, "", llm.KindParse, "Sign in", 1},
		{"a redirect", `{"status":307,"headers":{"Location":"http://elsewhere.test/v1?key=x"}}`, ``, "", llm.KindBadRequest,
			"http://elsewhere.test/v1,", 1},
		{"an event above the limit", `{"text":"` + strings.Repeat("x", 5000) + `"}`, `,"limits":{"event_bytes":4000}`, "", llm.KindLimit,
			"limits.event_bytes", 1},
		{"one JSON body in place of a stream",
			`{"raw":"{\"id\":\"1\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"whole\"},\"finish_reason\":\"stop\"}]}"}`,
			``, "whole", "", "", 1},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := ask(t, context.Background(), openEcho(t, ""), llm.OpStream, c.script, c.options, &recorder{})
			failed := got.failure()
			if c.kind == "" {
				if failed != nil {
					t.Fatalf("failed: %v", failed)
				}
				finish := got.terminal[0].Data.(*llm.Finish)
				if finish.FinishReason != "stop" || finish.Attempts != c.attempts {
					t.Errorf("finish %+v, want %d attempts", finish, c.attempts)
				}
			} else if failed == nil || failed.Kind != c.kind || !strings.Contains(failed.Message, c.part) || failed.Attempts != c.attempts {
				t.Errorf("got %+v", failed)
			}
			if text := strings.TrimSpace(got.text); text != c.text && c.part != "timeouts.total" {
				t.Errorf("text %q", text)
			}
			if starts := got.count(llm.EventStart); starts > 1 {
				t.Errorf("%d start events", starts)
			}
			if retries := got.count(llm.EventRetry); retries != c.attempts-1 {
				t.Errorf("%d retry events for %d attempts", retries, c.attempts)
			}
		})
	}
}

func TestOneShotGivesTheSameEvents(t *testing.T) {
	client := openEcho(t, "")
	script := `{"text":"sunny","reasoning":"hm","tools":[{"id":"c1","name":"look","arguments":{"at":"sky"}}]}`
	streamed := ask(t, context.Background(), client, llm.OpStream, script, "", &recorder{})
	whole := ask(t, context.Background(), client, llm.OpGenerate, script, "", &recorder{})
	for _, got := range []*recorder{streamed, whole} {
		finish := got.terminal[0].Data.(*llm.Finish)
		if got.text != "sunny" || got.reasoning != "hm" || finish.FinishReason != "tool_calls" || finish.Usage == nil ||
			got.count(llm.EventToolBegin) != 1 || got.count(llm.EventToolEnd) != 1 || got.count(llm.EventStart) != 1 {
			t.Errorf("text %q reasoning %q finish %+v events %+v", got.text, got.reasoning, finish, got.events)
		}
	}
}

func TestCancelEndsEveryState(t *testing.T) {
	states := map[string]string{
		"waiting for the header":      `{"header_delay":60}`,
		"waiting for the first token": `{"first_delay":60}`,
		"in mid-stream":               `{"after":2,"end":"stall"}`,
		"in a retry pause":            `{"status":503,"headers":{"Retry-After":"60"}}`,
	}
	for name, script := range states {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancelCause(context.Background())
			begun := time.Now()
			time.AfterFunc(50*time.Millisecond, func() { cancel(llm.Errorf(llm.KindCancelled, "enough")) })
			got := ask(t, ctx, openEcho(t, ""), llm.OpStream, script, "", &recorder{})
			if failed := got.failure(); failed == nil || failed.Kind != llm.KindCancelled {
				t.Errorf("got %+v", failed)
			}
			if took := time.Since(begun); took > 5*time.Second {
				t.Errorf("took %v", took)
			}
		})
	}
}

func TestSecretsAreNotInErrors(t *testing.T) {
	client := openEcho(t, `,"api_key":"sk-very-secret-1234"`)
	got := ask(t, context.Background(), client, llm.OpStream,
		`{"status":401,"body":{"error":{"message":"Incorrect key sk-very-secret-1234"}}}`, "", &recorder{})
	text, _ := json.Marshal(got.failure())
	if strings.Contains(string(text), "very-secret") {
		t.Errorf("%s", text)
	}
}

func TestConnectionServesTheNextCall(t *testing.T) {
	client := openEcho(t, "")
	for range 4 {
		ask(t, context.Background(), client, llm.OpStream, `{}`, "", &recorder{})
	}
	got := ask(t, context.Background(), client, llm.OpGenerate, `{}`, `,"include_raw":true`, &recorder{})
	if got.text != "one two three" || got.count(llm.EventRaw) != 1 {
		t.Errorf("text %q, %d raw events", got.text, got.count(llm.EventRaw))
	}
}

func TestOpenErrors(t *testing.T) {
	cases := map[string]struct{ config, part string }{
		"unknown provider": {`{"provider":"openrooter"}`, `did you mean "openrouter"`},
		"no address":       {`{"provider":"compatible"}`, "base_url"},
		"unknown option":   {`{"provider":"echo","base_ulr":"x"}`, `did you mean "base_url"`},
		"bad proxy":        {`{"provider":"openai","network":{"proxy":"ftp://x:1"}}`, "proxy"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			config, err := llm.DecodeConfig([]byte(c.config))
			if err == nil {
				_, err = New("pyagent/test").Open(config)
			}
			if err == nil || err.Kind != llm.KindConfiguration || !strings.Contains(err.Message, c.part) {
				t.Errorf("got %v", err)
			}
		})
	}
}
