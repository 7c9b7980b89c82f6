package replay

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func node(cpu, memory int64, pool, zone int) Node {
	return Node{Room: []int64{cpu, memory, 10}, System: []int64{0, 0, 0}, Pool: pool, Zone: zone}
}

func pods(count int, cpu, memory int64) Pod {
	return Pod{Size: []int64{cpu, memory, 1}, Count: count}
}

// where tells which nodes a pod's copies go to, one after the other.
func where(c *Cluster, pod, copies int) []int {
	s := newState(c, 1)
	var out []int
	for range copies {
		out = append(out, s.place(pod, -1))
	}
	return out
}

// TestTheEmptierNodeIsTaken: LeastAllocated.
func TestTheEmptierNodeIsTaken(t *testing.T) {
	c := &Cluster{Nodes: []Node{node(1000, 1000, 0, 0), node(4000, 4000, 0, 0)}, Pods: []Pod{pods(1, 100, 100)}, Zones: 1}
	if got := where(c, 0, 1); got[0] != 1 {
		t.Errorf("the pod goes to node %v, want the larger one", got)
	}
}

// TestTheBalancedNodeIsTaken: of nodes as empty, that where CPU and memory are
// used alike.
func TestTheBalancedNodeIsTaken(t *testing.T) {
	c := &Cluster{Nodes: []Node{node(1000, 4000, 0, 0), node(2000, 2000, 0, 0)}, Pods: []Pod{pods(1, 1000, 1000), pods(1, 500, 1000)}, Zones: 1}
	if got := where(c, 0, 1); got[0] != 1 {
		t.Errorf("the pod goes to node %v, want the one that it fills evenly", got)
	}
}

// TestCopiesSpreadByThemselves: the scheduler's own constraints.
func TestCopiesSpreadByThemselves(t *testing.T) {
	c := &Cluster{Nodes: []Node{node(4000, 4000, 0, 0), node(4000, 4000, 0, 1), node(4000, 4000, 0, 2)}, Pods: []Pod{pods(3, 100, 100)}, Zones: 3}
	seen := map[int]bool{}
	for _, n := range where(c, 0, 3) {
		seen[n] = true
	}
	if len(seen) != 3 {
		t.Errorf("three copies are on %d nodes", len(seen))
	}
}

// TestFiltersHold one by one; -1 is no place.
func TestFiltersHold(t *testing.T) {
	two := []Node{node(1000, 1000, 0, 0), node(1000, 1000, 1, 1)}
	yes, no := true, false
	for name, x := range map[string]struct {
		pod  Pod
		want []int
	}{
		"room":       {pods(3, 600, 100), []int{0, 1, -1}},
		"pool":       {Pod{Size: []int64{100, 100, 1}, Pools: []bool{no, yes}}, []int{1, 1, 1}},
		"zone":       {Pod{Size: []int64{100, 100, 1}, Zones: []bool{yes, no}}, []int{0, 0, 0}},
		"apart":      {Pod{Size: []int64{100, 100, 1}, Apart: true, Pools: []bool{yes, no}}, []int{0, -1, -1}},
		"apart zone": {Pod{Size: []int64{100, 100, 1}, ApartZone: true, Pools: []bool{no, yes}}, []int{1, -1, -1}},
		"together":   {Pod{Size: []int64{100, 500, 1}, Together: true, Pools: []bool{no, yes}}, []int{1, 1, -1}},
		"port":       {Pod{Size: []int64{100, 100, 1}, Ports: []int{0}, Pools: []bool{yes, no}}, []int{0, -1, -1}},
		"spread":     {Pod{Size: []int64{600, 100, 1}, Spreads: []Spread{{}}}, []int{0, 1, -1}},
		"domains":    {Pod{Size: []int64{100, 100, 1}, Spreads: []Spread{{Zone: true, MinDomains: 3}}}, []int{0, 1, -1}},
		"wish":       {Pod{Size: []int64{100, 100, 1}, Spreads: []Spread{{Zone: true, MinDomains: 3, Soft: true}}, Pools: []bool{yes, no}}, []int{0, 0, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			x.pod.Count = 3
			got := where(&Cluster{Nodes: two, Pods: []Pod{x.pod}, Zones: 2}, 0, 3)
			if got[0] == 1 && x.want[0] == 0 && got[1] == 0 {
				got[0], got[1] = 0, 1 // a tie
			}
			if d := cmp.Diff(x.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestADiskDoesNotLeaveItsZone: its pod waits rather than run elsewhere.
func TestADiskDoesNotLeaveItsZone(t *testing.T) {
	db := pods(1, 100, 100)
	db.Disk = true
	c := &Cluster{Nodes: []Node{node(1000, 1000, 0, 0), node(2000, 2000, 0, 1)}, Pods: []Pod{db}, Zones: 2}
	o := Options{Orders: []Order{{}}, Losses: [][]int{{1}}, Again: []Kind{AsListed}}
	if v := Try(c, o); v.Good() || len(v.Lonely[0]) != 1 {
		t.Errorf("the disk's pod found a place: %+v", v)
	}
	c.Pods[0].Waits = true
	if v := Try(c, o); !v.Good() || len(v.Lonely[0]) != 1 {
		t.Errorf("the disk's pod does not wait: %+v", v)
	}
}

// TestALossLeavesNoTrace: each is tried from the full cluster.
func TestALossLeavesNoTrace(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := &Cluster{Zones: 3}
		for i := range rapid.IntRange(2, 6).Draw(t, "nodes") {
			c.Nodes = append(c.Nodes, node(rapid.Int64Range(500, 4000).Draw(t, "cpu"), rapid.Int64Range(500, 4000).Draw(t, "memory"), 0, i%3))
		}
		for range rapid.IntRange(1, 6).Draw(t, "pods") {
			p := pods(rapid.IntRange(1, 5).Draw(t, "count"), rapid.Int64Range(0, 900).Draw(t, "cpu"), rapid.Int64Range(0, 900).Draw(t, "memory"))
			p.Disk, p.Apart = rapid.Bool().Draw(t, "disk"), rapid.Bool().Draw(t, "apart")
			if rapid.Bool().Draw(t, "port") {
				p.Ports = []int{0}
			}
			c.Pods = append(c.Pods, p)
		}
		s := newState(c, 7)
		for p := range c.Pods {
			for range c.Pods[p].Count {
				s.place(p, -1)
			}
		}
		before := newState(c, 7)
		for p := range c.Pods {
			for i := range c.Nodes {
				if n := s.count[p*s.n+i]; n > 0 {
					before.put(p, i, int(n))
				}
			}
		}
		for i := range c.Nodes {
			l := s.lose([]int{i}, Shuffled)
			for n := range c.Nodes {
				for d := range 3 {
					if s.free[n*s.dims+d] < 0 {
						t.Fatalf("node %d is over its capacity after the loss of %d", n, i)
					}
				}
			}
			l.undo(s)
		}
		if d := cmp.Diff(before.free, s.free); d != "" {
			t.Fatal(d)
		}
		if d := cmp.Diff(before.count, s.count); d != "" {
			t.Fatal(d)
		}
		for k, n := range s.taken {
			if n != before.taken[k] {
				t.Fatalf("port %d is taken %d times, was %d", k, n, before.taken[k])
			}
		}
	})
}

// TestSameSeedSamePlaces: nothing but the seed decides ties.
func TestSameSeedSamePlaces(t *testing.T) {
	c := &Cluster{Zones: 2, Pods: []Pod{pods(30, 100, 100), pods(9, 200, 50)}}
	for i := range 9 {
		c.Nodes = append(c.Nodes, node(1000, 1000, 0, i%2))
	}
	o := Options{Orders: []Order{{Kind: Shuffled, Seed: 5}, {Kind: AsListed, Seed: 6}}, Losses: [][]int{{0}, {1}}, Again: []Kind{Shuffled, SmallestFirst}, Chain: true}
	a := Try(c, o)
	o.Each = func(n int, do func(int)) {
		for i := n - 1; i >= 0; i-- {
			do(i)
		}
	}
	if d := cmp.Diff(a, Try(c, o)); d != "" {
		t.Error(d)
	}
}
