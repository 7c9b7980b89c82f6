// Package fit chooses nodes for workloads: which instance types, how many, and
// which copies run where. It takes an estate with its sizes, a policy and a
// price list, and gives node pools, expected nodes, placements, what the plan
// survives and what every decision costs. It never gives a plan that the
// default scheduler of Kubernetes could not carry out.
package fit

import (
	"cmp"
	"slices"
	"strings"

	"github.com/tranship/tranship/internal/base/binpack"
	"github.com/tranship/tranship/internal/base/binpack/failure"
	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/plan"
	"github.com/tranship/tranship/internal/plan/catalog"
	"github.com/tranship/tranship/internal/plan/fit/mix"
	"github.com/tranship/tranship/internal/plan/policy"
)

// Inputs are all that the nodes follow from.
type Inputs struct {
	Estate  *estate.Estate
	Policy  *policy.Policy
	Catalog *catalog.Catalog
	// Sizes are what workloads get, Declared what their definitions asked for.
	Sizes, Declared []plan.Size
	// Tails tells how likely copies are to overload a node; nil where no usage
	// is known.
	Tails Tail
	// Today are the host machines; Hosts finds them. Without any there are no
	// steps.
	Today []policy.HostCost
}

// A Tail knows how use varies in time.
type Tail interface {
	// Overload gives the probability that the copies need more CPU than room.
	Overload(pods []plan.Copies, room unit.CPU) float64
}

// A Result is what was chosen.
type Result struct {
	Pools      []plan.Pool
	Nodes      []plan.Node
	Placements []plan.Placement
	Survival   plan.Survival
	// Steps lead from today's hosts to the nodes; the last is the plan's cost.
	// Without known hosts of today there are none.
	Steps []Step
}

// A Step is what the nodes cost an hour once a decision is taken.
type Step struct {
	Name   string // "today", "right-size", "pack", "instance choice", "spot/plan", "survival", "scheduler"
	Hourly unit.Money
	Why    string
}

// Make chooses the nodes. What cannot be planned is reported and left out.
func Make(in Inputs, o binpack.Options) (Result, diag.List) {
	if in.Catalog == nil || len(in.Catalog.Types) == 0 {
		return Result{}, diag.List{noPrices("there is no price list")}
	}
	d := newDemand(&in)
	if region := in.Policy.Spec.Target.Region; region != "" && region != in.Catalog.Region {
		d.diags = append(d.diags, noPrices("the price list is of "+cmp.Or(in.Catalog.Region, "no region")+", not of "+region))
	}
	var out Result
	at, depth := level(&in)
	out.Survival.Level, out.Survival.Reached = at, at
	groups := d.groups()
	names := map[plan.PoolName]bool{}
	sum := costs{}
	kept := groups[:0]
	for _, g := range groups {
		if !g.solve(o, depth) {
			continue
		}
		kept = append(kept, g)
		for _, part := range g.parted {
			part.judge()
			pools, nodes, placements := part.pools(names)
			out.Pools, out.Nodes, out.Placements = append(out.Pools, pools...), append(out.Nodes, nodes...), append(out.Placements, placements...)
			part.survival(&out.Survival, nodes, depth == mix.Zone)
		}
		sum.add(g)
	}
	slices.SortFunc(out.Placements, func(a, b plan.Placement) int {
		return cmp.Or(strings.Compare(string(a.Workload), string(b.Workload)), strings.Compare(string(a.Pool), string(b.Pool)))
	})
	sum.into(&out.Survival)
	settle(&out.Survival)
	if len(out.Pools) == 1 {
		for i := range out.Placements {
			if p := &out.Placements[i]; p.Reason == plan.Cheapest {
				p.Reason = plan.OnlyPool
			}
		}
	}
	out.Steps = d.steps(kept, sum, o)
	d.diags.Sort()
	return out, d.diags
}

func noPrices(problem string) diag.Diagnostic {
	return diag.Diagnostic{
		Code: NoPrice, Severity: diag.Error, Subject: "prices", Problem: problem,
		Hint: "import one with tranship prices import, or set spec.target.region to that of the list",
	}
}

// solve packs the group and finds nodes on which the scheduler places it. What
// it cannot place with any nodes is reported and left out.
func (g *group) solve(o binpack.Options, depth mix.Level) bool {
	for len(g.wants) > 0 {
		g.pack(o, depth)
		if g.find(o, depth, [][]int{g.counts(g.safe.Bins), g.counts(g.none.Bins)}) {
			g.part(o, depth)
			return true
		}
		left := g.wants[:0:0]
		for i, x := range g.wants {
			if !g.answer.Stuck[i] {
				left = append(left, x)
				continue
			}
			g.d.report(NotPlaced, diag.Error, x.w, "finds no place with the scheduler's own rules, however many nodes there are: it is left out",
				"take off a constraint, or spread it over more zones (spec.target.zones)")
		}
		if len(left) == len(g.wants) {
			return false
		}
		g.take(left)
	}
	return false
}

// find looks for nodes on which the scheduler places the group.
func (g *group) find(o binpack.Options, depth mix.Level, starts [][]int) bool {
	p := g.mixProblem(depth)
	p.Starts = starts
	if g.d.in.Tails != nil {
		p.Accept = g.tail
	}
	answer, ok := mix.Find(p, mix.Options{Each: o.Each})
	g.answer = answer
	return ok
}

// pack packs the group without the scheduler: the least that is known to do.
func (g *group) pack(o binpack.Options, depth mix.Level) {
	g.none, _ = binpack.Pack(g.problem(g.choices, mix.None), o)
	if depth == mix.None {
		g.safe = failure.Result{Result: g.none}
		return
	}
	p := g.problem(g.choices, depth)
	want := failure.AnyNode
	if depth == mix.Zone {
		want, p.Zones = failure.AnyZone, len(g.d.zones)
	}
	g.safe, _ = failure.Pack(p, want, o)
}

// counts tells how many bins of each choice a packing has.
func (g *group) counts(bins []binpack.Bin) []int {
	out := make([]int, len(g.choices))
	for _, b := range bins {
		out[b.Type]++
	}
	return out
}
