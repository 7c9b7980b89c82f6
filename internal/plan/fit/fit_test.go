package fit_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tranship/tranship/internal/base/binpack"
	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/plan"
	"github.com/tranship/tranship/internal/plan/fit"
	"github.com/tranship/tranship/internal/plan/policy"
	"github.com/tranship/tranship/internal/plan/size"
	"github.com/tranship/tranship/internal/plan/usage"
)

func none(t *testing.T, diags diag.List, but ...diag.Code) {
	t.Helper()
	for _, d := range diags {
		if d.Code != fit.HostsUnknown && !slices.Contains(but, d.Code) {
			t.Errorf("unasked: %s", d)
		}
	}
}

func poolOf(r *fit.Result, id estate.Name) *plan.Pool {
	for _, p := range r.Placements {
		if p.Workload == id {
			for i := range r.Pools {
				if r.Pools[i].Name == p.Pool {
					return &r.Pools[i]
				}
			}
		}
	}
	return &plan.Pool{}
}

// TestAnyOneNodeMayBeLost is the default: after each failure all runs again.
func TestAnyOneNodeMayBeLost(t *testing.T) {
	r, diags := fitted(t, small, "")
	none(t, diags)
	if r.Survival.Reached != plan.SurviveNode || len(r.Survival.Failures) != len(r.Nodes) || len(r.Nodes) < 2 {
		t.Errorf("%d failures of %d nodes, reached %s", len(r.Survival.Failures), len(r.Nodes), r.Survival.Reached)
	}
	alone, _ := fitted(t, small, "target: {survive: none}")
	if len(alone.Nodes) != 1 || alone.Survival.Cost > r.Survival.Cost || len(alone.Survival.Failures) != 0 {
		t.Errorf("without survival there are %d nodes at %s, with it %d at %s", len(alone.Nodes), alone.Survival.Cost, len(r.Nodes), r.Survival.Cost)
	}
}

// TestAZoneMayBeLostWhereAskedFor fails each of three zones.
func TestAZoneMayBeLostWhereAskedFor(t *testing.T) {
	r, diags := fitted(t, small, "target: {survive: zone, zones: [us-east-1a, us-east-1b, us-east-1d]}")
	none(t, diags)
	var lost []string
	for _, f := range r.Survival.Failures {
		lost = append(lost, f.Lost)
	}
	if len(lost) < 2 || !strings.HasPrefix(lost[0], "us-east-1") || r.Survival.Reached != plan.SurviveZone {
		t.Errorf("lost %v, reached %s", lost, r.Survival.Reached)
	}
}

func constrained(id string, n int, k string) string {
	return service(id, n, "200m", "256Mi", `, "constraints": [`+k+`]`)
}

// TestCopiesKeepApartAsTheConstraintSays, in the plan's normal state.
func TestCopiesKeepApartAsTheConstraintSays(t *testing.T) {
	for name, x := range map[string]struct {
		constraint string
		most       int // on a node
		places     func(r *fit.Result) bool
	}{
		"apart":   {`{"attribute": "hostname", "rule": "apart", "source": "x"}`, 1, nil},
		"at most": {`{"attribute": "hostname", "rule": "at-most", "count": 2, "source": "x"}`, 2, nil},
		"together": {`{"attribute": "hostname", "rule": "together", "source": "x"}`, 4, func(r *fit.Result) bool {
			return len(on(r, "/x")) == 1
		}},
		"zone": {`{"attribute": "@zone", "rule": "in", "values": ["us-east-1b"], "source": "x"}`, 4, func(r *fit.Result) bool {
			for _, n := range r.Nodes {
				if n.Zone != "us-east-1b" && on(r, "/x")[n.Name] > 0 {
					return false
				}
			}
			return true
		}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, apart := range []string{"bend", "keep"} {
				r, diags := fitted(t, "["+constrained("/x", 4, x.constraint)+","+service("/other", 3, "300m", "512Mi", "")+"]", "target: {apart: "+apart+"}")
				none(t, diags)
				for node, n := range on(&r, "/x") {
					if n > x.most {
						t.Errorf("%s: %d copies on %s, want at most %d", apart, n, node, x.most)
					}
				}
				if x.places != nil && !x.places(&r) {
					t.Errorf("%s: copies are on %v", apart, on(&r, "/x"))
				}
				if apart == "keep" && len(r.Survival.Bent) > 0 {
					t.Errorf("kept constraints bend: %v", r.Survival.Bent)
				}
			}
		})
	}
}

// TestKeepingApartAfterALossTakesANodeMore, and bending says what it lets go of.
func TestKeepingApartAfterALossTakesANodeMore(t *testing.T) {
	list := "[" + constrained("/x", 3, `{"attribute": "hostname", "rule": "apart", "source": "hostname UNIQUE"}`) + "]"
	bent, _ := fitted(t, list, "")
	kept, _ := fitted(t, list, "target: {apart: keep}")
	if len(bent.Nodes) != 3 || len(kept.Nodes) != 4 {
		t.Errorf("%d nodes when it bends and %d when it is kept, want 3 and 4", len(bent.Nodes), len(kept.Nodes))
	}
	if len(bent.Survival.Bent) != 1 || bent.Survival.Bent[0].Constraint != "hostname UNIQUE" {
		t.Errorf("bent is %v", bent.Survival.Bent)
	}
}

// TestAttributesBecomeLabelsOfNodes: what all can share is on the nodes of
// all, what contradicts has nodes of its own.
func TestAttributesBecomeLabelsOfNodes(t *testing.T) {
	k := func(rule, values string) string {
		return fmt.Sprintf(`{"attribute": "disk", "rule": %q, "values": [%s], "source": "disk"}`, rule, values)
	}
	list := "[" + constrained("/a", 2, k("in", `"ssd", "nvme"`)) + "," + constrained("/b", 2, k("in", `"ssd"`)) + "," +
		constrained("/c", 2, k("not-in", `"ssd"`)) + "," + constrained("/d", 2, k("exists", "")) + "," + service("/e", 2, "1", "1Gi", "") + "]"
	r, diags := fitted(t, list, "nodes: {labels: {disk: example.com/disk}}")
	none(t, diags)
	for id, want := range map[estate.Name]string{"/a": "ssd", "/b": "ssd", "/d": "ssd", "/e": "ssd"} {
		if got := poolOf(&r, id).Labels["example.com/disk"]; got != want {
			t.Errorf("%s runs on nodes with disk %q, want %q", id, got, want)
		}
	}
	if got := poolOf(&r, "/c"); got.Labels["example.com/disk"] == "ssd" || got.Name == "" {
		t.Errorf("/c runs on %s with %v, and wants no ssd", got.Name, got.Labels)
	}
}

// TestOnlyFittingTypesAreChosen by architecture, local disk and GPU.
func TestOnlyFittingTypesAreChosen(t *testing.T) {
	list := "[" + service("/arm", 2, "1", "1Gi", "") + "," + service("/nvme", 1, "1", "1Gi", "") + "," +
		`{"id": "/gpu", "kind": "service", "replicas": 1, "containers": [{"name": "main", "cpu": "1", "memory": "1Gi", "gpus": 1}]}` + "," + service("/any", 2, "1", "1Gi", "") + "]"
	r, diags := fitted(t, list, "workloads: {/arm: {architectures: [arm64]}, /nvme: {localDisk: true}}")
	none(t, diags)
	c := prices(t)
	for id, holds := range map[estate.Name]func(name string) bool{
		"/arm":  func(name string) bool { return c.Find(name).Arch == "arm64" },
		"/nvme": func(name string) bool { return c.Find(name).LocalNVMe > 0 },
		"/gpu":  func(name string) bool { return c.Find(name).GPUs > 0 },
		"/any":  func(name string) bool { return c.Find(name).Arch == "amd64" && c.Find(name).GPUs == 0 },
	} {
		if p := poolOf(&r, id); c.Find(p.Type) == nil || !holds(p.Type) {
			t.Errorf("%s runs on %q", id, p.Type)
		}
	}
	for id, want := range map[estate.Name]plan.Reason{"/arm": plan.NeedsArch, "/nvme": plan.NeedsDisk, "/gpu": plan.NeedsGPU, "/any": plan.Cheapest} {
		i := slices.IndexFunc(r.Placements, func(p plan.Placement) bool { return p.Workload == id })
		if r.Placements[i].Reason != want || r.Placements[i].Why == "" {
			t.Errorf("%s is placed because %s (%s), want %s", id, r.Placements[i].Reason, r.Placements[i].Why, want)
		}
	}
}

// TestSpotIsForWhatMayBeInterrupted, and has types that stand in.
func TestSpotIsForWhatMayBeInterrupted(t *testing.T) {
	list := "[" + service("/web", 4, "1", "1Gi", "") + "," + service("/one", 1, "1", "1Gi", "") + "," +
		service("/db", 2, "1", "1Gi", `, "volumes": [{"name": "d", "kind": "persistent"}]`) + "]"
	r, diags := fitted(t, list, "buying: {spot: stateless}")
	none(t, diags)
	c := prices(t)
	for id, want := range map[estate.Name]plan.Purchase{"/web": plan.Spot, "/one": plan.OnDemand, "/db": plan.OnDemand} {
		p := poolOf(&r, id)
		if p.Purchase != want {
			t.Errorf("%s is bought %s, want %s", id, p.Purchase, want)
		}
		if want == plan.Spot && (len(p.Alternatives) < 1 || c.Find(p.Type).InterruptBand > 1 || p.Price >= c.Find(p.Type).Price) {
			t.Errorf("spot pool %+v", p)
		}
	}
}

// TestASavingsPlanBuysItsShare of whole nodes.
func TestASavingsPlanBuysItsShare(t *testing.T) {
	list := "[" + service("/web", 12, "1", "2Gi", "") + "]"
	full, _ := fitted(t, list, "target: {maxVCPU: 2}")
	r, diags := fitted(t, list, "target: {maxVCPU: 2}\nbuying: {commit: {discount: 0.5, share: 0.5}}")
	none(t, diags)
	bought := map[plan.Purchase]int{}
	for _, p := range r.Pools {
		bought[p.Purchase] += p.Nodes
	}
	if n := len(r.Nodes); bought[plan.SavingsPlan] != n/2 || bought[plan.OnDemand] != n-n/2 {
		t.Errorf("of %d nodes %v", n, bought)
	}
	if r.Survival.Cost >= full.Survival.Cost || r.Survival.Bound >= full.Survival.Bound {
		t.Errorf("cost %s and bound %s, without the plan %s and %s", r.Survival.Cost, r.Survival.Bound, full.Survival.Cost, full.Survival.Bound)
	}
}

// TestDisksStayWhereAnotherNodeCanTakeThemOver: a disk does not leave its zone.
func TestDisksStayWhereAnotherNodeCanTakeThemOver(t *testing.T) {
	list := "[" + service("/db", 1, "500m", "1Gi", `, "volumes": [{"name": "d", "kind": "persistent"}]`) + "," + service("/web", 6, "400m", "512Mi", "") + "]"
	r, diags := fitted(t, list, "")
	none(t, diags)
	zones := map[string]string{}
	for _, n := range r.Nodes {
		zones[n.Name] = n.Zone
	}
	for _, f := range r.Survival.Failures {
		for _, m := range f.Moves {
			if m.Workload == "/db" && zones[m.To] != zones[f.Lost] {
				t.Errorf("/db moves from zone %s to %s", zones[f.Lost], zones[m.To])
			}
		}
	}
}

// TestManyTinyPodsGetMoreAddresses: where a node's pods are too few for it,
// prefix delegation makes more.
func TestManyTinyPodsGetMoreAddresses(t *testing.T) {
	r, diags := fitted(t, "["+service("/tiny", 120, "10m", "32Mi", "")+"]", "")
	none(t, diags)
	if p := r.Pools[0]; p.MaxPods == 0 || p.Allocatable.Pods != p.MaxPods {
		t.Errorf("pool %s has %d pods by --max-pods=%d", p.Name, p.Allocatable.Pods, p.MaxPods)
	}
}

// TestAutoscaledWorkloadsHaveRoomToGrow: nodes hold what is planned, and the
// pool may grow to the maximum.
func TestAutoscaledWorkloadsHaveRoomToGrow(t *testing.T) {
	e, p := workloads(t, "["+service("/web", 2, "500m", "512Mi", "")+"]"), policy.Default()
	sizes := declared(&e)
	sizes[0].Scale = &plan.Scale{Min: 2, Max: 40, Planned: 4}
	r, diags := fit.Make(fit.Inputs{Estate: &e, Policy: &p, Catalog: prices(t), Sizes: sizes, Declared: declared(&e)}, binpack.Options{})
	none(t, diags)
	n := 0
	for _, k := range on(&r, "/web") {
		n += k
	}
	if n != 4 || r.Pools[0].Max < r.Pools[0].Nodes+5 {
		t.Errorf("%d copies on %d nodes of at most %d", n, r.Pools[0].Nodes, r.Pools[0].Max)
	}
}

// using gives the tails of workloads of which every copy always uses so much.
func using(e *estate.Estate, sizes []plan.Size, cpu float64) *size.Tails {
	var set usage.Set
	for i := range e.Workloads {
		w := &e.Workloads[i]
		for k := range sizes[i].Containers {
			sizes[i].Containers[k].Used = &plan.Used{CPUPeak: unit.CPU(cpu)}
		}
		var points []usage.Point
		for at := range int64(288) {
			points = append(points, usage.Point{At: at * 300, Value: cpu * float64(w.Replicas)})
		}
		set.Series = append(set.Series, usage.Series{Workload: w.ID, Metric: usage.CPU, Step: 300, Points: points})
	}
	return size.NewTails(e, &set, sizes)
}

// TestNodesWhosePeaksMeetAreTakenApart: the chance of an overload is bound, and
// where no nodes help it is said.
func TestNodesWhosePeaksMeetAreTakenApart(t *testing.T) {
	e, p := workloads(t, "["+service("/web", 8, "100m", "128Mi", "")+"]"), policy.Default()
	in := fit.Inputs{Estate: &e, Policy: &p, Catalog: prices(t), Sizes: declared(&e), Declared: declared(&e)}
	calm, _ := fit.Make(in, binpack.Options{})
	in.Tails = using(&e, in.Sizes, 500) // thrice that is more than two cores have
	r, diags := fit.Make(in, binpack.Options{})
	none(t, diags)
	for _, n := range r.Nodes {
		if n.Overload > 0 {
			t.Errorf("node %s is overloaded %.0f %% of the time", n.Name, n.Overload*100)
		}
	}
	if r.Survival.Cost <= calm.Survival.Cost {
		t.Errorf("it costs %s, without peaks %s", r.Survival.Cost.Exact(), calm.Survival.Cost.Exact())
	}
	in.Tails = using(&e, in.Sizes, 1e6)
	r, diags = fit.Make(in, binpack.Options{})
	if !slices.ContainsFunc(diags, func(d diag.Diagnostic) bool { return d.Code == fit.TooTight }) || len(r.Nodes) == 0 {
		t.Errorf("%d nodes, and %v", len(r.Nodes), diags)
	}
}

// TestFasterCoresCountOnlyWherePolicySaysSo.
func TestFasterCoresCountOnlyWherePolicySaysSo(t *testing.T) {
	list := "[" + service("/web", 20, "1", "512Mi", "") + "]"
	hosts := "costs: {hosts: [{type: m5.large, count: 20}]}"
	plain, _ := fitted(t, list, hosts)
	e, c := workloads(t, list), prices(t)
	p := spec(t, hosts+"\nsizing: {convertCPU: true, convertCap: 1.3}")
	today, _ := fit.Hosts(&e, &p, c)
	fast, diags := fit.Make(fit.Inputs{Estate: &e, Policy: &p, Catalog: c, Sizes: declared(&e), Declared: declared(&e), Today: today}, binpack.Options{Seed: 1, Iterations: 20})
	none(t, diags)
	if plain.Sizes != nil || fast.Survival.Cost >= plain.Survival.Cost {
		t.Fatalf("cost %s, without conversion %s", fast.Survival.Cost.Exact(), plain.Survival.Cost.Exact())
	}
	verify(t, &e, &p, &fast)
	if got := fast.Sizes[0].Containers[0].CPU; got >= 1000 || got < 769 {
		t.Errorf("a core becomes %s, want at least 1/1.3", got)
	}
	for _, pool := range fast.Pools {
		if c.Find(pool.Type).CoreMark < 1.1*c.Find("m5.large").CoreMark {
			t.Errorf("%s is not faster", pool.Type)
		}
	}
}

// TestStepsLeadFromTodayToTheNodes, each with its reason.
func TestStepsLeadFromTodayToTheNodes(t *testing.T) {
	r, _ := fitted(t, "["+service("/web", 12, "500m", "1Gi", "")+"]", "costs: {hosts: [{type: m3.medium, count: 15}]}")
	var names []string
	for _, s := range r.Steps {
		names = append(names, s.Name)
		if s.Why == "" {
			t.Errorf("step %s has no reason", s.Name)
		}
	}
	if d := cmp.Diff([]string{"today", "right-size", "pack", "instance choice", "spot/plan", "survival", "scheduler"}, names); d != "" {
		t.Error(d)
	}
	if r.Steps[0].Hourly != 15*67_000 {
		t.Errorf("today costs %s", r.Steps[0].Hourly.Exact())
	}
}

// TestHostsAreWhatTheySayOrLookLike, in that order.
func TestHostsAreWhatTheySayOrLookLike(t *testing.T) {
	c := prices(t)
	p := policy.Default()
	e := estate.Estate{Hosts: []estate.Host{
		{Name: "a", Attributes: map[string]string{"instance_type": "r5.xlarge"}, CPU: 1000, Memory: unit.GiB},
		{Name: "b", CPU: 1000, Memory: 2873 * unit.MiB},
		{Name: "c", CPU: 999_000, Memory: unit.GiB},
	}}
	got, diags := fit.Hosts(&e, &p, c)
	if d := cmp.Diff([]policy.HostCost{{Type: "m3.medium", Count: 1}, {Type: "r5.xlarge", Count: 1}}, got); d != "" {
		t.Error(d)
	}
	var codes []diag.Code
	for _, x := range diags {
		codes = append(codes, x.Code)
	}
	if d := cmp.Diff([]diag.Code{fit.HostsInferred, fit.HostsUnknown}, codes); d != "" {
		t.Error(d)
	}
}

func TestOneZoneIsSaidAndPlannedForTheLossOfANode(t *testing.T) {
	r, diags := fitted(t, small, "target: {survive: zone, zones: [us-east-1a]}")
	if len(r.Nodes) < 2 || r.Survival.Reached != plan.SurviveNode {
		t.Errorf("%d nodes, reached %s", len(r.Nodes), r.Survival.Reached)
	}
	if !slices.ContainsFunc(diags, func(d diag.Diagnostic) bool { return d.Code == fit.CannotSurvive }) {
		t.Errorf("diagnostics %v do not say that one zone cannot be lost", diags)
	}
}
