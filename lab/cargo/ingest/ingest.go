// Package ingest writes readings. In: readings. Out: 200 once they are committed, each with one event in the same
// transaction. It never writes a reading, or an event of one, twice.
package ingest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tranship/tranship/lab/cargo/reading"
	"github.com/tranship/tranship/lab/cargo/service"
	"github.com/tranship/tranship/lab/cargo/store"
)

// Ingest writes to one database.
type Ingest struct {
	store *store.Store
	world string
	log   *slog.Logger
}

// New makes an ingest that signs its rows with the world that it runs in.
func New(s *store.Store, world string, log *slog.Logger) *Ingest {
	return &Ingest{store: s, world: world, log: log}
}

// Stored is the answer to who sent readings.
type Stored struct {
	Stored int `json:"stored"` // all of the request: new ones and those that were there before
}

func (i *Ingest) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	if err != nil {
		service.Refuse(w, http.StatusBadRequest, err)
		return
	}
	batch, err := reading.Parse(body)
	if err != nil {
		service.Refuse(w, http.StatusBadRequest, err)
		return
	}
	if err := i.Write(r.Context(), batch); err != nil {
		if !errors.Is(err, context.Canceled) {
			i.log.Error("readings not written", slog.String("device", batch[0].Device), slog.Int64("seq", batch[0].Seq), slog.Any("err", err))
		}
		service.Refuse(w, http.StatusInternalServerError, errors.New("database: readings are not written"))
		return
	}
	service.Answer(w, http.StatusOK, Stored{len(batch)})
}

// write is one statement, and so one transaction in one round trip. Readings come first: that gives the transaction its
// number before the event has its id, on which who reads events in order relies. Sorted rows keep batches from deadlock.
const write = `
	WITH kept AS (
		INSERT INTO readings (device, seq, at, value, world)
		SELECT device, seq, at, value, $5
		FROM unnest($1::text[], $2::bigint[], $3::timestamptz[], $4::double precision[]) AS given (device, seq, at, value)
		ORDER BY device, seq
		ON CONFLICT DO NOTHING
		RETURNING device, seq
	)
	INSERT INTO events (device, seq) SELECT device, seq FROM kept`

// Write returns when the batch is committed.
func (i *Ingest) Write(ctx context.Context, batch []reading.Reading) error {
	devices, seqs := make([]string, len(batch)), make([]int64, len(batch))
	ats, values := make([]time.Time, len(batch)), make([]float64, len(batch))
	for n, r := range batch {
		devices[n], seqs[n], ats[n], values[n] = r.Device, r.Seq, r.At, r.Value
	}
	err := i.store.Do(ctx, store.Short(), func(ctx context.Context, c *pgx.Conn) error {
		_, err := c.Exec(ctx, write, devices, seqs, ats, values, i.world)
		return err
	})
	if err != nil {
		return fmt.Errorf("write %d readings: %w", len(batch), err)
	}
	return nil
}
