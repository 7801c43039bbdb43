package fake

import (
	"errors"
	"io"
	"net"
	"net/http"
	"syscall"
	"time"

	"pyagent/core/guard"
)

// acceptPause is how long Serve waits when the process has no file descriptor left for a connection.
const acceptPause = 20 * time.Millisecond

// Serve answers the connections of a listener until Close, and then returns nil. It closes the listener. A listener
// that fails closes the server with it.
func (s *Server) Serve(listener net.Listener) error {
	if !s.hold(listener) {
		return nil
	}
	err := s.accept(listener)
	s.release(listener)
	s.mutex.Lock()
	wanted := s.closed
	s.mutex.Unlock()
	s.Close()
	if wanted {
		return nil
	}
	return err
}

func (s *Server) accept(listener net.Listener) error {
	for {
		conn, err := listener.Accept()
		switch {
		case errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE):
			time.Sleep(acceptPause)
		case err != nil:
			return err
		default:
			s.converse(conn)
		}
	}
}

// converse answers the requests of one connection, on a goroutine.
func (s *Server) converse(conn net.Conn) {
	s.mutex.Lock()
	s.connections++
	c := newConnection(conn, s.connections)
	s.mutex.Unlock()
	if !s.hold(c) {
		return
	}
	guard.Go(func() {
		defer s.release(c)
		for s.exchange(c) {
		}
	}, nothing)
}

// Close ends Serve and drops every connection, whatever it is in the middle of; it returns when all their goroutines
// are over. A closed server cannot serve again. The error is always nil.
func (s *Server) Close() error {
	s.mutex.Lock()
	s.closed = true
	for held := range s.open {
		held.Close()
	}
	s.mutex.Unlock()
	s.running.Wait()
	return nil
}

// hold registers what Close must close and wait for. On a closed server it closes that right away and returns false.
func (s *Server) hold(held io.Closer) bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.closed {
		held.Close()
		return false
	}
	s.open[held] = struct{}{}
	s.running.Add(1)
	return true
}

func (s *Server) release(held io.Closer) {
	held.Close()
	s.mutex.Lock()
	delete(s.open, held)
	s.mutex.Unlock()
	s.running.Done()
}

// exchange reads one request, answers it, and reports whether the connection is good for another one.
func (s *Server) exchange(c *connection) bool {
	r, err := c.next()
	if err != nil {
		return reject(c, err)
	}
	body, err := c.body(r, maxBody)
	to := newResponse(c.Conn, r)
	if err == nil && r.URL.Path == "/_fake/requests" {
		return s.observe(to, r) == nil && to.keep
	}
	out := &output{response: to, fields: make(http.Header), record: s.log.begin(r, body, c.number)}
	handle := func() error { return s.route(out, r, body) }
	if err != nil {
		to.keep = false
		handle = func() error { return out.fail(err) }
	} else {
		gone, stop := c.watch()
		defer stop()
		out.gone = gone
	}
	return s.conclude(c, out, handle)
}

// conclude runs a handler and ends its answer. The log knows of the end before the client does, so that a client which
// has seen the end of its answer finds it there.
func (s *Server) conclude(c *connection, out *output, handle func() error) bool {
	err := errLeft // unless the handler says otherwise, which one that panics does not
	guard.Call(func() { err = handle() })
	out.record.finish(err)
	if err == nil && out.response.end(out.last) != nil {
		err = errLeft
		out.record.finish(err)
	}
	switch {
	case err == errReset:
		c.reset()
	case err == nil && c.unread:
		c.drain()
	}
	return err == nil && out.response.keep
}

// reject answers what is no HTTP request, with the refusal that next returned for it. It is not in the log.
func reject(c *connection, err error) bool {
	if wrong, ok := err.(*refusal); ok {
		to := &response{to: c.Conn}
		body := errorBody(wrong.status, wrong.message, "")
		to.start(wrong.status, http.Header{"Content-Type": {applicationJSON}}, len(body))
		if to.end(body) == nil {
			c.drain()
		}
	}
	return false
}
