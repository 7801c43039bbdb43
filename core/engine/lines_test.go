package engine

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"pyagent/core/llm"
)

// Answers in lines, over HTTP: whole, cut, failing half-way, and not in lines at all.
func TestAnswersInLines(t *testing.T) {
	const one, two = `{"model":"m","message":{"content":"He"},"done":false}` + "\n", `{"model":"m","message":{"content":"y"},"done":false}` + "\n"
	const end = `{"model":"m","message":{"content":""},"done":true,"done_reason":"stop","eval_count":2}`
	tests := []struct {
		name, provider, op, answer string
		text                       string
		kind                       llm.Kind // of the error
	}{
		{"whole", "ollama", "stream", one + two + end, "Hey", ""},
		{"empty lines and line feeds of Windows", "ollama", "stream", "\n" + one + "\r\n" + two + end + "\r\n", "Hey", ""},
		{"cut", "ollama", "stream", one + two, "Hey", llm.KindInterrupted},
		{"cut within a line", "ollama", "stream", one + two + end[:20], "Hey", llm.KindInterrupted},
		{"an error half-way", "ollama", "stream", one + `{"error":"server busy, please try again."}` + "\n", "He", llm.KindServiceUnavailable},
		{"one answer", "ollama", "generate", `{"model":"m","message":{"content":"Hey"},"done":true}`, "Hey", ""},
		{"an error in place of one", "ollama", "generate", `{"error":"x"}`, "", llm.KindInternalServer},
		{"a page", "ollama", "stream", "<html>no</html>", "", llm.KindParse},
		{"whole", "puter", "stream", `{"type":"text","text":"Hey"}` + "\n" + `{"type":"usage"}`, "Hey", ""},
		{"cut", "puter", "stream", `{"type":"text","text":"Hey"}` + "\n", "Hey", llm.KindInterrupted},
		{"an error that is no stream", "puter", "stream", `{"success":false,"error":{"code":"insufficient_funds","message":"no"}}`, "", llm.KindQuota},
		{"an answer that is no stream", "puter", "stream", `{"success":true,"result":"Hey"}`, "Hey", ""},
	}
	for _, test := range tests {
		t.Run(test.provider+" "+test.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, test.answer) }))
			defer server.Close()
			client := openClient(t, `{"provider":"`+test.provider+`","api_key":"k","max_retries":0,"base_url":"`+server.URL+`"}`)
			request, failed := llm.DecodeRequest([]byte(`{"op":"` + test.op + `","model":"m","messages":[{"role":"user","content":"x"}]}`))
			if failed != nil {
				t.Fatal(failed)
			}
			into := new(recorder)
			client.Run(context.Background(), request, into)
			var kind llm.Kind
			if failed := into.failure(); failed != nil {
				kind = failed.Kind
			}
			if into.text != test.text || kind != test.kind || len(into.terminal) != 1 {
				t.Errorf("got %q, %+v; expected %q, %q", into.text, into.terminal, test.text, test.kind)
			}
		})
	}
}
