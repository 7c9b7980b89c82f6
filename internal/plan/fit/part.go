package fit

import (
	"github.com/tranship/tranship/internal/base/binpack"
	"github.com/tranship/tranship/internal/plan/fit/mix"
)

// From so many nodes on it is worth a look whether large pods should have
// nodes of their own, and up to which share of the load they count as few.
const (
	partFrom  = 16
	partShare = 0.35
)

// part looks whether nodes of their own for the largest pods cost less: the
// scheduler spreads pods evenly, so that every node must keep room for the
// largest that may come.
func (g *group) part(o binpack.Options, depth mix.Level) {
	g.parted = []*group{g}
	if len(g.answer.Nodes) < partFrom {
		return
	}
	best, largest := g.answer.Cost, 0.0
	for _, x := range g.wants {
		largest = max(largest, g.extent(x.size))
	}
	for _, cut := range []float64{0.7, 0.5, 0.3} {
		var large, small []*want
		load := 0.0
		for _, x := range g.wants {
			if e := g.extent(x.size); e >= cut*largest {
				large = append(large, x)
				load += e * float64(x.count)
			} else {
				small = append(small, x)
			}
		}
		if len(small) == 0 || load > partShare {
			return // and no smaller cut will do
		}
		a, b := g.sub(large), g.sub(small)
		if !b.find(o, depth, nil) || b.answer.Cost >= best || !a.find(o, depth, nil) {
			continue
		}
		if sum := a.answer.Cost + b.answer.Cost; sum < best && a.answer.Accepted == g.answer.Accepted && b.answer.Accepted == g.answer.Accepted {
			best, g.parted = sum, []*group{b, a}
		}
	}
}

// extent is the larger share that a pod takes of all CPU or memory asked for.
func (g *group) extent(size vector) float64 {
	return max(float64(size[inCPU])/float64(max(g.total[inCPU], 1)), float64(size[inMemory])/float64(max(g.total[inMemory], 1)))
}

// sub is a group of some of the wants.
func (g *group) sub(wants []*want) *group {
	out := *g
	out.ports = map[string]int{}
	out.take(wants)
	return &out
}
