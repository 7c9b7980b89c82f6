//go:build integration

package postgres_test

import (
	"context"
	"flag"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tranship/tranship/internal/rollout/runner/runnertest"
	"github.com/tranship/tranship/internal/world/postgres"
)

// every says at which messages of a cutover the mover is killed: of 2·n
// instants, before and after each message, every so many.
var every = flag.Int("every", 7, "kill the mover at every so many instants of a cutover")

func TestDatabaseKeepsItsPromises(t *testing.T) {
	runnertest.Database(t, func(t *testing.T) (runnertest.Moved, runnertest.DatabaseWorld) {
		w := newWorld(t, 1000)
		way := &cable{}
		ctx := context.Background()
		return postgres.New(w.connections(), postgres.Options{Dial: way.dial}), runnertest.DatabaseWorld{
			Database: w.database(), Every: *every,
			Await: func(done func() bool) bool {
				for range 1000 {
					if done() {
						return true
					}
					time.Sleep(20 * time.Millisecond)
				}
				return false
			},
			Write: w.write,
			Rows: func(side string) int64 {
				if w.number(side, "SELECT count(*) FROM pg_class WHERE relname = 'readings'") == 0 {
					return 0
				}
				return w.number(side, "SELECT count(*) FROM readings") + w.number(side, `SELECT count(*) FROM "Last Seen"`) +
					w.number(side, "SELECT count(*) FROM parts") + w.number(side, "SELECT count(*) FROM child")
			},
			Next: func(side string) int64 { return w.number(side, "SELECT nextval('readings_id_seq')") },
			Left: func() []string {
				var out []string
				for _, side := range []string{"source", "target"} {
					rows, err := w.root[side].Query(ctx, `SELECT 'slot ' || slot_name FROM pg_replication_slots WHERE database = current_database() AND NOT temporary
						UNION ALL SELECT 'publication ' || pubname FROM pg_publication
						UNION ALL SELECT 'subscription ' || subname FROM pg_subscription WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database()) ORDER BY 1`)
					if err != nil {
						t.Fatal(err)
					}
					got, err := pgx.CollectRows(rows, pgx.RowTo[string])
					if err != nil {
						t.Fatal(err)
					}
					for _, g := range got {
						out = append(out, side+" "+g)
					}
				}
				return out
			},
			Spoil: func(side string) {
				w.exec(side, "SET session_replication_role = replica; UPDATE readings SET value = -1 WHERE id = 500; SET session_replication_role = origin")
			},
			Lose: func(side string) {
				w.exec(side, "SET session_replication_role = replica; DELETE FROM readings WHERE id = 700; SET session_replication_role = origin")
			},
			Busy: func() func() {
				c, err := pgx.Connect(ctx, w.s.url("source", w.name, w.name))
				if err != nil {
					t.Fatal(err)
				}
				if _, err := c.Exec(ctx, "BEGIN; INSERT INTO readings (device) VALUES ('busy')"); err != nil {
					t.Fatal(err)
				}
				return func() { _ = c.Close(ctx) }
			},
			Stall: func() func() {
				c, err := pgx.Connect(ctx, w.s.url("target", "postgres", w.name))
				if err != nil {
					t.Fatal(err)
				}
				if _, err := c.Exec(ctx, "BEGIN; LOCK TABLE readings IN SHARE ROW EXCLUSIVE MODE"); err != nil {
					t.Fatal(err)
				}
				return func() { _ = c.Close(ctx) }
			},
			Unfit: func() (func(), []string) {
				w.exec("source", `CREATE TABLE nokey (a int); CREATE UNLOGGED TABLE passing (a int PRIMARY KEY); SELECT lo_create(0)`)
				return func() {
						w.exec("source", `DROP TABLE nokey, passing; SELECT lo_unlink(oid) FROM pg_largeobject_metadata`)
					},
					[]string{"public.nokey", "primary key", "public.passing", "unlogged", "large object"}
			},
			Cut: func() func() {
				way.mu.Lock()
				way.sever()
				way.mu.Unlock()
				return func() { way.cut = false }
			},
			Kill: func(n int) func() bool {
				way.mu.Lock()
				defer way.mu.Unlock()
				way.at, way.left, way.sent = true, (n+1)/2, n%2 == 0
				return func() bool {
					way.mu.Lock()
					defer way.mu.Unlock()
					cut := way.cut
					way.cut, way.at = false, false
					return cut
				}
			},
		}
	})
}
