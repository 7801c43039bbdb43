//go:build unix

package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"pyagent/core/bridge"
)

const (
	config = `{"provider":"echo"}`
	ask    = `{"op":"stream","model":"m","messages":[{"role":"user","content":"one two"}]}`
	stall  = `{"op":"stream","model":"m","messages":[{"role":"user","content":"x"}],"extra_body":{"fake":{"header_delay":60}}}`
)

// host is the other end of a connection.
type host struct {
	t    *testing.T
	conn net.Conn
}

type answer struct {
	sequence uint32
	status   bridge.Status
	value    uint64
	bytes    []byte
}

func newHost(t *testing.T, b *bridge.Bridge) *host {
	t.Helper()
	ours, theirs := pair(t)
	done := make(chan struct{})
	go func() {
		defer close(done)
		newConnection(b, theirs, theirs, func() {}).serve()
	}()
	t.Cleanup(func() {
		_ = ours.Close()
		<-done
	})
	return &host{t, ours}
}

func pair(t *testing.T) (ours, theirs net.Conn) {
	t.Helper()
	ends, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	conns := make([]net.Conn, 2)
	for i, end := range ends {
		file := os.NewFile(uintptr(end), "end")
		if conns[i], err = net.FileConn(file); err != nil {
			t.Fatal(err)
		}
		_ = file.Close()
	}
	return conns[0], conns[1]
}

func message(sequence, op uint32, number int32, handle, inbox uint64, payload string) []byte {
	text := binary.LittleEndian.AppendUint32(nil, uint32(len(payload)))
	text = binary.LittleEndian.AppendUint32(text, sequence)
	text = binary.LittleEndian.AppendUint32(text, op)
	text = binary.LittleEndian.AppendUint32(text, uint32(number))
	text = binary.LittleEndian.AppendUint64(text, handle)
	text = binary.LittleEndian.AppendUint64(text, inbox)
	return append(text, payload...)
}

func (h *host) send(sequence, op uint32, number int32, handle, inbox uint64, payload string) {
	h.t.Helper()
	if _, err := h.conn.Write(message(sequence, op, number, handle, inbox, payload)); err != nil {
		h.t.Fatal(err)
	}
}

func (h *host) receive() answer {
	h.t.Helper()
	_ = h.conn.SetReadDeadline(time.Now().Add(60 * time.Second))
	var head [answerHead]byte
	if _, err := io.ReadFull(h.conn, head[:]); err != nil {
		h.t.Fatal(err)
	}
	got := answer{
		sequence: binary.LittleEndian.Uint32(head[4:]), status: bridge.Status(int32(binary.LittleEndian.Uint32(head[8:]))),
		value: binary.LittleEndian.Uint64(head[16:]), bytes: make([]byte, binary.LittleEndian.Uint32(head[:])),
	}
	if _, err := io.ReadFull(h.conn, got.bytes); err != nil {
		h.t.Fatal(err)
	}
	return got
}

func (h *host) ask(op uint32, number int32, handle, inbox uint64, payload string) answer {
	h.t.Helper()
	h.send(7, op, number, handle, inbox, payload)
	got := h.receive()
	if got.sequence != 7 {
		h.t.Fatalf("the answer to 7 is for %d", got.sequence)
	}
	return got
}

// open opens something that must open.
func (h *host) open(op uint32, number int32, handle, inbox uint64, payload string) uint64 {
	h.t.Helper()
	got := h.ask(op, number, handle, inbox, payload)
	if got.status != bridge.StatusOK || got.value == 0 {
		h.t.Fatalf("operation %d: status %d, handle %d", op, got.status, got.value)
	}
	return got.value
}

func handles(t *testing.T, b *bridge.Bridge) string {
	t.Helper()
	text := make([]byte, 1<<20)
	n, _ := b.Inspect(0, text)
	var snapshot struct{ Handles map[string]int }
	if err := json.Unmarshal(text[:n], &snapshot); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(snapshot.Handles["clients"], snapshot.Handles["inboxes"], snapshot.Handles["calls"])
}

func waitForHandles(t *testing.T, b *bridge.Bridge, wanted string) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); handles(t, b) != wanted; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("clients, inboxes, calls that are open: %s, wanted %s", handles(t, b), wanted)
		}
	}
}

func TestTheFunctions(t *testing.T) {
	b := bridge.New()
	h := newHost(t, b)
	if got := h.ask(opABIVersion, 0, 0, 0, ""); got.value != bridge.ABIVersion {
		t.Errorf("ABI version %d", got.value)
	}
	if got := h.ask(opVersion, 0, 0, 0, ""); string(got.bytes) != bridge.Version {
		t.Errorf("version %q", got.bytes)
	}
	if got := h.ask(opStatusName, -4, 0, 0, ""); string(got.bytes) != "buffer too small" {
		t.Errorf("status -4 is %q", got.bytes)
	}
	client := h.open(opClientOpen, 0, 0, 0, config)
	call := h.open(opSubmit, 0, client, 0, ask)
	var frames []byte
	for got := h.ask(opPoll, -1, call, 0, ""); got.status == bridge.StatusOK; got = h.ask(opPoll, -1, call, 0, "") {
		frames = append(frames, got.bytes...)
	}
	if !bytes.Contains(frames, []byte("one")) || !bytes.Contains(frames, []byte(`"finish_reason":"stop"`)) {
		t.Errorf("frames %q", frames)
	}
	stalled := h.open(opSubmit, 0, client, 0, stall)
	if got := h.ask(opPoll, 1, stalled, 0, ""); got.status != bridge.StatusTimeout || len(got.bytes) > 0 {
		t.Errorf("nothing came in time: %+v", got)
	}
	h.ask(opWake, 0, stalled, 0, "")
	if got := h.ask(opPoll, -1, stalled, 0, ""); got.status != bridge.StatusWoken {
		t.Errorf("woken: %+v", got)
	}
	h.ask(opCancel, 0, stalled, 0, "")
	if got := h.ask(opPoll, -1, stalled, 0, ""); !bytes.Contains(got.bytes, []byte(`"kind":"cancelled"`)) {
		t.Errorf("cancelled: %+v", got)
	}
	if got := h.ask(opInspect, 0, call, 0, ""); !bytes.Contains(got.bytes, []byte(`"state":"delivered"`)) {
		t.Errorf("a snapshot: %q", got.bytes)
	}
	if got := h.ask(opInspect, 0, 0, 0, ""); !json.Valid(got.bytes) || len(got.bytes) < smallRoom {
		t.Errorf("the snapshot of everything has %d bytes", len(got.bytes))
	}
	for _, handle := range []uint64{call, stalled, client} {
		h.ask(opClose, 0, handle, 0, "")
	}
	if got := h.ask(opPoll, 0, call, 0, ""); got.status != bridge.StatusClosed {
		t.Errorf("closed: %+v", got)
	}
	if got := h.ask(99, 0, 0, 0, ""); got.status != bridge.StatusInvalid {
		t.Errorf("an operation that is none: %+v", got)
	}
	waitForHandles(t, b, "0 0 0")
}

func TestAFrameLargerThanTheRoom(t *testing.T) {
	h := newHost(t, bridge.New())
	text := strings.Repeat("x", 300<<10)
	client := h.open(opClientOpen, 0, 0, 0, config)
	call := h.open(opSubmit, 0, client, 0, strings.Replace(strings.Replace(ask, "one two", text, 1), "stream", "generate", 1))
	total := 0
	for got := h.ask(opPoll, -1, call, 0, ""); got.status == bridge.StatusOK; got = h.ask(opPoll, -1, call, 0, "") {
		total += bytes.Count(got.bytes, []byte("x"))
	}
	if total < len(text) {
		t.Errorf("%d of %d letters came", total, len(text))
	}
}

func TestAFollowedInboxNeedsOneConnectionForEverything(t *testing.T) {
	b := bridge.New()
	h := newHost(t, b)
	client := h.open(opClientOpen, 0, 0, 0, config)
	if got := h.ask(opInboxOpen, 5, client, 0, ""); got.status != bridge.StatusInvalid {
		t.Errorf("a descriptor of another process was taken: %+v", got)
	}
	inbox := h.open(opInboxOpen, -1, client, 0, "")
	h.send(8, opFollow, 0, inbox, 0, "")
	h.send(7, opSubmit, 0, client, inbox, ask)
	var frames []byte
	submitted := false
	for !submitted || !bytes.Contains(frames, []byte(`"finish_reason"`)) {
		switch got := h.receive(); got.sequence {
		case 7:
			submitted = true
		case 8:
			frames = append(frames, got.bytes...)
		}
	}
	h.send(0, opClose, 0, inbox, 0, "")
	if got := h.receive(); got.sequence != 8 || got.status != bridge.StatusClosed {
		t.Errorf("the last answer of an inbox that was closed: %+v", got)
	}
	waitForHandles(t, b, "1 0 0")
}

func TestTheEndOfAConnectionClosesWhatNobodyElseKnows(t *testing.T) {
	b := bridge.New()
	first := newHost(t, b)
	client := first.open(opClientOpen, 0, 0, 0, config)
	known := first.open(opSubmit, 0, client, 0, stall)
	first.ask(opPoll, 0, known, 0, "")

	second := newHost(t, b)
	second.send(7, opSubmit, 0, client, 0, stall)
	waitForHandles(t, b, "1 0 2")
	_ = second.conn.Close() // perhaps without having read the answer
	waitForHandles(t, b, "1 0 1")

	third := newHost(t, b)
	inbox := third.open(opInboxOpen, -1, client, 0, "")
	third.send(8, opFollow, 0, inbox, 0, "")
	third.open(opSubmit, 0, client, inbox, stall)
	_ = third.conn.Close()
	waitForHandles(t, b, "1 0 1")
}

func TestARequestWithoutAnswerHasNone(t *testing.T) {
	h := newHost(t, bridge.New())
	h.send(0, opVersion, 0, 0, 0, "")
	h.send(0, opInspect, 0, 0, 0, "")
	h.send(0, opPoll, 0, 1, 0, "")
	if got := h.ask(opABIVersion, 0, 0, 0, ""); got.value != bridge.ABIVersion {
		t.Errorf("%+v", got)
	}
}

func TestARequestThatCannotBeOne(t *testing.T) {
	h := newHost(t, bridge.New())
	_, _ = h.conn.Write(bytes.Repeat([]byte{0xff}, requestHead))
	_ = h.conn.SetReadDeadline(time.Now().Add(60 * time.Second))
	if _, err := h.conn.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("the connection is still open: %v", err)
	}
}

func TestMoreConnectionsComeThroughTheFirst(t *testing.T) {
	b := bridge.New()
	door, theirs := pair(t)
	arriving := &arriving{socket: theirs.(*net.UnixConn)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		newConnection(b, arriving, theirs, func() { arriving.serveNext(b) }).serve()
	}()
	for range 3 {
		ours, other := pair(t)
		file, err := other.(*net.UnixConn).File()
		if err != nil {
			t.Fatal(err)
		}
		along := syscall.UnixRights(int(file.Fd()))
		if _, _, err := door.(*net.UnixConn).WriteMsgUnix(message(0, opConnect, 0, 0, 0, ""), along, nil); err != nil {
			t.Fatal(err)
		}
		_ = file.Close()
		_ = other.Close()
		h := &host{t, ours}
		if got := h.ask(opABIVersion, 0, 0, 0, ""); got.value != bridge.ABIVersion {
			t.Errorf("%+v", got)
		}
		_ = ours.Close()
	}
	h := &host{t, door}
	if got := h.ask(opConnect, 0, 0, 0, ""); got.status != bridge.StatusOK { // without a descriptor it is nothing
		t.Errorf("%+v", got)
	}
	_ = door.Close()
	<-done
}
