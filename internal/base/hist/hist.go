// Package hist counts durations in buckets whose width grows with the value. It
// takes durations and gives quantiles that are at most 1/32 too large. It
// never allocates while it counts, and two of them can be added and subtracted.
package hist

import (
	"math/bits"
	"time"
)

// Buckets below 2^sub microseconds are exact; above, each power of two has 2^sub of them.
const (
	sub   = 5
	size  = (33 - sub) << sub // up to 2^32 µs, 71 minutes; more counts as that
	limit = uint64(1)<<32 - 1
)

// Hist is a histogram. Its zero value is empty.
type Hist struct {
	Counts [size]int64
	N      int64
}

// Add counts one duration; below zero counts as zero.
func (h *Hist) Add(d time.Duration) {
	h.Counts[bucket(d)]++
	h.N++
}

// AddN counts n durations that are the same.
func (h *Hist) AddN(d time.Duration, n int64) {
	h.Counts[bucket(d)] += n
	h.N += n
}

// Above gives how many counted durations are longer than d for certain: those
// that share d's bucket are not among them.
func (h *Hist) Above(d time.Duration) int64 {
	var n int64
	for _, c := range h.Counts[bucket(d)+1:] {
		n += c
	}
	return n
}

// Merge adds all of o's counts.
func (h *Hist) Merge(o *Hist) {
	for i := range h.Counts {
		h.Counts[i] += o.Counts[i]
	}
	h.N += o.N
}

// Since gives what was counted after earlier, which is an older copy of h.
func (h *Hist) Since(earlier *Hist) Hist {
	out := *h
	for i := range out.Counts {
		out.Counts[i] -= earlier.Counts[i]
	}
	out.N -= earlier.N
	return out
}

// Quantile gives the upper edge of the bucket that holds the q-th part of all,
// 0 < q <= 1; zero where nothing was counted.
func (h *Hist) Quantile(q float64) time.Duration {
	if h.N <= 0 {
		return 0
	}
	rank := int64(q*float64(h.N) + 0.999999)
	rank = min(max(rank, 1), h.N)
	var seen int64
	for i, n := range h.Counts {
		if seen += n; seen >= rank {
			return edge(i)
		}
	}
	return edge(size - 1)
}

func bucket(d time.Duration) int {
	us := min(uint64(max(d, 0)/time.Microsecond), limit)
	if us < 1<<sub {
		return int(us)
	}
	shift := bits.Len64(us) - 1 - sub
	return (shift+1)<<sub + int(us>>shift)&(1<<sub-1)
}

// edge is the largest duration of a bucket, in whole microseconds.
func edge(i int) time.Duration {
	if i < 1<<sub {
		return time.Duration(i) * time.Microsecond
	}
	shift := i>>sub - 1
	low := (1<<sub + i&(1<<sub-1)) << shift
	return time.Duration(low+1<<shift-1) * time.Microsecond
}
