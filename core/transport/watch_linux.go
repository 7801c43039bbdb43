package transport

import (
	"encoding/binary"
	"sync"
	"syscall"
	"time"
)

// canWatch says that this system has Watch.
const canWatch = true

// Watch tells which of any number of lent connections have something to read. Its descriptor is readable when there are any,
// so it can itself be watched: by the event loop of a host, for all of its streams together.
//
// One thread at a time calls Wait; everything else may come from anywhere.
type Watch struct {
	epoll, alarm int
	events       [watched]syscall.EpollEvent // of the thread that waits
	ready        []Reader                    // likewise

	mu      sync.Mutex
	readers map[int32]Reader // by descriptor
	inside  bool             // a thread waits
	closed  bool
}

// watched is how many connections are told of at a time. The others are first the next time.
const watched = 64

// Reader is told when its connection has something to read.
type Reader interface{ Ready() }

// edge makes the alarm tell of each ring once, so that nobody has to read it. syscall.EPOLLET is a negative number.
const edge = 1 << 31

// NewWatch makes a watch over nothing; nil where the system has none.
func NewWatch() *Watch {
	epoll, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return nil
	}
	alarm, _, failed := syscall.RawSyscall(syscall.SYS_EVENTFD2, 0, syscall.O_CLOEXEC|syscall.O_NONBLOCK, 0)
	if failed != 0 {
		_ = syscall.Close(epoll)
		return nil
	}
	w := &Watch{epoll: epoll, alarm: int(alarm), readers: make(map[int32]Reader)}
	event := syscall.EpollEvent{Events: syscall.EPOLLIN | edge, Fd: int32(alarm)}
	if syscall.EpollCtl(epoll, syscall.EPOLL_CTL_ADD, int(alarm), &event) != nil {
		w.Close()
		return nil
	}
	return w
}

// Descriptor is readable when Wait would find something.
func (w *Watch) Descriptor() int { return w.epoll }

// Add tells reader from now on, and as long as it does not read, when the connection has something to read or has ended.
func (w *Watch) Add(loan *Loan, reader Reader) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	fd := int32(loan.socket.fd)
	event := syscall.EpollEvent{Events: syscall.EPOLLIN | syscall.EPOLLRDHUP, Fd: fd}
	if w.closed || syscall.EpollCtl(w.epoll, syscall.EPOLL_CTL_ADD, int(fd), &event) != nil {
		return false
	}
	w.readers[fd] = reader
	return true
}

// Remove forgets a connection. Its reader may be told once more, by a Wait that runs.
func (w *Watch) Remove(loan *Loan) {
	w.mu.Lock()
	defer w.mu.Unlock()
	fd := int32(loan.socket.fd)
	if delete(w.readers, fd); !w.closed {
		_ = syscall.EpollCtl(w.epoll, syscall.EPOLL_CTL_DEL, int(fd), nil)
	}
}

// Watched is how many connections are watched.
func (w *Watch) Watched() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.readers)
}

// Ring lets the running Wait, or the next one, return.
func (w *Watch) Ring() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.closed {
		w.ring()
	}
}

func (w *Watch) ring() { _, _ = syscall.Write(w.alarm, binary.NativeEndian.AppendUint64(nil, 1)) }

// Wait waits until a connection has something to read, somebody rings, or the time is over; < 0 is for ever. The readers that
// it returns are valid until the next Wait. It may return early, and with none.
func (w *Watch) Wait(timeout time.Duration) []Reader {
	w.mu.Lock()
	if w.closed {
		w.mu.Unlock()
		return nil
	}
	w.inside = true
	w.mu.Unlock()
	n, _ := syscall.EpollWait(w.epoll, w.events[:], milliseconds(timeout))
	w.mu.Lock()
	defer w.mu.Unlock()
	w.inside = false
	if w.closed {
		w.free()
		return nil
	}
	clear(w.ready)
	w.ready = w.ready[:0]
	for i := range max(n, 0) {
		if reader := w.readers[w.events[i].Fd]; reader != nil {
			w.ready = append(w.ready, reader)
		}
	}
	return w.ready
}

// milliseconds rounds up: to wake before the time is over would be to wake twice.
func milliseconds(timeout time.Duration) int {
	if timeout < 0 {
		return -1
	}
	return int(min((timeout+time.Millisecond-1)/time.Millisecond, 1<<30))
}

// Close ends the watch, and whatever waits in it.
func (w *Watch) Close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return
	}
	w.closed = true
	if w.inside {
		w.ring() // the thread wakes, and frees it
	} else {
		w.free()
	}
}

func (w *Watch) free() {
	_ = syscall.Close(w.epoll)
	_ = syscall.Close(w.alarm)
}
