package fake

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
)

func TestEmbeddings(t *testing.T) {
	cases := []struct{ name, script, body, want string }{
		{"a text", "", `{"model":"m","input":"one two","dimensions":1}`,
			`{"object":"list","data":[{"object":"embedding","index":0,"embedding":[1]}],"model":"m","usage":{"prompt_tokens":2,"total_tokens":2}}`},
		{"two texts", `{"usage":false,"model":"n"}`, `{"model":"m","input":["one","one"],"dimensions":1}`,
			`{"object":"list","data":[{"object":"embedding","index":0,"embedding":[1]},{"object":"embedding","index":1,"embedding":[1]}],"model":"n"}`},
		{"base64", `{"usage":{"prompt_tokens":7}}`, `{"model":"m","input":"one","dimensions":1,"encoding_format":"base64"}`,
			`{"object":"list","data":[{"object":"embedding","index":0,"embedding":"AACAPw=="}],"model":"m","usage":{"prompt_tokens":7}}`},
		{"token ids", "", `{"model":"m","input":[1,2,3]}`, `"total_tokens":3`},
		{"lists of token ids", "", `{"model":"m","input":[[1,2],[3]]}`, `"index":1`},
		{"nothing", "", `{"model":"m"}`, `Invalid 'input[0]'`},
		{"an empty list", "", `{"model":"m","input":[]}`, `Invalid 'input': empty array`},
		{"an empty text", "", `{"model":"m","input":["a",""]}`, `Invalid 'input[1]'`},
		{"an object", "", `{"model":"m","input":[["a"],{}]}`, `Invalid 'input[0]'`},
		{"too short a vector", "", `{"model":"m","input":"a","dimensions":0}`, `Invalid value for 'dimensions'`},
		{"a failure", `{"status":429}`, `{"model":"m","input":"a"}`, `rate_limit_exceeded`},
	}
	s := overPipe(t, Options{})
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := s.answerTo(t, "/v1/embeddings", c.script, c.body)
			if c.want[0] == '{' && strings.ReplaceAll(got, "-1", "1") != c.want || !strings.Contains(strings.ReplaceAll(got, "-1", "1"), c.want) {
				t.Errorf("got %s", got)
			}
		})
	}
}

func TestVectorsOfLikeTextsAreNear(t *testing.T) {
	s := overPipe(t, Options{})
	var got struct {
		Data []struct{ Embedding []float64 }
	}
	text := s.answerTo(t, "/embeddings", "", `{"model":"m","input":["the cat sat here","The cat sat there","quarterly figures","the cat sat here"]}`)
	if err := json.Unmarshal([]byte(text), &got); err != nil || len(got.Data) != 4 {
		t.Fatalf("%v in %s", err, text)
	}
	product := func(a, b int) (sum float64) {
		for i, number := range got.Data[a].Embedding {
			sum += number * got.Data[b].Embedding[i]
		}
		return sum
	}
	if same := product(0, 3); math.Abs(same-1) > 1e-5 {
		t.Errorf("a text is %g like itself", same)
	}
	if near, far := product(0, 1), product(0, 2); near < 0.5 || near < far+0.3 {
		t.Errorf("like texts are %g near, others %g", near, far)
	}
}
