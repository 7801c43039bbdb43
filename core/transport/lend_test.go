//go:build linux

package transport

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"

	"pyagent/core/llm"
)

// told is a reader that a watch tells.
type told chan struct{}

func (t told) Ready() {}

// lendable sends a request and gives the body of its answer, on loan.
func lendable(t *testing.T, client *Transport, ctx context.Context, target string) (*Response, *Loan) {
	t.Helper()
	response, err := client.Send(ctx, Request{Method: "POST", URL: target, Body: []byte("{}")}, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	loan := Lend(response.Body)
	if loan == nil {
		t.Fatal("the connection cannot be lent")
	}
	return response, loan
}

// readLent reads a body on loan to its end, as far as it has come each time that the watch tells.
func readLent(t *testing.T, body io.Reader, loan *Loan) (string, error) {
	t.Helper()
	watch := NewWatch()
	defer watch.Close()
	if !watch.Add(loan, told(nil)) {
		t.Fatal("the connection cannot be watched")
	}
	defer watch.Remove(loan)
	var all strings.Builder
	piece := make([]byte, 100)
	for {
		loan.Allow(1 << 10)
		for {
			n, err := body.Read(piece)
			all.Write(piece[:n])
			if IsNotYet(err) {
				break
			}
			if err != nil {
				return all.String(), err
			}
		}
		for began := time.Now(); len(watch.Wait(5*time.Second)) == 0; { // which may return early: a signal is enough
			if time.Since(began) > 5*time.Second {
				t.Fatalf("nothing more was told after %d bytes", all.Len())
			}
		}
	}
}

func TestALentBodyMayBeCutAnywhere(t *testing.T) {
	for name, raw := range map[string]string{
		"chunks":             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n4;x=y\r\n two\r\n0\r\n\r\n",
		"trailers":           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7\r\none two\r\n00\r\nA: b\r\nC: d\r\n\r\n",
		"bare line feeds":    "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n7\none two\n0\nA: b\n\n",
		"stated length":      "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\none two",
		"up to the end":      "HTTP/1.1 200 OK\r\n\r\none two",
		"after another body": "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\none two",
	} {
		t.Run(name, func(t *testing.T) {
			start := strings.Index(raw, "200 OK")
			start += strings.IndexAny(raw[start:], "37o") // somewhere in what follows the header
			for cut := start; cut < len(raw); cut++ {
				client, target := warm(t, func(n int, p *peer) {
					if p.take() != nil {
						return
					}
					_, _ = io.WriteString(p, raw[:cut])
					time.Sleep(3 * time.Millisecond)
					_, _ = io.WriteString(p, raw[cut:])
					if name != "up to the end" {
						_ = p.take()
					}
				})
				response, loan := lendable(t, client, context.Background(), target)
				got, err := readLent(t, response.Body, loan)
				if got != "one two" || err != io.EOF {
					t.Fatalf("cut at %d: %q %v", cut, got, err)
				}
				loan.Return()
				kept := 0
				for _, parked := range client.pool.parked {
					kept += len(parked)
				}
				if (kept == 1) != (name != "up to the end") {
					t.Errorf("cut at %d: %d connections were kept", cut, kept)
				}
				_ = response.Body.Close()
				client.Close()
			}
		})
	}
}

func TestALentBodyThatIsWrong(t *testing.T) {
	const head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n"
	for rest, want := range map[string]string{
		"":                         "unexpected EOF",
		"x\r\n":                    "not a number",
		"2\r\ntwo\r\n0\r\n\r\n":    "longer than it says",
		strings.Repeat("0", 20000): "header too large",
	} {
		client, target := warm(t, func(n int, p *peer) {
			if p.take() == nil {
				_, _ = io.WriteString(p, head+rest)
			}
		})
		response, loan := lendable(t, client, context.Background(), target)
		_, err := readLent(t, response.Body, loan)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.10q: %v, want %s", rest, err, want)
		}
		loan.Return()
	}
}

func TestALentConnectionGoesOnWithoutTheWatch(t *testing.T) {
	client, target := warm(t, func(n int, p *peer) {
		for p.take() == nil {
			_, _ = io.WriteString(p, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n4\r")
			time.Sleep(20 * time.Millisecond)
			_, _ = io.WriteString(p, "\n two\r\n0\r\n\r\n")
		}
	})
	for range 3 { // the same connection, in turn
		response, loan := lendable(t, client, context.Background(), target)
		loan.Allow(100)
		first := make([]byte, 100)
		n, err := response.Body.Read(first)
		if n == 0 && IsNotYet(err) {
			time.Sleep(5 * time.Millisecond)
			loan.Allow(100)
			n, err = response.Body.Read(first)
		}
		if string(first[:n]) != "one" || err != nil {
			t.Fatalf("%q %v", first[:n], err)
		}
		if _, err := response.Body.Read(first); !IsNotYet(err) {
			t.Fatal(err)
		}
		loan.Return()
		rest, err := io.ReadAll(response.Body)
		if string(rest) != " two" || err != nil {
			t.Fatalf("%q %v", rest, err)
		}
		_ = response.Body.Close()
	}
}

// What ends a lent connection is told, and its descriptor is not given away before it is taken back.
func TestCancellingALentConnection(t *testing.T) {
	client, target := warm(t, func(n int, p *peer) {
		if p.take() == nil {
			_, _ = io.WriteString(p, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\none")
			_, _ = io.Copy(io.Discard, p)
		}
	})
	ctx, cancel := context.WithCancel(context.Background())
	response, loan := lendable(t, client, ctx, target)
	watch := NewWatch()
	defer watch.Close()
	watch.Add(loan, told(nil))
	watch.Wait(0)
	loan.Allow(100)
	_, _ = response.Body.Read(make([]byte, 100))
	if len(watch.Wait(0)) != 0 || !loan.Quiet() {
		t.Fatal("nothing more was sent")
	}
	fd := loan.socket.fd
	cancel()
	told := 0
	for began := time.Now(); told == 0 && time.Since(began) < 5*time.Second; { // it may return early
		told = len(watch.Wait(5 * time.Second))
	}
	if told != 1 {
		t.Fatal("the end was not told")
	}
	if err := syscall.Fstat(fd, new(syscall.Stat_t)); err != nil {
		t.Error("the descriptor was closed while it was watched", err)
	}
	loan.Allow(100)
	if _, err := response.Body.Read(make([]byte, 100)); err == nil || IsNotYet(err) {
		t.Error("the end was not read", err)
	}
	watch.Remove(loan)
	loan.Return()
	if err := syscall.Fstat(fd, new(syscall.Stat_t)); err != syscall.EBADF {
		t.Error("the descriptor stayed open", err)
	}
}

func TestALentConnectionWithTLS(t *testing.T) {
	text := strings.Repeat("a piece of text, ", 3000)
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for i := 0; i < len(text); i += 1000 {
			_, _ = io.WriteString(w, text[i:min(i+1000, len(text))])
			w.(http.Flusher).Flush()
			time.Sleep(time.Millisecond)
		}
	}))
	defer server.Close()
	client := open(t, llm.Network{})
	tlsOf(t, client).RootCAs = server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	for range 2 {
		response, loan := lendable(t, client, context.Background(), server.URL)
		got, err := readLent(t, response.Body, loan)
		if got != text || err != io.EOF {
			t.Fatalf("%d bytes, %v", len(got), err)
		}
		loan.Return()
	}
}

func TestWhatCannotBeLent(t *testing.T) {
	client, target := warm(t, func(n int, p *peer) {
		for p.take() == nil {
			_, _ = io.WriteString(p, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 9\r\n\r\n")
		}
	})
	response, err := client.Send(context.Background(), Request{Method: "POST", URL: target, Body: []byte("{}")}, time.Second)
	if err != nil || Lend(response.Body) != nil {
		t.Error("a compressed body", err)
	}
	_ = response.Body.Close()
	if Lend(strings.NewReader("")) != nil {
		t.Error("no body of ours")
	}
}

func TestAWatchEnds(t *testing.T) {
	watch := NewWatch()
	watch.Ring()
	watch.Wait(-1) // a ring sticks
	if began := time.Now(); len(watch.Wait(20*time.Millisecond)) != 0 || time.Since(began) < 15*time.Millisecond {
		t.Error("a ring is told once")
	}
	done := make(chan struct{})
	go func() {
		watch.Wait(-1)
		close(done)
	}()
	time.Sleep(10 * time.Millisecond)
	watch.Close()
	watch.Close()
	<-done
	watch.Ring()
	if watch.Wait(-1) != nil {
		t.Error("a closed watch tells nothing")
	}
}
