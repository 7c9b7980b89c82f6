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
	"github.com/tranship/tranship/internal/plan/catalog"
	"github.com/tranship/tranship/internal/plan/policy"
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
	out := plan.Plan{Version: plan.Version, AsOf: asOf, Policy: p, Ledger: e.Ledger, Sizes: []plan.Size{}, Placements: []plan.Placement{}}
	e.Ledger = nil
	out.Estate = e
	pool := plan.Pool{Name: defaultPool, Reason: plan.OnlyPool}
	for i := range e.Workloads {
		w := &e.Workloads[i]
		if !plan.Moves(w, &p) {
			continue
		}
		s := size(w, p.For(w.ID))
		out.Sizes = append(out.Sizes, s)
		out.Placements = append(out.Placements, plan.Placement{Workload: w.ID, Pool: defaultPool, Reason: plan.OnlyPool})
		for _, c := range s.Containers {
			pool.CPU += c.CPU * unit.CPU(s.Replicas)
			pool.Memory += c.Memory * unit.Bytes(s.Replicas)
			pool.GPUs += c.GPUs * s.Replicas
		}
	}
	out.Pools = []plan.Pool{pool}
	waves, list := wave.Make(wave.Inputs{Estate: &out.Estate, Policy: &p, Sizes: out.Sizes, Usage: &in.Usage, Ledger: out.Ledger, AsOf: asOf})
	out.Waves = waves
	diags = append(diags, list...)
	for i := range out.Ledger {
		x := &out.Ledger[i]
		if x.Verdict == ledger.Decision {
			x.Answer, _ = policy.AnswerTo(&p, x.Code, estate.Name(x.Workload))
		}
	}
	diags = append(diags, unknownWorkloads(&out.Estate, &p)...)
	return out, diags
}

func size(w *estate.Workload, said policy.Workload) plan.Size {
	s := plan.Size{Workload: w.ID, Replicas: w.Replicas, Containers: []plan.ContainerSize{}, Reason: plan.AsDeclared}
	if said.Replicas != nil {
		s.Replicas, s.Reason = *said.Replicas, plan.ByPolicy
	}
	for _, c := range w.Containers {
		s.Containers = append(s.Containers, plan.ContainerSize{Name: c.Name, CPU: c.CPU, Memory: c.Memory, Disk: c.Disk, GPUs: c.GPUs})
	}
	return s
}

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
