package engine

import (
	"context"
	"time"

	"pyagent/core/llm"
	"pyagent/core/transport"
)

// A small question that is answered at once needs no goroutine: Ask sends it on the thread that submits, Answer waits for the
// answer on the thread that polls. Both do only what takes no decision. Everything else, another attempt among it, is left as it
// stands to Run.

// outcome is how an attempt ended.
type outcome struct {
	committed bool
	failed    *llm.Error
}

// Ask sends the request, if that can be done at once, and reports whether it did. Then comes Answer, or Run.
func (c *Call) Ask(ctx context.Context) bool {
	total := c.clocks.Total
	if c.client.config.Throttle != nil || c.client.budget != nil || c.client.router != nil { // its turn may come later, or never
		return false
	}
	if c.request.Op != llm.OpGenerate || c.clocks.FirstToken > 0 || total > 0 && total < time.Second || c.encode() != nil {
		return false
	}
	c.begun = c.client.transport.Begin(ctx, c.encoded)
	return c.begun != nil
}

// AnswerPatience is how long Answer may take.
const AnswerPatience = 2 * transport.Patience

// Answer waits for the answer and delivers it, and reports whether the call has so come to its end. Otherwise comes Run.
func (c *Call) Answer(ctx context.Context) bool {
	if !c.begun.Wait() {
		return false
	}
	committed, err := c.ask(ctx, func(error) {}) // nothing waits that would have to be ended
	if err != nil {
		c.outcome = &outcome{committed, err}
		return false
	}
	c.succeed(1)
	return true
}
