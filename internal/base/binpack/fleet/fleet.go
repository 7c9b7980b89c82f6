// Package fleet reasons on how many bins of each type there are, and not on
// what is in them. It takes a model and gives proven lower bounds, values of
// the classes, and counts of bins that could hold everything. It never says
// that they do: that is for a search to show.
package fleet

import (
	"fmt"
	"math"
	"slices"

	"github.com/tranship/tranship/internal/base/binpack/shape"
	"github.com/tranship/tranship/internal/base/linear"
)

// Rows are conditions Σ coefficient(t)·n(t) ≥ demand that the numbers n of bins
// of each packing keep. Each comes from a weight for each class: the demand is
// the weight of all pieces, the coefficient an upper bound on the weight that a
// bin of the type holds. The first rows are the resources themselves.
type Rows struct {
	m      *shape.Model
	p      linear.Program
	weight [][]float64 // by row and class
	worth  []float64   // by type, at the prices that Fluid found
	floor  int         // the row of AtLeast, 0 for none
}

// at most so many sets of types get resource rows of their own.
const sets = 6

// New gives the rows of the resources. For each set of types that some class is
// bound to (by its size, or by what is allowed), what is bound to it or to less
// must have room in it: Hall's condition for each dimension.
func New(m *shape.Model) *Rows {
	r := &Rows{m: m}
	r.p.Cost = make([]float64, m.Types)
	limited := false
	for t, p := range m.Price {
		r.p.Cost[t] = float64(p)
		limited = limited || m.Limit[t] > 0
	}
	if limited {
		r.p.Upper = make([]float64, m.Types)
		for t, n := range m.Limit {
			r.p.Upper[t] = math.Inf(1)
			if n > 0 {
				r.p.Upper[t] = float64(n)
			}
		}
	}
	for _, set := range r.sets() {
		r.resources(set)
	}
	r.bounds()
	return r
}

// sets are those of the most weighty classes, and that of all types.
func (r *Rows) sets() [][]bool {
	m := r.m
	full := make([]bool, m.Types)
	for t := range full {
		full[t] = true
	}
	type bound struct {
		set    []bool
		weight float64
	}
	var found []bound
	share := make([]float64, m.Dim)
	for d := range share {
		for c := range m.Classes {
			share[d] += float64(m.SizeOf(c)[d]) * float64(m.Count[c])
		}
	}
	index := map[string]int{}
	key := make([]byte, m.Types)
	for c := range m.Classes {
		all := true
		for t := range m.Types {
			key[t] = 0
			if m.FitOf(t)[c] > 0 {
				key[t] = 1
			} else {
				all = false
			}
		}
		if all {
			continue
		}
		at, ok := index[string(key)]
		if !ok {
			at = len(found)
			index[string(key)] = at
			set := make([]bool, m.Types)
			for t, k := range key {
				set[t] = k == 1
			}
			found = append(found, bound{set: set})
		}
		for d, s := range m.SizeOf(c) {
			if share[d] > 0 {
				found[at].weight += float64(s) * float64(m.Count[c]) / share[d]
			}
		}
	}
	slices.SortStableFunc(found, func(a, b bound) int {
		switch {
		case a.weight > b.weight:
			return -1
		case a.weight < b.weight:
			return 1
		}
		return 0
	})
	out := [][]bool{full}
	for _, f := range found[:min(len(found), sets)] {
		out = append(out, f.set)
	}
	return out
}

func (r *Rows) resources(set []bool) {
	m := r.m
	inside := make([]bool, m.Classes)
	for c := range inside {
		inside[c] = true
		for t, in := range set {
			if !in && m.FitOf(t)[c] > 0 {
				inside[c] = false
				break
			}
		}
	}
	for d := range m.Dim {
		weight := make([]float64, m.Classes)
		var step int64
		for c, in := range inside {
			if s := m.SizeOf(c)[d]; in && s > 0 {
				weight[c] = float64(s)
				step = gcd(step, s)
			}
		}
		if step == 0 {
			continue
		}
		coef := make([]float64, m.Types)
		for t, in := range set {
			if in {
				coef[t] = float64(m.RoomOf(t)[d] / step * step)
			}
		}
		r.Add(weight, coef)
	}
}

// bounds adds the rows of groups, and of the classes whose bound per bin asks
// for the most bins.
func (r *Rows) bounds() {
	m := r.m
	for g, most := range m.Group {
		weight := make([]float64, m.Classes)
		coef := make([]float64, m.Types)
		some := false
		for c, in := range m.In {
			if !slices.Contains(in, int32(g)) {
				continue
			}
			some = true
			weight[c] = 1
			for t := range coef {
				if m.FitOf(t)[c] > 0 {
					coef[t] = float64(most)
				}
			}
		}
		if some && g < 2*sets {
			r.Add(weight, coef)
		}
	}
	var tight []int
	for c := range m.Classes {
		if m.Most[c] < m.Count[c] {
			tight = append(tight, c)
		}
	}
	slices.SortStableFunc(tight, func(a, b int) int {
		return m.Count[b]*m.Most[a] - m.Count[a]*m.Most[b]
	})
	for _, c := range tight[:min(len(tight), sets)] {
		r.Single(c)
	}
}

// Single adds the row of class c alone: enough bins for its pieces.
func (r *Rows) Single(c int) {
	weight := make([]float64, r.m.Classes)
	weight[c] = 1
	coef := make([]float64, r.m.Types)
	for t := range coef {
		coef[t] = float64(r.m.FitOf(t)[c])
	}
	r.Add(weight, coef)
}

// Add adds a row of the caller's. That no bin of type t can hold more weight
// than coef[t] is the caller's to prove.
func (r *Rows) Add(weight, coef []float64) {
	least := 0.0
	for c, w := range weight {
		least += w * float64(r.m.Count[c])
	}
	if least <= 0 {
		return
	}
	r.p.Rows = append(r.p.Rows, linear.Row{Coef: coef, Least: least})
	r.weight = append(r.weight, weight)
}

// Fluid solves the rows without whole numbers. It gives a lower bound and the
// value of a piece of each class: of no type does a bin hold more value than
// its price, where the type has no limit.
func (r *Rows) Fluid() (bound float64, value []float64, err error) {
	s, err := linear.Solve(&r.p)
	if err != nil {
		return 0, nil, fmt.Errorf("bound packing: %w", err)
	}
	if !s.Feasible && r.p.Upper != nil {
		// Not all can be packed; what a piece is worth is then asked without limits.
		free := r.p
		free.Upper = nil
		if s, err = linear.Solve(&free); err != nil {
			return 0, nil, fmt.Errorf("bound packing: %w", err)
		}
		s.Bound = 0
	}
	value = make([]float64, r.m.Classes)
	r.worth = make([]float64, r.m.Types)
	for i, u := range s.Dual {
		if u == 0 {
			continue
		}
		for t, a := range r.p.Rows[i].Coef {
			r.worth[t] += u * a
		}
		for c, w := range r.weight[i] {
			value[c] += u * w
		}
	}
	return s.Bound, value, nil
}

// Worth is what an empty bin of type t is worth at the prices that Fluid found:
// its price or less.
func (r *Rows) Worth(t int) float64 { return r.worth[t] }

// most is the work of one integer program.
const most = 200_000_000

// Bound is a lower bound on the cost in whole bins, proven as far as so many
// linear programs reach, and the counts of bins that reach it, where found.
func (r *Rows) Bound(nodes int, cutoff int64, work *shape.Meter) (int64, []int, error) {
	s, err := linear.Integer(r.binding(), linear.Branching{Nodes: nodes, Step: float64(r.step()), Cutoff: float64(cutoff), Work: most})
	if err != nil {
		return 0, nil, fmt.Errorf("bound packing: %w", err)
	}
	work.Spend(s.Work / 6)
	if math.IsInf(s.Bound, 1) {
		return 0, nil, nil
	}
	// The cutoff may be between two steps.
	return int64(math.Ceil(s.Bound - 1e-6)), s.X, nil
}

// step is what all prices are multiples of.
func (r *Rows) step() int64 {
	var step int64
	for _, p := range r.m.Price {
		step = gcd(step, p)
	}
	return max(step, 1)
}

// binding is the program with the rows alone that come near to mattering:
// leaving out a row leaves a bound that still holds.
func (r *Rows) binding() *linear.Program {
	s, err := linear.Solve(&r.p)
	if err != nil || !s.Feasible {
		return &r.p
	}
	out := linear.Program{Cost: r.p.Cost, Upper: r.p.Upper}
	for i, row := range r.p.Rows {
		have := 0.0
		for t, a := range row.Coef {
			have += a * s.X[t]
		}
		if s.Dual[i] > 0 || have < 1.25*row.Least {
			out.Rows = append(out.Rows, row)
		}
	}
	return &out
}

func gcd(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// Clone is a copy that rows can be added to.
func (r *Rows) Clone() *Rows {
	c := *r
	c.p.Rows = slices.Clone(r.p.Rows)
	c.weight = slices.Clone(r.weight)
	return &c
}

// AtLeast asks for fleets that cost no less. What follows from it is no bound.
func (r *Rows) AtLeast(cost int64) {
	row := linear.Row{Coef: r.p.Cost, Least: float64(cost)}
	if r.floor > 0 {
		r.p.Rows[r.floor] = row
		return
	}
	r.floor = len(r.p.Rows)
	r.p.Rows = append(r.p.Rows, row)
	r.weight = append(r.weight, make([]float64, r.m.Classes))
}
