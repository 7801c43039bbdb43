package transport

import "syscall"

// Numbers of Windows' sockets. syscall has names like ECONNRESET there too, but they are of Go's own making: no system
// call ever fails with them.
const (
	timedOut syscall.Errno = 10060
	rejected syscall.Errno = 10061
)

// isRefused reports that nobody listens at an address.
func isRefused(failure error) bool { return isErrno(failure, rejected) }

// isReset reports that the other side, or Windows itself, has thrown a connection away.
func isReset(failure error) bool {
	return isErrno(failure, syscall.WSAECONNRESET, syscall.WSAECONNABORTED)
}

// isDead reports that nothing is heard of the other side any more.
func isDead(failure error) bool { return isErrno(failure, timedOut) }
