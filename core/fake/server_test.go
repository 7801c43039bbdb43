package fake

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// site is a running server, over TCP or over a pipe, and a client of it.
type site struct {
	*testing.T
	server *Server
	client *http.Client
	dial   func(context.Context) (net.Conn, error)
	url    string
}

func overTCP(t *testing.T, options Options) *site {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	return serve(t, options, listener, "http://"+address, func(ctx context.Context) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", address)
	})
}

func overPipe(t *testing.T, options Options) *site {
	pipe := NewPipe()
	return serve(t, options, pipe, "http://pipe", pipe.Dial)
}

func serve(t *testing.T, options Options, listener net.Listener, url string,
	dial func(context.Context) (net.Conn, error)) *site {
	t.Helper()
	server := New(options)
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	transport := &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx) },
	}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		if err := server.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		if err := <-served; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return &site{T: t, server: server, client: &http.Client{Transport: transport}, dial: dial, url: url}
}

// everywhere runs a test over both kinds of connection.
func everywhere(t *testing.T, test func(*testing.T, *site)) {
	t.Run("tcp", func(t *testing.T) { test(t, overTCP(t, Options{})) })
	t.Run("pipe", func(t *testing.T) { test(t, overPipe(t, Options{})) })
}

// body is a request for one answer; script is the JSON of one, or "".
func body(stream bool, script string) string {
	request := map[string]any{
		"model":    "m",
		"messages": []any{map[string]any{"role": "user", "content": "one two three"}},
	}
	if stream {
		request["stream"] = true
		request["stream_options"] = map[string]any{"include_usage": true}
	}
	if script != "" {
		request["fake"] = json.RawMessage(script)
	}
	return string(marshal(request))
}

func (s *site) post(ctx context.Context, body string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, "POST", s.url+"/v1/chat/completions", strings.NewReader(body))
	if err != nil {
		s.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	return s.client.Do(request)
}

// ask returns the status and the body of an answer that arrives whole.
func (s *site) ask(body string) (*http.Response, string) {
	s.Helper()
	response, err := s.post(s.Context(), body)
	if err != nil {
		s.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		s.Fatalf("after %q: %v", text, err)
	}
	return response, string(text)
}

func (s *site) get(path string) (int, string) {
	s.Helper()
	response, err := s.client.Get(s.url + path)
	if err != nil {
		s.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		s.Fatal(err)
	}
	return response.StatusCode, string(text)
}

// log returns the server's observations, by way of HTTP.
func (s *site) log() (list []observation) {
	s.Helper()
	if _, text := s.get("/_fake/requests"); json.Unmarshal([]byte(text), &list) != nil {
		s.Fatalf("not a list of requests: %s", text)
	}
	return list
}

// last waits until the newest request has the state, and returns it.
func (s *site) last(state string) observation {
	s.Helper()
	deadline := time.Now().Add(5 * time.Second)
	for {
		list := s.log()
		if newest := list[len(list)-1]; newest.State == state || time.Now().After(deadline) {
			if newest.State != state {
				s.Fatalf("the request is %q, want %q", newest.State, state)
			}
			return newest
		}
		time.Sleep(time.Millisecond)
	}
}

// chunk is what tests read of an event of a stream.
type chunk struct {
	ID      string `json:"id"`
	Object  string `json:"object"`
	Model   string `json:"model"`
	Choices []struct {
		Index int `json:"index"`
		Delta struct {
			Role      string     `json:"role"`
			Content   *string    `json:"content"`
			Reasoning string     `json:"reasoning_content"`
			Refusal   *string    `json:"refusal"`
			ToolCalls []toolCall `json:"tool_calls"`
		} `json:"delta"`
		FinishReason *string `json:"finish_reason"`
	} `json:"choices"`
	Usage *usage           `json:"usage"`
	Error *json.RawMessage `json:"error"`
}

// parse cuts a stream into its events and says whether [DONE] ended it.
func (s *site) parse(text string) (events []chunk, done bool) {
	s.Helper()
	lines := bufio.NewScanner(strings.NewReader(text))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok {
			continue
		}
		if done = data == "[DONE]"; done {
			continue
		}
		var event chunk
		if err := json.Unmarshal([]byte(data), &event); err != nil {
			s.Fatalf("%v in %q", err, data)
		}
		events = append(events, event)
	}
	return events, done
}

// content joins the text of a stream.
func content(events []chunk) string {
	var text bytes.Buffer
	for _, event := range events {
		for _, choice := range event.Choices {
			if choice.Delta.Content != nil {
				text.WriteString(*choice.Delta.Content)
			}
		}
	}
	return text.String()
}

// answerTo posts a request to any path, with a script in the header if there is one.
func (s *site) answerTo(t *testing.T, path, script, body string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), "POST", s.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if script != "" {
		request.Header.Set("X-Fake-Script", script)
	}
	response, err := s.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
