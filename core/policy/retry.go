package policy

import (
	"math"
	"time"

	"pyagent/core/llm"
)

// Retry decides whether and when a failed attempt is repeated. It is a value without a clock: the caller says how much time
// is left and brings the random number.
type Retry struct {
	Max     int           // attempts after the first
	Backoff time.Duration // the first pause is at most this long
	Factor  float64       // and each further one longer by this
	Pause   time.Duration // and none shorter than this
}

// The retry rule of a call whose caller set none.
const (
	defaultMaxRetries = 2
	defaultBackoff    = 250 * time.Millisecond
	defaultFactor     = 2
	longestBackoff    = 8 * time.Second
	// A vendor that asks for a longer pause than this is obeyed by giving up: the caller has better use for the time.
	longestRetryAfter = 120 * time.Second
)

// ResolveRetry lays the call's number of retries over the client's and that over the default.
func ResolveRetry(config *llm.Config, call *int) Retry {
	retry := Retry{Max: defaultMaxRetries, Backoff: defaultBackoff, Factor: defaultFactor}
	if config.MaxRetries != nil {
		retry.Max = *config.MaxRetries
	}
	if config.RetryBackoff != nil {
		retry.Backoff = seconds(*config.RetryBackoff)
	}
	if config.RetryFactor != nil {
		retry.Factor = *config.RetryFactor
	}
	if call != nil {
		retry.Max = *call
	}
	return retry
}

// Next says how long to wait before repeating the attempt (counted from 1) that ended in err; ok is false when it is final.
// left is the time that remains for the whole call, 0 when it is not limited. The pause is drawn evenly from zero to the
// grown backoff ("full jitter"), so that clients that failed together do not return together; a vendor's Retry-After is a
// lower bound instead, with the jitter on top. With another key nothing has to be waited for, and an error that was about the
// key alone is not final either.
func (r Retry) Next(err *llm.Error, otherKey bool, attempt int, left time.Duration, random float64) (wait time.Duration, ok bool) {
	if attempt > r.Max {
		return 0, false
	}
	if otherKey {
		return 0, true
	}
	if !err.Retryable {
		return 0, false
	}
	ceiling := math.Min(float64(r.Backoff)*math.Pow(r.Factor, float64(attempt-1)), float64(max(longestBackoff, r.Backoff)))
	wait = max(time.Duration(random*ceiling), r.Pause)
	if err.RetryAfter != nil {
		asked := seconds(*err.RetryAfter)
		if asked > longestRetryAfter {
			return 0, false
		}
		wait = asked + min(wait, asked/10)
	}
	if left > 0 && wait >= left {
		return 0, false
	}
	return wait, true
}
