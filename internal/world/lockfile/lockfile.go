// Package lockfile keeps other movers out where no cluster can be asked: by a
// file on this machine. It takes a path and gives the runner's lease. It never
// removes the file, and never trusts one that another process is writing.
package lockfile

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/tranship/tranship/internal/rollout/runner"
)

// Lease is the right to move, as a file says who has it.
type Lease struct {
	path string
	now  func() time.Time
}

// New makes a lease that is kept at path.
func New(path string, now func() time.Time) *Lease { return &Lease{path, now} }

type record struct {
	Holder string    `json:"holder"`
	Until  time.Time `json:"until"`
}

// Take implements runner.Lease.
func (l *Lease) Take(ctx context.Context, holder string, ttl time.Duration) error {
	return l.change(ctx, "take", func(r record) (record, error) {
		now := l.now()
		if r.Holder != "" && r.Holder != holder && now.Before(r.Until) {
			return r, fmt.Errorf("%w: %s has %s until %s", runner.ErrHeld, r.Holder, l.path, r.Until.UTC().Format(time.RFC3339))
		}
		return record{holder, now.Add(ttl)}, nil
	})
}

// Give implements runner.Lease.
func (l *Lease) Give(ctx context.Context, holder string) error {
	return l.change(ctx, "give back", func(r record) (record, error) {
		if r.Holder == holder {
			r = record{}
		}
		return r, nil
	})
}

// change reads and writes the record while no other process can. A record that
// was cut off in the middle, as by a crash, is of nobody: its holder had not
// got it yet.
func (l *Lease) change(ctx context.Context, what string, f func(record) (record, error)) error {
	fail := func(err error) error { return fmt.Errorf("%s lease %s: %w", what, l.path, err) }
	if err := os.MkdirAll(filepath.Dir(l.path), 0o700); err != nil {
		return fail(err)
	}
	file, err := os.OpenFile(l.path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fail(err)
	}
	defer file.Close()
	if err := lock(ctx, file); err != nil {
		return fail(err)
	}
	text, err := io.ReadAll(file)
	if err != nil {
		return fail(err)
	}
	var was record
	if json.Unmarshal(text, &was) != nil {
		was = record{}
	}
	is, err := f(was)
	if err != nil || is == was {
		return err
	}
	if text, err = json.Marshal(is); err != nil {
		return fail(err)
	}
	_, err = file.WriteAt(append(text, '\n'), 0)
	if err == nil {
		err = file.Truncate(int64(len(text) + 1))
	}
	return errors.Join(err, file.Sync())
}

// lock waits until no other process has the file locked; closing it unlocks.
func lock(ctx context.Context, file *os.File) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		done, err := tryLock(file)
		if done || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
}
