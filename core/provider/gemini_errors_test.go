package provider

import (
	"strings"
	"testing"

	"pyagent/core/llm"
)

// Google's errors on both of its routes: https://ai.google.dev/gemini-api/docs/troubleshooting
func TestGeminiErrors(t *testing.T) {
	said := func(code, message, status, details string) string {
		return `{"error":{"code":` + code + `,"message":"` + message + `","status":"` + status + `","details":[` + details + `]}}`
	}
	info := func(reason string) string {
		return `{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"` + reason + `","domain":"googleapis.com"}`
	}
	quota := func(ids ...string) string {
		return `{"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{"quotaId":"` + strings.Join(ids, `"},{"quotaId":"`) + `"}]}`
	}
	const wait = `{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"34.4s"}`
	const plan = "You exceeded your current quota, please check your plan and billing details."
	const perMinute, perDay = "GenerateRequestsPerMinutePerProjectPerModel-FreeTier", "GenerateRequestsPerDayPerProjectPerModel-FreeTier"
	tests := []struct {
		name   string
		status int
		body   string
		kind   llm.Kind
		code   string
		after  float64
		retry  bool
	}{
		{"bad key", 400, said("400", "API key not valid. Please pass a valid API key.", "INVALID_ARGUMENT", info("API_KEY_INVALID")), llm.KindAuthentication, "API_KEY_INVALID", 0, false},
		{"bad key without details", 400, said("400", "API key not valid.", "INVALID_ARGUMENT", ""), llm.KindAuthentication, "400", 0, false},
		{"expired key", 400, said("400", "API key expired. Please renew the API key.", "INVALID_ARGUMENT", ""), llm.KindAuthentication, "400", 0, false},
		{"no key", 403, said("403", "Method doesn't allow unregistered callers (callers without established identity).", "PERMISSION_DENIED", ""), llm.KindAuthentication, "403", 0, false},
		{"old token", 401, said("401", "Request had invalid authentication credentials.", "UNAUTHENTICATED", info("ACCESS_TOKEN_EXPIRED")), llm.KindAuthentication, "ACCESS_TOKEN_EXPIRED", 0, false},
		{"API not enabled", 403, said("403", "Generative Language API has not been used in project 1 before or it is disabled.", "PERMISSION_DENIED", info("SERVICE_DISABLED")), llm.KindPermission, "SERVICE_DISABLED", 0, false},
		{"no billing", 403, said("403", "This API method requires billing to be enabled.", "PERMISSION_DENIED", info("BILLING_DISABLED")), llm.KindQuota, "BILLING_DISABLED", 0, false},
		{"location", 400, said("400", "User location is not supported for the API use.", "FAILED_PRECONDITION", ""), llm.KindPermission, "400", 0, false},
		{"billing not enabled", 400, said("400", "Gemini API free tier is not available in your country. Please enable billing on your project.", "FAILED_PRECONDITION", ""), llm.KindQuota, "400", 0, false},
		{"too long", 400, said("400", "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).", "INVALID_ARGUMENT", ""), llm.KindContextWindow, "400", 0, false},
		{"too long, other words", 400, said("400", "The token count of 5 exceeds the limit.", "INVALID_ARGUMENT", ""), llm.KindContextWindow, "400", 0, false},
		{"too large", 400, said("400", "Request payload size exceeds the limit: 20971520 bytes.", "INVALID_ARGUMENT", ""), llm.KindBadRequest, "400", 0, false},
		{"no signature", 400, said("400", "Function call is missing a thought_signature in functionCall parts.", "INVALID_ARGUMENT", ""), llm.KindBadRequest, "400", 0, false},
		{"model", 404, said("404", "models/x is not found for API version v1beta, or is not supported for generateContent.", "NOT_FOUND", ""), llm.KindNotFound, "404", 0, false},
		{"per minute", 429, said("429", plan, "RESOURCE_EXHAUSTED", quota(perMinute)+","+wait), llm.KindRateLimit, perMinute, 34.4, true},
		{"per day", 429, said("429", plan, "RESOURCE_EXHAUSTED", wait+","+quota(perMinute, perDay)), llm.KindQuota, perDay, 34.4, false},
		{"none allowed", 429, said("429", plan+` * Quota exceeded for metric: x, limit: 0`, "RESOURCE_EXHAUSTED", quota(perMinute)+","+wait), llm.KindQuota, perMinute, 34.4, false},
		{"only a delay", 429, said("429", plan, "RESOURCE_EXHAUSTED", wait), llm.KindRateLimit, "RetryInfo", 34.4, true},
		{"plan without a delay", 429, said("429", plan, "RESOURCE_EXHAUSTED", ""), llm.KindQuota, "429", 0, false},
		{"busy", 429, said("429", "Resource exhausted. Please try again later.", "RESOURCE_EXHAUSTED", ""), llm.KindRateLimit, "429", 0, true},
		{"in a list", 429, "[" + said("429", plan, "RESOURCE_EXHAUSTED", wait) + "\n]", llm.KindRateLimit, "RetryInfo", 34.4, true},
		{"cancelled", 499, said("499", "The operation was cancelled.", "CANCELLED", ""), llm.KindConnection, "499", 0, false},
		{"internal", 500, said("500", "An internal error has occurred.", "INTERNAL", ""), llm.KindInternalServer, "500", 0, true},
		{"overloaded", 503, said("503", "The model is overloaded.", "UNAVAILABLE", wait), llm.KindServiceUnavailable, "503", 34.4, true},
		{"too slow", 504, said("504", "Deadline expired.", "DEADLINE_EXCEEDED", ""), llm.KindTimeout, "504", 0, true},
		{"details of odd types", 400, `{"error":{"code":400,"message":"m","details":[1,{"@type":7},{"@type":"x.RetryInfo","retryDelay":"soon"},{"@type":"QuotaFailure","violations":{}}]}}`, llm.KindBadRequest, "400", 0, false},
	}
	for _, test := range tests {
		for _, row := range []string{"gemini", "gemini-openai", "vertex"} {
			call := testCall(t, row)
			found := call.Row.Protocol().DecodeError(call, test.status, nil, []byte(test.body))
			got := llm.Judge(found, call.Row.Rules)
			after := 0.0
			if got.RetryAfter != nil {
				after = *got.RetryAfter
			}
			if got.Kind != test.kind || got.Code != test.code || after != test.after || got.Retryable != test.retry {
				t.Errorf("%s of %s: %+v, after %g", test.name, row, got, after)
			}
		}
	}
	call := testCall(t, "gemini")
	found := call.Row.Protocol().DecodeError(call, 429, map[string]string{"retry-after": "7"}, []byte(said("429", "m", "RESOURCE_EXHAUSTED", wait)))
	if found.RetryAfter == nil || *found.RetryAfter != 7 {
		t.Errorf("the header's word counts: %v", found.RetryAfter)
	}
}
