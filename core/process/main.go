// Command process is the core as a program of its own, for hosts that cannot load a library: it serves the functions of
// package bridge on its standard input and output. docs/abi.md describes the messages.
//
// It lives as long as its host: the end of its input is its own end. Signals are the host's business, as everywhere in the
// core: who starts this program blocks those that it shall not get.
package main

import (
	"fmt"
	"os"

	"pyagent/core/bridge"
)

func main() {
	if len(os.Args) != 2 || os.Args[1] != "serve" {
		fmt.Fprintf(os.Stderr, "This is the core of pyagent %s, ABI %d, for programs that cannot load it as a library.\n"+
			"It is started as `%s serve` and speaks to its host on its standard input and output: see docs/abi.md.\n",
			bridge.Version, bridge.ABIVersion, os.Args[0])
		os.Exit(2)
	}
	core := bridge.New()
	core.PolledByGoroutines()
	if os.Getenv("GOMAXPROCS") == "" {
		core.ManageProcessors()
	}
	serveHost(core)
}
