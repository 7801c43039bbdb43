package provider

import (
	"bytes"
	"fmt"
	"maps"
	"slices"

	"pyagent/core/llm"
)

// body writes one request body, whatever the dialect. extra_body has the last word on every key of the body itself. The
// first failure sticks and is reported at the end.
type body struct {
	call     Call
	request  *llm.Request
	row      *Row
	out      *object
	written  map[string]bool // of the keys of extra_body
	merges   bool            // an object in extra_body is merged into ours, at every depth, instead of taking its place
	warnings []string
	failed   *llm.Error
}

func newBody(call Call) body {
	return body{call: call, request: call.Request, row: call.Row, out: newObject(make([]byte, 0, roomFor(call.Request)))}
}

// roomFor is about as much as a request with the messages takes.
func roomFor(request *llm.Request) int {
	const options, message = 256, 64
	room := options
	for i := range request.Messages {
		room += message + len(request.Messages[i].Text)
	}
	return room
}

// wrote notes that a key of extra_body has its place.
func (b *body) wrote(name string) {
	if len(b.request.ExtraBody) == 0 {
		return
	}
	if b.written == nil {
		b.written = make(map[string]bool)
	}
	b.written[name] = true
}

// put writes one member. A key of extra_body takes its place, whatever it holds: it is the user's last word.
func (b *body) put(name string, write func(out []byte) []byte) {
	b.wrote(name)
	raw, ok := b.request.ExtraBody[name]
	if b.merges && !ok {
		raw, ok = b.request.ExtraBody[snakeCase(name)]
		b.wrote(snakeCase(name))
	}
	if ok && (b.merges || b.request.Merges(name)) {
		raw = mergeJSON(write(nil), raw)
	}
	if ok {
		b.out.raw(name, raw)
		return
	}
	b.out.key(name)
	b.out.out = write(b.out.out)
}

//go:noinline
func (b *body) putText(name, value string) {
	b.put(name, func(out []byte) []byte { return llm.AppendString(out, value) })
}

func (b *body) putRaw(name string, value []byte) {
	b.put(name, func(out []byte) []byte { return append(out, value...) })
}

// end writes what is left of extra_body and closes the object.
func (b *body) end() []byte {
	for _, name := range sortedNames(b.request.ExtraBody) {
		if !b.written[name] {
			b.out.raw(name, b.request.ExtraBody[name])
		}
	}
	return b.out.end()
}

// sortedNames lists the keys of a map in order. It makes nothing of an empty one, which most are.
func sortedNames[V any](of map[string]V) []string {
	if len(of) == 0 {
		return nil
	}
	return slices.Sorted(maps.Keys(of))
}

// refuse fails because the vendor cannot honour an option.
//
//go:noinline
func (b *body) refuse(name, format string, args ...any) {
	b.fail(llm.KindUnsupported, name, format, args...)
}

// wrong fails because an option makes no sense.
//
//go:noinline
func (b *body) wrong(name, format string, args ...any) {
	b.fail(llm.KindConfiguration, name, format, args...)
}

func (b *body) fail(kind llm.Kind, name, format string, args ...any) {
	if b.failed == nil {
		b.failed = llm.Errorf(kind, format, args...)
		b.failed.Param, b.failed.Provider, b.failed.Model = name, b.row.Name, b.request.Model
	}
}

func (b *body) warn(format string, args ...any) {
	b.warnings = append(b.warnings, fmt.Sprintf(format, args...))
}

// warnOnce is warn for what may come up at every message.
func (b *body) warnOnce(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(b.warnings, text) {
		b.warnings = append(b.warnings, text)
	}
}

// warnMark says that marks for the cache are left out.
func (b *body) warnMark() {
	b.warnOnce("%s does not know %s; the marks are left out", b.row.Name, cacheMark)
}

// leaveMarks is for dialects without marks for the cache: it tells the user of those on the parts of a message.
func (b *body) leaveMarks(m *llm.Message) {
	for _, part := range m.Parts {
		if bytes.Contains(part.Raw, []byte(`"`+cacheMark+`"`)) {
			b.warnMark()
		}
	}
}

// leaveKeys tells the user of the keys beside a message or a tool that the vendor does not have.
func (b *body) leaveKeys(of string, keys []llm.Member) {
	for _, key := range keys {
		switch {
		case key.Key == cacheMark:
			b.warnMark()
		case key.Key != "refusal" && hasError(key.Value):
			b.warnOnce("%s has no %q of a %s; it was left out", b.row.Name, key.Key, of)
		}
	}
}

// takes refuses every option that was given and that the dialect has no word for, or the row says it does not take. A
// dialect that writes its body from scratch begins with it, so that nothing is dropped.
func (b *body) takes(names ...string) {
	for _, name := range given(b.request) {
		if !slices.Contains(names, name) || slices.Contains(b.row.Unsupported, name) {
			b.refuse(name, "%s does not take %s; leave it out, or send the vendor's own field with extra_body", b.row.Name, name)
		}
	}
}

// float appends a number that must be finite.
func (b *body) float(name string, out []byte, value float64) []byte {
	out, err := appendFloat(out, value)
	if err != nil {
		b.wrong(name, "%s must be a finite number, got %g", name, value)
	}
	return out
}
