package usage

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/estate"
)

// A key is what a finished series is of.
type key struct {
	workload  estate.Name
	container string
	copy      string
	metric    Metric
}

// A raw series is what one source has of one key under one set of labels.
type raw struct {
	key
	meter  meter
	labels string
	file   string
	// back counts points that stand before their forerunner in the same file.
	back     int
	last     int64
	lastFile string
	pts      []Point
}

// A collector gathers points from all files.
type collector struct {
	o       Options
	resolve *resolver
	diags   diag.List
	sources []Source
	raws    map[string]*raw
	// Of the file that is being read.
	name, format             string
	strangers, many, strange map[string]*nameless // by file
	bad                      map[string]int
	guessed                  map[string]*nameless
	needs                    map[string]*nameless
}

func newCollector(o Options) *collector {
	if o.MinPoints <= 0 {
		o.MinPoints = 100
	}
	return &collector{
		o: o, resolve: newResolver(o), raws: map[string]*raw{}, strangers: map[string]*nameless{}, many: map[string]*nameless{},
		strange: map[string]*nameless{}, bad: map[string]int{}, guessed: map[string]*nameless{}, needs: map[string]*nameless{},
	}
}

// note adds a name to what is said once for the file.
func (c *collector) note(m map[string]*nameless, name string) {
	if m[c.name] == nil {
		m[c.name] = &nameless{}
	}
	m[c.name].add(name)
}

// owner resolves the first of the names that means a workload.
func (c *collector) owner(names ...string) (found, bool) {
	said := ""
	for _, n := range names {
		if n == "" {
			continue
		}
		f, ok := c.resolve.find(n)
		if ok {
			return f, true
		}
		if f.many != nil {
			c.note(c.many, n)
			return f, false
		}
		if said == "" {
			said = n
		}
	}
	c.note(c.strangers, cmp.Or(said, "(no name)"))
	return found{}, false
}

// series gives the raw series to which points are added; nil if it cannot be
// one.
func (c *collector) series(k key, m meter, labels string) *raw {
	k.metric = m.metric
	if m.guessed {
		c.note(c.guessed, string(m.metric))
	}
	if m.share {
		d, ok := c.o.Declared[k.workload]
		each := float64(d.CPU)
		if m.metric == Memory {
			each = float64(d.Memory)
		}
		if !ok || each <= 0 {
			c.note(c.needs, string(k.workload))
			return nil
		}
		m.scale *= each
		if k.copy == "" {
			m.scale *= float64(max(d.Replicas, 1))
		}
	}
	id := strings.Join([]string{string(k.workload), k.container, k.copy, string(k.metric), fmt.Sprint(m.rank), m.part, labels}, "\x00")
	r := c.raws[id]
	if r == nil {
		r = &raw{key: k, meter: m, labels: labels, file: c.name, last: math.MinInt64}
		c.raws[id] = r
	}
	return r
}

// farthest is the latest time that can be meant, in the year 9999.
const farthest = 253402300799

// add takes a point; one that cannot be is counted and left out.
func (c *collector) add(r *raw, at int64, value float64) {
	if math.IsNaN(value) || math.IsInf(value, 0) || value < 0 || value > 1e18 || at < 0 || at > farthest {
		c.bad[c.name]++
		return
	}
	if r.lastFile != c.name {
		r.last, r.lastFile = math.MinInt64, c.name
	}
	if at < r.last {
		r.back++
	}
	r.last = at
	r.pts = append(r.pts, Point{at, value * r.meter.scale})
	s := &c.sources[len(c.sources)-1]
	if s.Points == 0 {
		s.From, s.To = at, at
	}
	s.From, s.To = min(s.From, at), max(s.To, at)
	s.Points++
}

// finish makes the set of all that was gathered.
func (c *collector) finish() (Set, diag.List) {
	c.said()
	byFile := map[string]int{}
	groups := map[key][]*raw{}
	for _, id := range slices.Sorted(maps.Keys(c.raws)) {
		r := c.raws[id]
		if len(r.pts) == 0 {
			continue
		}
		byFile[r.file]++
		groups[r.key] = append(groups[r.key], r)
	}
	for i := range c.sources {
		c.sources[i].Series = byFile[c.sources[i].File]
	}
	set := Set{Sources: c.sources}
	w := &watch{c: c, seen: map[estate.Name]*life{}, about: map[aboutKey]*about{}}
	for _, k := range slices.SortedFunc(maps.Keys(groups), compareKeys) {
		s, ok := w.one(k, groups[k])
		if ok {
			set.Series = append(set.Series, s)
		}
	}
	w.said()
	c.diags.Sort()
	return set, c.diags
}

func compareKeys(a, b key) int {
	return cmp.Or(strings.Compare(string(a.workload), string(b.workload)), strings.Compare(string(a.metric), string(b.metric)),
		strings.Compare(a.container, b.container), strings.Compare(a.copy, b.copy))
}

// said reports what was counted for each file.
func (c *collector) said() {
	each := func(m map[string]*nameless, code diag.Code, s diag.Severity, problem, hint string) {
		for _, file := range slices.Sorted(maps.Keys(m)) {
			c.name = file
			c.report(code, s, 0, "usage", fmt.Sprintf(problem, m[file]), hint)
		}
	}
	each(c.strangers, UnknownWorkload, diag.Warning, "no workload is called %s", "say in a mapping of names which workload is meant, or which label holds its name")
	each(c.many, ManyWorkloads, diag.Warning, "several workloads answer to %s", "say in a mapping of names which one is meant")
	each(c.strange, UnknownMetric, diag.Warning, "measures nothing that sizes follow from: %s", "known are CPU, memory, kills for memory and requests; say in a mapping of metrics what it measures")
	each(c.guessed, GuessedUnit, diag.Note, "does not say the unit of %s: CPU is taken for cores, memory for MiB", "write the unit into the name: cpu_milli, memory_bytes")
	each(c.needs, NeedsDeclared, diag.Warning, "has shares of what was declared, and nothing was for %s", "export cores and bytes")
	for _, file := range slices.Sorted(maps.Keys(c.bad)) {
		c.name = file
		n := c.bad[file]
		c.report(BadPoint, diag.Warning, 0, "usage", fmt.Sprintf("%s without a time, or with a value that is none", count(n, "point")), "they are left out, the others kept")
	}
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
