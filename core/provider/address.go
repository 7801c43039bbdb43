package provider

import (
	"net/url"
	"strings"
	"sync/atomic"

	"pyagent/core/llm"
)

// chatRoute is the route of chats in OpenAI's protocol.
func chatRoute(call Call) string { return firstWord(call.Row.ChatPath, "/chat/completions") }

// endpoint joins the base URL and the path of a route: with one slash between them, the base's query kept, and a path that
// is already there not doubled.
func endpoint(call Call, route, model string) (string, *llm.Error) {
	base := call.BaseURL
	if base == "" {
		base = call.Row.BaseURL
	}
	if base == "" {
		hint := "give base_url"
		if len(call.Row.BaseURLEnv) > 0 {
			hint += " or set " + call.Row.BaseURLEnv[0]
		}
		return "", llm.Configuration("base_url", "provider %q has no base URL of its own; %s", call.Row.Name, hint)
	}
	parts := addressParts{base, route, model}
	if known := call.Addresses.find(parts); known != "" {
		return known, nil
	}
	address, err := parseBase(base)
	if err != nil {
		return "", err
	}
	path := strings.TrimRight(address.EscapedPath(), "/")
	path = strings.TrimSuffix(path, chatRoute(call)) // a base that names the chat route serves all
	if call.Row.Deployments {
		path = deploymentPath(call, path, model)
		addVersion(call, address, path)
	}
	if !strings.HasSuffix(path, route) {
		path += route
	}
	address.RawPath = path
	if address.Path, _ = url.PathUnescape(path); address.Path == path {
		address.RawPath = ""
	}
	made := address.String()
	call.Addresses.keep(parts, made)
	return made, nil
}

// Addresses remembers where the latest request of a client went: the next one goes there too, nearly always. It may be nil.
type Addresses struct{ latest atomic.Pointer[knownAddress] }

// addressParts are what an address is made of, besides what all calls of a client have in common.
type addressParts struct{ base, route, model string }

type knownAddress struct {
	parts   addressParts
	address string
}

func (a *Addresses) find(parts addressParts) string {
	if a == nil {
		return ""
	}
	if known := a.latest.Load(); known != nil && known.parts == parts {
		return known.address
	}
	return ""
}

func (a *Addresses) keep(parts addressParts, address string) {
	if a != nil {
		a.latest.Store(&knownAddress{parts, address})
	}
}

// parseBase checks a base URL. User names and passwords in it are never shown.
func parseBase(base string) (*url.URL, *llm.Error) {
	for i := range len(base) {
		if base[i] < 0x20 || base[i] == 0x7f {
			return nil, llm.Configuration("base_url",
				"base_url has a line break or another control character at position %d; remove it", i+1)
		}
	}
	address, err := url.Parse(base)
	if err != nil {
		return nil, llm.Configuration("base_url", "base_url is not a URL; it looks like \"https://api.example.com/v1\"")
	}
	if address.Scheme != "http" && address.Scheme != "https" || address.Host == "" {
		return nil, llm.Configuration("base_url",
			"base_url %q must begin with http:// or https:// and a host; it looks like \"https://api.example.com/v1\"", address.Redacted())
	}
	if address.User != nil {
		return nil, llm.Configuration("base_url",
			"base_url %q has a user or password, which would not be sent; put them into extra_headers as Authorization", address.Redacted())
	}
	address.Fragment, address.RawFragment = "", ""
	return address, nil
}

// deploymentPath extends the path of an Azure resource. Bases occur as the bare resource, with /openai, with the
// deployment, and as /openai/v1, where the deployment is named in the body like any model.
func deploymentPath(call Call, path, model string) string {
	before, _, deployed := strings.Cut(path, "/openai/deployments/")
	switch {
	case strings.HasSuffix(path, "/openai/v1"):
		return path
	case call.Request.Op == llm.OpModels: // they belong to the resource
		return strings.TrimSuffix(before, "/openai") + "/openai"
	case deployed:
		return path
	}
	if call.Azure.Deployment != "" {
		model = call.Azure.Deployment
	}
	return strings.TrimSuffix(path, "/openai") + "/openai/deployments/" + url.PathEscape(model)
}

func addVersion(call Call, address *url.URL, path string) {
	version := call.Azure.APIVersion
	if version == "" && !strings.HasSuffix(path, "/openai/v1") {
		version = call.Row.APIVersion
	}
	if query := address.Query(); version != "" && (call.Azure.APIVersion != "" || !query.Has("api-version")) {
		query.Set("api-version", version)
		address.RawQuery = query.Encode()
	}
}
