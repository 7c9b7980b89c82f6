package kube

import (
	"context"
	"encoding/json"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/tranship/tranship/internal/world/kube/internal/fault"
)

// awake prepares a CronJob that is about to be turned on. While it is suspended
// every due time counts as missed, and once it is on the last of them is made up
// for at once: a run that the source has had already. The controller counts from
// the last time it scheduled, so that is set to now.
func (c *Cluster) awake(ctx context.Context, p *piece) error {
	live, err := c.get(ctx, p)
	if err != nil || live == nil {
		return err // a new one counts from its creation
	}
	if asleep, _, _ := unstructured.NestedBool(live.Object, "spec", "suspend"); !asleep {
		return nil
	}
	now := c.now().UTC().Format(time.RFC3339)
	body, err := json.Marshal(map[string]any{"status": map[string]any{"lastScheduleTime": now}})
	if err != nil {
		return err
	}
	_, err = c.conn.Of(p.at, p.GetNamespace()).Patch(ctx, p.GetName(), types.MergePatchType, body,
		metav1.PatchOptions{FieldManager: Manager}, "status")
	if err != nil {
		return fault.Of("tell "+p.id().String()+" what the source has run", err)
	}
	return nil
}
