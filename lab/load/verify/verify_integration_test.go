//go:build integration

package verify

import (
	"context"
	"io"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tranship/tranship/lab/cargo/ingest"
	"github.com/tranship/tranship/lab/cargo/notifier"
	"github.com/tranship/tranship/lab/cargo/pgtest"
	"github.com/tranship/tranship/lab/cargo/reading"
	"github.com/tranship/tranship/lab/cargo/rollup"
	"github.com/tranship/tranship/lab/cargo/schema"
	"github.com/tranship/tranship/lab/cargo/store"
	"github.com/tranship/tranship/lab/load/drive"
)

// estate is a database with the cargo's own writers.
type estate struct {
	t      *testing.T
	server *pgtest.Server
	store  *store.Store
	conn   *pgx.Conn
	log    *slog.Logger
	acked  map[string]int64
}

func newEstate(t *testing.T) *estate {
	t.Helper()
	e := &estate{t: t, server: pgtest.Start(t), log: slog.New(slog.NewTextHandler(io.Discard, nil)), acked: map[string]int64{}}
	var err error
	if e.store, err = store.Open(t.Context(), e.server.URL(), 16); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.store.Close)
	if err := schema.Create(t.Context(), e.store); err != nil {
		t.Fatal(err)
	}
	if e.conn, err = pgx.Connect(t.Context(), e.server.URL()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.conn.Close(context.Background()) })
	return e
}

// write has devices write side by side, so that events commit in another order than that of their ids.
func (e *estate) write(each int64) {
	e.t.Helper()
	in := ingest.New(e.store, "mesos", e.log)
	var all sync.WaitGroup
	for _, device := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
		from := e.acked[device]
		e.acked[device] = from + each
		all.Go(func() {
			for seq := from + 1; seq <= from+each; seq++ {
				r := reading.Reading{Device: device, Seq: seq, At: time.Now(), Value: drive.Value(device, seq)}
				// Each is sent twice, as after an answer that was lost.
				for range 2 {
					if err := in.Write(e.t.Context(), []reading.Reading{r}); err != nil {
						e.t.Error(err)
					}
				}
			}
		})
	}
	all.Wait()
}

// consume runs a notifier until the function that is returned is called.
func (e *estate) consume(world string) (stop func()) {
	ctx, cancel := context.WithCancel(e.t.Context())
	done := make(chan error, 1)
	go func() {
		done <- notifier.New(e.store, e.log, notifier.Consumer{World: world, Poll: time.Millisecond}).Run(ctx)
	}()
	return func() {
		cancel()
		if err := <-done; err != nil {
			e.t.Error(err)
		}
	}
}

func (e *estate) read() Report {
	e.t.Helper()
	r, err := Read(e.t.Context(), e.conn, e.acked, time.Unix(0, 0), 5*time.Second)
	if err != nil {
		e.t.Fatal(err)
	}
	return r
}

func (e *estate) run(world, window string, hold time.Duration) {
	e.t.Helper()
	w, err := rollup.ParseWindow(window)
	if err != nil {
		e.t.Fatal(err)
	}
	if _, _, err := rollup.Run(e.t.Context(), e.store, w, rollup.Runner{World: world, Hold: hold}); err != nil {
		e.t.Error(err)
	}
}

const (
	nine = "2026-01-01T09:00:00Z/2026-01-01T09:01:00Z"
	next = "2026-01-01T09:01:00Z/2026-01-01T09:02:00Z"
	last = "2026-01-01T09:03:00Z/2026-01-01T09:04:00Z"
)

func TestAMoveThatKeepsItsPromisesIsGood(t *testing.T) {
	e := newEstate(t)
	stop := e.consume("mesos")
	e.write(40)
	e.run("mesos", nine, 0)
	stop()
	e.write(10)
	stop = e.consume("kubernetes")
	e.run("kubernetes", next, 0)
	e.run("kubernetes", last, 0)
	e.write(40)
	r := e.read()
	stop()
	if !r.Good || r.Readings.Stored != 8*90 || r.Notifier.Sent != 8*90 || r.Notifier.Pending != 0 || r.Rollup.Runs != 3 || r.Rollup.Skipped != 1 {
		t.Errorf("report = %+v, want good with 720 stored and sent, 3 runs and a window skipped", r)
	}
	if r.Notifier.Worlds["mesos"] != 320 || r.Notifier.Worlds["kubernetes"] != 400 || r.Rollup.Worlds["kubernetes"] != 2 {
		t.Errorf("worlds: notifier %v, rollup %v", r.Notifier.Worlds, r.Rollup.Worlds)
	}
}

func TestTwoNotifiersAtOnceAreSeen(t *testing.T) {
	e := newEstate(t)
	one, other := e.consume("mesos"), e.consume("kubernetes")
	e.write(20)
	r := e.read()
	one()
	other()
	if r.Good || r.Notifier.Together != 1 || r.Notifier.Duplicates == 0 {
		t.Errorf("notifier = %+v, want two alive at once, and what both have sent", r.Notifier)
	}
}

func TestTwoRunsOfOneWindowAreSeen(t *testing.T) {
	e := newEstate(t)
	e.run("mesos", nine, 0)
	e.run("kubernetes", nine, 0)
	if r := e.read(); r.Good || r.Rollup.Double != 1 || r.Rollup.Overlapping != 0 {
		t.Errorf("rollup = %+v, want one run too many and none at the same time", r.Rollup)
	}
}

func TestTwoRunsAtOnceAreSeen(t *testing.T) {
	e := newEstate(t)
	var both sync.WaitGroup
	both.Go(func() { e.run("mesos", nine, time.Second) })
	both.Go(func() { e.run("kubernetes", next, time.Second) })
	both.Wait()
	if r := e.read(); r.Good || r.Rollup.Double != 0 || r.Rollup.Overlapping != 1 {
		t.Errorf("rollup = %+v, want a pair at the same time and no window twice", r.Rollup)
	}
}

func TestEachLossIsCountedAsWhatItIs(t *testing.T) {
	e := newEstate(t)
	stop := e.consume("mesos")
	e.write(10)
	if r := e.read(); !r.Good {
		t.Fatalf("before anything is broken: %+v", r)
	}
	stop()
	for name, test := range map[string]struct {
		sql  string
		want func(Report) int64
	}{
		"missing":    {`DELETE FROM readings WHERE device = 'a' AND seq = 3`, func(r Report) int64 { return r.Readings.Missing }},
		"altered":    {`UPDATE readings SET value = value + 1 WHERE device = 'b' AND seq = 3`, func(r Report) int64 { return r.Readings.Altered }},
		"duplicate":  {`ALTER TABLE readings DROP CONSTRAINT readings_pkey; INSERT INTO readings SELECT * FROM readings WHERE device = 'c' AND seq = 3`, func(r Report) int64 { return r.Readings.Duplicates }},
		"no event":   {`DELETE FROM events WHERE device = 'd' AND seq = 3`, func(r Report) int64 { return r.Readings.NoEvent }},
		"two events": {`INSERT INTO events (device, seq) VALUES ('e', 3)`, func(r Report) int64 { return r.Readings.TwoEvents }},
		"gap":        {`DELETE FROM notifications WHERE event_id = 5`, func(r Report) int64 { return r.Notifier.Gaps }},
		"reordered":  {`UPDATE notifications SET nth = CASE nth WHEN 7 THEN 8 ELSE 7 END WHERE nth IN (7, 8)`, func(r Report) int64 { return r.Notifier.Reordered }},
	} {
		t.Run(name, func(t *testing.T) {
			// Each breaks the tables inside of a transaction that the reader is in too, and that is taken back.
			if _, err := e.conn.Exec(t.Context(), "BEGIN"); err != nil {
				t.Fatal(err)
			}
			defer func() {
				if _, err := e.conn.Exec(context.WithoutCancel(t.Context()), "ROLLBACK"); err != nil {
					t.Error(err)
				}
			}()
			if _, err := e.conn.Exec(t.Context(), test.sql); err != nil {
				t.Fatal(err)
			}
			r, err := Read(t.Context(), e.conn, e.acked, time.Unix(0, 0), 0)
			if err != nil {
				t.Fatal(err)
			}
			if got := test.want(r); got != 1 || r.Good {
				t.Errorf("%d counted, good %v; want 1, not good: %+v", got, r.Good, r)
			}
		})
	}
}
