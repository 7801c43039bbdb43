//go:build unix

package main

import (
	"io"
	"net"
	"os"
	"syscall"

	"pyagent/core/bridge"
	"pyagent/core/guard"
	"pyagent/core/llm"
)

// serveHost serves the first connection, which is the standard input and output, until the host closes it or ends. Where
// the input is a Unix socket, it is the output as well, and more connections may come through it.
func serveHost(b *bridge.Bridge) {
	var first net.Conn
	if input, err := os.Stdin.Stat(); err == nil && input.Mode()&os.ModeSocket != 0 {
		first, _ = net.FileConn(os.Stdin) // which would spoil a pipe: it is not asked about one
	}
	socket, ok := first.(*net.UnixConn)
	if !ok { // a pair of pipes
		newConnection(b, os.Stdin, os.Stdout, func() {}).serve()
		return
	}
	arriving := &arriving{socket: socket}
	newConnection(b, arriving, socket, func() { arriving.serveNext(b) }).serve()
}

// arriving reads from a Unix socket, and keeps the descriptors that come with the bytes.
type arriving struct {
	socket *net.UnixConn
	room   [64]byte // of one control message with one descriptor, and more
	files  []int
}

func (a *arriving) Read(p []byte) (int, error) {
	n, control, _, _, err := a.socket.ReadMsgUnix(p, a.room[:])
	if control > 0 {
		a.keep(a.room[:control])
	}
	if n == 0 && err == nil {
		err = io.EOF
	}
	return n, err
}

func (a *arriving) keep(control []byte) {
	messages, err := syscall.ParseSocketControlMessage(control)
	if err != nil {
		return
	}
	for i := range messages {
		if files, err := syscall.ParseUnixRights(&messages[i]); err == nil {
			a.files = append(a.files, files...)
		}
	}
}

// serveNext serves the connection whose descriptor came first.
func (a *arriving) serveNext(b *bridge.Bridge) {
	if len(a.files) == 0 {
		return
	}
	file := os.NewFile(uintptr(a.files[0]), "connection")
	a.files = a.files[1:]
	conn, err := net.FileConn(file)
	_ = file.Close()
	if err != nil {
		return
	}
	guard.Go(newConnection(b, conn, conn, func() {}).serve, func(*llm.Error) { _ = conn.Close() })
}
