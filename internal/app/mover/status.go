package mover

import (
	"encoding/json"
	"time"

	"github.com/tranship/tranship/internal/base/journal"
	"github.com/tranship/tranship/internal/plan"
	"github.com/tranship/tranship/internal/rollout"
	"github.com/tranship/tranship/internal/rollout/runner"
)

// A Status is how far a move is, as its journal tells. It is the JSON that
// tranship status -o json prints.
type Status struct {
	Version int             `json:"version"`
	Plan    string          `json:"plan"` // the plan's seal
	Outcome rollout.Outcome `json:"outcome"`
	// Mover reports whether one is at work.
	Mover bool         `json:"mover"`
	Units []UnitStatus `json:"units"`
	// Free are source hosts that were drained and may be terminated.
	Free []string `json:"free,omitempty"`
	// Head is the journal's last hash, Records how many it has.
	Head    string `json:"head,omitempty"`
	Records int    `json:"records"`
}

// UnitStatus is how far one unit is.
type UnitStatus struct {
	ID     rollout.UnitID `json:"id"`
	Wave   int            `json:"wave"`
	Mode   plan.Mode      `json:"mode"`
	State  rollout.State  `json:"state"`
	Step   int            `json:"step"`
	Steps  int            `json:"steps"`
	Weight int            `json:"weight"`
	// Gates is the last verdict, Why what it says.
	Gates string    `json:"gates,omitempty"`
	Why   string    `json:"why,omitempty"`
	Last  string    `json:"last,omitempty"`
	At    time.Time `json:"at,omitzero"`
	// Asks is what a person has to agree to.
	Asks string `json:"asks,omitempty"`
	// Blocked is why the unit cannot move as the plan stands.
	Blocked string `json:"blocked,omitempty"`
}

// StatusOf folds a journal into a status.
func StatusOf(m *rollout.Move, seal string, records []journal.Record, busy bool) Status {
	s := Status{Version: 1, Plan: seal, Outcome: m.Outcome(), Mover: busy, Records: len(records)}
	last := map[string]UnitStatus{}
	for _, rec := range records {
		s.Head = rec.Hash
		u := last[rec.Subject]
		switch rec.Kind {
		case runner.KindEvent:
			var e rollout.Event
			if json.Unmarshal(rec.Body, &e) == nil {
				u.Last, u.At = e.Text(), rec.At
			}
		case runner.KindGates:
			var v runner.Verdict
			if json.Unmarshal(rec.Body, &v) == nil {
				u.Gates, u.Why = string(v.Verdict), v.Why
			}
		case runner.KindHosts:
			var h runner.Freed
			if json.Unmarshal(rec.Body, &h) == nil {
				s.Free = append(s.Free, h.Hosts...)
			}
		}
		last[rec.Subject] = u
	}
	for i := range m.Units {
		u := &m.Units[i]
		p := m.Progress(u.ID)
		out := last[string(u.ID)]
		out.ID, out.Wave, out.Mode, out.State, out.Weight, out.Blocked = u.ID, u.Wave, u.Mode, m.State(u), p.Weight, u.Blocked
		out.Step, out.Steps = max(p.At, 0), len(rollout.Script(u))
		out.Asks, _ = p.Asks(u)
		if p.Why != "" {
			out.Why = p.Why
		}
		s.Units = append(s.Units, out)
	}
	return s
}
