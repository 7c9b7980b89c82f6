// Package rollout says what a move does next. It takes a plan and what was
// recorded of the move so far, and gives the next action of each unit, with
// its inverse. It never acts, waits, or reads a clock: package runner does.
package rollout

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/plan"
	"github.com/tranship/tranship/internal/plan/policy"
)

// A UnitID names a unit: the name of its first workload, or "database/NAME".
type UnitID string

// A Unit is what moves together: a move group of the plan, or a database.
type Unit struct {
	ID        UnitID
	Wave      int
	Mode      plan.Mode
	Workloads []Workload
	// Database is set for a unit that moves by replication.
	Database *policy.MoveDatabase
	// Blocked says why the unit cannot move as the plan stands, empty if it can.
	Blocked string
	// Steps, Bake, Soak, Window, Ready, Patience are as the policy has them.
	Steps                               []int
	Bake, Soak, Window, Ready, Patience time.Duration
	// A Move keeps the unit's script, and its place among the units, from 1.
	script []Step
	place  int
}

// A Workload of a unit.
type Workload struct {
	Name estate.Name
	Kind estate.Kind
	// Replicas at the target, as planned, and at the source, as it was.
	Replicas, SourceReplicas int
	// Version of the source's definition when the plan was made.
	Version string
	// Singleton forbids two copies, in both worlds together too.
	Singleton bool
	Routes    []Route
	Volumes   []string // that its copies write to and that outlive them
	Times     []Times  // at which a job runs by itself
}

// A Route is a way through the front door to a workload's port.
type Route struct {
	Backend                  string
	Workload                 estate.Name
	Port                     int
	SourceGroup, TargetGroup string // AWS
}

// HasRoutes reports whether traffic comes to the unit.
func (u *Unit) HasRoutes() bool { return len(u.Routes()) > 0 }

// Routes gives all ways to the unit.
func (u *Unit) Routes() []Route {
	var out []Route
	for _, w := range u.Workloads {
		out = append(out, w.Routes...)
	}
	return out
}

// The defaults of what policy leaves out.
const (
	defaultBake     = 5 * time.Minute
	defaultSoak     = time.Hour
	defaultWindow   = 24 * time.Hour
	defaultReady    = 10 * time.Minute
	defaultPatience = 2 * time.Minute
)

// Units gives what the plan moves, in the order of waves and groups.
func Units(p *plan.Plan) []Unit {
	m := &p.Policy.Spec.Move
	byDatabase := map[string]*policy.MoveDatabase{}
	for i := range m.Databases {
		if w := m.Databases[i].Workload; w != "" {
			byDatabase[w] = &m.Databases[i]
		}
	}
	replicas := map[estate.Name]int{}
	for i := range p.Sizes {
		replicas[p.Sizes[i].Workload] = p.Sizes[i].Replicas
	}
	var out []Unit
	for _, wave := range p.Waves {
		for _, g := range wave.Groups {
			u := timed(Unit{Wave: wave.Number, Mode: g.Mode}, m)
			for _, name := range g.Workloads {
				w := p.Estate.Find(name)
				if w == nil || !plan.Moves(w, &p.Policy) {
					continue
				}
				u.Workloads = append(u.Workloads, workload(w, &p.Policy, replicas[name]))
				if d := byDatabase[string(name)]; d != nil {
					u.Database = d
				}
				if mode := p.Policy.MoveOf(string(name)).Mode; mode != "" {
					u.Mode = plan.Mode(mode)
				}
			}
			if len(u.Workloads) == 0 {
				continue
			}
			u.ID = UnitID(u.Workloads[0].Name)
			if u.Mode == plan.Shifted && !u.HasRoutes() {
				u.Blocked = "it has traffic, and spec.move.workloads names no route to it"
			}
			out = append(out, u)
		}
	}
	for i := range m.Databases {
		d := &m.Databases[i]
		if d.Workload != "" {
			continue
		}
		wave := d.Wave
		if wave == 0 {
			wave = len(p.Waves)
		}
		out = append(out, timed(Unit{ID: UnitID("database/" + d.Name), Wave: wave, Mode: plan.Stateful, Database: d}, m))
	}
	slices.SortStableFunc(out, func(a, b Unit) int { return cmp.Compare(a.Wave, b.Wave) })
	return out
}

func timed(u Unit, m *policy.Move) Unit {
	u.Steps = m.Steps
	if len(u.Steps) == 0 {
		u.Steps = []int{1, 5, 25, 50, 100}
	}
	u.Bake = orDefault(m.Bake, defaultBake)
	u.Soak = orDefault(m.Soak, defaultSoak)
	u.Window = orDefault(m.Window, defaultWindow)
	u.Ready = orDefault(m.Ready, defaultReady)
	u.Patience = orDefault(m.Patience, defaultPatience)
	return u
}

func orDefault(s *unit.Seconds, d time.Duration) time.Duration {
	if s == nil {
		return d
	}
	return s.Duration()
}

func workload(w *estate.Workload, p *policy.Policy, replicas int) Workload {
	out := Workload{Name: w.ID, Kind: w.Kind, Replicas: replicas, SourceReplicas: w.Replicas, Version: w.SourceVersion, Singleton: w.Singleton}
	for _, v := range w.Volumes {
		if v.Kind == estate.PersistentVolume || v.Kind == estate.ExternalVolume {
			out.Volumes = append(out.Volumes, v.Name)
		}
	}
	if w.Run != nil {
		for _, t := range w.Run.Schedules {
			if t.Enabled {
				out.Times = append(out.Times, Times{Cron: t.Cron, Zone: t.Zone})
			}
		}
	}
	for _, r := range p.MoveOf(string(w.ID)).Routes {
		out.Routes = append(out.Routes, Route{
			Backend: r.Backend, Workload: w.ID, Port: cmp.Or(r.Port, firstPort(w)), SourceGroup: r.SourceGroup, TargetGroup: r.TargetGroup,
		})
	}
	return out
}

func firstPort(w *estate.Workload) int {
	for _, c := range w.Containers {
		for _, p := range c.Ports {
			return p.Number
		}
	}
	return 0
}

// Find gives the unit of that ID, or of a workload of that name.
func Find(units []Unit, id string) (*Unit, error) {
	for i := range units {
		u := &units[i]
		if string(u.ID) == id || slices.ContainsFunc(u.Workloads, func(w Workload) bool { return string(w.Name) == id }) {
			return u, nil
		}
	}
	return nil, fmt.Errorf("%s is no unit of this plan; tranship status lists them", id)
}
