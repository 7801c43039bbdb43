package bridge

import (
	"runtime"
	"testing"
)

func TestOneProcessorWhileCallsComeOneByOne(t *testing.T) {
	all := runtime.GOMAXPROCS(0)
	if all == 1 {
		t.Skip("this machine has one processor")
	}
	defer runtime.SetDefaultGOMAXPROCS()
	p := processors{managed: true}
	want := func(when string, number int) {
		t.Helper()
		if got := runtime.GOMAXPROCS(0); got != number {
			t.Errorf("%s: %d processors, want %d", when, got, number)
		}
	}
	for range aloneLimit - 1 {
		p.began(1, true)
	}
	want("after a few calls", all)
	p.began(1, true)
	want("after many calls", 1)
	p.began(2, true)
	want("when two overlap", all)
	for range aloneLimit {
		p.began(1, true)
	}
	want("after many more", 1)
	p.began(1, false)
	want("with an inbox", all)
	p.lends(1)
	want("with a stream on loan", all)
	for range aloneLimit {
		p.began(1, true)
	}
	p.lends(1)
	want("with a stream on loan after many calls", all)
	p.lends(2)
	want("with several on loan", all+asleep)
	p.began(2, true)
	want("with several on loan and another call", all+asleep)
	for range aloneLimit {
		p.began(1, true)
	}
	want("after many calls again", 1)
	p.began(1, false)
	var unmanaged processors
	for range 2 * aloneLimit {
		unmanaged.began(1, true)
		unmanaged.lends(2)
	}
	want("when the user has set the number", all)
}
