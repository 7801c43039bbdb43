package engine

import (
	"cmp"
	"context"
	"errors"
	"io"
	"strings"
	"time"

	"pyagent/core/guard"
	"pyagent/core/llm"
	"pyagent/core/provider"
	"pyagent/core/stream"
	"pyagent/core/transport"
)

// errorBody is how much of an error answer is read. Proxies have been seen to send endless ones.
const errorBody = 1 << 20

// exchange is one attempt: one request sent, one answer read.
type exchange struct {
	call    *Call
	ctx     context.Context
	cancel  context.CancelCauseFunc
	watch   watchdog
	gate    gate
	reader  answerReader
	decoder provider.Decoder
	emit    func(llm.Event) // of the gate; to name the method makes a new function each time
}

// attempt asks the vendor once and turns the answer into events. It belongs to policy.Run, which decides on a repetition.
func (c *Call) attempt(outer context.Context) (committed bool, failed *llm.Error) {
	if done := c.outcome; done != nil {
		c.outcome = nil
		return done.committed, done.failed
	}
	if err := c.encode(); err != nil {
		return false, err
	}
	// The exchange ends with the call, but only until the answer is complete: after that the host closes the call while the
	// connection is still worth keeping.
	scope := guard.NewScope(outer)
	defer scope.Leave()
	return c.ask(scope, scope.End)
}

// ask sends one request and reads its answer. cancel ends ctx.
func (c *Call) ask(ctx context.Context, cancel context.CancelCauseFunc) (committed bool, failed *llm.Error) {
	x := &exchange{call: c, ctx: ctx, cancel: cancel}
	x.gate = gate{sink: c.sink, watch: &x.watch, start: llm.Start{Provider: c.client.row.Name, Deployment: c.deployment}}
	x.watch.start(c.clocks, cancel, realInstant)
	defer x.watch.stop()
	if c.place != nil {
		x.gate.first = c.place.sawFirst()
	}
	defer func() { c.committed = c.committed || committed }()
	response, err := x.send()
	if err == nil {
		c.client.noteLimits(response.Header)
		err = x.read(response)
	}
	if err == nil {
		return x.gate.open, nil
	}
	if response != nil {
		_ = response.Body.Close()
	}
	if ctx.Err() != nil && err.Kind != llm.KindCancelled && err.Clock == "" {
		ended := causeOf(ctx)
		ended.Response = err.Response
		err = ended
	}
	cancel(err)
	return x.gate.open, err
}

// read turns the answer into events. On success the body is closed, or left to call.readRest.
func (x *exchange) read(response *transport.Response) *llm.Error {
	if response.Status < 200 || response.Status > 299 {
		return x.refused(response)
	}
	x.gate.start.Headers = response.Header
	x.gate.start.RequestID = provider.RequestID(response.Header)
	x.decoder, x.emit = x.call.client.dialect.NewDecoder(x.call.target), x.gate.emit
	reader := x.newReader(response)
	framed, failure := x.isFramed(reader, response)
	var err *llm.Error
	switch {
	case failure != nil:
		err = x.broken(failure)
	case framed:
		err = x.readStream(reader)
	default:
		err = x.readWhole(reader)
	}
	finish, complete := &x.call.finish, false
	*finish, complete = x.decoder.End(x.emit)
	finish.Provider, finish.RequestID = x.gate.start.Provider, x.gate.start.RequestID
	finish.RequestedModel = x.call.request.Model
	if err == nil && !complete {
		err = &llm.Error{Kind: llm.KindInterrupted, Retryable: true,
			Message: "the stream ended without its terminal signal; the answer may be cut"}
	}
	// An answer whose finish reason was seen is complete, even when the connection broke or fell silent before [DONE].
	broken := err != nil && (!complete || err.Kind != llm.KindInterrupted && err.Kind != llm.KindTimeout)
	x.call.count(finish, x.gate.images, broken)
	if broken {
		err.RequestID = cmp.Or(err.RequestID, finish.RequestID)
		finish.Headers = x.gate.start.Headers
		kept := *finish
		err.Response = &kept
		return err
	}
	x.gate.release() // an answer without anything visible has begun all the same
	x.call.rest = &rest{body: response.Body, atEnd: reader.ended, cancel: x.cancel}
	return nil
}

// isFramed looks at the first byte of a 200 answer. Content types cannot be trusted, but no event stream begins like JSON or
// HTML, and an answer that does is read whole.
func (x *exchange) isFramed(reader *answerReader, response *transport.Response) (bool, error) {
	head, err := reader.peek()
	if err != nil && err != io.EOF {
		return false, err
	}
	if x.call.client.dialect.Framing() == provider.Lines {
		return x.call.target.Stream && head != '<', nil
	}
	if head != 0 && strings.IndexByte(`{["<`, head) >= 0 {
		return false, nil
	}
	return x.call.target.Stream || strings.HasPrefix(response.Header["content-type"], "text/event-stream"), nil
}

func (x *exchange) readStream(reader *answerReader) *llm.Error {
	next := frames(reader, int(x.call.sizes.Event), x.call.client.dialect.Framing())
	return x.lend(reader, func() *llm.Error { return x.readEvents(reader, next) })
}

// readEvents reads to the end of the stream; while its connection is lent, as far as it has come.
func (x *exchange) readEvents(reader *answerReader, next func() (name string, data []byte, err error)) *llm.Error {
	for {
		name, data, failure := next()
		if failure == io.EOF || failure == stream.ErrNotYet {
			return nil
		}
		if failure != nil {
			return x.broken(failure)
		}
		done, failure := x.decoder.Event(name, data, x.emit)
		if failure != nil {
			return x.judge(failure)
		}
		if done {
			return nil
		}
		if x.call.sink.Crowded() {
			if failure := reader.flush(); failure == stream.ErrNotYet {
				return nil
			} else if failure != nil {
				return x.broken(failure)
			}
		}
	}
}

// frames cuts a stream in the vendor's way.
func frames(reader io.Reader, limit int, framing provider.Framing) func() (name string, data []byte, err error) {
	if framing == provider.Lines {
		lines := stream.NewNDJSON(reader, limit)
		return func() (string, []byte, error) {
			line, err := lines.Next()
			return "", line, err
		}
	}
	events := stream.NewSSE(reader, limit)
	return func() (string, []byte, error) {
		event, err := events.Next()
		return event.Name, event.Data, err
	}
}

func (x *exchange) readWhole(reader *answerReader) *llm.Error {
	limit := x.call.sizes.Body
	body, failure := reader.all(limit + 1)
	if failure != nil {
		return x.broken(failure)
	}
	if int64(len(body)) > limit {
		return llm.Errorf(llm.KindLimit, "the answer is larger than %d bytes (limits.body_bytes)", limit)
	}
	if failure := x.decoder.Body(body, x.emit); failure != nil {
		return x.judge(failure)
	}
	return nil
}

// refused reads an answer with a status other than 2xx.
func (x *exchange) refused(response *transport.Response) *llm.Error {
	if isRedirect(response) {
		return notFollowed(response)
	}
	if response.Header["date"] == "" { // what the vendor says about time is measured by its own clock, if it tells that
		response.Header["date"] = time.Now().UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT")
	}
	reader := x.newReader(response)
	body, failure := io.ReadAll(io.LimitReader(reader, errorBody))
	if failure != nil && x.ctx.Err() != nil {
		return causeOf(x.ctx)
	}
	report := x.call.client.dialect.DecodeError(x.call.target, response.Status, response.Header, body)
	_ = response.Body.Close()
	judged := llm.Judge(report, x.call.client.row.Rules)
	judged.Response = &llm.Finish{Headers: response.Header}
	return judged
}

// judge turns a decoder's error into ours. A decoder reports a *llm.Error where it is sure, and the vendor's own words where
// llm has to decide.
func (x *exchange) judge(failure error) *llm.Error {
	var report *llm.VendorError
	if errors.As(failure, &report) {
		return llm.Judge(report, x.call.client.row.Rules)
	}
	var known *llm.Error
	if errors.As(failure, &known) {
		return known
	}
	return llm.Errorf(llm.KindParse, "the answer cannot be read: %s", failure)
}

// broken names what ended the body early.
func (x *exchange) broken(failure error) *llm.Error {
	if x.ctx.Err() != nil {
		return causeOf(x.ctx)
	}
	var large *stream.TooLargeError
	if errors.As(failure, &large) {
		return llm.Errorf(llm.KindLimit, "an event of the stream is larger than %d bytes (limits.event_bytes)", large.Limit)
	}
	var known *llm.Error
	if errors.As(failure, &known) {
		return known
	}
	return &llm.Error{Kind: llm.KindInterrupted, Retryable: true, Message: transport.Interrupted(failure)}
}
