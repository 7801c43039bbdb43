//go:build !unix

package transport

import "net"

// socket is a TCP connection. Here no thread of the host sleeps on it.
type socket struct{ *net.TCPConn }

func newSocket(tcp *net.TCPConn) *socket { return &socket{tcp} }

func (s *socket) Close() error { return closeForAll(s.TCPConn) }

func (s *socket) quiet() bool { return true }

func (c *conn) hold() bool { return false }

func (c *conn) release() {}

func (c *conn) hurry(bool) {}

func (c *conn) lend() *socket { return nil }

func (s *socket) takeBack() {}

func (s *socket) allow(int) {}

func (s *socket) spent() bool { return false }
