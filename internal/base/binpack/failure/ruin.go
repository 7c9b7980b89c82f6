package failure

import (
	"math"
	"slices"

	"github.com/tranship/tranship/internal/base/binpack"
)

// run works until the work is done; it keeps what is no dearer than a little
// over the best, less and less over it.
func (q *search) run(work int64, stop func() bool) {
	if len(q.columns) == 0 {
		return
	}
	best, bestCost := q.columns, q.cost
	q.work, q.stop = 0, nil
	for q.work < work && (stop == nil || !stop()) {
		heat := 0.004 * (1 - float64(q.work)/float64(work))
		q.work += 20
		columns := q.attempt()
		if columns == nil {
			continue
		}
		cost := q.price(columns)
		if float64(cost) <= float64(bestCost)*(1+heat*q.rng.Float64()) {
			q.columns, q.cost = columns, cost
		}
		if cost < bestCost {
			best, bestCost = columns, cost
		}
	}
	q.columns, q.cost = best, bestCost
}

// waste is what a column costs over the worth of what it holds, by price.
func (q *search) waste(c *column) float64 {
	worth := 0.0
	for _, load := range c.load {
		for _, l := range load {
			worth += q.weight[l.Item] * float64(l.Count)
		}
	}
	return 1 - worth/max(float64(q.loaded)*float64(q.m.p.Types[c.kind].Price), 1e-9)
}

// attempt ruins a few columns, wasteful ones rather, and gives columns that
// hold the same pieces; nil if it found none.
func (q *search) attempt() []column {
	n := len(q.columns)
	if n == 0 {
		return nil
	}
	q.work += int64(n + len(q.weight) + 50)
	q.noise(0.3 * q.rng.Float64())
	ruined := make([]bool, n)
	for range min(n, 1+q.rng.IntN(5)) {
		at, worst := -1, math.Inf(-1)
		for range 3 {
			k := q.rng.IntN(n)
			if w := q.waste(&q.columns[k]); !ruined[k] && w > worst {
				at, worst = k, w
			}
		}
		if at >= 0 {
			ruined[at] = true
		}
	}
	var pieces []binpack.Load
	columns := make([]column, 0, n+2)
	var candidates []int
	for k, c := range q.columns {
		if !ruined[k] {
			columns = append(columns, c)
			continue
		}
		if !slices.Contains(candidates, c.kind) {
			candidates = append(candidates, c.kind)
		}
		for _, load := range c.load {
			pieces = append(pieces, load...)
		}
	}
	q.count(columns)
	pieces = merge(pieces)
	slices.SortStableFunc(pieces, func(a, b binpack.Load) int {
		switch x, y := q.weight[a.Item], q.weight[b.Item]; {
		case x > y:
			return -1
		case x < y:
			return 1
		}
		return 0
	})
	q.refill(columns, pieces)
	for range 8 {
		if t := q.types[q.rng.IntN(len(q.types))]; !slices.Contains(candidates, t) {
			candidates = append(candidates, t)
		}
	}
	columns, left := q.recreate(columns, pieces, candidates, q.rng.IntN(2) == 0)
	if len(left) > 0 {
		columns, left = q.recreate(columns, left, q.types, false)
	}
	if len(left) > 0 {
		return nil
	}
	return columns
}

// refill puts pieces into the tightest room of standing columns, which become
// the caller's own.
func (q *search) refill(columns []column, pieces []binpack.Load) {
	owned := make([]bool, len(columns))
	skip := 0.3 * q.rng.Float64()
	for i := range pieces {
		size := q.m.items[pieces[i].Item].size
		if q.rng.Float64() < skip {
			continue
		}
		for pieces[i].Count > 0 {
			at, box, best := -1, 0, 0.0
			q.work += int64(len(columns) * q.loaded)
			for k := range columns {
				for z, free := range columns[k].free {
					if !holds(free, size) {
						continue
					}
					v := 0.0
					for d, f := range free {
						v += q.worth[d] * float64(f)
					}
					if (at < 0 || v < best) && q.room(&columns[k], z, pieces[i].Item, 1) > 0 {
						at, box, best = k, z, v
					}
				}
			}
			if at < 0 {
				break
			}
			if !owned[at] {
				columns[at], owned[at] = q.own(columns[at]), true
			}
			q.put(&columns[at], box, pieces[i].Item, 1)
			pieces[i].Count--
		}
	}
}

// state makes boxes of the columns, with the spare.
func (q *search) state() *state {
	s := newState(q.m)
	for _, c := range q.columns {
		for z := range q.width {
			zone := 0
			if q.width > 1 {
				zone = z + 1
			}
			k := s.open(c.kind, zone)
			if z < q.loaded {
				for _, l := range c.load[z] {
					s.put(k, l.Item, l.Count)
				}
			}
		}
	}
	if kind, ok := q.spare(q.columns); ok && kind >= 0 && len(q.columns) > 0 {
		s.open(kind, 0)
	}
	return s
}
