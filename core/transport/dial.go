package transport

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"pyagent/core/llm"
)

// link is a connection ready for HTTP: wire is what to speak over, raw the socket beneath it, which is closed to abort.
type link struct {
	wire, raw   net.Conn
	proxied     bool   // a proxy is at the other end and reads the requests itself
	credentials string // for that proxy
}

// dialer makes connections, directly or through a proxy.
type dialer struct {
	dial  func(ctx context.Context, network, address string) (net.Conn, error)
	tls   func() (*tls.Config, *llm.Error) // made at the first handshake
	proxy func(target *url.URL) *url.URL   // nil: go directly
}

// connect makes a connection that can carry requests for target. It ends with ctx in every phase.
func (d *dialer) connect(ctx context.Context, target, proxy *url.URL) (link, error) {
	if proxy == nil {
		return d.open(ctx, target.Scheme, target)
	}
	switch proxy.Scheme {
	case "socks5", "socks5h":
		made, err := d.tunnel(ctx, "http", proxy, func(wire net.Conn) error { return socks5(wire, proxy, target) })
		if err != nil || target.Scheme == "http" {
			return made, err
		}
		return d.secure(ctx, made, target.Hostname())
	}
	if target.Scheme == "http" { // the proxy reads the request itself
		made, err := d.open(ctx, proxy.Scheme, proxy)
		if err != nil {
			return link{}, &proxyError{proxy.Host, err}
		}
		made.proxied, made.credentials = true, proxyCredentials(proxy)
		return made, nil
	}
	made, err := d.tunnel(ctx, proxy.Scheme, proxy, func(wire net.Conn) error { return httpConnect(wire, proxy, target) })
	if err != nil {
		return made, err
	}
	return d.secure(ctx, made, target.Hostname())
}

// open connects to a host, with TLS when the scheme is https.
func (d *dialer) open(ctx context.Context, scheme string, host *url.URL) (link, error) {
	raw, err := d.dial(ctx, "tcp", addressOf(host))
	if err != nil {
		return link{}, err
	}
	made := link{wire: raw, raw: raw}
	if scheme != "https" {
		return made, nil
	}
	return d.secure(ctx, made, host.Hostname())
}

// secure speaks TLS over a connection.
func (d *dialer) secure(ctx context.Context, below link, name string) (link, error) {
	shared, err := d.tls()
	if err != nil {
		_ = below.raw.Close()
		return link{}, err
	}
	config := shared.Clone()
	if config.ServerName == "" {
		config.ServerName = name
	}
	wire := tls.Client(below.wire, config)
	if err := wire.HandshakeContext(ctx); err != nil {
		_ = below.raw.Close()
		return link{}, err
	}
	return link{wire: wire, raw: below.raw}, nil
}

// tunnel connects to a proxy and asks it for a way through.
func (d *dialer) tunnel(ctx context.Context, scheme string, proxy *url.URL, ask func(net.Conn) error) (link, error) {
	made, err := d.open(ctx, scheme, proxy)
	if err != nil {
		return link{}, &proxyError{proxy.Host, err}
	}
	stop := context.AfterFunc(ctx, func() { _ = made.raw.SetDeadline(time.Unix(1, 0)) })
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
	answer, err := http.ReadResponse(bufio.NewReaderSize(oneByte{wire}, 16), &http.Request{Method: http.MethodConnect})
	if err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("it refused to connect to %s: %s", target.Host, answer.Status)
	}
	return nil
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
func addressOf(host *url.URL) string {
	port := host.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443", "socks5": "1080", "socks5h": "1080"}[host.Scheme]
	}
	return net.JoinHostPort(host.Hostname(), port)
}

// tlsConfig checks the options for TLS and returns a function that makes the configuration once.
func tlsConfig(network llm.Network) (func() (*tls.Config, *llm.Error), *llm.Error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12, ClientSessionCache: tls.NewLRUClientSessionCache(64)}
	if err := checkRoots(network); err != nil {
		return nil, err
	}
	if pair := network.ClientCert; len(pair) == 2 {
		certificate, failure := tls.LoadX509KeyPair(pair[0], pair[1])
		if failure != nil {
			return nil, llm.Configuration("client_cert", "client_cert (%q, %q) cannot be used: %s", pair[0], pair[1], failure)
		}
		config.Certificates = []tls.Certificate{certificate}
	}
	return sync.OnceValues(func() (*tls.Config, *llm.Error) {
		var err *llm.Error
		config.RootCAs, err = roots(network)
		return config, err
	}), nil
}
