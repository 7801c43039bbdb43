package guard

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pyagent/core/llm"
)

// number tells goroutines apart.
func number() string {
	line := make([]byte, 32)
	return string(line[:runtime.Stack(line, false)])
}

func TestCrewKeepsGoroutines(t *testing.T) {
	for name, ending := range map[string]func(){"return": func() {}, "panic": func() { panic("index gone") }} {
		t.Run(name, func(t *testing.T) {
			crew, numbers := NewCrew(), map[string]bool{}
			seen, failed := make(chan string), make(chan *llm.Error, 1)
			for range 20 {
				crew.Go(func() { seen <- number(); ending() }, func(err *llm.Error) { failed <- err })
				numbers[<-seen] = true
				if name == "panic" {
					if err := <-failed; err.Kind != llm.KindInternal {
						t.Fatalf("unexpected error %+v", err)
					}
				}
				waitFor(t, crew, len(numbers))
			}
			if len(numbers) > 10 { // one that is about to wait is not there yet, so there may be more than one
				t.Fatalf("20 pieces of work, one after the other, took %d goroutines", len(numbers))
			}
		})
	}
}

func TestCrewWorksSideBySide(t *testing.T) {
	crew := NewCrew()
	var done sync.WaitGroup
	var count, together atomic.Int64
	all := make(chan struct{})
	for range 3 * maxWaiting { // each waits for the others, so none can have waited for a goroutine
		done.Add(1)
		crew.Go(func() {
			defer done.Done()
			if count.Add(1) == 3*maxWaiting {
				close(all)
			}
			<-all
			together.Add(1)
		}, nil)
	}
	done.Wait()
	if together.Load() != 3*maxWaiting {
		t.Fatalf("%d pieces of work were done", together.Load())
	}
	waitFor(t, crew, maxWaiting)
}

func TestCrewGoesHome(t *testing.T) {
	crew := NewCrew()
	var begun sync.WaitGroup
	begun.Add(10)
	for range 10 {
		crew.Go(func() { begun.Done(); begun.Wait() }, nil)
	}
	begun.Wait()
	waitFor(t, crew, 10)
	waitFor(t, crew, 0)
}

// waitFor waits until so many goroutines wait; for 0, until the last one has gone and with it the timer.
func waitFor(t *testing.T, crew *Crew, count int) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
		crew.mu.Lock()
		waiting, sweeping := crew.waiting, crew.sweep != nil
		crew.mu.Unlock()
		if waiting == count && sweeping == (count > 0) {
			time.Sleep(time.Millisecond) // it has said so, and now it does
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines wait, not %d", waiting, count)
		}
	}
}
