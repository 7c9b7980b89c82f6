package search

import (
	"math"
	"slices"

	"github.com/tranship/tranship/internal/base/binpack/shape"
)

// concentrate is how much it counts that waste stands in few bins: there it can
// be got rid of, a little everywhere cannot.
const concentrate = 0.2

// Improve makes bins cheaper by ruin and recreate (Schrimpf et al. 2000): it
// takes a few bins, wasteful ones by preference, offers their pieces to the
// slack of some others, and packs the rest anew, until the work is used up. A
// packing that is a little dearer is accepted now and then, ever more seldom.
// The types that types names come first, all others now and then.
func Improve(m *shape.Model, value []float64, types []int, bins []shape.Bin, seed uint64, work *shape.Meter) []shape.Bin {
	r := &ruin{builder: newBuilder(m, value, seed, work), bins: slices.Clone(bins), types: types}
	for _, b := range bins {
		r.used[b.Type]++
		r.cost += m.Price[b.Type]
		r.waste = append(r.waste, r.wasted(b))
	}
	if len(bins) == 0 {
		return bins
	}
	r.best, r.least = slices.Clone(bins), r.cost
	whole := float64(max(work.Left, 1))
	for work.Spend(50 + 10*m.Dim) {
		r.step(float64(work.Left) / whole)
	}
	return r.best
}

type ruin struct {
	*builder
	bins  []shape.Bin
	waste []float64
	cost  int64
	types []int

	best  []shape.Bin
	least int64

	out    []int // indexes of the bins that are taken
	topped []int
	before []shape.Bin
	try    []int
}

// wasted is what a bin costs beyond the value of its load.
func (r *ruin) wasted(b shape.Bin) float64 {
	w := float64(r.m.Price[b.Type])
	for _, l := range b.Load {
		w -= r.exact[l.Class] * float64(l.Count)
	}
	return max(w, 0)
}

// energy is what a bin counts in the search: its price, less where waste is concentrated.
func (r *ruin) energy(t int, waste float64) float64 {
	p := float64(r.m.Price[t])
	return p - concentrate*waste*waste/(p+1e-9)
}

// choose takes bins out, and their pieces into the pool.
func (r *ruin) choose() (energy float64, cost int64) {
	n := len(r.bins)
	many := 2 + int(r.rng.ExpFloat64()*1.2)
	many = min(many, n, 6)
	r.out = r.out[:0]
	for tries := 0; len(r.out) < many && tries < 30; tries++ {
		at := r.rng.IntN(n)
		rounds := 3
		if len(r.out) > 0 {
			rounds = r.rng.IntN(3)
		}
		for range rounds {
			other := r.rng.IntN(n)
			if r.waste[other]/(1e-9+float64(r.m.Price[r.bins[other].Type])) > r.waste[at]/(1e-9+float64(r.m.Price[r.bins[at].Type])) {
				at = other
			}
		}
		if !slices.Contains(r.out, at) {
			r.out = append(r.out, at)
		}
	}
	r.empty()
	for _, at := range r.out {
		b := r.bins[at]
		r.pour(b.Load, 1)
		r.used[b.Type]--
		cost += r.m.Price[b.Type]
		energy += r.energy(b.Type, r.waste[at])
	}
	return energy, cost
}

// top offers the pool to some other bins, and says what energy they win.
func (r *ruin) top() (energy float64) {
	r.topped, r.before = r.topped[:0], r.before[:0]
	n := len(r.bins)
	if n <= len(r.out) || r.rng.IntN(10) < 4 {
		return 0
	}
	many := min(1+r.rng.IntN(5), n-len(r.out))
	r.weigh(r.exact, 0, 2)
	for tries := 0; len(r.topped) < many && tries < 20; tries++ {
		at := r.rng.IntN(n)
		if slices.Contains(r.out, at) || slices.Contains(r.topped, at) {
			continue
		}
		b := r.bins[at]
		if r.waste[at] < 1e-6*float64(r.m.Price[b.Type]) {
			continue
		}
		load, waste := r.topUp(b, r.waste[at])
		if load == nil {
			continue
		}
		energy += r.energy(b.Type, waste) - r.energy(b.Type, r.waste[at])
		r.topped = append(r.topped, at)
		r.before = append(r.before, b)
		r.pour(b.Load, 1)
		r.pour(load, -1)
		r.bins[at] = shape.Bin{Type: b.Type, Load: load}
		r.waste[at] = waste
	}
	return energy
}

// topUp exchanges pieces of b for better ones of the pool; nil for no change.
func (r *ruin) topUp(b shape.Bin, waste float64) ([]shape.Load, float64) {
	r.begin(b.Type)
	// Put what the bin holds in, as if it came from the pool.
	for _, l := range b.Load {
		r.value[l.Class] = r.exact[l.Class]
		r.put(l.Class, l.Count)
		r.add(l.Class, l.Count)
	}
	had := r.worth
	r.polish(b.Type, 4)
	won := r.worth - had
	var load []shape.Load
	if won > 1e-9*had {
		load = r.load()
	}
	for _, l := range b.Load {
		r.put(l.Class, -l.Count)
	}
	if load == nil {
		return nil, 0
	}
	return load, max(0, waste-won)
}

func (r *ruin) undo() {
	for i, at := range r.topped {
		r.bins[at] = r.before[i]
		r.waste[at] = r.wasted(r.before[i])
	}
	for _, at := range r.out {
		r.used[r.bins[at].Type]++
	}
}

// step ruins and recreates once; left is the part of the work that is still to do.
func (r *ruin) step(left float64) {
	m := r.m
	energy, cost := r.choose()
	gain := r.top()
	r.choices()
	heat := 0.004 * left * left * float64(r.cost) / float64(len(r.bins))
	allow := -heat * math.Log(1-r.rng.Float64())
	below := cost + 1 + int64(allow)
	s := style{power: []float64{1, 1.5, 2, 2, 3}[r.rng.IntN(5)], polish: r.rng.IntN(7), noise: 0.05 * r.rng.Float64() * r.rng.Float64()}
	made := r.build(r.try, below, s)
	if made == nil {
		r.undo()
		return
	}
	var now int64
	after := gain
	for _, b := range made {
		now += m.Price[b.Type]
		after += r.energy(b.Type, r.wasted(b))
	}
	if now >= below || after > energy+allow {
		r.undo()
		return
	}
	r.replace(made)
	r.cost += now - cost
	if r.cost < r.least {
		r.best, r.least = append(r.best[:0], r.bins...), r.cost
	}
}

func (r *ruin) replace(made []shape.Bin) {
	for _, b := range made {
		r.used[b.Type]++
	}
	slices.Sort(r.out)
	for len(r.out) > 0 {
		at := r.out[len(r.out)-1]
		r.out = r.out[:len(r.out)-1]
		if len(made) > 0 {
			b := made[len(made)-1]
			made = made[:len(made)-1]
			r.bins[at], r.waste[at] = b, r.wasted(b)
			continue
		}
		last := len(r.bins) - 1
		r.bins[at], r.waste[at] = r.bins[last], r.waste[last]
		r.bins, r.waste = r.bins[:last], r.waste[:last]
	}
	for _, b := range made {
		r.bins = append(r.bins, b)
		r.waste = append(r.waste, r.wasted(b))
	}
}

// choices are the types to try: those of the ruined bins, some that are known
// to be good, some at random.
func (r *ruin) choices() {
	r.try = r.try[:0]
	add := func(t int) {
		if !slices.Contains(r.try, t) {
			r.try = append(r.try, t)
		}
	}
	for _, at := range r.out {
		add(r.bins[at].Type)
	}
	for range 4 {
		add(r.types[r.rng.IntN(len(r.types))])
	}
	for range 3 {
		add(r.rng.IntN(r.m.Types))
	}
}

// Fill gives a function that finds a good load of a type at given values, out
// of all pieces of the model.
func Fill(m *shape.Model, work *shape.Meter) func(t int, value []float64) []shape.Load {
	b := newBuilder(m, make([]float64, m.Classes), 7, work)
	for c, n := range m.Count {
		b.pour([]shape.Load{{Class: int32(c), Count: int32(n)}}, 1)
	}
	return func(t int, value []float64) []shape.Load {
		b.weigh(value, 0, 2)
		b.begin(t)
		b.greedy(t)
		b.polish(t, 12)
		return b.load()
	}
}
