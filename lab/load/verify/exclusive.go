package verify

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Rollup is what the job's runs say of themselves.
type Rollup struct {
	Runs        int64 `json:"runs"`
	Windows     int64 `json:"windows"`
	Double      int64 `json:"double"`      // runs beyond the first of their window
	Overlapping int64 `json:"overlapping"` // pairs of runs that were alive at the same time
	Unfinished  int64 `json:"unfinished"`
	// Skipped are windows between the first and the last that had no run.
	Skipped int64            `json:"skipped"`
	Worlds  map[string]int64 `json:"worlds"`
}

// ReadRollup reads the runs that started since.
func ReadRollup(ctx context.Context, c *pgx.Conn, since time.Time) (Rollup, error) {
	r := Rollup{Worlds: map[string]int64{}}
	err := c.QueryRow(ctx, `
		WITH runs AS (SELECT *, coalesce(finished, seen) AS until FROM rollup_runs WHERE started >= $1)
		SELECT count(*), count(DISTINCT (span_start, span_end)), count(*) - count(DISTINCT (span_start, span_end)),
		       count(*) FILTER (WHERE finished IS NULL),
		       (SELECT count(*) FROM runs a JOIN runs b ON a.id < b.id AND a.started <= b.until AND b.started <= a.until),
		       coalesce(round(extract(epoch FROM max(span_start) - min(span_start))
		                / extract(epoch FROM min(span_end - span_start)))::bigint + 1 - count(DISTINCT span_start), 0)
		FROM runs`, since).Scan(&r.Runs, &r.Windows, &r.Double, &r.Unfinished, &r.Overlapping, &r.Skipped)
	if err != nil {
		return r, fmt.Errorf("read runs: %w", err)
	}
	r.Worlds, err = byWorld(ctx, c, `SELECT world, count(*) FROM rollup_runs WHERE started >= $1 GROUP BY 1`, since)
	if err != nil {
		return r, fmt.Errorf("read runs by world: %w", err)
	}
	return r, nil
}

// Notifier is what consumers have sent.
type Notifier struct {
	Sent       int64 `json:"sent"`
	Gaps       int64 `json:"gaps"`       // events before the last one sent that were not
	Duplicates int64 `json:"duplicates"` // sent beyond the first time
	Reordered  int64 `json:"reordered"`  // sent for the first time after a later one
	Pending    int64 `json:"pending"`    // events that are still to be sent
	Consumers  int64 `json:"consumers"`
	Together   int64 `json:"together"` // pairs of consumers that were alive at the same time
	Killed     int64 `json:"killed"`   // consumers that did not say that they stopped; one of them may be alive
	// Worlds are events sent by where the consumer ran.
	Worlds map[string]int64 `json:"worlds"`
}

// ReadNotifier reads what was sent since, by consumers that began since.
func ReadNotifier(ctx context.Context, c *pgx.Conn, since time.Time) (Notifier, error) {
	var n Notifier
	err := c.QueryRow(ctx, `
		WITH mine AS (
			SELECT s.event_id, row_number() OVER (PARTITION BY s.event_id ORDER BY c.since, s.nth) AS time,
			       max(s.event_id) OVER (ORDER BY c.since, c.id, s.nth ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS highest
			FROM notifications s JOIN consumers c ON c.id = s.consumer WHERE c.since >= $1
		), span AS (SELECT min(event_id) AS low, max(event_id) AS high FROM mine)
		SELECT (SELECT count(*) FROM mine),
		       (SELECT count(*) FROM mine WHERE time > 1),
		       (SELECT count(*) FROM mine WHERE time = 1 AND event_id < highest),
		       (SELECT count(*) FROM events e, span WHERE e.id BETWEEN span.low AND span.high
		        AND NOT EXISTS (SELECT FROM notifications s WHERE s.event_id = e.id)),
		       (SELECT count(*) FROM events e WHERE e.id > coalesce((SELECT max(event_id) FROM notifications), 0))`, since).
		Scan(&n.Sent, &n.Duplicates, &n.Reordered, &n.Gaps, &n.Pending)
	if err != nil {
		return n, fmt.Errorf("read notifications: %w", err)
	}
	err = c.QueryRow(ctx, `
		WITH mine AS (SELECT * FROM consumers WHERE since >= $1)
		SELECT count(*), count(*) FILTER (WHERE NOT stopped),
		       (SELECT count(*) FROM mine a JOIN mine b ON a.id < b.id AND a.since <= b.until AND b.since <= a.until)
		FROM mine`, since).Scan(&n.Consumers, &n.Killed, &n.Together)
	if err != nil {
		return n, fmt.Errorf("read consumers: %w", err)
	}
	n.Worlds, err = byWorld(ctx, c, `
		SELECT s.world, count(*) FROM notifications s JOIN consumers c ON c.id = s.consumer WHERE c.since >= $1 GROUP BY 1`, since)
	if err != nil {
		return n, fmt.Errorf("read notifications by world: %w", err)
	}
	return n, nil
}

func byWorld(ctx context.Context, c *pgx.Conn, sql string, since time.Time) (map[string]int64, error) {
	rows, err := c.Query(ctx, sql, since)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	worlds := map[string]int64{}
	for rows.Next() {
		var world string
		var n int64
		if err := rows.Scan(&world, &n); err != nil {
			return nil, err
		}
		worlds[world] = n
	}
	return worlds, rows.Err()
}
