// Package linear solves the small linear and integer programs that packing
// asks for. It takes a program of costs that are not negative and rows that
// must be reached, and gives a solution with dual prices or a lower bound. It
// never gives out a bound that it has not derived from dual prices which it
// has made feasible, so that rounding can weaken a bound and never break it.
package linear

import (
	"fmt"
	"math"
)

// A Program asks for the x ≥ 0 of least Cost·x with Coef·x ≥ Least in each row.
type Program struct {
	Cost []float64 // at least 0
	Rows []Row
	// Upper bounds x; nil or +Inf for no bound.
	Upper []float64
}

// A Row is one condition. Its coefficients may have any sign, one for each cost.
type Row struct {
	Coef  []float64
	Least float64
}

// A Solution of a Program.
type Solution struct {
	// Feasible is false where no x keeps all rows.
	Feasible bool
	X        []float64
	Value    float64
	// Dual are the prices of the rows, at least 0.
	Dual []float64
	// Bound is proven: no x costs less. It differs from Value by rounding alone,
	// unless the solver was stopped by its limit of steps.
	Bound float64
}

const (
	tiny  = 1e-9
	slack = 1e-7
)

func (p *Program) check() error {
	for j, c := range p.Cost {
		if !(c >= 0) || math.IsInf(c, 1) {
			return fmt.Errorf("solve program: cost %d is %v, not a number of at least 0", j, c)
		}
	}
	for i, r := range p.Rows {
		if len(r.Coef) != len(p.Cost) {
			return fmt.Errorf("solve program: row %d has %d coefficients for %d costs", i, len(r.Coef), len(p.Cost))
		}
	}
	if p.Upper != nil && len(p.Upper) != len(p.Cost) {
		return fmt.Errorf("solve program: %d upper bounds for %d costs", len(p.Upper), len(p.Cost))
	}
	return nil
}

// Solve solves p by the dual simplex method (Lemke 1954) on a dense tableau,
// from the basis of the surplus alone, which costs at least 0 make dual
// feasible. It is meant for some tens of rows.
func Solve(p *Program) (Solution, error) {
	if err := p.check(); err != nil {
		return Solution{}, err
	}
	var t tableau
	t.load(p, nil, nil)
	feasible := t.run()
	s := Solution{Feasible: feasible}
	if !feasible {
		return s, nil
	}
	s.X = t.values(nil)
	for j, c := range p.Cost {
		s.Value += c * s.X[j]
	}
	s.Dual = make([]float64, len(p.Rows))
	for i := range s.Dual {
		s.Dual[i] = max(0, t.reduced[t.cols+i]) * t.scale[i]
	}
	s.Bound = t.bound()
	return s, nil
}

// A tableau is the dense dual simplex: its rows are -A·x + s = -b with s ≥ 0,
// so that a row with a negative right side is one that is not reached.
type tableau struct {
	p          *Program
	low, high  []int32 // of an integer program's node
	cols, rows int
	width      int
	cell       []float64 // rows × width, width = cols + rows
	right      []float64
	reduced    []float64
	basis      []int
	upperOf    []int // of rows after the program's: which x they bound
	scale      []float64
	work       int // numbers touched, since the tableau was made
}

// load starts from the surplus basis. low shifts x, high adds rows.
func (t *tableau) load(p *Program, low, high []int32) {
	t.p, t.low, t.high = p, low, high
	t.cols = len(p.Cost)
	t.upperOf = t.upperOf[:0]
	for j := range p.Cost {
		if u := t.upper(j); !math.IsInf(u, 1) {
			t.upperOf = append(t.upperOf, j)
		}
	}
	t.rows = len(p.Rows) + len(t.upperOf)
	t.width = t.cols + t.rows
	t.cell = resize(t.cell, t.rows*t.width)
	t.right = resize(t.right, t.rows)
	t.reduced = resize(t.reduced, t.width)
	t.scale = resize(t.scale, t.rows)
	if cap(t.basis) < t.rows {
		t.basis = make([]int, t.rows)
	}
	t.basis = t.basis[:t.rows]
	copy(t.reduced, p.Cost)
	t.work += 2 * t.rows * t.width
	for i := range t.rows {
		row := t.cell[i*t.width : (i+1)*t.width]
		t.scale[i] = 1
		if i < len(p.Rows) {
			r := &p.Rows[i]
			most := math.Abs(r.Least)
			for _, a := range r.Coef {
				most = max(most, math.Abs(a))
			}
			if most > 0 {
				t.scale[i] = 1 / most
			}
			least := r.Least
			for j, a := range r.Coef {
				row[j] = -a * t.scale[i]
				if low != nil && low[j] != 0 {
					least -= a * float64(low[j])
				}
			}
			t.right[i] = -least * t.scale[i]
		} else {
			j := t.upperOf[i-len(p.Rows)]
			row[j] = 1
			t.right[i] = t.upper(j) - t.lower(j)
		}
		row[t.cols+i] = 1
		t.basis[i] = t.cols + i
	}
}

func (t *tableau) lower(j int) float64 {
	if t.low == nil {
		return 0
	}
	return float64(t.low[j])
}

func (t *tableau) upper(j int) float64 {
	u := math.Inf(1)
	if t.p.Upper != nil {
		u = t.p.Upper[j]
	}
	if t.high != nil && t.high[j] >= 0 {
		u = min(u, float64(t.high[j]))
	}
	return u
}

func resize(s []float64, n int) []float64 {
	if cap(s) < n {
		return make([]float64, n)
	}
	s = s[:n]
	clear(s)
	return s
}

// run pivots until all rows are reached and says whether they can be. A run cut
// short by its limit of steps counts as feasible: its bound holds, its x may not.
func (t *tableau) run() bool {
	for range 50 * (t.rows + 10) {
		leave, worst := -1, -slack
		for i, b := range t.right {
			if b < worst {
				leave, worst = i, b
			}
		}
		if leave < 0 {
			return true
		}
		row := t.cell[leave*t.width : (leave+1)*t.width]
		enter, best := -1, math.Inf(1)
		for j, a := range row {
			if a >= -tiny {
				continue
			}
			ratio := t.reduced[j] / -a
			if ratio < best-1e-12 || ratio < best+1e-12 && enter >= 0 && a < row[enter] {
				enter, best = j, ratio
			}
		}
		if enter < 0 {
			return false
		}
		t.pivot(leave, enter)
	}
	return true
}

func (t *tableau) pivot(leave, enter int) {
	w := t.width
	t.work += t.rows * w
	row := t.cell[leave*w : (leave+1)*w]
	f := 1 / row[enter]
	for j := range row {
		row[j] *= f
	}
	row[enter] = 1
	t.right[leave] *= f
	for i := range t.rows {
		if i == leave {
			continue
		}
		other := t.cell[i*w : (i+1)*w]
		g := other[enter]
		if g == 0 {
			continue
		}
		for j, a := range row {
			other[j] -= g * a
		}
		other[enter] = 0
		t.right[i] -= g * t.right[leave]
	}
	if g := t.reduced[enter]; g != 0 {
		for j, a := range row {
			t.reduced[j] -= g * a
		}
		t.reduced[enter] = 0
	}
	t.basis[leave] = enter
}

// values appends x to out, of which the first len(p.Cost) are used.
func (t *tableau) values(out []float64) []float64 {
	out = resize(out, t.cols)
	for j := range out {
		out[j] = t.lower(j)
	}
	for i, j := range t.basis {
		if j < t.cols {
			out[j] += max(0, t.right[i])
		}
	}
	return out
}

// bound is the value of the dual prices after they are made feasible: clipped
// at 0 and shrunk until no column is worth more than it costs (as Farley 1990
// does with the prices of a column generation). What the prices of upper bounds
// take back is subtracted, so it holds at every node of a branch.
func (t *tableau) bound() float64 {
	u := make([]float64, t.rows)
	for i := range u {
		u[i] = max(0, t.reduced[t.cols+i])
	}
	p := t.p
	shrink := 1.0
	worth := make([]float64, t.cols)
	for i := range p.Rows {
		if u[i] == 0 {
			continue
		}
		for j, a := range p.Rows[i].Coef {
			worth[j] += u[i] * t.scale[i] * a
		}
	}
	back := 0.0
	for _, j := range t.upperOf {
		// The price of an upper bound is free to choose: the least that is needed.
		need := max(0, worth[j]-p.Cost[j])
		back += need * (t.upper(j) - t.lower(j))
		worth[j] -= need
	}
	for j, w := range worth {
		if w > p.Cost[j] && w > 0 {
			shrink = min(shrink, p.Cost[j]/w)
		}
	}
	value, size := 0.0, 0.0
	for i, r := range p.Rows {
		least := r.Least
		for j, a := range r.Coef {
			if l := t.lower(j); l != 0 {
				least -= a * l
			}
		}
		value += u[i] * t.scale[i] * least
		size += math.Abs(u[i] * t.scale[i] * least)
	}
	if value-back <= 0 {
		value, back = 0, 0
	}
	value = (value-back)*shrink - 1e-11*(size+back)
	for j := range t.cols {
		value += p.Cost[j] * t.lower(j)
	}
	return max(value, 0)
}
