package fit

import (
	"slices"

	"github.com/tranship/tranship/internal/base/binpack"
	"github.com/tranship/tranship/internal/base/binpack/failure"
	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/plan/fit/mix"
	"github.com/tranship/tranship/internal/plan/fit/peak"
	"github.com/tranship/tranship/internal/plan/fit/replay"
)

// solve packs the group and finds nodes on which the scheduler places it. What
// it cannot place with any nodes is reported and left out.
func (g *group) solve(o binpack.Options, depth mix.Level) bool {
	for len(g.wants) > 0 {
		g.pack(o, depth)
		if g.find(o, depth, [][]int{g.counts(g.safe.Bins), g.counts(g.none.Bins)}) {
			g.cheaper(o, depth)
			g.part(o, depth)
			return true
		}
		if g.alone(o, depth) {
			return true
		}
		left := g.wants[:0:0]
		for i, x := range g.wants {
			if !g.answer.Stuck[i] {
				left = append(left, x)
				continue
			}
			g.notPlaced(x)
		}
		if len(left) == len(g.wants) {
			for _, x := range left {
				g.notPlaced(x)
			}
			return false
		}
		g.take(left)
	}
	return false
}

func (g *group) notPlaced(x *want) {
	g.d.report(NotPlaced, diag.Error, x.w, "finds no place by the scheduler's own rules in every order, however many nodes there are: it is left out",
		"take off a constraint, or spread it over more zones (spec.target.zones)")
}

// alone gives nodes of their own to workloads that must be together: beside
// others, the first copy may find a node that has no room for the last.
func (g *group) alone(o binpack.Options, depth mix.Level) bool {
	together, rest := g.divide(func(x *want) bool { return x.together && x.count > 1 })
	if len(together) == 0 || len(g.wants) == 1 {
		return false
	}
	var parts []*group
	if len(rest) > 0 {
		parts = append(parts, g.sub(rest))
	}
	for _, x := range together {
		parts = append(parts, g.sub([]*want{x}))
	}
	for _, p := range parts {
		if !p.find(o, depth, nil) {
			return false
		}
	}
	g.parted = parts
	return true
}

// find looks for nodes on which the scheduler places the group.
func (g *group) find(o binpack.Options, depth mix.Level, starts [][]int) bool {
	p := g.mixProblem(depth)
	p.Starts = starts
	answer, ok := mix.Find(p, mix.Options{Each: o.Each})
	g.answer = answer
	return ok
}

// cheaper looks for nodes that cost less and will do if the scheduler is told
// more: which nodes the copies prefer, or which pods make room for which. Where
// the scheduler needs far more nodes than that, neither is looked for.
func (g *group) cheaper(o binpack.Options, depth mix.Level) {
	if depth == mix.None || len(g.answer.Nodes) > 2*mix.MaxTold {
		return
	}
	x := &g.d.in.Policy.Spec.Target
	p := g.mixProblem(depth)
	mixes := g.fleets(&p)
	if x.Priorities != "none" {
		p.Priorities = g.priorities()
	}
	if x.Pools != "by-type" {
		if a, ok := mix.Steer(p, mixes, mix.Options{Each: o.Each, Below: g.answer.Cost, Patience: min(o.Iterations/binpack.Budget(patient), maxPatience)}); ok {
			g.answer = a
		}
	}
	if p.Priorities != nil {
		if a, ok := mix.Find(p, mix.Options{Each: o.Each, Below: g.answer.Cost, Ranked: true}); ok && a.Accepted {
			g.answer = a
		}
	}
}

// fleets lists the mixes that cost less than the answer and may do by their
// sums, the cheapest first: nothing that survives costs less than the first of them.
func (g *group) fleets(p *mix.Problem) [][]int {
	q := p.Query()
	cuts := g.cuts(q.Rooms)
	p.Fleets, q.Rule = cuts.May, cuts.May
	low := int64(max(g.safe.Bound, g.none.Bound))
	var mixes [][]int
	limit := low
	for share := 1.0 / 16; len(mixes) < enough && limit < g.answer.Cost; share *= 1.5 {
		next := min(low+int64(share*float64(g.answer.Cost-low))+1, g.answer.Cost)
		more, whole := q.Below(next)
		if !whole {
			break
		}
		for mixes, limit = more, next; len(mixes) > 0 && cuts.Cut(mixes[0]); {
			mixes = slices.DeleteFunc(mixes, func(m []int) bool { return !cuts.May(m) })
		}
	}
	if g.floor = limit; len(mixes) > 0 {
		g.floor = q.Cost(mixes[0])
	}
	if slices.ContainsFunc(p.Pods, func(x mix.Pod) bool { return x.Strict.Waits }) {
		g.floor = 0 // what may wait for a new node asks for less than the sums
	}
	return mixes
}

// cuts are by the rule on joint peaks; none where the nodes do not keep it.
func (g *group) cuts(types [][]int64) *peak.Cuts {
	if !g.answer.Accepted {
		return &peak.Cuts{}
	}
	var copies []int
	var rooms []int64
	for _, x := range g.wants {
		copies = append(copies, x.count)
	}
	for _, room := range types {
		rooms = append(rooms, room[replay.CPU])
	}
	return g.peaks().Cuts(copies, rooms)
}

// For so many seconds of budget berths that are near are sought for long once
// more, up to a bound.
const (
	patient     = 5
	maxPatience = 12
)

// enough mixes are listed for one that will do to be among them.
const enough = 200

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
	best := g.answer.Cost
	try := func(first, rest []*want) {
		a, b := g.sub(first), g.sub(rest)
		if !b.find(o, depth, nil) || b.answer.Cost >= best || !a.find(o, depth, nil) {
			return
		}
		if sum := a.answer.Cost + b.answer.Cost; sum < best && a.answer.Accepted && b.answer.Accepted {
			best, g.parted = sum, []*group{b, a}
		}
	}
	if disks, rest := g.divide((*want).disk); depth != mix.None && len(disks) > 0 && len(rest) > 0 {
		try(disks, rest) // a disk waits for room in its zone; nobody else takes it here
	}
	if len(g.answer.Nodes) < partFrom {
		return
	}
	largest := 0.0
	for _, x := range g.wants {
		largest = max(largest, g.extent(x.size))
	}
	for _, cut := range []float64{0.7, 0.5, 0.3} {
		large, small := g.divide(func(x *want) bool { return g.extent(x.size) >= cut*largest })
		load := 0.0
		for _, x := range large {
			load += g.extent(x.size) * float64(x.count)
		}
		if len(small) == 0 || load > partShare {
			return // and no smaller cut will do
		}
		try(large, small)
	}
}

// divide parts the wants.
func (g *group) divide(first func(*want) bool) (yes, no []*want) {
	for _, x := range g.wants {
		if first(x) {
			yes = append(yes, x)
		} else {
			no = append(no, x)
		}
	}
	return yes, no
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
