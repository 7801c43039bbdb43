package bridge

import (
	"runtime"
	"sync/atomic"
	"time"
)

// yielding lets Go's scheduler see from time to time that the host's thread is alive. A thread that only ever crosses into the
// library and back schedules no goroutine. After 10 ms of that Go's monitor takes its processor away, and then looks again
// every 20 µs, for as long as the thread goes on so: an eighth of all work for slow streams. A yield costs two wake-ups of
// threads, and leaves the monitor asleep.
type yielding struct {
	began time.Time
	last  atomic.Int64 // nanoseconds since began
}

// yieldEvery is half of what the monitor allows.
const yieldEvery = 5 * time.Millisecond

// yield yields, when it was not done for a while.
func (y *yielding) yield() {
	now, last := int64(time.Since(y.began)), y.last.Load()
	if now-last > int64(yieldEvery) && y.last.CompareAndSwap(last, now) {
		runtime.Gosched()
	}
}
