package provider

import "pyagent/core/llm"

// httpRequest is a request to a route below the call's base URL.
func httpRequest(call Call, method, route string, body []byte) (*HTTPRequest, *llm.Error) {
	header, err := requestHeader(call)
	if err != nil {
		return nil, err
	}
	address, err := endpoint(call, route, call.Request.Model)
	if err != nil {
		return nil, err
	}
	if body == nil {
		delete(header, "Content-Type")
	}
	return &HTTPRequest{Method: method, URL: address, Header: header, Body: body}, nil
}
