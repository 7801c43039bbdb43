package fake

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"
	"testing"
	"time"
)

// read reads an answer to whatever end it has.
func (s *site) read(body string) (string, error) {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.Context(), 10*time.Second)
	defer cancel()
	response, err := s.post(ctx, body)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return string(text), err
}

// leave reads an answer until it holds what is expected, then closes it without waiting for more.
func (s *site) leave(body, expected string) {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.Context(), 10*time.Second)
	defer cancel()
	response, err := s.post(ctx, body)
	if err != nil {
		s.Fatal(err)
	}
	defer response.Body.Close()
	var text strings.Builder
	for buffer := make([]byte, 512); !strings.HasSuffix(text.String(), expected); {
		n, err := response.Body.Read(buffer)
		text.Write(buffer[:n])
		if err != nil {
			s.Fatalf("%v after %q, want the end %q", err, text.String(), expected)
		}
	}
}

const thirdDelta = `"delta":{"content":" three"}`

func TestStreamEnds(t *testing.T) {
	const finish, done = `"finish_reason":"stop"`, "data: [DONE]\n\n"
	tests := []struct {
		script       string
		holds, lacks []string
		err          error // over TCP
		deltas       int64
	}{
		{script: `{"end":"done"}`, holds: []string{thirdDelta, finish, `"usage":{`, done}, deltas: 3},
		{script: `{"end":"done","after":1}`, holds: []string{finish, done}, lacks: []string{" two"}, deltas: 1},
		{script: `{"end":"no_done"}`, holds: []string{thirdDelta, finish, `"usage":{`}, lacks: []string{done}, deltas: 3},
		{script: `{"end":"truncate","after":2}`, holds: []string{" two"}, lacks: []string{" three", finish, done}, deltas: 2},
		{script: `{"end":"cut","after":2}`, holds: []string{" two"}, lacks: []string{" three", finish, done},
			err: io.ErrUnexpectedEOF, deltas: 2},
		{script: `{"end":"reset","after":2}`, holds: []string{" two"}, lacks: []string{" three", finish, done},
			err: syscall.ECONNRESET, deltas: 2},
		{script: `{"end":"cut","after":0}`, holds: []string{`"role"`}, lacks: []string{"one"}, err: io.ErrUnexpectedEOF},
		{script: `{"end":"error","after":9,"error":{"code":"x"}}`,
			holds: []string{thirdDelta, "data: {\"error\":{\"code\":\"x\"}}\n\n"}, lacks: []string{finish, done}, deltas: 3},
		{script: `{"end":"error"}`, deltas: 3,
			holds: []string{thirdDelta, `data: {"error":{"message":"`, `"type":"server_error"`}},
		{script: `{"end":"garbage","garbage":"data: {\n\n<html>"}`, holds: []string{thirdDelta, "data: {\n\n<html>"},
			lacks: []string{finish, done}, deltas: 3},
	}
	everywhere(t, func(t *testing.T, s *site) {
		for _, test := range tests {
			t.Run(test.script, func(t *testing.T) {
				s := *s
				s.T = t
				want := test.err
				if errors.Is(want, syscall.ECONNRESET) && s.url == "http://pipe" {
					want = io.ErrUnexpectedEOF
				}
				text, err := s.read(body(true, test.script))
				if !errors.Is(err, want) || (err == nil) != (want == nil) {
					t.Errorf("it ended in %v, want %v", err, want)
				}
				for _, part := range test.holds {
					if !strings.Contains(text, part) {
						t.Errorf("%q is not in %q", part, text)
					}
				}
				for _, part := range test.lacks {
					if strings.Contains(text, part) {
						t.Errorf("%q is in %q", part, text)
					}
				}
				if seen := s.last(stateFinished); seen.Deltas != test.deltas {
					t.Errorf("the log has %d deltas, want %d", seen.Deltas, test.deltas)
				}
			})
		}
	})
}

func TestStreamsThatWaitForTheClientToLeave(t *testing.T) {
	everywhere(t, func(t *testing.T, s *site) {
		for script, expected := range map[string]string{
			`{"end":"stall","after":2}`:                           "\"usage\":null}\n\n",
			`{"end":"stall"}`:                                     "\"usage\":null}\n\n",
			`{"end":"open"}`:                                      "data: [DONE]\n\n",
			`{"end":"stall","raw":"data: x"}`:                     "data: x",
			`{"end":"open","raw":"data: y"}`:                      "data: y",
			`{"delay":600}`:                                       "\"usage\":null}\n\n",
			`{"comment_every":0.001,"delay":600}`:                 ": keep-alive\n\n: keep-alive\n\n",
			`{"comment_every":0.001,"after":0,"first_delay":600}`: ": keep-alive\n\n: keep-alive\n\n",
			`{"comment_every":0.001,"after":0,"end":"stall"}`:     ": keep-alive\n\n: keep-alive\n\n",
		} {
			t.Run(script, func(t *testing.T) {
				s := *s
				s.T = t
				s.leave(body(true, script), expected)
				if seen := s.last(stateDisconnected); seen.Ended == nil {
					t.Error("no time of the end")
				}
			})
		}
	})
}

func TestClientLeavesBeforeTheHeader(t *testing.T) {
	everywhere(t, func(t *testing.T, s *site) {
		for _, script := range []string{`{"header_delay":600}`, `{"trickle":0.2}`, `{"trickle":600}`} {
			t.Run(script, func(t *testing.T) {
				s := *s
				s.T = t
				ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
				defer cancel()
				if _, err := s.post(ctx, body(true, script)); !errors.Is(err, context.DeadlineExceeded) {
					t.Fatalf("got %v, want the client's deadline", err)
				}
				s.last(stateDisconnected)
			})
		}
	})
}

func TestOneShotEnds(t *testing.T) {
	whole := len(`{"id":"i","object":"chat.completion","created":1700000000,"model":"m"`)
	tests := []struct {
		script string
		ends   string
		err    error
	}{
		{`{"id":"i","end":"done"}`, "}", nil},
		{`{"id":"i","end":"no_done"}`, "}", nil},
		{`{"id":"i","end":"truncate"}`, "", nil},
		{`{"id":"i","end":"cut"}`, "", io.ErrUnexpectedEOF},
		{`{"id":"i","end":"reset"}`, "", syscall.ECONNRESET},
		{`{"id":"i","status":500,"body":{"a":"` + strings.Repeat("b", whole*2) + `"},"end":"cut"}`, "b", io.ErrUnexpectedEOF},
		{`{"end":"error","error":"` + strings.Repeat("e", whole) + `"}`, `"}`, nil},
		{`{"end":"garbage","garbage":"` + strings.Repeat("g", whole) + `>"}`, "g>", nil},
	}
	s := overTCP(t, Options{})
	for _, test := range tests {
		t.Run(test.script[:20], func(t *testing.T) {
			s := *s
			s.T = t
			text, err := s.read(body(false, test.script))
			if !errors.Is(err, test.err) || (err == nil) != (test.err == nil) {
				t.Errorf("it ended in %v, want %v", err, test.err)
			}
			complete := strings.HasSuffix(text, "}") || strings.HasSuffix(text, ">")
			if len(text) < whole || !strings.HasSuffix(text, test.ends) || complete != (test.err == nil && test.ends != "") {
				t.Errorf("got %q", text)
			}
			s.last(stateFinished)
		})
	}
	for _, end := range []string{"stall", "open"} {
		t.Run(end, func(t *testing.T) {
			s := *s
			s.T = t
			last := map[string]string{"stall": `"a":"b`, "open": `"a":"bbbbbbb"}`}[end]
			s.leave(body(false, fmt.Sprintf(`{"body":{"a":"bbbbbbb"},"end":%q}`, end)), last)
			s.last(stateDisconnected)
		})
	}
}

func TestScriptedResponses(t *testing.T) {
	tests := []struct {
		script      string
		status      int
		contentType string
		body        string
	}{
		{`{"status":401}`, 401, "application/json", `{"error":{` +
			`"message":"The script answers with status 401 Unauthorized.","type":"invalid_request_error",` +
			`"param":null,"code":"invalid_api_key"}}`},
		{`{"status":429}`, 429, "application/json", `{"error":{` +
			`"message":"The script answers with status 429 Too Many Requests.","type":"requests","param":null,` +
			`"code":"rate_limit_exceeded"}}`},
		{`{"status":502}`, 502, "application/json", `{"error":{` +
			`"message":"The script answers with status 502 Bad Gateway.","type":"server_error","param":null,"code":null}}`},
		{`{"status":400,"body":{"detail":"x"}}`, 400, "application/json", `{"detail":"x"}`},
		{`{"body":"<html>","content_type":"text/html"}`, 200, "text/html", "<html>"},
		{`{"body":"plain"}`, 200, "text/plain; charset=utf-8", "plain"},
		{`{"status":204}`, 204, "application/json", ""},
		{`{"status":304}`, 304, "", ""},
		{`{"status":500,"trickle":0.0001,"body":"slow"}`, 500, "text/plain; charset=utf-8", "slow"},
		{`{"raw":"data: 1\n\n","splits":[1,2,100]}`, 200, "text/event-stream; charset=utf-8", "data: 1\n\n"},
		{`{"raw":"data: 1\n\n","splits":[1,2],"end":"error","error":1}`, 200, "text/event-stream; charset=utf-8",
			"data: 1\n\ndata: {\"error\":1}\n\n"},
		{`{"raw":"","status":503,"content_type":"a/b"}`, 503, "a/b", ""},
	}
	everywhere(t, func(t *testing.T, s *site) {
		for _, test := range tests {
			t.Run(test.script, func(t *testing.T) {
				s := *s
				s.T = t
				response, text := s.ask(body(true, test.script))
				if got := response.Header.Get("Content-Type"); response.StatusCode != test.status ||
					got != test.contentType || text != test.body {
					t.Errorf("got %d %q %q", response.StatusCode, got, text)
				}
				s.last(stateFinished)
			})
		}
	})
}

func TestStatusWithAnAnswer(t *testing.T) {
	s := overPipe(t, Options{})
	response, text := s.ask(body(true, `{"status":201,"headers":{"X-One":"1","x-request-id":"mine"}}`))
	if _, done := s.parse(text); !done || response.StatusCode != 201 {
		t.Errorf("got %d %s", response.StatusCode, text)
	}
	if response.Header.Get("X-One") != "1" || response.Header.Get("X-Request-Id") != "mine" {
		t.Errorf("header %v", response.Header)
	}
}

func TestTrickledStreamIsWhole(t *testing.T) {
	everywhere(t, func(t *testing.T, s *site) {
		s.T = t
		response, text := s.ask(body(true, `{"trickle":0.00001,"delay":0.001,"headers":{"x-a":"b"}}`))
		events, done := s.parse(text)
		if !done || content(events) != "one two three" || response.Header.Get("X-A") != "b" || response.Close {
			t.Errorf("got %v %s", response.Header, text)
		}
		if seen := s.last(stateFinished); seen.Deltas != 3 {
			t.Errorf("%d deltas", seen.Deltas)
		}
		s.ask(body(false, `{"trickle":0.00001}`))
		if seen := s.last(stateFinished); seen.Connection != 1 {
			t.Errorf("a trickled header cost the connection: the next request came on number %d", seen.Connection)
		}
	})
}

// flood is more than any socket buffers, so its server waits inside a write for a client that does not read.
const flood = `{"pieces":["zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz"],"repeat":1000000,"per_write":64}`

func TestClientLeavesWhileTheServerWrites(t *testing.T) {
	everywhere(t, func(t *testing.T, s *site) {
		s.T = t
		s.leave(body(true, flood), "")
		if seen := s.last(stateDisconnected); seen.Deltas == 1000000 {
			t.Error("everything was sent to a client that did not read")
		}
	})
}

func TestCloseDropsAnswersThatNobodyReads(t *testing.T) {
	everywhere(t, func(t *testing.T, s *site) {
		response, err := s.post(t.Context(), body(true, flood))
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		if err := s.server.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		if _, err := io.Copy(io.Discard, response.Body); err == nil {
			t.Error("the answer ended as if it were complete")
		}
	})
}

// The log says "finished" before the last write, and takes it back when that fails.
func TestClientLeavesInTheLastWrite(t *testing.T) {
	s := overPipe(t, Options{})
	s.leave(body(false, `{"pieces":["zzzzzzzz"],"repeat":100000}`), "")
	s.last(stateDisconnected)
}
