package llm

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Rule says what one of a vendor's own error words means. All conditions that are given must hold.
type Rule struct {
	Status int      `json:"status,omitempty"` // HTTP status
	Code   string   `json:"code,omitempty"`   // equals the error's code or type, in any case; * stands for any letters
	Text   []string `json:"text,omitempty"`   // every piece occurs in the message; lower case
	Kind   Kind     `json:"kind"`
	Retry  *bool    `json:"retry,omitempty"` // default: as the kind has it
}

// Judge decides what a vendor's error means: its kind, and whether the same request may be sent again. Most telling
// first: the vendor's own rules, words that vendors share, sentences, weak words, the status. Only code, type and
// message are looked at, never the whole body, because many servers echo the prompt in it and a prompt may say
// anything.
func Judge(v *VendorError, rules []Rule) *Error {
	status := v.Status
	for _, said := range []string{v.Type, v.Code} { // an error inside a successful answer may name its status
		if number, err := strconv.Atoi(said); v.Status < 400 && err == nil && number >= 400 && number <= 599 {
			status = number
		}
	}
	message := strings.ToLower(v.Message)
	kind, retry := verdict(v, rules, status, message)
	judged := &Error{
		Kind: kind, Message: MaskKeys(v.Message), Provider: v.Provider, Model: v.Model, StatusCode: v.Status, Code: v.Code,
		Param: v.Param, RequestID: v.RequestID, RetryAfter: v.RetryAfter, Retryable: retry, Body: MaskKeys(v.Body),
	}
	if judged.Code == "" {
		judged.Code = v.Type
	}
	if judged.Message == "" {
		judged.Message = fmt.Sprintf("the vendor answered with HTTP status %d and no message", v.Status)
	}
	if judged.RetryAfter == nil && (kind == KindRateLimit || kind == KindServiceUnavailable) {
		judged.RetryAfter = waitIn(message)
	}
	if v.ShouldRetry != nil && kind != KindQuota {
		judged.Retryable = *v.ShouldRetry
	}
	return judged
}

func verdict(v *VendorError, rules []Rule, status int, message string) (Kind, bool) {
	for _, rule := range rules {
		if rule.matches(v, status, message) {
			if rule.Retry != nil {
				return rule.Kind, *rule.Retry
			}
			return rule.Kind, retryable(rule.Kind, status, message)
		}
	}
	kind, ok := byWord(strongWords(), v)
	if !ok {
		kind, ok = byText(status, message)
	}
	if !ok && status < 400 {
		kind, ok = byWord(weakWords(), v)
	}
	if !ok {
		kind = byStatus(status)
	}
	return kind, retryable(kind, status, message)
}

func (r *Rule) matches(v *VendorError, status int, message string) bool {
	if r.Status != 0 && r.Status != status {
		return false
	}
	if r.Code != "" && !likeWord(r.Code, v.Code) && !likeWord(r.Code, v.Type) {
		return false
	}
	for _, piece := range r.Text {
		if !strings.Contains(message, piece) {
			return false
		}
	}
	return r.Status != 0 || r.Code != "" || len(r.Text) > 0
}

// likeWord compares a vendor's word with a pattern.
func likeWord(pattern, word string) bool {
	word = strings.ToLower(word)
	pieces := strings.Split(strings.ToLower(pattern), "*")
	first, last := pieces[0], pieces[len(pieces)-1]
	if len(pieces) == 1 {
		return word == first
	}
	if len(word) < len(first)+len(last) || !strings.HasPrefix(word, first) || !strings.HasSuffix(word, last) {
		return false
	}
	word = word[len(first) : len(word)-len(last)]
	for _, piece := range pieces[1 : len(pieces)-1] {
		_, rest, found := strings.Cut(word, piece)
		if !found {
			return false
		}
		word = rest
	}
	return true
}

// retryable tells whether the same request may succeed later.
func retryable(kind Kind, status int, message string) bool {
	switch kind {
	case KindRateLimit:
		return !strings.Contains(message, "request too large") // more than the limit of a whole minute: never fits
	case KindTimeout, KindServiceUnavailable, KindConflict:
		return true
	case KindInternalServer:
		return status != 501 && status != 505
	}
	return false
}

func byStatus(status int) Kind {
	switch status {
	case 401:
		return KindAuthentication
	case 402:
		return KindQuota
	case 403:
		return KindPermission
	case 404, 410:
		return KindNotFound
	case 408, 504, 522, 524:
		return KindTimeout
	case 409:
		return KindConflict
	case 422:
		return KindUnprocessable
	case 425, 429:
		return KindRateLimit
	case 498, 502, 503, 520, 521, 523, 529:
		return KindServiceUnavailable
	case 499:
		return KindConnection
	}
	if status >= 500 || status < 300 {
		return KindInternalServer // below 300: an error inside a successful answer that says nothing about itself
	}
	return KindBadRequest
}

type wordGroup struct {
	kind  Kind
	words []string
}

// strongWords are codes and types whose meaning does not depend on the status.
func strongWords() []wordGroup {
	return []wordGroup{
		{KindContextWindow, []string{"context_length_exceeded", "exceed_context_size_error",
			"model_context_window_exceeded"}},
		{KindContentPolicy, []string{
			"content_policy_violation", "content_filter", "responsibleaipolicyviolation", "moderation_blocked",
			"data_inspection_failed", "sensitivecontentdetected", "prohibited_content",
		}},
		{KindBadRequest, []string{
			"string_above_max_length", "unsupported_parameter", "unsupported_value", "invalid_value", "tool_use_failed",
		}},
		{KindNotFound, []string{"model_not_found", "deploymentnotfound", "invalid_model"}},
		{KindAuthentication, []string{"invalid_api_key", "api_key_invalid", "authentication", "authentication_error"}},
		{KindQuota, []string{"insufficient_quota", "billing_hard_limit_reached", "insufficient_balance",
			"payment_required"}},
		{KindRateLimit, []string{"rate_limit_exceeded", "rate_limited", "rate_limit_error"}},
		{KindServiceUnavailable, []string{
			"overloaded", "overloaded_error", "provider_overloaded", "provider_unavailable", "engine_overloaded_error",
		}},
	}
}

// weakWords are types so broad that a real status says more; they decide inside a successful answer.
func weakWords() []wordGroup {
	return []wordGroup{
		{KindBadRequest, []string{
			"invalid_request_error", "invalid_request", "badrequesterror", "bad_request", "invalid_argument", "invalid_prompt",
			"unprocessable", "payload_too_large", "precondition_failed",
		}},
		{KindPermission, []string{"permission_denied", "permission_error", "permissiondeniederror"}},
		{KindNotFound, []string{"not_found", "not_found_error", "notfounderror"}},
		{KindTimeout, []string{"timeout", "timeout_error", "deadline_exceeded"}},
		{KindRateLimit, []string{"requests", "tokens", "resource_exhausted", "too_many_requests"}},
		{KindServiceUnavailable, []string{"service_unavailable", "unavailable", "unavailable_error"}},
		{KindInternalServer, []string{"server_error", "internal_error", "internal_server_error", "server",
			"api_error"}},
	}
}

func byWord(groups []wordGroup, v *VendorError) (Kind, bool) {
	for _, said := range []string{v.Code, v.Type} {
		said = strings.ToLower(said)
		for _, group := range groups {
			if said != "" && slices.Contains(group.words, said) {
				return group.kind, true
			}
		}
	}
	return "", false
}

type sentence struct {
	kind   Kind
	pieces []string // all of them occur
}

// requestSentences are phrases of messages about a request that will not do. They are trusted only with the statuses
// that such messages come with.
func requestSentences() []sentence {
	return []sentence{
		{KindBadRequest, []string{"max_tokens is too large"}},
		{KindBadRequest, []string{"string too long"}},
		{KindContextWindow, []string{"context_length_exceeded"}},
		{KindContextWindow, []string{"maximum context length"}},
		{KindContextWindow, []string{"context window"}},
		{KindContextWindow, []string{"prompt is too long"}},
		{KindContextWindow, []string{"exceed context limit"}},
		{KindContextWindow, []string{"exceeds the maximum number of tokens allowed"}},
		{KindContextWindow, []string{"input tokens exceed the configured limit"}},
		{KindContextWindow, []string{"is longer than the model's context length"}},
		{KindContextWindow, []string{"exceeds the available context size"}},
		{KindContextWindow, []string{"too large for model with"}},
		{KindContextWindow, []string{"maximum input length is", "tokens"}},
		{KindContextWindow, []string{"current length is", "while limit is"}},
		{KindContextWindow, []string{"`inputs` tokens + `max_new_tokens` must be"}},
		{KindContextWindow, []string{"input length exceeds the context length"}},
		{KindContextWindow, []string{"reduce the length of the messages"}},
		{KindContextWindow, []string{"too many tokens"}},
		{KindContentPolicy, []string{"content_policy_violation"}},
		{KindContentPolicy, []string{"content management policy"}},
		{KindContentPolicy, []string{"rejected as a result of our safety system"}},
		{KindContentPolicy, []string{"violating our usage policy"}},
		{KindContentPolicy, []string{"output blocked by content filtering policy"}},
		{KindContentPolicy, []string{"moderation"}},
		{KindContentPolicy, []string{"prohibited_content"}},
		{KindNotFound, []string{"model_not_found"}},
		{KindNotFound, []string{"invalid model"}},
		{KindNotFound, []string{"not a valid model id"}},
		{KindNotFound, []string{"model", "does not exist"}},
		{KindAuthentication, []string{"api key not valid"}},
		{KindAuthentication, []string{"invalid api key"}},
		{KindAuthentication, []string{"incorrect api key"}},
		{KindAuthentication, []string{"api_key_invalid"}},
	}
}

// quotaSentences also turn a 429 into an error that waiting does not cure.
func quotaSentences() []sentence {
	return []sentence{
		{KindQuota, []string{"insufficient_quota"}},
		{KindQuota, []string{"exceeded your current quota"}},
		{KindQuota, []string{"credit balance is too low"}},
		{KindQuota, []string{"insufficient balance"}},
		{KindQuota, []string{"insufficient credits"}},
		{KindQuota, []string{"billing hard limit"}},
		{KindQuota, []string{"usage limit", "regain"}},
		{KindQuota, []string{"overdue"}},
		{KindQuota, []string{"arrears"}},
	}
}

// byText reads the message. Where a status leaves no doubt (401, 404, 503) the words are not looked at. "billing" alone
// is telling only where the vendor refused the request as such: rate-limit messages link to billing pages.
func byText(status int, message string) (Kind, bool) {
	switch {
	case status == 400 || status == 413 || status == 422 || status == 500 || status < 400:
		tests := append(quotaSentences(), requestSentences()...)
		if status == 400 {
			tests = append(tests, sentence{KindQuota, []string{"billing"}})
		}
		return firstSentence(tests, message)
	case status == 403 || status == 429:
		return firstSentence(quotaSentences(), message)
	}
	return "", false
}

func firstSentence(tests []sentence, message string) (Kind, bool) {
	for _, test := range tests {
		all := true
		for _, piece := range test.pieces {
			all = all && strings.Contains(message, piece)
		}
		if all {
			return test.kind, true
		}
	}
	return "", false
}
