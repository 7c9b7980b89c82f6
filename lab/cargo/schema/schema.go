// Package schema makes the cargo's tables and fills them with old readings. In: a database. Out: tables, rows. It never
// takes a row away.
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

// row makes reading n of $1 to $2, of $3 devices, $5 microseconds apart from $4 on.
const row = `
	INSERT INTO readings (device, seq, at, value, world)
	SELECT 'seed-' || lpad((n % $3 + 1)::text, 6, '0'), n / $3 + 1,
	       $4::timestamptz + n * $5 * interval '1 microsecond', floor((50 + 40 * sin(n::float8 / 5000)) * 100) / 100, 'none'
	FROM generate_series($1::bigint, $2::bigint) n`

// Seed adds rows readings of devices called seed-000001 and so on, evenly over the span, in the order of their time, and
// tells report how many are done. There are no events of them: they are history. A table that is empty is filled without
// its indexes, which are built afterwards; no other session sees it between. Again with the same arguments it adds
// nothing.
func Seed(ctx context.Context, s *store.Store, rows, devices int64, span Span, report func(done int64)) error {
	limits := store.Limits{Attempt: time.Hour, Patience: time.Hour}
	err := s.Do(ctx, limits, func(ctx context.Context, c *pgx.Conn) error {
		tx, err := c.Begin(ctx)
		if err != nil {
			return err
		}
		defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
		var empty bool
		_, err = tx.Exec(ctx, `LOCK TABLE readings; SET LOCAL maintenance_work_mem = '256MB'`)
		if err == nil {
			err = tx.QueryRow(ctx, `SELECT NOT EXISTS (SELECT FROM readings)`).Scan(&empty)
		}
		if err == nil && empty {
			_, err = tx.Exec(ctx, `ALTER TABLE readings DROP CONSTRAINT readings_pkey; DROP INDEX readings_at`)
		}
		if err == nil {
			err = insert(ctx, tx, rows, devices, span, empty, report)
		}
		if err == nil && empty {
			// The names are those of schema.sql, which finds the index by its own.
			_, err = tx.Exec(ctx, `ALTER TABLE readings ADD PRIMARY KEY (device, seq); CREATE INDEX readings_at ON readings (at, device, seq)`)
		}
		if err == nil {
			_, err = tx.Exec(ctx, `ANALYZE readings`)
		}
		if err == nil {
			err = tx.Commit(ctx)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("seed %d readings: %w", rows, err)
	}
	return nil
}

func insert(ctx context.Context, tx pgx.Tx, rows, devices int64, span Span, empty bool, report func(int64)) error {
	const portion = 1_000_000
	step := span.To.Sub(span.From).Microseconds() / max(rows, 1)
	sql := row
	if !empty {
		sql += ` ON CONFLICT DO NOTHING`
	}
	for from := int64(0); from < rows; from += portion {
		to := min(from+portion, rows)
		if _, err := tx.Exec(ctx, sql, from, to-1, devices, span.From, step); err != nil {
			return err
		}
		report(to)
	}
	return nil
}
