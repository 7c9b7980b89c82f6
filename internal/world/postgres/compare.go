package postgres

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tranship/tranship/internal/plan/policy"
	"github.com/tranship/tranship/internal/rollout"
)

const (
	segmentRows = 4096 // rows of a segment
	leafRows    = 64   // rows of which keys are looked at one by one
	ahead       = 16   // segments that both sides work at, at once
	places      = 10   // places that are named
)

// compareHold is how long writes may be held for two snapshots of the same instant.
const compareHold = time.Second

// Compare implements runner.Cutover. Both sides are seen at the same instant:
// the follower is stopped at a beat that nobody could write around.
func (d *Database) Compare(ctx context.Context, db policy.MoveDatabase) (rollout.Comparison, error) {
	c, err := d.compare(ctx, db)
	return c, d.told("compare", db, err)
}

func (d *Database) compare(ctx context.Context, db policy.MoveDatabase) (rollout.Comparison, error) {
	p, err := d.open(ctx, db)
	if err != nil {
		return rollout.Comparison{}, err
	}
	defer p.close(ctx)
	leader, follower, err := p.leader(ctx)
	if err != nil {
		return rollout.Comparison{}, err
	}
	left, err := p.left(ctx, follower)
	if err != nil {
		return rollout.Comparison{}, err
	}
	if len(left) > 0 {
		return rollout.Comparison{}, fmt.Errorf("%d tables are not copied yet, %s among them", len(left), left[0])
	}
	if err := p.sameShape(ctx); err != nil {
		return rollout.Comparison{}, err
	}
	views := map[string]*end{}
	defer func() {
		for _, v := range views {
			hangUp(ctx, v.Conn)
		}
	}()
	for _, e := range []*end{leader, follower} {
		if views[e.side], err = d.again(ctx, db, e); err != nil {
			return rollout.Comparison{}, err
		}
	}
	if err := p.sameInstant(ctx, leader, follower, views[leader.side], views[follower.side]); err != nil {
		return rollout.Comparison{}, err
	}
	tables, err := p.keyed(ctx, views[source])
	if err != nil {
		return rollout.Comparison{}, err
	}
	c := &comparing{source: views[source], target: views[target]}
	if c.ordered, err = p.sameOrder(ctx); err != nil {
		return rollout.Comparison{}, err
	}
	for _, t := range tables {
		if err := c.table(ctx, t); err != nil {
			return rollout.Comparison{}, fmt.Errorf("table %s: %w", t.name, err)
		}
	}
	c.out.Same = c.out.Missing == 0 && c.out.Extra == 0 && len(c.out.Different) == 0
	return c.out, nil
}

// sameInstant opens a snapshot on each side that holds the same commits. The
// follower waits at a beat, whose row is locked there; at the leader writes are
// held for as long as it takes to make the beat and the snapshot.
func (p *pair) sameInstant(ctx context.Context, leader, follower, leaderView, followerView *end) error {
	const snapshot = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT 1"
	tables, err := p.ask(ctx, leader, allTables)
	if err != nil {
		return err
	}
	beater, err := p.d.again(ctx, p.db, leader)
	if err != nil {
		return err
	}
	defer hangUp(ctx, beater.Conn)
	var beat uint32
	if err := follower.QueryRow(ctx, "SELECT $1::regclass::oid", p.in("beat")).Scan(&beat); err != nil {
		return err
	}
	if _, err := follower.Exec(ctx, "BEGIN; SET LOCAL idle_in_transaction_session_timeout = '2min'; LOCK TABLE "+p.in("beat")+" IN SHARE ROW EXCLUSIVE MODE"); err != nil {
		return err
	}
	if _, err := p.hold(ctx, leader, tables, compareHold); err != nil {
		return err
	}
	if _, err := p.beat(ctx, beater); err != nil {
		return err
	}
	if _, err := leaderView.Exec(ctx, snapshot); err != nil {
		return err
	}
	if _, err := leader.Exec(ctx, "COMMIT"); err != nil {
		return fmt.Errorf("let go of writes: %w", err)
	}
	for {
		var waits bool
		err := followerView.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'relation' AND NOT granted AND relation = $1
			AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))`, beat).Scan(&waits)
		if err != nil {
			return err
		}
		if waits {
			break
		}
		if err := pause(ctx, 5*time.Millisecond); err != nil {
			return fmt.Errorf("the %s does not catch up: %w", follower.side, err)
		}
	}
	if _, err := followerView.Exec(ctx, snapshot); err != nil {
		return err
	}
	_, err = follower.Exec(ctx, "COMMIT")
	return err
}

// table is what has to be known of one to compare it.
type table struct {
	name    string
	columns string // as a list
	key     []string
	types   []string // of the key
	text    bool     // the key has an order of its own on each side
}

// keyed gives the tables with their keys. One without a primary key is compared
// as a whole.
func (p *pair) keyed(ctx context.Context, e *end) ([]table, error) {
	rows, err := e.Query(ctx, `SELECT c.oid::regclass::text,
		(SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped),
		coalesce(array_agg(quote_ident(a.attname) ORDER BY k.n) FILTER (WHERE a.attname IS NOT NULL), '{}'),
		coalesce(array_agg(format_type(a.atttypid, a.atttypmod) ORDER BY k.n) FILTER (WHERE a.attname IS NOT NULL), '{}'),
		coalesce(bool_or(a.attcollation <> 0), false)
		FROM `+relations+` LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
		LEFT JOIN LATERAL unnest(i.indkey) WITH ORDINALITY k(attnum, n) ON k.n <= i.indnkeyatts
		LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum
		WHERE c.relkind = 'r' AND `+notExtension+` GROUP BY c.oid ORDER BY 1`, p.schemas())
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(r pgx.CollectableRow) (table, error) {
		var t table
		err := r.Scan(&t.name, &t.columns, &t.key, &t.types, &t.text)
		return t, err
	})
}

// sameOrder reports whether both sides sort text alike, so that a range of keys
// is the same range on both.
func (p *pair) sameOrder(ctx context.Context) (bool, error) {
	const order = `SELECT datcollate || ' ' || datlocprovider::text || ' ' || coalesce(pg_collation_actual_version('pg_catalog."default"'::regcollation), datcollversion, '')
		FROM pg_database WHERE datname = current_database()`
	got, err := p.alike(ctx, order)
	return got[0] == got[1], err
}

// span is a range of keys: after from, up to and with to. Nil is without end.
type span struct {
	from, to []string
}

func (t table) say(s span) string {
	name := strings.TrimPrefix(t.name, "public.")
	switch {
	case s.from == nil && s.to == nil:
		return name
	case s.from == nil:
		return name + " .." + strings.Join(s.to, ",")
	case s.to == nil:
		return name + " " + strings.Join(s.from, ",") + ".."
	}
	return name + " " + strings.Join(s.from, ",") + ".." + strings.Join(s.to, ",")
}

// within is a condition for the keys of a span, and its arguments.
func (t table) within(s span) (string, []any) {
	var where []string
	var args []any
	bound := func(op string, key []string) {
		if key == nil {
			return
		}
		marks := make([]string, len(key))
		for i, k := range key {
			args = append(args, k)
			marks[i] = fmt.Sprintf("$%d::text::%s", len(args), t.types[i])
		}
		where = append(where, fmt.Sprintf("(%s) %s (%s)", strings.Join(t.key, ", "), op, strings.Join(marks, ", ")))
	}
	bound(">", s.from)
	bound("<=", s.to)
	if len(where) == 0 {
		return "true", nil
	}
	return strings.Join(where, " AND "), args
}

// keyText is the key as an array of texts.
func (t table) keyText() string {
	return "ARRAY[" + strings.Join(t.key, "::text, ") + "::text]"
}

// sum is a checksum that does not depend on the order of rows: the sum of their
// 64-bit hashes, by the function that partitions are made with, which is the
// same in all versions. Single rows are held against each other by MD5.
const (
	rowHash = "md5(ROW(%s)::text)"
	sumOf   = "SELECT count(*), coalesce(sum(hashtextextended(ROW(%s)::text, 0)), 0)::text FROM ONLY %s WHERE %s"
)

type sum struct {
	rows int64
	hash string
}
