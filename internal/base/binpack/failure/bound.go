package failure

import (
	"math"
	"slices"

	"github.com/tranship/tranship/internal/base/binpack"
	"github.com/tranship/tranship/internal/base/linear"
)

// boundNodes is how far each small integer program is searched.
const boundNodes = 400

// demand is what all items take, in each dimension; with safe without the
// pieces that may be lost.
func (m *model) demand(safe bool) []float64 {
	need := make([]float64, m.dims)
	for i, it := range m.p.Items {
		n := it.Count
		if safe {
			n -= m.items[i].exposed
		}
		for d, v := range it.Size {
			need[d] += float64(v) * float64(n)
		}
	}
	return need
}

// A row is a measure of bins that a failure must leave enough of.
type row struct {
	need  float64
	gives func(capacity []int64) float64
}

// rows are measures for which, whatever packs the items, the bins give at
// least what the items need: capacity in each dimension, and slots for the
// pieces of at least some size, of which a bin holds no more than fit.
func (m *model) rows(safe bool) []row {
	var out []row
	for d, v := range m.demand(safe) {
		out = append(out, row{v, func(c []int64) float64 { return float64(c[d]) }})
	}
	for d := range m.dims {
		var sizes []int64
		for i, it := range m.p.Items {
			if n := it.Count - m.lost(i, safe); n > 0 && it.Size[d] > 0 {
				sizes = append(sizes, it.Size[d])
			}
		}
		slices.Sort(sizes)
		sizes = slices.Compact(sizes)
		// Only large pieces leave rests that matter, and rows cost time.
		if len(sizes) > 6 {
			sizes = sizes[len(sizes)-6:]
		}
		for _, size := range sizes {
			n := 0
			for i, it := range m.p.Items {
				if it.Size[d] >= size {
					n += it.Count - m.lost(i, safe)
				}
			}
			out = append(out, row{float64(n), func(c []int64) float64 { return float64(c[d] / size) }})
		}
	}
	return out
}

func (m *model) lost(i int, safe bool) int {
	if safe {
		return m.items[i].exposed
	}
	return 0
}

// cover is the program of the cheapest bins of some types that give factor
// times the rows' needs and what a bin of the given size gives besides.
func (m *model) cover(types []int, rows []row, factor float64, besides []int64) *linear.Program {
	p := &linear.Program{}
	for _, r := range rows {
		l := linear.Row{Least: r.need * factor}
		if besides != nil {
			l.Least += r.gives(besides)
		}
		for _, t := range types {
			l.Coef = append(l.Coef, r.gives(m.p.Types[t].Capacity))
		}
		p.Rows = append(p.Rows, l)
	}
	for _, t := range types {
		p.Cost = append(p.Cost, float64(m.p.Types[t].Price))
	}
	return p
}

// relax is the program's least cost in parts of bins, +Inf if there is none,
// and the price of a unit of each row.
func relax(p *linear.Program) (float64, []float64) {
	s, err := linear.Solve(p)
	if err != nil || !s.Feasible {
		return math.Inf(1), make([]float64, len(p.Rows))
	}
	return s.Bound, s.Dual
}

// whole is a lower bound of the program's least cost in whole bins, told only
// as far as enough.
func whole(p *linear.Program, enough float64) float64 {
	b := linear.Branching{Nodes: boundNodes, Whole: true}
	if !math.IsInf(enough, 1) {
		b.Cutoff = enough
	}
	s, err := linear.Integer(p, b)
	if err != nil {
		return 0
	}
	return s.Bound
}

// bound is the greatest of the proven lower bounds for a level. none is a
// bound for packing all items without any failure.
func (m *model) bound(level Level, none binpack.Price) binpack.Price {
	low := float64(none)
	all := m.cover(m.buy, m.rows(false), 1, nil)
	low = max(low, whole(all, math.Inf(1)))
	if level != None {
		safe := float64(none)
		if m.anyExposed() {
			safe = 0
		}
		low = max(low, m.nodeBound(safe))
	}
	if level == AnyZone {
		low = max(low, m.zoneBound(float64(none)))
	}
	if math.IsInf(low, 1) {
		return none
	}
	return binpack.Price(math.Ceil(low*(1-1e-9) - 1e-6))
}

// nodeBound: whatever the bins, let M be the most that any of them has of each
// dimension. Some bin has M's CPU, another its memory. Each may fail, and the
// rest must still hold all items, so in each dimension the bins have M over the
// items' need. The bound is the least over all M that types can make.
func (m *model) nodeBound(none float64) float64 {
	rows := m.rows(true)
	type largest struct {
		size  []int64
		types []int
		value float64
	}
	var tries []largest
	for _, size := range m.largest() {
		l := largest{size: make([]int64, m.dims)}
		for _, t := range m.buy {
			within := true
			for d, v := range size {
				within = within && (v == anySize || m.p.Types[t].Capacity[d] <= v)
			}
			if within {
				l.types = append(l.types, t)
			}
		}
		// The dearest of those that must be there adds nothing to what is left.
		dearest := 0.0
		for d, v := range size {
			if v == anySize {
				continue
			}
			l.size[d] = v
			cheapest := math.Inf(1)
			for _, t := range l.types {
				if m.p.Types[t].Capacity[d] == v {
					cheapest = min(cheapest, float64(m.p.Types[t].Price))
				}
			}
			dearest = max(dearest, cheapest)
		}
		if math.IsInf(dearest, 1) {
			continue // no type within it is as large as this
		}
		c := m.cover(l.types, rows, 1, l.size)
		v, _ := relax(c)
		l.value = max(v, none+dearest)
		if !math.IsInf(v, 1) {
			tries = append(tries, l)
		}
	}
	slices.SortStableFunc(tries, func(a, b largest) int {
		switch {
		case a.value < b.value:
			return -1
		case a.value > b.value:
			return 1
		}
		return 0
	})
	best := math.Inf(1)
	for _, l := range tries {
		if l.value >= best {
			break
		}
		c := m.cover(l.types, rows, 1, l.size)
		best = min(best, max(l.value, whole(c, best)))
	}
	return best
}

// anySize stands for a dimension in which the largest is not told.
const anySize = -1

// largest are all combinations of the types' capacities in each dimension. Were
// they too many, further dimensions are not told apart, which is still a bound.
func (m *model) largest() [][]int64 {
	out := [][]int64{{}}
	for d := range m.dims {
		var sizes []int64
		for _, t := range m.buy {
			sizes = append(sizes, m.p.Types[t].Capacity[d])
		}
		slices.Sort(sizes)
		sizes = slices.Compact(sizes)
		if len(out)*len(sizes) > 5000 {
			sizes = []int64{anySize}
		}
		var next [][]int64
		for _, l := range out {
			for _, v := range sizes {
				next = append(next, append(slices.Clone(l), v))
			}
		}
		out = next
	}
	return out
}

// zoneBound: all zones but one hold everything, so each choice of them costs at
// least what packing without failure does. Every zone is in all choices but
// one, hence z zones cost at least z/(z-1) times that; and likewise for the capacity.
func (m *model) zoneBound(none float64) float64 {
	z := float64(m.zones)
	factor := z / (z - 1)
	safe := m.cover(m.buy, m.rows(true), 1, nil)
	each := whole(safe, math.Inf(1))
	if !m.anyExposed() {
		each = max(each, none)
	}
	c := m.cover(m.buy, m.rows(true), factor, nil)
	return max(each*factor, whole(c, math.Inf(1)))
}

func (m *model) anyExposed() bool {
	return slices.ContainsFunc(m.items, func(c class) bool { return c.exposed > 0 })
}
