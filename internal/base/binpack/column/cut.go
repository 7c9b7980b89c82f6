package column

import (
	"math"

	"github.com/tranship/tranship/internal/base/binpack/shape"
)

// A Cutter finds cuts: weights of the classes with, for each type, a proven
// bound on the weight that a bin of it holds.
type Cutter struct {
	m     *shape.Model
	work  *shape.Meter
	sacks []*knapsack
}

// NewCutter starts with room that is worth the same in each dimension.
func NewCutter(m *shape.Model, work *shape.Meter) *Cutter {
	c := &Cutter{m: m, work: work}
	for t := range m.Types {
		price := make([]float64, m.Dim)
		for d, r := range m.RoomOf(t) {
			if r > 0 {
				price[d] = float64(m.Price[t]) / float64(r) / float64(m.Dim)
			}
		}
		k := newKnapsack(m, t, price)
		k.work = work
		c.sacks = append(c.sacks, k)
	}
	return c
}

// Weigh is, for each type, a bound on the weight in one bin, found with so many
// nodes of a search at most.
func (c *Cutter) Weigh(weight []float64, nodes int) []float64 {
	most := make([]float64, c.m.Types)
	for t := range most {
		most[t], _ = c.weigh(t, weight, nodes)
	}
	return most
}

func (c *Cutter) weigh(t int, weight []float64, nodes int) (float64, []shape.Load) {
	k := c.sacks[t]
	fluid := k.relax(weight, 4) * (1 + 1e-12)
	load, _, upper := k.search(weight, 0, nodes)
	return min(fluid, upper), load
}

// Resources are the cuts whose weights are the sizes in one dimension: a bin
// whose room runs out in another cannot use all of this one.
func (c *Cutter) Resources(nodes int) []Cut {
	var out []Cut
	for d := range c.m.Dim {
		weight := make([]float64, c.m.Classes)
		some := false
		for i := range weight {
			weight[i] = float64(c.m.SizeOf(i)[d])
			some = some || weight[i] > 0
		}
		if some {
			out = append(out, Cut{Value: weight, Most: c.Weigh(weight, nodes)})
		}
	}
	return out
}

// Separate looks for a cut that shows that these numbers of bins of each type
// cannot hold everything, by the subgradient method (Held and Karp 1971): the
// weight of a class rises while the heaviest loads hold too little of it.
func (c *Cutter) Separate(bins []int, start []float64, steps int) (Cut, bool) {
	m := c.m
	weight := append([]float64(nil), start...)
	total, norm := 0.0, 0.0
	for i, w := range weight {
		total += w * float64(m.Count[i])
		norm += float64(m.Count[i])
	}
	if total <= 0 {
		return Cut{}, false
	}
	scale := total / norm
	miss := make([]float64, m.Classes)
	for step := range steps {
		if c.work.Left <= 0 {
			break
		}
		gap := 0.0
		for i, n := range m.Count {
			miss[i] = float64(n)
			gap += weight[i] * float64(n)
		}
		for t, n := range bins {
			if n == 0 {
				continue
			}
			upper, load := c.weigh(t, weight, 2000)
			gap -= upper * float64(n)
			for _, l := range load {
				miss[l.Class] -= float64(l.Count) * float64(n)
			}
		}
		if gap > 1e-6*total {
			cut := Cut{Value: weight, Most: c.Weigh(weight, 500)}
			for t, n := range bins {
				if n > 0 {
					cut.Most[t], _ = c.weigh(t, weight, 2000)
				}
			}
			return cut, true
		}
		square := 0.0
		for _, g := range miss {
			square += g * g
		}
		if square == 0 {
			break
		}
		move := 0.3 * scale / math.Sqrt(square) / (1 + float64(step)/20)
		for i, g := range miss {
			weight[i] = max(0, weight[i]+move*g)
		}
	}
	return Cut{}, false
}
