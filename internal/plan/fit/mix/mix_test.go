package mix

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/tranship/tranship/internal/plan/fit/berth"
	"github.com/tranship/tranship/internal/plan/fit/replay"
)

func problems(t *rapid.T) Problem {
	p := Problem{Zones: rapid.IntRange(1, 3).Draw(t, "zones"), Level: Level(rapid.IntRange(0, 2).Draw(t, "level"))}
	for i, x := range [][3]int64{{900, 3000, 50}, {1900, 3000, 77}, {1900, 7000, 86}, {3900, 6500, 153}, {3900, 14000, 172}} {
		if i > 0 || rapid.Bool().Draw(t, "tiny") {
			p.Types = append(p.Types, Type{Room: []int64{x[0], x[1], 20}, System: []int64{200, 300, 3}, Price: x[2]})
		}
	}
	for range rapid.IntRange(1, 6).Draw(t, "pods") {
		x := replay.Pod{Size: []int64{rapid.Int64Range(1, 16).Draw(t, "cpu") * 50, rapid.Int64Range(1, 26).Draw(t, "memory") * 100, 1}, Count: rapid.IntRange(1, 5).Draw(t, "count")}
		pod := Pod{Strict: x}
		if rapid.IntRange(0, 3).Draw(t, "apart") == 0 {
			pod.Strict.Apart, pod.Nodes = true, x.Count
			x.Spreads = []replay.Spread{{}}
			pod.Bent = []replay.Pod{x}
		}
		p.Pods = append(p.Pods, pod)
	}
	return p
}

// TestNoSingleTypeIsCheaper: of all mixes of one type that would do, none costs
// less than what is found.
func TestNoSingleTypeIsCheaper(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := problems(t)
		got, ok := Find(p, Options{})
		s := &search{p: &p, dims: 3}
		s.measure()
		for i := range p.Types {
			for n := s.least; n <= maxSmall; n++ {
				counts := make([]int, len(p.Types))
				counts[i] = n
				if s.enough(counts, 0) && s.play(counts, false) != nil && (!ok || s.cost(counts) < got.Cost) {
					t.Fatalf("%d of type %d would do at %d; found is %v at %d", n, i, s.cost(counts), got.Counts, got.Cost)
				}
			}
		}
	})
}

// TestWhatIsFoundWasTried: the answer's nodes hold everything in its expected
// order, and after each loss.
func TestWhatIsFoundWasTried(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := problems(t)
		got, ok := Find(p, Options{})
		if !ok {
			t.Skip("nothing will do")
		}
		n := 0
		for _, list := range got.Verdict.Nodes {
			for _, l := range list {
				n += l.Count
			}
		}
		want := 0
		for i := range p.Pods {
			want += p.Pods[i].Strict.Count
		}
		if n != want || !got.Verdict.Good() || got.Cost == 0 || len(got.Verdict.Nodes) != len(got.Nodes) {
			t.Fatalf("%d of %d pods run on %v", n, want, got.Counts)
		}
		if p.Level == Node && len(got.Verdict.Moves) != len(got.Nodes) {
			t.Fatalf("%d of %d losses were tried", len(got.Verdict.Moves), len(got.Nodes))
		}
	})
}

// TestManyPodsClimb: where mixes are too many to list, types with slack are.
func TestManyPodsClimb(t *testing.T) {
	p := Problem{Zones: 3, Level: Node}
	for _, x := range [][3]int64{{1900, 7000, 86}, {3900, 14000, 172}, {7900, 29000, 344}} {
		p.Types = append(p.Types, Type{Room: []int64{x[0], x[1], 60}, System: []int64{200, 300, 3}, Price: x[2]})
	}
	for i := range int64(60) {
		p.Pods = append(p.Pods, Pod{Strict: replay.Pod{Size: []int64{50 + i*17%600, 100 + i*131%1500, 1}, Count: 5}})
	}
	got, ok := Find(p, Options{})
	if !ok {
		t.Fatal("nothing was found")
	}
	least := int64(0)
	for d := range 2 {
		sum := int64(0)
		for i := range p.Pods {
			sum += p.Pods[i].Strict.Size[d] * 5
		}
		room := []int64{7700, 28700}[d]
		least = max(least, 344*(sum+room-1)/room)
	}
	if float64(got.Cost) > 1.25*float64(least) {
		t.Errorf("cost %d, and the sum of all pods alone costs %d", got.Cost, least)
	}
}

// berthed is a company's services on nodes that are small and unlike each other:
// the scheduler fills those of much memory with what needs CPU.
func berthed() Problem {
	p := Problem{Zones: 3, Level: Node}
	for _, x := range [][3]int64{{1680, 2602, 765}, {1680, 6391, 860}} {
		p.Types = append(p.Types, Type{Room: []int64{x[0], x[1], 24}, System: []int64{0, 0, 0}, Price: x[2]})
	}
	for _, x := range [][3]int64{
		{115, 647, 4},
		{74, 527, 4},
		{119, 455, 4},
		{188, 354, 3},
		{143, 256, 3},
		{31, 256, 3},
		{95, 246, 2},
		{97, 228, 3},
		{159, 219, 2},
		{89, 205, 3},
		{152, 173, 2},
		{194, 161, 2},
		{86, 152, 4},
		{225, 148, 2},
		{28, 110, 3},
		{222, 90, 3},
		{77, 90, 4},
		{20, 85, 3},
		{268, 76, 2},
		{45, 73, 4},
		{88, 63, 3},
		{102, 56, 2},
		{58, 49, 4},
		{55, 46, 2},
	} {
		p.Pods = append(p.Pods, Pod{Strict: replay.Pod{Size: []int64{x[0], x[1], 1}, Count: int(x[2])}})
	}
	return p
}

// TestSteeredPlansAreCheaperAndCarriedOut: copies that prefer their nodes stand
// on them in any order, and what a loss takes goes to the spare.
func TestSteeredPlansAreCheaperAndCarriedOut(t *testing.T) {
	p := berthed()
	plain, ok := Find(p, Options{})
	if !ok {
		t.Fatal("nothing was found without steering")
	}
	got, ok := Steer(p, [][]int{{4, 2}}, Options{Below: plain.Cost})
	if !ok {
		t.Fatalf("nothing was found for less than %v at %d", plain.Counts, plain.Cost)
	}
	if got.Cost >= plain.Cost || !got.Verdict.Good() || len(got.Berths) != len(p.Pods) || got.Ranked {
		t.Fatalf("Steer = %+v, want less than %d", got, plain.Cost)
	}
	for i, b := range got.Berths {
		for _, h := range b.Homes {
			here := false
			for _, l := range got.Verdict.Nodes[h] {
				here = here || l.Pod == i && l.Count == 1
			}
			if !here {
				t.Errorf("pod %d has no copy on its node %d", i, h)
			}
		}
	}
	for lost, moves := range got.Verdict.Moves {
		for _, m := range moves {
			if m.To != got.Berths[m.Pod].Spare {
				t.Errorf("without node %d pod %d goes to %d, want its spare %d", lost, m.Pod, m.To, got.Berths[m.Pod].Spare)
			}
		}
	}
}

type anxious struct{}

func (anxious) Add(int, int)   {}
func (anxious) Worry() float64 { return 100 }

// TestWorryKeepsNodesApart: what worries on every mix is not given.
func TestWorryKeepsNodesApart(t *testing.T) {
	p := berthed()
	p.Load = func(*replay.Node) berth.Load { return anxious{} }
	p.Accept = func([]replay.Node, [][]replay.Load) bool { return false }
	if a, ok := Steer(p, [][]int{{4, 2}}, Options{Below: 1 << 40}); ok {
		t.Errorf("Steer = %+v, want nothing", a)
	}
}

// TestWhatMayNotMoveIsNotSteered: pods with disks, ports or zones of their own.
func TestWhatMayNotMoveIsNotSteered(t *testing.T) {
	for name, change := range map[string]func(*replay.Pod){
		"disk":     func(x *replay.Pod) { x.Disk = true },
		"port":     func(x *replay.Pod) { x.Ports = []int{0} },
		"zone":     func(x *replay.Pod) { x.Zones = []bool{true, false, false} },
		"together": func(x *replay.Pod) { x.Together = true },
	} {
		p := berthed()
		change(&p.Pods[2].Strict)
		if _, ok := Steer(p, [][]int{{4, 2}}, Options{Below: 1 << 40}); ok {
			t.Errorf("with a %s of its own a pod is steered", name)
		}
	}
}

// TestPrioritiesFindWhatLargePodsNeed: with them fewer nodes do, and never more.
func TestPrioritiesFindWhatLargePodsNeed(t *testing.T) {
	p := Problem{Zones: 1, Level: Node, Types: []Type{{Room: []int64{1000, 9000, 50}, System: []int64{0, 0, 0}, Price: 100}}}
	p.Pods = []Pod{
		{Strict: replay.Pod{Size: []int64{100, 100, 1}, Count: 5}},
		{Strict: replay.Pod{Size: []int64{700, 100, 1}, Count: 2}},
	}
	plain, _ := Find(p, Options{})
	p.Priorities = []int{-1, 0}
	ranked, ok := Find(p, Options{Ranked: true, Below: plain.Cost})
	if !ok || ranked.Cost >= plain.Cost || !ranked.Ranked || !ranked.Verdict.Good() {
		t.Fatalf("with priorities %+v, without %v at %d", ranked, plain.Counts, plain.Cost)
	}
}
