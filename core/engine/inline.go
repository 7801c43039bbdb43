package engine

import (
	"context"
	"time"

	"pyagent/core/llm"
	"pyagent/core/transport"
)

// A small question that is answered at once needs no goroutine: Ask sends it on the thread that submits, Answer waits for the
// answer on the thread that polls; or a Watch tells that thread to Look, where it polls for many. They do only what takes no
// decision. Everything else, another attempt among it, is left as it stands to Run.

// outcome is how an attempt ended.
type outcome struct {
	committed bool
	failed    *llm.Error
}

// Ask sends the request, if that can be done at once, and reports whether it did. Then comes Answer, or Run. With a watch
// comes Look whenever reader is told, until Leave.
func (c *Call) Ask(ctx context.Context, watch *Watch, reader Reader) bool {
	total := c.clocks.Total
	if c.request.Op != llm.OpGenerate || c.clocks.FirstToken > 0 || total > 0 && total < time.Second || c.encode() != nil {
		return false
	}
	c.begun = c.client.transport.Begin(ctx, c.encoded, watch != nil)
	if c.begun != nil && watch != nil && !watch.Add(c.begun.Loan(), reader) {
		c.begun.Return()
		return false
	}
	return c.begun != nil
}

// Look reads what has come without waiting. arrived: it is all, and after Leave comes Deliver. waits: it will be told again.
func (c *Call) Look() (arrived, waits bool) { return c.begun.Look() }

// Leave ends what Ask began with a watch.
func (c *Call) Leave(watch *Watch) {
	if loan := c.begun.Loan(); loan != nil {
		watch.Remove(loan)
		c.begun.Return()
	}
}

// AnswerPatience is how long Answer may take.
const AnswerPatience = 2 * transport.Patience

// Answer waits for the answer and delivers it, and reports whether the call has so come to its end. Otherwise comes Run.
func (c *Call) Answer(ctx context.Context) bool {
	return c.begun.Wait() && c.Deliver(ctx)
}

// Deliver delivers an answer that has arrived, and reports whether the call has so come to its end. Otherwise comes Run.
func (c *Call) Deliver(ctx context.Context) bool {
	committed, err := c.ask(ctx, func(error) {}) // nothing waits that would have to be ended
	if err != nil {
		c.outcome = &outcome{committed, err}
		return false
	}
	c.succeed(1)
	return true
}
