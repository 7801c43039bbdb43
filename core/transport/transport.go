// Package transport sends one HTTP request and hands back the answer's bytes as they come. It owns connections: their reuse,
// proxies, certificates and limits. It knows nothing of models, retries or clocks other than the one for connecting,
// and a redirect is an answer like any other to it.
//
// HTTP/1.1, which is what streams of models are best served by, is spoken here by hand on the goroutine that asks: no
// goroutine per connection, no hand-over between goroutines per read. net/http needs two goroutines and several hand-overs
// for the same, which costs more than the rest of a small request. HTTP/2, for those who ask for it, is net/http's.
package transport

import (
	"context"
	"errors"
	"io"
	"net/url"
	"os"
	"sync/atomic"
	"time"

	"pyagent/core/llm"
)

// Request is one HTTP request, encoded. Names and values of the header are checked by who made them.
type Request struct {
	Method string
	URL    string
	Header map[string]string
	Body   []byte
}

// Response is one HTTP answer. The receiver closes Body.
type Response struct {
	Status int
	Header map[string]string // lower-case names, several values joined by ", ", cookies and credentials left out
	Body   io.ReadCloser
}

// Options describe how to reach a host. Two clients with equal options can share one Transport.
type Options struct {
	Network     llm.Network
	HeaderBytes int64
	// Dial replaces the network, for a server inside this process.
	Dial dialFunc
}

// Transport keeps connections to any number of hosts.
type Transport struct {
	dialer      *dialer
	pool        *pool
	headerBytes int64
	allowHTTP   bool       // keys may go to public addresses in the clear
	http2       *overHTTP2 // nil unless asked for
	latest      atomic.Pointer[address]
}

// address is where a request goes, and how. Nearly every request goes where the one before it went.
type address struct {
	url    string
	target *url.URL
	proxy  *url.URL // nil for none
	route  route
	seen   exposure // of what is sent there
}

const (
	// Idle connections are dropped before the 60 s after which common proxies and load balancers drop theirs: the loser of
	// that race sends its request into a closed connection.
	idleConnection = 55 * time.Second
	// A connection whose other side acknowledges nothing, neither data nor the kernel's probes, is dead after a minute.
	probeEvery = 15 * time.Second
	deadAfter  = 60 * time.Second
	// Bytes per connection for reading. A burst of 64 deltas is about this large and then costs one system call.
	readBuffer = 16 << 10
)

// New prepares a transport. Bad options (a proxy that is no URL, a certificate file that cannot be read) are errors here,
// not at the first request.
func New(options Options) (*Transport, *llm.Error) {
	proxy, err := proxyFor(options.Network)
	if err != nil {
		return nil, err
	}
	certificates, err := tlsConfig(options.Network)
	if err != nil {
		return nil, err
	}
	dial := options.Dial
	if dial == nil {
		dial = dialSocket
	}
	t := &Transport{
		dialer: &dialer{dial: dial, tls: certificates, proxy: proxy}, pool: newPool(options.Network.MaxConnections),
		headerBytes: options.HeaderBytes, allowHTTP: options.Network.AllowHTTP,
	}
	if options.Network.HTTP2 {
		t.dialer.protocols = []string{"h2", "http/1.1"}
		t.http2 = newHTTP2(options, t.dialer)
	}
	return t, nil
}

// Close drops the connections that no request uses; those in use go when their request ends.
func (t *Transport) Close() {
	t.pool.close()
	if t.http2 != nil {
		t.http2.close()
	}
}

// Send sends the request and waits for the header of the answer. Getting a connection (name lookup, TCP, TLS, and waiting
// for a free one where their number is limited) may take the time connect; 0 means any time. The request is sent a second
// time when a kept-alive connection turns out to be closed without a byte of answer, on a new connection.
//
// When ctx ends, the connection is closed at once, until the body has been read to its end.
func (t *Transport) Send(ctx context.Context, request Request, connect time.Duration) (*Response, *llm.Error) {
	return t.Resume(ctx, nil, request, connect)
}

// Resume is Send for a request that Begin has sent already; where begun is nil, it is Send.
func (t *Transport) Resume(ctx context.Context, begun *Exchange, request Request, connect time.Duration) (*Response, *llm.Error) {
	at, err := t.addressOf(request)
	if err != nil {
		return nil, err
	}
	target := at.target
	if t.http2 != nil && target.Scheme == "https" {
		return t.http2.send(ctx, request, target, connect)
	}
	seen := t.exposure(request, at)
	if seen == public {
		return nil, inTheClear(target, target.Host)
	}
	for fresh := false; ; fresh = true {
		if begun == nil {
			c, err := t.connection(ctx, at, connect, fresh)
			if err != nil {
				return nil, err
			}
			if seen == byAddress && c.exposure() == public {
				c.abandon()
				return nil, inTheClear(target, c.raw.RemoteAddr().String())
			}
			c.release()
			begun = c.begin(ctx, request, target, t.headerBytes)
		}
		x := begun
		begun = nil
		x.follow(ctx)
		response, failure := x.response()
		if failure == nil {
			return response, nil
		}
		if fresh || !x.conn.stale(failure) || ctx.Err() != nil {
			return nil, sendError(ctx, target, failure)
		}
	}
}

func (t *Transport) addressOf(request Request) (*address, *llm.Error) {
	if at := t.latest.Load(); at != nil && at.url == request.URL {
		return at, nil
	}
	target, err := targetOf(request)
	if err != nil {
		return nil, err
	}
	at := &address{url: request.URL, target: target, proxy: t.dialer.proxy(target)}
	at.route = routeOf(target, at.proxy)
	if !t.allowHTTP && target.Scheme == "http" {
		at.seen = exposureOf(target, at.proxy != nil)
	}
	t.latest.Store(at)
	return at, nil
}

func targetOf(request Request) (*url.URL, *llm.Error) {
	target, failure := url.Parse(request.URL)
	if failure != nil { // whose text may hold a password
		return nil, llm.Configuration("base_url", "base_url is not a usable URL; it looks like \"https://api.example.com/v1\"")
	}
	if target.Scheme != "http" && target.Scheme != "https" || target.Hostname() == "" {
		return nil, llm.Configuration("base_url", "base_url %q must start with http:// or https:// and name a host", target.Redacted())
	}
	return target, nil
}

// exposure says who can read the key in a request; private when it holds none.
func (t *Transport) exposure(request Request, at *address) exposure {
	if at.seen != private && !carriesKey(request.Header) {
		return private
	}
	return at.seen
}

// connection takes an idle connection or makes one, within the time for connecting.
func (t *Transport) connection(ctx context.Context, at *address, connect time.Duration, fresh bool) (*conn, *llm.Error) {
	target, key := at.target, at.route
	if !fresh {
		if c := t.pool.idle(key); c != nil {
			return c, nil
		}
	}
	if connect > 0 {
		var stop context.CancelFunc
		ctx, stop = context.WithTimeoutCause(ctx, connect, &connectTimeout{connect})
		defer stop()
	}
	if failure := t.pool.admit(ctx, key); failure != nil {
		return nil, sendError(ctx, target, failure)
	}
	if !fresh {
		if c := t.pool.recent(key); c != nil { // one may have come back while we waited
			return c, nil
		}
	}
	made, failure := t.dialer.connect(ctx, target, at.proxy)
	if failure != nil {
		t.pool.leave(key)
		awaitDeadline(ctx, failure)
		return nil, sendError(ctx, target, failure)
	}
	return newConn(made, key, t.pool), nil
}

// awaitDeadline lets a context end whose deadline a socket has noticed a moment earlier: its cause says which clock it was.
func awaitDeadline(ctx context.Context, failure error) {
	deadline, ok := ctx.Deadline()
	if ok && errors.Is(failure, os.ErrDeadlineExceeded) && time.Until(deadline) < time.Second {
		<-ctx.Done()
	}
}
