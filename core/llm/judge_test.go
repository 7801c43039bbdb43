package llm

import (
	"strings"
	"testing"
)

func TestJudge(t *testing.T) {
	yes, no := true, false
	tests := []struct {
		name  string
		error VendorError
		rules []Rule
		kind  Kind
		retry bool
	}{
		{"vendor rule before all", VendorError{Status: 429, Code: "1113"}, []Rule{{Code: "1113", Kind: KindQuota}},
			KindQuota, false},
		{"rule by type, any case", VendorError{Status: 400, Type: "Busy"}, []Rule{{Code: "bUSY", Kind: KindRateLimit}},
			KindRateLimit, true},
		{"rule by the beginning of a code", VendorError{Status: 429, Code: "RateLimitExceeded.EndpointRPMExceeded"},
			[]Rule{{Code: "ratelimitexceeded*", Kind: KindQuota}}, KindQuota, false},
		{"rule by the middle of a code", VendorError{Status: 400, Code: "OutputTextSensitiveContentDetected.Severe"},
			[]Rule{{Code: "*SensitiveContent*Detected*", Kind: KindContentPolicy}}, KindContentPolicy, false},
		{"rule by both ends of a code that overlap", VendorError{Status: 400, Code: "aba"},
			[]Rule{{Code: "ab*ba", Kind: KindQuota}}, KindBadRequest, false},
		{"rule by the end of a code", VendorError{Status: 400, Code: "TextRiskDetection"},
			[]Rule{{Code: "*Risk", Kind: KindQuota}, {Code: "*x*Detection", Kind: KindQuota}}, KindQuota, false},
		{"rule by all pieces of text", VendorError{Status: 400, Message: "Day limit hit"},
			[]Rule{{Text: []string{"limit", "day"}, Kind: KindQuota}}, KindQuota, false},
		{"rule by one piece of two", VendorError{Status: 400, Message: "limit hit"},
			[]Rule{{Text: []string{"limit", "day"}, Kind: KindQuota}}, KindBadRequest, false},
		{"rule by status", VendorError{Status: 418}, []Rule{{Status: 418, Kind: KindServiceUnavailable, Retry: &no}},
			KindServiceUnavailable, false},
		{"rule with other status", VendorError{Status: 400}, []Rule{{Status: 418, Kind: KindServiceUnavailable}},
			KindBadRequest, false},
		{"empty rule", VendorError{Status: 400}, []Rule{{Kind: KindQuota}}, KindBadRequest, false},
		{"word before status", VendorError{Status: 400, Code: "invalid_api_key"}, nil, KindAuthentication, false},
		{"type as a word", VendorError{Status: 429, Type: "insufficient_quota"}, nil, KindQuota, false},
		{"word before text", VendorError{Status: 400, Code: "string_above_max_length", Message: "too many tokens"}, nil,
			KindBadRequest, false},
		{"max_tokens too large", VendorError{Status: 400,
			Message: "max_tokens is too large: 9. This model's maximum context length is 8"}, nil, KindBadRequest, false},
		{"text", VendorError{Status: 400, Message: "This model's Maximum Context Length is 8192 tokens."}, nil,
			KindContextWindow, false},
		{"text of two pieces", VendorError{Status: 422, Message: "Current length is 9 while limit is 8"}, nil,
			KindContextWindow, false},
		{"text of a local server", VendorError{Status: 500, Message: "exceeds the available context size"}, nil,
			KindContextWindow, false},
		{"no text beside a clear status", VendorError{Status: 503, Message: "context window service is down"}, nil,
			KindServiceUnavailable, true},
		{"text is not looked for in the body", VendorError{Status: 400, Message: "bad", Body: "maximum context length"},
			nil, KindBadRequest, false},
		{"quota beats rate limit", VendorError{Status: 429, Message: "You exceeded your current quota"}, nil, KindQuota,
			false},
		{"low credit as a 400", VendorError{Status: 400, Message: "Your credit balance is too low"}, nil, KindQuota,
			false},
		{"billing in a rate limit", VendorError{Status: 429, Message: "see the billing page"}, nil, KindRateLimit,
			true},
		{"billing in a 400", VendorError{Status: 400, Message: "Billing is not set up"}, nil, KindQuota, false},
		{"never fits", VendorError{Status: 429, Message: "Request too large for gpt"}, nil, KindRateLimit, false},
		{"a number in the message", VendorError{Status: 400, Message: "429 is no colour"}, nil, KindBadRequest, false},
		{"a numeric code beside a real status", VendorError{Status: 400, Code: "503"}, nil, KindBadRequest, false},
		{"in a stream, number", VendorError{Status: 200, Code: "429"}, nil, KindRateLimit, true},
		{"in a stream, number and text", VendorError{Status: 200, Code: "400", Message: "maximum context length"}, nil,
			KindContextWindow, false},
		{"in a stream, weak word", VendorError{Status: 200, Type: "invalid_request_error"}, nil, KindBadRequest, false},
		{"in a stream, text before weak word", VendorError{Status: 200, Type: "invalid_request_error",
			Message: "prompt is too long"}, nil, KindContextWindow, false},
		{"in a stream, nothing known", VendorError{Status: 200, Message: "oops"}, nil, KindInternalServer, true},
		{"weak word beside a real status", VendorError{Status: 401, Type: "invalid_request_error"}, nil,
			KindAuthentication, false},
		{"the vendor says no", VendorError{Status: 500, ShouldRetry: &no}, nil, KindInternalServer, false},
		{"the vendor says yes", VendorError{Status: 400, ShouldRetry: &yes}, nil, KindBadRequest, true},
		{"quota whatever the vendor says", VendorError{Status: 429, Code: "insufficient_quota", ShouldRetry: &yes}, nil,
			KindQuota, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := Judge(&test.error, test.rules)
			if got.Kind != test.kind || got.Retryable != test.retry || got.StatusCode != test.error.Status ||
				got.Message == "" {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func TestJudgeByStatus(t *testing.T) {
	tests := []struct {
		kind     Kind
		retry    bool
		statuses []int
	}{
		{KindBadRequest, false, []int{300, 307, 400, 405, 406, 411, 413, 415, 418, 431}},
		{KindAuthentication, false, []int{401}}, {KindQuota, false, []int{402}}, {KindPermission, false, []int{403}},
		{KindNotFound, false, []int{404, 410}}, {KindTimeout, true, []int{408, 504, 522, 524}}, {KindConflict, true,
			[]int{409}},
		{KindUnprocessable, false, []int{422}}, {KindRateLimit, true, []int{425, 429}}, {KindConnection, false,
			[]int{499}},
		{KindServiceUnavailable, true, []int{498, 502, 503, 520, 521, 523, 529}},
		{KindInternalServer, true, []int{500, 507, 599}}, {KindInternalServer, false, []int{501, 505}},
	}
	for _, test := range tests {
		for _, status := range test.statuses {
			if got := Judge(&VendorError{Status: status}, nil); got.Kind != test.kind || got.Retryable != test.retry {
				t.Errorf("%d: %s, retryable %v", status, got.Kind, got.Retryable)
			}
		}
	}
}

// Every word of the tables leads to its own kind: no word stands in two groups, and all are lower case.
func TestJudgeTables(t *testing.T) {
	known := map[Kind]bool{}
	for _, kind := range Kinds() {
		known[kind] = true
	}
	seen := map[string]bool{}
	for _, group := range append(strongWords(), weakWords()...) {
		for _, word := range group.words {
			if seen[word] || word != strings.ToLower(word) || !known[group.kind] {
				t.Errorf("%q of %s occurs twice, is not lower case, or has an unknown kind", word, group.kind)
			}
			seen[word] = true
		}
	}
	for _, test := range append(requestSentences(), quotaSentences()...) {
		for _, piece := range test.pieces {
			if piece == "" || piece != strings.ToLower(piece) || !known[test.kind] {
				t.Errorf("%q of %s is empty, not lower case, or has an unknown kind", piece, test.kind)
			}
		}
	}
}

func TestJudgeCarries(t *testing.T) {
	wait := 2.5
	got := Judge(&VendorError{
		Provider: "p", Model: "m", Status: 429, Type: "slow", Param: "x", Message: "Incorrect API key provided: sk-abc1***xyz9.",
		RequestID: "r", RetryAfter: &wait, Body: `{"m":"sk-abc1***xyz9"}`,
	}, nil)
	if got.Provider != "p" || got.Model != "m" || got.Code != "slow" || got.Param != "x" || got.RequestID != "r" ||
		*got.RetryAfter != 2.5 ||
		got.Message != "Incorrect API key provided: [redacted]." || got.Body != `{"m":"[redacted]"}` {
		t.Errorf("got %+v", got)
	}
}

func TestMaskKeys(t *testing.T) {
	tests := []struct{ text, want string }{
		{"key sk-proj-AbC123_x-9 bad", "key [redacted] bad"},
		{"sk-abcd1234", "[redacted]"},
		{"(gsk_abc123456)", "([redacted])"},
		{"AIzaSyA1234567890, and xai-1234567", "[redacted], and [redacted]"},
		{"abcd******wxyz.", "[redacted]."},
		{"Bearer hf_AbCdEf123", "Bearer [redacted]"},
		{"sk-learn is a package", "sk-learn is a package"},
		{"**bold** and *** and ********", "**bold** and *** and ********"},
		{"max_tokens of gpt-4o-2024-08-06", "max_tokens of gpt-4o-2024-08-06"},
		{"", ""},
	}
	for _, test := range tests {
		if got := MaskKeys(test.text); got != test.want {
			t.Errorf("%q became %q, expected %q", test.text, got, test.want)
		}
	}
}
