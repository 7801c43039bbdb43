package fake

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

const applicationJSON = "application/json"

// status is that of a good answer.
func (s *Script) status() int {
	if s.Status == 0 {
		return http.StatusOK
	}
	return s.Status
}

// fails reports whether the script answers with its own body, or with an error, in place of the model.
func (s *Script) fails() bool {
	return s.Body != nil || s.status() > 299 || s.status() == http.StatusNoContent
}

// failure sends the script's status and body, or an error object where there is none.
func (o *output) failure() error {
	body, contentType := []byte(o.script.Body), applicationJSON
	var text string
	switch {
	case body == nil:
		body = errorBody(o.script.status(), "", "")
	case json.Unmarshal(body, &text) == nil:
		body, contentType = []byte(text), "text/plain; charset=utf-8"
	}
	return o.document(o.script.status(), contentType, body)
}

// document sends a body that is one piece, or as much of it as the script's end leaves.
func (o *output) document(status int, contentType string, body []byte) error {
	if status == http.StatusNoContent || status == http.StatusNotModified {
		return o.header(status, contentType, -1)
	}
	end := o.script.End
	switch end {
	case EndError:
		body = o.script.errorObject()
	case EndGarbage:
		body = []byte(o.script.Garbage)
	}
	length := len(body)
	if end == EndTruncate || end == EndOpen {
		length = -1
	}
	if err := o.header(status, contentType, length); err != nil {
		return err
	}
	if o.script.FirstDelay > 0 {
		if err := o.write(nil); err != nil {
			return err
		}
		if err := o.sleep(seconds(o.script.FirstDelay)); err != nil {
			return err
		}
	}
	half := body[:len(body)/2]
	switch end {
	case EndTruncate:
		return o.writeLast(half)
	case EndCut, EndReset, EndStall:
		if err := o.write(half); err != nil {
			return err
		}
		if end == EndStall {
			return o.stall(false)
		}
		return o.end(nil, doneEvent)
	case EndOpen:
		if err := o.write(body); err != nil {
			return err
		}
		return o.stall(false)
	}
	return o.writeLast(body)
}

// refuse answers a request that is wrong, whatever its script says.
func (o *output) refuse(status int, message, code string) error {
	o.script = new(Script)
	return o.document(status, applicationJSON, errorBody(status, message, code))
}

// fail answers a request that could not be read, if its client is still there.
func (o *output) fail(err error) error {
	if wrong, ok := err.(*refusal); ok {
		return o.refuse(wrong.status, wrong.message, "")
	}
	return err
}

// errorObject is what the script's end "error" sends.
func (s *Script) errorObject() []byte {
	if s.Error != nil {
		return fmt.Appendf(nil, `{"error":%s}`, s.Error)
	}
	return errorBody(http.StatusInternalServerError, "", "")
}

// errorBody is an error as OpenAI writes it. What is not given is what OpenAI says with that status.
//
// https://platform.openai.com/docs/guides/error-codes
func errorBody(status int, message, code string) []byte {
	kind, word := "invalid_request_error", ""
	switch status {
	case http.StatusUnauthorized:
		word = "invalid_api_key"
	case http.StatusPaymentRequired:
		kind, word = "insufficient_quota", "insufficient_quota"
	case http.StatusNotFound:
		word = "model_not_found"
	case http.StatusTooManyRequests:
		kind, word = "requests", "rate_limit_exceeded"
	case http.StatusServiceUnavailable:
		kind, word = "server_error", "overloaded"
	default:
		if status >= 500 {
			kind = "server_error"
		}
	}
	object := errorObject{
		Message: cmp.Or(message, fmt.Sprintf("The script answers with status %d %s.", status, http.StatusText(status))),
		Type:    kind,
	}
	if word = cmp.Or(code, word); word != "" {
		object.Code = &word
	}
	return marshal(map[string]errorObject{"error": object})
}

type errorObject struct {
	Message string  `json:"message"`
	Type    string  `json:"type"`
	Param   *string `json:"param"`
	Code    *string `json:"code"`
}

// models answers GET .../models.
func (s *Server) models(out *output, script *Script, _ *question) error {
	list := modelList{Object: "list"}
	for _, name := range []string{"echo", script.Model} {
		if name != "" {
			list.Data = append(list.Data, newModel(name))
		}
	}
	return out.document(script.status(), applicationJSON, marshal(list))
}

// model answers GET .../models/NAME. Every name is a model here, as it is in a chat.
func (s *Server) model(out *output, script *Script, asked *question) error {
	_, name, _ := strings.Cut(asked.path, "/models/")
	return out.document(script.status(), applicationJSON, marshal(newModel(name)))
}

type modelList struct {
	Object string  `json:"object"`
	Data   []model `json:"data"`
}

type model struct {
	ID      string `json:"id"`
	Object  string `json:"object"`
	Created int64  `json:"created"`
	OwnedBy string `json:"owned_by"`
}

func newModel(name string) model { return model{name, "model", 1700000000, "fake"} }
