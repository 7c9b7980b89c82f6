package binpack_test

import (
	"testing"

	"github.com/tranship/tranship/internal/base/binpack"
)

func TestMeasuredGapsStayWhereTheyAre(t *testing.T) {
	for _, c := range []struct {
		name string
		n    int
		most float64
	}{{"karp", 500, 0.01}, {"web", 50, 0.01}, {"web", 500, 0.015}, {"ali", 500, 0.01}} {
		p := workload(t, c.name, 2, c.n, 3)
		r, err := binpack.Pack(p, binpack.Options{Seed: 1, Iterations: binpack.Budget(0.2), Each: two})
		if err != nil {
			t.Fatal(err)
		}
		if err := binpack.Check(&p, r.Bins, r.Left); err != nil {
			t.Fatal(err)
		}
		if r.Gap() > c.most {
			t.Errorf("Pack(%s %d) is %.4f from its bound, want at most %v", c.name, c.n, r.Gap(), c.most)
		}
	}
}

func TestBoundsPerBinAndGroupsOfManyPiecesAreKept(t *testing.T) {
	p := workload(t, "web", 3, 300, 3)
	p.Groups = []binpack.Group{{MaxPerBin: 1}, {MaxPerBin: 3}}
	for i := range p.Items {
		it := &p.Items[i]
		switch i % 5 {
		case 0:
			it.MaxPerBin = 1
		case 1:
			it.Groups = []int{i % 2}
		}
	}
	r, err := binpack.Pack(p, binpack.Options{Seed: 1, Iterations: 100, Each: two})
	if err != nil {
		t.Fatal(err)
	}
	if err := binpack.Check(&p, r.Bins, r.Left); err != nil {
		t.Fatal(err)
	}
	if len(r.Left) > 0 {
		t.Errorf("left %v", r.Left)
	}
	t.Logf("%d bins, %.4f from the bound", len(r.Bins), r.Gap())
}

func TestStoppedSearchSaysSo(t *testing.T) {
	p := workload(t, "web", 1, 2000, 3)
	r, err := binpack.Pack(p, binpack.Options{Iterations: 5000, Stop: func() bool { return true }})
	if err != nil {
		t.Fatal(err)
	}
	if !r.Stopped {
		t.Error("a stopped search does not say so")
	}
	if err := binpack.Check(&p, r.Bins, r.Left); err != nil {
		t.Fatal(err)
	}
}

// TestASmallGapEndsTheSearch: of many pieces what is proven to be near enough is
// not improved for the rest of the budget, and a larger budget asks for more.
func TestASmallGapEndsTheSearch(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped: short")
	}
	p := workload(t, "karp", 1, 5000, 3)
	short, err := binpack.Pack(p, binpack.Options{Seed: 1, Iterations: binpack.Budget(1), Each: two})
	if err != nil {
		t.Fatal(err)
	}
	long, err := binpack.Pack(p, binpack.Options{Seed: 1, Iterations: binpack.Budget(4), Each: two})
	if err != nil {
		t.Fatal(err)
	}
	if short.Gap() > 0.005 || long.Gap() > 0.005/4 || long.Cost > short.Cost {
		t.Errorf("Pack is %.4f from its bound in a second and %.4f in four, want at most 0.0050 and 0.0013", short.Gap(), long.Gap())
	}
}
