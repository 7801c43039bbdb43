//go:build unix

package guard

import (
	"errors"
	"syscall"
	"time"

	"pyagent/core/llm"
)

// MakePoller makes Go's network poller, which otherwise comes with the first timer or socket. The runtime ends the process where
// there is no descriptor left for it, so whether there is one is found out before.
func MakePoller() *llm.Error {
	if err := reserve(3); errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) {
		return &llm.Error{
			Kind: llm.KindConnection, Retryable: true,
			Message: "no file descriptor is left: " + err.Error() + "; close some, or raise the limit (ulimit -n)",
		}
	}
	time.AfterFunc(time.Hour, func() {}).Stop()
	return nil
}

// reserve opens so many descriptors at once, and closes them.
func reserve(count int) error {
	if count == 0 {
		return nil
	}
	descriptor, err := syscall.Open("/dev/null", syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer func() { _ = syscall.Close(descriptor) }()
	return reserve(count - 1)
}
