package failure

import (
	"cmp"
	"math"
	"slices"

	"github.com/tranship/tranship/internal/base/binpack"
)

// fields are how many searches run in each round: those behind leave.
var (
	searchFields   = []int{8, 4, 2}
	exchangeFields = []int{4, 2, 2}
)

// find is the cheapest safe packing that it finds: columns of types no larger
// than a spare, for several spares, improved; then these and the packing
// without failure, repaired, with boxes exchanged. It gives the judge of it,
// and the pieces that have no place.
func (m *model) find(none binpack.Result, o binpack.Options) (*judge, []binpack.Load) {
	each := o.Each
	if each == nil {
		each = func(n int, do func(i int)) {
			for i := range n {
				do(i)
			}
		}
	}
	var found []*search
	best, spent := math.Inf(1), int64(0)
	// Columns are nearly all that a node's loss needs; zones gain by exchange.
	budget := int64(o.Iterations) * unit * 4 / 5
	work := budget / 2
	if m.level == AnyZone {
		work = budget / 5
	}
	budget -= work
	for i, c := range m.spares() {
		// The first are the most promising; many starts must not eat the search.
		if c.value >= best || i >= 3 && spent > max(work/2, 100*unit) {
			break
		}
		q := newSearch(m, c.types, o.Seed, uint64(i))
		q.stop = o.Stop
		if i == 0 {
			q.stop = nil // one is needed
		}
		q.left = q.construct()
		spent += q.work
		if q.stopped {
			break
		}
		best = min(best, float64(q.cost))
		found = append(found, q)
	}
	work /= int64(len(searchFields))
	for _, n := range searchFields {
		slices.SortStableFunc(found, func(a, b *search) int { return cmp.Compare(a.cost, b.cost) })
		found = found[:min(len(found), n)]
		each(len(found), func(i int) { found[i].run(work/int64(len(found)), o.Stop) })
	}
	var states []*state
	var lefts [][]binpack.Load
	add := func(s *state, left []binpack.Load) {
		left = s.buy(s.place(merge(left)), m.buy)
		s.repair()
		states, lefts = append(states, s), append(lefts, left)
	}
	s := newState(m)
	add(s, append(s.adopt(none.Bins, nil), none.Left...))
	for _, q := range found {
		s, left := q.state(), q.left
		if m.level == AnyNode && m.zones > 0 {
			bins := s.bins()
			s = newState(m)
			left = merge(append(s.adopt(bins, nil), left...))
		}
		add(s, left)
	}
	field := make([]*exchange, max(len(states), exchangeFields[0]))
	for i := range field {
		field[i] = newExchange(states[i%len(states)], o.Seed, uint64(i))
		field[i].left = lefts[i%len(states)]
	}
	if m.level == AnyZone {
		if j, left := m.reserve(none); j.total == 0 && len(left) == 0 {
			x := newExchange(j.s, o.Seed, uint64(len(field)))
			x.j = j
			field = append(field, x)
		}
	}
	work = budget / int64(len(exchangeFields))
	for _, n := range exchangeFields {
		slices.SortStableFunc(field, (*exchange).compare)
		field = field[:min(len(field), n)]
		each(len(field), func(i int) { field[i].run(work/int64(len(field)), o.Stop) })
	}
	slices.SortStableFunc(field, (*exchange).compare)
	return field[0].j, field[0].left
}

// compare puts first what loses less, then what costs less.
func (x *exchange) compare(y *exchange) int {
	return cmp.Or(cmp.Compare(x.m.weight(x.left), y.m.weight(y.left)), cmp.Compare(x.j.total, y.j.total), cmp.Compare(x.cost, y.cost))
}

// construct buys columns for all items.
func (q *search) construct() []binpack.Load {
	var all []binpack.Load
	for _, i := range q.m.order {
		if n := q.m.p.Items[i].Count; n > 0 {
			all = append(all, binpack.Load{Item: i, Count: n})
		}
	}
	q.count(nil)
	columns, left := q.recreate(nil, all, q.types, false)
	q.columns, q.cost = columns, q.price(columns)
	return left
}

// A spare is a type that could take what any bin of the types runs.
type spare struct {
	spare int
	types []int
	value float64 // no packing of this kind costs less
}

// spares are the possible ones, the most promising first. Items that fit no
// type as small as the spare bring their own types.
func (m *model) spares() []spare {
	var out []spare
	need := m.demand(false)
	for _, t := range m.buy {
		c := spare{spare: t}
		fits := make([]bool, len(m.items))
		for _, u := range m.buy {
			if holds(m.p.Types[t].Capacity, m.p.Types[u].Capacity) {
				c.types = append(c.types, u)
				for i := range m.items {
					fits[i] = fits[i] || m.items[i].fits[u]
				}
			}
		}
		for _, u := range m.buy {
			if slices.Contains(c.types, u) {
				continue
			}
			for i := range m.items {
				if !fits[i] && m.items[i].fits[u] && m.p.Items[i].Count > 0 {
					c.types = append(c.types, u)
					break
				}
			}
		}
		slices.Sort(c.types)
		v, _ := m.fluid(c.types, need)
		c.value = v
		if m.level == AnyNode {
			c.value += float64(m.p.Types[t].Price)
		}
		if !math.IsInf(v, 1) {
			out = append(out, c)
		}
	}
	slices.SortStableFunc(out, func(a, b spare) int {
		switch {
		case a.value < b.value:
			return -1
		case a.value > b.value:
			return 1
		}
		return 0
	})
	return out
}

// repair buys capacity where a failure leaves pieces, the most worth re-placed
// for its price, until none does or nothing helps.
func (s *state) repair() {
	r := newReplay(s)
	type place struct{ kind, zone int }
	useless := map[place]bool{}
	short, weight := s.shortages(r)
	for len(short) > 0 {
		var at place
		best := 0.0
		for _, t := range s.m.buy {
			if most := s.m.p.Types[t].Most; most > 0 && s.bought(t) >= most {
				continue
			}
			for z := min(1, s.m.zones); z <= s.m.zones; z++ {
				if useless[place{t, z}] {
					continue
				}
				k := s.open(t, z)
				v := s.absorbs(k, short) / max(float64(s.m.p.Types[t].Price), 1e-9)
				s.boxes = s.boxes[:k]
				if v > best {
					at, best = place{t, z}, v
				}
			}
		}
		if best == 0 {
			return
		}
		k := s.open(at.kind, at.zone)
		now, rest := s.shortages(r)
		if rest < weight {
			short, weight = now, rest
			continue
		}
		s.boxes = s.boxes[:k]
		useless[at] = true
	}
}

// shortages are the failures that leave pieces, and the weight of these.
func (s *state) shortages(r *replay) ([]Failure, float64) {
	var short []Failure
	weight := 0.0
	for _, f := range s.losses() {
		_, left := r.run(f.Lost, quick, nil)
		if f.Left = s.m.forgive(left); len(f.Left) > 0 {
			short = append(short, f)
			weight += s.m.weight(f.Left)
		}
	}
	return short, weight
}

// absorbs is the worth of what an empty box takes of what the failures left.
func (s *state) absorbs(k int, short []Failure) float64 {
	worth := 0.0
	b := &s.boxes[k]
	for _, f := range short {
		if f.Zone > 0 && f.Zone == b.zone {
			continue
		}
		free := slices.Clone(b.free)
		var has []binpack.Load
		for _, l := range f.Left {
			c := &s.m.items[l.Item]
			if !c.fits[b.kind] || c.zone > 0 && s.m.zones > 0 && c.zone != b.zone {
				continue
			}
			n := fill(free, c.size, min(l.Count, c.perBin))
			if len(c.groups) > 0 {
				n = max(min(n, s.m.groupRoom(c, has)), 0)
			}
			for d, v := range c.size {
				free[d] -= v * int64(n)
			}
			has = append(has, binpack.Load{Item: l.Item, Count: n})
			worth += c.weight * float64(n)
		}
	}
	return worth
}
