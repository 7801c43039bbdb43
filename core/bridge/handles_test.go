package bridge

import (
	"sync"
	"testing"
)

func TestHandleOfAClosedThingStaysClosed(t *testing.T) {
	var table handles
	first := table.add("first")
	if thing, status := table.get(first); thing != "first" || status != StatusOK {
		t.Fatalf("got %v %v", thing, status)
	}
	table.remove(first)
	second := table.add("second")
	if uint32(first) != uint32(second) || first == second {
		t.Fatalf("the place is not used again with a new count: %x %x", first, second)
	}
	if _, status := table.get(first); status != StatusClosed {
		t.Errorf("the old handle is %v, want closed", status.Name())
	}
	if _, status := table.remove(first); status != StatusClosed {
		t.Errorf("closing the old handle again is %v, want closed", status.Name())
	}
	if thing, _ := table.get(second); thing != "second" {
		t.Errorf("the new handle stands for %v", thing)
	}
}

func TestBogusHandles(t *testing.T) {
	var table handles
	table.add("only")
	for name, handle := range map[string]uint64{
		"zero": 0, "place never used": 1<<32 | 99, "count from the future": 7<<32 | 1, "no count": 1, "all ones": ^uint64(0),
	} {
		if _, status := table.get(handle); status != StatusBad {
			t.Errorf("%s: %v, want bad handle", name, status.Name())
		}
	}
}

func TestOneOfManyClosersWins(t *testing.T) {
	var table handles
	handle := table.add("thing")
	var group sync.WaitGroup
	results := make([]Status, 16)
	for i := range results {
		group.Go(func() { _, results[i] = table.remove(handle) })
	}
	group.Wait()
	won := 0
	for _, status := range results {
		if status == StatusOK {
			won++
		} else if status != StatusClosed {
			t.Errorf("a late closer got %v", status.Name())
		}
	}
	if won != 1 {
		t.Errorf("%d closers won", won)
	}
}
