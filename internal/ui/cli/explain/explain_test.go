package explain_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/plan"
	"github.com/tranship/tranship/internal/plan/plantest"
	"github.com/tranship/tranship/internal/ui/cli/explain"
)

var update = flag.Bool("update", false, "rewrite the answers")

func ask(t *testing.T, p *plan.Plan, question string) (explain.Answer, error) {
	t.Helper()
	what, name, one := strings.Cut(question, " ")
	switch {
	case what == "placement" && one:
		return explain.OfPlacement(p, estate.Name("/"+name))
	case what == "placement":
		return explain.OfPlacements(p), nil
	case what == "pool" && one:
		return explain.OfPool(p, plan.PoolName(name))
	case what == "pool":
		return explain.OfPools(p), nil
	case what == "plan":
		return explain.OfPlan(p), nil
	case one:
		return explain.OfWave(p, name)
	}
	return explain.OfWaves(p), nil
}

// TestAnswersHoldReasonNumbersAndAlternatives reads the answers of one plan:
// testdata has each as it is printed.
func TestAnswersHoldReasonNumbersAndAlternatives(t *testing.T) {
	p := plantest.Telemetry()
	for _, question := range []string{"placement telemetry/ingest/api", "placement telemetry/ingest/dedup", "placement", "pool m6g-xlarge", "pool spot", "pool", "wave 1", "wave 4", "wave", "plan"} {
		answer, err := ask(t, &p, question)
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		if err := answer.Print(&b); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join("testdata", strings.NewReplacer(" ", "_", "/", "-").Replace(question)+".txt")
		if *update {
			if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(string(want), b.String()); d != "" {
			t.Errorf("%s (-want +got):\n%s", question, d)
		}
		if _, err := json.Marshal(answer); err != nil {
			t.Error(err)
		}
	}
}

// TestEveryPlacedCopyIsAccountedFor: the nodes of an answer have as many copies
// as the plan puts there, and every loss moves as many as were lost.
func TestEveryPlacedCopyIsAccountedFor(t *testing.T) {
	p := plantest.Telemetry()
	for _, s := range p.Sizes {
		a, err := explain.OfPlacement(&p, s.Workload)
		if err != nil {
			t.Fatal(err)
		}
		on := map[string]int{}
		sum := 0
		for _, o := range a.Pools {
			for _, n := range o.Nodes {
				on[n.Node] += n.Copies
				sum += n.Copies
			}
		}
		if sum != s.Replicas {
			t.Errorf("%s: %d copies on nodes, want %d", s.Workload, sum, s.Replicas)
		}
		for _, l := range a.Losses {
			moved := l.Stranded
			for _, m := range l.Moves {
				moved += m.Count
			}
			if moved != on[l.Lost] {
				t.Errorf("%s: without %s %d copies move, %d were there", s.Workload, l.Lost, moved, on[l.Lost])
			}
		}
	}
}

func TestAnUnknownNameIsAnsweredWithTheNearest(t *testing.T) {
	p := plantest.Telemetry()
	for question, want := range map[string]string{
		"placement telemetry/ingest/apy": "near: /telemetry/ingest/api",
		"placement gateway2":             "near: /telemetry/device/gateway",
		"placement wiki":                 "near: /internal/wiki",
		"pool m6g-large":                 "near: r6g-large m6g-xlarge",
		"wave 9":                         "it has 1 to 4",
		"wave pilot":                     "it has 1 to 4",
		"placement ":                     "tranship explain placement --plan plan.json",
	} {
		_, err := ask(t, &p, question)
		what, _, _ := strings.Cut(question, " ")
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "tranship explain "+what+" --plan plan.json") {
			t.Errorf("%s: %v, want %q", question, err, want)
		}
	}
}

// TestWhatIsNotPlacedSaysWhy.
func TestWhatIsNotPlacedSaysWhy(t *testing.T) {
	p := plantest.Telemetry()
	p.Nodes, p.Placements, p.Survival.Failures = nil, nil, nil
	a, err := explain.OfPlacement(&p, "/internal/wiki")
	if err != nil || !strings.Contains(a.NotPlaced, "--prices FILE") {
		t.Errorf("without prices: %q, %v", a.NotPlaced, err)
	}
	p.Estate.Workloads = slices.Clone(p.Estate.Workloads)
	p.Estate.Workloads[0].Kind = "infrastructure"
	a, err = explain.OfPlacement(&p, p.Estate.Workloads[0].ID)
	if err != nil || !strings.Contains(a.NotPlaced, "old platform") {
		t.Errorf("infrastructure: %q, %v", a.NotPlaced, err)
	}
}

// TestAPlanWithoutAPartIsExplained: whatever is missing, what is there is told.
func TestAPlanWithoutAPartIsExplained(t *testing.T) {
	for _, f := range reflect.VisibleFields(reflect.TypeFor[plan.Plan]()) {
		p := plantest.Telemetry()
		reflect.ValueOf(&p).Elem().FieldByIndex(f.Index).SetZero()
		for _, question := range []string{"placement internal/wiki", "placement", "pool spot", "pool", "wave 2", "wave", "plan"} {
			answer, err := ask(t, &p, question)
			if err != nil {
				if strings.Contains(question, " ") {
					continue // it names what is missing
				}
				t.Errorf("without %s, %s: %v", f.Name, question, err)
				continue
			}
			var b strings.Builder
			if err := answer.Print(&b); err != nil || b.Len() == 0 {
				t.Errorf("without %s, %s: %q, %v", f.Name, question, b.String(), err)
			}
		}
	}
}
