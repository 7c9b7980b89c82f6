package manifest

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strings"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/api/validation/path"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/plan"
	"github.com/tranship/tranship/internal/render/manifest/cluster"
	"github.com/tranship/tranship/internal/render/manifest/naming"
	"github.com/tranship/tranship/internal/render/manifest/pod"
)

// budget writes how many copies may be taken away at once: one, where there
// are more.
func (k *work) budget() {
	n := k.c.Replicas(k.w)
	if s := k.scale(); s != nil {
		n = s.Min
	}
	if k.w.Kind != estate.Service || n < 2 || k.c.Policy.Spec.Pods.DisruptionBudget == "none" {
		return
	}
	b := &policyv1.PodDisruptionBudget{
		TypeMeta: metav1.TypeMeta{APIVersion: "policy/v1", Kind: "PodDisruptionBudget"}, ObjectMeta: k.meta(k.place.Name),
		Spec: policyv1.PodDisruptionBudgetSpec{
			MaxUnavailable: new(intstr.FromInt32(1)), Selector: &metav1.LabelSelector{MatchLabels: k.pod.Selector},
		},
	}
	if k.c.Version.EvictsUnhealthy() {
		b.Spec.UnhealthyPodEvictionPolicy = new(policyv1.AlwaysAllow)
	}
	k.files.budget = k.put("PodDisruptionBudget", "poddisruptionbudget", b)
}

// scale gives the bounds between which copies are counted by load, nil if
// their number is fixed: as the plan has them, or else as policy or the source
// says.
func (k *work) scale() *plan.Scale {
	if k.w.Kind != estate.Service || k.w.Singleton {
		return nil
	}
	var s *plan.Scale
	if size := k.c.Size(k.w.ID); size != nil && size.Scale != nil {
		s = size.Scale
	} else if a := k.c.Policy.For(k.w.ID).Autoscale; a != nil {
		s = &plan.Scale{Min: a.Min, Max: a.Max, CPU: a.CPU, Memory: a.Memory}
		if m := a.Metric; m != nil {
			s.Metric = &plan.Metric{Name: m.Name, Target: m.Target}
		}
	} else if a := k.w.Autoscale; a != nil {
		s = &plan.Scale{Min: a.Min, Max: a.Max, CPU: a.CPU, Memory: a.Memory}
	}
	if s == nil || s.Max < 1 || s.CPU <= 0 && s.Memory <= 0 && !follows(s.Metric) {
		return nil
	}
	return s
}

// follows reports whether a metric can be asked for: it has a name and a target
// of at least a thousandth.
func follows(m *plan.Metric) bool {
	return m != nil && m.Name != "" && len(path.IsValidPathSegmentName(m.Name)) == 0 && m.Target >= 0.001 && m.Target <= 1e12
}

func (k *work) autoscaler() {
	s := k.scale()
	if a := k.w.Autoscale; a != nil && (s == nil || len(a.Other) > 0) {
		k.c.Warn(k.w, cluster.AutoscalerLost, "was scaled by "+strings.Join(a.Other, ", ")+": a HorizontalPodAutoscaler knows processors and memory alone",
			"set spec.workloads."+string(k.w.ID)+".autoscale, or scale by a metric of its own")
	}
	if s == nil {
		return
	}
	h := &autoscalingv2.HorizontalPodAutoscaler{
		TypeMeta: metav1.TypeMeta{APIVersion: "autoscaling/v2", Kind: "HorizontalPodAutoscaler"}, ObjectMeta: k.meta(k.place.Name),
		Spec: autoscalingv2.HorizontalPodAutoscalerSpec{
			ScaleTargetRef: autoscalingv2.CrossVersionObjectReference{APIVersion: "apps/v1", Kind: "Deployment", Name: k.place.Name},
			MinReplicas:    new(int32(min(max(s.Min, 1), s.Max, math.MaxInt32))), MaxReplicas: int32(min(s.Max, math.MaxInt32)),
		},
	}
	if cluster.IsStateful(k.w) {
		h.Spec.ScaleTargetRef.Kind = "StatefulSet"
	}
	for _, m := range []struct {
		name    corev1.ResourceName
		percent int
	}{{corev1.ResourceCPU, s.CPU}, {corev1.ResourceMemory, s.Memory}} {
		if m.percent > 0 {
			h.Spec.Metrics = append(h.Spec.Metrics, autoscalingv2.MetricSpec{
				Type: autoscalingv2.ResourceMetricSourceType, Resource: &autoscalingv2.ResourceMetricSource{
					Name:   m.name,
					Target: autoscalingv2.MetricTarget{Type: autoscalingv2.UtilizationMetricType, AverageUtilization: new(int32(min(m.percent, 10000)))},
				},
			})
		}
	}
	if m := s.Metric; follows(m) {
		h.Spec.Metrics = append(h.Spec.Metrics, autoscalingv2.MetricSpec{
			Type: autoscalingv2.PodsMetricSourceType, Pods: &autoscalingv2.PodsMetricSource{
				Metric: autoscalingv2.MetricIdentifier{Name: m.Name},
				Target: autoscalingv2.MetricTarget{
					Type: autoscalingv2.AverageValueMetricType, AverageValue: resource.NewMilliQuantity(int64(math.Round(m.Target*1000)), resource.DecimalSI),
				},
			},
		})
	}
	k.files.autoscaler = k.put("HorizontalPodAutoscaler", "horizontalpodautoscaler", h)
}

// around writes what is not of one workload: the edge, namespaces, the tree.
func (r *renderer) around() error {
	if len(r.opts.Only) > 0 {
		return nil
	}
	for _, g := range r.gateways.Finish() {
		f := r.folder(g.Namespace, g.Folder, "the edge\nWritten by tranship: changes belong into an overlay.")
		for _, o := range g.Objects {
			r.route(o, f.put(o.Kind, o.File, o.Body))
		}
		if err := f.close(); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.spaces)) {
		if err := r.namespace(name, r.spaces[name]); err != nil {
			return err
		}
	}
	if err := r.nodePools(); err != nil {
		return err
	}
	return r.tree()
}

// priorities writes the classes of pods that give way to others, and gives their
// files. They are never the default of pods that have none.
func (r *renderer) priorities() ([]string, error) {
	f := &folder{r: r, dir: Base, comment: "what gives way to what\nWritten by tranship: changes belong into an overlay."}
	for _, p := range r.c.Plan.Priorities {
		f.put("PriorityClass", "priorityclass-"+p.Name, &schedulingv1.PriorityClass{
			TypeMeta:   metav1.TypeMeta{APIVersion: "scheduling.k8s.io/v1", Kind: "PriorityClass"},
			ObjectMeta: metav1.ObjectMeta{Name: p.Name, Labels: ownLabels(p.Name)}, Value: int32(p.Value), Description: p.Why,
		})
	}
	return f.names, f.err
}

// namespace writes a namespace with the bounds that it had as a group or role.
func (r *renderer) namespace(name string, s *space) error {
	f := &folder{r: r, dir: Base + "/" + name, comment: "Written by tranship: changes belong into an overlay."}
	if name != "default" {
		level := "baseline"
		if s.privileged {
			level = "privileged"
		}
		f.put("Namespace", "namespace", &corev1.Namespace{
			TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Namespace"},
			ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{
				"app.kubernetes.io/managed-by": "tranship", "pod-security.kubernetes.io/enforce": level,
			}},
		})
	}
	names := naming.Set{}
	for i := range r.c.Estate.Quotas {
		q := &r.c.Estate.Quotas[i]
		if hard := hard(q); len(hard) > 0 && (s.roles[q.Role] || q.Role == name) {
			object := names.Take(dns("role-"+q.Role), q.Role, naming.Label)
			file := f.put("ResourceQuota", "resourcequota-"+object, &corev1.ResourceQuota{
				TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "ResourceQuota"},
				ObjectMeta: metav1.ObjectMeta{
					Name: object, Namespace: name, Labels: ownLabels(object), Annotations: map[string]string{cluster.Prefix + "role": q.Role},
				},
				Spec: corev1.ResourceQuotaSpec{Hard: hard},
			})
			r.quota = cmp.Or(r.quota, file)
		}
	}
	if f.err != nil {
		return f.err
	}
	return r.kustomization(f.dir, append(f.names, s.folders...))
}

func hard(q *estate.Quota) corev1.ResourceList {
	out := corev1.ResourceList{}
	if q.CPU > 0 {
		out[corev1.ResourceRequestsCPU] = pod.CPU(q.CPU)
	}
	if q.Memory > 0 {
		out[corev1.ResourceRequestsMemory] = pod.Bytes(q.Memory)
	}
	if q.Disk > 0 {
		out[corev1.ResourceRequestsEphemeralStorage] = pod.Bytes(q.Disk)
	}
	if q.GPUs > 0 {
		out["requests.nvidia.com/gpu"] = pod.Count(q.GPUs)
	}
	return out
}
