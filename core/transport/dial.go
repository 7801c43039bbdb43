package transport

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"pyagent/core/guard"
	"pyagent/core/llm"
)

// link is a connection ready for HTTP: wire is what to speak over, raw the socket beneath it, which is closed to abort.
type link struct {
	wire, raw   net.Conn
	proxy       string // at the other end, which reads the requests itself; "" for none
	credentials string // for that proxy
}

// dialFunc makes a connection to an address, as net.Dialer does.
type dialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// dialer makes connections, directly or through a proxy.
type dialer struct {
	dial      dialFunc
	tls       func() (*tls.Config, *llm.Error) // made at the first handshake
	proxy     func(target *url.URL) *url.URL   // nil: go directly
	protocols []string                         // that TLS offers to targets (ALPN); nil: none

	mu        sync.Mutex
	classical map[string]bool // hosts that are sent a small ClientHello
}

// connect makes a connection that can carry requests for target. It ends with ctx in every phase. A host that leaves a
// handshake without a word gets a smaller one, and is remembered when that helps.
func (d *dialer) connect(ctx context.Context, target, proxy *url.URL) (link, error) {
	small := make(map[string]bool)
	for {
		made, err := d.reach(ctx, target, proxy, small)
		var mute *muteHandshake
		if errors.As(err, &mute) && !mute.small && ctx.Err() == nil {
			small[mute.host] = true
			continue
		}
		if err == nil {
			d.remember(small)
		}
		return made, err
	}
}

// reach makes one attempt at a connection; small are the hosts that get a small ClientHello.
func (d *dialer) reach(ctx context.Context, target, proxy *url.URL, small map[string]bool) (link, error) {
	if proxy == nil {
		return d.open(ctx, target.Scheme, target, d.protocols, small)
	}
	switch proxy.Scheme {
	case "socks5", "socks5h":
		made, err := d.tunnel(ctx, "http", proxy, small, func(wire net.Conn) error { return socks5(wire, proxy, target) })
		if err != nil || target.Scheme == "http" {
			return made, err
		}
		return d.secure(ctx, made, target, d.protocols, small)
	}
	if target.Scheme == "http" { // the proxy reads the request itself
		made, err := d.open(ctx, proxy.Scheme, proxy, nil, small)
		if err != nil {
			return link{}, &proxyError{proxy.Host, err}
		}
		made.proxy, made.credentials = proxy.Host, proxyCredentials(proxy)
		return made, nil
	}
	made, err := d.tunnel(ctx, proxy.Scheme, proxy, small, func(wire net.Conn) error { return httpConnect(wire, proxy, target) })
	if err != nil {
		return made, err
	}
	return d.secure(ctx, made, target, d.protocols, small)
}

// open connects to a host, with TLS when the scheme is https.
func (d *dialer) open(ctx context.Context, scheme string, host *url.URL, protocols []string, small map[string]bool) (link, error) {
	raw, err := d.dial(ctx, "tcp", addressOf(host))
	if err != nil {
		return link{}, err
	}
	made := link{wire: raw, raw: raw}
	if scheme != "https" {
		return made, nil
	}
	return d.secure(ctx, made, host, protocols, small)
}

// tunnel connects to a proxy and asks it for a way through.
func (d *dialer) tunnel(
	ctx context.Context, scheme string, proxy *url.URL, small map[string]bool, ask func(net.Conn) error,
) (link, error) {
	made, err := d.open(ctx, scheme, proxy, nil, small)
	if err != nil {
		return link{}, &proxyError{proxy.Host, err}
	}
	stop := guard.After(ctx, func() { _ = made.raw.SetDeadline(time.Unix(1, 0)) })
	err = ask(made.wire)
	if !stop() && err == nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		_ = made.raw.Close()
		return link{}, &proxyError{proxy.Host, err}
	}
	return made, nil
}

// httpConnect asks an HTTP proxy for a tunnel (RFC 9110, section 9.3.6).
func httpConnect(wire net.Conn, proxy, target *url.URL) error {
	request := "CONNECT " + addressOf(target) + " HTTP/1.1\r\nHost: " + addressOf(target) + "\r\n"
	if credentials := proxyCredentials(proxy); credentials != "" {
		request += "Proxy-Authorization: " + credentials + "\r\n"
	}
	if _, err := io.WriteString(wire, request+"\r\n"); err != nil {
		return err
	}
	// One byte at a time, so that nothing of what follows the proxy's answer is taken.
	answer, err := http.ReadResponse(bufio.NewReaderSize(oneByte{io.LimitReader(wire, proxyAnswer)}, 16),
		&http.Request{Method: http.MethodConnect})
	switch {
	case err != nil:
		return err
	case answer.StatusCode == http.StatusProxyAuthRequired:
		return wrongCredentials()
	case answer.StatusCode/100 != 2:
		said := llm.Redact(answer.Status, strings.TrimPrefix(proxyCredentials(proxy), "Basic ")) // some repeat the request
		return &refusal{fmt.Sprintf("it refused to connect to %s: %s", target.Host, said), answer.StatusCode >= 500}
	}
	return nil
}

// proxyAnswer bounds the header of a proxy's answer.
const proxyAnswer = 64 << 10

// refusal is a proxy's no.
type refusal struct {
	message string
	passing bool // another attempt may be answered otherwise
}

func (e *refusal) Error() string { return e.message }

// wrongCredentials is the answer 407, to a request for a tunnel or to a request that the proxy reads itself.
func wrongCredentials() error {
	return &refusal{"it wants other credentials (407 Proxy Authentication Required); they are the user and password of its URL", false}
}

type oneByte struct{ io.Reader }

func (r oneByte) Read(p []byte) (int, error) { return r.Reader.Read(p[:1]) }

func proxyCredentials(proxy *url.URL) string {
	if proxy.User == nil {
		return ""
	}
	password, _ := proxy.User.Password()
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(proxy.User.Username()+":"+password))
}

// addressOf is host and port of a URL.
func addressOf(host *url.URL) string { return net.JoinHostPort(host.Hostname(), PortOf(host)) }

// PortOf is the port of a URL, that of its scheme if it names none.
func PortOf(host *url.URL) string {
	if port := host.Port(); port != "" {
		return port
	}
	return map[string]string{"http": "80", "https": "443", "socks5": "1080", "socks5h": "1080"}[host.Scheme]
}
