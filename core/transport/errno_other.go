//go:build !windows

package transport

import "syscall"

// isRefused reports that nobody listens at an address.
func isRefused(failure error) bool { return isErrno(failure, syscall.ECONNREFUSED) }

// isReset reports that the other side has thrown a connection away.
func isReset(failure error) bool { return isErrno(failure, syscall.ECONNRESET, syscall.EPIPE) }

// isDead reports that nothing is heard of the other side any more.
func isDead(failure error) bool { return isErrno(failure, syscall.ETIMEDOUT) }
