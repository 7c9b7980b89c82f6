// Package mover joins a plan, its journal, what people order, and both worlds,
// for the commands that move services. It takes a plan's file and gives results
// to print. It never decides what a unit does next.
package mover

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/tranship/tranship/internal/base/journal"
	"github.com/tranship/tranship/internal/plan"
	"github.com/tranship/tranship/internal/rollout"
	"github.com/tranship/tranship/internal/rollout/runner"
)

// Files are what a move keeps beside its plan.
type Files struct {
	Plan string
	// Journal holds what was decided and done, Orders what people ask of a mover
	// at work, Proof (with .json and .html) what the witness saw.
	Journal, Orders, Proof string
}

// FilesOf gives the names of a plan's files; a journal's name may be given.
func FilesOf(planFile, journalFile string) Files {
	base := strings.TrimSuffix(planFile, filepath.Ext(planFile))
	if journalFile == "" {
		journalFile = base + ".journal"
	}
	base = strings.TrimSuffix(journalFile, filepath.Ext(journalFile))
	return Files{Plan: planFile, Journal: journalFile, Orders: base + ".orders", Proof: base + ".witness"}
}

// NewMove gives the plan's move as nothing was done of it.
func NewMove(p *plan.Plan) *rollout.Move {
	m := rollout.NewMove(rollout.Units(p), p.Policy.Spec.Waves.Parallel)
	if p.Policy.Spec.Waves.Parallel == 0 {
		m.Parallel = 2 // as the plan's waves are made
	}
	m.GoOn = p.Policy.Spec.Move.After == "go-on"
	return m
}

// Open opens the move's journal for writing and folds it in. journal.ErrBusy:
// another mover is at work; runner.ErrOtherPlan, journal.ErrDamaged.
func Open(f Files, p *plan.Plan, now time.Time) (*rollout.Move, *journal.Journal, []journal.Record, error) {
	j, records, err := journal.Open(f.Journal)
	if err != nil {
		return nil, nil, nil, err
	}
	m := NewMove(p)
	if len(records) == 0 {
		move := &p.Policy.Spec.Move
		_, err = j.Append(now, runner.KindOpen, "", runner.Opening{
			Plan: p.Seal, Move: p.Policy.Metadata.Name, Source: move.Source.Marathon, Target: move.Cluster.Context,
		})
	} else {
		err = runner.Replay(m, p.Seal, records)
	}
	if err != nil {
		return nil, nil, nil, errors.Join(fmt.Errorf("journal %s: %w", f.Journal, err), j.Close())
	}
	return m, j, records, nil
}

// Look reads the journal while another process may be writing it. No journal is
// a move of which nothing was done.
func Look(f Files, p *plan.Plan) (*rollout.Move, []journal.Record, error) {
	m := NewMove(p)
	records, err := Records(f)
	if errors.Is(err, fs.ErrNotExist) {
		return m, nil, nil
	}
	if err == nil {
		err = runner.Replay(m, p.Seal, records)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("journal %s: %w", f.Journal, err)
	}
	return m, records, nil
}

// Records reads and verifies the journal. journal.ErrDamaged.
func Records(f Files) ([]journal.Record, error) {
	in, err := os.Open(f.Journal)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	return journal.Read(in)
}

// Busy reports whether a mover is at work on the journal.
func Busy(f Files) (bool, error) { return journal.Busy(f.Journal) }

// Order leaves an order for the mover at work: a file that it takes away once
// the order is in its journal.
func Order(f Files, o runner.Order, now time.Time) error {
	if err := os.MkdirAll(f.Orders, 0o700); err != nil {
		return fmt.Errorf("leave order: %w", err)
	}
	data, err := json.Marshal(o)
	if err != nil {
		return err
	}
	tmp, err := os.CreateTemp(f.Orders, ".new-*")
	if err != nil {
		return fmt.Errorf("leave order: %w", err)
	}
	_, err = tmp.Write(data)
	err = errors.Join(err, tmp.Sync(), tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), filepath.Join(f.Orders, fmt.Sprintf("%d-%s.json", now.UnixNano(), o.Kind)))
	}
	if err != nil {
		return fmt.Errorf("leave order: %w", err)
	}
	return nil
}

// Orders takes the orders that were left, the oldest first. An order to stop from
// before since meant a mover that has ended: it is taken away. An order that
// cannot be read is taken away and told.
func Orders(f Files, since time.Time) ([]runner.Order, error) {
	names, err := filepath.Glob(filepath.Join(f.Orders, "[0-9]*.json"))
	if err != nil || len(names) == 0 {
		return nil, err
	}
	slices.Sort(names)
	var out []runner.Order
	var bad error
	for _, name := range names {
		data, err := os.ReadFile(name)
		var o runner.Order
		if err == nil {
			err = json.Unmarshal(data, &o)
		}
		var left int64
		if err == nil {
			_, err = fmt.Sscanf(filepath.Base(name), "%d-", &left)
		}
		if err == nil && (o.Kind != runner.OrderStop || left >= since.UnixNano()) {
			out = append(out, o)
		}
		bad = errors.Join(bad, err, os.Remove(name))
	}
	return out, bad
}
