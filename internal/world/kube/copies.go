package kube

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/tranship/tranship/internal/rollout/runner"
)

// counted gives the objects with as many copies as are asked for: below zero as
// they say themselves.
func (c *Cluster) counted(ctx context.Context, list []*piece, copies int) ([]*piece, error) {
	least := map[identity]int64{} // of what an autoscaler scales
	for _, p := range list {
		if p.GetKind() == "HorizontalPodAutoscaler" {
			kind, _, _ := unstructured.NestedString(p.Object, "spec", "scaleTargetRef", "kind")
			name, _, _ := unstructured.NestedString(p.Object, "spec", "scaleTargetRef", "name")
			least[identity{namespace: p.GetNamespace(), name: kind + "/" + name}] = number(p.Object, "minReplicas")
		}
	}
	var out []*piece
	for _, p := range list {
		keep, err := true, error(nil)
		switch p.GetKind() {
		case "Deployment", "StatefulSet":
			n, scaled := least[identity{namespace: p.GetNamespace(), name: p.GetKind() + "/" + p.GetName()}]
			err = c.replicas(ctx, p, copies, max(n, 1), scaled)
		case "DaemonSet":
			keep = copies != 0
		case "HorizontalPodAutoscaler":
			keep = copies < 0
		case "CronJob":
			if copies == 0 {
				err = unstructured.SetNestedField(p.Object, true, "spec", "suspend")
			} else {
				err = c.awake(ctx, p)
			}
		case "Job":
			keep, err = c.job(ctx, p, copies)
		}
		if err != nil {
			return nil, err
		}
		if keep {
			out = append(out, p)
		}
	}
	return out, nil
}

// replicas writes the number of copies. Where an autoscaler has it, it is the
// autoscaler's, and its least until it has set one: a field that is applied as
// it stands conflicts with nobody.
func (c *Cluster) replicas(ctx context.Context, p *piece, copies int, least int64, scaled bool) error {
	n := int64(copies)
	if copies < 0 {
		if _, said, _ := unstructured.NestedFieldNoCopy(p.Object, "spec", "replicas"); said || !scaled {
			return nil
		}
		live, err := c.get(ctx, p)
		if err != nil {
			return err
		}
		n = least
		if live != nil {
			n = max(number(live.Object, "replicas"), least)
		}
	}
	if err := unstructured.SetNestedField(p.Object, n, "spec", "replicas"); err != nil {
		return fmt.Errorf("read %s: %w: %w", p.id(), runner.ErrRefused, err)
	}
	return nil
}

// job reports whether a Job is applied: not one that would begin while nothing
// is to run.
func (c *Cluster) job(ctx context.Context, p *piece, copies int) (bool, error) {
	if copies != 0 {
		return true, nil
	}
	live, err := c.get(ctx, p)
	if err != nil || live == nil {
		return false, err
	}
	return true, unstructured.SetNestedField(p.Object, true, "spec", "suspend")
}

// number gives a whole number of the spec, 0 if it is not there.
func number(body map[string]any, field string) int64 {
	n, _, _ := unstructured.NestedInt64(body, "spec", field)
	return n
}
