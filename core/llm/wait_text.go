package llm

import (
	"strings"
	"time"
)

// waitIn reads how many seconds a message asks to wait, for vendors that say it in words alone: "Please try again in 6m0s.",
// "Please retry in 12.5s", "Retry after 20 seconds". The message is in lower case.
func waitIn(message string) *float64 {
	for _, phrase := range []string{"try again in ", "retry in ", "try again after ", "retry after ", "retry-after: ", "wait "} {
		if _, rest, found := strings.Cut(message, phrase); found {
			if seconds, ok := leadingWait(rest); ok {
				return &seconds
			}
		}
	}
	return nil
}

// leadingWait reads the span of time that a text begins with: 6m0s, 1h2m3.5s, 300ms, 1.5 s, 20 seconds, 2 minutes. A number
// without a unit may count anything, attempts for example.
func leadingWait(text string) (seconds float64, ok bool) {
	for {
		text = strings.TrimLeft(text, " ")
		end := strings.IndexFunc(text, func(c rune) bool { return c != '.' && (c < '0' || c > '9') })
		if end <= 0 {
			return seconds, ok
		}
		number, rest := text[:end], strings.TrimLeft(text[end:], " ")
		end = strings.IndexFunc(rest, func(c rune) bool { return c < 'a' || c > 'z' })
		if end < 0 {
			end = len(rest)
		}
		unit, known := waitUnits()[rest[:end]]
		span, err := time.ParseDuration(strings.TrimRight(number, ".") + unit)
		if !known || err != nil {
			return seconds, ok
		}
		seconds, ok, text = seconds+span.Seconds(), true, rest[end:]
	}
}

func waitUnits() map[string]string {
	return map[string]string{
		"ms": "ms", "millisecond": "ms", "milliseconds": "ms",
		"s": "s", "sec": "s", "secs": "s", "second": "s", "seconds": "s",
		"m": "m", "min": "m", "mins": "m", "minute": "m", "minutes": "m",
		"h": "h", "hour": "h", "hours": "h",
	}
}
