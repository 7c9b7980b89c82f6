package failure

import (
	"cmp"
	"slices"

	"github.com/tranship/tranship/internal/base/binpack"
)

// even moves pieces from the fullest boxes to the emptiest as long as every
// failure is still outlived: a spare that runs nothing would be taken away by
// whoever tidies up, and what is spread loses less at once.
func (j *judge) even(work int64, stop func() bool) {
	if j.total > 0 {
		return
	}
	s := j.s
	j.r.work = 0
	order := make([]int, 0, len(s.boxes))
	for moved := true; moved; {
		moved = false
		order = order[:0]
		for k := range s.boxes {
			if s.boxes[k].kind != s.m.nothing {
				order = append(order, k)
			}
		}
		slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(s.full(b), s.full(a)) })
		for i, from := range order {
			for _, to := range slices.Backward(order[i+1:]) {
				if j.r.work > work || stop != nil && stop() {
					return
				}
				j.r.work += int64(len(s.boxes))
				if j.shift(from, to) {
					moved = true
					break
				}
			}
		}
	}
}

// full is the largest share of a box that is taken, of any dimension.
func (s *state) full(k int) float64 {
	b := &s.boxes[k]
	most := 0.0
	for d, c := range s.m.p.Types[b.kind].Capacity {
		if c > 0 {
			most = max(most, 1-float64(b.free[d])/float64(c))
		}
	}
	return most
}

// shift moves one piece if that leaves the fuller of the two less full than
// before, and all failures outlived. Few pieces are tried.
func (j *judge) shift(from, to int) bool {
	s := j.s
	before := s.full(from)
	if before-s.full(to) < 0.05 {
		return false
	}
	load := slices.Clone(s.boxes[from].load)
	slices.SortStableFunc(load, func(a, b binpack.Load) int { return s.m.rank[a.Item] - s.m.rank[b.Item] })
	// A few heavy ones even things out soonest; where all is full, only light
	// ones find each other's place.
	if n := len(load); n > 8 {
		load = append(load[:3], load[n-5:]...)
	}
	for _, l := range load {
		c := &s.m.items[l.Item]
		if c.zone > 0 && s.boxes[to].zone != s.boxes[from].zone || s.room(to, l.Item, 1) == 0 {
			continue
		}
		s.put(from, l.Item, -1)
		s.put(to, l.Item, 1)
		if max(s.full(from), s.full(to)) < before-1e-9 {
			undo := j.renew([]int{from, to})
			if j.total == 0 {
				return true
			}
			j.restore(undo)
		}
		s.put(to, l.Item, -1)
		s.put(from, l.Item, 1)
	}
	return false
}
