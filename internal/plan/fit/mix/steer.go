package mix

import (
	"cmp"
	"slices"

	"github.com/tranship/tranship/internal/plan/fit/berth"
	"github.com/tranship/tranship/internal/plan/fit/replay"
)

// MaxTold is how many nodes there may be for the scheduler to be told more of
// them: each is a pool of its own then.
const MaxTold = 16

// Bounds of Steer: mixes that are looked at in short, mixes that are looked at in
// full, and the steps of both.
const (
	maxGlances = 60
	maxLooks   = 8
	glance     = 180   // of a pod's class and a node
	look       = 1_800 // likewise
	berthSeeds = 3
	// After a glance a mix may be so far over its room, in nodes, and worry so much.
	nearly  = 0.15
	tooMuch = 8
)

// Weights of preferred affinity: to the nodes where a pod's copies are, and to
// that which takes over.
const (
	HomeWeight  = 100
	SpareWeight = 50
)

// Steer gives pods berths: nodes that they prefer, at most one copy on each, and
// one node more that takes over what a lost one ran. So the scheduler has no
// choice but the plan's. It looks among mixes near to those given, the cheapest
// first, for one that costs less than o.Below.
func Steer(p Problem, near [][]int, o Options) (Answer, bool) {
	s := &search{p: &p, o: o, dims: len(p.Types[0].Room)}
	s.measure()
	if p.Level != Node || !s.steerable() {
		return Answer{}, false
	}
	glances, looks := 0, 0
	var full []fullness
	for _, counts := range s.around(near) {
		f := s.fullness(counts)
		if slices.ContainsFunc(full, f.atLeast) {
			continue // a mix that was less full worried too much
		}
		if glances++; glances > maxGlances || looks >= maxLooks {
			break
		}
		nodes := s.nodes(counts)
		q := s.berths(nodes)
		b, over := berth.Find(q, 1, glance*len(nodes)*len(s.p.Pods))
		if b == nil || over > nearly {
			continue
		}
		if worried(&q, b) > tooMuch {
			full = append(full, f)
			continue
		}
		looks++
		if a := s.steered(counts, nodes, q); a != nil {
			return *a, true
		}
	}
	return Answer{}, false
}

// A fullness is how full a mix is of CPU, and the CPU of its largest node: many
// pods on one use it more evenly than few.
type fullness struct {
	share   float64
	largest int64
}

func (f fullness) atLeast(g fullness) bool { return f.share >= g.share && f.largest <= g.largest }

func (s *search) fullness(counts []int) fullness {
	f, sum := fullness{}, int64(0)
	for t, n := range counts {
		if n > 0 {
			sum += s.room(t, replay.CPU) * int64(n)
			f.largest = max(f.largest, s.room(t, replay.CPU))
		}
	}
	f.share = float64(s.demand[replay.CPU]) / float64(max(sum, 1))
	return f
}

// steerable reports whether nothing but room says where a pod may run.
func (s *search) steerable() bool {
	return !slices.ContainsFunc(s.p.Pods, func(x Pod) bool {
		p := &x.Strict
		return p.Disk || p.Together || p.ApartZone || p.Zones != nil || len(p.Ports) > 0 || p.Count >= MaxTold
	})
}

// around gives the mixes that differ from those given by one node, and those of
// two types, the cheapest first.
func (s *search) around(near [][]int) [][]int {
	var out [][]int
	add := func(counts []int) {
		n := 0
		for _, k := range counts {
			n += k
		}
		if n <= MaxTold && n*s.pods <= maxFew && s.cost(counts) < s.o.Below && s.enough(counts, 0) &&
			!slices.ContainsFunc(out, func(c []int) bool { return slices.Equal(c, counts) }) {
			out = append(out, slices.Clone(counts))
		}
	}
	// other puts one node of each type in the place of each node.
	other := func(counts []int, do func()) {
		for t := range counts {
			if counts[t] == 0 {
				continue
			}
			counts[t]--
			for u := range counts {
				if u != t {
					counts[u]++
					do()
					counts[u]--
				}
			}
			counts[t]++
		}
	}
	for _, counts := range near {
		counts = slices.Clone(counts)
		add(counts)
		for t := range counts {
			counts[t]++
			add(counts)
			counts[t]--
		}
		other(counts, func() { add(counts) })
	}
	counts := make([]int, len(s.p.Types))
	for a := range counts {
		for b := range a + 1 {
			for n := 1; n <= MaxTold; n++ {
				for m := range MaxTold - n + 1 {
					if a == b && m > 0 || a != b && m == 0 {
						continue
					}
					counts[a], counts[b] = n, m
					if a == b {
						counts[a] = n
					}
					add(counts)
					counts[a], counts[b] = 0, 0
				}
			}
		}
	}
	slices.SortStableFunc(out, func(a, b []int) int { return cmp.Compare(s.cost(a), s.cost(b)) })
	return out
}

// worried is the most that any node worries.
func worried(q *berth.Problem, b []berth.Berth) float64 {
	if q.Worry == nil {
		return 0
	}
	most := 0.0
	for node := range q.Rooms {
		var on []int
		for i := range b {
			if slices.Contains(b[i].Homes, node) {
				on = append(on, i)
			}
		}
		most = max(most, q.Worry(node, on))
	}
	return most
}

func (s *search) berths(nodes []replay.Node) berth.Problem {
	var q berth.Problem
	if s.p.Worry != nil {
		q.Worry = func(node int, items []int) float64 {
			on := make([]replay.Load, 0, len(items))
			for _, i := range items {
				on = append(on, replay.Load{Pod: i, Count: 1})
			}
			return s.p.Worry(&nodes[node], on)
		}
	}
	for i := range nodes {
		room := make([]int64, s.dims)
		for d := range room {
			room[d] = nodes[i].Room[d] - nodes[i].System[d]
		}
		q.Rooms = append(q.Rooms, room)
	}
	for i := range s.p.Pods {
		q.Items = append(q.Items, berth.Item{Size: s.p.Pods[i].Strict.Size, Count: s.p.Pods[i].Strict.Count})
	}
	return q
}

// steered looks for berths with which the scheduler carries a mix out: without
// priorities if it can be had, and so that one loss may follow another.
func (s *search) steered(counts []int, nodes []replay.Node, q berth.Problem) *Answer {
	var found *Answer
	for seed := range uint64(berthSeeds) {
		b, _ := berth.Find(q, seed+1, look*len(nodes)*len(s.p.Pods))
		nodes := slices.Clone(nodes)
		diverse(nodes, b)
		for _, ranked := range []bool{false, true} {
			if ranked && s.p.Priorities == nil {
				continue
			}
			a := s.prefer(counts, nodes, b, ranked)
			switch {
			case a == nil:
				continue
			case !a.Ranked && !a.Restored:
				return a
			case found == nil || found.Restored && !a.Restored:
				found = a
			}
		}
	}
	return found
}

// prefer tries a mix with berths in every order.
func (s *search) prefer(counts []int, nodes []replay.Node, b []berth.Berth, ranked bool) *Answer {
	steered := *s
	steered.o.Ranked = ranked
	c := steered.cluster(nodes, make([]int, len(s.p.Pods)))
	for i := range c.Pods {
		p := &c.Pods[i]
		p.Prefer = make([]int, len(nodes))
		for _, h := range b[i].Homes {
			p.Prefer[h] = HomeWeight
		}
		p.Prefer[b[i].Spare] = SpareWeight
		if !slices.ContainsFunc(p.Spreads, func(k replay.Spread) bool { return !k.Zone && !k.Soft }) {
			p.Spreads = append(slices.Clone(p.Spreads), replay.Spread{})
		}
	}
	o := replay.Options{Orders: slices.Concat(allOrders, moreOrders), Losses: s.losses(nodes), Again: allAgain, Each: s.o.Each}
	a := &Answer{
		Counts: slices.Clone(counts), Cost: s.cost(counts), Nodes: nodes, Bent: make([]int, len(s.p.Pods)), Berths: b, Ranked: ranked,
		Verdict: replay.Try(c, o),
	}
	if !a.Verdict.Good() || s.p.Accept != nil && !s.p.Accept(nodes, a.Verdict.Nodes) {
		return nil
	}
	a.Accepted = true
	o.Chain = true
	if v := replay.Try(c, o); v.Good() {
		a.Verdict = v
	} else {
		a.Restored = true
	}
	return a
}

// diverse exchanges zones of nodes while more pods come to be in more zones.
func diverse(nodes []replay.Node, b []berth.Berth) {
	count := func() int {
		sum := 0
		for _, x := range b {
			seen := uint64(0)
			for _, h := range x.Homes {
				if z := uint64(1) << (nodes[h].Zone % 64); seen&z == 0 {
					seen |= z
					sum++
				}
			}
		}
		return sum
	}
	best := count()
	for better := true; better; {
		better = false
		for i := range nodes {
			for j := range i {
				nodes[i].Zone, nodes[j].Zone = nodes[j].Zone, nodes[i].Zone
				if n := count(); n > best {
					best, better = n, true
				} else {
					nodes[i].Zone, nodes[j].Zone = nodes[j].Zone, nodes[i].Zone
				}
			}
		}
	}
}
