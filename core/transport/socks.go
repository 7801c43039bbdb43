package transport

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/url"
	"strconv"
)

// socks5 asks a SOCKS proxy for a way to target (RFC 1928, with the user name and password of RFC 1929). The proxy looks the
// host name up, which is what both socks5 and socks5h mean in practice.
func socks5(wire net.Conn, proxy, target *url.URL) error {
	methods := []byte{5, 1, 0}
	if proxy.User != nil {
		methods = []byte{5, 2, 0, 2}
	}
	chosen := make([]byte, 2)
	if err := ask(wire, methods, chosen); err != nil {
		return err
	}
	if chosen[0] != 5 {
		return errors.New("it does not speak SOCKS5 on this port")
	}
	switch chosen[1] {
	case 0:
	case 2:
		name := proxy.User.Username()
		password, _ := proxy.User.Password()
		if len(name) > 255 || len(password) > 255 {
			return errors.New("SOCKS takes user names and passwords of up to 255 bytes")
		}
		login := append([]byte{1, byte(len(name))}, name...)
		login = append(append(login, byte(len(password))), password...)
		if err := ask(wire, login, chosen); err != nil {
			return err
		}
		if chosen[1] != 0 {
			return &refusal{"it refused the user name and password", false}
		}
	default:
		return &refusal{"it wants a way of logging in that is not supported; user name and password are", false}
	}
	return socksConnect(wire, target)
}

func socksConnect(wire net.Conn, target *url.URL) error {
	host, portText, err := net.SplitHostPort(addressOf(target))
	if err != nil {
		return err
	}
	port, err := strconv.ParseUint(portText, 10, 16)
	if err != nil || len(host) > 255 {
		return fmt.Errorf("SOCKS cannot name the host %s", target.Host)
	}
	request := append([]byte{5, 1, 0, 3, byte(len(host))}, host...)
	if address, err := netip.ParseAddr(host); err == nil && address.Zone() == "" { // some proxies would look it up as a name
		request = append([]byte{5, 1, 0, 4}, address.Unmap().AsSlice()...)
		if address.Unmap().Is4() {
			request[3] = 1
		}
	}
	reply := make([]byte, 4)
	if err := ask(wire, append(request, byte(port>>8), byte(port)), reply); err != nil {
		return err
	}
	if reply[0] != 5 {
		return errors.New("it does not speak SOCKS5 on this port")
	}
	if reply[1] != 0 {
		return fmt.Errorf("it could not connect to %s (SOCKS reply %d)", target.Host, reply[1])
	}
	// The address it connected from follows, in one of three forms, and is of no interest.
	rest, known := map[byte]int{1: 4 + 2, 3: 0, 4: 16 + 2}[reply[3]]
	if !known {
		return fmt.Errorf("its answer has an address of the unknown form %d", reply[3])
	}
	if reply[3] == 3 {
		length := make([]byte, 1)
		if _, err := io.ReadFull(wire, length); err != nil {
			return err
		}
		rest = int(length[0]) + 2
	}
	_, err = io.CopyN(io.Discard, wire, int64(rest))
	return err
}

func ask(wire net.Conn, question, answer []byte) error {
	if _, err := wire.Write(question); err != nil {
		return err
	}
	_, err := io.ReadFull(wire, answer)
	return err
}
