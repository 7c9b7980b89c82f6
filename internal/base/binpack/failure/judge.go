package failure

import (
	"cmp"
	"slices"

	"github.com/tranship/tranship/internal/base/binpack"
)

// A judge keeps how each failure of a state is outlived, and looks again only
// at those that a change may have touched.
type judge struct {
	s     *state
	r     *replay
	lost  [][]int // by failure
	plans [][]Move
	short []float64 // weight of the pieces that found no place
	total float64
}

func newJudge(s *state) *judge {
	j := &judge{s: s, r: newReplay(s)}
	j.renew(nil)
	return j
}

// fork is a judge of a changed copy of the state.
func (j *judge) fork(s *state) *judge {
	return &judge{s: s, r: &replay{s: s, work: j.r.work}, lost: slices.Clone(j.lost), plans: slices.Clone(j.plans), short: slices.Clone(j.short), total: j.total}
}

// A verdict is what a failure's was before a change.
type verdict struct {
	at    int
	plan  []Move
	short float64
}

// renew looks again at what the changed boxes touch, all without a former
// state, and gives what to restore if the change is not kept.
func (j *judge) renew(changed []int) []verdict {
	j.lose()
	var undo []verdict
	for f, lost := range j.lost {
		if f >= len(j.plans) {
			j.plans, j.short = append(j.plans, nil), append(j.short, 0)
		} else if changed != nil && j.short[f] == 0 && j.stands(f, lost, changed) {
			continue
		}
		undo = append(undo, verdict{f, j.plans[f], j.short[f]})
		plan, short := j.r.mend(lost, j.plans[f], changed)
		j.total += short - j.short[f]
		j.plans[f], j.short[f] = plan, short
	}
	// Sums of what was added and taken away do not end at nothing by themselves.
	j.total = 0
	for _, s := range j.short {
		j.total += s
	}
	return undo
}

func (j *judge) restore(undo []verdict) {
	for _, v := range undo {
		j.plans[v.at], j.short[v.at] = v.plan, v.short
	}
	j.total = 0
	for _, s := range j.short {
		j.total += s
	}
}

// lose names the boxes of each failure.
func (j *judge) lose() {
	s := j.s
	switch s.m.level {
	case AnyNode:
		for k := len(j.lost); k < len(s.boxes); k++ {
			j.lost = append(j.lost, []int{k})
		}
	case AnyZone:
		j.lost = make([][]int, s.m.zones)
		for k := range s.boxes {
			if z := s.boxes[k].zone; z > 0 {
				j.lost[z-1] = append(j.lost[z-1], k)
			}
		}
	}
}

// stands tells whether a failure's moves are still possible, and all there are.
func (j *judge) stands(f int, lost, changed []int) bool {
	m := j.s.m
	for _, k := range changed {
		if slices.Contains(lost, k) {
			return false
		}
		var need [8]int64
		if m.dims > len(need) {
			return false
		}
		for _, mv := range j.plans[f] {
			if mv.To != k {
				continue
			}
			c := &m.items[mv.Item]
			if !c.fits[j.s.boxes[k].kind] || c.perBin < unbounded || len(c.groups) > 0 {
				return false
			}
			for d, v := range c.size {
				need[d] += v * int64(mv.Count)
			}
		}
		for d, v := range j.s.boxes[k].free {
			if need[d] > v {
				return false
			}
		}
	}
	return true
}

// mend keeps the moves that are still possible and places the other pieces
// anew; where that leaves pieces, all are placed anew. It gives the weight of
// what has no place.
func (r *replay) mend(lost []int, plan []Move, changed []int) ([]Move, float64) {
	m := r.s.m
	if len(plan) > 0 && changed != nil {
		if moves, left := r.follow(lost, plan); len(m.forgive(left)) == 0 {
			return moves, 0
		}
	}
	moves, left := r.run(lost, quick, nil)
	return moves, m.weight(m.forgive(left))
}

// follow makes the moves of a plan that are possible and places the other
// pieces where they fit.
func (r *replay) follow(lost []int, plan []Move) ([]Move, []binpack.Load) {
	r.reset(lost)
	r.work += int64(len(plan))
	pieces, start := r.pieces[:0], r.start[:0]
	start = append(start, make([]int, len(r.s.boxes))...)
	for _, k := range lost {
		start[k] = len(pieces)
		for _, l := range r.s.boxes[k].load {
			pieces = append(pieces, Move{Item: l.Item, Count: l.Count, From: k})
		}
	}
	r.pieces, r.start = pieces, start
	moves := make([]Move, 0, len(pieces)+2)
	for _, mv := range plan {
		if mv.To >= len(r.s.boxes) || mv.From >= len(r.s.boxes) || !r.gone[mv.From] {
			continue
		}
		i, ok := at(r.s.boxes[mv.From].load, mv.Item)
		if !ok {
			continue
		}
		i += start[mv.From]
		if n := r.room(mv.To, mv.Item, min(mv.Count, pieces[i].Count)); n > 0 {
			mv.Count = n
			r.put(mv.To, mv.Item, n)
			pieces[i].Count -= n
			moves = append(moves, mv)
		}
	}
	rest := slices.DeleteFunc(pieces, func(p Move) bool { return p.Count == 0 })
	r.sort(rest)
	more, left := r.pass(rest)
	return append(moves, more...), left
}

// prune takes the places of boxes that are gone out of the state, and gives
// the moves between the boxes that are left.
func (j *judge) prune() (*state, [][]Move) {
	out := newState(j.s.m)
	place := make([]int, len(j.s.boxes))
	for i, b := range j.s.boxes {
		place[i] = -1
		if b.kind == j.s.m.nothing {
			continue
		}
		k := out.open(b.kind, b.zone)
		place[i] = k
		for _, l := range b.load {
			out.put(k, l.Item, l.Count)
		}
	}
	var plans [][]Move
	for f, plan := range j.plans {
		if j.s.m.level == AnyNode && place[f] < 0 {
			continue
		}
		var moves []Move
		for _, mv := range plan {
			if mv.From, mv.To = place[mv.From], place[mv.To]; mv.From >= 0 && mv.To >= 0 {
				moves = append(moves, mv)
			}
		}
		plans = append(plans, moves)
	}
	return out, plans
}

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
