package provider

import (
	"encoding/json"

	"pyagent/core/llm"
)

// NewDecoder returns a decoder for one answer.
func (openAI) NewDecoder(call Call) Decoder { return &chatDecoder{call: call} }

type chatDecoder struct {
	call Call
	raw  json.RawMessage
}

func (d *chatDecoder) Event(name string, data []byte, emit func(llm.Event)) (bool, error) {
	return false, nil
}
func (d *chatDecoder) Body(body []byte, emit func(llm.Event)) error { return nil }
func (d *chatDecoder) End(emit func(llm.Event)) (llm.Finish, bool)  { return llm.Finish{}, false }
func (openAI) DecodeError(call Call, status int, header map[string]string, body []byte) *llm.VendorError {
	return &llm.VendorError{Status: status}
}
