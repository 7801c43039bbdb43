package bridge

import (
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"pyagent/core/llm"
)

const (
	echo  = `{"provider":"echo"}`
	hello = `{"op":"stream","model":"echo","messages":[{"role":"user","content":"one two three"}]}`
)

func scripted(script string) []byte {
	return []byte(strings.TrimSuffix(hello, "}") + `,"extra_body":{"fake":` + script + `}}`)
}

// readAll polls a call to its end.
func readAll(t *testing.T, b *Bridge, call uint64) (text string, ending piece) {
	t.Helper()
	dst := make([]byte, 1<<16)
	for {
		used, status := b.Poll(call, dst, soon)
		if status == StatusDone {
			return text, ending
		}
		if status != StatusOK {
			t.Fatalf("poll: %s", status.Name())
		}
		for _, piece := range readFrames(t, dst[:used]) {
			if piece.kind == llm.EventText {
				text += piece.text
			}
			if piece.kind.IsTerminal() {
				ending = piece
			}
		}
	}
}

func handlesOf(t *testing.T, b *Bridge) counts {
	t.Helper()
	dst := make([]byte, 1<<20)
	used, status := b.Inspect(0, dst)
	if status != StatusOK {
		t.Fatal(status.Name())
	}
	var snapshot librarySnapshot
	if err := json.Unmarshal(dst[:used], &snapshot); err != nil {
		t.Fatal(err)
	}
	return snapshot.Handles
}

// emptyAtTheEnd fails when a handle or a working call is left.
func emptyAtTheEnd(t *testing.T, b *Bridge) {
	t.Helper()
	deadline := time.Now().Add(soon)
	for {
		left := handlesOf(t, b)
		if left == (counts{}) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("left over: %+v", left)
		}
		time.Sleep(time.Millisecond)
	}
}

func TestClosingAClientLetsItsCallsGoOn(t *testing.T) {
	b := New()
	client := b.OpenClient([]byte(echo))
	call, status := b.Submit(client, 0, scripted(`{"delay":0.01}`))
	if status != StatusOK || b.Close(client) != StatusOK {
		t.Fatal(status.Name())
	}
	if _, status := b.Submit(client, 0, []byte(hello)); status != StatusClosed {
		t.Errorf("a call of a closed client: %s", status.Name())
	}
	if text, ending := readAll(t, b, call); text != "one two three" || ending.kind != llm.EventFinish {
		t.Errorf("got %q and %+v", text, ending)
	}
	if b.Close(call) != StatusOK || b.Close(call) != StatusClosed {
		t.Error("a call closes once")
	}
	emptyAtTheEnd(t, b)
}

func TestClosingAnInboxClosesItsCalls(t *testing.T) {
	b := New()
	client := b.OpenClient([]byte(echo))
	box, _ := b.OpenInbox(client, -1)
	var calls []uint64
	for range 3 {
		call, status := b.Submit(client, box, scripted(`{"after":1,"end":"stall"}`))
		if status != StatusOK {
			t.Fatal(status.Name())
		}
		calls = append(calls, call)
	}
	if used, status := b.Poll(box, make([]byte, 1<<16), soon); status != StatusOK || used == 0 {
		t.Errorf("the inbox: %s", status.Name())
	}
	b.Close(box)
	for _, call := range calls {
		if status := b.Cancel(call); status != StatusClosed {
			t.Errorf("a call of a closed inbox: %s", status.Name())
		}
	}
	if _, status := b.Submit(client, box, []byte(hello)); status != StatusClosed {
		t.Errorf("a call to a closed inbox: %s", status.Name())
	}
	b.Close(client)
	emptyAtTheEnd(t, b)
}

func TestBadRequestsAreTerminalFrames(t *testing.T) {
	b := New()
	client := b.OpenClient([]byte(echo))
	for name, request := range map[string]string{
		"not JSON": `{`, "unknown option": strings.Replace(hello, `"model"`, `"modle":1,"model"`, 1), "nothing asked": `{"op":"stream","model":"m"}`,
	} {
		call, status := b.Submit(client, 0, []byte(request))
		if status != StatusOK {
			t.Fatal(status.Name())
		}
		if _, ending := readAll(t, b, call); ending.kind != llm.EventError || !strings.Contains(ending.text, `"kind":"configuration"`) {
			t.Errorf("%s: %+v", name, ending)
		}
		b.Close(call)
	}
	b.Close(client)
	emptyAtTheEnd(t, b)
}

func TestInspectTellsWhatACallDoes(t *testing.T) {
	b := New()
	client := b.OpenClient([]byte(echo))
	call, _ := b.Submit(client, 0, scripted(`{"after":1,"end":"stall"}`))
	dst := make([]byte, 1<<16)
	if _, status := b.Poll(call, dst, soon); status != StatusOK {
		t.Fatal(status.Name())
	}
	used, _ := b.Inspect(call, dst)
	if got := string(dst[:used]); !strings.Contains(got, `"op":"stream"`) || !strings.Contains(got, `"state":"running"`) {
		t.Errorf("a running call: %s", got)
	}
	used, _ = b.Inspect(client, dst)
	if got := string(dst[:used]); !strings.Contains(got, `"calls":1`) || !strings.Contains(got, `"provider":"echo"`) {
		t.Errorf("its client: %s", got)
	}
	if need, status := b.Inspect(0, dst[:10]); status != StatusTooSmall || need <= 10 {
		t.Errorf("a small buffer: %s, needs %d", status.Name(), need)
	}
	b.Close(call)
	b.Close(client)
	emptyAtTheEnd(t, b)
}

// Whoever wins, nothing is left, and nothing is given back twice.
func TestClosingWhileSubmitting(t *testing.T) {
	b := New()
	for range 50 {
		client := b.OpenClient([]byte(echo))
		var group sync.WaitGroup
		for range 4 {
			group.Go(func() {
				if call, status := b.Submit(client, 0, []byte(hello)); status == StatusOK {
					b.Close(call)
				}
			})
		}
		group.Go(func() { b.Close(client) })
		group.Wait()
	}
	emptyAtTheEnd(t, b)
}
