package policy

import (
	"time"

	"pyagent/core/llm"
)

// Rates are how much may be asked of a vendor. A zero field is no limit.
type Rates struct {
	Requests    int           // that may begin within Period
	Tokens      int64         // that they may have
	Concurrency int           // requests on their way at once
	Period      time.Duration // which slides: at no moment does more lie behind it than is allowed
}

// ResolveRates reads the option; a period is a minute where it says nothing.
func ResolveRates(option *llm.Throttle) Rates {
	rates := Rates{Requests: option.Requests, Tokens: option.Tokens, Concurrency: option.Concurrency, Period: time.Minute}
	if option.Period != nil {
		rates.Period = seconds(*option.Period)
	}
	return rates
}

// ResolveWait is how long a request waits for its turn; ok is false where nothing but its deadline says so.
func ResolveWait(option *llm.Throttle) (wait time.Duration, ok bool) {
	if option.MaxWait == nil {
		return 0, false
	}
	if wait = seconds(*option.MaxWait); wait == 0 && *option.MaxWait > 0 {
		return 0, false // more than a century
	}
	return wait, true
}

// Window keeps an account of the requests of one period, and says when the next one may begin. It is a value without a clock
// and without a lock. A request is counted when it begins, with the tokens that it is expected to have, and corrected when the
// vendor has said how many they were.
type Window struct {
	Rates   Rates
	begun   []spent // in the order of time; the first `past` of them are older than the period
	past    int
	dropped int64 // how many were taken off the front of begun
	tokens  int64 // of those that count
	running int
}

type spent struct {
	at     time.Time
	tokens int64
}

// Ticket is a request that has begun.
type Ticket struct{ number int64 }

// Wait says how long a request has to wait that is expected to have this many tokens: 0 when it may begin. ok is false when
// no time will help but the end of another request.
func (w *Window) Wait(now time.Time, tokens int64) (wait time.Duration, ok bool) {
	w.slide(now)
	if w.Rates.Concurrency > 0 && w.running >= w.Rates.Concurrency {
		return 0, false
	}
	count, sum := len(w.begun)-w.past, w.tokens
	for _, request := range w.begun[w.past:] {
		if w.Rates.fit(int64(count), sum, tokens) {
			break
		}
		wait = request.at.Add(w.Rates.Period).Sub(now)
		count--
		sum -= request.tokens
	}
	return wait, true
}

// fit reports whether one more request may begin. One that has more tokens than a whole period allows begins alone: the
// vendor is to judge it, and an expectation may be wrong.
func (r Rates) fit(count, sum, tokens int64) bool {
	if r.Requests > 0 && count >= int64(r.Requests) {
		return false
	}
	return r.Tokens == 0 || sum == 0 || sum+tokens <= r.Tokens
}

// Begin counts a request in.
func (w *Window) Begin(now time.Time, tokens int64) Ticket {
	w.slide(now)
	w.running++
	w.tokens += tokens
	w.begun = append(w.begun, spent{now, tokens})
	return Ticket{w.dropped + int64(len(w.begun)) - 1}
}

// End notes that a request is over. tokens is how many it had, or negative where nobody said so.
func (w *Window) End(ticket Ticket, tokens int64) {
	w.running--
	at := int(ticket.number - w.dropped)
	if tokens < 0 || at < w.past { // what is older than the period does not count any more
		return
	}
	w.tokens += tokens - w.begun[at].tokens
	w.begun[at].tokens = tokens
}

// Used says what the period that ends now holds.
func (w *Window) Used(now time.Time) (requests int, tokens int64, running int) {
	w.slide(now)
	return len(w.begun) - w.past, w.tokens, w.running
}

// slide leaves behind what is older than the period.
func (w *Window) slide(now time.Time) {
	for w.past < len(w.begun) && now.Sub(w.begun[w.past].at) >= w.Rates.Period {
		w.tokens -= w.begun[w.past].tokens
		w.past++
	}
	if w.past > 32 && w.past > len(w.begun)/2 { // half the work of moving them up was done by as many requests
		w.dropped += int64(w.past)
		w.begun = append(w.begun[:0], w.begun[w.past:]...)
		w.past = 0
	}
}
