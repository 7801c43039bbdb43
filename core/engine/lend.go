package engine

import (
	"sync"
	"time"

	"pyagent/core/guard"
	"pyagent/core/llm"
	"pyagent/core/stream"
	"pyagent/core/transport"
)

// A stream that is read slowly, as models write, is lent to the host: whoever polls reads its socket, cuts and decodes what has
// come, and has the frames in hand, without a goroutine and the two wake-ups that it costs. The goroutine of the call keeps
// everything else: it sleeps until the stream is at its end or needs something besides reading on (a wait for a host that is
// behind, clocks, cancelling), then takes it back and goes on from where it stands.

// Watch is where the streams of a host are waited for, and Reader what it tells.
type (
	Watch  = transport.Watch
	Reader = transport.Reader
)

// NewWatch makes a watch; nil where the system has none.
func NewWatch() *Watch { return transport.NewWatch() }

// Borrower is a Sink whose host can read streams by itself.
type Borrower interface {
	// Borrow takes a stream on, and reports whether it did.
	Borrow(loan *Loan) bool
	// GiveBack ends that. It is called once for each stream that was taken on.
	GiveBack(loan *Loan)
}

const (
	// slowRead is how long a stream must be silent to be lent. One that never pauses is faster with two threads at work.
	slowRead = 500 * time.Microsecond
	// loanBytes is how much of one stream is read at a time before the others have their turn.
	loanBytes = 32 << 10
)

// lending is how an answerReader stands with the host.
type lending struct {
	lends  bool // the host borrows, and the connection can be lent
	slow   bool // the last read waited
	loan   *transport.Loan
	paused bool // what is there has been read, and the stream goes on
	full   bool // the host must first take what is there
}

// read reads the body. Before it waits on a slow stream it gets ready to be lent; then it does not wait any more.
func (r *answerReader) read(p []byte) (int, error) {
	if !r.lends {
		return r.body.Read(p)
	}
	if r.loan == nil && r.slow {
		if r.loan = transport.Lend(r.body); r.loan != nil {
			r.loan.Allow(loanBytes)
		}
		r.lends = r.loan != nil
	}
	if r.loan == nil {
		began := time.Now()
		n, err := r.body.Read(p)
		r.slow = time.Since(began) > slowRead
		return n, err
	}
	n, err := r.body.Read(p)
	if transport.IsNotYet(err) {
		r.paused, err = true, stream.ErrNotYet
	}
	return n, err
}

// Loan is a stream in the hands of the host.
type Loan struct {
	reader *answerReader
	events func() *llm.Error // reads events as far as they have come

	mu    sync.Mutex
	over  bool          // nobody but the goroutine reads any more
	ended bool          // the stream did
	err   *llm.Error    // how
	back  chan struct{} // closed when the host has no more use for it
}

// lend reads a stream to its end with events, and lends it to the host while it is slow.
func (x *exchange) lend(reader *answerReader, events func() *llm.Error) *llm.Error {
	host, ok := x.call.sink.(Borrower)
	reader.lends = ok
	for {
		loan := &Loan{reader: reader, events: events, back: make(chan struct{})}
		loan.read()
		if !loan.ended && !reader.full && !reader.loan.Spent() {
			if host.Borrow(loan) {
				x.await(loan)
				host.GiveBack(loan)
			} else {
				reader.lends = false
			}
		}
		reader.takeBack()
		if loan.ended {
			return loan.err
		}
	}
}

// await sleeps while the host has the stream.
func (x *exchange) await(loan *Loan) {
	socket := loan.reader.loan
	x.watch.watchHost(func() bool { return !socket.Quiet() })
	select {
	case <-loan.back:
	case <-x.ctx.Done():
	}
	x.watch.watchHost(nil)
	loan.mu.Lock()
	loan.over = true
	loan.mu.Unlock()
}

// takeBack ends the loan of the connection, if there is one.
func (r *answerReader) takeBack() {
	if r.loan != nil {
		r.loan.Return()
		r.loan, r.full, r.slow = nil, false, false
	}
}

// Join lets a watch tell the stream when it has something to read.
func (l *Loan) Join(w *Watch) bool { return w.Add(l.reader.loan, l) }

// Leave ends that.
func (l *Loan) Leave(w *Watch) { w.Remove(l.reader.loan) }

// Ready reads and decodes what has come. It is for the thread that polls, and does not wait.
func (l *Loan) Ready() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over {
		return
	}
	l.reader.loan.Allow(loanBytes)
	if failed := guard.Call(l.read); failed != nil {
		l.ended, l.err = true, failed
	}
	if l.ended || l.reader.full || l.reader.loan.Spent() {
		l.over = true
		close(l.back)
	}
}

// read reads events as far as they have come.
func (l *Loan) read() {
	l.reader.paused = false
	l.err = l.events()
	l.ended = !l.reader.paused
}
