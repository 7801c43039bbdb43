package engine

import (
	"context"
	"slices"

	"pyagent/core/guard"
	"pyagent/core/llm"
)

// Operations that may take more than one request: embeddings, whose vendors bound the inputs of each; and lists of models
// and logins, which come in pages. Each request is a call of its own, with its own retries and the clock "total" of the
// whole, whose events part gathers; the call that the host knows delivers them and has the only end.

const (
	// sideBySide is how many batches are asked or kept at once. It also bounds what waits for a host that is behind.
	sideBySide = 4
	// batchText bounds the text of one request, in bytes, where the vendor bounds the number of inputs: such vendors bound
	// the tokens of a request too, at 300,000 or a little less, and no tokenizer makes more than one of two bytes of prose.
	batchText = 512 << 10
	// longestList is how many pages of a list are read.
	longestList = 1000
)

// part is the sink of one request of several. Its events wait for their turn.
type part struct {
	request *llm.Request
	chair   *chair // at a deployment; nil where there is none of its own
	events  []llm.Event
	end     llm.Event
	ended   chan struct{}
}

// Emit is part of Sink.
func (p *part) Emit(event llm.Event) {
	event.Text = slices.Clone(event.Text)
	p.events = append(p.events, event)
}

// Full is part of Sink: nobody waits for room here, sideBySide and limits.body_bytes are the bounds.
func (p *part) Full() bool { return false }

// Crowded is part of Sink.
func (p *part) Crowded() bool { return false }

// Flush is part of Sink.
func (p *part) Flush(ctx context.Context) error { return context.Cause(ctx) }

// End is part of Sink.
func (p *part) End(event llm.Event) { p.end = event }

// failure is the error that the request ended with.
func (p *part) failure() *llm.Error {
	failed, _ := p.end.Data.(*llm.Error)
	return failed
}

// askPart carries out one request of the call.
func (c *Call) askPart(ctx context.Context, p *part, page string) {
	one := &Call{
		client: c.client, request: p.request, sink: p, clocks: c.clocks, sizes: c.sizes, began: c.began, page: page, purse: c.purse,
		deployment: c.deployment, chair: p.chair,
	}
	if failed := guard.Call(func() {
		attempts, err := one.perform(ctx)
		one.end(ctx, attempts, err)
	}); failed != nil {
		p.End(llm.Event{Kind: llm.EventError, Data: failed})
	}
	if p.chair != nil {
		p.chair.giveBack(one.had(p.failure()))
	}
}

// startPart does so on a goroutine of its own, whose end is p.ended. A failure cancels the other parts.
func (c *Call) startPart(ctx context.Context, cancel context.CancelCauseFunc, request *llm.Request, chair *chair) *part {
	p := &part{request: request, chair: chair, ended: make(chan struct{})}
	guard.Go(func() {
		defer close(p.ended)
		c.askPart(ctx, p, "")
		if failed := p.failure(); failed != nil {
			cancel(failed)
		}
	}, func(err *llm.Error) { cancel(err) })
	return p
}

// embed asks for the vectors of all inputs, a few batches side by side, and delivers them in the order of the inputs. The
// first failure ends the other batches.
func (c *Call) embed(outer context.Context) (attempts int, err *llm.Error) {
	ctx, cancel := context.WithCancelCause(outer)
	defer cancel(nil)
	requests := batches(c.request, c.client.row.EmbedLimit(c.request))
	total := sum{call: c}
	var running []*part
	for begun := 0; begun < len(requests) || len(running) > 0; {
		for ; begun < len(requests) && len(running) < sideBySide && ctx.Err() == nil; begun++ {
			running = append(running, c.startPart(ctx, cancel, requests[begun], c.chairFor(begun, requests[begun])))
		}
		if len(running) == 0 {
			break // cancelled, and the last of them has ended
		}
		first := running[0]
		running = running[1:]
		<-first.ended
		if err := total.add(first); err == nil && ctx.Err() == nil {
			err = total.checkVectors(first)
			if err == nil {
				err = c.deliver(ctx, first)
			}
			if err != nil {
				cancel(err)
			}
		}
	}
	if ctx.Err() != nil {
		return total.attempts, causeOf(ctx)
	}
	return total.attempts, nil
}

// followPages asks for one page after the other: of a list, or of a login that takes two steps.
func (c *Call) followPages(ctx context.Context) (attempts int, err *llm.Error) {
	total := sum{call: c}
	page, seen := "", map[string]bool{}
	for {
		got := &part{request: c.request}
		c.askPart(ctx, got, page)
		err := total.add(got)
		if err == nil {
			err = c.deliver(ctx, got)
		}
		if err == nil {
			seen[page] = true
			page = c.finish.NextPage
			switch {
			case page == "":
				return total.attempts, nil
			case seen[page]:
				err = llm.Errorf(llm.KindParse, "the list of models leads back to a page that was read already: %.100q", page)
			case len(seen) == longestList:
				err = llm.Errorf(llm.KindLimit, "the list of models has more than %d pages", longestList)
			}
		}
		if err != nil {
			return total.attempts, err
		}
	}
}

// deliver hands a request's events to the host, whose pace it takes.
func (c *Call) deliver(ctx context.Context, p *part) *llm.Error {
	for i := range p.events {
		c.committed = true
		c.sink.Emit(p.events[i])
		p.events[i] = llm.Event{}
		if c.sink.Crowded() && c.sink.Flush(ctx) != nil {
			return causeOf(ctx)
		}
	}
	if c.sink.Flush(ctx) != nil {
		return causeOf(ctx)
	}
	return nil
}

// sum makes one end of the ends of several requests: their Finish is the first one's, with the usage of all.
type sum struct {
	call       *Call
	attempts   int
	finished   bool // one of them has
	dimensions int
}

// add counts an ended request in and returns its error.
func (s *sum) add(p *part) *llm.Error {
	c := s.call
	if failed := p.failure(); failed != nil {
		s.attempts += failed.Attempts
		c.retries = append(c.retries, failed.Retries...)
		return failed
	}
	finish := *p.end.Data.(*llm.Finish)
	s.attempts += finish.Attempts
	c.retries = append(c.retries, finish.Retries...)
	for _, warning := range finish.Warnings {
		if !slices.Contains(c.warnings, warning) {
			c.warnings = append(c.warnings, warning)
		}
	}
	finish.Warnings = nil
	if !s.finished {
		s.finished, c.finish = true, finish
		return nil
	}
	p.events = slices.DeleteFunc(p.events, func(event llm.Event) bool { return event.Kind == llm.EventStart })
	c.finish.NextPage = finish.NextPage
	if c.finish.Usage != nil {
		c.finish.Usage = c.finish.Usage.Plus(finish.Usage)
	}
	c.finish.CostUSD = llm.Add(c.finish.CostUSD, finish.CostUSD)
	return nil
}

// checkVectors sees to it that each input of a request has its vector, and that all have one length.
func (s *sum) checkVectors(p *part) *llm.Error {
	request, vectors := p.request, 0
	for _, event := range p.events {
		if event.Kind != llm.EventVector {
			continue
		}
		vectors++
		size := len(event.Text) / 4
		switch wanted := request.Dimensions; {
		case size == 0 || len(event.Text)%4 != 0:
			return llm.Errorf(llm.KindParse, "a vector of the answer has %d bytes, which are not numbers of 4 bytes", len(event.Text))
		case s.dimensions == 0 && wanted != nil && int64(size) != *wanted && !request.AllowUnsupported:
			err := llm.Errorf(llm.KindUnsupported, "%s was asked for vectors of %d dimensions and gave %d; leave dimensions out, "+
				"or allow_unsupported=True takes what comes", request.Model, *wanted, size)
			err.Param = "dimensions"
			return err
		case s.dimensions != 0 && size != s.dimensions:
			return llm.Errorf(llm.KindParse, "the vectors of the answer have different lengths, %d and %d", s.dimensions, size)
		}
		s.dimensions = size
	}
	if vectors != len(request.Input) {
		return llm.Errorf(llm.KindParse, "the answer has %d vectors for %d inputs", vectors, len(request.Input))
	}
	return nil
}

// batches divides the inputs of a request: at most limit in each, 0 for any number.
func batches(request *llm.Request, limit int) []*llm.Request {
	if limit == 0 {
		return []*llm.Request{request}
	}
	var divided []*llm.Request
	for rest := request.Input; len(rest) > 0; {
		count, size := 0, 0
		for count < min(limit, len(rest)) {
			size += len(rest[count].Text) + len(rest[count].Raw)
			if count > 0 && size > batchText {
				break
			}
			count++
		}
		one := *request
		one.Input, rest = rest[:count], rest[count:]
		divided = append(divided, &one)
	}
	return divided
}

// firstBatch is how many tokens the first request of a call for vectors is expected to have.
func firstBatch(c *Call) int64 {
	request := c.request
	if divided := batches(request, c.client.row.EmbedLimit(request)); len(divided) > 0 {
		request = divided[0]
	}
	prompt, answer := request.EstimateTokens()
	return prompt + answer
}
