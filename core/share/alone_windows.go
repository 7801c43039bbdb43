package share

import (
	"errors"
	"os"
	"syscall"
)

// sharingViolation is what Windows says of a file that another process has opened for itself alone.
const sharingViolation = syscall.Errno(32)

// openAlone opens or makes a file that nobody else can open meanwhile. That ends when it is closed, at the latest with the process.
func openAlone(path string) (*os.File, error) {
	name, err := syscall.UTF16PtrFromString(path)
	if err != nil {
		return nil, err
	}
	handle, err := syscall.CreateFile(name, syscall.GENERIC_READ|syscall.GENERIC_WRITE, 0, nil, syscall.OPEN_ALWAYS,
		syscall.FILE_ATTRIBUTE_NORMAL, 0)
	if errors.Is(err, sharingViolation) {
		return nil, errBusy
	}
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	return os.NewFile(uintptr(handle), path), nil
}

func giveBack(file *os.File) { _ = file.Close() }
