package transport

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"pyagent/core/llm"
)

// elsewhere is a connection whose other end seems to have another address.
type elsewhere struct {
	net.Conn
	address net.Addr
}

func (e elsewhere) RemoteAddr() net.Addr { return e.address }

// resolver is a network in which every name stands for one address, and every address is the server.
func resolver(t *testing.T, server *httptest.Server, address string, dialed *[]string) dialFunc {
	return func(_ context.Context, network, asked string) (net.Conn, error) {
		*dialed = append(*dialed, asked)
		made, err := net.Dial(network, strings.TrimPrefix(server.URL, "http://"))
		if err != nil {
			t.Error(err)
			return nil, err
		}
		return elsewhere{made, &net.TCPAddr{IP: net.ParseIP(address), Port: 80}}, nil
	}
}

func TestKeysInTheClear(t *testing.T) {
	reached := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { reached++; io.WriteString(w, "ok") }))
	defer server.Close()
	key, none := map[string]string{"Authorization": "Bearer sk-secret-1"}, map[string]string{"Accept": "*/*"}
	cases := []struct {
		name, url, address string
		header             map[string]string
		network            llm.Network
		refused, dialed    bool
	}{
		{"a public address", "http://8.8.8.8/v1", "8.8.8.8", key, llm.Network{}, true, false},
		{"a public IPv6 address", "http://[2001:4860:4860::8888]/v1", "2001:4860:4860::8888", key, llm.Network{}, true, false},
		{"a public address in disguise", "http://[::ffff:8.8.8.8]/v1", "8.8.8.8", key, llm.Network{}, true, false},
		{"a number that a resolver takes for one", "http://134744072/v1", "8.8.8.8", key, llm.Network{}, true, true},
		{"a name with a public address", "http://api.example.com/v1", "93.184.215.14", key, llm.Network{}, true, true},
		{"another header with a key", "http://api.example.com/v1", "93.184.215.14", map[string]string{"X-Api-Key": "s"}, llm.Network{}, true, true},
		{"a name that only sounds local", "http://models.lan/v1", "93.184.215.14", key, llm.Network{}, true, true},
		{"without a key", "http://api.example.com/v1", "93.184.215.14", none, llm.Network{}, false, true},
		{"allowed", "http://api.example.com/v1", "93.184.215.14", key, llm.Network{AllowHTTP: true}, false, true},
		{"a name with a private address", "http://models.example.com/v1", "10.1.2.3", key, llm.Network{}, false, true},
		{"a bare name", "http://ollama:11434/v1", "93.184.215.14", key, llm.Network{}, false, true},
		{"localhost", "http://localhost:1/v1", "127.0.0.1", key, llm.Network{}, false, true},
		{"loopback", "http://127.8.8.8/v1", "127.8.8.8", key, llm.Network{}, false, true},
		{"RFC 1918", "http://192.168.1.5/v1", "192.168.1.5", key, llm.Network{}, false, true},
		{"beside RFC 1918", "http://172.32.0.1/v1", "172.32.0.1", key, llm.Network{}, true, false},
		{"unique local", "http://[fd00::1]/v1", "fd00::1", key, llm.Network{}, false, true},
		{"link-local", "http://[fe80::1%25eth0]/v1", "fe80::1", key, llm.Network{}, false, true},
		{"behind a carrier's NAT", "http://100.64.0.9/v1", "100.64.0.9", key, llm.Network{}, false, true},
		{"a proxy and a public name", "http://api.example.com/v1", "10.0.0.1", key, llm.Network{Proxy: "http://10.0.0.1:3128"}, true, false},
		{"a proxy and a local name", "http://models.internal/v1", "10.0.0.1", key, llm.Network{Proxy: "http://10.0.0.1:3128"}, false, true},
		{"a proxy and a public address", "http://8.8.8.8/v1", "10.0.0.1", key, llm.Network{Proxy: "http://10.0.0.1:3128"}, true, false},
		{"a SOCKS proxy and a public name", "http://api.example.com/v1", "10.0.0.1", key, llm.Network{Proxy: "socks5://10.0.0.1"}, true, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var dialed []string
			reached = 0
			client, err := New(Options{Network: c.network, HeaderBytes: 1 << 20, Dial: resolver(t, server, c.address, &dialed)})
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			response, err := client.Send(context.Background(), Request{Method: "POST", URL: c.url, Header: c.header}, time.Second)
			if response != nil {
				response.Body.Close()
			}
			if (err != nil) != c.refused || (len(dialed) > 0) != c.dialed || (reached > 0) == c.refused {
				t.Fatalf("error %v, dialed %v, requests at the server: %d", err, dialed, reached)
			}
			if !c.refused {
				return
			}
			host, _ := url.Parse(c.url)
			if err.Kind != llm.KindConfiguration || err.Param != "base_url" || !strings.Contains(err.Message, host.Host) ||
				!strings.Contains(err.Message, "https://") || !strings.Contains(err.Message, "allow_http") || strings.Contains(err.Message, "secret") {
				t.Errorf("got %+v", err)
			}
		})
	}
}

// A kept-alive connection is looked at anew: the request before it may have had no key.
func TestKeysInTheClearOnAKeptConnection(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "ok") }))
	defer server.Close()
	var dialed []string
	client, err := New(Options{HeaderBytes: 1 << 20, Dial: resolver(t, server, "93.184.215.14", &dialed)})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if _, _, err := get(t, client, "http://api.example.com/"); err != nil {
		t.Fatal(err)
	}
	_, err = client.Send(context.Background(), Request{Method: "POST", URL: "http://api.example.com/", Header: map[string]string{"api-key": "s"}}, 0)
	if err == nil || err.Param != "base_url" || !strings.Contains(err.Message, "93.184.215.14") {
		t.Errorf("got %v", err)
	}
}
