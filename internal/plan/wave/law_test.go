package wave_test

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
	"github.com/tranship/tranship/internal/plan/wave"
)

// drawEstate gives any estate: kinds, state, addresses, hosts, calls.
func drawEstate(t *rapid.T) (*estate.Estate, *policy.Policy) {
	e, p := &estate.Estate{Version: estate.Version}, policy.Default()
	p.Spec.Workloads = map[string]policy.Workload{}
	for i := range rapid.IntRange(0, 5).Draw(t, "hosts") {
		h := estate.Host{Name: fmt.Sprintf("h%d", i), CPU: unit.CPU(rapid.IntRange(0, 3).Draw(t, "cpu") * 500), Memory: unit.GiB}
		if rapid.IntRange(0, 3).Draw(t, "told") == 0 {
			h.UsedCPU = unit.CPU(rapid.IntRange(0, 1000).Draw(t, "used"))
		}
		e.Hosts = append(e.Hosts, h)
	}
	kinds := []estate.Kind{estate.Service, estate.Service, estate.Service, estate.Daemon, estate.Job, estate.Schedule, estate.Framework, estate.Infrastructure}
	n := rapid.IntRange(1, 14).Draw(t, "n")
	for i := range n {
		w := service(estate.Name(fmt.Sprintf("/w%02d", i)))
		w.Kind = rapid.SampledFrom(kinds).Draw(t, "kind")
		w.Replicas = rapid.IntRange(0, 3).Draw(t, "replicas")
		w.Singleton = rapid.IntRange(0, 7).Draw(t, "singleton") == 0
		w.Stateful = rapid.IntRange(0, 7).Draw(t, "stateful") == 0
		if k := rapid.IntRange(0, len(e.Hosts)).Draw(t, "on"); k > 0 {
			w.Running = &estate.Running{Instances: k}
			for _, h := range e.Hosts[:k] {
				w.Running.Hosts = append(w.Running.Hosts, h.Name)
			}
		}
		if rapid.IntRange(0, 9).Draw(t, "skip") == 0 {
			p.Spec.Workloads[string(w.ID)] = policy.Workload{Skip: true}
		}
		e.Workloads = append(e.Workloads, w)
	}
	any := func(name string) estate.Name { return e.Workloads[rapid.IntRange(0, n-1).Draw(t, name)].ID }
	for i := range rapid.IntRange(0, 4).Draw(t, "endpoints") {
		ep := route(any("backend"))
		if ep.ID = fmt.Sprintf("route:%d", i); rapid.Bool().Draw(t, "inside") {
			ep.Kind, ep.ID = estate.VirtualAddress, fmt.Sprintf("vip:%d", i)
			ep.Backends = append(ep.Backends, estate.Backend{Workload: any("backend")})
		}
		e.Endpoints = append(e.Endpoints, ep)
	}
	for range rapid.IntRange(0, 25).Draw(t, "calls") {
		e.Dependencies = append(e.Dependencies, estate.Dependency{
			From: any("from"), To: any("to"), Way: estate.ByName, Fate: rapid.SampledFrom([]estate.Fate{estate.None, estate.Bridged, estate.Unresolved}).Draw(t, "fate"),
		})
	}
	p.Spec.Waves = policy.Waves{
		Size: rapid.IntRange(0, 4).Draw(t, "size"), Parallel: rapid.IntRange(0, 3).Draw(t, "parallel"), Days: rapid.IntRange(0, 9).Draw(t, "days"),
		SoakDays: rapid.IntRange(0, 9).Draw(t, "soak"), Pilot: rapid.SampledFrom([]string{"", "", "none", "/w00", "/w99"}).Draw(t, "pilot"),
	}
	e.Sort()
	return e, &p
}

// TestLawsOfWaves holds for any estate: nothing is lost, nothing is split,
// nothing but the pilot moves before what it needs, and sizes are kept.
func TestLawsOfWaves(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e, p := drawEstate(t)
		ws, _ := wave.Make(wave.Inputs{Estate: e, Policy: p, AsOf: date})
		at, group := map[estate.Name]int{}, map[estate.Name]string{}
		pilots := map[estate.Name]bool{}
		size, parallel := p.Spec.Waves.Size, p.Spec.Waves.Parallel
		if size == 0 {
			size = 10
		}
		if parallel == 0 {
			parallel = 2
		}
		for i, w := range ws {
			if w.Number != i+1 || len(w.Groups) == 0 || len(w.Groups) > size || w.Reason == "" || w.Why == "" {
				t.Fatalf("wave %d has number %d, %d groups, reason %q, why %q", i+1, w.Number, len(w.Groups), w.Reason, w.Why)
			}
			if w.Pilot && (i > 0 || len(w.Groups) != 1) {
				t.Fatalf("wave %d with %d groups is the pilot", w.Number, len(w.Groups))
			}
			if i > 0 && ws[i-1].End >= w.Start {
				t.Fatalf("wave %d begins on %s, before wave %d has ended on %s", w.Number, w.Start, i, ws[i-1].End)
			}
			if w.End < w.Start {
				t.Fatalf("wave %d ends before it begins", w.Number)
			}
			seen := make([]int, len(w.Groups))
			for _, b := range w.Batches {
				if len(b) == 0 || len(b) > parallel {
					t.Fatalf("%d groups are in flight, want at most %d", len(b), parallel)
				}
				for _, k := range b {
					seen[k]++
				}
			}
			if slices.Min(seen) != 1 || slices.Max(seen) != 1 {
				t.Fatalf("batches %v do not have each of %d groups once", w.Batches, len(w.Groups))
			}
			for _, g := range w.Groups {
				sum := 0
				for _, text := range g.Risks {
					n := 0
					if _, err := fmt.Sscanf(text, "%d: ", &n); err != nil || n <= 0 {
						t.Fatalf("risk %q does not begin with its weight", text)
					}
					sum += n
				}
				if g.Risk != min(sum, 100) || g.Why == "" {
					t.Fatalf("risk is %d, its parts are %d; why: %q", g.Risk, sum, g.Why)
				}
				for _, id := range g.Workloads {
					if at[id] != 0 {
						t.Fatalf("%s stands in two groups", id)
					}
					at[id], group[id], pilots[id] = w.Number, string(g.Workloads[0]), w.Pilot
				}
			}
		}
		for i := range e.Workloads {
			if w := &e.Workloads[i]; plan.Moves(w, p) != (at[w.ID] != 0) {
				t.Fatalf("%s moves: %v, its wave is %d", w.ID, plan.Moves(w, p), at[w.ID])
			}
		}
		for _, d := range e.Dependencies {
			a, b := at[d.From], at[d.To]
			if a != 0 && b != 0 && group[d.From] != group[d.To] && a <= b && !pilots[d.From] {
				t.Fatalf("%s (wave %d) does not come after %s (wave %d)", d.From, a, d.To, b)
			}
		}
		for _, ep := range e.Endpoints {
			if ep.Kind == estate.VirtualAddress {
				if a, b := ep.Backends[0].Workload, ep.Backends[1].Workload; at[a] != 0 && at[b] != 0 && group[a] != group[b] {
					t.Fatalf("%s and %s share an address and are split", a, b)
				}
			}
		}
		if n, most := len(ws), longest(e, group)+len(group)/size+1; n > most {
			t.Fatalf("%d waves, want at most %d: the longest chain, and what fills waves", n, most)
		}
		lawsOfHosts(t, e, p, ws, at)
	})
}

// longest gives how many groups the longest chain of needs has.
func longest(e *estate.Estate, group map[estate.Name]string) int {
	depth := map[string]int{}
	most := 0
	for range group { // a chain is no longer than there are groups
		for _, d := range e.Dependencies {
			if a, b := group[d.From], group[d.To]; a != "" && b != "" && a != b {
				depth[a] = max(depth[a], depth[b]+1)
				most = max(most, depth[a])
			}
		}
	}
	return most + 1
}

// lawsOfHosts: a host is freed once, never while something seen on it stays,
// and all are free in the end unless policy leaves something behind.
func lawsOfHosts(t *rapid.T, e *estate.Estate, p *policy.Policy, ws []plan.Wave, at map[estate.Name]int) {
	freed := map[string]int{}
	for _, w := range ws {
		for _, h := range w.Free {
			if freed[h] != 0 {
				t.Fatalf("%s is freed twice", h)
			}
			freed[h] = w.Number
		}
		if w.Drainable < 0 || w.Drainable+len(freed) > len(e.Hosts) {
			t.Fatalf("after wave %d %d of %d hosts are free and %d more can be drained", w.Number, len(freed), len(e.Hosts), w.Drainable)
		}
	}
	behind, waiting := false, false
	for i := range e.Workloads {
		w := &e.Workloads[i]
		skipped := p.For(w.ID).Skip && w.Kind != estate.Framework && w.Kind != estate.Infrastructure
		behind = behind || skipped && (w.Replicas > 0 || w.Running != nil)
		waiting = waiting || at[w.ID] == len(ws) && at[w.ID] > 0 && w.Replicas > 0 && w.Kind != estate.Daemon
		if w.Running == nil || w.Kind == estate.Daemon && !skipped {
			continue
		}
		for _, h := range w.Running.Hosts {
			switch n := freed[h]; {
			case n == 0:
			case skipped:
				t.Fatalf("%s is freed, but %s stays on it", h, w.ID)
			case at[w.ID] == 0 && n < len(ws):
				t.Fatalf("%s is freed by wave %d, but %s runs on it to the end", h, n, w.ID)
			case at[w.ID] > n:
				t.Fatalf("%s is freed by wave %d, but %s on it moves in wave %d", h, n, w.ID, at[w.ID])
			}
		}
	}
	if len(ws) > 0 && !behind && len(freed) != len(e.Hosts) {
		t.Fatalf("%d of %d hosts are free in the end", len(freed), len(e.Hosts))
	}
	if len(ws) > 1 && waiting && len(freed) == len(e.Hosts) && len(e.Hosts) > 0 && len(ws[len(ws)-1].Free) == 0 {
		t.Fatalf("no host is left for what moves in the last wave")
	}
}

func TestTheOrderOfTheInputDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e, p := drawEstate(t)
		ws, diags := wave.Make(wave.Inputs{Estate: e, Policy: p, AsOf: date})
		other := *e
		other.Workloads = rapid.Permutation(e.Workloads).Draw(t, "workloads")
		other.Hosts = rapid.Permutation(e.Hosts).Draw(t, "hosts")
		other.Endpoints = rapid.Permutation(e.Endpoints).Draw(t, "endpoints")
		other.Dependencies = rapid.Permutation(e.Dependencies).Draw(t, "dependencies")
		again, list := wave.Make(wave.Inputs{Estate: &other, Policy: p, AsOf: date})
		if d := cmp.Diff(ws, again) + cmp.Diff(diags, list); d != "" {
			t.Fatalf("the order of the input changes the waves:\n%s", d)
		}
	})
}
