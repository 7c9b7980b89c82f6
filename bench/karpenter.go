// Command bench packs the same pods at the same prices with tranship and with
// Karpenter's own scheduler, side by side in one run, and says what each costs.
//
//	go run . [-catalog FILE] [-tranship BIN] [-n 50,500,5000] [-seeds 3]
package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/record"
	"k8s.io/utils/clock"
	fakecr "sigs.k8s.io/controller-runtime/pkg/client/fake"

	v1 "sigs.k8s.io/karpenter/pkg/apis/v1"
	"sigs.k8s.io/karpenter/pkg/cloudprovider"
	"sigs.k8s.io/karpenter/pkg/cloudprovider/fake"
	"sigs.k8s.io/karpenter/pkg/controllers/provisioning/scheduling"
	"sigs.k8s.io/karpenter/pkg/controllers/state"
	"sigs.k8s.io/karpenter/pkg/events"
	"sigs.k8s.io/karpenter/pkg/operator/injection"
	"sigs.k8s.io/karpenter/pkg/operator/options"
	karpenterscheduling "sigs.k8s.io/karpenter/pkg/scheduling"
	"sigs.k8s.io/karpenter/pkg/test"

	"github.com/tranship/tranship/internal/base/binpack/packtest"
)

// maxTypes is how many of the cheapest types Karpenter asks the cloud for; the
// cheapest of them is bought.
const maxTypes = 600

// karpenter has Karpenter's own scheduler choose nodes for the pods, as its
// provisioner does for pods that are all pending at once: one NodePool, on
// demand, no disruption afterwards. It gives dollars an hour.
func karpenter(set packtest.Set, nodes []packtest.Node) (answer, error) {
	ctx := options.ToContext(injection.WithControllerName(context.Background(), "provisioner"), test.Options())
	pool := test.NodePool(v1.NodePool{Spec: v1.NodePoolSpec{Limits: v1.Limits{
		corev1.ResourceCPU: resource.MustParse("10000000"), corev1.ResourceMemory: resource.MustParse("10000000Gi"),
	}}})
	its := map[string][]*cloudprovider.InstanceType{pool.Name: instanceTypes(nodes)}
	cloud := fake.NewCloudProvider()
	cloud.InstanceTypes = its[pool.Name]
	client := fakecr.NewFakeClient()
	cluster := state.NewCluster(&clock.RealClock{}, client, cloud)
	pending := workload(set.Pods)

	start := time.Now()
	topology, err := scheduling.NewTopology(ctx, client, cluster, nil, []*v1.NodePool{pool}, its, pending)
	if err != nil {
		return answer{}, fmt.Errorf("make Karpenter's topology: %w", err)
	}
	s := scheduling.NewScheduler(ctx, client, []*v1.NodePool{pool}, cluster, nil, topology, its, daemons(set.Daemonset),
		events.NewRecorder(&record.FakeRecorder{}), &clock.RealClock{}, nil, nil, scheduling.NumConcurrentReconciles(2))
	results, err := s.Solve(ctx, pending)
	if err != nil {
		return answer{}, fmt.Errorf("run Karpenter's scheduler: %w", err)
	}
	results = results.TruncateInstanceTypes(ctx, maxTypes)
	took := time.Since(start)

	out := answer{Seconds: took.Seconds(), Left: len(results.PodErrors)}
	for _, claim := range results.NewNodeClaims {
		out.Nodes++
		out.Cost += cheapest(claim.InstanceTypeOptions)
	}
	return out, nil
}

func cheapest(its []*cloudprovider.InstanceType) float64 {
	best := -1.0
	for _, it := range its {
		for _, o := range it.Offerings {
			if best < 0 || o.Price < best {
				best = o.Price
			}
		}
	}
	return max(best, 0)
}

// instanceTypes gives types whose capacity is what a node has for pods, without
// further overhead: both sides count with the same room.
func instanceTypes(nodes []packtest.Node) []*cloudprovider.InstanceType {
	out := make([]*cloudprovider.InstanceType, 0, len(nodes))
	for _, n := range nodes {
		it := fake.NewInstanceType(n.Name, fake.WithArchitecture(n.Arch),
			fake.WithResources(corev1.ResourceList{
				corev1.ResourceCPU:    *resource.NewMilliQuantity(n.CPUMilli, resource.DecimalSI),
				corev1.ResourceMemory: *resource.NewQuantity(n.MemMiB<<20, resource.BinarySI),
				corev1.ResourcePods:   *resource.NewQuantity(n.Pods, resource.DecimalSI),
			}),
			fake.WithOfferings(cloudprovider.Offering{
				Available: true, Price: float64(n.Price) / 1e6,
				Requirements: karpenterscheduling.NewLabelRequirements(map[string]string{
					v1.CapacityTypeLabelKey: v1.CapacityTypeOnDemand, corev1.LabelTopologyZone: "test-zone-1",
				}),
			}))
		it.Overhead = &cloudprovider.InstanceTypeOverhead{}
		out = append(out, it)
	}
	return out
}

func workload(pods []packtest.Pod) []*corev1.Pod {
	var out []*corev1.Pod
	for _, p := range pods {
		for i := range p.Replicas {
			out = append(out, requesting(fmt.Sprintf("%s-%d", strings.ToLower(p.Name), i), p.CPUMilli, p.MemMiB<<20))
		}
	}
	return out
}

// daemons splits the system's share of a node over as many pods as it says.
func daemons(s packtest.Daemonset) []*corev1.Pod {
	var out []*corev1.Pod
	for i := range s.Pods {
		share := func(total int64) int64 { return total*(i+1)/s.Pods - total*i/s.Pods }
		out = append(out, requesting(fmt.Sprintf("daemon-%d", i), share(s.CPUMilli), share(s.MemMiB<<20)))
	}
	return out
}

func requesting(name string, milli, bytes int64) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "default", UID: types.UID(name)},
		Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "main", Resources: corev1.ResourceRequirements{
			Requests: corev1.ResourceList{
				corev1.ResourceCPU:    *resource.NewMilliQuantity(milli, resource.DecimalSI),
				corev1.ResourceMemory: *resource.NewQuantity(bytes, resource.BinarySI),
			},
		}}}},
		Status: corev1.PodStatus{Phase: corev1.PodPending, Conditions: []corev1.PodCondition{{
			Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: corev1.PodReasonUnschedulable,
		}}},
	}
}
