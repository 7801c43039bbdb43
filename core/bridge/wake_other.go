//go:build !unix

package bridge

// writeWakeByte does nothing: hosts wait in a poll where they cannot watch a pipe.
func writeWakeByte(int) {}
