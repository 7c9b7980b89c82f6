package witness

import (
	"container/heap"
	"slices"
	"sort"
	"time"
)

// pending is an acknowledged mark that was not read back yet.
type pending struct {
	mark Mark
	due  time.Time
}

// queue has the mark that is due first in front.
type queue []*pending

var _ heap.Interface = (*queue)(nil)

func (q queue) Len() int           { return len(q) }
func (q queue) Less(i, j int) bool { return q[i].due.Before(q[j].due) }
func (q queue) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }

// Push is container/heap's.
func (q *queue) Push(x any) {
	if p, ok := x.(*pending); ok {
		*q = append(*q, p)
	}
}

// Pop is container/heap's.
func (q *queue) Pop() any {
	old := *q
	last := old[len(old)-1]
	*q = old[:len(old)-1]
	return last
}

// A Range is of sequence numbers, both ends included.
type Range struct {
	From int64 `json:"from"`
	To   int64 `json:"to"`
}

// ranges are numbers, in order, as few ranges as there can be.
type ranges []Range

// place gives the first range that ends at n or after it.
func (r ranges) place(n int64) int {
	return sort.Search(len(r), func(i int) bool { return r[i].To >= n })
}

func (r *ranges) add(n int64) {
	s := *r
	i := s.place(n)
	if i < len(s) && s[i].From <= n {
		return
	}
	left, right := i > 0 && s[i-1].To == n-1, i < len(s) && s[i].From == n+1
	switch {
	case left && right:
		s[i-1].To = s[i].To
		s = slices.Delete(s, i, i+1)
	case left:
		s[i-1].To = n
	case right:
		s[i].From = n
	default:
		s = slices.Insert(s, i, Range{n, n})
	}
	*r = s
}

func (r *ranges) remove(n int64) {
	s := *r
	i := s.place(n)
	if i == len(s) || s[i].From > n {
		return
	}
	was := s[i]
	var parts []Range
	if was.From < n {
		parts = append(parts, Range{was.From, n - 1})
	}
	if was.To > n {
		parts = append(parts, Range{n + 1, was.To})
	}
	*r = slices.Replace(s, i, i+1, parts...)
}

func (r ranges) len() int64 {
	var n int64
	for _, x := range r {
		n += x.To - x.From + 1
	}
	return n
}

// sampleSize bounds the marks that are kept whole.
const sampleSize = 4096

// sample keeps some of the marks that passed, spread evenly over all of the
// time: every one at first, every second, fourth, ... as it fills up.
type sample struct {
	marks  []Mark
	stride int
	offer  int
	left   int // of the round that is under way
}

func (s *sample) add(m Mark) {
	s.stride = max(s.stride, 1)
	if s.offer++; s.offer%s.stride != 0 {
		return
	}
	if len(s.marks) == sampleSize {
		half := s.marks[:0]
		for i := 1; i < len(s.marks); i += 2 {
			half = append(half, s.marks[i])
		}
		s.marks, s.stride, s.left = half, 2*s.stride, s.left/2
		if s.offer%s.stride != 0 {
			return
		}
	}
	s.marks = append(s.marks, m)
}

func (s *sample) remove(k key) {
	i := slices.IndexFunc(s.marks, func(m Mark) bool { return keyOf(m) == k })
	if i < 0 {
		return
	}
	s.marks = slices.Delete(s.marks, i, i+1)
	if s.left > i {
		s.left--
	}
}

// next gives a mark to look at again: in rounds from the newest that there was
// when the round began to the first of all.
func (s *sample) next() (Mark, bool) {
	if s.left == 0 {
		s.left = len(s.marks)
	}
	if s.left == 0 {
		return Mark{}, false
	}
	s.left--
	return s.marks[s.left], true
}

// recentSpan is how far back it is known when marks passed.
const recentSpan = time.Hour

// recent counts what happened of late, by the second.
type recent []tick

type tick struct{ second, n int64 }

func (r *recent) add(now time.Time) {
	s := now.Unix()
	if n := len(*r); n > 0 && (*r)[n-1].second >= s {
		(*r)[n-1].n++
		return
	}
	*r = slices.DeleteFunc(*r, func(x tick) bool { return x.second < s-int64(recentSpan/time.Second) })
	*r = append(*r, tick{s, 1})
}

func (r recent) count(now time.Time, span time.Duration) int64 {
	var sum int64
	from := now.Add(-span).Unix()
	for _, x := range r {
		if x.second >= from {
			sum += x.n
		}
	}
	return sum
}
