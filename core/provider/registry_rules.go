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
