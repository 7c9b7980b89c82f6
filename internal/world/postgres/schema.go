package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/tranship/tranship/internal/rollout/runner"
)

// Tables, by their names as they are written with their schemas.
const (
	// rowTables hold rows: these are replicated and compared.
	rowTables = `SELECT c.oid::regclass::text FROM ` + relations + ` WHERE c.relkind = 'r' AND ` + notExtension + ` ORDER BY 1`
	// allTables can be written to: these are fenced and locked.
	allTables = `SELECT c.oid::regclass::text FROM ` + relations + ` WHERE c.relkind IN ('r', 'p') AND ` + notExtension + ` ORDER BY 1`
	anything  = `SELECT c.oid::regclass::text FROM ` + relations + ` WHERE ` + notExtension + ` ORDER BY 1`
)

// shape is a query of all that has to be the same on both sides: a line is a
// name, a tab and a definition.
const shape = `
SELECT 'column ' || c.oid::regclass || '.' || quote_ident(a.attname) || E'\t' || format_type(a.atttypid, a.atttypmod) || ' '
	|| CASE WHEN a.attnotnull THEN 'NOT NULL ' ELSE '' END || a.attidentity::text || a.attgenerated::text || ' ' || coalesce(pg_get_expr(x.adbin, x.adrelid), '')
	FROM ` + relations + ` JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
	LEFT JOIN pg_attrdef x ON x.adrelid = c.oid AND x.adnum = a.attnum WHERE c.relkind IN ('r', 'p') AND ` + notExtension + `
UNION ALL SELECT 'table ' || c.oid::regclass || E'\t' || c.relkind::text || c.relpersistence::text || c.relreplident::text || coalesce(' ' || pg_get_partkeydef(c.oid), '') || coalesce(' ' || pg_get_expr(c.relpartbound, c.oid), '')
	FROM ` + relations + ` WHERE c.relkind IN ('r', 'p') AND ` + notExtension + `
UNION ALL SELECT 'constraint ' || quote_ident(k.conname) || ' of ' || c.oid::regclass || E'\t' || pg_get_constraintdef(k.oid)
	FROM ` + relations + ` JOIN pg_constraint k ON k.conrelid = c.oid WHERE ` + notExtension + `
UNION ALL SELECT 'index ' || i.indexrelid::regclass || E'\t' || pg_get_indexdef(i.indexrelid)
	FROM ` + relations + ` JOIN pg_index i ON i.indrelid = c.oid WHERE ` + notExtension + `
UNION ALL SELECT 'trigger ' || quote_ident(t.tgname) || ' of ' || c.oid::regclass || E'\t' || t.tgenabled::text || pg_get_triggerdef(t.oid)
	FROM ` + relations + ` JOIN pg_trigger t ON t.tgrelid = c.oid AND NOT t.tgisinternal AND t.tgname <> '` + fenceTrigger + `' WHERE ` + notExtension + `
UNION ALL SELECT 'sequence ' || c.oid::regclass || E'\t' || format('%s %s %s %s %s', s.seqtypid::regtype, s.seqincrement, s.seqmin, s.seqmax, s.seqcycle)
	FROM ` + relations + ` JOIN pg_sequence s ON s.seqrelid = c.oid
UNION ALL SELECT 'view ' || c.oid::regclass || E'\t' || pg_get_viewdef(c.oid) FROM ` + relations + ` WHERE c.relkind = 'v' AND ` + notExtension + `
UNION ALL SELECT 'function ' || f.oid::regprocedure || E'\t' || md5(pg_get_functiondef(f.oid)) FROM pg_proc f JOIN pg_namespace n ON n.oid = f.pronamespace
	WHERE n.nspname = ANY($1) AND f.prokind IN ('f', 'p') AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = f.oid AND d.deptype = 'e')
UNION ALL SELECT 'enum ' || t.oid::regtype || E'\t' || string_agg(e.enumlabel, ',' ORDER BY e.enumsortorder) FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
	JOIN pg_enum e ON e.enumtypid = t.oid WHERE n.nspname = ANY($1) GROUP BY t.oid`

// sameShape refuses sides whose schemas differ.
func (p *pair) sameShape(ctx context.Context) error {
	sides := map[string]map[string]string{}
	for _, e := range []*end{p.source, p.target} {
		lines, err := p.ask(ctx, e, shape)
		if err != nil {
			return err
		}
		sides[e.side] = map[string]string{}
		for _, l := range lines {
			name, definition, _ := strings.Cut(l, "\t")
			sides[e.side][name] = definition
		}
	}
	var differ []string
	for name, s := range sides[source] {
		switch t, ok := sides[target][name]; {
		case !ok:
			differ = append(differ, name+" is only at the source")
		case s != t:
			differ = append(differ, fmt.Sprintf("%s is %q at the source, %q at the target", name, s, t))
		}
	}
	for name := range sides[target] {
		if _, ok := sides[source][name]; !ok {
			differ = append(differ, name+" is only at the target")
		}
	}
	if len(differ) == 0 {
		return nil
	}
	slices.Sort(differ)
	more := ""
	if len(differ) > 20 {
		differ, more = differ[:20], fmt.Sprintf("; and %d more", len(differ)-20)
	}
	return fmt.Errorf("%w: the schemas differ: %s%s", runner.ErrRefused, strings.Join(differ, "; "), more)
}

// copySchema makes the source's tables, types, functions and grants at the
// target if there is nothing of them, in one transaction.
func (p *pair) copySchema(ctx context.Context) error {
	there, err := p.ask(ctx, p.target, anything)
	if err != nil || len(there) > 0 {
		return err
	}
	script, err := p.dump(ctx)
	if err != nil {
		return err
	}
	// The script sets what it likes of its session.
	c, err := p.d.again(ctx, p.db, p.target)
	if err != nil {
		return err
	}
	defer hangUp(ctx, c.Conn)
	if _, err := c.Exec(ctx, script); err != nil {
		return fmt.Errorf("%w: the target does not take the source's schema: %w", runner.ErrRefused, err)
	}
	return nil
}

// What pg_dump writes for psql alone, or for a database without schemas.
var (
	psqlOnly   = regexp.MustCompile(`(?m)^\\(un)?restrict .*$`)
	makeSchema = regexp.MustCompile(`(?m)^CREATE SCHEMA (\S+|"[^"]+");$`)
)

// dump reads the source's schema with pg_dump, which knows best.
func (p *pair) dump(ctx context.Context) (string, error) {
	tool, err := exec.LookPath(p.d.opts.PgDump)
	if err != nil {
		return "", fmt.Errorf("%w: there is nothing at the target, and no %s here to copy the schema with: install postgresql-client-%d, "+
			"or make the schema at the target yourself, which is then compared", runner.ErrRefused, p.d.opts.PgDump, version(p.source))
	}
	said, err := exec.CommandContext(ctx, tool, "--version").Output()
	if err != nil {
		return "", fmt.Errorf("ask %s for its version: %w", tool, err)
	}
	major := 0
	for f := range strings.FieldsSeq(string(said)) {
		if n, err := strconv.Atoi(strings.Split(f, ".")[0]); err == nil {
			major = n
			break
		}
	}
	if major < version(p.source) {
		return "", fmt.Errorf("%w: %s is of PostgreSQL %d, the source of %d: install postgresql-client-%[4]d", runner.ErrRefused, tool, major, version(p.source))
	}
	cfg := p.source.Config()
	args := []string{"--schema-only", "--no-publications", "--no-subscriptions", "--no-tablespaces", "--no-password"}
	for _, s := range p.schemas() {
		args = append(args, "--schema="+ident(s))
	}
	cmd := exec.CommandContext(ctx, tool, args...)
	// Arguments can be read by everybody on this machine, the environment cannot.
	cmd.Env = []string{
		"PGHOST=" + cfg.Host, "PGPORT=" + strconv.Itoa(int(cfg.Port)), "PGUSER=" + cfg.User, "PGPASSWORD=" + cfg.Password, "PGDATABASE=" + cfg.Database,
		"PGCONNECT_TIMEOUT=10", "PGSSLMODE=" + sslMode(cfg),
	}
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return "", context.Cause(ctx)
		}
		if _, ok := errors.AsType[*exec.ExitError](err); ok {
			return "", fmt.Errorf("read the source's schema with pg_dump: %s", strings.TrimSpace(errs.String()))
		}
		return "", fmt.Errorf("read the source's schema: %w", err)
	}
	return forServer(out.String()), nil
}

// forServer makes pg_dump's script one that a server takes without psql, also
// where a schema is there already.
func forServer(script string) string {
	return makeSchema.ReplaceAllString(psqlOnly.ReplaceAllString(script, ""), "CREATE SCHEMA IF NOT EXISTS $1;")
}

func sslMode(cfg *pgx.ConnConfig) string {
	if cfg.TLSConfig == nil {
		return "disable"
	}
	if net.ParseIP(cfg.Host) == nil && !cfg.TLSConfig.InsecureSkipVerify {
		return "verify-full"
	}
	return "require"
}

// drifted refuses a database whose tables are not those that are replicated.
func (p *pair) drifted(ctx context.Context, leader *end) error {
	var now, then []string
	var err error
	if now, err = p.ask(ctx, leader, rowTables); err != nil {
		return err
	}
	rows, err := leader.Query(ctx, `SELECT format('%I.%I', schemaname, tablename) FROM pg_publication_tables WHERE pubname = $1 AND schemaname <> $2 ORDER BY 1`, p.publication, p.schema)
	if err != nil {
		return err
	}
	if then, err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil {
		return err
	}
	gone, fresh := minus(then, now), minus(now, then)
	if len(gone)+len(fresh) == 0 {
		return nil
	}
	return fmt.Errorf("%w: the %s's tables changed since replication began: new %v, gone %v; end replication and begin anew", runner.ErrRefused, leader.side, fresh, gone)
}

// minus gives what a has and b has not.
func minus(a, b []string) []string {
	return slices.DeleteFunc(slices.Clone(a), func(x string) bool { return slices.Contains(b, x) })
}
