package provider

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// RequestID finds the id under which a vendor knows a request. Header names are lower-case.
func RequestID(header map[string]string) string {
	for _, name := range []string{
		"x-request-id", "request-id", "apim-request-id", "mistral-correlation-id", "x-generation-id", "cf-ray",
	} {
		if id := header[name]; id != "" {
			return id
		}
	}
	return ""
}

func shouldRetry(header map[string]string) *bool {
	said := strings.ToLower(strings.TrimSpace(header["x-should-retry"]))
	if said != "true" && said != "false" {
		return nil
	}
	retry := said == "true"
	return &retry
}

// retryAfter reads how many seconds the vendor wants us to wait: the exact header first, then the standard one, then
// the rate limits that are used up.
func retryAfter(status int, header map[string]string) *float64 {
	if seconds, ok := plainNumber(header["retry-after-ms"]); ok {
		seconds /= 1000
		return &seconds
	}
	if said := header["retry-after"]; said != "" {
		if seconds, ok := plainNumber(said); ok {
			return &seconds
		}
		if seconds, ok := untilDate(said, header["date"]); ok {
			return &seconds
		}
	}
	if status == 429 {
		return rateLimitReset(header)
	}
	return nil
}

// rateLimitReset is the longest wait among the limits of which nothing remains, or of which only the reset is known:
// x-ratelimit-reset-tokens beside x-ratelimit-remaining-tokens, anthropic-ratelimit-tokens-reset beside -remaining.
func rateLimitReset(header map[string]string) *float64 {
	longest := -1.0
	for name, value := range header {
		remaining := ""
		if what, ok := strings.CutPrefix(name, "x-ratelimit-reset"); ok {
			remaining = "x-ratelimit-remaining" + what
		} else if what, ok := strings.CutSuffix(name, "-reset"); ok && strings.HasPrefix(name, "anthropic-ratelimit-") {
			remaining = what + "-remaining"
		} else {
			continue
		}
		if left, known := header[remaining]; known && strings.TrimSpace(left) != "0" {
			continue
		}
		if seconds, ok := resetSeconds(value, header["date"]); ok {
			longest = max(longest, seconds)
		}
	}
	if longest < 0 {
		return nil
	}
	return &longest
}

// resetSeconds reads a reset value: a duration such as 6m0s or 20ms, plain seconds, seconds or milliseconds since 1970,
// or a date (RFC 3339). The last three need the vendor's own clock to compare with.
func resetSeconds(value, date string) (float64, bool) {
	const firstSeconds, firstMilliseconds = 1e9, 1e12 // 2001; as durations they would be 30 and 30,000 years
	now, known := parseDate(date)
	if number, ok := plainNumber(value); ok {
		switch {
		case number < firstSeconds:
			return number, true
		case number >= firstMilliseconds:
			number /= 1000
		}
		return max(0, number-float64(now.Unix())), known
	}
	if end, err := time.Parse(time.RFC3339, strings.TrimSpace(value)); err == nil {
		return max(0, end.Sub(now).Seconds()), known
	}
	duration, err := time.ParseDuration(strings.TrimSpace(value))
	return duration.Seconds(), err == nil && duration >= 0
}

func plainNumber(text string) (float64, bool) {
	number, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	return number, err == nil && number >= 0 && !math.IsInf(number, 0)
}

// untilDate is the time between the answer's own Date header and a date. Without that header the date is not used: this
// package has no clock, so the engine adds one where the vendor left it out.
func untilDate(then, date string) (float64, bool) {
	end, ok := parseDate(then)
	start, known := parseDate(date)
	return max(0, end.Sub(start).Seconds()), ok && known
}

// parseDate: RFC 9110, section 5.6.7.
func parseDate(text string) (time.Time, bool) {
	for _, layout := range []string{"Mon, 02 Jan 2006 15:04:05 GMT", "Monday, 02-Jan-06 15:04:05 GMT", time.ANSIC} {
		if at, err := time.Parse(layout, strings.TrimSpace(text)); err == nil {
			return at, true
		}
	}
	return time.Time{}, false
}
