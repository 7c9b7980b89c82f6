package failure

import (
	"math"
	"math/rand/v2"
	"slices"

	"github.com/tranship/tranship/internal/base/binpack"
)

// A search improves a packing by ruin and recreation. It works on columns: one
// box where a bin may fail, beside one spare for all; a box in each zone where
// a zone may fail, of which the last zone's stays empty. Such a packing is safe
// by its shape, so that no failure need be replayed.
type search struct {
	m       *model
	rng     *rand.Rand
	types   []int // that may be bought
	columns []column
	cost    binpack.Price // of the columns and the spare
	weight  []float64     // by item, noisy
	worth   []float64     // by dimension, noisy
	base    []float64     // by dimension
	loaded  int           // boxes of a column that hold pieces
	width   int           // boxes of a column
	zoned   map[[2]int]int
	left    []binpack.Load // that no column takes
	work    int64          // done, in looks at a box or a piece
	stop    func() bool
	stopped bool
}

// A column is boxes of one type. Its loads are never changed in place.
type column struct {
	kind int
	load [][]binpack.Load // by loaded box, ascending by item
	free [][]int64
}

func newSearch(m *model, types []int, seed, lane uint64) *search {
	q := &search{m: m, rng: rand.New(rand.NewPCG(seed, lane)), types: types, loaded: 1, width: 1}
	if m.level == AnyZone {
		q.loaded, q.width = m.zones-1, m.zones
	}
	need := m.demand(false)
	_, q.base = m.fluid(types, need)
	total := 0.0
	for d, v := range need {
		total += v * q.base[d]
	}
	for d, v := range need {
		if v > 0 {
			q.base[d] = max(q.base[d], 0.02*total/v)
		}
	}
	q.worth = slices.Clone(q.base)
	q.weight = make([]float64, len(m.items))
	q.noise(0)
	return q
}

// noise sets the weights, off by up to a share.
func (q *search) noise(share float64) {
	for d := range q.worth {
		q.worth[d] = q.base[d] * (1 + share*(2*q.rng.Float64()-1))
	}
	for i := range q.weight {
		w := 0.0
		for d, v := range q.m.items[i].size {
			w += q.worth[d] * float64(v)
		}
		q.weight[i] = max(w, 1e-6)
	}
}

// spare is the cheapest type that could take whatever any column's box runs;
// ok is false if there is none.
func (q *search) spare(columns []column) (kind int, ok bool) {
	if q.m.level != AnyNode {
		return -1, true
	}
	most := make([]int64, q.m.dims)
	for _, c := range columns {
		for d, v := range q.m.p.Types[c.kind].Capacity {
			most[d] = max(most[d], v)
		}
	}
	kind = -1
	for _, t := range q.m.buy {
		ty := &q.m.p.Types[t]
		if holds(ty.Capacity, most) && ty.Most == 0 && (kind < 0 || ty.Price < q.m.p.Types[kind].Price) {
			kind = t
		}
	}
	return kind, kind >= 0
}

// price is what columns cost with their spare.
func (q *search) price(columns []column) binpack.Price {
	var sum binpack.Price
	for _, c := range columns {
		sum += q.m.p.Types[c.kind].Price * binpack.Price(q.width)
	}
	kind, ok := q.spare(columns)
	if !ok {
		return math.MaxInt64
	}
	if kind >= 0 {
		sum += q.m.p.Types[kind].Price
	}
	return sum
}

// room is how many pieces a column's box takes more, at most want.
func (q *search) room(c *column, z, item, want int) int {
	it := &q.m.items[item]
	if !it.fits[c.kind] || it.zone > 0 && q.m.zones > 0 && q.width > 1 && it.zone != z+1 {
		return 0
	}
	n := fill(c.free[z], it.size, want)
	if n > 0 && it.spread < unbounded {
		n = min(n, it.spread-countIn(c.load[z], item))
	}
	if n > 0 && q.width > 1 && it.spreadZone < unbounded {
		n = min(n, it.spreadZone-q.zoned[[2]int{item, z}])
	}
	if n > 0 && len(it.groups) > 0 {
		n = min(n, q.m.groupRoom(it, c.load[z]))
	}
	return max(n, 0)
}

// put adds pieces to a column's box; the column must be the caller's own.
func (q *search) put(c *column, z, item, n int) {
	for d, v := range q.m.items[item].size {
		c.free[z][d] -= v * int64(n)
	}
	i, found := at(c.load[z], item)
	if found {
		c.load[z][i].Count += n
	} else {
		c.load[z] = slices.Insert(c.load[z], i, binpack.Load{Item: item, Count: n})
	}
	if q.width > 1 && q.m.items[item].spreadZone < unbounded {
		q.zoned[[2]int{item, z}] += n
	}
}

func (q *search) own(c column) column {
	out := column{kind: c.kind, load: make([][]binpack.Load, len(c.load)), free: make([][]int64, len(c.free))}
	for z := range c.load {
		out.load[z] = slices.Clone(c.load[z])
		out.free[z] = slices.Clone(c.free[z])
	}
	return out
}

func (q *search) empty(kind int) column {
	c := column{kind: kind}
	for range q.loaded {
		c.load = append(c.load, nil)
		c.free = append(c.free, slices.Clone(q.m.p.Types[kind].Capacity))
	}
	return c
}

// clear makes a column an empty one of a type.
func (q *search) clear(c *column, kind int) {
	c.kind = kind
	for z := range c.load {
		c.load[z] = c.load[z][:0]
		copy(c.free[z], q.m.p.Types[kind].Capacity)
	}
}

// count recounts the zones' pieces of bounded items.
func (q *search) count(columns []column) {
	if q.width == 1 {
		return
	}
	q.zoned = map[[2]int]int{}
	for _, c := range columns {
		for z, load := range c.load {
			for _, l := range load {
				if q.m.items[l.Item].spreadZone < unbounded {
					q.zoned[[2]int{l.Item, z}] += l.Count
				}
			}
		}
	}
}

// stuff fills an empty column from the pieces, heaviest first or by what
// matches the room that is left, and gives the worth of what it holds. Pieces
// are less what it took.
func (q *search) stuff(c *column, pieces []binpack.Load, matching bool) float64 {
	worth := 0.0
	if !matching {
		q.work += int64(len(pieces)*q.loaded + 10)
		for i := range pieces {
			for z := 0; z < q.loaded && pieces[i].Count > 0; z++ {
				n := q.room(c, z, pieces[i].Item, pieces[i].Count)
				if n > 0 {
					q.put(c, z, pieces[i].Item, n)
					pieces[i].Count -= n
					worth += q.weight[pieces[i].Item] * float64(n)
				}
			}
		}
		return worth
	}
	capacity := q.m.p.Types[c.kind].Capacity
	for z := range q.loaded {
		for {
			at, best := -1, 0.0
			q.work += int64(len(pieces))
			for i := range pieces {
				if pieces[i].Count == 0 {
					continue
				}
				size := q.m.items[pieces[i].Item].size
				v := 0.0
				for d, f := range c.free[z] {
					if size[d] > f {
						v = -1
						break
					}
					if capacity[d] > 0 {
						v += q.worth[d] * float64(size[d]) * float64(f) / float64(capacity[d])
					}
				}
				if v > best && q.room(c, z, pieces[i].Item, 1) > 0 {
					at, best = i, v
				}
			}
			if at < 0 {
				break
			}
			q.put(c, z, pieces[at].Item, 1)
			pieces[at].Count--
			worth += q.weight[pieces[at].Item]
		}
	}
	return worth
}

// bounded tells whether a type may be bought once more beside columns.
func (q *search) bounded(t int, columns []column) bool {
	most := q.m.p.Types[t].Most
	if most == 0 {
		return false
	}
	n := q.width
	for _, c := range columns {
		if c.kind == t {
			n += q.width
		}
	}
	return n > most
}

// recreate buys columns for pieces: candidates are tried full and the one with
// the most worth for its price is taken; once one holds all that is left, the
// cheapest such. What fits none is given back.
func (q *search) recreate(columns []column, pieces []binpack.Load, candidates []int, matching bool) ([]column, []binpack.Load) {
	try := make([]binpack.Load, 0, len(pieces))
	scratch := [2]column{q.empty(0), q.empty(0)} // tried now, best so far
	for {
		pieces = slices.DeleteFunc(pieces, func(l binpack.Load) bool { return l.Count == 0 })
		if len(pieces) == 0 {
			return columns, nil
		}
		best, whole := 0.0, false
		for _, t := range candidates {
			if q.bounded(t, columns) {
				continue
			}
			c := &scratch[0]
			q.clear(c, t)
			try = append(try[:0], pieces...)
			worth := q.stuff(c, try, matching)
			q.forget(c)
			if worth == 0 {
				continue
			}
			all := !slices.ContainsFunc(try, func(l binpack.Load) bool { return l.Count > 0 })
			price := max(float64(q.m.p.Types[t].Price), 1e-9)
			v := worth / price
			if all {
				v = 1 / price
			}
			if all && !whole || all == whole && v > best {
				best, whole = v, all
				scratch[0], scratch[1] = scratch[1], scratch[0]
			}
		}
		if q.stopped = q.stopped || q.stop != nil && q.stop(); best == 0 || q.stopped {
			return columns, pieces
		}
		chosen := q.own(scratch[1])
		for z, load := range chosen.load {
			for _, l := range load {
				i := slices.IndexFunc(pieces, func(p binpack.Load) bool { return p.Item == l.Item })
				pieces[i].Count -= l.Count
				if q.width > 1 && q.m.items[l.Item].spreadZone < unbounded {
					q.zoned[[2]int{l.Item, z}] += l.Count
				}
			}
		}
		columns = append(columns, chosen)
	}
}

// forget takes a tried column's pieces out of the zones' counts.
func (q *search) forget(c *column) {
	if q.width == 1 {
		return
	}
	for z, load := range c.load {
		for _, l := range load {
			if q.m.items[l.Item].spreadZone < unbounded {
				q.zoned[[2]int{l.Item, z}] -= l.Count
			}
		}
	}
}
