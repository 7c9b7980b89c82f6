package plan

import (
	"fmt"
	"time"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/plan/policy"
)

// defaultPool holds all workloads until pools are chosen by price.
const defaultPool PoolName = "default"

// Make proposes a plan: replicas and requests as declared, one node pool, and
// waves from the dependency graph. asOf is the date to plan for, as 2006-01-02.
func Make(e estate.Estate, p policy.Policy, asOf string) (Plan, diag.List) {
	var diags diag.List
	if _, err := time.Parse(time.DateOnly, asOf); err != nil {
		diags = append(diags, diag.Diagnostic{
			Code: BadDate, Severity: diag.Error, Subject: "plan", Problem: fmt.Sprintf("date %q is not of the form 2006-01-02", asOf),
			Hint: "give it with --as-of",
		})
		return Plan{}, diags
	}
	diags = append(diags, e.Check()...)
	out := Plan{Version: Version, AsOf: asOf, Policy: p, Ledger: e.Ledger, Sizes: []Size{}, Placements: []Placement{}}
	e.Ledger = nil
	out.Estate = e
	pool := Pool{Name: defaultPool, Reason: OnlyPool}
	for i := range e.Workloads {
		w := &e.Workloads[i]
		if !Moves(w, &p) {
			continue
		}
		s := size(w, p.For(w.ID))
		out.Sizes = append(out.Sizes, s)
		out.Placements = append(out.Placements, Placement{Workload: w.ID, Pool: defaultPool, Reason: OnlyPool})
		for _, c := range s.Containers {
			pool.CPU += c.CPU * unit.CPU(s.Replicas)
			pool.Memory += c.Memory * unit.Bytes(s.Replicas)
			pool.GPUs += c.GPUs * s.Replicas
		}
	}
	out.Pools = []Pool{pool}
	waves, list := order(&out.Estate, &p)
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

// Close seals the plan.
func (p *Plan) Close() error {
	sum, err := p.Sum()
	p.Seal = sum
	return err
}

// Moves reports whether a workload is one that tranship moves: frameworks and
// infrastructure are replaced, not moved, and policy can leave one out.
func Moves(w *estate.Workload, p *policy.Policy) bool {
	return w.Kind != estate.Framework && w.Kind != estate.Infrastructure && !p.For(w.ID).Skip
}

func size(w *estate.Workload, said policy.Workload) Size {
	s := Size{Workload: w.ID, Replicas: w.Replicas, Containers: []ContainerSize{}, Reason: AsDeclared}
	if said.Replicas != nil {
		s.Replicas, s.Reason = *said.Replicas, ByPolicy
	}
	for _, c := range w.Containers {
		s.Containers = append(s.Containers, ContainerSize{Name: c.Name, CPU: c.CPU, Memory: c.Memory, Disk: c.Disk, GPUs: c.GPUs})
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
