package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/plan/policy"
	"github.com/tranship/tranship/internal/rollout"
	"github.com/tranship/tranship/internal/rollout/runner"
)

// Replicate implements runner.Database. Each of its steps finds what an
// interrupted call has left.
func (d *Database) Replicate(ctx context.Context, db policy.MoveDatabase) error {
	return d.told("replicate", db, d.replicate(ctx, db))
}

func (d *Database) replicate(ctx context.Context, db policy.MoveDatabase) error {
	p, err := d.open(ctx, db)
	if err != nil {
		return err
	}
	defer p.close(ctx)
	if err := p.claim(ctx); err != nil {
		return err
	}
	s, t, err := p.notes(ctx)
	if err != nil {
		return err
	}
	switch {
	case s != nil && !s.Leads, t != nil && t.Leads:
		return fmt.Errorf("%w: the source does not lead any more", runner.ErrRefused)
	case s != nil && t != nil:
		on, err := p.following(ctx, p.target)
		if err != nil {
			return err
		}
		if on {
			return p.heal(ctx, p.target)
		}
	}
	if err := p.preflight(ctx); err != nil {
		return err
	}
	if err := p.copySchema(ctx); err != nil {
		return err
	}
	if err := p.sameShape(ctx); err != nil {
		return err
	}
	if err := p.empty(ctx, t != nil); err != nil {
		return err
	}
	return p.begin(ctx)
}

// empty takes away what an earlier copy of ours has brought to the target, and
// refuses rows of anybody else.
func (p *pair) empty(ctx context.Context, ours bool) error {
	tables, err := p.ask(ctx, p.target, rowTables)
	if err != nil {
		return err
	}
	if ours {
		_, err := p.target.Exec(ctx, "SET session_replication_role = replica; TRUNCATE "+strings.Join(append(tables, p.in("beat")), ", ")+
			"; SET session_replication_role = origin")
		return err
	}
	var full []string
	for _, t := range tables {
		var some bool
		if err := p.target.QueryRow(ctx, "SELECT EXISTS (SELECT FROM "+t+")").Scan(&some); err != nil {
			return fmt.Errorf("target: %w", err)
		}
		if some {
			full = append(full, t)
		}
	}
	if len(full) > 0 {
		return fmt.Errorf("%w: the target already has rows in %s, and they are not of this move", runner.ErrRefused, strings.Join(full, ", "))
	}
	return nil
}

// begin closes the target and has it follow.
func (p *pair) begin(ctx context.Context) error {
	tables, err := p.ask(ctx, p.target, allTables)
	if err != nil {
		return err
	}
	if err := p.found(ctx, p.target, false); err != nil {
		return fmt.Errorf("target: %w", err)
	}
	if _, err := p.target.Exec(ctx, p.posts(tables)); err != nil {
		return fmt.Errorf("fence the target: %w", err)
	}
	if err := p.found(ctx, p.source, true); err != nil {
		return fmt.Errorf("source: %w", err)
	}
	if err := p.both(func(e *end) error { return p.publish(ctx, e) }); err != nil {
		return err
	}
	// A source that cannot reach the target would be found at the cutover only.
	if err := p.subscribe(ctx, p.source, p.target, "copy_data = false, enabled = false"); err != nil {
		return fmt.Errorf("try the way back: %w", err)
	}
	if err := p.unsubscribe(ctx, p.source); err != nil {
		return err
	}
	if err := p.slot(ctx, p.source, p.toTarget); err != nil {
		return err
	}
	return p.subscribe(ctx, p.target, p.source, "copy_data = true, enabled = true")
}

// publish makes the publication of a side, to be ready to lead.
func (p *pair) publish(ctx context.Context, e *end) error {
	tables, err := p.ask(ctx, e, rowTables)
	if err != nil {
		return err
	}
	var there bool
	if err := e.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_publication WHERE pubname = $1)", p.publication).Scan(&there); err != nil || there {
		return err
	}
	_, err = e.Exec(ctx, fmt.Sprintf("CREATE PUBLICATION %s FOR TABLE %s", ident(p.publication), "ONLY "+strings.Join(append(tables, p.in("beat")), ", ONLY ")))
	return err
}

// slot makes a slot. It can only begin between transactions, so one that is
// open for long on that server is in its way, of whichever database.
func (p *pair) slot(ctx context.Context, e *end, name string) error {
	var there bool
	if err := e.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = $1)", name).Scan(&there); err != nil || there {
		return err
	}
	_, err := e.Exec(ctx, "SET LOCAL statement_timeout = '20s'; SELECT pg_create_logical_replication_slot("+literal(name)+", 'pgoutput')")
	if err != nil {
		return fmt.Errorf("make slot %s at the %s, which needs all transactions that are open there to end: %w", name, e.side, err)
	}
	return nil
}

// subscribe has a side follow the other by a slot that is there.
func (p *pair) subscribe(ctx context.Context, follower, leader *end, with string) error {
	name := p.subscription(follower.side)
	var there bool
	if err := follower.QueryRow(ctx, "SELECT EXISTS ("+ours+")", name).Scan(&there); err != nil || there {
		return err
	}
	_, err := follower.Exec(ctx, fmt.Sprintf("CREATE SUBSCRIPTION %s CONNECTION %s PUBLICATION %s WITH (create_slot = false, slot_name = %s, %s)",
		ident(name), literal(leader.reach), ident(p.publication), ident(name), with))
	if err != nil {
		return fmt.Errorf("subscribe the %s: %w", follower.side, err)
	}
	return nil
}

// ours finds a subscription of this database by its name: a server has those of
// all its databases in one list.
const ours = `SELECT FROM pg_subscription WHERE subname = $1 AND subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())`

func (p *pair) following(ctx context.Context, follower *end) (bool, error) {
	var there bool
	err := follower.QueryRow(ctx, "SELECT EXISTS ("+ours+")", p.subscription(follower.side)).Scan(&there)
	return there, err
}

// heal has a follower go on that an interrupted cutover has stopped.
func (p *pair) heal(ctx context.Context, follower *end) error {
	var on bool
	err := follower.QueryRow(ctx, strings.Replace(ours, "SELECT", "SELECT subenabled", 1), p.subscription(follower.side)).Scan(&on)
	if errors.Is(err, pgx.ErrNoRows) {
		return fmt.Errorf("%w: the %s does not follow", runner.ErrRefused, follower.side)
	}
	if err != nil || on {
		return err
	}
	_, err = follower.Exec(ctx, "ALTER SUBSCRIPTION "+ident(p.subscription(follower.side))+" ENABLE")
	return err
}

// notes reads both sides' notes.
func (p *pair) notes(ctx context.Context) (s, t *note, err error) {
	if s, err = p.read(ctx, p.source); err == nil {
		t, err = p.read(ctx, p.target)
	}
	return s, t, err
}

// left names the tables that a follower has not copied yet.
func (p *pair) left(ctx context.Context, follower *end) ([]string, error) {
	rows, err := follower.Query(ctx, `SELECT r.srrelid::regclass::text FROM pg_subscription_rel r JOIN pg_subscription s ON s.oid = r.srsubid
		WHERE s.subname = $1 AND r.srsubstate <> 'r' ORDER BY 1`, p.subscription(follower.side))
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// Lag implements runner.Database.
func (d *Database) Lag(ctx context.Context, db policy.MoveDatabase) (rollout.Lag, error) {
	l, err := d.lag(ctx, db)
	return l, d.told("see how far behind the follower is of", db, err)
}

func (d *Database) lag(ctx context.Context, db policy.MoveDatabase) (rollout.Lag, error) {
	p, err := d.open(ctx, db)
	if err != nil {
		return rollout.Lag{}, err
	}
	defer p.close(ctx)
	leader, follower, err := p.leader(ctx)
	if err != nil {
		return rollout.Lag{}, err
	}
	var l rollout.Lag
	if l.Left, err = p.left(ctx, follower); err != nil {
		return rollout.Lag{}, err
	}
	l.Copied = len(l.Left) == 0
	var behind int64
	err = leader.QueryRow(ctx, "SELECT greatest(pg_wal_lsn_diff(pg_current_wal_lsn(), confirmed_flush_lsn), 0)::bigint FROM pg_replication_slots WHERE slot_name = $1",
		p.subscription(follower.side)).Scan(&behind)
	if errors.Is(err, pgx.ErrNoRows) {
		return rollout.Lag{}, fmt.Errorf("%w: the %s has no slot %s", runner.ErrAbsent, leader.side, p.subscription(follower.side))
	}
	l.Bytes = unit.Bytes(behind)
	return l, err
}

// leader gives who leads and who follows.
func (p *pair) leader(ctx context.Context) (leader, follower *end, err error) {
	s, t, err := p.notes(ctx)
	switch {
	case err != nil:
		return nil, nil, err
	case s == nil || t == nil:
		return nil, nil, fmt.Errorf("%w: nothing follows it", runner.ErrAbsent)
	case s.Leads && t.Leads:
		return nil, nil, errBoth
	case !s.Leads && !t.Leads:
		return nil, nil, errors.New("a cutover was interrupted: do it again, or go back")
	case s.Leads:
		return p.source, p.target, nil
	}
	return p.target, p.source, nil
}

var errBoth = fmt.Errorf("%w: both sides are noted to lead, which this program never does: compare them by hand", runner.ErrRefused)
