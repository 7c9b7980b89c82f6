package manifest

import (
	"cmp"
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/render/manifest/cluster"
	"github.com/tranship/tranship/internal/render/manifest/pod"
)

// A work is one workload on its way into files.
type work struct {
	*folder
	c     *cluster.Cluster
	w     *estate.Workload
	place cluster.Place
	pod   pod.Template
	files *files
}

func (r *renderer) workload(w *estate.Workload) error {
	place := r.c.Place(w.ID)
	k := &work{
		folder: r.folder(place.Namespace, place.Name, header(w)), c: r.c, w: w, place: place,
		pod: pod.Build(r.c, w), files: &files{containers: len(w.Containers)},
	}
	r.files[w.ID] = k.files
	s := r.space(place.Namespace)
	s.privileged = s.privileged || k.pod.Privileged
	if w.Role != "" {
		s.roles[w.Role] = true
	}
	k.facts()
	k.account()
	k.configs()
	k.secrets()
	k.claims()
	k.runner()
	k.services()
	k.budget()
	k.autoscaler()
	k.policies()
	if k.err == nil {
		for _, o := range r.gateways.Add(w) {
			file := k.put(o.Kind, o.File, o.Body)
			r.route(o, file)
			k.files.route = cmp.Or(file, k.files.route)
		}
	}
	r.source(w.Origin.File).add(k)
	return k.close()
}

func header(w *estate.Workload) string {
	return "workload " + string(w.ID) + ", from " + w.Origin.File + "#" + w.Origin.Pointer +
		"\nWritten by tranship: changes belong into an overlay."
}

// meta gives an object's metadata.
func (k *work) meta(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Name: name, Namespace: k.place.Namespace, Labels: ownLabels(k.place.Name)}
}

func ownLabels(name string) map[string]string {
	return map[string]string{cluster.NameLabel: name, "app.kubernetes.io/managed-by": "tranship"}
}

// facts gathers the annotations of the workload's own object.
func (k *work) facts() {
	f, w := k.pod.Facts, k.w
	f.Set("workload", string(w.ID))
	f.JSON("depends-on", w.DependsOn)
	f.JSON("networks", w.Networks)
	f.JSON("blue-green", w.BlueGreen)
	if g := string(w.Group); g != "" && !strings.HasPrefix(string(w.ID), strings.TrimSuffix(g, "/")+"/") {
		f.Set("group", g)
	}
	if u := w.Update; u != nil && (u.Monitor != 0 || u.Delay != 0 || u.MinHealthy != 1 || u.MaxOver != 1) {
		f.JSON("update", u)
	}
	if a := w.Autoscale; a != nil {
		f.JSON("autoscale", a)
	}
	if k.scale() != nil {
		f.JSON("replicas", w.Replicas) // where the autoscaler began
	}
}

// annotationLimit is how many bytes all annotations of an object may have.
const annotationLimit = 256 << 10

// annotations gives the workload's facts and its source labels. A label whose
// key Kubernetes does not take is kept in one annotation with all such.
func (k *work) annotations() map[string]string {
	out := map[string]string{}
	odd := map[string]string{}
	for key, value := range k.w.Labels {
		if legalAnnotation(key) {
			out[key] = value
		} else {
			odd[key] = value
		}
	}
	if len(odd) > 0 {
		if b, err := json.Marshal(odd); err == nil {
			out[cluster.Prefix+"source-labels"] = string(b)
		}
	}
	if k.w.Description != "" {
		out["kubernetes.io/description"] = k.w.Description
	}
	maps.Copy(out, k.pod.Facts)
	k.shorten(out)
	return out
}

// shorten takes out the longest annotations while all are too long together.
func (k *work) shorten(m map[string]string) {
	total := 0
	for key, value := range m {
		total += len(key) + len(value)
	}
	for total > annotationLimit-1024 {
		longest := ""
		for _, key := range slices.Sorted(maps.Keys(m)) {
			if len(m[key]) > len(m[longest]) || longest == "" {
				longest = key
			}
		}
		total -= len(longest) + len(m[longest])
		delete(m, longest)
		k.c.Warn(k.w, cluster.LabelsTooLong, "has labels that are longer than an object's annotations may be: "+longest+" is left out",
			"keep it in a ConfigMap")
	}
}

// runner writes what keeps the copies running.
func (k *work) runner() {
	meta := k.meta(k.place.Name)
	maps.Copy(meta.Labels, labelsUnder(meta.Labels, pod.OwnLabels(k.w)))
	meta.Annotations = k.annotations()
	switch {
	case k.w.Kind == estate.Daemon:
		k.files.workload, k.files.template = k.put("DaemonSet", "daemonset", k.daemon(meta)), "spec.template"
	case k.w.Run != nil:
		k.jobs(meta)
	case cluster.IsStateful(k.w):
		k.files.claims = true
		k.files.workload, k.files.template = k.put("StatefulSet", "statefulset", k.stateful(meta)), "spec.template"
	default:
		k.files.workload, k.files.template = k.put("Deployment", "deployment", k.deployment(meta)), "spec.template"
	}
}

// labelsUnder gives those of more that do not take a key of own.
func labelsUnder(own, more map[string]string) map[string]string {
	out := map[string]string{}
	for key, value := range more {
		if _, taken := own[key]; !taken {
			out[key] = value
		}
	}
	return out
}

func (k *work) replicas() *int32 {
	if k.scale() != nil {
		return nil // the autoscaler's
	}
	return new(int32(min(k.c.Replicas(k.w), math.MaxInt32)))
}

func (k *work) deployment(meta metav1.ObjectMeta) *appsv1.Deployment {
	d := &appsv1.Deployment{
		TypeMeta: metav1.TypeMeta{APIVersion: "apps/v1", Kind: "Deployment"}, ObjectMeta: meta,
		Spec: appsv1.DeploymentSpec{
			Replicas: k.replicas(), Selector: &metav1.LabelSelector{MatchLabels: k.pod.Selector}, Template: k.pod.Spec,
			Strategy: Strategy(k.w, k.c.Replicas(k.w)),
		},
	}
	if u := k.w.Update; u != nil && u.Delay > 0 {
		d.Spec.MinReadySeconds = int32(pod.Seconds(u.Delay))
		if d.Spec.MinReadySeconds >= 600 { // the default deadline must be longer
			d.Spec.ProgressDeadlineSeconds = new(int32(min(int64(d.Spec.MinReadySeconds)+600, math.MaxInt32)))
			d.Spec.MinReadySeconds = min(d.Spec.MinReadySeconds, math.MaxInt32-1)
		}
	}
	return d
}

// Strategy says how copies are replaced, in whole numbers, as Marathon counted
// them; it never says that nothing may move.
func Strategy(w *estate.Workload, replicas int) appsv1.DeploymentStrategy {
	u := w.Update
	if u == nil {
		u = &estate.Update{MinHealthy: 1, MaxOver: 1}
	}
	unavailable, surge := counts(u, replicas)
	if w.Singleton || replicas == 1 && u.Parallel == 0 && u.MinHealthy == 0 && u.MaxOver == 0 {
		return appsv1.DeploymentStrategy{Type: appsv1.RecreateDeploymentStrategyType}
	}
	return appsv1.DeploymentStrategy{
		Type: appsv1.RollingUpdateDeploymentStrategyType,
		RollingUpdate: &appsv1.RollingUpdateDeployment{
			MaxUnavailable: new(intstr.FromInt32(unavailable)), MaxSurge: new(intstr.FromInt32(surge)),
		},
	}
}

// counts gives how many copies may be missing and how many may be too many.
func counts(u *estate.Update, replicas int) (unavailable, surge int32) {
	n := float64(max(replicas, 0))
	if u.Parallel > 0 {
		p := int32(min(u.Parallel, math.MaxInt32))
		if u.StartFirst {
			return 0, p
		}
		return p, 0
	}
	const dust = 1e-9 // of binary fractions
	unavailable = int32(math.Max(0, math.Min(n-math.Ceil(n*u.MinHealthy-dust), math.MaxInt32)))
	surge = int32(math.Max(0, math.Min(math.Floor(n*u.MaxOver+dust), math.MaxInt32)))
	if unavailable == 0 && surge == 0 {
		surge = 1
	}
	return unavailable, surge
}

func (k *work) daemon(meta metav1.ObjectMeta) *appsv1.DaemonSet {
	unavailable := int32(1)
	if u := k.w.Update; u != nil && u.Parallel > 0 {
		unavailable = int32(min(u.Parallel, math.MaxInt32))
	}
	return &appsv1.DaemonSet{
		TypeMeta: metav1.TypeMeta{APIVersion: "apps/v1", Kind: "DaemonSet"}, ObjectMeta: meta,
		Spec: appsv1.DaemonSetSpec{
			Selector: &metav1.LabelSelector{MatchLabels: k.pod.Selector}, Template: k.pod.Spec,
			UpdateStrategy: appsv1.DaemonSetUpdateStrategy{
				Type:          appsv1.RollingUpdateDaemonSetStrategyType,
				RollingUpdate: &appsv1.RollingUpdateDaemonSet{MaxUnavailable: new(intstr.FromInt32(unavailable))},
			},
		},
	}
}

func (k *work) stateful(meta metav1.ObjectMeta) *appsv1.StatefulSet {
	s := &appsv1.StatefulSet{
		TypeMeta: metav1.TypeMeta{APIVersion: "apps/v1", Kind: "StatefulSet"}, ObjectMeta: meta,
		Spec: appsv1.StatefulSetSpec{
			Replicas: k.replicas(), Selector: &metav1.LabelSelector{MatchLabels: k.pod.Selector}, Template: k.pod.Spec,
			ServiceName: k.place.Headless, PodManagementPolicy: appsv1.ParallelPodManagement,
			UpdateStrategy: appsv1.StatefulSetUpdateStrategy{Type: appsv1.RollingUpdateStatefulSetStrategyType},
		},
	}
	for _, v := range k.pod.Claims {
		s.Spec.VolumeClaimTemplates = append(s.Spec.VolumeClaimTemplates, corev1.PersistentVolumeClaim{
			ObjectMeta: metav1.ObjectMeta{Name: pod.VolumeName(k.w, v), Annotations: volumeFacts(v)}, Spec: k.claim(v),
		})
	}
	return s
}
