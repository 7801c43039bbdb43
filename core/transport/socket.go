package transport

import (
	"context"
	"net"
	"time"
)

func dialSocket(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := net.Dialer{Control: limitSilence, KeepAliveConfig: keepAlive()}
	made, err := dialer.DialContext(ctx, network, address)
	if tcp, ok := made.(*net.TCPConn); ok {
		return newSocket(tcp), nil
	}
	return made, err
}

func keepAlive() net.KeepAliveConfig {
	return net.KeepAliveConfig{
		Enable: true, Idle: probeEvery, Interval: probeEvery, Count: int(deadAfter/probeEvery) - 1,
	}
}

// closeForAll ends a connection for everybody. A process that was forked off holds descriptors of the same connection, and
// while it lives, closing ours alone tells the server nothing.
func closeForAll(tcp *net.TCPConn) error {
	_ = tcp.SetReadDeadline(time.Unix(1, 0)) // so that a reader does not take what follows for the server's end
	_ = tcp.CloseWrite()
	_ = tcp.CloseRead()
	return tcp.Close()
}
