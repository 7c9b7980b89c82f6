package propose_test

import (
	"errors"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tranship/tranship/internal/base/binpack"
	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/plan"
	"github.com/tranship/tranship/internal/plan/catalog"
	"github.com/tranship/tranship/internal/plan/policy"
	"github.com/tranship/tranship/internal/plan/propose"
	"github.com/tranship/tranship/internal/plan/usage"
)

var (
	write  = flag.String("write", "", "the `folder` to which the story's plans are written")
	budget = flag.Float64("budget", 1, "the `seconds` in which the story's rows are planned")
)

// TestTheStorysBillSaysHowFarItIsFromItsBound plans fifteen machines of each
// type, used to a fifth, a third and a half, with the story's fee for the control
// plane and survival of any one node. With -v -budget 60 it prints the table of
// docs/benchmarks.md; -write keeps the plans.
func TestTheStorysBillSaysHowFarItIsFromItsBound(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped: short")
	}
	prices, err := catalog.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	o := binpack.Options{Seed: 1, Iterations: binpack.Budget(*budget), Each: func(n int, do func(int)) {
		var g errgroup.Group
		g.SetLimit(2)
		for i := range n {
			g.Go(func() error { do(i); return nil })
		}
		_ = g.Wait() // do gives no error
	}}
	t.Log("| 15 × | used | today | nodes | tomorrow | saved | bound | points between | gives way | fee 0.10: saved | bound |")
	for _, name := range []string{"t3.medium", "m3.medium", "m5.large"} {
		for _, used := range []float64{0.20, 0.35, 0.50} {
			e, set := fifteen(prices.Find(name), used)
			fee := unit.Dollar / 5
			p := policy.Default()
			p.Spec.Costs = policy.Costs{Hosts: []policy.HostCost{{Type: name, Count: 15}}, EKSFee: &fee, Wished: 0.4}
			got, diags := propose.Make(propose.Inputs{Estate: e, Policy: p, Usage: set, Prices: prices, AsOf: date}, o)
			if diags.HasErrors() {
				t.Errorf("%s at %.0f %%: %v", name, 100*used, diags)
			}
			b, v := &got.Bill, &got.Survival
			today := sum(b.Today)
			if v.Reached != plan.SurviveNode {
				t.Errorf("%s at %.0f %%: survives %s, want node", name, 100*used, v.Reached)
			}
			if b.Saving > b.Reachable+1e-9 {
				t.Errorf("%s at %.0f %%: saves %.4f, above its bound %.4f", name, 100*used, b.Saving, b.Reachable)
			}
			if b.Saving < 0.4 && len(b.Short) == 0 {
				t.Errorf("%s at %.0f %%: saves %.1f %% and does not say what would have to give", name, 100*used, 100*b.Saving)
			}
			if *write != "" {
				keep(t, &got, filepath.Join(*write, fmt.Sprintf("%s-%.0f.json", name, 100*used)))
			}
			less := (unit.Dollar / 10).Month().Float() / today.Float() // what half the fee saves
			t.Logf("| %s | %.0f %% | %s | %d | %s | %.1f %% | %.1f %% | %.2f | %d | %.1f %% | %.1f %% |", name, 100*used, today, len(got.Nodes), sum(b.Tomorrow),
				100*b.Saving, 100*b.Reachable, 100*(b.Reachable-b.Saving), v.Preempted, 100*(b.Saving+less), 100*(b.Reachable+less))
		}
	}
}

// keep writes a plan to be rendered and carried out.
func keep(t *testing.T, p *plan.Plan, file string) {
	t.Helper()
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(p.Write(f), f.Close()); err != nil {
		t.Fatal(err)
	}
}

func sum(lines []plan.Line) unit.Money {
	total := unit.Money(0)
	for _, l := range lines {
		total += l.Month
	}
	return total
}

// fifteen gives the services of fifteen machines and a week of what they used:
// on average that share of the machines' CPU and memory, CPU with a day's swing.
func fifteen(t *catalog.Type, used float64) (estate.Estate, usage.Set) {
	const services, steps = 24, 7 * 24 * 12
	rng := rand.New(rand.NewPCG(20240514, uint64(t.VCPU)))
	var set usage.Set
	var ws []estate.Workload
	cpu, mem := make([]float64, services), make([]float64, services)
	copies := make([]int, services)
	totalCPU, totalMem := 0.0, 0.0
	for i := range services {
		z := rng.NormFloat64()
		cpu[i], mem[i] = math.Exp(0.8*z), math.Exp(0.5*z+0.6*rng.NormFloat64())
		copies[i] = 2 + rng.IntN(3)
		totalCPU += cpu[i] * float64(copies[i])
		totalMem += mem[i] * float64(copies[i])
	}
	wantCPU := used * 15 * float64(t.VCPU) * 1000
	wantMem := used * 15 * float64(t.Memory)
	start := time.Date(2026, 11, 10, 0, 0, 0, 0, time.UTC).Unix()
	for i := range services {
		id := estate.Name(fmt.Sprintf("/story/s%02d", i))
		c, m := cpu[i]/totalCPU*wantCPU, mem[i]/totalMem*wantMem // of one copy
		w := service(id)
		w.Replicas = copies[i]
		w.Containers[0].CPU, w.Containers[0].Memory = unit.CPU(c/used*0.9), unit.Bytes(m/used*0.9)
		ws = append(ws, w)
		n := float64(copies[i])
		phase := 2 * math.Pi * rng.Float64() / 8
		var cpus, mems []usage.Point
		for k := range steps {
			at := start + int64(k)*300
			day := 1 + 0.3*math.Sin(2*math.Pi*float64(k%288)/288+phase)
			cpus = append(cpus, usage.Point{At: at, Value: n * c * day * max(0.2, 1+0.1*rng.NormFloat64())})
			mems = append(mems, usage.Point{At: at, Value: n * m * (1 + 0.02*rng.NormFloat64())})
		}
		set.Series = append(set.Series,
			usage.Series{Workload: id, Metric: usage.CPU, Step: 300, Points: cpus},
			usage.Series{Workload: id, Metric: usage.Memory, Step: 300, Points: mems})
	}
	return estateOf(ws...), set
}
