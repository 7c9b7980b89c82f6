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
	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/plan"
	"github.com/tranship/tranship/internal/plan/catalog"
	"github.com/tranship/tranship/internal/plan/fit/mix"
	"github.com/tranship/tranship/internal/plan/policy"
	"github.com/tranship/tranship/internal/plan/size"
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
	Tails *size.Tails
	// Today are the host machines; Hosts finds them. Without any there are no
	// steps.
	Today []policy.HostCost
}

// A Result is what was chosen.
type Result struct {
	Pools      []plan.Pool
	Nodes      []plan.Node
	Placements []plan.Placement
	Priorities []plan.Priority
	Survival   plan.Survival
	// Steps lead from today's hosts to the nodes; the last is the plan's cost.
	// Without known hosts of today there are none.
	Steps []Step
	// Sizes take the place of those that were given, where CPU was converted to
	// the new nodes' cores; nil where it was not.
	Sizes []plan.Size
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
	best, diags := in.choose(o, conversion{factor: 1})
	if !in.Policy.Spec.Sizing.ConvertCPU {
		return best, diags
	}
	for _, k := range in.conversions() {
		if other, list := in.choose(o, k); other.Survival.Cost < best.Survival.Cost && len(other.Pools) > 0 && !list.HasErrors() {
			best, diags = other, list
		}
	}
	return best, diags
}

// choose chooses the nodes, with CPU counted in one way.
func (in Inputs) choose(o binpack.Options, k conversion) (Result, diag.List) {
	var out Result
	if k.factor > 1 {
		in.Sizes = k.convert(in.Sizes)
		out.Sizes = in.Sizes
	}
	d := newDemand(&in)
	d.conversion = k
	if region := in.Policy.Spec.Target.Region; region != "" && region != in.Catalog.Region {
		d.diags = append(d.diags, noPrices("the price list is of "+cmp.Or(in.Catalog.Region, "no region")+", not of "+region))
	}
	asked, _ := level(&in)
	if asked == plan.SurviveZone && len(d.zones) < 2 {
		d.diags = append(d.diags, diag.Diagnostic{
			Code: CannotSurvive, Severity: diag.Error, Subject: "policy",
			Problem: "asks for survival of any zone and has one zone alone: the loss of any node is planned for",
			Hint:    "name two zones or more in spec.target.zones, or set spec.target.survive: node",
		})
		p := *in.Policy
		p.Spec.Target.Survive = "node"
		in.Policy = &p
	}
	at, depth := level(&in)
	out.Survival.Level, out.Survival.Reached = asked, at
	names := map[plan.PoolName]bool{}
	sum := costs{}
	var solved []*group
	for _, g := range d.groups() {
		if !g.solve(o, depth) {
			continue
		}
		solved = append(solved, g)
		for _, part := range g.parted {
			part.judge()
			pools, nodes, placements := part.pools(names)
			out.Pools, out.Nodes, out.Placements = append(out.Pools, pools...), append(out.Nodes, nodes...), append(out.Placements, placements...)
			part.survival(&out.Survival, nodes, depth == mix.Zone)
			out.Priorities = join(out.Priorities, part.classes())
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
	out.Steps = d.steps(solved, sum, o)
	d.diags.Sort()
	return out, d.diags
}

// join adds classes of priority, those of one name as one.
func join(all, more []plan.Priority) []plan.Priority {
	for _, p := range more {
		at := slices.IndexFunc(all, func(q plan.Priority) bool { return q.Name == p.Name })
		if at < 0 {
			all = append(all, p)
			continue
		}
		all[at].Workloads = append(all[at].Workloads, p.Workloads...)
	}
	slices.SortFunc(all, func(a, b plan.Priority) int { return cmp.Compare(a.Value, b.Value) })
	return all
}

func noPrices(problem string) diag.Diagnostic {
	return diag.Diagnostic{
		Code: NoPrice, Severity: diag.Error, Subject: "prices", Problem: problem,
		Hint: "import one with tranship prices import, or set spec.target.region to that of the list",
	}
}
