package status_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/tranship/tranship/internal/rollout"
	"github.com/tranship/tranship/internal/world/kube/status"
)

var now = time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)

func template(image string) corev1.PodTemplateSpec {
	return corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": "cart"}},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "main", Image: image}}},
	}
}

func deployment(replicas int32, image string) appsv1.Deployment {
	return appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{UID: "d", Generation: 3},
		Spec:       appsv1.DeploymentSpec{Replicas: &replicas, Template: template(image)},
		Status:     appsv1.DeploymentStatus{ObservedGeneration: 3},
	}
}

func set(owner types.UID, replicas, available int32, image string) appsv1.ReplicaSet {
	s := appsv1.ReplicaSet{
		ObjectMeta: metav1.ObjectMeta{OwnerReferences: []metav1.OwnerReference{{UID: owner}}},
		Spec:       appsv1.ReplicaSetSpec{Replicas: &replicas, Template: template(image)},
		Status:     appsv1.ReplicaSetStatus{Replicas: replicas, AvailableReplicas: available},
	}
	s.Spec.Template.Labels[appsv1.DefaultDeploymentUniqueLabelKey] = "12345"
	return s
}

func pods(n int, edit ...func(*corev1.Pod)) []corev1.Pod {
	var out []corev1.Pod
	for range n {
		p := corev1.Pod{Status: corev1.PodStatus{Phase: corev1.PodRunning, StartTime: &metav1.Time{Time: now.Add(-time.Minute)}}}
		for _, e := range edit {
			e(&p)
		}
		out = append(out, p)
	}
	return out
}

func waiting(reason, message string) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Status.Phase = corev1.PodPending
		p.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "main", State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}}}}
	}
}

func TestOnlyCopiesOfTodaysDefinitionAreReady(t *testing.T) {
	got := status.Read(status.Seen{
		Deployments: []appsv1.Deployment{deployment(3, "cart:2")},
		ReplicaSets: []appsv1.ReplicaSet{set("d", 3, 3, "cart:1"), set("d", 1, 1, "cart:2"), set("another", 3, 3, "cart:2")},
		Pods:        pods(4),
	}, now)
	if diff := cmp.Diff(rollout.Copies{Wanted: 3, Running: 4, Ready: 1}, got); diff != "" {
		t.Errorf("Read (-want +got):\n%s", diff)
	}
}

func TestNothingIsOffUntilTheControllersHaveTakenItUp(t *testing.T) {
	d := deployment(0, "cart:1")
	for name, x := range map[string]struct {
		edit func(*status.Seen)
		want int
	}{
		"all is taken up":                   {func(*status.Seen) {}, 0},
		"the Deployment's is not":           {func(s *status.Seen) { s.Deployments[0].Generation = 4 }, 1},
		"its ReplicaSet wants copies still": {func(s *status.Seen) { s.ReplicaSets[0].Spec.Replicas = new(int32(2)) }, 1},
		"the ReplicaSet's is not":           {func(s *status.Seen) { s.ReplicaSets[0].Generation = 7 }, 1},
		"nobody has looked at it ever": {func(s *status.Seen) {
			s.Deployments[0].Generation, s.Deployments[0].Status.ObservedGeneration, s.ReplicaSets = 1, 0, nil
		}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := status.Seen{Deployments: []appsv1.Deployment{d}, ReplicaSets: []appsv1.ReplicaSet{set("d", 0, 0, "cart:1")}}
			x.edit(&s)
			if got := status.Read(s, now); got.Running != x.want || got.Wanted != 0 {
				t.Errorf("Read = %+v, want %d that may run", got, x.want)
			}
		})
	}
}

func TestCopiesOnTheirWayOutRun(t *testing.T) {
	s := status.Seen{Deployments: []appsv1.Deployment{deployment(0, "cart:1")}, Pods: pods(2, func(p *corev1.Pod) { p.DeletionTimestamp = &metav1.Time{Time: now} })}
	s.Pods = append(s.Pods, pods(1, func(p *corev1.Pod) { p.Status.Phase = corev1.PodSucceeded })...)
	if got := status.Read(s, now); got.Running != 2 {
		t.Errorf("Read = %+v, want the 2 that have not ended", got)
	}
}

func TestStatefulSetsCountByRevisionAndPartition(t *testing.T) {
	for name, x := range map[string]struct {
		edit func(*appsv1.StatefulSet)
		want int
	}{
		"all new": {func(*appsv1.StatefulSet) {}, 3},
		"one renewed": {func(s *appsv1.StatefulSet) {
			s.Status.UpdateRevision, s.Status.UpdatedReplicas = "2", 1
		}, 1},
		"two are to stay old": {func(s *appsv1.StatefulSet) {
			s.Status.UpdateRevision, s.Status.UpdatedReplicas = "2", 1
			s.Spec.UpdateStrategy.RollingUpdate = &appsv1.RollingUpdateStatefulSetStrategy{Partition: new(int32(2))}
		}, 3},
		"not taken up yet": {func(s *appsv1.StatefulSet) { s.Generation = 2 }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := appsv1.StatefulSet{
				Spec:   appsv1.StatefulSetSpec{Replicas: new(int32(3))},
				Status: appsv1.StatefulSetStatus{ObservedGeneration: 1, AvailableReplicas: 3, UpdatedReplicas: 3, CurrentRevision: "1", UpdateRevision: "1"},
			}
			x.edit(&s)
			if got := status.Read(status.Seen{StatefulSets: []appsv1.StatefulSet{s}}, now); got.Ready != x.want || got.Wanted != 3 {
				t.Errorf("Read = %+v, want %d of 3 ready", got, x.want)
			}
		})
	}
}

func TestDaemonSetsAreReadyOnEachNode(t *testing.T) {
	d := appsv1.DaemonSet{Status: appsv1.DaemonSetStatus{DesiredNumberScheduled: 3, UpdatedNumberScheduled: 2, NumberAvailable: 3}}
	if got := status.Read(status.Seen{DaemonSets: []appsv1.DaemonSet{d}}, now); got.Wanted != 3 || got.Ready != 2 {
		t.Errorf("Read = %+v, want 2 of 3 ready", got)
	}
	d = appsv1.DaemonSet{ObjectMeta: metav1.ObjectMeta{Generation: 1}}
	if got := status.Read(status.Seen{DaemonSets: []appsv1.DaemonSet{d}}, now); got.Wanted <= got.Ready {
		t.Errorf("Read of one that nobody has looked at = %+v, want it not ready", got)
	}
}

func TestJobsAreWantedAsLongAsTheyMayBegin(t *testing.T) {
	failed := batchv1.JobStatus{Conditions: []batchv1.JobCondition{{Type: batchv1.JobFailed, Status: corev1.ConditionTrue, Reason: "BackoffLimitExceeded", Message: "has reached the limit"}}}
	for name, x := range map[string]struct {
		seen status.Seen
		want rollout.Copies
	}{
		"a schedule that is on":   {status.Seen{CronJobs: []batchv1.CronJob{{}}}, rollout.Copies{Wanted: 1, Ready: 1}},
		"a schedule that is off":  {status.Seen{CronJobs: []batchv1.CronJob{{Spec: batchv1.CronJobSpec{Suspend: new(true)}}}}, rollout.Copies{}},
		"off, with a run":         {status.Seen{CronJobs: []batchv1.CronJob{{Spec: batchv1.CronJobSpec{Suspend: new(true)}}}, Pods: pods(1)}, rollout.Copies{Running: 1}},
		"a job":                   {status.Seen{Jobs: []batchv1.Job{{}}, Pods: pods(2)}, rollout.Copies{Wanted: 1, Ready: 1, Running: 2}},
		"a job that is suspended": {status.Seen{Jobs: []batchv1.Job{{Spec: batchv1.JobSpec{Suspend: new(true)}}}}, rollout.Copies{}},
		"suspended a moment ago":  {status.Seen{Jobs: []batchv1.Job{{Spec: batchv1.JobSpec{Suspend: new(true)}, Status: batchv1.JobStatus{Active: 1}}}}, rollout.Copies{Running: 1}},
		"a job that failed": {status.Seen{Jobs: []batchv1.Job{{ObjectMeta: metav1.ObjectMeta{Name: "rollup"}, Status: failed}}}, rollout.Copies{
			Wanted: 1, Failing: "Job rollup has failed: BackoffLimitExceeded: has reached the limit", Doomed: true,
		}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(x.want, status.Read(x.seen, now)); diff != "" {
				t.Errorf("Read (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWhyCopiesDoNotComeUp(t *testing.T) {
	for name, x := range map[string]struct {
		pods   []corev1.Pod
		why    string
		doomed bool
	}{
		"a name that is none":          {pods(1, waiting("InvalidImageName", "")), "InvalidImageName", true},
		"an image that is never taken": {pods(1, waiting("ErrImageNeverPull", "not present")), "ErrImageNeverPull: not present", true},
		"an image that nobody has":     {pods(1, waiting("ErrImagePull", `rpc error: code = NotFound desc = "cart:9": not found`)), "ErrImagePull", true},
		"backing off from the same":    {pods(1, waiting("ImagePullBackOff", `Back-off pulling image "cart:9": ErrImagePull: "cart:9": not found`)), "ImagePullBackOff", true},
		"a registry that is away":      {pods(1, waiting("ErrImagePull", "dial tcp: i/o timeout")), "ErrImagePull: dial tcp: i/o timeout", false},
		"a registry that asks who":     {pods(1, waiting("ErrImagePull", "401 Unauthorized")), "401", false},
		"a secret that may yet come": {pods(1, waiting("CreateContainerConfigError", `secret "x" not found`), func(p *corev1.Pod) {
			p.Status.StartTime = &metav1.Time{Time: now.Add(-5 * time.Second)}
		}), `secret "x" not found`, false},
		"a secret that does not come": {pods(1, waiting("CreateContainerConfigError", `secret "x" not found`)), `secret "x" not found`, true},
		"a key that does not come":    {pods(1, waiting("CreateContainerConfigError", `couldn't find key y in Secret ns/x`)), "couldn't find key y", true},
		"no place": {pods(1, func(p *corev1.Pod) {
			p.Status.Phase = corev1.PodPending
			p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: "Unschedulable", Message: "0/3 nodes are available"}}
		}), "Unschedulable: 0/3 nodes are available", false},
		"the worst of several is told": {append(pods(1, waiting("CrashLoopBackOff", "back-off 10s")), pods(1, waiting("InvalidImageName", ""))...), "InvalidImageName", true},
	} {
		t.Run(name, func(t *testing.T) {
			got := status.Read(status.Seen{Deployments: []appsv1.Deployment{deployment(2, "cart:1")}, Pods: x.pods}, now)
			if !strings.Contains(got.Failing, x.why) || got.Doomed != x.doomed {
				t.Errorf("Read = %q, doomed %t; want %q, doomed %t", got.Failing, got.Doomed, x.why, x.doomed)
			}
		})
	}
}

func TestRestartsAndKillsAreSummed(t *testing.T) {
	oom := func(p *corev1.Pod) {
		p.Status.ContainerStatuses = []corev1.ContainerStatus{{
			Name: "main", RestartCount: 3,
			State:                corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff"}},
			LastTerminationState: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{Reason: "OOMKilled", ExitCode: 137}},
		}}
	}
	got := status.Read(status.Seen{Deployments: []appsv1.Deployment{deployment(2, "cart:1")}, Pods: pods(2, oom)}, now)
	if got.Restarts != 6 || got.OOMKills != 2 || !strings.Contains(got.Failing, "ended with 137 (OOMKilled)") {
		t.Errorf("Read = %+v, want 6 restarts, 2 kills and the last end", got)
	}
}

func TestNoPodAtAllIsToldByTheRefusal(t *testing.T) {
	d := deployment(1, "cart:1")
	d.Status.Conditions = []appsv1.DeploymentCondition{{Type: appsv1.DeploymentReplicaFailure, Status: corev1.ConditionTrue, Message: `pods "x" is forbidden: exceeded quota: q`}}
	if got := status.Read(status.Seen{Deployments: []appsv1.Deployment{d}}, now); !got.Doomed || !strings.Contains(got.Failing, "exceeded quota") {
		t.Errorf("Read = %+v, want a refusal by quota", got)
	}
	s := appsv1.StatefulSet{Spec: appsv1.StatefulSetSpec{Replicas: new(int32(1))}}
	got := status.Read(status.Seen{StatefulSets: []appsv1.StatefulSet{s}, Refusals: []string{"create Pod x-0 failed: etcd is away"}}, now)
	if got.Doomed || !strings.Contains(got.Failing, "etcd is away") {
		t.Errorf("Read = %+v, want a reason that may pass", got)
	}
}
