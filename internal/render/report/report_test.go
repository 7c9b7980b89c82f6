package report_test

import (
	"strings"
	"testing"

	"github.com/tranship/tranship/internal/base/binpack"
	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/plan/policy"
	"github.com/tranship/tranship/internal/plan/propose"
	"github.com/tranship/tranship/internal/render/report"
)

func estateOf(n int) estate.Estate {
	e := estate.Estate{Version: estate.Version}
	for i := range n {
		id := estate.Name("/g" + string(rune('a'+i%5)) + "/w" + strings.Repeat("x", i/5))
		e.Workloads = append(e.Workloads, estate.Workload{ID: id, Kind: estate.Service, Replicas: 1, Containers: []estate.Container{{Name: "main", Image: "<b>:1"}}})
		if i > 0 {
			e.Dependencies = append(e.Dependencies, estate.Dependency{From: id, To: e.Workloads[i-1].ID, Way: estate.Declared})
		}
	}
	e.Sort()
	return e
}

// TestTheReportNeedsNothingElse: one file, no address in it, names escaped,
// open decisions told and answered ones not.
func TestTheReportNeedsNothingElse(t *testing.T) {
	e := estateOf(3)
	e.Ledger = []ledger.Entry{
		{File: "f", Pointer: "/open", Verdict: ledger.Decision, Code: "X1", Reason: "still to be said", Workload: "/ga/w"},
		{File: "f", Pointer: "/exact", Verdict: ledger.Exact, Code: "X3"},
	}
	p, _ := propose.Make(propose.Inputs{Estate: e, Policy: policy.Default(), AsOf: "2026-11-24"}, binpack.Options{})
	f, err := report.Render(&p, p.Ledger, []byte("<svg>drawing</svg>"))
	if err != nil {
		t.Fatal(err)
	}
	page := string(f.Data)
	for _, bad := range []string{"http://", "https://", "<b>:1", "src="} {
		if strings.Contains(page, bad) {
			t.Errorf("the page holds %q", bad)
		}
	}
	for _, want := range []string{"still to be said", "f#/open", "<svg>drawing</svg>", "&lt;b&gt;:1", "Wave 3"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

func TestALargeEstateIsDrawnByGroup(t *testing.T) {
	small, large := estateOf(300), estateOf(301)
	if g := report.NewGraph(&small); len(g.Nodes) != 300 {
		t.Errorf("300 workloads are drawn as %d nodes", len(g.Nodes))
	}
	g := report.NewGraph(&large)
	if len(g.Nodes) != 5 {
		t.Errorf("301 workloads of 5 groups are drawn as %d nodes", len(g.Nodes))
	}
	for _, n := range g.Nodes {
		if !strings.Contains(n.Label, "(") {
			t.Errorf("node %s does not say how many it stands for", n.Label)
		}
	}
}
