package kube

import (
	"bytes"
	"context"
	"errors"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/world/kube/internal/conn"
	"github.com/tranship/tranship/internal/world/kube/internal/fault"
)

// pruned are the kinds that are taken away with a workload, what leads traffic
// to it and what makes copies first. Claims, volumes and namespaces are not
// among them, ever. The last ones are not on every cluster.
func pruned() []schema.GroupVersionKind {
	kind := func(group, version, kind string) schema.GroupVersionKind {
		return schema.GroupVersionKind{Group: group, Version: version, Kind: kind}
	}
	return []schema.GroupVersionKind{
		kind("autoscaling", "v2", "HorizontalPodAutoscaler"),
		kind("networking.k8s.io", "v1", "Ingress"),
		kind("apps", "v1", "Deployment"), kind("apps", "v1", "StatefulSet"), kind("apps", "v1", "DaemonSet"),
		kind("batch", "v1", "CronJob"), kind("batch", "v1", "Job"),
		kind("policy", "v1", "PodDisruptionBudget"),
		kind("", "v1", "Service"), kind("networking.k8s.io", "v1", "NetworkPolicy"),
		kind("", "v1", "ConfigMap"), kind("", "v1", "Secret"), kind("", "v1", "ServiceAccount"),
		kind(gatewayGroup, "v1", "HTTPRoute"), kind("external-secrets.io", "v1", "ExternalSecret"),
	}
}

// prune takes away what the workload has and list does not, as far as which
// lets it.
func (c *Cluster) prune(ctx context.Context, w estate.Name, list []*piece, which func(identity) bool) error {
	keep := map[identity]bool{}
	for _, p := range list {
		keep[p.id()] = true
	}
	for _, kind := range pruned() {
		if !which(identity{kind: kind.GroupKind()}) {
			continue
		}
		at, objects, err := c.owned(ctx, w, kind, 0)
		if err != nil {
			return err
		}
		for i := range objects {
			o := &objects[i]
			id := identity{kind.GroupKind(), o.Namespace, o.Name}
			if keep[id] || o.DeletionTimestamp != nil {
				continue
			}
			policy := metav1.DeletePropagationBackground
			if makesCopies(kind.Kind) {
				policy = metav1.DeletePropagationForeground // it stays until they are gone
			}
			err := c.conn.Meta.Resource(at.GroupVersionResource).Namespace(o.Namespace).Delete(ctx, o.Name, metav1.DeleteOptions{
				PropagationPolicy: &policy, Preconditions: &metav1.Preconditions{UID: &o.UID},
			})
			if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) { // another of that name came
				return fault.Of("take away "+id.String(), err)
			}
		}
	}
	return nil
}

// filled reports whether somebody else has put values into a Secret: they are not
// ours to take away, and nobody may have them twice.
func filled(o *metav1.PartialObjectMetadata) bool {
	return slices.ContainsFunc(o.ManagedFields, func(m metav1.ManagedFieldsEntry) bool {
		// Server-side apply notes stringData as it was written, updates note the data that it became.
		return m.Manager != Manager && m.FieldsV1 != nil &&
			(bytes.Contains(m.FieldsV1.Raw, []byte(`"f:data"`)) || bytes.Contains(m.FieldsV1.Raw, []byte(`"f:stringData"`)))
	})
}

// owned lists the workload's objects of a kind that are ours to take away, without
// their content. A kind that the cluster does not have has none.
func (c *Cluster) owned(ctx context.Context, w estate.Name, kind schema.GroupVersionKind, limit int64) (conn.Resource, []metav1.PartialObjectMetadata, error) {
	at, err := c.conn.Resource(ctx, kind)
	if errors.Is(err, conn.ErrNotInstalled) {
		return at, nil, nil
	}
	what := "list " + kind.Kind + " objects of " + string(w)
	if err != nil {
		return at, nil, fault.Of(what, err)
	}
	if kind.Kind == "Secret" {
		limit = 0 // the first of them may be filled
	}
	list, err := c.conn.Meta.Resource(at.GroupVersionResource).List(ctx, metav1.ListOptions{LabelSelector: MovedWorkload + "=" + labelOf(w), Limit: limit})
	if apierrors.IsNotFound(err) {
		c.conn.Forget(kind) // it was taken off the cluster, and all its objects with it
		return at, nil, nil
	}
	if err != nil {
		return at, nil, fault.Of(what, err)
	}
	// The label is made from the name; the name itself is told apart for certain.
	return at, slices.DeleteFunc(list.Items, func(o metav1.PartialObjectMetadata) bool {
		return o.Annotations[MovedWorkload] != string(w) || kind.Kind == "Secret" && filled(&o)
	}), nil
}

func makesCopies(kind string) bool {
	switch kind {
	case "Deployment", "StatefulSet", "DaemonSet", "CronJob", "Job":
		return true
	}
	return false
}
