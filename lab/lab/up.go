package lab

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tranship/tranship/lab/host"
	"github.com/tranship/tranship/lab/node"
	"github.com/tranship/tranship/lab/pki"
	"github.com/tranship/tranship/lab/process"
)

// Parts of a lab, by the names that --only takes.
const (
	ControlPlane = "control-plane"
	Nodes        = "nodes"
	FrontDoor    = "front-door"
	Postgres     = "postgres"
	Metrics      = "metrics"
	Watch        = "watch"
	OldWorld     = "old-world"
	Cargo        = "cargo"
	FakeNodes    = "fake-nodes"
)

// needs says which other parts one stands on.
var needs = map[string][]string{
	Nodes: {ControlPlane}, Metrics: {Nodes, ControlPlane}, Cargo: {Nodes, ControlPlane}, FakeNodes: {ControlPlane},
	Watch: {ControlPlane}, OldWorld: {Postgres},
}

// All are the parts of a whole lab. Nodes that are played come only when asked for.
func All() []string {
	return []string{ControlPlane, Nodes, FrontDoor, Postgres, Metrics, Watch, OldWorld, Cargo}
}

// Options say how much of a lab is wanted.
type Options struct {
	Only      []string // parts; all by default
	FakeNodes int
	Module    string // the lab's folder of sources
	Cache     string
	Log       io.Writer
	Began     time.Time // when the person began to wait
}

// a lab on its way up.
type lifting struct {
	Layout
	Options
	*board
	want     map[string]bool
	ca       *pki.Authority
	archives []string // images that every node needs, in the order of need
	version  string   // of Kubernetes
}

// Up makes the lab, or what is missing of it: what runs is left as it is.
func Up(ctx context.Context, l Layout, o Options) error {
	if err := host.Check(); err != nil {
		return err
	}
	if err := l.Check(); err != nil {
		return err
	}
	want, err := choose(o)
	if err != nil {
		return err
	}
	u := &lifting{Layout: l, Options: o, board: newBoard(o.Log, o.Began), want: want}
	unlock, err := l.lock(ctx, u)
	if err != nil {
		return err
	}
	defer unlock()
	if err := l.claim(); err != nil {
		return err
	}
	if err := os.MkdirAll(l.Dir, 0o755); err != nil {
		return fmt.Errorf("make the lab's folder: %w", err)
	}
	// What this command runs for a moment (initdb, a build) is to be found as well, should the command be killed; and what
	// one that was killed has left is ended before it meets the same work done anew.
	if err := os.Setenv(process.Mark, l.Dir); err != nil {
		return fmt.Errorf("mark what is run: %w", err)
	}
	if err := process.Kill(ctx, l.table().Strays()); err != nil {
		return err
	}
	if err := u.all(ctx); err != nil {
		return fmt.Errorf("%w\nwhat is up stays up: `lab up` goes on from here, `lab down` removes it", err)
	}
	u.line("%-26s %6.1f s", "the lab is up", time.Since(u.start).Seconds())
	return nil
}

// choose is the set of parts that are wanted, with what they stand on.
func choose(o Options) (map[string]bool, error) {
	list := o.Only
	if len(list) == 0 {
		list = All()
	}
	if o.FakeNodes > 0 {
		list = append(slices.Clone(list), FakeNodes)
	}
	want := map[string]bool{}
	for _, p := range list {
		if !slices.Contains(append(All(), FakeNodes), p) {
			return nil, fmt.Errorf("part %q: is none of %s", p, strings.Join(append(All(), FakeNodes), ", "))
		}
		want[p] = true
		for _, n := range needs[p] {
			want[n] = true
		}
	}
	return want, nil
}

// all is the order of things. Branches that do not need each other go side by side.
func (u *lifting) all(ctx context.Context) (err error) {
	if err := u.step(ctx, "packages", func(ctx context.Context) error { return host.Install(ctx, u) }); err != nil {
		return err
	}
	if err := u.step(ctx, "programs", u.programs); err != nil {
		return err
	}
	if err := u.step(ctx, "images", u.images); err != nil {
		return err
	}
	if u.ca, err = pki.Open(u.file("pki")); err != nil {
		return err
	}
	facts := u.facts(u.ca)
	if err := facts.write(u.Facts()); err != nil {
		return err
	}
	if err := u.step(ctx, "network", u.network); err != nil {
		return err
	}
	g, gctx := errgroup.WithContext(ctx)
	if u.want[FrontDoor] {
		g.Go(func() error { return u.step(gctx, "front door", u.door().Start) })
	}
	if u.want[Postgres] {
		g.Go(func() error { return u.step(gctx, "source database", u.source().Start) })
		g.Go(func() error { return u.step(gctx, "target database", u.target().Start) })
	}
	if u.want[ControlPlane] {
		g.Go(func() error { return u.kubernetes(gctx) })
	}
	if err := g.Wait(); err != nil {
		return err
	}
	if u.want[OldWorld] {
		if err := u.step(ctx, "old world", u.oldWorld); err != nil {
			return err
		}
	}
	return u.finish(facts)
}

// kubernetes makes the cluster, from the control plane to the pod of metrics-server.
func (u *lifting) kubernetes(ctx context.Context) error {
	plane := u.plane(u.ca)
	if err := plane.Prepare(); err != nil {
		return err
	}
	if err := u.step(ctx, "control plane", plane.Start); err != nil {
		return err
	}
	if err := u.step(ctx, "classes and rights", u.base); err != nil {
		return err
	}
	g, gctx := errgroup.WithContext(ctx)
	if u.want[Watch] {
		g.Go(func() error { return u.step(gctx, "prometheus, alertmanager", u.watches) })
	}
	if u.want[FakeNodes] {
		g.Go(func() error { return u.step(gctx, fmt.Sprintf("%d played nodes", u.Options.FakeNodes), u.played) })
	}
	if u.want[Nodes] {
		g.Go(func() error { return u.realNodes(gctx) })
	}
	return g.Wait()
}

// realNodes starts the nodes, and then what runs on them.
func (u *lifting) realNodes(ctx context.Context) error {
	g, gctx := errgroup.WithContext(ctx)
	for _, n := range u.nodes(u.ca) {
		g.Go(func() error {
			return u.step(gctx, n.Name, func(ctx context.Context) error { return u.node(ctx, n) })
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	if u.want[Metrics] {
		return u.step(ctx, "metrics-server", u.metrics)
	}
	return nil
}

// node starts one and waits until the cluster calls it ready.
func (u *lifting) node(ctx context.Context, n node.Node) error {
	if err := n.Start(ctx, u.archives); err != nil {
		return err
	}
	_, err := u.plane(u.ca).Kubectl(ctx, "", "wait", "--for=create", "node/"+n.Name, "--timeout=60s")
	if err == nil {
		_, err = u.plane(u.ca).Kubectl(ctx, "", "wait", "--for=condition=Ready", "node/"+n.Name, "--timeout=60s")
	}
	if err != nil {
		return fmt.Errorf("%w; kubelet's log ends:\n%s", err, u.table().Tail(n.Parts()[0]))
	}
	return nil
}

// finish writes what is known only at the end.
func (u *lifting) finish(f Facts) error {
	all, err := u.table().All()
	if err != nil {
		return err
	}
	f.Processes, f.Kubernetes.Version, f.Ready = all, u.version, true
	for _, i := range u.imageSpecs() {
		f.Images = append(f.Images, i.Ref)
	}
	return f.write(u.Facts())
}
