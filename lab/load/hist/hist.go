// Package hist counts durations in buckets that are each 3 % wide. In: durations. Out: quantiles, never below the truth and
// at most one bucket above it. It never keeps a single duration.
package hist

import (
	"math"
	"math/bits"
	"time"
)

const (
	bitsOfMantissa = 5
	perOctave      = 1 << bitsOfMantissa
	octaves        = 28 // of microseconds: to about an hour
	buckets        = (octaves - bitsOfMantissa + 5) * perOctave
)

// Hist is a histogram; its zero value is empty.
type Hist struct {
	count [buckets]uint32
	total uint64
	max   time.Duration
}

// Add counts one duration.
func (h *Hist) Add(d time.Duration) {
	h.count[index(d)]++
	h.total++
	h.max = max(h.max, d)
}

func index(d time.Duration) int {
	us := uint64(max(d, 0).Microseconds())
	if us < perOctave {
		return int(us)
	}
	shift := bits.Len64(us) - bitsOfMantissa - 1
	return min(shift*perOctave+int(us>>shift), buckets-1)
}

// upper is the highest duration of bucket i.
func upper(i int) time.Duration {
	if i < 2*perOctave {
		return time.Duration(i) * time.Microsecond
	}
	shift := i/perOctave - 1
	return time.Duration(uint64(i%perOctave+perOctave+1)<<shift-1) * time.Microsecond
}

// Sparse is a histogram at rest: it takes as much room as it has buckets in use.
type Sparse struct {
	index []uint16
	count []uint32
	max   time.Duration
}

// Sparse gives what h has counted.
func (h *Hist) Sparse() Sparse {
	s := Sparse{max: h.max}
	for i, n := range h.count {
		if n > 0 {
			s.index, s.count = append(s.index, uint16(i)), append(s.count, n)
		}
	}
	return s
}

// Merge adds what another one has counted.
func (h *Hist) Merge(s Sparse) {
	for i, n := range s.count {
		h.count[s.index[i]] += n
		h.total += uint64(n)
	}
	h.max = max(h.max, s.max)
}

// Total is how many durations were counted.
func (h *Hist) Total() uint64 { return h.total }

// Max is the longest.
func (h *Hist) Max() time.Duration { return h.max }

// Quantile is the duration that a share q of all do not pass; 0 of none.
func (h *Hist) Quantile(q float64) time.Duration {
	rank := uint64(math.Ceil(q * float64(h.total)))
	seen := uint64(0)
	for i, n := range h.count {
		if seen += uint64(n); seen >= rank && n > 0 {
			return min(upper(i), h.max)
		}
	}
	return 0
}
