package mix

import (
	"cmp"
	"slices"

	"github.com/tranship/tranship/internal/base/binpack/fleet"
	"github.com/tranship/tranship/internal/plan/fit/berth"
	"github.com/tranship/tranship/internal/plan/fit/replay"
)

// MaxTold is how many nodes there may be for the scheduler to be told more of
// them: each is a pool of its own then.
const MaxTold = 16

// Bounds of Steer: mixes that are looked at in short, in full and for longer, and
// the steps of that.
const (
	maxGlances = 320
	maxLooks   = 8
	maxLonger  = 4
	glance     = 180   // of a pod's class and a node
	look       = 1_800 // likewise
	berthSeeds = 4
	// A longer look takes so many times the steps, again and again as often as
	// Options.Patience says: many beginnings find more than many steps.
	long = 20
	// After a glance berths may be so far from what they shall be, in nodes.
	nearly = 0.15
	// After a look, for a longer one.
	within = 0.08
)

// Weights of preferred affinity: to the nodes where a pod's copies are, and to
// that which takes over.
const (
	HomeWeight  = 100
	SpareWeight = 50
)

// Steer gives pods berths: nodes that they prefer, at most one copy on each, and
// one node more that takes over what a lost one ran. So the scheduler has no
// choice but the plan's. It looks among the mixes given and then among those of two
// types, the cheapest first, for one that costs less than o.Below.
func Steer(p Problem, mixes [][]int, o Options) (Answer, bool) {
	s := &search{p: &p, o: o, dims: len(p.Types[0].Room)}
	s.measure()
	if p.Level != Node || !s.steerable() {
		return Answer{}, false
	}
	mixes = slices.DeleteFunc(slices.Concat(mixes, s.pairs(mixes)), func(counts []int) bool {
		n := 0
		for _, k := range counts {
			n += k
		}
		return s.cost(counts) >= o.Below || n > MaxTold || n*s.pods > maxFew
	})
	looks, longer := 0, 0
	const batch = 8
	for at := 0; at < min(len(mixes), maxGlances); at += batch {
		some := mixes[at:min(at+batch, len(mixes))]
		near := make([]bool, len(some))
		s.each(len(some), func(i int) { near[i] = s.glance(some[i]) })
		for i, counts := range some {
			if !near[i] {
				continue
			}
			if looks++; looks > maxLooks {
				return Answer{}, false
			}
			a, over := s.steered(counts, look, 0)
			if a == nil && over <= within && longer < maxLonger {
				longer++
				for again := 0; a == nil && again < o.Patience; again++ {
					a, _ = s.steered(counts, look*long, again)
				}
			}
			if a != nil {
				return *a, true
			}
		}
	}
	return Answer{}, false
}

// glance reports whether a mix may have berths, a shorter search first.
func (s *search) glance(counts []int) bool {
	nodes := s.nodes(counts)
	q := s.berths(nodes)
	steps := glance * len(nodes) * len(s.p.Pods)
	const first, far = 4, 3
	if b, over := berth.Find(q, 1, steps/first); b == nil || over > far*nearly {
		return false
	}
	_, over := berth.Find(q, 1, steps)
	return over <= nearly
}

// pairs gives the mixes of one or two types that cost more than all those given,
// the cheapest first.
func (s *search) pairs(than [][]int) [][]int {
	low := int64(0)
	for _, counts := range than {
		low = max(low, s.cost(counts))
	}
	var out [][]int
	for a := range s.p.Types {
		for b := range a + 1 {
			for n := 1; n <= MaxTold; n++ {
				for m := range MaxTold - n + 1 {
					if (a == b) != (m == 0) {
						continue
					}
					counts := make([]int, len(s.p.Types))
					counts[a] += n
					counts[b] += m
					if s.cost(counts) > low && s.cost(counts) < s.o.Below && s.enough(counts, 0) && (s.p.Fleets == nil || s.p.Fleets(counts)) {
						out = append(out, counts)
					}
				}
			}
		}
	}
	slices.SortStableFunc(out, func(a, b []int) int { return cmp.Compare(s.cost(a), s.cost(b)) })
	return out
}

// steerable reports whether nothing but room says where a pod may run.
func (s *search) steerable() bool {
	return !slices.ContainsFunc(s.p.Pods, func(x Pod) bool {
		p := &x.Strict
		return p.Disk || p.Together || p.ApartZone || p.Zones != nil || len(p.Ports) > 0 || p.Count >= MaxTold
	})
}

// Query asks for the mixes that could hold the sum of all pods after a loss.
func (p *Problem) Query() fleet.Query {
	s := &search{p: p, dims: len(p.Types[0].Room)}
	s.measure()
	q := fleet.Query{Demand: s.demand, Loss: p.Level != None}
	for t := range p.Types {
		room := make([]int64, s.dims)
		for d := range room {
			room[d] = s.room(t, d)
		}
		q.Rooms, q.Prices = append(q.Rooms, room), append(q.Prices, p.Types[t].Price)
	}
	return q
}

func (s *search) berths(nodes []replay.Node) berth.Problem {
	var q berth.Problem
	if s.p.Load != nil {
		q.Load = func(node int) berth.Load { return s.p.Load(&nodes[node]) }
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

// steered looks for berths with which the scheduler carries a mix out, in so many
// steps of a pod's class and a node: without priorities if it can be had, and so
// that one loss may follow another. It tells how far the best berths are from good.
// What is sought again begins elsewhere.
func (s *search) steered(counts []int, steps, again int) (found *Answer, over float64) {
	all := s.nodes(counts)
	q := s.berths(all)
	berths, overs := make([][]berth.Berth, berthSeeds), make([]float64, berthSeeds)
	s.each(berthSeeds, func(i int) {
		berths[i], overs[i] = berth.Find(q, uint64(again*berthSeeds+i)+1, steps*len(all)*len(s.p.Pods))
	})
	for _, b := range berths {
		nodes := slices.Clone(all)
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
				return a, 0
			case found == nil || found.Restored && !a.Restored:
				found = a
			}
		}
	}
	return found, slices.Min(overs)
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
