// Package status reads what runs of a workload out of its objects: what is
// wanted, runs and is ready, and why it does not come up. It takes the objects
// as the API server gives them and gives rollout.Copies. It never calls
// anything, and never takes a state for ready that is of an older definition.
package status

import (
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"

	"github.com/tranship/tranship/internal/rollout"
)

// Seen is what the cluster has of one workload.
type Seen struct {
	Deployments  []appsv1.Deployment
	ReplicaSets  []appsv1.ReplicaSet // of the Deployments
	StatefulSets []appsv1.StatefulSet
	DaemonSets   []appsv1.DaemonSet
	CronJobs     []batchv1.CronJob
	Jobs         []batchv1.Job // of the workload itself, or of its CronJobs
	Pods         []corev1.Pod
	Claims       []corev1.PersistentVolumeClaim // that the pods name
	// Refusals are messages of events: that no pod could be made.
	Refusals []string
}

// Read gives the copies at a time.
func Read(s Seen, now time.Time) rollout.Copies {
	r := reader{now: now}
	for i := range s.Deployments {
		r.deployment(&s.Deployments[i], s.ReplicaSets)
	}
	for i := range s.StatefulSets {
		r.statefulSet(&s.StatefulSets[i])
	}
	for i := range s.DaemonSets {
		r.daemonSet(&s.DaemonSets[i])
	}
	r.jobs(s.CronJobs, s.Jobs)
	running := 0
	for i := range s.Pods {
		p := &s.Pods[i]
		if p.Status.Phase != corev1.PodSucceeded && p.Status.Phase != corev1.PodFailed {
			running++
		}
		r.pod(p, s.Claims)
	}
	// Until the controllers have taken up that none is wanted, one may still start.
	r.out.Running = max(running, r.pending)
	if r.out.Ready < r.out.Wanted || len(s.CronJobs)+len(s.Jobs) > 0 {
		for _, text := range s.Refusals {
			r.refusal(text)
		}
		r.out.Failing, r.out.Doomed = r.why, r.doomed
	}
	return r.out
}

type reader struct {
	now     time.Time
	out     rollout.Copies
	pending int
	why     string
	rank    int
	doomed  bool
}

func wanted(replicas *int32, deleted bool) int {
	switch {
	case deleted:
		return 0
	case replicas == nil:
		return 1
	}
	return int(*replicas)
}

// late notes copies that controllers may still make of an older number.
func (r *reader) late(generation, observed int64, want int, has int32) {
	if want == 0 && observed != 0 && observed < generation {
		r.pending += max(int(has), 1)
	}
}

// deployment counts as ready only the copies of the ReplicaSet that has today's
// template, so that a definition that was just applied is not taken for ready
// because of the copies of the last one.
func (r *reader) deployment(d *appsv1.Deployment, sets []appsv1.ReplicaSet) {
	want := wanted(d.Spec.Replicas, d.DeletionTimestamp != nil)
	r.out.Wanted += want
	r.late(d.Generation, d.Status.ObservedGeneration, want, d.Status.Replicas)
	for i := range sets {
		s := &sets[i]
		if !owns(d.UID, s.OwnerReferences) {
			continue
		}
		if want == 0 && (s.Spec.Replicas == nil || *s.Spec.Replicas > 0 || s.Status.ObservedGeneration < s.Generation) && d.DeletionTimestamp == nil {
			r.pending += max(int(s.Status.Replicas), 1)
		}
		if sameTemplate(&s.Spec.Template, &d.Spec.Template) {
			r.out.Ready += min(int(s.Status.AvailableReplicas), want)
		}
	}
	for _, c := range d.Status.Conditions {
		if c.Type == appsv1.DeploymentReplicaFailure && c.Status == corev1.ConditionTrue {
			r.refusal(c.Message)
		}
	}
}

func sameTemplate(set, deployment *corev1.PodTemplateSpec) bool {
	s := set.DeepCopy()
	delete(s.Labels, appsv1.DefaultDeploymentUniqueLabelKey)
	return apiequality.Semantic.DeepEqual(s, deployment)
}

func (r *reader) statefulSet(s *appsv1.StatefulSet) {
	want := wanted(s.Spec.Replicas, s.DeletionTimestamp != nil)
	r.out.Wanted += want
	r.late(s.Generation, s.Status.ObservedGeneration, want, s.Status.Replicas)
	if s.Status.ObservedGeneration < s.Generation {
		return // which of the copies are of today's definition is not known yet
	}
	ready := int(s.Status.AvailableReplicas)
	if s.Status.UpdateRevision != s.Status.CurrentRevision {
		kept := 0 // copies that are to stay as they are
		if u := s.Spec.UpdateStrategy.RollingUpdate; u != nil && u.Partition != nil {
			kept = min(int(*u.Partition), want)
		}
		ready = min(ready, int(s.Status.UpdatedReplicas)+kept)
	}
	r.out.Ready += min(ready, want)
}

func (r *reader) daemonSet(d *appsv1.DaemonSet) {
	switch {
	case d.DeletionTimestamp != nil:
		return
	case d.Status.ObservedGeneration < d.Generation:
		r.out.Wanted += max(int(d.Status.DesiredNumberScheduled), 1)
		return
	}
	r.out.Wanted += int(d.Status.DesiredNumberScheduled)
	r.out.Ready += int(min(d.Status.UpdatedNumberScheduled, d.Status.NumberAvailable, d.Status.DesiredNumberScheduled))
}

// jobs are wanted and ready as long as something may begin.
func (r *reader) jobs(crons []batchv1.CronJob, jobs []batchv1.Job) {
	on, failed := 0, ""
	for i := range crons {
		c := &crons[i]
		if (c.Spec.Suspend == nil || !*c.Spec.Suspend) && c.DeletionTimestamp == nil {
			on = 1
		}
	}
	for i := range jobs {
		j := &jobs[i]
		if len(j.OwnerReferences) > 0 || j.DeletionTimestamp != nil {
			continue // a run of a schedule: its pods are counted
		}
		if j.Spec.Suspend == nil || !*j.Spec.Suspend {
			on = 1
		} else if j.Status.Active > 0 {
			r.pending += int(j.Status.Active)
		}
		for _, c := range j.Status.Conditions {
			if c.Type == batchv1.JobFailed && c.Status == corev1.ConditionTrue {
				failed = "Job " + j.Name + " has failed: " + c.Reason + ": " + c.Message
			}
		}
	}
	r.out.Wanted += on
	if failed == "" {
		r.out.Ready += on
		return
	}
	r.say(rankDoomed, true, failed)
}
