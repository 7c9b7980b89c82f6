package replay

import "math"

// Weights of the default profile's plugins.
const (
	spreadWeight   = 2
	affinityWeight = 2
)

// resources scores by LeastAllocated and BalancedAllocation.
func (s *state) resources(p *Pod) {
	askCPU, askMemory := scored(p.Size[CPU], leastCPU), scored(p.Size[Memory], leastMemory)
	for i, node := range s.feasible {
		x := &s.c.Nodes[node]
		roomCPU, roomMemory := x.Room[CPU], x.Room[Memory]
		cpu, memory := s.spent[node*2]+askCPU, s.spent[node*2+1]+askMemory
		score := (free(cpu, roomCPU) + free(memory, roomMemory)) / 2
		// BalancedAllocation counts requests as they are written.
		f := min(float64(roomCPU-s.free[int(node)*s.dims+CPU]+p.Size[CPU])/float64(max(roomCPU, 1)), 1)
		g := min(float64(roomMemory-s.free[int(node)*s.dims+Memory]+p.Size[Memory])/float64(max(roomMemory, 1)), 1)
		score += int64((1 - math.Abs(f-g)/2) * 100)
		s.score[i] = score
	}
}

func free(used, room int64) int64 {
	if room == 0 || used > room {
		return 0
	}
	return (room - used) * 100 / room
}

// spread adds the score of PodTopologySpread and of preferred anti-affinity.
func (s *state) spread(pod int, p *Pod) {
	if p.ApartSoft {
		s.apart(pod)
	}
	zoneSkew, nodeSkew := 0.0, 0.0 // the scheduler's own: 5 for zones, 3 for nodes, less one
	byZone, byNode := false, false
	if len(p.Spreads) == 0 {
		byZone, byNode, zoneSkew, nodeSkew = true, true, 4, 2
	}
	for _, k := range p.Spreads {
		byZone = byZone || k.Soft && k.Zone
		byNode = byNode || k.Soft && !k.Zone
	}
	if !byZone && !byNode || s.total[pod] == 0 && len(p.Spreads) == 0 {
		return // all nodes score the same
	}
	clear(s.alive)
	domains := 0
	for _, node := range s.feasible {
		if z := s.c.Nodes[node].Zone; !s.alive[z] {
			s.alive[z] = true
			domains++
		}
	}
	zoneWeight, nodeWeight := math.Log(float64(domains+2)), math.Log(float64(len(s.feasible)+2))
	least, most := math.Inf(1), 0.0
	for i, node := range s.feasible {
		x := 0.0
		if byZone {
			x += float64(s.zoned[pod*len(s.zones)+s.c.Nodes[node].Zone])*zoneWeight + zoneSkew
		}
		if byNode {
			x += float64(s.count[pod*s.n+int(node)])*nodeWeight + nodeSkew
		}
		x = math.Round(x)
		s.raw[i] = x
		least, most = min(least, x), max(most, x)
	}
	if most == 0 {
		return
	}
	for i := range s.feasible {
		s.score[i] += spreadWeight * (100 * int64(most+least-s.raw[i]) / int64(most))
	}
}

// apart is preferred anti-affinity to the pod's own kind.
func (s *state) apart(pod int) {
	most := int32(0)
	for _, node := range s.feasible {
		most = max(most, s.count[pod*s.n+int(node)])
	}
	if most == 0 {
		return
	}
	for i, node := range s.feasible {
		s.score[i] += affinityWeight * 100 * int64(most-s.count[pod*s.n+int(node)]) / int64(most)
	}
}

// prefer adds the score of preferred node affinity.
func (s *state) prefer(p *Pod) {
	if p.Prefer == nil {
		return
	}
	most := 0
	for _, node := range s.feasible {
		most = max(most, p.Prefer[node])
	}
	if most == 0 {
		return
	}
	for i, node := range s.feasible {
		s.score[i] += affinityWeight * int64(100*p.Prefer[node]/most)
	}
}

// best picks a node of the highest score; among equals by chance.
func (s *state) best() int {
	best, ties := 0, uint64(1)
	for i := 1; i < len(s.feasible); i++ {
		switch x := s.score[i]; {
		case x > s.score[best]:
			best, ties = i, 1
		case x == s.score[best]:
			if ties++; s.next()%ties == 0 {
				best = i
			}
		}
	}
	return int(s.feasible[best])
}
