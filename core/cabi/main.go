// Command cabi is the C face of package bridge: pointers in, pointers out, nothing else. The functions are described in
// pyagent.h, which is part of the preamble: where a signature here and there differ, this file does not compile.
package main

/*
#include "pyagent.h"
*/
import "C"

import (
	"os"
	"time"
	"unsafe"

	"pyagent/core/bridge"
	"pyagent/core/guard"
)

// library is the one instance that the C functions speak to: C has no place to keep it.
var library = newLibrary()

func newLibrary() *bridge.Bridge {
	made := bridge.New()
	if os.Getenv("GOMAXPROCS") == "" {
		made.ManageProcessors()
	}
	return made
}

// names are strings for C, made once because C may keep them.
var names = cNames()

type cStrings struct {
	version  *C.pyagent_text
	statuses map[bridge.Status]*C.pyagent_text
}

func cNames() cStrings {
	made := cStrings{version: C.CString(bridge.Version), statuses: make(map[bridge.Status]*C.pyagent_text)}
	for status := bridge.StatusInternal - 1; status <= bridge.StatusDone; status++ {
		made.statuses[status] = C.CString(status.Name())
	}
	return made
}

//export pyagent_abi_version
func pyagent_abi_version() C.uint32_t { return bridge.ABIVersion }

//export pyagent_version
func pyagent_version() *C.pyagent_text { return names.version }

//export pyagent_status_name
func pyagent_status_name(status C.int32_t) *C.pyagent_text {
	if name, ok := names.statuses[bridge.Status(status)]; ok {
		return name
	}
	return names.statuses[bridge.StatusInternal-1] // "unknown status"
}

//export pyagent_client_open
func pyagent_client_open(config *C.pyagent_text, configLen C.size_t, client *C.uint64_t) C.int32_t {
	if client == nil || config == nil && configLen > 0 {
		return C.PYAGENT_INVALID
	}
	return guarded(func() bridge.Status {
		*client = C.uint64_t(library.OpenClient(input(config, configLen)))
		return bridge.StatusOK
	})
}

//export pyagent_inbox_open
func pyagent_inbox_open(client C.uint64_t, wakeFD C.intptr_t, inbox *C.uint64_t) C.int32_t {
	if inbox == nil {
		return C.PYAGENT_INVALID
	}
	return guarded(func() bridge.Status {
		handle, status := library.OpenInbox(uint64(client), int(wakeFD))
		*inbox = C.uint64_t(handle)
		return status
	})
}

//export pyagent_submit
func pyagent_submit(client, inbox C.uint64_t, request *C.pyagent_text, requestLen C.size_t, call *C.uint64_t) C.int32_t {
	if call == nil || request == nil {
		return C.PYAGENT_INVALID
	}
	return guarded(func() bridge.Status {
		handle, status := library.Submit(uint64(client), uint64(inbox), input(request, requestLen))
		*call = C.uint64_t(handle)
		return status
	})
}

//export pyagent_poll
func pyagent_poll(handle C.uint64_t, buf unsafe.Pointer, capacity C.size_t, timeoutMs C.int32_t, used *C.size_t) C.int32_t {
	if used == nil || buf == nil && capacity > 0 {
		return C.PYAGENT_INVALID
	}
	timeout := time.Duration(timeoutMs) * time.Millisecond
	return guarded(func() bridge.Status {
		n, status := library.Poll(uint64(handle), output(buf, capacity), timeout)
		*used = C.size_t(n)
		return status
	})
}

//export pyagent_wake
func pyagent_wake(handle C.uint64_t) C.int32_t {
	return guarded(func() bridge.Status { return library.Wake(uint64(handle)) })
}

//export pyagent_cancel
func pyagent_cancel(call C.uint64_t) C.int32_t {
	return guarded(func() bridge.Status { return library.Cancel(uint64(call)) })
}

//export pyagent_inspect
func pyagent_inspect(handle C.uint64_t, buf unsafe.Pointer, capacity C.size_t, used *C.size_t) C.int32_t {
	if used == nil || buf == nil && capacity > 0 {
		return C.PYAGENT_INVALID
	}
	return guarded(func() bridge.Status {
		n, status := library.Inspect(uint64(handle), output(buf, capacity))
		*used = C.size_t(n)
		return status
	})
}

//export pyagent_close
func pyagent_close(handle C.uint64_t) C.int32_t {
	return guarded(func() bridge.Status { return library.Close(uint64(handle)) })
}

// guarded runs work and turns a panic into a status: a panic that leaves Go would end the host's process.
func guarded(work func() bridge.Status) C.int32_t {
	var status bridge.Status
	if failed := guard.Call(func() { status = work() }); failed != nil {
		return C.PYAGENT_INTERNAL
	}
	return C.int32_t(status)
}

// input sees the host's bytes as they are, for the time of one call.
func input(text *C.pyagent_text, size C.size_t) []byte {
	if size == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(text)), int(size))
}

func output(buf unsafe.Pointer, size C.size_t) []byte {
	if size == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(buf), int(size))
}

func main() {}
