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
	var unmanaged processors
	for range 2 * aloneLimit {
		unmanaged.began(1, true)
	}
	want("when the user has set the number", all)
}
