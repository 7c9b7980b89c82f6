// Package gateway shifts traffic by the weights of an HTTPRoute's backends, as
// runner.Traffic. It takes a connection to the cluster that the route is in and
// gives the front door. It never changes a route's matches, filters or parents,
// and never returns before a controller has taken a change up.
//
// The source is every backend that the route has before the first Connect (say,
// a Service whose EndpointSlice has the old world's addresses); their weights
// among each other are kept. Gateway API counts no requests, errors, latencies
// or sessions: Observe gives none of them, so gates on traffic need PromQL.
package gateway

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"

	"github.com/tranship/tranship/internal/render/manifest/naming"
	"github.com/tranship/tranship/internal/rollout"
	"github.com/tranship/tranship/internal/rollout/runner"
	"github.com/tranship/tranship/internal/world/kube"
	"github.com/tranship/tranship/internal/world/kube/internal/fault"
)

const (
	group = "gateway.networking.k8s.io"
	// baseWeights is the annotation with the source's own weights, by rule.
	baseWeights = "tranship.dev/source-weights"
	attempts    = 4
)

// Traffic is the routes of one namespace.
type Traffic struct {
	conn      *kube.Connection
	namespace string
	now       func() time.Time
	opts      Options
}

// Options of the front door; the zero value works.
type Options struct {
	// Settle is how long a controller may take to take up a change, 10 s by default.
	Settle time.Duration
	// Probe, if set, tells whether somebody answers at an address, so that a side
	// that is down is given nothing more. Without it the EndpointSlices are
	// believed, and those of the target say what Connect was told.
	Probe func(ctx context.Context, address string) error
}

// New makes the front door of the routes in a namespace.
func New(c *kube.Connection, namespace string, now func() time.Time, opts Options) *Traffic {
	if opts.Settle == 0 {
		opts.Settle = 10 * time.Second
	}
	return &Traffic{c, namespace, now, opts}
}

// Connect implements runner.Traffic. The addresses become the endpoints of a
// Service of the mover's; a route with a TargetGroup names a Service that is
// there already, and leads to that instead.
func (t *Traffic) Connect(ctx context.Context, r rollout.Route, addresses []string) error {
	what := fmt.Sprintf("connect route %s to %d addresses", r.Backend, len(addresses))
	own := r.TargetGroup == ""
	hosts, err := parse(addresses)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	_, err = t.routes().Get(ctx, r.Backend, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err) && len(addresses) > 0:
		return t.absent(what, r)
	case err != nil && !apierrors.IsNotFound(err):
		return fault.Of(what, err)
	case err == nil && len(addresses) > 0 && own:
		if err := t.serve(ctx, r, hosts); err != nil {
			return fault.Of(what, err)
		}
	}
	if err == nil {
		err = t.change(ctx, r, func(route *unstructured.Unstructured) error {
			if len(addresses) == 0 {
				return disconnect(route, target(r))
			}
			return connect(route, r)
		})
	}
	if len(addresses) == 0 && own && (err == nil || apierrors.IsNotFound(err)) {
		err = t.unserve(ctx, r)
	}
	return fault.Of(what, err)
}

func (t *Traffic) absent(what string, r rollout.Route) error {
	return fmt.Errorf("%s: %w: HTTPRoute %s/%s", what, runner.ErrAbsent, t.namespace, r.Backend)
}

// Shift implements runner.Traffic. A side that is down is given nothing more.
func (t *Traffic) Shift(ctx context.Context, r rollout.Route, percent int) error {
	what := fmt.Sprintf("give the target %d percent of route %s", percent, r.Backend)
	if percent < 0 || percent > 100 {
		return fmt.Errorf("%s: %w: it is no share", what, runner.ErrRefused)
	}
	now, err := t.Observe(ctx, r)
	if err != nil {
		return err
	}
	switch {
	case percent > now.Target.Weight && now.Target.Up == 0:
		return fmt.Errorf("%s: %w: nobody answers there", what, runner.ErrRefused)
	case percent < now.Target.Weight && now.Source.Up == 0:
		return fmt.Errorf("%s: %w: nobody answers at the source", what, runner.ErrRefused)
	}
	err = t.change(ctx, r, func(route *unstructured.Unstructured) error { return weigh(route, target(r), percent) })
	return fault.Of(what, err)
}

// Observe implements runner.Traffic. Servers of the target are the addresses
// that it was connected to.
func (t *Traffic) Observe(ctx context.Context, r rollout.Route) (rollout.Flow, error) {
	what := "observe route " + r.Backend
	route, err := t.routes().Get(ctx, r.Backend, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return rollout.Flow{}, t.absent(what, r)
	}
	if err != nil {
		return rollout.Flow{}, fault.Of(what, err)
	}
	flow := rollout.Flow{At: t.now(), Uncounted: true}
	flow.Source.Weight, flow.Target.Weight = shares(route, target(r))
	for _, b := range backends(route) {
		side := &flow.Source
		if b.name == target(r) {
			side = &flow.Target
		}
		addresses, err := t.endpoints(ctx, b)
		if err != nil {
			return rollout.Flow{}, fault.Of(what, err)
		}
		for address, up := range addresses {
			side.Servers++
			if up && (t.opts.Probe == nil || t.opts.Probe(ctx, address) == nil) {
				side.Up++
			}
		}
	}
	return flow, nil
}

// target names the Service of the target.
func target(r rollout.Route) string {
	if r.TargetGroup != "" {
		return r.TargetGroup
	}
	return naming.Join(naming.Label, r.Backend, "tranship-target")
}

func (t *Traffic) routes() dynamic.ResourceInterface {
	return t.conn.Dynamic.Resource(schema.GroupVersionResource{Group: group, Version: "v1", Resource: "httproutes"}).Namespace(t.namespace)
}

// change writes a route over the very version that was read, and waits until
// every controller has taken it up.
func (t *Traffic) change(ctx context.Context, r rollout.Route, edit func(*unstructured.Unstructured) error) error {
	var err error
	for range attempts {
		var route *unstructured.Unstructured
		if route, err = t.routes().Get(ctx, r.Backend, metav1.GetOptions{}); err != nil {
			return err
		}
		before, _ := json.Marshal(route.Object)
		if err := edit(route); err != nil {
			return err
		}
		if after, _ := json.Marshal(route.Object); string(after) == string(before) {
			return t.settle(ctx, route)
		}
		route, err = t.routes().Update(ctx, route, metav1.UpdateOptions{FieldManager: kube.Manager})
		if err == nil {
			return t.settle(ctx, route)
		}
		if !apierrors.IsConflict(err) {
			return err
		}
	}
	return err
}

// settle waits until the route's controllers have seen its last change.
func (t *Traffic) settle(ctx context.Context, route *unstructured.Unstructured) error {
	ctx, cancel := context.WithTimeoutCause(ctx, t.opts.Settle, fmt.Errorf("no controller took the change up within %s", t.opts.Settle))
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	generation := route.GetGeneration()
	for {
		done, err := taken(route, generation)
		if done || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
		if route, err = t.routes().Get(ctx, route.GetName(), metav1.GetOptions{}); err != nil {
			return err
		}
	}
}

// taken reports whether all parents have accepted the route as of a generation.
func taken(route *unstructured.Unstructured, generation int64) (bool, error) {
	wanted, _, _ := unstructured.NestedSlice(route.Object, "spec", "parentRefs")
	parents, _, _ := unstructured.NestedSlice(route.Object, "status", "parents")
	accepted := 0
	for _, p := range parents {
		m, _ := p.(map[string]any)
		conditions, _ := m["conditions"].([]any)
		for _, c := range conditions {
			x, _ := c.(map[string]any)
			kind, _ := x["type"].(string)
			seen, _ := x["observedGeneration"].(int64)
			if seen < generation || kind != "Accepted" && kind != "ResolvedRefs" {
				continue
			}
			if x["status"] == "False" {
				return false, fmt.Errorf("%w: its controller says %s: %v: %v", runner.ErrRefused, strings.ToLower(kind), x["reason"], x["message"])
			}
			if kind == "Accepted" && x["status"] == "True" {
				accepted++
			}
		}
	}
	return accepted > 0 && accepted >= len(wanted), nil
}
