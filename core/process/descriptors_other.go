//go:build !unix

package main

import (
	"os"

	"pyagent/core/bridge"
)

// serveHost serves the only connection there is: descriptors cannot be sent on this system.
func serveHost(b *bridge.Bridge) { newConnection(b, os.Stdin, os.Stdout, func() {}).serve() }
