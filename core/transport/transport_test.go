package transport

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pyagent/core/llm"
)

func open(t *testing.T, network llm.Network) *Transport {
	t.Helper()
	made, err := New(Options{Network: network, HeaderBytes: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(made.Close)
	return made
}

// tlsOf is the configuration that a transport's handshakes use.
func tlsOf(t *testing.T, client *Transport) *tls.Config {
	t.Helper()
	config, err := client.dialer.tls()
	if err != nil {
		t.Fatal(err)
	}
	return config
}

func get(t *testing.T, from *Transport, target string) (int, string, *llm.Error) {
	t.Helper()
	response, err := from.Send(context.Background(), Request{Method: "POST", URL: target, Body: []byte("{}")}, 5*time.Second)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	body, failure := io.ReadAll(response.Body)
	if failure != nil {
		t.Fatal(failure)
	}
	return response.Status, string(body), nil
}

func TestConnectionIsUsedAgain(t *testing.T) {
	var connections atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "ok") }))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	server.Start()
	defer server.Close()
	client := open(t, llm.Network{})
	for range 5 {
		if _, body, err := get(t, client, server.URL); err != nil || body != "ok" {
			t.Fatal(body, err)
		}
	}
	if n := connections.Load(); n != 1 {
		t.Errorf("five requests took %d connections", n)
	}
}

// A server that closes a kept-alive connection without a word must not cost the caller a request.
func TestStaleConnectionIsReplayed(t *testing.T) {
	listener, failure := net.Listen("tcp", "127.0.0.1:0")
	if failure != nil {
		t.Fatal(failure)
	}
	defer listener.Close()
	go func() {
		for n := 0; ; n++ {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			buf := make([]byte, 4096)
			conn.Read(buf)
			io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
			if n == 0 {
				conn.Read(buf) // takes the second request and leaves without an answer
			}
			conn.Close()
		}
	}()
	client := open(t, llm.Network{})
	for range 2 {
		if _, body, err := get(t, client, "http://"+listener.Addr().String()); err != nil || body != "ok" {
			t.Fatal(body, err)
		}
	}
}

func TestPrivateAuthority(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "private") }))
	server.Config.ErrorLog = nil
	defer server.Close()
	file := filepath.Join(t.TempDir(), "ca.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(file, block, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, network := range map[string]llm.Network{
		"ca_file":       {CAFile: file},
		"SSL_CERT_FILE": {Environment: map[string]string{"SSL_CERT_FILE": file}},
		"SSL_CERT_DIR":  {Environment: map[string]string{"SSL_CERT_DIR": filepath.Dir(file)}},
	} {
		t.Run(name, func(t *testing.T) {
			if _, body, err := get(t, open(t, network), server.URL); err != nil || body != "private" {
				t.Error(body, err)
			}
		})
	}
	t.Run("without", func(t *testing.T) {
		_, _, err := get(t, open(t, llm.Network{}), server.URL)
		if err == nil || err.Kind != llm.KindConnection || err.Retryable || !strings.Contains(err.Message, "ca_file") {
			t.Errorf("got %+v", err)
		}
	})
	t.Run("wrong name", func(t *testing.T) {
		pool := x509.NewCertPool()
		pool.AddCert(server.Certificate())
		client := open(t, llm.Network{CAFile: file})
		tlsOf(t, client).ServerName = "elsewhere.test"
		_, _, err := get(t, client, server.URL)
		if err == nil || !strings.Contains(err.Message, "another name") {
			t.Errorf("got %+v", err)
		}
	})
}

func TestBadOptions(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	cases := map[string]struct {
		network llm.Network
		field   string
	}{
		"missing authority file": {llm.Network{CAFile: "/nowhere/ca.pem"}, "ca_file"},
		"file without any":       {llm.Network{CAFile: empty}, "ca_file"},
		"missing store":          {llm.Network{Environment: map[string]string{"SSL_CERT_FILE": "/nowhere/ca.pem"}}, "SSL_CERT_FILE"},
		"missing client pair":    {llm.Network{ClientCert: []string{"/nowhere/a", "/nowhere/b"}}, "client_cert"},
		"proxy that is no URL":   {llm.Network{Proxy: "http://"}, "proxy"},
		"proxy of another kind":  {llm.Network{Proxy: "ftp://host:1"}, "proxy"},
		"bad proxy variable":     {llm.Network{Environment: map[string]string{"HTTPS_PROXY": "ftp://host:1"}}, "HTTPS_PROXY"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := New(Options{Network: c.network})
			if err == nil || err.Kind != llm.KindConfiguration || err.Param != c.field || !strings.Contains(err.Message, c.field) {
				t.Errorf("got %+v", err)
			}
		})
	}
}

func TestSendErrors(t *testing.T) {
	listener, _ := net.Listen("tcp", "127.0.0.1:0")
	closed := listener.Addr().String()
	listener.Close()
	plain := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer plain.Close()
	large := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Large", strings.Repeat("x", 2<<20))
	}))
	defer large.Close()
	cases := map[string]struct {
		url, part string
		kind      llm.Kind
		retryable bool
	}{
		"nobody listens":     {"http://" + closed, "connection refused", llm.KindConnection, true},
		"unknown host":       {"http://nobody.invalid/", "nobody.invalid", llm.KindConnection, true},
		"https on http port": {"https" + strings.TrimPrefix(plain.URL, "http"), "http://", llm.KindConnection, false},
		"header too large":   {large.URL, "limits.header_bytes", llm.KindLimit, false},
		"no scheme":          {"localhost:8000/v1", "http://", llm.KindConfiguration, false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, _, err := get(t, open(t, llm.Network{}), c.url)
			if err == nil || err.Kind != c.kind || err.Retryable != c.retryable || !strings.Contains(err.Message, c.part) {
				t.Errorf("got %+v", err)
			}
		})
	}
}

func TestConnectClock(t *testing.T) {
	hang := make(chan struct{})
	defer close(hang)
	client, err := New(Options{Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		select {
		case <-hang:
		case <-ctx.Done():
		}
		return nil, ctx.Err()
	}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.Send(context.Background(), Request{Method: "POST", URL: "http://host/"}, 10*time.Millisecond)
	if err == nil || err.Kind != llm.KindTimeout || err.Clock != "connect" || !err.Retryable {
		t.Errorf("got %+v", err)
	}
}

func TestCompressedAnswers(t *testing.T) {
	pack := map[string]func(io.Writer) io.WriteCloser{
		"gzip":    func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) },
		"deflate": func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) },
		"raw": func(w io.Writer) io.WriteCloser {
			writer, _ := flate.NewWriter(w, 6)
			return writer
		},
	}
	for name, wrap := range pack {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				var packed bytes.Buffer
				writer := wrap(&packed)
				io.WriteString(writer, "hello")
				writer.Close()
				w.Header().Set("Content-Encoding", strings.Replace(name, "raw", "deflate", 1))
				w.Write(packed.Bytes())
			}))
			defer server.Close()
			if _, body, err := get(t, open(t, llm.Network{}), server.URL); err != nil || body != "hello" {
				t.Error(body, err)
			}
		})
	}
	t.Run("unknown", func(t *testing.T) {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", "br")
		}))
		defer server.Close()
		if _, _, err := get(t, open(t, llm.Network{}), server.URL); err == nil || err.Kind != llm.KindParse {
			t.Errorf("got %+v", err)
		}
	})
}

func TestProxyCarriesTheRequest(t *testing.T) {
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, r.URL.String()+" "+r.Header.Get("Proxy-Authorization"))
	}))
	defer proxy.Close()
	address := "http://user:secret@" + strings.TrimPrefix(proxy.URL, "http://")
	for name, network := range map[string]llm.Network{
		"argument":    {Proxy: address},
		"environment": {Environment: map[string]string{"http_proxy": address}},
	} {
		t.Run(name, func(t *testing.T) {
			_, body, err := get(t, open(t, network), "http://vendor.test/v1")
			if err != nil || body != "http://vendor.test/v1 Basic dXNlcjpzZWNyZXQ=" {
				t.Error(body, err)
			}
		})
	}
}

func TestNoProxy(t *testing.T) {
	cases := []struct {
		target, rules string
		direct        bool
	}{
		{"http://localhost/", "", true},
		{"http://127.0.0.1:8000/", "", true},
		{"http://[::1]/", "", true},
		{"http://api.test/", "", false},
		{"http://api.test/", "*", true},
		{"http://api.test/", "api.test", true},
		{"http://API.test./", "api.test", true},
		{"http://eu.api.test/", "api.test", true},
		{"http://eu.api.test/", ".api.test", true},
		{"http://eu.api.test/", "*.api.test", true},
		{"http://myapi.test/", "api.test", false},
		{"http://api.test/", "other.test, api.test", true},
		{"http://api.test:81/", "api.test:80", false},
		{"http://api.test/", "api.test:80", true},
		{"https://api.test/", "api.test:443", true},
		{"http://10.1.2.3/", "10.0.0.0/8", true},
		{"http://11.1.2.3/", "10.0.0.0/8", false},
		{"http://10.1.2.3/", "10.1.2.3", true},
		{"http://1.10.1.2/", "10.1.2", false},
	}
	for _, c := range cases {
		target, _ := url.Parse(c.target)
		if got := bypass(target, strings.Split(c.rules, ",")); got != c.direct {
			t.Errorf("%s with NO_PROXY=%q: direct is %v", c.target, c.rules, got)
		}
	}
}

func TestSecretsStayBehind(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Set-Cookie", "session=1")
		w.Header().Set("X-Request-Id", "r1")
		w.Header().Set("Location", "http://elsewhere.test/")
		w.WriteHeader(307)
	}))
	defer server.Close()
	response, err := open(t, llm.Network{}).Send(context.Background(), Request{Method: "POST", URL: server.URL}, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.Status != 307 || response.Header["x-request-id"] != "r1" || response.Header["set-cookie"] != "" {
		t.Errorf("status %d header %v", response.Status, response.Header)
	}
}
