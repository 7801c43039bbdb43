package engine

import (
	"strings"
	"time"
)

// seenLimits is what an answer said of the vendor's rate limits.
type seenLimits struct {
	headers map[string]string
	at      time.Time
}

// noteLimits keeps the header of an answer that says how much of the rate limits is left, for whoever inspects the client.
func (c *Client) noteLimits(header map[string]string) {
	for name := range header {
		if strings.Contains(name, "ratelimit") {
			c.limits.Store(&seenLimits{header, time.Now()})
			return
		}
	}
}

// describe gives the headers that matter, and how many seconds ago they came.
func (s *seenLimits) describe(now time.Time) map[string]any {
	said := map[string]string{}
	for name, value := range s.headers {
		if strings.Contains(name, "ratelimit") || strings.HasPrefix(name, "retry-after") || name == "date" {
			said[name] = value
		}
	}
	return map[string]any{"headers": said, "seconds_ago": now.Sub(s.at).Seconds()}
}
