package column

import (
	"math"
	"slices"

	"github.com/tranship/tranship/internal/base/binpack/shape"
)

// grain is the part of a load's value that a search does not bother about:
// nearly all loads are worth nearly the same, and the bound gives it away.
const grain = 1e-5

// A knapsack asks for the load of most value in a bin of one type. It keeps the
// prices of the bin's room from one question to the next.
type knapsack struct {
	m      *shape.Model
	t      int
	price  []float64 // of the room, by dimension
	work   *shape.Meter
	order  []int32
	value  []float64 // by place in order, as all that follows
	fit    []int32
	size   []int64 // place × dimension
	suffix [][]float64
	lambda [][]float64

	room  []int64
	group []int32
	take  []int32
	best  []int32
	most  float64 // value of best
	upper float64 // proven
	nodes int
	steps int
	grain float64
}

func newKnapsack(m *shape.Model, t int, price []float64) *knapsack {
	return &knapsack{m: m, t: t, price: slices.Clone(price), room: make([]int64, m.Dim), group: make([]int32, len(m.Group))}
}

// fluid bounds the value of any load at the prices that the room has now: by
// λ·room + Σ max(0, value − λ·size)·fit.
func (k *knapsack) fluid(value []float64) float64 {
	m := k.m
	k.work.Spend(m.Classes)
	sum := 0.0
	for d, r := range m.RoomOf(k.t) {
		sum += k.price[d] * float64(r)
	}
	for c, n := range m.FitOf(k.t) {
		if n == 0 {
			continue
		}
		v := value[c]
		for d, s := range m.SizeOf(c) {
			v -= k.price[d] * float64(s)
		}
		if v > 0 {
			sum += v * float64(n)
		}
	}
	return sum
}

// relax lowers the fluid bound by choosing one price of the room after the
// other, starting from the last answer.
func (k *knapsack) relax(value []float64, rounds int) float64 {
	m := k.m
	fit := m.FitOf(k.t)
	room := m.RoomOf(k.t)
	type bend struct{ at, much float64 }
	bends := make([]bend, 0, m.Classes)
	rest := make([]float64, m.Classes)
	last := math.Inf(1)
	for range rounds {
		for d := range m.Dim {
			// Along one price the bound bends where a class stops to be worth its room.
			bends = bends[:0]
			for c, n := range fit {
				if n == 0 {
					continue
				}
				rest[c] = value[c]
				for e, s := range m.SizeOf(c) {
					if e != d {
						rest[c] -= k.price[e] * float64(s)
					}
				}
				if s := m.SizeOf(c)[d]; s > 0 && rest[c] > 0 {
					bends = append(bends, bend{at: rest[c] / float64(s), much: float64(s) * float64(n)})
				}
			}
			slices.SortFunc(bends, func(a, b bend) int {
				switch {
				case a.at > b.at:
					return -1
				case a.at < b.at:
					return 1
				}
				return 0
			})
			left := float64(room[d])
			k.price[d] = 0
			for _, b := range bends {
				if left -= b.much; left < 0 {
					k.price[d] = b.at
					break
				}
			}
			k.work.Spend(6 * m.Classes)
		}
		now := k.fluid(value)
		if now > last*(1-1e-4) {
			return min(now, last)
		}
		last = now
	}
	return last
}

// search looks for a load of more value than floor by branch and bound over the
// counts of the classes, for so many nodes. It gives the load, if there is one,
// its value, and a proven upper bound: floor, if nothing is better.
func (k *knapsack) search(value []float64, floor float64, nodes int) ([]shape.Load, float64, float64) {
	m := k.m
	k.load(value)
	k.work.Spend(10 * len(k.order))
	copy(k.room, m.RoomOf(k.t))
	clear(k.group)
	k.most, k.upper, k.nodes, k.steps = floor, floor, nodes, 0
	k.grain = grain*floor + 1e-9
	found := false
	k.best = slices.Grow(k.best[:0], len(k.order))[:len(k.order)]
	k.deeper(0, 0, &found)
	k.work.Spend(4*(nodes-k.nodes) + 5*k.steps)
	upper := max(k.upper, k.most) + k.grain
	if !found {
		return nil, 0, upper
	}
	var out []shape.Load
	for at, n := range k.best {
		if n > 0 {
			out = append(out, shape.Load{Class: k.order[at], Count: n})
		}
	}
	return shape.Sort(out), k.most, upper
}

// load sorts the classes by what they are worth above the price of their room,
// and sums what those from each place on can add to a bound.
func (k *knapsack) load(value []float64) {
	m := k.m
	fit := m.FitOf(k.t)
	k.order = k.order[:0]
	density := make([]float64, m.Classes)
	for c, n := range fit {
		if n == 0 || value[c] <= 0 {
			continue
		}
		cost := 1e-12
		for d, s := range m.SizeOf(c) {
			cost += k.price[d] * float64(s)
		}
		density[c] = value[c] / cost
		k.order = append(k.order, int32(c))
	}
	slices.SortFunc(k.order, func(a, b int32) int {
		switch {
		case density[a] > density[b]:
			return -1
		case density[a] < density[b]:
			return 1
		}
		return int(a - b)
	})
	n := len(k.order)
	k.value = slices.Grow(k.value[:0], n)[:n]
	k.fit = slices.Grow(k.fit[:0], n)[:n]
	k.take = slices.Grow(k.take[:0], n)[:n]
	clear(k.take)
	k.size = slices.Grow(k.size[:0], n*m.Dim)[:n*m.Dim]
	for at, c := range k.order {
		k.value[at], k.fit[at] = value[c], fit[c]
		copy(k.size[at*m.Dim:], m.SizeOf(int(c)))
	}
	k.prices(value)
	if len(k.suffix) < len(k.lambda) {
		k.suffix = make([][]float64, len(k.lambda))
	}
	for l, lambda := range k.lambda {
		s := slices.Grow(k.suffix[l][:0], n+1)[:n+1]
		s[n] = 0
		for at := n - 1; at >= 0; at-- {
			v := k.value[at]
			for d, a := range lambda {
				v -= a * float64(k.size[at*m.Dim+d])
			}
			s[at] = s[at+1] + max(0, v)*float64(k.fit[at])
		}
		k.suffix[l] = s
	}
}

// prices are those that loads are bounded by: the relaxed ones, and each
// dimension alone at the price of its densest class.
func (k *knapsack) prices(value []float64) {
	m := k.m
	k.lambda = append(k.lambda[:0], k.price)
	for d := range m.Dim {
		alone := make([]float64, m.Dim)
		for _, c := range k.order {
			s := m.SizeOf(int(c))[d]
			if s == 0 {
				alone = nil
				break
			}
			alone[d] = max(alone[d], value[c]/float64(s))
		}
		if alone != nil {
			k.lambda = append(k.lambda, alone)
		}
	}
}

func (k *knapsack) bound(at int) float64 {
	best := math.Inf(1)
	for l, lambda := range k.lambda {
		b := k.suffix[l][at]
		for d, r := range k.room {
			b += lambda[d] * float64(r)
		}
		best = min(best, b)
	}
	return best
}

// deeper decides the classes from place at on, most of each first.
func (k *knapsack) deeper(at int, have float64, found *bool) {
	if have > k.most+k.grain {
		k.most, *found = have, true
		copy(k.best, k.take)
	}
	// What cannot go in any more needs no decision.
	n := int32(0)
	for ; at < len(k.order); at++ {
		if n = k.can(at); n > 0 {
			break
		}
	}
	if at == len(k.order) {
		return
	}
	b := have + k.bound(at)
	if b <= k.most+k.grain {
		return
	}
	if k.nodes <= 0 || k.work.Left <= 0 {
		k.upper = max(k.upper, b)
		return
	}
	k.nodes--
	k.set(at, n)
	for ; ; n-- {
		now := have + float64(n)*k.value[at]
		if k.fewer(at, now) {
			k.set(at, -n)
			return
		}
		k.deeper(at+1, now, found)
		if n == 0 {
			return
		}
		k.set(at, -1)
	}
}

// fewer says whether neither this many pieces at this place nor fewer can lead
// to a better load: at some prices the bound is too low, and a piece is worth
// its room, so that the bound falls with each that is left out.
func (k *knapsack) fewer(at int, now float64) bool {
	k.steps++
	for l, lambda := range k.lambda {
		b, v := now+k.suffix[l][at+1], k.value[at]
		for d, r := range k.room {
			b += lambda[d] * float64(r)
			v -= lambda[d] * float64(k.size[at*k.m.Dim+d])
		}
		if b <= k.most+k.grain && v >= 0 {
			return true
		}
	}
	return false
}

func (k *knapsack) can(at int) int32 {
	n := k.fit[at]
	for d, s := range k.size[at*k.m.Dim : (at+1)*k.m.Dim] {
		if s > 0 && int64(n)*s > k.room[d] {
			n = int32(k.room[d] / s)
			if n == 0 {
				return 0
			}
		}
	}
	for _, g := range k.m.In[k.order[at]] {
		n = min(n, int32(k.m.Group[g])-k.group[g])
	}
	return max(n, 0)
}

func (k *knapsack) set(at int, n int32) {
	if n == 0 {
		return
	}
	k.take[at] += n
	for d, s := range k.size[at*k.m.Dim : (at+1)*k.m.Dim] {
		k.room[d] -= s * int64(n)
	}
	for _, g := range k.m.In[k.order[at]] {
		k.group[g] += n
	}
}
