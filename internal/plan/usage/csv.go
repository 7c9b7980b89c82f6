package usage

import (
	"bufio"
	"encoding/csv"
	"errors"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tranship/tranship/internal/base/diag"
)

// The names of columns that hold no value, the usual ones of each.
var (
	timeColumns      = []string{"time", "timestamp", "ts", "date", "datetime", "at", "_time"}
	workloadColumns  = []string{"workload", "app", "app_id", "appid", "application", "service", "job", "id", "name", "task", "task_id", "source"}
	copyColumns      = []string{"copy", "replica", "instance", "pod", "task_id", "task", "copy_id"}
	containerColumns = []string{"container", "container_name"}
)

// A table says which column of a CSV holds what.
type table struct {
	time, workload, copy, container int
	values                          []column
}

type column struct {
	at int
	meter
}

func (c *collector) csv(b *bufio.Reader) error {
	head, _ := b.Peek(peek)
	first := string(head[:lineEnd(head)])
	r := csv.NewReader(b)
	r.ReuseRecord, r.FieldsPerRecord, r.LazyQuotes, r.TrimLeadingSpace = true, -1, true, true
	for _, sep := range []rune{';', '\t'} {
		if strings.Count(first, string(sep)) > strings.Count(first, ",") {
			r.Comma = sep
		}
	}
	header, err := r.Read()
	if err != nil {
		return err
	}
	t, missing := c.table(header)
	if missing != "" {
		c.report(NoHeader, diag.Error, 1, "table", "has no column for "+missing, "the first line names the columns: time,workload,cpu_cores,memory_mib and, if there are, copy, container, oom, requests")
		return nil
	}
	c.format = "csv"
	for _, v := range t.values {
		if v.guessed {
			c.note(c.guessed, strings.Clone(string(v.metric)))
		}
	}
	k := tableReader{collector: c, table: t, owners: map[string]found{}, series: map[seriesKey]*raw{}}
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if bad := (*csv.ParseError)(nil); errors.As(err, &bad) {
			c.bad[c.name]++
			continue
		}
		if err != nil {
			return err
		}
		k.row(row)
	}
}

// table finds the columns by their names.
func (c *collector) table(header []string) (t table, missing string) {
	t = table{time: -1, workload: -1, copy: -1, container: -1}
	names := make([]string, len(header))
	taken := make([]bool, len(header))
	for i, h := range header {
		names[i] = strings.ToLower(strings.TrimSpace(strings.Trim(h, `"`)))
	}
	find := func(of []string) int {
		for _, n := range of {
			if i := slices.Index(names, n); i >= 0 && !taken[i] {
				taken[i] = true
				return i
			}
		}
		return -1
	}
	t.time, t.workload = find(timeColumns), find(workloadColumns)
	t.copy, t.container = find(copyColumns), find(containerColumns)
	for i, n := range names {
		if taken[i] || n == "" {
			continue
		}
		if m, ok := c.measure(header[i], n); ok {
			t.values = append(t.values, column{i, m})
			continue
		}
		c.note(c.strange, "column "+n)
	}
	switch {
	case t.time < 0:
		return t, "the time"
	case t.workload < 0:
		return t, "the workload"
	case len(t.values) == 0:
		return t, "any value"
	}
	return t, ""
}

type seriesKey struct {
	workload, copy, container string
	value                     int
}

// A tableReader turns rows into points.
type tableReader struct {
	*collector
	table
	owners map[string]found
	series map[seriesKey]*raw
	// The last time's text and what it means: rows of one time follow each other.
	text string
	at   int64
	ok   bool
}

func (k *tableReader) row(row []string) {
	cell := func(i int) string {
		if i < 0 || i >= len(row) {
			return ""
		}
		return strings.TrimSpace(row[i])
	}
	name := cell(k.workload)
	owner, ok := k.owners[name]
	if !ok {
		owner, _ = k.owner(name)
		k.owners[strings.Clone(name)] = owner
	}
	if owner.workload == "" {
		return
	}
	if text := cell(k.time); text != k.text || text == "" {
		k.text = strings.Clone(text)
		k.at, k.ok = parseTime(text)
	}
	if !k.ok {
		k.bad[k.name]++
		return
	}
	for i, v := range k.values {
		text := cell(v.at)
		if text == "" {
			continue
		}
		n, err := strconv.ParseFloat(text, 64)
		if err != nil {
			k.bad[k.name]++
			continue
		}
		r := k.point(name, cell(k.copy), cell(k.container), i, owner)
		if r != nil {
			k.add(r, k.at, n)
		}
	}
}

func (k *tableReader) point(name, copy, container string, value int, owner found) *raw {
	id := seriesKey{name, copy, container, value}
	r, ok := k.series[id]
	if ok {
		return r
	}
	id = seriesKey{strings.Clone(name), strings.Clone(copy), strings.Clone(container), value}
	of := key{workload: owner.workload, copy: id.copy, container: id.container}
	if of.copy == "" {
		of.copy = owner.copy
	}
	if of.container == "" {
		of.container = owner.container
	}
	m := k.values[value].meter
	m.guessed = false // said once, by the header
	r = k.collector.series(of, m, "")
	k.series[id] = r
	return r
}

// layouts of times, beside seconds and milliseconds since 1970.
var layouts = []string{time.RFC3339, "2006-01-02 15:04:05", "2006-01-02T15:04:05", "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04", "2006-01-02T15:04Z07:00", "2006/01/02 15:04:05", time.DateOnly}

func parseTime(s string) (int64, bool) {
	if s == "" {
		return 0, false
	}
	if n, err := strconv.ParseFloat(s, 64); err == nil {
		return seconds(n)
	}
	for _, l := range layouts {
		if t, err := time.Parse(l, s); err == nil {
			return t.Unix(), t.Unix() >= 0 && t.Unix() <= farthest
		}
	}
	return 0, false
}

// seconds reads a number of seconds, milliseconds or microseconds since 1970
// by its size.
func seconds(n float64) (int64, bool) {
	switch {
	case math.IsNaN(n) || n < 0 || n > 1e17:
		return 0, false
	case n >= 1e14:
		n /= 1e6
	case n >= 1e11:
		n /= 1e3
	}
	return int64(math.Round(n)), true
}
