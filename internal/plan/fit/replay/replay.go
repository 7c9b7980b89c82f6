// Package replay does what the default profile of kube-scheduler does: it
// places pods on nodes, one by one, by the published filters and scores. It
// takes nodes and pods in bare numbers and gives where each pod went. It never
// moves a pod that runs, but for those that one of higher priority takes the
// place of, as the scheduler does.
package replay

// The first dimensions of sizes and rooms. CPU and memory are scored, all
// dimensions are filtered by.
const (
	CPU = iota
	Memory
)

// What a pod without a request is scored as: 100m and 200 MiB.
const (
	leastCPU    = 100
	leastMemory = 200
)

// A Cluster is nodes and the pods that shall run on them. CPU is in
// thousandths of a core, memory in MiB.
type Cluster struct {
	Nodes []Node
	Pods  []Pod
	Zones int // zones are numbered from 0
}

// A Node is one node.
type Node struct {
	// Room is what is allocatable, System what DaemonSets take of it.
	Room, System []int64
	Pool, Zone   int
}

// A Pod is a class of equal pods.
type Pod struct {
	Size  []int64
	Count int
	// Pools and Zones may hold it; nil for all.
	Pools, Zones []bool
	// Apart forbids two on a node, ApartZone two in a zone, Together two nodes
	// (required affinity).
	Apart, ApartZone, Together bool
	// Ports of the node that it takes, as any numbers.
	Ports []int
	// Spreads in place of the scheduler's own.
	Spreads []Spread
	// ApartSoft prefers nodes without another.
	ApartSoft bool
	// Disk: it has a disk that stays in the zone where it first ran.
	Disk bool
	// Waits: after a loss it may wait for a new node, where the loss took all
	// that its affinity and its disk allow.
	Waits bool
	// Prefer has the weight of its preferred affinity to each node; nil for none.
	Prefer []int
	// Priority: where it finds no place, pods of a lower one give way.
	Priority int
	// Budget is a disruption budget of one: a second copy gives way only where
	// nothing else does.
	Budget bool
}

// A Spread is a topology spread constraint with a skew of one.
type Spread struct {
	Zone bool // over zones; otherwise over nodes
	Soft bool // ScheduleAnyway
	// MinDomains below which no domain counts as the least.
	MinDomains int
}

// A Load is pods of one class.
type Load struct{ Pod, Count int }

// state is a cluster with what runs on it.
type state struct {
	c     *Cluster
	n     int
	dims  int
	free  []int64 // by node, dimension
	spent []int64 // CPU and memory as scored, by node
	// count is pods by class and node, zoned by class and zone, total by class.
	count  []int32
	zoned  []int32
	total  []int32
	taken  map[int]int32 // port × nodes + node
	since  []int32       // by class and node: when the last one came
	clock  int32
	ranked bool // not all priorities are the same
	dead   []bool
	start  int
	random uint64
	nodes  []int // in the order in which they are asked
	only   int   // the zone of the disk that is waited for; -1 for any

	// Scratch of one decision.
	feasible []int32
	score    []int64
	raw      []float64
	zones    []int32
	alive    []bool
}

func newState(c *Cluster, seed uint64) *state {
	s := &state{c: c, n: len(c.Nodes), random: seed*2862933555777941757 + 3037000493, taken: map[int]int32{}, only: -1}
	if s.n > 0 {
		s.dims = len(c.Nodes[0].Room)
	}
	zones := max(c.Zones, 1)
	s.free = make([]int64, s.n*s.dims)
	s.spent = make([]int64, s.n*2)
	for i := range c.Nodes {
		x := &c.Nodes[i]
		for d := range s.dims {
			s.free[i*s.dims+d] = x.Room[d] - x.System[d]
		}
		s.spent[i*2], s.spent[i*2+1] = x.System[CPU], x.System[Memory]
	}
	s.count = make([]int32, len(c.Pods)*s.n)
	s.zoned = make([]int32, len(c.Pods)*zones)
	s.total = make([]int32, len(c.Pods))
	s.since = make([]int32, len(c.Pods)*s.n)
	for i := range c.Pods {
		s.ranked = s.ranked || c.Pods[i].Priority != c.Pods[0].Priority
	}
	s.dead = make([]bool, s.n)
	s.score, s.raw = make([]int64, s.n), make([]float64, s.n)
	s.feasible = make([]int32, 0, s.n)
	s.zones, s.alive = make([]int32, zones), make([]bool, zones)
	s.interleave(zones)
	return s
}

// interleave takes a node of each zone in turn, as the scheduler's cache does.
func (s *state) interleave(zones int) {
	by := make([][]int, zones)
	for i := range s.c.Nodes {
		z := s.c.Nodes[i].Zone
		by[z] = append(by[z], i)
	}
	for k := 0; len(s.nodes) < s.n; k++ {
		for _, list := range by {
			if k < len(list) {
				s.nodes = append(s.nodes, list[k])
			}
		}
	}
}

// next is splitmix64.
func (s *state) next() uint64 {
	s.random += 0x9e3779b97f4a7c15
	z := s.random
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb
	return z ^ (z >> 31)
}

// enough is how many nodes that could hold a pod the scheduler looks at.
func (s *state) enough() int {
	if s.n < 100 {
		return s.n
	}
	return max(100, s.n*max(50-s.n/125, 5)/100)
}

// place puts one pod of a class on a node; -1 if none can hold it. A disk that
// it already has is in zone; -1 for none.
func (s *state) place(pod, zone int) int {
	p := &s.c.Pods[pod]
	s.only = zone
	node := s.choose(pod, p)
	s.only = -1
	if node >= 0 {
		s.begin(pod, node)
	}
	return node
}

// begin starts a pod on a node.
func (s *state) begin(pod, node int) {
	s.put(pod, node, 1)
	s.clock++
	s.since[pod*s.n+node] = s.clock
}

// put adds n pods of a class to a node, or takes them away.
func (s *state) put(pod, node, n int) {
	p := &s.c.Pods[pod]
	for d, x := range p.Size {
		s.free[node*s.dims+d] -= x * int64(n)
	}
	s.spent[node*2] += scored(p.Size[CPU], leastCPU) * int64(n)
	s.spent[node*2+1] += scored(p.Size[Memory], leastMemory) * int64(n)
	s.count[pod*s.n+node] += int32(n)
	s.zoned[pod*len(s.zones)+s.c.Nodes[node].Zone] += int32(n)
	s.total[pod] += int32(n)
	for _, port := range p.Ports {
		s.taken[port*s.n+node] += int32(n)
	}
}

func scored(size, least int64) int64 {
	if size == 0 {
		return least
	}
	return size
}

func (s *state) choose(pod int, p *Pod) int {
	leastNode, leastZone := s.leasts(pod, p)
	s.feasible = s.feasible[:0]
	enough, asked := s.enough(), 0
	for i := range s.n {
		node := s.nodes[(s.start+i)%s.n]
		asked++
		if s.fits(pod, p, node, leastNode, leastZone) {
			if s.feasible = append(s.feasible, int32(node)); len(s.feasible) >= enough {
				break
			}
		}
	}
	if s.n > 0 {
		s.start = (s.start + asked) % s.n
	}
	switch len(s.feasible) {
	case 0:
		return -1
	case 1:
		return int(s.feasible[0])
	}
	s.resources(p)
	s.spread(pod, p)
	s.prefer(p)
	return s.best()
}

// eligible reports whether a node is one that the pod's affinity allows.
func (s *state) eligible(p *Pod, node int) bool {
	x := &s.c.Nodes[node]
	return !s.dead[node] && (s.only < 0 || x.Zone == s.only) && (p.Pools == nil || p.Pools[x.Pool]) && (p.Zones == nil || p.Zones[x.Zone])
}

// leasts gives the least count of a node and of a zone that a hard spread is
// measured against.
func (s *state) leasts(pod int, p *Pod) (node, zone int32) {
	for _, k := range p.Spreads {
		if k.Soft {
			continue
		}
		if k.Zone {
			zone = s.leastZone(pod, p, k.MinDomains)
		} else {
			node = s.leastNode(pod, p, k.MinDomains)
		}
	}
	return node, zone
}

func (s *state) leastNode(pod int, p *Pod, domains int) int32 {
	least, n := int32(-1), 0
	for i := range s.n {
		if s.eligible(p, i) {
			n++
			if x := s.count[pod*s.n+i]; least < 0 || x < least {
				least = x
			}
		}
	}
	if n < domains {
		return 0
	}
	return max(least, 0)
}

func (s *state) leastZone(pod int, p *Pod, domains int) int32 {
	clear(s.alive)
	for i := range s.n {
		if s.eligible(p, i) {
			s.alive[s.c.Nodes[i].Zone] = true
		}
	}
	least, n := int32(-1), 0
	for z, alive := range s.alive {
		if alive {
			n++
			if x := s.zoned[pod*len(s.zones)+z]; least < 0 || x < least {
				least = x
			}
		}
	}
	if n < domains {
		return 0
	}
	return max(least, 0)
}

func (s *state) fits(pod int, p *Pod, node int, leastNode, leastZone int32) bool {
	if !s.eligible(p, node) {
		return false
	}
	free := s.free[node*s.dims : (node+1)*s.dims]
	for d, x := range p.Size {
		if x > free[d] && x > 0 {
			return false
		}
	}
	here := s.count[pod*s.n+node]
	if p.ApartZone && s.zoned[pod*len(s.zones)+s.c.Nodes[node].Zone] > 0 {
		return false
	}
	if p.Apart && here > 0 || p.Together && s.total[pod] > 0 && here == 0 {
		return false
	}
	for _, k := range p.Spreads {
		switch {
		case k.Soft:
		case k.Zone:
			if s.zoned[pod*len(s.zones)+s.c.Nodes[node].Zone]-leastZone > 0 {
				return false
			}
		case here-leastNode > 0:
			return false
		}
	}
	for _, port := range p.Ports {
		if s.taken[port*s.n+node] > 0 {
			return false
		}
	}
	return true
}
