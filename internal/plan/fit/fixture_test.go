package fit_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/tranship/tranship/internal/base/binpack"
	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/plan"
	"github.com/tranship/tranship/internal/plan/catalog"
	"github.com/tranship/tranship/internal/plan/fit"
	"github.com/tranship/tranship/internal/plan/policy"
)

// workloads reads workloads as an estate has them.
func workloads(t testing.TB, text string) estate.Estate {
	t.Helper()
	e := estate.Estate{Version: estate.Version}
	if err := json.Unmarshal([]byte(text), &e.Workloads); err != nil {
		t.Fatal(err)
	}
	for i := range e.Workloads {
		e.Workloads[i].Origin.File = "apps.json"
	}
	e.Sort()
	return e
}

// spec reads a policy's spec, as YAML.
func spec(t testing.TB, text string) policy.Policy {
	t.Helper()
	lines := "apiVersion: tranship.dev/v1\nkind: Migration\nspec:\n  " + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n  ") + "\n"
	if strings.TrimSpace(text) == "" {
		return policy.Default()
	}
	p, diags := policy.Parse("tranship.yaml", []byte(lines))
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	return p
}

// prices is the price list that tranship comes with.
func prices(t testing.TB) *catalog.Catalog {
	t.Helper()
	c, err := catalog.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	return &c
}

// declared gives every workload what its definition asks for.
func declared(e *estate.Estate) []plan.Size {
	var out []plan.Size
	for i := range e.Workloads {
		w := &e.Workloads[i]
		s := plan.Size{Workload: w.ID, Replicas: w.Replicas, Containers: []plan.ContainerSize{}, Reason: plan.AsDeclared}
		for _, c := range w.Containers {
			s.Containers = append(s.Containers, plan.ContainerSize{Name: c.Name, CPU: c.CPU, Memory: c.Memory, Disk: c.Disk, GPUs: c.GPUs})
		}
		out = append(out, s)
	}
	return out
}

// fitted plans workloads under a policy.
func fitted(t testing.TB, text, policyText string) (fit.Result, diag.List) {
	t.Helper()
	e, c := workloads(t, text), prices(t)
	var rest []string
	for line := range strings.SplitSeq(policyText, "\n") {
		if machines, ok := strings.CutPrefix(line, "hosts: "); ok {
			if err := json.Unmarshal([]byte(machines), &e.Hosts); err != nil {
				t.Fatal(err)
			}
			continue
		}
		rest = append(rest, line)
	}
	p := spec(t, strings.Join(rest, "\n"))
	hosts, list := fit.Hosts(&e, &p, c)
	r, diags := fit.Make(fit.Inputs{Estate: &e, Policy: &p, Catalog: c, Sizes: declared(&e), Declared: declared(&e), Today: hosts}, binpack.Options{Seed: 1, Iterations: 20})
	verify(t, &e, &p, &r)
	return r, append(list, diags...)
}

// A reporter is what testing and rapid have in common.
type reporter interface {
	Helper()
	Errorf(format string, args ...any)
}

// verify holds a result against its own promises, in bare sums.
func verify(t reporter, e *estate.Estate, p *policy.Policy, r *fit.Result) {
	t.Helper()
	pools := map[plan.PoolName]*plan.Pool{}
	for i := range r.Pools {
		pools[r.Pools[i].Name] = &r.Pools[i]
	}
	allowed := map[string]bool{}
	for _, x := range r.Placements {
		allowed[string(x.Workload)+" "+string(x.Pool)] = true
	}
	sizes := map[estate.Name]plan.Size{}
	for _, s := range declared(e) {
		sizes[s.Workload] = s
	}
	for _, s := range r.Sizes {
		sizes[s.Workload] = s
	}
	take := func(l *plan.Load, c plan.Copies) {
		for _, k := range sizes[c.Workload].Containers {
			l.CPU += k.CPU * unit.CPU(c.Count)
			l.Memory += k.Memory * unit.Bytes(c.Count)
			l.Ephemeral += k.Disk * unit.Bytes(c.Count)
			l.GPUs += k.GPUs * c.Count
		}
		l.Pods += c.Count
	}
	loads := map[string]plan.Load{}
	zones := map[string]string{}
	full := func(name string, l plan.Load) {
		for _, n := range r.Nodes {
			if n.Name != name {
				continue
			}
			a, s := pools[n.Pool].Allocatable, pools[n.Pool].System
			if l.CPU+s.CPU > a.CPU || l.Memory+s.Memory > a.Memory || l.Pods+s.Pods > a.Pods || l.Ephemeral > a.Ephemeral || l.GPUs > a.GPUs {
				t.Errorf("node %s has %+v and is asked for %+v beside %+v", name, a, l, s)
			}
		}
	}
	cost := unit.Money(0)
	for _, n := range r.Nodes {
		var l plan.Load
		for _, c := range n.Pods {
			take(&l, c)
			if !allowed[string(c.Workload)+" "+string(n.Pool)] {
				t.Errorf("%s runs on %s, of a pool that it is not placed on", c.Workload, n.Name)
			}
		}
		if loads[n.Name].Pods > 0 {
			t.Errorf("two nodes are called %s", n.Name)
		}
		loads[n.Name], zones[n.Name] = l, n.Zone
		full(n.Name, l)
		cost += pools[n.Pool].Price
	}
	if cost != r.Survival.Cost {
		t.Errorf("nodes cost %s, the plan says %s", cost.Exact(), r.Survival.Cost.Exact())
	}
	if r.Survival.Bound > r.Survival.Cost || r.Survival.BoundWithout > r.Survival.Bound {
		t.Errorf("bounds %s (without %s) and cost %s are out of order", r.Survival.Bound, r.Survival.BoundWithout, r.Survival.Cost)
	}
	for _, f := range r.Survival.Failures {
		after := map[string]plan.Load{}
		lost := map[estate.Name]int{}
		for _, n := range r.Nodes {
			if n.Name == f.Lost || n.Zone == f.Lost {
				for _, c := range n.Pods {
					lost[c.Workload] += c.Count
				}
			}
		}
		for _, m := range f.Moves {
			l, ok := after[m.To]
			if !ok {
				l = loads[m.To]
			}
			take(&l, plan.Copies{Workload: m.Workload, Count: m.Count})
			after[m.To] = l
			lost[m.Workload] -= m.Count
			if m.To == f.Lost || zones[m.To] == f.Lost {
				t.Errorf("the loss of %s moves %s there", f.Lost, m.Workload)
			}
		}
		for _, c := range f.Cleared {
			l, ok := after[c.From]
			if !ok {
				l = loads[c.From]
			}
			take(&l, plan.Copies{Workload: c.Workload, Count: -c.Count})
			after[c.From] = l
			lost[c.Workload] += c.Count
		}
		for _, c := range f.Stranded {
			lost[c.Workload] -= c.Count
		}
		for id, n := range lost {
			if n != 0 {
				t.Errorf("the loss of %s loses %d copies of %s", f.Lost, n, id)
			}
		}
		for name, l := range after {
			full(name, l)
		}
	}
	for i := range e.Workloads {
		placed(t, &e.Workloads[i], r)
	}
	if n := len(r.Steps); n > 0 && r.Steps[n-1].Hourly != r.Survival.Cost {
		t.Errorf("the last step is %s, the nodes cost %s", r.Steps[n-1].Hourly.Exact(), r.Survival.Cost.Exact())
	}
	_ = p
}

// placed holds that all copies of a workload run, or none: then it was left out.
func placed(t reporter, w *estate.Workload, r *fit.Result) {
	t.Helper()
	n := 0
	for _, node := range r.Nodes {
		for _, c := range node.Pods {
			if c.Workload == w.ID {
				n += c.Count
			}
		}
	}
	if n != 0 && n != w.Replicas {
		t.Errorf("%s has %d copies placed, wants %d", w.ID, n, w.Replicas)
	}
}

// on tells how many copies of a workload each node has.
func on(r *fit.Result, id estate.Name) map[string]int {
	out := map[string]int{}
	for _, n := range r.Nodes {
		for _, c := range n.Pods {
			if c.Workload == id {
				out[n.Name] += c.Count
			}
		}
	}
	return out
}

// service writes a workload.
func service(id string, replicas int, cpu, memory, more string) string {
	return fmt.Sprintf(`{"id": %q, "kind": "service", "replicas": %d, "containers": [{"name": "main", "cpu": %q, "memory": %q}]%s}`, id, replicas, cpu, memory, more)
}
