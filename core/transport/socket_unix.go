//go:build unix

package transport

import (
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// socket is a TCP connection that can be slept on in three ways. In Go's network poller a goroutine sleeps, as on every
// net.Conn. While the socket is held, the thread that reads sleeps in the system call; while it is lent besides, nobody does,
// and a Watch tells when there is something to read. The poller then knows nothing of the descriptor: otherwise its thread
// would wake with every answer as well.
//
// It is used by one request at a time; Close may come from anywhere.
type socket struct {
	*net.TCPConn       // in the poller; closed while the socket is held
	hurried      bool  // reads sleep here and not for long; otherwise they bring the socket back into the poller
	expired      bool  // a read deadline is over, while held
	failure      error // of a read while held
	blocking     bool  // reads of fd sleep, for at most Patience
	allowed      int   // what may be read while lent; -1: the last read found no more

	mu     sync.Mutex
	fd     int  // held; -1 in the poller
	inside bool // a thread is in a system call with fd
	lent   bool // Close leaves fd to whoever takes it back: until then a Watch knows it by its number
	closed bool
}

func newSocket(tcp *net.TCPConn) *socket { return &socket{TCPConn: tcp, fd: -1} }

// hold takes the connection's socket out of the poller.
func (c *conn) hold() bool {
	s, ok := c.raw.(*socket)
	return ok && (s.fd >= 0 || s.hold() == nil)
}

// release brings the connection's socket back into the poller. Where that fails the socket is closed.
func (c *conn) release() {
	if s, ok := c.raw.(*socket); ok && s.fd >= 0 {
		_ = s.release()
	}
}

// hurry sets whether reads from a held socket sleep in the system call, for at most Patience.
func (c *conn) hurry(on bool) {
	s := c.raw.(*socket)
	if s.hurried = on; on {
		s.block(true)
	}
}

// lend holds the connection's socket and makes its reads return at once; nil where that cannot be done.
func (c *conn) lend() *socket {
	if !canWatch || !c.hold() {
		return nil
	}
	s := c.raw.(*socket)
	s.block(false)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.lent, s.allowed = true, 0
	return s
}

// takeBack ends what lend began.
func (s *socket) takeBack() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lent = false
	if s.closed {
		_ = syscall.Close(s.fd)
	}
}

// block sets whether system calls with the held descriptor sleep.
func (s *socket) block(on bool) {
	if s.blocking == on {
		return
	}
	_, err := s.use(func(fd int) (int, error) { return 0, syscall.SetNonblock(fd, !on) })
	if err == nil {
		s.blocking = on
	}
}

func (s *socket) allow(bytes int) { s.allowed = bytes }

func (s *socket) spent() bool { return s.allowed == 0 }

func (s *socket) hold() error {
	raw, err := s.SyscallConn()
	if err != nil {
		return err
	}
	held := -1
	failure := raw.Control(func(fd uintptr) { held, err = duplicate(int(fd)) })
	if failure != nil {
		return failure
	}
	if err != nil {
		return err
	}
	patience := syscall.NsecToTimeval(int64(Patience))
	err = syscall.SetsockoptTimeval(held, syscall.SOL_SOCKET, syscall.SO_RCVTIMEO, &patience)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil && s.closed {
		err = net.ErrClosed
	}
	if err != nil {
		_ = syscall.Close(held)
		return err
	}
	s.fd, s.blocking = held, false
	_ = s.TCPConn.Close()
	return nil
}

// duplicate makes a second descriptor, which a process that is started meanwhile does not inherit.
func duplicate(fd int) (int, error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	second, err := syscall.Dup(fd)
	if err == nil {
		syscall.CloseOnExec(second)
	}
	return second, err
}

func (s *socket) release() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return net.ErrClosed
	}
	file := os.NewFile(uintptr(s.fd), "socket")
	s.fd = -1
	made, err := net.FileConn(file)
	_ = file.Close()
	if err != nil {
		return err // the poller's side is closed, so everything that follows fails as well
	}
	s.TCPConn = made.(*net.TCPConn)
	return s.SetKeepAliveConfig(keepAlive())
}

// use makes a system call with the held descriptor, which meanwhile is not closed.
func (s *socket) use(call func(fd int) (int, error)) (int, error) {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return 0, net.ErrClosed
	}
	s.inside = true
	s.mu.Unlock()
	n, err := call(s.fd)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inside = false
	if s.closed {
		if !s.lent {
			_ = syscall.Close(s.fd)
		}
		return 0, net.ErrClosed
	}
	return max(n, 0), err
}

func (s *socket) Read(p []byte) (int, error) {
	if s.failure != nil {
		return 0, s.failure
	}
	if s.expired {
		return 0, os.ErrDeadlineExceeded
	}
	if s.lent {
		return s.readLent(p)
	}
	if s.fd >= 0 && !s.hurried {
		if err := s.release(); err != nil {
			return 0, err
		}
	}
	if s.fd < 0 {
		return s.TCPConn.Read(p)
	}
	n, err := s.use(func(fd int) (int, error) { return syscall.Read(fd, p) })
	if err == syscall.EAGAIN || err == syscall.EINTR {
		return 0, os.ErrDeadlineExceeded // TLS goes on after it
	}
	if err == nil && n == 0 {
		err = io.EOF
	}
	s.failure = err
	return n, err
}

// readLent reads what is there, as far as that is allowed. A read that did not fill p was the last one: what comes after it is
// told by the Watch, and asking once more would be a system call for nothing.
func (s *socket) readLent(p []byte) (int, error) {
	if s.allowed <= 0 {
		return 0, errNotYet{}
	}
	n, err := s.use(func(fd int) (int, error) { return syscall.Read(fd, p) })
	if err == syscall.EAGAIN || err == syscall.EINTR {
		s.allowed = -1
		return 0, errNotYet{}
	}
	if s.allowed = max(s.allowed-n, 0); n < len(p) {
		s.allowed = -1
	}
	if err == nil && n == 0 {
		err = io.EOF
	}
	s.failure = err
	return n, err
}

func (s *socket) Write(p []byte) (int, error) {
	if s.fd < 0 {
		return s.TCPConn.Write(p)
	}
	sent := 0
	for sent < len(p) { // it does not wait: nothing is on its way on an idle connection, and the request is small
		n, err := s.use(func(fd int) (int, error) { return syscall.SendmsgN(fd, p[sent:], nil, nil, noSignal) })
		sent += n
		if err == syscall.EAGAIN && !s.blocking {
			s.block(true)
			defer s.block(false)
		} else if err != nil && err != syscall.EINTR {
			return sent, err
		}
	}
	return sent, nil
}

// Close ends whatever waits for the socket.
func (s *socket) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return net.ErrClosed
	}
	s.closed = true
	if s.fd < 0 {
		return closeForAll(s.TCPConn)
	}
	_ = syscall.Shutdown(s.fd, syscall.SHUT_RDWR)
	if s.inside || s.lent {
		return nil // the thread has woken, and closes it; or whoever takes it back does
	}
	return syscall.Close(s.fd)
}

// SetReadDeadline sets a deadline, of which only those that are over, and none, are known while the socket is held.
func (s *socket) SetReadDeadline(at time.Time) error {
	if s.fd < 0 {
		return s.TCPConn.SetReadDeadline(at)
	}
	s.expired = !at.IsZero()
	return nil
}

// quiet reports whether the socket has neither data nor an end waiting, without reading any of it.
func (s *socket) quiet() bool {
	peek := func(fd int) (int, error) {
		var one [1]byte
		n, _, err := syscall.Recvfrom(fd, one[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		return n, err
	}
	var err error
	if s.fd >= 0 {
		_, err = s.use(peek)
	} else if raw, failure := s.SyscallConn(); failure == nil {
		_ = raw.Read(func(fd uintptr) bool {
			_, err = peek(int(fd))
			return true
		})
	}
	return err == syscall.EAGAIN || err == syscall.EWOULDBLOCK
}
