// Package verify reads the cargo's database after a run. In: what was acknowledged, and the tables. Out: what is missing,
// double, or out of order. It never writes.
package verify

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tranship/tranship/lab/load/drive"
)

// Report is what the tables say.
type Report struct {
	Readings Readings `json:"readings"`
	Rollup   Rollup   `json:"rollup"`
	Notifier Notifier `json:"notifier"`
	Good     bool     `json:"good"`
}

// Readings compares what was acknowledged with what is stored.
type Readings struct {
	Devices      int              `json:"devices"`
	Acknowledged int64            `json:"acknowledged"`
	Stored       int64            `json:"stored"`  // rows of these devices
	Missing      int64            `json:"missing"` // acknowledged, but not stored
	Duplicates   int64            `json:"duplicates"`
	Altered      int64            `json:"altered"` // stored with another value than was sent
	Extra        int64            `json:"extra"`   // stored, but never acknowledged: the answer was lost, or is on its way
	NoEvent      int64            `json:"noEvent"` // acknowledged, but without an event
	TwoEvents    int64            `json:"twoEvents"`
	Worlds       map[string]int64 `json:"worlds"` // rows by where the ingest ran
	Examples     []string         `json:"examples,omitempty"`
}

// set is which numbers of one device were met.
type set []uint64

// add tells whether n was there already.
func (s *set) add(n int64) bool {
	word, bit := int(n/64), uint64(1)<<(n%64)
	if word >= len(*s) {
		*s = append(*s, make([]uint64, word+1-len(*s))...)
	}
	there := (*s)[word]&bit != 0
	(*s)[word] |= bit
	return there
}

func (s set) has(n int64) bool {
	return n/64 < int64(len(s)) && s[n/64]&(1<<(n%64)) != 0
}

const mostExamples = 20

func (r *Readings) example(format string, args ...any) {
	if len(r.Examples) < mostExamples {
		r.Examples = append(r.Examples, fmt.Sprintf(format, args...))
	}
}

// ReadReadings compares; acknowledged has each device's last acknowledged reading.
func ReadReadings(ctx context.Context, c *pgx.Conn, acknowledged map[string]int64) (Readings, error) {
	r := Readings{Devices: len(acknowledged), Worlds: map[string]int64{}}
	devices := make([]string, 0, len(acknowledged))
	for device, last := range acknowledged {
		devices = append(devices, device)
		r.Acknowledged += last
	}
	slices.Sort(devices)
	stored, err := sets(ctx, c, `SELECT device, seq, value, world FROM readings WHERE device = ANY($1)`, devices, func(device string, seq int64, value float64, world string, twice bool) {
		r.Stored++
		r.Worlds[world]++
		switch {
		case twice:
			r.Duplicates++
			r.example("%s/%d is stored twice", device, seq)
		case math.Abs(value-drive.Value(device, seq)) > 1e-9:
			r.Altered++
			r.example("%s/%d is %v, but %v was sent", device, seq, value, drive.Value(device, seq))
		}
		if seq > acknowledged[device] {
			r.Extra++
		}
	})
	if err != nil {
		return r, fmt.Errorf("read readings: %w", err)
	}
	events, err := sets(ctx, c, `SELECT device, seq, 0::float8, '' FROM events WHERE device = ANY($1)`, devices, func(device string, seq int64, _ float64, _ string, twice bool) {
		if twice {
			r.TwoEvents++
			r.example("%s/%d has two events", device, seq)
		}
	})
	if err != nil {
		return r, fmt.Errorf("read events: %w", err)
	}
	for _, device := range devices {
		for seq := int64(1); seq <= acknowledged[device]; seq++ {
			if !stored[device].has(seq) {
				r.Missing++
				r.example("%s/%d was acknowledged and is not stored", device, seq)
			}
			if !events[device].has(seq) {
				r.NoEvent++
				r.example("%s/%d was acknowledged and has no event", device, seq)
			}
		}
	}
	return r, nil
}

func sets(ctx context.Context, c *pgx.Conn, sql string, devices []string, each func(device string, seq int64, value float64, world string, twice bool)) (map[string]set, error) {
	rows, err := c.Query(ctx, sql, devices)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	all := map[string]set{}
	for rows.Next() {
		var device, world string
		var seq int64
		var value float64
		if err := rows.Scan(&device, &seq, &value, &world); err != nil {
			return nil, err
		}
		if seq < 1 {
			return nil, fmt.Errorf("device %s has a reading %d", device, seq)
		}
		s := all[device]
		twice := s.add(seq)
		all[device] = s
		each(device, seq, value, world, twice)
	}
	return all, rows.Err()
}

// judge says whether the report is free of losses and doubles.
func (r *Report) judge() {
	a, b, c := r.Readings, r.Rollup, r.Notifier
	r.Good = a.Missing+a.Duplicates+a.Altered+a.NoEvent+a.TwoEvents == 0 &&
		b.Double+b.Overlapping == 0 && c.Gaps+c.Duplicates+c.Reordered+c.Together == 0
}

// Read reads all tables; the notifier has so long to send what is left.
func Read(ctx context.Context, c *pgx.Conn, acknowledged map[string]int64, since time.Time, settle time.Duration) (Report, error) {
	var r Report
	var err error
	if r.Readings, err = ReadReadings(ctx, c, acknowledged); err != nil {
		return r, err
	}
	if r.Rollup, err = ReadRollup(ctx, c, since); err != nil {
		return r, err
	}
	for end := time.Now().Add(settle); ; {
		if r.Notifier, err = ReadNotifier(ctx, c, since); err != nil {
			return r, err
		}
		if r.Notifier.Pending == 0 || !time.Now().Before(end) {
			break
		}
		select {
		case <-ctx.Done():
			return r, ctx.Err()
		case <-time.After(500 * time.Millisecond):
		}
	}
	r.judge()
	return r, nil
}
