package fleet

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/component-helpers/scheduling/corev1/nodeaffinity"

	"github.com/tranship/tranship/lab/cluster"
)

const (
	poolLabel = "tranship.dev/pool"
	gpu       = corev1.ResourceName("nvidia.com/gpu")
	diskDrive = "ebs.csi.aws.com"
	system    = "kube-system"
)

func count(n int64) resource.Quantity { return *resource.NewQuantity(n, resource.DecimalSI) }

// prepare makes what is there before the first workload: nodes, the cluster's own pods on them, classes of disks.
func (f *fleet) prepare(ctx context.Context) error {
	start := time.Now()
	if err := f.nodes(ctx, nil); err != nil {
		return err
	}
	if err := f.namespaces(ctx); err != nil {
		return err
	}
	if err := f.classes(ctx); err != nil {
		return err
	}
	for i := range f.plan.Pools {
		if err := f.daemons(ctx, &f.plan.Pools[i]); err != nil {
			return err
		}
	}
	for _, d := range f.objects.DaemonSets {
		if _, err := f.client.AppsV1().DaemonSets(d.Namespace).Create(ctx, d, metav1.CreateOptions{}); err != nil {
			return fmt.Errorf("apply DaemonSet %s: %w", d.Name, err)
		}
	}
	for i := range f.plan.Nodes {
		n := &f.plan.Nodes[i]
		for _, d := range f.objects.DaemonSets {
			runs, err := nodeaffinity.GetRequiredNodeAffinity(&corev1.Pod{Spec: d.Spec.Template.Spec}).Match(f.object(n))
			if err != nil {
				return fmt.Errorf("read where DaemonSet %s runs: %w", d.Name, err)
			}
			if runs {
				f.system[n.Name]++
			}
		}
	}
	want := f.want
	f.want = 0
	state, err := f.settle(ctx)
	f.want = want
	if err == nil && state.pending > 0 {
		err = fmt.Errorf("start the cluster's own pods: %d found no place: %v", state.pending, state.why)
	}
	f.log("%d nodes are ready with their own pods after %v", len(f.plan.Nodes), time.Since(start).Round(time.Millisecond))
	return err
}

// nodes makes the nodes of the plan, or those of them that are named, and waits until they are ready.
func (f *fleet) nodes(ctx context.Context, only map[string]bool) error {
	var g errgroup.Group
	g.SetLimit(16)
	wanted := map[string]bool{}
	for i := range f.plan.Nodes {
		n := &f.plan.Nodes[i]
		if only != nil && !only[n.Name] {
			continue
		}
		wanted[n.Name] = true
		g.Go(func() error { return f.node(ctx, n) })
	}
	if err := g.Wait(); err != nil {
		return err
	}
	err := wait.PollUntilContextTimeout(ctx, 200*time.Millisecond, 2*time.Minute, true, func(ctx context.Context) (bool, error) {
		list, err := f.client.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
		if err != nil {
			return false, err
		}
		ready := 0
		for _, n := range list.Items {
			if wanted[n.Name] && len(n.Spec.Taints) == f.taints(n.Labels[poolLabel]) && slices.ContainsFunc(n.Status.Conditions, func(c corev1.NodeCondition) bool {
				return c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue
			}) {
				ready++
			}
		}
		return ready == len(wanted), nil
	})
	if err != nil {
		return fmt.Errorf("wait for nodes to be ready: %w", err)
	}
	return nil
}

func (f *fleet) taints(pool string) int {
	if p := f.plan.pool(pool); p != nil {
		return len(p.Taints)
	}
	return 0
}

// object is a node as its kubelet would register it.
func (f *fleet) object(n *Node) *corev1.Node {
	p := f.plan.pool(n.Pool)
	labels := map[string]string{
		corev1.LabelHostname: n.Name, corev1.LabelOSStable: "linux", corev1.LabelArchStable: p.Arch,
		corev1.LabelInstanceTypeStable: p.Type, poolLabel: p.Name,
	}
	if n.Zone != "" {
		labels[corev1.LabelTopologyZone] = n.Zone
		labels[corev1.LabelTopologyRegion] = strings.TrimRight(n.Zone, "abcdef")
	}
	for k, v := range p.Labels {
		labels[k] = v
	}
	room := allocatable(p)
	x := &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: n.Name, Labels: labels, Annotations: map[string]string{cluster.FakeNode: "fake"}},
		Status:     corev1.NodeStatus{Allocatable: room, Capacity: room, NodeInfo: corev1.NodeSystemInfo{Architecture: p.Arch, OperatingSystem: "linux"}},
	}
	for _, t := range p.Taints {
		x.Spec.Taints = append(x.Spec.Taints, corev1.Taint{Key: t.Key, Value: t.Value, Effect: corev1.TaintEffect(t.Effect)})
	}
	return x
}

func (f *fleet) node(ctx context.Context, n *Node) error {
	p := f.plan.pool(n.Pool)
	if _, err := f.client.CoreV1().Nodes().Create(ctx, f.object(n), metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("make node %s: %w", n.Name, err)
	}
	drive := &storagev1.CSINode{ObjectMeta: metav1.ObjectMeta{Name: n.Name}, Spec: storagev1.CSINodeSpec{Drivers: []storagev1.CSINodeDriver{{
		Name: diskDrive, NodeID: n.Name, TopologyKeys: []string{corev1.LabelTopologyZone},
	}}}}
	if p.Allocatable.Volumes > 0 {
		drive.Spec.Drivers[0].Allocatable = &storagev1.VolumeNodeResources{Count: new(int32(p.Allocatable.Volumes))}
	}
	if _, err := f.client.StorageV1().CSINodes().Create(ctx, drive, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("make node %s: %w", n.Name, err)
	}
	return nil
}

// daemons stand for the cluster's own DaemonSets: as many pods on each node of a pool as the plan counts, which take
// together what the plan says. What the estate's own DaemonSets take is in the plan's number, and taken off here.
func (f *fleet) daemons(ctx context.Context, p *Pool) error {
	cpu, memory, n := p.System.CPU.DeepCopy(), p.System.Memory.DeepCopy(), p.System.Pods
	for _, d := range f.objects.DaemonSets {
		r := requests(&d.Spec.Template.Spec)
		cpu.Sub(r[corev1.ResourceCPU])
		memory.Sub(r[corev1.ResourceMemory])
		n--
	}
	for i := range max(n, 0) {
		name := fmt.Sprintf("system-%s-%d", p.Name, i+1)
		labels := map[string]string{"lab": name}
		container := corev1.Container{Name: "system", Image: "lab.invalid/system"}
		if i == 0 {
			container.Resources.Requests = corev1.ResourceList{}
			if cpu.Sign() > 0 {
				container.Resources.Requests[corev1.ResourceCPU] = cpu
			}
			if memory.Sign() > 0 {
				container.Resources.Requests[corev1.ResourceMemory] = memory
			}
		}
		d := &appsv1.DaemonSet{
			ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: system},
			Spec: appsv1.DaemonSetSpec{
				Selector: &metav1.LabelSelector{MatchLabels: labels},
				Template: corev1.PodTemplateSpec{
					ObjectMeta: metav1.ObjectMeta{Labels: labels},
					Spec: corev1.PodSpec{
						NodeSelector: map[string]string{poolLabel: p.Name}, PriorityClassName: "system-node-critical",
						Tolerations: []corev1.Toleration{{Operator: corev1.TolerationOpExists}}, Containers: []corev1.Container{container},
						TerminationGracePeriodSeconds: new(int64(0)),
					},
				},
			},
		}
		if _, err := f.client.AppsV1().DaemonSets(system).Create(ctx, d, metav1.CreateOptions{}); err != nil {
			return fmt.Errorf("make the cluster's own pods: %w", err)
		}
		for _, x := range f.plan.Nodes {
			if x.Pool == p.Name {
				f.system[x.Name]++
			}
		}
	}
	return nil
}

func (f *fleet) namespaces(ctx context.Context) error {
	own := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "default"}}
	for _, n := range append([]*corev1.Namespace{own, {ObjectMeta: metav1.ObjectMeta{Name: system}}}, f.objects.Namespaces...) {
		if _, err := f.client.CoreV1().Namespaces().Create(ctx, n, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
			return fmt.Errorf("make namespace %s: %w", n.Name, err)
		}
	}
	return nil
}

// apply applies the workloads in the order in which they stand in the folder.
func (f *fleet) apply(ctx context.Context) error {
	for _, p := range f.objects.Priorities {
		if _, err := f.client.SchedulingV1().PriorityClasses().Create(ctx, p, metav1.CreateOptions{}); err != nil {
			return fmt.Errorf("apply PriorityClass %s: %w", p.Name, err)
		}
	}
	for _, b := range f.objects.Budgets {
		if _, err := f.client.PolicyV1().PodDisruptionBudgets(b.Namespace).Create(ctx, b, metav1.CreateOptions{}); err != nil {
			return fmt.Errorf("apply PodDisruptionBudget %s: %w", b.Name, err)
		}
	}
	for _, v := range f.objects.Volumes {
		if _, err := f.client.CoreV1().PersistentVolumes().Create(ctx, v, metav1.CreateOptions{}); err != nil {
			return fmt.Errorf("apply PersistentVolume %s: %w", v.Name, err)
		}
	}
	for _, c := range f.objects.Claims {
		if _, err := f.client.CoreV1().PersistentVolumeClaims(c.Namespace).Create(ctx, c, metav1.CreateOptions{}); err != nil {
			return fmt.Errorf("apply PersistentVolumeClaim %s: %w", c.Name, err)
		}
	}
	for _, d := range f.objects.Deployments {
		if _, err := f.client.AppsV1().Deployments(d.Namespace).Create(ctx, d, metav1.CreateOptions{}); err != nil {
			return fmt.Errorf("apply Deployment %s: %w", d.Name, err)
		}
	}
	for _, s := range f.objects.StatefulSets {
		if _, err := f.client.AppsV1().StatefulSets(s.Namespace).Create(ctx, s, metav1.CreateOptions{}); err != nil {
			return fmt.Errorf("apply StatefulSet %s: %w", s.Name, err)
		}
	}
	return nil
}
