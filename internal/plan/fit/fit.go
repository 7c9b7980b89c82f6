// Package fit chooses nodes for workloads: which instance types, how many, and
// which copies run where. It takes an estate with its sizes, a policy and a
// price list, and gives node pools, expected nodes, placements, what the plan
// survives and what every decision costs. It never gives a plan that the
// default scheduler of Kubernetes could not carry out.
package fit

import (
	"github.com/tranship/tranship/internal/base/binpack"
	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/plan"
	"github.com/tranship/tranship/internal/plan/catalog"
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
	// Host machines of today; Hosts finds them.
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

// A Step is what the nodes cost once a decision is taken.
type Step struct {
	Name   string // "today", "right-size", "pack", "instance choice", "spot/plan", "survival", "scheduler"
	Hourly unit.Money
	Why    string
}

// Make chooses the nodes. What cannot be planned is reported and left out.
func Make(in Inputs, o binpack.Options) (Result, diag.List) {
	_, _ = in, o
	return Result{}, nil
}

// Hosts tells what machines run today and what they cost: as policy says, or
// else as the estate's hosts say or look like.
func Hosts(e *estate.Estate, p *policy.Policy, c *catalog.Catalog) ([]policy.HostCost, diag.List) {
	_, _, _ = e, p, c
	return nil, nil
}
