package engine

import (
	"context"
	"time"

	"pyagent/core/llm"
	"pyagent/core/transport"
)

// A small question that is answered at once needs no goroutine: Ask sends it on the thread that submits, Answer waits for the
// answer on the thread that polls. For an event loop it is AskWatched, and Arrive whenever something has come. All of them do
// only what takes no decision. Everything else, another attempt among it, is left as it stands to Run.

// outcome is how an attempt ended.
type outcome struct {
	committed bool
	failed    *llm.Error
}

// Ask sends the request, if that can be done at once, and reports whether it did. Then comes Answer, or Run.
func (c *Call) Ask(ctx context.Context) bool {
	if !c.simple() {
		return false
	}
	c.begun = c.client.transport.Begin(ctx, c.encoded)
	return c.begun != nil
}

// Quick reports whether the client's last answer came so soon that AskWatched is worth it: what is not there in time costs a
// change of hands.
func (c *Client) Quick() bool { return c.quick.Load() }

// AskWatched is Ask for an event loop: the watch tells reader when something has come, and then it is Arrive's turn.
func (c *Call) AskWatched(ctx context.Context, watch *Watch, reader Reader) bool {
	if !c.simple() {
		return false
	}
	c.begun = c.client.transport.BeginWatched(ctx, c.encoded, watch, reader)
	return c.begun != nil
}

// simple reports whether the request can be sent without a decision, and encodes it.
func (c *Call) simple() bool {
	total := c.clocks.Total
	if c.client.config.Throttle != nil || c.client.budget != nil || c.client.router != nil { // its turn may come later, or never
		return false
	}
	return c.request.Op == llm.OpGenerate && c.clocks.FirstToken == 0 && (total == 0 || total >= LoopPatience) && c.encode() == nil
}

// LoopPatience is how long an event loop waits for an answer without a goroutine: as long as no clock runs out.
const LoopPatience = time.Second

// Arrive takes in what has come, and delivers the answer if that is all of it. Either the call has come to its end; or it
// waits for more; or comes Run.
func (c *Call) Arrive(ctx context.Context) (ended, waits bool) {
	whole, waits := c.begun.Arrive()
	return whole && c.conclude(ctx), waits
}

// Leave ends the wait for Arrive. Then comes Run.
func (c *Call) Leave() {
	if c.begun != nil {
		c.begun.Leave()
	}
}

// AnswerPatience is how long Answer may take.
const AnswerPatience = 2 * transport.Patience

// Answer waits for the answer and delivers it, and reports whether the call has so come to its end. Otherwise comes Run.
func (c *Call) Answer(ctx context.Context) bool {
	return c.begun.Wait() && c.conclude(ctx)
}

// conclude delivers an answer that has arrived whole, and reports whether that was the end of the call.
func (c *Call) conclude(ctx context.Context) bool {
	committed, err := c.ask(ctx, func(error) {}) // nothing waits that would have to be ended
	if err != nil {
		c.outcome = &outcome{committed, err}
		return false
	}
	c.succeed(1)
	return true
}
