package witness

import (
	"container/heap"
	"fmt"
	"time"
)

// Count is what became of some marks.
type Count struct {
	Sent         int64 `json:"sent"`
	Acknowledged int64 `json:"acknowledged"`
	// Unsure marks had no answer: the record may be there or not.
	Unsure int64 `json:"unsure,omitempty"`
	// Refused marks were answered, and not acknowledged.
	Refused    int64 `json:"refused,omitempty"`
	Stored     int64 `json:"stored"` // acknowledged, and there once whenever it was asked for
	Missing    int64 `json:"missing"`
	Duplicated int64 `json:"duplicated"`
}

func (c *Count) add(o Count) {
	c.Sent += o.Sent
	c.Acknowledged += o.Acknowledged
	c.Unsure += o.Unsure
	c.Refused += o.Refused
	c.Stored += o.Stored
	c.Missing += o.Missing
	c.Duplicated += o.Duplicated
}

// Outcome is what came back for a write.
type Outcome string

// The outcomes.
const (
	Acknowledged Outcome = "acknowledged" // promised to be kept
	Refused      Outcome = "refused"      // answered otherwise
	Unsure       Outcome = "unsure"       // no answer
)

const (
	// nextRead is when a mark that could not be asked for is asked for again.
	nextRead = time.Second
	// examples of marks that are missing or doubled are kept up to this many.
	examples = 20
)

// A Tally follows marks and says which to send and which to read next. An
// acknowledged mark is judged by a read that begins settle after its
// acknowledgement: what is not there by then is missing, and what is there twice
// is duplicated. What passed is looked at again later, as often as new ones are
// sent, since a record can also be lost after it was seen: when a database is
// cut over, for one. Of marks that passed only numbers, ranges and a sample are
// kept, so that a tally stays small however long it runs.
type Tally struct {
	settle  time.Duration
	began   time.Time
	devices []*device
	byName  map[string]*device
	turn    int

	open   map[key]*pending
	queue  queue
	passed sample
	// looks are second looks that may be taken now, one for each mark sent.
	looks  int
	lookAt map[key]bool

	bad    []Finding
	recent recent
	seen   time.Time // when a read was last answered
}

// device is one name that marks are written under.
type device struct {
	name    string
	last    int64
	minutes map[int64]*Count
	stored  ranges
}

type key struct {
	device   string
	sequence int64
}

func keyOf(m Mark) key { return key{m.Device, m.Sequence} }

// A Finding is a mark that is not as it was promised.
type Finding struct {
	Mark
	What  string `json:"what"` // "missing" or "duplicated"
	Found int    `json:"found"`
	// Seen: it was there before, once.
	Seen bool `json:"seen,omitempty"`
	// When it was found out.
	When time.Time `json:"when"`
}

// New makes a tally of marks under n device names that begin with prefix. A
// record may take settle to be readable.
func New(prefix string, n int, settle time.Duration) *Tally {
	t := &Tally{settle: settle, byName: map[string]*device{}, open: map[key]*pending{}, lookAt: map[key]bool{}}
	for i := range max(n, 1) {
		d := &device{name: fmt.Sprintf("%s%d", prefix, i+1), minutes: map[int64]*Count{}}
		t.devices = append(t.devices, d)
		t.byName[d.name] = d
	}
	return t
}

// Next gives the mark to send now.
func (t *Tally) Next(now time.Time) Mark {
	if t.began.IsZero() {
		t.began = now
	}
	d := t.devices[t.turn%len(t.devices)]
	t.turn++
	d.last++
	m := Mark{Device: d.name, Sequence: d.last, At: now}
	d.at(now).Sent++
	t.looks = min(t.looks+1, len(t.devices))
	return m
}

// Answered takes what came back for a write. Only what was acknowledged is read
// back: nobody promised to keep the rest.
func (t *Tally) Answered(m Mark, o Outcome, now time.Time) {
	d := t.byName[m.Device]
	if d == nil {
		return
	}
	c := d.at(m.At)
	switch o {
	case Acknowledged:
		c.Acknowledged++
		p := &pending{mark: m, due: now.Add(t.settle)}
		t.open[keyOf(m)] = p
		heap.Push(&t.queue, p)
	case Refused:
		c.Refused++
	case Unsure:
		c.Unsure++
	}
}

// Due gives a mark to read back now, false if there is none. Each has to be
// followed by Read.
func (t *Tally) Due(now time.Time) (Mark, bool) {
	if len(t.queue) > 0 && !now.Before(t.queue[0].due) {
		p, _ := heap.Pop(&t.queue).(*pending)
		return p.mark, true
	}
	if t.looks == 0 {
		return Mark{}, false
	}
	m, ok := t.passed.next()
	if !ok || t.lookAt[keyOf(m)] {
		return Mark{}, false
	}
	t.looks--
	t.lookAt[keyOf(m)] = true
	return m, true
}

// Read takes how many copies of a mark that Due gave were read, or that nothing
// could be read at all: while nobody can read, nothing is missing.
func (t *Tally) Read(m Mark, copies int, answered bool, now time.Time) {
	k := keyOf(m)
	p, first := t.open[k]
	again := t.lookAt[k]
	if !first && !again {
		return
	}
	delete(t.lookAt, k)
	if !answered {
		if first {
			p.due = now.Add(nextRead)
			heap.Push(&t.queue, p)
		}
		return
	}
	t.seen = now
	delete(t.open, k)
	d := t.byName[m.Device]
	c := d.at(m.At)
	if again {
		if copies == 1 {
			return
		}
		c.Stored--
		d.stored.remove(m.Sequence)
		t.passed.remove(k)
	}
	switch {
	case copies == 1:
		c.Stored++
		d.stored.add(m.Sequence)
		t.passed.add(m)
		t.recent.add(now)
	case copies > 1:
		c.Duplicated++
		t.find(Finding{Mark: m, What: "duplicated", Found: copies, Seen: again, When: now})
	default:
		c.Missing++
		t.find(Finding{Mark: m, What: "missing", Seen: again, When: now})
	}
}

// First tells the first mark that is missing or there twice, empty if none is.
func (t *Tally) First() string {
	if len(t.bad) == 0 {
		return ""
	}
	f := t.bad[0]
	return fmt.Sprintf("mark %d of %s, sent at %s, %s", f.Sequence, f.Device, f.At.UTC().Format(time.RFC3339), f.What)
}

func (t *Tally) find(f Finding) {
	if len(t.bad) < examples {
		t.bad = append(t.bad, f)
	}
}

func (d *device) at(when time.Time) *Count {
	minute := when.Unix() / 60
	c := d.minutes[minute]
	if c == nil {
		c = &Count{}
		d.minutes[minute] = c
	}
	return c
}

// Sum gives the counts of all marks, and how many of those that were acknowledged
// are still to be read.
func (t *Tally) Sum() (Count, int) {
	var out Count
	for _, d := range t.devices {
		for _, c := range d.minutes {
			out.add(*c)
		}
	}
	return out, len(t.open)
}

// Recent gives how many marks passed in the span before now, an hour at most.
func (t *Tally) Recent(now time.Time, span time.Duration) int64 { return t.recent.count(now, span) }

// Blind is for how long no read has been answered.
func (t *Tally) Blind(now time.Time) time.Duration {
	since := t.began
	if t.seen.After(since) {
		since = t.seen
	}
	if since.IsZero() {
		return 0
	}
	return now.Sub(since)
}
