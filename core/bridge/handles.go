package bridge

import "sync"

// handles gives out the integers that stand for clients, inboxes and calls on the host's side. The low half of a handle is a
// place in the table, the high half counts how often that place was given out: a handle that was closed is recognised for
// ever after, however often its place is used again.
type handles struct {
	mu    sync.RWMutex
	slots []slot
	free  []uint32
}

type slot struct {
	generation uint32 // of the handle that holds the place now, or of the next one when thing is nil
	thing      any
}

func (h *handles) add(thing any) uint64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	var place uint32
	if n := len(h.free); n > 0 {
		place, h.free = h.free[n-1], h.free[:n-1]
	} else {
		place = uint32(len(h.slots))
		h.slots = append(h.slots, slot{generation: 1})
	}
	h.slots[place].thing = thing
	return uint64(h.slots[place].generation)<<32 | uint64(place+1)
}

// get finds what a handle stands for. Without it the status says whether the handle was closed or never existed.
func (h *handles) get(handle uint64) (any, Status) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	place := uint32(handle) - 1
	generation := uint32(handle >> 32)
	if uint32(handle) == 0 || int(place) >= len(h.slots) || generation == 0 {
		return nil, StatusBad
	}
	slot := &h.slots[place]
	switch {
	case generation < slot.generation:
		return nil, StatusClosed
	case generation > slot.generation || slot.thing == nil:
		return nil, StatusBad
	}
	return slot.thing, StatusOK
}

// remove frees a handle's place and returns what it stood for.
func (h *handles) remove(handle uint64) (any, Status) {
	thing, status := h.get(handle)
	if status != StatusOK {
		return nil, status
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	slot := &h.slots[uint32(handle)-1]
	if slot.generation != uint32(handle>>32) || slot.thing == nil {
		return nil, StatusClosed // another thread was faster
	}
	slot.thing = nil
	slot.generation++
	if slot.generation != 0 { // a place whose count has run out is never used again
		h.free = append(h.free, uint32(handle)-1)
	}
	return thing, StatusOK
}

// each visits everything that is open.
func (h *handles) each(visit func(thing any)) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	for i := range h.slots {
		if thing := h.slots[i].thing; thing != nil {
			visit(thing)
		}
	}
}
