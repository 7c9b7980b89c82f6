// Package peak holds nodes against the rule on joint peaks: what runs on a node
// may need more CPU than it has only so often. It takes workloads' tails and what
// nodes run and gives probabilities. It never takes a quick look for the last word.
package peak

import (
	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/plan"
	"github.com/tranship/tranship/internal/plan/fit/berth"
	"github.com/tranship/tranship/internal/plan/fit/replay"
	"github.com/tranship/tranship/internal/plan/size"
)

// A Rule is how often a node may be overloaded. One without Tails holds always.
type Rule struct {
	Tails *size.Tails
	// Quick tell nearly the same as Tails, for a search to look at.
	Quick *size.Tails
	// Pods are the workloads by their index in loads.
	Pods []estate.Name
	// Allowed is the probability that is.
	Allowed float64
	// Factor is what a core of the nodes counts for in cores that Tails know.
	Factor float64
}

// Coarse is how many bins Quick may have.
const Coarse = 128

// Overload gives the probability that a node needs more CPU than it has.
func (r *Rule) Overload(n *replay.Node, on []replay.Load) float64 {
	if r.Tails == nil {
		return 0
	}
	pods := make([]plan.Copies, 0, len(on))
	for _, l := range on {
		pods = append(pods, plan.Copies{Workload: r.Pods[l.Pod], Count: l.Count})
	}
	return r.Tails.Overload(pods, r.room(n))
}

func (r *Rule) room(n *replay.Node) unit.CPU {
	return unit.CPU(float64(n.Room[replay.CPU]-n.System[replay.CPU]) * r.Factor)
}

// Worst gives the highest probability of an overload and its node.
func (r *Rule) Worst(nodes []replay.Node, on [][]replay.Load) (worst float64, at int) {
	for i := range nodes {
		if x := r.Overload(&nodes[i], on[i]); x > worst {
			worst, at = x, i
		}
	}
	return worst, at
}

// Holds reports whether no node is overloaded more often than it may be.
func (r *Rule) Holds(nodes []replay.Node, on [][]replay.Load) bool {
	worst, _ := r.Worst(nodes, on)
	return worst <= r.Allowed
}

// Load is an empty node for a search to put pods on.
func (r *Rule) Load(n *replay.Node) berth.Load {
	return &load{rule: r, sum: r.Quick.Sum(nil), room: r.room(n)}
}

type load struct {
	rule *Rule
	sum  *size.Sum
	room unit.CPU
}

func (l *load) Add(pod, n int) { l.sum.Add(l.rule.Pods[pod], n) }

// sure is which share of what is allowed a quick look may see, so that the last
// word is the same.
const sure = 0.99

func (l *load) Worry() float64 { return l.sum.Overload(l.room) / max(sure*l.rule.Allowed, 1e-9) }

// Cuts tell which fleets, as numbers of nodes by type, cannot hold all copies by a
// rule, however they are placed.
type Cuts struct {
	scale *size.Scale // nil where nothing is known
	rooms []unit.CPU
	found []size.Measure
}

// Cuts prepares cuts for copies, by their index in loads, and rooms for pods by type.
func (r *Rule) Cuts(copies []int, rooms []int64) *Cuts {
	c := &Cuts{}
	if r.Tails == nil {
		return c
	}
	pods := make([]plan.Copies, len(copies))
	for i, n := range copies {
		pods[i] = plan.Copies{Workload: r.Pods[i], Count: n}
	}
	for _, x := range rooms {
		c.rooms = append(c.rooms, unit.CPU(float64(x)*r.Factor))
	}
	c.scale = r.Tails.Scale(pods, r.Allowed)
	return c
}

// May reports whether no cut that is known speaks against a fleet.
func (c *Cuts) May(counts []int) bool {
	for i := range c.found {
		most := 0.0
		for t, n := range counts {
			most += c.found[i].Most[t] * float64(n)
		}
		if most < c.found[i].Least*(1-1e-9) {
			return false
		}
	}
	return true
}

// Cut looks for a cut that speaks against a fleet, and keeps it.
func (c *Cuts) Cut(counts []int) bool {
	if c.scale == nil {
		return false
	}
	m, ok := c.scale.Separate(counts, c.rooms)
	if ok {
		c.found = append(c.found, m)
	}
	return ok
}
