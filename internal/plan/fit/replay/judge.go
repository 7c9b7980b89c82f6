package replay

import (
	"cmp"
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
}

// A Move is pods that start again on another node.
type Move struct{ Pod, Count, To int }

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
	}
	if len(runs) > 0 {
		v.Nodes, v.Moves, v.Lonely = runs[0].nodes, runs[0].moves, runs[0].lonely
	}
	v.Pending, v.Stranded = loads(pending), loads(stranded)
	return v
}

type run struct {
	pending, stranded []int // by class
	nodes             [][]Load
	moves             [][]Move
	lonely            [][]Load
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
	for _, p := range s.queue(all, order.Kind) {
		if s.place(p, -1) < 0 {
			r.pending[p]++
			bad = true
		}
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
			if at == 0 && j == 0 {
				r.moves, r.lonely = append(r.moves, l.moves()), append(r.lonely, loads(l.counts(s)))
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
		for _, x := range l.left {
			if s.place(x.pod, x.zone) < 0 {
				r.stranded[x.pod] = max(r.stranded[x.pod], 1)
			}
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

// A lostPod is a pod to be placed again; zone is that of its disk, or -1.
type lostPod struct{ pod, zone int }

// A loss is what was lost at once, and where it went.
type loss struct {
	nodes []int
	was   [][]Load
	moved map[to]int
	left  []lostPod
}

type to struct{ pod, node int }

// lose fails nodes and places again what ran there.
func (s *state) lose(nodes []int, kind Kind) loss {
	out := loss{nodes: nodes, was: make([][]Load, len(nodes)), moved: map[to]int{}}
	lost := make([]int, len(s.c.Pods))
	zone := -1
	for i, node := range nodes {
		out.was[i] = s.on(node)
		for _, x := range out.was[i] {
			lost[x.Pod] += x.Count
			s.put(x.Pod, node, -x.Count)
		}
		s.dead[node] = true
		zone = s.c.Nodes[node].Zone // what fails at once is in one zone
	}
	for _, p := range s.queue(loads(lost), kind) {
		x := lostPod{p, -1}
		if s.c.Pods[p].Disk {
			x.zone = zone
		}
		if node := s.place(p, x.zone); node >= 0 {
			out.moved[to{p, node}]++
		} else {
			out.left = append(out.left, x)
		}
	}
	return out
}

func (l *loss) moves() []Move {
	moves := make([]Move, 0, len(l.moved))
	for at, n := range l.moved {
		moves = append(moves, Move{Pod: at.pod, Count: n, To: at.node})
	}
	slices.SortFunc(moves, func(a, b Move) int { return cmp.Or(cmp.Compare(a.Pod, b.Pod), cmp.Compare(a.To, b.To)) })
	return moves
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
	for at, n := range l.moved {
		s.put(at.pod, at.node, -n)
	}
	l.revive(s)
	for i, node := range l.nodes {
		for _, x := range l.was[i] {
			s.put(x.Pod, node, x.Count)
		}
	}
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
