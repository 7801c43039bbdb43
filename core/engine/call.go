package engine

import (
	"context"
	"errors"
	"fmt"
	"net/textproto"
	"strings"
	"time"

	"pyagent/core/llm"
	"pyagent/core/policy"
	"pyagent/core/provider"
	"pyagent/core/transport"
)

// Sink receives the events of one call. Emit, Crowded, Flush and End are called by the call's own goroutine only.
type Sink interface {
	// Emit gathers an event.
	Emit(event llm.Event)
	// Full reports that Flush will wait, because the host is behind.
	Full() bool
	// Crowded reports that Flush is due although the vendor's next bytes are already here.
	Crowded() bool
	// Flush hands the gathered events to the host; it waits while the host is behind, unless ctx ends.
	Flush(ctx context.Context) error
	// End hands over the terminal event and never waits.
	End(event llm.Event)
}

// call is one request on its way.
type call struct {
	client   *Client
	request  *llm.Request
	sink     Sink
	target   provider.Call
	encoded  transport.Request
	warnings []string
	clocks   policy.Clocks
	sizes    policy.Sizes
	finish   llm.Finish // of the attempt that ended last
	retries  []llm.PastAttempt
	rest     *rest // a finished answer whose last bytes may be unread
}

// Run carries out one request. Its last act towards the host is exactly one terminal event.
func (c *Client) Run(ctx context.Context, request *llm.Request, sink Sink) {
	if request.Op == llm.OpFake {
		serveFake(ctx, request, sink)
		return
	}
	call := &call{
		client: c, request: request, sink: sink,
		clocks: policy.ResolveClocks(request.Op, c.config.Timeouts, request.Timeouts),
		sizes:  policy.ResolveSizes(c.config.Limits, request.Limits),
	}
	attempts := 0
	err := call.encode()
	if err == nil {
		attempts, err = call.try(ctx)
	}
	if err != nil {
		call.fail(ctx, err, attempts)
	} else {
		call.finish.Attempts, call.finish.Retries = attempts, call.retries
		call.finish.Warnings = append(call.finish.Warnings, call.warnings...)
		sink.End(llm.Event{Kind: llm.EventFinish, Data: &call.finish})
	}
	call.readRest()
}

func (c *call) encode() *llm.Error {
	config := c.client.config
	c.target = provider.Call{
		Row: c.client.row, Request: c.request, Azure: config.Azure, Stream: c.request.Op == llm.OpStream,
		BaseURL: first(c.request.BaseURL, config.BaseURL, c.client.row.BaseURL),
		APIKey:  first(c.request.APIKey, config.APIKey),
	}
	c.target.ExtraHeaders = make(map[string]string, len(config.ExtraHeaders)+len(c.request.ExtraHeaders))
	for _, headers := range []map[string]string{config.ExtraHeaders, c.request.ExtraHeaders} {
		for name, value := range headers { // in one spelling, so that the request's word replaces the client's
			c.target.ExtraHeaders[textproto.CanonicalMIMEHeaderKey(name)] = value
		}
	}
	encoded, warnings, err := c.client.dialect.Encode(c.target)
	if err != nil {
		return err
	}
	c.encoded, c.warnings = transport.Request(*encoded), warnings
	if _, ok := c.encoded.Header["User-Agent"]; !ok {
		c.encoded.Header["User-Agent"] = c.client.engine.userAgent
	}
	return nil
}

// try runs the attempts under the clock for all of them.
func (c *call) try(ctx context.Context) (int, *llm.Error) {
	var deadline time.Time
	if total := c.clocks.Total; total > 0 {
		deadline = time.Now().Add(total)
		var stop context.CancelFunc
		ctx, stop = context.WithDeadlineCause(ctx, deadline, &llm.Error{
			Kind: llm.KindTimeout, Clock: "total", ClockSeconds: total.Seconds(),
			Message: fmt.Sprintf("no complete answer within %v (timeouts.total)", total),
		})
		defer stop()
	}
	retry := policy.ResolveRetry(c.client.config, c.request.MaxRetries)
	attempts, err := policy.Run(ctx, realClock{}, retry, deadline, c.attempt, func(failed llm.Retry) {
		c.describe(failed.Error)
		c.retries = append(c.retries, llm.PastAttempt{
			Attempt: failed.Attempt, Wait: failed.Wait,
			Kind: failed.Error.Kind, Message: failed.Error.Message, StatusCode: failed.Error.StatusCode,
		})
		c.sink.Emit(llm.Event{Kind: llm.EventRetry, Data: &failed})
		_ = c.sink.Flush(ctx)
	})
	if err != nil && ctx.Err() != nil {
		if ended := causeOf(ctx); ended.Kind != llm.KindCancelled || err.Kind != llm.KindCancelled {
			ended.Response = err.Response
			err = ended
		}
	}
	return attempts, err
}

// fail ends the call with an error that names the vendor and the model and holds no secret.
func (c *call) fail(ctx context.Context, err *llm.Error, attempts int) {
	c.describe(err)
	err.Attempts, err.Retries = attempts, c.retries
	c.sink.End(llm.Event{Kind: llm.EventError, Data: err})
}

func (c *call) describe(err *llm.Error) {
	err.Provider = c.client.row.Name
	err.Model = first(err.Model, c.request.Model)
	for _, secret := range c.secrets() {
		err.Message = llm.Redact(err.Message, secret)
		err.Body = llm.Redact(err.Body, secret)
	}
}

// secrets are the keys of the call, and credentials among the user's own headers.
func (c *call) secrets() []string {
	secrets := []string{c.target.APIKey, c.client.config.APIKey}
	for name, value := range c.target.ExtraHeaders {
		if transport.IsSecret(name) {
			_, bare, _ := strings.Cut(value, " ") // without "Bearer"
			secrets = append(secrets, value, bare)
		}
	}
	return secrets
}

// causeOf is why a context ended, as an error of our own. It is a copy: several calls may end by the same cause.
func causeOf(ctx context.Context) *llm.Error {
	var known *llm.Error
	if errors.As(context.Cause(ctx), &known) {
		copied := *known
		return &copied
	}
	return llm.Errorf(llm.KindCancelled, "the call was cancelled")
}

func first(values ...string) string {
	for _, value := range values {
		if value != "" {
			return value
		}
	}
	return ""
}
