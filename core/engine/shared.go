package engine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"pyagent/core/guard"
	"pyagent/core/llm"
	"pyagent/core/policy"
	"pyagent/core/share"
)

// joint is this process's part in an account that several processes keep together. It is asked after the process's own account
// has let a request in, by the first of those who wait: so each process has one place in the common queue.
type joint struct {
	store   share.Store
	name    string
	rates   policy.Rates
	alone   bool  // without the store requests go on under the limits of this process
	process int64 // says who holds what; nobody else has the number
	chance  func() float64

	turn    chan struct{} // held by whoever changes the record, or what follows
	running int64
	renewal context.CancelFunc // while anything is on its way that is limited
	away    time.Time          // until then the store is not asked
	rest    time.Duration      // for so long; 0 when it was there last
	lost    error              // why not
}

const (
	// storePatience is how long a store has to make a change.
	storePatience = 2 * time.Second
	// storeRest is how long a store is left alone that could not. Where requests go on without it, it is longer each time: one of
	// them has to wait for its patience.
	storeRest        = time.Second
	longestStoreRest = 32 * time.Second
)

// newJoint takes part in an account.
func newJoint(at share.Store, of account) *joint {
	r := of.rates
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q %d %d %d %d", of.base, of.key, of.model, r.Requests, r.Tokens, r.Concurrency, r.Period))
	return &joint{
		store: at, name: hex.EncodeToString(sum[:16]), rates: of.rates, alone: of.alone, process: int64(drawn()), chance: realClock{}.Random,
		turn: make(chan struct{}, 1),
	}
}

// lock takes the turn; false when ctx has ended.
func (j *joint) lock(ctx context.Context) bool {
	select {
	case j.turn <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

func (j *joint) unlock() { <-j.turn }

// update changes the record. Whoever calls it holds the turn.
func (j *joint) update(ctx context.Context, change func(*policy.Ledger)) error {
	if time.Now().Before(j.away) {
		return j.lost
	}
	bounded, stop := context.WithTimeoutCause(ctx, storePatience, fmt.Errorf("no answer within %v", storePatience))
	defer stop()
	err := j.store.Update(bounded, j.name, func(now time.Time, old []byte) ([]byte, time.Duration) {
		ledger := policy.ReadLedger(j.rates, now, old)
		change(ledger)
		return ledger.Record(), ledger.Keep()
	})
	switch {
	case err == nil:
		j.rest = 0
	case ctx.Err() == nil:
		if j.rest = max(2*j.rest, storeRest); !j.alone {
			j.rest = storeRest
		}
		j.rest = min(j.rest, longestStoreRest)
		j.away, j.lost = time.Now().Add(j.rest), err
	}
	return err
}

// ask lets a request in if it is its turn.
func (j *joint) ask(ctx context.Context, tokens int64, patience time.Duration) (policy.Turn, *llm.Error) {
	if !j.lock(ctx) {
		return policy.Turn{}, causeOf(ctx)
	}
	defer j.unlock()
	var turn policy.Turn
	err := j.update(ctx, func(l *policy.Ledger) { turn = l.Ask(j.process, j.running, tokens, patience) })
	switch {
	case err != nil && ctx.Err() != nil:
		return policy.Turn{}, causeOf(ctx)
	case err != nil && !j.alone:
		return policy.Turn{}, j.unreachable(err)
	case err != nil:
		turn = policy.Turn{Begun: true}
	}
	if turn.Begun {
		j.running++
		j.renew()
	}
	return turn, nil
}

func (j *joint) unreachable(err error) *llm.Error {
	said := llm.Errorf(llm.KindRateLimit, "the throttle that is shared in %s cannot be asked: %v; see that it is there, or let requests "+
		`go on under the limits of this process alone by throttle.if_unreachable="local"`, j.store, err)
	said.Code = "throttle_unreachable"
	return said
}

// end says that a request is over which began at a moment of the record (0: it was let in without it), and how many more tokens
// it had than it was expected to have. Without the store it counts as it was expected.
func (j *joint) end(at, more int64) {
	ctx := context.Background() // also for a call that was cancelled; the store's own patience bounds it
	j.lock(ctx)
	defer j.unlock()
	if j.running--; j.running == 0 && j.renewal != nil {
		j.renewal()
		j.renewal = nil
	}
	corrects := at != 0 && more != 0 && j.rates.Tokens > 0
	if !corrects && j.rates.Concurrency == 0 {
		return
	}
	_ = j.update(ctx, func(l *policy.Ledger) {
		l.Hold(j.process, j.running)
		if corrects {
			l.Correct(at, more)
		}
	})
}

// withdraw gives up the place in the queue, and what a change that was broken off may have left.
func (j *joint) withdraw() {
	ctx := context.Background()
	j.lock(ctx)
	defer j.unlock()
	_ = j.update(ctx, func(l *policy.Ledger) {
		l.Withdraw(j.process)
		l.Hold(j.process, j.running)
	})
}

// renew says again and again what is on its way, until nothing is. Whoever calls it holds the turn.
func (j *joint) renew() {
	if j.rates.Concurrency == 0 || j.renewal != nil {
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	j.renewal = stop
	guard.Go(func() {
		for ctx.Err() == nil {
			realClock{}.Sleep(ctx, policy.Lease/3)
			j.hold(ctx)
		}
	}, func(*llm.Error) {}) // it counts as dead then
}

// hold says what is on its way.
func (j *joint) hold(ctx context.Context) {
	if !j.lock(ctx) {
		return
	}
	defer j.unlock()
	if ctx.Err() == nil {
		_ = j.update(ctx, func(l *policy.Ledger) { l.Hold(j.process, j.running) })
	}
}
