package engine

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"pyagent/core/llm"
	"pyagent/core/policy"
)

// machine is a computer whose time passes as the test says.
type machine struct {
	mu          sync.Mutex
	awake, wall time.Duration
}

func (m *machine) now() instant {
	m.mu.Lock()
	defer m.mu.Unlock()
	return instant{awake: time.Unix(0, 0).Add(m.awake), wall: time.Unix(1e9, 0).Add(m.wall)}
}

func (m *machine) pass(awake, wall time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.awake += awake
	m.wall += wall
}

func (m *machine) run(time time.Duration)   { m.pass(time, time) }
func (m *machine) sleep(time time.Duration) { m.pass(0, time) }

// watched is a watchdog on such a machine.
type watched struct {
	*watchdog
	machine
	t   *testing.T
	ctx context.Context
}

func watch(t *testing.T, clocks policy.Clocks) *watched {
	ctx, cancel := context.WithCancelCause(context.Background())
	w := &watched{watchdog: new(watchdog), t: t, ctx: ctx}
	w.start(clocks, cancel, w.machine.now)
	t.Cleanup(w.stop)
	return w
}

// look checks, and says which clock has ended the attempt.
func (w *watched) look() string {
	w.check()
	var late *llm.Error
	if !errors.As(context.Cause(w.ctx), &late) {
		return ""
	}
	return late.Clock
}

func (w *watched) expect(when, clock string) {
	w.t.Helper()
	if got := w.look(); got != clock {
		w.t.Fatalf("%s: the clock %q ended it, want %q", when, got, clock)
	}
}

var patient = policy.Clocks{FirstToken: 10 * time.Minute, Idle: 3 * time.Minute}

func TestClocksOfAMachineThatIsAwake(t *testing.T) {
	w := watch(t, patient)
	w.run(10*time.Minute - 1)
	w.expect("just before the first token is due", "")
	w.commit()
	w.run(3*time.Minute - 1)
	w.expect("just before the end of the pause", "")
	w.sawProgress = true
	w.beforeRead()
	w.run(3*time.Minute - 1)
	w.expect("after progress", "")
	w.run(1)
	w.expect("at the end of the pause", "idle")
}

func TestSleepEndsADeadStream(t *testing.T) {
	for name, begin := range map[string]func(*watched) string{
		"first_token": func(w *watched) string { return "first_token" },
		"idle":        func(w *watched) string { w.commit(); return "idle" },
	} {
		t.Run(name, func(t *testing.T) {
			w := watch(t, patient)
			clock := begin(w)
			w.afterRead() // before the sleep, which proves nothing
			w.run(time.Second)
			w.sleep(8 * time.Hour)
			w.expect("at waking up", "")
			w.run(wakeGrace - 1)
			w.expect("within the grace", "")
			w.run(1)
			w.expect("after the grace", clock)
		})
	}
}

func TestSleepDoesNotEndALivingStream(t *testing.T) {
	w := watch(t, patient)
	w.commit()
	w.sleep(8 * time.Hour)
	w.expect("at waking up", "")
	w.run(time.Second)
	w.afterRead() // a ping
	w.run(wakeGrace)
	w.expect("after a sign of life", "")
	w.run(2 * time.Minute)
	w.expect("while the pause is not over", "")
	w.run(time.Minute)
	w.expect("signs of life are no progress", "idle")
}

func TestProgressAfterASleep(t *testing.T) {
	w := watch(t, patient)
	w.commit()
	w.sleep(8 * time.Hour)
	w.expect("at waking up", "")
	w.run(time.Second)
	w.afterRead()
	w.sawProgress = true
	w.beforeRead()
	w.run(3*time.Minute - 1)
	w.expect("a new pause", "")
}

func TestSleepShorterThanTheClock(t *testing.T) {
	w := watch(t, patient)
	w.commit()
	w.run(time.Minute)
	w.sleep(time.Minute)
	w.expect("two of three minutes", "")
	w.run(time.Minute)
	w.expect("three minutes on the wall clock", "")
	w.run(wakeGrace)
	w.expect("and no sign of life", "idle")
}

func TestTheWallClockIsSetBack(t *testing.T) {
	w := watch(t, patient)
	w.commit()
	w.pass(0, -time.Hour)
	w.run(3*time.Minute - 1)
	w.expect("before the end of the pause", "")
	w.run(1)
	w.expect("at the end of the pause", "idle")
}

func TestNothingIsHeldAgainstTheVendorWhileTheHostIsBehind(t *testing.T) {
	w := watch(t, patient)
	w.commit()
	w.note(true)
	w.run(time.Hour)
	w.sleep(time.Hour)
	w.expect("while the host is behind", "")
	w.note(false)
	w.run(3*time.Minute - 1)
	w.expect("a new pause", "")
}

func TestTheWatchdogLooksByItself(t *testing.T) {
	w := watch(t, policy.Clocks{FirstToken: 50 * time.Millisecond})
	w.run(50 * time.Millisecond)
	select {
	case <-w.ctx.Done():
	case <-time.After(5 * time.Second):
		t.Error("the timer did not fire")
	}
}
