package policy

import (
	"encoding/binary"
	"slices"
	"time"
)

// Ledger is the account that several processes keep together: a Window whose whole state is a short record, which one of them
// after the other reads, changes and writes. It is a value without a clock and without a lock, like a Window, and differs from
// one in three things:
//
//   - Requests that begin within the same sixty-fourth of the period are one entry, which counts until the last of them is older
//     than the period. So the record stays short, however much is allowed, and no period holds more than that.
//   - What a process has on its way is lent to it: it says so again before Lease is over, or counts as dead.
//   - Those who wait stand in a queue, one for each process. Whoever came later begins only if there is room for all before it as
//     well, whether they look or sleep. A place in the queue ends by itself, too.
type Ledger struct {
	rates Rates
	now   int64 // microseconds since 1970, as all moments of a record
	record
}

// record is what the processes share.
type record struct {
	begun   []begun   // in the order of time
	holders []holder  // where requests on their way are limited
	queue   []waiting // in the order of coming
}

type begun struct {
	at       int64 // of the last of them
	requests int64
	tokens   int64
}

type holder struct {
	process int64
	running int64
	until   int64
}

type waiting struct {
	process int64
	tokens  int64
	until   int64
}

const (
	// Lease is how long requests of a process that died count as on their way.
	Lease = 10 * time.Second
	// grace is how long those behind wait for a process that does not come when its turn has come.
	grace = 2 * time.Second
	// parts is how many entries a period has at most.
	parts = 64
	// most bounds the numbers of a record, so that their sums cannot overflow.
	most = 1 << 40
)

// Used says what the period that ends now holds, how many requests are on their way, and how many processes wait.
func (l *Ledger) Used() (requests, tokens, running int64, waiting int) {
	for _, b := range l.begun {
		requests, tokens = requests+b.requests, tokens+b.tokens
	}
	for _, h := range l.holders {
		running += h.running
	}
	return requests, tokens, running, len(l.queue)
}

// Turn is what a request is told that asks for its turn.
type Turn struct {
	Begun bool
	At    int64         // of a request that has begun: names it to End
	Wait  time.Duration // of another one: how long it is until it may begin, at least
	Known bool          // false: only the end of another request will tell
	Ahead int           // processes that came before
}

// ReadLedger takes up a record at a moment. What cannot be read says nothing, as if nobody had asked yet; what lies in the future,
// because a clock was set back, is taken as of now.
func ReadLedger(rates Rates, now time.Time, data []byte) *Ledger {
	l := &Ledger{rates: rates, now: now.UnixMicro(), record: readRecord(data)}
	isOver := func(number, until int64) bool { return number < 0 || number > most || until <= l.now }
	l.begun = slices.DeleteFunc(l.begun, func(b begun) bool {
		return b.requests <= 0 || b.requests > most || isOver(b.tokens, min(b.at, l.now)+l.period())
	})
	for i := range l.begun {
		l.begun[i].at = min(l.begun[i].at, l.now)
	}
	slices.SortStableFunc(l.begun, func(a, b begun) int { return int(max(min(a.at-b.at, 1), -1)) })
	l.holders = slices.DeleteFunc(l.holders, func(h holder) bool { return h.running == 0 || isOver(h.running, h.until) })
	for i := range l.holders {
		l.holders[i].until = min(l.holders[i].until, l.after(Lease))
	}
	l.queue = slices.DeleteFunc(l.queue, func(w waiting) bool { return isOver(w.tokens, w.until) })
	for i := range l.queue {
		l.queue[i].until = min(l.queue[i].until, l.after(rates.Period+grace))
	}
	return l
}

// Record is what the next process reads: three tables of three columns, each after the number of its rows.
func (l *Ledger) Record() []byte {
	data := binary.AppendUvarint(nil, uint64(len(l.begun)))
	for _, b := range l.begun {
		data = appendRow(data, b.at, b.requests, b.tokens)
	}
	data = binary.AppendUvarint(data, uint64(len(l.holders)))
	for _, h := range l.holders {
		data = appendRow(data, h.process, h.running, h.until)
	}
	data = binary.AppendUvarint(data, uint64(len(l.queue)))
	for _, w := range l.queue {
		data = appendRow(data, w.process, w.tokens, w.until)
	}
	return data
}

func appendRow(data []byte, row ...int64) []byte {
	for _, number := range row {
		data = binary.AppendVarint(data, number)
	}
	return data
}

// readRecord gives an empty record for what is none.
func readRecord(data []byte) (read record) {
	tables := [3]func(row [3]int64){
		func(row [3]int64) { read.begun = append(read.begun, begun{row[0], row[1], row[2]}) },
		func(row [3]int64) { read.holders = append(read.holders, holder{row[0], row[1], row[2]}) },
		func(row [3]int64) { read.queue = append(read.queue, waiting{row[0], row[1], row[2]}) },
	}
	for _, add := range tables {
		rows, length := binary.Uvarint(data)
		if length <= 0 || rows > uint64(len(data)) {
			return record{}
		}
		data = data[length:]
		for range rows {
			var row [3]int64
			for i := range row {
				if row[i], length = binary.Varint(data); length <= 0 {
					return record{}
				}
				data = data[length:]
			}
			add(row)
		}
	}
	return read
}

// Keep is how long a record says anything when nobody touches it.
func (l *Ledger) Keep() time.Duration { return max(l.rates.Period, Lease) + grace }

func (l *Ledger) period() int64                  { return l.rates.Period.Microseconds() }
func (l *Ledger) after(time time.Duration) int64 { return l.now + time.Microseconds() }
func (l *Ledger) part(at int64) int64            { return at / max(l.period()/parts, 1) }

// Ask lets a process begin a request that is expected to have so many tokens, if it is its turn. Otherwise the process has a
// place in the queue, unless it would not wait for as long as it takes. running is how many requests it has on its way already.
func (l *Ledger) Ask(process, running, tokens int64, patience time.Duration) Turn {
	l.Hold(process, running)
	tokens = min(max(tokens, 0), most)
	place := slices.IndexFunc(l.queue, func(w waiting) bool { return w.process == process })
	ahead := l.queue
	if place >= 0 {
		ahead = l.queue[:place]
	}
	wait, known := l.wait(ahead, tokens)
	switch {
	case known && wait == 0:
		l.Withdraw(process)
		l.Hold(process, running+1)
		l.begin(tokens)
		return Turn{Begun: true, At: l.now}
	case wait >= patience:
		l.Withdraw(process)
	default:
		me := waiting{process, tokens, l.after(wait + farLook + grace)}
		if place < 0 {
			l.queue = append(l.queue, me)
		} else {
			l.queue[place] = me
		}
	}
	return Turn{Wait: wait, Known: known, Ahead: len(ahead)}
}

// wait is how long it is until a request may begin, when those ahead have begun as soon as they could.
func (l *Ledger) wait(ahead []waiting, tokens int64) (wait time.Duration, known bool) {
	if l.rates.Concurrency > 0 {
		if _, _, running, _ := l.Used(); running+int64(len(ahead)) >= int64(l.rates.Concurrency) {
			return 0, false
		}
	}
	begins, entries := l.now, slices.Clone(l.begun)
	for _, w := range ahead {
		begins = l.due(entries, begins, w.tokens)
		entries = append(entries, begun{begins, 1, w.tokens})
	}
	return time.Duration(l.due(entries, begins, tokens)-l.now) * time.Microsecond, true
}

// due is when a request may begin, from a moment on that is none before the entries.
func (l *Ledger) due(entries []begun, at, tokens int64) int64 {
	var count, sum int64
	for _, b := range entries {
		count, sum = count+b.requests, sum+b.tokens
	}
	for _, b := range entries {
		over := b.at + l.period()
		if over > at {
			if l.rates.fit(count, sum, tokens) {
				break
			}
			at = over
		}
		count, sum = count-b.requests, sum-b.tokens
	}
	return at
}

// begin counts a request in.
func (l *Ledger) begin(tokens int64) {
	if last := len(l.begun) - 1; last >= 0 && l.part(l.begun[last].at) == l.part(l.now) {
		b := &l.begun[last]
		b.at, b.requests, b.tokens = l.now, b.requests+1, min(b.tokens+tokens, most)
		return
	}
	l.begun = append(l.begun, begun{l.now, 1, tokens})
}

// Correct says how many more tokens a request had than it was expected to have.
func (l *Ledger) Correct(at, more int64) {
	for i := range l.begun {
		if b := &l.begun[i]; l.part(b.at) == l.part(at) {
			b.tokens = min(max(b.tokens+more, 0), most)
			return
		}
	}
}

// Hold says how many requests of a process are on their way, which counts until Lease is over.
func (l *Ledger) Hold(process, running int64) {
	l.holders = slices.DeleteFunc(l.holders, func(h holder) bool { return h.process == process })
	if running > 0 && l.rates.Concurrency > 0 {
		l.holders = append(l.holders, holder{process, min(running, most), l.after(Lease)})
	}
}

// Withdraw gives up a process's place in the queue.
func (l *Ledger) Withdraw(process int64) {
	l.queue = slices.DeleteFunc(l.queue, func(w waiting) bool { return w.process == process })
}

const (
	// Those who wait for the end of another request look more seldom each time, and the more come before them: first and near are
	// for the first four of the queue.
	firstLook = 10 * time.Millisecond
	nearLook  = 200 * time.Millisecond
	// farLook is how often anybody looks. A moment that is known and far comes sooner when a request had fewer tokens than it was
	// expected to have.
	farLook = time.Second
	// apart is how far from each other those look who wait for the same moment, in the order of the queue.
	apart = 2 * time.Millisecond
)

// Look is how long a process waits before it asks for its turn again, having asked so many times: until the moment that it was
// told, or where another request has to end first, now and then. Chance keeps the processes apart.
func (t Turn) Look(times int, random float64) time.Duration {
	switch {
	case t.Known && t.Wait <= farLook:
		return t.Wait + time.Duration((0.5+float64(min(t.Ahead, 50))+random/2)*float64(apart))
	case t.Known:
		return time.Duration((0.75 + random/4) * float64(farLook))
	}
	longest := min(nearLook*time.Duration(1+min(t.Ahead, 100)/4), farLook)
	return time.Duration((0.5 + random/2) * float64(min(firstLook<<min(times, 8), longest)))
}
