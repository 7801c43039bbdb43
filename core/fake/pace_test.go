package fake

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// arrivals tells when each piece of an answer comes, in a world where nothing but the script's delays takes time.
func (s *site) arrivals(body string) (header time.Duration, pieces []time.Duration, text string) {
	s.Helper()
	start := time.Now()
	response, err := s.post(s.Context(), body)
	if err != nil {
		s.Fatal(err)
	}
	defer response.Body.Close()
	header = time.Since(start)
	var all strings.Builder
	for buffer := make([]byte, 64<<10); ; {
		n, err := response.Body.Read(buffer)
		all.Write(buffer[:n])
		if at := time.Since(start); n > 0 && (len(pieces) == 0 || pieces[len(pieces)-1] != at) {
			pieces = append(pieces, at)
		}
		if err == io.EOF {
			return header, pieces, all.String()
		}
		if err != nil {
			s.Fatal(err)
		}
	}
}

func TestPace(t *testing.T) {
	tests := []struct {
		name, script string
		stream       bool
		header       time.Duration
		pieces       string
		comments     int
	}{
		{"no delay", `{}`, true, 0, "[0s]", 0},
		{"header", `{"header_delay":2}`, true, 2 * time.Second, "[2s]", 0},
		{"header of a failure", `{"header_delay":2,"status":500}`, true, 2 * time.Second, "[2s]", 0},
		{"first", `{"first_delay":3}`, true, 0, "[3s]", 0},
		{"one shot", `{"header_delay":2,"first_delay":3,"delay":9}`, false, 2 * time.Second, "[5s]", 0},
		{"between", `{"delay":1}`, true, 0, "[0s 1s 2s]", 0},
		{"two to a write", `{"delay":1,"per_write":2}`, true, 0, "[0s 1s]", 0},
		{"comments", `{"delay":1,"per_write":2,"comment_every":0.4}`, true, 0, "[0s 400ms 800ms 1s]", 2},
		{"comments before", `{"first_delay":1,"comment_every":0.5}`, true, 0, "[500ms 1s]", 1},
		{"raw", `{"raw":"abcdef","splits":[1,2],"delay":1,"first_delay":1}`, true, 0, "[1s 2s 3s]", 0},
		{"trickle", `{"trickle":0.5,"headers":{"Date":"x"},"status":500,"body":"x"}`, true, 0, "", 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				header, pieces, text := overPipe(t, Options{}).arrivals(body(test.stream, test.script))
				if test.pieces == "" { // half a second for each byte of a header of some hundred bytes
					if header < 50*time.Second || header > 200*time.Second {
						t.Errorf("the header took %v", header)
					}
					return
				}
				if header != test.header || fmt.Sprint(pieces) != test.pieces {
					t.Errorf("header after %v, pieces after %v", header, pieces)
				}
				if got := strings.Count(text, ": keep-alive\n\n"); got != test.comments {
					t.Errorf("%d comments, want %d", got, test.comments)
				}
			})
		})
	}
}

// Whatever the server waits for, it notices at once that the client has left.
func TestLeavingEndsEveryWait(t *testing.T) {
	for _, script := range []string{
		`{"header_delay":600}`, `{"first_delay":600}`, `{"delay":600}`, `{"end":"stall"}`, `{"end":"open"}`,
		`{"trickle":600}`, `{"trickle":0.001,"end":"stall"}`, `{"end":"stall","comment_every":7}`,
	} {
		t.Run(script, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := overPipe(t, Options{})
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(5*time.Second, cancel)
				if response, err := s.post(ctx, body(true, script)); err == nil {
					io.Copy(io.Discard, response.Body)
				}
				synctest.Wait()
				seen := s.server.log.list()[0]
				if seen.State != stateDisconnected || seen.Ended == nil || *seen.Ended-seen.Started != 5 {
					t.Errorf("the log has %+v", seen)
				}
			})
		})
	}
}

func TestCloseEndsEveryWait(t *testing.T) {
	for _, script := range []string{`{"header_delay":600}`, `{"end":"stall"}`, `{"trickle":600}`, `{"end":"open"}`} {
		t.Run(script, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := overPipe(t, Options{})
				start := time.Now()
				closed := make(chan error, 1)
				time.AfterFunc(5*time.Second, func() { closed <- s.server.Close() })
				response, err := s.post(t.Context(), body(true, script))
				if err == nil {
					_, err = io.Copy(io.Discard, response.Body)
				}
				if took := time.Since(start); err == nil || took != 5*time.Second {
					t.Errorf("the answer ended after %v in %v, want an error when the server closes", took, err)
				}
				if err := <-closed; err != nil {
					t.Errorf("Close: %v", err)
				}
				if seen := s.server.log.list()[0]; seen.State != stateDisconnected {
					t.Errorf("the request is %q when Close has returned", seen.State)
				}
			})
		})
	}
}
