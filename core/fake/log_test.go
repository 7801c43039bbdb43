package fake

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
)

func TestLogTellsWhatTheClientSent(t *testing.T) {
	everywhere(t, func(t *testing.T, s *site) {
		s.T = t
		s.answerTo(t, "/v1/chat/completions?x=1", `{"text":"a"}`, `{"model":"m","stream":true}`)
		s.answerTo(t, "/elsewhere", "", "no JSON")
		list := s.log()
		if len(list) != 2 {
			t.Fatalf("got %+v", list)
		}
		first, second := list[0], list[1]
		if first.ID != 1 || first.Method != "POST" || first.Path != "/v1/chat/completions?x=1" || first.Connection != 1 ||
			first.Headers["x-fake-script"] != `{"text":"a"}` || first.Deltas != 1 ||
			first.State != stateFinished || first.Remote == "" {
			t.Errorf("got %+v", first)
		}
		if body, ok := first.Body.(map[string]any); !ok || body["model"] != "m" {
			t.Errorf("the body is %v", first.Body)
		}
		if second.ID != 2 || second.Body != "no JSON" || second.Connection != 1 {
			t.Errorf("got %+v", second)
		}
		request, _ := http.NewRequest("DELETE", s.url+"/_fake/requests", nil)
		if response, err := s.client.Do(request); err != nil || response.StatusCode != 204 {
			t.Errorf("DELETE: %v, %v", response, err)
		}
		if list := s.log(); list == nil || len(list) != 0 {
			t.Errorf("after DELETE: %v", list)
		}
		request.Method = "PUT"
		if response, err := s.client.Do(request); err != nil || response.StatusCode != 405 {
			t.Errorf("PUT: %v, %v", response, err)
		}
	})
}

func TestLogForgetsTheOldest(t *testing.T) {
	var log observations
	request, _ := http.NewRequest("POST", "/", nil)
	for range maxRecords + 5 {
		log.begin(request, nil, 1)
	}
	if list := log.list(); len(list) != maxRecords || list[0].ID != 6 {
		t.Errorf("%d requests from id %d", len(list), list[0].ID)
	}
	log.begin(request, make([]byte, maxLogBodies-1), 1)
	log.begin(request, []byte("ab"), 1)
	if list := log.list(); len(list) != 1 || list[0].Body != "ab" {
		t.Errorf("%d requests", len(list))
	}
}

func TestConnectionsAreCounted(t *testing.T) {
	everywhere(t, func(t *testing.T, s *site) {
		s.T = t
		s.ask(body(true, ""))
		s.ask(body(false, ""))
		s.client.CloseIdleConnections()
		s.ask(body(true, ""))
		var got []int
		for _, seen := range s.log() {
			got = append(got, seen.Connection)
		}
		if fmt.Sprint(got) != "[1 1 2]" {
			t.Errorf("connections %v", got)
		}
	})
}

func TestManyClientsAtOnce(t *testing.T) {
	everywhere(t, func(t *testing.T, s *site) {
		var clients sync.WaitGroup
		for i := range 20 {
			clients.Go(func() {
				want := fmt.Sprintf("answer %d", i)
				for range 5 {
					got := s.answerTo(t, "/chat/completions", "", body(false, `{"text":"`+want+`","status":500,"key":"k","times":7}`))
					if !strings.Contains(got, want) && !strings.Contains(got, "error") {
						t.Errorf("got %s, want %q", got, want)
					}
					s.get("/_fake/requests")
				}
			})
		}
		clients.Wait()
		s.T = t
		if list := s.log(); len(list) != 100 {
			t.Errorf("%d requests in the log", len(list))
		}
	})
}

func TestRefusedRequests(t *testing.T) {
	s := overPipe(t, Options{})
	tests := []struct {
		method, path, body string
		status             int
		says               string
	}{
		{"POST", "/v1/chat/completions", `{"a"`, 400, "not valid JSON"},
		{"POST", "/v1/chat/completions", `[]`, 400, "must be a JSON object"},
		{"POST", "/v1/chat/completions", `{"stream":"yes"}`, 400, "'stream'"},
		{"POST", "/v1/chat/completions", `{"messages":[]}`, 400, "'messages'"},
		{"POST", "/v1/chat/completions", `{"n":0}`, 400, "'n'"},
		{"POST", "/v1/chat/completions", `{"stream_options":{}}`, 400, "'stream_options'"},
		{"POST", "/v1/completions", `{}`, 404, "unknown_url"},
		{"GET", "/", "", 404, "unknown_url"},
		{"GET", "/v1/chat/completions", "", 405, "Not allowed to GET"},
		{"POST", "/v1/models", "", 405, "Not allowed to POST"},
	}
	for _, test := range tests {
		t.Run(test.method+test.path+test.body, func(t *testing.T) {
			request, _ := http.NewRequest(test.method, s.url+test.path, strings.NewReader(test.body))
			response, err := s.client.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			var got struct {
				Error *errorObject `json:"error"`
			}
			if err := json.NewDecoder(response.Body).Decode(&got); err != nil || got.Error == nil {
				t.Fatalf("no error object: %v", err)
			}
			code := ""
			if got.Error.Code != nil {
				code = *got.Error.Code
			}
			if response.StatusCode != test.status || !strings.Contains(got.Error.Message+code, test.says) ||
				got.Error.Type != "invalid_request_error" {
				t.Errorf("got %d %+v", response.StatusCode, got.Error)
			}
			if allow := response.Header.Get("Allow"); (allow != "") != (test.status == 405) {
				t.Errorf("Allow: %q", allow)
			}
		})
	}
}

func TestModels(t *testing.T) {
	s := overPipe(t, Options{Script: &Script{Model: "extra"}})
	status, text := s.get("/v1/models")
	want := `{"object":"list","data":[{"id":"echo","object":"model","created":1700000000,"owned_by":"fake"},` +
		`{"id":"extra","object":"model","created":1700000000,"owned_by":"fake"}]}`
	if status != 200 || text != want {
		t.Errorf("got %d %s", status, text)
	}
	if status, text = s.get("/models/a/b"); status != 200 || !strings.Contains(text, `{"id":"a/b"`) {
		t.Errorf("got %d %s", status, text)
	}
	failing := overPipe(t, Options{Script: &Script{Status: 401}})
	if status, text = failing.get("/v1/models"); status != 401 || !strings.Contains(text, "invalid_api_key") {
		t.Errorf("got %d %s", status, text)
	}
}

func TestPipeClosed(t *testing.T) {
	pipe := NewPipe()
	pipe.Close()
	pipe.Close()
	if conn, err := pipe.Dial(t.Context()); err == nil {
		conn.Close()
		t.Error("Dial on a closed pipe gave a connection")
	}
	if _, err := pipe.Accept(); err == nil {
		t.Error("Accept on a closed pipe gave a connection")
	}
	server := New(Options{})
	server.Close()
	if err := server.Serve(NewPipe()); err != nil {
		t.Errorf("Serve after Close: %v", err)
	}
}
