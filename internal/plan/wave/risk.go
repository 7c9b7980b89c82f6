package wave

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/plan/policy"
	"github.com/tranship/tranship/internal/plan/usage"
)

// What adds to the risk of a group, and how much. The sum is cut at 100. They
// are a judgement, in the order of what it costs to be wrong: lost data cannot
// be rolled back, a stop is seen by all who call, the rest makes trouble likely
// or hard to see. docs/decisions/0008 gives the reasons.
const (
	riskState     = 30 // it keeps data
	riskSingleton = 15 // it stands still while it moves: no second copy may run
	riskOneCopy   = 10 // one copy: a bad start is an outage
	riskRuns      = 5  // a job: its runs must not overlap
	riskUnchecked = 10 // no health check: a gate cannot see that it serves
	riskCaller    = 3  // for each workload that depends on it,
	riskCallers   = 18 // at most
	riskTraffic   = 15 // for all traffic of the estate, a share for its share
	riskRoute     = 5  // for each route from outside where traffic was not measured
	riskOpen      = 1  // for each decision that is open,
	riskOpens     = 15 // at most
	riskMember    = 2  // for each further workload that must move at the same time,
	riskMembers   = 10 // at most
	riskName      = 3  // for each name in it that leads nowhere known,
	riskNames     = 9  // at most
	riskReplaced  = 5  // it calls a framework, whose place an operator takes
)

// Evidence is how it is known that a group has real traffic.
type evidence int

const (
	noTraffic evidence = iota
	inside             // others inside have an address of it
	outside            // a route from outside leads to it
	measured           // its requests were counted
)

// A load is what a workload was seen to do.
type load struct {
	requests float64 // per second
	counted  bool
	cpu      float64 // thousandths of a core, all copies
}

// rate works out the risk of every group and what traffic it has.
func (g *graph) rate(in *Inputs) {
	loads, requests, cpu := g.loads(in)
	open := g.open(in)
	callers, lost := g.callers(), g.lost
	routes, addresses := g.ways(in.Estate)
	for v := range g.groups {
		x := &g.groups[v]
		r := rating{group: x}
		var sum load
		var opens, names int
		var paths, inner, replaced []string
		for _, i := range x.members {
			w := g.workloads[i]
			r.workload(w)
			l := loads[i]
			sum.requests, sum.cpu, sum.counted = sum.requests+l.requests, sum.cpu+l.cpu, sum.counted || l.counted
			opens += open[w.ID]
			names += lost[w.ID]
			replaced = append(replaced, g.replaced[w.ID]...)
			if w.Replicas > 0 {
				paths, inner = append(paths, routes[w.ID]...), append(inner, addresses[w.ID]...)
			}
		}
		slices.Sort(paths)
		paths = slices.Compact(paths)
		r.state()
		if n := callers[v]; n > 0 {
			r.add(min(n*riskCaller, riskCallers), "%s on it", verb(n, "workload", "depends", "depend"))
		}
		x.requests = sum.requests
		switch {
		case sum.counted:
			if sum.requests > 0 {
				x.traffic = measured
			}
		case len(paths) > 0:
			x.traffic = outside
		case len(inner) > 0:
			x.traffic = inside
		}
		switch {
		case sum.counted && requests > 0:
			r.share(sum.requests/requests, fmt.Sprintf("of all requests (%.1f/s)", sum.requests))
		case len(paths) > 0:
			r.add(min(len(paths)*riskRoute, riskTraffic), "traffic from outside: %s", some(paths, 2))
		case cpu > 0 && sum.cpu > 0:
			r.share(sum.cpu/cpu, fmt.Sprintf("of all CPU used (%.0fm)", sum.cpu))
		}
		if opens > 0 {
			r.add(min(opens*riskOpen, riskOpens), "%s open", count(opens, "decision"))
		}
		if names > 0 {
			r.add(min(names*riskName, riskNames), "%d of its names lead nowhere known", names)
		}
		if len(replaced) > 0 {
			slices.Sort(replaced)
			r.add(riskReplaced, "calls %s, which is replaced, not moved", some(slices.Compact(replaced), 3))
		}
		if n := len(x.members) - 1; n > 0 {
			r.add(min(n*riskMember, riskMembers), "%s must move at the same time", count(n, "further workload"))
		}
		r.close()
	}
}

// A rating gathers what adds to a group's risk.
type rating struct {
	group                             *group
	data, single, one, runs, unheeded []string
	parts                             []part
}

type part struct {
	points int
	why    string
}

func (r *rating) add(points int, format string, args ...any) {
	if points > 0 {
		r.parts = append(r.parts, part{points, fmt.Sprintf(format, args...)})
	}
}

func (r *rating) share(of float64, what string) {
	r.add(max(int(math.Round(riskTraffic*of)), 1), "%.0f %% %s", 100*of, what)
}

func (r *rating) workload(w *estate.Workload) {
	id := string(w.ID)
	if w.Stateful || keepsData(w) {
		r.data = append(r.data, id)
	}
	switch {
	case w.Kind == estate.Job || w.Kind == estate.Schedule:
		r.runs = append(r.runs, id)
		return
	case w.Singleton:
		r.single = append(r.single, id)
	case w.Kind == estate.Service && w.Replicas == 1:
		r.one = append(r.one, id)
	}
	if w.Replicas > 0 && !checked(w) {
		r.unheeded = append(r.unheeded, id)
	}
}

// keepsData reports whether something is left on disk when all copies stop.
func keepsData(w *estate.Workload) bool {
	for i := range w.Volumes {
		switch w.Volumes[i].Kind {
		case estate.PersistentVolume, estate.ExternalVolume, estate.NFSVolume:
			return true
		case estate.HostVolume:
			if written(w, w.Volumes[i].Name) {
				return true
			}
		}
	}
	return false
}

// written reports whether a container may write to the volume.
func written(w *estate.Workload, volume string) bool {
	for i := range w.Containers {
		for _, m := range w.Containers[i].Mounts {
			if m.Volume == volume && !m.ReadOnly {
				return true
			}
		}
	}
	return false
}

// checked reports whether anything asks the workload if it is well.
func checked(w *estate.Workload) bool {
	for i := range w.Containers {
		c := &w.Containers[i]
		if len(c.Readiness) > 0 || slices.ContainsFunc(c.Checks, func(h estate.HealthCheck) bool { return !h.Advisory }) {
			return true
		}
	}
	return false
}

func (r *rating) state() {
	for _, x := range []struct {
		who    []string
		points int
		why    string
	}{
		{r.data, riskState, "keeps data"},
		{r.single, riskSingleton, "no second copy may run, so it stops while it moves"},
		{r.one, riskOneCopy, "runs as one copy"},
		{r.unheeded, riskUnchecked, "has no health check"},
		{r.runs, riskRuns, "its runs must not overlap"},
	} {
		if len(x.who) == 0 {
			continue
		}
		why := x.why
		if len(r.group.members) > 1 {
			why += ": " + some(x.who, 3)
		}
		r.add(x.points, "%s", why)
	}
}

// close writes the sum and its parts, the largest first.
func (r *rating) close() {
	slices.SortStableFunc(r.parts, func(a, b part) int { return cmp.Compare(b.points, a.points) })
	for _, p := range r.parts {
		r.group.risk += p.points
		r.group.risks = append(r.group.risks, fmt.Sprintf("%d: %s", p.points, p.why))
	}
	r.group.risk = min(r.group.risk, 100)
}

// loads gives what each workload was seen to do, and the sums.
func (g *graph) loads(in *Inputs) (loads []load, requests, cpu float64) {
	loads = make([]load, len(g.workloads))
	if in.Usage != nil {
		for i, l := range g.counted(in.Usage) {
			loads[i] = l
		}
	}
	for _, s := range in.Sizes {
		i, ok := g.at[s.Workload]
		if !ok {
			continue
		}
		for _, c := range s.Containers {
			if c.Used != nil {
				loads[i].cpu += float64(c.Used.CPUMedian) * float64(g.workloads[i].Replicas)
			}
		}
	}
	for _, l := range loads {
		requests += l.requests
		cpu += l.cpu
	}
	return loads, requests, cpu
}

// counted gives the mean of requests per workload. A sum over all copies is
// taken where there is one, else the copies' are added up; the same for
// containers.
func (g *graph) counted(set *usage.Set) map[int]load {
	type key struct {
		w         int
		copy, box bool
	}
	sums := map[key]float64{}
	for i := range set.Series {
		s := &set.Series[i]
		at, ok := g.at[s.Workload]
		if !ok || s.Metric != usage.Requests || len(s.Points) == 0 {
			continue
		}
		total := 0.0
		for _, p := range s.Points {
			if p.Value > 0 && !math.IsInf(p.Value, 0) {
				total += p.Value
			}
		}
		sums[key{at, s.Copy != "", s.Container != ""}] += total / float64(len(s.Points))
	}
	out := map[int]load{}
	for _, at := range slices.Sorted(maps.Keys(sumsBy(sums, func(k key) int { return k.w }))) {
		for _, k := range []key{{at, false, false}, {at, false, true}, {at, true, false}, {at, true, true}} {
			if v, ok := sums[k]; ok {
				out[at] = load{requests: v, counted: true}
				break
			}
		}
	}
	return out
}

func sumsBy[K comparable](m map[K]float64, of func(K) int) map[int]bool {
	out := map[int]bool{}
	for k := range m {
		out[of(k)] = true
	}
	return out
}

// open counts the decisions that nobody has answered, by workload.
func (g *graph) open(in *Inputs) map[estate.Name]int {
	out := map[estate.Name]int{}
	for i := range in.Ledger {
		x := &in.Ledger[i]
		id := estate.Name(x.Workload)
		if _, ok := g.at[id]; !ok || x.Verdict != ledger.Decision || x.Answer != "" {
			continue
		}
		if _, ok := policy.AnswerTo(in.Policy, x.Code, id); !ok {
			out[id] += max(x.Count, 1)
		}
	}
	return out
}

// callers counts, for each group, the workloads outside that depend on it.
func (g *graph) callers() []int {
	out := make([]int, len(g.groups))
	last := map[[2]int]bool{}
	for _, e := range g.edges {
		to := g.of[e[1]]
		if k := [2]int{e[0], to}; g.of[e[0]] != to && !last[k] {
			last[k] = true
			out[to]++
		}
	}
	return out
}

// ways gives the routes from outside and the addresses inside of each workload.
func (g *graph) ways(e *estate.Estate) (routes, addresses map[estate.Name][]string) {
	routes, addresses = map[estate.Name][]string{}, map[estate.Name][]string{}
	for i := range e.Endpoints {
		ep := &e.Endpoints[i]
		if ep.Disabled {
			continue
		}
		to := routes
		if ep.Kind == estate.VirtualAddress {
			to = addresses
		}
		for _, b := range ep.Backends {
			if b.Workload != "" && (b.Weight == nil || *b.Weight > 0) {
				to[b.Workload] = append(to[b.Workload], strings.TrimPrefix(ep.ID, "route:"))
			}
		}
	}
	return routes, addresses
}
