package transport

import "syscall"

// noSignal keeps a write to a connection that the server has left from sending SIGPIPE to the host's thread.
const noSignal = syscall.MSG_NOSIGNAL

// limitSilence makes the kernel give a connection up when what was sent is not acknowledged for deadAfter. Keep-alive finds
// a dead connection only while nothing is on its way.
func limitSilence(_, _ string, socket syscall.RawConn) error {
	const userTimeout = 0x12 // TCP_USER_TIMEOUT, see tcp(7); package syscall does not have it on every processor
	return socket.Control(func(fd uintptr) {
		// A kernel without it serves the connection all the same.
		_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, userTimeout, int(deadAfter.Milliseconds()))
	})
}
