package bridge

import (
	"encoding/json"
	"time"

	"pyagent/core/engine"
	"pyagent/core/llm"
)

// counts are how many handles of each kind are open, and how many calls still work, closed ones included.
type counts struct {
	Clients int   `json:"clients"`
	Inboxes int   `json:"inboxes"`
	Calls   int   `json:"calls"`
	Working int64 `json:"working"`
}

// librarySnapshot is what handle 0 says.
type librarySnapshot struct {
	Version    string     `json:"version"`
	ABI        int        `json:"abi"`
	Providers  any        `json:"providers"` // the registry's rows
	Models     any        `json:"models"`    // what is known of models
	Prices     any        `json:"prices"`    // and of what they cost
	Costs      any        `json:"costs"`     // what all clients have spent
	Ops        []llm.Op   `json:"ops"`
	ErrorKinds []llm.Kind `json:"error_kinds"`
	Handles    counts     `json:"handles"`
}

// handleSnapshot is what any other handle says; fields that its kind does not have are left out.
type handleSnapshot struct {
	Kind    string  `json:"kind"`
	Calls   *int    `json:"calls,omitempty"`
	Watched *int    `json:"descriptor,omitempty"`
	Op      llm.Op  `json:"op,omitempty"`
	State   string  `json:"state,omitempty"`
	Queued  *int    `json:"queued_bytes,omitempty"`
	Seconds float64 `json:"seconds,omitempty"`
	Client  any     `json:"client,omitempty"`
}

// Inspect writes a JSON snapshot of a handle, or of the library for handle 0, into dst. When dst is too small it returns the
// room needed; the snapshot may have grown by the next call.
func (b *Bridge) Inspect(handle uint64, dst []byte) (int, Status) {
	snapshot, status := b.snapshot(handle)
	if status != StatusOK {
		return 0, status
	}
	text, err := json.Marshal(snapshot)
	if err != nil {
		return 0, StatusInternal
	}
	if len(text) > len(dst) {
		return len(text), StatusTooSmall
	}
	return copy(dst, text), StatusOK
}

func (b *Bridge) snapshot(handle uint64) (any, Status) {
	if handle == 0 {
		return b.library(), StatusOK
	}
	thing, status := b.handles.get(handle)
	switch thing := thing.(type) {
	case *client:
		state := "open"
		if thing.failed != nil {
			state = "failed"
		}
		running := int(thing.users.Load()) - 1
		snapshot := handleSnapshot{Kind: "client", Calls: &running, State: state}
		if thing.engine != nil {
			snapshot.Client = thing.engine.Describe()
		}
		return snapshot, status
	case *inbox:
		thing.mu.Lock()
		defer thing.mu.Unlock()
		calls := len(thing.calls)
		snapshot := handleSnapshot{Kind: "inbox", Calls: &calls}
		if watch := thing.watch(); watch != nil {
			descriptor := watch.Descriptor()
			snapshot.Watched = &descriptor
		}
		return snapshot, status
	case *call:
		queued, ended, delivered := thing.queue.snapshot()
		state := "running"
		if delivered {
			state = "delivered"
		} else if ended {
			state = "ended"
		}
		op, _ := thing.op.Load().(llm.Op)
		return handleSnapshot{
			Kind: "call", Op: op, State: state, Queued: &queued, Seconds: time.Since(thing.began).Seconds(),
		}, status
	}
	return nil, status
}

func (b *Bridge) library() librarySnapshot {
	snapshot := librarySnapshot{
		Version: Version, ABI: ABIVersion, Providers: engine.Providers(), Models: engine.Models(),
		Prices: b.engine.Prices(), Costs: b.engine.Costs(false), Ops: llm.Ops(), ErrorKinds: llm.Kinds(),
		Handles: counts{Working: b.working.Load()},
	}
	b.handles.each(func(thing any) {
		switch thing.(type) {
		case *client:
			snapshot.Handles.Clients++
		case *inbox:
			snapshot.Handles.Inboxes++
		case *call:
			snapshot.Handles.Calls++
		}
	})
	return snapshot
}
