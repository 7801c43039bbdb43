package fake

import (
	"slices"
	"strings"
	"testing"
)

func TestParseScriptRefuses(t *testing.T) {
	tests := map[string]struct{ script, says string }{
		"an unknown field":         {`{"txet":"a"}`, `no field "txet"; it knows text, pieces`},
		"a list":                   {`[]`, "must be a JSON object, got array"},
		"no JSON":                  {`{"text":`, "not valid"},
		"two objects":              {`{} {}`, "more follows"},
		"a wrong type":             {`{"status":"no"}`, "field status cannot be a JSON string"},
		"a negative delay":         {`{"delay":-1}`, "delay must be from 0 to 86400, got -1"},
		"no deltas in a write":     {`{"per_write":0}`, "per_write must be from 1"},
		"a negative count":         {`{"after":-1}`, "after must be from 0"},
		"an informational status":  {`{"status":100}`, "status must be from 200 to 599, got 100"},
		"an unknown end":           {`{"end":"later"}`, `got "later"`},
		"text beside pieces":       {`{"text":"a","pieces":["b"]}`, "both text and pieces"},
		"repeat alone":             {`{"repeat":2}`, "repeat without pieces"},
		"more text than memory":    {`{"pieces":["abcd"],"repeat":2000000000}`, "at most 1073741824 bytes"},
		"times without key":        {`{"times":1,"status":500}`, "times without key"},
		"raw beside body":          {`{"raw":"a","body":"b"}`, "both raw and body"},
		"splits alone":             {`{"splits":[1]}`, "splits without raw"},
		"an empty split":           {`{"raw":"a","splits":[0]}`, "splits must be sizes of 1 byte or more, got 0"},
		"usage that is no object":  {`{"usage":true}`, "usage must be an object or false, got true"},
		"an unknown field of tool": {`{"tools":[{"naem":"f"}]}`, `no field "naem"`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if _, err := ParseScript([]byte(test.script)); err == nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("got %v, want an error with %q", err, test.says)
			}
		})
	}
}

func TestParseScriptTakesNullForAbsent(t *testing.T) {
	script, err := ParseScript([]byte(`{"text":null,"body":null,"usage":null,"error":null,"after":null,"raw":null}`))
	if err != nil || !script.echoes() || script.fails() || script.Usage != nil ||
		script.Error != nil || script.Raw != nil {
		t.Errorf("got %+v, %v", script, err)
	}
}

func TestWords(t *testing.T) {
	tests := map[string][]string{
		"":                  nil,
		"one":               {"one"},
		"one two":           {"one", " two"},
		"  one\n\n two  ":   {"  one", "\n\n two", "  "},
		"grüße\u00a0aus 東京": {"grüße", "\u00a0aus", " 東京"},
		" ":                 {" "},
	}
	for text, want := range tests {
		got := words(text)
		if !slices.Equal(got, want) {
			t.Errorf("words(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestArgumentsPieces(t *testing.T) {
	tests := []struct {
		arguments Arguments
		size      int
		want      []string
	}{
		{"", 3, []string{""}},
		{`{"a":1}`, 0, []string{`{"a":1}`}},
		{`{"a":1}`, 3, []string{`{"a`, `":1`, `}`}},
		{"äöü", 1, []string{"ä", "ö", "ü"}},
		{"äöü", 3, []string{"äö", "ü"}},
	}
	for _, test := range tests {
		if got := test.arguments.pieces(test.size); !slices.Equal(got, test.want) {
			t.Errorf("%q in pieces of %d: got %q, want %q", test.arguments, test.size, got, test.want)
		}
	}
}

func TestSequenceHasEveryDeltaInOrder(t *testing.T) {
	for _, repeat := range []int{0, 1, 3} {
		a := &answer{choices: 1, reasoning: []string{"r"}, text: []string{"a", "b"}, repeat: repeat, refusal: []string{"n"}}
		s := newSequence(a, newChunks(a, false))
		var got strings.Builder
		for i := range s.length {
			for _, delta := range []string{`"r"`, `"a"`, `"b"`, `"n"`} {
				if strings.Contains(string(s.at(i)), ":"+delta+"}") {
					got.WriteString(delta[1:2])
				}
			}
		}
		if want := "r" + strings.Repeat("ab", repeat) + "n"; got.String() != want {
			t.Errorf("repeat %d: got %q, want %q", repeat, got.String(), want)
		}
	}
}
