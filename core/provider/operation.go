package provider

import (
	"bytes"

	"pyagent/core/llm"
)

// wholeDecoder decodes the answer to an operation that is no chat: one JSON document, never a stream. What the operation is
// about is read by read, which emits the results and sets what it learns of finish.
type wholeDecoder struct {
	call    Call
	read    func(d *wholeDecoder, body []byte) error
	sink    func(llm.Event)
	finish  llm.Finish
	started bool
	done    bool
}

// Event fails: nobody asked for a stream.
func (d *wholeDecoder) Event(_ string, data []byte, _ func(llm.Event)) (bool, error) {
	if hasError(parseErrorKey(data)) {
		return false, vendorError(d.call, 200, data)
	}
	return false, llm.Errorf(llm.KindParse, "the answer is a stream, which was not asked for; it begins with %s", excerpt(data))
}

// Body decodes the answer.
func (d *wholeDecoder) Body(body []byte, emit func(llm.Event)) error {
	d.sink = emit
	body, err := wholeBody(body)
	if err != nil {
		return err
	}
	if hasError(parseErrorKey(body)) {
		return vendorError(d.call, 200, body)
	}
	if d.call.Request != nil && d.call.Request.IncludeRaw {
		emit(llm.Event{Kind: llm.EventRaw, Data: kept(body)})
	}
	if err := d.read(d, body); err != nil {
		return err
	}
	d.start()
	d.done = true
	return nil
}

// End sums up.
func (d *wholeDecoder) End(func(llm.Event)) (llm.Finish, bool) {
	d.finish.Provider = d.call.Row.Name
	return d.finish, d.done
}

func (d *wholeDecoder) emit(event llm.Event) {
	d.start()
	d.sink(event)
}

func (d *wholeDecoder) start() {
	if !d.started {
		d.started = true
		d.sink(llm.Event{Kind: llm.EventStart, Data: &llm.Start{
			ID: d.finish.ID, Model: d.finish.Model, Provider: d.call.Row.Name,
		}})
	}
}

// wholeBody checks that a one-shot answer is JSON, and trims it: DeepSeek keeps the connection alive with blank lines.
func wholeBody(body []byte) ([]byte, error) {
	body = bytes.TrimSpace(body)
	if len(body) == 0 {
		return nil, llm.Errorf(llm.KindParse, "the answer is empty")
	}
	if body[0] != '{' && body[0] != '[' {
		return nil, llm.Errorf(llm.KindParse, "the answer is not JSON but reads %s", excerpt(body))
	}
	if err := checkJSON(body); err != nil {
		return nil, llm.Errorf(llm.KindParse, "the answer is not valid JSON: %s; it reads %s", err, excerpt(body))
	}
	return body, nil
}

// parseErrorKey is the error key of a body, in a list or not.
func parseErrorKey(body []byte) (found []byte) {
	read := func(key, value []byte) {
		if string(key) == "error" {
			found = value
		}
	}
	if body = bytes.TrimSpace(body); len(body) > 0 && body[0] == '[' {
		llm.Elements(body, func(value []byte) { llm.Members(value, read) })
		return found
	}
	llm.Members(body, read)
	return found
}
