package fleet

import (
	"cmp"
	"slices"
)

// A Query asks for fleets: how many bins there shall be of each type.
type Query struct {
	Rooms  [][]int64 // by type and dimension
	Prices []int64   // by type, above 0
	Demand []int64   // by dimension
	// Loss: whichever bin is lost, the rest shall have room for the demand.
	Loss bool
	// Rule has a last word on a fleet; nil takes all.
	Rule func(counts []int) bool
}

// Cost is what a fleet costs.
func (q *Query) Cost(counts []int) int64 {
	sum := int64(0)
	for t, n := range counts {
		sum += int64(n) * q.Prices[t]
	}
	return sum
}

// listing is how many steps a list takes at most.
const listing = 4_000_000

// Below lists the fleets that cost less than limit, the cheapest first, those of
// fewer bins first among equals. False says that they are too many to go
// through: then the list is not whole.
func (q *Query) Below(limit int64) (fleets [][]int, whole bool) {
	l := &lister{q: q, limit: limit, counts: make([]int, len(q.Prices)), left: listing}
	l.blend()
	zero := make([]float64, len(l.demand))
	l.list(0, 0, 0, zero, zero)
	slices.SortStableFunc(l.out, func(a, b listed) int { return cmp.Or(cmp.Compare(a.cost, b.cost), cmp.Compare(a.bins, b.bins)) })
	for _, x := range l.out {
		fleets = append(fleets, x.counts)
	}
	return fleets, l.left > 0
}

type listed struct {
	counts []int
	cost   int64
	bins   int
}

// A lister measures types in the dimensions, as shares of the demand, and in
// blends of two: what has much of one alone is no bargain by those.
type lister struct {
	q      *Query
	limit  int64
	counts []int
	demand []float64   // by measure
	rooms  [][]float64 // by type and measure
	best   [][]float64 // by type and measure: room for a unit of money, there or in a type after it
	left   int
	out    []listed
}

func (l *lister) blend() {
	q := l.q
	l.rooms, l.best = make([][]float64, len(q.Prices)), make([][]float64, len(q.Prices)+1)
	add := func(a, b int, share float64) {
		scale := func(d int, part float64) float64 { return part / float64(max(q.Demand[d], 1)) }
		measure := func(room []int64) float64 {
			return float64(room[a])*scale(a, share) + float64(room[b])*scale(b, 1-share)
		}
		l.demand = append(l.demand, measure(q.Demand))
		for t := range q.Rooms {
			l.rooms[t] = append(l.rooms[t], measure(q.Rooms[t]))
		}
	}
	for d := range q.Demand {
		add(d, d, 1)
	}
	for b := range q.Demand {
		for a := range b {
			for _, share := range []float64{0.25, 0.5, 0.75} {
				add(a, b, share)
			}
		}
	}
	l.best[len(q.Prices)] = make([]float64, len(l.demand))
	for t := len(q.Prices) - 1; t >= 0; t-- {
		l.best[t] = slices.Clone(l.best[t+1])
		for m, room := range l.rooms[t] {
			l.best[t][m] = max(l.best[t][m], room/float64(q.Prices[t]))
		}
	}
}

// slight is how far sums of floats may be off.
const slight = 1e-9

// list goes through the numbers of bins of type t and those after it, where the
// types before have so much room together, and so much the largest of them.
func (l *lister) list(t, bins int, cost int64, sum, largest []float64) {
	if l.left--; l.left <= 0 {
		return
	}
	q, enough := l.q, true
	for m, want := range l.demand {
		if q.Loss {
			want += largest[m] // of a blend no more than the largest of both
		}
		if sum[m]+float64(l.limit-1-cost)*l.best[t][m] < want-slight {
			return // whatever is bought for what is left
		}
		enough = enough && sum[m] >= want-slight
	}
	if t == len(q.Prices) {
		if enough && bins > 0 && (q.Rule == nil || q.Rule(l.counts)) {
			l.out = append(l.out, listed{slices.Clone(l.counts), cost, bins})
		}
		return
	}
	l.list(t+1, bins, cost, sum, largest)
	sum, largest = slices.Clone(sum), slices.Clone(largest)
	for m, room := range l.rooms[t] {
		largest[m] = max(largest[m], room)
	}
	for n := 1; cost+int64(n)*q.Prices[t] < l.limit; n++ {
		for m, room := range l.rooms[t] {
			sum[m] += room
		}
		l.counts[t] = n
		l.list(t+1, bins+n, cost+int64(n)*q.Prices[t], sum, largest)
	}
	l.counts[t] = 0
}
