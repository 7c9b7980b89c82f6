package fake

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/plan/policy"
	"github.com/tranship/tranship/internal/rollout"
	"github.com/tranship/tranship/internal/rollout/runner"
)

// Instant is a point of a cutover at which a mover may be killed.
type Instant string

// The instants of a cutover, in their order.
const (
	Held       Instant = "held"       // writes wait, nothing is changed yet
	Turned     Instant = "turned"     // the old side is closed, the new one not yet open
	Opened     Instant = "opened"     // the new side is open, clients are not there yet
	Redirected Instant = "redirected" // they are, and nobody has noted it
)

// ErrKilled is what a call gives whose mover was killed meanwhile.
var ErrKilled = errors.New("the mover was killed")

const rowSize = 128

// Database stands in for databases on both sides and for replication between
// them: runner.Database and runner.Cutover.
type Database struct {
	faults
	now  Clock
	opts DatabaseOptions

	mu   sync.Mutex
	move map[string]*moving
	kill Instant
}

// DatabaseOptions say how databases behave. With the zero value a database has
// one table of 1,000 rows, which is copied at once, and the follower is up to date.
type DatabaseOptions struct {
	Tables []string // "readings" by default
	Rows   int64    // of each table, 1,000 by default
	// Copy is how long the first copy of one table takes, Delay how far behind
	// the follower is.
	Copy, Delay time.Duration
	// Pause is how long writes stand still at a cutover, 20 ms by default.
	Pause time.Duration
}

// moving is one database.
type moving struct {
	follows bool
	since   time.Time // of the first copy
	ready   bool      // the first copy is done
	leads   string    // "" between two leaders
	arrived bool      // the clients are at the leader
	next    string    // who will lead, while nobody does
	given   bool      // the source was given up
	sides   map[string]*half
	// changes that the follower does not have yet.
	changes []change
	stalled time.Time // until when the follower stands still
	busy    time.Time // until when somebody writes in one long transaction
	refused error
}

type half struct {
	rows     int64
	sequence int64
	spoilt   map[string]bool
}

type change struct {
	at   time.Time
	rows int64
}

// NewDatabase makes databases that nothing follows.
func NewDatabase(now Clock, opts DatabaseOptions) *Database {
	if opts.Tables == nil {
		opts.Tables = []string{"readings"}
	}
	opts.Rows = cmp.Or(opts.Rows, 1000)
	opts.Pause = cmp.Or(opts.Pause, 20*time.Millisecond)
	return &Database{now: now, opts: opts, move: map[string]*moving{}}
}

// Replicate implements runner.Database.
func (d *Database) Replicate(ctx context.Context, db policy.MoveDatabase) error {
	torn, err := d.begin(ctx, d.now(), "replicate "+db.Name)
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	m := d.at(db.Name)
	switch {
	case m.refused != nil:
		return fmt.Errorf("replicate %s: %w: %w", db.Name, runner.ErrRefused, m.refused)
	case m.given:
		return fmt.Errorf("replicate %s: %w: the source does not lead any more", db.Name, runner.ErrRefused)
	case m.follows:
		return torn
	}
	m.follows, m.ready, m.since = true, false, d.now()
	m.sides[TargetSide] = &half{spoilt: map[string]bool{}}
	m.changes = nil
	return torn
}

// Lag implements runner.Database.
func (d *Database) Lag(ctx context.Context, db policy.MoveDatabase) (rollout.Lag, error) {
	if err := d.ask(ctx, "lag of "+db.Name); err != nil {
		return rollout.Lag{}, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	m := d.at(db.Name)
	if !m.follows {
		return rollout.Lag{}, fmt.Errorf("lag of %s: %w: nothing follows it", db.Name, runner.ErrAbsent)
	}
	l := rollout.Lag{Copied: m.ready}
	for _, c := range m.changes {
		l.Bytes += unit.Bytes(c.rows * rowSize)
	}
	if !m.ready {
		done := len(d.opts.Tables)
		if d.opts.Copy > 0 {
			done = int(d.now().Sub(m.since) / d.opts.Copy)
		}
		l.Left = slices.Clone(d.opts.Tables[min(done, len(d.opts.Tables)-1):])
		l.Bytes += unit.Bytes(int64(len(l.Left)) * d.opts.Rows * rowSize)
	}
	return l, nil
}

// Stop implements runner.Database.
func (d *Database) Stop(ctx context.Context, db policy.MoveDatabase) error {
	torn, err := d.begin(ctx, d.now(), "end replication of "+db.Name)
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	m := d.at(db.Name)
	if m.follows && (m.leads == "" || !m.arrived) {
		return fmt.Errorf("end replication of %s: a cutover was interrupted: do it again first", db.Name)
	}
	m.given = m.leads == TargetSide
	m.follows, m.changes = false, nil
	return torn
}

// Over implements runner.Cutover.
func (d *Database) Over(ctx context.Context, db policy.MoveDatabase, back bool, limit time.Duration, redirect func(context.Context) error) (time.Duration, error) {
	call := "cut over " + db.Name
	torn, err := d.begin(ctx, d.now(), call)
	if err != nil {
		return 0, err
	}
	to, from := TargetSide, SourceSide
	if back {
		to, from = from, to
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	m := d.at(db.Name)
	switch {
	case m.leads == to && m.arrived:
		return 0, torn
	case !m.follows:
		return 0, fmt.Errorf("%s: %w: nothing follows it", call, runner.ErrRefused)
	case m.leads == "" && m.next != to:
		// Nobody has written anywhere since the old side was closed: it opens again.
		m.leads, m.next, m.arrived = to, "", true
		return 0, torn
	case m.leads == from:
		if err := d.turn(m, to, limit); err != nil {
			return 0, fmt.Errorf("%s: %w", call, err)
		}
	}
	if m.leads == "" {
		m.leads, m.next, m.arrived = to, "", false
	}
	if d.killed(Opened) {
		return 0, fmt.Errorf("%s: %w", call, ErrKilled)
	}
	d.mu.Unlock()
	err = redirect(ctx)
	d.mu.Lock()
	if err != nil {
		return 0, fmt.Errorf("%s: send clients to the %s: %w", call, to, err)
	}
	if d.killed(Redirected) {
		return 0, fmt.Errorf("%s: %w", call, ErrKilled)
	}
	m.arrived = true
	return d.opts.Pause, torn
}

// turn closes the leading side once the follower has all of it.
func (d *Database) turn(m *moving, to string, limit time.Duration) error {
	now := d.now()
	switch {
	case !m.ready:
		return errors.New("the first copy is not done")
	case now.Before(m.busy):
		return errors.New("writes cannot be held: a transaction has been open for long")
	case now.Before(m.stalled):
		return fmt.Errorf("the follower does not catch up within %s", limit)
	case d.opts.Pause > limit:
		return fmt.Errorf("writes would stand still for more than %s", limit)
	}
	if d.killed(Held) {
		return ErrKilled
	}
	old, fresh := m.sides[m.leads], m.sides[to]
	for _, c := range m.changes {
		fresh.rows += c.rows
	}
	m.changes = nil
	fresh.sequence = old.sequence + 1000
	m.leads, m.next = "", to
	if d.killed(Turned) {
		return ErrKilled
	}
	return nil
}

func (d *Database) killed(at Instant) bool {
	if d.kill != at {
		return false
	}
	d.kill = ""
	return true
}

// Compare implements runner.Cutover.
func (d *Database) Compare(ctx context.Context, db policy.MoveDatabase) (rollout.Comparison, error) {
	if err := d.ask(ctx, "compare "+db.Name); err != nil {
		return rollout.Comparison{}, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	m := d.at(db.Name)
	switch {
	case !m.follows || !m.ready:
		return rollout.Comparison{}, fmt.Errorf("compare %s: nothing follows it yet", db.Name)
	case d.now().Before(m.stalled):
		return rollout.Comparison{}, fmt.Errorf("compare %s: the follower does not catch up", db.Name)
	}
	source, target := m.sides[SourceSide], m.sides[TargetSide]
	pending := int64(0)
	for _, c := range m.changes {
		pending += c.rows
	}
	c := rollout.Comparison{Rows: source.rows}
	lack := source.rows - target.rows
	if m.leads == TargetSide {
		c.Rows += pending
		lack += pending
	} else {
		lack -= pending
	}
	c.Missing, c.Extra = max(lack, 0), max(-lack, 0)
	spoilt := maps.Clone(source.spoilt)
	maps.Copy(spoilt, target.spoilt)
	c.Different = slices.Sorted(maps.Keys(spoilt))
	c.Different = c.Different[:min(len(c.Different), 10)]
	c.Same = lack == 0 && len(c.Different) == 0
	return c, nil
}

// ask is begin for calls that change nothing.
func (d *Database) ask(ctx context.Context, call string) error {
	torn, err := d.begin(ctx, d.now(), call)
	return cmp.Or(err, torn)
}

// at gives a database with all that has happened to it until now.
func (d *Database) at(name string) *moving {
	m := d.move[name]
	if m == nil {
		m = &moving{leads: SourceSide, arrived: true, sides: map[string]*half{
			SourceSide: {rows: d.opts.Rows * int64(len(d.opts.Tables)), spoilt: map[string]bool{}},
			TargetSide: {spoilt: map[string]bool{}},
		}}
		d.move[name] = m
	}
	now := d.now()
	if m.follows && !m.ready && now.Sub(m.since) >= d.opts.Copy*time.Duration(len(d.opts.Tables)) {
		m.ready = true
		m.sides[TargetSide].rows, m.changes = m.sides[SourceSide].rows, nil
	}
	if m.ready && m.leads != "" && !now.Before(m.stalled) {
		follower := m.sides[TargetSide]
		if m.leads == TargetSide {
			follower = m.sides[SourceSide]
		}
		m.changes = slices.DeleteFunc(m.changes, func(c change) bool {
			arrived := now.Sub(c.at) >= d.opts.Delay
			if arrived {
				follower.rows += c.rows
			}
			return arrived
		})
	}
	return m
}
