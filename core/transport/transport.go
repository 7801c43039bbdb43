// Package transport sends one HTTP request and hands back the answer's bytes as they come. It owns connections: their reuse,
// proxies, certificates and limits. It knows nothing of models, retries or clocks other than the one for connecting, and it
// never follows a redirect, because a redirected POST loses its body or carries a key to a host that nobody named.
package transport

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"time"

	"pyagent/core/llm"
)

// Request is one HTTP request, encoded.
type Request struct {
	Method string
	URL    string
	Header map[string]string
	Body   []byte
}

// Response is one HTTP answer. The receiver closes Body.
type Response struct {
	Status int
	Header map[string]string // lower-case names, several values joined by ", ", cookies left out
	Body   io.ReadCloser
}

// Options describe how to reach a host. Two clients with equal options can share one Transport.
type Options struct {
	Network     llm.Network
	HeaderBytes int64
	// Dial replaces the network, for a server inside this process.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Transport keeps connections to any number of hosts.
type Transport struct {
	http *http.Transport
}

const (
	// Idle connections are dropped before the 60 s after which common proxies and load balancers drop theirs: the loser of
	// that race sends its request into a closed connection.
	idleConnection = 55 * time.Second
	// Bytes per connection for reading. A burst of 64 deltas is about this large and then costs one system call.
	readBuffer = 16 << 10
)

// New prepares a transport. Bad options (a proxy that is no URL, a certificate file that cannot be read) are errors here,
// not at the first request.
func New(options Options) (*Transport, *llm.Error) {
	proxy, err := proxyFunc(options.Network)
	if err != nil {
		return nil, err
	}
	certificates, err := tlsConfig(options.Network)
	if err != nil {
		return nil, err
	}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(options.Network.HTTP2)
	dial := options.Dial
	if dial == nil {
		dial = (&net.Dialer{KeepAliveConfig: net.KeepAliveConfig{
			Enable: true, Idle: 15 * time.Second, Interval: 15 * time.Second, Count: 4,
		}}).DialContext
	}
	return &Transport{http: &http.Transport{
		Proxy:                  proxy,
		DialContext:            dial,
		TLSClientConfig:        certificates,
		Protocols:              protocols,
		HTTP2:                  &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: 15 * time.Second, WriteByteTimeout: 30 * time.Second},
		DisableCompression:     true, // asking for compression only delays a stream
		MaxConnsPerHost:        options.Network.MaxConnections,
		MaxIdleConnsPerHost:    1024,
		IdleConnTimeout:        idleConnection,
		MaxResponseHeaderBytes: options.HeaderBytes,
		ReadBufferSize:         readBuffer,
	}}, nil
}

// Close drops the connections that no request uses; those in use go when their request ends.
func (t *Transport) Close() { t.http.CloseIdleConnections() }

// Send sends the request and waits for the header of the answer. Getting a connection (name lookup, TCP, TLS, and waiting
// for a free one where their number is limited) may take the time connect; 0 means any time. The request may be sent a
// second time, but only on a new connection after a kept-alive one turned out to be closed without a byte of answer.
func (t *Transport) Send(ctx context.Context, request Request, connect time.Duration) (*Response, *llm.Error) {
	parsed, err := newRequest(request)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	if connect > 0 {
		ctx = limitConnect(ctx, cancel, connect)
	}
	answer, failure := t.http.RoundTrip(parsed.WithContext(ctx))
	if failure != nil {
		cancel(failure)
		return nil, sendError(ctx, parsed.URL, failure)
	}
	body, err := decodeBody(answer)
	if err != nil {
		_ = answer.Body.Close()
		cancel(err)
		return nil, err
	}
	return &Response{
		Status: answer.StatusCode,
		Header: flatten(answer.Header),
		Body:   &cancelBody{ReadCloser: body, cancel: cancel},
	}, nil
}

func newRequest(request Request) (*http.Request, *llm.Error) {
	parsed, failure := http.NewRequest(request.Method, request.URL, bytes.NewReader(request.Body))
	if failure != nil {
		return nil, llm.Configuration("base_url", "base_url %q is not a usable URL: %s", request.URL, failure)
	}
	if scheme := parsed.URL.Scheme; scheme != "http" && scheme != "https" || parsed.URL.Host == "" {
		return nil, llm.Configuration("base_url", "base_url %q must start with http:// or https:// and name a host", request.URL)
	}
	for name, value := range request.Header {
		parsed.Header[name] = []string{value}
	}
	if host, ok := request.Header["Host"]; ok {
		parsed.Host = host
	}
	// An empty list is not sent; it tells net/http that the request may be replayed on a stale connection.
	parsed.Header["X-Idempotency-Key"] = nil
	return parsed, nil
}

// limitConnect ends the request with errConnectTimeout when no connection is there in time.
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

// flatten turns the header into plain strings. Cookies and credentials stay behind: nobody needs them and they would end in
// logs.
func flatten(header http.Header) map[string]string {
	flat := make(map[string]string, len(header))
	for name, values := range header {
		switch name {
		case "Set-Cookie", "Set-Cookie2", "Authorization", "Proxy-Authorization", "Www-Authenticate", "Proxy-Authenticate":
			continue
		}
		flat[strings.ToLower(name)] = strings.ToValidUTF8(strings.Join(values, ", "), "\uFFFD")
	}
	return flat
}

// cancelBody releases the request's context with the body.
type cancelBody struct {
	io.ReadCloser
	cancel context.CancelCauseFunc
}

func (b *cancelBody) Close() error {
	b.cancel(context.Canceled)
	return b.ReadCloser.Close()
}

func tlsConfig(network llm.Network) (*tls.Config, *llm.Error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	var err *llm.Error
	if config.RootCAs, err = roots(network); err != nil {
		return nil, err
	}
	if pair := network.ClientCert; len(pair) == 2 {
		certificate, failure := tls.LoadX509KeyPair(pair[0], pair[1])
		if failure != nil {
			return nil, llm.Configuration("client_cert", "client_cert (%q, %q) cannot be used: %s", pair[0], pair[1], failure)
		}
		config.Certificates = []tls.Certificate{certificate}
	}
	return config, nil
}
