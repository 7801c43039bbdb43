package transport

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"pyagent/core/llm"
)

// trust makes the options that trust a test server.
func trust(t *testing.T, server *httptest.Server, proxy string) *Transport {
	t.Helper()
	client := open(t, llm.Network{Proxy: proxy})
	tlsOf(t, client).RootCAs = server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	tlsOf(t, client).ServerName = "example.com" // the name in the test certificate
	return client
}

// carry is what a proxy does: it connects a client with a host, says so, and carries bytes both ways until one side ends.
func carry(client net.Conn, host, greeting string) {
	server, err := net.Dial("tcp", host)
	if err != nil {
		return
	}
	_, _ = io.WriteString(client, greeting)
	go func() { _, _ = io.Copy(client, server); client.Close() }()
	_, _ = io.Copy(server, client)
	server.Close()
}

func serve(t *testing.T, handle func(net.Conn)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			accepted, err := listener.Accept()
			if err != nil {
				return
			}
			go handle(accepted)
		}
	}()
	return listener.Addr().String()
}

func TestTunnelThroughAnHTTPProxy(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "secret") }))
	defer server.Close()
	seen := make(chan string, 10)
	proxy := serve(t, func(c net.Conn) {
		request, err := http.ReadRequest(bufio.NewReader(c))
		if err != nil {
			return
		}
		seen <- request.Method + " " + request.Host + " " + request.Header.Get("Proxy-Authorization")
		if strings.HasPrefix(request.Host, "closed.test") {
			io.WriteString(c, "HTTP/1.1 403 Forbidden\r\n\r\n")
			c.Close()
			return
		}
		carry(c, request.Host, "HTTP/1.1 200 Connection established\r\n\r\n")
	})
	client := trust(t, server, "http://u:p@"+proxy)
	for range 2 {
		if _, body, err := get(t, client, server.URL); err != nil || body != "secret" {
			t.Fatal(body, err)
		}
	}
	host := strings.TrimPrefix(server.URL, "https://")
	if got, want := <-seen, "CONNECT "+host+" Basic dTpw"; got != want || len(seen) != 0 {
		t.Errorf("the proxy saw %q and %d more requests, want %q once", got, len(seen), want)
	}
	_, _, err := get(t, client, "https://closed.test/")
	if err == nil || !strings.Contains(err.Message, "proxy") || !strings.Contains(err.Message, "403") || strings.Contains(err.Message, "u:p") {
		t.Errorf("got %+v", err)
	}
}

// A proxy may be spoken to over TLS: its certificate is checked, its credentials are for it alone, and what it carries is as
// private as without it.
func TestProxyOverTLS(t *testing.T) {
	authority := newAuthority(t)
	config := &tls.Config{Certificates: []tls.Certificate{authority.server(t, nil)}}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, r.Proto+" "+r.Header.Get("Proxy-Authorization"))
	}))
	server.EnableHTTP2, server.TLS = true, config
	server.StartTLS()
	defer server.Close()
	seen := make(chan string, 10)
	proxy := serve(t, func(c net.Conn) {
		c = tls.Server(c, &tls.Config{Certificates: config.Certificates})
		request, err := http.ReadRequest(bufio.NewReader(c))
		if err != nil {
			c.Close()
			return
		}
		seen <- request.Method + " " + request.URL.String() + " " + request.Header.Get("Proxy-Authorization")
		if request.Method != http.MethodConnect {
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nplain")
			return
		}
		carry(c, request.Host, "HTTP/1.1 200 OK\r\n\r\n")
	})
	host := strings.TrimPrefix(server.URL, "https://")
	for name, c := range map[string]struct {
		http2             bool
		target, saw, body string
	}{
		"TLS inside":    {false, server.URL, "CONNECT //" + host + " Basic dTpw", "HTTP/1.1 "},
		"HTTP/2 inside": {true, server.URL, "CONNECT //" + host + " Basic dTpw", "HTTP/2.0 "},
		"plain inside":  {false, "http://vendor.test/v1", "POST http://vendor.test/v1 Basic dTpw", "plain"},
	} {
		t.Run(name, func(t *testing.T) {
			client := open(t, llm.Network{Proxy: "https://u:p@" + proxy, CAFile: authority.file, HTTP2: c.http2})
			if _, body, err := get(t, client, c.target); err != nil || body != c.body {
				t.Errorf("%q %v", body, err)
			}
			if got := <-seen; got != c.saw {
				t.Errorf("the proxy saw %q, want %q", got, c.saw)
			}
		})
	}
	_, _, err := get(t, open(t, llm.Network{Proxy: "https://" + proxy}), server.URL)
	if err == nil || err.Retryable || !strings.Contains(err.Message, "the proxy "+proxy+": its certificate is signed by an authority") {
		t.Errorf("without the authority: %+v", err)
	}
}

// socksServer is a SOCKS5 proxy that connects everything to one address.
func socksServer(t *testing.T, address string, login bool, seen chan<- string) string {
	return serve(t, func(c net.Conn) {
		defer c.Close()
		head := make([]byte, 2)
		io.ReadFull(c, head)
		methods := make([]byte, head[1])
		io.ReadFull(c, methods)
		if login {
			c.Write([]byte{5, 2})
			io.ReadFull(c, head)
			name := make([]byte, head[1])
			io.ReadFull(c, name)
			io.ReadFull(c, head[:1])
			password := make([]byte, head[0])
			io.ReadFull(c, password)
			seen <- string(name) + ":" + string(password)
			if string(password) != "right" {
				c.Write([]byte{1, 1})
				return
			}
			c.Write([]byte{1, 0})
		} else {
			c.Write([]byte{5, 0})
		}
		request := make([]byte, 5)
		io.ReadFull(c, request)
		host := make([]byte, request[4])
		if request[3] == 1 { // an address, of which one byte has been read
			host = make([]byte, net.IPv4len-1)
		}
		io.ReadFull(c, host)
		if request[3] == 1 {
			host = []byte(net.IP(append(request[4:5:5], host...)).String())
		}
		port := make([]byte, 2)
		io.ReadFull(c, port)
		seen <- fmt.Sprintf("%s:%d", host, int(port[0])<<8|int(port[1]))
		if string(host) == "closed.test" {
			c.Write([]byte{5, 2, 0, 1, 0, 0, 0, 0, 0, 0})
			return
		}
		carry(c, address, "\x05\x00\x00\x03\x03abc\x00\x01")
	})
}

func TestSocksProxy(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "through "+r.Host) }))
	defer server.Close()
	address := strings.TrimPrefix(server.URL, "http://")
	seen := make(chan string, 10)
	open5 := socksServer(t, address, false, seen)
	if _, body, err := get(t, open(t, llm.Network{Proxy: "socks5://" + open5}), "http://vendor.test/"); err != nil || body != "through vendor.test" {
		t.Error(body, err)
	}
	if got := <-seen; got != "vendor.test:80" {
		t.Errorf("the proxy was asked for %q", got)
	}
	_, _, err := get(t, open(t, llm.Network{Proxy: "socks5h://" + open5}), "http://closed.test/")
	if err == nil || !strings.Contains(err.Message, "SOCKS reply 2") {
		t.Errorf("got %+v", err)
	}
	<-seen
	closed := socksServer(t, address, true, seen)
	if _, body, err := get(t, open(t, llm.Network{Proxy: "socks5://me:right@" + closed}), "http://vendor.test/"); err != nil || body == "" {
		t.Error(body, err)
	}
	if got := <-seen; got != "me:right" {
		t.Errorf("the proxy was told %q", got)
	}
	<-seen
	_, _, err = get(t, open(t, llm.Network{Proxy: "socks5://me:wrong@" + closed}), "http://vendor.test/")
	if err == nil || !strings.Contains(err.Message, "user name and password") || strings.Contains(err.Message, "wrong") {
		t.Errorf("got %+v", err)
	}
}

func TestSocksCarriesTLS(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "secret") }))
	defer server.Close()
	proxy := socksServer(t, strings.TrimPrefix(server.URL, "https://"), false, make(chan string, 10))
	if _, body, err := get(t, trust(t, server, "socks5://"+proxy), "https://vendor.test/"); err != nil || body != "secret" {
		t.Error(body, err)
	}
}

func TestHTTP2WhereItIsOffered(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Proto) }))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	for want, network := range map[string]llm.Network{"HTTP/2.0": {HTTP2: true}, "HTTP/1.1": {}} {
		client := open(t, network)
		tlsOf(t, client).RootCAs = server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
		if _, body, err := get(t, client, server.URL); err != nil || body != want {
			t.Errorf("got %q %v, want %q", body, err, want)
		}
	}
}

// A proxy looks up names; an address is one to it already.
func TestSocksIsToldAddressesAsSuch(t *testing.T) {
	asked := make(chan []byte, 1)
	address := serve(t, func(c net.Conn) {
		defer c.Close()
		_, _ = io.ReadFull(c, make([]byte, 3))
		_, _ = c.Write([]byte{5, 0})
		question := make([]byte, 300)
		n, _ := c.Read(question)
		asked <- question[:n]
		_, _ = c.Write([]byte{5, 1, 0, 1, 0, 0, 0, 0, 0, 0})
	})
	for host, want := range map[string]string{
		"vendor.test":          "\x03\x0bvendor.test",
		"10.1.2.3":             "\x01\x0a\x01\x02\x03",
		"[::ffff:10.1.2.3]":    "\x01\x0a\x01\x02\x03",
		"[2001:db8::1:0:0:2]":  "\x04\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x02",
		"an-address.10.1.2.3.": "\x03\x14an-address.10.1.2.3.",
	} {
		_, _, _ = get(t, open(t, llm.Network{Proxy: "socks5://" + address}), "http://"+host+":258/")
		if got := string(<-asked); got != "\x05\x01\x00"+want+"\x01\x02" {
			t.Errorf("%s: %q", host, got)
		}
	}
}

// What is no SOCKS proxy is told apart from one that refuses.
func TestSocksAnswersThatAreNone(t *testing.T) {
	for answer, part := range map[string]string{
		"HTTP/1.1 400 Bad Request\r\n\r\n": "does not speak SOCKS5",
		"\x05\xff":                         "way of logging in",
		"\x05\x00HTTP/1.1":                 "does not speak SOCKS5",
		"\x05\x00\x05\x00\x00\x09\x00\x00\x00\x00\x00\x00": "unknown form 9",
		"\x05\x00\x05\x05\x00\x01\x00\x00\x00\x00\x00\x00": "could not connect to vendor.test",
	} {
		address := serve(t, func(c net.Conn) {
			_, _ = c.Read(make([]byte, 100))
			_, _ = io.WriteString(c, answer)
			_, _ = c.Read(make([]byte, 100))
			c.Close()
		})
		_, _, err := get(t, open(t, llm.Network{Proxy: "socks5://" + address}), "http://vendor.test/v1")
		if err == nil || !strings.Contains(err.Message, part) || !strings.Contains(err.Message, "proxy") {
			t.Errorf("%q: %v", answer, err)
		}
	}
}

// A proxy's answer is short; one without end is not kept.
func TestEndlessAnswerOfAProxy(t *testing.T) {
	address := serve(t, func(c net.Conn) {
		defer c.Close()
		_, _ = c.Read(make([]byte, 1000))
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n")
		for {
			if _, err := io.WriteString(c, "X-Padding: "+strings.Repeat("x", 1000)+"\r\n"); err != nil {
				return
			}
		}
	})
	_, _, err := get(t, open(t, llm.Network{Proxy: "http://" + address}), "https://vendor.test/v1")
	if err == nil || err.Clock != "" || !strings.Contains(err.Message, "proxy") {
		t.Errorf("got %v", err)
	}
}

// The credentials of a proxy and the words for its failures are the same for both versions of HTTP.
func TestProxySecretsStayBehind(t *testing.T) {
	closed := serve(t, func(c net.Conn) {
		_, _ = c.Read(make([]byte, 4096))
		_, _ = io.WriteString(c, "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
		c.Close()
	})
	for _, http2 := range []bool{false, true} {
		for _, proxy := range []string{"http://user:s3cr3t@" + closed, "socks5://user:s3cr3t@" + closed, "https://user:s3cr3t@" + closed, "http://user:s3cr3t@127.0.0.1:1"} {
			for _, target := range []string{"https://vendor.test/v1", "http://vendor.test/v1"} {
				_, _, err := get(t, open(t, llm.Network{Proxy: proxy, HTTP2: http2}), target)
				if err == nil || !strings.Contains(err.Message, "proxy") || strings.Contains(err.Message, "s3cr3t") {
					t.Errorf("%s, http2 %v: %v", proxy, http2, err)
				}
				if err != nil && strings.HasPrefix(proxy, "http://") && strings.HasSuffix(proxy, closed) && (err.Retryable || !strings.Contains(err.Message, "407")) {
					t.Errorf("wrong credentials: %+v", err)
				}
			}
		}
	}
}
