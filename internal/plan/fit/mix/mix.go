// Package mix finds the cheapest nodes on which the default scheduler of
// Kubernetes places every pod, and every pod again after a loss. It takes
// types of nodes and pods in bare numbers and gives how many of each type. It
// never takes a mix for good that package replay did not try.
package mix

import (
	"cmp"

	"github.com/tranship/tranship/internal/plan/fit/berth"
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
	// Priorities are those of the pods, where they may have any; nil for none.
	Priorities []int
	// Accept has a last word on a mix on which everything is placed; nil for none.
	Accept func(nodes []replay.Node, on [][]replay.Load) bool
	// Fleets tells of numbers of nodes, by type, that Accept may take, wherever the
	// pods are: false is that it never does. Nil where it may take all.
	Fleets func(counts []int) bool
	// Load gives an empty node that tells how far Accept is from taking it; nil where
	// it takes all.
	Load func(node *replay.Node) berth.Load
}

// A Type is a kind of node.
type Type struct {
	Room, System []int64
	Price        int64
}

// A Pod is a class of pods, with its rules as they are and as they bend.
type Pod struct {
	Strict replay.Pod
	// Bent may take the place of Strict, each one only where that before it
	// finds no place.
	Bent []replay.Pod
	// Nodes and Zones that there must be at least.
	Nodes, Zones int
}

// Options steer the search.
type Options struct {
	// Ranked gives the pods their priorities.
	Ranked bool
	// Below has few nodes alone looked for that cost less; 0 is no limit.
	Below int64
	// Work bounds the decisions of the scheduler that are tried; 0 is DefaultWork.
	Work int
	// Patience is how often Steer looks for long where berths are near.
	Patience int
	Each     func(n int, do func(i int))
}

// DefaultWork takes a second or two.
const DefaultWork = 60_000_000

// An Answer is a mix.
type Answer struct {
	Counts []int
	Cost   int64
	// Nodes have as Pool twice the type, and one more where no other node of its
	// zone could take a disk over.
	Nodes   []replay.Node
	Verdict replay.Verdict
	Bent    []int // by pod: 0 is Strict, 1 the first of its Bent
	// Accepted is what Accept said.
	Accepted bool
	// Ranked: the pods have their priorities, without which it will not do.
	Ranked bool
	// Berths are the nodes that each pod prefers, by pod; nil where they have none.
	Berths []berth.Berth
	// Restored: what a loss moved must start anew before the next one; otherwise
	// one loss may follow another.
	Restored bool
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
	s.measure()
	for _, counts := range p.Starts {
		s.try(counts)
	}
	switch {
	case s.small():
		s.enumerate()
	case o.Below == 0:
		s.climb()
	}
	if s.best == nil && o.Below > 0 {
		return Answer{Tried: s.tried}, false
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
	s.confirm()
	out := *s.best
	out.Next = s.next()
	out.Tried = s.tried
	return out, true
}

// measure sums up what there is to place, and how many nodes that takes at least.
func (s *search) measure() {
	p := s.p
	s.demand = make([]int64, s.dims)
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

// try plays a mix in full and keeps it if it is better than the best.
func (s *search) try(counts []int) bool {
	if s.best != nil && s.cost(counts) >= s.best.Cost || s.o.Below > 0 && s.cost(counts) >= s.o.Below || !s.enough(counts, 0) {
		return false
	}
	a := s.play(counts, false)
	s.spend(counts, a)
	return s.keep(a)
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

// spend accounts for a mix that was played: in every order if it will do, in
// the first ones otherwise.
func (s *search) spend(counts []int, a *Answer) {
	n := 0
	for _, k := range counts {
		n += k
	}
	s.tried++
	orders := 2
	if a != nil {
		orders = len(allOrders)
		if s.few(counts) {
			orders += len(moreOrders)
		}
	}
	const again = 4 // each pod once, and about thrice after losses
	s.left -= (s.pods + 10) * (n + 5) * orders * again
}
