package failure_test

import (
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tranship/tranship/internal/base/binpack"
	"github.com/tranship/tranship/internal/base/binpack/failure"
)

// problem draws a small problem with every kind of bound.
func problem(t *rapid.T, bounds bool) binpack.Problem {
	p := binpack.Problem{Dimensions: rapid.IntRange(1, 3).Draw(t, "dimensions")}
	n := rapid.IntRange(1, 4).Draw(t, "types")
	for range n {
		ty := binpack.Type{Price: binpack.Price(rapid.IntRange(1, 40).Draw(t, "price"))}
		for range p.Dimensions {
			ty.Capacity = append(ty.Capacity, int64(rapid.IntRange(4, 30).Draw(t, "capacity")))
		}
		p.Types = append(p.Types, ty)
	}
	if bounds {
		p.Zones = rapid.SampledFrom([]int{0, 2, 3}).Draw(t, "zones")
		for range rapid.IntRange(0, 2).Draw(t, "groups") {
			p.Groups = append(p.Groups, binpack.Group{MaxPerBin: rapid.IntRange(1, 2).Draw(t, "per bin")})
		}
	}
	for range rapid.IntRange(1, 6).Draw(t, "items") {
		it := binpack.Item{Count: rapid.IntRange(0, 5).Draw(t, "count")}
		for range p.Dimensions {
			it.Size = append(it.Size, int64(rapid.IntRange(0, 12).Draw(t, "size")))
		}
		if bounds {
			it.MaxPerBin = rapid.IntRange(0, 2).Draw(t, "per bin")
			if p.Zones > 0 {
				it.Zone = max(rapid.IntRange(-5, p.Zones).Draw(t, "zone"), 0)
				it.MaxPerZone = max(rapid.IntRange(-3, 2).Draw(t, "per zone"), 0)
			}
			for g := range p.Groups {
				if rapid.Bool().Draw(t, "grouped") {
					it.Groups = append(it.Groups, g)
				}
			}
			if rapid.IntRange(0, 3).Draw(t, "chosen") == 0 {
				it.Types = []int{rapid.IntRange(0, n-1).Draw(t, "only")}
			}
		}
		p.Items = append(p.Items, it)
	}
	if bounds && rapid.IntRange(0, 3).Draw(t, "scarce") == 0 {
		p.Types[0].Most = rapid.IntRange(1, 3).Draw(t, "most")
	}
	return p
}

var levels = []failure.Level{failure.None, failure.AnyNode, failure.AnyZone}

func pack(t rapid.TB, p binpack.Problem, level failure.Level, o binpack.Options) failure.Result {
	t.Helper()
	r, err := failure.Pack(p, level, o)
	if err != nil {
		t.Fatalf("Pack: %v", err)
	}
	return r
}

// judge holds loads against everything that limits them; loads are by bin.
func judge(t rapid.TB, p *binpack.Problem, bins []binpack.Bin, loads []map[int]int) {
	t.Helper()
	zoned := map[[2]int]int{}
	for k, load := range loads {
		sum := make([]int64, p.Dimensions)
		grouped := make([]int, len(p.Groups))
		for i, n := range load {
			it := p.Items[i]
			for d, v := range it.Size {
				sum[d] += v * int64(n)
			}
			for _, g := range it.Groups {
				grouped[g] += n
			}
			if it.MaxPerBin > 0 && n > it.MaxPerBin {
				t.Fatalf("bin %d holds %d of item %d, at most %d", k, n, i, it.MaxPerBin)
			}
			if n > 0 && it.Types != nil && !slices.Contains(it.Types, bins[k].Type) {
				t.Fatalf("bin %d of type %d holds item %d of types %v", k, bins[k].Type, i, it.Types)
			}
			if n > 0 && it.Zone > 0 && bins[k].Zone != it.Zone {
				t.Fatalf("item %d pinned to zone %d is in zone %d", i, it.Zone, bins[k].Zone)
			}
			zoned[[2]int{i, bins[k].Zone}] += n
		}
		for d, v := range sum {
			if c := p.Types[bins[k].Type].Capacity[d]; v > c {
				t.Fatalf("bin %d holds %d in dimension %d, has %d", k, v, d, c)
			}
		}
		for g, n := range grouped {
			if n > p.Groups[g].MaxPerBin {
				t.Fatalf("bin %d holds %d of group %d, at most %d", k, n, g, p.Groups[g].MaxPerBin)
			}
		}
	}
	for k, n := range zoned {
		if most := p.Items[k[0]].MaxPerZone; most > 0 && k[1] > 0 && n > most {
			t.Fatalf("zone %d holds %d of item %d, at most %d", k[1], n, k[0], most)
		}
	}
}

func loads(bins []binpack.Bin) []map[int]int {
	out := make([]map[int]int, len(bins))
	for k, b := range bins {
		out[k] = map[int]int{}
		for _, l := range b.Load {
			out[k][l.Item] += l.Count
		}
	}
	return out
}

// outlive applies a failure's moves and judges what is there after it.
func outlive(t rapid.TB, p *binpack.Problem, bins []binpack.Bin, f failure.Failure) {
	t.Helper()
	after := loads(bins)
	for _, mv := range f.Moves {
		if !slices.Contains(f.Lost, mv.From) || slices.Contains(f.Lost, mv.To) || mv.Count < 1 {
			t.Fatalf("move %+v in failure of %v", mv, f.Lost)
		}
		if after[mv.From][mv.Item] -= mv.Count; after[mv.From][mv.Item] < 0 {
			t.Fatalf("move %+v takes more than there is", mv)
		}
		after[mv.To][mv.Item] += mv.Count
	}
	left := map[int]int{}
	for _, k := range f.Lost {
		for i, n := range after[k] {
			left[i] += n
			delete(after[k], i)
		}
	}
	for _, l := range f.Left {
		left[l.Item] -= l.Count
	}
	for i, n := range left {
		if n != 0 {
			t.Fatalf("failure of %v: %d of item %d neither moved nor left", f.Lost, n, i)
		}
	}
	judge(t, p, bins, after)
}

func TestNothingIsLostAndNoBinOverfullEvenAfterAFailure(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := problem(t, true)
		level := rapid.SampledFrom(levels).Draw(t, "level")
		r := pack(t, p, level, binpack.Options{Seed: 1, Iterations: 1})
		judge(t, &p, r.Bins, loads(r.Bins))
		have := make([]int, len(p.Items))
		for _, b := range r.Bins {
			for _, l := range b.Load {
				have[l.Item] += l.Count
			}
		}
		for _, l := range r.Left {
			have[l.Item] += l.Count
		}
		for i, it := range p.Items {
			if have[i] != it.Count {
				t.Fatalf("%d of item %d are packed or left, want %d", have[i], i, it.Count)
			}
		}
		var cost binpack.Price
		for _, b := range r.Bins {
			cost += p.Types[b.Type].Price
		}
		if cost != r.Cost {
			t.Fatalf("bins cost %d, told %d", cost, r.Cost)
		}
		if len(r.Left) == 0 && r.Cost < r.Bound {
			t.Fatalf("cost %d is below the bound %d", r.Cost, r.Bound)
		}
		failed := map[int]bool{}
		for _, f := range r.Failures {
			for _, k := range f.Lost {
				failed[k] = true
			}
			for _, l := range f.Left {
				if !slices.ContainsFunc(r.Exposed, func(e binpack.Load) bool { return e.Item == l.Item && e.Count >= l.Count }) {
					t.Fatalf("failure of %v leaves %+v, exposed are %+v", f.Lost, l, r.Exposed)
				}
			}
			outlive(t, &p, r.Bins, f)
		}
		if level != failure.None && len(failed) != len(r.Bins) {
			t.Fatalf("%d of %d bins were failed", len(failed), len(r.Bins))
		}
	})
}

func TestWithoutBoundsEveryFailureIsOutlived(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := problem(t, false)
		p.Zones = 3
		level := rapid.SampledFrom(levels).Draw(t, "level")
		r := pack(t, p, level, binpack.Options{Iterations: 1})
		for _, f := range r.Failures {
			if len(f.Left) > 0 {
				t.Fatalf("failure of %v leaves %v", f.Lost, f.Left)
			}
		}
	})
}

func TestOrderOfInputIsNoMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := problem(t, false)
		level := rapid.SampledFrom(levels).Draw(t, "level")
		p.Zones = 2
		a := pack(t, p, level, binpack.Options{Seed: 3, Iterations: 1})
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		rng.Shuffle(len(p.Items), func(i, j int) { p.Items[i], p.Items[j] = p.Items[j], p.Items[i] })
		rng.Shuffle(len(p.Types), func(i, j int) { p.Types[i], p.Types[j] = p.Types[j], p.Types[i] })
		b := pack(t, p, level, binpack.Options{Seed: 3, Iterations: 1})
		if a.Cost != b.Cost || a.Bound != b.Bound {
			t.Fatalf("shuffled: cost %d bound %d, before %d and %d", b.Cost, b.Bound, a.Cost, a.Bound)
		}
	})
}

func together(n int, do func(int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { do(i) })
	}
	wg.Wait()
}

func TestTwoCoresGiveWhatOneDoes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := problem(t, true)
		level := rapid.SampledFrom(levels).Draw(t, "level")
		a := pack(t, p, level, binpack.Options{Seed: 5, Iterations: 2})
		b := pack(t, p, level, binpack.Options{Seed: 5, Iterations: 2, Each: together})
		if d := cmp.Diff(a, b); d != "" {
			t.Fatal(d)
		}
	})
}

func TestReplayMovesOnlyWhatIsLost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := problem(t, true)
		r := pack(t, p, failure.None, binpack.Options{})
		if len(r.Bins) == 0 {
			return
		}
		lost := []int{rapid.IntRange(0, len(r.Bins)-1).Draw(t, "lost")}
		moves, left := failure.Replay(p, r.Bins, lost)
		outlive(t, &p, r.Bins, failure.Failure{Lost: lost, Moves: moves, Left: left})
	})
}

func TestStoppedPackingSaysSoAndIsStillSafe(t *testing.T) {
	p := binpack.Problem{Dimensions: 1, Types: []binpack.Type{{Capacity: []int64{10}, Price: 10}}, Items: []binpack.Item{{Size: []int64{3}, Count: 9}}}
	r := pack(t, p, failure.AnyNode, binpack.Options{Iterations: 1000, Stop: func() bool { return true }})
	if !r.Stopped || len(r.Exposed) > 0 {
		t.Errorf("stopped %v, exposed %v", r.Stopped, r.Exposed)
	}
}
