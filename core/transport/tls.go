package transport

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"pyagent/core/llm"
)

// tlsConfig checks the options for TLS and returns a function that makes the configuration once.
func tlsConfig(network llm.Network) (func() (*tls.Config, *llm.Error), *llm.Error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12, ClientSessionCache: tls.NewLRUClientSessionCache(64)}
	if network.PostQuantum != nil && !*network.PostQuantum {
		config.CurvePreferences = classicalCurves()
	}
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

// classicalCurves are the key exchanges whose ClientHello fits into one packet. Those that withstand quantum computers need
// two, and there are middleboxes that read the first only and drop or reset the connection.
func classicalCurves() []tls.CurveID {
	return []tls.CurveID{tls.X25519, tls.CurveP256, tls.CurveP384, tls.CurveP521}
}

// muteHandshake is a handshake that ended before the other side had sent a byte.
type muteHandshake struct {
	host  string
	small bool // the ClientHello was a small one
	cause error
}

func (e *muteHandshake) Error() string { return e.cause.Error() }
func (e *muteHandshake) Unwrap() error { return e.cause }

// handshakeError is a handshake that failed after the other side had spoken.
type handshakeError struct{ cause error }

func (e *handshakeError) Error() string { return e.cause.Error() }
func (e *handshakeError) Unwrap() error { return e.cause }

// errMute ends a handshake that hears nothing for so long that there is just time for another one.
var errMute = errors.New("no answer to the TLS handshake")

// mutePatience is how long a large ClientHello waits for an answer, where the clock for connecting leaves that much.
const mutePatience = 5 * time.Second

// secure speaks TLS over a connection to host.
func (d *dialer) secure(ctx context.Context, below link, host *url.URL, protocols []string, small map[string]bool) (link, error) {
	shared, err := d.tls()
	if err != nil {
		_ = below.raw.Close()
		return link{}, err
	}
	config := shared.Clone()
	if config.ServerName == "" {
		config.ServerName = host.Hostname()
	}
	config.NextProtos = protocols
	name := addressOf(host)
	if small[name] || d.isClassical(name) {
		config.CurvePreferences = classicalCurves()
	}
	isSmall := config.CurvePreferences != nil
	ear := &listening{Conn: below.wire}
	wire := tls.Client(ear, config)
	if failure := handshake(ctx, wire, ear, !isSmall); failure != nil {
		_ = below.raw.Close()
		if ear.heard.Load() {
			return link{}, &handshakeError{failure}
		}
		return link{}, &muteHandshake{name, isSmall, failure}
	}
	return link{wire: wire, raw: below.raw}, nil
}

// handshake shakes hands, and when it is impatient gives up early on a server that says nothing at all.
func handshake(ctx context.Context, wire *tls.Conn, ear *listening, impatient bool) error {
	if !impatient {
		return wire.HandshakeContext(ctx)
	}
	patience := mutePatience
	if end, ok := ctx.Deadline(); ok {
		patience = min(patience, time.Until(end)/2)
	}
	inner, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	timer := time.AfterFunc(patience, func() {
		if !ear.heard.Load() {
			stop(errMute)
		}
	})
	defer timer.Stop()
	err := wire.HandshakeContext(inner)
	if err != nil && context.Cause(inner) == errMute {
		return errMute
	}
	return err
}

// listening is a connection that knows whether the other side has said anything.
type listening struct {
	net.Conn
	heard atomic.Bool
}

func (l *listening) Read(p []byte) (int, error) {
	n, err := l.Conn.Read(p)
	if n > 0 && !l.heard.Load() {
		l.heard.Store(true)
	}
	return n, err
}

func (d *dialer) isClassical(host string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.classical[host]
}

func (d *dialer) remember(small map[string]bool) {
	if len(small) == 0 {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.classical == nil {
		d.classical = make(map[string]bool)
	}
	maps.Copy(d.classical, small)
}

// describeTLS says in plain words what a failure of TLS means; ok is false when it is none.
func describeTLS(failure error) (message string, retryable, ok bool) {
	var authority x509.UnknownAuthorityError
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	var record tls.RecordHeaderError
	var mute *muteHandshake
	var broken *handshakeError
	switch {
	case errors.As(failure, &authority) && isSelfSigned(authority.Cert):
		return "its certificate is self-signed; if that is meant, name the certificate's file in ca_file", false, true
	case errors.As(failure, &authority):
		return "its certificate is signed by an authority that is not trusted here; if that is meant, " +
			"name the authority's file in ca_file", false, true
	case errors.As(failure, &host):
		return "its certificate is for another name: " + host.Error() + "; check base_url", false, true
	case errors.As(failure, &invalid):
		return describeInvalid(invalid), false, true
	case errors.As(failure, &record):
		return "it does not speak TLS on this port; should base_url start with http://?", false, true
	case isAlert(failure):
		return describeAlert(failure.Error()), false, true
	case strings.Contains(failure.Error(), "tls: server selected unsupported protocol version"):
		return oldTLS, false, true
	case !errors.As(failure, &mute) && !errors.As(failure, &broken):
		return "", false, false
	case errors.Is(failure, errMute):
		return "it did not answer the TLS handshake", true, true
	case errors.Is(failure, io.EOF), errors.Is(failure, io.ErrUnexpectedEOF):
		return "it closed the connection during the TLS handshake; does it speak TLS on this port?", true, true
	case isReset(failure):
		return "the connection was reset during the TLS handshake; does it speak TLS on this port?", true, true
	}
	return "the TLS handshake failed: " + failure.Error(), true, true
}

const oldTLS = "it speaks an old version of TLS only; 1.2 is the least that is accepted"

// isAlert reports whether the other side refused with an alert of TLS; their type is private to crypto/tls.
func isAlert(failure error) bool {
	var said *net.OpError
	return errors.As(failure, &said) && said.Op == "remote error"
}

// describeAlert reads the alerts that an operator can do something about.
func describeAlert(said string) string {
	_, said, _ = strings.Cut(said, "tls: ")
	switch {
	case strings.Contains(said, "protocol version"):
		return oldTLS
	case strings.Contains(said, "certificate required"):
		return "it wants a client certificate; give one with client_cert"
	case strings.Contains(said, "certificate"): // bad, unsupported, revoked, expired, unknown (authority)
		return fmt.Sprintf("it refused the client certificate or the lack of one (%s); check client_cert", said)
	}
	return fmt.Sprintf("it refused the TLS handshake (%s): there is no common cipher, or it wants a client certificate (client_cert)", said)
}

func isSelfSigned(certificate *x509.Certificate) bool {
	return certificate != nil && certificate.CheckSignature(certificate.SignatureAlgorithm,
		certificate.RawTBSCertificate, certificate.Signature) == nil
}

func describeInvalid(invalid x509.CertificateInvalidError) string {
	if invalid.Reason == x509.Expired && invalid.Cert != nil {
		if from := invalid.Cert.NotBefore; time.Now().Before(from) {
			return fmt.Sprintf("its certificate is not valid before %s; is this machine's clock right?", from.UTC().Format(time.RFC3339))
		}
		return fmt.Sprintf("its certificate expired at %s; is this machine's clock right?",
			invalid.Cert.NotAfter.UTC().Format(time.RFC3339))
	}
	return "its certificate cannot be used: " + invalid.Error()
}
