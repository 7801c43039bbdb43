package provider

import (
	"strings"

	"pyagent/core/llm"
)

// requestHeader assembles the header of a call: the dialect's own fields, the row's, then the user's.
func requestHeader(call Call) (map[string]string, *llm.Error) {
	header := map[string]string{"Content-Type": "application/json", "Accept": "application/json"}
	if call.Stream {
		header["Accept"] = "text/event-stream"
		if call.Row.Protocol().Framing() == Lines {
			header["Accept"] = "application/x-ndjson"
		}
	}
	for name, value := range call.Row.Headers {
		if err := setHeader(header, name, value); err != nil {
			return nil, err
		}
	}
	if err := authorize(header, call); err != nil {
		return nil, err
	}
	for _, name := range sortedNames(call.ExtraHeaders) {
		if err := setHeader(header, name, call.ExtraHeaders[name]); err != nil {
			return nil, err
		}
	}
	return header, nil
}

// authorize adds the key. A key in the user's own headers is as good as api_key.
func authorize(header map[string]string, call Call) *llm.Error {
	row := call.Row
	if call.APIKey == "" {
		own := row.Auth == "none" || row.KeyOptional || row.Local
		for name := range call.ExtraHeaders {
			own = own || strings.EqualFold(name, "authorization") || strings.EqualFold(name, firstWord(row.Auth, "bearer"))
		}
		if own {
			return nil
		}
		hint := "pass api_key"
		if len(row.KeyEnv) > 0 {
			hint += " or set " + row.KeyEnv[0]
		}
		return llm.Configuration("api_key", "provider %q needs an API key; %s", row.Name, hint)
	}
	if err := CheckKey("api_key", call.APIKey); err != nil {
		return err
	}
	switch row.Auth {
	case "none":
	case "", "bearer":
		header["Authorization"] = "Bearer " + call.APIKey
	case "jwt":
		header["Authorization"] = "Bearer " + keyToken(call.APIKey, call.Now)
	default:
		header[canonical(row.Auth)] = call.APIKey
	}
	return nil
}

// authWays are the ways in which a key can be sent: as a bearer token, as one that is made from it (jwt), in a header of that
// name, or not at all.
func authWays() []string {
	return []string{"bearer", "jwt", "api-key", "x-api-key", "x-goog-api-key", "none"}
}

// CheckKey refuses a key that cannot travel in a header. Go would refuse the whole header and show it; this shows no key, only
// the name of the option that holds it.
func CheckKey(name, key string) *llm.Error {
	if strings.TrimSpace(key) != key {
		return llm.Configuration(name, "%s has white space or a line break at its start or end; strip it", name)
	}
	for i := range len(key) {
		if key[i] < 0x20 || key[i] >= 0x7f {
			return llm.Configuration(name,
				"%s has a character at position %d that an HTTP header cannot carry; check how it was copied", name, i+1)
		}
	}
	return nil
}

func setHeader(header map[string]string, name, value string) *llm.Error {
	if err := checkHeader(name, value); err != nil {
		return err
	}
	header[canonical(name)] = value
	return nil
}

// checkHeader refuses what would break the framing of the request. Values may be secrets and are never shown.
func checkHeader(name, value string) *llm.Error {
	if name == "" {
		return llm.Configuration("extra_headers", "extra_headers has a header without a name")
	}
	for i := range len(name) {
		if !isTokenByte(name[i]) {
			return llm.Configuration("extra_headers",
				"header name %q has the character %q, which a name cannot have; names are letters, digits and dashes", name, name[i])
		}
	}
	for i := range len(value) {
		if c := value[i]; c < 0x20 && c != '\t' || c == 0x7f {
			return llm.Configuration("extra_headers",
				"the value of header %q has a line break or another control character at position %d; remove it", name, i+1)
		}
	}
	switch strings.ToLower(name) {
	case "content-length", "transfer-encoding", "connection", "upgrade", "trailer", "te":
		return llm.Configuration("extra_headers", "header %q frames the request and is set by pyagent; remove it", name)
	}
	return nil
}

// isTokenByte: RFC 9110, section 5.6.2.
func isTokenByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' ||
		strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0
}

// canonical writes a header name as Go's HTTP client does: a capital at the start and after each dash.
func canonical(name string) string {
	letters := []byte(strings.ToLower(name))
	for i, c := range letters {
		if (i == 0 || letters[i-1] == '-') && c >= 'a' && c <= 'z' {
			letters[i] = c - 'a' + 'A'
		}
	}
	return string(letters)
}
