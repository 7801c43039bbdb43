package bridge

import (
	"bytes"
	"encoding/binary"
	"slices"

	"pyagent/core/llm"
)

// Frames are how everything reaches the host. This file and pyagent/_frames.py are mirrors: one writes what the other reads.
//
// A frame is a header of 16 bytes and a payload. The header is little-endian:
//
//	u32 size    bytes of payload
//	u8  kind    an llm.EventKind; readers skip kinds they do not know, by size
//	u8  flags   bit 0 (MANY): the payload is several deltas separated by NUL bytes
//	u16 index   of the choice, or of the tool call
//	u64 call    handle of the call that the frame belongs to
//
// Kinds below 16 carry UTF-8 text as it is, because a JSON string would be quoted here only to be unquoted there. A run of
// such deltas becomes one MANY frame, so that a burst costs the host one decode and one split instead of one of each per
// delta. Kinds from 32 to 63 carry bytes as they are. All other kinds are rare and carry JSON.
const (
	frameHeader = 16
	flagMany    = 1
	roomForJSON = 400 // what most frames of JSON need, so that they do not grow piece by piece
)

func appendHeader(buf []byte, size int, kind llm.EventKind, flags uint8, index uint16, call uint64) []byte {
	buf = binary.LittleEndian.AppendUint32(buf, uint32(size))
	buf = append(buf, byte(kind), flags)
	buf = binary.LittleEndian.AppendUint16(buf, index)
	return binary.LittleEndian.AppendUint64(buf, call)
}

func frameSize(frame []byte) int           { return int(binary.LittleEndian.Uint32(frame)) }
func frameKind(frame []byte) llm.EventKind { return llm.EventKind(frame[4]) }
func frameFlags(frame []byte) uint8        { return frame[5] }
func frameIndex(frame []byte) uint16       { return binary.LittleEndian.Uint16(frame[6:]) }

// frames is a sequence of encoded frames that deltas can still join at the end.
type frames struct {
	bytes []byte
	last  int // where the last frame starts, when a delta may join it; otherwise -1
}

// appendEvent encodes one event.
func (f *frames) appendEvent(event llm.Event, call uint64) {
	if event.Kind.IsDelta() {
		f.appendDelta(event, call)
		return
	}
	if event.Kind.IsRaw() {
		f.bytes = append(appendHeader(f.bytes, len(event.Text), event.Kind, 0, event.Index, call), event.Text...)
		f.last = -1
		return
	}
	if len(f.bytes) == 0 {
		f.bytes = slices.Grow(f.bytes, 2*roomForJSON) // a small answer begins and ends with JSON
	} else {
		f.bytes = slices.Grow(f.bytes, roomForJSON)
	}
	start := len(f.bytes)
	written, err := event.AppendJSON(appendHeader(f.bytes, 0, event.Kind, 0, event.Index, call))
	if err != nil {
		failed := llm.Event{Kind: llm.EventError, Data: llm.Errorf(llm.KindInternal, "an event cannot be encoded: %s", err)}
		written, _ = failed.AppendJSON(appendHeader(f.bytes, 0, failed.Kind, 0, event.Index, call))
	}
	binary.LittleEndian.PutUint32(written[start:], uint32(len(written)-start-frameHeader))
	f.bytes, f.last = written, -1
}

func (f *frames) appendDelta(event llm.Event, call uint64) {
	alone := bytes.IndexByte(event.Text, 0) >= 0 // a NUL of its own would look like a separator
	if !alone && f.joins(event.Kind, event.Index) {
		f.bytes = append(append(f.bytes, 0), event.Text...)
		f.grow(1 + len(event.Text))
		return
	}
	f.last = len(f.bytes)
	f.bytes = appendHeader(f.bytes, len(event.Text), event.Kind, 0, event.Index, call)
	f.bytes = append(f.bytes, event.Text...)
	if alone {
		f.last = -1
	}
}

// joins reports whether a delta of this kind can join the last frame.
func (f *frames) joins(kind llm.EventKind, index uint16) bool {
	return f.last >= 0 && frameKind(f.bytes[f.last:]) == kind && frameIndex(f.bytes[f.last:]) == index
}

// grow tells the last frame that more bytes of deltas were appended to it.
func (f *frames) grow(more int) {
	header := f.bytes[f.last:]
	binary.LittleEndian.PutUint32(header, uint32(frameSize(header)+more))
	header[5] |= flagMany
}

// appendFrames moves the frames of later to the end of f, joining deltas where the two meet.
func (f *frames) appendFrames(later *frames) {
	if len(later.bytes) == 0 {
		return
	}
	if len(f.bytes) == 0 {
		*f, *later = *later, frames{bytes: f.bytes, last: -1}
		return
	}
	head, rest := later.bytes, later.bytes
	first := frameHeader + frameSize(head)
	joinable := frameKind(head).IsDelta() && (later.last == 0 || frameFlags(head)&flagMany != 0 ||
		bytes.IndexByte(head[frameHeader:first], 0) < 0)
	if joinable && f.joins(frameKind(head), frameIndex(head)) {
		f.bytes = append(append(f.bytes, 0), head[frameHeader:first]...)
		f.grow(1 + first - frameHeader)
		rest = head[first:]
		if later.last == 0 {
			later.bytes, later.last = later.bytes[:0], -1
			return
		}
	}
	moved := len(later.bytes) - len(rest)
	start := len(f.bytes)
	f.bytes = append(f.bytes, rest...)
	f.last = -1
	if later.last >= 0 {
		f.last = start + later.last - moved
	}
	later.bytes, later.last = later.bytes[:0], -1
}

// take copies as many frames as fit from the front of unread into dst. A MANY frame may be divided between two deltas. need
// is the room that the first piece wants when not even that fits. rest is what stays unread.
func take(dst, unread []byte) (used, need int, rest []byte) {
	if len(unread) <= len(dst) {
		return copy(dst, unread), 0, nil
	}
	for len(unread) > 0 {
		whole := frameHeader + frameSize(unread)
		if used+whole <= len(dst) {
			used += copy(dst[used:], unread[:whole])
			unread = unread[whole:]
			continue
		}
		if frameFlags(unread)&flagMany != 0 {
			n := divide(dst[used:], unread[:whole])
			if n > 0 {
				return used + n, 0, cutFront(unread, n)
			}
			whole = frameHeader + bytes.IndexByte(unread[frameHeader:whole], 0)
		}
		if used == 0 {
			need = whole
		}
		break
	}
	return used, need, unread
}

// divide copies the front deltas of a MANY frame that fit into dst as a frame of their own, and returns its length or 0.
func divide(dst, frame []byte) int {
	room := len(dst) - frameHeader
	if room <= 0 {
		return 0
	}
	// The separator behind the last delta that fits may itself stand just outside the room.
	end := bytes.LastIndexByte(frame[frameHeader:frameHeader+room+1], 0)
	if end <= 0 {
		return 0
	}
	n := copy(dst, frame[:frameHeader+end])
	binary.LittleEndian.PutUint32(dst, uint32(end))
	if bytes.IndexByte(frame[frameHeader:frameHeader+end], 0) < 0 {
		dst[5] &^= flagMany
	}
	return n
}

// cutFront makes a frame of the deltas that divide left: a new header is written over the bytes just before them, which have
// been copied out already.
func cutFront(unread []byte, n int) []byte {
	size := frameSize(unread) - (n - frameHeader) - 1
	header := appendHeader(make([]byte, 0, frameHeader), size, frameKind(unread), 0, frameIndex(unread),
		binary.LittleEndian.Uint64(unread[8:]))
	rest := unread[n+1-frameHeader:]
	copy(rest, header)
	if bytes.IndexByte(rest[frameHeader:frameHeader+size], 0) >= 0 {
		rest[5] |= flagMany
	}
	return rest
}
