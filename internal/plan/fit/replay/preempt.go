package replay

import (
	"cmp"
	"math"
	"slices"
)

// A lostPod is a pod to be placed; zone is that of its disk, or -1.
type lostPod struct{ pod, zone int }

// admit places pods in the order in which they come, each where it fits or, if
// nowhere, where pods of lower priority give way; those come again. Late has them
// come after all others, as those that take long to end do. Gave counts them. It
// gives what found no place once nothing changes any more.
func (s *state) admit(come []lostPod, late bool, gave *int) (left []lostPod) {
	var evicted []lostPod
	bring := func(x lostPod) bool {
		if s.place(x.pod, x.zone) >= 0 {
			return true
		}
		node, victims := s.preempt(x.pod, x.zone)
		if node < 0 {
			return false
		}
		for _, v := range victims {
			s.put(v.Pod, node, -v.Count)
			y := lostPod{v.Pod, -1}
			if s.c.Pods[v.Pod].Disk {
				y.zone = s.c.Nodes[node].Zone
			}
			*gave += v.Count
			for range v.Count {
				evicted = append(evicted, y)
			}
		}
		s.begin(x.pod, node)
		return true
	}
	drain := func() {
		for len(evicted) > 0 {
			at := 0
			for i, x := range evicted {
				if s.c.Pods[x.pod].Priority > s.c.Pods[evicted[at].pod].Priority {
					at = i
				}
			}
			x := evicted[at]
			evicted = slices.Delete(evicted, at, at+1)
			if !bring(x) {
				left = append(left, x)
			}
		}
	}
	for _, x := range come {
		if !bring(x) {
			left = append(left, x)
		}
		if !late {
			drain()
		}
	}
	drain()
	for again := s.ranked && len(left) > 0; again; {
		again = false
		wait := left
		left = nil
		slices.SortStableFunc(wait, func(a, b lostPod) int { return cmp.Compare(s.c.Pods[b.pod].Priority, s.c.Pods[a.pod].Priority) })
		for _, x := range wait {
			if !bring(x) {
				left = append(left, x)
			} else {
				again = true
			}
			drain()
		}
	}
	return left
}

// A candidate is a node on which a pod would find its place, and what would have
// to give way, the most important first.
type candidate struct {
	node       int
	victims    []Load
	violations int // of disruption budgets
	highest    int // priority
	sum        int64
	count      int
	started    int32 // the first of the highest
}

// better compares as the scheduler does when it picks a node for preemption.
func (a *candidate) better(b *candidate) int {
	return cmp.Or(cmp.Compare(a.violations, b.violations), cmp.Compare(a.highest, b.highest), cmp.Compare(a.sum, b.sum),
		cmp.Compare(a.count, b.count), cmp.Compare(b.started, a.started))
}

// enoughCandidates is how many nodes the scheduler tries for preemption.
const enoughCandidates = 100

// preempt finds the node on which pods of lower priority give way to one that
// fits nowhere; -1 for none. It changes nothing.
func (s *state) preempt(pod, zone int) (node int, victims []Load) {
	if !s.ranked {
		return -1, nil
	}
	p := &s.c.Pods[pod]
	s.only = zone
	defer func() { s.only = -1 }()
	leastNode, leastZone := s.leasts(pod, p)
	var best *candidate
	offset, found := int(s.next()%uint64(max(s.n, 1))), 0
	for i := range s.n {
		x := s.nodes[(offset+i)%s.n]
		if !s.eligible(p, x) {
			continue
		}
		k := s.victims(pod, p, x, leastNode, leastZone)
		if k == nil {
			continue
		}
		if best == nil || k.better(best) < 0 {
			best = k
		}
		if found++; found >= max(enoughCandidates, s.n/10) {
			break
		}
	}
	if best == nil {
		return -1, nil
	}
	return best.node, best.victims
}

// victims are the fewest pods, the least important ones, that must leave a node
// for a pod to fit; nil where it would not fit without any of lower priority.
func (s *state) victims(pod int, p *Pod, node int, leastNode, leastZone int32) *candidate {
	var all []Load // that may give way, the most important first
	for i := range s.c.Pods {
		if n := s.count[i*s.n+node]; n > 0 && s.c.Pods[i].Priority < p.Priority {
			all = append(all, Load{i, int(n)})
		}
	}
	if len(all) == 0 {
		return nil
	}
	slices.SortStableFunc(all, func(a, b Load) int {
		return cmp.Or(cmp.Compare(s.c.Pods[b.Pod].Priority, s.c.Pods[a.Pod].Priority), cmp.Compare(s.since[a.Pod*s.n+node], s.since[b.Pod*s.n+node]))
	})
	allowed := make([]int, len(all))
	for i, v := range all {
		allowed[i] = v.Count
		if x := &s.c.Pods[v.Pod]; x.Budget {
			allowed[i] = min(max(1-(x.Count-int(s.total[v.Pod])), 0), v.Count)
		}
	}
	for _, v := range all {
		s.put(v.Pod, node, -v.Count)
	}
	k := &candidate{node: node, highest: math.MinInt, started: math.MaxInt32}
	gone := make([]int, len(all))
	fits := s.fits(pod, p, node, leastNode, leastZone)
	reprieve := func(i, n int) (must int) {
		for range n {
			s.put(all[i].Pod, node, 1)
			if !s.fits(pod, p, node, leastNode, leastZone) {
				s.put(all[i].Pod, node, -1)
				must++
			}
		}
		gone[i] += must
		return must
	}
	if fits {
		for i, v := range all {
			k.violations += reprieve(i, v.Count-allowed[i])
		}
		for i := range all {
			reprieve(i, allowed[i])
		}
	} else {
		for i, v := range all {
			gone[i] = v.Count
		}
	}
	for i, n := range gone {
		if n == 0 {
			continue
		}
		s.put(all[i].Pod, node, n) // as it was
		x := &s.c.Pods[all[i].Pod]
		k.victims = append(k.victims, Load{all[i].Pod, n})
		if x.Priority > k.highest {
			k.highest, k.started = x.Priority, s.since[all[i].Pod*s.n+node]
		} else if x.Priority == k.highest {
			k.started = min(k.started, s.since[all[i].Pod*s.n+node])
		}
		k.sum += int64(n) * (int64(x.Priority) + 1<<31)
		k.count += n
	}
	if !fits {
		return nil
	}
	return k
}
