package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tranship/tranship/internal/plan/policy"
	"github.com/tranship/tranship/internal/rollout/runner"
)

// cutover is one change of sides at work.
//
// There are two commits, in this order: the old side is closed and follows; the
// new side is open. Between them nobody can write anywhere. A mover that dies
// before the first has changed nothing that counts, since its lock goes with
// it. After the first the next mover either opens the new side or opens the old
// one again, and neither loses anything. After the second only the clients have
// still to be sent over.
type cutover struct {
	*pair
	from, to *end
	watch    *end // a second connection to from
	since    time.Time
}

// Over implements runner.Cutover.
func (d *Database) Over(ctx context.Context, db policy.MoveDatabase, back bool, limit time.Duration, redirect func(context.Context) error) (time.Duration, error) {
	took, err := d.over(ctx, db, back, limit, redirect)
	return took, d.told("cut over", db, err)
}

func (d *Database) over(ctx context.Context, db policy.MoveDatabase, back bool, limit time.Duration, redirect func(context.Context) error) (time.Duration, error) {
	p, err := d.open(ctx, db)
	if err != nil {
		return 0, err
	}
	defer p.close(ctx)
	if err := p.claim(ctx); err != nil {
		return 0, err
	}
	old, fresh, err := p.notes(ctx)
	if err != nil {
		return 0, err
	}
	c := &cutover{pair: p, from: p.source, to: p.target}
	if back {
		c.from, c.to, old, fresh = c.to, c.from, fresh, old
	}
	defer c.unwatch(ctx)
	switch {
	case back && (fresh == nil || old == nil && fresh.Leads):
		return 0, nil // nothing ever went to the target
	case old == nil || fresh == nil:
		return 0, fmt.Errorf("%w: nothing follows it", runner.ErrRefused)
	case old.Leads && fresh.Leads:
		return 0, errBoth
	case fresh.Leads && fresh.Arrived:
		// An earlier mover may have begun to turn, or not have tidied up.
		if err := c.tidy(ctx); err != nil {
			return 0, err
		}
		on, err := c.following(ctx, c.from)
		if err != nil || !on {
			return 0, err
		}
		return 0, c.heal(ctx, c.from)
	case !old.Leads && !fresh.Leads && fresh.Term > old.Term:
		return 0, c.reopen(ctx, c.to, c.from)
	case old.Leads:
		if err := c.turn(ctx, limit); err != nil {
			return 0, err
		}
		fallthrough
	case !fresh.Leads:
		if err := c.openNew(ctx); err != nil {
			return 0, err
		}
	}
	return c.arrive(ctx, redirect)
}

// turn closes the old side once the new one has all of it.
func (c *cutover) turn(ctx context.Context, limit time.Duration) error {
	tables, err := c.prepare(ctx, limit)
	if err != nil {
		return errors.Join(err, c.undo(ctx))
	}
	if c.since, err = c.hold(ctx, c.from, tables, limit); err != nil {
		return errors.Join(err, c.undo(ctx))
	}
	var now time.Time
	if err = c.from.QueryRow(ctx, "SELECT clock_timestamp()").Scan(&now); err == nil {
		held, cancel := context.WithTimeoutCause(ctx, limit-now.Sub(c.since), fmt.Errorf("writes would stand still for more than %s", limit))
		err = c.shut(held, tables)
		cancel()
	}
	if err != nil {
		if !c.from.IsClosed() {
			_, _ = c.from.Exec(context.WithoutCancel(ctx), "ROLLBACK")
		}
		return errors.Join(err, c.undo(ctx))
	}
	if _, err := c.from.Exec(ctx, "COMMIT"); err != nil {
		if _, answered := errors.AsType[*pgconn.PgError](err); answered {
			return errors.Join(err, c.undo(ctx))
		}
		// Whether it is closed now is in its note, for the next call to see.
		return fmt.Errorf("close the %s: %w", c.from.side, err)
	}
	return nil
}

// prepare does all that takes time, and asks all that may be refused, while
// applications still write.
func (c *cutover) prepare(ctx context.Context, limit time.Duration) ([]string, error) {
	if err := c.heal(ctx, c.to); err != nil {
		return nil, err
	}
	left, err := c.left(ctx, c.to)
	if err != nil {
		return nil, err
	}
	if len(left) > 0 {
		return nil, fmt.Errorf("%d tables are not copied yet, %s among them", len(left), left[0])
	}
	if err := c.sameShape(ctx); err != nil {
		return nil, err
	}
	if err := c.drifted(ctx, c.from); err != nil {
		return nil, err
	}
	prepared, err := column(ctx, c.from, "SELECT gid FROM pg_prepared_xacts WHERE database = current_database()")
	if err != nil {
		return nil, err
	}
	if len(prepared) > 0 {
		return nil, fmt.Errorf("prepared transactions are open at the %s and hold what they wrote: %s", c.from.side, strings.Join(prepared, ", "))
	}
	if c.watch, err = c.d.again(ctx, c.db, c.from); err != nil {
		return nil, err
	}
	// What an application waits for must not outlive this process for long.
	if _, err := c.watch.Exec(ctx, fmt.Sprintf("SET idle_session_timeout = '%dms'", (limit+time.Minute).Milliseconds())); err != nil {
		return nil, err
	}
	// A follower that does not answer in time now will not do so later.
	soon, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("nothing arrived within %s", limit))
	defer cancel()
	at, err := c.beat(soon, c.watch)
	if err != nil {
		return nil, err
	}
	if err := c.arrived(soon, c.to, at); err != nil {
		return nil, c.healthy(ctx, err)
	}
	if err := c.unfollow(ctx, c.from, c.to); err != nil {
		return nil, err
	}
	if err := c.slot(ctx, c.to, c.subscription(c.from.side)); err != nil {
		return nil, err
	}
	if err := c.subscribe(ctx, c.from, c.to, "copy_data = false, enabled = false"); err != nil {
		return nil, err
	}
	return c.ask(ctx, c.from, allTables)
}

// healthy makes a connection anew that was cut off in the middle of a question.
func (c *cutover) healthy(ctx context.Context, because error) error {
	for _, e := range []**end{&c.source, &c.target} {
		if !(*e).IsClosed() {
			continue
		}
		again, err := c.d.again(ctx, c.db, *e)
		if err != nil {
			return errors.Join(because, err)
		}
		if *e == c.from {
			c.from = again
		} else {
			c.to = again
		}
		*e = again
		if err := c.claim(ctx); err != nil {
			return errors.Join(because, err)
		}
	}
	return because
}

// shut has the new side get the last of it, and prepares in the transaction
// that holds the writes what its commit brings about.
func (c *cutover) shut(ctx context.Context, tables []string) error {
	if err := c.drifted(ctx, c.from); err != nil {
		return err
	}
	at, err := c.beat(ctx, c.watch)
	if err != nil {
		return err
	}
	if err := c.arrived(ctx, c.to, at); err != nil {
		return err
	}
	if err := c.disable(ctx, c.to); err != nil {
		return err
	}
	if err := c.carrySequences(ctx); err != nil {
		return err
	}
	// All that came by replication is before this mark. What follows it is the
	// applications', and goes back the other way.
	if _, err := c.to.Exec(ctx, "UPDATE "+c.in("side")+" SET since = clock_timestamp()"); err != nil {
		return err
	}
	var mark string
	if err := c.to.QueryRow(ctx, "SELECT pg_current_wal_flush_lsn()::text").Scan(&mark); err != nil {
		return err
	}
	if _, err := c.watch.Exec(ctx, "SELECT pg_advisory_lock($1)", c.gate); err != nil {
		return err
	}
	name := c.subscription(c.from.side)
	_, err = c.from.Exec(ctx, fmt.Sprintf(`%[1]s%[2]s
SELECT pg_replication_origin_advance('pg_' || oid, %[3]s) FROM pg_subscription WHERE subname = %[4]s;
ALTER SUBSCRIPTION %[5]s ENABLE;
UPDATE %[6]s SET leads = false, arrived = false, term = term + 1, since = %[7]s`, c.posts(tables), c.fence(false),
		literal(mark), literal(name), ident(name), c.in("side"), literal(c.since.Format(time.RFC3339Nano))))
	if err != nil {
		return err
	}
	return context.Cause(ctx)
}

// disable stops a follower at once. It has all there is.
func (p *pair) disable(ctx context.Context, follower *end) error {
	name := p.subscription(follower.side)
	if _, err := follower.Exec(ctx, "ALTER SUBSCRIPTION "+ident(name)+" DISABLE"); err != nil {
		return err
	}
	for {
		var alive int
		err := follower.QueryRow(ctx, "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_subscription WHERE subname = $1 AND pid IS NOT NULL", name).Scan(&alive)
		if err != nil || alive == 0 {
			return err
		}
		if err := pause(ctx, 2*time.Millisecond); err != nil {
			return err
		}
	}
}

// margin is how far a sequence is set ahead: numbers that sessions hold in their
// caches, or have drawn and not used, are never drawn again.
const margin = `greatest(1000, 32 * s.seqcache) * s.seqincrement`

func (c *cutover) carrySequences(ctx context.Context) error {
	rows, err := c.watch.Query(ctx, `SELECT format('setval(%L, %s)', c.oid::regclass,
		greatest(s.seqmin, least(s.seqmax, coalesce(pg_sequence_last_value(c.oid), s.seqstart)::numeric + `+margin+`))) FROM `+relations+`
		JOIN pg_sequence s ON s.seqrelid = c.oid`, c.schemas())
	if err != nil {
		return err
	}
	set, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(set) == 0 {
		return err
	}
	if _, err := c.to.Exec(ctx, "SELECT "+strings.Join(set, "; SELECT ")); err != nil {
		return fmt.Errorf("carry sequences over: %w", err)
	}
	return nil
}

// openNew opens the new side.
func (c *cutover) openNew(ctx context.Context) error {
	err := c.lead(ctx, c.to, c.from, false)
	if _, answered := errors.AsType[*pgconn.PgError](err); answered {
		return errors.Join(fmt.Errorf("open the %s: %w", c.to.side, err), c.reopen(ctx, c.from, c.to))
	}
	if err != nil {
		return fmt.Errorf("open the %s: %w", c.to.side, err)
	}
	return nil
}

// lead has a side lead, in one transaction.
func (p *pair) lead(ctx context.Context, e, than *end, arrived bool) error {
	var term int64
	if err := than.QueryRow(ctx, "SELECT term FROM "+p.in("side")).Scan(&term); err != nil {
		return err
	}
	logins, err := column(ctx, e, "SELECT unnest(logins) FROM "+p.in("side"))
	if err != nil {
		return err
	}
	var s strings.Builder
	s.WriteString(p.fence(true))
	for _, r := range logins {
		s.WriteString("ALTER ROLE " + ident(r) + " LOGIN; ")
	}
	fmt.Fprintf(&s, "UPDATE %s SET leads = true, arrived = %t, term = greatest(term, %d) + 1, logins = '{}'", p.in("side"), arrived, term)
	_, err = e.Exec(ctx, s.String())
	return err
}
