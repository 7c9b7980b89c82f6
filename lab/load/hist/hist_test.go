package hist

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

func TestQuantileIsNeverBelowTheTruthAndAtMostABucketAbove(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		all := make([]int64, 1+random.IntN(200))
		most := int64(1) << (1 + random.IntN(41)) // of each size, not of the largest alone
		for i := range all {
			all[i] = random.Int64N(most)
		}
		q := 0.01 + 0.99*random.Float64()
		var parts [2]Hist
		for i, d := range all {
			parts[i%2].Add(time.Duration(d))
		}
		var h Hist
		h.Merge(parts[0].Sparse())
		h.Merge(parts[1].Sparse())
		slices.Sort(all)
		truth := time.Duration(all[int(math.Ceil(q*float64(len(all))))-1])
		got := h.Quantile(q)
		low, high := truth.Truncate(time.Microsecond), truth+truth/perOctave+time.Microsecond
		if got < low || got > high {
			t.Fatalf("quantile %v of %v = %v, want %v to %v", q, all, got, low, high)
		}
		if h.Total() != uint64(len(all)) || h.Max() != time.Duration(all[len(all)-1]) {
			t.Fatalf("%d counted, longest %v; want %d, %v", h.Total(), h.Max(), len(all), time.Duration(all[len(all)-1]))
		}
	}
}

func TestOfNothingThereIsNoQuantile(t *testing.T) {
	var h Hist
	if got := h.Quantile(0.99); got != 0 {
		t.Errorf("quantile of nothing = %v, want 0", got)
	}
}
