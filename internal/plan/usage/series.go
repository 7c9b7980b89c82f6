package usage

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/estate"
)

// A watch looks at series while they are finished, and says what it saw once
// for each workload and metric.
type watch struct {
	c     *collector
	seen  map[estate.Name]*life
	about map[aboutKey]*about
}

type aboutKey struct {
	workload estate.Name
	metric   Metric
	code     diag.Code
}

// about counts one kind of finding.
type about struct {
	file   string
	series int
	count  int
	// longest gap with its begin, or the smallest and largest step.
	longest, at int64
}

func (w *watch) found(r *raw, code diag.Code, n int, longest, at int64) {
	if n == 0 {
		return
	}
	k := aboutKey{r.workload, r.metric, code}
	a := w.about[k]
	if a == nil {
		a = &about{file: r.file}
		w.about[k] = a
	}
	a.file = min(a.file, r.file)
	a.series++
	a.count += n
	if longest > a.longest {
		a.longest, a.at = longest, at
	}
}

// life is when which copies of a workload were seen.
type life struct {
	file  string
	spans map[string][2]int64 // by copy
	most  int                 // points of one series of CPU or memory
	total map[Metric]int      // points of all
}

// one makes one series of those that measure it.
func (w *watch) one(k key, group []*raw) (Series, bool) {
	best := group[0].meter.rank
	for _, r := range group {
		best = min(best, r.meter.rank)
	}
	var all []Point
	merged := 0
	for _, r := range group {
		if r.meter.rank != best {
			continue
		}
		pts := w.clean(r)
		all = append(all, pts...)
		merged++
	}
	if merged > 1 {
		all = sumByTime(all)
	}
	if len(all) == 0 {
		return Series{}, false
	}
	s := Series{Workload: k.workload, Container: k.container, Copy: k.copy, Metric: k.metric, Step: unit.Seconds(step(all)), Points: slices.Clip(all)}
	if problem, hint := w.implausible(&s, group[0].file); problem != "" {
		w.c.name = group[0].file
		w.c.report(WrongUnit, diag.Error, 0, subject(k.workload), problem, hint)
		return Series{}, false
	}
	w.lived(&s, group[0].file)
	return s, true
}

// sumByTime adds what was measured at the same time: parts of one whole.
func sumByTime(all []Point) []Point {
	slices.SortFunc(all, func(a, b Point) int { return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Value, b.Value)) })
	out := all[:0]
	for _, p := range all {
		if n := len(out); n > 0 && out[n-1].At == p.At {
			out[n-1].Value += p.Value
			continue
		}
		out = append(out, p)
	}
	return out
}

// clean brings points into order, without doubles, and counters into what they
// counted.
func (w *watch) clean(r *raw) []Point {
	pts := r.pts
	w.found(r, NotAscending, r.back, 0, 0)
	slices.SortFunc(pts, func(a, b Point) int { return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Value, b.Value)) })
	out, doubles := pts[:0], 0
	for _, p := range pts {
		if n := len(out); n > 0 && out[n-1].At == p.At {
			if out[n-1].Value != p.Value {
				doubles++
				out[n-1].Value = p.Value // the larger
			}
			continue
		}
		out = append(out, p)
	}
	pts = out
	w.found(r, DuplicatePoint, doubles, 0, 0)
	st := step(pts)
	gaps, longest, at, short := 0, int64(0), int64(0), 0
	for i := 1; i < len(pts); i++ {
		d := pts[i].At - pts[i-1].At
		if d > 3*st {
			gaps++
			if d > longest {
				longest, at = d, pts[i-1].At
			}
		}
		if 4*d < 3*st {
			short++
		}
	}
	if !w.c.o.Declared[r.workload].Runs { // between runs there is nothing
		w.found(r, Gap, gaps, longest, at)
	}
	if 10*short > len(pts) {
		w.found(r, MixedSteps, short, 0, 0)
	}
	if r.meter.counter {
		pts = w.rate(r, pts, st)
	}
	r.pts = nil
	return pts
}

// rate turns a counter into what it grew by: for CPU in each second, for kills
// in each step. Over a gap there is no point.
func (w *watch) rate(r *raw, pts []Point, st int64) []Point {
	out, resets := make([]Point, 0, max(len(pts)-1, 0)), 0
	for i := 1; i < len(pts); i++ {
		d, grown := pts[i].At-pts[i-1].At, pts[i].Value-pts[i-1].Value
		if grown < 0 {
			resets++
			grown = pts[i].Value
			if r.metric != OOM && pts[i].Value > pts[i-1].Value/2 {
				// Not back to zero: a sum of which one part went. What it grew by
				// is not known.
				continue
			}
		}
		if r.metric == OOM {
			out = append(out, Point{pts[i].At, grown})
			continue
		}
		if d <= 3*st {
			out = append(out, Point{pts[i].At, grown / float64(d)})
		}
	}
	w.found(r, CounterReset, resets, 0, 0)
	return out
}

// step is the median distance of two points.
func step(pts []Point) int64 {
	if len(pts) < 2 {
		return 0
	}
	d := make([]int64, 0, len(pts)-1)
	for i := 1; i < len(pts); i++ {
		d = append(d, pts[i].At-pts[i-1].At)
	}
	slices.Sort(d)
	return d[len(d)/2]
}

// runPoints are enough of a job.
const runPoints = 5

// The largest machine to be had, generously.
const (
	mostCPU    = 1024 * 1000
	mostMemory = 64 << 40
	leastSeen  = 64 << 10 // bytes that no process stays below
)

// bounds are what one copy can have used, in a metric's unit: far beyond what
// was declared is beyond any doubt only where it is much in itself.
func bounds(m Metric, d Declared) (least, most float64) {
	switch m {
	case CPU:
		if has := float64(d.CPU); has > 0 {
			return 0, min(mostCPU, max(100*has, 32000))
		}
		return 0, mostCPU
	case Memory:
		if has := float64(d.Memory); has > 0 {
			return leastSeen, min(mostMemory, max(100*has, 16<<30))
		}
		return leastSeen, mostMemory
	}
	return 0, 0
}

// implausible says what is wrong with a series' unit. Single points that cannot
// be are left out.
func (w *watch) implausible(s *Series, file string) (problem, hint string) {
	d := w.c.o.Declared[s.Workload]
	least, most := bounds(s.Metric, d)
	if most == 0 {
		return "", ""
	}
	copies := 1.0
	if s.Copy == "" {
		copies = float64(max(d.Replicas, 1))
	}
	beyond, peak, worst := 0, 0.0, 0.0
	for _, p := range s.Points {
		worst = max(worst, p.Value/copies)
		if p.Value/copies > most {
			beyond++
			continue
		}
		peak = max(peak, p.Value)
	}
	switch {
	case 5*beyond > len(s.Points) && s.Metric == CPU:
		return fmt.Sprintf("used %.0f cores a copy and declared %s", worst/1000, d.CPU), "say the unit: thousandths of a core are cpu_milli, a counter is cpu_seconds_total"
	case 5*beyond > len(s.Points):
		return fmt.Sprintf("used %.0f GiB a copy and declared %s", worst/(1<<30), d.Memory), "say the unit: memory_bytes, memory_mib"
	case peak > 0 && peak/copies < least:
		return fmt.Sprintf("used %.0f bytes at most and declared %s", peak/copies, d.Memory), "say the unit: memory_mib, memory_gib"
	case beyond > 0:
		s.Points = slices.DeleteFunc(s.Points, func(p Point) bool { return p.Value/copies > most })
		w.found(&raw{key: key{workload: s.Workload, metric: s.Metric}, file: file}, Spike, beyond, 0, 0)
	}
	return "", ""
}

func subject(id estate.Name) string { return "workload " + string(id) }

// lived remembers when a copy was there.
func (w *watch) lived(s *Series, file string) {
	if s.Metric != CPU && s.Metric != Memory {
		return
	}
	l := w.seen[s.Workload]
	if l == nil {
		l = &life{file: file, spans: map[string][2]int64{}, total: map[Metric]int{}}
		w.seen[s.Workload] = l
	}
	l.most = max(l.most, len(s.Points))
	l.total[s.Metric] += len(s.Points)
	if s.Copy == "" {
		return
	}
	from, to := s.Points[0].At, s.Points[len(s.Points)-1].At
	if x, ok := l.spans[s.Copy]; ok {
		from, to = min(from, x[0]), max(to, x[1])
	}
	l.spans[s.Copy] = [2]int64{from, to}
}

// atOnce is how many copies were there at one time at most.
func (l *life) atOnce() int {
	type event struct {
		at int64
		by int
	}
	var es []event
	for _, x := range l.spans {
		es = append(es, event{x[0], 1}, event{x[1] + 1, -1})
	}
	slices.SortFunc(es, func(a, b event) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.by, b.by)) })
	now, most := 0, 0
	for _, e := range es {
		now += e.by
		most = max(most, now)
	}
	return most
}

// said reports what was seen.
func (w *watch) said() {
	for _, k := range slices.SortedFunc(maps.Keys(w.about), func(a, b aboutKey) int {
		return cmp.Or(strings.Compare(string(a.workload), string(b.workload)), strings.Compare(string(a.metric), string(b.metric)), strings.Compare(string(a.code), string(b.code)))
	}) {
		a := w.about[k]
		w.c.name = a.file
		of := string(k.metric)
		if a.series > 1 {
			of = fmt.Sprintf("%d series of %s", a.series, of)
		}
		severity, problem, hint := diag.Note, "", ""
		switch k.code {
		case Gap:
			problem = fmt.Sprintf("%s in %s, the longest %s from %s", count(a.count, "gap"), of, time.Duration(min(a.longest, 1e9))*time.Second, clock(a.at))
			hint = "nothing is filled in: what happened there is not known"
		case CounterReset:
			problem = fmt.Sprintf("%s in %s", count(a.count, "counter reset"), of)
			hint = "counted from zero each time: its process or its exporter began again; of a sum of counters that loses one nothing is taken"
		case NotAscending:
			problem = fmt.Sprintf("%s of %s before the one it follows", count(a.count, "point"), of)
			hint = "they are sorted"
		case DuplicatePoint:
			severity, problem = diag.Warning, fmt.Sprintf("%s of %s with a second value", count(a.count, "time"), of)
			hint = "the larger is kept; were two copies' values written without a column that tells them apart?"
		case Spike:
			severity, problem = diag.Warning, fmt.Sprintf("%s of %s that no machine can have used", count(a.count, "point"), of)
			hint = "they are left out; look at the exporter"
		case MixedSteps:
			severity, problem = diag.Warning, fmt.Sprintf("steps of different length in %s", of)
			hint = "the peaks of longer steps are means; export all at the shortest step that is still kept"
		}
		w.c.report(k.code, severity, 0, subject(k.workload), problem, hint)
	}
	for _, id := range slices.Sorted(maps.Keys(w.seen)) {
		l := w.seen[id]
		w.c.name = l.file
		n := l.atOnce()
		for _, total := range l.total {
			if n > 0 {
				l.most = max(l.most, total/n) // copies that took each other's place
			}
		}
		if n > 0 && len(l.spans) > n {
			w.c.report(Restarted, diag.Note, 0, subject(id), fmt.Sprintf("%d copies were seen, at most %d at a time", len(l.spans), n), "the others are deployments or restarts")
		}
		enough := w.c.o.MinPoints
		if w.c.o.Declared[id].Runs {
			enough = min(enough, runPoints)
		}
		if l.most < enough {
			w.c.report(FewPoints, diag.Warning, 0, subject(id), fmt.Sprintf("%s of usage, fewer than %d", count(l.most, "point"), enough), "its declared values stay; export a longer time")
		}
	}
}

func clock(at int64) string { return time.Unix(at, 0).UTC().Format(time.RFC3339) }
