package linear

import (
	"container/heap"
	"fmt"
	"math"
)

// An IntegerSolution is what a search over whole numbers has found and proven.
type IntegerSolution struct {
	// Feasible is whether X was found.
	Feasible bool
	X        []int
	Value    float64
	// Bound is proven: no whole x costs less. It is +Inf where there is none at
	// all, and equals Value where X is the best.
	Bound float64
	Nodes int
	// Work is how many numbers were touched: a measure of time that is the same
	// on every machine.
	Work int
}

// A Branching steers Integer.
type Branching struct {
	// Nodes bounds the linear programs that are solved; 0 for 1,000.
	Nodes int
	// Whole says that every cost is a whole number, so that bounds round up.
	Whole bool
	// Step is what every cost is a multiple of, where that is known: bounds
	// round up to the next one.
	Step float64
	// Cutoff stops the search for anything that costs as much or more, 0 for
	// none. The bound is then proven up to the cutoff and not beyond.
	Cutoff float64
	// Work bounds the numbers that are touched; 0 for no bound.
	Work int
	// Within stops when bound and value are closer than this part of the value.
	Within float64
}

// Integer solves p in whole numbers by branch and bound (Land and Doig 1960),
// the node with the least bound first. When it is cut short, its Bound is the
// least of what is open.
func Integer(p *Program, b Branching) (IntegerSolution, error) {
	if err := p.check(); err != nil {
		return IntegerSolution{}, err
	}
	for i, r := range p.Rows {
		if math.IsNaN(r.Least) {
			return IntegerSolution{}, fmt.Errorf("solve program: row %d asks for no number", i)
		}
	}
	if b.Nodes <= 0 {
		b.Nodes = 1000
	}
	s := search{p: p, b: b, best: math.Inf(1), lost: math.Inf(1)}
	if b.Cutoff > 0 {
		s.best = b.Cutoff
	}
	n := len(p.Cost)
	root := &node{low: make([]int32, n), high: make([]int32, n)}
	for j := range root.high {
		root.high[j] = -1
		if p.Upper != nil && !math.IsInf(p.Upper[j], 1) {
			root.high[j] = int32(min(math.Floor(p.Upper[j]+slack), math.MaxInt32))
		}
	}
	s.open(root, 0)
	for len(s.queue) > 0 && s.nodes < b.Nodes && (b.Work <= 0 || s.t.work < b.Work) {
		top := s.queue[0]
		if top.bound >= s.best-b.Within*s.best {
			break
		}
		heap.Pop(&s.queue)
		s.split(top)
	}
	out := IntegerSolution{Nodes: s.nodes, Work: s.t.work, Bound: math.Min(s.best, s.lost)}
	if s.x != nil {
		out.Feasible, out.X, out.Value = true, s.x, s.best
	}
	for _, o := range s.queue {
		out.Bound = math.Min(out.Bound, o.bound)
	}
	return out, nil
}

// A node fixes ranges; high below 0 is no bound.
type node struct {
	low, high []int32
	bound     float64
	x         []float64
	order     int
}

type queue []*node

func (q queue) Len() int { return len(q) }
func (q queue) Less(i, j int) bool {
	if q[i].bound != q[j].bound {
		return q[i].bound < q[j].bound
	}
	return q[i].order > q[j].order
}
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }

// Push is for package heap.
func (q *queue) Push(x any) {
	if n, ok := x.(*node); ok {
		*q = append(*q, n)
	}
}

// Pop is for package heap.
func (q *queue) Pop() any {
	last := len(*q) - 1
	x := (*q)[last]
	*q = (*q)[:last]
	return x
}

type search struct {
	p     *Program
	b     Branching
	t     tableau
	queue queue
	nodes int
	x     []int
	best  float64
	lost  float64 // the least bound of what was given up without proof
}

// open bounds n and queues it where something better may lie in it.
func (s *search) open(n *node, parent float64) {
	s.nodes++
	n.order = s.nodes
	s.t.load(s.p, n.low, n.high)
	if !s.t.run() {
		return
	}
	n.bound = max(parent, s.round(s.t.bound()))
	n.x = s.t.values(nil)
	s.offer(n)
	if n.bound < s.best {
		heap.Push(&s.queue, n)
	}
}

func (s *search) round(v float64) float64 {
	if step := s.b.Step; step > 0 {
		return step * math.Ceil(v/step-1e-6)
	}
	if s.b.Whole {
		return math.Ceil(v - 1e-6)
	}
	return v
}

// offer takes the node's x, rounded up and thinned out, as a solution where it is one.
func (s *search) offer(n *node) {
	x := make([]int, len(n.x))
	cost := 0.0
	for j, v := range n.x {
		x[j] = int(math.Ceil(v - 1e-6))
		if n.high[j] >= 0 {
			x[j] = min(x[j], int(n.high[j]))
		}
		cost += float64(x[j]) * s.p.Cost[j]
	}
	room := make([]float64, len(s.p.Rows))
	for i, r := range s.p.Rows {
		room[i] = -r.Least
		for j, a := range r.Coef {
			room[i] += a * float64(x[j])
		}
		if room[i] < -slack*max(1, math.Abs(r.Least))*1e-3 {
			return
		}
	}
	for {
		drop := -1
		for j := range x {
			if x[j] > int(n.low[j]) && s.p.Cost[j] > 0 && (drop < 0 || s.p.Cost[j] > s.p.Cost[drop]) && s.spare(room, j) {
				drop = j
			}
		}
		if drop < 0 {
			break
		}
		x[drop]--
		cost -= s.p.Cost[drop]
		for i, r := range s.p.Rows {
			room[i] -= r.Coef[drop]
		}
	}
	if cost < s.best {
		s.best, s.x = cost, x
	}
}

func (s *search) spare(room []float64, j int) bool {
	for i, r := range s.p.Rows {
		if r.Coef[j] > room[i] {
			return false
		}
	}
	return true
}

// split divides n at its most fractional, dearest variable.
func (s *search) split(n *node) {
	at, most := -1, 1e-6
	for j, v := range n.x {
		f := math.Abs(v - math.Round(v))
		if w := f * (1 + math.Sqrt(s.p.Cost[j])); f > 1e-6 && w > most {
			at, most = j, w
		}
	}
	if at < 0 {
		// All whole and yet not taken as the best: beyond the arithmetic.
		s.lost = math.Min(s.lost, n.bound)
		return
	}
	down := &node{low: n.low, high: append([]int32(nil), n.high...)}
	down.high[at] = int32(math.Floor(n.x[at]))
	up := &node{low: append([]int32(nil), n.low...), high: n.high}
	up.low[at] = int32(math.Floor(n.x[at])) + 1
	s.open(down, n.bound)
	s.open(up, n.bound)
}
