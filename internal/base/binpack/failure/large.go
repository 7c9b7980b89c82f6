package failure

import (
	"cmp"
	"slices"

	"github.com/tranship/tranship/internal/base/binpack"
)

// large tells whether the first column packing, or replays of all failures,
// would take too much of the work there is: then what a spare costs is lost
// among the rest, and the packing without failure with room for what fails is
// all but the best.
func (m *model) large(bins []binpack.Bin, iterations int) bool {
	loads := 0
	for _, b := range bins {
		loads += len(b.Load)
	}
	work := float64(max(iterations, 1000)) * unit
	n := float64(len(bins))
	construct := n * float64(len(m.buy)*len(m.items)) / 2
	replay := n * float64(loads)
	if m.level == AnyZone {
		replay *= n / 10 // a box is bought at a time
	}
	return construct > work/5 || replay > work/20
}

// reserve makes a packing without failure safe by its shape: a spare that takes
// any box, or in each row of equal boxes, one in a zone each, one that is
// empty. It gives the judge, which knows the moves, and what has no place.
func (m *model) reserve(none binpack.Result) (*judge, []binpack.Load) {
	s := newState(m)
	if m.level == AnyNode {
		left := s.buy(s.adopt(none.Bins, nil), m.buy)
		return newReserved(s, s.spares()), append(left, none.Left...)
	}
	bins := slices.Clone(none.Bins)
	slices.SortStableFunc(bins, func(a, b binpack.Bin) int { return cmp.Compare(a.Type, b.Type) })
	// How many boxes stand in the row of each, and the zones they are in.
	var rows []int
	var zones []int
	for turn := 0; len(zones) < len(bins); turn++ {
		at, n := len(zones), 1
		for at+n < len(bins) && n < m.zones-1 && bins[at+n].Type == bins[at].Type {
			n++
		}
		for i := range n {
			zones = append(zones, (turn+i)%m.zones+1)
		}
		rows = append(rows, n)
	}
	left := s.buy(s.adopt(bins, zones), m.buy)
	for range len(s.boxes) - len(bins) {
		rows = append(rows, 1)
	}
	refuge := make([]int, 0, len(s.boxes))
	for _, n := range rows {
		last := len(refuge) + n - 1
		twin := s.twin(last, s.boxes[last].zone%m.zones+1)
		for range n {
			refuge = append(refuge, twin)
		}
	}
	return newReserved(s, refuge), append(left, none.Left...)
}

// twin opens an empty box of a box's type, -1 if no more can be had.
func (s *state) twin(k, zone int) int {
	kind := s.boxes[k].kind
	if most := s.m.p.Types[kind].Most; most > 0 && s.bought(kind) >= most {
		return -1
	}
	return s.open(kind, zone)
}

// spares opens boxes that take what any box runs: one if a type does, else one
// more for each box that none yet takes.
func (s *state) spares() []int {
	n := len(s.boxes)
	refuge := make([]int, n)
	need := make([]int64, s.m.dims)
	for k := range refuge {
		refuge[k] = -1
		for d, c := range s.m.p.Types[s.boxes[k].kind].Capacity {
			need[d] = max(need[d], c-s.boxes[k].free[d])
		}
	}
	kind := -1
	for _, t := range s.m.buy {
		ty := &s.m.p.Types[t]
		if ty.Most == 0 && holds(ty.Capacity, need) && (kind < 0 || ty.Price < s.m.p.Types[kind].Price) {
			kind = t
		}
	}
	if kind >= 0 && n > 0 {
		s.open(kind, min(1, s.m.zones))
	}
	var order []int
	for k := range refuge {
		order = append(order, k)
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Compare(s.m.p.Types[s.boxes[b].kind].Price, s.m.p.Types[s.boxes[a].kind].Price)
	})
	for _, k := range order {
		for r := n; r < len(s.boxes) && refuge[k] < 0; r++ {
			if s.takes(r, k) {
				refuge[k] = r
			}
		}
		if refuge[k] < 0 {
			refuge[k] = s.twin(k, s.boxes[k].zone)
		}
	}
	return refuge
}

// takes tells whether an empty box has room for all that another runs.
func (s *state) takes(r, k int) bool {
	free := slices.Clone(s.boxes[r].free)
	for _, l := range s.boxes[k].load {
		c := &s.m.items[l.Item]
		if !c.fits[s.boxes[r].kind] || c.zone > 0 && s.m.zones > 0 && c.zone != s.boxes[r].zone || fill(free, c.size, l.Count) < l.Count {
			return false
		}
		for d, v := range c.size {
			free[d] -= v * int64(l.Count)
		}
	}
	return true
}

// newReserved is a judge of a state in which each box has one that takes what
// it runs. It looks only at failures of boxes that have none.
func newReserved(s *state, refuge []int) *judge {
	j := &judge{s: s, r: newReplay(s)}
	j.lose()
	for _, lost := range j.lost {
		var plan []Move
		short := 0.0
		for _, k := range lost {
			if len(s.boxes[k].load) == 0 {
				continue
			}
			if k >= len(refuge) || refuge[k] < 0 {
				short = s.m.weight(s.boxes[k].load)
				continue
			}
			for _, l := range s.boxes[k].load {
				plan = append(plan, Move{Item: l.Item, Count: l.Count, From: k, To: refuge[k]})
			}
		}
		if short > 0 {
			plan, short = j.r.mend(lost, plan, []int{})
		}
		j.plans, j.short = append(j.plans, plan), append(j.short, short)
		j.total += short
	}
	return j
}
