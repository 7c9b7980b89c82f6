package hist

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestQuantilesAreCloseAndNeverTooSmall holds quantiles against sorted durations.
func TestQuantilesAreCloseAndNeverTooSmall(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		us := rapid.SliceOfN(rapid.Int64Range(0, 1<<32-1), 1, 300).Draw(t, "microseconds")
		q := rapid.Float64Range(0.001, 1).Draw(t, "q")
		var h Hist
		for _, v := range us {
			h.Add(time.Duration(v) * time.Microsecond)
		}
		slices.Sort(us)
		rank := int(q*float64(len(us)) + 0.999999)
		want := time.Duration(us[min(max(rank, 1), len(us))-1]) * time.Microsecond
		got := h.Quantile(q)
		if got < want || got-want > want/32+time.Microsecond {
			t.Fatalf("Quantile(%v) = %v, want %v to 1/32 more", q, got, want)
		}
	})
}

// TestWhatIsSubtractedIsGone adds two halves and takes one away.
func TestWhatIsSubtractedIsGone(t *testing.T) {
	var first, all Hist
	for i := range 100 {
		first.Add(time.Duration(i) * time.Millisecond)
	}
	all.Merge(&first)
	for range 50 {
		all.Add(time.Second)
	}
	since := all.Since(&first)
	if since.N != 50 || since.Quantile(0.01) < time.Second || since.Quantile(0.01) > 1032*time.Millisecond {
		t.Errorf("Since = %d counts, lowest %v; want 50 of a second", since.N, since.Quantile(0.01))
	}
	if (&Hist{}).Quantile(0.99) != 0 {
		t.Error("an empty histogram has a quantile")
	}
}

// TestAboveCountsNothingThatIsNotLonger holds Above against the durations themselves.
func TestAboveCountsNothingThatIsNotLonger(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		us := rapid.SliceOfN(rapid.Int64Range(0, 1<<33), 1, 300).Draw(t, "microseconds")
		d := time.Duration(rapid.Int64Range(0, 1<<33).Draw(t, "bound")) * time.Microsecond
		var h Hist
		var all, surely int64
		for _, v := range us {
			x := time.Duration(v) * time.Microsecond
			h.AddN(x, 2)
			if x > d {
				all += 2
			}
			if x > d+d/32+time.Microsecond && x <= time.Duration(limit)*time.Microsecond {
				surely += 2
			}
		}
		if got := h.Above(d); got > all || d < time.Duration(limit)*time.Microsecond && got < surely {
			t.Fatalf("Above(%v) = %d, want %d to %d", d, got, surely, all)
		}
	})
}
