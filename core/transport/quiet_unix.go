//go:build unix

package transport

import "syscall"

// quiet reports whether a socket has neither data nor an end waiting, without reading any of it.
func quiet(socket syscall.Conn) bool {
	raw, err := socket.SyscallConn()
	if err != nil {
		return false
	}
	silent := false
	err = raw.Read(func(fd uintptr) bool {
		var one [1]byte
		_, _, failure := syscall.Recvfrom(int(fd), one[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		silent = failure == syscall.EAGAIN || failure == syscall.EWOULDBLOCK
		return true
	})
	return err == nil && silent
}
