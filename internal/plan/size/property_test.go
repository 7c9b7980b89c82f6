package size_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/plan"
	"github.com/tranship/tranship/internal/plan/policy"
	"github.com/tranship/tranship/internal/plan/size"
	"github.com/tranship/tranship/internal/plan/usage"
)

// drawn is an estate with its usage.
type drawn struct {
	e   *estate.Estate
	set usage.Set
}

func draw(t *rapid.T) drawn {
	var d drawn
	var ws []estate.Workload
	for i := range rapid.IntRange(1, 3).Draw(t, "workloads") {
		id := estate.Name(fmt.Sprintf("/w%d", i))
		w := one(id, rapid.IntRange(0, 4).Draw(t, "replicas"), unit.CPU(rapid.IntRange(0, 2000).Draw(t, "cpu")), unit.Bytes(rapid.IntRange(0, 2048).Draw(t, "memory"))*unit.MiB)
		if rapid.Bool().Draw(t, "sidecar") {
			w.Containers = append(w.Containers, estate.Container{Name: "side", CPU: 100, Memory: 64 * unit.MiB})
		}
		if rapid.Bool().Draw(t, "java") {
			w.Containers[0].Args = []string{fmt.Sprintf("-Xmx%dm", rapid.IntRange(0, 3000).Draw(t, "heap"))}
		}
		if rapid.Bool().Draw(t, "scaled") {
			w.Autoscale = &estate.Autoscale{Min: 1, Max: 8, CPU: rapid.IntRange(0, 90).Draw(t, "target")}
		}
		ws = append(ws, w)
		for _, m := range []usage.Metric{usage.CPU, usage.Memory, usage.OOM} {
			for _, copy := range rapid.SampledFrom([][]string{{}, {""}, {"a", "b"}, {"", "a"}}).Draw(t, "copies") {
				s := usage.Series{Workload: id, Metric: m, Copy: copy, Step: 300}
				if rapid.Bool().Draw(t, "boxed") {
					s.Container = "side"
				}
				scale := map[usage.Metric]float64{usage.CPU: 100, usage.Memory: 10 * mib, usage.OOM: 0.01}[m]
				values := rapid.SliceOfN(rapid.Float64Range(0, 20), 1, 12).Draw(t, "values")
				from := int64(rapid.IntRange(0, 5).Draw(t, "from")) * 86400
				for i := range rapid.SampledFrom([]int{1, 99, 150, 700}).Draw(t, "points") {
					s.Points = append(s.Points, usage.Point{At: from + int64(i)*300, Value: values[i%len(values)] * scale})
				}
				d.set.Series = append(d.set.Series, s)
			}
		}
	}
	d.e = of(ws...)
	return d
}

func (d drawn) made(p policy.Policy) []plan.Size {
	sizes, _ := size.Make(d.e, &d.set, &p)
	return sizes
}

// smaller names a container of a that asks for less in b.
func smaller(a, b []plan.Size) string {
	for i := range a {
		for k, c := range a[i].Containers {
			if o := b[i].Containers[k]; o.CPU < c.CPU || o.Memory < c.Memory {
				return fmt.Sprintf("%s/%s: %s %s, then %s %s (%s)", a[i].Workload, c.Name, c.CPU, c.Memory, o.CPU, o.Memory, o.Why)
			}
		}
	}
	return ""
}

func TestMoreMarginIsNeverSmaller(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := draw(t)
		small, large := policy.Default(), policy.Default()
		a, b := rapid.Float64Range(0, 1).Draw(t, "margin"), rapid.Float64Range(0, 1).Draw(t, "more")
		small.Spec.Sizing = policy.Sizing{CPUPercentile: 50 + 25*a, CPUMargin: &a, MemoryMargin: &a, OOMFactor: 1 + a, CPUFloor: 10, MemoryFloor: 32 * unit.MiB}
		c := a + b
		large.Spec.Sizing = policy.Sizing{CPUPercentile: 50 + 25*c, CPUMargin: &c, MemoryMargin: &c, OOMFactor: 1 + c, CPUFloor: 20, MemoryFloor: 64 * unit.MiB}
		if s := smaller(d.made(small), d.made(large)); s != "" {
			t.Fatal(s)
		}
	})
}

func TestMoreUseIsNeverSmaller(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := draw(t)
		before := d.made(policy.Default())
		by := rapid.Float64Range(1, 3).Draw(t, "by")
		for i := range d.set.Series {
			for k := range d.set.Series[i].Points {
				d.set.Series[i].Points[k].Value *= by
			}
		}
		if s := smaller(before, d.made(policy.Default())); s != "" {
			t.Fatal(s)
		}
	})
}

func TestTheFloorHoldsAndEveryDecisionSaysWhy(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := draw(t)
		for _, s := range d.made(policy.Default()) {
			for _, c := range s.Containers {
				if c.Why == "" || c.Reason == "" {
					t.Fatalf("%s/%s says no reason: %+v", s.Workload, c.Name, c)
				}
				declared := plan.Amount{CPU: c.CPU, Memory: c.Memory}
				if c.Declared != nil {
					declared = *c.Declared
				}
				if c.CPU < 10 && c.CPU != declared.CPU || c.Memory < 32*unit.MiB && c.Memory != declared.Memory || c.CPU <= 0 || c.Memory <= 0 {
					t.Fatalf("%s/%s gets %s %s", s.Workload, c.Name, c.CPU, c.Memory)
				}
			}
		}
	})
}

func TestTheOrderOfSeriesIsIrrelevant(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := draw(t)
		before := d.made(policy.Default())
		tails := size.NewTails(d.e, &d.set, before)
		d.set.Series = rapid.Permutation(d.set.Series).Draw(t, "order")
		after := d.made(policy.Default())
		if x := cmp.Diff(before, after); x != "" {
			t.Fatal(x)
		}
		other := size.NewTails(d.e, &d.set, after)
		pods := pods(before)
		if a, b := tails.Need(pods, 0.01), other.Need(pods, 0.01); a != b {
			t.Fatalf("need %s, then %s", a, b)
		}
	})
}

func pods(sizes []plan.Size) []plan.Copies {
	var out []plan.Copies
	for i, s := range sizes {
		out = append(out, plan.Copies{Workload: s.Workload, Count: 1 + i%3})
	}
	return out
}

// TestTailsAreProbabilities: between 0 and 1, less with more room, more with
// more copies, and Need is where they meet.
func TestTailsAreProbabilities(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := draw(t)
		sizes := d.made(policy.Default())
		tails := size.NewTails(d.e, &d.set, sizes)
		ps := pods(sizes)
		last := 1.0
		for room := unit.CPU(0); room < 20000; room += 4000 {
			o := tails.Overload(ps, room)
			if o < 0 || o > last+1e-12 {
				t.Fatalf("overload of %s is %v, of less room %v", room, o, last)
			}
			last = o
		}
		epsilon := rapid.Float64Range(0.0001, 0.5).Draw(t, "epsilon")
		need := tails.Need(ps, epsilon)
		if o := tails.Overload(ps, need); o > epsilon+1e-9 {
			t.Fatalf("need %s overloads %v, more than %v", need, o, epsilon)
		}
		if need > 2 {
			if o := tails.Overload(ps, need-2); o <= epsilon-1e-9 {
				t.Fatalf("need %s is too much: 2m less overload %v, no more than %v", need, o, epsilon)
			}
		}
		if less := tails.Need(slices.Clone(ps[:len(ps)-1]), epsilon); less > need+1 {
			t.Fatalf("fewer pods need %s, all %s", less, need)
		}
		// Adding and taking away again is as if nothing had been.
		s := tails.Sum(ps)
		s.Add(ps[0].Workload, 5)
		s.Add(ps[0].Workload, -5)
		if got := s.Need(epsilon); got < need-1 || got > need+1 {
			t.Fatalf("need %s after adding and taking away, %s before", got, need)
		}
	})
}

// TestPeaksThatComeTogetherStayTogether: two services that peak at the same
// time need their peaks' sum, two that take turns do not.
func TestPeaksThatComeTogetherStayTogether(t *testing.T) {
	e := of(one("/a", 1, 1000, unit.GiB), one("/b", 1, 1000, unit.GiB), one("/c", 1, 1000, unit.GiB), one("/unseen", 1, 300, unit.GiB))
	day := make([]float64, 288)
	night := make([]float64, 288)
	for i := range day {
		day[i], night[i] = 100, 100
		if i < 60 {
			day[i] = 900
		} else if i > 200 {
			night[i] = 900
		}
	}
	set := usage.Set{Series: []usage.Series{series("/a", usage.CPU, day...), series("/b", usage.CPU, day...), series("/c", usage.CPU, night...)}}
	p := policy.Default()
	sizes, _ := size.Make(e, &set, &p)
	tails := size.NewTails(e, &set, sizes)
	need := func(ids ...estate.Name) float64 {
		var ps []plan.Copies
		for _, id := range ids {
			ps = append(ps, plan.Copies{Workload: id, Count: 1})
		}
		return float64(tails.Need(ps, 0.005))
	}
	if together, turns := need("/a", "/b"), need("/a", "/c"); together < 1800 || turns > 0.85*together {
		t.Errorf("together they need %v, in turns %v", together, turns)
	}
	if got := need("/unseen"); got != 300 {
		t.Errorf("without usage it needs %v, want its request", got)
	}
	if got := tails.Overload([]plan.Copies{{Workload: "/unseen", Count: 2}}, 600); got != 0 {
		t.Errorf("what just fits overloads %v", got)
	}
}

// BenchmarkOverload asks for a node of 30 services over two weeks.
func BenchmarkOverload(b *testing.B) {
	var ws []estate.Workload
	var set usage.Set
	var ps []plan.Copies
	for i := range 30 {
		id := estate.Name(fmt.Sprintf("/w%d", i))
		ws = append(ws, one(id, 1, 500, unit.GiB))
		set.Series = append(set.Series, long(id, usage.CPU, 4032, 100, 110, 120+float64(i), 90, 80, 300))
		ps = append(ps, plan.Copies{Workload: id, Count: 1})
	}
	e := of(ws...)
	p := policy.Default()
	sizes, _ := size.Make(e, &set, &p)
	tails := size.NewTails(e, &set, sizes)
	for b.Loop() {
		tails.Overload(ps, 8000)
	}
}
