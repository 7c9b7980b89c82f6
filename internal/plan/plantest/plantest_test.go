package plantest_test

import (
	"testing"

	"github.com/tranship/tranship/internal/plan/plantest"
)

// TestThePartsAgree: all copies stand on nodes, each loss moves as many as were
// there, none is stranded, and the levers lead from bill to bill.
func TestThePartsAgree(t *testing.T) {
	p := plantest.Telemetry()
	want, on := 0, map[string]int{}
	for _, s := range p.Sizes {
		want += s.Replicas
	}
	got := 0
	for _, n := range p.Nodes {
		for _, c := range n.Pods {
			got += c.Count
			on[n.Name] += c.Count
		}
	}
	if got != want {
		t.Errorf("%d copies stand on nodes, want %d", got, want)
	}
	for _, f := range p.Survival.Failures {
		moved := 0
		for _, m := range f.Moves {
			moved += m.Count
		}
		if moved != on[f.Lost] || len(f.Stranded) > 0 {
			t.Errorf("without %s %d of %d copies move, %d are stranded", f.Lost, moved, on[f.Lost], len(f.Stranded))
		}
	}
	off := p.Bill.Levers[0].Delta
	for _, l := range p.Bill.Levers[1:] {
		off += l.Delta
	}
	for _, l := range p.Bill.Today {
		off += l.Month
	}
	for _, l := range p.Bill.Tomorrow {
		off -= l.Month
	}
	if off != 0 {
		t.Errorf("the levers miss tomorrow's bill by %s", off)
	}
}
