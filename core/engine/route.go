package engine

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"pyagent/core/llm"
	"pyagent/core/policy"
	"pyagent/core/price"
	"pyagent/core/provider"
	"pyagent/core/transport"
)

// router is what a client with deployments shares among its calls: what is known of each, and who waits for one with room.
type router struct {
	deployments []llm.Deployment
	clients     []*Client
	clock       policy.Clock
	maxWait     time.Duration
	waits       bool          // maxWait bounds the wait
	hedge       time.Duration // 0 for none
	pause       time.Duration // that a retry waits at least

	mu     sync.Mutex
	policy *policy.Router
	chance *rand.Rand       // nil: the clock's
	lines  map[string]*line // who waits, by what they wait for
	came   int64            // how many have stood in a line
}

// openRouter prepares a client with deployments.
func (e *Engine) openRouter(config *llm.Config) (*Client, *llm.Error) {
	made := &Client{
		engine: e, config: config, row: &provider.Row{Name: "router"}, budget: e.openBudget(config.Budget),
		offers: func() []price.Offer { return nil }, keys: policy.NewKeys("", nil),
		router: &router{
			deployments: config.Deployments, clock: realClock{}, policy: policy.NewRouter(config.Deployments, config.Routing),
		},
	}
	r := made.router
	if wait := config.Routing.MaxWait; wait != nil {
		r.maxWait, r.waits = policy.ResolveWait(&llm.Throttle{MaxWait: wait})
	}
	if seed := config.Routing.Seed; seed != nil {
		r.chance = rand.New(rand.NewPCG(*seed, *seed))
	}
	if hedge := config.Routing.HedgeAfter; hedge != nil {
		r.hedge = time.Duration(min(*hedge, 1e9) * float64(time.Second))
	}
	if pause := config.Routing.RetryPause; pause != nil {
		r.pause = time.Duration(min(*pause, 1e9) * float64(time.Second))
	}
	for i := range config.Deployments {
		client, err := e.Open(&config.Deployments[i].Config)
		if err != nil {
			r.close()
			err.Param = fmt.Sprintf("deployments[%d].%s", i, err.Param)
			err.Message = fmt.Sprintf("deployments[%d]: %s", i, err.Message)
			return nil, err
		}
		client.parent = made
		r.clients = append(r.clients, client)
	}
	return made, nil
}

func (r *router) close() {
	for _, client := range r.clients {
		client.Close()
	}
}

// describe says for an inspection how the deployments fare.
func (r *router) describe() []map[string]any {
	described := make([]map[string]any, len(r.clients))
	for i, client := range r.clients {
		of := client.Describe()
		delete(of, "costs") // they are the router's, by vendor and model
		of["name"], of["group"], of["model"] = r.deployments[i].Name, r.deployments[i].Group, r.deployments[i].Model
		r.mu.Lock()
		of["health"] = r.policy.Describe(r.clock.Now(), i)
		r.mu.Unlock()
		described[i] = of
	}
	return described
}

func full(wait time.Duration, known bool, why string) *llm.Error {
	err := llm.Errorf(llm.KindRateLimit, "no deployment has room for the request within %s; wait longer, or allow more by rpm, tpm "+
		"and max_parallel", why)
	if known {
		seconds := wait.Seconds()
		err.Message += fmt.Sprintf("; one has room in %.3g s", seconds)
		err.RetryAfter = &seconds
	}
	err.Code = "throttled"
	return err
}

func (r *router) random() float64 {
	if r.chance != nil {
		return r.chance.Float64()
	}
	return r.clock.Random()
}

// leave gives a seat back, and serves those who wait for it.
func (r *router) leave(seat *policy.Seat, result policy.Result) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.policy.Leave(r.clock.Now(), seat, result)
	r.serve(nil)
}

// journey is a call's way from one deployment to the next: policy.Route.
type journey struct {
	call   *Call
	trip   *policy.Trip
	stops  map[int]*stop // what would be asked of each deployment
	latest latest
	ends   time.Time // zero for never
	tried  int       // attempts so far
	stage  int       // of the trip
	before int       // attempts at those that this stage takes the place of
}

// stop is a request to one deployment, and what it may cost.
type stop struct {
	*Call
	expected policy.Amount
	tokens   int64 // that the first of its requests is expected to have
}

// plan begins the call's way. It changes the request to none that a deployment could not be sent.
func (c *Call) plan() *llm.Error {
	for name, given := range map[string]bool{"api_key": c.request.APIKey != "", "base_url": c.request.BaseURL != ""} {
		if given {
			return llm.Configuration(name, "%s is one deployment's, and the request may go to another one; give it to the deployment", name)
		}
	}
	for name := range c.request.ExtraHeaders {
		if transport.IsSecret(name) {
			return llm.Configuration("extra_headers", "extra_headers has %s, which is one deployment's, and the request may go to "+
				"another one; give it to the deployment", name)
		}
	}
	r := c.client.router
	asked := cmp.Or(c.request.Model, r.deployments[0].Group)
	r.mu.Lock()
	trip, ok := r.policy.Plan(asked)
	r.mu.Unlock()
	if !ok {
		names := []string{}
		for _, d := range r.deployments {
			for _, name := range []string{d.Group, d.Name} {
				if !slices.Contains(names, name) {
					names = append(names, name)
				}
			}
		}
		return llm.Configuration("model", "model %q is neither a group nor a deployment of the router; it has %q", asked, names)
	}
	c.journey = &journey{call: c, trip: trip, stops: map[int]*stop{}}
	trip.Tokens = func(i int) int64 { return c.journey.stop(i).tokens }
	trip.Cost = func(i int) float64 {
		one := c.journey.stop(i)
		if one.priceOf() == nil {
			return math.Inf(1)
		}
		return one.expected.USD
	}
	return nil
}

// stop is what would be asked of a deployment.
func (j *journey) stop(i int) *stop {
	found, ok := j.stops[i]
	if !ok {
		c, d := j.call, &j.call.client.router.deployments[i]
		request := *c.request
		request.Model = d.Model
		request.Complete(d.Defaults)
		request.Tag = cmp.Or(request.Tag, d.Tag, c.client.config.Tag)
		one := c.client.router.clients[i].NewCall(&request, c.sink)
		one.deployment, one.purse = d.Name, c.purse
		found = &stop{Call: one, expected: one.estimate()}
		if found.tokens = found.expected.Tokens; one.request.Op == llm.OpEmbed {
			found.tokens = firstBatch(one)
		}
		j.stops[i] = found
	}
	return found
}

// possible are the requests that the call may become.
func (c *Call) possible() []*Call {
	if c.journey == nil {
		return []*Call{c}
	}
	var all []*Call
	for _, i := range c.client.router.policy.Reach(c.journey.trip) { // which only reads what never changes
		all = append(all, c.journey.stop(i).Call)
	}
	return all
}

// travel asks one deployment after the other.
func (c *Call) travel(ctx context.Context) (attempts int, err *llm.Error) {
	ctx, deadline, stop := c.bounded(ctx)
	defer stop()
	c.journey.ends = deadline
	c.journey.latest = c.latest(deadline, c.client.router.maxWait, c.client.router.waits, "routing.max_wait")
	return policy.Along(ctx, c.journey)
}

// Next is part of policy.Route.
func (j *journey) Next(ctx context.Context, last *llm.Error) (policy.Ask, *llm.Error) {
	c, r := j.call, j.call.client.router
	if last != nil {
		r.mu.Lock()
		onward := r.policy.Onward(j.trip, last)
		r.mu.Unlock()
		if !onward {
			return nil, nil
		}
	}
	if most := c.request.MaxRetries; most != nil && last != nil && j.tried-j.before > *most {
		r.mu.Lock()
		r.policy.Skip(j.trip, j.stage)
		r.mu.Unlock()
	}
	var seat *policy.Seat
	err := r.stand(ctx, j.latest, j.trip.Line(), func(now time.Time) (bool, time.Duration, bool) {
		found, wait, known := r.policy.Choose(now, r.random, j.trip)
		seat = found
		return found != nil || known && wait == 0, wait, known
	})
	if err != nil || seat == nil {
		if last != nil && ctx.Err() == nil { // which says more than that the others have no room
			err = nil
		}
		return nil, err
	}
	if last != nil {
		c.noteRetry(ctx, llm.Retry{Attempt: j.tried, Error: last})
	}
	return func() (int, bool, *llm.Error) { return j.ask(ctx, seat) }, nil
}

// ask carries the call out at one deployment, or at two where the first is slow, and takes over what was learned.
func (j *journey) ask(ctx context.Context, seat *policy.Seat) (attempts int, committed bool, err *llm.Error) {
	if j.call.client.router.hedge > 0 && j.call.request.Op.IsChat() {
		return j.race(ctx, seat)
	}
	p := j.take(seat, j.call.sink)
	p.carry(ctx)
	return j.adopt(p)
}

// take makes a place of a seat.
func (j *journey) take(seat *policy.Seat, sink Sink) *place {
	r := j.call.client.router
	r.mu.Lock()
	defer r.mu.Unlock()
	to := j.stop(seat.Deployment)
	p := &place{chair: &chair{journey: j, seat: seat, tokens: to.tokens}, call: to.Call}
	p.call.place, p.call.chair, p.call.sink, p.call.began, p.call.tried = p, p.chair, sink, time.Now(), j.tried
	if most := j.call.request.MaxRetries; most != nil {
		p.call.request.MaxRetries = j.share(seat, *most)
	}
	return p
}

// share is how often a call may repeat a request at a deployment, of the retries that it has in a group. They go to others as long
// as one is well; who is left has the rest.
func (j *journey) share(seat *policy.Seat, most int) *int {
	r := j.call.client.router
	stage, others := r.policy.Others(r.clock.Now(), j.trip, seat.Deployment)
	if stage != j.stage {
		j.stage, j.before = stage, j.tried
	}
	own := max(most-(j.tried-j.before), 0)
	if others > 0 {
		own = 0
	}
	return &own
}

// carry carries the call out there, and gives the seat back.
func (p *place) carry(ctx context.Context) {
	one := p.call
	p.err = llm.Errorf(llm.KindCancelled, "the call broke") // unless it comes to its end
	defer func() {
		p.journey.call.client.router.leave(p.seat, policy.Result{Err: p.err, Tokens: one.had(p.err), First: p.first})
	}()
	perform := one.perform
	switch one.request.Op {
	case llm.OpEmbed:
		perform = one.embed
	case llm.OpModels, llm.OpLogin:
		perform = one.followPages
	}
	p.err = policy.Within(ctx, one.expense(), func() (err *llm.Error) {
		p.attempts, err = perform(ctx)
		return err
	})
}

// adopt takes over what a deployment's part has brought.
func (j *journey) adopt(p *place) (attempts int, committed bool, err *llm.Error) {
	c, one := j.call, p.call
	for _, past := range one.retries {
		past.Attempt += j.tried - one.tried
		c.retries = append(c.retries, past)
	}
	j.tried += p.attempts
	c.finish, c.warnings, c.rest = one.finish, one.warnings, one.rest
	if err := p.err; err != nil {
		one.describe(err)
		if err.Response != nil {
			err.Response.Deployment = one.deployment
		}
		return p.attempts, one.committed, err
	}
	c.finish.Deployment = one.deployment
	return p.attempts, true, nil
}

// place is a call's part at a deployment.
type place struct {
	*chair
	call  *Call
	first time.Duration // from the last attempt's beginning to the first visible piece

	attempts int        // at the end
	err      *llm.Error // that it ended with
}

// sawFirst begins to measure an attempt, and returns what is called at its first visible piece.
func (p *place) sawFirst() func() {
	clock := p.journey.call.client.router.clock
	began := clock.Now()
	return func() { p.first = max(clock.Now().Sub(began), 1) }
}

// elsewhere leaves a deployment that asks for time, where another one is free.
func (p *place) elsewhere(err *llm.Error) bool {
	if err.RetryAfter == nil {
		return false
	}
	r := p.journey.call.client.router
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.policy.Free(r.clock.Now(), p.journey.trip)
}
