package fake

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// scriptInPath splits "/script/<percent-encoded JSON>/v1/models" into the script and "/v1/models". It is for clients
// whose base URL is all that can be set. Other paths have no script.
func scriptInPath(path string) (*Script, string, error) {
	after, found := strings.CutPrefix(path, "/script/")
	if !found {
		return nil, path, nil
	}
	encoded, rest, found := strings.Cut(after, "/")
	if !found {
		return nil, "", errors.New("the path ends after the fake script; put the API's path behind it, " +
			"such as /v1/chat/completions")
	}
	text, err := url.PathUnescape(encoded)
	if err != nil {
		return nil, "", fmt.Errorf("the fake script in the path is not percent-encoded JSON: %w", err)
	}
	script, err := ParseScript([]byte(text))
	return script, "/" + rest, err
}

// choose returns the script for a request: the first that exists of those in the body, the header and the path, or else
// the server's own; and of that one the normal form when its failures are used up.
func (s *Server) choose(body json.RawMessage, header string, path *Script) (*Script, error) {
	script := s.script
	var err error
	switch {
	case body != nil && string(body) != "null":
		script, err = ParseScript(body)
	case header != "":
		script, err = ParseScript([]byte(header))
	case path != nil:
		script = path
	}
	if err != nil || script.Key == "" {
		return script, err
	}
	if s.count(script.Key) > int(optional(script.Times, 1)) {
		return script.normal(), nil
	}
	return script, nil
}

// count returns how many requests have brought the key, this one included.
func (s *Server) count(key string) int {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if len(s.counts) >= maxKeys {
		clear(s.counts)
	}
	s.counts[key]++
	return s.counts[key]
}
