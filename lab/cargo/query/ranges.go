package query

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tranship/tranship/lab/cargo/reading"
	"github.com/tranship/tranship/lab/cargo/service"
	"github.com/tranship/tranship/lab/cargo/store"
)

const (
	// portionRows and portionBuckets bound what is read, and held, at a time.
	portionRows    = 5000
	portionBuckets = 500
	// span is the longest time that is aggregated by one statement, which has to end within a try.
	span = 24 * time.Hour
)

// long is for one portion of a long read.
func long() store.Limits { return store.Limits{Attempt: 20 * time.Second, Patience: 40 * time.Second} }

// asked is a request for a range.
type asked struct {
	from, to time.Time
	step     time.Duration // 0: readings as they are
	csv      bool
}

func (q *Query) ranges(w http.ResponseWriter, r *http.Request) {
	a, err := parse(r)
	if err != nil {
		service.Refuse(w, http.StatusBadRequest, err)
		return
	}
	if q.options.Legacy {
		q.legacy(w, r, a)
		return
	}
	select {
	case q.waiting <- struct{}{}:
		defer func() { <-q.waiting }()
	default:
		w.Header().Set("Retry-After", "2")
		service.Refuse(w, http.StatusServiceUnavailable, fmt.Errorf("%d long reads run and %d wait", q.options.Ranges, q.options.Queue))
		return
	}
	select {
	case q.running <- struct{}{}:
		defer func() { <-q.running }()
	case <-r.Context().Done():
		return
	}
	q.stream(w, r, a)
}

func parse(r *http.Request) (asked, error) {
	form := r.URL.Query()
	var a asked
	var err error
	if form.Get("from") == "" || form.Get("to") == "" {
		return a, errors.New("from, to: a range has both")
	}
	if a.from, a.to, err = times(form); err != nil {
		return a, err
	}
	if text := form.Get("step"); text != "" {
		if a.step, err = time.ParseDuration(text); err != nil || a.step < time.Second || a.step > span {
			return a, fmt.Errorf("step: %q is no duration from 1s to %s", text, span)
		}
	}
	switch form.Get("format") {
	case "", "ndjson":
	case "csv":
		a.csv = true
	default:
		return a, fmt.Errorf("format: %q is neither ndjson nor csv", form.Get("format"))
	}
	return a, nil
}

// stream reads portion after portion and writes each once it is whole, so that a portion can be read again from another
// server without a line being sent twice. The trailer X-Rows counts lines; an answer that cannot be ended is broken off,
// which no client takes for a short one.
func (q *Query) stream(w http.ResponseWriter, r *http.Request, a asked) {
	w.Header().Set("Trailer", "X-Rows")
	w.Header().Set("Content-Type", contentType(a))
	next := q.raw(a)
	if a.step > 0 {
		next = q.downsampled(a)
	}
	rows, sent := 0, false
	var lines bytes.Buffer
	for {
		n, more, err := next(r.Context(), &lines)
		if err == nil {
			_, err = w.Write(lines.Bytes())
		}
		switch {
		case err != nil && !sent:
			q.fail(w, r, err)
			return
		case err != nil:
			if r.Context().Err() == nil {
				q.log.Error("range broken off", slog.Int("rows", rows), slog.Any("err", err))
			}
			panic(http.ErrAbortHandler) //nolint:forbidigo // the one way to leave an answer without its end
		}
		sent = sent || lines.Len() > 0
		rows += n
		if !more {
			w.Header().Set("X-Rows", strconv.Itoa(rows))
			return
		}
	}
}

// portion fills lines anew, and tells how many they are and whether there may be more.
type portion func(ctx context.Context, lines *bytes.Buffer) (rows int, more bool, err error)

// raw is a cursor that outlives its connection: it remembers the last row, not a place in a server.
func (q *Query) raw(a asked) portion {
	last := reading.Reading{At: a.from}
	return func(ctx context.Context, lines *bytes.Buffer) (int, bool, error) {
		rows, row := 0, last
		err := q.store.Do(ctx, long(), func(ctx context.Context, c *pgx.Conn) error {
			rows, row = 0, last
			lines.Reset()
			found, err := c.Query(ctx, `
				SELECT device, seq, at, value FROM readings
				WHERE (at, device, seq) > ($1, $2, $3) AND at < $4
				ORDER BY at, device, seq LIMIT $5`, last.At, last.Device, last.Seq, a.to, portionRows)
			if err != nil {
				return err
			}
			defer found.Close()
			for found.Next() {
				if err := found.Scan(&row.Device, &row.Seq, &row.At, &row.Value); err != nil {
					return err
				}
				appendReading(lines, row, a.csv)
				rows++
			}
			return found.Err()
		})
		last = row
		return rows, rows == portionRows, err
	}
}

func appendReading(lines *bytes.Buffer, r reading.Reading, csv bool) {
	b := lines.AvailableBuffer()
	if csv {
		b = r.At.UTC().AppendFormat(b, time.RFC3339Nano)
		b = append(b, ',')
		b = append(b, r.Device...)
		b = append(b, ',')
		b = strconv.AppendInt(b, r.Seq, 10)
		b = append(b, ',')
		b = strconv.AppendFloat(b, r.Value, 'g', -1, 64)
	} else {
		b = append(b, `{"device":`...)
		b = strconv.AppendQuote(b, r.Device)
		b = append(b, `,"seq":`...)
		b = strconv.AppendInt(b, r.Seq, 10)
		b = append(b, `,"at":"`...)
		b = r.At.UTC().AppendFormat(b, time.RFC3339Nano)
		b = append(b, `","value":`...)
		b = strconv.AppendFloat(b, r.Value, 'g', -1, 64)
		b = append(b, '}')
	}
	lines.Write(append(b, '\n'))
}

// downsampled has the database make one line of all readings in a step. A portion is so many steps, but never more time
// than one statement may take.
func (q *Query) downsampled(a asked) portion {
	from := a.from
	width := min(portionBuckets*a.step, span/a.step*a.step)
	return func(ctx context.Context, lines *bytes.Buffer) (int, bool, error) {
		to := from.Add(width)
		if to.After(a.to) {
			to = a.to
		}
		rows := 0
		err := q.store.Do(ctx, long(), func(ctx context.Context, c *pgx.Conn) error {
			rows = 0
			lines.Reset()
			found, err := c.Query(ctx, `
				SELECT date_bin($3, at, $4), count(*), avg(value), min(value), max(value) FROM readings
				WHERE at >= $1 AND at < $2 GROUP BY 1 ORDER BY 1`, from, to, a.step, a.from)
			if err != nil {
				return err
			}
			defer found.Close()
			var b bucket
			for found.Next() {
				if err := found.Scan(&b.At, &b.Readings, &b.Mean, &b.Low, &b.High); err != nil {
					return err
				}
				if err := b.append(lines, a.csv); err != nil {
					return err
				}
				rows++
			}
			return found.Err()
		})
		from = to
		return rows, from.Before(a.to), err
	}
}

// bucket is one line of a downsampled range.
type bucket struct {
	At       time.Time `json:"at"`
	Readings int64     `json:"readings"`
	Mean     float64   `json:"mean"`
	Low      float64   `json:"low"`
	High     float64   `json:"high"`
}

func (b bucket) append(lines *bytes.Buffer, csv bool) error {
	if csv {
		fmt.Fprintf(lines, "%s,%d,%g,%g,%g\n", b.At.UTC().Format(time.RFC3339Nano), b.Readings, b.Mean, b.Low, b.High)
		return nil
	}
	b.At = b.At.UTC()
	return json.NewEncoder(lines).Encode(b)
}

// legacy is how the service was before: everything is read, then everything is made into text, then it is sent.
func (q *Query) legacy(w http.ResponseWriter, r *http.Request, a asked) {
	next := q.raw(a)
	if a.step > 0 {
		next = q.downsampled(a)
	}
	var all [][]byte
	var lines bytes.Buffer
	for more := true; more; {
		var err error
		if _, more, err = next(r.Context(), &lines); err != nil {
			q.fail(w, r, err)
			return
		}
		for line := range bytes.Lines(lines.Bytes()) {
			all = append(all, bytes.Clone(line))
		}
	}
	text := bytes.Join(all, nil)
	w.Header().Set("X-Rows", strconv.Itoa(len(all)))
	w.Header().Set("Content-Type", contentType(a))
	_, _ = w.Write(text) // a client that has gone is told nothing
}

func contentType(a asked) string {
	if a.csv {
		return "text/csv"
	}
	return "application/x-ndjson"
}
