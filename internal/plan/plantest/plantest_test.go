package plantest_test

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/plan"
	"github.com/tranship/tranship/internal/plan/plantest"
)

// TestWhatIsWrittenIsReadBack: every field of a plan, those that few plans have
// among them.
func TestWhatIsWrittenIsReadBack(t *testing.T) {
	p := plantest.Telemetry()
	p.Priorities = []plan.Priority{{Name: "tranship-size-9", Value: -1, Workloads: []estate.Name{"/telemetry/web/docs"}, Why: "gives way"}}
	p.Placements[0].Prefer = 100
	p.Survival.Preempted, p.Survival.Restored = 3, true
	p.Survival.Failures[0].Cleared = []plan.Cleared{{Workload: "/telemetry/web/docs", Count: 1, From: p.Nodes[1].Name}}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	if err := p.Write(&file); err != nil {
		t.Fatal(err)
	}
	got, err := plan.Read(bytes.NewReader(file.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(p.Priorities, got.Priorities) + cmp.Diff(p.Placements, got.Placements) + cmp.Diff(p.Survival, got.Survival); d != "" {
		t.Error(d)
	}
}

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
