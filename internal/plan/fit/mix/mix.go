// Package mix finds the cheapest nodes on which the default scheduler of
// Kubernetes places every pod, and every pod again after a loss. It takes
// types of nodes and pods in bare numbers and gives how many of each type. It
// never takes a mix for good that package replay did not try.
package mix

import (
	"cmp"
	"slices"

	"github.com/tranship/tranship/internal/plan/fit/replay"
)

// Level is what may be lost at once.
type Level int

// The levels.
const (
	None Level = iota
	Node
	Zone
)

// A Problem is pods and what they may run on.
type Problem struct {
	Types []Type // the cheapest first
	Pods  []Pod
	Zones int // at least 1
	// First are the zones that get the first nodes, where not all get as many.
	First []int
	Level Level
	// Starts are mixes to begin with, as counts by type.
	Starts [][]int
	// Accept has a last word on a mix on which everything is placed; nil for none.
	Accept func(nodes []replay.Node, on [][]replay.Load) bool
}

// A Type is a kind of node.
type Type struct {
	Room, System []int64
	Price        int64
}

// A Pod is a class of pods, with its rules as they are and as they bend.
type Pod struct {
	Strict, Bent replay.Pod
	// Bends: Bent may take the place of Strict.
	Bends bool
	// Nodes and Zones that there must be at least.
	Nodes, Zones int
}

// Options steer the search.
type Options struct {
	// Work bounds the decisions of the scheduler that are tried; 0 is DefaultWork.
	Work int
	Each func(n int, do func(i int))
}

// DefaultWork takes a second or two.
const DefaultWork = 40_000_000

// An Answer is a mix.
type Answer struct {
	Counts []int
	Cost   int64
	// Nodes have as Pool twice the type, and one more where no other node of its
	// zone could take a disk over.
	Nodes   []replay.Node
	Verdict replay.Verdict
	Bent    []bool // by pod
	// Accepted is what Accept said.
	Accepted bool
	// Tried is how many mixes were played.
	Tried int
	// Next is the cheapest mix of one type that is not in it and that would do
	// too; nil where none was found.
	Next []int
	// Stuck are the pods, by class, that found no place on any mix.
	Stuck []bool
}

// Find gives the cheapest mix that was found; false if there was none.
func Find(p Problem, o Options) (Answer, bool) {
	s := &search{p: &p, o: o, dims: len(p.Types[0].Room), left: cmp.Or(o.Work, DefaultWork)}
	s.demand = make([]int64, s.dims)
	s.zones = 1
	for i := range p.Pods {
		x := &p.Pods[i]
		for d, n := range x.Strict.Size {
			s.demand[d] += n * int64(x.Strict.Count)
		}
		s.pods += x.Strict.Count
		s.guarded = s.guarded || p.Level == Node && (x.Strict.Disk || x.Strict.Zones != nil)
		s.least = max(s.least, x.Nodes, x.Zones)
	}
	s.least = max(s.least, 1)
	if p.Level != None {
		s.least = max(s.least, 2)
	}
	for _, counts := range p.Starts {
		s.try(counts)
	}
	if s.small() {
		s.enumerate()
	} else {
		s.climb()
	}
	if s.best == nil && s.loose == nil {
		s.climb()
	}
	if s.best == nil {
		s.best = s.loose
	}
	if s.best == nil {
		return Answer{Tried: s.tried, Stuck: s.stuck()}, false
	}
	s.descend()
	out := *s.best
	out.Next = s.next()
	out.Tried = s.tried
	return out, true
}

// search is what is known so far.
type search struct {
	p    *Problem
	o    Options
	dims int
	// guarded: some pods cannot leave their zone.
	guarded bool
	demand  []int64
	pods    int
	zones   int
	least   int // nodes
	tried   int
	left    int // of Options.Work
	best    *Answer
	loose   *Answer // places everything, and was not accepted
}

// maxSmall is how many nodes an enumerated mix has at most.
const maxSmall = 12

// small reports whether few nodes can do.
func (s *search) small() bool {
	for i := range s.p.Types {
		if n := s.alone(i); n > 0 && n <= maxSmall*2/3 {
			return true
		}
	}
	return false
}

// alone is how many nodes of one type hold the sum of all pods after a loss.
func (s *search) alone(t int) int {
	n := s.least
	for d, want := range s.demand {
		room := s.p.Types[t].Room[d] - s.p.Types[t].System[d]
		if want <= 0 {
			continue
		}
		if room <= 0 {
			return 0
		}
		n = max(n, int((want+room-1)/room)+s.spare(int((want+room-1)/room)))
	}
	return n
}

// spare is how many nodes more than n there must be for a loss to leave n.
func (s *search) spare(n int) int {
	switch s.p.Level {
	case Node:
		return 1
	case Zone:
		if s.p.Zones < 2 {
			return n
		}
		return (n + s.p.Zones - 2) / (s.p.Zones - 1)
	}
	return 0
}

// enough reports whether what is left after a loss could hold the sum.
func (s *search) enough(counts []int, slack float64) bool {
	total := 0
	for _, n := range counts {
		total += n
	}
	if total < s.least {
		return false
	}
	for d, want := range s.demand {
		sum, largest := int64(0), int64(0)
		for t, n := range counts {
			if n > 0 {
				room := s.p.Types[t].Room[d] - s.p.Types[t].System[d]
				sum += room * int64(n)
				largest = max(largest, room)
			}
		}
		switch s.p.Level {
		case Node:
			sum -= largest
		case Zone:
			sum -= largest * int64((total+s.p.Zones-1)/max(s.p.Zones, 1))
		}
		if float64(sum) < float64(want)*(1+slack) {
			return false
		}
	}
	return true
}

func (s *search) cost(counts []int) int64 {
	sum := int64(0)
	for t, n := range counts {
		sum += s.p.Types[t].Price * int64(n)
	}
	return sum
}

// stuck tells what finds no place on far too many nodes.
func (s *search) stuck() []bool {
	out := make([]bool, len(s.p.Pods))
	const plenty = 20
	counts := s.cover([]int{len(s.p.Types) - 1}, plenty)
	if counts == nil {
		return out
	}
	nodes := s.nodes(counts)
	bent := make([]bool, len(s.p.Pods))
	for i := range bent {
		bent[i] = s.p.Pods[i].Bends
	}
	v := replay.Try(s.cluster(nodes, bent), replay.Options{Orders: allOrders[:1], Losses: every(s.losses(nodes), 24), Again: allAgain})
	for _, list := range [][]replay.Load{v.Pending, v.Stranded} {
		for _, l := range list {
			out[l.Pod] = true
		}
	}
	return out
}

// nodes lists a mix's nodes, zone by zone in turn. Where some pods cannot leave
// their zone, one zone has two nodes at least.
func (s *search) nodes(counts []int) []replay.Node {
	var out []replay.Node
	total := 0
	for _, n := range counts {
		total += n
	}
	zones := max(s.p.Zones, 1)
	if s.guarded {
		zones = max(min(zones, total-1), 1)
	}
	order := slices.Clone(s.p.First)
	for z := range s.p.Zones {
		if !slices.Contains(order, z) {
			order = append(order, z)
		}
	}
	in := make([]int, max(s.p.Zones, 1))
	for t, n := range counts {
		for range n {
			zone := 0
			if len(order) > 0 {
				zone = order[len(out)%zones]
			}
			in[zone]++
			out = append(out, replay.Node{Room: s.p.Types[t].Room, System: s.p.Types[t].System, Pool: 2 * t, Zone: zone})
		}
	}
	for i := range out {
		if s.guarded && in[out[i].Zone] < 2 {
			out[i].Pool++
		}
	}
	return out
}

// losses are what may fail at once.
func (s *search) losses(nodes []replay.Node) [][]int {
	var out [][]int
	switch s.p.Level {
	case Node:
		for i := range nodes {
			out = append(out, []int{i})
		}
	case Zone:
		by := make([][]int, max(s.p.Zones, 1))
		for i, n := range nodes {
			by[n.Zone] = append(by[n.Zone], i)
		}
		for _, list := range by {
			if len(list) > 0 {
				out = append(out, list)
			}
		}
	}
	return out
}

var (
	allOrders = []replay.Order{
		{Kind: replay.LargestFirst, Seed: 1},
		{Kind: replay.AsListed, Seed: 2},
		{Kind: replay.Shuffled, Seed: 3},
		{Kind: replay.Shuffled, Seed: 4},
	}
	allAgain = []replay.Kind{replay.Shuffled, replay.LargestFirst, replay.SmallestFirst}
)

// play tries a mix, bending what must bend, and gives nil if it will not do.
func (s *search) play(counts []int, light bool) *Answer {
	nodes := s.nodes(counts)
	losses := s.losses(nodes)
	o := replay.Options{Orders: allOrders, Losses: losses, Again: allAgain, Chain: true}
	if light {
		o.Orders, o.Again, o.Losses = allOrders[1:3], allAgain[:1], every(losses, 24)
	}
	bent := make([]bool, len(s.p.Pods))
	for range 6 {
		c := s.cluster(nodes, bent)
		v := replay.Try(c, replay.Options{Orders: o.Orders[:1]})
		if v.Good() {
			v = replay.Try(c, o)
		}
		if v.Good() {
			a := &Answer{Counts: slices.Clone(counts), Cost: s.cost(counts), Nodes: nodes, Verdict: v, Bent: bent}
			a.Accepted = s.p.Accept == nil || s.p.Accept(nodes, v.Nodes)
			return a
		}
		if !s.bend(bent, &v) {
			return nil
		}
	}
	return nil
}

// bend lets go of the rules of what found no place.
func (s *search) bend(bent []bool, v *replay.Verdict) bool {
	more := false
	for _, list := range [][]replay.Load{v.Pending, v.Stranded} {
		for _, x := range list {
			if s.p.Pods[x.Pod].Bends && !bent[x.Pod] {
				bent[x.Pod], more = true, true
			}
		}
	}
	return more
}

func (s *search) cluster(nodes []replay.Node, bent []bool) *replay.Cluster {
	c := &replay.Cluster{Nodes: nodes, Zones: max(s.p.Zones, 1), Pods: make([]replay.Pod, len(s.p.Pods))}
	guarded := make([]bool, 2*len(s.p.Types))
	for i := 0; i < len(guarded); i += 2 {
		guarded[i] = true
	}
	for i := range s.p.Pods {
		c.Pods[i] = s.p.Pods[i].Strict
		if bent[i] {
			c.Pods[i] = s.p.Pods[i].Bent
		}
		if s.guarded && c.Pods[i].Disk {
			c.Pods[i].Pools = guarded
		}
	}
	return c
}

// every gives at most n of the losses, evenly.
func every(losses [][]int, n int) [][]int {
	if len(losses) <= n {
		return losses
	}
	var out [][]int
	for i := range n {
		out = append(out, losses[i*len(losses)/n])
	}
	return out
}

// try plays a mix in full and keeps it if it is better than the best.
func (s *search) try(counts []int) bool {
	if s.best != nil && s.cost(counts) >= s.best.Cost || !s.enough(counts, 0) {
		return false
	}
	s.spend(counts)
	return s.keep(s.play(counts, false))
}

func (s *search) keep(a *Answer) bool {
	switch {
	case a == nil:
		return false
	case !a.Accepted:
		if s.loose == nil || a.Cost < s.loose.Cost {
			s.loose = a
		}
		return false
	case s.best == nil || a.Cost < s.best.Cost:
		s.best = a
		return true
	}
	return false
}

// spend accounts for a mix that is played.
func (s *search) spend(counts []int) {
	n := 0
	for _, k := range counts {
		n += k
	}
	s.tried++
	s.left -= (s.pods + 10) * (n + 5) * 4
}
