// Package notifier sends what happened, in the order in which it happened. In: the table of events. Out: a row for each
// event sent. It never asks whether another notifier is alive: that there is one is the scheduler's promise, and what two
// of them send has to be seen, not hidden.
package notifier

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tranship/tranship/lab/cargo/store"
)

// Consumer is who consumes: what its rows say.
type Consumer struct {
	World, Host string
	// Poll is the pause when there is nothing to send, default 200 ms.
	Poll time.Duration
}

// Notifier sends the events of one database.
type Notifier struct {
	store    *store.Store
	log      *slog.Logger
	consumer Consumer
	id       string
	position int64 // the last event that is behind us
	nth      int64 // how many we have sent
	hole     hole
}

// New makes a notifier with an identity of its own; a process that is started again is another consumer.
func New(s *store.Store, log *slog.Logger, c Consumer) *Notifier {
	if c.Poll <= 0 {
		c.Poll = 200 * time.Millisecond
	}
	id := rand.Text()
	return &Notifier{store: s, log: log.With(slog.String("consumer", id)), consumer: c, id: id}
}

const (
	name    = "notifier"
	portion = 500
)

// Run consumes until ctx ends; then it ends what it has begun and says that it has stopped.
func (n *Notifier) Run(ctx context.Context) error {
	if err := n.begin(ctx); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	// What is told at the end is told although ctx has ended.
	ending := context.WithoutCancel(ctx)
	beating, stop := context.WithCancel(ending)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		n.beat(beating)
	}()
	for ctx.Err() == nil {
		// A portion that is begun is ended: it is one statement, and the store gives up by itself.
		sent, err := n.step(ending)
		wait := time.Duration(0)
		switch {
		case err != nil:
			n.log.Error("not sent", slog.Int64("position", n.position), slog.Any("err", err))
			wait = time.Second
		case sent < portion:
			wait = n.consumer.Poll
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
	stop()
	<-ended
	last, cancel := context.WithTimeout(ending, 5*time.Second)
	defer cancel()
	if err := n.exec(last, `UPDATE consumers SET until = clock_timestamp(), stopped = true WHERE id = $1`, n.id); err != nil {
		return fmt.Errorf("say that consumer %s has stopped: %w", n.id, err)
	}
	n.log.Info("stopped", slog.Int64("position", n.position), slog.Int64("sent", n.nth))
	return nil
}

// begin says who is alive and finds where to go on. It waits for a database as long as there is none.
func (n *Notifier) begin(ctx context.Context) error {
	for {
		err := n.store.Do(ctx, store.Short(), func(ctx context.Context, c *pgx.Conn) error {
			_, err := c.Exec(ctx, `INSERT INTO consumers (id, world, host) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
				n.id, n.consumer.World, n.consumer.Host)
			if err != nil {
				return err
			}
			err = c.QueryRow(ctx, `SELECT position FROM offsets WHERE name = $1`, name).Scan(&n.position)
			if errors.Is(err, pgx.ErrNoRows) {
				n.position = 0
				return nil
			}
			return err
		})
		if err == nil {
			n.log.Info("consuming", slog.Int64("position", n.position))
			return nil
		}
		n.log.Error("not begun", slog.Any("err", err))
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Second):
		}
	}
}

// step sends the next events, if they are all there. Sending and moving the offset are one statement, so that a process
// that is killed has done both or neither; done twice by one consumer it is done once.
func (n *Notifier) step(ctx context.Context) (int, error) {
	var seen []int64
	var oldest uint64
	err := n.store.Do(ctx, store.Short(), func(ctx context.Context, c *pgx.Conn) error {
		// One statement, and so one snapshot for both.
		return c.QueryRow(ctx, `
			SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint,
			       ARRAY(SELECT id FROM events WHERE id > $1 ORDER BY id LIMIT $2)`, n.position, portion).Scan(&oldest, &seen)
	})
	if err != nil {
		return 0, fmt.Errorf("read events: %w", err)
	}
	ready := n.hole.before(seen, n.position, oldest)
	if n.hole.unasked() {
		err := n.store.Do(ctx, store.Short(), func(ctx context.Context, c *pgx.Conn) error {
			return c.QueryRow(ctx, `SELECT pg_current_xact_id()::text::bigint`).Scan(&n.hole.until)
		})
		if err != nil {
			return 0, fmt.Errorf("ask for a transaction's number: %w", err)
		}
	}
	if len(ready) == 0 {
		return 0, nil
	}
	to := ready[len(ready)-1]
	err = n.exec(ctx, `
		WITH sent AS (
			INSERT INTO notifications (event_id, consumer, nth, world)
			SELECT id, $2, $3 + n, $4 FROM unnest($1::bigint[]) WITH ORDINALITY AS e (id, n)
			ON CONFLICT DO NOTHING
		), alive AS (
			UPDATE consumers SET until = clock_timestamp() WHERE id = $2
		)
		INSERT INTO offsets (name, position) VALUES ($5, $6)
		ON CONFLICT (name) DO UPDATE SET position = greatest(offsets.position, excluded.position)`,
		ready, n.id, n.nth, n.consumer.World, name, to)
	if err != nil {
		return 0, fmt.Errorf("send events to %d: %w", to, err)
	}
	n.position, n.nth = to, n.nth+int64(len(ready))
	return len(ready), nil
}

// beat says each second that the consumer is alive.
func (n *Notifier) beat(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			err := n.exec(ctx, `UPDATE consumers SET until = clock_timestamp() WHERE id = $1`, n.id)
			if err != nil && ctx.Err() == nil {
				n.log.Error("not said to be alive", slog.Any("err", err))
			}
		}
	}
}

func (n *Notifier) exec(ctx context.Context, sql string, args ...any) error {
	return n.store.Do(ctx, store.Short(), func(ctx context.Context, c *pgx.Conn) error {
		_, err := c.Exec(ctx, sql, args...)
		return err
	})
}
