// Command process is the core as a program of its own, for hosts that cannot load a library: it serves the functions of
// package bridge on its standard input and output. docs/abi.md describes the messages.
//
// It lives as long as its host: the end of its input is its own end. Ctrl-C in a terminal, and what else is sent to all
// processes of a group or of a service, is for the host to act on.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"pyagent/core/bridge"
)

func main() {
	if len(os.Args) != 2 || os.Args[1] != "serve" {
		fmt.Fprintf(os.Stderr, "This is the core of pyagent %s, ABI %d, for programs that cannot load it as a library.\n"+
			"It is started as `%s serve` and speaks to its host on its standard input and output: see docs/abi.md.\n",
			bridge.Version, bridge.ABIVersion, os.Args[0])
		os.Exit(2)
	}
	signal.Ignore(syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM)
	core := bridge.New()
	core.PolledByGoroutines()
	if os.Getenv("GOMAXPROCS") == "" {
		core.ManageProcessors()
	}
	serveHost(core)
}
