package fleet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// Options say how hard to try the plan.
type Options struct {
	// Losses is how many nodes are taken away, one after the other; all if it is 0 or more than there are.
	Losses int
	// Seed picks which, where not all are.
	Seed uint64
	// Restore has what a loss moved start anew once the node is back, so that each loss meets the cluster as a fresh
	// start leaves it. Without it pods stay where the loss has put them, unless the plan says that they are to start anew.
	Restore bool
	// Settle is how long nothing may change until what is pending counts as pending for good.
	Settle time.Duration
	Log    io.Writer
}

// A Report is what became of a plan.
type Report struct {
	Nodes, Pods, System int
	// Pending are the pods that found no place at first, Why the scheduler's words, most said first.
	Pending int
	Why     []string
	Losses  []Loss
	// Took is from the first workload that was applied to the last pod that ran.
	Took time.Duration
	// Overfull are nodes on which more was bound than they have: the API server's own account, not the scheduler's.
	Overfull []string
}

// A Loss is a node, or a zone, that was taken away.
type Loss struct {
	Lost     string
	Pods     int // that ran there
	Stranded int // that found no place
	// Preempted are the other pods that ended too: the scheduler took their place for larger ones.
	Preempted int
	Why       []string
	Took      time.Duration
}

// Survived is how many losses left no pod without a place, Stranded how many pods all left.
func (r *Report) Survived() (survived, stranded int) {
	for _, l := range r.Losses {
		if l.Stranded == 0 {
			survived++
		}
		stranded += l.Stranded
	}
	return survived, stranded
}

// Good reports whether the plan was carried out, and every loss survived.
func (r *Report) Good() bool {
	_, stranded := r.Survived()
	return r.Pending == 0 && stranded == 0 && len(r.Overfull) == 0
}

// A fleet is one plan in one cluster.
type fleet struct {
	plan    *Plan
	objects *Objects
	opts    Options
	client  kubernetes.Interface
	pods    *tracker
	want    int            // pods of workloads
	system  map[string]int // pods of DaemonSets by node
}

// Run carries the plan out in an empty cluster that schedules.
func Run(ctx context.Context, config *rest.Config, p *Plan, o *Objects, opts Options) (r *Report, err error) {
	config = rest.CopyConfig(config)
	config.ContentType = "application/vnd.kubernetes.protobuf"
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("reach API server: %w", err)
	}
	f := &fleet{plan: p, objects: o, opts: opts, client: client, pods: newTracker(), system: map[string]int{}}
	if f.want, err = o.Scale(p); err != nil {
		return nil, err
	}
	factory := informers.NewSharedInformerFactory(client, 0)
	if err := f.pods.watch(factory); err != nil {
		return nil, err
	}
	provisioner, err := newProvisioner(client, factory, p)
	if err != nil {
		return nil, err
	}
	watching, stop := context.WithCancel(ctx)
	// In this order: the informers end, then what they have started.
	defer func() { err = errors.Join(err, provisioner.wait()) }()
	defer factory.Shutdown()
	defer stop()
	provisioner.run(watching)
	factory.Start(watching.Done())
	factory.WaitForCacheSync(watching.Done())

	r = &Report{Nodes: len(p.Nodes), Pods: f.want}
	if err := f.prepare(ctx); err != nil {
		return nil, err
	}
	for _, n := range f.system {
		r.System += n
	}
	start := time.Now()
	if err := f.apply(ctx); err != nil {
		return nil, err
	}
	state, err := f.settle(ctx)
	if err != nil {
		return nil, err
	}
	r.Took, r.Pending, r.Why = time.Since(start), state.pending, state.why
	f.log("%d of %d pods run on %d nodes after %v", f.want-state.pending, f.want, r.Nodes, r.Took.Round(time.Millisecond))
	r.Overfull = f.overfull()
	if r.Pending > 0 {
		return r, nil // what a loss would do is no longer of interest
	}
	for _, l := range f.losses() {
		loss, err := f.lose(ctx, l)
		if err != nil {
			return nil, err
		}
		r.Losses = append(r.Losses, loss)
		r.Overfull = append(r.Overfull, f.overfull()...)
	}
	return r, nil
}

func (f *fleet) log(format string, args ...any) { fmt.Fprintf(f.opts.Log, format+"\n", args...) }

// losses are the sets of nodes to take away: nodes, and the zones too where the plan outlives one.
func (f *fleet) losses() []map[string]bool {
	var out []map[string]bool
	if f.plan.Survival.Reached != "node" && f.plan.Survival.Reached != "zone" {
		return nil
	}
	order := make([]int, len(f.plan.Nodes))
	for i := range order {
		order[i] = i
	}
	if n := f.opts.Losses; n > 0 && n < len(order) {
		shuffle(order, f.opts.Seed)
		order = order[:n]
	}
	for _, i := range order {
		out = append(out, map[string]bool{f.plan.Nodes[i].Name: true})
	}
	if f.plan.Survival.Reached == "zone" {
		zones := map[string]map[string]bool{}
		for _, n := range f.plan.Nodes {
			if zones[n.Zone] == nil {
				zones[n.Zone] = map[string]bool{}
			}
			zones[n.Zone][n.Name] = true
		}
		for _, z := range slices.Sorted(maps.Keys(zones)) {
			out = append(out, zones[z])
		}
	}
	return out
}

// shuffle is Fisher and Yates' with a generator that is the same everywhere and for ever.
func shuffle(list []int, seed uint64) {
	for i := len(list) - 1; i > 0; i-- {
		seed += 0x9e3779b97f4a7c15
		z := seed
		z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9
		z = (z ^ (z >> 27)) * 0x94d049bb133111eb
		j := int((z ^ (z >> 31)) % uint64(i+1))
		list[i], list[j] = list[j], list[i]
	}
}

// lose takes nodes away with what runs on them, waits until it runs elsewhere, and brings the nodes back.
func (f *fleet) lose(ctx context.Context, lost map[string]bool) (Loss, error) {
	names := slices.Sorted(maps.Keys(lost))
	out := Loss{Lost: names[0]}
	if len(names) > 1 {
		out.Lost = fmt.Sprintf("%d nodes of a zone, %s to %s", len(names), names[0], names[len(names)-1])
	}
	start := time.Now()
	for _, name := range names {
		if err := f.client.CoreV1().Nodes().Delete(ctx, name, metav1.DeleteOptions{}); err != nil {
			return out, fmt.Errorf("take node %s away: %w", name, err)
		}
	}
	gone := f.pods.on(lost)
	before := map[string]bool{}
	for _, p := range gone {
		before[string(p.uid)] = true
		if !p.system {
			out.Pods++
		}
	}
	others := f.pods.uids()
	if err := f.kill(ctx, gone); err != nil {
		return out, err
	}
	held := map[string]int{}
	for _, name := range names {
		held[name] = f.system[name]
		delete(f.system, name)
	}
	state, err := f.settle(ctx)
	if err != nil {
		return out, err
	}
	out.Took, out.Stranded, out.Why = time.Since(start), state.pending, state.why
	now := f.pods.uids()
	for uid := range others {
		if !now[uid] && !before[string(uid)] {
			out.Preempted++
		}
	}
	f.log("lost %s: %d pods, %d preempted, %d stranded, all else again after %v", out.Lost, out.Pods, out.Preempted, out.Stranded, out.Took.Round(time.Millisecond))
	for name, n := range held {
		f.system[name] = n
	}
	if err := f.nodes(ctx, lost); err != nil {
		return out, err
	}
	if _, err := f.settle(ctx); err != nil {
		return out, err
	}
	if f.opts.Restore || f.plan.Survival.Restored {
		if err := f.kill(ctx, f.pods.newer(others)); err != nil {
			return out, err
		}
		state, err := f.settle(ctx)
		if err != nil {
			return out, err
		}
		if state.pending > 0 {
			return out, fmt.Errorf("restore %s: %d pods found no place: %v", out.Lost, state.pending, state.why)
		}
	}
	return out, nil
}

// kill takes pods out of the cluster at once, as a lost machine does.
func (f *fleet) kill(ctx context.Context, pods []pod) error {
	var g errgroup.Group
	g.SetLimit(16)
	for _, p := range pods {
		g.Go(func() error {
			uid := p.uid
			err := f.client.CoreV1().Pods(p.namespace).Delete(ctx, p.name, metav1.DeleteOptions{
				GracePeriodSeconds: new(int64(0)), Preconditions: &metav1.Preconditions{UID: &uid},
			})
			if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
				return fmt.Errorf("end pod %s/%s: %w", p.namespace, p.name, err)
			}
			f.pods.forget(p)
			return nil
		})
	}
	return g.Wait()
}

// overfull counts what is bound to each node against what the plan says that it has.
func (f *fleet) overfull() []string {
	used := f.pods.requested()
	var out []string
	for _, n := range f.plan.Nodes {
		for name, room := range allocatable(f.plan.pool(n.Pool)) {
			if have, ok := used[n.Name][name]; ok && have.Cmp(room) > 0 {
				out = append(out, fmt.Sprintf("node %s has %s of %s, and %s is bound to it", n.Name, room.String(), name, have.String()))
			}
		}
	}
	return out
}

func allocatable(p *Pool) corev1.ResourceList {
	a := p.Allocatable
	out := corev1.ResourceList{corev1.ResourceCPU: a.CPU, corev1.ResourceMemory: a.Memory, corev1.ResourcePods: count(a.Pods)}
	if !a.Ephemeral.IsZero() {
		out[corev1.ResourceEphemeralStorage] = a.Ephemeral
	}
	if a.GPUs > 0 {
		out[gpu] = count(a.GPUs)
	}
	return out
}
