package engine

import (
	"fmt"
	"net/url"
	"strings"

	"pyagent/core/llm"
	"pyagent/core/transport"
)

// send sends the request of the attempt. A redirect that keeps the request as it is (307, 308) is followed within the origin,
// which has the key already. All others are errors: see docs/decisions/0002-redirects.md.
func (x *exchange) send() (*transport.Response, *llm.Error) {
	request, client := x.call.encoded, x.call.client
	for followed := int64(0); ; followed++ {
		response, err := client.transport.Resume(x.ctx, x.call.begun, request, x.call.clocks.Connect)
		x.call.begun = nil
		if err != nil || !isRedirect(response) {
			return response, err
		}
		next := sameOrigin(request.URL, response)
		if next == "" {
			return response, nil
		}
		_ = response.Body.Close() // unread: a body that never ends must not hold the call
		if followed >= x.call.sizes.Redirects {
			return nil, &llm.Error{Kind: llm.KindLimit, StatusCode: response.Status, Message: fmt.Sprintf(
				"the server redirects more than %d times (limits.redirects), at last to %s; check base_url", x.call.sizes.Redirects, shown(next))}
		}
		request.URL = next
	}
}

func isRedirect(response *transport.Response) bool {
	return response.Status >= 300 && response.Status < 400 && response.Header["location"] != ""
}

// sameOrigin is where a redirect leads that may be followed, "" for all others.
func sameOrigin(from string, response *transport.Response) string {
	if response.Status != 307 && response.Status != 308 {
		return ""
	}
	base, err := url.Parse(from)
	if err != nil {
		return ""
	}
	next, err := base.Parse(response.Header["location"])
	if err != nil || origin(next) != origin(base) {
		return ""
	}
	next.User, next.Fragment, next.RawFragment = base.User, "", ""
	return next.String()
}

// origin is scheme, host and port (RFC 6454, section 4).
func origin(address *url.URL) string {
	return strings.ToLower(address.Scheme + "://" + address.Hostname() + ":" + transport.PortOf(address))
}

// shown is an address without what may be secret in it.
func shown(address string) string {
	target, err := url.Parse(address)
	if err != nil {
		return "an address that cannot be read"
	}
	target.User, target.RawQuery, target.ForceQuery, target.Fragment, target.RawFragment = nil, "", false, "", ""
	return target.String()
}

func notFollowed(response *transport.Response) *llm.Error {
	reason := "which would drop the request's body"
	if response.Status == 307 || response.Status == 308 {
		reason = "another origin, to which the key would go with it"
	}
	return &llm.Error{Kind: llm.KindBadRequest, StatusCode: response.Status, Message: fmt.Sprintf(
		"the server answers with a redirect (%d) to %s, %s, and is not followed; if that is the right place, make it the base_url",
		response.Status, shown(response.Header["location"]), reason)}
}
