//go:build !linux && !darwin

package transport

import "syscall"

// noSignal is a flag of Linux's.
const noSignal = 0

// limitSilence leaves it to the kernel how long it sends what nobody acknowledges.
func limitSilence(_, _ string, _ syscall.RawConn) error { return nil }
