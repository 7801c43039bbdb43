package engine

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"pyagent/core/llm"
)

const answerOK = `{"id":"1","choices":[{"index":0,"message":{"role":"assistant","content":"ok"},"finish_reason":"stop"}]}`

// openAt makes a client for a server of the test.
func openAt(t *testing.T, base, options string) *Client {
	t.Helper()
	return openClient(t, fmt.Sprintf(`{"provider":"openai","base_url":%q,"api_key":"sk-secret-123456","max_retries":0%s}`, base, options))
}

// openClient opens a client with a configuration, until the test ends.
func openClient(t *testing.T, options string) *Client {
	t.Helper()
	config, err := llm.DecodeConfig([]byte(options))
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

func TestRedirects(t *testing.T) {
	var elsewhere []string
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		elsewhere = append(elsewhere, r.URL.Path)
	}))
	defer other.Close()
	hops := func(n int) string { return strings.Repeat("again/", n) }
	cases := []struct {
		name, location string
		status         int
		options        string
		asked          int
		kind           llm.Kind // "" for success
		parts          []string // of the error's message
	}{
		{"307 to a path", "/moved", 307, "", 2, "", nil},
		{"308 to a whole address", "http://SAME/moved?q=1#part", 308, "", 2, "", nil},
		{"308 to a relative path", "../moved", 308, "", 2, "", nil},
		{"307 five times", "/" + hops(4) + "moved", 307, "", 6, "", nil},
		{"307 six times", "/" + hops(5) + "moved", 307, "", 6, llm.KindLimit, []string{"limits.redirects", "5 times", "http://SAME/moved"}},
		{"a loop", "/loop?key=secret", 307, "", 6, llm.KindLimit, []string{"limits.redirects", "http://SAME/loop;"}},
		{"fewer allowed", "/again/moved", 307, `,"limits":{"redirects":1}`, 2, llm.KindLimit, []string{"1 times"}},
		{"none allowed", "/moved", 307, `,"limits":{"redirects":0}`, 1, llm.KindLimit, []string{"0 times"}},
		{"307 to another port", other.URL + "/v1?key=secret", 307, "", 1, llm.KindBadRequest, []string{other.URL + "/v1,", "another origin", "base_url"}},
		{"308 to another host", "http://user:secret@elsewhere.test/v1", 308, "", 1, llm.KindBadRequest, []string{"http://elsewhere.test/v1,", "(308)"}},
		{"308 to https", "https://SAME/moved", 308, "", 1, llm.KindBadRequest, []string{"https://SAME/moved,"}},
		{"301", "/moved", 301, "", 1, llm.KindBadRequest, []string{"(301)", "/moved,", "body", "base_url"}},
		{"302", "/moved", 302, "", 1, llm.KindBadRequest, []string{"(302)"}},
		{"303", "/moved", 303, "", 1, llm.KindBadRequest, []string{"(303)"}},
		{"an address that is none", "http://user:secret@[::1", 307, "", 1, llm.KindBadRequest, []string{"cannot be read"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			asked := 0
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked++
				body, _ := io.ReadAll(r.Body)
				if r.Method != "POST" || r.Header.Get("Authorization") != "Bearer sk-secret-123456" || !strings.Contains(string(body), `"hello"`) {
					t.Errorf("%s %s %v %s", r.Method, r.URL, r.Header, body)
				}
				switch location := strings.ReplaceAll(c.location, "SAME", r.Host); {
				case r.URL.Path == "/moved" || r.URL.Path == "/v1/moved":
					io.WriteString(w, answerOK)
				case strings.HasPrefix(r.URL.Path, "/again/"):
					w.Header().Set("Location", strings.TrimPrefix(r.URL.Path, "/again"))
					w.WriteHeader(c.status)
				default:
					w.Header().Set("Location", location)
					w.WriteHeader(c.status)
					io.WriteString(w, "<html>moved</html>")
				}
			}))
			defer server.Close()
			request, err := llm.DecodeRequest([]byte(`{"op":"generate","model":"m","messages":[{"role":"user","content":"hello"}]}`))
			if err != nil {
				t.Fatal(err)
			}
			into := new(recorder)
			openAt(t, server.URL+"/v1", c.options).Run(context.Background(), request, into)
			if asked != c.asked || len(elsewhere) != 0 {
				t.Errorf("asked %d times, elsewhere %v", asked, elsewhere)
			}
			failed := into.failure()
			if c.kind == "" {
				if failed != nil || into.text != "ok" {
					t.Errorf("text %q, %v", into.text, failed)
				}
				return
			}
			if failed == nil || failed.Kind != c.kind || failed.StatusCode != c.status || failed.Retryable || strings.Contains(failed.Message, "secret") {
				t.Fatalf("got %+v", failed)
			}
			for _, part := range c.parts {
				if part = strings.ReplaceAll(part, "SAME", strings.TrimPrefix(server.URL, "http://")); !strings.Contains(failed.Message, part) {
					t.Errorf("%q lacks %q", failed.Message, part)
				}
			}
		})
	}
}
