// Package pod makes the pod that runs one workload: containers, probes,
// volumes, placement. It takes a workload of the estate and the cluster that it
// goes to, and gives a pod template with what stands in no field of it as
// facts. It never holds a secret's value, and no variable of Kubernetes is
// expanded that the source did not expand.
package pod

import (
	"encoding/json"
	"maps"
	"math"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/render/manifest/cluster"
	"github.com/tranship/tranship/internal/render/manifest/naming"
)

// A Template is a workload's pod.
type Template struct {
	Spec     corev1.PodTemplateSpec
	Selector map[string]string
	// Facts have no field in a pod; they become annotations of the workload.
	Facts Facts
	// Privileged pods need a namespace that allows what baseline forbids.
	Privileged bool
	// Claims are the volumes of which each copy has its own.
	Claims []*estate.Volume
}

// Facts are annotations.
type Facts map[string]string

// Set keeps a text under tranship's own prefix, unless it is empty.
func (f Facts) Set(key, text string) {
	if text != "" {
		f[cluster.Prefix+key] = text
	}
}

// JSON keeps a value as JSON; what is empty is left out.
func (f Facts) JSON(key string, value any) {
	b, err := json.Marshal(value)
	if err != nil || string(b) == "null" || string(b) == "{}" || string(b) == "[]" {
		return
	}
	f.Set(key, string(b))
}

// Selector gives the labels that pick a workload's copies and no other's.
func Selector(c *cluster.Cluster, id estate.Name) map[string]string {
	return map[string]string{cluster.NameLabel: c.Place(id).Name}
}

// A builder makes one pod.
type builder struct {
	c        *cluster.Cluster
	w        *estate.Workload
	renaming cluster.Renaming
	out      *Template
	spec     *corev1.PodSpec
	volumes  map[string]string // estate's name to the pod's
	names    naming.Set        // of containers
	ports    naming.Set        // names of ports
	listed   map[endpoint]bool
	hosted   map[hostEndpoint]bool
	groups   []int64
	checks   map[string]any // facts about checks by container
	dropped  map[string]bool
}

// Build makes the pod of w.
func Build(c *cluster.Cluster, w *estate.Workload) Template {
	out := Template{Selector: Selector(c, w.ID), Facts: Facts{}}
	b := &builder{
		c: c, w: w, renaming: c.Renaming(w.ID), out: &out, spec: &out.Spec.Spec,
		volumes: map[string]string{}, names: naming.Set{}, ports: naming.Set{},
		listed: map[endpoint]bool{}, hosted: map[hostEndpoint]bool{}, checks: map[string]any{}, dropped: map[string]bool{},
	}
	out.Spec.Labels = b.labels()
	b.machine()
	b.allVolumes()
	b.containers()
	b.place()
	b.stop()
	b.facts()
	return out
}

// labels gives those of the pod: its name, the addresses that lead to it
// together with others, and the source's own where Kubernetes takes them.
func (b *builder) labels() map[string]string {
	out := OwnLabels(b.w)
	maps.Copy(out, b.out.Selector)
	for _, a := range b.c.BackOf(b.w.ID) {
		if len(a.Workloads) > 1 {
			out[a.Label()] = "true"
		}
	}
	return out
}

// OwnLabels gives the source's labels that are labels to Kubernetes too.
func OwnLabels(w *estate.Workload) map[string]string {
	out := map[string]string{}
	for k, v := range w.Labels {
		if naming.IsLabelKey(k) && naming.IsLabelValue(v) && !Reserved(k) && v != "" {
			out[k] = v
		}
	}
	return out
}

// stop gives the copies time: to leave the load balancers, then to end.
func (b *builder) stop() {
	drain, grace := 15, 30.0
	if d := b.c.Policy.Spec.Pods.DrainSeconds; d != nil {
		drain = max(*d, 0)
	}
	if g := b.c.Policy.Spec.Pods.GraceSeconds; g != nil {
		grace = float64(max(*g, 1))
	}
	if g := b.w.KillGrace; g != nil {
		grace = math.Max(float64(*g), 1)
	}
	if !b.serves() || b.w.Kind == estate.Job || b.w.Kind == estate.Schedule {
		drain = 0
	}
	total := int64(drain) + Seconds(unit.Seconds(grace))
	b.spec.TerminationGracePeriodSeconds = &total
	if drain == 0 {
		return
	}
	for i := range b.spec.Containers {
		h := &corev1.LifecycleHandler{Sleep: &corev1.SleepAction{Seconds: int64(drain)}}
		if !b.c.Version.Sleeps() {
			h = &corev1.LifecycleHandler{Exec: &corev1.ExecAction{Command: []string{"/bin/sh", "-c", "sleep " + itoa(drain)}}}
		}
		b.spec.Containers[i].Lifecycle = &corev1.Lifecycle{PreStop: h}
	}
}

// serves reports whether others connect to the workload.
func (b *builder) serves() bool {
	for i := range b.w.Containers {
		if len(b.w.Containers[i].Ports) > 0 {
			return true
		}
	}
	return false
}

// Seconds gives whole seconds, rounded up, at most what Kubernetes counts.
func Seconds(s unit.Seconds) int64 {
	return int64(math.Min(math.Ceil(float64(s)), math.MaxInt32))
}

func seconds32(s unit.Seconds) int32 { return int32(Seconds(s)) }

func (b *builder) facts() {
	w, f := b.w, b.out.Facts
	f.JSON("constraints", sources(w.Constraints))
	f.Set("role", w.Role)
	f.JSON("accepted-roles", w.AcceptedRoles)
	f.JSON("ports", b.portFacts())
	f.JSON("checks", b.checks)
	if len(b.groups) > 0 {
		b.security().SupplementalGroups = slices.Compact(slices.Sorted(slices.Values(b.groups)))
	}
}

func sources(list []estate.Constraint) []string {
	var out []string
	for _, k := range list {
		s := k.Source
		if k.Soft {
			s += " (soft)"
		}
		out = append(out, s)
	}
	return out
}

func (b *builder) security() *corev1.PodSecurityContext {
	if b.spec.SecurityContext == nil {
		b.spec.SecurityContext = &corev1.PodSecurityContext{}
	}
	return b.spec.SecurityContext
}

func (b *builder) selector() *metav1.LabelSelector {
	return &metav1.LabelSelector{MatchLabels: b.out.Selector}
}

// add keeps one more thing about a container under a fact.
func (f Facts) add(key, container, text string) {
	have := map[string]string{}
	_ = json.Unmarshal([]byte(f[cluster.Prefix+key]), &have)
	have[container] = text
	f.JSON(key, have)
}
