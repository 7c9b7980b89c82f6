package fit

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/plan"
	"github.com/tranship/tranship/internal/plan/fit/mix"
)

// costs are sums over all groups, per hour.
type costs struct {
	none, safe   unit.Money // packed, without the scheduler
	bought       unit.Money // what the plan pays
	listed       unit.Money // the same on demand, or at spot's price
	bound, least unit.Money // proven, with and without survival
	iterations   int
	stopped      bool
}

func (c *costs) add(g *group) {
	cost := unit.Money(0)
	for _, part := range g.parted {
		c.bought += part.bought()
		cost += unit.Money(part.answer.Cost)
	}
	c.listed += cost
	// A mix that the scheduler can carry out is a packing too.
	safe := min(unit.Money(g.safe.Cost), cost)
	c.safe += safe
	c.none += min(unit.Money(g.none.Cost), safe)
	// What survives holds everything before the loss too, under all its rules. The
	// packing without the rule on joint peaks may cost less than the bound with it.
	c.bound += g.discounted(max(min(max(unit.Money(g.safe.Bound), unit.Money(g.none.Bound)), safe), unit.Money(g.floor)))
	c.least += g.discounted(min(unit.Money(g.none.Bound), safe))
	c.iterations += g.none.Iterations + g.safe.Iterations
	c.stopped = c.stopped || g.none.Stopped || g.safe.Stopped
}

// discounted is the least that a sum at list price comes to under the savings
// plan.
func (g *group) discounted(m unit.Money) unit.Money {
	k := g.d.in.Policy.Spec.Buying.Commit
	if k == nil || g.class.purchase != plan.OnDemand {
		return m
	}
	return unit.Money(float64(m) * (1 - k.Discount*commitShare(k)))
}

func (c *costs) into(s *plan.Survival) {
	s.Cost, s.Bound, s.BoundWithout = c.bought, c.bound, c.least
	s.Price = c.safe - c.none
	s.Replay = c.listed - c.safe
	s.Iterations, s.CutShort = c.iterations, c.stopped
	if c.bound > 0 {
		s.Gap = float64(c.bought)/float64(c.bound) - 1
	}
}

// survival adds what the group's failures come to.
func (g *group) survival(s *plan.Survival, nodes []plan.Node, zones bool) {
	s.Preempted, s.Restored = max(s.Preempted, g.answer.Verdict.Most), s.Restored || g.answer.Restored
	for _, f := range g.failures(nodes, zones) {
		at := slices.IndexFunc(s.Failures, func(x plan.Failure) bool { return zones && x.Lost == f.Lost })
		if at < 0 {
			s.Failures = append(s.Failures, f)
			continue
		}
		x := &s.Failures[at]
		x.Moves, x.Stranded = append(x.Moves, f.Moves...), append(x.Stranded, f.Stranded...)
		x.Cleared = append(x.Cleared, f.Cleared...)
	}
	for i, x := range g.wants {
		s.Bent = append(s.Bent, x.forced...)
		how := bending(g.answer.Bent[i])
		for _, r := range x.rules {
			if how != strict && !r.soft {
				s.Bent = append(s.Bent, plan.Bent{Workload: x.w.ID, Constraint: r.source, Wish: r.zone && how == wished, Why: g.bending(x, r)})
			}
		}
	}
}

// bending says how far a rule holds.
func (g *group) bending(x *want, r rule) string {
	in := map[int]bool{}
	for _, n := range g.answer.Nodes {
		in[n.Zone] = true
	}
	if r.zone {
		return fmt.Sprintf("its %d copies are spread over the %d zones in which %d nodes stand, as far as there is room; after a loss over what is left (spec.target.apart: keep asks for more nodes)",
			x.count, len(in), len(g.answer.Nodes))
	}
	return fmt.Sprintf("its %d copies keep apart on %d nodes; after a loss they share what is left, as evenly as it goes (spec.target.apart: keep asks for more nodes)", x.count, len(g.answer.Nodes))
}

// settle says which level was reached.
func settle(s *plan.Survival) {
	for _, f := range s.Failures {
		if len(f.Stranded) > 0 {
			s.Reached = plan.SurviveNone
		}
	}
}

// judge reports what the group's nodes cannot promise.
func (g *group) judge() {
	g.lonely()
	if at, _ := level(g.d.in); at != plan.SurviveNone {
		for _, x := range g.wants {
			g.behind(x)
		}
	}
	g.diskDecides()
	if g.answer.Accepted {
		return
	}
	worst, at := g.peaks().Worst(g.answer.Nodes, g.answer.Verdict.Nodes)
	var ids []string
	for _, id := range g.names(g.answer.Verdict.Nodes[at]) {
		ids = append(ids, string(id))
	}
	g.d.diags = append(g.d.diags, diag.Diagnostic{
		Code: TooTight, Severity: diag.Warning, Subject: "plan",
		Problem: fmt.Sprintf("%s together need more CPU than a node has %.2f %% of the time, and policy allows %.2f %%; no more nodes help", strings.Join(some(ids), ", "), worst*100, overload(g.d.in)*100),
		Hint:    "raise spec.sizing.cpuPercentile or cpuMargin, or allow more (spec.sizing.overload)",
	})
}

// lonely reports what a failure leaves without a place.
func (g *group) lonely() {
	said := map[int]bool{}
	_, depth := level(g.d.in)
	for _, list := range g.answer.Verdict.Lonely {
		for _, l := range list {
			x := g.wants[l.Pod]
			if !said[l.Pod] && x.disk() && depth == mix.Zone {
				said[l.Pod] = true
				g.d.report(ZoneBound, diag.Error, x.w, "keeps its disk in one zone: the loss of that zone stops it, and the rest survives",
					"use storage that spans zones, or ask for less (spec.target.survive: node)")
			}
			if !said[l.Pod] {
				said[l.Pod] = true
				hint := "take off the constraint that names its zone, or ask for a second node there (spec.target.apart: keep)"
				if depth == mix.Zone {
					hint = "take off the constraint that names its zone: nothing survives the loss of the only zone that it may run in"
				}
				g.d.report(CannotSurvive, diag.Error, x.w, "may run in "+g.zonesOf(x)+" alone, and the loss of the only node there stops it: the rest survives", hint)
			}
		}
	}
}

func (g *group) zonesOf(x *want) string {
	var out []string
	for i, ok := range x.zones {
		if ok {
			out = append(out, g.d.zones[i])
		}
	}
	return strings.Join(out, ", ")
}

// behind reports data that a lost node takes along.
func (g *group) behind(x *want) {
	if g.d.in.Policy.Spec.Storage.HostPath == "none" {
		return
	}
	for i := range x.w.Volumes {
		v := &x.w.Volumes[i]
		if v.Kind != estate.HostVolume || !mounted(x.w, v.Name) {
			continue
		}
		severity, what := diag.Error, "one copy"
		if x.count > 1 {
			severity, what = diag.Warning, fmt.Sprintf("%d copies", x.count)
		}
		if _, ok := g.d.in.Policy.Said(StaysBehind, x.w.ID); ok {
			severity = diag.Note
		}
		g.d.report(StaysBehind, severity, x.w,
			fmt.Sprintf("has %s with data on the machine (%s): it starts again elsewhere without it, so its data does not survive a node", what, v.HostPath),
			"give it a persistent volume, leave such volumes out (spec.storage.hostPath: none), or accept it (spec.answers, code F009)")
		return
	}
}

// mounted reports whether some container writes to a volume; one that nobody
// mounts, or that is only read, holds nothing of its own.
func mounted(w *estate.Workload, name string) bool {
	for i := range w.Containers {
		for _, m := range w.Containers[i].Mounts {
			if m.Volume == name && m.ReadOnly {
				return false
			}
		}
	}
	return true
}

// diskDecides says so where the nodes' disks, which cost little, decide how
// many nodes there are.
func (g *group) diskDecides() {
	used := [dimensions]float64{}
	for _, d := range g.dims {
		room := int64(0)
		for _, n := range g.answer.Nodes {
			room += n.Room[slices.Index(g.dims, d)] - n.System[slices.Index(g.dims, d)]
		}
		used[d] = float64(g.total[d]) / float64(max(room, 1))
	}
	const clear = 1.3
	if disk := used[inEphemeral]; disk > clear*max(used[inCPU], used[inMemory], used[inPods]) && len(g.answer.Nodes) > 2 {
		g.d.diags = append(g.d.diags, diag.Diagnostic{
			Code: DiskDecides, Severity: diag.Warning, Subject: "policy",
			Problem: fmt.Sprintf("the nodes' disks decide how many there are: %.0f %% of them is asked for, and %.0f %% of CPU, %.0f %% of memory", disk*100, used[inCPU]*100, used[inMemory]*100),
			Hint:    "a larger disk costs less than a node: spec.target.rootVolume: 100Gi",
		})
	}
}
