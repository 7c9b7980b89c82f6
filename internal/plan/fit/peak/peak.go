// Package peak holds nodes against the rule on joint peaks: what runs on a node
// may need more CPU than it has only so often. It takes workloads' tails and what
// nodes run and gives probabilities. It never takes a quick look for the last word.
package peak

import (
	"math"

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
const sure = 0.96

func (l *load) Worry() float64 { return l.sum.Overload(l.room) / max(sure*l.rule.Allowed, 1e-9) }

// Fleets gives a test of fleets: false says that so many nodes of each room cannot
// hold all copies by the rule, however they are placed. Nil where nothing is known.
func (r *Rule) Fleets(copies []int, rooms []int64) func(counts []int) bool {
	if r.Tails == nil {
		return nil
	}
	pods := make([]plan.Copies, len(copies))
	for i, n := range copies {
		pods[i] = plan.Copies{Workload: r.Pods[i], Count: n}
	}
	sizes := make([]unit.CPU, len(rooms))
	for i, x := range rooms {
		sizes[i] = unit.CPU(float64(x) * r.Factor)
	}
	all := r.Tails.Measures(pods, sizes, r.Allowed)
	if all == nil {
		return nil
	}
	return func(counts []int) bool {
		for i := range all {
			if !holds(&all[i], counts) {
				return false
			}
		}
		return true
	}
}

// holds reports whether nodes could hold the weight of a measure, with the
// counted copies where they take the least room.
func holds(m *size.Measure, counts []int) bool {
	// most[k] is the most weight beside k counted copies.
	most := make([]float64, m.Heavy+1)
	for k := range most[1:] {
		most[k+1] = math.Inf(-1)
	}
	for t, n := range counts {
		for range n {
			for k := m.Heavy; k >= 0; k-- {
				best := math.Inf(-1)
				for own, weight := range m.Most[t][:min(k+1, len(m.Most[t]))] {
					best = max(best, most[k-own]+weight)
				}
				most[k] = best
			}
		}
	}
	return most[m.Heavy] >= m.Least
}
