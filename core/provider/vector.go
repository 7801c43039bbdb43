package provider

import (
	"encoding/base64"
	"encoding/binary"
	"math"
	"slices"
	"strconv"

	"pyagent/core/llm"
)

// vectors puts the embeddings of one answer together. Servers number them, send them in another order than asked, or leave
// the numbers out.
type vectors struct {
	call Call
	list [][]byte // little-endian float32; nil where none has come yet
}

// expect is how many there must be; 0 where that is not known.
func (v *vectors) expect() int {
	if v.call.Request == nil {
		return 0
	}
	return len(v.call.Request.Input)
}

// add reads one embedding: a list of numbers, or base64 of little-endian float32.
func (v *vectors) add(index int, raw []byte) error {
	limit := v.expect()
	if limit == 0 {
		limit = 1 << 16
	}
	if index >= limit {
		return llm.Errorf(llm.KindParse, "the answer has an embedding with the number %d, but only %d inputs were sent", index, limit)
	}
	for len(v.list) <= index {
		v.list = append(v.list, nil)
	}
	if v.list[index] != nil {
		return llm.Errorf(llm.KindParse, "the answer has two embeddings with the number %d", index)
	}
	vector, err := readVector(raw)
	if err != nil {
		return llm.Errorf(llm.KindParse, "embedding %d of the answer %s", index, err.Error())
	}
	v.list[index] = vector
	return nil
}

// deliver emits the vectors in the order of the inputs. Whether there are as many and as long ones as were asked for, the
// engine checks, for all dialects; which one is missing between the others can be seen only here.
func (v *vectors) deliver(d *wholeDecoder) error {
	if hole := slices.IndexFunc(v.list, func(vector []byte) bool { return vector == nil }); hole >= 0 {
		return llm.Errorf(llm.KindParse, "the answer has no embedding with the number %d", hole)
	}
	for _, vector := range v.list {
		d.emit(llm.Event{Kind: llm.EventVector, Text: vector})
	}
	return nil
}

// badVector says what is wrong with an embedding.
type badVector string

func (b badVector) Error() string { return string(b) }

// readVector reads one embedding and returns it as little-endian float32.
func readVector(raw []byte) ([]byte, error) {
	var vector []byte
	var err error
	switch {
	case quoted(raw):
		vector, err = decodeVector(llm.Unquote(raw))
	case len(raw) > 0 && raw[0] == '[':
		vector, err = parseVector(raw)
	default:
		return nil, badVector("is neither a list of numbers nor base64")
	}
	if err == nil && len(vector) == 0 {
		err = badVector("is empty")
	}
	return vector, err
}

func parseVector(raw []byte) ([]byte, error) {
	vector := make([]byte, 0, len(raw)/2)
	var failed error
	llm.Elements(raw, func(value []byte) {
		number, err := strconv.ParseFloat(string(value), 32)
		if err != nil && failed == nil {
			failed = badVector("has an element that is not a number of 32 bits: " + excerpt(value))
		}
		vector = binary.LittleEndian.AppendUint32(vector, math.Float32bits(float32(number)))
	})
	return vector, failed
}

func decodeVector(text string) ([]byte, error) {
	vector, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, badVector("is a string that is not base64")
	}
	if len(vector)%4 != 0 {
		return nil, badVector("is base64 of " + strconv.Itoa(len(vector)) + " bytes, which are no whole 32-bit numbers")
	}
	const exponent = 0x7f800000
	for at := 0; at < len(vector); at += 4 {
		if binary.LittleEndian.Uint32(vector[at:])&exponent == exponent {
			return nil, badVector("has NaN or an infinity at position " + strconv.Itoa(at/4))
		}
	}
	return vector, nil
}
