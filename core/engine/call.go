package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/textproto"
	"strings"
	"time"

	"pyagent/core/guard"
	"pyagent/core/llm"
	"pyagent/core/policy"
	"pyagent/core/provider"
	"pyagent/core/transport"
)

// Sink receives the events of one call. Emit, Crowded, Flush and End are called by whoever carries the call out: one goroutine,
// or one thread of the host after the other.
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

// Call is one request on its way.
type Call struct {
	client   *Client
	request  *llm.Request
	sink     Sink
	target   provider.Call
	key      string // that the request is sent with
	encoded  transport.Request
	warnings []string
	ignored  []string // what of the request's options was left out
	clocks   policy.Clocks
	sizes    policy.Sizes
	began    time.Time
	begun    *transport.Exchange // the first attempt, when Ask sent it
	outcome  *outcome            // of the first attempt, when Answer made it
	finish   llm.Finish          // of the attempt that ended last
	retries  []llm.PastAttempt
	rest     *rest  // a finished answer whose last bytes may be unread
	page     string // of a list, or of a login
	purse    *purse // nil without a budget

	committed  bool     // the host has seen part of the answer
	journey    *journey // of a call to a client with deployments
	place      *place   // of a call at one of them
	chair      *chair   // of a request at one of them
	deployment string   // its name
	tried      int      // attempts at others before
}

// Run carries out one request. Its last act towards the host is exactly one terminal event.
func (c *Client) Run(ctx context.Context, request *llm.Request, sink Sink) {
	c.NewCall(request, sink).Run(ctx)
}

// NewCall prepares a call.
func (c *Client) NewCall(request *llm.Request, sink Sink) *Call {
	return &Call{
		client: c, request: request, sink: sink, began: time.Now(),
		clocks: policy.ResolveClocks(request.Op, c.config.Timeouts, request.Timeouts),
		sizes:  policy.ResolveSizes(c.config.Limits, request.Limits),
	}
}

// Run carries the call out, from where Ask and Answer left it to its end.
func (c *Call) Run(ctx context.Context) {
	perform := c.perform
	switch c.request.Op {
	case llm.OpFake:
		serveFake(ctx, c.request, c.sink)
		return
	case llm.OpCosts:
		c.sink.End(llm.Event{Kind: llm.EventResult, Data: c.client.engine.Costs(c.request.Reset)})
		return
	case llm.OpEmbed:
		perform = c.embed
	case llm.OpModels, llm.OpLogin:
		perform = c.followPages
	}
	if c.client.router != nil {
		if err := c.plan(); err != nil {
			c.end(ctx, 0, err)
			return
		}
		perform = c.travel
	}
	attempts := 0
	err := policy.Within(ctx, c.expense(), func() (err *llm.Error) {
		attempts, err = perform(ctx)
		return err
	})
	c.end(ctx, attempts, err)
}

// perform carries out one request, with its repetitions.
func (c *Call) perform(ctx context.Context) (attempts int, err *llm.Error) {
	if err := c.encode(); err != nil {
		return 0, err
	}
	return c.try(ctx)
}

// end hands over the terminal event. Every account has been settled by then: the host's next request finds it so.
func (c *Call) end(ctx context.Context, attempts int, err *llm.Error) {
	if err != nil {
		c.fail(ctx, err, attempts)
		c.readRest()
	} else {
		c.succeed(attempts)
	}
}

func (c *Call) succeed(attempts int) {
	c.finish.Attempts, c.finish.Retries = attempts, c.retries
	c.finish.Warnings = append(c.finish.Warnings, c.warnings...)
	c.sink.End(llm.Event{Kind: llm.EventFinish, Data: &c.finish})
	c.readRest()
}

func (c *Call) encode() *llm.Error {
	if c.encoded.URL != "" { // Ask did it
		return nil
	}
	request, ignored, err := c.request.For(c.client.row.Name, cmp.Or(c.client.row.Dialect, "openai"))
	if err != nil {
		return err
	}
	if request != c.request {
		c.request, c.ignored = request, ignored
	}
	config, now := c.client.config, time.Now()
	if c.key == "" {
		if c.key = c.request.APIKey; c.key == "" {
			c.key = c.client.keys.Pick(now)
		}
	}
	c.target = provider.Call{
		Row: c.client.row, Request: c.request, Azure: config.Azure, Stream: c.request.Op == llm.OpStream,
		BaseURL: cmp.Or(c.request.BaseURL, config.BaseURL, c.client.row.BaseURL),
		APIKey:  c.key,
		Now:     now,
		Page:    c.page, Addresses: &c.client.addresses,
	}
	c.target.ExtraHeaders = make(map[string]string, len(config.ExtraHeaders)+len(c.request.ExtraHeaders))
	for _, headers := range []map[string]string{config.ExtraHeaders, c.request.ExtraHeaders} {
		for name, value := range headers { // in one spelling, so that the request's word replaces the client's
			c.target.ExtraHeaders[textproto.CanonicalMIMEHeaderKey(name)] = value
		}
	}
	if err := provider.CheckModel(c.client.models, c.client.row, c.request); err != nil {
		return err
	}
	encoded, warnings, err := c.client.dialect.Encode(c.target)
	if err != nil {
		return err
	}
	c.encoded, c.warnings = transport.Request(*encoded), append(warnings, c.ignored...)
	if _, ok := c.encoded.Header["User-Agent"]; !ok {
		c.encoded.Header["User-Agent"] = c.client.engine.userAgent
	}
	return nil
}

// bounded puts a context under the clock for all attempts.
func (c *Call) bounded(ctx context.Context) (_ context.Context, deadline time.Time, stop func()) {
	total := c.clocks.Total
	if total <= 0 {
		return ctx, time.Time{}, func() {}
	}
	deadline = c.began.Add(total)
	scope := guard.NewScope(ctx)
	timer := time.AfterFunc(time.Until(deadline), func() { scope.End(overdue(total)) })
	return scope, deadline, func() {
		timer.Stop()
		scope.End(nil)
	}
}

// overdue is the cause of a call that took longer than this. The error is made when somebody asks: hardly any call is overdue.
type overdue time.Duration

func (o overdue) Error() string { return o.Unwrap().Error() }

func (o overdue) Unwrap() error {
	total := time.Duration(o)
	return &llm.Error{
		Kind: llm.KindTimeout, Clock: "total", ClockSeconds: total.Seconds(),
		Message: fmt.Sprintf("no complete answer within %v (timeouts.total)", total),
	}
}

// try runs the attempts under the clock for all of them.
func (c *Call) try(ctx context.Context) (int, *llm.Error) {
	ctx, deadline, stop := c.bounded(ctx)
	defer stop()
	chain := policy.Chain{
		Clock: realClock{}, Retry: policy.ResolveRetry(c.client.config, c.request.MaxRetries), Deadline: deadline,
		Limit: c.turn(deadline), Rotate: c.rotate,
		Failed: func(failed llm.Retry) {
			c.describe(failed.Error)
			failed.Attempt += c.tried
			c.noteRetry(ctx, failed)
		},
	}
	if c.chair != nil {
		chain.Limit = c.chair.limit(chain.Limit)
	}
	if c.place != nil {
		chain.Elsewhere = c.place.elsewhere
		chain.Retry.Pause = c.place.journey.call.client.router.pause
	}
	attempts, err := chain.Run(ctx, c.attempt)
	if err != nil && ctx.Err() != nil {
		if ended := causeOf(ctx); ended.Kind != llm.KindCancelled || err.Kind != llm.KindCancelled {
			ended.Response = err.Response
			err = ended
		}
	}
	return attempts, err
}

// noteRetry keeps a failed attempt that another one follows, and tells the host.
func (c *Call) noteRetry(ctx context.Context, failed llm.Retry) {
	c.retries = append(c.retries, llm.PastAttempt{
		Attempt: failed.Attempt, Wait: failed.Wait, KeyChanged: failed.KeyChanged, Kind: failed.Error.Kind,
		Message: failed.Error.Message, StatusCode: failed.Error.StatusCode, Deployment: failed.Error.Deployment,
	})
	c.sink.Emit(llm.Event{Kind: llm.EventRetry, Data: &failed})
	_ = c.sink.Flush(ctx)
}

// rotate lets the key rest that a failed attempt was refused for, and takes another one for the next attempt. A key that the
// request brought with it has none that stands by.
func (c *Call) rotate(err *llm.Error) bool {
	if c.request.APIKey != "" {
		return false
	}
	next, ok := c.client.keys.Replace(c.key, err, time.Now())
	if ok {
		c.key, c.encoded = next, transport.Request{} // which is then encoded anew: the key may be anywhere in it
	}
	return ok
}

// fail ends the call with an error that names the vendor and the model and holds no secret.
func (c *Call) fail(ctx context.Context, err *llm.Error, attempts int) {
	if err.Deployment == "" { // and else its own call has described it
		c.describe(err)
	}
	err.Attempts, err.Retries = attempts, c.retries
	c.sink.End(llm.Event{Kind: llm.EventError, Data: err})
}

func (c *Call) describe(err *llm.Error) {
	err.Provider, err.Deployment = c.client.row.Name, c.deployment
	err.Model = cmp.Or(err.Model, c.request.Model)
	secrets := c.secrets()
	for _, said := range []*string{&err.Message, &err.Body, &err.Code, &err.Param, &err.RequestID} {
		*said = llm.Redact(*said, secrets...)
	}
	if err.Response == nil {
		return
	}
	learned := *err.Response
	for _, said := range []*string{&learned.ID, &learned.Model, &learned.RequestID, &learned.RawFinishReason} {
		*said = llm.Redact(*said, secrets...)
	}
	learned.Headers = maps.Clone(learned.Headers)
	for name, value := range learned.Headers {
		learned.Headers[name] = llm.Redact(value, secrets...)
	}
	err.Response = &learned
}

// secrets are the keys of the call, what it logs in with, and credentials among the user's own headers.
func (c *Call) secrets() []string {
	secrets := append(c.client.secrets(), c.key)
	secrets = append(secrets, c.request.Login.Secrets()...)
	if c.request.Op == llm.OpLogin {
		secrets = append(secrets, c.page)
	}
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
