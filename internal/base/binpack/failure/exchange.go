package failure

import (
	"math/rand/v2"
	"slices"

	"github.com/tranship/tranship/internal/base/binpack"
)

// An exchange makes a safe packing cheaper by replacing a few boxes by cheaper
// ones, moving pieces until every failure is outlived again.
type exchange struct {
	m     *model
	rng   *rand.Rand
	j     *judge
	cost  binpack.Price
	need  []int64        // what a failure must leave, by dimension
	kinds []int          // by price
	left  []binpack.Load // that the state has not
}

func newExchange(s *state, seed, lane uint64) *exchange {
	x := &exchange{m: s.m, rng: rand.New(rand.NewPCG(seed, 1<<32+lane)), j: newJudge(s), cost: s.cost()}
	for _, v := range s.m.demand(true) {
		x.need = append(x.need, int64(v))
	}
	for _, t := range s.m.buy {
		if s.m.p.Types[t].Most == 0 {
			x.kinds = append(x.kinds, t)
		}
	}
	slices.SortStableFunc(x.kinds, func(a, b int) int { return int(s.m.p.Types[a].Price - s.m.p.Types[b].Price) })
	return x
}

// run works until the work is done.
func (x *exchange) run(work int64, stop func() bool) {
	if x.j.total > 0 || len(x.kinds) == 0 {
		return
	}
	x.j.r.work = 0
	for x.j.r.work < work && len(x.j.s.boxes) > 0 && (stop == nil || !stop()) {
		x.attempt()
	}
}

// A change is boxes that go and boxes that come.
type change struct {
	out   []int
	kinds []int
	zones []int
}

// attempt tries one change that costs less and leaves enough capacity.
func (x *exchange) attempt() {
	for range 100 {
		x.j.r.work += int64(len(x.j.s.boxes) + 20)
		c, ok := x.draw()
		if ok {
			x.try(c)
			return
		}
	}
}

// draw is a random change; ok if it is cheaper and the sums allow it.
func (x *exchange) draw() (change, bool) {
	s := x.j.s
	var c change
	var saved binpack.Price
	for range 1 + x.rng.IntN(3) {
		k := x.rng.IntN(len(s.boxes))
		if s.boxes[k].kind != x.m.nothing && !slices.Contains(c.out, k) {
			c.out = append(c.out, k)
			saved += x.m.p.Types[s.boxes[k].kind].Price
		}
	}
	if len(c.out) == 0 {
		return c, false
	}
	for range x.rng.IntN(len(c.out) + 2) {
		kind := x.kinds[x.rng.IntN(len(x.kinds))]
		if x.rng.IntN(2) == 0 {
			// Something like one that goes.
			old := s.boxes[c.out[x.rng.IntN(len(c.out))]].kind
			i, _ := slices.BinarySearchFunc(x.kinds, x.m.p.Types[old].Price, func(t int, p binpack.Price) int { return int(x.m.p.Types[t].Price - p) })
			kind = x.kinds[min(max(i-3+x.rng.IntN(6), 0), len(x.kinds)-1)]
		}
		zone := 0
		if x.m.zones > 0 {
			zone = 1 + x.rng.IntN(x.m.zones)
			if x.rng.IntN(2) == 0 {
				zone = s.boxes[c.out[x.rng.IntN(len(c.out))]].zone
			}
		}
		c.kinds, c.zones = append(c.kinds, kind), append(c.zones, zone)
		saved -= x.m.p.Types[kind].Price
	}
	return c, saved > 0 && x.enough(&c)
}

// enough tells whether after any failure the sum of capacities holds the need.
func (x *exchange) enough(c *change) bool {
	s := x.j.s
	lost := 1
	if x.m.level == AnyZone {
		lost = x.m.zones
	}
	for d, need := range x.need {
		var all, most int64
		byZone := make([]int64, lost+1)
		add := func(kind, zone int) {
			v := x.m.p.Types[kind].Capacity[d]
			all += v
			most = max(most, v)
			if lost > 1 {
				byZone[zone] += v
			}
		}
		for k := range s.boxes {
			if !slices.Contains(c.out, k) {
				add(s.boxes[k].kind, s.boxes[k].zone)
			}
		}
		for i, kind := range c.kinds {
			add(kind, c.zones[i])
		}
		if lost > 1 {
			most = slices.Max(byZone)
		}
		if all-most < need {
			return false
		}
	}
	return true
}

// try makes the change in a copy and keeps it if pieces can be moved so that
// it is safe.
func (x *exchange) try(c change) {
	s := x.j.s.clone()
	x.j.r.work += int64(10 * len(s.boxes))
	var pieces []binpack.Load
	var changed []int
	for _, k := range c.out {
		for _, l := range slices.Clone(s.boxes[k].load) {
			pieces = append(pieces, l)
			s.put(k, l.Item, -l.Count)
		}
		s.retype(k, x.m.nothing, s.boxes[k].zone)
		changed = append(changed, k)
	}
	for i, kind := range c.kinds {
		k := slices.IndexFunc(s.boxes, func(b box) bool { return b.kind == x.m.nothing })
		if k < 0 {
			k = s.open(kind, c.zones[i])
		} else {
			s.retype(k, kind, c.zones[i])
		}
		if !slices.Contains(changed, k) {
			changed = append(changed, k)
		}
	}
	touched, left := s.spreadOut(merge(pieces), x.rng)
	x.j.r.work += int64(len(pieces) * len(s.boxes))
	if len(left) > 0 {
		return
	}
	for _, k := range touched {
		if !slices.Contains(changed, k) {
			changed = append(changed, k)
		}
	}
	j := x.j.fork(s)
	j.renew(changed)
	if j.total > 0 {
		x.settle(j, 60)
	}
	if j.total == 0 {
		x.j, x.cost = j, s.cost()
		return
	}
	x.j.r.work = j.r.work
}

// retype makes an empty box one of another kind.
func (s *state) retype(k, kind, zone int) {
	s.boxes[k].kind, s.boxes[k].zone = kind, zone
	s.boxes[k].free = slices.Clone(s.m.p.Types[kind].Capacity)
}

// spreadOut puts pieces one by one, heaviest first, now and then where it is
// tight and else where there is most room; it gives the boxes that it touched
// and what has no room.
func (s *state) spreadOut(pieces []binpack.Load, rng *rand.Rand) (touched []int, left []binpack.Load) {
	slices.SortStableFunc(pieces, func(a, b binpack.Load) int { return s.m.rank[a.Item] - s.m.rank[b.Item] })
	sign := 1.0
	if rng.IntN(2) == 0 {
		sign = -1
	}
	for _, pc := range pieces {
		for ; pc.Count > 0; pc.Count-- {
			at, best := -1, 0.0
			for k := range s.boxes {
				if !holds(s.boxes[k].free, s.m.items[pc.Item].size) {
					continue
				}
				if v := sign * s.left(s.boxes[k].free); (at < 0 || v < best) && s.room(k, pc.Item, 1) > 0 {
					at, best = k, v
				}
			}
			if at < 0 {
				return touched, append(left, pc)
			}
			s.put(at, pc.Item, 1)
			if !slices.Contains(touched, at) {
				touched = append(touched, at)
			}
		}
	}
	return touched, left
}

// settle moves and swaps pieces at random as long as that leaves no more
// pieces without a place after failures.
func (x *exchange) settle(j *judge, steps int) {
	s := j.s
	for range steps {
		if j.total == 0 {
			return
		}
		// A failure that is not outlived, and a piece that is lost in it.
		f := x.rng.IntN(len(j.short))
		for j.short[f] == 0 {
			f = (f + 1) % len(j.short)
		}
		a, item, ok := x.pick(s, j.lost[f])
		if !ok {
			continue
		}
		b := x.rng.IntN(len(s.boxes))
		if a == b || s.boxes[b].kind == x.m.nothing {
			continue
		}
		s.put(a, item, -1)
		other := -1
		if s.room(b, item, 1) == 0 && len(s.boxes[b].load) > 0 {
			other = s.boxes[b].load[x.rng.IntN(len(s.boxes[b].load))].Item
			if other == item {
				s.put(a, item, 1)
				continue
			}
			s.put(b, other, -1)
		}
		fits := s.room(b, item, 1) > 0
		if fits {
			s.put(b, item, 1)
		}
		if !fits || other >= 0 && s.room(a, other, 1) == 0 {
			if fits {
				s.put(b, item, -1)
			}
			if other >= 0 {
				s.put(b, other, 1)
			}
			s.put(a, item, 1)
			continue
		}
		if other >= 0 {
			s.put(a, other, 1)
		}
		before := j.total
		undo := j.renew([]int{a, b})
		if j.total <= before {
			continue
		}
		j.restore(undo)
		s.put(b, item, -1)
		s.put(a, item, 1)
		if other >= 0 {
			s.put(a, other, -1)
			s.put(b, other, 1)
		}
	}
}

// pick is a random piece of some boxes.
func (x *exchange) pick(s *state, boxes []int) (k, item int, ok bool) {
	if len(boxes) == 0 {
		return 0, 0, false
	}
	for range 8 {
		k = boxes[x.rng.IntN(len(boxes))]
		if load := s.boxes[k].load; len(load) > 0 {
			return k, load[x.rng.IntN(len(load))].Item, true
		}
	}
	return 0, 0, false
}
