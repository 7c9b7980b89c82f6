package mix

import (
	"testing"

	"pgregory.net/rapid"

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
