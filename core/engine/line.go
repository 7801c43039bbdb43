package engine

import (
	"context"
	"slices"
	"time"

	"pyagent/core/llm"
)

// standing is a call that waits for a seat.
type standing struct {
	number int64 // in the order of coming
	// try takes the seat, under the router's lock, or says how long it is until there may be one; known is false where only the
	// end of another request will tell.
	try    func(now time.Time) (ok bool, wait time.Duration, known bool)
	served bool
	until  time.Time     // sleeps until then; zero when somebody has to wake it
	wake   chan struct{} // holds one word: look again
}

// line is the calls that wait for the same deployments. Only the first of them tries, those behind it would have no more luck: so
// what a call costs does not grow with the number of those that wait.
type line struct {
	queue   []*standing
	wait    time.Duration // until there may be a seat for the first of them
	known   bool
	blocked bool // while the lines are served
}

// serve lets the first of each line try, in the order in which they came, and those behind them as long as they have luck. A first
// one that sleeps for too long is woken, but for the one that asks.
func (r *router) serve(asks *standing) {
	now := r.clock.Now()
	for _, l := range r.lines {
		l.blocked = false
	}
	for l := r.oldest(); l != nil; l = r.oldest() {
		first := l.queue[0]
		if first.served, l.wait, l.known = first.try(now); first.served {
			l.queue = l.queue[1:]
			first.rouse()
			continue
		}
		l.blocked = true
		if at := now.Add(l.wait); first != asks && l.known && (first.until.IsZero() || at.Before(first.until)) {
			first.rouse()
		}
	}
}

// oldest is the line whose first one came before those of the other lines that are not blocked.
func (r *router) oldest() (oldest *line) {
	for _, l := range r.lines {
		if !l.blocked && len(l.queue) > 0 && (oldest == nil || l.queue[0].number < oldest.queue[0].number) {
			oldest = l
		}
	}
	return oldest
}

func (s *standing) rouse() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// stand waits in a line until try has succeeded, at most until the moment that latest names.
func (r *router) stand(ctx context.Context, latest latest, name string, try func(time.Time) (bool, time.Duration, bool)) *llm.Error {
	r.mu.Lock()
	defer r.mu.Unlock()
	l := r.lines[name]
	if l == nil {
		l = new(line)
		if r.lines == nil {
			r.lines = map[string]*line{}
		}
		r.lines[name] = l
	}
	r.came++
	me := &standing{number: r.came, try: try, wake: make(chan struct{}, 1)}
	l.queue = append(l.queue, me)
	defer r.quit(name, l, me)
	for ctx.Err() == nil {
		r.serve(me)
		if me.served {
			return nil
		}
		now := r.clock.Now()
		if latest.isOver(now.Add(l.wait)) { // who is not the first waits longer still
			return full(l.wait, l.known, latest.why)
		}
		pause := latest.left(now)
		me.until = time.Time{}
		if l.known && l.queue[0] == me {
			pause, me.until = min(pause, l.wait), now.Add(l.wait)
		}
		r.mu.Unlock()
		sleep(ctx, me.wake, pause)
		r.mu.Lock()
	}
	if me.served { // while it looked away: it is the caller's, who gives it back
		return nil
	}
	return causeOf(ctx)
}

// quit takes one out of its line, unless it was served, and lets the next one try.
func (r *router) quit(name string, l *line, me *standing) {
	if !me.served {
		l.queue = slices.DeleteFunc(l.queue, func(s *standing) bool { return s == me })
		r.serve(nil)
	}
	if len(l.queue) == 0 && r.lines[name] == l {
		delete(r.lines, name)
	}
}

// sleep waits for a word, the end of ctx or a time.
func sleep(ctx context.Context, wake <-chan struct{}, wait time.Duration) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-wake:
	case <-timer.C:
	case <-ctx.Done():
	}
}
