package mover

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/tranship/tranship/internal/plan"
	"github.com/tranship/tranship/internal/rollout"
	"github.com/tranship/tranship/internal/rollout/runner"
)

// Options of a move.
type Options struct {
	// Only, if set, are the units to work on.
	Only []rollout.UnitID
	// Approve are units whose points of no return a person agrees to; "all" is all.
	Approve []string
	// Again has halted units go on, and units that went back start anew.
	Again bool
	// Back is the person who wants the units of Only back, empty if nobody does.
	Back string
	// Manifests is a folder that Kustomize builds, in place of what the plan renders.
	Manifests string
	// Tell hears what happens; About what is about to be touched.
	Tell  func(runner.Note)
	About func(string)
	// Getenv reads a variable that the policy names.
	Getenv func(string) (string, bool)
}

// Run carries the plan out from where its journal says that it is. It gives the
// move as it stands at the end, nil if nothing was begun; and the cause of an
// early end.
func Run(ctx context.Context, p *plan.Plan, f Files, o Options) (m *rollout.Move, err error) {
	began := time.Now()
	m, j, records, err := Open(f, p, began)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, j.Close()) }()
	m.Only = o.Only
	w, done, err := open(ctx, p, o)
	if err != nil {
		return nil, err
	}
	defer done()
	host, err := os.Hostname()
	if err != nil {
		return nil, fmt.Errorf("name of this machine: %w", err)
	}
	opts := runner.Options{
		Policy: p.Policy, Holder: fmt.Sprintf("%s %.12s", host, p.Seal), Tell: o.Tell,
		Orders: func() ([]runner.Order, error) { return Orders(f, began) },
		Agree: func(u rollout.UnitID) bool {
			return slices.Contains(o.Approve, "all") || slices.Contains(o.Approve, string(u))
		},
		Free: map[int][]string{},
	}
	for _, wave := range p.Waves {
		if d := p.Policy.Spec.Move.Drain; d == nil || *d {
			opts.Free[wave.Number] = wave.Free
		}
	}
	opts.Began, opts.Bases = runner.Remember(records)
	r := runner.New(m, w, j, opts)
	if err := asked(r, m, o); err != nil {
		return m, err
	}
	err = r.Run(ctx)
	return m, errors.Join(err, state(f, p, j.Head()))
}

// asked takes what the command line asks of units that are not under way.
func asked(r *runner.Runner, m *rollout.Move, o Options) error {
	for i := range m.Units {
		u := &m.Units[i]
		if len(o.Only) > 0 && !slices.Contains(o.Only, u.ID) {
			continue
		}
		switch s := m.State(u); {
		case o.Back != "":
			if err := r.Order(u.ID, rollout.Event{Kind: rollout.RollBack, Why: "ordered by " + o.Back}); err != nil {
				return err
			}
		case o.Again && (s == rollout.Halted || s == rollout.RolledBack):
			if err := r.Order(u.ID, rollout.Event{Kind: rollout.Again, Why: "by --again"}); err != nil {
				return err
			}
		}
	}
	return nil
}
