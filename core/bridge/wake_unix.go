//go:build unix

package bridge

import "syscall"

// writeWakeByte wakes a host that watches the reading end. A full pipe is as good as a written byte: the host is about to
// wake anyway.
func writeWakeByte(fd int) { _, _ = syscall.Write(fd, []byte{1}) }
