package postgres

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/tranship/tranship/internal/rollout"
)

// comparing is one comparison at work, with a snapshot of each side.
type comparing struct {
	source, target *end
	ordered        bool
	out            rollout.Comparison
}

// table compares one table by segments of its key, a few at a time, and looks
// closer at those that differ.
func (c *comparing) table(ctx context.Context, t table) error {
	spans := []span{{}}
	if len(t.key) > 0 && (c.ordered || !t.text) {
		var err error
		if spans, err = c.spans(ctx, t); err != nil {
			return err
		}
	}
	for some := range slices.Chunk(spans, ahead) {
		s, d, err := c.sums(ctx, t, some)
		if err != nil {
			return err
		}
		for i := range some {
			c.out.Rows += s[i].rows
			if s[i] != d[i] {
				if err := c.narrow(ctx, t, some[i], s[i], d[i]); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// spans cuts the source's keys into segments. What the target has before the
// first and after the last belongs to those.
func (c *comparing) spans(ctx context.Context, t table) ([]span, error) {
	keys := strings.Join(t.key, ", ")
	rows, err := c.source.Query(ctx, fmt.Sprintf("SELECT %s FROM (SELECT %s, row_number() OVER (ORDER BY %[2]s) AS tranship_n FROM ONLY %s) r WHERE tranship_n %% %d = 0 ORDER BY tranship_n",
		t.keyText(), keys, t.name, segmentRows))
	if err != nil {
		return nil, err
	}
	bounds, err := pgx.CollectRows(rows, pgx.RowTo[[]string])
	if err != nil {
		return nil, err
	}
	out := make([]span, 0, len(bounds)+1)
	var last []string
	for _, b := range bounds {
		out = append(out, span{last, b})
		last = b
	}
	return append(out, span{from: last}), nil
}

// sums has both sides work at the same time.
func (c *comparing) sums(ctx context.Context, t table, spans []span) (s, d []sum, err error) {
	var batch pgx.Batch
	for _, x := range spans {
		where, args := t.within(x)
		batch.Queue(fmt.Sprintf(sumOf, t.columns, t.name, where), args...)
	}
	other := pgx.Batch{QueuedQueries: slices.Clone(batch.QueuedQueries)}
	left, right := c.source.SendBatch(ctx, &batch), c.target.SendBatch(ctx, &other)
	s, err = readSums(left, len(spans))
	if err != nil {
		_ = right.Close()
		return nil, nil, fmt.Errorf("source: %w", err)
	}
	d, err = readSums(right, len(spans))
	if err != nil {
		return nil, nil, fmt.Errorf("target: %w", err)
	}
	return s, d, nil
}

func readSums(r pgx.BatchResults, n int) ([]sum, error) {
	out := make([]sum, n)
	for i := range out {
		if err := r.QueryRow().Scan(&out[i].rows, &out[i].hash); err != nil {
			_ = r.Close()
			return nil, err
		}
	}
	return out, r.Close()
}

// narrow halves a span that differs until it can be looked at key by key. Once
// enough places are named the rest is only counted, span by span.
func (c *comparing) narrow(ctx context.Context, t table, x span, s, d sum) error {
	switch {
	case len(t.key) == 0 || t.text && !c.ordered || s.rows == 0 || d.rows == 0 || len(c.out.Different) >= places:
		c.name(t.say(x))
		c.out.Missing += max(s.rows-d.rows, 0)
		c.out.Extra += max(d.rows-s.rows, 0)
		return nil
	case s.rows+d.rows <= leafRows:
		return c.leaf(ctx, t, x)
	}
	middle, err := c.middle(ctx, t, x, s, d)
	if err != nil {
		return err
	}
	halves := []span{{x.from, middle}, {middle, x.to}}
	ss, dd, err := c.sums(ctx, t, halves)
	if err != nil {
		return err
	}
	for i, h := range halves {
		if ss[i] == dd[i] {
			continue
		}
		if err := c.narrow(ctx, t, h, ss[i], dd[i]); err != nil {
			return err
		}
	}
	return nil
}

// middle is the key in the middle of a span, of the side that has more rows in it.
func (c *comparing) middle(ctx context.Context, t table, x span, s, d sum) ([]string, error) {
	e, n := c.source, s.rows
	if d.rows > s.rows {
		e, n = c.target, d.rows
	}
	where, args := t.within(x)
	var key []string
	err := e.QueryRow(ctx, fmt.Sprintf("SELECT %s FROM ONLY %s WHERE %s ORDER BY %s OFFSET %d LIMIT 1", t.keyText(), t.name, where, strings.Join(t.key, ", "), (n-1)/2), args...).Scan(&key)
	return key, err
}

// leaf holds the keys of a small span against each other.
func (c *comparing) leaf(ctx context.Context, t table, x span) error {
	s, err := keys(ctx, c.source, t, x)
	if err != nil {
		return err
	}
	d, err := keys(ctx, c.target, t, x)
	if err != nil {
		return err
	}
	hashes := map[string]string{}
	for _, k := range d {
		hashes[k.key] = k.hash
	}
	for _, k := range s {
		switch h, ok := hashes[k.key]; {
		case !ok:
			c.out.Missing++
			c.name(t.say(span{}) + " " + k.key)
		case h != k.hash:
			c.name(t.say(span{}) + " " + k.key)
		}
		delete(hashes, k.key)
	}
	for _, k := range d {
		if _, extra := hashes[k.key]; extra {
			c.out.Extra++
			c.name(t.say(span{}) + " " + k.key)
		}
	}
	return nil
}

func (c *comparing) name(place string) {
	if len(c.out.Different) < places {
		c.out.Different = append(c.out.Different, place)
	}
}

type hashed struct{ key, hash string }

func keys(ctx context.Context, e *end, t table, x span) ([]hashed, error) {
	where, args := t.within(x)
	rows, err := e.Query(ctx, fmt.Sprintf("SELECT array_to_string(%s, ','), "+rowHash+" FROM ONLY %s WHERE %s ORDER BY %s", t.keyText(), t.columns, t.name, where, strings.Join(t.key, ", ")), args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(r pgx.CollectableRow) (hashed, error) {
		var h hashed
		err := r.Scan(&h.key, &h.hash)
		return h, err
	})
}
