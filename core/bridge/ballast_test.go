package bridge

import (
	"runtime"
	"testing"
	"time"
)

// The ballast of several bridges stands out from what other tests have on the heap.
func TestTheBallastComesWithTheFirstCollection(t *testing.T) {
	const bridges = 8
	before := heap()
	made := make([]*Bridge, bridges)
	for i := range made {
		made[i] = New()
	}
	if grown := heap() - before; grown > bridges*ballastBytes/2 {
		t.Errorf("%d bytes came with the bridges", grown)
	}
	end := time.Now().Add(10 * time.Second)
	for heap()-before < bridges*ballastBytes*3/4 {
		if time.Now().After(end) {
			t.Fatalf("%d bytes came with the collection", heap()-before)
		}
		runtime.GC()
	}
	runtime.KeepAlive(made)
}

func heap() int64 {
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}
