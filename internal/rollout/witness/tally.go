package witness

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
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
	Stored     int64 `json:"stored"` // acknowledged, and read back once
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
	firstRead = 500 * time.Millisecond // after the acknowledgement
	nextRead  = time.Second
	// examples of marks that are missing or doubled are kept up to this many.
	examples = 20
)

// A Tally follows marks. What was verified is kept as counts alone, so that it
// stays small however long it runs.
type Tally struct {
	settle  time.Duration
	names   []string
	turn    int
	last    map[string]int64
	minutes map[string]map[int64]*Count // by device and minute
	open    []pending
	bad     []Finding
	stored  []time.Time // of late, for the verdict
	seen    time.Time   // when a read was last answered
	began   time.Time
}

// pending is an acknowledged mark that was not read back yet.
type pending struct {
	mark  Mark
	acked time.Time
	next  time.Time
	busy  bool
}

// A Finding is a mark that is not as it was promised.
type Finding struct {
	Mark
	What  string `json:"what"` // "missing" or "duplicated"
	Found int    `json:"found"`
}

// New makes a tally of marks under n device names that begin with prefix. A
// record may take settle to be readable.
func New(prefix string, n int, settle time.Duration) *Tally {
	t := &Tally{settle: settle, last: map[string]int64{}, minutes: map[string]map[int64]*Count{}}
	for i := range max(n, 1) {
		name := fmt.Sprintf("%s%d", prefix, i+1)
		t.names = append(t.names, name)
		t.minutes[name] = map[int64]*Count{}
	}
	return t
}

// Next gives the mark to send now.
func (t *Tally) Next(now time.Time) Mark {
	if t.began.IsZero() {
		t.began = now
	}
	name := t.names[t.turn%len(t.names)]
	t.turn++
	t.last[name]++
	m := Mark{Device: name, Sequence: t.last[name], At: now}
	t.at(m).Sent++
	return m
}

// Answered takes what came back for a write. Only what was acknowledged is read
// back: nobody promised to keep the rest.
func (t *Tally) Answered(m Mark, o Outcome, now time.Time) {
	c := t.at(m)
	switch o {
	case Acknowledged:
		c.Acknowledged++
		t.open = append(t.open, pending{mark: m, acked: now, next: now.Add(firstRead)})
	case Refused:
		c.Refused++
	case Unsure:
		c.Unsure++
	}
}

// Due gives a mark to read back now, false if there is none.
func (t *Tally) Due(now time.Time) (Mark, bool) {
	for i := range t.open {
		if p := &t.open[i]; !p.busy && !now.Before(p.next) {
			p.busy = true
			return p.mark, true
		}
	}
	return Mark{}, false
}

// Read takes how many copies of the mark were read, or that none could be read at
// all. An acknowledged record is missing if it is not there settle after it was
// acknowledged; while nobody can read, nothing is.
func (t *Tally) Read(m Mark, copies int, answered bool, now time.Time) {
	i := slices.IndexFunc(t.open, func(p pending) bool { return p.mark.Device == m.Device && p.mark.Sequence == m.Sequence })
	if i < 0 {
		return
	}
	p := &t.open[i]
	p.busy, p.next = false, now.Add(nextRead)
	if !answered {
		return
	}
	t.seen = now
	c := t.at(m)
	switch {
	case copies == 1:
		c.Stored++
		t.stored = append(t.stored, now)
	case copies > 1:
		c.Duplicated++
		t.find(Finding{m, "duplicated", copies})
	case now.Sub(p.acked) < t.settle:
		return
	default:
		c.Missing++
		t.find(Finding{m, "missing", 0})
	}
	t.open = slices.Delete(t.open, i, i+1)
}

func (t *Tally) find(f Finding) {
	if len(t.bad) < examples {
		t.bad = append(t.bad, f)
	}
}

func (t *Tally) at(m Mark) *Count {
	minute := m.At.Unix() / 60
	c := t.minutes[m.Device][minute]
	if c == nil {
		c = &Count{}
		t.minutes[m.Device][minute] = c
	}
	return c
}

// Sum gives the counts of all marks, and how many of those that were acknowledged
// are still to be read.
func (t *Tally) Sum() (Count, int) {
	var out Count
	for _, byMinute := range t.minutes {
		for _, c := range byMinute {
			out.add(*c)
		}
	}
	return out, len(t.open)
}

// Recent gives how many marks were read back in the span before now.
func (t *Tally) Recent(now time.Time, span time.Duration) int64 {
	t.stored = slices.DeleteFunc(t.stored, func(at time.Time) bool { return now.Sub(at) > span })
	return int64(len(t.stored))
}

// Blind is for how long no read has been answered.
func (t *Tally) Blind(now time.Time) time.Duration {
	return now.Sub(slices.MaxFunc([]time.Time{t.seen, t.began}, time.Time.Compare))
}

// ProofVersion is that of the proof's file.
const ProofVersion = 1

// A Proof is what became of all marks.
type Proof struct {
	Version int       `json:"version"`
	Unit    string    `json:"unit"`
	From    time.Time `json:"from"`
	To      time.Time `json:"to"`
	Sum     Count     `json:"sum"`
	// Unread marks were acknowledged and could not be read yet.
	Unread   int           `json:"unread"`
	Devices  []DeviceProof `json:"devices"`
	Findings []Finding     `json:"findings,omitempty"`
	// Journal is the hash of the move's journal when the proof was made.
	Journal string `json:"journal,omitempty"`
}

// DeviceProof is one device's marks, minute by minute.
type DeviceProof struct {
	Device  string   `json:"device"`
	Sum     Count    `json:"sum"`
	Minutes []Minute `json:"minutes"`
}

// A Minute of one device.
type Minute struct {
	At time.Time `json:"at"`
	Count
}

// Proof gives the proof as it stands.
func (t *Tally) Proof(unit, journal string, now time.Time) Proof {
	p := Proof{Version: ProofVersion, Unit: unit, From: t.began.UTC(), To: now.UTC(), Journal: journal, Findings: slices.Clone(t.bad), Devices: []DeviceProof{}}
	p.Sum, p.Unread = t.Sum()
	for _, name := range t.names {
		d := DeviceProof{Device: name, Minutes: []Minute{}}
		for _, m := range slices.SortedFunc(maps.Keys(t.minutes[name]), cmp.Compare[int64]) {
			c := *t.minutes[name][m]
			d.Sum.add(c)
			d.Minutes = append(d.Minutes, Minute{At: time.Unix(m*60, 0).UTC(), Count: c})
		}
		p.Devices = append(p.Devices, d)
	}
	return p
}
