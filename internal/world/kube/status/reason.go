package status

import (
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// patience is how long a Secret or ConfigMap that a pod needs may be missing
// before waiting is of no use: what fetches secrets takes its time.
const patience = 30 * time.Second

// Reasons by how much they say of why copies do not come up.
const (
	rankPlace = iota + 1
	rankWaits
	rankCrash
	rankImage
	rankDoomed
)

// say keeps the reason that says most, of equal ones the first.
func (r *reader) say(rank int, doomed bool, why string) {
	if doomed {
		rank = rankDoomed
		r.doomed = true
	}
	if rank > r.rank {
		r.rank, r.why = rank, why
	}
}

// refusal is that no pod could be made.
func (r *reader) refusal(message string) {
	r.say(rankImage, strings.Contains(message, "is forbidden"), "FailedCreate: "+message)
}

func (r *reader) pod(p *corev1.Pod, claims []corev1.PersistentVolumeClaim) {
	for _, list := range [][]corev1.ContainerStatus{p.Status.InitContainerStatuses, p.Status.ContainerStatuses} {
		for i := range list {
			r.container(p, &list[i])
		}
	}
	if p.DeletionTimestamp != nil {
		return
	}
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse && c.Reason == corev1.PodReasonUnschedulable {
			why := "Unschedulable: " + c.Message
			if name := pendingClaim(p, claims); name != "" {
				why += "; claim " + name + " is pending"
			}
			r.say(rankPlace, false, why)
		}
	}
}

func pendingClaim(p *corev1.Pod, claims []corev1.PersistentVolumeClaim) string {
	for _, v := range p.Spec.Volumes {
		if v.PersistentVolumeClaim == nil {
			continue
		}
		for i := range claims {
			c := &claims[i]
			if c.Namespace == p.Namespace && c.Name == v.PersistentVolumeClaim.ClaimName && c.Status.Phase == corev1.ClaimPending {
				return c.Name
			}
		}
	}
	return ""
}

func (r *reader) container(p *corev1.Pod, c *corev1.ContainerStatus) {
	r.out.Restarts += int(c.RestartCount)
	// Kubernetes keeps the last end of a container alone.
	for _, t := range []*corev1.ContainerStateTerminated{c.State.Terminated, c.LastTerminationState.Terminated} {
		if t != nil && t.Reason == "OOMKilled" {
			r.out.OOMKills++
			break
		}
	}
	w := c.State.Waiting
	if w == nil || p.DeletionTimestamp != nil {
		return
	}
	why := w.Reason
	if w.Message != "" {
		why += ": " + w.Message
	}
	switch w.Reason {
	case "InvalidImageName", "ErrImageNeverPull":
		r.say(rankImage, true, why)
	case "ErrImagePull", "ImagePullBackOff":
		r.say(rankImage, noSuchImage(w.Message), why)
	case "CreateContainerConfigError":
		missing := strings.Contains(w.Message, "not found") || strings.Contains(w.Message, "couldn't find key")
		r.say(rankImage, missing && p.Status.StartTime != nil && r.now.Sub(p.Status.StartTime.Time) > patience, why)
	case "CrashLoopBackOff":
		if t := c.LastTerminationState.Terminated; t != nil {
			why = fmt.Sprintf("CrashLoopBackOff: container %s ended with %d (%s)", c.Name, t.ExitCode, t.Reason)
		}
		r.say(rankCrash, false, why)
	case "RunContainerError", "CreateContainerError":
		r.say(rankCrash, false, why)
	}
}

// noSuchImage reports whether a registry said that it has no such image.
func noSuchImage(message string) bool {
	for _, sign := range []string{": not found", "manifest unknown", "NotFound"} {
		if strings.Contains(message, sign) {
			return true
		}
	}
	return false
}

func owns(owner types.UID, references []metav1.OwnerReference) bool {
	for _, r := range references {
		if r.UID == owner {
			return true
		}
	}
	return false
}
