package engine

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"pyagent/core/llm"
)

// vendorOfKeys refuses keys by what stands in them, repeats the refused one, and remembers what it was sent.
type vendorOfKeys struct {
	mu   sync.Mutex
	sent []string
}

func (v *vendorOfKeys) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	key := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	_, _ = io.Copy(io.Discard, r.Body)
	v.mu.Lock()
	v.sent = append(v.sent, key)
	v.mu.Unlock()
	w.Header().Set("X-Ratelimit-Remaining-Requests", "7")
	status := 200
	switch {
	case strings.Contains(key, "limited"):
		w.Header().Set("Retry-After", "100")
		status = 429
	case strings.Contains(key, "rejected"):
		status = 401
	}
	if status != 200 {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, `{"error":{"message":"refused: `+key+`"}}`)
		return
	}
	_, _ = io.WriteString(w, `{"choices":[{"index":0,"message":{"content":"hi"},"finish_reason":"stop"}]}`)
}

func (v *vendorOfKeys) take() []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	sent := v.sent
	v.sent = nil
	return sent
}

func askWithKeys(t *testing.T, client *Client, options string) *recorder {
	t.Helper()
	request, err := llm.DecodeRequest([]byte(`{"op":"generate","model":"m","messages":[{"role":"user","content":"x"}]` + options + `}`))
	if err != nil {
		t.Fatal(err)
	}
	into := new(recorder)
	client.Run(context.Background(), request, into)
	return into
}

func TestKeysAreRotated(t *testing.T) {
	vendor := new(vendorOfKeys)
	server := httptest.NewServer(vendor)
	defer server.Close()
	config, err := llm.DecodeConfig([]byte(`{"provider":"openai","base_url":"` + server.URL +
		`","api_key":"limited-s3cr3t","extra_api_keys":["rejected-s3cr3t","good-s3cr3t"]}`))
	if err != nil {
		t.Fatal(err)
	}
	client, err := New("pyagent/test").Open(config)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()

	into := askWithKeys(t, client, "")
	if sent := vendor.take(); !slices.Equal(sent, []string{"limited-s3cr3t", "rejected-s3cr3t", "good-s3cr3t"}) {
		t.Fatalf("sent %q", sent)
	}
	finish, _ := into.terminal[0].Data.(*llm.Finish)
	if finish == nil || finish.Attempts != 3 || len(finish.Retries) != 2 || !finish.Retries[0].KeyChanged || !finish.Retries[1].KeyChanged {
		t.Errorf("finish %+v", into.terminal[0].Data)
	}
	seen, _ := json.Marshal([]any{into.events, into.terminal, client.Describe()})
	if strings.Contains(string(seen), "s3cr3t") {
		t.Errorf("a key is in %s", seen)
	}
	if !strings.Contains(string(seen), `"key_changed":true`) || !strings.Contains(string(seen), `"x-ratelimit-remaining-requests":"7"`) {
		t.Errorf("retries and rate limits are not in %s", seen)
	}

	askWithKeys(t, client, "")
	if sent := vendor.take(); !slices.Equal(sent, []string{"good-s3cr3t"}) {
		t.Errorf("the next call sent %q", sent)
	}
	into = askWithKeys(t, client, `,"api_key":"rejected-too"`)
	if sent := vendor.take(); !slices.Equal(sent, []string{"rejected-too"}) || into.failure() == nil {
		t.Errorf("a call with a key of its own sent %q", sent)
	}
	if failed := into.failure(); failed.Response == nil || failed.Response.Headers["x-ratelimit-remaining-requests"] != "7" {
		t.Errorf("the headers of the refusal are not in %+v", failed)
	}
}

func TestOfAllRejectedKeysTheVendorSpeaks(t *testing.T) {
	vendor := new(vendorOfKeys)
	server := httptest.NewServer(vendor)
	defer server.Close()
	client := openAt(t, server.URL, `,"max_retries":5,"retry_backoff":0.001,"extra_api_keys":["rejected-two"]`)
	client.keys.Replace(client.config.APIKey, &llm.Error{Kind: llm.KindAuthentication}, realClock{}.Now())
	for range 2 {
		into := askWithKeys(t, client, "")
		if failed := into.failure(); failed != nil && failed.Kind != llm.KindAuthentication {
			t.Errorf("failed as %+v", failed)
		}
	}
	if sent := vendor.take(); sent[0] != "rejected-two" || len(sent) != 2 {
		t.Errorf("sent %q", sent)
	}
}

func TestBadExtraKeys(t *testing.T) {
	for config, want := range map[string]string{
		`{"provider":"openai","extra_api_keys":["k"]}`:                    "which is not given",
		`{"provider":"openai","api_key":"k","extra_api_keys":[""]}`:       "extra_api_keys[0] is empty",
		`{"provider":"openai","api_key":"k","extra_api_keys":["b","\n"]}`: "extra_api_keys[1] has white space",
	} {
		decoded, err := llm.DecodeConfig([]byte(config))
		if err == nil {
			_, err = New("pyagent/test").Open(decoded)
		}
		if err == nil || err.Kind != llm.KindConfiguration || !strings.Contains(err.Message, want) {
			t.Errorf("%s: %v", config, err)
		}
	}
}

// What a key has asked counts for that key alone: the one that takes its place has its own share of the throttle.
func TestEachKeyHasItsThrottle(t *testing.T) {
	vendor := new(vendorOfKeys)
	server := httptest.NewServer(vendor)
	defer server.Close()
	client := openClient(t, `{"provider":"openai","base_url":"`+server.URL+`","api_key":"rejected-one","extra_api_keys":["good"],`+
		`"throttle":{"requests":1,"max_wait":0,"per":"key"}}`)
	if failed := askWithKeys(t, client, "").failure(); failed != nil {
		t.Errorf("the second key was held up: %v", failed)
	}
	if failed := askWithKeys(t, client, "").failure(); failed == nil || failed.Code != "throttled" {
		t.Errorf("the second key was not throttled: %v", failed)
	}
}
