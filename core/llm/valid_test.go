package llm

import (
	"encoding/json"
	"strings"
	"testing"
)

func FuzzValid(f *testing.F) {
	for _, text := range []string{
		`{"id":"x","choices":[{"index":0,"delta":{"content":"a\n\u00e9\ud83d\ude00"}}],"n":-1.5e+10,"b":[true,false,null]}`,
		``, ` `, `{`, `{}`, `[]`, `[1,]`, `{"a":1,}`, `{"a"}`, `{1:2}`, `01`, `-`, `-0`, `1.`, `.5`, `1e`, `1E5`, `1e+`, `"\x"`, `"\u12g4"`,
		"\"\x1f\"", "\"\x7f\xff\"", `tru`, `truex`, `nul`, `null null`, `"a" "b"`, " \t\r\n[ 1 , 2 ] ", "\ufeff{}", `"\`, `"\u123`,
		strings.Repeat("[", 9999) + strings.Repeat("]", 9999), strings.Repeat("[", 10001) + strings.Repeat("]", 10001),
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if got, want := Valid(data), json.Valid(data); got != want {
			t.Errorf("%q: %v, encoding/json says %v", data, got, want)
		}
	})
}
