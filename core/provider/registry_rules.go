package provider

import "pyagent/core/llm"

// openRouterRules: https://openrouter.ai/docs/api-reference/errors. Its error_type words are stable, its status is
// often that of the vendor behind it.
func openRouterRules() []llm.Rule {
	return []llm.Rule{
		{Code: "token_limit_exceeded", Kind: llm.KindContextWindow},
		{Code: "max_tokens_exceeded", Kind: llm.KindBadRequest},
		{Code: "string_too_long", Kind: llm.KindBadRequest},
		{Code: "invalid_prompt", Kind: llm.KindBadRequest},
		{Code: "content_policy_violation", Kind: llm.KindContentPolicy},
		{Code: "refusal", Kind: llm.KindContentPolicy},
		{Text: []string{"token limit reached"}, Kind: llm.KindContextWindow},
		{Text: []string{"is not a valid model id"}, Kind: llm.KindNotFound},
		{Text: []string{"free-models-per-day"}, Kind: llm.KindQuota},
		{Text: []string{"key limit exceeded"}, Kind: llm.KindQuota},
		{Text: []string{"requires more credits"}, Kind: llm.KindQuota},
	}
}

// responsesRules are the codes of an answer that failed: https://platform.openai.com/docs/api-reference/responses/object
func responsesRules() []llm.Rule {
	return codeRules([]kindCodes{
		{llm.KindContentPolicy, []string{"invalid_prompt", "bio_policy", "*_policy_violation"}},
		{llm.KindBadRequest, []string{
			"invalid_image*", "invalid_base64_image", "image_too_*", "image_parse_error", "unsupported_image_media_type",
			"empty_image_file", "failed_to_download_image", "image_file_*", "invalid_encrypted_content",
		}},
		{llm.KindTimeout, []string{"vector_store_timeout"}},
	})
}

// ollamaRules: Ollama has no codes, only sentences, and in a stream not even a status.
func ollamaRules() []llm.Rule {
	return []llm.Rule{
		{Text: []string{"not found, try pulling it first"}, Kind: llm.KindNotFound},
		{Text: []string{"does not support tools"}, Kind: llm.KindBadRequest},
		{Text: []string{"does not support thinking"}, Kind: llm.KindBadRequest},
		{Text: []string{"does not support chat"}, Kind: llm.KindBadRequest},
		{Text: []string{"exceeds the context length"}, Kind: llm.KindContextWindow},
		{Text: []string{"exceeds maximum context length"}, Kind: llm.KindContextWindow},
		{Text: []string{"reached your", "usage limit"}, Kind: llm.KindQuota},
		{Text: []string{"server busy, please try again"}, Kind: llm.KindServiceUnavailable},
	}
}

// puterRules are the codes of Puter's server. An upstream is the vendor behind it, whose outages are reported with a 400.
func puterRules() []llm.Rule {
	rules := []llm.Rule{
		{Code: "login_refused", Kind: llm.KindAuthentication},
		{Text: []string{"model not found"}, Kind: llm.KindNotFound},
		{Text: []string{"message is not allowed"}, Kind: llm.KindContentPolicy},
	}
	return append(rules, codeRules([]kindCodes{
		{llm.KindAuthentication, []string{
			"token_missing", "token_auth_failed", "token_invalid", "token_expired", "reauth_required", "unauthorized",
			"password_required", "password_mismatch", "account_suspended",
		}},
		{llm.KindQuota, []string{"insufficient_funds", "subscription_required", "usage_limited_chat", "usage_limited"}},
		{llm.KindPermission, []string{
			"forbidden", "permission_denied", "app_or_api_token_required", "email_must_be_confirmed", "account_is_not_verified",
		}},
		{llm.KindContentPolicy, []string{"moderation_flagged"}},
		{llm.KindNotFound, []string{"not_found"}},
		{llm.KindServiceUnavailable, []string{"upstream_provider_unavailable", "upstream_failed"}},
		{llm.KindRateLimit, []string{"too_many_requests", "upstream_rate_limited"}},
		{llm.KindInternalServer, []string{"upstream_auth_failed", "internal_error"}},
	})...)
}

// kindCodes are the codes of one kind.
type kindCodes struct {
	kind  llm.Kind
	codes []string
}

func codeRules(groups []kindCodes) []llm.Rule {
	var rules []llm.Rule
	for _, group := range groups {
		for _, code := range group.codes {
			rules = append(rules, llm.Rule{Code: code, Kind: group.kind})
		}
	}
	return rules
}

// anthropicRules: https://docs.claude.com/en/api/errors. In a stream there is only the type; elsewhere the status agrees.
func anthropicRules() []llm.Rule {
	return []llm.Rule{
		{Code: "billing_error", Kind: llm.KindQuota},
		{Code: "request_too_large", Kind: llm.KindBadRequest},
	}
}

// zaiRules are Z.ai's business codes, which decide whatever the HTTP status: https://docs.z.ai/api-reference/api-code
func zaiRules() []llm.Rule {
	return codeRules([]kindCodes{
		{llm.KindAuthentication, []string{"1000", "1001", "1002", "1003", "1004"}},
		{llm.KindPermission, []string{"1110", "1111", "1112", "1121", "1220", "1311"}},
		{llm.KindQuota, []string{"1113", "1304", "1308", "1309", "1310"}},
		{llm.KindInternalServer, []string{"1120", "1230", "1234", "500"}},
		{llm.KindBadRequest, []string{"1210", "1212", "1213", "1214", "1215"}},
		{llm.KindNotFound, []string{"1211", "1221", "1222"}},
		{llm.KindContextWindow, []string{"1261"}},
		{llm.KindContentPolicy, []string{"1300", "1301"}},
		{llm.KindRateLimit, []string{"1302", "1303", "1305", "1313"}},
		{llm.KindServiceUnavailable, []string{"1312"}},
	})
}

// arkRules are Ark's codes, of which only the part before a dot is always there: https://www.volcengine.com/docs/82379/1299023
// The first rule that matches decides, so that what is special comes first.
func arkRules() []llm.Rule {
	rules := []llm.Rule{
		{Code: "InvalidParameter*", Text: []string{"exceed max message tokens"}, Kind: llm.KindContextWindow},
		{Code: "InvalidParameter*", Text: []string{"input length", "exceed"}, Kind: llm.KindContextWindow},
		{Code: "InvalidParameter*", Text: []string{"context", "exceed"}, Kind: llm.KindContextWindow},
	}
	return append(rules, codeRules([]kindCodes{
		{llm.KindContextWindow, []string{"OutofContextError"}},
		{llm.KindContentPolicy, []string{"*SensitiveContentDetected*", "*RiskDetection"}},
		{llm.KindNotFound, []string{
			"InvalidEndpoint.ClosedEndpoint", "InvalidEndpoint.NotFound", "InvalidEndpointOrModel.*", "ModelNotOpen", "UnsupportedModel",
			"NotFound*",
		}},
		{llm.KindBadRequest, []string{"MissingParameter*", "InvalidParameter*", "InvalidArgumentError*"}},
		{llm.KindAuthentication, []string{"AuthenticationError", "InvalidAccountStatus"}},
		{llm.KindQuota, []string{
			"AccountOverdueError", "OperationDenied.ServiceOverdue", "QuotaExceeded*", "AccountQuotaExceeded*", "SetLimitExceeded*",
		}},
		{llm.KindPermission, []string{"AccessDenied*", "OperationDenied*"}},
		{llm.KindServiceUnavailable, []string{"ServerOverloaded", "ServiceUnavailable"}},
		{llm.KindRateLimit, []string{"*RateLimitExceeded*", "RequestBurstTooFast", "InflightBatchsizeExceeded"}},
		{llm.KindTimeout, []string{"InferenceServiceConnectionTimeout"}},
		{llm.KindInternalServer, []string{"InternalServiceError"}},
	})...)
}

// googleRules: https://ai.google.dev/gemini-api/docs/troubleshooting. Its status words are broad, so that reasons and
// sentences decide; errorObject.googleDetails finds the reasons.
func googleRules() []llm.Rule {
	return []llm.Rule{
		{Code: "API_KEY_*", Status: 400, Kind: llm.KindAuthentication},
		{Code: "BILLING_DISABLED", Kind: llm.KindQuota},
		{Code: "*PerDay*", Kind: llm.KindQuota},
		{Status: 429, Text: []string{"limit: 0"}, Kind: llm.KindQuota},
		{Code: "*PerMinute*", Kind: llm.KindRateLimit}, // the message may speak of plan and billing all the same
		{Code: "RetryInfo", Status: 429, Kind: llm.KindRateLimit},
		{Text: []string{"api key expired"}, Kind: llm.KindAuthentication},
		{Text: []string{"unregistered callers"}, Kind: llm.KindAuthentication},
		{Text: []string{"user location is not supported"}, Kind: llm.KindPermission},
		{Status: 400, Text: []string{"token count", "exceeds"}, Kind: llm.KindContextWindow},
	}
}
