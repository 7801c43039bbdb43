package provider

import (
	"bytes"
	"encoding/json"
	"strconv"

	"pyagent/core/llm"
)

// object writes a JSON object member by member, in the order of the calls. Encoding by hand keeps the order of keys and
// the bytes of an unchanged prefix stable, which prompt caches and recorded tests depend on, and leaves <, > and &
// alone.
type object struct {
	out   []byte
	empty bool
}

//go:noinline
func newObject(out []byte) *object { return &object{append(out, '{'), true} }

func (o *object) key(name string) {
	if !o.empty {
		o.out = append(o.out, ',')
	}
	o.empty = false
	o.out = append(llm.AppendString(o.out, name), ':')
}

func (o *object) raw(name string, value []byte) {
	o.key(name)
	o.out = append(o.out, bytes.TrimSpace(value)...)
}

func (o *object) text(name, value string) {
	o.key(name)
	o.out = llm.AppendString(o.out, value)
}

func (o *object) members(list []llm.Member) {
	for _, member := range list {
		o.raw(member.Key, member.Value)
	}
}

//go:noinline
func (o *object) end() []byte { return append(o.out, '}') }

func appendStrings(out []byte, list []string) []byte {
	out = append(out, '[')
	for i, text := range list {
		if i > 0 {
			out = append(out, ',')
		}
		out = llm.AppendString(out, text)
	}
	return append(out, ']')
}

// appendFloat writes a number as encoding/json does, without an exponent where people do not expect one.
func appendFloat(out []byte, value float64) ([]byte, error) {
	text, err := json.Marshal(value) // refuses NaN and infinities
	return append(out, text...), err
}

func appendInt(out []byte, value int64) []byte { return strconv.AppendInt(out, value, 10) }

// quoted tells whether a raw JSON value is a string.
func quoted(raw json.RawMessage) bool { return len(raw) > 0 && raw[0] == '"' }

// absent tells whether a raw JSON value is missing or null.
func absent(raw json.RawMessage) bool { return len(raw) == 0 || string(raw) == "null" }

// member writes one member and closes the object.
//
//go:noinline
func (o *object) member(name string, value []byte) json.RawMessage {
	o.raw(name, value)
	return o.end()
}

// compacted is JSON, which must be valid, without white space.
func compacted(raw json.RawMessage) []byte {
	var compact bytes.Buffer
	json.Compact(&compact, raw)
	return compact.Bytes()
}
