//go:build integration

package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tranship/tranship/internal/rollout/runner"
	"github.com/tranship/tranship/internal/world/postgres"
)

func nobody(context.Context) error { return errors.New("clients were sent over") }

// followed is a database that the target follows.
func followed(t *testing.T, rows int) (*world, *postgres.Database) {
	t.Helper()
	w := newWorld(t, rows)
	d := postgres.New(w.connections(), postgres.Options{})
	follow(t, w, d)
	return w, d
}

func follow(t *testing.T, w *world, d *postgres.Database) {
	t.Helper()
	if err := d.Replicate(t.Context(), w.database()); err != nil {
		t.Fatal(err)
	}
	for range 1500 {
		if l, err := d.Lag(t.Context(), w.database()); err != nil {
			t.Fatal(err)
		} else if l.Copied {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatal("the first copy does not end")
}

func TestEverythingInTheWayIsSaidAtOnce(t *testing.T) {
	w := newWorld(t, 10)
	w.admin("source", "CREATE ROLE owner_"+w.name)
	t.Cleanup(func() { w.admin("source", "DROP ROLE owner_"+w.name) })
	w.exec("source", `
		CREATE TABLE nokey (a int);
		CREATE TABLE nothing (a int PRIMARY KEY); ALTER TABLE nothing REPLICA IDENTITY NOTHING;
		CREATE UNLOGGED TABLE passing (a int PRIMARY KEY);
		CREATE MATERIALIZED VIEW derived AS SELECT 1 AS a;
		CREATE SEQUENCE ending AS smallint; SELECT setval('ending', 32000);
		CREATE SCHEMA aside; CREATE TABLE aside.base (a int PRIMARY KEY); CREATE SEQUENCE aside.numbers;
		CREATE TABLE referring (a int PRIMARY KEY DEFAULT nextval('aside.numbers'), b int REFERENCES aside.base);
		CREATE EXTENSION pg_trgm;
		SELECT lo_create(0);
		ALTER TABLE referring OWNER TO owner_`+w.name)
	t.Cleanup(func() { w.exec("source", "DROP TABLE referring") })
	open, err := pgx.Connect(t.Context(), w.s.url("source", "postgres", w.name))
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close(context.Background())
	if _, err := open.Exec(t.Context(), "BEGIN; INSERT INTO readings (device) VALUES ('x'); PREPARE TRANSACTION 'stuck "+w.name+"'"); err != nil {
		t.Fatal(err)
	}
	defer w.exec("source", "ROLLBACK PREPARED 'stuck "+w.name+"'")
	db := w.database()
	db.Roles = append(db.Roles, "nobody_here", "mover")
	err = postgres.New(w.connections(), postgres.Options{}).Replicate(t.Context(), db)
	if !errors.Is(err, runner.ErrRefused) {
		t.Fatalf("Replicate = %v, want a refusal", err)
	}
	for _, want := range []string{
		"source: table public.nokey has neither a primary key nor a replica identity", "table public.nothing has neither",
		"table public.passing is unlogged", "materialized view public.derived", "sequence public.ending is nearly at its end (32000)",
		"public.referring takes numbers of sequence aside.numbers", "public.referring refers to aside.base",
		"target: extension pg_trgm is missing", "target: role owner_" + w.name + " is missing", "1 large objects",
		"prepared transaction 'stuck " + w.name + "'", "source: role nobody_here is missing", "target: role nobody_here is missing",
		"role mover is also the mover's",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the refusal lacks %q:\n%s", want, strings.ReplaceAll(err.Error(), "; ", "\n"))
		}
	}
}

func TestServersThatCannotReplicateAreRefused(t *testing.T) {
	w := newWorld(t, 10)
	c := w.connections()
	c["TARGET"] = c["SOURCE"]
	err := postgres.New(c, postgres.Options{}).Replicate(t.Context(), w.database())
	if !errors.Is(err, runner.ErrRefused) || !strings.Contains(err.Error(), "one and the same") {
		t.Errorf("Replicate onto itself = %v", err)
	}
	w.exec("target", tables+"INSERT INTO readings (device) VALUES ('of somebody else')")
	err = postgres.New(w.connections(), postgres.Options{}).Replicate(t.Context(), w.database())
	if !errors.Is(err, runner.ErrRefused) || !strings.Contains(err.Error(), "already has rows in public.readings") {
		t.Errorf("Replicate over rows of somebody else = %v", err)
	}
	w.exec("target", "TRUNCATE readings CASCADE; ALTER TABLE readings ADD extra int")
	err = postgres.New(w.connections(), postgres.Options{}).Replicate(t.Context(), w.database())
	if !errors.Is(err, runner.ErrRefused) || !strings.Contains(err.Error(), "column public.readings.extra is only at the target") {
		t.Errorf("Replicate to another schema = %v", err)
	}
}

func TestSchemaWithoutPgDumpIsRefusedWithTheWayOut(t *testing.T) {
	w := newWorld(t, 10)
	err := postgres.New(w.connections(), postgres.Options{PgDump: "no-such-program"}).Replicate(t.Context(), w.database())
	if !errors.Is(err, runner.ErrRefused) || !strings.Contains(err.Error(), "install postgresql-client-15") {
		t.Errorf("Replicate = %v", err)
	}
	// A schema that somebody has made is as good.
	w.exec("target", "SET ROLE "+w.name+";"+tables+"RESET ROLE")
	follow(t, w, postgres.New(w.connections(), postgres.Options{PgDump: "no-such-program"}))
}

func TestPasswordsAreNeverSaid(t *testing.T) {
	w := newWorld(t, 10)
	for _, wrong := range []map[string]string{
		{"SOURCE": w.s.url("source", "mover:hunter%2F2", w.name)},
		{"SOURCE": "postgres://mover:hunter%2F2@127.0.0.1:1/" + w.name},
		{"SOURCE": "host=127.0.0.1 port=x password=hunter/2"},
	} {
		c := w.connections()
		c["SOURCE"] = wrong["SOURCE"]
		err := postgres.New(c, postgres.Options{}).Replicate(t.Context(), w.database())
		if err == nil {
			t.Errorf("Replicate with %s = nil", wrong["SOURCE"])
			continue
		}
		if strings.Contains(err.Error(), "hunter") {
			t.Errorf("the error says the password: %v", err)
		}
	}
	// Nor what the target says when it does not come in at the source.
	db := w.database()
	db.SourceFromTargetEnv = "REACH"
	c := w.connections()
	c["REACH"] = w.s.url("source", "mover:hunter%2F2", w.name)
	err := postgres.New(c, postgres.Options{}).Replicate(t.Context(), db)
	if err == nil || strings.Contains(err.Error(), "hunter") || !strings.Contains(err.Error(), "password authentication failed") {
		t.Errorf("Replicate with another password for the target = %v", err)
	}
}

func TestAWayBackThatLeadsNowhereIsFoundBeforeTheMove(t *testing.T) {
	w := newWorld(t, 10)
	db := w.database()
	db.TargetFromSourceEnv = "BACK"
	c := w.connections()
	c["BACK"] = "postgres://mover:x@127.0.0.1:1/" + w.name
	err := postgres.New(c, postgres.Options{}).Replicate(t.Context(), db)
	if err == nil || !strings.Contains(err.Error(), "try the way back") {
		t.Errorf("Replicate whose target the source cannot reach = %v", err)
	}
	if n := w.number("source", "SELECT count(*) FROM pg_replication_slots WHERE database = current_database()"); n != 0 {
		t.Errorf("%d slots are left at the source", n)
	}
	follow(t, w, postgres.New(w.connections(), postgres.Options{}))
}

func TestChangesOfTheSchemaDuringAMoveStopIt(t *testing.T) {
	w, d := followed(t, 100)
	w.exec("source", "CREATE TABLE fresh (a int PRIMARY KEY)")
	_, err := d.Over(t.Context(), w.database(), false, time.Second, nobody)
	if !errors.Is(err, runner.ErrRefused) || !strings.Contains(err.Error(), "public.fresh") {
		t.Errorf("Over with a new table = %v", err)
	}
	w.exec("source", "DROP TABLE fresh; ALTER TABLE readings ADD extra int")
	_, err = d.Over(t.Context(), w.database(), false, time.Second, nobody)
	if !errors.Is(err, runner.ErrRefused) || !strings.Contains(err.Error(), "column public.readings.extra is only at the source") {
		t.Errorf("Over with a new column = %v", err)
	}
	if err := w.write("source", 1); err != nil {
		t.Errorf("the source does not take writes: %v", err)
	}
}

func TestOpenTransactionsAreNamed(t *testing.T) {
	w, d := followed(t, 100)
	c, err := pgx.Connect(t.Context(), w.s.url("source", w.name, w.name))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(context.Background())
	if _, err := c.Exec(t.Context(), "BEGIN; UPDATE readings SET value = 1 WHERE id = 1"); err != nil {
		t.Fatal(err)
	}
	// While it is asked for the lock, others write in between.
	done := make(chan error)
	go func() {
		_, err := d.Over(context.Background(), w.database(), false, time.Second, nobody)
		done <- err
	}()
	longest := time.Duration(0)
	var over error
	for waits := true; waits; {
		start := time.Now()
		if err := w.write("source", 1); err != nil {
			t.Fatalf("a write while the lock is asked for: %v", err)
		}
		longest = max(longest, time.Since(start))
		select {
		case over = <-done:
			waits = false
		default:
		}
	}
	if want := fmt.Sprintf("session %d of %s", c.PgConn().PID(), w.name); over == nil || !strings.Contains(over.Error(), want) {
		t.Errorf("Over = %v, want that it names %s", over, want)
	}
	t.Logf("no write waited longer than %s meanwhile", longest)
	if _, err := c.Exec(t.Context(), "PREPARE TRANSACTION 'p "+w.name+"'"); err != nil {
		t.Fatal(err)
	}
	_, err = d.Over(t.Context(), w.database(), false, time.Second, nobody)
	if err == nil || !strings.Contains(err.Error(), "prepared") {
		t.Errorf("Over with a prepared transaction = %v", err)
	}
	w.exec("source", "ROLLBACK PREPARED 'p "+w.name+"'")
}

func TestRolesAreKeptOffTheOldSideAndComeBack(t *testing.T) {
	w, d := followed(t, 100)
	sent := func(context.Context) error { return nil }
	for _, back := range []bool{false, true, false} {
		old, fresh := side(!back), side(back)
		if err := w.write(old, 1); err != nil {
			t.Fatal(err)
		}
		if _, err := d.Over(t.Context(), w.database(), back, 5*time.Second, sent); err != nil {
			t.Fatal(err)
		}
		if !w.apps[old].IsClosed() && w.apps[old].Ping(t.Context()) == nil {
			t.Errorf("a session of the application at the %s lives on", old)
		}
		if c, err := pgx.Connect(t.Context(), w.s.url(old, w.name, w.name)); err == nil {
			_ = c.Close(t.Context())
			t.Errorf("the application logs in at the %s, which is not its own any more", old)
		}
		if err := w.write(fresh, 1); err != nil {
			t.Errorf("the application's write to the %s: %v", fresh, err)
		}
		// Nor does anybody else write there.
		if _, err := w.root[old].Exec(t.Context(), "DELETE FROM readings"); err == nil || !strings.Contains(err.Error(), "takes no writes") {
			t.Errorf("a superuser's DELETE at the %s = %v", old, err)
		}
		if _, err := w.root[old].Exec(t.Context(), "TRUNCATE parts"); err == nil {
			t.Errorf("a superuser's TRUNCATE at the %s = nil", old)
		}
		if _, err := w.root[old].Exec(t.Context(), "INSERT INTO parts VALUES (1000, '2026-12-01')"); err == nil {
			t.Errorf("an INSERT into a partitioned table of the %s = nil", old)
		}
	}
}

func TestStopEndsWhatItReachesAndSaysWhatIsLeft(t *testing.T) {
	w, d := followed(t, 100)
	lost := w.connections()
	lost["SOURCE"] = "postgres://mover:x@127.0.0.1:1/" + w.name
	err := postgres.New(lost, postgres.Options{}).Stop(t.Context(), w.database())
	if err == nil || !strings.Contains(err.Error(), "slot tranship_"+w.name+"_to_target at the source") {
		t.Errorf("Stop without the source = %v, want that it names the slot", err)
	}
	if n := w.number("target", "SELECT count(*) FROM pg_subscription WHERE subname LIKE 'tranship_"+w.name+"%'"); n != 0 {
		t.Errorf("%d subscriptions are left at the target", n)
	}
	if err := d.Stop(t.Context(), w.database()); err != nil {
		t.Fatal(err)
	}
	if n := w.number("source", "SELECT count(*) FROM pg_replication_slots WHERE database = current_database()"); n != 0 {
		t.Errorf("%d slots are left at the source", n)
	}
	if n := w.number("source", "SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal") + w.number("source", "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'tranship%'"); n != 0 {
		t.Errorf("%d triggers and schemas of ours are left at the source", n)
	}
}

func TestStopInTheMiddleOfTheFirstCopyLeavesNoSlot(t *testing.T) {
	w := newWorld(t, 200000)
	d := postgres.New(w.connections(), postgres.Options{})
	for range 3 {
		if err := d.Replicate(t.Context(), w.database()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(100 * time.Millisecond)
		if err := d.Stop(t.Context(), w.database()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(100 * time.Millisecond)
		if n := w.number("source", "SELECT count(*) FROM pg_replication_slots WHERE database = current_database()"); n != 0 {
			t.Errorf("%d slots are left at the source", n)
		}
	}
}

func TestAReplicateThatWasCutAnywhereIsMadeGoodByTheNext(t *testing.T) {
	w := newWorld(t, 100)
	way := &cable{}
	d := postgres.New(w.connections(), postgres.Options{Dial: way.dial})
	for n := 1; ; n += *every {
		way.at, way.left, way.sent = true, (n+1)/2, n%2 == 0
		err := d.Replicate(t.Context(), w.database())
		way.mu.Lock()
		cut := way.cut
		way.cut, way.at = false, false
		way.mu.Unlock()
		if !cut && err != nil {
			t.Fatal(err)
		}
		follow(t, w, d)
		for _, table := range []string{"readings", `"Last Seen"`, "parts", "child"} {
			s := w.number("source", "SELECT count(*) FROM "+table)
			for range 500 {
				if w.number("target", "SELECT count(*) FROM "+table) == s {
					break
				}
				time.Sleep(10 * time.Millisecond)
			}
			if got := w.number("target", "SELECT count(*) FROM "+table); got != s {
				t.Fatalf("cut at %d, %s has %d rows at the target, want %d", n, table, got, s)
			}
		}
		if err := d.Stop(t.Context(), w.database()); err != nil {
			t.Fatal(err)
		}
		if !cut {
			t.Logf("%d instants", n)
			return
		}
	}
}

func TestCompareFindsEveryKindOfDifference(t *testing.T) {
	w, d := followed(t, 30000)
	w.exec("source", `CREATE EXTENSION IF NOT EXISTS plpgsql`)
	replica := func(side, sql string) {
		w.exec(side, "SET session_replication_role = replica; "+sql+"; SET session_replication_role = origin")
	}
	got, err := d.Compare(t.Context(), w.database())
	if err != nil || !got.Same || got.Rows != 30000+50+300+10 {
		t.Fatalf("Compare = %+v, %v, want 30360 rows that are the same", got, err)
	}
	replica("target", `UPDATE readings SET value = NULL WHERE id = 12345;
		UPDATE "Last Seen" SET raw = '\x00' WHERE device = 'device-7';
		DELETE FROM parts WHERE id = 250;
		INSERT INTO child (id, m) VALUES ('00000000-0000-0000-0000-000000000001', 'sad');
		INSERT INTO readings (id, device) VALUES (-5, 'before all'), (1000000, 'after all')`)
	got, err = d.Compare(t.Context(), w.database())
	if err != nil {
		t.Fatal(err)
	}
	want := []string{`"Last Seen" device-7,1`, "child 00000000-0000-0000-0000-000000000001", "parts_2 250,2026-09-08", "readings -5", "readings 1000000", "readings 12345"}
	slices.Sort(got.Different)
	for i := range got.Different {
		got.Different[i] = strings.TrimPrefix(got.Different[i], "public.")
	}
	if got.Same || got.Missing != 1 || got.Extra != 3 || !slices.Equal(got.Different, want) {
		t.Errorf("Compare = %+v, want 1 missing, 3 extra, %q", got, want)
	}
	replica("target", "DELETE FROM readings WHERE id BETWEEN 5000 AND 25000")
	if got, err = d.Compare(t.Context(), w.database()); err != nil || got.Missing < 20000 || len(got.Different) != 10 {
		t.Errorf("Compare with 20,001 rows gone = %+v, %v, want all of them missing and ten places", got, err)
	}
}

func TestCompareUnderLoadSeesOneInstant(t *testing.T) {
	w, _, c, d := loaded(t)
	for range 5 {
		c.lastGap()
		got, err := d.Compare(t.Context(), w.database())
		if err != nil || !got.Same {
			t.Errorf("Compare under load = %+v, %v", got, err)
		}
		t.Logf("%d rows the same, no client was acknowledged for %s", got.Rows, c.lastGap().Round(time.Millisecond))
	}
	c.end(t, "source", "target")
}

func TestCompareOfAMillionRows(t *testing.T) {
	w, d := followed(t, 1_000_000)
	start := time.Now()
	got, err := d.Compare(t.Context(), w.database())
	if err != nil || !got.Same || got.Rows < 1_000_000 {
		t.Errorf("Compare = %+v, %v", got, err)
	}
	t.Logf("%d rows on both sides compared in %s, %d MiB each", got.Rows, time.Since(start).Round(time.Millisecond),
		w.number("source", "SELECT pg_total_relation_size('readings')")>>20)
}
