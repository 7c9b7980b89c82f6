// Package query reads readings: a device's last one, pages, and long ranges. In: requests. Out: JSON, or lines of JSON or
// CSV that stream. It never holds a range in memory, unless it is told to behave as it did before it was mended.
package query

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tranship/tranship/lab/cargo/reading"
	"github.com/tranship/tranship/lab/cargo/service"
	"github.com/tranship/tranship/lab/cargo/store"
)

// Options of a query service; the zero value is the mended one.
type Options struct {
	// Legacy reads whole ranges into memory, as many at once as are asked for: the story's bad behaviour.
	Legacy bool
	// Ranges is how many long reads run at once, default 2; Queue how many wait, default 256.
	Ranges, Queue int
}

// Query reads from one database.
type Query struct {
	store   *store.Store
	log     *slog.Logger
	options Options
	running chan struct{} // a place for each long read that runs
	waiting chan struct{} // and for each that waits or runs
}

// New makes a query service.
func New(s *store.Store, log *slog.Logger, o Options) *Query {
	if o.Ranges < 1 {
		o.Ranges = 2
	}
	if o.Queue < 1 {
		o.Queue = 256
	}
	return &Query{
		store: s, log: log, options: o,
		running: make(chan struct{}, o.Ranges), waiting: make(chan struct{}, o.Ranges+o.Queue),
	}
}

// Routes adds what the service answers.
func (q *Query) Routes(handle func(string, http.Handler)) {
	handle("GET /v1/last", http.HandlerFunc(q.last))
	handle("GET /v1/readings", http.HandlerFunc(q.page))
	handle("GET /v1/ranges", http.HandlerFunc(q.ranges))
}

func (q *Query) last(w http.ResponseWriter, r *http.Request) {
	device := r.URL.Query().Get("device")
	if device == "" {
		service.Refuse(w, http.StatusBadRequest, errors.New("device: is missing"))
		return
	}
	found := reading.Reading{Device: device}
	err := q.store.Do(r.Context(), store.Short(), func(ctx context.Context, c *pgx.Conn) error {
		return c.QueryRow(ctx, `SELECT seq, at, value FROM readings WHERE device = $1 ORDER BY seq DESC LIMIT 1`, device).
			Scan(&found.Seq, &found.At, &found.Value)
	})
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		service.Refuse(w, http.StatusNotFound, fmt.Errorf("device %s: has no readings", device))
	case err != nil:
		q.fail(w, r, err)
	default:
		service.Answer(w, http.StatusOK, found)
	}
}

// Page is a part of a device's readings; Next, if there may be more, is the next request's after.
type Page struct {
	Readings []reading.Reading `json:"readings"`
	Next     int64             `json:"next,omitempty"`
}

func (q *Query) page(w http.ResponseWriter, r *http.Request) {
	form := r.URL.Query()
	device := form.Get("device")
	from, to, err := times(form)
	if err == nil && device == "" {
		err = errors.New("device: is missing")
	}
	limit, after := int64(100), int64(0)
	if err == nil {
		limit, err = number(form, "limit", limit, 1, 1000)
	}
	if err == nil {
		after, err = number(form, "after", after, 0, 1<<62)
	}
	if err != nil {
		service.Refuse(w, http.StatusBadRequest, err)
		return
	}
	var rows []reading.Reading
	err = q.store.Do(r.Context(), store.Short(), func(ctx context.Context, c *pgx.Conn) error {
		found, err := c.Query(ctx, `
			SELECT device, seq, at, value FROM readings
			WHERE device = $1 AND seq > $2 AND at >= $3 AND at < $4 ORDER BY seq LIMIT $5`, device, after, from, to, limit)
		if err != nil {
			return err
		}
		rows, err = pgx.CollectRows(found, pgx.RowToStructByPos[reading.Reading])
		return err
	})
	if err != nil {
		q.fail(w, r, err)
		return
	}
	page := Page{Readings: rows}
	if int64(len(rows)) == limit {
		page.Next = rows[len(rows)-1].Seq
	}
	service.Answer(w, http.StatusOK, page)
}

func (q *Query) fail(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() == nil {
		q.log.Error("not read", slog.String("path", r.URL.Path), slog.Any("err", err))
	}
	service.Refuse(w, http.StatusInternalServerError, errors.New("database: readings are not read"))
}

// times reads from and to, of which both may be missing: then they are as far away as a reading can be.
func times(form url.Values) (from, to time.Time, err error) {
	from, to = time.Unix(0, 0).UTC(), time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, t := range []struct {
		name string
		to   *time.Time
	}{{"from", &from}, {"to", &to}} {
		if text := form.Get(t.name); text != "" {
			if *t.to, err = time.Parse(time.RFC3339Nano, text); err != nil {
				return from, to, fmt.Errorf("%s: %q is no time such as 2006-01-02T15:04:05Z", t.name, text)
			}
		}
	}
	if !from.Before(to) {
		return from, to, errors.New("from: is not before to")
	}
	return from, to, nil
}

func number(form url.Values, name string, otherwise, least, most int64) (int64, error) {
	text := form.Get(name)
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < least || n > most {
		return 0, fmt.Errorf("%s: %q is no number from %d to %d", name, text, least, most)
	}
	return n, nil
}
