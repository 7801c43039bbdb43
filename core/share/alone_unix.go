//go:build unix

package share

import (
	"errors"
	"os"
	"syscall"
)

// openAlone opens or makes a file and locks it. The lock is the open file's: it ends when that is closed, at the latest with the
// process. A process forked at this very moment would keep it, so giveBack unlocks first.
func openAlone(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	if err == nil {
		return file, nil
	}
	_ = file.Close()
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, errBusy
	}
	return nil, &os.PathError{Op: "flock", Path: path, Err: err}
}

func giveBack(file *os.File) {
	_ = syscall.Flock(int(file.Fd()), syscall.LOCK_UN)
	_ = file.Close()
}
