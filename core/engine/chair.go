package engine

import (
	"context"
	"fmt"
	"time"

	"pyagent/core/llm"
	"pyagent/core/policy"
)

// chair is one request's seat at a deployment: policy.Limit for its attempts.
type chair struct {
	journey *journey
	seat    *policy.Seat
	inner   policy.Limit // the deployment's own throttle; nil for none
	tokens  int64        // that the request is expected to have
	entered int          // attempts that have begun, or 1 for a request that has to wait for its first one as well
	late    bool         // it came after the call's own wait, and waits for as long as that might have
}

// limit puts the seat around the deployment's own limit.
func (s *chair) limit(inner policy.Limit) policy.Limit {
	s.inner = inner
	return s
}

// Enter is part of policy.Limit. The first attempt of a call has its seat already.
func (s *chair) Enter(ctx context.Context) *llm.Error {
	r, until := s.journey.call.client.router, s.journey.latest
	if s.entered++; s.entered > 1 {
		if s.late {
			until = s.journey.call.latest(s.journey.ends, r.maxWait, r.waits, "routing.max_wait")
		}
		err := r.stand(ctx, until, fmt.Sprint("again at ", s.seat.Deployment), func(now time.Time) (bool, time.Duration, bool) {
			return r.policy.Again(now, s.seat, s.tokens)
		})
		if err != nil {
			return err
		}
	}
	if s.inner == nil {
		return nil
	}
	return s.inner.Enter(ctx)
}

// Leave is part of policy.Limit.
func (s *chair) Leave(err *llm.Error) {
	if s.inner != nil {
		s.inner.Leave(err)
	}
}

// giveBack ends a request that was one of several of its call.
func (s *chair) giveBack(tokens int64) {
	r := s.journey.call.client.router
	r.mu.Lock()
	defer r.mu.Unlock()
	r.policy.Return(r.clock.Now(), s.seat, tokens)
	r.serve(nil)
}

// chairFor is the seat of one of the requests of a call that takes several: the first has that of the call, the others have their
// own at the same deployment. nil where there is no router.
func (c *Call) chairFor(number int, request *llm.Request) *chair {
	if c.place == nil {
		return nil
	}
	prompt, answer := request.EstimateTokens()
	made := &chair{journey: c.place.journey, seat: c.place.seat, tokens: prompt + answer}
	if number > 0 {
		made.seat, made.entered, made.late = &policy.Seat{Deployment: made.seat.Deployment}, 1, true
	}
	return made
}
