// Package postgres moves a PostgreSQL database by logical replication. It takes
// what policy says of a database and connection strings to both sides, and
// gives how far the copy is, a change of sides that loses nothing, and a
// comparison of all rows. It never has both sides take writes, and never says a
// password.
//
// What it keeps stands in the databases themselves, in a schema of their own on
// each side: who leads, and a beat that is replicated like any row, by which it
// is known that all before it has arrived. Every table has a trigger that runs
// the schema's function fence, and that function is what opens and closes a
// side: replacing it is one row of the catalogue, in the same transaction as
// the note of who leads. A replica's own work does not fire triggers.
package postgres

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tranship/tranship/internal/plan/policy"
	"github.com/tranship/tranship/internal/rollout/runner"
)

// The sides, as they are noted in the databases.
const (
	source = "source"
	target = "target"
)

// Database moves databases: runner.Database and runner.Cutover.
type Database struct {
	strings map[string]string
	opts    Options
}

// Options of the way to databases. The zero value works.
type Options struct {
	// Dial replaces the way to the servers.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// PgDump is the program that reads a schema, pg_dump in PATH by default.
	PgDump string
}

// New takes the connection strings by the names that policy calls them by:
// those of the environment variables that hold them.
func New(connections map[string]string, opts Options) *Database {
	opts.PgDump = cmp.Or(opts.PgDump, "pg_dump")
	return &Database{strings: connections, opts: opts}
}

// names are what things of one database are called on both sides.
type names struct {
	schema      string // ours
	publication string
	toTarget    string // the subscription at the target, and its slot at the source
	toSource    string // the subscription at the source, and its slot at the target
	mutex, gate int64  // advisory locks: of who may act, and what writers wait at
}

func namesOf(db policy.MoveDatabase) names {
	slug := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '_' {
			return r
		}
		return '_'
	}, strings.ToLower(db.Name))
	sum := sha256.Sum256([]byte(db.Name))
	if len(slug) > 32 || slug != db.Name {
		slug = slug[:min(len(slug), 32)] + "_" + hex.EncodeToString(sum[:4])
	}
	id := "tranship_" + slug
	return names{
		schema: id, publication: id, toTarget: id + "_to_target", toSource: id + "_to_source",
		mutex: int64(binary.BigEndian.Uint64(sum[:8]) >> 1), gate: int64(binary.BigEndian.Uint64(sum[8:16]) >> 1),
	}
}

// subscription gives the name of that by which a side follows.
func (n names) subscription(follower string) string {
	if follower == target {
		return n.toTarget
	}
	return n.toSource
}

// in gives the name of a thing in our schema.
func (n names) in(thing string) string { return ident(n.schema, thing) }

func other(side string) string {
	if side == source {
		return target
	}
	return source
}

// end is one side of a database, with a connection to it.
type end struct {
	*pgx.Conn
	side string
	// reach is the connection string by which the other server comes here.
	reach string
}

// pair is both sides.
type pair struct {
	names
	d              *Database
	db             policy.MoveDatabase
	source, target *end
}

// both runs f for the source and then for the target.
func (p *pair) both(f func(*end) error) error {
	for _, e := range []*end{p.source, p.target} {
		if err := f(e); err != nil {
			return fmt.Errorf("%s: %w", e.side, err)
		}
	}
	return nil
}

func (p *pair) schemas() []string {
	if len(p.db.Schemas) == 0 {
		return []string{"public"}
	}
	return p.db.Schemas
}

// close ends all connections, also when ctx has ended.
func (p *pair) close(ctx context.Context) {
	for _, e := range []*end{p.source, p.target} {
		if e != nil {
			hangUp(ctx, e.Conn)
		}
	}
}

func hangUp(ctx context.Context, c *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	_ = c.Close(ctx)
}

// open connects to both sides.
func (d *Database) open(ctx context.Context, db policy.MoveDatabase) (*pair, error) {
	p := &pair{names: namesOf(db), d: d, db: db}
	var err error
	if p.source, err = d.end(ctx, db, source); err == nil {
		p.target, err = d.end(ctx, db, target)
	}
	if err != nil {
		p.close(ctx)
		return nil, err
	}
	return p, nil
}

func (d *Database) end(ctx context.Context, db policy.MoveDatabase, side string) (*end, error) {
	variable, reach := db.SourceEnv, cmp.Or(db.SourceFromTargetEnv, db.SourceEnv)
	if side == target {
		variable, reach = db.TargetEnv, cmp.Or(db.TargetFromSourceEnv, db.TargetEnv)
	}
	for _, v := range []string{variable, reach} {
		if d.strings[v] == "" {
			return nil, fmt.Errorf("%w: no connection string of the %s in %s", runner.ErrRefused, side, v)
		}
	}
	c, err := d.connect(ctx, db, variable)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", side, err)
	}
	return &end{Conn: c, side: side, reach: d.strings[reach]}, nil
}

// again opens a further connection to the same side.
func (d *Database) again(ctx context.Context, db policy.MoveDatabase, e *end) (*end, error) {
	return d.end(ctx, db, e.side)
}

func (d *Database) connect(ctx context.Context, db policy.MoveDatabase, variable string) (*pgx.Conn, error) {
	cfg, err := pgx.ParseConfig(d.strings[variable])
	if err != nil {
		return nil, fmt.Errorf("%w: the connection string in %s cannot be read", runner.ErrRefused, variable)
	}
	if d.opts.Dial != nil {
		cfg.DialFunc = d.opts.Dial
	}
	if cfg.ConnectTimeout == 0 {
		cfg.ConnectTimeout = 10 * time.Second
	}
	cfg.DefaultQueryExecMode = pgx.QueryExecModeExec
	// Text is the same everywhere, names are always written with their schema.
	maps.Copy(cfg.RuntimeParams, map[string]string{
		"application_name": "tranship " + db.Name, "search_path": "", "DateStyle": "ISO, YMD", "IntervalStyle": "postgres",
		"TimeZone": "UTC", "extra_float_digits": "1", "bytea_output": "hex", "client_encoding": "UTF8", "statement_timeout": "0",
		"synchronous_commit": "on",
	})
	return pgx.ConnectConfig(ctx, cfg)
}

// told makes an error one that can be shown: with what was tried, without
// passwords, and as a refusal where waiting is of no use.
func (d *Database) told(what string, db policy.MoveDatabase, err error) error {
	if err == nil {
		return nil
	}
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok && !errors.Is(err, runner.ErrRefused) {
		switch pg.Code {
		case "42501", "28P01", "28000", "3D000": // no privilege, wrong password, no such login, no such database
			err = fmt.Errorf("%w: %w", runner.ErrRefused, err)
		}
	}
	err = fmt.Errorf("%s %s: %w", what, db.Name, err)
	text := err.Error()
	for _, s := range d.strings {
		for _, secret := range passwords(s) {
			text = strings.ReplaceAll(text, secret, "***")
		}
	}
	return &quiet{text: text, err: err}
}

// passwords gives the spellings of a connection string's password.
func passwords(connection string) []string {
	cfg, err := pgx.ParseConfig(connection)
	if err != nil || cfg.Password == "" {
		return []string{connection}
	}
	_, escaped, _ := strings.Cut(url.UserPassword("", cfg.Password).String(), ":")
	return []string{connection, cfg.Password, escaped}
}

// quiet is an error whose text was cleaned.
type quiet struct {
	text string
	err  error
}

func (q *quiet) Error() string { return q.text }
func (q *quiet) Unwrap() error { return q.err }

func ident(parts ...string) string { return pgx.Identifier(parts).Sanitize() }

func literal(s string) string {
	q := "'" + strings.ReplaceAll(s, "'", "''") + "'"
	if strings.Contains(s, `\`) {
		return "E" + strings.ReplaceAll(q, `\`, `\\`)
	}
	return q
}

// pause waits, or gives why ctx ended.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
