// Package store is the cargo's way to PostgreSQL: a pool of connections and a rule for when to try again. In: work on a
// connection. Out: its result, once, although the server paused, went read-only or gave its place to another one
// meanwhile. It never retries what may not be done twice: that all work is idempotent is the callers' promise.
package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Limits bound one piece of work.
type Limits struct {
	Attempt  time.Duration // one try, once it has a connection
	Patience time.Duration // all tries together
}

// Short is for the reads and writes of one request.
func Short() Limits { return Limits{Attempt: 3 * time.Second, Patience: 10 * time.Second} }

// Store is one database.
type Store struct {
	pool    *pgxpool.Pool
	retries atomic.Int64

	mu    sync.Mutex
	reset time.Time // when the pool was last emptied
	seen  time.Time // when the server last answered the watch
	why   error     // what the watch last met
}

// Open makes a pool of so many connections; it connects when there is work.
func Open(ctx context.Context, url string, connections int) (*Store, error) {
	if url == "" {
		return nil, errors.New("DATABASE_URL: is not set")
	}
	c, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("DATABASE_URL: %w", err)
	}
	c.MaxConns = int32(connections)
	c.ConnConfig.ConnectTimeout = 2 * time.Second
	c.PingTimeout = 2 * time.Second
	pool, err := pgxpool.NewWithConfig(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	return &Store{pool: pool, why: errors.New("database: not reached yet")}, nil
}

// Close ends all connections.
func (s *Store) Close() { s.pool.Close() }

// Retries is how often work was tried again.
func (s *Store) Retries() int64 { return s.retries.Load() }

// Do has work done, again and again while what stops it is transient. Work is idempotent, and returns the error of the
// connection as it is or wrapped.
func (s *Store) Do(ctx context.Context, limits Limits, work func(context.Context, *pgx.Conn) error) error {
	patience, cancel := context.WithTimeoutCause(ctx, limits.Patience, fmt.Errorf("no answer in %s", limits.Patience))
	defer cancel()
	for wait := 10 * time.Millisecond; ; wait = min(2*wait, 320*time.Millisecond) {
		err := s.attempt(patience, limits.Attempt, work)
		if err == nil || !Transient(err) || ctx.Err() != nil {
			return err
		}
		if moved(err) {
			s.empty()
		}
		// Half of the wait is left to chance, so that those who were stopped together do not come back together.
		select {
		case <-patience.Done():
			return fmt.Errorf("database: %w: %w", context.Cause(patience), err)
		case <-time.After(wait/2 + rand.N(wait/2)):
		}
		s.retries.Add(1)
	}
}

func (s *Store) attempt(ctx context.Context, limit time.Duration, work func(context.Context, *pgx.Conn) error) error {
	c, err := s.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer c.Release()
	// The clock of an attempt starts here: a wait for a connection of ours says nothing of the server.
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return work(ctx, c.Conn())
}

// empty closes the idle connections, and the others once they are given back: behind the same address there may be another
// server by now. Many pieces of work meet the same end of a server at once; the first empties the pool for all.
func (s *Store) empty() {
	s.mu.Lock()
	again := time.Since(s.reset) > 200*time.Millisecond
	if again {
		s.reset = time.Now()
	}
	s.mu.Unlock()
	if again {
		s.pool.Reset()
	}
}

// Watch asks the server each second whether it answers, until ctx ends.
func (s *Store) Watch(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		err := s.attempt(ctx, time.Second, func(ctx context.Context, c *pgx.Conn) error { return c.Ping(ctx) })
		s.mu.Lock()
		if s.why = err; err == nil {
			s.seen = time.Now()
		}
		s.mu.Unlock()
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Reached is nil if the server has answered the watch lately. Lately is longer than work is retried: a service whose requests
// only wait for a pause to end would make failures of them by leaving its load balancer.
func (s *Store) Reached() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.seen.IsZero() && time.Since(s.seen) < 15*time.Second {
		return nil
	}
	return s.why
}

// Transient tells whether the same work may well succeed a moment later.
func Transient(err error) bool {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		switch pg.Code {
		case "40001", // serialization failure
			"40P01", // deadlock
			"55P03", // a lock was not to be had
			"57014", // cancelled by somebody else
			"53300": // too many connections
			return true
		}
		return fenced(pg.Code)
	}
	return connection(err)
}

// moved tells whether the server behind the connection is gone, or is no longer the one to write to.
func moved(err error) bool {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return fenced(pg.Code)
	}
	return connection(err)
}

// fenced are the answers of a server that is ending, starting, or being kept from writes while another takes its place.
func fenced(code string) bool {
	switch code {
	case "25006", // read-only
		"57P01", "57P02", "57P03", // ended by an administrator, crashed, cannot connect now
		"28000",          // the role may not log in
		"42501",          // the role may not write
		"55000",          // the database takes no connections
		"08000", "08003", // connection exception
		"08006", "08001", "08004", "08P01":
		return true
	}
	return false
}

func connection(err error) bool {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, context.DeadlineExceeded) || pgconn.SafeToRetry(err) || pgconn.Timeout(err) {
		return true
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return true
	}
	_, ok := errors.AsType[net.Error](err)
	return ok
}
