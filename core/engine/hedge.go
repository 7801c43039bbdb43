package engine

import (
	"context"
	"sync"
	"time"

	"pyagent/core/guard"
	"pyagent/core/llm"
	"pyagent/core/policy"
)

// race lets two deployments answer one call. Each is silent until the first visible piece of its answer; whoever has that first is
// the answer, and the other one is cancelled.
type race struct {
	sink  Sink
	ended chan *lane

	mu     sync.Mutex
	lanes  []*lane
	winner *lane
}

// lane is one deployment's part in a race, and the Sink of its call.
type lane struct {
	*place
	race   *race
	cancel context.CancelCauseFunc
}

// race asks a deployment, and when it has been silent for a while, another one of its group that is free.
func (j *journey) race(ctx context.Context, seat *policy.Seat) (attempts int, committed bool, err *llm.Error) {
	r := j.call.client.router
	run := &race{sink: j.call.sink, ended: make(chan *lane, 2)}
	run.start(ctx, j, seat)
	timer := time.NewTimer(r.hedge)
	defer timer.Stop()
	var last *lane
	for running := 1; running > 0; {
		select {
		case <-timer.C:
			if run.won() != nil || ctx.Err() != nil {
				continue
			}
			r.mu.Lock()
			spare := r.policy.Spare(r.clock.Now(), r.random, j.trip, seat.Deployment)
			r.mu.Unlock()
			if spare != nil {
				run.start(ctx, j, spare)
				running++
			}
		case last = <-run.ended:
			running--
			timer.Stop() // what fails before its time is not raced but followed
		}
	}
	if winner := run.won(); winner != nil {
		last = winner
	}
	for _, other := range run.lanes {
		if other != last {
			attempts += j.lose(other)
		}
	}
	for _, l := range run.lanes {
		l.cancel(nil)
	}
	tried, committed, err := j.adopt(last.place)
	return attempts + tried, committed, err
}

// lose takes over what the lane has brought whose answer is not the call's.
func (j *journey) lose(l *lane) (attempts int) {
	attempts, _, err := j.adopt(l.place)
	if err == nil {
		err = outrun() // it came to its end at the same moment
		l.call.describe(err)
		l.call.readRest()
	}
	j.call.retries = append(j.call.retries, llm.PastAttempt{
		Attempt: j.tried, Kind: err.Kind, Message: err.Message, StatusCode: err.StatusCode, Deployment: err.Deployment,
	})
	return attempts
}

func outrun() *llm.Error {
	return llm.Errorf(llm.KindCancelled, "another deployment answered first (routing.hedge_after)")
}

func (r *race) start(outer context.Context, j *journey, seat *policy.Seat) {
	ctx, cancel := context.WithCancelCause(outer)
	l := &lane{race: r, cancel: cancel}
	l.place = j.take(seat, l)
	r.mu.Lock()
	r.lanes = append(r.lanes, l)
	r.mu.Unlock()
	guard.Go(func() {
		l.carry(ctx)
		r.ended <- l
	}, func(broken *llm.Error) {
		l.err = broken
		r.ended <- l
	})
}

func (r *race) won() *lane {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.winner
}

// Emit is part of Sink. A start comes with the first visible piece, or with the end of an answer that has none.
func (l *lane) Emit(event llm.Event) {
	r := l.race
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.winner == nil && event.Kind == llm.EventStart {
		r.winner = l
		for _, other := range r.lanes {
			if other != l {
				other.cancel(outrun())
			}
		}
	}
	if r.winner == l || r.winner == nil { // a retry of either is told
		r.sink.Emit(event)
	}
}

// Full is part of Sink.
func (l *lane) Full() bool { return l.race.won() == l && l.race.sink.Full() }

// Crowded is part of Sink.
func (l *lane) Crowded() bool { return l.race.won() == l && l.race.sink.Crowded() }

// Flush is part of Sink.
func (l *lane) Flush(ctx context.Context) error {
	if l.race.won() == l {
		return l.race.sink.Flush(ctx)
	}
	return context.Cause(ctx)
}

// End is part of Sink; the call itself has the only end.
func (l *lane) End(llm.Event) {}
