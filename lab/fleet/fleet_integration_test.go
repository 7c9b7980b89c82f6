//go:build integration

package fleet_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tranship/tranship/lab/cluster"
	"github.com/tranship/tranship/lab/fleet"
)

// carry carries a small plan out in a cluster of its own: four nodes of two zones, six copies of one workload and two
// of another with a disk, of which any node may be lost.
func carry(t *testing.T, change func(p map[string]any, d *appsv1.Deployment)) *fleet.Report {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	t.Cleanup(cancel)
	module, err := cluster.ModuleDir(ctx)
	if err != nil {
		t.Fatal(err)
	}
	assets, err := cluster.Build(ctx, module, cluster.CacheDir(module), t.Output())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cluster.BuildNodes(ctx, module, cluster.CacheDir(module), t.Output()); err != nil {
		t.Fatal(err)
	}
	c, err := cluster.Start(ctx, assets.Dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Stop(); err != nil {
			t.Error(err)
		}
	})
	if err := c.Schedule(ctx); err != nil {
		t.Fatal(err)
	}
	d, s := workloads()
	text := plan()
	if change != nil {
		change(text, d)
	}
	b, err := json.Marshal(text)
	if err != nil {
		t.Fatal(err)
	}
	p, err := fleet.Read(strings.NewReader(string(b)))
	if err != nil {
		t.Fatal(err)
	}
	r, err := fleet.Run(ctx, c.Config(), p, &fleet.Objects{
		Namespaces:  []*corev1.Namespace{{ObjectMeta: metav1.ObjectMeta{Name: "shop"}}},
		Deployments: []*appsv1.Deployment{d}, StatefulSets: []*appsv1.StatefulSet{s},
	}, fleet.Options{Settle: 8 * time.Second, Log: t.Output()})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func plan() map[string]any {
	var nodes []any
	for i, zone := range []string{"us-east-1a", "us-east-1a", "us-east-1b", "us-east-1b"} {
		n := map[string]any{"name": fmt.Sprintf("node-%d", i+1), "pool": "web", "zone": zone}
		switch i {
		case 0:
			n["pods"] = []any{map[string]any{"workload": "/shop/web", "count": 6}}
		case 1:
			n["pods"] = []any{map[string]any{"workload": "/shop/db", "count": 2}}
		}
		nodes = append(nodes, n)
	}
	return map[string]any{
		"pools": []any{map[string]any{
			"name": "web", "type": "m6a.large", "arch": "amd64",
			"allocatable": map[string]any{"cpu": "1930m", "memory": "7Gi", "pods": 29, "volumes": 25},
			"system":      map[string]any{"cpu": "250m", "memory": "512Mi", "pods": 3},
		}},
		"nodes": nodes,
		"sizes": []any{
			map[string]any{"workload": "/shop/web", "replicas": 6}, map[string]any{"workload": "/shop/db", "replicas": 2},
		},
		"survival": map[string]any{"level": "node", "reached": "node", "cost": 0.2, "bound": 0.2},
		"ledger":   []any{},
	}
}

func workloads() (*appsv1.Deployment, *appsv1.StatefulSet) {
	template := func(name string, cpu string) corev1.PodTemplateSpec {
		return corev1.PodTemplateSpec{
			ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": name}},
			Spec: corev1.PodSpec{
				Containers: []corev1.Container{{Name: name, Image: "lab.invalid/" + name, Resources: corev1.ResourceRequirements{
					Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse(cpu), corev1.ResourceMemory: resource.MustParse("256Mi")},
				}}},
				Affinity: &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{
					NodeSelectorTerms: []corev1.NodeSelectorTerm{{MatchExpressions: []corev1.NodeSelectorRequirement{
						{Key: "tranship.dev/pool", Operator: corev1.NodeSelectorOpIn, Values: []string{"web"}},
					}}},
				}}},
			},
		}
	}
	meta := func(name string) metav1.ObjectMeta {
		return metav1.ObjectMeta{Namespace: "shop", Name: name, Annotations: map[string]string{"tranship.dev/workload": "/shop/" + name}}
	}
	selector := func(name string) *metav1.LabelSelector {
		return &metav1.LabelSelector{MatchLabels: map[string]string{"app": name}}
	}
	d := &appsv1.Deployment{ObjectMeta: meta("web"), Spec: appsv1.DeploymentSpec{Selector: selector("web"), Template: template("web", "500m")}}
	s := &appsv1.StatefulSet{ObjectMeta: meta("db"), Spec: appsv1.StatefulSetSpec{
		Selector: selector("db"), Template: template("db", "300m"), ServiceName: "db", PodManagementPolicy: appsv1.ParallelPodManagement,
		VolumeClaimTemplates: []corev1.PersistentVolumeClaim{{
			ObjectMeta: metav1.ObjectMeta{Name: "data"},
			Spec: corev1.PersistentVolumeClaimSpec{
				AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce}, StorageClassName: new("gp3"),
				Resources: corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")}},
			},
		}},
	}}
	return d, s
}

// A plan with room for what any lost node ran is carried out, and every loss survived.
func TestSoundPlanIsCarriedOut(t *testing.T) {
	r := carry(t, nil)
	survived, stranded := r.Survived()
	if !r.Good() || r.Pods != 8 || r.System != 12 || survived != 4 || len(r.Losses) != 4 || stranded != 0 {
		t.Errorf("Run = %+v, want 8 pods and 12 of the cluster's own on 4 nodes, and 4 losses survived", r)
	}
}

// Without one of its nodes the plan leaves pods pending, and the judge says how many and why.
func TestPlanThatLacksANodeIsFound(t *testing.T) {
	r := carry(t, func(p map[string]any, d *appsv1.Deployment) {
		nodes := p["nodes"].([]any)
		p["nodes"] = nodes[:2]
		d.Spec.Template.Spec.Containers[0].Resources.Requests[corev1.ResourceCPU] = resource.MustParse("600m")
	})
	if r.Good() || r.Pending != 2 || len(r.Why) == 0 || !strings.Contains(r.Why[0], "Insufficient cpu") {
		t.Errorf("Run without two nodes = %+v, want 2 pods pending for lack of CPU", r)
	}
}

// A plan that holds all pods but no loss is found out by the loss.
func TestPlanThatCannotLoseANodeIsFound(t *testing.T) {
	r := carry(t, func(_ map[string]any, d *appsv1.Deployment) {
		d.Spec.Template.Spec.Containers[0].Resources.Requests[corev1.ResourceCPU] = resource.MustParse("800m")
	})
	if _, stranded := r.Survived(); r.Good() || r.Pending != 0 || stranded == 0 {
		t.Errorf("Run of a tight plan = %+v, want all pods to run at first and some stranded by a loss", r)
	}
}
