package transport

import (
	"net"
	"net/netip"
	"net/url"
	"strings"

	"pyagent/core/llm"
)

// exposure says who can read what is sent to a host without encryption.
type exposure int

const (
	private   exposure = iota // this machine and its own network
	public                    // everybody on the way
	byAddress                 // what the host's name stands for decides
)

// exposureOf judges a host by its name. Behind a proxy nobody here learns its address, so there the name has to do.
func exposureOf(target *url.URL, proxied bool) exposure {
	host := strings.ToLower(strings.TrimSuffix(target.Hostname(), "."))
	if address, err := netip.ParseAddr(host); err == nil {
		return exposureOfAddress(address)
	}
	isNumber := host != "" && '0' <= host[0] && host[0] <= '9' // some resolvers read 134744072 as an address
	switch {
	case !strings.Contains(host, ".") && !isNumber:
		return private
	case !proxied:
		return byAddress
	}
	for _, local := range []string{".local", ".internal", ".lan", ".home.arpa", ".localhost", ".test"} {
		if strings.HasSuffix(host, local) {
			return private
		}
	}
	return public
}

func exposureOfAddress(address netip.Addr) exposure {
	address = address.Unmap()
	shared := netip.PrefixFrom(netip.AddrFrom4([4]byte{100, 64}), 10) // RFC 6598: behind a carrier's NAT, and overlay networks
	if address.IsLoopback() || address.IsPrivate() || address.IsLinkLocalUnicast() || address.IsUnspecified() || shared.Contains(address) {
		return private
	}
	return public
}

// exposure judges the host at the other end of a connection.
func (c *conn) exposure() exposure {
	if peer, ok := c.raw.RemoteAddr().(*net.TCPAddr); ok {
		return exposureOfAddress(peer.AddrPort().Addr())
	}
	return private // a server inside this process
}

// carriesKey reports whether a request's header holds credentials.
func carriesKey(header map[string]string) bool {
	for name := range header {
		if IsSecret(name) {
			return true
		}
	}
	return false
}

// IsSecret tells whether the values of a field of a header are credentials.
func IsSecret(name string) bool {
	switch strings.ToLower(name) {
	case "authorization", "api-key", "x-api-key", "x-goog-api-key", "cookie":
		return true
	}
	return false
}

// inTheClear is the error for a key that everybody on its way could read.
func inTheClear(target *url.URL, address string) *llm.Error {
	place := target.Scheme + "://" + target.Host
	if !strings.Contains(address, target.Hostname()) {
		place += " (" + address + ")"
	}
	return llm.Configuration("base_url", "base_url %s is a public address without encryption, and the request carries a key; "+
		"begin base_url with https://, or set allow_http if everybody on the way may read the key", place)
}
