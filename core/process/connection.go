package main

import (
	"bufio"
	"io"
	"sync"

	"pyagent/core/bridge"
	"pyagent/core/guard"
	"pyagent/core/llm"
)

// smallRoom is how many bytes of frames are answered at once, unless one frame is larger; keptRoom, how large a room that
// had to grow may be and stay.
const (
	smallRoom = 64 << 10
	keptRoom  = 1 << 20
)

// connection serves one request after another: a host that waits in several places at once opens one for each of them. What
// is followed is answered beside that.
type connection struct {
	bridge   *bridge.Bridge
	in       *bufio.Reader
	out      io.Writer
	connect  func() // takes on the connection that came with the request
	room     room
	followed []uint64

	// fresh is the handle that the last request opened. The host has it for sure when it sends another request. Where
	// the connection ends first, perhaps because an exception struck the host while it read, nobody knows the handle.
	fresh uint64

	writing sync.Mutex
}

// room is where an answer is put together: its head, and behind it what a function of the bridge writes.
type room struct{ bytes []byte }

func newConnection(b *bridge.Bridge, in io.Reader, out io.Writer, connect func()) *connection {
	return &connection{bridge: b, in: bufio.NewReaderSize(in, 16<<10), out: out, connect: connect}
}

// serve returns when the host has closed the connection, and closes what went with it.
func (c *connection) serve() {
	defer c.end()
	var head [requestHead]byte
	var small []byte
	for {
		if _, err := io.ReadFull(c.in, head[:]); err != nil {
			return
		}
		request := parseHead(head[:])
		if request.size > largest {
			return
		}
		if int(request.size) > cap(small) {
			request.payload = make([]byte, request.size)
			if request.size <= smallRoom {
				small = request.payload
			}
		} else {
			request.payload = small[:request.size]
		}
		if _, err := io.ReadFull(c.in, request.payload); err != nil {
			return
		}
		c.fresh = 0
		if failed := guard.Call(func() { c.answer(&request) }); failed != nil {
			_ = c.send(&c.room, &request, bridge.StatusInternal, 0, 0)
		}
	}
}

// end closes what only this connection could tell of.
func (c *connection) end() {
	if c.fresh != 0 {
		c.bridge.Close(c.fresh)
	}
	for _, handle := range c.followed {
		c.bridge.Close(handle)
	}
	if closer, ok := c.out.(io.Closer); ok {
		_ = closer.Close()
	}
}

// answer does what a request asks.
func (c *connection) answer(r *request) {
	status, value := bridge.StatusOK, uint64(0)
	switch r.op {
	case opABIVersion:
		value = bridge.ABIVersion
	case opVersion:
		c.sendText(r, bridge.Version)
		return
	case opStatusName:
		c.sendText(r, bridge.Status(r.number).Name())
		return
	case opClientOpen:
		value = c.bridge.OpenClient(r.payload)
		c.fresh = value
	case opInboxOpen:
		if status = bridge.StatusInvalid; r.number == -1 { // descriptors are not the same in two processes
			value, status = c.bridge.OpenInbox(r.handle, -1)
		}
		c.fresh = value
	case opSubmit:
		value, status = c.bridge.Submit(r.handle, r.inbox, r.payload)
		c.fresh = value
	case opPoll:
		c.poll(&c.room, r)
		return
	case opWake:
		status = c.bridge.Wake(r.handle)
	case opCancel:
		status = c.bridge.Cancel(r.handle)
	case opInspect:
		c.inspect(r)
		return
	case opClose:
		status = c.bridge.Close(r.handle)
	case opConnect:
		c.connect()
	case opFollow:
		c.follow(*r)
		return
	default:
		status = bridge.StatusInvalid
	}
	_ = c.send(&c.room, r, status, value, 0)
}

// poll answers with the frames of a handle. The room grows until the first of them fits.
func (c *connection) poll(room *room, r *request) (bridge.Status, error) {
	used, status := c.bridge.Poll(r.handle, room.space(), r.timeout())
	for status == bridge.StatusTooSmall {
		room.grow(used)
		used, status = c.bridge.Poll(r.handle, room.space(), r.timeout())
	}
	return status, c.send(room, r, status, 0, used)
}

func (c *connection) inspect(r *request) {
	used, status := c.bridge.Inspect(r.handle, c.room.space())
	for status == bridge.StatusTooSmall {
		c.room.grow(2 * used) // twice: the snapshot may grow before the next call
		used, status = c.bridge.Inspect(r.handle, c.room.space())
	}
	_ = c.send(&c.room, r, status, 0, used)
}

// follow answers with frames whenever there are some. The last answer has another status than OK.
func (c *connection) follow(r request) {
	r.number = -1
	c.followed = append(c.followed, r.handle)
	guard.Go(func() {
		var room room
		for {
			status, err := c.poll(&room, &r)
			if err != nil || status != bridge.StatusOK && status != bridge.StatusWoken {
				return
			}
		}
	}, func(*llm.Error) { c.bridge.Close(r.handle) })
}

func (c *connection) sendText(r *request, text string) {
	_ = c.send(&c.room, r, bridge.StatusOK, 0, copy(c.room.space(), text))
}

// send writes an answer, whose size bytes are in the room already. A host that does not read makes this wait, and with it
// the vendor.
func (c *connection) send(room *room, r *request, status bridge.Status, value uint64, size int) error {
	if r.sequence == 0 {
		return nil
	}
	if status < 0 || status == bridge.StatusTimeout {
		size = 0
	}
	room.space()
	putAnswerHead(room.bytes, r.sequence, int32(status), value, size)
	c.writing.Lock()
	defer c.writing.Unlock()
	_, err := c.out.Write(room.bytes[:answerHead+size])
	if len(room.bytes) > keptRoom {
		room.bytes = nil
	}
	return err
}

// space is where a function of the bridge may write.
func (r *room) space() []byte {
	if r.bytes == nil {
		r.bytes = make([]byte, answerHead+smallRoom)
	}
	return r.bytes[answerHead:]
}

func (r *room) grow(size int) { r.bytes = make([]byte, answerHead+size) }
