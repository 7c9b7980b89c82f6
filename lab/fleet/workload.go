package fleet

import (
	"fmt"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/tranship/tranship/lab/judge"
)

// workloadKey is the annotation that says which workload of the plan an object is.
const workloadKey = "tranship.dev/workload"

// Objects are those of a rendered folder that matter to a scheduler.
type Objects struct {
	Namespaces   []*corev1.Namespace
	Priorities   []*schedulingv1.PriorityClass
	Budgets      []*policyv1.PodDisruptionBudget
	Volumes      []*corev1.PersistentVolume
	Claims       []*corev1.PersistentVolumeClaim
	Deployments  []*appsv1.Deployment
	StatefulSets []*appsv1.StatefulSet
	DaemonSets   []*appsv1.DaemonSet
}

// Collect takes a rendered folder's objects. Jobs and schedules become Deployments of their pods, so that what they
// need when they run is there all the time.
func Collect(t judge.Tree) (*Objects, error) {
	if len(t.Refusals) > 0 {
		r := t.Refusals[0]
		return nil, fmt.Errorf("read manifests: %s: %s: %s", r.File, r.Object, r.Message)
	}
	var o Objects
	for _, x := range t.Objects {
		if err := o.add(x.Body); err != nil {
			return nil, fmt.Errorf("read %s: %w", x.Ref(), err)
		}
	}
	return &o, nil
}

func (o *Objects) add(u *unstructured.Unstructured) error {
	switch u.GetKind() {
	case "Namespace":
		return keep(u, &o.Namespaces)
	case "PriorityClass":
		return keep(u, &o.Priorities)
	case "PodDisruptionBudget":
		return keep(u, &o.Budgets)
	case "PersistentVolume":
		return keep(u, &o.Volumes)
	case "PersistentVolumeClaim":
		return keep(u, &o.Claims)
	case "Deployment":
		return keep(u, &o.Deployments)
	case "StatefulSet":
		return keep(u, &o.StatefulSets)
	case "DaemonSet":
		return keep(u, &o.DaemonSets)
	case "Job":
		var j batchv1.Job
		if err := decode(u, &j); err != nil {
			return err
		}
		o.Deployments = append(o.Deployments, standing(j.ObjectMeta, "job-", j.Spec.Template))
	case "CronJob":
		var j batchv1.CronJob
		if err := decode(u, &j); err != nil {
			return err
		}
		o.Deployments = append(o.Deployments, standing(j.ObjectMeta, "cronjob-", j.Spec.JobTemplate.Spec.Template))
	}
	return nil
}

// standing makes a Deployment of a job's pods.
func standing(meta metav1.ObjectMeta, prefix string, template corev1.PodTemplateSpec) *appsv1.Deployment {
	pods := map[string]string{"tranship.dev/lab-job": meta.Name}
	if template.Labels == nil {
		template.Labels = map[string]string{}
	}
	for k, v := range pods {
		template.Labels[k] = v
	}
	template.Spec.RestartPolicy, template.Spec.ActiveDeadlineSeconds = corev1.RestartPolicyAlways, nil
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Namespace: meta.Namespace, Name: prefix + meta.Name, Annotations: meta.Annotations},
		Spec:       appsv1.DeploymentSpec{Selector: &metav1.LabelSelector{MatchLabels: pods}, Template: template},
	}
}

func keep[T any](u *unstructured.Unstructured, list *[]*T) error {
	var x T
	if err := decode(u, &x); err != nil {
		return err
	}
	*list = append(*list, &x)
	return nil
}

func decode(u *unstructured.Unstructured, into any) error {
	return runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, into)
}

// Scale gives every workload the copies that the plan's nodes have of it, and tells how many pods that makes on how
// many machines. What the plan has on a node and the folder has not is an error.
func (o *Objects) Scale(p *Plan) (pods int, err error) {
	left := p.copies()
	take := func(meta *metav1.ObjectMeta) *int32 {
		id := meta.Annotations[workloadKey]
		n := left[id]
		delete(left, id)
		pods += n
		return new(int32(n))
	}
	for _, d := range o.Deployments {
		d.Spec.Replicas = take(&d.ObjectMeta)
	}
	for _, s := range o.StatefulSets {
		s.Spec.Replicas = take(&s.ObjectMeta)
	}
	var missing []string
	for id, n := range left {
		missing = append(missing, fmt.Sprintf("%s (%d)", id, n))
	}
	if len(missing) > 0 {
		return pods, fmt.Errorf("find workloads of the plan's nodes: no manifest has %s", strings.Join(missing, ", "))
	}
	return pods, nil
}
