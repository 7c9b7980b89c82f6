package column

import (
	"math"
	"slices"

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
	least := k.relax(weight, 4) * (1 + 1e-12)
	for d := range c.m.Dim {
		least = min(least, k.along(weight, d))
	}
	load, _, upper := k.search(weight, 0, nodes)
	return min(least, upper), load
}

// states is how many amounts of one dimension are told apart.
const states = 4096

// along bounds the value of any load by what one dimension alone lets in, in
// whole pieces, by dynamic programming over its amounts.
func (k *knapsack) along(value []float64, d int) float64 {
	m := k.m
	fit := m.FitOf(k.t)
	var step int64
	free := 0.0 // of pieces that need none of it
	for c, n := range fit {
		if n == 0 {
			continue
		}
		s := m.SizeOf(c)[d]
		if s == 0 {
			free += max(0, value[c]) * float64(n)
		}
		for b := s; b != 0; {
			step, b = b, step%b
		}
	}
	if step == 0 || m.RoomOf(k.t)[d]/step > states {
		return math.Inf(1)
	}
	best := make([]float64, m.RoomOf(k.t)[d]/step+1)
	for c, n := range fit {
		s := int(m.SizeOf(c)[d] / step)
		if s == 0 || value[c] <= 0 {
			continue
		}
		// Any number up to n is a sum of these.
		for part := int32(1); n > 0; part *= 2 {
			part = min(part, n)
			n -= part
			size, worth := s*int(part), value[c]*float64(part)
			k.work.Spend((len(best) - size) / 4)
			for at := len(best) - 1; at >= size; at-- {
				best[at] = max(best[at], best[at-size]+worth)
			}
		}
	}
	return (best[len(best)-1] + free) * (1 + 1e-12)
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
// cannot hold everything, by the subgradient method (Held and Karp 1971, with
// the steps of Polyak 1969): the weight of a class rises while the heaviest
// loads hold too little of it. It starts from each of the weights in turn.
func (c *Cutter) Separate(bins []int, starts [][]float64, steps int) (Cut, bool) {
	for _, s := range starts {
		if weight := c.climb(bins, s, steps); weight != nil {
			cut := Cut{Value: weight, Most: c.Weigh(weight, 500)}
			for t, n := range bins {
				if n > 0 {
					upper, _ := c.weigh(t, weight, searched)
					cut.Most[t] = min(cut.Most[t], upper)
				}
			}
			return cut, true
		}
	}
	return Cut{}, false
}

// searched is the nodes of a search for the heaviest load of a bin in question.
const searched = 2000

// climb gives weights of which the bins cannot hold all, if it finds some.
func (c *Cutter) climb(bins []int, start []float64, steps int) []float64 {
	m := c.m
	weight := slices.Clone(start)
	miss := make([]float64, m.Classes)
	aim := 1e-3 // of the total weight, that the bins should not hold
	best, since := math.Inf(-1), 0
	for range steps {
		if c.work.Left <= 0 {
			return nil
		}
		gap, total := 0.0, 0.0
		for i, n := range m.Count {
			miss[i] = float64(n)
			total += weight[i] * float64(n)
		}
		for t, n := range bins {
			if n == 0 {
				continue
			}
			upper, load := c.weigh(t, weight, searched)
			gap -= upper * float64(n)
			for _, l := range load {
				miss[l.Class] -= float64(l.Count) * float64(n)
			}
		}
		gap += total
		if total <= 0 {
			return nil
		}
		if gap > 1e-6*total {
			return weight
		}
		if gap/total > best+1e-5 {
			best, since = gap/total, 0
		} else if since++; since > 12 {
			aim, since = aim/2, 0
			if aim < 1e-5 {
				return nil
			}
		}
		square := 0.0
		for _, g := range miss {
			square += g * g
		}
		if square == 0 {
			return nil
		}
		move := (aim*total - gap) / square
		for i, g := range miss {
			weight[i] = max(0, weight[i]+move*g)
		}
	}
	return nil
}
