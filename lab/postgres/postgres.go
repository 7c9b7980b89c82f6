// Package postgres runs a PostgreSQL server in a network namespace, ready for logical replication.
//
// Input: a folder, an address, roles. Output: a server with the database that the roles need. It runs as the user
// postgres in a mount namespace of its own, where its folder stands in a place which that user can reach, wherever the
// lab is. It never listens outside of its network namespace.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/tranship/tranship/lab/process"
	"github.com/tranship/tranship/lab/tool"
)

const (
	// home is where the server sees its folder: Debian's own place for it.
	home     = "/var/lib/postgresql"
	account  = "postgres"
	patience = 30 * time.Second
)

// Server is one PostgreSQL.
type Server struct {
	Name      string // of its process
	Table     process.Table
	Bin       string // folder of PostgreSQL's programs
	Dir       string
	Namespace string
	Address   string // without port, which is 5432
	Clients   string // network from which roles may connect
	Database  string
	Owner     Role // owns the database
	Mover     Role // may replicate, and everything else
}

// Role is a name and its password. Passwords of the lab are known: nobody outside of its namespaces reaches it.
type Role struct{ Name, Password string }

// DSN is the connection string of a role.
func (s Server) DSN(r Role) string {
	return fmt.Sprintf("postgres://%s:%s@%s/%s?sslmode=disable", r.Name, r.Password, net.JoinHostPort(s.Address, "5432"), s.Database)
}

// Sockets is the folder of the server's socket, by which root and postgres come in without a password.
func (s Server) Sockets() string { return filepath.Join(s.Dir, "socket") }

// Start makes the server's files where there are none, and runs it until it takes connections.
func (s Server) Start(ctx context.Context) error {
	if err := s.initialize(ctx); err != nil {
		return err
	}
	_, err := s.Table.Start(process.Spec{
		Name: s.Name, Host: s.Name, Namespace: s.Namespace, Dir: "/", Stop: syscall.SIGINT, // fast: transactions are rolled back
		Args: s.inside("exec setpriv --reuid=" + account + " --regid=" + account + " --init-groups " +
			filepath.Join(s.Bin, "postgres") + " -D " + home + "/data"),
	})
	if err != nil {
		return err
	}
	limit := time.Now().Add(patience)
	for {
		if _, err = tool.Run(ctx, filepath.Join(s.Bin, "pg_isready"), "-q", "-h", s.Sockets()); err == nil {
			break
		}
		if r, ok, findErr := s.Table.Find(s.Name); findErr != nil || !ok || !r.Alive() {
			return errors.Join(findErr, fmt.Errorf("%s ended:\n%s", s.Name, s.Table.Tail(s.Name)))
		}
		if time.Now().After(limit) {
			return fmt.Errorf("wait for %s: %w", s.Name, err)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(100 * time.Millisecond):
		}
	}
	return s.populate(ctx)
}

// inside is a shell in a mount namespace in which the server's folder is its home.
func (s Server) inside(script string) []string {
	return []string{"unshare", "--mount", "--propagation", "private", "--", "sh", "-ec", fmt.Sprintf("mount --bind %s %s\n%s", s.Dir, home, script)}
}

// initialize makes the files of an empty server. They count only once the last one is written.
func (s Server) initialize(ctx context.Context) error {
	data := filepath.Join(s.Dir, "data")
	if _, err := os.Stat(filepath.Join(s.Dir, "made")); err == nil {
		return nil
	}
	if err := os.RemoveAll(data); err != nil {
		return fmt.Errorf("make %s: %w", s.Name, err)
	}
	for _, dir := range []string{data, s.Sockets()} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("make %s: %w", s.Name, err)
		}
	}
	if err := own(s.Dir, data, s.Sockets()); err != nil {
		return err
	}
	line := s.inside("cd /; exec setpriv --reuid=" + account + " --regid=" + account + " --init-groups " +
		filepath.Join(s.Bin, "initdb") + " --pgdata=" + home + "/data --username=postgres --encoding=UTF8 --locale=C --auth=trust --no-sync --no-instructions")
	if _, err := tool.Run(ctx, line[0], line[1:]...); err != nil {
		return err
	}
	for name, text := range map[string]string{"postgresql.conf": s.settings(), "pg_hba.conf": s.access()} {
		if err := os.WriteFile(filepath.Join(data, name), []byte(text), 0o644); err != nil {
			return fmt.Errorf("make %s: %w", s.Name, err)
		}
	}
	if err := os.WriteFile(filepath.Join(s.Dir, "made"), nil, 0o644); err != nil {
		return fmt.Errorf("make %s: %w", s.Name, err)
	}
	return nil
}

// settings are postgresql.conf. The processes that are killed here are the database's and its clients', never the
// machine, so what the kernel has taken is safe without fsync.
func (s Server) settings() string {
	return fmt.Sprintf(`listen_addresses = '%s'
port = 5432
unix_socket_directories = '%s/socket'
wal_level = logical
max_wal_senders = 20
max_replication_slots = 20
max_logical_replication_workers = 10
max_connections = 200
password_encryption = scram-sha-256
fsync = off
full_page_writes = off
shared_buffers = 128MB
max_wal_size = 2GB
log_line_prefix = '%%m [%%p] %%u@%%d '
log_min_duration_statement = 1s
timezone = UTC
log_timezone = UTC
`, s.Address, home)
}

// access is pg_hba.conf: the application comes without a password, as services of the lab have no secrets, everybody
// else with one.
func (s Server) access() string {
	return fmt.Sprintf(`local all all trust
host %[1]s %[2]s %[3]s trust
host all all %[3]s scram-sha-256
host replication all %[3]s scram-sha-256
`, s.Database, s.Owner.Name, s.Clients)
}

// populate makes roles and database, where they are missing.
func (s Server) populate(ctx context.Context) error {
	sql := fmt.Sprintf(`SELECT 'CREATE ROLE %[1]s LOGIN PASSWORD ''%[2]s''' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '%[1]s') \gexec
SELECT 'CREATE ROLE %[3]s LOGIN SUPERUSER REPLICATION PASSWORD ''%[4]s''' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '%[3]s') \gexec
SELECT 'CREATE DATABASE %[5]s OWNER %[1]s' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '%[5]s') \gexec
`, s.Owner.Name, s.Owner.Password, s.Mover.Name, s.Mover.Password, s.Database)
	_, err := tool.Feed(ctx, sql, filepath.Join(s.Bin, "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", s.Sockets(), "-U", account, "-d", "postgres")
	return err
}

// own gives folders to the server's account.
func own(dirs ...string) error {
	u, err := user.Lookup(account)
	if err != nil {
		return fmt.Errorf("find the account that PostgreSQL runs as: %w", err)
	}
	uid, err := strconv.Atoi(u.Uid)
	if err != nil {
		return fmt.Errorf("read id of %s: %w", account, err)
	}
	gid, err := strconv.Atoi(u.Gid)
	if err != nil {
		return fmt.Errorf("read group of %s: %w", account, err)
	}
	for _, d := range dirs {
		if err := os.Chown(d, uid, gid); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("give %s to %s: %w", filepath.Base(d), account, err)
		}
	}
	return nil
}
