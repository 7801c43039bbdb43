package llm

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
)

// DecodeStrict decodes one JSON object that a host wrote. Unlike a vendor's answer, where unknown fields are normal, an
// unknown key here is a mistake of the caller: silently dropping it would change what is asked for.
func DecodeStrict(what string, data []byte, into any) *Error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(into)
	if err == nil && decoder.More() {
		return Configuration(what, "%s must be one JSON object, but more data follows it", what)
	}
	if err == nil {
		return nil
	}
	var failed *Error
	if errors.As(err, &failed) {
		return failed
	}
	var mismatch *json.UnmarshalTypeError
	if errors.As(err, &mismatch) {
		field := mismatch.Field
		if field == "" {
			field = what
		}
		return Configuration(field, "%s must be %s, got %s", field, typeName(mismatch.Type), jsonName(mismatch.Value))
	}
	if name, ok := strings.CutPrefix(err.Error(), `json: unknown field "`); ok {
		name = strings.TrimSuffix(name, `"`)
		return unknownKey(what, name, fieldNames(reflect.TypeOf(into)))
	}
	return Configuration(what, "%s is not valid JSON: %s", what, err)
}

func unknownKey(what, name string, known []string) *Error {
	if guess := Nearest(name, known); guess != "" {
		return Configuration(name, "%s has no option %q; did you mean %q?", what, name, guess)
	}
	return Configuration(name, "%s has no option %q; fields that only the vendor knows go into extra_body", what, name)
}

// fieldNames lists the JSON names of a struct and of the structs inside it.
func fieldNames(t reflect.Type) []string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return nil
	}
	var names []string
	for i := range t.NumField() {
		field := t.Field(i)
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name != "" && name != "-" {
			names = append(names, name)
		}
		if field.Type != t {
			names = append(names, fieldNames(field.Type)...)
		}
	}
	return names
}

// Nearest finds the known name that is at most two typing errors away from name, or "".
func Nearest(name string, known []string) string {
	best, bestDistance := "", 3
	if len(name) < 5 {
		bestDistance = 2
	}
	for _, candidate := range known {
		if d := distance(strings.ToLower(name), candidate); d < bestDistance {
			best, bestDistance = candidate, d
		}
	}
	return best
}

// distance is the Damerau-Levenshtein distance with adjacent transpositions (optimal string alignment).
func distance(a, b string) int {
	before, previous, current := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range previous {
		previous[j] = j
	}
	for i := 1; i <= len(a); i++ {
		current[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			current[j] = min(previous[j]+1, current[j-1]+1, previous[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				current[j] = min(current[j], before[j-2]+1)
			}
		}
		before, previous, current = previous, current, before
	}
	return previous[len(b)]
}

func typeName(t reflect.Type) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t.Kind() {
	case reflect.Int, reflect.Int64, reflect.Uint16:
		return "a whole number"
	case reflect.Float64:
		return "a number"
	case reflect.Bool:
		return "true or false"
	case reflect.String:
		return "a string"
	case reflect.Slice:
		return "a list"
	}
	return "an object"
}

func jsonName(value string) string {
	switch value {
	case "bool":
		return "true or false"
	case "array":
		return "a list"
	case "object":
		return "an object"
	case "string":
		return "a string"
	}
	if number, ok := strings.CutPrefix(value, "number "); ok {
		return number
	}
	return value
}

// jsonKind names the JSON type of a raw value for an error message.
func jsonKind(raw json.RawMessage) string {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 {
		return "nothing"
	}
	switch raw[0] {
	case '{':
		return "an object"
	case '[':
		return "a list"
	case '"':
		return "a string"
	case 't', 'f':
		return "true or false"
	case 'n':
		return "null"
	}
	return fmt.Sprintf("the number %s", raw)
}
