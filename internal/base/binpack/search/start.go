package search

import (
	"math"

	"github.com/tranship/tranship/internal/base/binpack/shape"
)

// Start packs all of the model once. Style number 0 is the plain one; others
// differ in noise and in how much they favour large pieces. Pieces that no more
// bin may be had for are missing from the bins: types can be limited.
func Start(m *shape.Model, value []float64, types []int, number int, work *shape.Meter) []shape.Bin {
	return Rest(m, value, types, m.Count, number, work)
}

// Rest packs count pieces of each class, as Start packs all.
func Rest(m *shape.Model, value []float64, types []int, count []int, number int, work *shape.Meter) []shape.Bin {
	b := newBuilder(m, value, uint64(number)+1, work)
	for c, n := range count {
		b.pour([]shape.Load{{Class: int32(c), Count: int32(n)}}, 1)
	}
	styles := []style{
		{power: 2, repeat: true},
		{power: 2, polish: 8, repeat: true},
		{power: 1.5, polish: 8},
		{power: 3, polish: 8, noise: 0.02},
		{power: 1, polish: 8, noise: 0.02},
	}
	s := styles[number%len(styles)]
	if number >= len(styles) {
		s.noise = 0.03
	}
	if bins := b.build(types, math.MaxInt64, s); bins != nil {
		return bins
	}
	return b.some(types, count, s)
}

// some packs what limits of the types let it pack.
func (b *builder) some(types, count []int, s style) []shape.Bin {
	b.empty()
	clear(b.used)
	for c, n := range count {
		b.pour([]shape.Load{{Class: int32(c), Count: int32(n)}}, 1)
	}
	b.weigh(b.exact, 0, s.power)
	var bins []shape.Bin
	for len(b.active) > 0 {
		best, score := shape.Bin{}, -1.0
		for _, t := range types {
			if !b.free(t) {
				continue
			}
			b.begin(t)
			b.greedy(t)
			if q := b.worth / (float64(b.m.Price[t]) + 1e-9); len(b.taken) > 0 && q > score {
				best, score = shape.Bin{Type: t, Load: b.load()}, q
			}
		}
		if score < 0 {
			return bins
		}
		b.pour(best.Load, -1)
		b.used[best.Type]++
		bins = append(bins, best)
	}
	return bins
}
