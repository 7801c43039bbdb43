package transport

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pyagent/core/llm"
)

// The frames of HTTP/2 that these tests speak (RFC 9113, section 6).
const (
	frameData, frameHeaders, frameReset, frameSettings, framePing, frameGoAway, frameWindow = 0, 1, 3, 4, 6, 7, 8
)

// frames is a connection of HTTP/2 as a server without a library sees it.
type frames struct {
	net.Conn
	mu sync.Mutex
}

func (f *frames) send(kind, flags byte, stream uint32, payload []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	head := []byte{byte(len(payload) >> 16), byte(len(payload) >> 8), byte(len(payload)), kind, flags}
	head = binary.BigEndian.AppendUint32(head, stream)
	_, _ = f.Write(append(head, payload...))
}

// answer sends ":status: 200", and the text if it is not to stay open.
func (f *frames) answer(stream uint32, text string) {
	f.send(frameHeaders, 4, stream, []byte{0x88})
	if text != "" {
		f.send(frameData, 1, stream, []byte(text))
	}
}

func (f *frames) goAway(last, code uint32) {
	f.send(frameGoAway, 0, 0, binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, last), code))
}

// hostile2 serves HTTP/2 as handle says, which gets every frame but those of the connection itself; number counts connections
// from 1. A behaviour that returns false closes the connection.
func hostile2(t *testing.T, handle func(f *frames, number int32, kind byte, stream uint32, payload []byte) bool) (string, llm.Network) {
	t.Helper()
	authority := newAuthority(t)
	config := &tls.Config{Certificates: []tls.Certificate{authority.server(t, nil)}, NextProtos: []string{"h2"}}
	var connections atomic.Int32
	address := serve(t, func(c net.Conn) {
		number := connections.Add(1)
		f := &frames{Conn: tls.Server(c, config)}
		defer f.Close()
		if _, err := io.ReadFull(f, make([]byte, len("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"))); err != nil {
			return
		}
		f.send(frameSettings, 0, 0, nil)
		for {
			head := make([]byte, 9)
			if _, err := io.ReadFull(f, head); err != nil {
				return
			}
			payload := make([]byte, int(head[0])<<16|int(head[1])<<8|int(head[2]))
			if _, err := io.ReadFull(f, payload); err != nil {
				return
			}
			if head[3] == frameSettings {
				if head[4] == 0 {
					f.send(frameSettings, 1, 0, nil)
				}
				continue
			}
			if !handle(f, number, head[3], binary.BigEndian.Uint32(head[5:]), payload) {
				return
			}
		}
	})
	return "https://" + address, llm.Network{CAFile: authority.file, HTTP2: true}
}

// A cancelled call resets its stream at once and leaves the connection to the others.
func TestCancelledStreamIsReset(t *testing.T) {
	resets, begun := make(chan uint32, 10), make(chan uint32, 10)
	url, network := hostile2(t, func(f *frames, number int32, kind byte, stream uint32, payload []byte) bool {
		switch kind {
		case frameHeaders:
			if number != 1 {
				t.Errorf("connection %d", number)
			}
			if stream == 1 || stream == 3 { // 1: no answer; 3: the answer's header, and no body
				if stream == 3 {
					f.answer(stream, "")
				}
			} else {
				f.answer(stream, "ok")
			}
			begun <- stream
		case frameReset:
			resets <- stream
		}
		return true
	})
	client := open(t, network)
	for _, stream := range []uint32{1, 3} {
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() {
			response, err := client.Send(ctx, Request{Method: "POST", URL: url, Body: []byte("{}")}, 10*time.Second)
			if err != nil {
				ended <- err
				return
			}
			_, failed := io.ReadAll(response.Body)
			_ = response.Body.Close()
			ended <- failed
		}()
		select {
		case got := <-begun:
			if got != stream {
				t.Fatalf("stream %d, want %d", got, stream)
			}
		case failed := <-ended:
			t.Fatal(failed)
		}
		time.Sleep(20 * time.Millisecond)
		at := time.Now()
		cancel()
		select {
		case got := <-resets:
			if took := time.Since(at); got != stream || took > 500*time.Millisecond {
				t.Errorf("stream %d was reset after %v, want %d", got, took, stream)
			} else {
				t.Logf("reset after %v", took)
			}
		case <-time.After(5 * time.Second):
			t.Fatalf("stream %d was not reset", stream)
		}
		if <-ended == nil {
			t.Error("the call ended without an error")
		}
	}
	if _, body, err := get(t, client, url); err != nil || body != "ok" {
		t.Errorf("the call after them: %q %v", body, err)
	}
}

// A server that leaves, or refuses a stream, has not processed the request: another connection takes it, and nobody is told.
func TestRequestsThatWereNotProcessedAreSentAgain(t *testing.T) {
	const calm, refused = 11, 7
	for name, leave := range map[string]func(f *frames, stream uint32) bool{
		"GOAWAY, and the connection stays":     func(f *frames, _ uint32) bool { f.goAway(0, 0); return true },
		"GOAWAY, and the connection is closed": func(f *frames, _ uint32) bool { f.goAway(0, 0); return false },
		"GOAWAY for too many requests":         func(f *frames, _ uint32) bool { f.goAway(0, calm); return true },
		"the stream is refused": func(f *frames, stream uint32) bool {
			f.send(frameReset, 0, stream, []byte{0, 0, 0, refused})
			return true
		},
	} {
		t.Run(name, func(t *testing.T) {
			var asked atomic.Int32
			url, network := hostile2(t, func(f *frames, number int32, kind byte, stream uint32, payload []byte) bool {
				if kind != frameData { // the body, which comes last
					return true
				}
				asked.Add(1)
				if string(payload) != "{}" {
					t.Errorf("body %q", payload)
				}
				if number == 1 && stream == 1 {
					return leave(f, stream)
				}
				f.answer(stream, "ok")
				return true
			})
			if _, body, err := get(t, open(t, network), url); err != nil || body != "ok" || asked.Load() != 2 {
				t.Errorf("%q %v, asked %d times", body, err, asked.Load())
			}
		})
	}
}

// GOAWAY names the last stream that is processed: that one goes on to its end, later requests go elsewhere.
func TestProcessedStreamOutlivesGoAway(t *testing.T) {
	var answered []int32
	finish := make(chan func(), 1)
	url, network := hostile2(t, func(f *frames, number int32, kind byte, stream uint32, _ []byte) bool {
		if kind != frameData {
			return true
		}
		answered = append(answered, number)
		if number == 1 {
			f.answer(stream, "")
			f.goAway(stream, 0)
			finish <- func() { f.send(frameData, 1, stream, []byte("first")) }
		} else {
			f.answer(stream, "second")
		}
		return true
	})
	client := open(t, network)
	response, err := client.Send(context.Background(), Request{Method: "POST", URL: url, Body: []byte("{}")}, 10*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	end := <-finish
	time.Sleep(20 * time.Millisecond) // so that the client has read the GOAWAY
	if _, body, err := get(t, client, url); err != nil || body != "second" {
		t.Errorf("%q %v", body, err)
	}
	end()
	if body, failed := io.ReadAll(response.Body); string(body) != "first" || failed != nil {
		t.Errorf("%q %v", body, failed)
	}
	if !slices.Equal(answered, []int32{1, 2}) {
		t.Errorf("connections %v", answered)
	}
}

// A connection that has gone silent is asked for a sign of life, and given up when none comes.
func TestSilentConnectionIsPinged(t *testing.T) {
	var pings atomic.Int32
	url, network := hostile2(t, func(f *frames, number int32, kind byte, stream uint32, _ []byte) bool {
		if kind == framePing {
			pings.Add(1)
		}
		if kind == frameHeaders {
			f.answer(stream, "")
		}
		return true
	})
	client := open(t, network)
	if config := client.http2.http.HTTP2; config.SendPingTimeout != 15*time.Second || config.PingTimeout != 15*time.Second || config.WriteByteTimeout == 0 {
		t.Errorf("%+v", config)
	}
	client.http2.http.HTTP2.SendPingTimeout, client.http2.http.HTTP2.PingTimeout = 50*time.Millisecond, 50*time.Millisecond
	response, err := client.Send(context.Background(), Request{Method: "POST", URL: url, Body: []byte("{}")}, 10*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	begun := time.Now()
	if _, failed := io.ReadAll(response.Body); failed == nil || time.Since(begun) > 5*time.Second {
		t.Errorf("after %v: %v", time.Since(begun), failed)
	}
	if pings.Load() == 0 {
		t.Error("no ping")
	}
}

// A server that has stopped reading is given up, even while a call has all the time it wants.
func TestConnectionThatTakesNothingIsGivenUp(t *testing.T) {
	stopped := make(chan struct{})
	url, network := hostile2(t, func(f *frames, _ int32, kind byte, _ uint32, _ []byte) bool {
		if kind == frameHeaders { // all windows are wide open, and nobody reads
			f.send(frameSettings, 0, 0, binary.BigEndian.AppendUint32([]byte{0, 4}, 1<<30))
			f.send(frameWindow, 0, 0, binary.BigEndian.AppendUint32(nil, 1<<30))
			<-stopped
		}
		return true
	})
	defer close(stopped)
	client := open(t, network)
	client.http2.http.HTTP2.WriteByteTimeout, client.http2.http.HTTP2.SendPingTimeout = 100*time.Millisecond, time.Hour
	begun := time.Now()
	_, err := client.Send(context.Background(), Request{Method: "POST", URL: url, Body: make([]byte, 64<<20)}, 10*time.Second)
	if err == nil || err.Kind != llm.KindConnection || !err.Retryable || time.Since(begun) > 10*time.Second {
		t.Errorf("after %v: %+v", time.Since(begun), err)
	}
}

// The limit on the header is the same for both versions of HTTP, and so is its error; a header that net/http gives up at once is
// told as one thing that it may be.
func TestLargeHeadersOfHTTP2(t *testing.T) {
	authority := newAuthority(t)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for number := range len(r.URL.Path) {
			w.Header().Set(fmt.Sprintf("X-Padding-%d", number), strings.Repeat("x", 300<<10))
		}
	}))
	server.EnableHTTP2, server.TLS = true, &tls.Config{Certificates: []tls.Certificate{authority.server(t, nil)}}
	server.StartTLS()
	defer server.Close()
	for _, c := range []struct {
		path  string
		http2 bool
		kind  llm.Kind
	}{
		{"/123", false, llm.KindLimit}, {"/123", true, llm.KindLimit},
		{"/123456789", false, llm.KindLimit}, {"/123456789", true, llm.KindConnection},
	} {
		_, _, err := get(t, open(t, llm.Network{CAFile: authority.file, HTTP2: c.http2}), server.URL+c.path)
		if err == nil || err.Kind != c.kind || !strings.Contains(err.Message, "limits.header_bytes") {
			t.Errorf("%+v: %+v", c, err)
		}
	}
}
