package policy

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pyagent/core/llm"
)

// routed is a router with a clock and a chance of its own.
type routed struct {
	*Router
	now    time.Time
	chance *rand.Rand
	tokens int64
	costs  []float64
}

func newRouted(routing llm.Routing, deployments ...llm.Deployment) *routed {
	for i := range deployments {
		d := &deployments[i]
		if d.Name == "" {
			d.Name = fmt.Sprintf("d%d", i)
		}
		if d.Group == "" {
			d.Group = "g"
		}
	}
	return &routed{NewRouter(deployments, &routing), time.Unix(1e9, 0), rand.New(rand.NewPCG(1, 2)), 10, nil}
}

func (r *routed) plan(name string) *Trip {
	trip, _ := r.Plan(name)
	trip.Tokens = func(int) int64 { return r.tokens }
	trip.Cost = func(i int) float64 { return r.costs[i] }
	return trip
}

// sit takes a seat that is there at once.
func (r *routed) sit(t *testing.T, trip *Trip) *Seat {
	t.Helper()
	seat, wait, known := r.Choose(r.now, r.chance.Float64, trip)
	if seat == nil {
		t.Fatalf("no seat; wait %v, %v", wait, known)
	}
	return seat
}

// ask carries out one request of a call of its own, and returns who was asked.
func (r *routed) ask(t *testing.T, err *llm.Error) int {
	t.Helper()
	seat := r.sit(t, r.plan("g"))
	r.Leave(r.now, seat, Result{Err: err, Tokens: -1})
	return seat.Deployment
}

func (r *routed) states() (states []string) {
	for i := range r.nodes {
		states = append(states, r.Describe(r.now, i).State)
	}
	return states
}

func down() *llm.Error { return &llm.Error{Kind: llm.KindServiceUnavailable, Retryable: true} }

func TestShuffleGoesByWeightAndSeed(t *testing.T) {
	draw := func() (all []int, counts [4]int) {
		r := newRouted(llm.Routing{Strategy: llm.Shuffle}, llm.Deployment{Weight: number(3)}, llm.Deployment{}, llm.Deployment{Weight: number(0)},
			llm.Deployment{Order: 1, Weight: number(100)})
		for range 4000 {
			i := r.ask(t, nil)
			all = append(all, i)
			counts[i]++
			r.now = r.now.Add(time.Second)
		}
		return all, counts
	}
	first, counts := draw()
	again, _ := draw()
	if !slices.Equal(first, again) {
		t.Error("the same seed gave other choices")
	}
	if math.Abs(float64(counts[0])-3000) > 120 || counts[2] != 0 || counts[3] != 0 {
		t.Errorf("chosen %v times", counts)
	}
	zero := newRouted(llm.Routing{Strategy: llm.Shuffle}, llm.Deployment{Weight: number(0)}, llm.Deployment{Weight: number(0)})
	seen := map[int]bool{}
	for range 100 {
		seen[zero.ask(t, nil)] = true
	}
	if len(seen) != 2 {
		t.Errorf("where nobody has weight, %v were asked", seen)
	}
}

func TestInOrderAndLeastBusy(t *testing.T) {
	r := newRouted(llm.Routing{Strategy: llm.InOrder}, llm.Deployment{MaxParallel: 1}, llm.Deployment{MaxParallel: 1})
	one, two := r.sit(t, r.plan("g")), r.sit(t, r.plan("g"))
	if one.Deployment != 0 || two.Deployment != 1 {
		t.Errorf("asked %d, %d", one.Deployment, two.Deployment)
	}
	if seat, _, known := r.Choose(r.now, r.chance.Float64, r.plan("g")); seat != nil || known {
		t.Errorf("both are full, and there was a seat %v, %v", seat, known)
	}
	r.Leave(r.now, two, Result{})
	if i := r.sit(t, r.plan("g")).Deployment; i != 1 {
		t.Errorf("asked %d", i)
	}

	r = newRouted(llm.Routing{Strategy: llm.LeastBusy}, llm.Deployment{}, llm.Deployment{}, llm.Deployment{})
	var seats []*Seat
	for range 9 {
		seats = append(seats, r.sit(t, r.plan("g")))
	}
	for i := range 3 {
		if running := r.Describe(r.now, i).Running; running != 3 {
			t.Errorf("%d has %d", i, running)
		}
	}
	r.Leave(r.now, seats[4], Result{})
	if again := r.sit(t, r.plan("g")); again.Deployment != seats[4].Deployment {
		t.Errorf("asked %d", again.Deployment)
	}
}

func TestLowestLatency(t *testing.T) {
	r := newRouted(llm.Routing{Strategy: llm.LowestLatency}, llm.Deployment{}, llm.Deployment{})
	took := []time.Duration{100 * time.Millisecond, 300 * time.Millisecond}
	ask := func() int {
		seat := r.sit(t, r.plan("g"))
		r.Leave(r.now, seat, Result{First: took[seat.Deployment]})
		return seat.Deployment
	}
	if a, b := ask(), ask(); a == b {
		t.Errorf("one of them was not measured")
	}
	for range 5 {
		if ask() != 0 {
			t.Fatal("the slower one was asked")
		}
	}
	took[0] = 900 * time.Millisecond
	var asked []int
	for range 4 {
		asked = append(asked, ask())
	}
	if !slices.Equal(asked, []int{0, 1, 1, 1}) { // 0.1 + 0.3*(0.9-0.1) = 0.34
		t.Errorf("asked %v", asked)
	}
	if state := r.Describe(r.now, 0); math.Abs(state.Latency-0.34) > 1e-9 {
		t.Errorf("the average is %v", state.Latency)
	}
	took[0] = 100 * time.Millisecond
	r.now = r.now.Add(latencyAge)
	if a, b := ask(), ask(); a == b {
		t.Error("what was measured long ago still counts")
	}
	fresh := newRouted(llm.Routing{Strategy: llm.LowestLatency}, llm.Deployment{}, llm.Deployment{})
	first := fresh.sit(t, fresh.plan("g"))
	if second := fresh.sit(t, fresh.plan("g")); second.Deployment == first.Deployment {
		t.Error("two requests at once measure one deployment")
	}
}

func TestLowestCostAndUsage(t *testing.T) {
	r := newRouted(llm.Routing{Strategy: llm.LowestCost}, llm.Deployment{}, llm.Deployment{}, llm.Deployment{})
	r.costs = []float64{math.Inf(1), 0.2, 0.1}
	if i := r.ask(t, nil); i != 2 {
		t.Errorf("asked %d", i)
	}
	trip := r.plan("g")
	var asked []int
	for range 3 {
		asked = append(asked, r.sit(t, trip).Deployment)
	}
	if !slices.Equal(asked, []int{2, 1, 0}) {
		t.Errorf("asked %v", asked)
	}

	r = newRouted(llm.Routing{Strategy: llm.LowestUsage}, llm.Deployment{RPM: 10}, llm.Deployment{TPM: 1000}, llm.Deployment{RPM: 1000, TPM: 50})
	counts := [3]int{}
	for range 30 {
		counts[r.ask(t, nil)]++
	}
	// The parts of the limits that are used rise together: 10 requests, 100 requests of 10 tokens, and 5 such requests.
	for i, most := range []int{10, 100, 5} {
		if part := float64(counts[i]) / float64(most); math.Abs(part-30.0/115) > 0.2 {
			t.Errorf("chosen %v times, which is %v of the limit of %d", counts, part, i)
		}
	}
	r = newRouted(llm.Routing{Strategy: llm.LowestUsage}, llm.Deployment{RPM: 10}, llm.Deployment{})
	seat := r.sit(t, r.plan("g"))
	r.Leave(r.now, seat, Result{Tokens: 500})
	if other := r.ask(t, nil); other == seat.Deployment {
		t.Errorf("the one with more tokens was asked")
	}
}

func TestHealth(t *testing.T) {
	r := newRouted(llm.Routing{Strategy: llm.InOrder}, llm.Deployment{}, llm.Deployment{})
	for i, want := range []int{0, 0, 0, 1, 1} {
		failed := down()
		if want == 1 {
			failed = nil
		}
		if got := r.ask(t, failed); got != want {
			t.Fatalf("call %d asked %d", i, got)
		}
	}
	if states := r.states(); !slices.Equal(states, []string{"resting", "healthy"}) {
		t.Errorf("states %v", states)
	}
	r.now = r.now.Add(defaultCooldown)
	if states := r.states(); states[0] != "due" {
		t.Errorf("states %v", states)
	}
	probe := r.sit(t, r.plan("g"))
	if other := r.sit(t, r.plan("g")); probe.Deployment != 0 || other.Deployment != 1 || r.states()[0] != "probing" {
		t.Errorf("asked %d, %d; %v", probe.Deployment, other.Deployment, r.states())
	}
	r.Leave(r.now, probe, Result{Err: down()}) // one failure is enough now
	if states := r.states(); states[0] != "resting" {
		t.Errorf("states %v", states)
	}
	r.now = r.now.Add(defaultCooldown)
	probe = r.sit(t, r.plan("g"))
	r.Leave(r.now, probe, Result{Err: &llm.Error{Kind: llm.KindCancelled}})
	if states := r.states(); states[0] != "due" {
		t.Errorf("a probe that was cancelled says nothing, states %v", states)
	}
	if i := r.ask(t, nil); i != 0 || r.states()[0] != "healthy" {
		t.Errorf("asked %d, states %v", i, r.states())
	}
}

func TestWhatMakesADeploymentRest(t *testing.T) {
	soon := 90.0
	for _, c := range []struct {
		err  llm.Error
		rest time.Duration
	}{
		{llm.Error{Kind: llm.KindAuthentication}, 30 * time.Second},
		{llm.Error{Kind: llm.KindNotFound}, 30 * time.Second},
		{llm.Error{Kind: llm.KindQuota}, 30 * time.Second},
		{llm.Error{Kind: llm.KindRateLimit, Retryable: true, RetryAfter: &soon}, 90 * time.Second},
		{llm.Error{Kind: llm.KindRateLimit}, 0},
		{llm.Error{Kind: llm.KindBadRequest}, 0},
		{llm.Error{Kind: llm.KindContextWindow}, 0},
		{llm.Error{Kind: llm.KindConnection, Retryable: true}, 0}, // the first one
	} {
		r := newRouted(llm.Routing{Strategy: llm.InOrder}, llm.Deployment{}, llm.Deployment{})
		r.ask(t, &c.err)
		if got := r.nodes[0].until; c.rest == 0 && !got.IsZero() || c.rest > 0 && got.Sub(r.now) != c.rest {
			t.Errorf("%s: rests until %v", c.err.Kind, got)
		}
	}
	none := 0.0
	r := newRouted(llm.Routing{Strategy: llm.InOrder, Cooldown: &none}, llm.Deployment{}, llm.Deployment{})
	for range 5 {
		if r.ask(t, down()) != 0 {
			t.Fatal("without a cooldown it rested")
		}
	}
}

func TestWhereNobodyIsWell(t *testing.T) {
	allowed := 0
	r := newRouted(llm.Routing{Strategy: llm.InOrder, AllowedFailures: &allowed}, llm.Deployment{RPM: 2}, llm.Deployment{})
	r.ask(t, down())
	r.now = r.now.Add(time.Second)
	r.ask(t, down())
	trip := r.plan("g")
	if first := r.sit(t, trip).Deployment; first != 0 {
		t.Errorf("asked %d, whose rest ends later", first)
	}
	if seat, wait, known := r.Choose(r.now, r.chance.Float64, trip); seat != nil || wait != 0 || !known {
		t.Errorf("a second one was asked: %v, %v, %v", seat, wait, known)
	}
	if other := r.sit(t, r.plan("g")).Deployment; other != 1 { // the first has had its two requests
		t.Errorf("asked %d beyond its limit", other)
	}
}

func TestRoomComesWithTime(t *testing.T) {
	r := newRouted(llm.Routing{Strategy: llm.InOrder}, llm.Deployment{RPM: 1}, llm.Deployment{TPM: 10})
	r.ask(t, nil)
	r.now = r.now.Add(time.Second)
	r.ask(t, nil)
	_, wait, known := r.Choose(r.now, r.chance.Float64, r.plan("g"))
	if wait != 59*time.Second || !known {
		t.Errorf("wait %v, %v", wait, known)
	}
	r.now = r.now.Add(wait)
	trip := r.plan("g")
	seat := r.sit(t, trip)
	if r.Free(r.now, trip) {
		t.Error("the other one has no room yet")
	}
	if ok, wait, known := r.Again(r.now, seat, 10); ok || wait != time.Minute || !known {
		t.Errorf("a repeated request is one more: %v, %v, %v", ok, wait, known)
	}
	r.Leave(r.now, seat, Result{Err: &llm.Error{Kind: llm.KindCancelled}})
	if state := r.Describe(r.now, 0); state.Running != 0 {
		t.Errorf("%d are running", state.Running)
	}
}

func TestFallbacks(t *testing.T) {
	r := newRouted(llm.Routing{
		Strategy: llm.InOrder, Fallbacks: [][]string{{"g", "d2", "h"}}, ContextWindow: [][]string{{"g", "long"}},
		ContentPolicy: [][]string{{"h", "long"}},
	}, llm.Deployment{}, llm.Deployment{}, llm.Deployment{Group: "other"}, llm.Deployment{Group: "h"}, llm.Deployment{Name: "long", Group: "l"})
	way := func(name string, errors ...*llm.Error) (asked []int) {
		trip := r.plan(name)
		for _, err := range append(errors, down(), down(), down(), down(), down()) {
			seat, _, _ := r.Choose(r.now, r.chance.Float64, trip)
			if seat == nil {
				return asked
			}
			asked = append(asked, seat.Deployment)
			r.Leave(r.now, seat, Result{})
			if !r.Onward(trip, err) {
				return asked
			}
		}
		return asked
	}
	long, policy := &llm.Error{Kind: llm.KindContextWindow}, &llm.Error{Kind: llm.KindContentPolicy}
	for _, c := range []struct {
		name   string
		errors []*llm.Error
		want   []int
	}{
		{"g", nil, []int{0, 1, 2, 3}},
		{"d1", nil, []int{1}},
		{"h", nil, []int{3}},
		{"g", []*llm.Error{long}, []int{0, 4}},
		{"g", []*llm.Error{down(), down(), long}, []int{0, 1, 2, 4}},
		{"g", []*llm.Error{policy}, []int{0}},
		{"h", []*llm.Error{policy}, []int{3, 4}},
		{"g", []*llm.Error{{Kind: llm.KindBadRequest}}, []int{0}},
		{"g", []*llm.Error{{Kind: llm.KindUnsupported}, {Kind: llm.KindBudget}, {Kind: llm.KindCancelled}}, []int{0, 1, 2}},
	} {
		if got := way(c.name, c.errors...); !slices.Equal(got, c.want) {
			t.Errorf("%s, %v: asked %v, want %v", c.name, c.errors, got, c.want)
		}
	}
	if _, ok := r.Plan("nobody"); ok {
		t.Error("there is a way to nobody")
	}
	if all := r.Reach(r.plan("g")); !slices.Equal(all, []int{0, 1, 2, 3, 4}) {
		t.Errorf("reaches %v", all)
	}
}
