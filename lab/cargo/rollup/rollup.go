// Package rollup aggregates the readings of one window. In: a window. Out: a row for each device, and one row that says that
// this run took place. It never looks whether the window has had a run: that it runs once is the scheduler's promise, and a
// run too many has to be seen, not hidden.
package rollup

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tranship/tranship/lab/cargo/store"
)

// Window is the time that a run aggregates.
type Window struct {
	From, To time.Time
}

// LastMinute is the last full minute before now.
func LastMinute(now time.Time) Window {
	to := now.UTC().Truncate(time.Minute)
	return Window{From: to.Add(-time.Minute), To: to}
}

// ParseWindow reads "START/END", both as 2006-01-02T15:04:05Z.
func ParseWindow(text string) (Window, error) {
	start, end, _ := strings.Cut(text, "/")
	from, err := time.Parse(time.RFC3339, start)
	if err == nil {
		var to time.Time
		if to, err = time.Parse(time.RFC3339, end); err == nil && from.Before(to) {
			return Window{From: from.UTC(), To: to.UTC()}, nil
		}
	}
	return Window{}, fmt.Errorf("window: %q is not START/END, each as 2006-01-02T15:04:05Z, START first", text)
}

// Runner is who runs: what its row in the table of runs says.
type Runner struct {
	World, Host, Version string
	// Hold keeps the run alive for so long after its work, so that a run can be met while it goes on.
	Hold time.Duration
}

// limits let the job outlast what a request would not: nobody waits for it.
func limits() store.Limits {
	return store.Limits{Attempt: 20 * time.Second, Patience: 50 * time.Second}
}

// Run aggregates the window once, and returns the id of the run and how many devices it has seen.
func Run(ctx context.Context, s *store.Store, w Window, r Runner) (id string, devices int64, err error) {
	id = rand.Text()
	err = exec(ctx, s, `
		INSERT INTO rollup_runs (id, span_start, span_end, world, host, version) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT DO NOTHING`, id, w.From, w.To, r.World, r.Host, r.Version)
	if err != nil {
		return id, 0, fmt.Errorf("begin run %s: %w", id, err)
	}
	alive, stop := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		beat(alive, s, id)
	}()
	defer func() {
		stop()
		<-ended
	}()
	err = s.Do(ctx, limits(), func(ctx context.Context, c *pgx.Conn) error {
		done, err := c.Exec(ctx, `
			INSERT INTO rollups (span_start, device, readings, mean, low, high)
			SELECT $1, device, count(*), avg(value), min(value), max(value) FROM readings
			WHERE at >= $1 AND at < $2 GROUP BY device
			ON CONFLICT (span_start, device) DO UPDATE
			SET readings = excluded.readings, mean = excluded.mean, low = excluded.low, high = excluded.high`, w.From, w.To)
		devices = done.RowsAffected()
		return err
	})
	if err != nil {
		return id, 0, fmt.Errorf("aggregate %s: %w", w.From.Format(time.RFC3339), err)
	}
	select {
	case <-ctx.Done():
		// The row stays unfinished, as the run is.
		return id, devices, fmt.Errorf("run %s: %w", id, ctx.Err())
	case <-time.After(r.Hold):
	}
	err = exec(ctx, s, `UPDATE rollup_runs SET finished = clock_timestamp(), seen = clock_timestamp() WHERE id = $1`, id)
	if err != nil {
		return id, devices, fmt.Errorf("end run %s: %w", id, err)
	}
	return id, devices, nil
}

// beat says each second that the run is alive: of one that is killed, seen tells when it last was.
func beat(ctx context.Context, s *store.Store, id string) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			// One that is missed is made up for by the next.
			_ = exec(ctx, s, `UPDATE rollup_runs SET seen = clock_timestamp() WHERE id = $1`, id)
		}
	}
}

func exec(ctx context.Context, s *store.Store, sql string, args ...any) error {
	return s.Do(ctx, limits(), func(ctx context.Context, c *pgx.Conn) error {
		_, err := c.Exec(ctx, sql, args...)
		return err
	})
}
