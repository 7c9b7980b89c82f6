package usage

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/estate"
)

// Options help to understand what monitoring systems say. Its zero value takes
// names as they are; For makes those of an estate.
type Options struct {
	// Workloads are those that usage may be of; names in files are resolved
	// against them. Without any, every name is taken as it is written.
	Workloads []estate.Name
	// Names maps a name in a file (a label's value, a Graphite target, a
	// CloudWatch label or ID) to a workload, before all rules.
	Names map[string]estate.Name
	// Label is the label that holds the workload's name; if empty the usual ones
	// are looked for.
	Label string
	// Metrics maps a metric's name, a whole target, a query's ID or a file's
	// name to what it measures with its unit: "cpu_cores", "memory_mib",
	// "cpu_percent_declared", "cpu_seconds_total".
	Metrics map[string]string
	// Declared is what one copy of a workload may use by its definition; values
	// far beyond are taken for a wrong unit.
	Declared map[estate.Name]Declared
	// MinPoints is how many points are enough, 100 by default.
	MinPoints int
}

// Declared is what a definition asks for.
type Declared struct {
	CPU      unit.CPU   // of one copy
	Memory   unit.Bytes // of one copy
	Replicas int
	// Runs marks a job: few points are enough to know its peak.
	Runs bool
}

// For gives the options for usage of an estate.
func For(e *estate.Estate) Options {
	o := Options{Declared: map[estate.Name]Declared{}}
	for i := range e.Workloads {
		w := &e.Workloads[i]
		o.Workloads = append(o.Workloads, w.ID)
		d := Declared{Replicas: w.Replicas, Runs: w.Kind == estate.Job || w.Kind == estate.Schedule}
		for _, c := range w.Containers {
			d.CPU += c.CPU
			d.Memory += c.Memory
		}
		o.Declared[w.ID] = d
	}
	return o
}

// Read reads all files of usage in a folder, each by what it holds. What cannot
// be read is reported and left out.
func Read(fsys fs.FS, o Options) (Set, diag.List) {
	c := newCollector(o)
	err := fs.WalkDir(fsys, ".", func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			c.broken(p, err)
		case d.IsDir():
			if p != "." && strings.HasPrefix(d.Name(), ".") {
				return fs.SkipDir
			}
		case !strings.HasPrefix(d.Name(), "."):
			c.file(fsys, p)
		}
		return nil
	})
	if err != nil {
		c.broken(".", err)
	}
	return c.finish()
}

// file reads one file.
func (c *collector) file(fsys fs.FS, name string) {
	f, err := fsys.Open(name)
	if err != nil {
		c.broken(name, err)
		return
	}
	defer f.Close()
	c.name, c.format = name, ""
	c.sources = append(c.sources, Source{File: name})
	if err := c.content(f); err != nil {
		c.broken(name, err)
	}
	if c.format == "" {
		c.sources = c.sources[:len(c.sources)-1]
		return
	}
	c.sources[len(c.sources)-1].Format = c.format
}

const peek = 1 << 16

func (c *collector) content(r io.Reader) error {
	b := bufio.NewReaderSize(r, peek)
	if head, _ := b.Peek(2); bytes.Equal(head, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(b)
		if err != nil {
			return err
		}
		b = bufio.NewReaderSize(z, peek)
	}
	if head, _ := b.Peek(3); bytes.Equal(head, []byte("\ufeff")) {
		_, _ = b.Discard(3)
	}
	head, _ := b.Peek(peek)
	text := bytes.TrimLeft(head, " \t\r\n")
	switch {
	case len(text) == 0 && len(head) < peek:
		return nil
	case text[0] == '{' || text[0] == '[':
		return c.json(b)
	case bytes.ContainsAny(text[:min(len(text), lineEnd(text))], ",;\t"):
		return c.csv(b)
	}
	c.unknown("is neither JSON nor a table")
	return nil
}

func lineEnd(b []byte) int {
	if i := bytes.IndexByte(b, '\n'); i >= 0 {
		return i
	}
	return len(b)
}

func (c *collector) unknown(problem string) {
	c.report(UnknownFile, diag.Error, 0, c.name, problem,
		"known are CSV, Prometheus' and Graphite's answers in JSON, CloudWatch GetMetricData and samples of Mesos' /monitor/statistics")
}

func (c *collector) broken(name string, err error) {
	c.diags = append(c.diags, diag.Diagnostic{
		Code: BrokenFile, Severity: diag.Error, Pos: diag.Pos{File: name}, Subject: "usage", Problem: err.Error(),
		Hint: "what stands before is kept; export the file again",
	})
}

func (c *collector) report(code diag.Code, s diag.Severity, line int, subject, problem, hint string) {
	d := diag.Diagnostic{Code: code, Severity: s, Pos: diag.Pos{File: c.name}, Subject: subject, Problem: problem, Hint: hint}
	if line > 0 {
		d.Pos.Line, d.Pos.Column = line, 1
	}
	c.diags = append(c.diags, d)
}

// measure says what a name measures: as the options say, or else as it reads.
func (c *collector) measure(names ...string) (meter, bool) {
	for _, n := range names {
		if as, ok := c.o.Metrics[n]; ok {
			return meterOf(as)
		}
	}
	for _, n := range names {
		if m, ok := known[strings.ToLower(n)]; ok {
			return m, true
		}
	}
	for _, n := range names {
		if m, ok := meterOf(n); ok {
			return m, true
		}
	}
	return meter{}, false
}

// base is the file's name without folder and endings: a query's answer often
// says what it measures only there.
func (c *collector) base() string {
	b := path.Base(c.name)
	b = strings.TrimSuffix(b, ".gz")
	return strings.TrimSuffix(b, path.Ext(b))
}

// nameless counts what cannot be understood and says it once for each file.
type nameless struct {
	count int
	first []string
}

func (n *nameless) add(name string) {
	n.count++
	if len(n.first) < 5 && !slices.Contains(n.first, name) {
		n.first = append(n.first, strings.Clone(name))
	}
}

func (n *nameless) String() string {
	s := strings.Join(n.first, ", ")
	if n.count > len(n.first) {
		s += fmt.Sprintf(" and more, %d in all", n.count)
	}
	return s
}
