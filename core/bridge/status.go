package bridge

// Status is what every function of the C ABI returns. The numbers are those of pyagent.h and never change.
type Status int32

const (
	StatusOK       Status = 0  // done; a poll or inspect wrote bytes
	StatusTimeout  Status = 1  // nothing came in time
	StatusWoken    Status = 2  // pyagent_wake was called
	StatusDone     Status = 3  // the terminal frame was fetched before; nothing more will come
	StatusBad      Status = -1 // no such handle was ever given out
	StatusClosed   Status = -2 // the handle was closed
	StatusBusy     Status = -3 // another thread is polling this handle
	StatusTooSmall Status = -4 // the buffer is too small; used says what is needed
	StatusInvalid  Status = -5 // a null pointer, or a handle of another kind
	StatusInternal Status = -6 // a bug in pyagent
)

// Name is the status in words.
func (s Status) Name() string {
	switch s {
	case StatusOK:
		return "ok"
	case StatusTimeout:
		return "timeout"
	case StatusWoken:
		return "woken"
	case StatusDone:
		return "done"
	case StatusBad:
		return "bad handle"
	case StatusClosed:
		return "closed"
	case StatusBusy:
		return "busy"
	case StatusTooSmall:
		return "buffer too small"
	case StatusInvalid:
		return "invalid argument"
	case StatusInternal:
		return "internal error"
	}
	return "unknown status"
}
