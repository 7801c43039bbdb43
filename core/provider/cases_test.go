package provider

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pyagent/core/llm"
	"pyagent/core/stream"
)

// The recorded answers of tests/cases: each is decoded as its expect file says, streams over many random splits. What
// is compared and what is not is written in tests/cases/README.md.

const casesFolder = "../../tests/cases"

type caseExpect struct {
	Text         string
	TextStreamed *string `json:"text_streamed"`
	Reasoning    string
	ToolCalls    []struct {
		ID        *string
		Name      string
		Arguments any
	} `json:"tool_calls"`
	FinishReason    *string `json:"finish_reason"`
	RawFinishReason *string `json:"raw_finish_reason"`
	Usage           map[string]*int64
	Model, ID       *string
	Refusal         string
	Error           *struct {
		Class      string
		StatusCode int `json:"status_code"`
		Code       string
	}
	Embeddings *struct {
		Count, Dimensions int
		Head              [][]float64 // the first numbers of each vector
	}
	Models      []string
	TotalTokens *int64 `json:"total_tokens"`
}

// operation is what was asked for, as the expectations show it.
func (e *caseExpect) operation() llm.Op {
	switch {
	case e.Embeddings != nil:
		return llm.OpEmbed
	case e.Models != nil:
		return llm.OpModels
	case e.TotalTokens != nil:
		return llm.OpCount
	}
	return llm.OpStream
}

type caseMeta struct {
	Status  int
	Headers map[string]string
}

func TestCases(t *testing.T) {
	files, err := filepath.Glob(casesFolder + "/*/*.expect.json")
	if err != nil || len(files) < 72 {
		t.Fatalf("found %d cases in %s, expected at least 72 (%v)", len(files), casesFolder, err)
	}
	for _, file := range files {
		base := strings.TrimSuffix(file, ".expect.json")
		vendor := filepath.Base(filepath.Dir(file))
		t.Run(vendor+"/"+filepath.Base(base), func(t *testing.T) { testCase(t, vendor, base) })
	}
}

func testCase(t *testing.T, vendor, base string) {
	var expect caseExpect
	var meta caseMeta
	readJSON(t, base+".expect.json", &expect)
	readJSON(t, base+".meta.json", &meta)
	call := testCall(t, vendor)
	call.Request.Op = expect.operation()
	if expect.Embeddings != nil {
		call.Request.Input = make(llm.Inputs, expect.Embeddings.Count)
	}
	body, err := os.ReadFile(base + ".sse")
	if err != nil {
		body, err = os.ReadFile(base + ".ndjson")
	}
	if err != nil {
		body, err = os.ReadFile(base + ".json")
		if err != nil {
			t.Fatal(err)
		}
		if meta.Status >= 300 {
			checkError(t, &expect, body, call.Row.Protocol().DecodeError(call, meta.Status, meta.Headers, body), call)
			return
		}
		checkCase(t, &expect, body, answered(t, call, string(body)), call)
		return
	}
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 0))
	for range 20 {
		checkCase(t, &expect, body, decodeSplit(t, call, body, random), call)
	}
	if t.Failed() {
		t.Logf("random seed %d", seed)
	}
}

func readJSON(t *testing.T, path string, into any) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(data, into)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// splitReader gives its bytes in random portions, mostly small ones.
type splitReader struct {
	data   []byte
	random *rand.Rand
	most   int
}

func (r *splitReader) Read(into []byte) (int, error) {
	if len(r.data) == 0 {
		return 0, io.EOF
	}
	n := copy(into[:min(len(into), 1+r.random.IntN(r.most))], r.data)
	r.data = r.data[n:]
	return n, nil
}

func decodeSplit(t *testing.T, call Call, body []byte, random *rand.Rand) *collected {
	t.Helper()
	decoder := call.Row.Protocol().NewDecoder(call)
	got := collect(t)
	reader := &splitReader{bytes.Clone(body), random, 1 << random.IntN(13)}
	events, lines := stream.NewSSE(reader, 1<<20), stream.NewNDJSON(reader, 1<<20)
	next := events.Next
	if call.Row.Protocol().Framing() == Lines {
		next = func() (stream.Event, error) {
			line, err := lines.Next()
			return stream.Event{Data: line}, err
		}
	}
	for !got.done && got.err == nil {
		event, err := next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		got.done, got.err = decoder.Event(event.Name, event.Data, got.emit)
	}
	return got.end(decoder)
}

func checkCase(t *testing.T, expect *caseExpect, body []byte, got *collected, call Call) {
	t.Helper()
	text := expect.Text
	if expect.TextStreamed != nil {
		text = *expect.TextStreamed
	}
	if got.text[0] != text && !(expect.Refusal != "" && (got.text[0] == "" || got.text[0] == expect.Refusal)) {
		t.Errorf("text %q, expected %q", got.text[0], text)
	}
	if got.refusal != expect.Refusal {
		t.Errorf("refusal %q, expected %q", got.refusal, expect.Refusal)
	}
	if join(got.reasoning) != join(expect.Reasoning) {
		t.Errorf("reasoning %q, expected %q", got.reasoning, expect.Reasoning)
	}
	checkCalls(t, expect, got)
	checkFinish(t, expect, got)
	checkItems(t, expect, got)
	if expect.Error != nil {
		checkError(t, expect, body, got.err, call)
	} else if got.err != nil || !got.complete {
		t.Errorf("error %v, complete %v", got.err, got.complete)
	}
}

// join removes white space, which is not compared between pieces of reasoning.
func join(text string) string { return strings.Join(strings.Fields(text), "") }

func checkCalls(t *testing.T, expect *caseExpect, got *collected) {
	t.Helper()
	if len(got.calls) != len(expect.ToolCalls) {
		t.Errorf("%d tool calls, expected %d", len(got.calls), len(expect.ToolCalls))
		return
	}
	for i, want := range expect.ToolCalls {
		call := got.calls[i]
		if call.Name != want.Name || call.ID == "" || want.ID != nil && call.ID != *want.ID || !call.ended {
			t.Errorf("tool call %+v, expected %+v", call, want)
		}
		var arguments any = map[string]any{}
		if call.arguments != "" && json.Unmarshal([]byte(call.arguments), &arguments) != nil {
			arguments = call.arguments
		}
		if !reflect.DeepEqual(arguments, want.Arguments) {
			t.Errorf("arguments %v, expected %v", arguments, want.Arguments)
		}
	}
}

func checkFinish(t *testing.T, expect *caseExpect, got *collected) {
	t.Helper()
	finish := got.finish
	same := func(what, got string, want *string) {
		if want == nil {
			want = new(string)
		}
		if got != *want {
			t.Errorf("%s %q, expected %q", what, got, *want)
		}
	}
	if !(expect.Refusal != "" && finish.FinishReason == llm.FinishContentFilter) {
		same("finish reason", finish.FinishReason, expect.FinishReason)
	}
	same("raw finish reason", finish.RawFinishReason, expect.RawFinishReason)
	same("model", finish.Model, expect.Model)
	if expect.ID != nil {
		same("id", finish.ID, expect.ID)
	}
	usage := llm.Usage{}
	if finish.Usage != nil {
		usage = *finish.Usage
	}
	for name, got := range map[string]*int64{
		"prompt_tokens": usage.PromptTokens, "completion_tokens": usage.CompletionTokens, "total_tokens": usage.TotalTokens,
		"cached_tokens": usage.CachedTokens, "reasoning_tokens": usage.ReasoningTokens,
	} {
		want := expect.Usage[name]
		if want == nil || *want == 0 && got == nil && (name == "cached_tokens" || name == "reasoning_tokens") {
			continue
		}
		if got == nil || *got != *want {
			t.Errorf("%s %v, expected %d", name, got, *want)
		}
	}
}

// checkItems compares the results of what is not a chat.
func checkItems(t *testing.T, expect *caseExpect, got *collected) {
	t.Helper()
	if want := expect.Embeddings; want != nil {
		if len(got.vectors) != want.Count {
			t.Fatalf("%d vectors, expected %d", len(got.vectors), want.Count)
		}
		for i, vector := range got.vectors {
			if len(vector) != want.Dimensions {
				t.Errorf("vector %d has %d numbers, expected %d", i, len(vector), want.Dimensions)
			}
			for at, number := range want.Head[i] {
				if math.Abs(float64(vector[at])-number) > 1e-6 {
					t.Errorf("number %d of vector %d is %g, expected %g", at, i, vector[at], number)
				}
			}
		}
	}
	if ids := got.modelIDs(); !slices.Equal(ids, expect.Models) {
		t.Errorf("models %q, expected %q", ids, expect.Models)
	}
	if want := expect.TotalTokens; want != nil && (got.count == nil || got.count.InputTokens != *want) {
		t.Errorf("token count %+v, expected %d", got.count, *want)
	}
}

// classes says which kinds a class of the expect files covers.
func classes() map[string][]llm.Kind {
	return map[string][]llm.Kind{
		"BadRequest":             {llm.KindBadRequest, llm.KindUnprocessable, llm.KindConflict},
		"ContextWindowExceeded":  {llm.KindContextWindow},
		"ContentPolicyViolation": {llm.KindContentPolicy},
		"AuthenticationError":    {llm.KindAuthentication},
		"PermissionDenied":       {llm.KindPermission},
		"NotFound":               {llm.KindNotFound},
		"RateLimit":              {llm.KindRateLimit},
		"QuotaExceeded":          {llm.KindQuota},
		"ServiceUnavailable":     {llm.KindServiceUnavailable},
		"InternalServer":         {llm.KindInternalServer},
	}
}

func checkError(t *testing.T, expect *caseExpect, body []byte, err error, call Call) {
	t.Helper()
	var vendor *llm.VendorError
	if !errors.As(err, &vendor) {
		t.Fatalf("error %v, expected the vendor's own, %+v", err, expect.Error)
	}
	judged := llm.Judge(vendor, call.Row.Rules)
	known := false
	for _, kind := range classes()[expect.Error.Class] {
		known = known || kind == judged.Kind
	}
	if !known || judged.StatusCode != expect.Error.StatusCode {
		t.Errorf("judged as %s, status %d; expected %+v", judged.Kind, judged.StatusCode, expect.Error)
	}
	if judged.Code == "" && expect.Error.Code != "" || !bytes.Contains(body, []byte(judged.Code)) {
		t.Errorf("code %q is no word of the body; expected for example %q", judged.Code, expect.Error.Code)
	}
	if judged.Message == "" || judged.Message != vendor.Message {
		t.Errorf("message %q", judged.Message)
	}
}
