package policy

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// book is a record and those who use it.
type book struct {
	rates  Rates
	record []byte
}

func (b *book) ask(now float64, process, running, tokens int64, patience time.Duration) (turn Turn) {
	b.change(now, func(l *Ledger) { turn = l.Ask(process, running, tokens, patience) })
	return turn
}

func (b *book) change(now float64, change func(*Ledger)) {
	l := ReadLedger(b.rates, at(now), b.record)
	change(l)
	b.record = l.Record()
}

const patient = time.Hour

// Two processes that ask in turn are let in as one is by a Window.
func TestLedgerOfRequests(t *testing.T) {
	b := &book{rates: Rates{Requests: 2, Period: time.Minute}}
	for number, step := range []struct {
		at   float64
		wait time.Duration
	}{
		{0, 0}, {10, 0}, {20, 40 * time.Second}, {59, time.Second}, {60, 0}, {60, 10 * time.Second}, {70, 0}, {200, 0},
	} {
		turn := b.ask(step.at, int64(number%2), 0, 0, 0)
		if turn.Begun != (step.wait == 0) || turn.Wait != step.wait || !turn.Begun && !turn.Known {
			t.Fatalf("at %g: %+v, wanted %v", step.at, turn, step.wait)
		}
	}
}

func TestLedgerOfTokens(t *testing.T) {
	b := &book{rates: Rates{Tokens: 100, Period: time.Minute}}
	first := b.ask(0, 1, 0, 60, 0)
	if turn := b.ask(1, 2, 0, 50, 0); turn.Wait != 59*time.Second {
		t.Errorf("the second one: %+v", turn)
	}
	b.change(1, func(l *Ledger) { l.Correct(first.At, -20) })
	if turn := b.ask(2, 2, 0, 1000, 0); turn.Wait != 58*time.Second {
		t.Errorf("a large one waits until it is alone: %+v", turn)
	}
	if turn := b.ask(2, 2, 0, 60, 0); !turn.Begun {
		t.Errorf("after the correction: %+v", turn)
	}
	b.change(3, func(l *Ledger) { l.Correct(first.At, -1000) })
	if turn := b.ask(3, 2, 0, 41, 0); turn.Begun {
		t.Errorf("a correction took away what another one had: %+v", turn)
	}
	b.change(61, func(l *Ledger) { l.Correct(first.At, 1000) }) // which lies behind
	if turn := b.ask(62, 2, 0, 100, 0); !turn.Begun {
		t.Errorf("a minute later: %+v", turn)
	}
}

// What begins within a sixty-fourth of the period is one entry, which ends with the last of them.
func TestLedgerStaysShort(t *testing.T) {
	b := &book{rates: Rates{Requests: 100_000, Tokens: math.MaxInt64, Period: 64 * time.Second}}
	for number := range 5000 {
		if turn := b.ask(float64(number)/50, int64(number%7), 0, 10, 0); !turn.Begun {
			t.Fatalf("request %d: %+v", number, turn)
		}
	}
	if len(b.record) > 20*65 {
		t.Errorf("the record has %d bytes", len(b.record))
	}
	l := ReadLedger(b.rates, at(99.98), b.record)
	if first := l.begun[0]; first.requests != 50 || first.tokens != 500 || first.at != at(36.98).UnixMicro() {
		t.Errorf("the first entry is %+v", first)
	}
}

// Processes that wait are let in in the order of their coming, whoever looks first.
func TestLedgerQueue(t *testing.T) {
	b := &book{rates: Rates{Requests: 1, Period: time.Minute}}
	b.ask(0, 1, 0, 0, patient)
	for process, wait := range []time.Duration{59, 119, 179} {
		if turn := b.ask(1, int64(process), 0, 0, patient); turn.Wait != wait*time.Second {
			t.Errorf("process %d: %+v", process, turn)
		}
	}
	if turn := b.ask(1, 9, 0, 0, 179*time.Second); turn.Wait != 239*time.Second {
		t.Errorf("one without patience: %+v", turn)
	}
	if turn := b.ask(60, 1, 0, 0, patient); turn.Begun || turn.Wait != time.Minute {
		t.Errorf("the second one took the first one's turn: %+v", turn)
	}
	if turn := b.ask(60, 0, 0, 0, patient); !turn.Begun {
		t.Errorf("the first one: %+v", turn)
	}
	if turn := b.ask(60, 0, 0, 0, patient); turn.Wait != 3*time.Minute {
		t.Errorf("it stands behind the others then: %+v", turn)
	}
	b.change(60, func(l *Ledger) { l.Withdraw(1) })
	if turn := b.ask(60, 2, 0, 0, patient); turn.Wait != time.Minute {
		t.Errorf("when one has gone: %+v", turn)
	}
}

// One that does not come when its turn has come holds the others up for three seconds.
func TestLedgerForgetsTheDead(t *testing.T) {
	b := &book{rates: Rates{Requests: 1, Period: time.Minute, Concurrency: 2}}
	b.ask(0, 1, 0, 0, patient)
	b.ask(1, 2, 0, 0, patient) // which dies
	if turn := b.ask(62.5, 3, 0, 0, patient); turn.Begun {
		t.Errorf("it was not waited for: %+v", turn)
	}
	if turn := b.ask(63.5, 3, 0, 0, patient); !turn.Begun {
		t.Errorf("it is still waited for: %+v", turn)
	}

	b = &book{rates: Rates{Concurrency: 2}}
	b.ask(0, 1, 0, 0, patient)
	b.ask(0, 2, 0, 0, patient)
	b.change(9, func(l *Ledger) { l.Hold(1, 1) })
	if turn := b.ask(9.9, 3, 0, 0, 0); turn.Begun || turn.Known {
		t.Errorf("the second one's place was taken: %+v", turn)
	}
	if turn := b.ask(10, 3, 0, 0, 0); !turn.Begun {
		t.Errorf("the second one has died: %+v", turn)
	}
	if turn := b.ask(10, 4, 0, 0, 0); turn.Begun {
		t.Errorf("the first one lives: %+v", turn)
	}
	b.change(11, func(l *Ledger) { l.Hold(1, 0) })
	if turn := b.ask(11, 4, 0, 0, 0); !turn.Begun {
		t.Errorf("the first one has ended: %+v", turn)
	}
}

// A clock that is set back makes nobody wait for more than a period.
func TestLedgerOfAnotherTime(t *testing.T) {
	b := &book{rates: Rates{Requests: 1, Period: time.Minute, Concurrency: 5}}
	b.ask(1e6, 1, 0, 0, patient)
	b.ask(1e6, 2, 0, 0, patient)
	if turn := b.ask(0, 3, 0, 0, 0); turn.Wait != 2*time.Minute { // the request and the one that waits count from now on
		t.Errorf("got %+v", turn)
	}
	if turn := b.ask(63.5, 4, 0, 0, 0); !turn.Begun {
		t.Errorf("got %+v", turn)
	}
	if _, _, running, _ := ReadLedger(b.rates, at(75), b.record).Used(); running > 0 {
		t.Errorf("%d are on their way", running)
	}
}

func TestLook(t *testing.T) {
	for _, c := range []struct {
		turn   Turn
		times  int
		chance float64
		want   time.Duration
	}{
		{Turn{Known: true, Wait: time.Second}, 1, 0, time.Second + time.Millisecond},
		{Turn{Known: true, Wait: time.Second}, 9, 1, time.Second + 2*time.Millisecond},
		{Turn{Known: true, Wait: time.Second, Ahead: 3}, 1, 0, time.Second + 7*time.Millisecond},
		{Turn{Known: true, Wait: time.Minute}, 1, 1, time.Second},
		{Turn{Known: true, Wait: time.Minute}, 1, 0, 750 * time.Millisecond},
		{Turn{}, 0, 1, 10 * time.Millisecond},
		{Turn{}, 1, 0, 10 * time.Millisecond},
		{Turn{}, 2, 1, 40 * time.Millisecond},
		{Turn{}, 1000, 1, 200 * time.Millisecond},
		{Turn{Ahead: 4}, 1000, 0, 200 * time.Millisecond},
		{Turn{Ahead: 1000}, 1000, 1, time.Second},
	} {
		if got := c.turn.Look(c.times, c.chance); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}

// worker is a process of the crowd.
type worker struct {
	id     int64
	looks  int
	next   float64   // when it looks
	ends   []float64 // of what it has on its way
	begun  int
	diesAt float64
}

// Whatever processes do, and die of, no period holds more than is allowed, and those who live get on alike.
func TestLedgerInACrowd(t *testing.T) {
	for seed := range uint64(8) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			chance := rand.New(rand.NewPCG(seed, 1))
			rates := Rates{Period: time.Minute, Requests: 1 + chance.IntN(40), Concurrency: 1 + chance.IntN(6)}
			workers := make([]*worker, 2+chance.IntN(6))
			for i := range workers {
				workers[i] = &worker{id: int64(i + 1), next: chance.Float64(), diesAt: math.Inf(1)}
				if i > 1 && chance.IntN(3) == 0 {
					workers[i].diesAt = 200 * chance.Float64()
				}
			}
			crowd(t, rates, workers, chance)
		})
	}
}

func crowd(t *testing.T, rates Rates, workers []*worker, chance *rand.Rand) {
	b := &book{rates: rates}
	var times []float64
	now := 0.0
	for ends := 400.0; now < ends; {
		w := workers[0]
		for _, other := range workers {
			if other.next < w.next {
				w = other
			}
		}
		if now = w.next; now >= w.diesAt {
			w.next = math.Inf(1)
			continue
		}
		w.ends = slices.DeleteFunc(w.ends, func(end float64) bool { return end <= now })
		w.looks++
		turn := b.ask(now, w.id, int64(len(w.ends)), 0, patient)
		if !turn.Begun {
			w.next = now + min(turn.Look(w.looks, chance.Float64()).Seconds(), 3) // as the one that renews would
			continue
		}
		times, w.looks = append(times, now), 0
		w.begun++
		w.ends = append(w.ends, now+5*chance.Float64())
		w.next = now + 0.001
		if past := len(times) - 1 - rates.Requests; past >= 0 && now-times[past] < rates.Period.Seconds() {
			t.Fatalf("%d requests within %g s", rates.Requests+1, now-times[past])
		}
		atOnce := 0
		for _, other := range workers {
			for _, end := range other.ends {
				if end > now && now < other.diesAt+Lease.Seconds() {
					atOnce++
				}
			}
		}
		if atOnce > rates.Concurrency {
			t.Fatalf("%d at once at %g", atOnce, now)
		}
	}
	least, most := math.MaxInt, 0
	for _, w := range workers {
		if math.IsInf(w.diesAt, 1) {
			least, most = min(least, w.begun), max(most, w.begun)
		}
	}
	t.Logf("%+v: %d to %d of %d", rates, least, most, len(times))
	if least < 3 || 2*least < most-5 {
		t.Errorf("those who live began %d to %d requests of %d", least, most, len(times))
	}
	if bound := int(0.6 * min(400/60*float64(rates.Requests), 400/5*float64(rates.Concurrency))); len(times) < bound {
		t.Errorf("only %d requests in all, less than %d", len(times), bound)
	}
}

// Whatever a record holds, it is read, bounds nobody for ever, and is written so that it reads the same.
func FuzzLedger(f *testing.F) {
	b := &book{rates: Rates{Requests: 2, Tokens: 10, Period: time.Minute, Concurrency: 3}}
	for process := range int64(4) {
		b.ask(1000, process, process, 3, patient)
	}
	f.Add(b.record)
	far := Ledger{record: record{
		begun:   []begun{{math.MaxInt64, -1, 1 << 50}, {math.MinInt64, 1, 1}, {math.MaxInt64, most, most}},
		holders: []holder{{1, most, math.MaxInt64}, {1, most + 1, math.MaxInt64}, {2, 1, math.MinInt64}},
		queue:   []waiting{{1, 1, math.MaxInt64}, {1, -5, math.MaxInt64}, {3, most, math.MaxInt64}},
	}}
	f.Add(far.Record())
	f.Add(append(far.Record(), 0, 255))
	f.Add([]byte{255, 255, 255, 255, 255, 255, 255, 255, 255, 1})
	f.Fuzz(func(t *testing.T, record []byte) {
		now := at(1000)
		l := ReadLedger(b.rates, now, record)
		if again := ReadLedger(b.rates, now, l.Record()).Record(); !bytes.Equal(again, l.Record()) {
			t.Fatalf("%q reads as %q", l.Record(), again)
		}
		turn := l.Ask(1, 1, 5, patient)
		l.Correct(turn.At, -7)
		if turn.Wait < 0 || turn.Begun && turn.Wait != 0 {
			t.Fatalf("%+v", turn)
		}
		later := ReadLedger(b.rates, now.Add(time.Minute+time.Hour), l.Record())
		if turn := later.Ask(2, 0, 100, 0); !turn.Begun {
			t.Fatalf("an hour later: %+v with %q", turn, later.Record())
		}
	})
}
