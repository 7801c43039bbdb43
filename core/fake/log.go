package fake

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// The log forgets its oldest requests beyond this many, and beyond this many bytes of bodies.
const (
	maxRecords   = 10000
	maxLogBodies = 64 << 20
)

// The states of a request in the log.
const (
	stateOpen         = "open"
	stateFinished     = "finished"     // the server sent all that the script says
	stateDisconnected = "disconnected" // the client left before that
)

// observations is what the server saw of its clients.
type observations struct {
	mutex   sync.Mutex
	records []*record // oldest first
	bodies  int       // bytes
	started int       // requests so far
}

// record is one request. It is complete from the start but for deltas, state and ended.
type record struct {
	log     *observations
	seen    observation
	body    []byte
	deltas  atomic.Int64
	state   string    // guarded by log.mutex
	ended   time.Time // guarded by log.mutex
	started time.Time
}

// observation is a request as GET /_fake/requests tells it. Times are in seconds since 1970.
type observation struct {
	ID         int               `json:"id"`
	Method     string            `json:"method"`
	Path       string            `json:"path"`
	Headers    map[string]string `json:"headers"` // names in lower case
	Body       any               `json:"body"`    // JSON, or text if it is none
	Connection int               `json:"connection"`
	Deltas     int64             `json:"deltas_sent"`
	State      string            `json:"state"`
	Started    float64           `json:"started"`
	Ended      *float64          `json:"ended"`
	Remote     string            `json:"remote"`
}

func (l *observations) begin(r *http.Request, body []byte, connection int) *record {
	headers := map[string]string{"host": r.Host}
	for name, values := range r.Header {
		headers[strings.ToLower(name)] = strings.Join(values, ", ")
	}
	added := &record{log: l, body: body, state: stateOpen, started: time.Now()}
	added.seen = observation{Method: r.Method, Path: r.URL.RequestURI(), Headers: headers,
		Connection: connection, Remote: r.RemoteAddr}

	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.started++
	added.seen.ID = l.started
	l.records = append(l.records, added)
	l.bodies += len(body)
	for len(l.records) > maxRecords || l.bodies > maxLogBodies && len(l.records) > 1 {
		l.bodies -= len(l.records[0].body)
		l.records[0] = nil
		l.records = l.records[1:]
	}
	return added
}

// finish notes how a request ended.
func (r *record) finish(err error) {
	r.log.mutex.Lock()
	defer r.log.mutex.Unlock()
	r.ended = time.Now()
	r.state = stateFinished
	if err == errLeft {
		r.state = stateDisconnected
	}
}

// list returns what is known of all requests, oldest first.
func (l *observations) list() []observation {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	list := make([]observation, 0, len(l.records))
	for _, r := range l.records {
		seen := r.seen
		seen.Body = string(r.body)
		if json.Valid(r.body) {
			seen.Body = json.RawMessage(r.body)
		}
		seen.Deltas, seen.State, seen.Started = r.deltas.Load(), r.state, unix(r.started)
		if !r.ended.IsZero() {
			ended := unix(r.ended)
			seen.Ended = &ended
		}
		list = append(list, seen)
	}
	return list
}

func (l *observations) clear() {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.records, l.bodies = nil, 0
}

func unix(t time.Time) float64 { return float64(t.UnixMicro()) / 1e6 }

// observe answers for the log itself.
func (s *Server) observe(to *response, r *http.Request) error {
	fields := make(http.Header)
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		list := marshal(s.log.list())
		fields.Set("Content-Type", applicationJSON)
		to.start(http.StatusOK, fields, len(list))
		return to.end(list)
	case http.MethodDelete:
		s.log.clear()
		to.start(http.StatusNoContent, fields, -1)
	default:
		fields.Set("Allow", "GET, HEAD, DELETE")
		to.start(http.StatusMethodNotAllowed, fields, 0)
	}
	return to.end(nil)
}
