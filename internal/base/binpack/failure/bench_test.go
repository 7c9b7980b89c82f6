package failure_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/tranship/tranship/internal/base/binpack"
	"github.com/tranship/tranship/internal/base/binpack/failure"
	"github.com/tranship/tranship/internal/base/binpack/packtest"
	"github.com/tranship/tranship/internal/base/corpus"
)

func catalogue(t testing.TB) []packtest.Node {
	t.Helper()
	nodes, err := packtest.Catalog(bytes.NewReader(corpus.Beside(t, "catalog/ec2-us-east-1.csv")), packtest.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	return nodes
}

var generators = []struct {
	name string
	make func(uint64, int) packtest.Set
}{{"web", packtest.Web}, {"karp", packtest.Karp}}

func TestSafetyStaysNearItsBound(t *testing.T) {
	nodes := catalogue(t)
	for _, g := range generators {
		for _, c := range []struct {
			replicas, iterations int
			seeds                uint64
			most                 float64
		}{{60, 150, 2, 0.08}, {200, 150, 1, 0.05}} {
			for seed := uint64(1); seed <= c.seeds; seed++ {
				s := g.make(seed, c.replicas)
				r := pack(t, s.Services(nodes, 3), failure.AnyNode, binpack.Options{Iterations: c.iterations, Each: together})
				if r.Gap() > c.most || len(r.Exposed) > 0 {
					t.Errorf("%s %d seed %d: %.1f %% over the bound, exposed %v, want at most %.0f %%", g.name, c.replicas, seed, 100*r.Gap(), r.Exposed, 100*c.most)
				}
			}
		}
	}
}

// BenchmarkSurvive measures the cost over its bound and over that of packing
// without failure.
func BenchmarkSurvive(b *testing.B) {
	nodes := catalogue(b)
	for _, c := range []struct{ replicas, iterations int }{{60, 400}, {200, 2000}, {1000, 4000}} {
		for _, g := range generators {
			for seed := uint64(1); seed <= 3; seed++ {
				s := g.make(seed, c.replicas)
				for level, name := range []string{"none", "node", "zone"} {
					p := s.Services(nodes, 3)
					if failure.Level(level) == failure.AnyZone {
						p.Zones = 3
					}
					b.Run(fmt.Sprintf("%s/%d/seed%d/%s", g.name, c.replicas, seed, name), func(b *testing.B) {
						var r failure.Result
						for b.Loop() {
							r = pack(b, p, failure.Level(level), binpack.Options{Seed: 1, Iterations: c.iterations, Each: together})
						}
						b.ReportMetric(1+r.Gap(), "cost/bound")
						b.ReportMetric(float64(r.Cost)/1e6, "$/h")
						b.ReportMetric(float64(len(r.Bins)), "nodes")
						b.ReportMetric(float64(len(r.Exposed)), "exposed")
					})
				}
			}
		}
	}
}

// BenchmarkSurviveMany is the largest estate that is planned whole.
func BenchmarkSurviveMany(b *testing.B) {
	nodes := catalogue(b)
	s := packtest.Web(1, 5000)
	p := s.Services(nodes, 3)
	for b.Loop() {
		r := pack(b, p, failure.AnyNode, binpack.Options{Iterations: 2000, Each: together})
		b.ReportMetric(1+r.Gap(), "cost/bound")
		b.ReportMetric(float64(len(r.Exposed)), "exposed")
	}
}
