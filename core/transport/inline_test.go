//go:build unix

package transport

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"pyagent/core/llm"
)

// peer is the server's side of one connection, in the hands of a test.
type peer struct {
	net.Conn
	reader *bufio.Reader
}

// take reads one request.
func (p *peer) take() error {
	request, err := http.ReadRequest(p.reader)
	if err == nil {
		_, err = io.Copy(io.Discard, request.Body)
	}
	return err
}

// whenPrompt tries what depends on answers within Patience again where the machine was too busy for one.
func whenPrompt(t *testing.T, try func() (wrong string)) {
	t.Helper()
	wrong := ""
	for range 5 {
		if wrong = try(); wrong == "" {
			return
		}
	}
	t.Error(wrong)
}

const simple = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

// warm makes a transport with an idle connection whose last answer came at once. serve gets the server's side of every further
// connection, and of the first one after that answer.
func warm(t *testing.T, serve func(n int, p *peer)) (client *Transport, target string) {
	t.Helper()
	listener, failure := net.Listen("tcp", "127.0.0.1:0")
	if failure != nil {
		t.Fatal(failure)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for n := 0; ; n++ {
			accepted, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer accepted.Close()
				p := &peer{accepted, bufio.NewReader(accepted)}
				if n == 0 {
					_ = p.take()
					_, _ = io.WriteString(p, simple)
				}
				serve(n, p)
			}()
		}
	}()
	client, target = open(t, llm.Network{}), "http://"+listener.Addr().String()
	if _, body, err := get(t, client, target); err != nil || body != "ok" {
		t.Fatal(body, err)
	}
	return client, target
}

func begin(t *testing.T, client *Transport, ctx context.Context, target string) *Exchange {
	t.Helper()
	begun := client.Begin(ctx, Request{Method: "POST", URL: target, Body: []byte("{}")})
	if begun == nil {
		t.Fatal("there is an idle connection, and yet the exchange did not begin")
	}
	return begun
}

// goOn reads the answer to an exchange that has begun.
func goOn(client *Transport, ctx context.Context, target string, begun *Exchange) (status int, body string, failed error) {
	response, err := client.Resume(ctx, begun, Request{Method: "POST", URL: target, Body: []byte("{}")}, time.Second)
	if err != nil {
		return 0, "", err
	}
	content, failure := io.ReadAll(response.Body)
	_ = response.Body.Close()
	return response.Status, string(content), failure
}

func TestInlineAnswers(t *testing.T) {
	const chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	large := strings.Repeat("x", 2*readBuffer)
	cases := []struct {
		name, raw string
		pause     time.Duration // in the middle of raw
		whole     bool
		status    int
		body      string
		failed    string
	}{
		{name: "stated length", raw: simple, whole: true, status: 200, body: "ok"},
		{name: "chunks", raw: chunked + "3\r\none\r\n4;x=y\r\n two\r\n0\r\n\r\n", whole: true, status: 200, body: "one two"},
		{name: "chunks and trailers", raw: chunked + "3\r\none\r\n0\r\nA: b\r\nC: d\r\n\r\n", whole: true, status: 200, body: "one"},
		{name: "no body", raw: "HTTP/1.1 204 No Content\r\n\r\n", whole: true, status: 204},
		{name: "in two pieces", raw: simple, pause: Patience / 4, whole: true, status: 200, body: "ok"},
		{name: "a refusal", raw: "HTTP/1.1 429 Slow\r\nContent-Length: 4\r\n\r\nslow", whole: true, status: 429, body: "slow"},
		{name: "an interim answer first", raw: "HTTP/1.1 103 Early Hints\r\n\r\n" + simple, whole: true, status: 200, body: "ok"},
		{name: "a redirect", raw: "HTTP/1.1 307 There\r\nLocation: /x\r\nContent-Length: 2\r\n\r\nok", status: 307, body: "ok"},
		{name: "too late", raw: simple, pause: 25 * Patience, status: 200, body: "ok"},
		{name: "too large", raw: "HTTP/1.1 200 OK\r\nContent-Length: 32768\r\n\r\n" + large, status: 200, body: large},
		{name: "of unknown length", raw: "HTTP/1.1 200 OK\r\n\r\nok", status: 200, body: "ok"},
		{name: "compressed", raw: "HTTP/1.1 200 OK\r\nContent-Encoding: identity\r\nContent-Length: 2\r\n\r\nok", status: 200, body: "ok"},
		{name: "cut in the body", raw: "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok", status: 200, body: "ok", failed: "unexpected EOF"},
		{name: "cut in the header", raw: "HTTP/1.1 200 OK\r\nContent-", failed: "closed the connection without an answer"},
		{name: "not HTTP", raw: "220 smtp.example.com\r\n\r\n", whole: true, failed: "does not speak HTTP"},
		{name: "no usable length", raw: "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", whole: true, failed: "unusable Content-Length"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			client, target := warm(t, func(n int, p *peer) {
				if p.take() == nil {
					_, _ = io.WriteString(p, c.raw[:len(c.raw)/2])
					time.Sleep(c.pause)
					_, _ = io.WriteString(p, c.raw[len(c.raw)/2:])
				}
			})
			ctx := context.Background()
			begun := begin(t, client, ctx, target)
			if whole := begun.Wait(); whole != c.whole {
				t.Errorf("the answer was whole: %v", whole)
			}
			status, body, failed := goOn(client, ctx, target, begun)
			if status != c.status || body != c.body || (failed == nil) != (c.failed == "") {
				t.Errorf("got %d %.20q %v", status, body, failed)
			}
			if failed != nil && !strings.Contains(failed.Error(), c.failed) {
				t.Errorf("failed: %s", failed)
			}
		})
	}
}

// A server that leaves instead of answering has not seen the request, so that it goes out again.
func TestInlineRequestIsReplayed(t *testing.T) {
	for _, way := range []string{"end", "reset"} {
		client, target := warm(t, func(n int, p *peer) {
			_ = p.take()
			if n == 0 && way == "reset" {
				_ = p.Conn.(*net.TCPConn).SetLinger(0)
			} else if n > 0 {
				_, _ = io.WriteString(p, simple)
			}
		})
		begun := begin(t, client, context.Background(), target)
		if begun.Wait() {
			t.Errorf("%s: nothing was answered", way)
		}
		if _, body, err := goOn(client, context.Background(), target, begun); err != nil || body != "ok" {
			t.Errorf("%s: %q %v", way, body, err)
		}
	}
}

func TestCancelEndsInlineWaitAtOnce(t *testing.T) {
	left := make(chan error, 1)
	client, target := warm(t, func(n int, p *peer) {
		_ = p.take()
		left <- p.take()
	})
	ctx, cancel := context.WithCancel(context.Background())
	begun := begin(t, client, ctx, target)
	time.AfterFunc(Patience/10, cancel)
	if begun.Wait() {
		t.Error("nothing was answered")
	}
	select {
	case <-left:
	case <-time.After(5 * time.Second):
		t.Error("the server was not told")
	}
	if _, _, err := goOn(client, ctx, target, begun); err == nil {
		t.Error("no error")
	}
}

// One connection goes back and forth: held while it waits inline, in the poller for other requests and for late answers.
func TestConnectionChangesHands(t *testing.T) {
	whenPrompt(t, func() (wrong string) {
		client, target := warm(t, func(n int, p *peer) {
			for number := 1; p.take() == nil; number++ {
				if n > 0 {
					t.Error("a second connection")
				}
				if number%4 == 0 {
					time.Sleep(2 * Patience)
				}
				_, _ = io.WriteString(p, simple)
			}
		})
		ctx := context.Background()
		inline := 0
		for number := 1; number <= 12; number++ {
			var begun *Exchange
			request := Request{Method: "POST", URL: target, Body: []byte("{}")}
			if number%4 != 3 {
				begun = client.Begin(ctx, request)
			}
			if begun != nil && begun.Wait() {
				inline++
			}
			response, err := client.Resume(ctx, begun, request, time.Second)
			if err != nil {
				t.Fatal(err)
			}
			if body, failure := io.ReadAll(response.Body); failure != nil || string(body) != "ok" {
				t.Fatal(body, failure)
			}
		}
		if inline != 4 { // 1, 2, then 6 and 10: after each late answer one that shows that it was an exception
			wrong = fmt.Sprintf("%d exchanges were inline", inline)
		}
		return wrong
	})
}

func TestInlineOverTLS(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/late" {
			time.Sleep(2 * Patience)
		}
		_, _ = io.WriteString(w, "ok")
	}))
	defer server.Close()
	whenPrompt(t, func() (wrong string) {
		client := open(t, llm.Network{})
		tlsOf(t, client).RootCAs = server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
		ctx := context.Background()
		for number, c := range []struct {
			path         string
			begun, whole bool
		}{{"/", false, false}, {"/", true, true}, {"/late", true, false}, {"/", false, false}, {"/", true, true}} {
			begun := client.Begin(ctx, Request{Method: "POST", URL: server.URL + c.path, Body: []byte("{}")})
			if (begun != nil) != c.begun || begun != nil && begun.Wait() != c.whole {
				wrong = fmt.Sprintf("request %d to %s: begun %v, not as expected", number, c.path, begun != nil)
			}
			if _, body, err := goOn(client, ctx, server.URL+c.path, begun); err != nil || body != "ok" {
				t.Fatal(c.path, body, err)
			}
		}
		return wrong
	})
}

func TestLastChunkIsSeenAtItsEndOnly(t *testing.T) {
	for _, body := range []string{"0\r\n\r\n", "3\r\none\r\n0\r\n\r\n", "A ; x=\"y\"\r\n0\r\n\r\n0\r\n\r\n\r\n0\r\n\r\n", "1\r\nx\r\n0\r\nA: b\r\nC: 0\r\n\r\n"} {
		for cut := range len(body) + 1 {
			if hasLastChunk([]byte(body[:cut])) != (cut == len(body)) {
				t.Errorf("%q of %q", body[:cut], body)
			}
		}
	}
}
