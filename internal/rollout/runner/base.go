package runner

import (
	"encoding/json"
	"maps"
	"time"

	"github.com/tranship/tranship/internal/base/hist"
	"github.com/tranship/tranship/internal/base/journal"
	"github.com/tranship/tranship/internal/rollout"
	"github.com/tranship/tranship/internal/rollout/gate"
)

// KindBase is the record of a window in which the source had traffic: what the
// target is held against once the source has none.
const KindBase = "base"

// A Base is the source's traffic in a window of one route.
type Base struct {
	Backend  string        `json:"backend"`
	Begin    time.Time     `json:"begin"`
	End      time.Time     `json:"end"`
	Requests int64         `json:"requests"`
	Errors   int64         `json:"errors"`
	Latency  map[int]int64 `json:"latency,omitempty"` // counts by bucket of hist.Hist
}

func baseOf(backend string, w gate.Window) Base {
	b := Base{
		Backend: backend, Begin: w.Begin.At, End: w.End.At,
		Requests: w.End.Source.Requests - w.Begin.Source.Requests, Errors: w.End.Source.Errors - w.Begin.Source.Errors,
	}
	if h := w.End.Source.Latency; h != nil {
		b.Latency = map[int]int64{}
		d := *h
		if w.Begin.Source.Latency != nil {
			d = h.Since(w.Begin.Source.Latency)
		}
		for i, n := range d.Counts {
			if n != 0 {
				b.Latency[i] = n
			}
		}
	}
	return b
}

func (b *Base) window() *gate.Window {
	w := &gate.Window{Begin: rollout.Flow{At: b.Begin}, End: rollout.Flow{At: b.End}}
	w.End.Source.Requests, w.End.Source.Errors = b.Requests, b.Errors
	if b.Latency != nil {
		h := &hist.Hist{}
		for i, n := range b.Latency {
			if i >= 0 && i < len(h.Counts) {
				h.Counts[i] = n
				h.N += n
			}
		}
		w.Begin.Source.Latency, w.End.Source.Latency = &hist.Hist{}, h
	}
	return w
}

// bases gives the windows that the unit's target is held against.
func (r *Runner) bases(u *rollout.Unit) map[string]*gate.Window {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.opts.Bases[u.ID])
}

// and gives both windows as one.
func (b Base) and(o *gate.Window) Base {
	if o == nil {
		return b
	}
	sum := baseOf(b.Backend, *o)
	b.Begin = sum.Begin
	b.Requests += sum.Requests
	b.Errors += sum.Errors
	if b.Latency == nil {
		b.Latency = sum.Latency // the front door told none of late
		return b
	}
	for i, n := range sum.Latency {
		b.Latency[i] += n
	}
	return b
}

// keepBases adds, and journals, what the source did in the windows that have
// just ended, if it had traffic: all steps together are what the target is held
// against when the source has none.
func (r *Runner) keepBases(u *rollout.Unit, v *viewer) error {
	for backend, w := range v.windows {
		b := baseOf(backend, w)
		if v.weight >= 100 || b.Requests == 0 {
			continue
		}
		b = b.and(v.bases[backend])
		if err := r.record(KindBase, u, b, ""); err != nil {
			return err
		}
		r.mu.Lock()
		if r.opts.Bases == nil {
			r.opts.Bases = map[rollout.UnitID]map[string]*gate.Window{}
		}
		if r.opts.Bases[u.ID] == nil {
			r.opts.Bases[u.ID] = map[string]*gate.Window{}
		}
		r.opts.Bases[u.ID][backend] = b.window()
		r.mu.Unlock()
	}
	return nil
}

// Begun is when a step was begun.
type Begun struct {
	Step int
	At   time.Time
}

// Remember gives what a run takes over from an earlier one's records: when each
// unit's step was begun, and the windows its target is held against.
func Remember(records []journal.Record) (began map[rollout.UnitID]Begun, bases map[rollout.UnitID]map[string]*gate.Window) {
	began, bases = map[rollout.UnitID]Begun{}, map[rollout.UnitID]map[string]*gate.Window{}
	for _, rec := range records {
		id := rollout.UnitID(rec.Subject)
		switch rec.Kind {
		case KindEvent:
			var e rollout.Event
			if json.Unmarshal(rec.Body, &e) != nil {
				continue
			}
			delete(began, id)
			if e.Kind == rollout.Intent {
				began[id] = Begun{Step: e.At, At: rec.At}
			}
		case KindBase:
			var b Base
			if json.Unmarshal(rec.Body, &b) != nil {
				continue
			}
			if bases[id] == nil {
				bases[id] = map[string]*gate.Window{}
			}
			bases[id][b.Backend] = b.window()
		}
	}
	return began, bases
}
