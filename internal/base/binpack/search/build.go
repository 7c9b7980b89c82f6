package search

import (
	"math"
	"math/rand/v2"

	"github.com/tranship/tranship/internal/base/binpack/shape"
)

// A builder packs pools into new bins.
type builder struct {
	*filler
	exact  []float64 // values without noise
	total  []int64   // of the pool
	rest   []int64
	widest []int64 // room of any type, by dimension
	weight float64 // the pool's value without noise
	used   []int   // bins of each type, where types are limited
	hard   bool    // some class may not be in some type, so that loads are asked
	bounds bool    // of classes or groups
	limits bool
}

func newBuilder(m *shape.Model, value []float64, seed uint64, work *shape.Meter) *builder {
	b := &builder{filler: newFiller(m, rand.New(rand.NewPCG(seed, 0x9E3779B97F4A7C15)), work), exact: value}
	b.total = make([]int64, m.Dim)
	b.rest = make([]int64, m.Dim)
	b.used = make([]int, m.Types)
	b.widest = make([]int64, m.Dim)
	for t := range m.Types {
		for d, r := range m.RoomOf(t) {
			b.widest[d] = max(b.widest[d], r)
		}
	}
	for _, f := range m.Fit {
		b.hard = b.hard || f == 0
	}
	b.bounds = len(m.Group) > 0
	for c, n := range m.Most {
		b.bounds = b.bounds || n < m.Count[c]
	}
	for _, n := range m.Limit {
		b.limits = b.limits || n > 0
	}
	return b
}

func (b *builder) pour(load []shape.Load, sign int32) {
	for _, l := range load {
		if l.Count == 0 {
			continue
		}
		b.put(l.Class, sign*l.Count)
		for d, s := range b.m.SizeOf(int(l.Class)) {
			b.total[d] += s * int64(sign*l.Count)
		}
		b.weight += b.exact[l.Class] * float64(sign*l.Count)
	}
}

func (b *builder) free(t int) bool {
	return !b.limits || b.m.Limit[t] == 0 || b.used[t] < b.m.Limit[t]
}

// cheapest is the cheapest type of one bin that holds the whole pool less what
// is in the filler (when less is true), or -1.
func (b *builder) cheapest(less bool, below int64) int {
	m := b.m
	copy(b.rest, b.total)
	for d := range b.rest {
		if less {
			b.rest[d] -= m.RoomOf(b.now)[d] - b.room[d]
		}
		if b.rest[d] > b.widest[d] {
			return -1
		}
	}
	b.work.Spend(m.Types / 4)
	for t := range m.Types {
		if m.Price[t] >= below {
			return -1
		}
		if !b.free(t) {
			continue
		}
		room := m.RoomOf(t)
		ok := true
		for d, n := range b.rest {
			if n > room[d] {
				ok = false
				break
			}
		}
		if ok && b.all(t, less) {
			return t
		}
	}
	return -1
}

// all says whether the pool, less what the filler took, breaks no bound of one
// bin of type t other than its room.
func (b *builder) all(t int, less bool) bool {
	if !b.hard && !b.bounds {
		return true
	}
	m := b.m
	fit := m.FitOf(t)
	var group []int
	if b.bounds && len(m.Group) > 0 {
		group = make([]int, len(m.Group))
	}
	for _, c := range b.active {
		n := int(b.pool[c])
		if less {
			n -= int(b.take[c])
		}
		if n == 0 {
			continue
		}
		if fit[c] == 0 || n > m.Most[c] {
			return false
		}
		for _, g := range m.In[c] {
			if group[g] += n; group[g] > m.Group[g] {
				return false
			}
		}
	}
	return true
}

// everything is the pool as one load.
func (b *builder) everything(less bool) []shape.Load {
	b.work.Spend(4 * len(b.active))
	out := make([]shape.Load, 0, len(b.active))
	for _, c := range b.active {
		n := b.pool[c]
		if less {
			n -= b.take[c]
		}
		if n > 0 {
			out = append(out, shape.Load{Class: c, Count: n})
		}
	}
	return shape.Sort(out)
}

// A style is how one construction chooses.
type style struct {
	noise  float64
	power  float64
	polish int
	repeat bool // a load that was found is used again as often as it can be
}

// build packs the pool into bins of the given types that cost less than below,
// and leaves the pool empty; nil where it did not succeed, with the pool undefined.
// Bin by bin it takes the type and load with the most value for the price. At
// every step it also tries to end with one or two bins, and keeps the best end.
func (b *builder) build(types []int, below int64, s style) []shape.Bin {
	m := b.m
	var bins, end []shape.Bin
	var cost int64
	best := below
	b.weigh(b.exact, s.noise, s.power)
	for len(b.active) > 0 {
		if t := b.cheapest(false, best-cost); t >= 0 {
			best = cost + m.Price[t]
			end = append(append([]shape.Bin(nil), bins...), shape.Bin{Type: t, Load: b.everything(false)})
		}
		if float64(cost)+b.weight*(1-1e-9) >= float64(best) || b.work.Left <= 0 && below != math.MaxInt64 {
			break
		}
		type pick struct {
			bin   shape.Bin
			score float64
		}
		var top pick
		top.score = -1
		for _, t := range types {
			if !b.free(t) {
				continue
			}
			b.begin(t)
			b.greedy(t)
			if len(b.taken) == 0 {
				continue
			}
			if s.polish > 0 {
				b.polish(t, s.polish)
			}
			price := m.Price[t]
			score := b.worth / (float64(price) + 1e-9)
			if score > top.score {
				top = pick{bin: shape.Bin{Type: t, Load: b.load()}, score: score}
			}
			if cost+price < best {
				if u := b.cheapest(true, best-cost-price); u >= 0 && (u != t || !b.limits || m.Limit[t] == 0 || b.used[t]+1 < m.Limit[t]) {
					best = cost + price + m.Price[u]
					end = append(append([]shape.Bin(nil), bins...), shape.Bin{Type: t, Load: b.load()})
					if rest := b.everything(true); len(rest) > 0 {
						end = append(end, shape.Bin{Type: u, Load: rest})
					}
				}
			}
		}
		if top.score < 0 {
			break
		}
		times := 1
		if s.repeat {
			times = b.times(top.bin)
		}
		for range times {
			bin := shape.Bin{Type: b.shrink(top.bin), Load: top.bin.Load}
			b.pour(bin.Load, -1)
			b.used[bin.Type]++
			bins = append(bins, bin)
			cost += m.Price[bin.Type]
		}
		if cost >= best {
			break
		}
	}
	for _, bin := range bins {
		b.used[bin.Type]--
	}
	if len(b.active) == 0 && cost < best {
		return bins
	}
	b.empty()
	return end
}

func (b *builder) empty() {
	b.clear()
	clear(b.total)
	b.weight = 0
}

// shrink is the cheapest type that holds the bin's load.
func (b *builder) shrink(bin shape.Bin) int {
	b.m.Total(bin.Load, b.rest)
	for t := range b.m.Types {
		if b.m.Price[t] >= b.m.Price[bin.Type] {
			break
		}
		b.work.Spend(1)
		if b.free(t) && b.m.Holds(t, bin.Load, b.rest) {
			return t
		}
	}
	return bin.Type
}

// times is how often the pool holds a load: at most half of what it could be,
// while that is many, because later bins may want the same pieces.
func (b *builder) times(bin shape.Bin) int {
	n := int32(math.MaxInt32)
	for _, l := range bin.Load {
		n = min(n, b.pool[l.Class]/l.Count)
	}
	if b.m.Limit[bin.Type] > 0 {
		n = min(n, int32(b.m.Limit[bin.Type]-b.used[bin.Type]))
	}
	if n > 3 {
		n = n * 2 / 3
	}
	return int(max(n, 1))
}
