package kube

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/rollout"
	"github.com/tranship/tranship/internal/world/kube/internal/fault"
	"github.com/tranship/tranship/internal/world/kube/status"
)

// Observe implements runner.Cluster. Running counts every pod that has not
// ended, those on their way out too. OOMKills counts containers whose last end
// was one: Kubernetes keeps no more.
func (c *Cluster) Observe(ctx context.Context, w estate.Name) (rollout.Copies, error) {
	l := looker{c: c, ctx: ctx, w: w, pods: map[types.UID]bool{}, versions: map[string]bool{}}
	if err := l.look(); err != nil {
		return rollout.Copies{}, fault.Of("observe "+string(w), err)
	}
	if len(l.versions) == 0 {
		// Nothing that makes copies: something else of it may be there.
		for _, kind := range pruned() {
			_, objects, err := c.owned(ctx, w, kind, 1)
			if err != nil {
				return rollout.Copies{}, err
			}
			if len(objects) > 0 {
				return rollout.Copies{Version: objects[0].Annotations[Applied]}, nil
			}
		}
		return rollout.Copies{Absent: true}, nil
	}
	out := status.Read(l.seen, c.now())
	var versions []string
	for v := range l.versions {
		versions = append(versions, v)
	}
	slices.Sort(versions)
	out.Version = strings.Join(versions, "+") // more than one after an Apply that was torn
	return out, nil
}

// looker gathers what there is of one workload.
type looker struct {
	c        *Cluster
	ctx      context.Context
	w        estate.Name
	seen     status.Seen
	pods     map[types.UID]bool
	versions map[string]bool
}

func (l *looker) mine(m *metav1.ObjectMeta) bool {
	if m.Annotations[MovedWorkload] != string(l.w) {
		return false
	}
	l.versions[m.Annotations[Applied]] = true
	return true
}

func (l *looker) look() error {
	typed, all := l.c.conn.Typed, metav1.ListOptions{LabelSelector: MovedWorkload + "=" + labelOf(l.w)}
	deployments, err := typed.AppsV1().Deployments("").List(l.ctx, all)
	if err != nil {
		return err
	}
	for i := range deployments.Items {
		if d := &deployments.Items[i]; l.mine(&d.ObjectMeta) {
			l.seen.Deployments = append(l.seen.Deployments, *d)
			if err := l.of(d.Namespace, d.Spec.Selector, d.UID, ""); err != nil {
				return err
			}
			by, err := selecting(d.Spec.Selector)
			if err != nil {
				return err
			}
			sets, err := typed.AppsV1().ReplicaSets(d.Namespace).List(l.ctx, by)
			if err != nil {
				return err
			}
			l.seen.ReplicaSets = append(l.seen.ReplicaSets, sets.Items...)
		}
	}
	stateful, err := typed.AppsV1().StatefulSets("").List(l.ctx, all)
	if err != nil {
		return err
	}
	for i := range stateful.Items {
		if s := &stateful.Items[i]; l.mine(&s.ObjectMeta) {
			l.seen.StatefulSets = append(l.seen.StatefulSets, *s)
			if err := l.of(s.Namespace, s.Spec.Selector, s.UID, "StatefulSet"); err != nil {
				return err
			}
		}
	}
	daemons, err := typed.AppsV1().DaemonSets("").List(l.ctx, all)
	if err != nil {
		return err
	}
	for i := range daemons.Items {
		if d := &daemons.Items[i]; l.mine(&d.ObjectMeta) {
			l.seen.DaemonSets = append(l.seen.DaemonSets, *d)
			if err := l.of(d.Namespace, d.Spec.Selector, d.UID, "DaemonSet"); err != nil {
				return err
			}
		}
	}
	return l.jobs(all)
}

func (l *looker) jobs(all metav1.ListOptions) error {
	batch := l.c.conn.Typed.BatchV1()
	jobs, err := batch.Jobs("").List(l.ctx, all)
	if err != nil {
		return err
	}
	for i := range jobs.Items {
		if j := &jobs.Items[i]; l.mine(&j.ObjectMeta) {
			if err := l.job(j); err != nil {
				return err
			}
		}
	}
	crons, err := batch.CronJobs("").List(l.ctx, all)
	if err != nil {
		return err
	}
	for i := range crons.Items {
		c := &crons.Items[i]
		if !l.mine(&c.ObjectMeta) {
			continue
		}
		l.seen.CronJobs = append(l.seen.CronJobs, *c)
		runs, err := batch.Jobs(c.Namespace).List(l.ctx, metav1.ListOptions{})
		if err != nil {
			return err
		}
		for k := range runs.Items {
			j := &runs.Items[k]
			if metav1.IsControlledBy(j, c) && !ended(j) {
				if err := l.job(j); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func ended(j *batchv1.Job) bool {
	for _, c := range j.Status.Conditions {
		if (c.Type == batchv1.JobComplete || c.Type == batchv1.JobFailed) && c.Status == corev1.ConditionTrue {
			return true
		}
	}
	return false
}

func (l *looker) job(j *batchv1.Job) error {
	l.seen.Jobs = append(l.seen.Jobs, *j)
	return l.of(j.Namespace, j.Spec.Selector, j.UID, "Job")
}

// of gathers the pods of a controller, the claims of those that are not placed,
// and, if kind is not empty, why the controller could not make any: a
// Deployment says that itself.
func (l *looker) of(namespace string, selector *metav1.LabelSelector, uid types.UID, kind string) error {
	core := l.c.conn.Typed.CoreV1()
	by, err := selecting(selector)
	if err != nil {
		return err
	}
	pods, err := core.Pods(namespace).List(l.ctx, by)
	if err != nil {
		return err
	}
	for i := range pods.Items {
		p := &pods.Items[i]
		if l.pods[p.UID] {
			continue
		}
		l.pods[p.UID] = true
		l.seen.Pods = append(l.seen.Pods, *p)
		if p.Spec.NodeName != "" {
			continue
		}
		for _, v := range p.Spec.Volumes {
			if v.PersistentVolumeClaim == nil {
				continue
			}
			claim, err := core.PersistentVolumeClaims(namespace).Get(l.ctx, v.PersistentVolumeClaim.ClaimName, metav1.GetOptions{})
			if err == nil {
				l.seen.Claims = append(l.seen.Claims, *claim)
			} else if !apierrors.IsNotFound(err) {
				return err
			}
		}
	}
	if kind == "" || len(pods.Items) > 0 {
		return nil
	}
	events, err := core.Events(namespace).List(l.ctx, metav1.ListOptions{
		FieldSelector: fmt.Sprintf("involvedObject.uid=%s,reason=FailedCreate", uid),
	})
	if err != nil {
		return err
	}
	for i := range events.Items {
		l.seen.Refusals = append(l.seen.Refusals, events.Items[i].Message)
	}
	return nil
}

// selecting lists what a controller selects.
func selecting(s *metav1.LabelSelector) (metav1.ListOptions, error) {
	selector, err := metav1.LabelSelectorAsSelector(s)
	if err == nil && selector.Empty() {
		err = errors.New("a controller that selects everything or nothing")
	}
	if err != nil {
		return metav1.ListOptions{}, err
	}
	return metav1.ListOptions{LabelSelector: selector.String()}, nil
}
