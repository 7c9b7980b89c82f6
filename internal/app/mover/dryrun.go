package mover

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/tranship/tranship/internal/base/journal"
	"github.com/tranship/tranship/internal/plan"
	"github.com/tranship/tranship/internal/rollout"
	"github.com/tranship/tranship/internal/rollout/runner"
)

// A Dry run is every step of every unit that would be done.
type Dry struct {
	Version int       `json:"version"`
	Plan    string    `json:"plan"`
	Units   []DryUnit `json:"units"`
}

// A DryUnit is one unit's steps.
type DryUnit struct {
	ID        rollout.UnitID  `json:"id"`
	Wave      int             `json:"wave"`
	Mode      plan.Mode       `json:"mode"`
	Workloads []string        `json:"workloads,omitempty"`
	Routes    []rollout.Route `json:"routes,omitempty"`
	Steps     []DryStep       `json:"steps"`
	Blocked   string          `json:"blocked,omitempty"`
}

// A DryStep is one step with its inverse.
type DryStep struct {
	State rollout.State `json:"state"`
	Do    string        `json:"do"`
	Undo  string        `json:"undo,omitempty"`
	For   string        `json:"for,omitempty"`
	Final string        `json:"final,omitempty"`
}

// DryRun lists the steps of the chosen units; none chosen is all.
func DryRun(p *plan.Plan, only []rollout.UnitID) Dry {
	d := Dry{Version: 1, Plan: p.Seal, Units: []DryUnit{}}
	for _, u := range rollout.Units(p) {
		if len(only) > 0 && !slices.Contains(only, u.ID) {
			continue
		}
		x := DryUnit{ID: u.ID, Wave: u.Wave, Mode: u.Mode, Routes: u.Routes(), Blocked: u.Blocked}
		for _, w := range u.Workloads {
			x.Workloads = append(x.Workloads, string(w.Name))
		}
		for _, s := range rollout.Script(&u) {
			step := DryStep{State: s.State, Do: s.Do.Words(s.Weight, false), Final: s.Final}
			if s.Undo != rollout.Nothing {
				step.Undo = s.Undo.Words(0, true)
			}
			if s.For > 0 {
				step.For = s.For.String()
			}
			x.Steps = append(x.Steps, step)
		}
		d.Units = append(d.Units, x)
	}
	return d
}

// Print prints the steps for people.
func (d Dry) Print(w io.Writer) error {
	tw := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	for _, u := range d.Units {
		fmt.Fprintf(tw, "wave %d  %s  (%s)  %s\n", u.Wave, u.ID, u.Mode, strings.Join(u.Workloads, " "))
		if u.Blocked != "" {
			fmt.Fprintf(tw, "  blocked: %s\n\n", u.Blocked)
			continue
		}
		fmt.Fprintln(tw, "  STATE\tDOES\tFOR\tUNDONE BY")
		for _, s := range u.Steps {
			undo := s.Undo
			if s.Final != "" {
				undo = "no way back: " + s.Final
			}
			fmt.Fprintf(tw, "  %s\t%s\t%s\t%s\n", s.State, s.Do, s.For, undo)
		}
		fmt.Fprintln(tw)
	}
	return tw.Flush()
}

// Words says a record in one line.
func Words(r journal.Record) string {
	switch r.Kind {
	case runner.KindOpen:
		return words(r, func(o runner.Opening) string { return fmt.Sprintf("plan %.12s of %s", o.Plan, o.Move) })
	case runner.KindEvent:
		return words(r, func(e rollout.Event) string { return string(e.Kind) + ": " + e.Text() })
	case runner.KindGates:
		return words(r, func(v runner.Verdict) string { return string(v.Verdict) + ": " + v.Why })
	case runner.KindOrder:
		return words(r, func(o runner.Order) string { return fmt.Sprintf("%s %s by %s", o.Kind, o.Unit, o.By) })
	case runner.KindFence:
		return words(r, func(f runner.Fence) string { return fmt.Sprintf("only the %s may run it, token %d", f.World, f.Token) })
	case runner.KindCutover:
		return words(r, func(p runner.Pause) string {
			return fmt.Sprintf("writes stood still for %.3f s, %.3g s allowed", p.Seconds, p.Wanted)
		})
	case runner.KindCopy:
		return words(r, func(c runner.Copied) string {
			return fmt.Sprintf("%s %d: same %t, %d rows, %d bytes", c.Workload, c.Instance, c.Result.Same, c.Result.Rows, c.Result.Size)
		})
	case runner.KindHosts:
		return words(r, func(f runner.Freed) string {
			return fmt.Sprintf("wave %d: free to terminate: %s", f.Wave, strings.Join(f.Hosts, " "))
		})
	case runner.KindBase:
		return words(r, func(b runner.Base) string { return fmt.Sprintf("%s: %d requests at the source", b.Backend, b.Requests) })
	}
	return string(r.Body)
}

func words[T any](r journal.Record, say func(T) string) string {
	var v T
	if err := json.Unmarshal(r.Body, &v); err != nil {
		return string(r.Body)
	}
	return say(v)
}
