package transport

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"

	"pyagent/core/llm"
)

// Every connection dies within a minute of silence from the kernel on the other side, whatever lies between.
func TestSocketsNoticeDeath(t *testing.T) {
	authority := newAuthority(t)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "ok") }))
	server.EnableHTTP2 = true
	server.TLS = &tls.Config{Certificates: []tls.Certificate{authority.server(t, nil)}}
	server.StartTLS()
	defer server.Close()
	host := strings.TrimPrefix(server.URL, "https://")
	tunnel := serve(t, func(c net.Conn) {
		if _, err := http.ReadRequest(bufio.NewReader(c)); err != nil {
			return
		}
		carry(c, host, "HTTP/1.1 200 OK\r\n\r\n")
	})
	socks := socksServer(t, host, false, make(chan string, 10))
	for name, network := range map[string]llm.Network{
		"direct": {}, "HTTP/2": {HTTP2: true}, "HTTP proxy": {Proxy: "http://" + tunnel}, "SOCKS": {Proxy: "socks5://" + socks},
		"HTTP/2 through a proxy": {HTTP2: true, Proxy: "http://" + tunnel},
	} {
		t.Run(name, func(t *testing.T) {
			network.CAFile = authority.file
			client := open(t, network)
			real := client.dialer.dial
			var sockets []net.Conn
			client.dialer.dial = func(ctx context.Context, network, address string) (net.Conn, error) {
				made, err := real(ctx, network, address)
				sockets = append(sockets, made)
				return made, err
			}
			if _, _, err := get(t, client, server.URL); err != nil || len(sockets) != 1 {
				t.Fatalf("%d sockets, %v", len(sockets), err)
			}
			for option, want := range map[[2]int]int{
				{syscall.IPPROTO_TCP, 0x12}:                  60_000, // TCP_USER_TIMEOUT, milliseconds
				{syscall.SOL_SOCKET, syscall.SO_KEEPALIVE}:   1,
				{syscall.IPPROTO_TCP, syscall.TCP_KEEPIDLE}:  15,
				{syscall.IPPROTO_TCP, syscall.TCP_KEEPINTVL}: 15,
				{syscall.IPPROTO_TCP, syscall.TCP_KEEPCNT}:   3,
			} {
				if got := optionOf(t, sockets[0], option); got != want {
					t.Errorf("socket option %v is %d, want %d", option, got, want)
				}
			}
		})
	}
}

func optionOf(t *testing.T, socket net.Conn, option [2]int) (value int) {
	t.Helper()
	raw, err := socket.(syscall.Conn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	_ = raw.Control(func(fd uintptr) { value, err = syscall.GetsockoptInt(int(fd), option[0], option[1]) })
	if err != nil {
		t.Fatal(err)
	}
	return value
}
