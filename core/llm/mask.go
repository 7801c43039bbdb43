package llm

import "strings"

// MaskKeys replaces everything that looks like an API key. Vendors repeat the refused key in their message, whole or
// with stars in the middle, and messages end in logs.
func MaskKeys(text string) string {
	var masked strings.Builder
	kept := 0
	for start := 0; start < len(text); {
		if !isKeyByte(text[start]) {
			start++
			continue
		}
		end := start
		for end < len(text) && isKeyByte(text[end]) {
			end++
		}
		word := strings.TrimRight(text[start:end], ".")
		if looksLikeKey(word) {
			masked.WriteString(text[kept:start])
			masked.WriteString("[redacted]")
			kept = start + len(word)
		}
		start = end
	}
	if kept == 0 {
		return text
	}
	masked.WriteString(text[kept:])
	return masked.String()
}

func isKeyByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '*' ||
		c == '.'
}

// looksLikeKey knows the prefixes of the vendors' keys, and words with a starred middle.
func looksLikeKey(word string) bool {
	if len(word) < 8 {
		return false
	}
	if strings.Contains(word, "***") && strings.Trim(word, "*") != "" {
		return true
	}
	for _, prefix := range []string{
		"sk-", "sk_", "rk-", "pk-", "gsk_", "xai-", "csk-", "fw_", "nvapi-", "hf_", "pplx-", "tgp_v1_", "AIza", "sess-",
	} {
		if strings.HasPrefix(word, prefix) && len(word) >= len(prefix)+5 &&
			strings.ContainsAny(word[len(prefix):], "0123456789*") {
			return true
		}
	}
	return false
}
