package postgres

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/tranship/tranship/internal/rollout/runner"
)

// A question is asked of one side; each row of its answer is something that
// stands in the way. $1 are the schemas, $2 the applications' roles.
type question struct {
	side string // source, target, or empty for both
	sql  string
}

const (
	relations = `pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = ANY($1)`
	// What belongs to an extension comes with it.
	notExtension = ` NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')`
)

func questions() []question {
	return []question{
		{"", `SELECT 'it runs PostgreSQL ' || current_setting('server_version') || ', and 14 is the oldest that can be moved'
			WHERE current_setting('server_version_num')::int < 140000`},
		{"", `SELECT 'wal_level is ' || current_setting('wal_level') || ': set it to logical and restart' WHERE current_setting('wal_level') <> 'logical'`},
		{"source", `SELECT 'of max_replication_slots = ' || current_setting('max_replication_slots') || ' ' || count(*) || ' are taken: 3 have to be free'
			FROM pg_replication_slots HAVING current_setting('max_replication_slots')::int - count(*) < 3`},
		{"target", `SELECT 'of max_replication_slots = ' || current_setting('max_replication_slots') || ' ' || used || ' are taken by slots and origins: 4 have to be free'
			FROM (SELECT (SELECT count(*) FROM pg_replication_slots) + (SELECT count(*) FROM pg_subscription) AS used) u
			WHERE current_setting('max_replication_slots')::int - used < 4`},
		{"", `SELECT 'of max_wal_senders = ' || current_setting('max_wal_senders') || ' ' || count(*) || ' are taken: 3 have to be free'
			FROM pg_stat_replication HAVING current_setting('max_wal_senders')::int - count(*) < 3`},
		{"", `SELECT 'of max_logical_replication_workers = ' || current_setting('max_logical_replication_workers') || ' ' || count(*) || ' are taken: 2 have to be free'
			FROM pg_stat_subscription WHERE pid IS NOT NULL HAVING current_setting('max_logical_replication_workers')::int - count(*) < 2`},
		{"", `SELECT 'role ' || quote_ident(r) || ' is missing' FROM unnest($2::text[]) r WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = r)`},
		{"", `SELECT 'role ' || quote_ident(r) || ' is also the mover''s: give it one of its own' FROM unnest($2::text[]) r WHERE r IN (session_user, current_user)`},
		{"", `SELECT DISTINCT 'role ' || quote_ident(usename) || ' also works in database ' || quote_ident(datname) || ', and would be kept off that too'
			FROM pg_stat_activity WHERE usename = ANY($2) AND datname <> current_database()`},
		{"source", `SELECT 'table ' || c.oid::regclass || ' has neither a primary key nor a replica identity' FROM ` + relations + `
			WHERE c.relkind = 'r' AND c.relpersistence = 'p' AND c.relreplident NOT IN ('f', 'i') AND ` + notExtension + `
			AND (c.relreplident = 'n' OR NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary)) ORDER BY 1`},
		{"source", `SELECT 'table ' || c.oid::regclass || ' is unlogged, and would not be carried' FROM ` + relations + ` WHERE c.relkind = 'r' AND c.relpersistence = 'u' ORDER BY 1`},
		{"source", `SELECT CASE c.relkind WHEN 'm' THEN 'materialized view ' ELSE 'foreign table ' END || c.oid::regclass || ' is not carried: drop it, and make it anew after the move'
			FROM ` + relations + ` WHERE c.relkind IN ('m', 'f') AND ` + notExtension + ` ORDER BY 1`},
		{"source", `SELECT 'it has ' || count(*) || ' large objects, which replication does not carry' FROM pg_largeobject_metadata HAVING count(*) > 0`},
		{"source", `SELECT 'sequence ' || c.oid::regclass || ' is nearly at its end (' || p.last_value || ')' FROM ` + relations + `
			JOIN pg_sequence s ON s.seqrelid = c.oid JOIN pg_sequences p ON p.schemaname = n.nspname AND p.sequencename = c.relname
			WHERE NOT s.seqcycle AND (s.seqincrement > 0 AND p.last_value::numeric + ` + margin + ` > s.seqmax
			OR s.seqincrement < 0 AND p.last_value::numeric + ` + margin + ` < s.seqmin) ORDER BY 1`},
		{"source", `SELECT 'table ' || c.oid::regclass || ' takes numbers of sequence ' || q.oid::regclass || ', whose schema does not move' FROM ` + relations + `
			JOIN pg_attrdef a ON a.adrelid = c.oid JOIN pg_depend d ON d.classid = 'pg_attrdef'::regclass AND d.objid = a.oid AND d.refclassid = 'pg_class'::regclass
			JOIN pg_class q ON q.oid = d.refobjid AND q.relkind = 'S' JOIN pg_namespace m ON m.oid = q.relnamespace WHERE m.nspname <> ALL($1) ORDER BY 1`},
		{"source", `SELECT 'table ' || c.oid::regclass || ' refers to ' || k.confrelid::regclass || ', whose schema does not move' FROM ` + relations + `
			JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype = 'f' JOIN pg_class f ON f.oid = k.confrelid JOIN pg_namespace m ON m.oid = f.relnamespace
			WHERE m.nspname <> ALL($1) ORDER BY 1`},
		{"source", `SELECT 'it has no table in ' || array_to_string($1::text[], ', ') WHERE NOT EXISTS (SELECT FROM ` + relations + ` WHERE c.relkind = 'r')`},
		{"source", `SELECT 'prepared transaction ' || quote_literal(gid) || ' of ' || owner || ' is open: commit it or roll it back'
			FROM pg_prepared_xacts WHERE database = current_database()`},
	}
}

// Facts of the source that the target has to match, as names.
const (
	extensions = `SELECT quote_ident(extname) FROM pg_extension WHERE extname <> 'plpgsql' ORDER BY 1`
	allRoles   = `SELECT quote_ident(rolname) FROM pg_roles`
	owners     = `SELECT DISTINCT quote_ident(r.rolname) FROM ` + relations + ` JOIN pg_roles r ON r.oid IN
		(SELECT c.relowner UNION SELECT n.nspowner UNION SELECT x.grantee FROM aclexplode(c.relacl) x UNION SELECT x.grantee FROM aclexplode(n.nspacl) x)
		WHERE r.rolname NOT LIKE 'pg\_%' AND r.oid >= 16384 AND r.rolname <> ALL($2) ORDER BY 1`
	where = `SELECT pg_postmaster_start_time() || ' ' || current_database()`
	like  = `SELECT pg_encoding_to_char(encoding) || ', collation ' || datcollate FROM pg_database WHERE datname = current_database()`
)

// preflight asks whether the database can be replicated, and gives all that
// stands in the way as one refusal.
func (p *pair) preflight(ctx context.Context) error {
	var found []string
	for _, q := range questions() {
		for _, e := range []*end{p.source, p.target} {
			if q.side != "" && q.side != e.side {
				continue
			}
			got, err := p.ask(ctx, e, q.sql)
			if err != nil {
				return err
			}
			for _, g := range got {
				found = append(found, e.side+": "+g)
			}
		}
	}
	for what, sql := range map[string]string{"extension %s is missing: CREATE EXTENSION %[1]s": extensions, "role %s is missing": owners} {
		have, err := p.ask(ctx, p.source, sql)
		if err != nil {
			return err
		}
		there, err := p.ask(ctx, p.target, strings.Replace(sql, owners, allRoles, 1))
		if err != nil {
			return err
		}
		for _, name := range have {
			if !slices.Contains(there, name) {
				found = append(found, "target: "+fmt.Sprintf(what, name))
			}
		}
	}
	alike, err := p.alike(ctx, like)
	if err != nil {
		return err
	}
	if s, t := alike[0], alike[1]; s != t {
		found = append(found, fmt.Sprintf("target: it is %s, the source %s", t, s))
	}
	if v, w := version(p.source), version(p.target); w < v {
		found = append(found, fmt.Sprintf("target: it runs PostgreSQL %d, the source %d", w, v))
	}
	if len(found) == 0 {
		return nil
	}
	slices.Sort(found)
	return fmt.Errorf("%w: %s", runner.ErrRefused, strings.Join(found, "; "))
}

// about fits the arguments to a question, which uses the schemas, the roles, or both.
func (p *pair) about(sql string) (string, []any) {
	roles := p.db.Roles
	if roles == nil {
		roles = []string{}
	}
	switch schemas := strings.Contains(sql, "$1"); {
	case schemas && strings.Contains(sql, "$2"):
		return sql, []any{p.schemas(), roles}
	case schemas:
		return sql, []any{p.schemas()}
	case strings.Contains(sql, "$2"):
		return strings.ReplaceAll(sql, "$2", "$1"), []any{roles}
	}
	return sql, nil
}

// ask gives the only column of a query that is about the database's schemas and roles.
func (p *pair) ask(ctx context.Context, e *end, sql string) ([]string, error) {
	sql, args := p.about(sql)
	return column(ctx, e, sql, args...)
}

// column gives a query's only column.
func column(ctx context.Context, e *end, sql string, args ...any) ([]string, error) {
	rows, err := e.Query(ctx, sql, args...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", e.side, err)
	}
	got, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("%s: %w", e.side, err)
	}
	return got, nil
}

// alike asks both sides something that has one answer.
func (p *pair) alike(ctx context.Context, sql string) ([2]string, error) {
	var out [2]string
	for i, e := range []*end{p.source, p.target} {
		if err := e.QueryRow(ctx, sql).Scan(&out[i]); err != nil {
			return out, fmt.Errorf("%s: %w", e.side, err)
		}
	}
	return out, nil
}

// version is the server's major version.
func version(e *end) int {
	var major int
	_, _ = fmt.Sscanf(e.PgConn().ParameterStatus("server_version"), "%d", &major)
	return major
}
