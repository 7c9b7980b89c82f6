package failure

import (
	"maps"
	"math"
	"slices"
)

// A covering is a small program: the cheapest whole numbers of columns that
// give at least the need in each row.
type covering struct {
	need  []float64
	price []float64   // by column, at least 0
	gives [][]float64 // by column, then row
}

// relax solves it without wholeness by the dual simplex method. The value is
// proven by the duals, which are scaled until no column breaks them; a need
// that cannot be met gives +Inf.
func (c *covering) relax() (value float64, dual, amounts []float64) {
	rows, cols := len(c.need), len(c.price)
	scale := make([]float64, rows)
	for _, col := range c.gives {
		for r, a := range col {
			scale[r] = max(scale[r], math.Abs(a))
		}
	}
	// Row r is slack_r - sum gives*x = -need, each row divided by its scale. The
	// last column is the right side, the last row the reduced prices.
	w := cols + rows + 1
	t := make([]float64, (rows+1)*w)
	basis := make([]int, rows)
	for r := range rows {
		if scale[r] == 0 {
			scale[r] = 1
		}
		for j := range cols {
			t[r*w+j] = -c.gives[j][r] / scale[r]
		}
		t[r*w+cols+r] = 1
		t[r*w+w-1] = -c.need[r] / scale[r]
		basis[r] = cols + r
	}
	last := t[rows*w:]
	copy(last, c.price)
	for range 50 * (rows + 2) {
		r := -1
		for i := range rows {
			if t[i*w+w-1] < -1e-9 && (r < 0 || t[i*w+w-1] < t[r*w+w-1]) {
				r = i
			}
		}
		if r < 0 {
			break
		}
		k, best := -1, math.Inf(1)
		for j := range w - 1 {
			if a := t[r*w+j]; a < -1e-11 {
				if ratio := max(last[j], 0) / -a; ratio < best {
					k, best = j, ratio
				}
			}
		}
		if k < 0 {
			return math.Inf(1), make([]float64, rows), make([]float64, cols)
		}
		pivot(t, w, rows, r, k)
		basis[r] = k
	}
	dual = make([]float64, rows)
	for r := range rows {
		dual[r] = max(last[cols+r], 0) / scale[r]
	}
	amounts = make([]float64, cols)
	for r, b := range basis {
		if b < cols {
			amounts[b] = max(t[r*w+w-1], 0)
		}
	}
	return c.prove(dual), dual, amounts
}

// pivot makes column k the unit of row r.
func pivot(t []float64, w, rows, r, k int) {
	row := t[r*w : r*w+w]
	f := 1 / row[k]
	for j := range row {
		row[j] *= f
	}
	for i := range rows + 1 {
		if i == r {
			continue
		}
		other := t[i*w : i*w+w]
		g := other[k]
		if g == 0 {
			continue
		}
		for j, a := range row {
			other[j] -= g * a
		}
		other[k] = 0
	}
}

// prove gives the value of the duals after dividing them by the most that a
// column breaks them: weak duality holds for them whatever the rounding did.
func (c *covering) prove(dual []float64) float64 {
	most := 1.0
	for j, col := range c.gives {
		v := 0.0
		for r, a := range col {
			v += a * dual[r]
		}
		if v > c.price[j] {
			if c.price[j] <= 0 {
				return 0
			}
			most = max(most, v/c.price[j])
		}
	}
	value := 0.0
	for r, b := range c.need {
		value += b * dual[r] / most
	}
	return max(value, 0)
}

// An open is a part of the search with bounds on columns.
type open struct {
	value   float64
	low     map[int]float64
	high    map[int]float64
	amounts []float64
}

// whole gives a lower bound of the least cost in whole numbers: that cost
// itself unless nodes run out first or it exceeds enough, beyond which nobody asks.
func (c *covering) whole(nodes int, enough float64) float64 {
	value, _, amounts := c.relax()
	queue := []open{{value: value, amounts: amounts}}
	for range nodes {
		at := 0
		for i := range queue {
			if queue[i].value < queue[at].value {
				at = i
			}
		}
		o := queue[at]
		if o.value >= enough {
			return o.value
		}
		split, far := -1, 1e-6
		for j, x := range o.amounts {
			if f := math.Abs(x - math.Round(x)); f > far {
				split, far = j, f
			}
		}
		if split < 0 {
			return o.value
		}
		queue = slices.Delete(queue, at, at+1)
		down, up := o.child(), o.child()
		down.high[split] = math.Floor(o.amounts[split])
		up.low[split] = math.Ceil(o.amounts[split])
		for _, ch := range []open{down, up} {
			v, x := c.within(ch.low, ch.high)
			ch.value, ch.amounts = max(v, o.value), x
			if !math.IsInf(v, 1) {
				queue = append(queue, ch)
			}
		}
		if len(queue) == 0 {
			return math.Inf(1)
		}
	}
	value = math.Inf(1)
	for _, o := range queue {
		value = min(value, o.value)
	}
	return value
}

func (o *open) child() open {
	ch := open{low: map[int]float64{}, high: map[int]float64{}}
	maps.Copy(ch.low, o.low)
	maps.Copy(ch.high, o.high)
	return ch
}

// within relaxes it with bounds on columns: those from below are bought at
// once, those from above are rows.
func (c *covering) within(low, high map[int]float64) (float64, []float64) {
	sub := covering{need: slices.Clone(c.need), price: c.price}
	fixed := 0.0
	for j, l := range low {
		fixed += l * c.price[j]
		for r, a := range c.gives[j] {
			sub.need[r] -= l * a
		}
	}
	var rows []int // columns with a bound from above
	for j := range high {
		rows = append(rows, j)
	}
	slices.Sort(rows)
	for _, j := range rows {
		sub.need = append(sub.need, low[j]-high[j])
	}
	sub.gives = make([][]float64, len(c.gives))
	for j, col := range c.gives {
		sub.gives[j] = slices.Clone(col)
		for _, k := range rows {
			a := 0.0
			if j == k {
				a = -1
			}
			sub.gives[j] = append(sub.gives[j], a)
		}
	}
	v, _, x := sub.relax()
	for j, l := range low {
		x[j] += l
	}
	return v + fixed, x
}
