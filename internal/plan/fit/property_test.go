package fit_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tranship/tranship/internal/base/binpack"
	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/plan"
	"github.com/tranship/tranship/internal/plan/catalog"
	"github.com/tranship/tranship/internal/plan/fit"
	"github.com/tranship/tranship/internal/plan/policy"
)

// few is a part of the price list, so that properties can be tried often.
func few(t testing.TB) *catalog.Catalog {
	c := prices(t)
	out := *c
	out.Types = nil
	for _, x := range c.Types {
		family, _, _ := strings.Cut(x.Name, ".")
		if slices.Contains([]string{"c6a", "m6a", "r6a", "g5", "m6gd", "m3"}, family) && x.VCPU <= 8 {
			out.Types = append(out.Types, x)
		}
	}
	return &out
}

// estates draws estates with everything in them that decides where copies go.
func estates(t *rapid.T) estate.Estate {
	e := estate.Estate{Version: estate.Version, Hosts: []estate.Host{{Name: "h1", CPU: 1000, Memory: 2873 * unit.MiB}, {Name: "h2", CPU: 1000, Memory: 2873 * unit.MiB}}}
	for i := range rapid.IntRange(1, 7).Draw(t, "workloads") {
		w := estate.Workload{
			ID: estate.Name(fmt.Sprintf("/w%d", i)), Kind: estate.Service, Replicas: rapid.IntRange(0, 5).Draw(t, "replicas"),
			Containers: []estate.Container{{
				Name: "main", CPU: unit.CPU(rapid.IntRange(1, 40).Draw(t, "cpu") * 50), Memory: unit.Bytes(rapid.IntRange(1, 40).Draw(t, "memory")) * 100 * unit.MiB,
			}},
		}
		zone := fmt.Sprint("us-east-1", rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "zone"))
		switch rapid.IntRange(0, 14).Draw(t, "constraint") {
		case 0:
			w.Constraints = []estate.Constraint{{Attribute: "hostname", Rule: estate.Apart, Source: "apart"}}
		case 1:
			w.Constraints = []estate.Constraint{{Attribute: "@zone", Rule: estate.Spread, Count: 3, Source: "spread"}}
		case 2:
			w.Constraints = []estate.Constraint{{Attribute: "hostname", Rule: estate.AtMost, Count: 2, Source: "at most"}}
		case 3:
			w.Constraints = []estate.Constraint{{Attribute: "hostname", Rule: estate.Together, Source: "together"}}
		case 4:
			w.Constraints = []estate.Constraint{{Attribute: "@zone", Rule: estate.In, Values: []string{zone}, Source: "zone"}}
		case 5:
			w.Constraints = []estate.Constraint{{Attribute: "disk", Rule: estate.In, Values: []string{"ssd"}, Source: "disk"}}
		case 6:
			w.Constraints = []estate.Constraint{{Attribute: "disk", Rule: estate.NotIn, Values: []string{"ssd"}, Source: "not"}}
		case 7:
			w.Volumes = []estate.Volume{{Name: "v", Kind: estate.PersistentVolume, Size: unit.GiB}}
		case 8:
			w.Containers[0].Ports = []estate.Port{{Number: 80, HostPort: 80}}
		}
		e.Workloads = append(e.Workloads, w)
	}
	return e
}

func policies(t *rapid.T) policy.Policy {
	p := policy.Default()
	p.Spec.Network.HostPorts = "keep"
	p.Spec.Target.Survive = rapid.SampledFrom([]string{"none", "node", "node", "zone"}).Draw(t, "survive")
	p.Spec.Target.Apart = rapid.SampledFrom([]string{"bend", "keep"}).Draw(t, "apart")
	p.Spec.Buying.Spot = rapid.SampledFrom([]string{"none", "stateless"}).Draw(t, "spot")
	if rapid.Bool().Draw(t, "commit") {
		p.Spec.Buying.Commit = &policy.Commitment{Discount: 0.28, Share: 0.6}
	}
	return p
}

func planned(e *estate.Estate, p *policy.Policy, c *catalog.Catalog) (fit.Result, diag.List) {
	hosts, _ := fit.Hosts(e, p, c)
	sizes := declared(e)
	return fit.Make(fit.Inputs{Estate: e, Policy: p, Catalog: c, Sizes: sizes, Declared: sizes, Today: hosts}, binpack.Options{Seed: 1})
}

// TestEveryCopyHasItsPlace: nothing is lost without a word, no node is over
// its capacity, also after a loss, and copies that must keep apart do.
func TestEveryCopyHasItsPlace(t *testing.T) {
	c := few(t)
	rapid.Check(t, func(rt *rapid.T) {
		e, p := estates(rt), policies(rt)
		r, diags := planned(&e, &p, c)
		verify(rt, &e, &p, &r)
		for i := range e.Workloads {
			w := &e.Workloads[i]
			here := on(&r, w.ID)
			said := slices.ContainsFunc(diags, func(d diag.Diagnostic) bool {
				return d.Severity == diag.Error && (d.Subject == "workload "+string(w.ID) || d.Code == fit.NoType)
			})
			if len(here) == 0 && w.Replicas > 0 && !said {
				rt.Fatalf("%s is nowhere, and nothing is said of it: %v", w.ID, diags)
			}
			for _, k := range w.Constraints {
				for node, n := range here {
					if k.Rule == estate.Apart && n > 1 {
						rt.Fatalf("%s has %d copies on %s and asks for one a node", w.ID, n, node)
					}
				}
				if k.Rule == estate.Together && len(here) > 1 {
					rt.Fatalf("%s is on %d nodes and asks for one", w.ID, len(here))
				}
			}
		}
		ports := map[string]int{}
		for i := range e.Workloads {
			if len(e.Workloads[i].Containers[0].Ports) > 0 {
				for node, n := range on(&r, e.Workloads[i].ID) {
					if ports[node] += n; ports[node] > 1 {
						rt.Fatalf("port 80 of %s is taken twice", node)
					}
				}
			}
		}
		for _, f := range r.Survival.Failures {
			if len(f.Stranded) > 0 && r.Survival.Reached != plan.SurviveNone {
				rt.Fatalf("the loss of %s strands %v in a plan that says %s", f.Lost, f.Stranded, r.Survival.Reached)
			}
		}
	})
}

// TestOrderOfInputIsNoMatter plans the same estate in another order.
func TestOrderOfInputIsNoMatter(t *testing.T) {
	c := few(t)
	turned := *c
	turned.Types = slices.Clone(c.Types)
	slices.Reverse(turned.Types)
	rapid.Check(t, func(rt *rapid.T) {
		e, p := estates(rt), policies(rt)
		first, list := planned(&e, &p, c)
		other := e
		other.Workloads = slices.Clone(e.Workloads)
		slices.Reverse(other.Workloads)
		second, again := planned(&other, &p, &turned)
		a, _ := json.Marshal(first)
		b, _ := json.Marshal(second)
		if string(a) != string(b) {
			rt.Fatalf("another order gives another plan:\n%s\n%s", a, b)
		}
		x, _ := json.Marshal(list)
		y, _ := json.Marshal(again)
		if string(x) != string(y) {
			rt.Fatalf("another order says something else:\n%s\n%s", x, y)
		}
	})
}

// TestMoreCopiesNeverCostLessThanFewerMust: nodes that hold more hold less too,
// so that what more copies cost is no less than the bound of fewer.
func TestMoreCopiesNeverCostLessThanFewerMust(t *testing.T) {
	c := few(t)
	rapid.Check(t, func(rt *rapid.T) {
		e, p := estates(rt), policies(rt)
		p.Spec.Buying = policy.Buying{}
		for i := range e.Workloads {
			e.Workloads[i].Constraints = nil
		}
		fewer, _ := planned(&e, &p, c)
		more := e
		more.Workloads = slices.Clone(e.Workloads)
		i := rapid.IntRange(0, len(more.Workloads)-1).Draw(rt, "which")
		more.Workloads[i].Replicas += rapid.IntRange(1, 5).Draw(rt, "more")
		dearer, list := planned(&more, &p, c)
		if list.HasErrors() {
			return // something was left out
		}
		if dearer.Survival.Cost < fewer.Survival.Bound {
			rt.Fatalf("more copies cost %s, and fewer cannot cost less than %s", dearer.Survival.Cost.Exact(), fewer.Survival.Bound.Exact())
		}
	})
}
