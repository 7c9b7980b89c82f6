package linear

import "math"

// A Column of a Master: what one unit of it costs, and of which rows it covers how much.
type Column struct {
	Cost float64
	Row  []int32
	Much []float64
}

// A Master is a covering program min c·x, A·x ≥ need, x ≥ 0 whose columns come
// one after another, as column generation wants it (Gilmore and Gomory 1961).
// It is the revised primal simplex with an explicit inverse of the basis, which
// is kept between calls: after new columns it goes on from where it was.
type Master struct {
	need    []float64
	columns []Column
	basis   []int // by row: a column, or -1-i for the surplus of row i
	within  []bool
	inverse []float64
	x       []float64 // of the basis
	dual    []float64
	pivots  int
}

// NewMaster starts with one column for each row that covers it alone; need is above 0.
func NewMaster(need []float64, first []Column) *Master {
	n := len(need)
	m := &Master{need: need, basis: make([]int, n), inverse: make([]float64, n*n), x: make([]float64, n), dual: make([]float64, n)}
	for i, c := range first {
		m.Add(c)
		m.basis[i], m.within[i] = i, true
		m.inverse[i*n+i] = 1 / c.Much[0]
		m.x[i] = need[i] / c.Much[0]
		m.dual[i] = c.Cost / c.Much[0]
	}
	return m
}

// Add adds a column, for the next Solve.
func (m *Master) Add(c Column) {
	m.columns = append(m.columns, c)
	m.within = append(m.within, false)
}

// Dual are the prices of the rows, which the next Solve changes.
func (m *Master) Dual() []float64 { return m.dual }

// Value is what the present x costs.
func (m *Master) Value() float64 {
	v := 0.0
	for i, j := range m.basis {
		if j >= 0 {
			v += m.columns[j].Cost * m.x[i]
		}
	}
	return v
}

// Use calls yield with each column that is used, and how much of it.
func (m *Master) Use(yield func(column int, x float64)) {
	for i, j := range m.basis {
		if j >= 0 && m.x[i] > tiny {
			yield(j, m.x[i])
		}
	}
}

// Solve pivots until no column is worth more than it costs, or most pivots are
// done, and gives the number of them.
func (m *Master) Solve(most int) int {
	n := len(m.need)
	way := make([]float64, n)
	for step := range most {
		enter, worst := 0, -1e-9
		found := false
		for j := range m.columns {
			if m.within[j] {
				continue
			}
			c := &m.columns[j]
			worth := 0.0
			for k, i := range c.Row {
				worth += m.dual[i] * c.Much[k]
			}
			// By the part of its cost, so that dear columns are not preferred.
			if r := (c.Cost - worth) / (c.Cost + 1e-12); r < worst {
				enter, worst, found = j, r, true
			}
		}
		for i, u := range m.dual {
			if r := u / (math.Abs(m.columns[i].Cost) + 1e-12); r < worst {
				enter, worst, found = -1-i, r, true
			}
		}
		if !found {
			return step
		}
		m.along(enter, way)
		leave, ratio := -1, math.Inf(1)
		for i, w := range way {
			if w <= tiny {
				continue
			}
			if r := max(0, m.x[i]) / w; r < ratio-1e-12 || r < ratio+1e-12 && w > way[leave] {
				leave, ratio = i, r
			}
		}
		if leave < 0 {
			return step
		}
		m.pivot(enter, leave, ratio, way)
	}
	return most
}

// along is how the basis changes with one unit of a column.
func (m *Master) along(j int, way []float64) {
	n := len(m.need)
	if j < 0 {
		at := -1 - j
		for i := range way {
			way[i] = -m.inverse[i*n+at]
		}
		return
	}
	c := &m.columns[j]
	for i := range way {
		row := m.inverse[i*n : (i+1)*n]
		sum := 0.0
		for k, r := range c.Row {
			sum += row[r] * c.Much[k]
		}
		way[i] = sum
	}
}

func (m *Master) pivot(enter, leave int, ratio float64, way []float64) {
	n := len(m.need)
	if old := m.basis[leave]; old >= 0 {
		m.within[old] = false
	}
	if enter >= 0 {
		m.within[enter] = true
	}
	m.basis[leave] = enter
	for i, w := range way {
		if i == leave {
			m.x[i] = ratio
		} else if w != 0 {
			m.x[i] = max(0, m.x[i]-ratio*w)
		}
	}
	row := m.inverse[leave*n : (leave+1)*n]
	f := 1 / way[leave]
	for k := range row {
		row[k] *= f
	}
	for i, w := range way {
		if i == leave || w == 0 {
			continue
		}
		other := m.inverse[i*n : (i+1)*n]
		for k, a := range row {
			other[k] -= w * a
		}
	}
	if m.pivots++; m.pivots%(2*n+100) == 0 {
		m.refresh()
	}
	m.prices()
}

// prices are the costs of the basis times its inverse.
func (m *Master) prices() {
	n := len(m.need)
	clear(m.dual)
	for i, j := range m.basis {
		if j < 0 || m.columns[j].Cost == 0 {
			continue
		}
		c := m.columns[j].Cost
		for k, a := range m.inverse[i*n : (i+1)*n] {
			m.dual[k] += c * a
		}
	}
}

// refresh inverts the basis anew, against the errors that add up; a basis that
// cannot be inverted keeps the inverse that it has.
func (m *Master) refresh() {
	n := len(m.need)
	a := make([]float64, n*n)
	for i, j := range m.basis {
		if j < 0 {
			a[(-1-j)*n+i] = -1
			continue
		}
		c := &m.columns[j]
		for k, r := range c.Row {
			a[int(r)*n+i] = c.Much[k]
		}
	}
	b := make([]float64, n*n)
	for i := range n {
		b[i*n+i] = 1
	}
	for k := range n {
		p := k
		for i := k + 1; i < n; i++ {
			if math.Abs(a[i*n+k]) > math.Abs(a[p*n+k]) {
				p = i
			}
		}
		if math.Abs(a[p*n+k]) < 1e-11 {
			return
		}
		if p != k {
			swap(a, p*n, k*n, n)
			swap(b, p*n, k*n, n)
		}
		f := 1 / a[k*n+k]
		for i := range n {
			if i == k || a[i*n+k] == 0 {
				continue
			}
			g := a[i*n+k] * f
			for c := k; c < n; c++ {
				a[i*n+c] -= g * a[k*n+c]
			}
			for c := range n {
				b[i*n+c] -= g * b[k*n+c]
			}
		}
		for c := k; c < n; c++ {
			a[k*n+c] *= f
		}
		for c := range n {
			b[k*n+c] *= f
		}
	}
	m.inverse = b
	for i := range n {
		sum := 0.0
		for k, d := range m.need {
			sum += b[i*n+k] * d
		}
		m.x[i] = max(0, sum)
	}
}

func swap(s []float64, a, b, n int) {
	for i := range n {
		s[a+i], s[b+i] = s[b+i], s[a+i]
	}
}
