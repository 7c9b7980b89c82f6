package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// note is what a side knows of who leads. It is changed only in the transaction
// that opens or closes the side.
type note struct {
	Leads bool
	// Term counts the changes of sides. Of two closed sides the one with the
	// greater term was closed last.
	Term int64
	// Arrived: clients were sent here. Of the side that leads.
	Arrived bool
	// Logins are roles that could log in here before they were kept off.
	Logins []string
	// Since is when writes were held.
	Since *time.Time
}

// read gives a side's note, nil if it has none.
func (n names) read(ctx context.Context, e *end) (*note, error) {
	var there bool
	if err := e.QueryRow(ctx, "SELECT to_regclass($1) IS NOT NULL", n.in("side")).Scan(&there); err != nil || !there {
		return nil, err
	}
	x := &note{}
	err := e.QueryRow(ctx, "SELECT leads, term, arrived, logins, since FROM "+n.in("side")).
		Scan(&x.Leads, &x.Term, &x.Arrived, &x.Logins, &x.Since)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the %s's note: %w", e.side, err)
	}
	return x, nil
}

// found makes our schema on a side, closed or open, with its note. The beat's
// row is made where it begins: at the source.
func (n names) found(ctx context.Context, e *end, leads bool) error {
	s := fmt.Sprintf(`
CREATE SCHEMA IF NOT EXISTS %[1]s;
CREATE TABLE IF NOT EXISTS %[2]s (
	one boolean PRIMARY KEY DEFAULT true CHECK (one), leads boolean NOT NULL, term bigint NOT NULL DEFAULT 0,
	arrived boolean NOT NULL DEFAULT false, logins text[] NOT NULL DEFAULT '{}', since timestamptz);
CREATE TABLE IF NOT EXISTS %[3]s (one boolean PRIMARY KEY DEFAULT true CHECK (one), n bigint NOT NULL);
COMMENT ON SCHEMA %[1]s IS 'kept by tranship while this database moves; tranship takes it away';
INSERT INTO %[2]s (leads, arrived) VALUES (%[4]t, %[4]t) ON CONFLICT DO NOTHING;
`, ident(n.schema), n.in("side"), n.in("beat"), leads)
	if leads {
		s += fmt.Sprintf("INSERT INTO %s (n) VALUES (0) ON CONFLICT DO NOTHING;\n", n.in("beat"))
	}
	_, err := e.Exec(ctx, s+n.fence(leads))
	if err != nil {
		return fmt.Errorf("make schema %s: %w", n.schema, err)
	}
	return nil
}

// fence is the statement that opens or closes a side. Writers to a closed side
// wait as long as the mover has the gate: until clients were sent to the other
// side. Then they are turned away, as they would be by a standby.
func (n names) fence(open bool) string {
	body := "RETURN NULL;"
	if !open {
		body = fmt.Sprintf("PERFORM pg_catalog.pg_advisory_xact_lock_shared(%d); "+
			"RAISE EXCEPTION 'this side of the database takes no writes: it follows the other one' USING ERRCODE = '25006';", n.gate)
	}
	return fmt.Sprintf("CREATE OR REPLACE FUNCTION %s() RETURNS trigger LANGUAGE plpgsql AS %s;\n", n.in("fence"), literal("BEGIN "+body+" END"))
}

// posts gives all tables the trigger that runs the fence, where they have none.
// It needs the lock that holds writes, and takes it.
func (n names) posts(tables []string) string {
	if len(tables) == 0 {
		return ""
	}
	var s strings.Builder
	for _, t := range tables {
		fmt.Fprintf(&s, `IF NOT EXISTS (SELECT FROM pg_catalog.pg_trigger WHERE tgrelid = %[1]s::pg_catalog.regclass AND tgname = %[2]s) THEN
CREATE TRIGGER %[3]s BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON %[4]s FOR EACH STATEMENT EXECUTE FUNCTION %[5]s();
END IF;
`, literal(t), literal(fenceTrigger), ident(fenceTrigger), t, n.in("fence"))
	}
	return "DO " + literal("BEGIN "+s.String()+" END") + ";\n"
}

const fenceTrigger = "tranship_fence"

// dissolve takes fence, note and schema away from a side that leads.
func (n names) dissolve(ctx context.Context, e *end) error {
	rows, err := e.Query(ctx, `SELECT t.tgrelid::regclass::text FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
JOIN pg_namespace s ON s.oid = p.pronamespace WHERE s.nspname = $1 AND NOT t.tgisinternal`, n.schema)
	if err != nil {
		return err
	}
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	for _, t := range tables {
		err := insist(ctx, func() error {
			_, err := e.Exec(ctx, fmt.Sprintf("SET LOCAL lock_timeout = '150ms'; DROP TRIGGER IF EXISTS %s ON %s", ident(fenceTrigger), t))
			return err
		})
		if err != nil {
			return fmt.Errorf("take the fence off %s: %w", t, err)
		}
	}
	_, err = e.Exec(ctx, "DROP SCHEMA IF EXISTS "+ident(n.schema)+" CASCADE")
	return err
}

// beat has the leading side's beat go on, once all that was committed before is
// on disk, and gives its number.
func (n names) beat(ctx context.Context, leader *end) (int64, error) {
	var at int64
	if err := leader.QueryRow(ctx, "UPDATE "+n.in("beat")+" SET n = n + 1 RETURNING n").Scan(&at); err != nil {
		return 0, fmt.Errorf("beat at the %s: %w", leader.side, err)
	}
	return at, nil
}

// arrived waits until a beat has come to the follower, and with it, as changes
// come in the order of their commits, everything before.
func (n names) arrived(ctx context.Context, follower *end, at int64) error {
	for {
		var got int64
		err := follower.QueryRow(ctx, "SELECT coalesce(max(n), -1) FROM "+n.in("beat")).Scan(&got)
		if err != nil || got >= at {
			return err
		}
		if err := pause(ctx, 2*time.Millisecond); err != nil {
			return fmt.Errorf("the %s does not catch up: %w", follower.side, err)
		}
	}
}
