package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tranship/tranship/internal/rollout/runner"
)

// Writes are held by a lock on all tables that lets readers pass. Who asks for
// it makes every later writer queue behind it, so it is asked for a short while
// only, and again after a rest.
const (
	lockWait = 150 * time.Millisecond
	lockRest = 250 * time.Millisecond
	lockAsks = 12
)

// insist does what needs a lock a few times, with rests between.
func insist(ctx context.Context, f func() error) error {
	var err error
	for i := range lockAsks {
		if i > 0 {
			if err := pause(ctx, lockRest); err != nil {
				return err
			}
		}
		err = f()
		if pg, ok := errors.AsType[*pgconn.PgError](err); !ok || pg.Code != "55P03" && pg.Code != "40P01" {
			return err
		}
	}
	return err
}

// hold opens a transaction in which nobody else can write, and gives when it
// was asked for. If this process dies the server ends it by itself, at the
// latest when the limit is over.
func (p *pair) hold(ctx context.Context, leader *end, tables []string, limit time.Duration) (since time.Time, err error) {
	s := fmt.Sprintf("BEGIN; SET LOCAL lock_timeout = '%dms'; SET LOCAL idle_in_transaction_session_timeout = '%dms';",
		lockWait.Milliseconds(), (limit + 2*time.Second).Milliseconds())
	if leader.PgConn().ParameterStatus("is_superuser") == "on" {
		// A vacuum makes room once a deadlock is looked for.
		s += "SET LOCAL deadlock_timeout = '20ms';"
	}
	err = insist(ctx, func() error {
		if err := leader.QueryRow(ctx, "SELECT clock_timestamp()").Scan(&since); err != nil {
			return err
		}
		_, err := leader.Exec(ctx, s+"LOCK TABLE "+strings.Join(tables, ", ")+" IN SHARE ROW EXCLUSIVE MODE")
		if err != nil && !leader.IsClosed() {
			_, _ = leader.Exec(ctx, "ROLLBACK")
		}
		return err
	})
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok && pg.Code == "55P03" {
		return since, fmt.Errorf("writes to the %s cannot be held, tried %d times: %s: %w", leader.side, lockAsks, p.holders(ctx, leader), err)
	}
	return since, err
}

// holders names who is in the way of the lock.
func (p *pair) holders(ctx context.Context, e *end) string {
	rows, err := e.Query(ctx, `SELECT DISTINCT format('session %s of %s has been in a transaction for %s s', a.pid, coalesce(a.usename, a.backend_type),
		round(extract(epoch FROM clock_timestamp() - a.xact_start))) FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
		WHERE l.locktype = 'relation' AND l.granted AND l.mode <> 'AccessShareLock' AND l.pid <> pg_backend_pid()
		AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND a.xact_start IS NOT NULL
		UNION ALL SELECT format('prepared transaction %L is open', gid) FROM pg_prepared_xacts WHERE database = current_database() LIMIT 5`)
	if err != nil {
		return err.Error()
	}
	who, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(who) == 0 {
		return "whoever was in the way has gone"
	}
	return strings.Join(who, ", ")
}

// claim makes this the only mover of the database that is at work: it ends what
// an earlier one has left in the servers, so that a mover that only slept does
// nothing more, and keeps a lock on both sides as long as it is connected.
func (p *pair) claim(ctx context.Context) error {
	switch at, err := p.alike(ctx, where); {
	case err != nil:
		return err
	case at[0] == at[1]:
		return fmt.Errorf("%w: source and target are one and the same", runner.ErrRefused)
	}
	return p.both(func(e *end) error {
		const held = `SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted AND pid <> pg_backend_pid()
			AND mode = 'ExclusiveLock' AND objsubid = 1 AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
			AND (classid::bigint << 32 | objid::bigint) = ANY($1)`
		for range 100 {
			if _, err := e.Exec(ctx, held, []int64{p.mutex, p.gate}); err != nil {
				return fmt.Errorf("end what an earlier mover left: %w", err)
			}
			var got bool
			if err := e.QueryRow(ctx, "SELECT pg_try_advisory_lock($1)", p.mutex).Scan(&got); err != nil || got {
				return err
			}
			if err := pause(ctx, 50*time.Millisecond); err != nil {
				return err
			}
		}
		return runner.ErrHeld
	})
}
