//go:build !linux

package transport

import "time"

// canWatch says that this system has no Watch. Streams stay with their goroutines here.
const canWatch = false

// Watch tells which of many lent connections have something to read. There is none here.
type Watch struct{}

// Reader is told when its connection has something to read.
type Reader interface{ Ready() }

// NewWatch returns nil.
func NewWatch() *Watch { return nil }

// Descriptor is readable when Wait would find something.
func (w *Watch) Descriptor() int { return -1 }

// Add does nothing.
func (w *Watch) Add(*Loan, Reader) bool { return false }

// Watched is 0.
func (w *Watch) Watched() int { return 0 }

// Remove does nothing.
func (w *Watch) Remove(*Loan) {}

// Ring does nothing.
func (w *Watch) Ring() {}

// Wait does nothing.
func (w *Watch) Wait(time.Duration) []Reader { return nil }

// Close does nothing.
func (w *Watch) Close() {}
