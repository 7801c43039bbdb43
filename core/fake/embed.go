package fake

import (
	"cmp"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"math"
	"net/http"
	"strings"
)

// Vectors are of the usual length unless the request wants another one.
const (
	usualDimensions = 16
	mostDimensions  = 8192
)

// embeddings answers POST .../embeddings.
//
// https://platform.openai.com/docs/api-reference/embeddings/create
func (s *Server) embeddings(out *output, script *Script, asked *question) error {
	inputs, err := asked.inputs()
	if err != nil {
		return out.refuse(http.StatusBadRequest, err.Error(), "")
	}
	list := embeddingList{Object: "list", Model: cmp.Or(script.Model, asked.Model, "echo")}
	tokens := 0
	for i, input := range inputs {
		words := strings.Fields(input)
		tokens += len(words)
		made := vector(words, int(optional(asked.Dimensions, usualDimensions)))
		list.Data = append(list.Data, embedding{Object: "embedding", Index: i, Vector: made})
		if asked.Encoding == "base64" {
			list.Data[i].Vector = inBytes(made)
		}
	}
	switch string(script.Usage) {
	case "false":
	case "":
		list.Usage = fmt.Appendf(nil, `{"prompt_tokens":%d,"total_tokens":%d}`, tokens, tokens)
	default:
		list.Usage = script.Usage
	}
	return out.document(script.status(), applicationJSON, marshal(list))
}

type embeddingList struct {
	Object string          `json:"object"`
	Data   []embedding     `json:"data"`
	Model  string          `json:"model"`
	Usage  json.RawMessage `json:"usage,omitempty"`
}

type embedding struct {
	Object string `json:"object"`
	Index  int    `json:"index"`
	Vector any    `json:"embedding"` // numbers, or their bytes in base64
}

// inputs reads a text, a list of texts, a list of token ids, or a list of such lists. An id is a word like any other.
func (q *question) inputs() ([]string, error) {
	if q.Dimensions != nil && (*q.Dimensions < 1 || *q.Dimensions > mostDimensions) {
		return nil, fmt.Errorf("Invalid value for 'dimensions': must be from 1 to %d, got %d.", mostDimensions, *q.Dimensions)
	}
	var list []json.RawMessage
	if json.Unmarshal(q.Input, &list) != nil || len(list) > 0 && list[0][0] != '"' && list[0][0] != '[' {
		list = []json.RawMessage{q.Input} // it is one input
	}
	var inputs []string
	for _, item := range list {
		var text string
		var ids []int
		switch {
		case json.Unmarshal(item, &text) == nil:
		case json.Unmarshal(item, &ids) == nil:
			text = strings.Trim(fmt.Sprint(ids), "[]")
		}
		if text == "" {
			return nil, fmt.Errorf("Invalid 'input[%d]': expected a text or token ids that are not empty.", len(inputs))
		}
		inputs = append(inputs, text)
	}
	if len(inputs) == 0 {
		return nil, errors.New("Invalid 'input': empty array. Expected at least one text.")
	}
	return inputs, nil
}

// vector is of length 1. The more words two texts share, the nearer their vectors are.
func vector(words []string, dimensions int) []float32 {
	sum := make([]float64, dimensions)
	length := 0.0
	for _, word := range words {
		hash := fnv.New64a()
		_, _ = hash.Write([]byte(strings.ToLower(word)))
		for i, state := 0, hash.Sum64(); i < dimensions; i++ {
			state = state*6364136223846793005 + 1442695040888963407 // Knuth, MMIX
			sum[i] += float64(state>>11)/(1<<52) - 1
		}
	}
	for _, number := range sum {
		length += number * number
	}
	made := make([]float32, dimensions)
	for i, number := range sum {
		made[i] = float32(number / math.Sqrt(max(length, math.SmallestNonzeroFloat32)))
	}
	return made
}

// inBytes is the vector as little-endian numbers, which JSON carries in base64.
func inBytes(vector []float32) string {
	var numbers []byte
	for _, number := range vector {
		numbers = binary.LittleEndian.AppendUint32(numbers, math.Float32bits(number))
	}
	return base64.StdEncoding.EncodeToString(numbers)
}
