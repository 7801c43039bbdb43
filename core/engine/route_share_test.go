package engine

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"pyagent/core/llm"
)

func TestRetriesOfACallAreForAllDeployments(t *testing.T) {
	for _, test := range []struct {
		name, options, request string
		deployments            []string
		asked                  []string
	}{
		{"one alone has them all", `,"max_retries":2`, "g", []string{"down-1@g"}, []string{"down-1", "down-1", "down-1"}},
		{"others first, the last has the rest", `,"max_retries":2`, "g", []string{"down-1@g", "down-2@g"},
			[]string{"down-1", "down-2", "down-2"}},
		{"not everybody is asked", `,"max_retries":1`, "g", []string{"down-1@g", "down-2@g", "down-3@g"}, []string{"down-1", "down-2"}},
		{"none", `,"max_retries":0`, "g", []string{"down-1@g", "fine@g"}, []string{"down-1"}},
		{"without a word each has its own", ``, "g", []string{"down-1@g", "down-2@g"}, []string{"down-1", "down-1", "down-2", "down-2"}},
		{"a fallback has as many", `,"max_retries":1`, "g", []string{"down-1@g", "down-2@f"}, []string{"down-1", "down-1", "down-2", "down-2"}},
		{"a fallback of its kind too", `,"max_retries":1`, "g", []string{"long@g", "down-2@f"}, []string{"long", "down-2", "down-2"}},
		{"a fallback of none", `,"max_retries":0`, "g", []string{"down-1@g", "fine@g", "down-2@f", "fine-2@f"}, []string{"down-1", "down-2"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			fallbacks := ""
			if slices.ContainsFunc(test.deployments, func(name string) bool { return name[len(name)-1] == 'f' }) {
				fallbacks = `,"fallbacks":[["g","f"]],"context_window_fallbacks":[["g","f"]]`
			}
			client, served := openRoute(t, ","+inOrder+fallbacks+"}", "", test.deployments...)
			into := askRoute(t, client, "generate", test.request, test.options)
			if asked := served.take(); !slices.Equal(asked, test.asked) {
				t.Errorf("asked %q, want %q; %v", asked, test.asked, into.terminal[0])
			}
			if err, _ := into.terminal[0].Data.(*llm.Error); err == nil || err.Attempts != len(test.asked) {
				t.Errorf("%+v", into.terminal[0])
			}
		})
	}
}

func TestARetryWaitsAtLeast(t *testing.T) {
	client, served := openRoute(t, ","+inOrder+`,"retry_pause":0.2}`, "", "down@g")
	began := time.Now()
	askRoute(t, client, "generate", "g", "")
	if took := time.Since(began); took < 200*time.Millisecond || len(served.take()) != 2 {
		t.Errorf("took %v", took)
	}
}

func TestDefaultsOfADeployment(t *testing.T) {
	var body map[string]any
	var header http.Header
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, header = nil, r.Header
		_ = json.NewDecoder(r.Body).Decode(&body)
		_, _ = io.WriteString(w, `{"choices":[{"index":0,"message":{"content":"a"},"finish_reason":"stop"}]}`)
	}))
	defer server.Close()
	client := openClient(t, `{"deployments":[{"provider":"compatible","base_url":"`+server.URL+`","model":"m","defaults":{`+
		`"temperature":0.5,"max_completion_tokens":9,"stop":["x"],"extra_body":{"a":1,"b":2},"extra_headers":{"x-a":"1"}}}]}`)
	askRoute(t, client, "generate", "default", "")
	if body["temperature"] != 0.5 || body["a"] != 1.0 || body["b"] != 2.0 || body["stop"] == nil || header.Get("X-A") != "1" {
		t.Errorf("%v %v", body, header)
	}
	into := askRoute(t, client, "stream", "default", `,"temperature":0,"max_tokens":3,"extra_body":{"a":3},"extra_headers":{"x-b":"2"}`)
	if body["temperature"] != 0.0 || body["max_tokens"] != 3.0 || body["max_completion_tokens"] != nil || body["a"] != 3.0 || body["b"] != 2.0 ||
		header.Get("X-A") != "1" || header.Get("X-B") != "2" {
		t.Errorf("%v %v %v", body, header, into.terminal[0])
	}
}

func TestTheStartSaysWhoAnswers(t *testing.T) {
	client, _ := openRoute(t, ","+inOrder+"}", "", "down@g", "fine@g")
	for _, event := range askRoute(t, client, "stream", "g", "").events {
		if begun, ok := event.Data.(*llm.Start); ok && begun.Deployment != "fine" {
			t.Errorf("%+v", begun)
		}
	}
}
