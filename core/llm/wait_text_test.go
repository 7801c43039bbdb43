package llm

import "testing"

func TestWaitIsReadFromTheMessageOfARateLimit(t *testing.T) {
	header := 3.0
	cases := []struct {
		name, message string
		status        int
		header        *float64
		want          float64 // -1: none
	}{
		{"seconds", "Rate limit reached for gpt-x. Please try again in 20s. Visit the page.", 429, nil, 20},
		{"with a space", "try again in 1.5 s", 429, nil, 1.5},
		{"milliseconds", "Please try again in 300ms.", 429, nil, 0.3},
		{"compound", "Please try again in 1h2m3.5s.", 429, nil, 3723.5},
		{"spelled out", "Too many requests; retry after 2 minutes and 5 seconds", 429, nil, 120},
		{"Google's", "You are too fast. Please retry in 36.5s.", 429, nil, 36.5},
		{"a sentence's end is no decimal point", "Try again in 7 seconds.", 429, nil, 7},
		{"the header knows better", "Please try again in 20s.", 429, &header, 3},
		{"overload", "The model is overloaded, try again in 5 seconds", 503, nil, 5},
		{"a number of what?", "Please retry after 3 attempts", 429, nil, -1},
		{"no number", "Please try again in a moment", 429, nil, -1},
		{"dots alone", "try again in ...s", 429, nil, -1},
		{"too many dots", "try again in 1.2.3s", 429, nil, -1},
		{"beyond all numbers", "try again in 99999999999999999999s", 429, nil, -1},
		{"a bad request may repeat the prompt", "invalid value: 'try again in 20s'", 400, nil, -1},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := -1.0
			if judged := Judge(&VendorError{Status: c.status, Message: c.message, RetryAfter: c.header}, nil); judged.RetryAfter != nil {
				got = *judged.RetryAfter
			}
			if got != c.want {
				t.Errorf("got %g, want %g", got, c.want)
			}
		})
	}
}
