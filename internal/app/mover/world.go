package mover

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tranship/tranship/internal/plan"
	"github.com/tranship/tranship/internal/plan/policy"
	"github.com/tranship/tranship/internal/render"
	"github.com/tranship/tranship/internal/rollout"
	"github.com/tranship/tranship/internal/rollout/runner"
	"github.com/tranship/tranship/internal/world/aws/elb"
	"github.com/tranship/tranship/internal/world/haproxy"
	"github.com/tranship/tranship/internal/world/kube"
	"github.com/tranship/tranship/internal/world/kube/gateway"
	"github.com/tranship/tranship/internal/world/objects"
	"github.com/tranship/tranship/internal/world/postgres"
)

// defaultNamespace holds the mover's lease and fences.
const defaultNamespace = "tranship"

// open makes the adapters that the policy names, says what is about to be
// touched, and asks for what is missing before anything is done. done ends what
// follows the worlds.
func open(ctx context.Context, p *plan.Plan, o Options) (w runner.World, done func(), err error) {
	m := &p.Policy.Spec.Move
	if m.Source.Marathon == "" {
		return w, nil, errors.New("spec.move.source.marathon is not set: the mover does not know where the services run; tranship explain spec.move")
	}
	conn, err := kube.Connect(kube.Config{Kubeconfig: m.Cluster.Kubeconfig, Context: m.Cluster.Context})
	if err != nil {
		return w, nil, fmt.Errorf("reach the cluster: %w", err)
	}
	namespace := m.Cluster.Namespace
	if namespace == "" {
		namespace = defaultNamespace
	}
	o.About("about to touch " + conn.Where())
	if err := allowed(ctx, conn, namespace); err != nil {
		return w, nil, err
	}
	set, err := objects.New(p, render.Options{KubeVersion: p.Policy.Spec.Target.Kubernetes}, o.Manifests)
	if err != nil {
		return w, nil, err
	}
	w.Objects = set
	w.Cluster = kube.NewCluster(conn, time.Now, kube.ClusterOptions{Gateway: m.Traffic.Gateway != nil, FrontDoor: routes(p)})
	w.Exposer = kube.NewExposer(conn, m.Cluster.Expose == "pod")
	w.Lease = kube.NewLease(conn, namespace, time.Now)
	w.Fences = kube.NewFences(conn, namespace)
	if err := sources(&w, p, o); err != nil {
		return w, nil, err
	}
	if err := databases(&w, m, o); err != nil {
		return w, nil, err
	}
	following, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var group errgroup.Group
	if err := frontDoor(ctx, following, &group, &w, conn, m, o); err != nil {
		cancel()
		return w, nil, err
	}
	return w, func() {
		cancel()
		_ = group.Wait() // it ends because it was told to
	}, nil
}

// allowed asks the cluster whether the mover may do what it needs.
func allowed(ctx context.Context, conn *kube.Connection, namespace string) error {
	missing, err := kube.Missing(ctx, conn, namespace)
	if err != nil {
		return err
	}
	var hard []string
	for _, x := range missing {
		if !strings.HasSuffix(x, kube.Optional) {
			hard = append(hard, x)
		}
	}
	if len(hard) > 0 {
		return fmt.Errorf("the cluster does not let this user: %v; tranship doctor --role prints what it needs", hard)
	}
	return nil
}

// Role gives the least that the cluster has to allow the mover, as YAML to apply.
func Role(p policy.Policy) string {
	namespace := p.Spec.Move.Cluster.Namespace
	if namespace == "" {
		namespace = defaultNamespace
	}
	return kube.Role(namespace)
}

// routes are the HTTPRoutes whose weights are shifted.
func routes(p *plan.Plan) map[string]bool {
	g := p.Policy.Spec.Move.Traffic.Gateway
	if g == nil {
		return nil
	}
	out := map[string]bool{}
	for _, u := range rollout.Units(p) {
		for _, r := range u.Routes() {
			out[g.Namespace+"/"+r.Backend] = true
		}
	}
	return out
}

// frontDoor opens the one that the policy names.
func frontDoor(ctx, following context.Context, group *errgroup.Group, w *runner.World, conn *kube.Connection, m *policy.Move, o Options) error {
	switch t := m.Traffic; {
	case t.HAProxy != nil:
		opts := haproxy.Options{Ring: t.HAProxy.Ring}
		if m.Patience != nil {
			opts.Cut = m.Patience.Duration() / 2 // before the unit's own has run out
		}
		if _, err := exec.LookPath("haproxy"); err == nil {
			opts.Program = "haproxy"
		}
		door := haproxy.New(t.HAProxy.Socket, t.HAProxy.Config, time.Now, opts)
		group.Go(func() error { return door.Run(following) })
		w.Traffic, w.Cutter = door, door
		o.About("front door: HAProxy at " + t.HAProxy.Socket + ", configured by " + t.HAProxy.Config)
	case t.TargetGroups != nil:
		door, err := elb.New(ctx, time.Now, elb.Options{Region: t.TargetGroups.Region, Profile: t.TargetGroups.Profile, Endpoint: t.TargetGroups.Endpoint})
		if err != nil {
			return fmt.Errorf("reach AWS: %w", err)
		}
		w.Traffic = door
		o.About("front door: AWS load balancers in " + t.TargetGroups.Region)
	case t.Gateway != nil:
		if t.Gateway.Namespace == "" {
			return errors.New("spec.move.traffic.gateway.namespace is not set: it is that of the HTTPRoutes")
		}
		w.Traffic = gateway.New(conn, t.Gateway.Namespace, time.Now, gateway.Options{Probe: reachable})
		o.About("front door: HTTPRoutes of namespace " + t.Gateway.Namespace)
	}
	return nil
}

// reachable reports whether somebody listens at an address.
func reachable(ctx context.Context, address string) error {
	c, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	return c.Close()
}

// databases reads the connection strings that the policy names by variable.
func databases(w *runner.World, m *policy.Move, o Options) error {
	values := map[string]string{}
	for _, d := range m.Databases {
		for _, name := range []string{d.SourceEnv, d.TargetEnv, d.SourceFromTargetEnv, d.TargetFromSourceEnv} {
			if name == "" {
				continue
			}
			value, ok := o.Getenv(name)
			if !ok {
				return fmt.Errorf("database %s: environment variable %s is not set: it holds a connection string", d.Name, name)
			}
			values[name] = value
		}
	}
	if len(m.Databases) > 0 {
		db := postgres.New(values, postgres.Options{})
		w.Database, w.Cutover = db, db
	}
	return nil
}
