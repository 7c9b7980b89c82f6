package fleet

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/tools/cache"
)

// A pod as far as it matters.
type pod struct {
	namespace, name string
	uid             types.UID
	node            string
	system          bool // of a DaemonSet
	running         bool
	refused         string // the scheduler's reason for not placing it
	requests        corev1.ResourceList
}

// A tracker knows every pod.
type tracker struct {
	lock    sync.Mutex
	pods    map[types.UID]pod
	dead    map[types.UID]bool // killed; a late event does not bring them back
	changed time.Time
}

func newTracker() *tracker {
	return &tracker{pods: map[types.UID]pod{}, dead: map[types.UID]bool{}, changed: time.Now()}
}

func (t *tracker) watch(factory informers.SharedInformerFactory) error {
	_, err := factory.Core().V1().Pods().Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    t.see,
		UpdateFunc: func(_, o any) { t.see(o) },
		DeleteFunc: func(o any) {
			if x, ok := o.(cache.DeletedFinalStateUnknown); ok {
				o = x.Obj
			}
			if p, ok := o.(*corev1.Pod); ok {
				t.forget(pod{uid: p.UID})
			}
		},
	})
	if err != nil {
		return fmt.Errorf("watch pods: %w", err)
	}
	return nil
}

func (t *tracker) see(o any) {
	p, ok := o.(*corev1.Pod)
	if !ok {
		return
	}
	x := pod{
		namespace: p.Namespace, name: p.Name, uid: p.UID, node: p.Spec.NodeName,
		running: p.Status.Phase == corev1.PodRunning, requests: requests(&p.Spec),
	}
	x.system = slices.ContainsFunc(p.OwnerReferences, func(r metav1.OwnerReference) bool { return r.Kind == "DaemonSet" })
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse {
			x.refused = cmp.Or(c.Message, c.Reason)
		}
	}
	t.lock.Lock()
	defer t.lock.Unlock()
	if t.dead[p.UID] {
		return
	}
	if p.DeletionTimestamp != nil {
		delete(t.pods, p.UID)
		t.changed = time.Now()
		return
	}
	if old, ok := t.pods[p.UID]; !ok || old.node != x.node || old.running != x.running || (old.refused == "") != (x.refused == "") {
		t.changed = time.Now()
	}
	t.pods[p.UID] = x
}

func (t *tracker) forget(p pod) {
	t.lock.Lock()
	defer t.lock.Unlock()
	if _, ok := t.pods[p.uid]; ok {
		t.changed = time.Now()
	}
	delete(t.pods, p.uid)
	t.dead[p.uid] = true
}

// on gives what is bound to any of the nodes.
func (t *tracker) on(nodes map[string]bool) []pod {
	return t.pick(func(p pod) bool { return nodes[p.node] })
}

// newer gives the pods of workloads that are not among the known.
func (t *tracker) newer(known map[types.UID]bool) []pod {
	return t.pick(func(p pod) bool { return !p.system && !known[p.uid] })
}

func (t *tracker) pick(which func(pod) bool) []pod {
	t.lock.Lock()
	defer t.lock.Unlock()
	var out []pod
	for _, p := range t.pods {
		if which(p) {
			out = append(out, p)
		}
	}
	slices.SortFunc(out, func(a, b pod) int { return cmp.Or(cmp.Compare(a.namespace, b.namespace), cmp.Compare(a.name, b.name)) })
	return out
}

func (t *tracker) uids() map[types.UID]bool {
	t.lock.Lock()
	defer t.lock.Unlock()
	out := map[types.UID]bool{}
	for uid := range t.pods {
		out[uid] = true
	}
	return out
}

// requested sums what is bound by node.
func (t *tracker) requested() map[string]corev1.ResourceList {
	t.lock.Lock()
	defer t.lock.Unlock()
	out := map[string]corev1.ResourceList{}
	for _, p := range t.pods {
		if p.node == "" {
			continue
		}
		if out[p.node] == nil {
			out[p.node] = corev1.ResourceList{}
		}
		for name, q := range p.requests {
			sum := out[p.node][name]
			sum.Add(q)
			out[p.node][name] = sum
		}
		n := out[p.node][corev1.ResourcePods]
		n.Add(count(1))
		out[p.node][corev1.ResourcePods] = n
	}
	return out
}

// requests is what a pod asks for as the scheduler counts it: its containers together, or the largest that runs before
// them, in each resource.
func requests(s *corev1.PodSpec) corev1.ResourceList {
	out := corev1.ResourceList{}
	for i := range s.Containers {
		for name, q := range asked(&s.Containers[i]) {
			sum := out[name]
			sum.Add(q)
			out[name] = sum
		}
	}
	for i := range s.InitContainers {
		for name, q := range asked(&s.InitContainers[i]) {
			if have := out[name]; q.Cmp(have) > 0 {
				out[name] = q
			}
		}
	}
	return out
}

// asked is a container's request; what has a limit alone asks for that.
func asked(c *corev1.Container) corev1.ResourceList {
	out := maps.Clone(c.Resources.Limits)
	if out == nil {
		out = corev1.ResourceList{}
	}
	for name, q := range c.Resources.Requests {
		out[name] = q
	}
	return out
}

// A state is where the pods are once nothing changes any more.
type state struct {
	pending int
	why     []string
}

// settle waits until every pod runs, or until the scheduler has refused what is left and nothing changes.
func (f *fleet) settle(ctx context.Context) (state, error) {
	system := 0
	for _, n := range f.system {
		system += n
	}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		s, daemons, running, undecided, quiet := f.pods.now()
		if running == f.want && daemons == system && s.pending == 0 {
			return s, nil
		}
		if undecided == 0 && quiet > f.opts.Settle {
			s.pending = f.want + system - running - daemons
			if s.pending <= 0 {
				return s, fmt.Errorf("wait for pods: %d run and %d of DaemonSets, where %d and %d were wanted", running, daemons, f.want, system)
			}
			return s, nil
		}
		select {
		case <-ctx.Done():
			return s, fmt.Errorf("wait for pods: %d of %d run, %d of %d of DaemonSets, %d undecided: %w", running, f.want, daemons, system, undecided, context.Cause(ctx))
		case <-tick.C:
		}
	}
}

// now counts: pods without a node, what runs of DaemonSets and of workloads, what the scheduler or the node has not
// decided yet, and how long nothing has changed.
func (t *tracker) now() (s state, daemons, running, undecided int, quiet time.Duration) {
	t.lock.Lock()
	defer t.lock.Unlock()
	said, example := map[string]int{}, map[string]string{}
	for _, p := range t.pods {
		switch {
		case p.running && p.system:
			daemons++
		case p.running:
			running++
		case p.node == "" && p.refused != "":
			s.pending++
			said[p.refused]++
			if name := p.namespace + "/" + p.name; example[p.refused] == "" || name < example[p.refused] {
				example[p.refused] = name
			}
		default:
			undecided++
		}
	}
	s.why = slices.SortedFunc(maps.Keys(said), func(a, b string) int { return cmp.Or(said[b]-said[a], cmp.Compare(a, b)) })
	for i, w := range s.why {
		s.why[i] = fmt.Sprintf("%d (such as %s): %s", said[w], example[w], w)
	}
	return s, daemons, running, undecided, time.Since(t.changed)
}
