package policy

import (
	"slices"
	"sync"
	"time"

	"pyagent/core/llm"
)

// Keys are the API keys of one client in the order in which they are preferred. All calls of the client share what is known
// of them: a key that a vendor rejected, or whose limit is used up, rests, and the next one takes its place. The time comes
// from the caller.
type Keys struct {
	mu   sync.Mutex
	keys []key
}

type key struct {
	text  string
	until time.Time // rests until then
}

// How long a key rests. A used-up limit is that of a minute unless the vendor says otherwise. Money may be paid in at any time,
// but seldom is. A key that is valid and may not do this may well do something else. A rejected key does not come back.
const (
	limitRest      = time.Minute
	permissionRest = time.Minute
	quotaRest      = time.Hour
	rejectedRest   = 100 * 365 * 24 * time.Hour
)

// NewKeys takes the key of a configuration, which may be empty, and those that stand by.
func NewKeys(first string, extra []string) *Keys {
	made := &Keys{keys: []key{{text: first}}}
	for _, text := range extra {
		if !slices.ContainsFunc(made.keys, func(k key) bool { return k.text == text }) {
			made.keys = append(made.keys, key{text: text})
		}
	}
	return made
}

// Pick returns the first key that does not rest, or where all of them do, the one whose rest ends first: the vendor then says
// itself what is wrong.
func (k *Keys) Pick(now time.Time) string {
	if len(k.keys) == 1 {
		return k.keys[0].text
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	best := 0
	for i, key := range k.keys {
		if !key.until.After(now) {
			return key.text
		}
		if key.until.Before(k.keys[best].until) {
			best = i
		}
	}
	return k.keys[best].text
}

// Replace lets a key rest if err is about it, and returns the key to go on with; ok is false when there is none that is better.
func (k *Keys) Replace(used string, err *llm.Error, now time.Time) (next string, ok bool) {
	rest := restAfter(err)
	if rest == 0 || len(k.keys) == 1 {
		return "", false
	}
	k.mu.Lock()
	for i := range k.keys {
		if k.keys[i].text == used && k.keys[i].until.Before(now.Add(rest)) {
			k.keys[i].until = now.Add(rest)
		}
	}
	k.mu.Unlock()
	next = k.Pick(now)
	return next, next != used && k.isFree(next, now)
}

func (k *Keys) isFree(text string, now time.Time) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.ContainsFunc(k.keys, func(k key) bool { return k.text == text && !k.until.After(now) })
}

// restAfter is how long a key rests after an error, 0 when the error is not about the key.
func restAfter(err *llm.Error) time.Duration {
	var asked time.Duration
	if err.RetryAfter != nil {
		asked = seconds(*err.RetryAfter)
	}
	switch err.Kind {
	case llm.KindRateLimit:
		if !err.Retryable { // the request itself is larger than the limit
			return 0
		}
		if asked > 0 {
			return asked
		}
		return limitRest
	case llm.KindQuota:
		return max(asked, quotaRest)
	case llm.KindPermission:
		return permissionRest
	case llm.KindAuthentication:
		return rejectedRest
	}
	return 0
}
