package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pyagent/core/llm"
	"pyagent/core/provider"
)

// plain is a dialect for these tests: a request is a list of texts or the name of a page, an answer what its decoder says.
type plain struct{ provider.Dialect }

type plainAnswer struct {
	Vectors  []float32
	Length   int // of the vectors, which hold their number again and again
	Models   []string
	Next     string
	Tokens   *int64
	Broken   bool
	Warnings []string
}

func (plain) Framing() provider.Framing { return provider.SSE }

func (plain) Encode(call provider.Call) (*provider.HTTPRequest, []string, *llm.Error) {
	request := &provider.HTTPRequest{Method: "GET", URL: call.BaseURL + "/" + call.Page, Header: map[string]string{}}
	if call.Request.Op == llm.OpEmbed {
		var texts []string
		for _, input := range call.Request.Input {
			texts = append(texts, input.Text)
		}
		request.Method = "POST"
		request.Body, _ = json.Marshal(texts)
	}
	return request, []string{"as ever"}, nil
}

func (plain) DecodeError(_ provider.Call, status int, _ map[string]string, body []byte) *llm.VendorError {
	return &llm.VendorError{Status: status, Message: string(body)}
}

func (plain) NewDecoder(provider.Call) provider.Decoder { return new(plainDecoder) }

type plainDecoder struct {
	provider.Decoder
	answer plainAnswer
}

func (d *plainDecoder) Body(body []byte, emit func(llm.Event)) error {
	if err := json.Unmarshal(body, &d.answer); err != nil {
		return err
	}
	emit(llm.Event{Kind: llm.EventStart, Data: &llm.Start{Model: "plain-1"}})
	for _, number := range d.answer.Vectors {
		var bits []byte
		for range d.answer.Length {
			bits = append(bits, byte(math.Float32bits(number)), byte(math.Float32bits(number)>>8), byte(math.Float32bits(number)>>16),
				byte(math.Float32bits(number)>>24))
		}
		emit(llm.Event{Kind: llm.EventVector, Text: bits})
	}
	for _, id := range d.answer.Models {
		emit(llm.Event{Kind: llm.EventItem, Data: &llm.Model{ID: id}})
	}
	return nil
}

func (d *plainDecoder) End(func(llm.Event)) (llm.Finish, bool) {
	finish := llm.Finish{Model: "plain-1", NextPage: d.answer.Next, Warnings: d.answer.Warnings}
	if d.answer.Tokens != nil {
		finish.Usage = &llm.Usage{PromptTokens: d.answer.Tokens, TotalTokens: d.answer.Tokens}
	}
	return finish, !d.answer.Broken
}

// openPlain makes a client for a server that answers in the form above.
func openPlain(t *testing.T, batch int, options string, handle http.HandlerFunc) *Client {
	t.Helper()
	server := httptest.NewServer(handle)
	t.Cleanup(server.Close)
	client := openAt(t, server.URL, options)
	client.dialect = plain{}
	row := *client.row
	row.EmbedBatch = batch
	client.row = &row
	return client
}

// vectorSink keeps the first number of every vector.
type vectorSink struct {
	recorder
	numbers []float32
	models  []string
	flushed func(ctx context.Context) error
}

func (s *vectorSink) Emit(event llm.Event) {
	switch event.Kind {
	case llm.EventVector:
		bits := uint32(event.Text[0]) | uint32(event.Text[1])<<8 | uint32(event.Text[2])<<16 | uint32(event.Text[3])<<24
		s.numbers = append(s.numbers, math.Float32frombits(bits))
	case llm.EventItem:
		s.models = append(s.models, event.Data.(*llm.Model).ID)
	}
	s.recorder.Emit(event)
}

func (s *vectorSink) Crowded() bool { return s.flushed != nil }

func (s *vectorSink) Flush(ctx context.Context) error {
	if s.flushed == nil {
		return nil
	}
	return s.flushed(ctx)
}

func runOp(t *testing.T, ctx context.Context, client *Client, request string, into *vectorSink) *vectorSink {
	t.Helper()
	decoded, err := llm.DecodeRequest([]byte(request))
	if err != nil {
		t.Fatal(err)
	}
	client.Run(ctx, decoded, into)
	if len(into.terminal) != 1 {
		t.Fatalf("%d terminal events", len(into.terminal))
	}
	return into
}

// counted is a request to embed the texts "0", "1" and so on.
func counted(n int, options string) string {
	var texts []string
	for i := range n {
		texts = append(texts, strconv.Quote(strconv.Itoa(i)))
	}
	return fmt.Sprintf(`{"op":"embed","model":"m","input":[%s]%s}`, strings.Join(texts, ","), options)
}

// inputsOf reads the numbers that a batch asks for.
func inputsOf(t *testing.T, r *http.Request) []float32 {
	var texts []string
	body, _ := io.ReadAll(r.Body)
	if err := json.Unmarshal(body, &texts); err != nil {
		t.Error(err)
	}
	var numbers []float32
	for _, text := range texts {
		number, _ := strconv.ParseFloat(text, 32)
		numbers = append(numbers, float32(number))
	}
	return numbers
}

func answerVectors(w http.ResponseWriter, numbers []float32, length int, more string) {
	text, _ := json.Marshal(numbers)
	fmt.Fprintf(w, `{"vectors":%s,"length":%d%s}`, text, length, more)
}

func TestEmbeddingsComeInTheOrderOfTheInputs(t *testing.T) {
	cases := []struct{ inputs, batch, requests int }{
		{1, 0, 1}, {7, 0, 1}, {1, 3, 1}, {3, 3, 1}, {4, 3, 2}, {100, 3, 34}, {5, 1, 5},
	}
	for _, c := range cases {
		t.Run(fmt.Sprintf("%d in batches of %d", c.inputs, c.batch), func(t *testing.T) {
			t.Parallel()
			var asked, now, most atomic.Int64
			client := openPlain(t, c.batch, "", func(w http.ResponseWriter, r *http.Request) {
				most.Store(max(most.Load(), now.Add(1)))
				defer now.Add(-1)
				numbers := inputsOf(t, r)
				if c.batch > 0 && len(numbers) > c.batch {
					t.Errorf("a batch of %d", len(numbers))
				}
				time.Sleep(time.Duration(3-asked.Add(1)%4) * time.Millisecond) // the later ones are the quicker ones
				answerVectors(w, numbers, 2, fmt.Sprintf(`,"tokens":%d`, len(numbers)))
			})
			got := runOp(t, context.Background(), client, counted(c.inputs, ""), new(vectorSink))
			finish, ok := got.terminal[0].Data.(*llm.Finish)
			if !ok {
				t.Fatal(got.failure())
			}
			if len(got.numbers) != c.inputs || !slices.IsSorted(got.numbers) {
				t.Errorf("vectors %v", got.numbers)
			}
			if int(asked.Load()) != c.requests || finish.Attempts != c.requests || most.Load() > sideBySide {
				t.Errorf("%d requests, %d at once, %d attempts", asked.Load(), most.Load(), finish.Attempts)
			}
			if *finish.Usage.PromptTokens != int64(c.inputs) || !slices.Equal(finish.Warnings, []string{"as ever"}) {
				t.Errorf("usage %d, warnings %q", *finish.Usage.PromptTokens, finish.Warnings)
			}
			if starts := got.count(llm.EventStart); starts != 1 || finish.Model != "plain-1" {
				t.Errorf("%d starts, model %q", starts, finish.Model)
			}
		})
	}
}

func TestEmbeddingsGoWrong(t *testing.T) {
	cases := []struct {
		name, options string
		answer        func(w http.ResponseWriter, numbers []float32)
		kind          llm.Kind
		part          string
	}{
		{"a vector is missing", "", func(w http.ResponseWriter, numbers []float32) { answerVectors(w, numbers[1:], 2, "") },
			llm.KindParse, "1 vectors for 2 inputs"},
		{"a vector too many", "", func(w http.ResponseWriter, numbers []float32) { answerVectors(w, append(numbers, 1), 2, "") },
			llm.KindParse, "3 vectors for 2 inputs"},
		{"empty vectors", "", func(w http.ResponseWriter, numbers []float32) { answerVectors(w, numbers, 0, "") },
			llm.KindParse, "0 bytes"},
		{"batches of different lengths", "", func(w http.ResponseWriter, numbers []float32) { answerVectors(w, numbers, 2+int(numbers[0]), "") },
			llm.KindParse, "different lengths, 2 and 4"},
		{"other dimensions than asked for", `,"dimensions":3`,
			func(w http.ResponseWriter, numbers []float32) { answerVectors(w, numbers, 2, "") }, llm.KindUnsupported, "3 dimensions and gave 2"},
		{"a batch is refused", "", func(w http.ResponseWriter, numbers []float32) {
			if numbers[0] == 4 {
				w.WriteHeader(400)
				return
			}
			answerVectors(w, numbers, 2, "")
		}, llm.KindBadRequest, ""},
		{"the answer has no end", "", func(w http.ResponseWriter, numbers []float32) { answerVectors(w, numbers, 2, `,"broken":true`) },
			llm.KindInterrupted, "terminal signal"},
		{"the whole is too slow", `,"timeouts":{"request":0.02}`,
			func(http.ResponseWriter, []float32) { time.Sleep(200 * time.Millisecond) }, llm.KindTimeout, "timeouts.total"},
		{"an answer above the limit", `,"limits":{"body_bytes":10}`,
			func(w http.ResponseWriter, numbers []float32) { answerVectors(w, numbers, 2, "") }, llm.KindLimit, "limits.body_bytes"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			client := openPlain(t, 2, "", func(w http.ResponseWriter, r *http.Request) { c.answer(w, inputsOf(t, r)) })
			got := runOp(t, context.Background(), client, counted(6, c.options), new(vectorSink))
			if failed := got.failure(); failed == nil || failed.Kind != c.kind || !strings.Contains(failed.Message, c.part) ||
				failed.Provider != "openai" || failed.Model != "m" {
				t.Errorf("got %+v", failed)
			}
		})
	}
	client := openPlain(t, 2, "", func(w http.ResponseWriter, r *http.Request) { answerVectors(w, inputsOf(t, r), 2, "") })
	got := runOp(t, context.Background(), client, counted(6, `,"dimensions":3,"allow_unsupported":true`), new(vectorSink))
	if failed := got.failure(); failed != nil || len(got.numbers) != 6 {
		t.Errorf("allow_unsupported: %d vectors, %v", len(got.numbers), failed)
	}
}

// A batch has its own retries, and the end of the call tells of all of them.
func TestEmbeddingsRetryTheBatch(t *testing.T) {
	var lock sync.Mutex
	seen := map[float32]int{}
	client := openPlain(t, 2, `,"retry_backoff":0.001`, func(w http.ResponseWriter, r *http.Request) {
		numbers := inputsOf(t, r)
		lock.Lock()
		seen[numbers[0]]++
		first := seen[numbers[0]] == 1
		lock.Unlock()
		if first && numbers[0] != 0 {
			w.WriteHeader(503)
			return
		}
		answerVectors(w, numbers, 2, "")
	})
	got := runOp(t, context.Background(), client, counted(6, `,"max_retries":1`), new(vectorSink))
	finish, ok := got.terminal[0].Data.(*llm.Finish)
	if !ok {
		t.Fatal(got.failure())
	}
	if len(got.numbers) != 6 || finish.Attempts != 5 || len(finish.Retries) != 2 || finish.Usage != nil {
		t.Errorf("%v, finish %+v", got.numbers, finish)
	}
}

// The first failure ends the other batches at once, and so does the host.
func TestEmbeddingsEndTogether(t *testing.T) {
	for _, name := range []string{"a failure", "a cancel"} {
		t.Run(name, func(t *testing.T) {
			var left sync.WaitGroup
			left.Add(3)
			ctx, cancel := context.WithCancelCause(context.Background())
			defer cancel(nil)
			var waiting atomic.Int64
			client := openPlain(t, 1, "", func(w http.ResponseWriter, r *http.Request) {
				if inputsOf(t, r)[0] == 1 {
					for waiting.Load() < 3 {
						time.Sleep(time.Millisecond)
					}
					if name == "a cancel" {
						cancel(llm.Errorf(llm.KindCancelled, "enough"))
					}
					w.WriteHeader(401)
					return
				}
				waiting.Add(1)
				<-r.Context().Done()
				left.Done()
			})
			begun := time.Now()
			got := runOp(t, ctx, client, counted(50, ""), new(vectorSink))
			left.Wait()
			want := llm.KindAuthentication
			if name == "a cancel" {
				want = llm.KindCancelled
			}
			if failed := got.failure(); failed == nil || failed.Kind != want {
				t.Errorf("got %+v", failed)
			}
			if waiting.Load() != 3 || time.Since(begun) > 5*time.Second {
				t.Errorf("%d batches waited, it took %v", waiting.Load(), time.Since(begun))
			}
		})
	}
}

// While the host does not take what is there, no more than a few batches are asked for.
func TestEmbeddingsWaitForTheHost(t *testing.T) {
	var asked atomic.Int64
	client := openPlain(t, 1, "", func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		answerVectors(w, inputsOf(t, r), 2, "")
	})
	ctx, cancel := context.WithCancelCause(context.Background())
	stuck := &vectorSink{flushed: func(ctx context.Context) error {
		time.AfterFunc(100*time.Millisecond, func() { cancel(llm.Errorf(llm.KindCancelled, "enough")) })
		<-ctx.Done()
		return context.Cause(ctx)
	}}
	got := runOp(t, ctx, client, counted(50, ""), stuck)
	if failed := got.failure(); failed == nil || failed.Kind != llm.KindCancelled || asked.Load() > sideBySide {
		t.Errorf("%d batches asked for, %v", asked.Load(), failed)
	}
}

func TestBatches(t *testing.T) {
	long := strings.Repeat("x", batchText/2)
	cases := []struct {
		name  string
		texts []string
		limit int
		want  []int
	}{
		{"no limit", []string{long, long, long}, 0, []int{3}},
		{"by number", []string{"a", "b", "c"}, 2, []int{2, 1}},
		{"by size", []string{long, long, long, "a"}, 100, []int{2, 2}},
		{"one is too long", []string{"a", long + long + "x", "b"}, 100, []int{1, 1, 1}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			request := new(llm.Request)
			for _, text := range c.texts {
				request.Input = append(request.Input, llm.Input{Text: text})
			}
			var sizes []int
			for _, batch := range batches(request, c.limit) {
				sizes = append(sizes, len(batch.Input))
			}
			if !slices.Equal(sizes, c.want) {
				t.Errorf("got %v, want %v", sizes, c.want)
			}
		})
	}
}

func TestLists(t *testing.T) {
	pages := map[string]string{
		"/":      `{"models":["a","b"],"next":"2"}`,
		"/2":     `{"models":["c"],"next":"3"}`,
		"/3":     `{"models":["d"]}`,
		"/loop/": `{"models":["a"],"next":"x"}`, "/loop/x": `{"models":["b"],"next":"y"}`, "/loop/y": `{"models":["c"],"next":"x"}`,
		"/bad/": `{"models":["a"],"next":"x"}`,
	}
	cases := []struct {
		path   string
		models []string
		kind   llm.Kind
		part   string
	}{
		{"", []string{"a", "b", "c", "d"}, "", ""},
		{"/loop", []string{"a", "b", "c"}, llm.KindParse, `read already: "x"`},
		{"/bad", []string{"a"}, llm.KindNotFound, ""},
		{"/endless", nil, llm.KindLimit, "more than 1000 pages"},
	}
	for _, c := range cases {
		t.Run(c.path, func(t *testing.T) {
			client := openPlain(t, 0, "", func(w http.ResponseWriter, r *http.Request) {
				if number, ok := strings.CutPrefix(r.URL.Path, "/endless/"); ok {
					fmt.Fprintf(w, `{"next":"%s1"}`, number)
					return
				}
				page, ok := pages[r.URL.Path]
				if !ok {
					w.WriteHeader(404)
				}
				fmt.Fprint(w, page)
			})
			client.config.BaseURL += c.path
			got := runOp(t, context.Background(), client, `{"op":"models"}`, new(vectorSink))
			failed := got.failure()
			if c.models != nil && !slices.Equal(got.models, c.models) {
				t.Errorf("models %q", got.models)
			}
			if (c.kind == "") != (failed == nil) || failed != nil && (failed.Kind != c.kind || !strings.Contains(failed.Message, c.part)) {
				t.Errorf("got %v", failed)
			}
			if finish, ok := got.terminal[0].Data.(*llm.Finish); ok && finish.Attempts != 3 {
				t.Errorf("%d attempts", finish.Attempts)
			}
		})
	}
}

// What a model is known to lack is refused before anything is sent.
func TestModelsAreAskedForWhatTheyHave(t *testing.T) {
	var asked atomic.Int64
	client := openPlain(t, 0, "", func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		answerVectors(w, []float32{1}, 2, "")
	})
	request := `{"op":"embed","model":"gpt-4o","input":"a"`
	got := runOp(t, context.Background(), client, request+"}", new(vectorSink))
	if failed := got.failure(); failed == nil || failed.Kind != llm.KindUnsupported || failed.Param != "input" || asked.Load() != 0 {
		t.Errorf("%d requests, %v", asked.Load(), failed)
	}
	got = runOp(t, context.Background(), client, request+`,"allow_unsupported":true}`, new(vectorSink))
	if failed := got.failure(); failed != nil || asked.Load() != 1 {
		t.Errorf("%d requests, %v", asked.Load(), failed)
	}
}
