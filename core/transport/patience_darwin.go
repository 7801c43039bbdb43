package transport

import "syscall"

// noSignal is a flag of Linux's. Here an option of the socket does the same.
const noSignal = 0

// limitSilence leaves it to the kernel how long it sends what nobody acknowledges, and keeps a write to a connection that the
// server has left from sending SIGPIPE to the host's thread.
func limitSilence(_, _ string, socket syscall.RawConn) error {
	return socket.Control(func(fd uintptr) {
		_ = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_NOSIGPIPE, 1)
	})
}
