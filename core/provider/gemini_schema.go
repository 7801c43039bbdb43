package provider

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"pyagent/core/llm"
)

// Google takes schemas in two forms: a subset of OpenAPI's (parameters, responseSchema) and JSON Schema
// (parametersJsonSchema, responseJsonSchema). pyagent sends the latter, which every model from Gemini 2 on takes and which
// has $ref, $defs, additionalProperties and lists of types. It is a subset too: unknown keywords, and anything beside a
// $ref, are refused. So schemas are changed where the meaning stays the same, and only there:
//
//   - $schema, $comment, examples and discriminator, which describe and do not restrict, are left out;
//   - const becomes an enum of one value; nullable: true becomes the type "null" beside the other; names of types become
//     lower-case; an allOf of one schema becomes that schema; definitions become $defs;
//   - a $ref with keywords beside it is replaced by what it refers to, merged with these keywords, unless it refers to
//     itself: then the keywords beside it are left out;
//   - exclusive bounds of whole numbers become inclusive ones, and others, like formats of strings that Google does not
//     know, go into the description, where the model reads them.
//
// https://ai.google.dev/gemini-api/docs/structured-output#json_schema_support
func geminiSchema(raw json.RawMessage) json.RawMessage {
	w := schemaWriter{root: raw}
	return w.schema(raw)
}

// emptySchema reports an object without properties, which is how OpenAI's shape says that a function takes nothing.
func emptySchema(raw json.RawMessage) bool {
	if absent(raw) {
		return true
	}
	empty := true
	llm.Members(raw, func(key, value []byte) {
		switch string(key) {
		case "properties", "required":
			empty = empty && !hasError(value)
		case "additionalProperties":
			empty = empty && string(value) == "false"
		case "type", "title", "description", "$schema":
		default:
			empty = false
		}
	})
	return empty
}

// maxSchema bounds what replacing references may make of a schema.
const maxSchema = 1 << 20

type schemaWriter struct {
	root    json.RawMessage
	open    []string // references that are being replaced
	written int
}

// schema rewrites one schema; true and false, and what is no schema at all, stay as they are.
func (w *schemaWriter) schema(raw json.RawMessage) json.RawMessage {
	if !isObject(raw) {
		return raw
	}
	members := schemaMembers(raw)
	if ref := memberText(members, "$ref"); ref != "" {
		return w.reference(ref, members)
	}
	if all := slices.IndexFunc(members, func(m llm.Member) bool { return m.Key == "allOf" }); all >= 0 {
		if only := list(members[all].Value, kept); len(only) == 1 && isObject(only[0]) {
			members = append(slices.Delete(members, all, all+1), schemaMembers(only[0])...)
			if ref := memberText(members, "$ref"); ref != "" {
				return w.reference(ref, members)
			}
		}
	}
	o := newObject(nil)
	for _, member := range w.restricted(members) {
		if name, value := w.keyword(member); name != "" {
			o.raw(name, value)
		}
	}
	out := o.end()
	w.written += len(out)
	return out
}

func schemaMembers(raw json.RawMessage) (members []llm.Member) {
	llm.Members(raw, func(key, value []byte) {
		members = append(members, llm.Member{Key: string(key), Value: bytes.Clone(value)})
	})
	return members
}

func memberText(members []llm.Member, key string) string {
	for _, member := range members {
		if member.Key == key {
			return llm.Unquote(member.Value)
		}
	}
	return ""
}

// keyword rewrites one keyword; the name is empty for one that goes.
func (w *schemaWriter) keyword(member llm.Member) (string, json.RawMessage) {
	switch member.Key {
	case "$schema", "$comment", "examples", "discriminator", "example":
		return "", nil
	case "properties", "$defs", "patternProperties":
		return member.Key, w.schemas(member.Value)
	case "definitions":
		return "$defs", w.schemas(member.Value)
	case "items", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames":
		return member.Key, w.schema(member.Value)
	case "anyOf", "oneOf", "allOf", "prefixItems":
		out := []byte{'['}
		for i, item := range list(member.Value, kept) {
			if i > 0 {
				out = append(out, ',')
			}
			out = append(out, w.schema(item)...)
		}
		return member.Key, append(out, ']')
	case "type":
		return member.Key, json.RawMessage(strings.ToLower(string(member.Value)))
	}
	return member.Key, member.Value
}

// schemas rewrites an object whose keys are names and whose values are schemas.
func (w *schemaWriter) schemas(raw json.RawMessage) json.RawMessage {
	o := newObject(nil)
	llm.Members(raw, func(key, value []byte) { o.raw(string(key), w.schema(value)) })
	return o.end()
}

// reference writes a $ref alone, or what it refers to together with the keywords beside it.
func (w *schemaWriter) reference(ref string, members []llm.Member) json.RawMessage {
	beside := slices.DeleteFunc(slices.Clone(members), func(m llm.Member) bool { return m.Key == "$ref" })
	bare := newObject(nil)
	bare.text("$ref", strings.Replace(ref, "#/definitions/", "#/$defs/", 1))
	for _, member := range beside {
		if member.Key == "$defs" || member.Key == "definitions" { // of a root that is a reference
			bare.raw("$defs", w.schemas(member.Value))
		}
	}
	target := w.find(ref)
	restricts := slices.ContainsFunc(beside, func(m llm.Member) bool { return !strings.HasPrefix(m.Key, "$") && m.Key != "definitions" })
	if !restricts || target == nil || slices.Contains(w.open, ref) || w.written > maxSchema {
		return bare.end()
	}
	w.open = append(w.open, ref)
	defer func() { w.open = w.open[:len(w.open)-1] }()
	merged := newObject(nil)
	llm.Members(target, func(key, value []byte) {
		if !slices.ContainsFunc(beside, func(m llm.Member) bool { return m.Key == string(key) }) {
			merged.raw(string(key), value)
		}
	})
	merged.members(beside)
	return w.schema(merged.end())
}

// find returns the schema that a reference within the document names, as a path of keys (RFC 6901); nil for any other.
func (w *schemaWriter) find(ref string) json.RawMessage {
	path, ok := strings.CutPrefix(ref, "#/")
	if !ok {
		return nil
	}
	at := w.root
	for _, step := range strings.Split(path, "/") {
		step = strings.ReplaceAll(strings.ReplaceAll(step, "~1", "/"), "~0", "~")
		var found json.RawMessage
		llm.Members(at, func(key, value []byte) {
			if string(key) == step {
				found = value
			}
		})
		at = found
	}
	if !isObject(at) {
		return nil
	}
	return at
}

// restricted rewrites the keywords that restrict a single value.
func (w *schemaWriter) restricted(members []llm.Member) []llm.Member {
	kind, notes, out := strings.ToLower(memberText(members, "type")), "", make([]llm.Member, 0, len(members)+1)
	nullable := slices.ContainsFunc(members, func(m llm.Member) bool { return m.Key == "nullable" && string(m.Value) == "true" })
	for _, member := range members {
		switch member.Key {
		case "nullable":
			continue
		case "const":
			if kind == "" {
				if kind = jsonType(member.Value); kind != "" {
					out = append(out, llm.Member{Key: "type", Value: llm.AppendString(nil, kind)})
				}
			}
			member = llm.Member{Key: "enum", Value: slices.Concat([]byte{'['}, member.Value, []byte{']'})}
		case "type":
			if nullable && kind != "" {
				member.Value = appendStrings(nil, []string{kind, "null"})
			}
		case "exclusiveMinimum", "exclusiveMaximum":
			bound, note := inclusive(member, kind)
			if note != "" {
				notes += " (" + note + ")"
				continue
			}
			member = bound
		case "format":
			known := []string{"date-time", "date", "time", "duration", "enum", "int32", "int64", "float", "double"}
			if kind == "string" && !slices.Contains(known, llm.Unquote(member.Value)) {
				notes += " (format: " + llm.Unquote(member.Value) + ")"
				continue
			}
		}
		out = append(out, member)
	}
	if notes == "" {
		return out
	}
	described := strings.TrimSpace(memberText(out, "description") + notes)
	out = slices.DeleteFunc(out, func(m llm.Member) bool { return m.Key == "description" })
	return append(out, llm.Member{Key: "description", Value: llm.AppendString(nil, described)})
}

// inclusive makes an exclusive bound of whole numbers an inclusive one; of other numbers it makes a note.
func inclusive(member llm.Member, kind string) (bound llm.Member, note string) {
	name := strings.ToLower(strings.TrimPrefix(member.Key, "exclusive"))
	var number int64
	if kind != "integer" || json.Unmarshal(member.Value, &number) != nil {
		return bound, member.Key + ": " + string(member.Value)
	}
	if name == "minimum" {
		number++
	} else {
		number--
	}
	return llm.Member{Key: name, Value: appendInt(nil, number)}, ""
}

// jsonType is the type of a value in the words of JSON Schema.
func jsonType(value json.RawMessage) string {
	switch {
	case absent(value):
		return "null"
	case quoted(value):
		return "string"
	case string(value) == "true" || string(value) == "false":
		return "boolean"
	case value[0] == '{':
		return "object"
	case value[0] == '[':
		return "array"
	case strings.ContainsAny(string(value), ".eE"):
		return "number"
	}
	return "integer"
}
