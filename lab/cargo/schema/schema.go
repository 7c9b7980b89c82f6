// Package schema makes the cargo's tables and fills them with old readings. In: a database. Out: tables, rows. It never
// drops anything.
package schema

import (
	"context"
	_ "embed" // the tables
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tranship/tranship/lab/cargo/store"
)

//go:embed schema.sql
var tables string

// Create makes what is not there yet.
func Create(ctx context.Context, s *store.Store) error {
	err := s.Do(ctx, store.Limits{Attempt: 30 * time.Second, Patience: time.Minute}, func(ctx context.Context, c *pgx.Conn) error {
		// Two of them at once would both find a table missing.
		tx, err := c.Begin(ctx)
		if err != nil {
			return err
		}
		defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(8710)`); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, tables); err != nil {
			return err
		}
		return tx.Commit(ctx)
	})
	if err != nil {
		return fmt.Errorf("create tables: %w", err)
	}
	return nil
}

// Span is the time that seeded readings are spread over.
type Span struct {
	From, To time.Time
}

// Seed adds rows readings of devices called seed-000001 and so on, evenly over the span, in the order of their time, in
// portions of which report is told. Again with the same arguments it adds nothing. There are no events of them: they
// are history.
func Seed(ctx context.Context, s *store.Store, rows, devices int64, span Span, report func(done int64)) error {
	const portion = 500_000
	step := span.To.Sub(span.From).Microseconds() / max(rows, 1)
	for from := int64(0); from < rows; from += portion {
		to := min(from+portion, rows) - 1
		err := s.Do(ctx, store.Limits{Attempt: 5 * time.Minute, Patience: 10 * time.Minute}, func(ctx context.Context, c *pgx.Conn) error {
			_, err := c.Exec(ctx, `
				INSERT INTO readings (device, seq, at, value, world)
				SELECT 'seed-' || lpad((n % $3 + 1)::text, 6, '0'), n / $3 + 1,
				       $4::timestamptz + n * $5 * interval '1 microsecond', round((50 + 40 * sin(n / 5000.0))::numeric, 2), 'none'
				FROM generate_series($1::bigint, $2::bigint) n
				ON CONFLICT DO NOTHING`, from, to, devices, span.From, step)
			return err
		})
		if err != nil {
			return fmt.Errorf("seed readings %d to %d: %w", from, to, err)
		}
		report(to + 1)
	}
	err := s.Do(ctx, store.Limits{Attempt: 5 * time.Minute, Patience: 10 * time.Minute}, func(ctx context.Context, c *pgx.Conn) error {
		_, err := c.Exec(ctx, `ANALYZE readings`)
		return err
	})
	if err != nil {
		return fmt.Errorf("analyze what was seeded: %w", err)
	}
	return nil
}
