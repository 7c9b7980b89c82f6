package runnertest

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/rollout"
	"github.com/tranship/tranship/internal/rollout/runner"
)

// ClusterWorld is what the suite does to the world behind a cluster. It is made
// anew for each test.
type ClusterWorld struct {
	// Namespace is of this test alone, and Image something that starts.
	Namespace, Image string
	// Await lets time go by until done, and reports whether it came to that.
	Await func(done func() bool) bool
	// Has reports whether there is an object.
	Has func(kind, namespace, name string) bool
	// Grab has another manager own the number of copies of a Deployment.
	Grab func(namespace, name, manager string)
	// Fill has somebody put a value into a Secret.
	Fill func(namespace, name string)
	// Tear has the nth change from now be made and its answer be lost.
	Tear func(n int)
	// Cut has nobody answer until restore is called.
	Cut func() (restore func())
	// Deny takes the right to change anything away.
	Deny func()
	// Break has the workload's copies not come up, for a reason that time does
	// not mend.
	Break func(w estate.Name)
}

// Cluster holds a cluster against what runner.Cluster promises.
func Cluster(t *testing.T, open func(*testing.T) (runner.Cluster, ClusterWorld)) {
	for _, c := range []struct {
		name string
		test func(*bench)
	}{
		{"What was never applied is absent", neverApplied},
		{"Apply runs as many copies as the objects say", appliedRuns},
		{"Apply done twice is as done once", appliedTwice},
		{"Apply of no copies makes nothing run, and can be undone", appliedStopped},
		{"A schedule without copies is suspended", scheduleStopped},
		{"A job without copies is not begun", jobStopped},
		{"An autoscaler goes while nothing is to run", autoscalerStopped},
		{"The version follows the objects alone", versionFollows},
		{"Apply takes away what it does not have any more, and nothing else", prunes},
		{"Claims and what is shared outlive what they came with", claimsStay},
		{"A Secret that somebody has filled outlives what it came with", filledStays},
		{"Remove takes away what Apply made", removes},
		{"Removing what is not there is no error", removesNothing},
		{"A field of another manager is refused and named", conflictRefused},
		{"Bad objects are refused, and none of them is applied", badRefused},
		{"Without permission it is refused", permissionRefused},
		{"An Apply that was torn anywhere is mended by the next", tornApply},
		{"A Remove that was torn anywhere is mended by the next", tornRemove},
		{"No answer is not a refusal", noAnswer},
		{"A context that has ended ends the call", endedContext},
		{"Copies that cannot come up are told", brokenTold},
	} {
		t.Run(c.name, func(t *testing.T) {
			cluster, world := open(t)
			c.test(&bench{T: t, c: cluster, w: world})
		})
	}
}

// bench is one test at work.
type bench struct {
	*testing.T
	c runner.Cluster
	w ClusterWorld
}

const cart, pay estate.Name = "/shop/cart", "/shop/pay"

func (b *bench) apply(w estate.Name, copies int, objects ...string) {
	b.Helper()
	if err := b.c.Apply(b.Context(), w, documents(objects), copies); err != nil {
		b.Fatalf("Apply(%s, %d copies) = %v", w, copies, err)
	}
}

func (b *bench) remove(w estate.Name) {
	b.Helper()
	if err := b.c.Remove(b.Context(), w); err != nil {
		b.Fatalf("Remove(%s) = %v", w, err)
	}
}

func (b *bench) observe(w estate.Name) rollout.Copies {
	b.Helper()
	c, err := b.c.Observe(b.Context(), w)
	if err != nil {
		b.Fatalf("Observe(%s) = %v", w, err)
	}
	return c
}

func (b *bench) until(w estate.Name, what string, ok func(rollout.Copies) bool) {
	b.Helper()
	if !b.w.Await(func() bool { return ok(b.observe(w)) }) {
		b.Fatalf("Observe(%s) = %+v, want %s", w, b.observe(w), what)
	}
}

func (b *bench) has(want bool, kind, namespace, name string) {
	b.Helper()
	if !b.w.Await(func() bool { return b.w.Has(kind, namespace, name) == want }) {
		b.Errorf("%s %s/%s is there: %t, want %t", kind, namespace, name, !want, want)
	}
}

func ready(n int) func(rollout.Copies) bool {
	return func(c rollout.Copies) bool { return c.Ready == n && c.Running == n && c.Wanted == n && c.Failing == "" }
}

func idle(c rollout.Copies) bool { return c.Wanted == 0 && c.Running == 0 && c.Ready == 0 && !c.Absent }

func neverApplied(b *bench) {
	if c := b.observe("/nowhere"); !c.Absent || c.Wanted != 0 || c.Running != 0 {
		b.Errorf("Observe(/nowhere) = %+v, want absent", c)
	}
}

func appliedRuns(b *bench) {
	b.apply(cart, -1, b.service("cart", 2)...)
	if c := b.observe(cart); c.Absent || c.Wanted != 2 || c.Version == "" {
		b.Errorf("Observe right after Apply = %+v, want 2 copies wanted of some version", c)
	}
	b.until(cart, "2 copies ready", ready(2))
	b.apply(cart, 3, b.service("cart", 2)...)
	b.until(cart, "3 copies, as was asked for", ready(3))
	b.apply(cart, -1, b.service("cart", 2)...)
	b.until(cart, "2 copies, as the objects say", ready(2))
}

func appliedTwice(b *bench) {
	b.apply(cart, -1, b.service("cart", 2)...)
	b.until(cart, "2 copies ready", ready(2))
	before := b.observe(cart)
	b.apply(cart, -1, b.service("cart", 2)...)
	if after := b.observe(cart); after != before {
		b.Errorf("a second Apply changed %+v to %+v", before, after)
	}
}

func appliedStopped(b *bench) {
	b.apply(cart, 0, b.service("cart", 2)...)
	if c := b.observe(cart); !idle(c) {
		b.Fatalf("Observe after a first Apply of no copies = %+v, want that nothing ran", c)
	}
	b.apply(cart, -1, b.service("cart", 2)...)
	b.until(cart, "2 copies ready", ready(2))
	b.apply(cart, 0, b.service("cart", 2)...)
	if c := b.observe(cart); c.Wanted != 0 {
		b.Errorf("Observe right after Apply of no copies = %+v, want none wanted", c)
	}
	b.until(cart, "nothing running", idle)
	b.has(true, "Deployment", b.w.Namespace, "cart")
}

func scheduleStopped(b *bench) {
	b.apply(cart, 0, b.cron("cart", false)...)
	if c := b.observe(cart); c.Wanted != 0 || c.Absent {
		b.Errorf("Observe(suspended) = %+v, want none wanted", c)
	}
	b.apply(cart, -1, b.cron("cart", false)...)
	if c := b.observe(cart); c.Wanted != 1 || c.Ready != 1 || c.Running != 0 {
		b.Errorf("Observe(scheduled) = %+v, want a schedule that is on and no run", c)
	}
	b.apply(cart, -1, b.cron("cart", true)...)
	if c := b.observe(cart); c.Wanted != 0 {
		b.Errorf("Observe(suspended by its objects) = %+v, want none wanted", c)
	}
}

func jobStopped(b *bench) {
	b.apply(cart, 0, b.job("cart")...)
	b.has(false, "Job", b.w.Namespace, "cart")
	if c := b.observe(cart); c.Wanted != 0 || c.Running != 0 {
		b.Errorf("Observe = %+v, want that nothing runs", c)
	}
	b.apply(cart, -1, b.job("cart")...)
	b.has(true, "Job", b.w.Namespace, "cart")
	b.apply(cart, 0, b.job("cart")...)
	b.has(true, "Job", b.w.Namespace, "cart") // a run that is over is not to begin again
	b.until(cart, "nothing running", idle)
}

func autoscalerStopped(b *bench) {
	objects := append(b.service("cart", -1), b.autoscaler("cart"))
	b.apply(cart, -1, objects...)
	b.has(true, "HorizontalPodAutoscaler", b.w.Namespace, "cart")
	b.apply(cart, 0, objects...)
	b.has(false, "HorizontalPodAutoscaler", b.w.Namespace, "cart")
	b.until(cart, "nothing running", idle)
	b.apply(cart, -1, objects...)
	b.has(true, "HorizontalPodAutoscaler", b.w.Namespace, "cart")
	if c := b.observe(cart); c.Wanted == 0 {
		b.Errorf("Observe = %+v, want copies again", c)
	}
}

func versionFollows(b *bench) {
	b.apply(cart, -1, b.service("cart", 2)...)
	first := b.observe(cart).Version
	b.apply(cart, 0, b.service("cart", 2)...)
	if got := b.observe(cart).Version; got != first {
		b.Errorf("version went from %s to %s with the number of copies alone", first, got)
	}
	b.apply(cart, -1, append(b.service("cart", 2), b.config("more", "a: b"))...)
	second := b.observe(cart).Version
	if second == first {
		b.Errorf("version is %s with other objects too", first)
	}
	b.apply(cart, -1, b.service("cart", 2)...)
	if got := b.observe(cart).Version; got != first {
		b.Errorf("version = %s, want %s: the objects are the first ones again", got, first)
	}
}

func prunes(b *bench) {
	b.apply(cart, -1, append(b.service("cart", 1), b.config("old", "a: b"), b.config("kept", "a: b"))...)
	b.apply(pay, -1, append(b.service("pay", 1), b.config("pays", "a: b"))...)
	b.apply(cart, -1, append(b.service("cart", 1), b.config("kept", "a: b"))...)
	b.has(false, "ConfigMap", b.w.Namespace, "old")
	for _, name := range []string{"kept", "pays"} {
		b.has(true, "ConfigMap", b.w.Namespace, name)
	}
	for _, name := range []string{"cart", "pay"} {
		b.has(true, "Deployment", b.w.Namespace, name)
		b.has(true, "Service", b.w.Namespace, name)
	}
}

func claimsStay(b *bench) {
	b.apply(cart, -1, append(b.service("cart", 1), b.claim("data"), b.shared("edge"))...)
	b.apply(cart, -1, b.service("cart", 1)...)
	b.has(true, "PersistentVolumeClaim", b.w.Namespace, "data")
	b.has(true, "ConfigMap", b.w.Namespace, "edge")
	b.remove(cart)
	b.has(false, "Deployment", b.w.Namespace, "cart")
	b.has(true, "PersistentVolumeClaim", b.w.Namespace, "data")
	b.has(true, "ConfigMap", b.w.Namespace, "edge")
	b.has(true, "Namespace", "", b.w.Namespace)
}

func removes(b *bench) {
	b.apply(cart, -1, append(b.service("cart", 1), b.autoscaler("cart"), b.config("old", "a: b"))...)
	b.apply(pay, -1, b.service("pay", 1)...)
	b.remove(cart)
	for _, kind := range []string{"Deployment", "Service", "HorizontalPodAutoscaler"} {
		b.has(false, kind, b.w.Namespace, "cart")
	}
	b.has(false, "ConfigMap", b.w.Namespace, "old")
	b.has(true, "Deployment", b.w.Namespace, "pay")
	b.until(cart, "absent", func(c rollout.Copies) bool { return c.Absent })
	b.apply(cart, -1, b.service("cart", 1)...)
	b.until(cart, "a copy again", ready(1))
}

func removesNothing(b *bench) {
	b.remove("/nowhere")
	b.apply(cart, -1, b.service("cart", 1)...)
	b.remove(cart)
	b.remove(cart)
}

func conflictRefused(b *bench) {
	b.apply(cart, -1, b.service("cart", 2)...)
	b.w.Grab(b.w.Namespace, "cart", "argocd")
	err := b.c.Apply(b.Context(), cart, documents(b.service("cart", 2)), -1)
	if !errors.Is(err, runner.ErrRefused) || !strings.Contains(err.Error(), "argocd") || !strings.Contains(err.Error(), "replicas") {
		b.Errorf("Apply over a field of argocd = %v, want a refusal that names argocd and replicas", err)
	}
	b.has(true, "Deployment", b.w.Namespace, "cart")
}

func badRefused(b *bench) {
	for _, bad := range []string{
		"apiVersion: v1\nkind: ConfigMap\nmetadata: {namespace: " + b.w.Namespace + "}\n",
		"kind: ConfigMap\nmetadata: {name: x, namespace: " + b.w.Namespace + "}\n",
		"apiVersion: v1\nkind: ConfigMap\n\tmetadata: {name: x}\n",
	} {
		err := b.c.Apply(b.Context(), cart, documents(append(b.service("cart", 1), bad)), -1)
		if !errors.Is(err, runner.ErrRefused) {
			b.Errorf("Apply of %q = %v, want a refusal", bad, err)
		}
	}
	b.has(false, "Deployment", b.w.Namespace, "cart")
}

func permissionRefused(b *bench) {
	b.apply(cart, -1, b.service("cart", 1)...)
	b.w.Deny()
	if err := b.c.Apply(b.Context(), cart, documents(append(b.service("cart", 1), b.config("more", "a: b"))), -1); !errors.Is(err, runner.ErrRefused) {
		b.Errorf("Apply without permission = %v, want a refusal", err)
	}
	if err := b.c.Remove(b.Context(), cart); !errors.Is(err, runner.ErrRefused) {
		b.Errorf("Remove without permission = %v, want a refusal", err)
	}
	b.has(true, "Deployment", b.w.Namespace, "cart")
}

// torn calls act until it is torn nowhere any more, and check after each.
func (b *bench) torn(act func(context.Context) error, check func()) {
	b.Helper()
	for n := 1; ; n++ {
		if n > 100 {
			b.Fatal("the call was still torn after its hundredth change")
		}
		b.w.Tear(n)
		err := act(b.Context())
		b.w.Tear(0)
		if err == nil && n == 1 {
			b.Fatal("a call whose answer was lost gave no error")
		}
		if errors.Is(err, runner.ErrRefused) || errors.Is(err, runner.ErrAbsent) {
			b.Errorf("torn at change %d = %v, want an error that may pass", n, err)
		}
		whole := err == nil
		if err := act(b.Context()); err != nil {
			b.Fatalf("done again after change %d was torn = %v", n, err)
		}
		check()
		if whole {
			return
		}
	}
}

func tornApply(b *bench) {
	old := append(b.service("cart", 1), b.config("old", "a: b"))
	fresh := append(b.service("cart", 2), b.autoscaler("other"), b.config("fresh", "a: b"))
	b.torn(func(ctx context.Context) error { return b.c.Apply(ctx, cart, documents(fresh), 2) }, func() {
		b.has(false, "ConfigMap", b.w.Namespace, "old")
		b.has(true, "ConfigMap", b.w.Namespace, "fresh")
		if c := b.observe(cart); c.Wanted != 2 {
			b.Errorf("Observe = %+v, want 2 copies", c)
		}
		b.apply(cart, 0, old...)
		b.has(false, "ConfigMap", b.w.Namespace, "fresh")
	})
}

func tornRemove(b *bench) {
	objects := append(b.service("cart", 1), b.config("old", "a: b"))
	b.apply(cart, 0, objects...)
	b.torn(func(ctx context.Context) error { return b.c.Remove(ctx, cart) }, func() {
		b.has(false, "ConfigMap", b.w.Namespace, "old")
		b.has(false, "Deployment", b.w.Namespace, "cart")
		b.apply(cart, 0, objects...)
	})
}

func noAnswer(b *bench) {
	b.apply(cart, -1, b.service("cart", 1)...)
	restore := b.w.Cut()
	for name, err := range map[string]error{
		"Apply":  b.c.Apply(b.Context(), cart, documents(b.service("cart", 1)), -1),
		"Remove": b.c.Remove(b.Context(), cart),
		"Observe": func() error {
			_, err := b.c.Observe(b.Context(), cart)
			return err
		}(),
	} {
		if err == nil || errors.Is(err, runner.ErrRefused) || errors.Is(err, runner.ErrAbsent) {
			b.Errorf("%s while nobody answers = %v, want an error that may pass", name, err)
		}
	}
	restore()
	b.until(cart, "the copy that was there all the time", ready(1))
}

func endedContext(b *bench) {
	ctx, cancel := context.WithCancelCause(b.Context())
	cancel(errors.New("the mover ends"))
	if err := b.c.Apply(ctx, cart, documents(b.service("cart", 1)), -1); err == nil || errors.Is(err, runner.ErrRefused) {
		b.Errorf("Apply = %v, want the end of the context", err)
	}
	b.has(false, "Deployment", b.w.Namespace, "cart")
}

func brokenTold(b *bench) {
	b.apply(cart, -1, b.service("cart", 1)...)
	b.w.Break(cart)
	b.until(cart, "a reason why it fails, for good", func(c rollout.Copies) bool { return c.Failing != "" && c.Doomed && c.Ready == 0 })
}
