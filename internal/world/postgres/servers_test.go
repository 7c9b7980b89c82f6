//go:build integration

package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tranship/tranship/internal/plan/policy"
)

const programs = "/usr/lib/postgresql/15/bin"

// servers are two PostgreSQL servers of this test, which all its tests share.
type servers struct {
	ports map[string]int
	stop  []func()
}

var both = struct {
	sync.Mutex
	s *servers
	n int
}{}

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) != "" {
		os.Exit(child())
	}
	code := m.Run()
	if both.s != nil {
		for _, f := range both.s.stop {
			f()
		}
	}
	os.Exit(code)
}

// started gives both servers.
func started(t testing.TB) *servers {
	t.Helper()
	both.Lock()
	defer both.Unlock()
	if both.s == nil {
		s := &servers{ports: map[string]int{}}
		for _, side := range []string{"source", "target"} {
			s.start(t, side)
		}
		both.s = s
	}
	return both.s
}

func (s *servers) start(t testing.TB, side string) {
	t.Helper()
	if _, err := os.Stat(programs + "/postgres"); err != nil {
		t.Fatalf("PostgreSQL 15 of Debian is needed: %v", err)
	}
	dir, err := os.MkdirTemp("", "tranship-postgres-")
	if err != nil {
		t.Fatal(err)
	}
	attr := &syscall.SysProcAttr{Pdeathsig: syscall.SIGQUIT}
	if os.Getuid() == 0 {
		u, err := user.Lookup("postgres")
		if err != nil {
			t.Fatalf("PostgreSQL refuses root, and %v", err)
		}
		uid, _ := strconv.Atoi(u.Uid)
		gid, _ := strconv.Atoi(u.Gid)
		attr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		if err := os.Chown(dir, uid, gid); err != nil {
			t.Fatal(err)
		}
	}
	run := func(name string, args ...string) *exec.Cmd {
		c := exec.Command(filepath.Join(programs, name), args...)
		c.SysProcAttr, c.Dir = attr, dir
		return c
	}
	data := filepath.Join(dir, "data")
	if out, err := run("initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N").CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v\n%s", err, out)
	}
	hba := "local all all trust\nhost all mover 127.0.0.1/32 scram-sha-256\nhost all all 127.0.0.1/32 trust\n"
	if err := os.WriteFile(filepath.Join(data, "pg_hba.conf"), []byte(hba), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	l.Close()
	cmd := run("postgres", "-D", data, "-p", strconv.Itoa(port), "-h", "127.0.0.1", "-k", dir, "-c", "wal_level=logical", "-c", "max_connections=120",
		"-c", "max_replication_slots=20", "-c", "max_wal_senders=20", "-c", "max_logical_replication_workers=12", "-c", "max_worker_processes=20",
		"-c", "max_prepared_transactions=5", "-c", "shared_buffers=256MB", "-c", "max_wal_size=4GB", "-c", "fsync=off",
		// A worker that has just ended starts again after 5 s, which would be most of the time here.
		"-c", "wal_retrieve_retry_interval=100ms")
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s.ports[side] = port
	s.stop = append(s.stop, func() {
		_ = cmd.Process.Signal(syscall.SIGINT)
		_ = cmd.Wait()
		if os.Getenv("KEEP_LOG") == "" {
			_ = os.RemoveAll(dir)
		}
	})
	for range 200 {
		if c, err := pgx.Connect(t.Context(), s.url(side, "postgres", "postgres")); err == nil {
			if _, err := c.Exec(t.Context(), "CREATE ROLE mover LOGIN SUPERUSER REPLICATION PASSWORD 'pass/word'"); err != nil {
				t.Fatal(err)
			}
			_ = c.Close(t.Context())
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	text, _ := os.ReadFile(log.Name())
	t.Fatalf("postgres does not answer:\n%s", text)
}

func (s *servers) url(side, role, database string) string {
	return fmt.Sprintf("postgres://%s@127.0.0.1:%d/%s?sslmode=disable", role, s.ports[side], database)
}

// world is a database of its own on both servers, the target's empty.
type world struct {
	t    testing.TB
	s    *servers
	name string // of the database and of its application's role
	apps map[string]*pgx.Conn
	root map[string]*pgx.Conn
}

const tables = `
CREATE TABLE readings (id bigserial PRIMARY KEY, device text NOT NULL, value double precision, at timestamptz NOT NULL DEFAULT now());
CREATE TABLE "Last Seen" (device text, kind smallint, n integer GENERATED ALWAYS AS IDENTITY, raw bytea, PRIMARY KEY (device, kind));
CREATE TABLE parts (id int, day date, note text, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM ('2026-01-01') TO ('2026-07-01');
CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM ('2026-07-01') TO ('2027-01-01');
CREATE TYPE mood AS ENUM ('sad', 'glad');
CREATE TABLE child (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), reading bigint REFERENCES readings, m mood, tags jsonb);
CREATE INDEX ON readings (device, at);
CREATE VIEW latest AS SELECT device, max(at) FROM readings GROUP BY 1;
CREATE FUNCTION twice(n int) RETURNS int LANGUAGE sql AS 'SELECT 2 * n';
`

func newWorld(t testing.TB, rows int) *world {
	t.Helper()
	s := started(t)
	both.Lock()
	both.n++
	w := &world{t: t, s: s, name: fmt.Sprintf("app%d", both.n), apps: map[string]*pgx.Conn{}, root: map[string]*pgx.Conn{}}
	both.Unlock()
	for _, side := range []string{"source", "target"} {
		w.admin(side, "CREATE ROLE "+w.name+" LOGIN", "CREATE DATABASE "+w.name+" OWNER "+w.name)
		c, err := pgx.Connect(t.Context(), s.url(side, "postgres", w.name))
		if err != nil {
			t.Fatal(err)
		}
		w.root[side] = c
	}
	w.exec("source", "SET ROLE "+w.name+";"+tables+"RESET ROLE;"+fmt.Sprintf(`
INSERT INTO readings (device, value) SELECT 'device-' || n %% 100, random() FROM generate_series(1, %d) n;
INSERT INTO "Last Seen" (device, kind, raw) SELECT 'device-' || n, 1, sha256(n::text::bytea) FROM generate_series(1, 50) n;
INSERT INTO parts SELECT n, '2026-01-01'::date + n, 'x' FROM generate_series(1, 300) n;
INSERT INTO child (reading, m, tags) SELECT id, 'glad', '{"a": 1}' FROM readings LIMIT 10;`, rows))
	t.Cleanup(w.drop)
	return w
}

func (w *world) admin(side string, statements ...string) {
	w.t.Helper()
	ctx := context.Background()
	c, err := pgx.Connect(ctx, w.s.url(side, "postgres", "postgres"))
	if err != nil {
		w.t.Fatal(err)
	}
	defer c.Close(ctx)
	for _, s := range statements {
		if _, err := c.Exec(ctx, s); err != nil {
			w.t.Fatalf("%s: %v", s, err)
		}
	}
}

// drop takes all away, so that slots of one test do not lack another.
func (w *world) drop() {
	ctx := context.Background()
	for _, side := range []string{"target", "source"} {
		if c := w.apps[side]; c != nil {
			_ = c.Close(ctx)
		}
		rows, err := w.root[side].Query(ctx, "SELECT subname::text FROM pg_subscription WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())")
		if err != nil {
			w.t.Error(err)
			continue
		}
		names, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			w.t.Error(err)
		}
		for _, n := range names {
			w.exec(side, "ALTER SUBSCRIPTION "+n+" DISABLE; ALTER SUBSCRIPTION "+n+" SET (slot_name = NONE); DROP SUBSCRIPTION "+n)
		}
	}
	for _, side := range []string{"target", "source"} {
		for range 100 {
			_, err := w.root[side].Exec(ctx, "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE database = current_database() AND active")
			if err == nil {
				_, err = w.root[side].Exec(ctx, "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = current_database()")
			}
			if err == nil {
				break
			}
			time.Sleep(20 * time.Millisecond)
		}
		_ = w.root[side].Close(ctx)
		w.admin(side, "DROP DATABASE "+w.name+" WITH (FORCE)", "DROP ROLE "+w.name)
	}
}

func (w *world) exec(side, sql string) {
	w.t.Helper()
	if _, err := w.root[side].Exec(context.Background(), sql); err != nil {
		w.t.Fatalf("%s: %s: %v", side, sql, err)
	}
}

func (w *world) number(side, sql string) int64 {
	w.t.Helper()
	var n int64
	if err := w.root[side].QueryRow(context.Background(), sql).Scan(&n); err != nil {
		w.t.Fatalf("%s: %s: %v", side, sql, err)
	}
	return n
}

// database is what policy says of it.
func (w *world) database() policy.MoveDatabase {
	return policy.MoveDatabase{Name: w.name, SourceEnv: "SOURCE", TargetEnv: "TARGET", Roles: []string{w.name}}
}

// connections are those of the mover.
func (w *world) connections() map[string]string {
	m := map[string]string{}
	for _, side := range []string{"source", "target"} {
		m[strings.ToUpper(side)] = w.s.url(side, "mover:pass%2Fword", w.name)
	}
	return m
}

// write writes as an application does: in one transaction, which has to be
// acknowledged.
func (w *world) write(side string, n int) error {
	ctx := context.Background()
	c := w.apps[side]
	if c == nil || c.IsClosed() {
		var err error
		if c, err = pgx.Connect(ctx, w.s.url(side, w.name, w.name)); err != nil {
			return err
		}
		w.apps[side] = c
	}
	_, err := c.Exec(ctx, fmt.Sprintf("SET LOCAL statement_timeout = '400ms'; INSERT INTO readings (device, value) SELECT 'new', random() FROM generate_series(1, %d)", n))
	if err != nil && c.IsClosed() {
		// It was cut while nobody used it: an application tries once more.
		if c, err = pgx.Connect(ctx, w.s.url(side, w.name, w.name)); err != nil {
			return err
		}
		w.apps[side] = c
		_, err = c.Exec(ctx, fmt.Sprintf("SET LOCAL statement_timeout = '400ms'; INSERT INTO readings (device, value) SELECT 'new', random() FROM generate_series(1, %d)", n))
	}
	return err
}

var errCut = errors.New("the cable is cut")

// cable is the mover's way to the servers. It can be cut at the nth message.
type cable struct {
	mu    sync.Mutex
	conns []net.Conn
	cut   bool
	left  int  // messages until it is cut, if at is set
	at    bool // it is to be cut
	sent  bool // the last message still gets out
}

func (c *cable) dial(ctx context.Context, network, address string) (net.Conn, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cut {
		return nil, errCut
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	c.conns = append(c.conns, conn)
	return &strand{conn, c}, nil
}

// sever cuts all that is connected, as the end of the process would.
func (c *cable) sever() {
	c.cut = true
	for _, conn := range c.conns {
		_ = conn.Close()
	}
	c.conns = nil
}

type strand struct {
	net.Conn
	c *cable
}

func (s *strand) Write(b []byte) (int, error) {
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	if s.c.cut {
		return 0, errCut
	}
	if s.c.at {
		if s.c.left--; s.c.left <= 0 {
			if s.c.sent {
				_, _ = s.Conn.Write(b)
			}
			s.c.sever()
			return 0, errCut
		}
	}
	return s.Conn.Write(b)
}
