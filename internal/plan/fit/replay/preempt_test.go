package replay

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// ranked gives pods of one copy each with priorities.
func ranked(sizes ...[2]int64) []Pod {
	var out []Pod
	for _, x := range sizes {
		p := pods(1, x[0], 100)
		p.Priority = int(x[1])
		out = append(out, p)
	}
	return out
}

// put starts one copy of pods on nodes, in this order.
func put(s *state, at ...[2]int) {
	for _, x := range at {
		s.begin(x[0], x[1])
	}
}

// TestTheLeastGiveWay: which node is taken, and what leaves it, criterion by
// criterion. Pod 0 asks for the place.
func TestTheLeastGiveWay(t *testing.T) {
	two := []Node{node(1000, 9000, 0, 0), node(1000, 9000, 0, 0)}
	for _, x := range []struct {
		name    string
		pods    []Pod
		at      [][2]int
		node    int
		victims []Load
	}{
		{"nothing of its own priority leaves", ranked([2]int64{800, 0}, [2]int64{500, 0}, [2]int64{500, 0}), [][2]int{{1, 0}, {2, 1}}, -1, nil},
		{"the lower of two", ranked([2]int64{800, 5}, [2]int64{500, 2}, [2]int64{500, 1}), [][2]int{{1, 0}, {2, 1}}, 1, []Load{{2, 1}}},
		{"a small sum is one of few", ranked([2]int64{800, 5}, [2]int64{300, 1}, [2]int64{300, 1}, [2]int64{600, 1}), [][2]int{{1, 0}, {2, 0}, {3, 1}}, 1, []Load{{3, 1}}},
		{"the more important is let off", ranked([2]int64{500, 5}, [2]int64{400, 2}, [2]int64{400, 1}), [][2]int{{1, 0}, {2, 0}, {1, 1}, {1, 1}}, 0, []Load{{2, 1}}},
		{"what started last", ranked([2]int64{800, 5}, [2]int64{500, 1}, [2]int64{500, 1}), [][2]int{{2, 1}, {1, 0}}, 0, []Load{{1, 1}}},
		{"no more than must", ranked([2]int64{500, 5}, [2]int64{300, 1}, [2]int64{300, 1}, [2]int64{300, 1}), [][2]int{{1, 0}, {2, 0}, {3, 0}, {0, 1}, {0, 1}}, 0, []Load{{2, 1}, {3, 1}}},
	} {
		t.Run(x.name, func(t *testing.T) {
			s := newState(&Cluster{Nodes: two, Pods: append(x.pods, ranked([2]int64{1, -1})...), Zones: 1}, 1)
			put(s, x.at...)
			node, victims := s.preempt(0, -1)
			if node != x.node || !cmp.Equal(victims, x.victims) {
				t.Errorf("preempt = node %d, %v, want node %d, %v", node, victims, x.node, x.victims)
			}
		})
	}
}

// TestADisruptionBudgetIsRespectedWhereItCan: a workload of which a copy is down
// already is let off, though its priority is the lower one.
func TestADisruptionBudgetIsRespectedWhereItCan(t *testing.T) {
	all := ranked([2]int64{800, 5}, [2]int64{500, 1}, [2]int64{500, 2})
	all[1].Count, all[1].Budget = 2, true
	c := &Cluster{Nodes: []Node{node(1000, 9000, 0, 0), node(1000, 9000, 0, 0)}, Pods: all, Zones: 1}
	s := newState(c, 1)
	put(s, [2]int{1, 0}, [2]int{2, 1})
	if node, _ := s.preempt(0, -1); node != 1 {
		t.Errorf("preempt = node %d, want that of the pod without a budget", node)
	}
	c.Pods[1].Count = 1 // now all of it runs: one may be missing
	if node, _ := s.preempt(0, -1); node != 0 {
		t.Errorf("preempt = node %d, want that of the lower priority", node)
	}
}

// TestAffinityIsNotBoughtWithPods: where a pod may not run nothing makes room.
func TestAffinityIsNotBoughtWithPods(t *testing.T) {
	all := ranked([2]int64{800, 5}, [2]int64{500, 1})
	all[0].Pools = []bool{true, false}
	s := newState(&Cluster{Nodes: []Node{node(500, 9000, 0, 0), node(1000, 9000, 1, 0)}, Pods: all, Zones: 1}, 1)
	put(s, [2]int{1, 1})
	if node, victims := s.preempt(0, -1); node >= 0 {
		t.Errorf("preempt = node %d, %v, want none", node, victims)
	}
}

// TestLargePodsFindRoomThatSmallOnesHold: what gave way runs elsewhere, and the
// verdict tells how often that was.
func TestLargePodsFindRoomThatSmallOnesHold(t *testing.T) {
	c := &Cluster{Zones: 1, Nodes: []Node{node(1000, 9000, 0, 0), node(1000, 9000, 0, 0), node(1000, 9000, 0, 0)}}
	large, small := pods(2, 700, 100), pods(6, 100, 100)
	c.Pods = []Pod{small, large}
	o := Options{Orders: []Order{{Kind: AsListed, Seed: 1}}, Losses: [][]int{{0}, {1}, {2}}, Again: []Kind{SmallestFirst}}
	if v := Try(c, o); v.Good() {
		t.Fatal("without priorities all find room: the test asks for too little")
	}
	c.Pods[0].Priority = -1
	v := Try(c, o)
	if !v.Good() {
		t.Fatalf("pending %v, stranded %v", v.Pending, v.Stranded)
	}
	for _, list := range v.Cleared {
		for _, x := range list {
			if x.Pod != 0 {
				t.Errorf("pod %d gave way to one of its own priority or below", x.Pod)
			}
		}
	}
	if v.Most == 0 {
		t.Error("nobody gave way: the test asks for too little")
	}
}

// TestPreemptionLosesNobody: whatever gives way, every pod runs or is told to
// find no place, no node is over its room, and nothing is left pending that has a
// lower priority than nobody.
func TestPreemptionLosesNobody(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := &Cluster{Zones: 2}
		for i := range rapid.IntRange(2, 5).Draw(t, "nodes") {
			c.Nodes = append(c.Nodes, node(rapid.Int64Range(500, 3000).Draw(t, "cpu"), 9000, 0, i%2))
		}
		want := 0
		for range rapid.IntRange(1, 7).Draw(t, "pods") {
			p := pods(rapid.IntRange(1, 5).Draw(t, "count"), rapid.Int64Range(1, 900).Draw(t, "cpu"), 100)
			p.Priority, p.Budget = rapid.IntRange(-3, 0).Draw(t, "priority"), rapid.Bool().Draw(t, "budget")
			c.Pods = append(c.Pods, p)
			want += p.Count
		}
		s := newState(c, rapid.Uint64().Draw(t, "seed"))
		var all []Load
		for i := range c.Pods {
			all = append(all, Load{i, c.Pods[i].Count})
		}
		gave := 0
		left := s.admit(s.come(all, Shuffled, -1), rapid.Bool().Draw(t, "late"), &gave)
		run := 0
		for i := range c.Pods {
			run += int(s.total[i])
		}
		if run+len(left) != want {
			t.Fatalf("%d run and %d wait of %d", run, len(left), want)
		}
		for i := range s.free {
			if s.free[i] < 0 {
				t.Fatalf("node %d is over its room", i/s.dims)
			}
		}
		for _, x := range left {
			if node, victims := s.preempt(x.pod, x.zone); node >= 0 {
				t.Fatalf("pod %d waits, and %v on node %d could give way", x.pod, victims, node)
			}
		}
	})
}

// TestPreferredNodesAreTaken: though they are the fuller ones.
func TestPreferredNodesAreTaken(t *testing.T) {
	p := pods(1, 100, 100)
	p.Prefer = []int{100, 0, 50}
	filler := pods(1, 600, 600)
	s := newState(&Cluster{Nodes: []Node{node(1000, 1000, 0, 0), node(1000, 1000, 0, 0), node(1000, 1000, 0, 0)}, Pods: []Pod{p, filler}, Zones: 1}, 1)
	put(s, [2]int{1, 0})
	if node := s.place(0, -1); node != 0 {
		t.Errorf("the pod goes to node %d, want the one that it prefers", node)
	}
	put(s, [2]int{0, 0}, [2]int{0, 0}, [2]int{0, 0}) // and it is full
	if node := s.place(0, -1); node != 2 {
		t.Errorf("the pod goes to node %d, want that of the next weight", node)
	}
}
