// Package fake is a scripted model server that speaks OpenAI's chat completions, responses and embeddings, Anthropic's
// messages, and the chats of Gemini and Ollama.
// It is the vendor behind the "echo" provider, behind the tests of every language, and behind every fault that a client must
// survive: it answers what a script says, at the pace and with the failures that the script says, and it tells afterwards
// what it saw of the client.
//
// A request brings its script in the key "fake" of its JSON body, in the header X-Fake-Script, or in a path that begins
// with /script/ and the percent-encoded JSON. GET /_fake/requests lists the requests of the past, DELETE
// /_fake/requests forgets them.
package fake

import (
	"io"
	"net/http"
	"strings"
	"sync"
)

// Options configure a server.
type Options struct {
	Script *Script // for requests that bring none; nil repeats the user's last message
}

// Server is the model server. It speaks HTTP/1.1 by its own means (serve.go, conn.go, wire.go): a script decides about
// every single write to the socket and about the way in which a connection ends, and net/http's server decides both by
// itself.
type Server struct {
	script *Script
	log    observations

	running sync.WaitGroup // what open holds, each on a goroutine of its own

	mutex       sync.Mutex
	closed      bool
	open        map[io.Closer]struct{} // listeners and connections
	counts      map[string]int         // requests seen with each key of a script
	connections int                    // accepted so far
}

// maxKeys is how many keys are counted before all are forgotten.
const maxKeys = 10000

// New returns a server, ready for use.
func New(options Options) *Server {
	s := &Server{script: options.Script, open: make(map[io.Closer]struct{}), counts: make(map[string]int)}
	if s.script == nil {
		s.script = new(Script)
	}
	return s
}

// route finds the script of a request and the endpoint that it is for.
func (s *Server) route(out *output, r *http.Request, body []byte) error {
	script, path, err := scriptInPath(r.URL.EscapedPath())
	if err != nil {
		return out.refuse(http.StatusBadRequest, err.Error(), "")
	}
	path = strings.TrimSuffix(path, "/")
	switch {
	case strings.HasSuffix(path, "/chat/completions"):
		return s.endpoint(out, r, http.MethodPost, script, body, s.chat)
	case strings.HasSuffix(path, "/messages"):
		return s.endpoint(out, r, http.MethodPost, script, body, s.messages)
	case strings.HasSuffix(path, "/responses"):
		return s.endpoint(out, r, http.MethodPost, script, body, s.responses)
	case strings.HasSuffix(path, ":generateContent"), strings.HasSuffix(path, ":streamGenerateContent"):
		return s.endpoint(out, r, http.MethodPost, script, body, s.generateContent)
	case strings.HasSuffix(path, "/api/chat"):
		return s.endpoint(out, r, http.MethodPost, script, body, s.ollama)
	case strings.HasSuffix(path, "/embeddings"):
		return s.endpoint(out, r, http.MethodPost, script, body, s.embeddings)
	case strings.HasSuffix(path, "/models"):
		return s.endpoint(out, r, http.MethodGet, script, nil, s.models)
	case strings.Contains(path, "/models/"):
		return s.endpoint(out, r, http.MethodGet, script, nil, s.model)
	}
	return out.refuse(http.StatusNotFound, "Unknown request URL: "+r.Method+" "+path+
		". It is POST .../chat/completions, POST .../responses, POST .../messages, POST .../models/M:generateContent, "+
		"POST .../api/chat, POST .../embeddings or GET .../models.", "unknown_url")
}

// endpoint answers a request to a known path, by way of the failures that every endpoint shares. HEAD is GET here: its
// answer leaves out the body by itself.
func (s *Server) endpoint(out *output, r *http.Request, method string, inPath *Script, body []byte,
	answer func(*output, *Script, *question) error) error {
	if r.Method != method && !(method == http.MethodGet && r.Method == http.MethodHead) {
		out.fields.Set("Allow", allowed(method))
		message := "Not allowed to " + r.Method + " on " + r.URL.Path + " (allowed: " + allowed(method) + ")."
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

func allowed(method string) string {
	if method == http.MethodGet {
		return "GET, HEAD"
	}
	return method
}
