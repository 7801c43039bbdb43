package transport

import "io"

// A connection can be lent to threads of the host. Its socket then is outside Go's network poller, reading never waits, and a
// Watch says when there is something to read. A delta so reaches the host without a goroutine, and without the wake-ups of the
// threads that would carry it. Whatever takes more than reading on is left, as it stands, to the goroutine that lent it.

// errNotYet is a read from a lent connection that would have to wait, and may be repeated: TLS goes on after it.
type errNotYet struct{}

func (errNotYet) Error() string   { return "nothing has arrived yet" }
func (errNotYet) Timeout() bool   { return true }
func (errNotYet) Temporary() bool { return true }

// IsNotYet reports whether a read ended because nothing more is there while the connection is lent.
func IsNotYet(failure error) bool { return failure == errNotYet{} }

// Loan is a connection on loan. Its methods are for whoever has it at the time, Quiet is for anybody.
type Loan struct {
	body   *body
	socket *socket
}

// Lend takes the connection below a body out of Go's poller; nil where that is not possible: below a body that is compressed,
// of HTTP/2, or at its end, and on systems without Watch.
func Lend(from io.Reader) *Loan {
	b, ok := from.(*body)
	if !ok || b.err != nil {
		return nil
	}
	socket := b.conn.lend()
	if socket == nil {
		return nil
	}
	b.loan = &Loan{body: b, socket: socket}
	return b.loan
}

// Allow lets the reads that follow take about so many bytes from the socket, until one finds no more.
func (l *Loan) Allow(bytes int) { l.socket.allow(bytes) }

// Spent reports whether all that was allowed has been read: there is probably more.
func (l *Loan) Spent() bool { return l.socket.spent() }

// Quiet reports whether the socket has nothing to read.
func (l *Loan) Quiet() bool { return l.socket.quiet() }

// Return ends the loan: reads wait again, and an answer that was read to its end gives its connection back.
func (l *Loan) Return() {
	l.socket.takeBack()
	l.body.loan = nil
	if l.body.err == io.EOF {
		l.body.settle()
	}
}
