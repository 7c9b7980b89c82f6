//go:build integration

package gateway_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tranship/tranship/lab/cargo/fault"
	"github.com/tranship/tranship/lab/cargo/gateway"
	"github.com/tranship/tranship/lab/cargo/ingest"
	"github.com/tranship/tranship/lab/cargo/pgtest"
	"github.com/tranship/tranship/lab/cargo/query"
	"github.com/tranship/tranship/lab/cargo/reading"
	"github.com/tranship/tranship/lab/cargo/schema"
	"github.com/tranship/tranship/lab/cargo/service"
	"github.com/tranship/tranship/lab/cargo/store"
)

// chain is gateway, ingest and query, joined as in an estate.
type chain struct {
	gateway, query string
	store          *store.Store
}

func start(t *testing.T, database string) chain {
	t.Helper()
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	s, err := store.Open(t.Context(), database, 8)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	if err := schema.Create(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	serve := func(name string, add func(*service.Server)) string {
		server := service.New(service.Config{Name: name, World: service.None, Version: "1"}, log, fault.NewSwitch(nil), s.Reached)
		add(server)
		h := httptest.NewServer(server.Handler())
		t.Cleanup(h.Close)
		return h.URL
	}
	var c chain
	to := serve("ingest", func(v *service.Server) { v.Handle("POST /v1/readings", ingest.New(s, service.None, log)) })
	c.gateway = serve("gateway", func(v *service.Server) { v.Handle("POST /v1/readings", gateway.New(to, log)) })
	c.query = serve("query", func(v *service.Server) { query.New(s, log, query.Options{}).Routes(v.Handle) })
	c.store = s
	return c
}

// load has devices send one reading after another until the context ends, and gives the last acknowledged one of each.
func (c chain) load(ctx context.Context, devices int) (acknowledged []int64, failed []error) {
	acknowledged = make([]int64, devices)
	var mu sync.Mutex
	var all sync.WaitGroup
	for d := range devices {
		all.Go(func() {
			for seq := int64(1); ctx.Err() == nil; seq++ {
				err := c.send(reading.Reading{Device: name(d), Seq: seq, At: time.Now(), Value: float64(seq)})
				if err != nil {
					mu.Lock()
					failed = append(failed, err)
					mu.Unlock()
					return
				}
				acknowledged[d] = seq
			}
		})
	}
	all.Wait()
	return acknowledged, failed
}

func name(d int) string { return fmt.Sprintf("dev-%03d", d) }

func (c chain) send(r reading.Reading) error {
	body, err := json.Marshal(r)
	if err != nil {
		return err
	}
	answer, err := http.Post(c.gateway+"/v1/readings", "application/json", bytes.NewReader(body))
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	if answer.StatusCode != http.StatusAccepted {
		return fmt.Errorf("status %d: %s", answer.StatusCode, text)
	}
	return nil
}

func check(t *testing.T, s *store.Store, acknowledged []int64) {
	t.Helper()
	total := int64(0)
	for d, want := range acknowledged {
		total += want
		var rows, distinct, events int64
		err := s.Do(t.Context(), store.Short(), func(ctx context.Context, c *pgx.Conn) error {
			return c.QueryRow(ctx, `SELECT count(*), count(DISTINCT seq), (SELECT count(*) FROM events WHERE device = $1 AND seq <= $2)
				FROM readings WHERE device = $1 AND seq <= $2`, name(d), want).Scan(&rows, &distinct, &events)
		})
		if err != nil {
			t.Fatal(err)
		}
		if rows != want || distinct != want || events != want {
			t.Errorf("device %s: %d acknowledged, but %d stored of which %d are distinct, and %d events", name(d), want, rows, distinct, events)
		}
	}
	if total == 0 {
		t.Error("nothing was acknowledged: the test has shown nothing")
	}
	t.Logf("%d readings acknowledged", total)
}

func TestPauseOfTheDatabaseFailsNothing(t *testing.T) {
	server := pgtest.Start(t)
	c := start(t, server.URL())
	ctx, cancel := context.WithTimeout(t.Context(), 9*time.Second)
	defer cancel()
	go func() {
		time.Sleep(2 * time.Second)
		server.Pause()
		time.Sleep(5 * time.Second)
		server.Resume()
	}()
	acknowledged, failed := c.load(ctx, 100)
	if len(failed) > 0 {
		t.Errorf("%d requests failed, first: %v", len(failed), failed[0])
	}
	check(t, c.store, acknowledged)
}

func TestCutConnectionsFailNothing(t *testing.T) {
	server := pgtest.Start(t)
	door := pgtest.NewDoor(t, server.Address)
	c := start(t, pgtest.URL(door.Address))
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	go func() {
		for range 20 {
			time.Sleep(200 * time.Millisecond)
			door.Turn(server.Address)
		}
	}()
	acknowledged, failed := c.load(ctx, 50)
	if len(failed) > 0 {
		t.Errorf("%d requests failed, first: %v", len(failed), failed[0])
	}
	check(t, c.store, acknowledged)
	if c.store.Retries() == 0 {
		t.Error("nothing was tried again: the connections were not cut under load")
	}
}

// The old server is kept from writes, what it has goes to the new one, then the address leads there: the order of a
// cutover by replication, with a copy in its place.
func TestCutoverToAnotherServerLosesNothing(t *testing.T) {
	from, to := pgtest.Start(t), pgtest.Start(t)
	door := pgtest.NewDoor(t, from.Address)
	c := start(t, pgtest.URL(door.Address))
	other, err := store.Open(t.Context(), to.URL(), 2)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if err := schema.Create(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Second)
	defer cancel()
	turned := make(chan struct{})
	go func() {
		defer close(turned)
		time.Sleep(2 * time.Second)
		from.Exec(t, "ALTER DATABASE telemetry SET default_transaction_read_only = on")
		from.Exec(t, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'telemetry' AND pid <> pg_backend_pid()")
		copyTables(t, from, to)
		door.Turn(to.Address)
	}()
	acknowledged, failed := c.load(ctx, 50)
	<-turned
	if len(failed) > 0 {
		t.Errorf("%d requests failed, first: %v", len(failed), failed[0])
	}
	check(t, other, acknowledged)
}

func copyTables(t *testing.T, from, to *pgtest.Server) {
	ctx := t.Context()
	source, err := pgx.Connect(ctx, from.URL())
	if err != nil {
		t.Error(err)
		return
	}
	defer source.Close(ctx)
	target, err := pgx.Connect(ctx, to.URL())
	if err != nil {
		t.Error(err)
		return
	}
	defer target.Close(ctx)
	for _, table := range []string{"readings", "events"} {
		var rows bytes.Buffer
		if _, err := source.PgConn().CopyTo(ctx, &rows, "COPY "+table+" TO STDOUT"); err != nil {
			t.Error(err)
			return
		}
		if _, err := target.PgConn().CopyFrom(ctx, &rows, "COPY "+table+" FROM STDIN"); err != nil {
			t.Error(err)
			return
		}
	}
	if _, err := target.Exec(ctx, "SELECT setval('events_id_seq', (SELECT max(id) FROM events))"); err != nil {
		t.Error(err)
	}
}
