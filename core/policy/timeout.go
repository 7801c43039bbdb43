package policy

import (
	"math"
	"time"

	"pyagent/core/llm"
)

// Clocks bound one call. A zero clock never runs out.
type Clocks struct {
	Connect    time.Duration // getting a connection, each attempt
	FirstToken time.Duration // from sending to the first visible piece of a stream, each attempt
	Idle       time.Duration // between visible pieces of a stream; comments and pings do not count
	Total      time.Duration // the whole call with all its attempts
}

// The clocks of a call whose caller set none. Reasoning models think for minutes before and between tokens, so the waiting
// clocks are long; a stream may take as long as it goes on speaking.
const (
	defaultConnect    = 10 * time.Second
	defaultFirstToken = 600 * time.Second
	defaultIdle       = 180 * time.Second
	defaultOneShot    = 600 * time.Second
)

// ResolveClocks lays the call's clocks over the client's and those over the defaults. Within one layer a clock that is set
// by name beats Request, the short form.
func ResolveClocks(op llm.Op, client, call llm.Timeouts) Clocks {
	clocks := Clocks{Connect: defaultConnect, FirstToken: defaultFirstToken, Idle: defaultIdle}
	if op != llm.OpStream { // a one-shot answer comes whole: its first token is all of it
		clocks = Clocks{Connect: defaultConnect, Total: defaultOneShot}
	}
	for _, layer := range []llm.Timeouts{client, call} {
		if op == llm.OpStream {
			set(&clocks.FirstToken, layer.Request)
			set(&clocks.Idle, layer.Request)
		} else {
			set(&clocks.Total, layer.Request)
		}
		set(&clocks.Connect, layer.Connect)
		set(&clocks.FirstToken, layer.FirstToken)
		set(&clocks.Total, layer.Total)
		if op == llm.OpStream {
			set(&clocks.Idle, layer.Idle)
		}
	}
	return clocks
}

func set(clock *time.Duration, value *float64) {
	if value != nil {
		*clock = seconds(*value)
	}
}

// seconds converts without overflow: more than a century is no limit.
func seconds(value float64) time.Duration {
	if value > float64(math.MaxInt64)/float64(time.Second)/4 {
		return 0
	}
	return time.Duration(value * float64(time.Second))
}

// Sizes bound what an answer may weigh, in bytes, and how many redirects it may take.
type Sizes struct {
	Event, Body, Header, Redirects int64
}

// ResolveSizes lays the call's limits over the client's and those over the defaults.
func ResolveSizes(client, call llm.Limits) Sizes {
	sizes := Sizes{Event: 64 << 20, Body: 256 << 20, Header: 1 << 20, Redirects: 5}
	for _, layer := range []llm.Limits{client, call} {
		for _, limit := range []struct {
			into  *int64
			value *int64
		}{
			{&sizes.Event, layer.EventBytes}, {&sizes.Body, layer.BodyBytes}, {&sizes.Header, layer.HeaderBytes},
			{&sizes.Redirects, layer.Redirects},
		} {
			if limit.value != nil {
				*limit.into = *limit.value
			}
		}
	}
	return sizes
}
