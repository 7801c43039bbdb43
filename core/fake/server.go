// Package fake is a scripted model server that speaks OpenAI's chat completions. It is the vendor behind the "echo"
// provider, behind the tests of every language, and behind every fault that a client must survive: it answers what a
// script says, at the pace and with the failures that the script says, and it tells afterwards what it saw of the
// client.
//
// A request brings its script in the key "fake" of its JSON body, in the header X-Fake-Script, or in a path that begins
// with /script/ and the percent-encoded JSON. GET /_fake/requests lists the requests of the past, DELETE
// /_fake/requests forgets them.
package fake

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Options configure a server.
type Options struct {
	Script *Script // for requests that bring none; nil repeats the user's last message
}

// Server is the model server: an http.Handler for any HTTP server, or a whole one with Serve. It starts no goroutine of
// its own; all waiting is done by the handlers, and ends when their client leaves or the server is closed.
type Server struct {
	script *Script
	log    observations
	http   http.Server
	close  context.CancelFunc // ends the waiting of every handler that runs under Serve

	mutex       sync.Mutex
	counts      map[string]int // requests seen with each key of a script
	connections int            // accepted so far
}

// maxBody bounds a request, and maxKeys how many keys are counted before all are forgotten.
const (
	maxBody = 256 << 20
	maxKeys = 10000
)

// closeGrace is how long Close waits for connections that are in use, before it drops them.
const closeGrace = 200 * time.Millisecond

// New returns a server, ready for use.
func New(options Options) *Server {
	s := &Server{script: options.Script, counts: make(map[string]int)}
	if s.script == nil {
		s.script = new(Script)
	}
	base, cancel := context.WithCancel(context.Background())
	s.close = cancel
	s.http.Handler = s
	s.http.ErrorLog = log.New(io.Discard, "", 0) // the faults are on purpose
	s.http.BaseContext = func(net.Listener) context.Context { return base }
	s.http.ConnContext = s.number
	return s
}

// Serve answers the connections of a listener until Close, and then returns nil. It closes the listener.
func (s *Server) Serve(listener net.Listener) error {
	err := s.http.Serve(coalescing{listener})
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// Close ends Serve: stalled and delayed answers break off, idle connections are closed, and what is still in use after
// a moment is dropped. A closed server cannot serve again.
func (s *Server) Close() error {
	s.close()
	ctx, cancel := context.WithTimeout(context.Background(), closeGrace)
	defer cancel()
	if s.http.Shutdown(ctx) == nil {
		return nil
	}
	return s.http.Close()
}

// ServeHTTP answers one request. A client that leaves, and a script that wants the connection cut, end in
// http.ErrAbortHandler: net/http then drops the connection instead of completing the answer.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/_fake/requests" {
		s.observe(w, r)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	connection, _ := r.Context().Value(connectionKey{}).(*connection)
	out := &output{writer: w, controller: http.NewResponseController(w), context: r.Context(), connection: connection}
	out.record = s.log.begin(r, body, connection)
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		message := fmt.Sprintf("The body of the request is larger than %d bytes.", maxBody)
		err = out.refuse(http.StatusRequestEntityTooLarge, message, "")
	case err != nil:
		err = errLeft
	default:
		err = s.answer(out, r, body)
	}
	out.record.finish(err)
	if out.hijacked != nil {
		drop(out.hijacked, err == errLeft) // a body without a length would otherwise look complete
	} else if err != nil {
		panic(http.ErrAbortHandler)
	}
}

// answer finds the script of a request and the endpoint that it is for.
func (s *Server) answer(out *output, r *http.Request, body []byte) error {
	script, path, err := scriptInPath(r.URL.EscapedPath())
	if err != nil {
		return out.refuse(http.StatusBadRequest, err.Error(), "")
	}
	path = strings.TrimSuffix(path, "/")
	switch {
	case strings.HasSuffix(path, "/chat/completions"):
		return s.endpoint(out, r, http.MethodPost, script, body, s.chat)
	case strings.HasSuffix(path, "/models"):
		return s.endpoint(out, r, http.MethodGet, script, nil, s.models)
	case strings.Contains(path, "/models/"):
		return s.endpoint(out, r, http.MethodGet, script, nil, s.model)
	}
	return out.refuse(http.StatusNotFound, "Unknown request URL: "+r.Method+" "+path+
		". It is POST .../chat/completions or GET .../models.", "unknown_url")
}

// endpoint answers a request to a known path, by way of the failures that every endpoint shares.
func (s *Server) endpoint(out *output, r *http.Request, method string, inPath *Script, body []byte,
	answer func(*output, *Script, *question) error) error {
	if r.Method != method {
		out.writer.Header().Set("Allow", method)
		message := "Not allowed to " + r.Method + " on " + r.URL.Path + " (allowed: " + method + ")."
		return out.refuse(http.StatusMethodNotAllowed, message, "")
	}
	asked := &question{path: r.URL.Path}
	if method == http.MethodPost {
		if err := asked.parse(body); err != nil {
			return out.refuse(http.StatusBadRequest, err.Error(), "")
		}
	}
	script, err := s.choose(asked.Fake, r.Header.Get("X-Fake-Script"), inPath)
	if err != nil {
		return out.refuse(http.StatusBadRequest, err.Error(), "")
	}
	out.script = script
	if err := out.sleep(seconds(script.HeaderDelay)); err != nil {
		return err
	}
	if script.Raw != nil {
		return out.raw(asked.Stream)
	}
	if script.fails() {
		return out.failure()
	}
	return answer(out, script, asked)
}
