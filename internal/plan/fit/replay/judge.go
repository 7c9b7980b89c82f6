package replay

import (
	"cmp"
	"maps"
	"slices"
)

// An Order is a way in which pods come to the scheduler.
type Order struct {
	Kind Kind
	Seed uint64 // of ties, and of Shuffled
}

// Kind of order.
type Kind int

// The orders.
const (
	LargestFirst Kind = iota // as they are applied
	AsListed
	Shuffled
	SmallestFirst
)

// Options say how hard to try a cluster.
type Options struct {
	// Orders in which all pods come at first. The first is the expected one.
	Orders []Order
	// Losses are sets of nodes that fail at once, each from the full cluster.
	Losses [][]int
	// Again are the orders in which what a loss took comes again.
	Again []Kind
	// Chain fails one after the other, too, with pods left where the loss before
	// has put them.
	Chain bool
	// Each calls do(0) to do(n-1), at the same time if it likes; nil is in order.
	Each func(n int, do func(i int))
}

// A Verdict is what came of it.
type Verdict struct {
	// Nodes are the pods by node in the first order, by class.
	Nodes [][]Load
	// Pending are pods that found no place in some order, the most of any, by
	// class; Stranded the same after a loss.
	Pending, Stranded []Load
	// Moves are by loss: what went where, in the first order.
	Moves [][]Move
	// Lonely are by loss what found no place, in the first order.
	Lonely [][]Load
	// Cleared are by loss what gave way to others, from where, in the first order.
	// Most is how often a pod gave way after one loss at most, in any order.
	Cleared [][]Cleared
	Most    int
}

// A Move is pods that start again on another node.
type Move struct{ Pod, Count, To int }

// Cleared are pods that left a node for others.
type Cleared struct{ Pod, Count, From int }

// Good reports whether every pod always found a place.
func (v *Verdict) Good() bool { return len(v.Pending)+len(v.Stranded) == 0 }

// Try places all pods in each order and, for each loss, again what it took.
func Try(c *Cluster, o Options) Verdict {
	each := o.Each
	if each == nil {
		each = func(n int, do func(int)) {
			for i := range n {
				do(i)
			}
		}
	}
	runs := make([]run, len(o.Orders))
	each(len(runs), func(i int) { runs[i].try(c, o, i) })
	var v Verdict
	pending, stranded := make([]int, len(c.Pods)), make([]int, len(c.Pods))
	for i := range runs {
		most(pending, runs[i].pending)
		most(stranded, runs[i].stranded)
		v.Most = max(v.Most, runs[i].most)
	}
	if len(runs) > 0 {
		v.Nodes, v.Moves, v.Lonely, v.Cleared = runs[0].nodes, runs[0].moves, runs[0].lonely, runs[0].cleared
	}
	v.Pending, v.Stranded = loads(pending), loads(stranded)
	return v
}

type run struct {
	pending, stranded []int // by class
	nodes             [][]Load
	moves             [][]Move
	lonely            [][]Load
	cleared           [][]Cleared
	most              int
}

func (r *run) try(c *Cluster, o Options, at int) {
	order := o.Orders[at]
	s := newState(c, order.Seed)
	r.pending, r.stranded = make([]int, len(c.Pods)), make([]int, len(c.Pods))
	all := make([]Load, len(c.Pods))
	for i := range c.Pods {
		all[i] = Load{i, c.Pods[i].Count}
	}
	bad := false
	for _, x := range s.admit(s.come(all, order.Kind, -1), at%2 == 0, new(int)) {
		r.pending[x.pod]++
		bad = true
	}
	if at == 0 {
		r.nodes = make([][]Load, s.n)
		for i := range s.n {
			r.nodes[i] = s.on(i)
		}
	}
	if bad {
		return // what a loss would do is no longer of interest
	}
	again := o.Again
	if at > 0 && len(again) > 1 {
		again = again[at%len(again):][:1]
	}
	for _, loss := range o.Losses {
		for j, kind := range again {
			l := s.lose(loss, kind)
			r.strand(s, l.left)
			r.most = max(r.most, l.gave)
			if at == 0 && j == 0 {
				r.moves, r.lonely = append(r.moves, l.moves(s)), append(r.lonely, loads(l.counts(s)))
				r.cleared = append(r.cleared, l.cleared(s))
			}
			l.undo(s)
		}
	}
	if !o.Chain {
		return
	}
	for _, loss := range o.Losses {
		l := s.lose(loss, replayed[at%len(replayed)])
		r.strand(s, l.left)
		l.revive(s)
		for _, x := range s.admit(l.left, false, new(int)) {
			r.stranded[x.pod] = max(r.stranded[x.pod], 1)
		}
	}
}

var replayed = []Kind{Shuffled, AsListed, LargestFirst}

// strand counts what a loss left without a place, but for what may wait.
func (r *run) strand(s *state, left []lostPod) {
	counts := make(map[int]int, len(left))
	for _, x := range left {
		if !s.waits(x) {
			counts[x.pod]++
		}
	}
	for pod, n := range counts {
		r.stranded[pod] = max(r.stranded[pod], n)
	}
}

// A loss is what was lost at once, and what became of it.
type loss struct {
	nodes []int
	was   kept
	gave  int // how often a pod gave way
	left  []lostPod
}

// kept is what runs where.
type kept struct {
	free, spent                []int64
	count, zoned, total, since []int32
	taken                      map[int]int32
}

func (s *state) keep() kept {
	return kept{
		slices.Clone(s.free), slices.Clone(s.spent), slices.Clone(s.count), slices.Clone(s.zoned),
		slices.Clone(s.total), slices.Clone(s.since), maps.Clone(s.taken),
	}
}

// lose fails nodes and places again what ran there.
func (s *state) lose(nodes []int, kind Kind) loss {
	out := loss{nodes: nodes, was: s.keep()}
	lost := make([]int, len(s.c.Pods))
	zone := -1
	for _, node := range nodes {
		for _, x := range s.on(node) {
			lost[x.Pod] += x.Count
			s.put(x.Pod, node, -x.Count)
		}
		s.dead[node] = true
		zone = s.c.Nodes[node].Zone // what fails at once is in one zone
	}
	out.left = s.admit(s.come(loads(lost), kind, zone), kind != AsListed, &out.gave)
	return out
}

// moves tells what runs on more than before.
func (l *loss) moves(s *state) []Move {
	var moves []Move
	for p := range s.c.Pods {
		for node := range s.n {
			if n := s.count[p*s.n+node] - l.was.count[p*s.n+node]; n > 0 {
				moves = append(moves, Move{Pod: p, Count: int(n), To: node})
			}
		}
	}
	return moves
}

// cleared tells what runs on less than before, of the nodes that are left.
func (l *loss) cleared(s *state) []Cleared {
	var out []Cleared
	for p := range s.c.Pods {
		for node := range s.n {
			if n := l.was.count[p*s.n+node] - s.count[p*s.n+node]; n > 0 && !slices.Contains(l.nodes, node) {
				out = append(out, Cleared{Pod: p, Count: int(n), From: node})
			}
		}
	}
	return out
}

func (l *loss) counts(s *state) []int {
	out := make([]int, len(s.c.Pods))
	for _, x := range l.left {
		out[x.pod]++
	}
	return out
}

// revive brings the nodes back, empty.
func (l *loss) revive(s *state) {
	for _, node := range l.nodes {
		s.dead[node] = false
	}
}

// undo puts all back as it was.
func (l *loss) undo(s *state) {
	l.revive(s)
	s.free, s.spent, s.count, s.zoned, s.total, s.since, s.taken = l.was.free, l.was.spent, l.was.count, l.was.zoned, l.was.total, l.was.since, l.was.taken
}

// waits reports whether a pod may wait after a loss: no node is left for it.
func (s *state) waits(x lostPod) bool {
	p := &s.c.Pods[x.pod]
	if !p.Waits {
		return false
	}
	s.only = x.zone
	defer func() { s.only = -1 }()
	for i := range s.n {
		if s.eligible(p, i) {
			return false
		}
	}
	return true
}

// on gives what runs on a node.
func (s *state) on(node int) []Load {
	var out []Load
	for p := range s.c.Pods {
		if n := s.count[p*s.n+node]; n > 0 {
			out = append(out, Load{p, int(n)})
		}
	}
	return out
}

// come lists pods in their order of coming; disks are in a zone, -1 for none yet.
func (s *state) come(what []Load, kind Kind, zone int) []lostPod {
	queue := s.queue(what, kind)
	out := make([]lostPod, len(queue))
	for i, p := range queue {
		out[i] = lostPod{p, -1}
		if s.c.Pods[p].Disk {
			out[i].zone = zone
		}
	}
	return out
}

// queue gives the class of each pod in its order of coming.
func (s *state) queue(what []Load, kind Kind) []int {
	what = slices.Clone(what)
	if kind == LargestFirst || kind == SmallestFirst {
		slices.SortStableFunc(what, func(a, b Load) int {
			by := cmp.Compare(s.extent(b.Pod), s.extent(a.Pod))
			if kind == SmallestFirst {
				by = -by
			}
			return by
		})
	}
	var out []int
	for _, x := range what {
		for range x.Count {
			out = append(out, x.Pod)
		}
	}
	if kind == Shuffled {
		for i := len(out) - 1; i > 0; i-- {
			j := int(s.next() % uint64(i+1))
			out[i], out[j] = out[j], out[i]
		}
	}
	return out
}

// extent is the larger share that a pod takes of the first node's CPU or memory.
func (s *state) extent(pod int) float64 {
	if s.n == 0 {
		return 0
	}
	p, x := &s.c.Pods[pod], &s.c.Nodes[0]
	return max(float64(p.Size[CPU])/float64(max(x.Room[CPU], 1)), float64(p.Size[Memory])/float64(max(x.Room[Memory], 1)))
}

func most(into, from []int) {
	for i, n := range from {
		into[i] = max(into[i], n)
	}
}

func loads(counts []int) []Load {
	var out []Load
	for p, n := range counts {
		if n > 0 {
			out = append(out, Load{p, n})
		}
	}
	return out
}
