package haproxy

import (
	"testing"

	"pgregory.net/rapid"
)

// TestSharesAreAsNearAsWeightsCanBe looks for a better pair by trying all.
func TestSharesAreAsNearAsWeightsCanBe(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		base := rapid.SliceOfN(rapid.SampledFrom([]int{1, 1, 1, 2, 3, 10, 100, 256}), 1, 4).Draw(t, "source")
		targets := rapid.IntRange(1, 4).Draw(t, "targets")
		percent := rapid.IntRange(0, 100).Draw(t, "percent")
		up := func(n int) []bool {
			out := make([]bool, n)
			for i := range out {
				out[i] = i == 0 || rapid.Bool().Draw(t, "up")
			}
			return out
		}
		sourceUp, targetUp := up(len(base)), up(targets)
		source, target := shares(base, sourceUp, targetUp, percent)
		s, w, least := 0, 0, 0
		for i, n := range source {
			if n < 0 || n > maxWeight {
				t.Fatalf("a source weight of %d", n)
			}
			if percent > 0 && percent < 100 && n*base[0] != source[0]*base[i] {
				t.Fatalf("source weights %v are not as %v to each other", source, base)
			}
			if sourceUp[i] {
				s += n
				least += reduced(base)[i]
			}
		}
		for i, n := range target {
			if n < 0 || n > maxWeight || !targetUp[i] && percent < 100 && n != 0 {
				t.Fatalf("target weights %v of servers up %v", target, targetUp)
			}
			if targetUp[i] {
				w += n
			}
		}
		off := distance(s, w, percent)
		if percent == 0 && w != 0 || percent == 100 && s != 0 {
			t.Fatalf("%d percent: source %d, target %d", percent, s, w)
		}
		if percent == 0 || percent == 100 {
			return
		}
		most := 0
		for _, b := range reduced(base) {
			most = max(most, b)
		}
		for a := 1; a*most <= maxWeight; a++ {
			for x := 1; x <= maxWeight*count(targetUp); x++ {
				if d := distance(a*least, x, percent); d < off-1e-9 {
					t.Fatalf("%d percent: %d of %d is %v off, %d of %d only %v", percent, w, s+w, off, x, a*least+x, d)
				}
			}
		}
	})
}

func TestOneServerOnEachSideMeetsEveryPercent(t *testing.T) {
	for percent := 1; percent < 100; percent++ {
		source, target := shares([]int{100}, []bool{true}, []bool{true}, percent)
		if d := distance(source[0], target[0], percent); d > 0.002 || percentOf(source[0], target[0]) != percent {
			t.Errorf("%d percent: %d to %d, %.4f off", percent, source[0], target[0], d)
		}
	}
}

func distance(source, target, percent int) float64 {
	d := float64(target)/float64(source+target) - float64(percent)/100
	return max(d, -d)
}
