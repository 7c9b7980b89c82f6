package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

func TestWhatIsTriedAgain(t *testing.T) {
	for name, test := range map[string]struct {
		err              error
		transient, moved bool
	}{
		"serialization":       {&pgconn.PgError{Code: "40001"}, true, false},
		"deadlock":            {&pgconn.PgError{Code: "40P01"}, true, false},
		"read-only":           {fmt.Errorf("write: %w", &pgconn.PgError{Code: "25006"}), true, true},
		"ended by an admin":   {&pgconn.PgError{Code: "57P01"}, true, true},
		"starting":            {&pgconn.PgError{Code: "57P03"}, true, true},
		"role may not log in": {&pgconn.PgError{Code: "28000"}, true, true},
		"cut":                 {io.ErrUnexpectedEOF, true, true},
		"reset":               {&net.OpError{Op: "read", Err: syscall.ECONNRESET}, true, true},
		"no answer in a try":  {context.DeadlineExceeded, true, true},
		"wrong password":      {&pgconn.PgError{Code: "28P01"}, false, false},
		"no such table":       {&pgconn.PgError{Code: "42P01"}, false, false},
		"unique":              {&pgconn.PgError{Code: "23505"}, false, false},
		"no rows":             {pgx.ErrNoRows, false, false},
		"client has gone":     {context.Canceled, false, false},
		"other":               {errors.New("other"), false, false},
	} {
		if got := Transient(test.err); got != test.transient {
			t.Errorf("%s: transient = %v, want %v", name, got, test.transient)
		}
		if got := moved(test.err); got != test.moved {
			t.Errorf("%s: moved = %v, want %v", name, got, test.moved)
		}
	}
}

func TestPatienceEnds(t *testing.T) {
	// Nobody listens there: port 1 of a loopback address.
	s, err := Open(t.Context(), "postgres://x@127.0.0.1:1/x?sslmode=disable", 1)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	begun := time.Now()
	err = s.Do(t.Context(), Limits{Attempt: time.Second, Patience: 300 * time.Millisecond}, func(context.Context, *pgx.Conn) error { return nil })
	if err == nil || s.Retries() < 2 {
		t.Errorf("err = %v after %d retries, want one after some", err, s.Retries())
	}
	if took := time.Since(begun); took < 250*time.Millisecond || took > 5*time.Second {
		t.Errorf("gave up after %v, want about 300ms", took)
	}
	if s.Reached() == nil {
		t.Error("a database that never answered counts as reached")
	}
}
