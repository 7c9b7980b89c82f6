// Package column solves the configuration programme of a packing: the least
// cost of loads (columns) that together cover every class, in fractions of
// bins. It takes a model and first loads, and gives the loads with their
// fractions, values of the classes, and a proven lower bound. It never takes a
// bound from the programme's value, only from values that every type was shown
// to respect.
//
// Column generation is Gilmore and Gomory's (1961, 1963), the bound is that of
// Farley (1990): if no bin of a type holds more value than ρ times its price,
// the value of all pieces over ρ is a lower bound.
package column

import (
	"math"
	"slices"

	"github.com/tranship/tranship/internal/base/binpack/shape"
	"github.com/tranship/tranship/internal/base/linear"
)

// A Use is a bin and how many of it the programme takes.
type Use struct {
	Bin   shape.Bin
	Times float64
}

// A Cut is values of the classes, and for each type a proven bound on the value
// of a load: a row for package fleet.
type Cut struct {
	Value []float64
	Most  []float64
}

// A Solution of the configuration programme.
type Solution struct {
	Bound float64
	Value []float64 // by class, scaled so that no load is worth more than its price
	Uses  []Use
	Cuts  []Cut // the best ones last
	Done  bool  // bound and programme meet
}

// closeEnough is how near bound and programme have to come.
const closeEnough = 2e-5

// nearEnough is where it is not worth to search knapsacks for longer.
const nearEnough = 3e-4

// Generate adds columns until the bound meets the programme's value or the work
// is used up, or until the value is no more than a lower bound that is known
// already. value is a first guess of the classes' values, fill finds good loads
// of a type at given values, quickly.
func Generate(m *shape.Model, value []float64, first []shape.Bin, known float64, work *shape.Meter, fill func(t int, value []float64) []shape.Load) Solution {
	g := &generator{m: m, work: work, fill: fill, known: known}
	g.open(value, first)
	return g.run()
}

type generator struct {
	m    *shape.Model
	work *shape.Meter
	fill func(t int, value []float64) []shape.Load

	master *linear.Master
	bins   []shape.Bin
	sacks  []*knapsack
	seen   map[string]bool
	out    Solution
	stable []float64 // the values with the best bound
	exact  int       // nodes of a knapsack
	known  float64   // a lower bound from elsewhere
	top    float64   // of value over price that a load reached in the last round
}

func (g *generator) open(value []float64, first []shape.Bin) {
	m := g.m
	need := make([]float64, m.Classes)
	var single []linear.Column
	g.seen = map[string]bool{}
	for c := range need {
		need[c] = float64(m.Count[c])
		at, best := -1, math.Inf(1)
		for t := range m.Types {
			if n := m.FitOf(t)[c]; n > 0 {
				if each := float64(m.Price[t]) / float64(n); each < best {
					at, best = t, each
				}
			}
		}
		n := m.FitOf(at)[c]
		g.bins = append(g.bins, shape.Bin{Type: at, Load: []shape.Load{{Class: int32(c), Count: n}}})
		single = append(single, linear.Column{Cost: float64(m.Price[at]), Row: []int32{int32(c)}, Much: []float64{float64(n)}})
	}
	g.master = linear.NewMaster(need, single)
	for _, b := range first {
		g.add(b)
	}
	g.stable = slices.Clone(value)
	g.out.Value = slices.Clone(value)
	for t := range m.Types {
		price := make([]float64, m.Dim)
		for d, r := range m.RoomOf(t) {
			if r > 0 {
				price[d] = float64(m.Price[t]) / float64(r) / float64(m.Dim)
			}
		}
		k := newKnapsack(m, t, price)
		k.work = g.work
		g.sacks = append(g.sacks, k)
	}
	g.exact = 300
}

func (g *generator) add(b shape.Bin) bool {
	key := make([]byte, 0, 4+6*len(b.Load))
	key = append(key, byte(b.Type), byte(b.Type>>8))
	for _, l := range b.Load {
		key = append(key, byte(l.Class), byte(l.Class>>8), byte(l.Class>>16), byte(l.Count), byte(l.Count>>8), byte(l.Count>>16))
	}
	if g.seen[string(key)] {
		return false
	}
	g.seen[string(key)] = true
	c := linear.Column{Cost: float64(g.m.Price[b.Type])}
	for _, l := range b.Load {
		c.Row = append(c.Row, l.Class)
		c.Much = append(c.Much, float64(l.Count))
	}
	g.bins = append(g.bins, b)
	g.master.Add(c)
	return true
}

func (g *generator) run() Solution {
	n := g.m.Classes
	value := make([]float64, n)
	copy(value, g.stable)
	g.price(value)
	mix := 0.6 // of the values with the best bound, against the jumping of dual prices (Wentges 1997)
	for g.work.Left > 0 {
		steps := g.master.Solve(20 + 2*n)
		g.work.Spend((steps + 1) * (n*n + len(g.bins)*8))
		target := g.master.Value()
		for c, u := range g.master.Dual() {
			value[c] = mix*g.stable[c] + (1-mix)*max(0, u)
		}
		added, better := g.price(value)
		if g.out.Bound >= target*(1-closeEnough) || g.known >= target*(1-closeEnough) {
			g.out.Done = true
			break
		}
		switch {
		case added == 0 && mix > 0:
			if mix *= 0.5; mix < 0.05 {
				mix = 0
			}
		case added == 0 && !better:
			if g.exact > 5000 || g.out.Bound >= target*(1-nearEnough) {
				g.work.Left = 0
			}
			g.exact *= 4
		}
	}
	g.master.Use(func(j int, x float64) {
		g.out.Uses = append(g.out.Uses, Use{Bin: g.bins[j], Times: x})
	})
	return g.out
}

// price asks every type for loads that are worth more than their price at the
// values, adds those that are so at the programme's own prices, and bounds.
func (g *generator) price(value []float64) (added int, better bool) {
	m := g.m
	upper := make([]float64, m.Types)
	order := make([]int, m.Types)
	top := 0.0 // of value over price that some load reaches
	total := 0.0
	for c, v := range value {
		total += v * float64(m.Count[c])
	}
	for t := range upper {
		order[t] = t
		upper[t] = g.sacks[t].fluid(value)
		if upper[t] > 0.98*g.top*float64(m.Price[t]) {
			upper[t] = g.sacks[t].relax(value, 4)
		}
	}
	ratio := func(t int) float64 { return upper[t] / (float64(m.Price[t]) + 1e-9) }
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case ratio(a) > ratio(b):
			return -1
		case ratio(a) < ratio(b):
			return 1
		}
		return 0
	})
	dual := g.master.Dual()
	offer := func(t int, load []shape.Load) {
		worth, now := 0.0, 0.0
		for _, l := range load {
			worth += dual[l.Class] * float64(l.Count)
			now += value[l.Class] * float64(l.Count)
		}
		price := float64(m.Price[t])
		top = max(top, now/(price+1e-9))
		if worth > price*(1+1e-7) && g.add(shape.Bin{Type: t, Load: load}) {
			added++
		}
	}
	for _, t := range order {
		// A type whose bound is below what another reaches adds nothing to either.
		if ratio(t) < top && ratio(t) < 1 {
			break
		}
		if load := g.fill(t, value); len(load) > 0 {
			offer(t, load)
		}
	}
	for _, t := range order {
		if g.work.Left <= 0 || added > 0 && g.exact > 300 {
			break
		}
		if ratio(t) <= top {
			break
		}
		load, _, proven := g.sacks[t].search(value, top*float64(m.Price[t]), g.exact)
		upper[t] = min(upper[t], proven)
		if load != nil {
			offer(t, load)
		}
	}
	g.top = top
	worst := 0.0
	for t := range upper {
		worst = max(worst, ratio(t))
	}
	if worst <= 0 {
		return added, false
	}
	if b := total / worst * (1 - 1e-9); b > g.out.Bound {
		better = b > g.out.Bound*(1+1e-6)
		g.out.Bound = b
		copy(g.stable, value)
		for c, v := range value {
			g.out.Value[c] = v / worst
		}
		g.out.Cuts = append(g.out.Cuts, Cut{Value: slices.Clone(value), Most: upper})
		if len(g.out.Cuts) > 8 {
			g.out.Cuts = slices.Delete(g.out.Cuts, 0, 1)
		}
	}
	return added, better
}
