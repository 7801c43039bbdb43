//go:build !unix

package guard

import "pyagent/core/llm"

// MakePoller has nothing to do where the poller needs no descriptor.
func MakePoller() *llm.Error { return nil }
