package fake

import (
	"context"
	"net"
)

// connection is an accepted connection that can send several writes as one. net/http sends the frame of a chunk, and
// what exceeds its buffer of 4 KiB, in writes of their own; a client that is measured would then wait for the server.
//
// Only the goroutine that serves the connection writes to it, so nothing here is locked.
type connection struct {
	net.Conn
	number  int
	holding bool
	held    []byte
}

// maxHeld bounds what is copied for the sake of one write; above it the extra writes do not matter.
const maxHeld = 256 << 10

func (c *connection) Write(p []byte) (int, error) {
	if !c.holding {
		return c.Conn.Write(p)
	}
	c.held = append(c.held, p...)
	return len(p), nil
}

// hold keeps what is written until release.
func (c *connection) hold() { c.holding = true }

func (c *connection) release() error {
	c.holding = false
	if len(c.held) == 0 {
		return nil
	}
	_, err := c.Conn.Write(c.held)
	c.held = c.held[:0]
	return err
}

// coalescing is a listener whose connections are of type *connection.
type coalescing struct{ net.Listener }

func (l coalescing) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &connection{Conn: conn}, nil
}

// connectionKey finds the *connection in the context of its requests.
type connectionKey struct{}

// number counts the connections as they come, and lets their requests find them.
func (s *Server) number(ctx context.Context, conn net.Conn) context.Context {
	accepted := conn.(*connection)
	s.mutex.Lock()
	s.connections++
	accepted.number = s.connections
	s.mutex.Unlock()
	return context.WithValue(ctx, connectionKey{}, accepted)
}

// drop closes a connection that was taken over from net/http, at once and without a word when reset is wanted.
func drop(conn net.Conn, reset bool) {
	if accepted, ok := conn.(*connection); ok {
		conn = accepted.Conn
	}
	if tcp, ok := conn.(*net.TCPConn); ok && reset {
		tcp.SetLinger(0)
	}
	conn.Close()
}
