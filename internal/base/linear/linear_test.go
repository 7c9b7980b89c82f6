package linear_test

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/tranship/tranship/internal/base/linear"
)

// draw is a small program of whole numbers that some x up to 4 keeps or not.
func draw(t *rapid.T) linear.Program {
	number := func(label string, low, high int) float64 {
		return float64(rapid.IntRange(low, high).Draw(t, label))
	}
	var p linear.Program
	n := int(number("variables", 1, 4))
	for range n {
		p.Cost = append(p.Cost, number("cost", 0, 9))
		p.Upper = append(p.Upper, number("upper", 0, 4))
	}
	for range int(number("rows", 0, 4)) {
		r := linear.Row{Least: number("least", -5, 20)}
		for range n {
			r.Coef = append(r.Coef, number("coefficient", -3, 9))
		}
		p.Rows = append(p.Rows, r)
	}
	return p
}

// least is the least cost over all whole x, by trying them.
func least(p *linear.Program) float64 {
	best := math.Inf(1)
	x := make([]float64, len(p.Cost))
	var try func(at int, cost float64)
	try = func(at int, cost float64) {
		if at == len(x) {
			for _, r := range p.Rows {
				sum := 0.0
				for j, a := range r.Coef {
					sum += a * x[j]
				}
				if sum < r.Least {
					return
				}
			}
			best = min(best, cost)
			return
		}
		for v := 0.0; v <= p.Upper[at]; v++ {
			x[at] = v
			try(at+1, cost+v*p.Cost[at])
		}
	}
	try(0, 0)
	return best
}

func TestIntegerFindsTheBest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := draw(t)
		want := least(&p)
		s, err := linear.Integer(&p, linear.Branching{Nodes: 5000, Whole: true})
		if err != nil {
			t.Fatal(err)
		}
		if math.IsInf(want, 1) != !s.Feasible {
			t.Fatalf("feasible %v, the best is %v: %+v", s.Feasible, want, p)
		}
		if s.Feasible && (math.Abs(s.Value-want) > 1e-6 || math.Abs(s.Bound-want) > 1e-6) {
			t.Fatalf("value %v bound %v, want %v: %+v", s.Value, s.Bound, want, p)
		}
	})
}

func TestBoundsRoundUpToTheStepOfCosts(t *testing.T) {
	p := linear.Program{Cost: []float64{20, 30}, Rows: []linear.Row{{Coef: []float64{7, 10}, Least: 24}}}
	s, err := linear.Integer(&p, linear.Branching{Nodes: 1, Step: 10})
	if err != nil || s.Bound != 70 {
		t.Errorf("Integer = bound %v, %v, want 70", s.Bound, err)
	}
}

func TestBoundHoldsWhenCutShort(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := draw(t)
		want := least(&p)
		s, err := linear.Integer(&p, linear.Branching{Nodes: rapid.IntRange(1, 6).Draw(t, "nodes"), Whole: true})
		if err != nil {
			t.Fatal(err)
		}
		if s.Bound > want {
			t.Fatalf("bound %v above the best, %v: %+v", s.Bound, want, p)
		}
		l, err := linear.Solve(&p)
		if err != nil {
			t.Fatal(err)
		}
		if l.Feasible && l.Bound > want+1e-9 {
			t.Fatalf("bound of the relaxation %v above the best, %v: %+v", l.Bound, want, p)
		}
		if !l.Feasible && !math.IsInf(want, 1) {
			t.Fatalf("not feasible, and %v is: %+v", want, p)
		}
	})
}

func TestDualPricesAreWorthTheValue(t *testing.T) {
	p := linear.Program{
		Cost: []float64{544000, 616000, 806400},
		Rows: []linear.Row{
			{Coef: []float64{15640, 15640, 15640}, Least: 1.7e6},
			{Coef: []float64{26810, 57120, 117741}, Least: 4.5e6},
		},
	}
	s, err := linear.Solve(&p)
	if err != nil {
		t.Fatal(err)
	}
	worth := 0.0
	for i, u := range s.Dual {
		worth += u * p.Rows[i].Least
	}
	if math.Abs(worth-s.Value) > 1e-6*s.Value || math.Abs(s.Bound-s.Value) > 1e-6*s.Value {
		t.Errorf("Solve = value %v, prices worth %v, bound %v", s.Value, worth, s.Bound)
	}
	for j, c := range p.Cost {
		if w := s.Dual[0]*p.Rows[0].Coef[j] + s.Dual[1]*p.Rows[1].Coef[j]; w > c*(1+1e-9) {
			t.Errorf("column %d is worth %v, costs %v", j, w, c)
		}
	}
}

func TestColumnsThatComeLaterGiveTheSameAsAllAtOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 4).Draw(t, "rows")
		need := make([]float64, n)
		first := make([]linear.Column, n)
		p := linear.Program{}
		for i := range need {
			need[i] = float64(rapid.IntRange(1, 20).Draw(t, "need"))
			first[i] = linear.Column{Cost: float64(rapid.IntRange(1, 9).Draw(t, "cost")), Row: []int32{int32(i)}, Much: []float64{float64(rapid.IntRange(1, 5).Draw(t, "much"))}}
			p.Rows = append(p.Rows, linear.Row{Least: need[i]})
		}
		add := func(c linear.Column) {
			p.Cost = append(p.Cost, c.Cost)
			for i := range p.Rows {
				p.Rows[i].Coef = append(p.Rows[i].Coef, 0)
			}
			for k, i := range c.Row {
				p.Rows[i].Coef[len(p.Cost)-1] = c.Much[k]
			}
		}
		m := linear.NewMaster(need, first)
		for _, c := range first {
			add(c)
		}
		for range rapid.IntRange(0, 6).Draw(t, "columns") {
			c := linear.Column{Cost: float64(rapid.IntRange(1, 9).Draw(t, "cost"))}
			for i := range n {
				if a := rapid.IntRange(0, 5).Draw(t, "much"); a > 0 {
					c.Row = append(c.Row, int32(i))
					c.Much = append(c.Much, float64(a))
				}
			}
			m.Add(c)
			add(c)
			m.Solve(1000)
		}
		m.Solve(1000)
		s, err := linear.Solve(&p)
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(m.Value()-s.Value) > 1e-6*(1+s.Value) {
			t.Fatalf("column by column %v, at once %v", m.Value(), s.Value)
		}
		worth := 0.0
		for i, u := range m.Dual() {
			worth += u * need[i]
		}
		if math.Abs(worth-s.Value) > 1e-6*(1+s.Value) {
			t.Fatalf("prices are worth %v, want %v", worth, s.Value)
		}
	})
}

func TestCostsBelowZeroAreRefused(t *testing.T) {
	if _, err := linear.Solve(&linear.Program{Cost: []float64{-1}}); err == nil {
		t.Error("a cost of -1 is solved")
	}
	if _, err := linear.Integer(&linear.Program{Cost: []float64{1}, Rows: []linear.Row{{}}}, linear.Branching{}); err == nil {
		t.Error("a row without coefficients is solved")
	}
}
