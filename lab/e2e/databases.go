package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tranship/tranship/lab/netns"
)

// databases moves the database alone, under load: over, back within the window,
// and over again for good.
func (s *stage) databases(ctx context.Context, r *report, p Pace, o options) error {
	r.section("PostgreSQL by logical replication, under load")
	if err := s.reset(ctx); err != nil {
		return err
	}
	if err := s.settle(ctx, o.estate, nil); err != nil {
		return err
	}
	load, err := s.drive(ctx, "database", 1000, loadRates{write: 250, last: 40, page: 5, long: 0.1}.args()...)
	if err != nil {
		return err
	}
	defer func() { _ = load.cmd.Cancel() }()
	p.Window = 40 * time.Second
	v, err := s.prepare(ctx, "database", p, true)
	if err != nil {
		return err
	}
	var said bytes.Buffer
	mover := v.mover(ctx, "--unit", databaseUnit)
	mover.Stdout, mover.Stderr = &said, &said
	if err := mover.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- mover.Wait() }()
	if err := v.is(ctx, databaseUnit, "soaking"); err != nil {
		_ = mover.Cancel()
		return fmt.Errorf("%w\n%s", err, tail(said.String(), 8))
	}
	time.Sleep(10 * time.Second)
	if out, err := v.run(ctx, v.tranship, "rollback", databaseUnit, "--plan", v.file("plan.json")); err != nil {
		return fmt.Errorf("%w\n%s", err, tail(out, 8))
	}
	<-ended
	back, err := load.verify(ctx)
	if err != nil {
		return err
	}
	r.zero("acknowledged records missing or double after the way back", back.Readings.Missing+back.Readings.Duplicates)
	status, text, err := v.move(ctx, "--unit", databaseUnit, "--again", "--approve", "all")
	if err != nil {
		return err
	}
	if status != 0 {
		r.note("the second move ended with status %d: %s", status, tail(text, 8))
	}
	stats, failures, err := load.end()
	if err != nil {
		return err
	}
	got, err := load.verify(ctx)
	if err != nil {
		return err
	}
	moved := 0
	if status == 0 {
		moved = 1
	}
	r.all("moves that ended at the target", moved, 1)
	r.zero("failed requests", int64(stats.Failed))
	for i, f := range failures {
		if i < 3 {
			r.note("failure: %s %s %s: %s", f.At.Format(time.TimeOnly), f.Class, f.Outcome, f.Error)
		}
	}
	r.zero("acknowledged records missing or double", got.Readings.Missing+got.Readings.Duplicates)
	r.zero("consumers together, gaps, duplicates", got.Notifier.Together+got.Notifier.Gaps+got.Notifier.Duplicates)
	journal, err := v.run(ctx, v.tranship, "journal", "--plan", v.file("plan.json"), "--unit", databaseUnit)
	if err != nil {
		return err
	}
	for line := range strings.Lines(journal) {
		if strings.Contains(line, " cutover ") || strings.Contains(line, " copy ") {
			r.note("%s", strings.TrimSpace(line))
		}
	}
	cuts, err := v.cutovers(ctx, databaseUnit)
	if err != nil {
		return err
	}
	for i, c := range cuts {
		r.most(fmt.Sprintf("writes stood still, cutover %d of %d", i+1, len(cuts)), c.span.Seconds(), "s", 2)
	}
	return v.checkJournal(ctx, r)
}

// databaseUnit is the estate's.
const databaseUnit = "database/telemetry"

// is waits until a unit is in a state.
func (v *voyage) is(ctx context.Context, id, state string) error {
	return until(ctx, id+" is "+state, 4*time.Minute, func(ctx context.Context) (bool, error) {
		u, err := v.unit(ctx, id)
		if err != nil {
			return false, err
		}
		return u.State == state, fmt.Errorf("it is %s: %s", u.State, u.Why)
	})
}

// fresh makes both databases as they were before anything: the application's,
// empty, on both servers; no replication.
func (s *stage) fresh(ctx context.Context) error {
	for _, side := range []struct{ namespace, dsn string }{
		{s.facts.Namespaces.Old, s.facts.Postgres.Source.MoverDSN}, {s.facts.Namespaces.LAN, s.facts.Postgres.Target.MoverDSN},
	} {
		if err := s.dropAll(ctx, side.namespace, side.dsn); err != nil {
			return fmt.Errorf("make the databases anew: %w", err)
		}
	}
	return nil
}

func (s *stage) dropAll(ctx context.Context, namespace, dsn string) error {
	inside, err := dialed(ctx, namespace, dsn, "telemetry")
	if err == nil {
		err = each(ctx, inside, "SELECT format('ALTER SUBSCRIPTION %1$I DISABLE; ALTER SUBSCRIPTION %1$I SET (slot_name = NONE); DROP SUBSCRIPTION %1$I', subname)"+
			" FROM pg_subscription WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())")
		_ = inside.Close(ctx)
		if err != nil {
			return err
		}
	}
	c, err := dialed(ctx, namespace, dsn, "postgres")
	if err != nil {
		return err
	}
	defer c.Close(ctx)
	for _, query := range []string{
		"SELECT format('SELECT pg_terminate_backend(%s)', active_pid) FROM pg_replication_slots WHERE active_pid IS NOT NULL",
		"SELECT format('SELECT pg_drop_replication_slot(%L)', slot_name) FROM pg_replication_slots",
	} {
		if err := until(ctx, "slots are free", 10*time.Second, func(ctx context.Context) (bool, error) {
			err := each(ctx, c, query)
			return err == nil, err
		}); err != nil {
			return err
		}
	}
	for _, statement := range []string{
		"DROP DATABASE IF EXISTS telemetry WITH (FORCE)", "CREATE DATABASE telemetry OWNER telemetry", "ALTER ROLE telemetry LOGIN",
	} {
		if _, err := c.Exec(ctx, statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	return nil
}

// each runs the statements that a query makes, one by one.
func each(ctx context.Context, c *pgx.Conn, query string) error {
	rows, err := c.Query(ctx, query)
	if err != nil {
		return err
	}
	statements, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	for _, list := range statements {
		for one := range strings.SplitSeq(list, "; ") {
			if _, err := c.Exec(ctx, one); err != nil {
				return fmt.Errorf("%s: %w", one, err)
			}
		}
	}
	return nil
}

// dialed connects to a database of a server from inside of a namespace.
func dialed(ctx context.Context, namespace, dsn, database string) (*pgx.Conn, error) {
	u, err := url.Parse(dsn)
	if err != nil {
		return nil, err
	}
	u.Path = "/" + database
	config, err := pgx.ParseConfig(u.String())
	if err != nil {
		return nil, err
	}
	config.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		return netns.Dial(ctx, namespace, network, address)
	}
	return pgx.ConnectConfig(ctx, config)
}
