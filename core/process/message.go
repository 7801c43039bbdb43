package main

import (
	"encoding/binary"
	"time"
)

// The functions of pyagent.h in the order of the header, and what only a process needs. The numbers never change.
const (
	opABIVersion = iota + 1
	opVersion
	opStatusName
	opClientOpen
	opInboxOpen
	opSubmit
	opPoll
	opWake
	opCancel
	opInspect
	opClose
	opConnect // one more connection: the descriptor of it comes along
	opFollow  // poll without limit, again and again: an answer for each, until the handle has no more
)

const (
	requestHead = 32
	answerHead  = 24
	largest     = 1 << 30 // bytes of a request
)

// request is a message of the host. All numbers are little-endian.
type request struct {
	size     uint32 // bytes that follow the head
	sequence uint32 // comes back with the answer; 0: no answer is wanted
	op       uint32
	number   int32  // poll: milliseconds, status_name: the status, inbox_open: the wake descriptor
	handle   uint64 // the first handle of the function
	inbox    uint64 // submit: the second one
	payload  []byte
}

func parseHead(head []byte) request {
	return request{
		size:     binary.LittleEndian.Uint32(head),
		sequence: binary.LittleEndian.Uint32(head[4:]),
		op:       binary.LittleEndian.Uint32(head[8:]),
		number:   int32(binary.LittleEndian.Uint32(head[12:])),
		handle:   binary.LittleEndian.Uint64(head[16:]),
		inbox:    binary.LittleEndian.Uint64(head[24:]),
	}
}

func (r *request) timeout() time.Duration { return time.Duration(r.number) * time.Millisecond }

// putAnswerHead writes what comes before the bytes of an answer: size, sequence, status, four bytes of nothing, value.
func putAnswerHead(head []byte, sequence uint32, status int32, value uint64, size int) {
	binary.LittleEndian.PutUint32(head, uint32(size))
	binary.LittleEndian.PutUint32(head[4:], sequence)
	binary.LittleEndian.PutUint32(head[8:], uint32(status))
	binary.LittleEndian.PutUint32(head[12:], 0)
	binary.LittleEndian.PutUint64(head[16:], value)
}
