package fake

import (
	"context"
	"net"
	"sync"
)

// Pipe is a net.Listener without a network: Dial in the same process makes its connections, in memory. Nothing is
// buffered between the two ends, so a slow client slows the server down as a full TCP window would.
type Pipe struct {
	waiting chan net.Conn
	closed  chan struct{}
	once    sync.Once
}

// NewPipe returns an open pipe, to be given to Serve.
func NewPipe() *Pipe {
	return &Pipe{waiting: make(chan net.Conn), closed: make(chan struct{})}
}

// Dial connects to the server that accepts from the pipe. It waits for that until ctx ends.
func (p *Pipe) Dial(ctx context.Context) (net.Conn, error) {
	client, server := net.Pipe()
	err := error(net.ErrClosed)
	select {
	case p.waiting <- server:
		return client, nil
	case <-p.closed:
	case <-ctx.Done():
		err = ctx.Err()
	}
	client.Close()
	server.Close()
	return nil, &net.OpError{Op: "dial", Net: "pipe", Addr: p.Addr(), Err: err}
}

// Accept returns the server's end of the next connection.
func (p *Pipe) Accept() (net.Conn, error) {
	select {
	case conn := <-p.waiting:
		return conn, nil
	case <-p.closed:
		return nil, &net.OpError{Op: "accept", Net: "pipe", Addr: p.Addr(), Err: net.ErrClosed}
	}
}

// Close ends Accept and Dial. Connections that exist go on.
func (p *Pipe) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

// Addr is the word "pipe", for both ends of every connection.
func (p *Pipe) Addr() net.Addr { return pipeAddr{} }

type pipeAddr struct{}

func (pipeAddr) Network() string { return "pipe" }
func (pipeAddr) String() string  { return "pipe" }
