// Package berth gives every copy of a workload a node of its own, and every
// workload one node more that takes over what any lost node ran of it. It takes
// nodes and workloads in bare numbers and gives homes and spares with which no
// node is ever over its room, whichever one is lost. It never puts two copies of
// a workload on one node.
package berth

import (
	"math"
	"math/rand/v2"
	"slices"
)

// A Problem is what shall be given berths.
type Problem struct {
	Rooms [][]int64 // by node, dimension
	Items []Item
	// Load gives an empty node that tells how much what it runs while nothing is
	// lost is to be worried about; nil where nothing is.
	Load func(node int) Load
}

// A Load is what a node runs.
type Load interface {
	// Add puts n copies of an item there, or takes them away.
	Add(item, n int)
	// Worry is how many times over what it may be something is: up to 1 is good.
	Worry() float64
}

// An Item is a workload.
type Item struct {
	Size  []int64 // of one copy
	Count int
}

// A Berth is where an item's copies are.
type Berth struct {
	Homes []int // nodes, one a copy, ascending
	Spare int   // the node that takes over
}

// Find looks for berths by simulated annealing, in so many steps. It gives the
// best that it has found, and how far that is from what shall be: how far over
// the nodes' rooms, in nodes, and for each node that worries a share of one. 0
// holds. Nil is given where some item has not more nodes than copies.
func Find(p Problem, seed uint64, steps int) (berths []Berth, over float64) {
	n := len(p.Rooms)
	for i := range p.Items {
		if p.Items[i].Count >= n {
			return nil, math.Inf(1)
		}
	}
	if n == 0 || len(p.Items) == 0 {
		return nil, 0
	}
	s := newState(&p, rand.New(rand.NewPCG(seed, uint64(n))))
	s.begin()
	now := s.rooms() + s.worries()
	best, over := s.copy(), now
	const hot, cold = 0.1, 0.001
	worry, heat := make([]float64, n), hot
	for k := 0; k < steps && over > 0; k++ {
		if k%64 == 0 {
			heat = hot * math.Pow(cold/hot, float64(k)/float64(steps))
		}
		copy(worry, s.worry)
		undo := s.change()
		if undo == nil {
			continue
		}
		limit := now - heat*math.Log(1-s.rng.Float64())
		next := s.rooms()
		if next <= limit {
			next += s.worries() // which take longer
		}
		if next > limit {
			undo()
			copy(s.worry, worry)
			clear(s.stale)
			continue
		}
		if now = next; now < over {
			best, over = s.copy(), now
		}
	}
	return best, over
}

// state is a solution with its sums.
type state struct {
	p     *Problem
	rng   *rand.Rand
	n     int
	dims  int
	scale []float64 // one over the mean room, by dimension
	homes [][]int   // by item
	at    [][]bool  // by item, node
	spare []int
	base  []int64   // by node, dimension: what runs there
	more  []int64   // by lost node, node, dimension: what comes to it
	over  []float64 // by node, summed over all losses
	loads []Load    // by node; none without Problem.Load
	worry []float64 // by node
	stale []bool    // by node: worry is of before
}

func newState(p *Problem, rng *rand.Rand) *state {
	n, dims := len(p.Rooms), len(p.Rooms[0])
	s := &state{
		p: p, rng: rng, n: n, dims: dims, scale: make([]float64, dims), base: make([]int64, n*dims), more: make([]int64, n*n*dims),
		over: make([]float64, n), worry: make([]float64, n), stale: make([]bool, n), spare: make([]int, len(p.Items)),
	}
	for i := range n {
		if p.Load != nil {
			s.loads = append(s.loads, p.Load(i))
		}
	}
	for d := range dims {
		sum := int64(0)
		for _, room := range p.Rooms {
			sum += room[d]
		}
		s.scale[d] = float64(n) / float64(max(sum, 1))
	}
	for range p.Items {
		s.at, s.homes = append(s.at, make([]bool, n)), append(s.homes, nil)
	}
	return s
}

// begin gives the largest items the emptiest nodes.
func (s *state) begin() {
	order := make([]int, len(s.p.Items))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch x, y := s.extent(a), s.extent(b); {
		case x > y:
			return -1
		case x < y:
			return 1
		}
		return 0
	})
	for _, i := range order {
		for range s.p.Items[i].Count {
			at := s.emptiest(i)
			s.at[i][at] = true
			s.homes[i] = append(s.homes[i], at)
			s.put(i, at, 1)
		}
		s.spare[i] = s.emptiest(i)
		for _, j := range s.homes[i] {
			s.shift(i, j, s.spare[i], 1)
		}
	}
	for i := range s.n {
		s.measure(i)
	}
}

// extent is the larger share that a copy takes of a mean node.
func (s *state) extent(item int) float64 {
	most := 0.0
	for d, x := range s.p.Items[item].Size {
		most = max(most, float64(x)*s.scale[d])
	}
	return most
}

// emptiest is the node without a copy of the item that would be the least full
// with one.
func (s *state) emptiest(item int) int {
	best, least := -1, math.Inf(1)
	for i := range s.n {
		if s.at[item][i] {
			continue
		}
		most := 0.0
		for d, x := range s.p.Items[item].Size {
			most = max(most, float64(s.base[i*s.dims+d]+x)/float64(max(s.p.Rooms[i][d], 1)))
		}
		if most < least {
			best, least = i, most
		}
	}
	return best
}

// shift adds what comes from a lost node to another, or takes it away.
func (s *state) shift(item, lost, to int, times int64) {
	at := (lost*s.n + to) * s.dims
	for d, x := range s.p.Items[item].Size {
		s.more[at+d] += x * times
	}
}

// measure sums up how far a node is over its room, whichever other is lost.
func (s *state) measure(node int) {
	sum := 0.0
	for lost := range s.n {
		if lost == node {
			continue
		}
		at := (lost*s.n + node) * s.dims
		for d := range s.dims {
			if x := s.base[node*s.dims+d] + s.more[at+d] - s.p.Rooms[node][d]; x > 0 {
				sum += float64(x) * s.scale[d]
			}
		}
	}
	s.over[node] = sum
}

// rooms sums up how far nodes are over their rooms.
func (s *state) rooms() float64 {
	total := 0.0
	for _, x := range s.over {
		total += x
	}
	return total
}

// anxious is what a node that worries e times too much counts for, in nodes.
const anxious = 0.05

// worries sums up what nodes worry.
func (s *state) worries() float64 {
	total := 0.0
	for i, l := range s.loads {
		if s.stale[i] {
			s.worry[i] = anxious * math.Log(max(l.Worry(), 1))
			s.stale[i] = false
		}
		total += s.worry[i]
	}
	return total
}

// put adds copies of an item to a node, or takes them away.
func (s *state) put(item, node, times int) {
	for d, x := range s.p.Items[item].Size {
		s.base[node*s.dims+d] += x * int64(times)
	}
	if s.loads != nil {
		s.loads[node].Add(item, times)
		s.stale[node] = true
	}
}

// set gives an item a berth in place of the one that it has.
func (s *state) set(item int, homes []int, spare int) {
	touched := make([]bool, s.n)
	was := s.homes[item]
	comes := func(times int64) {
		for _, h := range s.homes[item] {
			touched[h] = true
			s.shift(item, h, s.spare[item], times)
		}
		touched[s.spare[item]] = true
	}
	comes(-1)
	for _, h := range was {
		s.at[item][h] = false
	}
	for _, h := range homes {
		s.at[item][h] = true
		if !slices.Contains(was, h) {
			s.put(item, h, 1)
		}
	}
	for _, h := range was {
		if !s.at[item][h] {
			s.put(item, h, -1)
		}
	}
	s.homes[item], s.spare[item] = homes, spare
	comes(1)
	for i, yes := range touched {
		if yes {
			s.measure(i)
		}
	}
}

// often is how often a change is sought at a node that is over its room.
const often = 0.9

// troubled is an item that a change may do good to.
func (s *state) troubled() int {
	n := len(s.p.Items)
	item := s.rng.IntN(n)
	if s.rng.Float64() >= often {
		return item
	}
	node := s.rng.IntN(s.n)
	for range s.n {
		if s.over[node] > 0 {
			break
		}
		node = (node + 1) % s.n
	}
	if s.over[node] <= 0 {
		return item
	}
	for range n {
		if s.at[item][node] || s.spare[item] == node {
			break
		}
		item = (item + 1) % n
	}
	return item
}

// change makes one change by chance and gives what takes it back; nil where the
// change that came up cannot be made.
func (s *state) change() (undo func()) {
	a := s.troubled()
	if s.p.Items[a].Count == 0 {
		return nil
	}
	homes, spare := s.homes[a], s.spare[a]
	back := func() { s.set(a, homes, spare) }
	k, node := s.rng.IntN(len(homes)), s.rng.IntN(s.n)
	switch s.rng.IntN(3) {
	case 0: // another spare
		if s.at[a][node] || node == spare {
			return nil
		}
		s.set(a, homes, node)
		return back
	case 1: // another home; the spare's becomes a home by a change of roles
		if s.at[a][node] {
			return nil
		}
		from := homes[k]
		s.set(a, moved(homes, k, node), choose(node == spare, from, spare))
		return back
	}
	// Two items change one home each.
	b := s.rng.IntN(len(s.p.Items))
	if b == a || s.p.Items[b].Count == 0 {
		return nil
	}
	others, reserve := s.homes[b], s.spare[b]
	m := s.rng.IntN(len(others))
	from, to := homes[k], others[m]
	if s.at[a][to] || s.at[b][from] {
		return nil
	}
	s.set(a, moved(homes, k, to), choose(to == spare, from, spare))
	s.set(b, moved(others, m, from), choose(from == reserve, to, reserve))
	return func() {
		s.set(b, others, reserve)
		back()
	}
}

func moved(homes []int, k, to int) []int {
	out := slices.Clone(homes)
	out[k] = to
	return out
}

func choose(first bool, a, b int) int {
	if first {
		return a
	}
	return b
}

func (s *state) copy() []Berth {
	out := make([]Berth, len(s.p.Items))
	for i := range out {
		out[i] = Berth{slices.Sorted(slices.Values(s.homes[i])), s.spare[i]}
	}
	return out
}
