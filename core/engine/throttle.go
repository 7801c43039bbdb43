package engine

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	"pyagent/core/llm"
	"pyagent/core/policy"
	"pyagent/core/share"
)

// throttles are the accounts of everything that is asked of vendors under a throttle. Those of clients that say the same are one.
type throttles struct {
	mu       sync.Mutex
	accounts map[account]*throttle
	stores   map[string]share.Store // that accounts are shared in, by address
}

// open prepares what a throttle needs.
func (a *throttles) open(option *llm.Throttle) *llm.Error {
	if option == nil || option.Shared == "" {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.stores[option.Shared] != nil {
		return nil
	}
	made, err := share.Open(option.Shared, realClock{}.Random)
	if err != nil {
		return llm.Configuration("throttle.shared", "throttle.shared %v", err)
	}
	if a.stores == nil {
		a.stores = map[string]share.Store{}
	}
	a.stores[option.Shared] = made
	return nil
}

// account is whose requests are counted together.
type account struct {
	base, key, model string
	rates            policy.Rates
	shared           string // where other processes find it; "" for nowhere
	alone            bool   // what happens when that is not there: it goes on without
}

// manyAccounts is the number of accounts beyond which those that are at rest are forgotten.
const manyAccounts = 64

// find returns an account, which is in use until leave.
func (a *throttles) find(of account) *throttle {
	a.mu.Lock()
	defer a.mu.Unlock()
	found, ok := a.accounts[of]
	if !ok {
		if len(a.accounts) >= manyAccounts {
			a.tidy()
		}
		found = &throttle{window: policy.Window{Rates: of.rates}}
		if at := a.stores[of.shared]; at != nil {
			found.joint = newJoint(at, of)
		}
		if a.accounts == nil {
			a.accounts = make(map[account]*throttle)
		}
		a.accounts[of] = found
	}
	found.users++
	return found
}

func (a *throttles) leave(t *throttle) {
	a.mu.Lock()
	defer a.mu.Unlock()
	t.users--
}

// tidy forgets the accounts that a new one would equal.
func (a *throttles) tidy() {
	for of, t := range a.accounts {
		if t.users > 0 {
			continue
		}
		if requests, _, _ := t.window.Used(time.Now()); requests == 0 { // nobody uses it, so nobody holds its lock
			delete(a.accounts, of)
		}
	}
}

// throttle lets requests in, one after the other in the order in which they came.
type throttle struct {
	users int    // under the lock of throttles
	joint *joint // nil where no other process has part in it

	mu     sync.Mutex
	window policy.Window
	queue  []*waiter
}

// waiter is a request before its turn.
type waiter struct {
	wake  chan struct{} // holds one word: look again
	asked int           // how often the joint account was
}

// pass is a request that was let in.
type pass struct {
	ticket policy.Ticket
	at     int64 // names it to the joint account
	tokens int64 // that it is expected to have
}

// enter waits for a request's turn, at most until the moment that latest names.
func (t *throttle) enter(ctx context.Context, tokens int64, latest latest) (pass, *llm.Error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	me := &waiter{wake: make(chan struct{}, 1)}
	t.queue = append(t.queue, me)
	defer t.quit(ctx, me)
	for ctx.Err() == nil {
		now, turn, pause := time.Now(), policy.Turn{}, time.Duration(math.MaxInt64)
		if t.queue[0] == me {
			var err *llm.Error
			if turn, pause, err = t.look(ctx, me, tokens, latest.left(now)); err != nil {
				return pass{}, err
			}
			if turn.Begun {
				return pass{t.window.Begin(time.Now(), tokens), turn.At, tokens}, nil
			}
		}
		if latest.isOver(now.Add(turn.Wait)) {
			return pass{}, refused(turn.Wait, turn.Known, latest.why)
		}
		t.mu.Unlock()
		sleep(ctx, me.wake, min(pause, latest.left(now)))
		t.mu.Lock()
	}
	return pass{}, causeOf(ctx)
}

// look lets the first of the queue in if it may begin; otherwise pause says when to look again, if nobody says so before.
func (t *throttle) look(ctx context.Context, me *waiter, tokens int64, patience time.Duration) (
	turn policy.Turn, pause time.Duration, err *llm.Error) {
	turn.Wait, turn.Known = t.window.Wait(time.Now(), tokens)
	turn.Begun = turn.Known && turn.Wait == 0
	if turn.Begun && t.joint != nil {
		t.mu.Unlock()
		defer t.mu.Lock()
		turn, err = t.joint.ask(ctx, tokens, patience)
		me.asked++
		return turn, turn.Look(me.asked, t.joint.chance()), err
	}
	if !turn.Known {
		return turn, math.MaxInt64, nil
	}
	return turn, turn.Wait, nil
}

// quit takes one out of the queue. Its place in the queue of all processes goes over to the next one.
func (t *throttle) quit(ctx context.Context, me *waiter) {
	if t.queue[0] == me {
		t.queue = t.queue[1:]
	} else {
		t.queue = slices.DeleteFunc(t.queue, func(w *waiter) bool { return w == me })
	}
	t.wakeFirst()
	if ctx.Err() != nil && me.asked > 0 && len(t.queue) == 0 {
		t.mu.Unlock()
		defer t.mu.Lock()
		t.joint.withdraw()
	}
}

// latest is until when a request may wait for its turn, and who says so; the zero value for as long as it takes.
type latest struct {
	at  time.Time
	why string
}

// isOver reports whether no request waits at a moment any more.
func (l latest) isOver(at time.Time) bool { return !l.at.IsZero() && !at.Before(l.at) }

// left is how long a request may wait from now on.
func (l latest) left(now time.Time) time.Duration {
	if l.at.IsZero() {
		return math.MaxInt64
	}
	return l.at.Sub(now)
}

func refused(wait time.Duration, known bool, why string) *llm.Error {
	err := llm.Errorf(llm.KindRateLimit, "the throttle lets the request begin after others that are before it, not within %s; "+
		"wait longer, or allow more by throttle", why)
	if known {
		seconds := wait.Seconds()
		err.Message = fmt.Sprintf("the throttle lets the request begin in %.3g s, not within %s; wait longer, or allow more by throttle",
			seconds, why)
		err.RetryAfter = &seconds
	}
	err.Code = "throttled"
	return err
}

// leave ends a request. tokens is how many it had, negative where nobody said so.
func (t *throttle) leave(p pass, tokens int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.window.End(p.ticket, tokens)
	if t.joint != nil {
		t.mu.Unlock()
		more := int64(0)
		if tokens >= 0 {
			more = tokens - p.tokens
		}
		t.joint.end(p.at, more)
		t.mu.Lock()
	}
	t.wakeFirst()
}

func (t *throttle) wakeFirst() {
	if len(t.queue) > 0 {
		select {
		case t.queue[0].wake <- struct{}{}:
		default:
		}
	}
}

// turn is a call's way through a throttle: policy.Limit for its attempts.
type turn struct {
	call   *Call
	latest latest
	used   *throttle
	pass   pass
}

// turn makes a limit of the client's throttle; nil without one.
func (c *Call) turn(deadline time.Time) policy.Limit {
	option := c.client.config.Throttle
	if option == nil || c.request.Op == llm.OpLogin || c.request.Op == llm.OpModels {
		return nil
	}
	wait, bounded := policy.ResolveWait(option)
	return &turn{call: c, latest: c.latest(deadline, wait, bounded, "throttle.max_wait")}
}

// latest is until when the call may wait for its turn: its deadline, or where that is bounded, a time from now.
func (c *Call) latest(deadline time.Time, wait time.Duration, bounded bool, name string) (until latest) {
	if !deadline.IsZero() {
		until = latest{deadline, fmt.Sprintf("timeouts.total=%g", c.clocks.Total.Seconds())}
	}
	if at := time.Now().Add(wait); bounded && (deadline.IsZero() || at.Before(deadline)) {
		until = latest{at, fmt.Sprintf("%s=%g", name, wait.Seconds())}
	}
	return until
}

// Enter is part of policy.Limit.
func (t *turn) Enter(ctx context.Context) *llm.Error {
	c := t.call
	option := c.client.config.Throttle
	of := account{base: c.target.BaseURL, key: c.key, rates: policy.ResolveRates(option), shared: option.Shared,
		alone: option.IfUnreachable == "local"}
	if option.Per != "key" {
		of.model = c.request.Model
	}
	shared := &c.client.engine.throttles
	t.used = shared.find(of)
	prompt, answer := c.request.EstimateTokens()
	let, err := t.used.enter(ctx, prompt+answer, t.latest)
	if err != nil {
		shared.leave(t.used)
		return err
	}
	t.pass = let
	return nil
}

// had is how many tokens a request had that ended with err. One that the vendor did not carry out had none; one that broke off
// keeps what it was expected to have, which is what a negative number says.
func (c *Call) had(err *llm.Error) int64 {
	switch usage := c.finish.Usage; {
	case err != nil && (err.Response == nil || err.StatusCode > 299):
		return 0
	case err == nil && usage != nil && usage.TotalTokens != nil:
		return *usage.TotalTokens
	}
	return -1
}

// Leave is part of policy.Limit.
func (t *turn) Leave(err *llm.Error) {
	t.used.leave(t.pass, t.call.had(err))
	t.call.client.engine.throttles.leave(t.used)
}
