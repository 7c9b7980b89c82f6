// Package rehearse runs a whole move in virtual time against worlds in memory.
// It takes a plan's units and gives a calendar, the peak of what runs in both
// worlds, and what each gate will need. It never touches a real world.
package rehearse

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/tranship/tranship/internal/base/journal"
	"github.com/tranship/tranship/internal/plan/policy"
	"github.com/tranship/tranship/internal/rollout"
	"github.com/tranship/tranship/internal/rollout/gate"
	"github.com/tranship/tranship/internal/rollout/runner"
)

// A Result is what a rehearsal came to.
type Result struct {
	Outcome rollout.Outcome `json:"outcome"`
	// Begin and End of the whole, in virtual time.
	Begin time.Time `json:"begin"`
	End   time.Time `json:"end"`
	Units []Unit    `json:"units"`
	// Peak is when most copies ran in both worlds.
	Peak Peak `json:"peak"`
	// Events that were journaled.
	Events int `json:"events"`
}

// A Unit has its calendar. A time is zero for what did not come about.
type Unit struct {
	ID    rollout.UnitID `json:"id"`
	Wave  int            `json:"wave"`
	Mode  string         `json:"mode"`
	State rollout.State  `json:"state"`
	Begin time.Time      `json:"begin,omitzero"`
	// Moved is when all traffic, or the work, was at the target; End when it was retired or back.
	Moved time.Time `json:"moved,omitzero"`
	End   time.Time `json:"end,omitzero"`
	Why   string    `json:"why,omitempty"`
	// Needs are what its gates need to answer at all.
	Needs []string `json:"needs,omitempty"`
	// Asks is what a person has to agree to.
	Asks string `json:"asks,omitempty"`
}

// Peak is the most that runs in both worlds.
type Peak struct {
	At     time.Time        `json:"at,omitzero"`
	Copies int              `json:"copies"`
	Units  []rollout.UnitID `json:"units,omitempty"`
}

// Run rehearses the move from the given instant. Points of no return are agreed to.
func Run(ctx context.Context, m *rollout.Move, p policy.Policy, at time.Time) (Result, error) {
	clock := NewClock(at)
	log := &record{}
	r := runner.New(m, worlds(m, clock), log, runner.Options{Policy: p, Clock: clock, Poll: 5 * time.Second, Coarse: 12})
	if err := r.Run(ctx); err != nil {
		return Result{}, fmt.Errorf("rehearse: %w", err)
	}
	asked := map[rollout.UnitID]string{}
	for again := true; again; {
		again = false
		for i := range m.Units {
			u := &m.Units[i]
			pr := m.Progress(u.ID)
			if what, asks := pr.Asks(u); asks {
				asked[u.ID], again = what, true
				if err := r.Order(u.ID, rollout.Event{Kind: rollout.Agree, Why: "rehearsed"}); err != nil {
					return Result{}, fmt.Errorf("rehearse: %w", err)
				}
			}
		}
		if again {
			if err := r.Run(ctx); err != nil {
				return Result{}, fmt.Errorf("rehearse: %w", err)
			}
		}
	}
	out := Result{Outcome: m.Outcome(), Begin: at, End: clock.Now(), Events: len(log.events)}
	limits := gate.LimitsOf(p.Spec.Move.Gates)
	for i := range m.Units {
		u := &m.Units[i]
		pr := m.Progress(u.ID)
		x := Unit{ID: u.ID, Wave: u.Wave, Mode: string(u.Mode), State: m.State(u), Why: pr.Why, Needs: needs(u, p, limits), Asks: asked[u.ID]}
		if u.Blocked != "" {
			x.Why = u.Blocked
		}
		x.calendar(log.events)
		out.Units = append(out.Units, x)
	}
	out.Peak = peak(m, log.events)
	return out, nil
}

// record is a journal in memory.
type record struct {
	events []event
	number int64
}

type event struct {
	at   time.Time
	unit rollout.UnitID
	rollout.Event
}

// Append keeps events; a rehearsal has no use for the rest.
func (r *record) Append(at time.Time, kind, subject string, body any) (journal.Record, error) {
	r.number++
	if e, ok := body.(rollout.Event); ok && kind == runner.KindEvent {
		r.events = append(r.events, event{at: at, unit: rollout.UnitID(subject), Event: e})
	}
	return journal.Record{Version: journal.Version, Number: r.number, At: at, Kind: kind, Subject: subject, Body: json.RawMessage("null")}, nil
}

func (x *Unit) calendar(events []event) {
	for _, e := range events {
		if e.unit != x.ID {
			continue
		}
		if x.Begin.IsZero() {
			x.Begin = e.at
		}
		if e.Kind == rollout.Done && !e.Back {
			switch e.Act {
			case rollout.Shift:
				if e.Weight == 100 {
					x.Moved = e.at
				}
			case rollout.ProveTargetOn, rollout.CutOver:
				x.Moved = e.at
			case rollout.SuspendSource:
				if x.Mode == "plain" {
					x.Moved = e.at
				}
			}
		}
		x.End = e.at
	}
	if !x.State.Ended() {
		x.End = time.Time{}
	}
}

// peak finds the instant at which most copies run in both worlds.
func peak(m *rollout.Move, events []event) Peak {
	type both struct{ target, source bool }
	now, copies := map[rollout.UnitID]both{}, map[rollout.UnitID]int{}
	for i := range m.Units {
		u := &m.Units[i]
		now[u.ID] = both{source: true}
		for _, w := range u.Workloads {
			copies[u.ID] += w.Replicas
		}
	}
	var best Peak
	for _, e := range events {
		b := now[e.unit]
		switch {
		case e.Kind == rollout.Intent && (e.Act == rollout.Apply || e.Act == rollout.StartTarget):
			b.target = true
		case e.Kind == rollout.Done && (e.Act == rollout.Remove || e.Act == rollout.StopTarget):
			b.target = false
		case e.Kind == rollout.Done && (e.Act == rollout.SuspendSource || e.Act == rollout.RetireSource):
			b.source = false
		case e.Kind == rollout.Intent && e.Act == rollout.ResumeSource:
			b.source = true
		}
		now[e.unit] = b
		sum, units := 0, []rollout.UnitID{}
		for id, b := range now {
			if b.source && b.target {
				sum += copies[id]
				units = append(units, id)
			}
		}
		if sum > best.Copies {
			slices.Sort(units)
			best = Peak{At: e.at, Copies: sum, Units: units}
		}
	}
	return best
}

// needs says what a unit's gates need to give an answer at all.
func needs(u *rollout.Unit, p policy.Policy, l gate.Limits) []string {
	var out []string
	if u.HasRoutes() {
		share, span := 100, u.Soak
		for _, s := range u.Steps {
			if s < 100 {
				share, span = s, u.Bake
				break
			}
		}
		rate := math.Inf(1)
		if window := (span + u.Patience).Seconds(); window > 0 {
			rate = float64(l.MinRequests) / window / float64(share) * 100
		}
		out = append(out, fmt.Sprintf("errors, latency: %d requests at the target while it has %d %%: at least %.3g requests a second through the front door",
			l.MinRequests, share, rate))
	}
	for _, w := range u.Workloads {
		say := p.MoveOf(string(w.Name))
		if say.Witness != nil {
			out = append(out, fmt.Sprintf("witness: writes to and reads from %s through the front door", w.Name))
		}
		for _, c := range say.Checks {
			out = append(out, "check "+c.Name+": an answer from each address of the target")
		}
		if say.Identity != nil {
			out = append(out, "identity: header "+say.Identity.Header+" in the target's answers")
		}
	}
	if u.Database != nil {
		out = append(out, fmt.Sprintf("lag: the replica no more than %s behind", l.Lag))
	}
	for _, q := range p.Spec.Move.Gates.PromQL {
		out = append(out, "promql "+q.Name+": a value from Prometheus")
	}
	return out
}
