package transport

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"pyagent/core/llm"
)

// nobody is a reader that does not care.
type nobody struct{ name string }

func (nobody) Ready() {}

const patient = 5 * time.Second

func watching(t *testing.T) *Watch {
	t.Helper()
	watch := NewWatch()
	if watch == nil {
		t.Fatal("no watch")
	}
	t.Cleanup(watch.Close)
	return watch
}

func beginWatched(t *testing.T, client *Transport, ctx context.Context, target string, watch *Watch) *Exchange {
	t.Helper()
	begun := client.BeginWatched(ctx, Request{Method: "POST", URL: target, Body: []byte("{}")}, watch, nobody{target})
	if begun == nil {
		t.Fatal("there is an idle connection, and yet the exchange did not begin")
	}
	return begun
}

// arrive takes in what the watch tells of, until that is all or for Send.
func arrive(t *testing.T, watch *Watch, begun *Exchange) (whole bool) {
	t.Helper()
	for waits := true; waits; {
		if len(watch.Wait(patient)) == 0 {
			t.Fatal("nobody was told")
		}
		whole, waits = begun.Arrive()
	}
	return whole
}

func TestWatchedAnswers(t *testing.T) {
	for _, c := range inlineAnswers() {
		t.Run(c.name, func(t *testing.T) {
			client, target := warm(t, c.serve)
			watch := watching(t)
			begun := beginWatched(t, client, context.Background(), target, watch)
			if whole := arrive(t, watch, begun); whole != (c.whole || c.pause > Patience) {
				t.Errorf("the answer was whole: %v", whole)
			}
			if watch.Watched() != 0 {
				t.Error("it is still waited for")
			}
			c.check(t, client, target, begun)
		})
	}
}

func TestWatchedOverTLS(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "o")
		w.(http.Flusher).Flush()
		_, _ = io.WriteString(w, "k")
	}))
	defer server.Close()
	client := open(t, llm.Network{})
	tlsOf(t, client).RootCAs = server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	watch, ctx := watching(t), context.Background()
	if _, body, err := get(t, client, server.URL); err != nil || body != "ok" {
		t.Fatal(body, err)
	}
	for range 3 {
		begun := beginWatched(t, client, ctx, server.URL, watch)
		if !arrive(t, watch, begun) {
			t.Error("not whole")
		}
		if _, body, err := goOn(client, ctx, server.URL, begun); err != nil || body != "ok" {
			t.Fatal(body, err)
		}
	}
}

// A connection stays in its watch between two requests, and what its server says then is told of once and of nobody's reader.
func TestAWatchIsQuietAboutIdleConnections(t *testing.T) {
	client, target := warm(t, func(_ int, p *peer) {
		if p.take() == nil {
			_, _ = io.WriteString(p, simple) // and closes
		}
	})
	watch, ctx := watching(t), context.Background()
	begun := beginWatched(t, client, ctx, target, watch)
	if !arrive(t, watch, begun) {
		t.Error("not whole")
	}
	if _, body, err := goOn(client, ctx, target, begun); err != nil || body != "ok" {
		t.Fatal(body, err)
	}
	wakes := 0
	for began := time.Now(); time.Since(began) < 200*time.Millisecond; wakes++ {
		if len(watch.Wait(50*time.Millisecond)) > 0 {
			t.Fatal("a reader was told whose exchange is over")
		}
	}
	if wakes > 6 {
		t.Errorf("woken %d times", wakes)
	}
	if again := client.BeginWatched(ctx, Request{Method: "POST", URL: target}, watch, nobody{}); again != nil {
		t.Error("the connection is dead")
	}
}

// One connection goes from hand to hand: two event loops, a thread that sleeps on it, a goroutine, a lent stream.
func TestAWatchedConnectionChangesHands(t *testing.T) {
	client, target := warm(t, func(n int, p *peer) {
		for p.take() == nil {
			if n > 0 {
				t.Error("a second connection")
			}
			_, _ = io.WriteString(p, simple)
		}
	})
	ctx, one, other := context.Background(), watching(t), watching(t)
	for _, way := range []string{"one", "one", "other", "one", "thread", "other", "goroutine", "one", "thread", "one"} {
		var begun *Exchange
		switch way {
		case "one":
			begun = beginWatched(t, client, ctx, target, one)
			if !arrive(t, one, begun) {
				t.Error(way)
			}
		case "other":
			begun = beginWatched(t, client, ctx, target, other)
			if !arrive(t, other, begun) {
				t.Error(way)
			}
		case "thread":
			if begun = begin(t, client, ctx, target); !begun.Wait() {
				t.Error(way)
			}
		}
		if _, body, err := goOn(client, ctx, target, begun); err != nil || body != "ok" {
			t.Fatal(way, body, err)
		}
	}
	if len(one.Wait(20*time.Millisecond))+len(other.Wait(20*time.Millisecond)) > 0 {
		t.Error("somebody is told of what is over")
	}
}

func TestCancelEndsAWatchedExchange(t *testing.T) {
	for _, told := range []bool{true, false} {
		left := make(chan error, 1)
		client, target := warm(t, func(_ int, p *peer) {
			_ = p.take()
			left <- p.take()
		})
		watch := watching(t)
		ctx, cancel := context.WithCancel(context.Background())
		begun := beginWatched(t, client, ctx, target, watch)
		cancel()
		select {
		case <-left:
		case <-time.After(patient):
			t.Error("the server was not told")
		}
		if told && arrive(t, watch, begun) {
			t.Error("nothing was answered")
		} else if !told {
			begun.Leave()
		}
		if _, _, err := goOn(client, ctx, target, begun); err == nil {
			t.Error("no error")
		}
	}
}

func TestAWatchThatClosesKeepsItsConnectionsUsable(t *testing.T) {
	client, target := warm(t, func(_ int, p *peer) {
		for p.take() == nil {
			_, _ = io.WriteString(p, simple)
		}
	})
	ctx, watch := context.Background(), watching(t)
	begun := beginWatched(t, client, ctx, target, watch)
	watch.Close()
	begun.Leave()
	if _, body, err := goOn(client, ctx, target, begun); err != nil || body != "ok" {
		t.Fatal(body, err)
	}
	if again := client.BeginWatched(ctx, Request{Method: "POST", URL: target}, watch, nobody{}); again != nil {
		t.Error("nobody would be told")
	}
	if _, body, err := get(t, client, target); err != nil || body != "ok" {
		t.Fatal(body, err)
	}
}
