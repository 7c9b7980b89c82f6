package mix

import (
	"slices"

	"github.com/tranship/tranship/internal/plan/fit/replay"
)

// stuck tells what finds no place on far too many nodes.
func (s *search) stuck() []bool {
	out := make([]bool, len(s.p.Pods))
	const plenty = 20
	counts := s.cover([]int{len(s.p.Types) - 1}, plenty)
	if counts == nil {
		return out
	}
	nodes := s.nodes(counts)
	bent := make([]int, len(s.p.Pods))
	for i := range bent {
		bent[i] = len(s.p.Pods[i].Bent)
	}
	v := replay.Try(s.cluster(nodes, bent), replay.Options{Orders: allOrders, Losses: every(s.losses(nodes), 24), Again: allAgain})
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
	moreOrders = []replay.Order{
		{Kind: replay.AsListed, Seed: 10},
		{Kind: replay.Shuffled, Seed: 11},
		{Kind: replay.AsListed, Seed: 12},
		{Kind: replay.Shuffled, Seed: 13},
		{Kind: replay.AsListed, Seed: 14},
		{Kind: replay.Shuffled, Seed: 15},
		{Kind: replay.SmallestFirst, Seed: 16},
		{Kind: replay.Shuffled, Seed: 17},
		{Kind: replay.AsListed, Seed: 18},
		{Kind: replay.Shuffled, Seed: 19},
		{Kind: replay.AsListed, Seed: 20},
		{Kind: replay.Shuffled, Seed: 21},
	}
	allAgain = []replay.Kind{replay.Shuffled, replay.LargestFirst, replay.SmallestFirst}
)

// maxFew is how many pairs of a pod and a node are few: then every order is
// tried for every mix.
const maxFew = 4000

func (s *search) few(counts []int) bool {
	n := 0
	for _, k := range counts {
		n += k
	}
	return n*s.pods <= maxFew
}

// play tries a mix, bending what must bend, and gives nil if it will not do.
func (s *search) play(counts []int, light bool) *Answer {
	nodes := s.nodes(counts)
	losses := s.losses(nodes)
	o := replay.Options{Orders: allOrders, Losses: losses, Again: allAgain, Chain: true}
	if light {
		o.Orders, o.Again, o.Losses = allOrders[1:3], allAgain[:1], every(losses, 24)
	}
	if s.few(counts) {
		o.Orders = slices.Concat(allOrders, moreOrders)
	}
	bent := make([]int, len(s.p.Pods))
	for range 8 {
		c := s.cluster(nodes, bent)
		first := o
		first.Orders, first.Each = o.Orders[:1], nil
		v := replay.Try(c, first)
		if v.Good() {
			o.Each = s.o.Each
			v = replay.Try(c, o)
		}
		if v.Good() {
			a := &Answer{Counts: slices.Clone(counts), Cost: s.cost(counts), Nodes: nodes, Verdict: v, Bent: bent, Ranked: s.o.Ranked}
			a.Accepted = s.p.Accept == nil || s.p.Accept(nodes, v.Nodes)
			return a
		}
		if !s.bend(bent, &v) {
			return nil
		}
	}
	return nil
}

// confirm tries the best mix in further orders, and adds nodes while one of
// them leaves a pod without a place.
func (s *search) confirm() {
	if s.few(s.best.Counts) {
		return // it was tried in all of them
	}
	counts := slices.Clone(s.best.Counts)
	for range 6 {
		nodes := s.nodes(counts)
		v := replay.Try(s.cluster(nodes, s.best.Bent), replay.Options{Orders: moreOrders, Losses: s.losses(nodes), Again: allAgain, Chain: true, Each: s.o.Each})
		if v.Good() {
			if a := s.play(counts, false); a != nil && (a.Accepted || !s.best.Accepted) {
				s.best = a
				return
			}
		}
		counts[s.cheapest(counts)]++
	}
}

// cheapest is the cheapest type of a mix.
func (s *search) cheapest(counts []int) int {
	for t, n := range counts {
		if n > 0 {
			return t
		}
	}
	return 0
}

// bend lets go, by one degree, of the rules of what found no place.
func (s *search) bend(bent []int, v *replay.Verdict) bool {
	more := map[int]bool{}
	for _, list := range [][]replay.Load{v.Pending, v.Stranded} {
		for _, x := range list {
			if bent[x.Pod] < len(s.p.Pods[x.Pod].Bent) && !more[x.Pod] {
				bent[x.Pod]++
				more[x.Pod] = true
			}
		}
	}
	return len(more) > 0
}

func (s *search) cluster(nodes []replay.Node, bent []int) *replay.Cluster {
	c := &replay.Cluster{Nodes: nodes, Zones: max(s.p.Zones, 1), Pods: make([]replay.Pod, len(s.p.Pods))}
	guarded := make([]bool, 2*len(s.p.Types))
	for i := 0; i < len(guarded); i += 2 {
		guarded[i] = true
	}
	for i := range s.p.Pods {
		c.Pods[i] = s.p.Pods[i].Strict
		if bent[i] > 0 {
			c.Pods[i] = s.p.Pods[i].Bent[bent[i]-1]
		}
		if s.guarded && c.Pods[i].Disk {
			c.Pods[i].Pools = guarded
		}
		if s.o.Ranked && s.p.Priorities != nil {
			c.Pods[i].Priority = s.p.Priorities[i]
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
