package provider

import (
	"errors"
	"math"
	"strings"
	"testing"

	"pyagent/core/llm"
)

// Error answers of all shapes: what is found in them, and what Judge makes of it.
func TestErrors(t *testing.T) {
	tests := []struct {
		name, row   string
		status      int
		body        string
		kind        llm.Kind
		code, says  string
		shouldRetry bool
	}{
		{"OpenAI", "openai", 404, `{"error":{"message":"The model x does not exist","type":"invalid_request_error","param":"model","code":"model_not_found"}}`,
			llm.KindNotFound, "model_not_found", "does not exist", false},
		{"OpenAI quota", "openai", 429, `{"error":{"message":"You exceeded your current quota","type":"insufficient_quota","code":"insufficient_quota"}}`,
			llm.KindQuota, "insufficient_quota", "quota", false},
		{"OpenAI rate limit", "openai", 429, `{"error":{"message":"Rate limit reached, see your billing page","type":"tokens","code":"rate_limit_exceeded"}}`,
			llm.KindRateLimit, "rate_limit_exceeded", "Rate", true},
		{"OpenAI, never fits", "openai", 429, `{"error":{"message":"Request too large for gpt on tokens per min (TPM): Limit 30000, Requested 40000","type":"tokens","code":"rate_limit_exceeded"}}`,
			llm.KindRateLimit, "rate_limit_exceeded", "too large", false},
		{"OpenAI policy", "openai", 400, `{"error":{"message":"...violating our usage policy","code":"invalid_prompt"}}`, llm.KindContentPolicy, "invalid_prompt", "policy", false},
		{"Azure filter", "azure", 400, `{"error":{"message":"The response was filtered","type":null,"param":"prompt","code":"content_filter","status":400,"innererror":{"code":"ResponsibleAIPolicyViolation"}}}`,
			llm.KindContentPolicy, "content_filter", "filtered", false},
		{"Azure key", "azure", 401, `{"statusCode":401,"message":"Access denied due to invalid subscription key"}`,
			llm.KindAuthentication, "401", "Access denied", false},
		{"Groq too large", "groq", 413, `{"error":{"message":"Request too large for model","type":"tokens","code":"rate_limit_exceeded"}}`, llm.KindRateLimit, "rate_limit_exceeded", "large", false},
		{"xAI key", "xai", 400, `{"code":"Client specified an invalid argument","error":"Incorrect API key provided: xa***zz"}`, llm.KindAuthentication, "Client specified an invalid argument", "Incorrect API key", false},
		{"Moonshot overload", "moonshot", 429, `{"error":{"type":"engine_overloaded_error","message":"busy"}}`,
			llm.KindServiceUnavailable, "engine_overloaded_error", "busy", true},
		{"Moonshot quota", "moonshot", 429, `{"error":{"type":"exceeded_current_quota_error","message":"no money"}}`,
			llm.KindQuota, "exceeded_current_quota_error", "money", false},
		{"DeepSeek balance", "deepseek", 402, `{"error":{"message":"Insufficient Balance"}}`, llm.KindQuota, "",
			"Insufficient", false},
		{"Z.ai arrears", "zai", 429, `{"error":{"code":"1113","message":"pay"}}`, llm.KindQuota, "1113", "pay", false},
		{"Z.ai number", "zai", 429, `{"error":{"code":1302,"message":"slow"}}`, llm.KindRateLimit, "1302", "slow",
			true},
		{"Alibaba policy", "alibaba", 400, `{"error":{"code":"data_inspection_failed","message":"no"}}`,
			llm.KindContentPolicy, "data_inspection_failed", "no", false},
		{"Cerebras context", "cerebras", 400, `{"message":"Please reduce the length of the messages or completion. Current length is 9000 while limit is 8192"}`,
			llm.KindContextWindow, "", "reduce", false},
		{"vLLM", "vllm", 400, `{"object":"error","message":"This model's maximum context length is 10","type":"BadRequestError","param":null,"code":400}`, llm.KindContextWindow, "400", "maximum", false},
		{"llama.cpp", "llamacpp", 400, `{"error":{"code":400,"message":"the request exceeds the available context size","type":"exceed_context_size_error"}}`, llm.KindContextWindow, "400", "exceeds", false},
		{"llama.cpp loading", "llamacpp", 503, `{"error":{"message":"Loading model","type":"unavailable_error","code":503}}`, llm.KindServiceUnavailable, "503", "Loading", true},
		{"LM Studio", "lmstudio", 400, `{"error":"model not loaded"}`, llm.KindBadRequest, "", "not loaded", false},
		{"FastAPI text", "compatible", 401, `{"detail":"Unauthorized"}`, llm.KindAuthentication, "", "Unauthorized",
			false},
		{"FastAPI list", "compatible", 422, `{"detail":[{"loc":["body","x"],"msg":"field required","type":"missing"}]}`,
			llm.KindUnprocessable, "missing", "field required", false},
		{"Gemini list", "gemini", 400, `[{"error":{"code":400,"message":"API key not valid","status":"INVALID_ARGUMENT"}}]`, llm.KindAuthentication, "400", "not valid", false},
		{"Mistral nested", "mistral", 422, `{"object":"error","message":{"detail":[{"type":"missing","loc":["body"],"msg":"Field required"}]},"type":"invalid_request_error"}`,
			llm.KindUnprocessable, "missing", "Field required", false},
		{"Mistral model", "mistral", 400, `{"object":"error","message":"Invalid model: x","type":"invalid_model","code":"1500"}`, llm.KindNotFound, "1500", "Invalid", false},
		{"OpenRouter moderation", "openrouter", 403,
			`{"error":{"code":403,"message":"flagged","metadata":{"reasons":["violence"],"flagged_input":"x"}}}`, llm.KindContentPolicy, "403", "flagged", false},
		{"OpenRouter daily", "openrouter", 429, `{"error":{"code":429,"message":"Rate limit exceeded: free-models-per-day"}}`, llm.KindQuota, "429", "free", false},
		{"OpenRouter word", "openrouter", 400, `{"error":{"code":400,"message":"Provider returned error","metadata":{"error_type":"context_length_exceeded"}}}`, llm.KindContextWindow, "400", "Provider", false},
		{"type error", "anthropic", 529, `{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}`,
			llm.KindServiceUnavailable, "overloaded_error", "Overloaded", true},
		{"errors list", "compatible", 500, `{"success":false,"errors":[{"message":"broken"}]}`, llm.KindInternalServer,
			"", "broken", true},
		{"error in error", "compatible", 400, `{"error":{"error":{"message":"deep","code":"c"}}}`, llm.KindBadRequest,
			"c", "deep", false},
		{"HTML", "compatible", 502, `<html><body>Bad gateway</body></html>`, llm.KindServiceUnavailable, "",
			"Bad gateway", true},
		{"text", "compatible", 404, `404 page not found`, llm.KindNotFound, "", "404 page", false},
		{"empty", "compatible", 500, ``, llm.KindInternalServer, "", "empty body", true},
		{"echoed prompt", "compatible", 400, `{"error":{"message":"bad temperature"},"prompt":"maximum context length"}`, llm.KindBadRequest, "", "bad", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			call := testCall(t, test.row)
			got := llm.Judge(call.Row.Protocol().DecodeError(call, test.status, nil, []byte(test.body)), call.Row.Rules)
			if got.Kind != test.kind || got.Code != test.code || got.Retryable != test.shouldRetry ||
				got.StatusCode != test.status ||
				!strings.Contains(got.Message, test.says) || got.Provider != test.row || got.Model != "m" {
				t.Errorf("got %+v", got)
			}
		})
	}
}

// Errors inside a successful answer: what came with them is delivered first.
func TestErrorsInsideAnswers(t *testing.T) {
	tests := []struct {
		name, event, data string
		kind              llm.Kind
		text              string
	}{
		{"top level", "", `{"error":{"message":"The server had an error","type":"server_error","code":null}}`,
			llm.KindInternalServer, ""},
		{"string", "", `{"error":"out of memory"}`, llm.KindInternalServer, ""},
		{"event name", "error", `{"error":{"message":"no","type":"invalid_request_error","code":"tool_use_failed","status_code":400}}`, llm.KindBadRequest, ""},
		{"event name with text", "error", `overloaded`, llm.KindInternalServer, ""},
		{"object", "", `{"object":"error","message":"bad","type":"BadRequestError","code":400}`, llm.KindBadRequest,
			""},
		{"type", "", `{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}`,
			llm.KindServiceUnavailable, ""},
		{"beside choices", "", `{"error":{"code":429,"message":"slow"},"choices":[{"delta":{"content":"x"},"finish_reason":"error"}]}`, llm.KindRateLimit, "x"},
		{"in the choice", "", `{"choices":[{"delta":{"content":"x"},"error":{"code":502,"message":"gone"}}]}`,
			llm.KindServiceUnavailable, "x"},
		{"a list", "", `[{"error":{"code":503,"message":"gone","status":"UNAVAILABLE"}}]`, llm.KindServiceUnavailable,
			""},
		{"message alone", "", `{"message":"context window exceeded","code":"x"}`, llm.KindContextWindow, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			call := testCall(t, "compatible")
			decoder, got := call.Row.Protocol().NewDecoder(call), collect(t)
			_, err := decoder.Event(test.event, []byte(test.data), got.emit)
			var vendor *llm.VendorError
			if !errors.As(err, &vendor) {
				t.Fatalf("got %v", err)
			}
			judged := llm.Judge(vendor, call.Row.Rules)
			if judged.Kind != test.kind || judged.StatusCode != 200 || got.text[0] != test.text || judged.Body == "" {
				t.Errorf("got %+v, text %q", judged, got.text[0])
			}
			if test.event == "" {
				if body := answered(t, call, test.data); !errors.As(body.err, &vendor) {
					t.Errorf("as a body: %v", body.err)
				}
			}
		})
	}
	for _, data := range []string{`{"error":null,"choices":[]}`, `{"error":"","choices":[]}`,
		`{"error":{},"choices":[]}`} {
		if got := streamed(t, testCall(t, "compatible"), data); got.err != nil {
			t.Errorf("%s: %v", data, got.err)
		}
	}
}

func TestRetryHeaders(t *testing.T) {
	seconds := func(s float64) *float64 { return &s }
	const date = "Sat, 21 Nov 2026 03:00:00 GMT"
	tests := []struct {
		name   string
		status int
		header map[string]string
		want   *float64
	}{
		{"none", 429, nil, nil},
		{"milliseconds first", 429, map[string]string{"retry-after-ms": "1500", "retry-after": "9"}, seconds(1.5)},
		{"seconds", 503, map[string]string{"retry-after": " 2.5 "}, seconds(2.5)},
		{"date", 503, map[string]string{"retry-after": "Sat, 21 Nov 2026 03:01:30 GMT", "date": date}, seconds(90)},
		{"past date", 503, map[string]string{"retry-after": "Sat, 21 Nov 2026 02:00:00 GMT", "date": date}, seconds(0)},
		{"date without a clock", 503, map[string]string{"retry-after": "Sat, 21 Nov 2026 03:01:30 GMT"}, nil},
		{"nonsense", 503, map[string]string{"retry-after": "soon", "date": date}, nil},
		{"negative", 503, map[string]string{"retry-after": "-1"}, nil},
		{"not a number", 503, map[string]string{"retry-after": "NaN"}, nil},
		{"used-up limit", 429, map[string]string{"x-ratelimit-remaining-requests": "5",
			"x-ratelimit-reset-requests":   "1h",
			"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "2m59.5s"}, seconds(179.5)},
		{"limit in plain seconds", 429, map[string]string{"x-ratelimit-remaining-tokens": "0",
			"x-ratelimit-reset-tokens": "7"}, seconds(7)},
		{"limit in milliseconds since 1970", 429, map[string]string{"x-ratelimit-remaining": "0",
			"x-ratelimit-reset": "1795230060000", "date": date}, seconds(60)},
		{"limit in seconds since 1970", 429, map[string]string{"x-ratelimit-remaining": "0",
			"x-ratelimit-reset": "1795230060", "date": date}, seconds(60)},
		{"limit in small durations", 429, map[string]string{"x-ratelimit-remaining-requests": "0",
			"x-ratelimit-reset-requests": "20ms"}, seconds(0.02)},
		{"limit in minutes", 429, map[string]string{"x-ratelimit-reset-requests": "6m0s"}, seconds(360)},
		{"limit as a date", 429, map[string]string{"x-ratelimit-reset": "2026-11-21T03:00:30Z", "date": date}, seconds(30)},
		{"limits of anthropic", 429, map[string]string{
			"anthropic-ratelimit-requests-remaining": "9", "anthropic-ratelimit-requests-reset": "2026-11-21T04:00:00Z",
			"anthropic-ratelimit-input-tokens-remaining": "0",
			"anthropic-ratelimit-input-tokens-reset":     "2026-11-21T03:01:00Z", "date": date}, seconds(60)},
		{"nothing is used up", 429, map[string]string{"x-ratelimit-remaining-tokens": "10", "x-ratelimit-reset-tokens": "9s"}, nil},
		{"limits of other errors", 500, map[string]string{"x-ratelimit-remaining-tokens": "0",
			"x-ratelimit-reset-tokens": "7"}, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := retryAfter(test.status, test.header); !same(got, test.want) {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestResponseHeaders(t *testing.T) {
	call := testCall(t, "openai")
	got := call.Row.Protocol().DecodeError(call, 500,
		map[string]string{"cf-ray": "c", "x-request-id": "r", "x-should-retry": "False"}, nil)
	if got.RequestID != "r" || got.ShouldRetry == nil || *got.ShouldRetry {
		t.Errorf("got %+v", got)
	}
	if judged := llm.Judge(got, nil); judged.Retryable {
		t.Error("retryable although the vendor said no")
	}
}

// FuzzRetryAfter: whatever a header says, a wait is a number of seconds that a clock can count.
func FuzzRetryAfter(f *testing.F) {
	for _, said := range []string{"7", "0.3", "-1", "1e999", "nan", "Wed, 21 Oct 2026 07:28:00 GMT", "6m0s", "1784728648", "2026-10-21T07:28:00Z"} {
		f.Add("retry-after", said, "x-ratelimit-reset-tokens", said, "Wed, 21 Oct 2026 07:27:00 GMT", 429)
	}
	f.Add("retry-after-ms", "250", "anthropic-ratelimit-tokens-reset", "2026-10-21T07:28:00Z", "", 429)
	f.Fuzz(func(t *testing.T, name, value, other, otherValue, date string, status int) {
		header := map[string]string{name: value, other: otherValue, "date": date}
		if wait := retryAfter(status, header); wait != nil && !(*wait >= 0 && *wait <= math.MaxFloat64) {
			t.Errorf("%v gives a wait of %v", header, *wait)
		}
		shouldRetry(header)
		RequestID(header)
	})
}
