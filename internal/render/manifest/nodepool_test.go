package manifest_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"

	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/plan"
	"github.com/tranship/tranship/internal/plan/catalog"
	"github.com/tranship/tranship/internal/plan/policy"
	"github.com/tranship/tranship/internal/render"
	"github.com/tranship/tranship/internal/render/manifest"
)

// chosen is a plan that has chosen nodes for a service and a daemon.
func chosen(manager string, constraints ...estate.Constraint) *plan.Plan {
	container := []estate.Container{{Name: "main", Image: "registry.example/cart:1", CPU: 250, Memory: 256 * unit.MiB}}
	pool := plan.Pool{
		Name: "m6g-large", Reason: plan.Cheapest, Why: "2 × m6g.large", Manager: manager, Type: "m6g.large", Arch: "arm64",
		Alternatives: []string{"m7g.large", "m6gd.large"}, Purchase: plan.OnDemand, Nodes: 2, Min: 2, Max: 3,
		Zones:       []string{"us-east-1a", "us-east-1b"},
		Allocatable: catalog.Allocatable{CPU: 1930, Memory: 6903 * unit.MiB, Pods: 29}, Labels: map[string]string{"mesos.attr/disk": "ssd"},
	}
	spot := pool
	spot.Name, spot.Purchase, spot.MaxPods, spot.Labels = "m6g-large-spot-p110", plan.Spot, 110, nil
	return &plan.Plan{
		Version: plan.Version, AsOf: "2026-11-24", Policy: policy.Default(),
		Estate: estate.Estate{Version: estate.Version, Workloads: []estate.Workload{
			{ID: "/shop/agent", Kind: estate.Daemon, Replicas: 1, Containers: container},
			{ID: "/shop/cart", Kind: estate.Service, Replicas: 2, Containers: container, Constraints: constraints},
		}},
		Sizes: []plan.Size{
			{Workload: "/shop/agent", Replicas: 1, Containers: []plan.ContainerSize{{Name: "main", CPU: 250, Memory: 256 * unit.MiB}}},
			{Workload: "/shop/cart", Replicas: 2, Containers: []plan.ContainerSize{{Name: "main", CPU: 250, Memory: 256 * unit.MiB}}},
		},
		Pools: []plan.Pool{pool, spot},
		Placements: []plan.Placement{
			{Workload: "/shop/agent", Pool: pool.Name}, {Workload: "/shop/cart", Pool: spot.Name}, {Workload: "/shop/cart", Pool: pool.Name},
		},
	}
}

// required gives what a pod's node affinity requires.
func required(s *corev1.PodSpec) []corev1.NodeSelectorRequirement {
	if s.Affinity == nil || s.Affinity.NodeAffinity == nil {
		return nil
	}
	return s.Affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution.NodeSelectorTerms[0].MatchExpressions
}

func TestCopiesGoToTheirPoolsAndDaemonsEverywhere(t *testing.T) {
	r := renderPlan(t, chosen("managed"), render.Options{})
	cart := get[*appsv1.Deployment](t, r, "shop/cart/deployment.yaml")
	want := []corev1.NodeSelectorRequirement{{
		Key: "tranship.dev/pool", Operator: corev1.NodeSelectorOpIn, Values: []string{"m6g-large", "m6g-large-spot-p110"},
	}}
	if diff := cmp.Diff(want, required(&cart.Spec.Template.Spec)); diff != "" {
		t.Errorf("the service's node affinity (-want +got):\n%s", diff)
	}
	agent := get[*appsv1.DaemonSet](t, r, "shop/agent/daemonset.yaml")
	if got := required(&agent.Spec.Template.Spec); got != nil {
		t.Errorf("the daemon's node affinity is %v, want none: it runs on every node", got)
	}
	for name := range r.files {
		if strings.HasPrefix(name, manifest.Nodes) {
			t.Errorf("%s is rendered, want nothing for managed node groups", name)
		}
	}
}

// TestCopiesPreferTheirNodesAndGiveWay: what the plan says of both is in the pods,
// and the class is there; who runs on every machine has neither.
func TestCopiesPreferTheirNodesAndGiveWay(t *testing.T) {
	p := chosen("managed")
	p.Placements[1].Prefer, p.Placements[2].Prefer = 50, 100
	p.Priorities = []plan.Priority{{Name: "tranship-size-9", Value: -1, Workloads: []estate.Name{"/shop/cart"}, Why: "gives way"}}
	r := renderPlan(t, p, render.Options{})
	spec := get[*appsv1.Deployment](t, r, "shop/cart/deployment.yaml").Spec.Template.Spec
	var prefers []string
	for _, x := range spec.Affinity.NodeAffinity.PreferredDuringSchedulingIgnoredDuringExecution {
		prefers = append(prefers, fmt.Sprint(x.Weight, " ", x.Preference.MatchExpressions[0].Values))
	}
	if d := cmp.Diff([]string{"100 [m6g-large]", "50 [m6g-large-spot-p110]"}, prefers); d != "" {
		t.Error(d)
	}
	if len(required(&spec)[0].Values) != 2 {
		t.Errorf("required is %v, want both pools", required(&spec))
	}
	if k := spec.TopologySpreadConstraints; len(k) != 1 || k[0].TopologyKey != corev1.LabelHostname || k[0].WhenUnsatisfiable != corev1.DoNotSchedule || len(k[0].MatchLabelKeys) != 1 {
		t.Errorf("spread is %+v, want one copy a node, counted by version", k)
	}
	if spec.PriorityClassName != "tranship-size-9" {
		t.Errorf("priority class is %q", spec.PriorityClassName)
	}
	class := get[*schedulingv1.PriorityClass](t, r, "priorityclass-tranship-size-9.yaml")
	if class.Value != -1 || class.GlobalDefault || class.PreemptionPolicy != nil {
		t.Errorf("class is %+v", class)
	}
	agent := get[*appsv1.DaemonSet](t, r, "shop/agent/daemonset.yaml").Spec.Template.Spec
	if agent.PriorityClassName != "" || len(agent.TopologySpreadConstraints) > 0 {
		t.Errorf("a daemon has priority class %q and %d spreads", agent.PriorityClassName, len(agent.TopologySpreadConstraints))
	}
	old := renderPlan(t, p, render.Options{KubeVersion: "1.26"})
	if k := get[*appsv1.Deployment](t, old, "shop/cart/deployment.yaml").Spec.Template.Spec.TopologySpreadConstraints; len(k) != 1 || len(k[0].MatchLabelKeys) > 0 {
		t.Errorf("for 1.26 the spread is %+v", k)
	}
}

func TestPoolsWithoutTypesBindNobody(t *testing.T) {
	p := chosen("managed")
	for i := range p.Pools {
		p.Pools[i].Type = ""
	}
	cart := get[*appsv1.Deployment](t, renderPlan(t, p, render.Options{}), "shop/cart/deployment.yaml")
	if cart.Spec.Template.Spec.Affinity != nil {
		t.Errorf("affinity is %v, want none: no nodes were chosen", cart.Spec.Template.Spec.Affinity)
	}
}

// Constraints that the plan has let go of do not hold a copy back.
func TestBentConstraintsSpreadAsFarAsNodesAllow(t *testing.T) {
	constraints := []estate.Constraint{
		{Attribute: "hostname", Rule: estate.Apart, Source: "hostname UNIQUE"},
		{Attribute: "@zone", Rule: estate.Spread, Count: 3, Source: "@zone GROUP_BY 3"},
		{Attribute: "hostname", Rule: estate.In, Values: []string{"10.0.0.1"}, Source: "hostname CLUSTER 10.0.0.1"},
	}
	strict := get[*appsv1.Deployment](t, renderPlan(t, chosen("managed", constraints...), render.Options{}), "shop/cart/deployment.yaml").Spec.Template.Spec
	if strict.Affinity.PodAntiAffinity == nil || *strict.TopologySpreadConstraints[0].MinDomains != 3 || len(required(&strict)) != 2 {
		t.Errorf("constraints that hold are %v and %v, want them required", strict.Affinity, strict.TopologySpreadConstraints)
	}
	p := chosen("managed", constraints...)
	for _, k := range constraints {
		p.Survival.Bent = append(p.Survival.Bent, plan.Bent{Workload: "/shop/cart", Constraint: k.Source})
	}
	r := renderPlan(t, p, render.Options{})
	d := get[*appsv1.Deployment](t, r, "shop/cart/deployment.yaml")
	bent := d.Spec.Template.Spec
	if bent.Affinity.PodAntiAffinity != nil || len(required(&bent)) != 1 {
		t.Errorf("affinity of bent constraints is %v, want the pools alone", bent.Affinity)
	}
	var keys []string
	for _, s := range bent.TopologySpreadConstraints {
		keys = append(keys, s.TopologyKey)
		if s.MaxSkew != 1 || s.WhenUnsatisfiable != corev1.DoNotSchedule || s.MinDomains != nil {
			t.Errorf("a bent constraint is %v, want a skew of one over the places that are there", s)
		}
	}
	if want := []string{corev1.LabelHostname, corev1.LabelTopologyZone}; !slices.Equal(keys, want) {
		t.Errorf("copies spread over %v, want %v", keys, want)
	}
	if got := d.Annotations["tranship.dev/constraints"]; !strings.Contains(got, "CLUSTER 10.0.0.1") {
		t.Errorf("the constraints are kept as %q, want all of them", got)
	}
}

// A constraint that the plan only wishes for holds no copy back.
func TestWishedConstraintsHoldNothingBack(t *testing.T) {
	k := estate.Constraint{Attribute: "@zone", Rule: estate.Spread, Count: 3, Source: "@zone GROUP_BY 3"}
	p := chosen("managed", k)
	p.Survival.Bent = []plan.Bent{{Workload: "/shop/cart", Constraint: k.Source, Wish: true}}
	got := get[*appsv1.Deployment](t, renderPlan(t, p, render.Options{}), "shop/cart/deployment.yaml").Spec.Template.Spec.TopologySpreadConstraints
	if len(got) != 1 || got[0].WhenUnsatisfiable != corev1.ScheduleAnyway || got[0].MinDomains != nil {
		t.Errorf("a wish is %v, want it to be preferred", got)
	}
}

// Karpenter's own definitions take the pools, each with its class of nodes.
func TestKarpenterIsToldThePools(t *testing.T) {
	p := chosen("karpenter")
	p.Policy.Metadata.Name = "shop"
	p.Policy.Spec.Target.Image = "bottlerocket@v1.48.0"
	r := renderPlan(t, p, render.Options{})
	want := []string{
		"ec2nodeclass-default.yaml", "ec2nodeclass-pods-110.yaml", "kustomization.yaml", "nodepool-m6g-large-spot-p110.yaml", "nodepool-m6g-large.yaml",
	}
	var got []string
	for name, text := range r.files {
		if file, ok := strings.CutPrefix(name, manifest.Nodes+"/"); ok {
			got = append(got, file)
			if file != "kustomization.yaml" {
				judged(t, name, text)
			}
		}
	}
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("files (-want +got):\n%s", diff)
	}
	for file, lines := range map[string][]string{
		"nodepool-m6g-large.yaml": {
			"tranship.dev/pool: m6g-large", "mesos.attr/disk: ssd", "- m7g.large", "- arm64", "- on-demand", "- us-east-1b", `cpu: "6"`, "name: default",
		},
		"nodepool-m6g-large-spot-p110.yaml": {"- spot", "name: pods-110"},
		"ec2nodeclass-pods-110.yaml":        {"maxPods: 110", "alias: bottlerocket@v1.48.0", "role: KarpenterNodeRole-shop", "karpenter.sh/discovery: shop"},
	} {
		for _, line := range lines {
			if text := r.files[manifest.Nodes+"/"+file]; !strings.Contains(text, line) {
				t.Errorf("%s lacks %q:\n%s", file, line, text)
			}
		}
	}
	for name, text := range r.files {
		if strings.HasPrefix(name, manifest.Base) && strings.Contains(text, "NodePool") {
			t.Errorf("%s names a NodePool, want nodes apart from workloads", name)
		}
	}
}

// The autoscaler's bounds and targets are the plan's, whatever the source said.
func TestAutoscalerIsThePlans(t *testing.T) {
	p := chosen("managed")
	p.Estate.Workloads[1].Autoscale = &estate.Autoscale{Min: 1, Max: 9, CPU: 50}
	p.Sizes[1].Scale = &plan.Scale{Min: 2, Max: 6, CPU: 70, Metric: &plan.Metric{Name: "queue_depth", Target: 2.5}, Planned: 4}
	h := get[*autoscalingv2.HorizontalPodAutoscaler](t, renderPlan(t, p, render.Options{}), "shop/cart/horizontalpodautoscaler.yaml")
	if *h.Spec.MinReplicas != 2 || h.Spec.MaxReplicas != 6 || len(h.Spec.Metrics) != 2 {
		t.Fatalf("autoscaler is %+v, want 2 to 6 copies by two metrics", h.Spec)
	}
	if got := *h.Spec.Metrics[0].Resource.Target.AverageUtilization; got != 70 {
		t.Errorf("target is %d %% of CPU, want 70", got)
	}
	if m := h.Spec.Metrics[1].Pods; m == nil || m.Metric.Name != "queue_depth" || m.Target.AverageValue.String() != "2500m" {
		t.Errorf("second metric is %+v, want queue_depth at 2.5 a copy", h.Spec.Metrics[1])
	}
}

// What nobody has declared or seen is a floor to plan by, and no limit to die at.
func TestAFloorIsNoLimit(t *testing.T) {
	for _, x := range []struct {
		name     string
		declared unit.Bytes
		used     *plan.Used
		want     string
	}{
		{"unknown", 0, nil, "0"},
		{"seen", 0, &plan.Used{MemoryPeak: 20 * unit.MiB, Points: 500}, "32Mi"},
		{"declared", 16 * unit.MiB, nil, "32Mi"},
	} {
		p := chosen("managed")
		p.Estate.Workloads[1].Containers = []estate.Container{{Name: "main", Image: "registry.example/cart:1", Memory: x.declared}}
		p.Sizes[1].Containers[0] = plan.ContainerSize{Name: "main", CPU: 10, Memory: 32 * unit.MiB, Reason: plan.AtFloor, Used: x.used}
		r := get[*appsv1.Deployment](t, renderPlan(t, p, render.Options{}), "shop/cart/deployment.yaml").Spec.Template.Spec.Containers[0].Resources
		if got := r.Limits.Memory().String(); got != x.want || r.Requests.Memory().String() != "32Mi" {
			t.Errorf("%s: limit is %s of %s requested, want %s of 32Mi", x.name, got, r.Requests.Memory(), x.want)
		}
	}
}
