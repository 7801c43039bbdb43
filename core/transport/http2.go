package transport

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"time"

	"pyagent/core/guard"
	"pyagent/core/llm"
)

// overHTTP2 sends requests with net/http, which speaks HTTP/2 to hosts that offer it. Pings find connections that died in
// silence, which HTTP/2 hides better than HTTP/1.1.
type overHTTP2 struct {
	http *http.Transport
}

func newHTTP2(options Options, dialer *dialer) *overHTTP2 {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	return &overHTTP2{http: &http.Transport{
		DialTLSContext: func(ctx context.Context, _, address string) (net.Conn, error) {
			return dialForRequest(ctx, dialer, &url.URL{Scheme: "https", Host: address})
		},
		Protocols:              protocols,
		HTTP2:                  &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: 15 * time.Second, WriteByteTimeout: 30 * time.Second},
		DisableCompression:     true,
		MaxConnsPerHost:        options.Network.MaxConnections,
		MaxIdleConnsPerHost:    1024,
		IdleConnTimeout:        idleConnection,
		MaxResponseHeaderBytes: options.HeaderBytes,
		ReadBufferSize:         readBuffer,
	}}
}

// asking is what a connection is made for. net/http would finish a connection whose request has ended, for others to use; we
// let go of it at once, so that a cancelled call leaves nothing behind.
type asking struct {
	ctx     context.Context
	connect time.Duration
}

type askingKey struct{}

// dialForRequest makes a connection as HTTP/1.1 does, through the same proxies and with the same errors.
func dialForRequest(ctx context.Context, dialer *dialer, target *url.URL) (net.Conn, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if request, ok := ctx.Value(askingKey{}).(asking); ok {
		defer guard.After(request.ctx, func() { cancel(context.Cause(request.ctx)) })()
		if request.connect > 0 {
			var stop context.CancelFunc
			ctx, stop = context.WithTimeoutCause(ctx, request.connect, &connectTimeout{request.connect})
			defer stop()
		}
	}
	made, err := dialer.connect(ctx, target, dialer.proxy(target))
	if err != nil {
		return nil, err
	}
	return made.wire, nil
}

func (h *overHTTP2) close() { h.http.CloseIdleConnections() }

func (h *overHTTP2) send(ctx context.Context, request Request, target *url.URL, connect time.Duration) (*Response, *llm.Error) {
	ctx, cancel := context.WithCancelCause(ctx)
	ctx = context.WithValue(ctx, askingKey{}, asking{ctx, connect})
	asked, failure := http.NewRequestWithContext(ctx, request.Method, request.URL, bytes.NewReader(request.Body))
	if failure != nil {
		cancel(nil)
		return nil, llm.Configuration("base_url", "base_url %q is not a usable URL", target.Redacted())
	}
	for name, value := range request.Header {
		asked.Header[name] = []string{value}
	}
	if host := request.Header["Host"]; host != "" {
		asked.Host = host
	}
	// An empty list is not sent; it tells net/http that the request may be replayed on a stale connection.
	asked.Header["X-Idempotency-Key"] = nil
	if connect > 0 {
		asked = asked.WithContext(limitConnect(ctx, cancel, connect))
	}
	answer, failure := h.http.RoundTrip(asked)
	if isTurnedAway(failure) && ctx.Err() == nil {
		again := asked.WithContext(asked.Context()) // a copy: the first one's body may still be in use
		again.Body = io.NopCloser(bytes.NewReader(request.Body))
		answer, failure = h.http.RoundTrip(again)
	}
	if failure != nil {
		err := sendError(ctx, target, failure)
		cancel(nil)
		return nil, err
	}
	body, err := decodeBody(answer.Header.Get("Content-Encoding"), &cancelBody{ReadCloser: answer.Body, cancel: cancel})
	if err != nil {
		_ = answer.Body.Close()
		cancel(nil)
		return nil, err
	}
	header := make(map[string]string, len(answer.Header))
	for name, values := range answer.Header {
		header[strings.ToLower(name)] = fieldValue([]byte(strings.Join(values, ", ")))
	}
	for _, name := range privateFields() {
		delete(header, name)
	}
	return &Response{Status: answer.StatusCode, Header: header, Body: body}, nil
}

// isTurnedAway reports that the server left with an error in place of processing the first request of a connection. All other
// requests that a GOAWAY leaves unprocessed are sent again by net/http itself.
func isTurnedAway(failure error) bool {
	return failure != nil && strings.Contains(failure.Error(), "http2: Transport received GOAWAY from server")
}

// limitConnect ends the request with a connectTimeout when no connection is there in time.
func limitConnect(ctx context.Context, cancel context.CancelCauseFunc, connect time.Duration) context.Context {
	var timer *time.Timer
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) {
			if timer == nil {
				timer = time.AfterFunc(connect, func() { cancel(&connectTimeout{connect}) })
			} else {
				timer.Reset(connect)
			}
		},
		GotConn: func(httptrace.GotConnInfo) { timer.Stop() },
	})
}

// cancelBody releases the request's context with the body.
type cancelBody struct {
	io.ReadCloser
	cancel context.CancelCauseFunc
}

func (b *cancelBody) Close() error {
	b.cancel(nil)
	return b.ReadCloser.Close()
}
