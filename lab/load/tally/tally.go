// Package tally counts requests by second, class, world and outcome. In: what became of each request. Out: counts and
// quantiles of any window. It never samples.
package tally

import (
	"sync"
	"time"

	"github.com/tranship/tranship/lab/load/hist"
)

// Class is a kind of request.
type Class int

// The classes.
const (
	Write Class = iota
	Last
	Page
	Range
	classes
)

// String is the class' name in reports.
func (c Class) String() string { return [...]string{"write", "last", "page", "range"}[c] }

// World is who answered, as X-World says.
type World int

// The worlds; Nobody when no service of the cargo gave the answer.
const (
	Mesos World = iota
	Kubernetes
	None
	Nobody
	worlds
)

// String is the world's name in reports.
func (w World) String() string { return [...]string{"mesos", "kubernetes", "none", "nobody"}[w] }

// WorldOf reads X-World.
func WorldOf(header string) World {
	for w := range Nobody {
		if w.String() == header {
			return w
		}
	}
	return Nobody
}

// Outcome is what became of a request; all but OK are failures.
type Outcome int

// The outcomes.
const (
	OK        Outcome = iota
	Status            // an answer of another status than the one that was due
	Shed              // 503 with Retry-After: too many long reads
	Wrong             // the status that was due, with content that was not
	Stale             // content that lacks what was acknowledged before
	Transport         // no answer: connection refused, cut
	Timeout           // no answer in time
	outcomes
)

// String is the outcome's name in reports.
func (o Outcome) String() string {
	return [...]string{"ok", "status", "shed", "wrong", "stale", "transport", "timeout"}[o]
}

// Result is what became of one request.
type Result struct {
	Class   Class
	World   World
	Outcome Outcome
	// Latency is from the time at which the request was due, not from that at which it was sent.
	Latency time.Duration
	// Resent is how often it was sent anew because a connection that had been idle was found closed.
	Resent int
}

// Tally is all that was counted.
type Tally struct {
	mu      sync.Mutex
	seconds map[int64]*second
	first   int64
	latest  int64
	bound   time.Duration
}

// second is what ended within one second of the clock.
type second struct {
	count  [classes][worlds][outcomes]uint32
	open   map[[2]int]*hist.Hist // while the second is young
	closed map[[2]int]hist.Sparse
	driver driver
}

// driver is how the driver itself did.
type driver struct {
	due, late, dropped, resent uint32
	lag                        time.Duration
}

// New makes an empty tally; the driver was late when it began a request more than bound after it was due.
func New(bound time.Duration) *Tally {
	return &Tally{seconds: map[int64]*second{}, bound: bound}
}

// Add counts a request that ended now.
func (t *Tally) Add(now time.Time, r Result) {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.at(now)
	s.count[r.Class][r.World][r.Outcome]++
	s.driver.resent += uint32(r.Resent)
	key := [2]int{int(r.Class), int(r.World)}
	h := s.open[key]
	if h == nil {
		h = new(hist.Hist)
		s.open[key] = h
		if rest, ok := s.closed[key]; ok {
			h.Merge(rest)
			delete(s.closed, key)
		}
	}
	h.Add(r.Latency)
}

// Due counts a request that the schedule had for the driver, which began it, or gave it to its device's queue, so late.
func (t *Tally) Due(now time.Time, lag time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	d := &t.at(now).driver
	d.due++
	d.lag = max(d.lag, lag)
	if lag > t.bound {
		d.late++
	}
}

// Dropped counts a request that was due and not sent, because too many were under way.
func (t *Tally) Dropped(now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.at(now).driver.dropped++
}

func (t *Tally) at(now time.Time) *second {
	n := now.Unix()
	s := t.seconds[n]
	if s == nil {
		s = &second{open: map[[2]int]*hist.Hist{}, closed: map[[2]int]hist.Sparse{}}
		t.seconds[n] = s
		if t.first == 0 || n < t.first {
			t.first = n
		}
	}
	if n > t.latest {
		if old := t.seconds[t.latest]; old != nil {
			old.close()
		}
		t.latest = n
	}
	return s
}

func (s *second) close() {
	for key, h := range s.open {
		s.closed[key] = h.Sparse()
	}
	clear(s.open)
}
