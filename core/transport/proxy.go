package transport

import (
	"net"
	"net/netip"
	"net/url"
	"strings"

	"pyagent/core/llm"
)

// proxyFor decides which proxy a request goes to: the proxy option for everything, otherwise the environment's HTTPS_PROXY,
// HTTP_PROXY, ALL_PROXY and NO_PROXY in either letter case. nil is a direct connection.
func proxyFor(network llm.Network) (func(target *url.URL) *url.URL, *llm.Error) {
	if network.Proxy != "" {
		fixed, err := parseProxy("proxy", network.Proxy)
		if err != nil {
			return nil, err
		}
		return func(*url.URL) *url.URL { return fixed }, nil
	}
	lookup := func(name string) string {
		if value := network.Environment[strings.ToLower(name)]; value != "" {
			return value
		}
		return network.Environment[name]
	}
	proxies := make(map[string]*url.URL)
	for scheme, name := range map[string]string{"https": "HTTPS_PROXY", "http": "HTTP_PROXY"} {
		value := lookup(name)
		if value == "" {
			name, value = "ALL_PROXY", lookup("ALL_PROXY")
		}
		if value == "" {
			continue
		}
		parsed, err := parseProxy(name, value)
		if err != nil {
			return nil, err
		}
		proxies[scheme] = parsed
	}
	except := strings.Split(lookup("NO_PROXY"), ",")
	return func(target *url.URL) *url.URL {
		if len(proxies) == 0 || bypass(target, except) {
			return nil
		}
		return proxies[target.Scheme]
	}, nil
}

func parseProxy(option, value string) (*url.URL, *llm.Error) {
	full := value
	if !strings.Contains(full, "://") {
		full = "http://" + full
	}
	parsed, failure := url.Parse(full)
	if failure != nil || parsed.Host == "" {
		return nil, llm.Configuration(option, "%s is not a usable proxy URL; write it as http://host:port", option)
	}
	switch parsed.Scheme {
	case "http", "https", "socks5", "socks5h":
		return parsed, nil
	}
	return nil, llm.Configuration(option, "%s has the scheme %q; http, https, socks5 and socks5h can be used", option, parsed.Scheme)
}

// bypass reports whether target goes out directly: loopback always, otherwise what NO_PROXY names as a host, a domain (with
// or without leading dot), an address, a network in CIDR form, any of them with a port, or "*".
func bypass(target *url.URL, except []string) bool {
	host := strings.ToLower(strings.TrimSuffix(target.Hostname(), "."))
	address, err := netip.ParseAddr(host)
	isAddress := err == nil
	if host == "localhost" || isAddress && address.IsLoopback() {
		return true
	}
	port := PortOf(target)
	for _, rule := range except {
		rule = strings.ToLower(strings.TrimSpace(rule))
		if h, p, err := net.SplitHostPort(rule); err == nil {
			if p != port {
				continue
			}
			rule = h
		}
		if rule == "" {
			continue
		}
		if rule == "*" {
			return true
		}
		if network, err := netip.ParsePrefix(rule); err == nil {
			if isAddress && network.Contains(address.Unmap()) {
				return true
			}
			continue
		}
		domain := strings.TrimPrefix(strings.TrimPrefix(rule, "*"), ".")
		if host == domain || !isAddress && strings.HasSuffix(host, "."+domain) {
			return true
		}
	}
	return false
}
