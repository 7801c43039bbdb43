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
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pyagent/core/llm"
	"pyagent/core/policy"
)

// models is a server whose models answer by their names: "down", "limited", "long", "filtered", "cut" fail, others say their name.
type models struct {
	mu    sync.Mutex
	asked []string
	keys  []string
}

func (m *models) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var request struct {
		Model  string
		Stream bool
	}
	_ = json.NewDecoder(r.Body).Decode(&request)
	m.mu.Lock()
	m.asked = append(m.asked, request.Model)
	m.keys = append(m.keys, r.Header.Get("Authorization"))
	m.mu.Unlock()
	fail := func(status int, said string) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, `{"error":`+said+`}`)
	}
	usage := `"usage":{"prompt_tokens":4,"completion_tokens":6,"total_tokens":10}`
	switch kind, _, _ := strings.Cut(request.Model, "-"); {
	case kind == "down":
		fail(503, `{"message":"down"}`)
	case kind == "limited":
		w.Header().Set("Retry-After", "100")
		fail(429, `{"message":"too many"}`)
	case kind == "long":
		fail(400, `{"message":"too long","code":"context_length_exceeded"}`)
	case kind == "filtered":
		fail(400, `{"message":"not that","code":"content_policy_violation"}`)
	case request.Stream:
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = fmt.Fprintf(w, `data: {"choices":[{"index":0,"delta":{"content":%q}}]}`+"\n\n", request.Model)
		if kind != "cut" {
			_, _ = io.WriteString(w, `data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],`+usage+"}\n\ndata: [DONE]\n\n")
		}
	default:
		_, _ = fmt.Fprintf(w, `{"choices":[{"index":0,"message":{"content":%q},"finish_reason":"stop"}],%s}`, request.Model, usage)
	}
}

func (m *models) take() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	asked := m.asked
	m.asked = nil
	return asked
}

// openRoute opens a client with a deployment for each model, whose names are those of the models, at a server of its own.
func openRoute(t *testing.T, options, deployment string, names ...string) (*Client, *models) {
	t.Helper()
	served := new(models)
	server := httptest.NewServer(served)
	t.Cleanup(server.Close)
	var deployments []string
	for _, name := range names {
		name, group, _ := strings.Cut(name, "@")
		deployments = append(deployments, fmt.Sprintf(`{"provider":"openai","base_url":%q,"api_key":"k3y-of-%s","model":%q,"name":%q,`+
			`"group":%q,"max_retries":1,"retry_backoff":0.001%s}`, server.URL, name, name, name, group, deployment))
	}
	return openClient(t, `{"deployments":[`+strings.Join(deployments, ",")+`]`+options+`}`), served
}

func askRoute(t *testing.T, client *Client, op, model, options string) *recorder {
	t.Helper()
	request, err := llm.DecodeRequest([]byte(`{"op":"` + op + `","model":"` + model + `","messages":[{"role":"user","content":"x"}]` + options + `}`))
	if err != nil {
		t.Fatal(err)
	}
	into := new(recorder)
	client.Run(context.Background(), request, into)
	if len(into.terminal) != 1 {
		t.Fatalf("%d ends", len(into.terminal))
	}
	return into
}

const inOrder = `"routing":{"strategy":"in_order"`

func TestAnotherDeploymentAnswers(t *testing.T) {
	for _, c := range []struct {
		name, routing, model, op string
		asked                    []string
		text                     string
		kind                     llm.Kind
	}{
		{"the first that is well", ``, "default", "stream", []string{"down", "down", "limited", "good"}, "good", ""},
		{"one answer", ``, "default", "generate", []string{"down", "down", "limited", "good"}, "good", ""},
		{"a deployment by its name", ``, "good", "stream", []string{"good"}, "good", ""},
		{"one that fails, by its name", ``, "down", "stream", []string{"down", "down"}, "", llm.KindServiceUnavailable},
		{"its fallbacks", `,"fallbacks":[["down","long","good"]]`, "down", "stream", []string{"down", "down", "long"}, "", llm.KindContextWindow},
		{"fallbacks of a kind", `,"context_window_fallbacks":[["long","good"]]`, "long", "stream", []string{"long", "good"}, "good", ""},
		{"and of the other kind", `,"content_policy_fallbacks":[["filtered","good"]]`, "filtered", "generate", []string{"filtered", "good"}, "good", ""},
		{"but not for that error", `,"content_policy_fallbacks":[["long","good"]]`, "long", "generate", []string{"long"}, "", llm.KindContextWindow},
		{"nobody else after the first piece", `,"fallbacks":[["cut","good"]]`, "cut", "stream", []string{"cut"}, "cut", llm.KindInterrupted},
	} {
		t.Run(c.name, func(t *testing.T) {
			client, served := openRoute(t, `,`+inOrder+c.routing+`}`, ``, "down", "limited", "good", "long@l", "filtered@f", "cut@c")
			into := askRoute(t, client, c.op, c.model, "")
			if asked := served.take(); !slices.Equal(asked, c.asked) {
				t.Errorf("asked %q", asked)
			}
			last := c.asked[len(c.asked)-1]
			if c.kind != "" {
				if failed := into.failure(); failed == nil || failed.Kind != c.kind || failed.Deployment != last || failed.Provider != "openai" ||
					failed.Model != last || failed.Attempts != len(c.asked) || len(failed.Retries) != len(c.asked)-1 {
					t.Errorf("failed as %+v", into.terminal[0].Data)
				}
			} else {
				finish, _ := into.terminal[0].Data.(*llm.Finish)
				if finish == nil || finish.Deployment != last || finish.RequestedModel != last || finish.Attempts != len(c.asked) ||
					finish.Provider != "openai" {
					t.Fatalf("ended with %+v", into.terminal[0].Data)
				}
				for i, past := range finish.Retries {
					if past.Attempt != i+1 || past.Deployment != c.asked[i] {
						t.Errorf("retry %d: %+v", i, past)
					}
				}
				if into.count(llm.EventRetry) != len(c.asked)-1 {
					t.Errorf("%d retries were told", into.count(llm.EventRetry))
				}
			}
			if into.text != c.text || into.count(llm.EventStart) > 1 {
				t.Errorf("text %q, %d starts", into.text, into.count(llm.EventStart))
			}
			said, _ := json.Marshal([]any{into.terminal, into.events, client.Describe()})
			if strings.Contains(string(said), "k3y") {
				t.Errorf("a key is in %s", said)
			}
		})
	}
}

func TestEachDeploymentIsAskedWithItsKey(t *testing.T) {
	client, served := openRoute(t, `,`+inOrder+`}`, ``, "down", "good")
	askRoute(t, client, "generate", "default", "")
	if want := []string{"Bearer k3y-of-down", "Bearer k3y-of-down", "Bearer k3y-of-good"}; !slices.Equal(served.keys, want) {
		t.Errorf("keys %q", served.keys)
	}
	for options, param := range map[string]string{
		`,"api_key":"other"`:                       "api_key",
		`,"base_url":"http://127.0.0.1"`:           "base_url",
		`,"extra_headers":{"authorization":"x y"}`: "extra_headers",
	} {
		if failed := askRoute(t, client, "generate", "default", options).failure(); failed == nil || failed.Param != param {
			t.Errorf("%s: %v", options, failed)
		}
	}
	if failed := askRoute(t, client, "generate", "nobody", "").failure(); failed == nil || failed.Param != "model" ||
		!strings.Contains(failed.Message, `"good"`) {
		t.Errorf("an unknown name: %v", failed)
	}
}

func TestChoicesOfASeedAreTheSame(t *testing.T) {
	draw := func(seed int) []string {
		client, served := openRoute(t, fmt.Sprintf(`,"routing":{"seed":%d}`, seed), ``, "a", "b", "c")
		for range 20 {
			askRoute(t, client, "generate", "default", "")
		}
		return served.take()
	}
	first := draw(7)
	if again := draw(7); !slices.Equal(first, again) {
		t.Errorf("%q, then %q", first, again)
	}
	if slices.Equal(first, draw(8)) {
		t.Error("another seed gave the same choices")
	}
}

func TestARouteIsPaid(t *testing.T) {
	price := `,"prices":{"down":{"input":1e6,"output":1e6},"good":{"input":1e6,"output":1e6}}`
	client, served := openRoute(t, `,"tag":"mine","budget":{"usd":15},`+inOrder+`}`, price, "down", "good")
	finish, _ := askRoute(t, client, "generate", "default", "").terminal[0].Data.(*llm.Finish)
	if finish == nil || finish.CostUSD == nil || *finish.CostUSD != 10 {
		t.Fatalf("cost of %+v", finish)
	}
	totals := client.Describe()["costs"].([]Spent)
	if len(totals) != 1 || totals[0].Model != "good" || totals[0].Tag != "mine" || totals[0].USD != 10 {
		t.Errorf("totals %+v", totals)
	}
	served.take()
	if failed := askRoute(t, client, "generate", "default", `,"max_tokens":5`).failure(); failed == nil || failed.Kind != llm.KindBudget {
		t.Errorf("beyond the budget: %v", failed)
	}
	if asked := served.take(); len(asked) != 0 {
		t.Errorf("asked %q", asked)
	}
	free, _ := openRoute(t, `,"budget":{"usd":15},`+inOrder+`}`, ``, "good")
	if failed := askRoute(t, free, "generate", "default", "").failure(); failed == nil || failed.Param != "prices" {
		t.Errorf("a budget without prices: %v", failed)
	}
	// A deployment that has spent its own budget is passed over.
	own, served := openRoute(t, `,`+inOrder+`}`, `,"budget":{"tokens":12}`, "a", "b")
	for range 2 {
		askRoute(t, own, "generate", "default", `,"max_tokens":3`)
	}
	if asked := served.take(); !slices.Equal(asked, []string{"a", "b"}) {
		t.Errorf("asked %q", asked)
	}
}

func TestInspectionTellsHowDeploymentsFare(t *testing.T) {
	client, _ := openRoute(t, `,"routing":{"strategy":"in_order","allowed_failures":0,"cooldown":1000}`, `,"rpm":50`, "down", "good")
	for range 3 {
		askRoute(t, client, "generate", "default", "")
	}
	var seen struct {
		Deployments []struct {
			Name, Group, Model, Provider string
			Health                       policy.NodeState
		}
	}
	said, _ := json.Marshal(client.Describe())
	if err := json.Unmarshal(said, &seen); err != nil || len(seen.Deployments) != 2 {
		t.Fatalf("%v: %s", err, said)
	}
	down, good := seen.Deployments[0], seen.Deployments[1]
	if down.Name != "down" || down.Provider != "openai" || down.Health.State != "resting" || down.Health.Failed != 1 ||
		down.Health.Seconds < 900 || down.Health.Requests != 2 { // its retry counts
		t.Errorf("down: %+v", down)
	}
	if good.Health.State != "healthy" || good.Health.Answered != 3 || good.Health.Tokens != 30 || good.Health.Latency <= 0 {
		t.Errorf("good: %+v", good)
	}
}

func TestManyCallsShareTheRoom(t *testing.T) {
	var running, most atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		most.Store(max(most.Load(), running.Add(1)))
		time.Sleep(2 * time.Millisecond)
		running.Add(-1)
		_, _ = io.WriteString(w, `{"choices":[{"index":0,"message":{"content":"hi"},"finish_reason":"stop"}]}`)
	}))
	defer server.Close()
	deployment := `{"provider":"openai","base_url":"` + server.URL + `","api_key":"k","model":"m","max_parallel":2}`
	client := openClient(t, `{"deployments":[`+deployment+`,`+deployment+`],"routing":{"strategy":"least_busy"}}`)
	var all sync.WaitGroup
	for range 40 {
		all.Go(func() {
			if failed := askRoute(t, client, "generate", "default", "").failure(); failed != nil {
				t.Error(failed)
			}
		})
	}
	all.Wait()
	if most.Load() > 4 || most.Load() < 2 {
		t.Errorf("%d at once", most.Load())
	}
	if state := client.router.policy.Describe(time.Now(), 0); state.Running != 0 || len(client.router.lines) != 0 {
		t.Errorf("left %+v and %d waiting", state, len(client.router.lines))
	}
	refused := openClient(t, `{"deployments":[`+strings.Replace(deployment, `"max_parallel":2`, `"rpm":1`, 1)+`],"routing":{"max_wait":0}}`)
	askRoute(t, refused, "generate", "default", "")
	failed := askRoute(t, refused, "generate", "default", "").failure()
	if failed == nil || failed.Code != "throttled" || failed.RetryAfter == nil || *failed.RetryAfter < 50 || failed.Attempts != 0 {
		t.Errorf("refused as %+v", failed)
	}
}

// Calls wait for room in the order in which they came, for as long as it takes in the bubble's time.
func TestWaitingForRoomIsFair(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		deployments := []llm.Deployment{{Name: "a", Group: "g", RPM: 1}, {Name: "b", Group: "g", RPM: 1}}
		r := &router{clock: realClock{}, policy: policy.NewRouter(deployments, &llm.Routing{Strategy: llm.InOrder})}
		began := time.Now()
		var mu sync.Mutex
		var order []int
		var waited []time.Duration
		var all sync.WaitGroup
		for number := range 6 {
			all.Go(func() {
				trip, _ := r.policy.Plan("g")
				trip.Tokens = func(int) int64 { return 1 }
				var seat *policy.Seat
				err := r.stand(t.Context(), latest{}, trip.Line(), func(now time.Time) (bool, time.Duration, bool) {
					found, wait, known := r.policy.Choose(now, r.random, trip)
					seat = found
					return found != nil, wait, known
				})
				if err != nil || seat == nil {
					t.Errorf("%d: %v", number, err)
					return
				}
				mu.Lock()
				order, waited = append(order, number), append(waited, time.Since(began).Round(time.Minute))
				mu.Unlock()
				r.leave(seat, policy.Result{})
			})
			synctest.Wait()
		}
		all.Wait()
		if want := []time.Duration{0, 0, time.Minute, time.Minute, 2 * time.Minute, 2 * time.Minute}; !slices.Equal(waited, want) {
			t.Errorf("waited %v", waited)
		}
		for i, number := range order {
			if math.Abs(float64(number-i)) > 1 { // two are let in at one moment, and either may write first
				t.Errorf("order %v", order)
			}
		}
	})
}

func TestWaitingForRoomEndsWithItsCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &router{clock: realClock{}, policy: policy.NewRouter([]llm.Deployment{{Name: "a", Group: "g"}}, &llm.Routing{})}
		never := func(time.Time) (bool, time.Duration, bool) { return false, 0, false }
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Hour, func() { cancel(llm.Errorf(llm.KindCancelled, "enough")) })
		began := time.Now()
		if err := r.stand(ctx, latest{}, "", never); err == nil || err.Message != "enough" || time.Since(began) != time.Hour {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		at := latest{time.Now().Add(time.Minute), "a minute"}
		if err := r.stand(t.Context(), at, "", never); err == nil || err.Code != "throttled" || err.RetryAfter != nil {
			t.Errorf("%v", err)
		}
		if len(r.lines) != 0 {
			t.Errorf("%d wait still", len(r.lines))
		}
	})
}

func TestBadDeployments(t *testing.T) {
	good := `{"provider":"echo","model":"m"`
	for config, want := range map[string]string{
		`{"routing":{}}`: "with deployments",
		`{"deployments":[` + good + `}],"api_key":"k"}`:                                               "api_key belongs to a deployment",
		`{"deployments":[` + good + `}],"timeouts":{"idle":1}}`:                                       "timeouts.idle belongs",
		`{"deployments":[` + good + `}],"network":{"http2":true}}`:                                    "network belongs",
		`{"deployments":[{"provider":"echo"}]}`:                                                       "model is missing",
		`{"deployments":[` + good + `,"wieght":1}]}`:                                                  `did you mean "weight"`,
		`{"deployments":[` + good + `,"weight":-1}]}`:                                                 "deployments[0]: weight must be",
		`{"deployments":[` + good + `,"rpm":-1}]}`:                                                    "rpm must be",
		`{"deployments":[` + good + `,"tpm":-1}]}`:                                                    "tpm must be",
		`{"deployments":[` + good + `,"max_parallel":-1}]}`:                                           "max_parallel must be",
		`{"deployments":[` + good + `,"defaults":{"seeed":1}}]}`:                                      `did you mean "seed"`,
		`{"deployments":[` + good + `,"defaults":{"n":0}}]}`:                                          "deployments[0]: n must be 1 or more",
		`{"deployments":[` + good + `,"defaults":{"max_retries":1}}]}`:                                "defaults has max_retries",
		`{"deployments":[` + good + `}],"routing":{"retry_pause":-1}}`:                                "routing.retry_pause must be",
		`{"deployments":[` + good + `,"max_retries":-1}]}`:                                            "deployments[0]: max_retries must be",
		`{"deployments":[` + good + `,"deployments":[` + good + `}]}]}`:                               "cannot have deployments",
		`{"deployments":[` + good + `,"name":"x"},` + good + `,"name":"x"}]}`:                         `two deployments have the name "x"`,
		`{"deployments":[` + good + `,"name":"x","group":"y"},` + good + `,"name":"y","group":"z"}]}`: "of a deployment and of a group",
		`{"deployments":[{"provider":"nobody","model":"m"}]}`:                                         "deployments[0]: ",
		`{"deployments":[` + good + `}],"routing":{"strategy":"best"}}`:                               "routing.strategy must be one of",
		`{"deployments":[` + good + `}],"routing":{"cooldown":-1}}`:                                   "routing.cooldown must be",
		`{"deployments":[` + good + `}],"routing":{"max_wait":-1}}`:                                   "routing.max_wait must be",
		`{"deployments":[` + good + `}],"routing":{"hedge_after":0}}`:                                 "routing.hedge_after must be",
		`{"deployments":[` + good + `}],"routing":{"allowed_failures":-1}}`:                           "routing.allowed_failures must be",
		`{"deployments":[` + good + `}],"routing":{"fallbacks":[["default"]]}}`:                       "routing.fallbacks[0] must be a list",
		`{"deployments":[` + good + `}],"routing":{"content_policy_fallbacks":[["default","x"]]}}`:    `names "x"`,
	} {
		decoded, err := llm.DecodeConfig([]byte(config))
		if err == nil {
			_, err = New("pyagent/test").Open(decoded)
		}
		if err == nil || err.Kind != llm.KindConfiguration || !strings.Contains(err.Message, want) {
			t.Errorf("%s: %v", config, err)
		}
	}
	decoded, err := llm.DecodeConfig([]byte(`{"deployments":[` + good + `},` + good + `}]}`))
	if err != nil || decoded.Deployments[0].Name != "echo/m" || decoded.Deployments[1].Name != "echo/m#2" {
		t.Errorf("%v: %+v", err, decoded)
	}
}

// silent is a server whose models "silent" say nothing until they are left, and "slow" answer after a while.
func silent(t *testing.T) (address string, left *atomic.Int64) {
	t.Helper()
	left = new(atomic.Int64)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var request struct{ Model string }
		_ = json.NewDecoder(r.Body).Decode(&request)
		switch request.Model {
		case "silent":
			<-r.Context().Done()
			left.Add(1)
			return
		case "slow":
			time.Sleep(100 * time.Millisecond)
		case "bad":
			time.Sleep(50 * time.Millisecond)
			w.WriteHeader(500)
			_, _ = io.WriteString(w, `{"error":{"message":"bad"}}`)
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = fmt.Fprintf(w, `data: {"choices":[{"index":0,"delta":{"content":%q},"finish_reason":"stop"}]}`+"\n\ndata: [DONE]\n\n", request.Model)
	}))
	t.Cleanup(server.Close)
	return server.URL, left
}

func TestASecondDeploymentRacesASlowOne(t *testing.T) {
	for _, c := range []struct {
		models, hedge string
		text          string
		attempts      int
		kind          llm.Kind
	}{
		{"silent fast", "0.01", "fast", 2, ""},
		{"silent slow", "0.01", "slow", 2, ""},
		{"slow silent", "0.01", "slow", 2, ""},
		{"fast silent", "60", "fast", 1, ""},
		{"slow", "0.01", "slow", 1, ""},
		{"silent bad", "0.01", "", 2, llm.KindTimeout},
		{"bad slow", "0.01", "slow", 2, ""},
		{"bad fast", "60", "fast", 2, ""},
		{"bad bad", "0.01", "", 2, llm.KindInternalServer},
	} {
		for _, op := range []string{"stream", "generate"} {
			t.Run(op+" "+c.models+" "+c.hedge, func(t *testing.T) {
				t.Parallel()
				address, _ := silent(t)
				var deployments []string
				for _, model := range strings.Fields(c.models) {
					deployments = append(deployments, fmt.Sprintf(`{"provider":"openai","base_url":%q,"api_key":"k","model":%q,"max_retries":0}`, address, model))
				}
				client := openClient(t, `{"deployments":[`+strings.Join(deployments, ",")+`],"routing":{"strategy":"in_order","hedge_after":`+c.hedge+`}}`)
				into := askRoute(t, client, op, "default", `,"timeouts":{"total":1}`)
				if into.text != c.text || into.count(llm.EventStart) != min(len(c.text), 1) {
					t.Errorf("text %q, %d starts", into.text, into.count(llm.EventStart))
				}
				failed := into.failure()
				if c.kind != "" {
					if failed == nil || failed.Kind != c.kind || failed.Attempts != c.attempts || len(failed.Retries) != c.attempts-1 {
						t.Errorf("failed as %+v", failed)
					}
					return
				}
				finish, _ := into.terminal[0].Data.(*llm.Finish)
				if finish == nil || finish.Deployment != "openai/"+c.text || finish.Attempts != c.attempts || len(finish.Retries) != c.attempts-1 {
					t.Errorf("ended with %+v", into.terminal[0].Data)
				}
				for i := range deployments {
					if state := client.router.policy.Describe(time.Now(), i); state.Running != 0 {
						t.Errorf("%d is running still", i)
					}
				}
			})
		}
	}
}

func TestTheSlowerOneIsLeft(t *testing.T) {
	address, left := silent(t)
	deployment := `{"provider":"openai","base_url":"` + address + `","api_key":"k","model":"`
	client := openClient(t, `{"deployments":[`+deployment+`silent"},`+deployment+`fast"}],"routing":{"strategy":"in_order","hedge_after":0.01}}`)
	finish, _ := askRoute(t, client, "stream", "default", "").terminal[0].Data.(*llm.Finish)
	if finish == nil || len(finish.Retries) != 1 || finish.Retries[0].Kind != llm.KindCancelled || finish.Retries[0].Deployment != "openai/silent" {
		t.Errorf("ended with %+v", finish)
	}
	for deadline := time.Now().Add(5 * time.Second); left.Load() == 0 && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	if left.Load() != 1 {
		t.Error("the connection of the slower one is open still")
	}
	if state := client.router.policy.Describe(time.Now(), 0); state.State != "healthy" || state.Failed != 0 {
		t.Errorf("being slower is no failure: %+v", state)
	}
}
