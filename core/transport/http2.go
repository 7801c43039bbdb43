package transport

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"time"

	"pyagent/core/llm"
)

// overHTTP2 sends requests with net/http, which speaks HTTP/2 to hosts that offer it. Pings find connections that died in
// silence, which HTTP/2 hides better than HTTP/1.1.
type overHTTP2 struct {
	http *http.Transport
}

func newHTTP2(options Options, dial func(context.Context, string, string) (net.Conn, error), certificates *tls.Config,
	proxy func(*url.URL) *url.URL) *overHTTP2 {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	return &overHTTP2{http: &http.Transport{
		Proxy:                  func(request *http.Request) (*url.URL, error) { return proxy(request.URL), nil },
		DialContext:            dial,
		TLSClientConfig:        certificates,
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

func (h *overHTTP2) close() { h.http.CloseIdleConnections() }

func (h *overHTTP2) send(ctx context.Context, request Request, target *url.URL, connect time.Duration) (*Response, *llm.Error) {
	ctx, cancel := context.WithCancelCause(ctx)
	asked, failure := http.NewRequestWithContext(ctx, request.Method, request.URL, bytes.NewReader(request.Body))
	if failure != nil {
		cancel(nil)
		return nil, llm.Configuration("base_url", "base_url %q is not a usable URL: %s", request.URL, failure)
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
