package kube

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/world/kube/internal/fault"
)

// Drift gives what in the cluster is not as an Apply of these objects would
// leave it, as "Kind namespace/name field": another hand changed or removed it.
// It asks the server what an apply that takes every field would make, and
// changes nothing.
func (c *Cluster) Drift(ctx context.Context, w estate.Name, objects [][]byte, copies int) ([]string, error) {
	list, _, err := c.pieces(ctx, objects)
	if err != nil {
		return nil, err
	}
	sign(w, list, hashOf(objects))
	if list, err = c.counted(ctx, list, copies); err != nil {
		return nil, err
	}
	var out []string
	for _, p := range list {
		live, err := c.get(ctx, p)
		if err != nil {
			return nil, err
		}
		if live == nil {
			out = append(out, p.id().String()+" is gone")
			continue
		}
		body, err := json.Marshal(p.Object)
		if err != nil {
			return nil, err
		}
		force := true
		want, err := c.conn.Of(p.at, p.GetNamespace()).Patch(ctx, p.GetName(), types.ApplyPatchType, body, metav1.PatchOptions{
			FieldManager: Manager, Force: &force, DryRun: []string{metav1.DryRunAll},
		})
		if err != nil {
			return nil, fault.Of("try "+p.id().String(), err)
		}
		for _, o := range []map[string]any{live.Object, want.Object} {
			delete(o, "status")
			if m, ok := o["metadata"].(map[string]any); ok {
				for _, key := range []string{"managedFields", "resourceVersion", "generation"} {
					delete(m, key)
				}
			}
		}
		for _, field := range different("", live.Object, want.Object) {
			out = append(out, p.id().String()+" "+field)
		}
	}
	return out, nil
}

// different gives the paths at which two objects differ.
func different(path string, a, b any) []string {
	switch x := a.(type) {
	case map[string]any:
		y, ok := b.(map[string]any)
		if !ok {
			return []string{path}
		}
		keys := maps.Clone(x)
		maps.Copy(keys, y)
		var out []string
		for _, k := range slices.Sorted(maps.Keys(keys)) {
			out = append(out, different(path+"."+k, x[k], y[k])...)
		}
		return out
	case []any:
		y, ok := b.([]any)
		if !ok || len(x) != len(y) {
			return []string{path}
		}
		var out []string
		for i := range x {
			out = append(out, different(fmt.Sprintf("%s[%d]", path, i), x[i], y[i])...)
		}
		return out
	}
	if !reflect.DeepEqual(a, b) {
		return []string{path}
	}
	return nil
}
