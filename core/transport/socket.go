package transport

import (
	"context"
	"net"
	"time"
)

// socket is a TCP connection that Close ends for everybody. A process that was forked off holds descriptors of the same
// connection, and while it lives, closing ours alone tells the server nothing.
type socket struct{ *net.TCPConn }

func (s socket) Close() error {
	_ = s.SetReadDeadline(time.Unix(1, 0)) // so that a reader does not take what follows for the server's end
	_ = s.CloseWrite()
	_ = s.CloseRead()
	return s.TCPConn.Close()
}

func dialSocket(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := net.Dialer{Control: limitSilence, KeepAliveConfig: net.KeepAliveConfig{
		Enable: true, Idle: probeEvery, Interval: probeEvery, Count: int(deadAfter/probeEvery) - 1,
	}}
	made, err := dialer.DialContext(ctx, network, address)
	if tcp, ok := made.(*net.TCPConn); ok {
		return socket{tcp}, nil
	}
	return made, err
}
