package failure_test

import (
	"math/rand/v2"
	"testing"

	"github.com/tranship/tranship/internal/base/binpack"
	"github.com/tranship/tranship/internal/base/binpack/failure"
)

// distinct is pods of which no two are equal, and a few types for them.
func distinct(n int) binpack.Problem {
	r := rand.New(rand.NewPCG(1, 2))
	p := binpack.Problem{Dimensions: 2}
	for i := range 40 {
		c := int64(4000 + 1000*i)
		p.Types = append(p.Types, binpack.Type{Capacity: []int64{c, c * int64(2+i%7)}, Price: binpack.Price(20*c + c*int64(i%7)*3 + int64(i))})
	}
	for i := range n {
		p.Items = append(p.Items, binpack.Item{Size: []int64{10 + r.Int64N(4000), 10 + r.Int64N(9000)}, Count: 1 + i%3, MaxPerBin: i % 2})
	}
	return p
}

func TestManyDifferentPiecesOutliveALossForLittle(t *testing.T) {
	for _, c := range []struct {
		level failure.Level
		zones int
		most  float64 // times the cost without failure
	}{{failure.AnyNode, 0, 1.01}, {failure.AnyZone, 3, 1.53}} {
		p := distinct(5000)
		o := binpack.Options{Iterations: 100, Each: together}
		plain, err := binpack.Pack(p, o)
		if err != nil {
			t.Fatal(err)
		}
		p.Zones = c.zones
		r := pack(t, p, c.level, o)
		if over := float64(r.Cost) / float64(plain.Cost); len(r.Exposed) > 0 || len(r.Left) > 0 || over > c.most {
			t.Errorf("level %d: %.3f times the cost without failure, %d exposed, %d left", c.level, over, len(r.Exposed), len(r.Left))
		}
		if err := binpack.Check(&p, r.Bins, nil); err != nil {
			t.Errorf("level %d: %v", c.level, err)
		}
	}
}

func TestManyBinsOutliveWhatFewMayHave(t *testing.T) {
	// Types of which there are few, and pinned pieces: a shape alone does not do.
	p := distinct(2000)
	p.Zones = 3
	p.Types[39].Most = 2
	for i := range p.Items {
		if i%50 == 0 {
			p.Items[i].Zone = 1 + i%3
		}
		if i%70 == 0 && p.Items[i].Count > 1 {
			p.Items[i].MaxPerZone = 1
		}
	}
	for _, level := range []failure.Level{failure.AnyNode, failure.AnyZone} {
		r := pack(t, p, level, binpack.Options{Iterations: 100, Each: together})
		if err := binpack.Check(&p, r.Bins, r.Left); err != nil {
			t.Errorf("level %d: %v", level, err)
		}
	}
}
