package tally

import (
	"maps"
	"time"

	"github.com/tranship/tranship/lab/load/hist"
)

// Stats are the counts of a window of whole seconds, by the time at which requests ended.
type Stats struct {
	From     time.Time `json:"from"`
	To       time.Time `json:"to"`
	Requests uint64    `json:"requests"`
	Failed   uint64    `json:"failed"`
	PerSec   float64   `json:"perSecond"`
	// Worlds are all classes together, Classes each of them, both by world.
	Worlds  map[string]Line            `json:"worlds"`
	Classes map[string]map[string]Line `json:"classes"`
	Driver  Driver                     `json:"driver"`
}

// Line is what became of some requests. Latencies are in milliseconds from the time at which they were due, of all
// outcomes.
type Line struct {
	Requests uint64            `json:"requests"`
	Failed   uint64            `json:"failed"`
	Outcomes map[string]uint64 `json:"outcomes"`
	P50      float64           `json:"p50"`
	P99      float64           `json:"p99"`
	P999     float64           `json:"p999"`
	Max      float64           `json:"max"`
}

// Driver tells whether the numbers are those of the services or of the driver.
type Driver struct {
	Due     uint64  `json:"due"`
	Late    uint64  `json:"late"`
	Dropped uint64  `json:"dropped"`
	Resent  uint64  `json:"resent"`
	LagMax  float64 `json:"lagMax"` // milliseconds
	// Bottleneck: more than one request in a hundred was begun late, or any was not sent.
	Bottleneck bool `json:"bottleneck"`
}

// Window sums the whole seconds from the first that begins at or after from to the last that ends at or before to.
func (t *Tally) Window(from, to time.Time) Stats {
	begin, end := from.Unix(), to.Unix()
	if from.Nanosecond() > 0 {
		begin++
	}
	return t.sum(begin, max(begin, end))
}

// All sums everything, also seconds that are not over.
func (t *Tally) All() Stats {
	t.mu.Lock()
	first, latest := t.first, t.latest
	t.mu.Unlock()
	return t.sum(first, latest+1)
}

// Timeline is each second of a window by itself.
func (t *Tally) Timeline(from, to time.Time) []Stats {
	var all []Stats
	for s := max(from.Unix(), t.begin()); s < min(to.Unix(), t.end()); s++ {
		all = append(all, t.sum(s, s+1))
	}
	return all
}

func (t *Tally) begin() int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.first
}

func (t *Tally) end() int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.latest + 1
}

func (t *Tally) sum(begin, end int64) Stats {
	t.mu.Lock()
	defer t.mu.Unlock()
	stats := Stats{
		From: time.Unix(begin, 0).UTC(), To: time.Unix(end, 0).UTC(),
		Worlds: map[string]Line{}, Classes: map[string]map[string]Line{},
	}
	var hists [classes][worlds]*hist.Hist
	var count [classes][worlds][outcomes]uint64
	for n := max(begin, t.first); n < min(end, t.latest+1); n++ {
		s := t.seconds[n]
		if s == nil {
			continue
		}
		for key, rest := range s.rest() {
			h := &hists[key[0]][key[1]]
			if *h == nil {
				*h = new(hist.Hist)
			}
			(*h).Merge(rest)
		}
		for c := range classes {
			for w := range worlds {
				for o := range outcomes {
					count[c][w][o] += uint64(s.count[c][w][o])
				}
			}
		}
		stats.Driver.add(s.driver)
	}
	for w := range worlds {
		all, sum := new(hist.Hist), [outcomes]uint64{}
		for c := range classes {
			h := hists[c][w]
			if h == nil {
				continue
			}
			line := lineOf(h, count[c][w])
			if stats.Classes[c.String()] == nil {
				stats.Classes[c.String()] = map[string]Line{}
			}
			stats.Classes[c.String()][w.String()] = line
			stats.Requests += line.Requests
			stats.Failed += line.Failed
			all.Merge(h.Sparse())
			for o, n := range count[c][w] {
				sum[o] += n
			}
		}
		if all.Total() > 0 {
			stats.Worlds[w.String()] = lineOf(all, sum)
		}
	}
	if end > begin {
		stats.PerSec = float64(stats.Requests) / float64(end-begin)
	}
	stats.Driver.Bottleneck = stats.Driver.Dropped > 0 || stats.Driver.Late*100 > stats.Driver.Due
	return stats
}

// rest is what the second has, open or closed.
func (s *second) rest() map[[2]int]hist.Sparse {
	if len(s.open) == 0 {
		return s.closed
	}
	all := map[[2]int]hist.Sparse{}
	for key, h := range s.open {
		all[key] = h.Sparse()
	}
	maps.Copy(all, s.closed)
	return all
}

func (d *Driver) add(s driver) {
	d.Due += uint64(s.due)
	d.Late += uint64(s.late)
	d.Dropped += uint64(s.dropped)
	d.Resent += uint64(s.resent)
	d.LagMax = max(d.LagMax, milliseconds(s.lag))
}

func lineOf(h *hist.Hist, count [outcomes]uint64) Line {
	l := Line{
		Requests: h.Total(), Outcomes: map[string]uint64{},
		P50: milliseconds(h.Quantile(.5)), P99: milliseconds(h.Quantile(.99)),
		P999: milliseconds(h.Quantile(.999)), Max: milliseconds(h.Max()),
	}
	for o := range outcomes {
		if count[o] > 0 {
			l.Outcomes[o.String()] = count[o]
		}
		if o != OK {
			l.Failed += count[o]
		}
	}
	return l
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
