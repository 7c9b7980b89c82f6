package fit

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/plan"
	"github.com/tranship/tranship/internal/plan/fit/berth"
	"github.com/tranship/tranship/internal/plan/fit/mix"
	"github.com/tranship/tranship/internal/plan/fit/replay"
	"github.com/tranship/tranship/internal/plan/policy"
)

// A part is nodes of a group that make a pool: of one type, bought one way.
type part struct {
	choice   int
	alone    bool // in a zone without another node, where no disk may be
	purchase plan.Purchase
	price    unit.Money
	at       []int // indexes of the answer's nodes
}

// parts sorts the answer's nodes into pools.
func (g *group) parts() []part {
	var out []part
	if g.answer.Berths != nil {
		return g.single()
	}
	for t, n := range g.answer.Counts {
		committed := g.committed(n)
		for _, alone := range []bool{false, true} {
			listed := part{choice: t, alone: alone, purchase: g.class.purchase, price: g.choices[t].price}
			bound := part{choice: t, alone: alone, purchase: plan.SavingsPlan, price: g.committedPrice(g.choices[t].price)}
			for i := range g.answer.Nodes {
				if g.answer.Nodes[i].Pool != 2*t+map[bool]int{true: 1}[alone] {
					continue
				}
				if committed > 0 {
					committed--
					bound.at = append(bound.at, i)
				} else {
					listed.at = append(listed.at, i)
				}
			}
			for _, p := range []part{listed, bound} {
				if len(p.at) > 0 {
					out = append(out, p)
				}
			}
		}
	}
	return out
}

// single makes a pool of each node, so that its label tells it from all others.
func (g *group) single() []part {
	var out []part
	committed := make([]int, len(g.answer.Counts))
	for t, n := range g.answer.Counts {
		committed[t] = g.committed(n)
	}
	for i := range g.answer.Nodes {
		t := g.answer.Nodes[i].Pool / 2
		p := part{choice: t, purchase: g.class.purchase, price: g.choices[t].price, at: []int{i}}
		if committed[t] > 0 {
			committed[t]--
			p.purchase, p.price = plan.SavingsPlan, g.committedPrice(g.choices[t].price)
		}
		out = append(out, p)
	}
	return out
}

// pools gives a group's pools, nodes and placements. Nodes stand in the order
// of the answer's.
func (g *group) pools(names map[plan.PoolName]bool) ([]plan.Pool, []plan.Node, []plan.Placement) {
	var pools []plan.Pool
	nodes := make([]plan.Node, len(g.answer.Nodes))
	parts := g.parts()
	apart := slices.ContainsFunc(parts, func(p part) bool { return p.alone }) && slices.ContainsFunc(parts, func(p part) bool { return !p.alone })
	alone := map[plan.PoolName]bool{}
	for _, p := range parts {
		pool := g.pool(&p, apart, names)
		for i, at := range p.at {
			nodes[at] = g.node(at, &pool, i)
			for _, c := range nodes[at].Pods {
				s := g.sizeOf(c.Workload)
				pool.CPU += unit.CPU(s[inCPU]) * unit.CPU(c.Count)
				pool.Memory += unit.Bytes(s[inMemory]) * unit.MiB * unit.Bytes(c.Count)
				pool.GPUs += int(s[inGPUs]) * c.Count
			}
		}
		alone[pool.Name] = p.alone
		pools = append(pools, pool)
	}
	g.spare(pools)
	return pools, nodes, g.placements(pools, nodes, alone)
}

// zonesOfPart are the zones that a pool's nodes are in.
func (g *group) zonesOfPart(p *part) []string {
	var out []string
	for z, name := range g.d.zones {
		if slices.ContainsFunc(p.at, func(i int) bool { return g.answer.Nodes[i].Zone == z }) {
			out = append(out, name)
		}
	}
	return out
}

func (g *group) sizeOf(id estate.Name) vector {
	for _, x := range g.wants {
		if x.w.ID == id {
			return x.size
		}
	}
	return vector{}
}

// committed is how many of a type's nodes are bought under the savings plan.
func (g *group) committed(nodes int) int {
	k := g.d.in.Policy.Spec.Buying.Commit
	if k == nil || g.class.purchase != plan.OnDemand {
		return 0
	}
	return int(float64(nodes)*commitShare(k) + 1e-9)
}

func commitShare(k *policy.Commitment) float64 {
	if k.Share == 0 {
		return 1
	}
	return min(k.Share, 1)
}

func (g *group) committedPrice(price unit.Money) unit.Money {
	k := g.d.in.Policy.Spec.Buying.Commit
	if k == nil {
		return price
	}
	return unit.Money(float64(price)*(1-k.Discount) + 0.5)
}

// bought is what the group's nodes cost an hour.
func (g *group) bought() unit.Money {
	sum := unit.Money(0)
	for t, n := range g.answer.Counts {
		k := g.committed(n)
		sum += g.choices[t].price*unit.Money(n-k) + g.committedPrice(g.choices[t].price)*unit.Money(k)
	}
	return sum
}

func (g *group) pool(at *part, apart bool, names map[plan.PoolName]bool) plan.Pool {
	c, zones, count := &g.choices[at.choice], g.zonesOfPart(at), len(at.at)
	x := &g.d.in.Policy.Spec.Target
	name := strings.ReplaceAll(c.t.Name, ".", "-")
	if k := g.class.name(); k != "" {
		name += "-" + k
	}
	if c.maxPods > 0 {
		name += fmt.Sprintf("-p%d", c.maxPods)
	}
	if at.purchase == plan.SavingsPlan {
		name += "-plan"
	}
	if apart {
		name += "-"
		for _, z := range zones {
			name += z[len(z)-1:]
		}
	}
	unique := plan.PoolName(name)
	for i := 2; names[unique]; i++ {
		unique = plan.PoolName(fmt.Sprintf("%s-%d", name, i))
	}
	names[unique] = true
	p := plan.Pool{
		Name: unique, Reason: g.poolReason(), Why: g.why(at),
		Manager: "managed", Type: c.t.Name, Arch: c.t.Arch, Alternatives: c.others, Purchase: at.purchase, Price: at.price,
		Nodes: count, Min: count, Max: count + 1, Zones: zones,
		Allocatable: c.alloc, System: g.d.system.load(), MaxPods: c.maxPods, Labels: read(g.class.labels),
	}
	if x.MaxPods > 0 {
		p.MaxPods = x.MaxPods
	}
	if x.Manager == "karpenter" {
		p.Manager, p.Min = "karpenter", 0
		if len(p.Alternatives) == 0 {
			p.Alternatives = standIns(c, g.choices, 4)
		}
	}
	return p
}

func (g *group) poolReason() plan.Reason {
	switch k := g.class; {
	case k.gpu:
		return plan.NeedsGPU
	case k.disk:
		return plan.NeedsDisk
	case k.purchase == plan.Spot:
		return plan.OnSpot
	}
	return plan.Cheapest
}

// why says why a type was chosen, and so many of it.
func (g *group) why(at *part) string {
	c, count := &g.choices[at.choice], len(at.at)
	free := c.room.plus(g.d.system, -1)
	out := fmt.Sprintf("%d × %s at %s an hour, each with %s CPU and %s for pods", count, c.name(), c.price.Exact(),
		unit.CPU(free[inCPU]), unit.Bytes(free[inMemory])*unit.MiB)
	if len(g.answer.Nodes) > 1 || g.answer.Next != nil {
		out += fmt.Sprintf(": the cheapest %d nodes found for %s CPU, %s and %d pods", len(g.answer.Nodes),
			unit.CPU(g.total[inCPU]), unit.Bytes(g.total[inMemory])*unit.MiB, g.total[inPods])
		if l, _ := level(g.d.in); l != plan.SurviveNone {
			out += ", that hold all of it after the loss of any one " + string(l)
		}
	}
	if u := slices.IndexFunc(g.answer.Next, func(n int) bool { return n > 0 }); u >= 0 {
		n := g.answer.Next[u]
		out += fmt.Sprintf("; next best of one type: %d × %s at %s", n, g.choices[u].name(), (g.choices[u].price * unit.Money(n)).Exact())
	}
	if c.maxPods > 0 {
		out += fmt.Sprintf("; prefix delegation and --max-pods=%d in place of %d", c.maxPods, c.t.Allocatable(kubelet(&g.d.in.Policy.Spec.Target)).Pods)
	}
	if g.answer.Berths != nil {
		out += "; a pool of its own, so that its copies can prefer it (spec.target.pools)"
	}
	if at.alone {
		out += "; no disk may be here: its zone has no second node to take one over"
	}
	if k := g.class.labels; k != "" {
		out += "; every node has " + k
	}
	return out
}

// node gives an expected node with its pods.
func (g *group) node(at int, pool *plan.Pool, index int) plan.Node {
	n := plan.Node{
		Name: fmt.Sprintf("%s-%d", pool.Name, index+1), Pool: pool.Name, Zone: g.d.zones[g.answer.Nodes[at].Zone], Pods: []plan.Copies{},
	}
	sum := g.d.system
	for _, l := range g.answer.Verdict.Nodes[at] {
		x := g.wants[l.Pod]
		n.Pods = append(n.Pods, plan.Copies{Workload: x.w.ID, Count: l.Count})
		sum = sum.plus(x.size, int64(l.Count))
	}
	n.Requested = sum.load()
	n.Overload = g.peaks().Overload(&g.answer.Nodes[at], g.answer.Verdict.Nodes[at])
	return n
}

// spare raises the bounds of the first pool by what the autoscaled workloads
// may grow to.
func (g *group) spare(pools []plan.Pool) {
	more := vector{}
	for _, x := range g.wants {
		if s := g.d.sizes[x.w.ID].Scale; s != nil && s.Max > x.count {
			more = more.plus(x.size, int64(s.Max-x.count))
		}
	}
	if len(pools) == 0 {
		return
	}
	room := roomOf(pools[0].Allocatable).plus(g.d.system, -1)
	n := 0
	for dim := range more {
		if more[dim] > 0 && room[dim] > 0 {
			n = max(n, int((more[dim]+room[dim]-1)/room[dim]))
		}
	}
	pools[0].Max += n
}

// placements binds every want to all pools of its group that can hold it, so
// that the scheduler has its choice among them.
func (g *group) placements(pools []plan.Pool, nodes []plan.Node, alone map[plan.PoolName]bool) []plan.Placement {
	type at struct {
		w    estate.Name
		pool plan.PoolName
	}
	counts := map[at]int{}
	for _, n := range nodes {
		for _, c := range n.Pods {
			counts[at{c.Workload, n.Pool}] += c.Count
		}
	}
	var out []plan.Placement
	for i, x := range g.wants {
		for _, p := range pools {
			if alone[p.Name] && x.disk() {
				continue
			}
			y := plan.Placement{Workload: x.w.ID, Pool: p.Name, Reason: x.reason, Why: x.why}
			if len(pools) > 1 {
				y.Copies = counts[at{x.w.ID, p.Name}]
			}
			if b := g.answer.Berths; b != nil {
				y.Prefer = prefers(&b[i], g.at(nodes, p.Name))
			}
			out = append(out, y)
		}
	}
	return out
}

// at is the node of a pool that has one alone.
func (g *group) at(nodes []plan.Node, pool plan.PoolName) int {
	return slices.IndexFunc(nodes, func(n plan.Node) bool { return n.Pool == pool })
}

// prefers is the weight of a node for copies that have a berth.
func prefers(b *berth.Berth, node int) int {
	switch {
	case slices.Contains(b.Homes, node):
		return mix.HomeWeight
	case b.Spare == node:
		return mix.SpareWeight
	}
	return 0
}

// failures names what went where.
func (g *group) failures(nodes []plan.Node, zones bool) []plan.Failure {
	var out []plan.Failure
	v := &g.answer.Verdict
	for i, moves := range v.Moves {
		f := plan.Failure{Moves: []plan.Moved{}}
		if f.Lost = nodes[i].Name; zones {
			f.Lost = g.lostZone(i)
		}
		for _, m := range moves {
			f.Moves = append(f.Moves, plan.Moved{Workload: g.wants[m.Pod].w.ID, Count: m.Count, To: nodes[m.To].Name})
		}
		for _, c := range v.Cleared[i] {
			f.Cleared = append(f.Cleared, plan.Cleared{Workload: g.wants[c.Pod].w.ID, Count: c.Count, From: nodes[c.From].Name})
		}
		for _, l := range v.Lonely[i] {
			f.Stranded = append(f.Stranded, plan.Copies{Workload: g.wants[l.Pod].w.ID, Count: l.Count})
		}
		out = append(out, f)
	}
	return out
}

// lostZone names the zone of the i-th loss: zones without nodes are no loss.
func (g *group) lostZone(i int) string {
	for z := range g.d.zones {
		if slices.ContainsFunc(g.answer.Nodes, func(n replay.Node) bool { return n.Zone == z }) {
			if i == 0 {
				return g.d.zones[z]
			}
			i--
		}
	}
	return ""
}
