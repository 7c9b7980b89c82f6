package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tranship/tranship/internal/plan/policy"
)

// settleFor is how long what has to be taken back may take, also if the call's
// own time is over.
const settleFor = 10 * time.Second

// undo has everything be as it was before a cutover that changed nothing that
// counts: the new side follows, and the old one has no trace of it.
func (c *cutover) undo(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleFor)
	defer cancel()
	c.unwatch(ctx)
	if err := c.healthy(ctx, nil); err != nil {
		return err
	}
	if err := c.heal(ctx, c.to); err != nil {
		return err
	}
	return c.unfollow(ctx, c.from, c.to)
}

// reopen has the side lead again that was closed last, where the other was never
// opened since.
func (c *cutover) reopen(ctx context.Context, e, than *end) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleFor)
	defer cancel()
	if err := c.lead(ctx, e, than, true); err != nil {
		return fmt.Errorf("open the %s again: %w", e.side, err)
	}
	if err := c.unfollow(ctx, e, than); err != nil {
		return err
	}
	return c.heal(ctx, than)
}

// arrive sends the clients to the new side, which is open, keeps the
// applications off the old one, and gives how long writes stood still.
func (c *cutover) arrive(ctx context.Context, redirect func(context.Context) error) (time.Duration, error) {
	if err := redirect(ctx); err != nil {
		return 0, fmt.Errorf("send clients to the %s: %w", c.to.side, err)
	}
	var micros int64
	err := c.from.QueryRow(ctx, "SELECT coalesce(extract(epoch FROM clock_timestamp() - since) * 1000000, 0)::bigint FROM "+c.in("side")).Scan(&micros)
	if err != nil {
		return 0, err
	}
	if err := c.keepOff(ctx); err != nil {
		return 0, fmt.Errorf("keep the applications off the %s: %w", c.from.side, err)
	}
	c.unwatch(ctx)
	if _, err := c.to.Exec(ctx, "UPDATE "+c.in("side")+" SET arrived = true"); err != nil {
		return 0, err
	}
	return time.Duration(micros) * time.Microsecond, c.tidy(ctx)
}

// keepOff has the applications' roles not log in at the old side any more, and
// ends their sessions.
func (c *cutover) keepOff(ctx context.Context) error {
	roles, err := column(ctx, c.from, "SELECT rolname::text FROM pg_roles WHERE rolname = ANY($1) AND rolcanlogin ORDER BY 1", c.db.Roles)
	if err != nil {
		return err
	}
	if len(roles) > 0 {
		var s strings.Builder
		for _, r := range roles {
			fmt.Fprintf(&s, "UPDATE %s SET logins = array_append(logins, %s); ALTER ROLE %s NOLOGIN; ", c.in("side"), literal(r), ident(r))
		}
		if _, err := c.from.Exec(ctx, s.String()); err != nil {
			return err
		}
	}
	for range 500 {
		var alive int
		err := c.from.QueryRow(ctx, `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
			WHERE usename = ANY($1) AND datname = current_database() AND pid <> pg_backend_pid()`, c.db.Roles).Scan(&alive)
		if err != nil || alive == 0 {
			return err
		}
		if err := pause(ctx, 10*time.Millisecond); err != nil {
			return err
		}
	}
	return errors.New("their sessions do not end")
}

// tidy takes away how the new side followed.
func (c *cutover) tidy(ctx context.Context) error { return c.unfollow(ctx, c.to, c.from) }

// unwatch lets go of the second connection, and with it of writers that wait.
func (c *cutover) unwatch(ctx context.Context) {
	if c.watch != nil {
		hangUp(ctx, c.watch.Conn)
		c.watch = nil
	}
}

// unfollow takes a subscription away, and its slot at the other side. The slot
// is not left to DROP SUBSCRIPTION, which fails where there is none any more.
func (p *pair) unfollow(ctx context.Context, follower, leader *end) error {
	if err := p.unsubscribe(ctx, follower); err != nil {
		return err
	}
	return p.unslot(ctx, leader, exactly(p.subscription(follower.side)))
}

func (p *pair) unsubscribe(ctx context.Context, follower *end) error {
	there, err := p.following(ctx, follower)
	if err != nil || !there {
		return err
	}
	if err := p.disable(ctx, follower); err != nil {
		return err
	}
	name := ident(p.subscription(follower.side))
	if _, err := follower.Exec(ctx, fmt.Sprintf("ALTER SUBSCRIPTION %[1]s SET (slot_name = NONE); DROP SUBSCRIPTION %[1]s", name)); err != nil {
		return fmt.Errorf("end the %s's subscription: %w", follower.side, err)
	}
	return nil
}

// exactly is a pattern that only one name fits.
func exactly(name string) string { return strings.ReplaceAll(name, "_", `\_`) }

// unslot takes the slots whose names fit a pattern from who uses them, and drops them.
func (p *pair) unslot(ctx context.Context, e *end, pattern string) error {
	for range 200 {
		_, err := e.Exec(ctx, "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name LIKE $1 AND active_pid IS NOT NULL", pattern)
		if err == nil {
			_, err = e.Exec(ctx, "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name LIKE $1", pattern)
		}
		if pg, ok := errors.AsType[*pgconn.PgError](err); !ok || pg.Code != "55006" && pg.Code != "42704" {
			return err
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
	return fmt.Errorf("slot %s at the %s is in use, and stays so", pattern, e.side)
}

// Stop implements runner.Database. The side that does not lead stays closed: it
// is a copy that grows old.
func (d *Database) Stop(ctx context.Context, db policy.MoveDatabase) error {
	return d.told("end replication of", db, d.stop(ctx, db))
}

func (d *Database) stop(ctx context.Context, db policy.MoveDatabase) error {
	p := &pair{names: namesOf(db), d: d, db: db}
	defer p.close(ctx)
	var lost [2]error
	p.source, lost[0] = d.end(ctx, db, source)
	p.target, lost[1] = d.end(ctx, db, target)
	if lost[0] != nil && lost[1] != nil {
		return errors.Join(lost[:]...)
	}
	for i, e := range []*end{p.source, p.target} {
		if lost[1-i] != nil {
			// What can be ended on this side alone is ended, so that it stops to ask.
			if err := p.endAlone(ctx, e); err != nil {
				return errors.Join(lost[1-i], err)
			}
			return fmt.Errorf("slot %s at the %s keeps all changes until it is dropped: %w", p.subscription(e.side), other(e.side), lost[1-i])
		}
	}
	if err := p.claim(ctx); err != nil {
		return err
	}
	s, t, err := p.notes(ctx)
	if err != nil {
		return err
	}
	if s != nil && t != nil && (s.Leads == t.Leads || s.Leads && !s.Arrived || t.Leads && !t.Arrived) {
		return errors.New("a cutover was interrupted: do it again, or go back")
	}
	for _, way := range [][2]*end{{p.target, p.source}, {p.source, p.target}} {
		if err := p.endSync(ctx, way[0], way[1]); err != nil {
			return err
		}
		if err := p.unfollow(ctx, way[0], way[1]); err != nil {
			return err
		}
	}
	if err := p.both(func(e *end) error { return p.unpublish(ctx, e) }); err != nil {
		return err
	}
	if t != nil && t.Leads {
		return p.dissolve(ctx, p.target)
	}
	if s != nil && s.Leads {
		return p.dissolve(ctx, p.source)
	}
	return nil
}

func (p *pair) endAlone(ctx context.Context, e *end) error {
	if err := p.unsubscribe(ctx, e); err != nil {
		return err
	}
	if err := p.unslot(ctx, e, exactly(p.subscription(other(e.side)))); err != nil {
		return err
	}
	return p.unpublish(ctx, e)
}

// endSync drops the slots of a first copy that is under way: they are named for
// the subscription's number, which goes with it.
func (p *pair) endSync(ctx context.Context, follower, leader *end) error {
	numbers, err := column(ctx, follower, `SELECT 'pg\_' || oid || '\_sync\_%' FROM pg_subscription WHERE subname = `+literal(p.subscription(follower.side)))
	if err != nil || len(numbers) == 0 {
		return err
	}
	if err := p.disable(ctx, follower); err != nil {
		return err
	}
	return p.unslot(ctx, leader, numbers[0])
}

func (p *pair) unpublish(ctx context.Context, e *end) error {
	_, err := e.Exec(ctx, "DROP PUBLICATION IF EXISTS "+ident(p.publication))
	return err
}
