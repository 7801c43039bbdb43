package provider

import (
	"reflect"
	"strings"
	"testing"

	"pyagent/core/llm"
)

func TestRequestHeader(t *testing.T) {
	call := testCall(t, "openai")
	call.Stream = true
	call.Row.Headers = map[string]string{"X-Row": "row", "x-both": "row"}
	call.ExtraHeaders = map[string]string{"http-referer": "https://a", "X-Both": "user", "x-empty": ""}
	got, err := requestHeader(call)
	want := map[string]string{
		"Accept": "text/event-stream", "Content-Type": "application/json", "Authorization": "Bearer test-key",
		"X-Row": "row", "X-Both": "user", "Http-Referer": "https://a", "X-Empty": "",
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestAuthorization(t *testing.T) {
	tests := []struct {
		name, row, key string
		extra          map[string]string
		want           map[string]string
	}{
		{"bearer", "groq", "k1", nil, map[string]string{"Authorization": "Bearer k1"}},
		{"api-key", "azure", "k2", nil, map[string]string{"Api-Key": "k2"}},
		{"none", "echo", "k3", nil, map[string]string{}},
		{"optional", "vllm", "", nil, map[string]string{}},
		{"optional, given", "vllm", "k4", nil, map[string]string{"Authorization": "Bearer k4"}},
		{"the user's own", "openai", "", map[string]string{"authorization": "Basic x"},
			map[string]string{"Authorization": "Basic x"}},
		{"the user's own wins", "openai", "k5", map[string]string{"AUTHORIZATION": "Basic x"},
			map[string]string{"Authorization": "Basic x"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			call := testCall(t, test.row)
			call.APIKey, call.ExtraHeaders = test.key, test.extra
			got, err := requestHeader(call)
			delete(got, "Accept")
			delete(got, "Content-Type")
			if err != nil || !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %v, %v; expected %v", got, err, test.want)
			}
		})
	}
}

// Secrets travel in keys and header values, so errors about them name the place and never show the value.
func TestHeadersRefused(t *testing.T) {
	const secret = "s3cr3t"
	tests := []struct{ name, key, header, value, says string }{
		{"missing key", "", "", "", "OPENAI_API_KEY"},
		{"key with line feed", secret + "\n", "", "", "api_key"},
		{"key with inner control character", secret + "\x00x", "", "", "position 7"},
		{"key with a curly quote", secret + "”", "", "", "position 7"},
		{"key with space", " " + secret, "", "", "white space"},
		{"value with CRLF", "k", "X-A", secret + "\r\nX-B: 1", `"X-A"`},
		{"value with NUL", "k", "X-A", secret + "\x00", `"X-A"`},
		{"name with space", "k", "X A", secret, `"X A"`},
		{"name with colon", "k", "X:", secret, `"X:"`},
		{"name with line feed", "k", "X\nY", secret, `"X\nY"`},
		{"name that is not ASCII", "k", "Ü", secret, "cannot have"},
		{"empty name", "k", "", secret, "without a name"},
		{"framing", "k", "content-Length", secret, "set by pyagent"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			call := testCall(t, "openai")
			call.APIKey = test.key
			if test.value != "" {
				call.ExtraHeaders = map[string]string{test.header: test.value}
			}
			_, _, err := call.Row.Protocol().Encode(call)
			if err == nil || err.Kind != llm.KindConfiguration || !strings.Contains(err.Message, test.says) ||
				strings.Contains(err.Message, secret) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestChatURL(t *testing.T) {
	tests := []struct {
		name, row, base string
		azure           llm.Azure
		want            string
	}{
		{"plain", "openai", "https://h/v1", llm.Azure{}, "https://h/v1/chat/completions"},
		{"trailing slash", "openai", "https://h/v1/", llm.Azure{}, "https://h/v1/chat/completions"},
		{"trailing slashes", "openai", "https://h/v1//", llm.Azure{}, "https://h/v1/chat/completions"},
		{"no path", "openai", "http://h:8080", llm.Azure{}, "http://h:8080/chat/completions"},
		{"already there", "openai", "https://h/v1/chat/completions", llm.Azure{}, "https://h/v1/chat/completions"},
		{"query kept", "openai", "https://h/v1/?b=2&a=%2F", llm.Azure{}, "https://h/v1/chat/completions?b=2&a=%2F"},
		{"fragment dropped", "openai", "https://h/v1#x", llm.Azure{}, "https://h/v1/chat/completions"},
		{"escapes kept", "openai", "https://h/a%2Fb/v1", llm.Azure{}, "https://h/a%2Fb/v1/chat/completions"},
		{"IPv6", "openai", "http://[::1]:1/v1", llm.Azure{}, "http://[::1]:1/v1/chat/completions"},
		{"the row's own", "groq", "", llm.Azure{}, "https://api.groq.com/openai/v1/chat/completions"},
		{"azure resource", "azure", "https://r.openai.azure.com/", llm.Azure{},
			"https://r.openai.azure.com/openai/deployments/m/chat/completions?api-version=2024-10-21"},
		{"azure names", "azure", "https://r/openai", llm.Azure{Deployment: "a b/c", APIVersion: "v9"},
			"https://r/openai/deployments/a%20b%2Fc/chat/completions?api-version=v9"},
		{"azure deployment in the base", "azure", "https://r/openai/deployments/d?api-version=v1", llm.Azure{},
			"https://r/openai/deployments/d/chat/completions?api-version=v1"},
		{"azure v1", "azure", "https://r/openai/v1/", llm.Azure{}, "https://r/openai/v1/chat/completions"},
		{"azure v1 with version", "azure", "https://r/openai/v1", llm.Azure{APIVersion: "preview"},
			"https://r/openai/v1/chat/completions?api-version=preview"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			call := testCall(t, test.row)
			call.BaseURL, call.Azure = test.base, test.azure
			if got, err := endpoint(call, chatRoute(call), "m"); err != nil || got != test.want {
				t.Errorf("got %s, %v; expected %s", got, err, test.want)
			}
		})
	}
}

func TestChatURLRefused(t *testing.T) {
	for _, base := range []string{"", "h/v1", "ftp://h", "http://", "://x", "http://user:passw0rd@", "http://h\n", "http://h/v1\r\nX: 1",
		"http://h/\x7f", "http://user:passw0rd@h/v1", "http://[fe80::1%25\r\n]/"} {
		call := testCall(t, "compatible")
		call.BaseURL = base
		_, err := endpoint(call, chatRoute(call), "m")
		if err == nil || err.Kind != llm.KindConfiguration || err.Param != "base_url" ||
			strings.Contains(err.Message, "passw0rd") {
			t.Errorf("%q: %v", base, err)
		}
	}
}
