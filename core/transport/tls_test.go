package transport

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pyagent/core/llm"
)

// testAuthority is a private certificate authority with its file.
type testAuthority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	file        string
}

func newAuthority(t *testing.T) *testAuthority {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "A private authority"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	a := &testAuthority{file: filepath.Join(t.TempDir(), "ca.pem")}
	made := a.sign(t, template)
	a.certificate, a.key = made.Leaf, made.PrivateKey.(*ecdsa.PrivateKey)
	writePEM(t, a.file, "CERTIFICATE", made.Certificate[0])
	return a
}

// sign makes a certificate; without an authority as yet it signs itself.
func (a *testAuthority) sign(t *testing.T, template *x509.Certificate) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	parent, signer := template, key
	if a.certificate != nil {
		parent, signer = a.certificate, a.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

// server makes a certificate for 127.0.0.1, or for what change says.
func (a *testAuthority) server(t *testing.T, change func(*x509.Certificate)) tls.Certificate {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "server"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if change != nil {
		change(template)
	}
	return a.sign(t, template)
}

// client writes a client's certificate and key, and returns the files.
func (a *testAuthority) client(t *testing.T) []string {
	t.Helper()
	made := a.sign(t, &x509.Certificate{
		SerialNumber: big.NewInt(3), Subject: pkix.Name{CommonName: "client"}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	})
	der, err := x509.MarshalPKCS8PrivateKey(made.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	files := []string{filepath.Join(folder, "client.pem"), filepath.Join(folder, "client.key")}
	writePEM(t, files[0], "CERTIFICATE", made.Certificate[0])
	writePEM(t, files[1], "PRIVATE KEY", der)
	return files
}

func writePEM(t *testing.T, file, kind string, der []byte) {
	t.Helper()
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}

// answerOnce reads a request and says ok.
func answerOnce(c net.Conn) {
	defer c.Close()
	request, err := http.ReadRequest(bufio.NewReader(c))
	if err != nil {
		return
	}
	_, _ = io.Copy(io.Discard, request.Body)
	_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
}

func overTLS(config *tls.Config) func(net.Conn) {
	return func(c net.Conn) { answerOnce(tls.Server(c, config)) }
}

// Each way for TLS to fail has words of its own, says what to do, and is final unless another attempt can help.
func TestFailuresOfTLS(t *testing.T) {
	authority, stranger := newAuthority(t), newAuthority(t)
	with := func(certificate tls.Certificate) *tls.Config {
		return &tls.Config{Certificates: []tls.Certificate{certificate}}
	}
	good := authority.server(t, nil)
	strict := func(maxVersion uint16) *tls.Config {
		pool := x509.NewCertPool()
		pool.AddCert(authority.certificate)
		return &tls.Config{Certificates: []tls.Certificate{good}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool, MaxVersion: maxVersion}
	}
	self := (&testAuthority{}).server(t, func(c *x509.Certificate) { c.IsCA, c.BasicConstraintsValid = true, true })
	cases := map[string]struct {
		handle    func(net.Conn)
		network   llm.Network
		parts     []string
		retryable bool
	}{
		"unknown authority": {overTLS(with(stranger.server(t, nil))), llm.Network{}, []string{"authority that is not trusted", "ca_file"}, false},
		"self-signed":       {overTLS(with(self)), llm.Network{}, []string{"self-signed", "ca_file"}, false},
		"expired": {overTLS(with(authority.server(t, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }))), llm.Network{},
			[]string{"expired at 20", "clock"}, false},
		"not yet valid": {overTLS(with(authority.server(t, func(c *x509.Certificate) { c.NotBefore = time.Now().Add(time.Minute) }))), llm.Network{},
			[]string{"not valid before 20", "clock"}, false},
		"wrong host": {overTLS(with(authority.server(t, func(c *x509.Certificate) { c.IPAddresses, c.DNSNames = nil, []string{"other.test"} }))),
			llm.Network{}, []string{"another name", "127.0.0.1", "base_url"}, false},
		"TLS on a plain port":            {plainGreeting, llm.Network{}, []string{"does not speak TLS", "http://"}, false},
		"an old version":                 {overTLS(&tls.Config{Certificates: []tls.Certificate{good}, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}), llm.Network{}, []string{"old version", "1.2"}, false},
		"client certificate wanted":      {overTLS(strict(0)), llm.Network{}, []string{"client certificate", "client_cert"}, false},
		"client certificate wanted, 1.2": {overTLS(strict(tls.VersionTLS12)), llm.Network{}, []string{"handshake failure", "client_cert"}, false},
		"client certificate refused":     {overTLS(strict(0)), llm.Network{ClientCert: stranger.client(t)}, []string{"client certificate", "client_cert"}, false},
		"closed during the handshake": {func(c net.Conn) { _, _ = c.Read(make([]byte, 4096)); c.Close() }, llm.Network{},
			[]string{"closed the connection during the TLS handshake"}, true},
		"reset during the handshake": {reset, llm.Network{}, []string{"reset during the TLS handshake"}, true},
		"closed in the middle of the handshake": {func(c net.Conn) {
			_, _ = c.Read(make([]byte, 4096))
			_, _ = c.Write([]byte{22, 3, 3, 0, 100, 2})
			c.Close()
		}, llm.Network{}, []string{"closed the connection during the TLS handshake"}, true},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			for _, http2 := range []bool{false, true} {
				c.network.CAFile, c.network.HTTP2 = authority.file, http2
				_, _, err := get(t, open(t, c.network), "https://"+serve(t, c.handle)+"/v1")
				if err == nil || err.Kind != llm.KindConnection || err.Retryable != c.retryable {
					t.Fatalf("http2 %v: got %+v", http2, err)
				}
				for _, part := range c.parts {
					if !strings.Contains(err.Message, part) {
						t.Errorf("http2 %v: %q lacks %q", http2, err.Message, part)
					}
				}
			}
		})
	}
}

func plainGreeting(c net.Conn) {
	_, _ = io.WriteString(c, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
	_, _ = io.Copy(io.Discard, c)
}

// reset closes a connection so that the kernel says RST, once the other side has begun to speak.
func reset(c net.Conn) {
	_, _ = c.Read(make([]byte, 1))
	_ = c.(*net.TCPConn).SetLinger(0)
	c.Close()
}

// The other direction: a request without TLS to a port that speaks it.
func TestPlainOnATLSPort(t *testing.T) {
	address := serve(t, func(c net.Conn) {
		defer c.Close()
		_, _ = c.Read(make([]byte, 4096))
		_, _ = c.Write([]byte{21, 3, 3, 0, 2, 2, 70}) // an alert, which is how most servers of TLS answer
	})
	_, _, err := get(t, open(t, llm.Network{}), "http://"+address)
	if err == nil || err.Kind != llm.KindConnection || !strings.Contains(err.Message, "speaks TLS on this port") || !strings.Contains(err.Message, "https://") {
		t.Errorf("got %+v", err)
	}
}

// middlebox passes a connection on unless its first packet is larger than 1,400 bytes.
func middlebox(t *testing.T, choke func(net.Conn), behind func(net.Conn), seen *atomic.Int32) string {
	return serve(t, func(c net.Conn) {
		seen.Add(1)
		first := make([]byte, 5)
		if _, err := io.ReadFull(c, first); err != nil {
			c.Close()
			return
		}
		if size := int(first[3])<<8 | int(first[4]); size > 1400 {
			choke(c) // a reset needs no further byte: what follows the first five is there
			return
		}
		behind(&replayed{Conn: c, head: first})
	})
}

// replayed is a connection of which some bytes were read to look at them.
type replayed struct {
	net.Conn
	head []byte
}

func (r *replayed) Read(p []byte) (int, error) {
	if len(r.head) > 0 {
		n := copy(p, r.head)
		r.head = r.head[n:]
		return n, nil
	}
	return r.Conn.Read(p)
}

func TestLargeHandshakeFallsBack(t *testing.T) {
	authority := newAuthority(t)
	certificate := authority.server(t, nil)
	behind := overTLS(&tls.Config{Certificates: []tls.Certificate{certificate}})
	hold := func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }
	off := false
	for name, c := range map[string]struct {
		choke       func(net.Conn)
		network     llm.Network
		connections int32 // of the first and the second request
	}{
		"reset":                     {reset, llm.Network{}, 3},
		"closed":                    {func(c net.Conn) { c.Close() }, llm.Network{}, 3},
		"silent":                    {hold, llm.Network{}, 3},
		"reset, HTTP/2 asked for":   {reset, llm.Network{HTTP2: true}, 3},
		"classical from the start":  {reset, llm.Network{PostQuantum: &off}, 2},
		"classical, HTTP/2 as well": {reset, llm.Network{PostQuantum: &off, HTTP2: true}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var connections atomic.Int32
			c.network.CAFile = authority.file
			client, address := open(t, c.network), middlebox(t, c.choke, behind, &connections)
			for range 2 {
				response, err := client.Send(context.Background(), Request{Method: "POST", URL: "https://" + address}, time.Second)
				if err != nil {
					t.Fatal(err)
				}
				response.Body.Close()
			}
			if n := connections.Load(); n != c.connections {
				t.Errorf("%d connections, want %d: what helped is remembered", n, c.connections)
			}
		})
	}
}

// Both a proxy that speaks TLS and the vendor behind it may choke.
func TestLargeHandshakeFallsBackThroughAProxy(t *testing.T) {
	authority := newAuthority(t)
	certificate := authority.server(t, nil)
	config := &tls.Config{Certificates: []tls.Certificate{certificate}}
	var atVendor, atProxy atomic.Int32
	vendor := middlebox(t, reset, overTLS(config), &atVendor)
	proxy := middlebox(t, reset, func(c net.Conn) {
		wire := tls.Server(c, config)
		request, err := http.ReadRequest(bufio.NewReader(wire))
		if err != nil {
			return
		}
		carry(wire, request.Host, "HTTP/1.1 200 OK\r\n\r\n")
	}, &atProxy)
	client := open(t, llm.Network{CAFile: authority.file, Proxy: "https://" + proxy})
	if _, body, err := get(t, client, "https://"+vendor); err != nil || body != "ok" {
		t.Fatal(body, err)
	}
	if atProxy.Load() != 3 || atVendor.Load() != 2 {
		t.Errorf("%d connections to the proxy, %d to the vendor", atProxy.Load(), atVendor.Load())
	}
}

// A server that is merely broken is not asked a third time, and nothing is remembered.
func TestFallbackThatDoesNotHelpIsForgotten(t *testing.T) {
	var connections atomic.Int32
	address := serve(t, func(c net.Conn) { connections.Add(1); reset(c) })
	client := open(t, llm.Network{})
	_, _, err := get(t, client, "https://"+address)
	if err == nil || connections.Load() != 2 || len(client.dialer.classical) != 0 {
		t.Errorf("%d connections, remembered %v, %v", connections.Load(), client.dialer.classical, err)
	}
}
