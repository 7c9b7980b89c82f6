package mover

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/plan"
	"github.com/tranship/tranship/internal/rollout"
	"github.com/tranship/tranship/internal/rollout/runner/rehearse"
)

// A Rehearsal is a move in virtual time, with what it costs.
type Rehearsal struct {
	Version int    `json:"version"`
	Plan    string `json:"plan"`
	rehearse.Result
	// Target is what the target's nodes and control plane cost an hour, Dual what
	// that comes to from the move's begin to its end.
	Target unit.Money `json:"target"`
	Dual   unit.Money `json:"dual"`
}

// Rehearse runs the plan's move in virtual time, from midnight of its date.
func Rehearse(ctx context.Context, p *plan.Plan, only []rollout.UnitID) (Rehearsal, error) {
	at, err := time.Parse(time.DateOnly, p.AsOf)
	if err != nil {
		return Rehearsal{}, fmt.Errorf("the plan's date: %w", err)
	}
	m := NewMove(p)
	m.Only = only
	res, err := rehearse.Run(ctx, m, p.Policy, at)
	if err != nil {
		return Rehearsal{}, err
	}
	r := Rehearsal{Version: 1, Plan: p.Seal, Result: res, Target: p.Survival.Cost + p.Bill.Support.Fee}
	r.Dual = unit.Money(float64(r.Target) * res.End.Sub(res.Begin).Hours())
	return r, nil
}

// Print prints a rehearsal for people.
func (r Rehearsal) Print(w io.Writer) error {
	tw := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(tw, "WAVE\tUNIT\tMODE\tBEGINS\tMOVED\tENDS\tSTATE")
	for _, u := range r.Units {
		fmt.Fprintf(tw, "%d\t%s\t%s\t%s\t%s\t%s\t%s\n", u.Wave, u.ID, u.Mode, r.since(u.Begin), r.since(u.Moved), r.since(u.End), orWhy(u))
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	needs := map[string]int{}
	for _, u := range r.Units {
		for _, n := range u.Needs {
			needs[n]++
		}
		if u.Asks != "" {
			needs["a person's word: "+u.Asks]++
		}
	}
	fmt.Fprintln(w, "\nNEEDED BY GATES")
	for _, n := range sortedKeys(needs) {
		fmt.Fprintf(w, "  %s (%d units)\n", n, needs[n])
	}
	_, err := fmt.Fprintf(w, "\n%s after %s; at most %d copies in both worlds (%d units, %s); the target costs %s an hour, %s until the end\n",
		r.Outcome, span(r.End.Sub(r.Begin)), r.Peak.Copies, len(r.Peak.Units), r.since(r.Peak.At), r.Target, r.Dual)
	return err
}

func orWhy(u rehearse.Unit) string {
	if u.Why != "" {
		return string(u.State) + ": " + u.Why
	}
	return string(u.State)
}

func (r Rehearsal) since(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return "+" + span(t.Sub(r.Begin))
}

// span says a duration as people count it: "2d 03:04:05".
func span(d time.Duration) string {
	d = d.Round(time.Second)
	days := d / (24 * time.Hour)
	d -= days * 24 * time.Hour
	s := fmt.Sprintf("%02d:%02d:%02d", d/time.Hour, d/time.Minute%60, d/time.Second%60)
	if days > 0 {
		return fmt.Sprintf("%dd %s", days, s)
	}
	return s
}

func sortedKeys(m map[string]int) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	slices.SortFunc(out, func(a, b string) int { return strings.Compare(a, b) })
	return out
}
