// Package pgtest starts a PostgreSQL of its own for tests. In: Debian's programs. Out: a server on 127.0.0.1 that can be
// paused, ended, and put behind an address that then leads to another one. It never touches a server that it did not start.
package pgtest

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

const programs = "/usr/lib/postgresql/15/bin"

// Server is one PostgreSQL.
type Server struct {
	Address string
	cmd     *exec.Cmd
	done    chan struct{}
}

// Start makes a new cluster of databases and waits until it answers; it ends with the test.
func Start(t testing.TB) *Server {
	t.Helper()
	if _, err := os.Stat(programs + "/postgres"); err != nil {
		t.Skipf("PostgreSQL 15 of Debian is not there: %v", err)
	}
	// Not t.TempDir: user postgres has to be able to get in, and files of another user have to be removed.
	dir, err := os.MkdirTemp("", "cargo-postgres-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	attr := &syscall.SysProcAttr{Setpgid: true}
	if os.Getuid() == 0 {
		attr.Credential = postgresUser(t)
		if err := os.Chown(dir, int(attr.Credential.Uid), int(attr.Credential.Gid)); err != nil {
			t.Fatal(err)
		}
	}
	data := filepath.Join(dir, "data")
	initdb := exec.Command(programs+"/initdb", "-D", data, "-U", "telemetry", "-A", "trust", "-E", "UTF8", "--locale=C", "-N")
	initdb.SysProcAttr, initdb.Dir = attr, dir
	if out, err := initdb.CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v\n%s", err, out)
	}
	port := freePort(t)
	s := &Server{Address: "127.0.0.1:" + strconv.Itoa(port), done: make(chan struct{})}
	s.cmd = exec.Command(programs+"/postgres", "-D", data, "-p", strconv.Itoa(port), "-h", "127.0.0.1", "-k", dir,
		"-c", "max_connections=200", "-c", "shared_buffers=256MB", "-c", "wal_level=logical")
	s.cmd.SysProcAttr, s.cmd.Dir = attr, dir
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	s.cmd.Stdout, s.cmd.Stderr = log, log
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = s.cmd.Wait()
		close(s.done)
	}()
	t.Cleanup(func() {
		s.signal(syscall.SIGCONT)
		s.Stop()
	})
	s.wait(t, log.Name())
	s.exec(t, "postgres", "CREATE DATABASE telemetry")
	return s
}

// URL is the database telemetry of the server, or of one that is reached through address.
func (s *Server) URL() string { return URL(s.Address) }

// URL is the database telemetry behind an address.
func URL(address string) string {
	return "postgres://telemetry@" + address + "/telemetry?sslmode=disable"
}

// Exec runs SQL in the database telemetry.
func (s *Server) Exec(t testing.TB, sql string) {
	t.Helper()
	s.exec(t, "telemetry", sql)
}

func (s *Server) exec(t testing.TB, database, sql string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	c, err := pgx.Connect(ctx, "postgres://telemetry@"+s.Address+"/"+database+"?sslmode=disable")
	if err == nil {
		defer func() { _ = c.Close(ctx) }()
		_, err = c.Exec(ctx, sql)
	}
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// Pause stops every process of the server where it is; Resume has them go on.
func (s *Server) Pause() { s.signal(syscall.SIGSTOP) }

// Resume ends a pause.
func (s *Server) Resume() { s.signal(syscall.SIGCONT) }

// Stop ends the server at once, cutting all connections.
func (s *Server) Stop() {
	_ = s.cmd.Process.Signal(syscall.SIGINT) // fast shutdown
	select {
	case <-s.done:
	case <-time.After(20 * time.Second):
		s.signal(syscall.SIGKILL)
		<-s.done
	}
}

// signal reaches the postmaster's group and its backends, each of which has a group of its own.
func (s *Server) signal(sig syscall.Signal) {
	pid := s.cmd.Process.Pid
	children, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	_ = syscall.Kill(pid, sig)
	for text := range strings.FieldsSeq(string(children)) {
		if child, err := strconv.Atoi(text); err == nil {
			_ = syscall.Kill(child, sig)
		}
	}
}

func (s *Server) wait(t testing.TB, log string) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for time.Now().Before(deadline) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		c, err := pgx.Connect(ctx, "postgres://telemetry@"+s.Address+"/postgres?sslmode=disable")
		if err == nil {
			_ = c.Close(ctx)
			cancel()
			return
		}
		cancel()
		select {
		case <-s.done:
			text, _ := os.ReadFile(log)
			t.Fatalf("postgres ended:\n%s", text)
		case <-time.After(50 * time.Millisecond):
		}
	}
	t.Fatal("postgres does not answer within 30 s")
}

func postgresUser(t testing.TB) *syscall.Credential {
	t.Helper()
	u, err := user.Lookup("postgres")
	if err != nil {
		t.Skipf("PostgreSQL refuses root, and %v", err)
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port
}
