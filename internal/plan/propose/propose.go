// Package propose makes the plan: it has sizes, nodes, costs and waves worked
// out in their order and puts them together. It takes values and gives a plan
// that is not yet sealed. It never acts and never reads a clock.
package propose

import (
	"fmt"
	"time"

	"github.com/tranship/tranship/internal/base/binpack"
	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/plan"
	"github.com/tranship/tranship/internal/plan/bill"
	"github.com/tranship/tranship/internal/plan/catalog"
	"github.com/tranship/tranship/internal/plan/fit"
	"github.com/tranship/tranship/internal/plan/policy"
	"github.com/tranship/tranship/internal/plan/size"
	"github.com/tranship/tranship/internal/plan/usage"
	"github.com/tranship/tranship/internal/plan/wave"
)

// defaultPool holds all workloads where there are no prices to choose nodes by.
const defaultPool plan.PoolName = "default"

// Inputs are all that a plan follows from.
type Inputs struct {
	Estate estate.Estate
	Policy policy.Policy
	Usage  usage.Set
	// Prices to choose nodes by; without types nodes are not chosen.
	Prices catalog.Catalog
	// AsOf is the date to plan for, as 2006-01-02.
	AsOf string
}

// Make proposes a plan: sizes, nodes, costs and waves.
func Make(in Inputs, o binpack.Options) (plan.Plan, diag.List) {
	e, p, asOf := in.Estate, in.Policy, in.AsOf
	var diags diag.List
	if _, err := time.Parse(time.DateOnly, asOf); err != nil {
		diags = append(diags, diag.Diagnostic{
			Code: BadDate, Severity: diag.Error, Subject: "plan", Problem: fmt.Sprintf("date %q is not of the form 2006-01-02", asOf),
			Hint: "give it with --as-of",
		})
		return plan.Plan{}, diags
	}
	diags = append(diags, e.Check()...)
	out := plan.Plan{Version: plan.Version, AsOf: asOf, Policy: p, Ledger: e.Ledger, Placements: []plan.Placement{}}
	e.Ledger = nil
	out.Estate = e
	for _, f := range in.Usage.Sources {
		out.Usage = append(out.Usage, plan.UsageFile{File: f.File, Format: f.Format, From: stamp(f.From), To: stamp(f.To), Series: f.Series, Points: f.Points})
	}
	sizes, list := size.Make(&out.Estate, &in.Usage, &p)
	out.Sizes = sizes
	diags = append(diags, list...)
	var chosen fit.Result
	var hosts []policy.HostCost
	if len(in.Prices.Types) == 0 {
		onePool(&out)
	} else {
		hosts, list = fit.Hosts(&out.Estate, &p, &in.Prices)
		diags = append(diags, list...)
		chosen, list = choose(&out, &in, hosts, o)
		diags = append(diags, list...)
	}
	out.Waves, list = wave.Make(wave.Inputs{Estate: &out.Estate, Policy: &p, Sizes: out.Sizes, Usage: &in.Usage, Ledger: out.Ledger, AsOf: asOf})
	diags = append(diags, list...)
	if len(in.Prices.Types) > 0 {
		steps := make([]bill.Step, len(chosen.Steps))
		for i, x := range chosen.Steps {
			steps[i] = bill.Step(x)
		}
		out.Bill, list = bill.Make(bill.Inputs{
			Estate: &out.Estate, Policy: &p, Catalog: &in.Prices, AsOf: asOf, Hosts: hosts, Sizes: out.Sizes,
			Pools: out.Pools, Survival: out.Survival, Steps: steps, Waves: out.Waves,
		})
		diags = append(diags, list...)
	}
	for i := range out.Ledger {
		x := &out.Ledger[i]
		if x.Verdict == ledger.Decision {
			x.Answer, _ = policy.AnswerTo(&p, x.Code, estate.Name(x.Workload))
		}
	}
	diags = append(diags, unknownWorkloads(&out.Estate, &p)...)
	return out, diags
}

// choose fits the workloads to nodes that the price list offers.
func choose(out *plan.Plan, in *Inputs, hosts []policy.HostCost, o binpack.Options) (fit.Result, diag.List) {
	declared := out.Policy
	declared.Spec.Sizing.From = "declared"
	asDeclared, _ := size.Make(&out.Estate, &usage.Set{}, &declared) // what it finds was reported for the real sizes
	got, diags := fit.Make(fit.Inputs{
		Estate: &out.Estate, Policy: &out.Policy, Catalog: &in.Prices, Sizes: out.Sizes, Declared: asDeclared,
		Tails: size.NewTails(&out.Estate, &in.Usage, out.Sizes), Today: hosts,
	}, o)
	out.Prices = plan.Prices{Region: in.Prices.Region, Date: in.Prices.Date, Source: in.Prices.Source, Estimated: in.Prices.Estimated}
	out.Pools, out.Nodes, out.Survival = got.Pools, got.Nodes, got.Survival
	out.Priorities = got.Priorities
	if got.Sizes != nil {
		out.Sizes = got.Sizes // in the new nodes' cores
	}
	if got.Placements != nil {
		out.Placements = got.Placements
	}
	return got, diags
}

// onePool puts all on one pool, of no type: there are no prices to choose by.
func onePool(out *plan.Plan) {
	pool := plan.Pool{Name: defaultPool, Reason: plan.OnlyPool}
	for _, s := range out.Sizes {
		out.Placements = append(out.Placements, plan.Placement{Workload: s.Workload, Pool: defaultPool, Reason: plan.OnlyPool})
		for _, c := range s.Containers {
			pool.CPU += c.CPU * unit.CPU(s.Replicas)
			pool.Memory += c.Memory * unit.Bytes(s.Replicas)
			pool.GPUs += c.GPUs * s.Replicas
		}
	}
	out.Pools = []plan.Pool{pool}
}

func stamp(at int64) string { return time.Unix(at, 0).UTC().Format(time.RFC3339) }

// unknownWorkloads reports answers for workloads that are not there: a name
// was mistyped, or the workload is gone.
func unknownWorkloads(e *estate.Estate, p *policy.Policy) diag.List {
	var list diag.List
	for id := range p.Spec.Workloads {
		if e.Find(estate.Name(id)) == nil {
			list = append(list, diag.Diagnostic{
				Code: NoSuchWorkload, Severity: diag.Warning, Subject: "policy", Problem: "answers for " + id + ", which is not in the estate",
				Hint: "tranship discover lists the workloads",
			})
		}
	}
	list.Sort()
	return list
}
