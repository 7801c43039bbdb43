package provider

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"pyagent/core/llm"
)

// embedCall asks for the embeddings of inputs, which is JSON.
func embedCall(t testing.TB, row, inputs, fields string) Call {
	t.Helper()
	request, err := llm.DecodeRequest([]byte(`{"op":"embed","model":"m","input":` + inputs + fields + `}`))
	if err != nil {
		t.Fatal(err)
	}
	call := testCall(t, row)
	call.Request, call.Stream = request, false
	return call
}

func base64Vector(numbers ...float32) string {
	var data []byte
	for _, number := range numbers {
		data = binary.LittleEndian.AppendUint32(data, math.Float32bits(number))
	}
	return `"` + base64.StdEncoding.EncodeToString(data) + `"`
}

func TestEmbeddingsDecode(t *testing.T) {
	tests := []struct{ name, body, want string }{
		{"floats", `{"object":"list","data":[{"index":0,"embedding":[1,-0.5]},{"index":1,"embedding":[2e-1,3]}]}`, "[[1 -0.5] [0.2 3]]"},
		{"base64", `{"data":[{"index":0,"embedding":` + base64Vector(1, -0.5) + `},{"index":1,"embedding":` + base64Vector(0.25, 3) + `}]}`,
			"[[1 -0.5] [0.25 3]]"},
		{"one of each", `{"data":[{"index":0,"embedding":[1,2]},{"index":1,"embedding":` + base64Vector(3, 4) + `}]}`, "[[1 2] [3 4]]"},
		{"by index", `{"data":[{"index":1,"embedding":[2]},{"index":0,"embedding":[1]}]}`, "[[1] [2]]"},
		{"without index", `{"data":[{"embedding":[1]},{"embedding":[2]}]}`, "[[1] [2]]"},
		{"index as text", `{"data":[{"index":"1","embedding":[2]},{"index":"0","embedding":[1]}]}`, "[[1] [2]]"},
		{"blank lines and unknown keys", "\n\n" + `{"x":{},"data":[{"y":0,"embedding":[ 1 ]},{"embedding":[2]}],"z":[]}` + "\n", "[[1] [2]]"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := answered(t, embedCall(t, "openai", `["a","b"]`, ""), test.body)
			if text := fmt.Sprint(got.vectors); got.err != nil || !got.complete || text != test.want {
				t.Errorf("got %s, error %v, expected %s", text, got.err, test.want)
			}
		})
	}
}

func TestEmbeddingsFinish(t *testing.T) {
	call := embedCall(t, "openrouter", `["a"]`, `,"include_raw":true`)
	got := answered(t, call, `{"id":"e1","created":1760000000,"model":"v/m","data":[{"embedding":[1]}],`+
		`"usage":{"prompt_tokens":3,"total_tokens":3,"cost":0.5}}`)
	finish, _ := json.Marshal(got.finish)
	want := `{"usage":{"prompt_tokens":3,"total_tokens":3,"cost":0.5},"model":"v/m","id":"e1","provider":"openrouter","created":1760000000}`
	if string(finish) != want || got.start == nil || got.start.ID != "e1" || len(got.raw) != 1 {
		t.Errorf("got %s and %+v, %d raw", finish, got.start, len(got.raw))
	}
}

// Ark makes one vector of a whole request and does not put it into a list.
func TestEmbeddingsOfArk(t *testing.T) {
	call := embedCall(t, "volcengine", `[[{"type":"text","text":"a"},{"type":"image_url","image_url":{"url":"https://x.test/a.png"}}]]`, "")
	got := answered(t, call, `{"id":"0217","created":1760000000,"model":"doubao","object":"list",`+
		`"data":{"object":"embedding","embedding":[0.5]},"usage":{"prompt_tokens":5,"total_tokens":5,"prompt_tokens_details":{"text_tokens":5}}}`)
	if fmt.Sprint(got.vectors) != "[[0.5]]" || got.err != nil || *got.finish.Usage.PromptTokens != 5 {
		t.Errorf("got %v, %v", got.vectors, got.err)
	}
}

func TestEmbeddingsThatWillNotDo(t *testing.T) {
	list := func(elements string) string { return `{"data":[` + elements + `]}` }
	nan := base64Vector(1, float32(math.NaN()))
	tests := []struct{ name, body, says string }{
		{"empty", "", "empty"},
		{"HTML", "<html>", "not JSON"},
		{"cut", `{"data":[{"embedding":[1`, "not valid JSON"},
		{"NaN as a word", list(`{"embedding":[NaN]},{"embedding":[1]}`), "not valid JSON"},
		{"no data", `{"object":"list"}`, "no embeddings"},
		{"empty data", list(""), "no embeddings"},
		{"too many", list(`{"embedding":[1]},{"embedding":[1]},{"embedding":[1]}`), "number 2"},
		{"index beyond", list(`{"index":60000,"embedding":[1]}`), "number 60000"},
		{"twice the same index", list(`{"index":1,"embedding":[1]},{"index":1,"embedding":[1]}`), "two embeddings"},
		{"one missing", list(`{"index":1,"embedding":[1]}`), "no embedding with the number 0"},
		{"no vector", list(`{"index":0}`), "without an embedding"},
		{"null vector", list(`{"embedding":null},{"embedding":[1]}`), "neither"},
		{"empty vector", list(`{"embedding":[]},{"embedding":[1]}`), "empty"},
		{"empty base64", list(`{"embedding":""},{"embedding":[1]}`), "empty"},
		{"a word in a vector", list(`{"embedding":[1,"x"]},{"embedding":[1,2]}`), "not a number"},
		{"a list in a vector", list(`{"embedding":[[1]]},{"embedding":[1]}`), "not a number"},
		{"too large a number", list(`{"embedding":[1e99]},{"embedding":[1]}`), "not a number"},
		{"not base64", list(`{"embedding":"!"},{"embedding":[1]}`), "not base64"},
		{"5 bytes", list(`{"embedding":"AAAAAAA="},{"embedding":[1]}`), "5 bytes"},
		{"NaN in base64", list(`{"embedding":` + nan + `},{"embedding":[1]}`), "NaN or an infinity at position 1"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := answered(t, embedCall(t, "openai", `["a","b"]`, ""), test.body)
			if got.err == nil || !strings.Contains(got.err.Error(), test.says) || got.complete || len(got.vectors) > 0 {
				t.Errorf("got %v, %d vectors", got.err, len(got.vectors))
			}
		})
	}
	got := answered(t, embedCall(t, "zai", `["a"]`, ""), `{"error":{"code":"1113","message":"no money"}}`)
	if vendor, ok := got.err.(*llm.VendorError); !ok || llm.Judge(vendor, zaiRules()).Kind != llm.KindQuota {
		t.Errorf("an error with status 200: %v", got.err)
	}
	decoder := newEmbedDecoder(embedCall(t, "openai", `"a"`, ""))
	if _, err := decoder.Event("", []byte(`{"data":[]}`), func(llm.Event) {}); err == nil {
		t.Error("a stream was taken for an answer")
	}
}

func TestEmbeddingsEncode(t *testing.T) {
	const parts = `[[{"type":"text","text":"a"},{"type":"image_url","image_url":{"url":"https://x.test/a.png"}}]]`
	tests := []struct{ name, row, inputs, fields, url, want string }{
		{"one text", "openai", `"a"`, "", "https://api.openai.com/v1/embeddings", `{"model":"m","input":["a"],"encoding_format":"base64"}`},
		{"texts and options", "openai", `["a","<b>"]`, `,"dimensions":256,"user":"u"`, "",
			`{"model":"m","input":["a","<b>"],"encoding_format":"base64","dimensions":256,"user":"u"}`},
		{"token ids", "openai", `[[1,2],[3]]`, "", "", `{"model":"m","input":[[1,2],[3]],"encoding_format":"base64"}`},
		{"token ids of one input", "openai", `[1,2]`, "", "", `{"model":"m","input":[[1,2]],"encoding_format":"base64"}`},
		{"floats by extra_body", "openai", `"a"`, `,"extra_body":{"encoding_format":"float","x":1}`, "",
			`{"model":"m","input":["a"],"encoding_format":"float","x":1}`},
		{"azure", "azure", `"a"`, "", "https://example.test/openai/deployments/m/embeddings?api-version=2024-10-21",
			`{"model":"m","input":["a"],"encoding_format":"base64"}`},
		{"mistral", "mistral", `"a"`, `,"dimensions":8`, "https://api.mistral.ai/v1/embeddings",
			`{"model":"m","input":["a"],"encoding_format":"base64","output_dimension":8}`},
		{"mistral's other numbers", "mistral", `"a"`, `,"extra_body":{"output_dtype":"int8"}`, "",
			`{"model":"m","input":["a"],"output_dtype":"int8"}`},
		{"no base64", "zai", `"a"`, `,"dimensions":512`, "https://api.z.ai/api/paas/v4/embeddings",
			`{"model":"m","input":["a"],"dimensions":512}`},
		{"input type", "nvidia", `"a"`, `,"input_type":"query"`, "https://integrate.api.nvidia.com/v1/embeddings",
			`{"model":"m","input":["a"],"encoding_format":"base64","input_type":"query"}`},
		{"parts of OpenRouter", "openrouter", parts, "", "https://openrouter.ai/api/v1/embeddings",
			`{"model":"m","input":[{"content":` + parts[1:len(parts)-1] + `}],"encoding_format":"base64"}`},
		{"parts of Ark", "volcengine", parts, `,"dimensions":1024`, "https://ark.cn-beijing.volces.com/api/v3/embeddings/multimodal",
			`{"model":"m","input":` + parts[1:len(parts)-1] + `,"encoding_format":"base64","dimensions":1024}`},
		{"texts of Ark", "volcengine", `["a","b"]`, "", "https://ark.cn-beijing.volces.com/api/v3/embeddings",
			`{"model":"m","input":["a","b"],"encoding_format":"base64"}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			request, _, err := encoded(t, test.row, `{"op":"embed","model":"m","input":`+test.inputs+test.fields+`}`)
			if err != nil {
				t.Fatal(err)
			}
			if string(request.Body) != test.want || test.url != "" && request.URL != test.url || request.Method != "POST" {
				t.Errorf("%s %s %s\nwant %s %s", request.Method, request.URL, request.Body, test.url, test.want)
			}
		})
	}
	request, _, err := encoded(t, "volcengine", `{"op":"embed","model":"doubao-embedding-vision-250615","input":"a"}`)
	if err != nil || !strings.HasSuffix(request.URL, "/embeddings/multimodal") ||
		!strings.Contains(string(request.Body), `"input":[{"type":"text","text":"a"}]`) {
		t.Errorf("a text for a model of pictures: %+v, %v", request, err)
	}
}

func TestEmbeddingsRefuse(t *testing.T) {
	tests := []struct{ name, row, inputs, fields, param string }{
		{"input type of OpenAI", "openai", `"a"`, `,"input_type":"query"`, "input_type"},
		{"user of Mistral", "mistral", `"a"`, `,"user":"u"`, "user"},
		{"temperature", "openai", `"a"`, `,"temperature":1`, "temperature"},
		{"parts of OpenAI", "openai", `[[{"type":"text","text":"a"}]]`, "", "input"},
		{"a vendor without embeddings", "deepseek", `"a"`, "", "op"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, _, err := encoded(t, test.row, `{"op":"embed","model":"m","input":`+test.inputs+test.fields+`}`)
			if err == nil || err.Kind != llm.KindUnsupported || err.Param != test.param || !strings.Contains(err.Message, test.row) {
				t.Errorf("got %+v", err)
			}
		})
	}
}

func TestEmbedLimit(t *testing.T) {
	for _, test := range []struct {
		row, inputs string
		want        int
	}{
		{"openai", `["a"]`, 2048}, {"compatible", `["a"]`, 0}, {"volcengine", `["a"]`, 256}, {"volcengine", `[[{"type":"text","text":"a"}]]`, 1},
		{"openrouter", `[[{"type":"text","text":"a"}]]`, 0},
	} {
		call := embedCall(t, test.row, test.inputs, "")
		if got := call.Row.EmbedLimit(call.Request); got != test.want {
			t.Errorf("%s %s: %d, expected %d", test.row, test.inputs, got, test.want)
		}
	}
}

func TestCountIsRefused(t *testing.T) {
	_, _, err := encoded(t, "openai", `{"op":"count","model":"m",`+ask+`}`)
	if err == nil || err.Kind != llm.KindUnsupported || err.Param != "op" || !strings.Contains(err.Message, `"count"`) {
		t.Errorf("got %+v", err)
	}
}

// Whatever a server sends, a vector has whole and finite numbers, or there is an error.
func FuzzVector(f *testing.F) {
	f.Add(`[1,2.5,-3e-7]`)
	f.Add(base64Vector(1, 2))
	f.Add(base64Vector(float32(math.Inf(1))))
	f.Add(`"AAAA"`)
	f.Add(`[1e39]`)
	f.Fuzz(func(t *testing.T, text string) {
		if !json.Valid([]byte(text)) {
			return
		}
		vector, err := readVector([]byte(strings.TrimSpace(text)))
		if err != nil {
			return
		}
		numbers := make([]float32, len(vector)/4)
		if read, err := binary.Decode(vector, binary.LittleEndian, numbers); err != nil || read != len(vector) || read == 0 {
			t.Fatalf("%s gave %d bytes", text, len(vector))
		}
		for _, number := range numbers {
			if math.IsNaN(float64(number)) || math.IsInf(float64(number), 0) {
				t.Fatalf("%s gave %v", text, numbers)
			}
		}
		again, err := readVector([]byte(base64Vector(numbers...)))
		if err != nil || !slices.Equal(again, vector) {
			t.Fatalf("%s does not survive base64: %v", text, err)
		}
	})
}

func BenchmarkEmbeddings(b *testing.B) {
	numbers := make([]float32, 1536)
	for i := range numbers {
		numbers[i] = float32(math.Sin(float64(i))) / 40
	}
	text, _ := json.Marshal(numbers)
	for name, vector := range map[string]string{"floats": string(text), "base64": base64Vector(numbers...)} {
		element := `{"embedding":` + vector + `}`
		body := []byte(`{"data":[` + strings.Repeat(element+",", 99) + element + `]}`)
		call := embedCall(b, "openai", `[`+strings.Repeat(`"a",`, 99)+`"a"]`, "")
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				if err := newEmbedDecoder(call).Body(body, func(llm.Event) {}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
