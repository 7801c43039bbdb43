package engine

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"pyagent/core/llm"
)

// A server that repeats the credentials it was sent, in its message and its body, does not bring them into errors, retries
// or inspections, wherever they came from.
func TestRepeatedSecretsAreRedacted(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		said, _ := json.Marshal(map[string]any{"error": map[string]any{
			"message": "cannot serve " + r.Header.Get("Authorization") + " " + r.Header.Get("X-Api-Key"),
		}})
		w.WriteHeader(503)
		_, _ = w.Write(said)
	}))
	defer server.Close()
	for name, options := range map[string]string{
		"key":           ``,
		"authorization": `,"extra_headers":{"authorization":"Bearer own-s3cr3t-word"}`,
		"x-api-key":     `,"extra_headers":{"X-API-Key":"own-s3cr3t-word"}`,
	} {
		t.Run(name, func(t *testing.T) {
			client := openAt(t, server.URL+"/v1?key=s3cr3t", options+`,"max_retries":1,"retry_backoff":0.001`)
			request, err := llm.DecodeRequest([]byte(`{"op":"generate","model":"m","messages":[{"role":"user","content":"x"}]}`))
			if err != nil {
				t.Fatal(err)
			}
			into := new(recorder)
			client.Run(context.Background(), request, into)
			seen, _ := json.Marshal([]any{into.failure(), into.events, client.Describe()})
			if failed := into.failure(); failed == nil || failed.Attempts != 2 || !strings.Contains(failed.Message, "cannot serve") {
				t.Fatalf("got %+v", failed)
			}
			if strings.Contains(string(seen), "s3cr3t") || strings.Contains(string(seen), "sk-secret") {
				t.Errorf("%s", seen)
			}
		})
	}
}
