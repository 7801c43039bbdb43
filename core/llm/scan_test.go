package llm

import (
	"bytes"
	"encoding/json"
	"testing"
)

// members is what a json.Decoder finds in an object.
func members(t *testing.T, data []byte) (found []Member) {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(data))
	if _, err := decoder.Token(); err != nil {
		t.Fatal(err)
	}
	for decoder.More() {
		key, err := decoder.Token()
		if err != nil {
			t.Fatal(err)
		}
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			t.Fatal(err)
		}
		found = append(found, Member{key.(string), value})
	}
	return found
}

// The members of every valid object are those that the standard decoder finds.
func FuzzEachMember(f *testing.F) {
	for _, seed := range []string{
		`{}`, ` { } `, `{"a":1}`, "{ \"a\" : [1, {\"b\":\"}]\"}] ,\n\"c\\\"\\u0041\":null, \"d\":-1.5e3 }", `{"":"","\\":"\\\""}`,
		`{"a":true,"b":false,"c":{},"d":[],"a":[[[]]]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if !json.Valid(data) || jsonKind(data) != "an object" {
			return
		}
		want, got := members(t, data), []Member(nil)
		if err := eachMember(data, func(key string, value json.RawMessage) error {
			got = append(got, Member{key, value})
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if len(got) != len(want) {
			t.Fatalf("%d members, want %d", len(got), len(want))
		}
		for i := range want {
			if got[i].Key != want[i].Key || !bytes.Equal(got[i].Value, want[i].Value) {
				t.Fatalf("member %d is %q %q, want %q %q", i, got[i].Key, got[i].Value, want[i].Key, want[i].Value)
			}
		}
	})
}

// FuzzElements: the elements of every valid list are those that the standard decoder finds; anything else has none.
func FuzzElements(f *testing.F) {
	for _, seed := range []string{`[]`, ` [ 1 , "]" , [ ] ,{"a":[2]}, null,-1e5 ] `, `{}`, `7`, `[[[1]],"\\\""]`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if !json.Valid(data) {
			return
		}
		var want []json.RawMessage
		_ = json.Unmarshal(data, &want)
		var got []json.RawMessage
		Elements(data, func(value []byte) { got = append(got, value) })
		if len(got) != len(want) {
			t.Fatalf("%q: %q, want %q", data, got, want)
		}
		for i := range want {
			if !bytes.Equal(got[i], want[i]) {
				t.Fatalf("%q: element %d is %q, want %q", data, i, got[i], want[i])
			}
		}
	})
}

func TestSkipString(t *testing.T) {
	for text, want := range map[string]int{
		`"" "`: 2, `"a"b"`: 3, `"a\"b"c"`: 6, `"\\"\"`: 4, `"\\\""`: 6, `"abc`: -1, `"abc\`: -1, `"abc\"`: -1, `"\"`: -1, `"`: -1, `"\u0022\n" "`: 10,
	} {
		if got := SkipString([]byte(text), 0); got != want {
			t.Errorf("%s: %d, want %d", text, got, want)
		}
	}
}
