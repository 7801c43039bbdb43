package policy

import (
	"fmt"
	"math"
	"slices"
	"time"

	"pyagent/core/llm"
)

// Router knows how the deployments of a client fare, and chooses who is asked next. It is a value without a clock, without
// chance and without a lock: the caller brings them.
type Router struct {
	nodes    []node
	routing  *llm.Routing
	named    []llm.Deployment
	cooldown time.Duration
	allowed  int
}

// node is what is known of one deployment.
type node struct {
	window   Window
	weight   float64
	order    int
	failures int       // in a row
	until    time.Time // rests until then; zero while it is healthy
	probing  bool      // one request finds out whether it is well again
	latency  time.Duration
	measured time.Time // when latency was measured last; zero: never
	answered int64
	failed   int64
}

const (
	defaultCooldown        = 30 * time.Second
	defaultAllowedFailures = 2
	// latencyShare is what a new time to the first piece counts for in the moving average.
	latencyShare = 0.3
	// latencyAge is how long an average says something. After that the deployment is tried again, however slow it was.
	latencyAge = 5 * time.Minute
)

// NewRouter makes a router of checked deployments, all of them healthy.
func NewRouter(deployments []llm.Deployment, routing *llm.Routing) *Router {
	r := &Router{routing: routing, named: deployments, cooldown: defaultCooldown, allowed: defaultAllowedFailures}
	if routing.Cooldown != nil {
		r.cooldown = seconds(*routing.Cooldown)
	}
	if routing.AllowedFailures != nil {
		r.allowed = *routing.AllowedFailures
	}
	for i := range deployments {
		d := &deployments[i]
		weight := 1.0
		if d.Weight != nil {
			weight = *d.Weight
		}
		r.nodes = append(r.nodes, node{
			weight: weight, order: d.Order,
			window: Window{Rates: Rates{Requests: d.RPM, Tokens: d.TPM, Concurrency: d.MaxParallel, Period: time.Minute}},
		})
	}
	return r
}

// Trip is the way of one call: whom it may ask, and whom it has asked.
type Trip struct {
	asked   string  // the group or deployment that the request names
	stages  [][]int // deployments that stand in for one another, and then those that take their place
	special bool    // the fallbacks are those of one kind of error
	tried   []bool
	Tokens  func(deployment int) int64   // that the request is expected to have
	Cost    func(deployment int) float64 // in US dollars; +Inf where nobody knows
}

// Plan begins the way of a call that names a group or a deployment; ok is false when there is none of that name.
func (r *Router) Plan(name string) (trip *Trip, ok bool) {
	first := llm.Find(r.named, name)
	if len(first) == 0 {
		return nil, false
	}
	trip = &Trip{asked: name, tried: make([]bool, len(r.nodes))}
	trip.stages = append([][]int{first}, r.fallbacks(r.routing.Fallbacks, name)...)
	return trip, true
}

// fallbacks are the stages behind a name.
func (r *Router) fallbacks(lists [][]string, name string) (stages [][]int) {
	for _, list := range lists {
		if list[0] == name {
			for _, next := range list[1:] {
				stages = append(stages, llm.Find(r.named, next))
			}
		}
	}
	return stages
}

// Reach lists all that a call may ask, whatever goes wrong.
func (r *Router) Reach(trip *Trip) (all []int) {
	stages := slices.Concat(trip.stages, r.fallbacks(r.routing.ContextWindow, trip.asked), r.fallbacks(r.routing.ContentPolicy, trip.asked))
	for _, stage := range stages {
		for _, i := range stage {
			if !slices.Contains(all, i) {
				all = append(all, i)
			}
		}
	}
	return all
}

// Line names what a call waits for: calls that wait for the same are let in in the order in which they came.
func (t *Trip) Line() string {
	var left []int
	for i, tried := range t.tried {
		if !tried && slices.ContainsFunc(t.stages, func(stage []int) bool { return slices.Contains(stage, i) }) {
			left = append(left, i)
		}
	}
	return fmt.Sprint(left, slices.Contains(t.tried, true))
}

// Seat is a request that a deployment was chosen for.
type Seat struct {
	Deployment int
	ticket     Ticket
	held       bool // the ticket counts as a request on its way
	probe      bool
	resting    bool // the deployment was not healthy when the seat was taken
}

// Choose takes a seat for the next request of a call. Without one, wait is how long it is until there may be one, and known is
// false where only the end of another request will tell. Without any of it (0, true) there is nobody left to ask.
func (r *Router) Choose(now time.Time, random func() float64, trip *Trip) (seat *Seat, wait time.Duration, known bool) {
	full := false
	var soonest time.Duration
	for _, stage := range trip.stages {
		var free []int
		for _, i := range stage {
			if trip.tried[i] || !r.nodes[i].healthy(now) {
				continue
			}
			room, ok := r.nodes[i].window.Wait(now, trip.Tokens(i))
			switch {
			case ok && room == 0:
				free = append(free, i)
			case !ok:
				full = true
			case soonest == 0 || room < soonest:
				soonest = room
			}
		}
		if len(free) > 0 {
			return r.sit(now, r.best(now, random, free, trip), trip), 0, false
		}
	}
	if full || soonest > 0 {
		return nil, soonest, soonest > 0
	}
	return r.anyway(now, trip)
}

// Spare takes a seat at another one of those that stand in for a deployment, if one is there at once.
func (r *Router) Spare(now time.Time, random func() float64, trip *Trip, deployment int) *Seat {
	narrow := *trip
	narrow.stages = nil
	for _, stage := range trip.stages {
		if slices.Contains(stage, deployment) {
			narrow.stages = [][]int{stage}
		}
	}
	seat, _, _ := r.Choose(now, random, &narrow)
	return seat
}

// Others counts who of a deployment's own stage could be asked after it, and says which stage that is. That of a special kind of
// error has a number of its own.
func (r *Router) Others(now time.Time, trip *Trip, deployment int) (stage, others int) {
	stage = slices.IndexFunc(trip.stages, func(stage []int) bool { return slices.Contains(stage, deployment) })
	if stage < 0 {
		return 0, 0
	}
	for _, i := range trip.stages[stage] {
		if !trip.tried[i] && r.nodes[i].healthy(now) {
			others++
		}
	}
	if trip.special {
		stage = -1 - stage
	}
	return stage, others
}

// Skip leaves a stage: none of it is asked any more. It is named as Others does.
func (r *Router) Skip(trip *Trip, stage int) {
	if trip.special != (stage < 0) {
		return
	}
	if stage < 0 {
		stage = -1 - stage
	}
	for _, i := range trip.stages[stage] {
		trip.tried[i] = true
	}
}

// Free reports whether a call could go elsewhere at once.
func (r *Router) Free(now time.Time, trip *Trip) bool {
	for _, stage := range trip.stages {
		for _, i := range stage {
			if !trip.tried[i] && r.nodes[i].healthy(now) {
				if room, ok := r.nodes[i].window.Wait(now, trip.Tokens(i)); ok && room == 0 {
					return true
				}
			}
		}
	}
	return false
}

func (n *node) healthy(now time.Time) bool {
	return n.until.IsZero() || !n.until.After(now) && !n.probing
}

func (r *Router) sit(now time.Time, i int, trip *Trip) *Seat {
	n := &r.nodes[i]
	trip.tried[i] = true
	seat := &Seat{Deployment: i, ticket: n.window.Begin(now, trip.Tokens(i)), held: true, resting: !n.until.IsZero()}
	if !n.until.IsZero() && !n.until.After(now) && !n.probing {
		seat.probe, n.probing = true, true
	}
	return seat
}

// anyway is Choose for a call that has asked nobody yet and finds nobody well: it asks the one whose rest ends first, which is to
// say itself what is wrong.
func (r *Router) anyway(now time.Time, trip *Trip) (seat *Seat, wait time.Duration, known bool) {
	if slices.Contains(trip.tried, true) {
		return nil, 0, true
	}
	best := -1
	for _, stage := range trip.stages {
		for _, i := range stage {
			room, ok := r.nodes[i].window.Wait(now, trip.Tokens(i))
			switch {
			case ok && room == 0:
				if best < 0 || r.nodes[i].until.Before(r.nodes[best].until) {
					best = i
				}
			case ok && (!known || room < wait):
				wait, known = room, true
			}
		}
	}
	if best >= 0 {
		return r.sit(now, best, trip), 0, false
	}
	return nil, wait, known
}

// best chooses among deployments that could be asked: those of the lowest order, then by the strategy, then by weight and chance.
func (r *Router) best(now time.Time, random func() float64, free []int, trip *Trip) int {
	free = lowest(free, func(i int) float64 { return float64(r.nodes[i].order) })
	switch r.routing.Strategy {
	case llm.InOrder:
		return slices.Min(free)
	case llm.LeastBusy:
		free = lowest(free, func(i int) float64 { _, _, running := r.nodes[i].window.Used(now); return float64(running) })
	case llm.LowestLatency:
		free = lowest(free, func(i int) float64 { return r.nodes[i].expected(now) })
	case llm.LowestCost:
		free = lowest(free, trip.Cost)
	case llm.LowestUsage:
		free = r.leastUsed(now, free)
	}
	sum := 0.0
	for _, i := range free {
		sum += r.nodes[i].weight
	}
	if len(free) == 1 {
		return free[0]
	}
	if sum == 0 {
		return free[int(random()*float64(len(free)))]
	}
	last, point := free[0], random()*sum
	for _, i := range free {
		if r.nodes[i].weight == 0 {
			continue
		}
		if last = i; point < r.nodes[i].weight {
			break
		}
		point -= r.nodes[i].weight
	}
	return last
}

// lowest keeps those whose value is the lowest.
func lowest(of []int, value func(int) float64) []int {
	least, kept := math.Inf(1), []int(nil)
	for _, i := range of {
		v := value(i)
		if v < least {
			least, kept = v, kept[:0]
		}
		if v <= least {
			kept = append(kept, i)
		}
	}
	return kept
}

// expected is the time to a deployment's first piece. One of which it is not known is asked first, but by one request at a time.
func (n *node) expected(now time.Time) float64 {
	if !n.measured.IsZero() && now.Sub(n.measured) < latencyAge {
		return n.latency.Seconds()
	}
	if _, _, running := n.window.Used(now); running == 0 {
		return -1
	}
	return math.MaxFloat64
}

// leastUsed keeps those that have used the smallest part of their limits in this minute; where one of them has none, those that
// had the fewest tokens, and of these the fewest requests.
func (r *Router) leastUsed(now time.Time, free []int) []int {
	limited := func(i int) bool { return r.nodes[i].window.Rates.Requests > 0 || r.nodes[i].window.Rates.Tokens > 0 }
	used := func(i int) (requests, tokens float64) {
		count, sum, _ := r.nodes[i].window.Used(now)
		return float64(count), float64(sum)
	}
	if !slices.ContainsFunc(free, func(i int) bool { return !limited(i) }) {
		return lowest(free, func(i int) (part float64) {
			requests, tokens := used(i)
			if most := r.nodes[i].window.Rates.Requests; most > 0 {
				part = requests / float64(most)
			}
			if most := r.nodes[i].window.Rates.Tokens; most > 0 {
				part = max(part, tokens/float64(most))
			}
			return part
		})
	}
	free = lowest(free, func(i int) float64 { _, tokens := used(i); return tokens })
	return lowest(free, func(i int) float64 { requests, _ := used(i); return requests })
}

// Result is how a request at a deployment ended.
type Result struct {
	Err    *llm.Error    // nil for an answer
	Tokens int64         // that it had; negative where nobody said so
	First  time.Duration // to its first visible piece; 0 where there was none
}

// Leave gives a seat back, and keeps in mind how the deployment fared.
func (r *Router) Leave(now time.Time, seat *Seat, result Result) {
	n := &r.nodes[seat.Deployment]
	if seat.held {
		n.window.End(seat.ticket, result.Tokens)
	}
	if seat.probe {
		n.probing = false
	}
	if result.First > 0 {
		if n.measured.IsZero() || now.Sub(n.measured) >= latencyAge {
			n.latency = result.First
		} else {
			n.latency += time.Duration(latencyShare * float64(result.First-n.latency))
		}
		n.measured = now
	}
	if result.Err == nil {
		n.answered++
		if seat.resting || n.until.IsZero() { // one that began before the rest says nothing of now
			n.failures, n.until = 0, time.Time{}
		}
		return
	}
	if !isFault(result.Err) {
		return
	}
	n.failed++
	n.failures++
	if n.failures > r.allowed || lasts(result.Err) || seat.probe || !n.until.IsZero() {
		rest := r.cooldown
		if asked := result.Err.RetryAfter; asked != nil && rest > 0 {
			rest = max(rest, min(seconds(*asked), longestRetryAfter))
		}
		if rest > 0 && n.until.Before(now.Add(rest)) {
			n.until = now.Add(rest)
		}
	}
}

// Again takes the seat anew for a repeated request at the same deployment; else it says as Choose does how long it is until then.
func (r *Router) Again(now time.Time, seat *Seat, tokens int64) (ok bool, wait time.Duration, known bool) {
	n := &r.nodes[seat.Deployment]
	if seat.held {
		n.window.End(seat.ticket, 0) // what the vendor did not carry out had no tokens
		seat.held = false
	}
	if wait, known = n.window.Wait(now, tokens); !known || wait > 0 {
		return false, wait, known
	}
	seat.ticket, seat.held = n.window.Begin(now, tokens), true
	return true, 0, false
}

// Onward reports whether a call that failed at a deployment may ask another one, and turns its way where the kind of the error
// has fallbacks of its own. What is wrong with the request itself is wrong everywhere.
func (r *Router) Onward(trip *Trip, err *llm.Error) bool {
	var lists [][]string
	switch err.Kind {
	case llm.KindContextWindow:
		lists = r.routing.ContextWindow
	case llm.KindContentPolicy:
		lists = r.routing.ContentPolicy
	case llm.KindUnsupported, llm.KindRateLimit, llm.KindBudget: // another one may have it, or room, or money left
		return true
	default:
		return isFault(err)
	}
	if stages := r.fallbacks(lists, trip.asked); !trip.special && len(stages) > 0 {
		trip.stages, trip.special = stages, true
	}
	return trip.special
}

// isFault reports whether an error is the deployment's, and not the request's or the user's.
func isFault(err *llm.Error) bool {
	switch err.Kind {
	case llm.KindConnection, llm.KindTimeout, llm.KindInterrupted, llm.KindAuthentication, llm.KindPermission, llm.KindNotFound,
		llm.KindQuota, llm.KindInternalServer, llm.KindServiceUnavailable, llm.KindParse:
		return true
	case llm.KindRateLimit:
		return err.Retryable // and else the request is larger than the limit, or our own throttle said no
	}
	return false
}

// lasts reports whether the next request would meet the same error.
func lasts(err *llm.Error) bool {
	switch err.Kind {
	case llm.KindAuthentication, llm.KindPermission, llm.KindNotFound, llm.KindQuota, llm.KindRateLimit:
		return true
	}
	return false
}

// Return ends the request of a seat whose deployment Leave will be told of, or has been.
func (r *Router) Return(now time.Time, seat *Seat, tokens int64) {
	if seat.held {
		r.nodes[seat.Deployment].window.End(seat.ticket, tokens)
		seat.held = false
	}
}

// NodeState is what an inspection tells of a deployment.
type NodeState struct {
	State    string  `json:"state"`               // "healthy", "resting", "probing", or "due" for a probe
	Seconds  float64 `json:"seconds,omitempty"`   // that it still rests
	Failures int     `json:"failures,omitempty"`  // in a row
	Running  int     `json:"running"`             // requests on their way
	Requests int     `json:"requests_per_minute"` // begun in the last minute
	Tokens   int64   `json:"tokens_per_minute"`   // that they had or may have
	Latency  float64 `json:"latency,omitempty"`   // seconds to the first visible piece, the moving average
	Answered int64   `json:"answered"`            // requests
	Failed   int64   `json:"failed"`              // by the deployment's fault, repetitions apart
}

// Describe says how a deployment fares.
func (r *Router) Describe(now time.Time, deployment int) NodeState {
	n := &r.nodes[deployment]
	state := NodeState{State: "healthy", Failures: n.failures, Latency: n.latency.Seconds(), Answered: n.answered, Failed: n.failed}
	state.Requests, state.Tokens, state.Running = n.window.Used(now)
	switch {
	case n.probing:
		state.State = "probing"
	case n.until.After(now):
		state.State, state.Seconds = "resting", n.until.Sub(now).Seconds()
	case !n.until.IsZero():
		state.State = "due"
	}
	return state
}
