package transport

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pyagent/core/llm"
)

// Bytes that TLS decrypted along with an answer are invisible to the kernel. They must not become the next answer.
func TestUnaskedAnswerInsideTLS(t *testing.T) {
	authority := newAuthority(t)
	config := &tls.Config{Certificates: []tls.Certificate{authority.server(t, nil)}}
	var connections atomic.Int32
	address := serve(t, func(c net.Conn) {
		connections.Add(1)
		// Both records leave in one segment, so that one read of the socket takes both.
		wire := tls.Server(&gathering{Conn: c}, config)
		defer wire.Close()
		for {
			request, err := http.ReadRequest(bufio.NewReader(wire))
			if err != nil {
				return
			}
			_, _ = io.Copy(io.Discard, request.Body)
			_, _ = io.WriteString(wire, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood")
			_, _ = io.WriteString(wire, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")
			_ = wire.NetConn().(*gathering).flush()
		}
	})
	client := open(t, llm.Network{CAFile: authority.file})
	for range 3 {
		if _, body, err := get(t, client, "https://"+address); err != nil || body != "good" {
			t.Fatalf("%q %v", body, err)
		}
	}
	if connections.Load() != 3 {
		t.Errorf("%d connections for 3 requests", connections.Load())
	}
}

// gathering holds application data back until it is flushed.
type gathering struct {
	net.Conn
	held []byte
}

func (g *gathering) Write(p []byte) (int, error) {
	if len(p) == 0 || p[0] != 23 || len(p) > 2000 { // a handshake must not wait
		return g.Conn.Write(p)
	}
	g.held = append(g.held, p...)
	return len(p), nil
}

func (g *gathering) Read(p []byte) (int, error) {
	if err := g.flush(); err != nil {
		return 0, err
	}
	return g.Conn.Read(p)
}

func (g *gathering) flush() error {
	held := g.held
	g.held = nil
	_, err := g.Conn.Write(held)
	return err
}

// A kept-alive connection over TLS is used again, although it is asked whether it holds anything.
func TestConnectionOverTLSIsUsedAgain(t *testing.T) {
	authority := newAuthority(t)
	config := &tls.Config{Certificates: []tls.Certificate{authority.server(t, nil)}}
	var connections atomic.Int32
	address := serve(t, func(c net.Conn) {
		connections.Add(1)
		wire := tls.Server(c, config)
		defer wire.Close()
		reader := bufio.NewReader(wire)
		for {
			request, err := http.ReadRequest(reader)
			if err != nil {
				return
			}
			_, _ = io.Copy(io.Discard, request.Body)
			_, _ = io.WriteString(wire, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood")
		}
	})
	client := open(t, llm.Network{CAFile: authority.file})
	for range 5 {
		if _, body, err := get(t, client, "https://"+address); err != nil || body != "good" {
			t.Fatalf("%q %v", body, err)
		}
	}
	if connections.Load() != 1 {
		t.Errorf("%d connections for 5 requests", connections.Load())
	}
}

// Whoever waits longest for a place gets it first, and an idle connection is no way around the queue.
func TestPlacesAreGivenInTurn(t *testing.T) {
	p := newPool(1)
	key := route{scheme: "http", host: "h"}
	if p.admit(context.Background(), key) != nil {
		t.Fatal("no place in an empty pool")
	}
	const waiters = 20
	order := make(chan int, waiters)
	for i := range waiters {
		go func() {
			if p.admit(context.Background(), key) == nil {
				order <- i
				p.leave(key)
			}
		}()
		time.Sleep(2 * time.Millisecond) // so that they queue in this order
	}
	p.park(newConn(link{wire: &scripted{}, raw: &scripted{}}, key, p)) // gives the first place back
	for i := range waiters {
		if got := <-order; got != i {
			t.Fatalf("place %d went to %d", i, got)
		}
	}
}

// Nothing is left running, whatever became of the request: answered, broken, refused in mid-request, cancelled.
func TestNoGoroutineIsLeft(t *testing.T) {
	before := runtime.NumGoroutine()
	t.Run("requests", func(t *testing.T) {
		early := serve(t, func(c net.Conn) { // answers before it has read the request, and never reads it
			_, _ = c.Read(make([]byte, 100))
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
			time.Sleep(20 * time.Millisecond)
			c.Close()
		})
		broken := serve(t, func(c net.Conn) {
			_, _ = c.Read(make([]byte, 100))
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\nok")
			c.Close()
		})
		silent := serve(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })
		client := open(t, llm.Network{})
		for range 10 {
			for _, address := range []string{early, broken, silent} {
				ctx, cancel := context.WithTimeout(context.Background(), 30*time.Millisecond)
				request := Request{Method: "POST", URL: "http://" + address, Body: make([]byte, 1<<20)}
				if response, err := client.Send(ctx, request, 0); err == nil {
					_, _ = io.ReadAll(response.Body)
					_ = response.Body.Close()
				}
				cancel()
			}
		}
	})
	deadline := time.Now().Add(5 * time.Second)
	for runtime.NumGoroutine() > before && time.Now().Before(deadline) {
		time.Sleep(10 * time.Millisecond)
	}
	if after := runtime.NumGoroutine(); after > before {
		stacks := make([]byte, 1<<16)
		t.Errorf("%d goroutines before, %d after\n%s", before, after, stacks[:runtime.Stack(stacks, true)])
	}
}

// A compressed stream gives up each piece as soon as the server has flushed it.
func TestCompressedPiecesArriveOneByOne(t *testing.T) {
	type flusher interface {
		io.WriteCloser
		Flush() error
	}
	for name, wrap := range map[string]func(io.Writer) flusher{
		"gzip":    func(w io.Writer) flusher { return gzip.NewWriter(w) },
		"deflate": func(w io.Writer) flusher { return zlib.NewWriter(w) },
	} {
		t.Run(name, func(t *testing.T) {
			next := make(chan struct{})
			address := serve(t, func(c net.Conn) {
				defer c.Close()
				_, _ = c.Read(make([]byte, 4096))
				_, _ = fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Encoding: %s\r\nTransfer-Encoding: chunked\r\n\r\n", name)
				var packed bytes.Buffer
				writer := wrap(&packed)
				for i := range 5 {
					_, _ = fmt.Fprintf(writer, "piece %d", i)
					_ = writer.Flush()
					_, _ = fmt.Fprintf(c, "%x\r\n%s\r\n", packed.Len(), packed.Bytes())
					packed.Reset()
					<-next // nothing more is sent before this one was read
				}
				_ = writer.Close()
				_, _ = fmt.Fprintf(c, "%x\r\n%s\r\n0\r\n\r\n", packed.Len(), packed.Bytes())
			})
			ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
			defer cancel()
			response, err := open(t, llm.Network{}).Send(ctx, Request{Method: "POST", URL: "http://" + address}, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			for i := range 5 {
				buffer := make([]byte, 100)
				n, failed := response.Body.Read(buffer)
				if want := fmt.Sprintf("piece %d", i); string(buffer[:n]) != want || failed != nil {
					t.Fatalf("got %q %v, want %q", buffer[:n], failed, want)
				}
				next <- struct{}{}
			}
			if rest, failed := io.ReadAll(response.Body); len(rest) != 0 || failed != nil {
				t.Errorf("after the end: %q %v", rest, failed)
			}
		})
	}
}

// A body that is not what its header claims is an error with a name, not a broken connection.
func TestBodiesThatAreNotCompressed(t *testing.T) {
	var packed bytes.Buffer
	writer := gzip.NewWriter(&packed)
	_, _ = writer.Write(bytes.Repeat([]byte("hello "), 1000))
	_ = writer.Close()
	whole := packed.String()
	spoiled := []byte(whole)
	spoiled[len(spoiled)-8] ^= 0xff // the checksum
	for name, c := range map[string]struct{ encoding, body, part string }{
		"plain text as gzip":    {"gzip", `{"choices":[]}`, "content encoding gzip"},
		"plain text as deflate": {"deflate", "\xff\xff\xff\xff", "content encoding deflate"},
		"wrong checksum":        {"gzip", string(spoiled), "content encoding gzip"},
		"garbage inside":        {"gzip", whole[:10] + strings.Repeat("\xff", 100), "content encoding gzip"},
		"cut":                   {"gzip", whole[:len(whole)-20], "unexpected EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, _, _, failed := answerOf(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Encoding: %s\r\nContent-Length: %d\r\n\r\n%s",
				c.encoding, len(c.body), c.body), 0)
			if failed == nil || !strings.Contains(failed.Error(), c.part) {
				t.Errorf("got %v", failed)
			}
		})
	}
}
