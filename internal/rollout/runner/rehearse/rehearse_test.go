package rehearse_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/plan"
	"github.com/tranship/tranship/internal/plan/policy"
	"github.com/tranship/tranship/internal/rollout"
	"github.com/tranship/tranship/internal/rollout/runner/rehearse"
)

var midnight = time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC)

// many gives n units in waves of twenty, of all modes.
func many(n int) []rollout.Unit {
	modes := []plan.Mode{plan.Shifted, plan.Plain, plan.Exclusive, plan.Stateful}
	var out []rollout.Unit
	for i := range n {
		name := estate.Name(fmt.Sprintf("/unit/%04d", i))
		u := rollout.Unit{
			ID: rollout.UnitID(name), Wave: 1 + i/20, Mode: modes[i%4], Steps: []int{1, 5, 25, 50, 100},
			Bake: 5 * time.Minute, Soak: time.Hour, Window: 24 * time.Hour, Ready: 10 * time.Minute, Patience: 2 * time.Minute,
			Workloads: []rollout.Workload{{Name: name, Kind: estate.Service, Replicas: 2, SourceReplicas: 2, Version: "1"}},
		}
		if u.Mode == plan.Shifted {
			u.Workloads[0].Routes = []rollout.Route{{Backend: string(name), Workload: name, Port: 80}}
		}
		out = append(out, u)
	}
	return out
}

func TestARehearsalEndsAndIsTheSameEachTime(t *testing.T) {
	run := func() rehearse.Result {
		r, err := rehearse.Run(t.Context(), rollout.NewMove(many(40), 4), policy.Default(), midnight)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	first := run()
	if first.Outcome != rollout.AllMoved {
		t.Fatalf("outcome %s: %+v", first.Outcome, first.Units)
	}
	if first.Peak.Copies < 8 || first.End.Sub(first.Begin) < 24*time.Hour {
		t.Errorf("peak %+v, end %s: want four units of two copies at least, and a rollback window of a day", first.Peak, first.End)
	}
	if d := cmp.Diff(first, run()); d != "" {
		t.Error("a second rehearsal differs:", d)
	}
}

// BenchmarkThousandUnits: wanted below five seconds.
func BenchmarkThousandUnits(b *testing.B) {
	for b.Loop() {
		r, err := rehearse.Run(b.Context(), rollout.NewMove(many(1000), 4), policy.Default(), midnight)
		if err != nil || r.Outcome != rollout.AllMoved {
			b.Fatal(err, r.Outcome)
		}
	}
}
