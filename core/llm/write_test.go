package llm

import (
	"encoding/json"
	"reflect"
	"testing"
)

// filled sets every field of a struct that JSON shows, so that one which is forgotten shows up.
func filled(t *testing.T, value reflect.Value) {
	t.Helper()
	for i := range value.NumField() {
		switch field := value.Field(i); field.Kind() {
		case reflect.String:
			field.SetString("\"<\u00e9\x01\\" + value.Type().Field(i).Name)
		case reflect.Float64:
			field.SetFloat(1760000000.25)
		case reflect.Int:
			field.SetInt(3)
		case reflect.Map:
			field.Set(reflect.ValueOf(map[string]string{"content-type": "a/b", "x\"y": "{\n}"}))
		case reflect.Pointer:
			field.Set(reflect.New(field.Type().Elem()))
			switch inner := field.Elem(); inner.Kind() {
			case reflect.Struct:
				filled(t, inner)
			case reflect.Int64:
				inner.SetInt(1 << 40)
			case reflect.Float64:
				inner.SetFloat(0.000001)
			}
		case reflect.Slice: // written by encoding/json
		default:
			t.Fatalf("a field of type %s", field.Type())
		}
	}
}

func sameJSON(t *testing.T, data any) {
	t.Helper()
	event := Event{Data: data}
	got, err := event.AppendJSON([]byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	want, err := json.Marshal(data)
	if err != nil {
		t.Fatal(err)
	}
	var left, right any
	if err := json.Unmarshal(got[1:], &left); err != nil {
		t.Fatalf("%s: %s", got, err)
	}
	_ = json.Unmarshal(want, &right)
	if !reflect.DeepEqual(left, right) {
		t.Errorf("got %s, want %s", got[1:], want)
	}
}

func TestEventsAreWrittenAsEncodingJSONWouldWriteThem(t *testing.T) {
	start, usage, finish := new(Start), new(Usage), new(Finish)
	for _, data := range []any{start, usage, finish, &Finish{Usage: usage}} {
		sameJSON(t, data)
	}
	for _, data := range []any{start, usage, finish} {
		filled(t, reflect.ValueOf(data).Elem())
		sameJSON(t, data)
	}
	finish.Warnings, finish.Retries, finish.Choices = []string{"w"}, []PastAttempt{{Attempt: 1}}, []Choice{{Index: 1}}
	sameJSON(t, finish)
	sameJSON(t, &ToolBegin{ID: "i", Name: "n"})
	sameJSON(t, json.RawMessage(`{"a":1}`))
}
