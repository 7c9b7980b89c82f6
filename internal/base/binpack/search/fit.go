package search

import (
	"math"
	"slices"

	"github.com/tranship/tranship/internal/base/binpack/shape"
)

// Fit tries to pack everything into a given number of bins of each type; nil
// where it does not succeed. It ruins one to three bins at a time and fills
// them anew, and keeps what leaves less outside.
func Fit(m *shape.Model, value []float64, fleet []int, seed uint64, work *shape.Meter) []shape.Bin {
	b := newBuilder(m, value, seed, work)
	var bins []shape.Bin
	for t, n := range fleet {
		for range n {
			bins = append(bins, shape.Bin{Type: t})
		}
	}
	if len(bins) == 0 {
		return nil
	}
	for c, n := range m.Count {
		b.pour([]shape.Load{{Class: int32(c), Count: int32(n)}}, 1)
	}
	all := make([]int, len(bins))
	for i := range all {
		all[i] = i
	}
	b.refill(bins, all)
	outside := b.weight
	whole := float64(max(work.Left, 1))
	average := outside
	for c, n := range m.Count {
		average += value[c] * float64(n)
	}
	average /= float64(m.Pieces())
	for len(b.active) > 0 && work.Spend(20+4*len(b.active)) {
		many := min(1+b.rng.IntN(3), len(bins))
		if len(bins) == 2 && b.rng.IntN(3) > 0 {
			many = 2
		}
		at := b.rng.Perm(len(bins))[:many]
		before := make([][]shape.Load, many)
		rest := b.everything(false)
		for i, k := range at {
			before[i] = bins[k].Load
			b.pour(bins[k].Load, 1)
			bins[k].Load = nil
		}
		b.refill(bins, slices.Clone(at))
		heat := average * float64(work.Left) / whole
		if b.weight > outside-heat*math.Log(1-b.rng.Float64()) {
			b.empty()
			b.pour(rest, 1)
			for i, k := range at {
				bins[k].Load = before[i]
			}
			continue
		}
		outside = b.weight
	}
	if len(b.active) > 0 {
		return nil
	}
	return slices.DeleteFunc(bins, func(x shape.Bin) bool { return len(x.Load) == 0 })
}

// refill fills empty bins from the pool, one after the other.
func (b *builder) refill(bins []shape.Bin, at []int) {
	b.rng.Shuffle(len(at), func(i, k int) { at[i], at[k] = at[k], at[i] })
	// Now and then the values lean to one dimension, so that loads differ.
	b.weigh(b.exact, 0.3*b.rng.Float64(), []float64{1, 1.5, 2, 3}[b.rng.IntN(4)])
	polish := b.rng.IntN(8)
	for _, k := range at {
		b.begin(bins[k].Type)
		b.greedy(bins[k].Type)
		if polish > 0 {
			b.polish(bins[k].Type, polish)
		}
		bins[k].Load = b.load()
		b.pour(bins[k].Load, -1)
	}
}
