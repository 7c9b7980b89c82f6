package kube

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/world/kube/internal/fault"
)

// Cluster is a Kubernetes cluster as runner.Cluster.
type Cluster struct {
	conn *Connection
	now  func() time.Time
	opts ClusterOptions

	mu      sync.Mutex
	skipped map[estate.Name][]string
}

// ClusterOptions say what is special about the cluster.
type ClusterOptions struct {
	// Gateway tells that the front door is Gateway API's: its kinds have to be
	// there. Otherwise its objects are left out where they are not.
	Gateway bool
	// FrontDoor are the HTTPRoutes, as "namespace/name", whose weights are
	// shifted: Apply leaves them alone.
	FrontDoor map[string]bool
}

// NewCluster makes an adapter; it does not call the cluster.
func NewCluster(c *Connection, now func() time.Time, opts ClusterOptions) *Cluster {
	return &Cluster{conn: c, now: now, opts: opts, skipped: map[estate.Name][]string{}}
}

// Apply implements runner.Cluster. What starts copies by being there (an
// autoscaler, a DaemonSet, a Job) is left out while none is to run; a Job that
// is there already is suspended, so that a run that is over is not begun again.
func (c *Cluster) Apply(ctx context.Context, w estate.Name, objects [][]byte, copies int) error {
	list, skipped, err := c.pieces(ctx, objects)
	if err != nil {
		return err
	}
	c.mu.Lock()
	c.skipped[w] = skipped
	c.mu.Unlock()
	sign(w, list, hashOf(objects))
	list, err = c.counted(ctx, list, copies)
	if err != nil {
		return err
	}
	if copies >= 0 {
		// Before the number of copies is set, or else it would be set anew.
		if err := c.prune(ctx, w, list, func(id identity) bool { return id.kind.Kind == "HorizontalPodAutoscaler" }); err != nil {
			return err
		}
	}
	for _, p := range list {
		if err := c.applyOne(ctx, p, copies); err != nil {
			return err
		}
	}
	return c.prune(ctx, w, list, func(identity) bool { return true })
}

// Skipped gives what the last Apply of a workload left out, and why.
func (c *Cluster) Skipped(w estate.Name) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.skipped[w])
}

// applyOne has the server apply one object.
func (c *Cluster) applyOne(ctx context.Context, p *piece, copies int) error {
	what := "apply " + p.id().String()
	got, err := c.patch(ctx, p, false)
	if err != nil && c.scaledByOther(ctx, p, err, copies) {
		got, err = c.patch(ctx, p, copies == 0)
	}
	if err != nil {
		return fault.Of(what, err)
	}
	if got.GetDeletionTimestamp() != nil {
		return fmt.Errorf("%s: it is still on its way out", what)
	}
	return nil
}

func (c *Cluster) patch(ctx context.Context, p *piece, force bool) (*unstructured.Unstructured, error) {
	body, err := json.Marshal(p.Object)
	if err != nil {
		return nil, err
	}
	return c.conn.Of(p.at, p.GetNamespace()).Patch(ctx, p.GetName(), types.ApplyPatchType, body, metav1.PatchOptions{
		FieldManager: Manager, Force: &force, FieldValidation: metav1.FieldValidationStrict,
	})
}

// autoscaling is the manager under which an autoscaler sets the number of copies.
const autoscaling = "kube-controller-manager"

// scaledByOther reports whether the only conflict is over the number of copies,
// which the autoscaler has set. Of copies that are to stop, the number is then
// taken from it: it was removed. Otherwise its number is read anew.
func (c *Cluster) scaledByOther(ctx context.Context, p *piece, err error, copies int) bool {
	conflicts := fault.Conflicts(err)
	for _, x := range conflicts {
		if x.Field != ".spec.replicas" || x.Manager != autoscaling {
			return false
		}
	}
	if len(conflicts) == 0 {
		return false
	}
	return copies == 0 || copies < 0 && c.follow(ctx, p) == nil
}

// follow sets the number of copies to that which the autoscaler has set.
func (c *Cluster) follow(ctx context.Context, p *piece) error {
	live, err := c.conn.Of(p.at, p.GetNamespace()).Get(ctx, p.GetName(), metav1.GetOptions{})
	if err != nil {
		return err
	}
	return unstructured.SetNestedField(p.Object, number(live.Object, "replicas"), "spec", "replicas")
}

// Remove implements runner.Cluster. What runs copies is there until the last of
// them is gone, so that Observe counts them.
func (c *Cluster) Remove(ctx context.Context, w estate.Name) error {
	return c.prune(ctx, w, nil, func(identity) bool { return true })
}

// get gives an object, nil if there is none.
func (c *Cluster) get(ctx context.Context, p *piece) (*unstructured.Unstructured, error) {
	live, err := c.conn.Of(p.at, p.GetNamespace()).Get(ctx, p.GetName(), metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fault.Of("read "+p.id().String(), err)
	}
	return live, nil
}
