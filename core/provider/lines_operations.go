package provider

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"strconv"

	"pyagent/core/llm"
)

// bodyDecoder decodes an operation that is answered with one JSON object, never a stream.
type bodyDecoder struct {
	call    Call
	finish  llm.Finish
	done    bool
	started bool
	read    func(d *bodyDecoder, body []byte, emit func(llm.Event)) error
}

func newBodyDecoder(call Call, read func(d *bodyDecoder, body []byte, emit func(llm.Event)) error) *bodyDecoder {
	return &bodyDecoder{call: call, read: read}
}

// Event refuses a stream.
func (d *bodyDecoder) Event(_ string, data []byte, _ func(llm.Event)) (bool, error) {
	return false, llm.Errorf(llm.KindParse, "the answer to the operation %q is a stream; it begins with %s", d.call.Request.Op,
		excerpt(data))
}

// Body translates the answer.
func (d *bodyDecoder) Body(body []byte, emit func(llm.Event)) error {
	body, err := wholeObject(body)
	if err != nil {
		return err
	}
	failed := false
	llm.Members(body, func(key, value []byte) {
		failed = failed || string(key) == "error" && hasError(value) || string(key) == "success" && string(value) == "false"
	})
	if failed {
		return vendorError(d.call, 200, body)
	}
	if err := d.read(d, body, emit); err != nil {
		return err
	}
	d.done = true
	d.begin(emit)
	return nil
}

// End sums up.
func (d *bodyDecoder) End(func(llm.Event)) (llm.Finish, bool) {
	d.finish.Provider = d.call.Row.Name
	return d.finish, d.done
}

func (d *bodyDecoder) begin(emit func(llm.Event)) {
	if !d.started {
		d.started = true
		emit(llm.Event{Kind: llm.EventStart, Data: &llm.Start{Model: d.finish.Model, Provider: d.call.Row.Name}})
	}
}

func (d *bodyDecoder) setUsage(usage llm.Usage) {
	if usage != (llm.Usage{}) {
		d.finish.Usage = &usage
	}
}

// item delivers one result.
func (d *bodyDecoder) item(data any, emit func(llm.Event)) {
	d.begin(emit)
	emit(llm.Event{Kind: llm.EventItem, Data: data})
}

// vectors delivers embeddings, which come in the order of the inputs.
func (d *bodyDecoder) vectors(vectors []json.RawMessage, emit func(llm.Event)) error {
	d.begin(emit)
	for i, vector := range vectors {
		packed, ok := packVector(vector)
		if !ok {
			return llm.Errorf(llm.KindParse, "vector %d of the answer is no list of numbers; it reads %s", i, excerpt(vector))
		}
		emit(llm.Event{Kind: llm.EventVector, Text: packed})
	}
	return nil
}

// packVector turns a JSON list of numbers into little-endian float32.
func packVector(vector json.RawMessage) ([]byte, bool) {
	packed, ok := make([]byte, 0, len(vector)/2), true
	llm.Elements(vector, func(value []byte) {
		number, err := strconv.ParseFloat(string(value), 32)
		ok = ok && err == nil
		packed = binary.LittleEndian.AppendUint32(packed, math.Float32bits(float32(number)))
	})
	return packed, ok && len(packed) > 0
}

// models delivers a list of models. A model without an id is passed over.
func (d *bodyDecoder) models(body []byte, read func(value []byte) *llm.Model, emit func(llm.Event)) error {
	var all json.RawMessage
	llm.Members(body, func(key, value []byte) {
		if string(key) == "models" {
			all = value
		}
	})
	if absent(all) || all[0] != '[' {
		return llm.Errorf(llm.KindParse, "the answer has no list of models; it reads %s", excerpt(body))
	}
	d.begin(emit)
	llm.Elements(all, func(value []byte) {
		if model := read(value); model.ID != "" {
			d.item(model, emit)
		}
	})
	return nil
}
