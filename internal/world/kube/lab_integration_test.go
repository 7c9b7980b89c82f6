//go:build integration

package kube_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/yaml"

	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/rollout/runner"
	"github.com/tranship/tranship/internal/rollout/runner/runnertest"
	"github.com/tranship/tranship/internal/world/kube"
)

// patience is how long the lab may take to come to anything.
const patience = time.Minute

// lab is the cluster that these tests run on: that of the lab whose facts
// TRANSHIP_LAB names, or else that of KUBECONFIG.
type lab struct {
	kubeconfig, image string
	admin             *kube.Connection
}

func open(t *testing.T) lab {
	t.Helper()
	l := lab{kubeconfig: os.Getenv("KUBECONFIG"), image: "registry.k8s.io/pause:3.10"}
	if file := os.Getenv("TRANSHIP_LAB"); file != "" {
		var facts struct {
			Kubernetes struct{ Kubeconfig string }
			Images     []string
		}
		text, err := os.ReadFile(file)
		if err == nil {
			err = json.Unmarshal(text, &facts)
		}
		if err != nil || len(facts.Images) == 0 {
			t.Fatalf("read the lab's facts: %v", err)
		}
		l.kubeconfig, l.image = facts.Kubernetes.Kubeconfig, facts.Images[0]
	}
	if l.kubeconfig == "" {
		t.Fatal("set TRANSHIP_LAB to the lab.json of a lab that is up, or KUBECONFIG")
	}
	l.admin = l.connect(t, nil)
	return l
}

func (l lab) connect(t *testing.T, wrap func(http.RoundTripper) http.RoundTripper) *kube.Connection {
	t.Helper()
	c, err := kube.Connect(kube.Config{Kubeconfig: l.kubeconfig, Wrap: wrap})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// await asks until done, or patience ends.
func await(done func() bool) bool {
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if done() {
			return true
		}
	}
	return false
}

// space makes a namespace of the test's own and takes it away again.
func (l lab) space(t *testing.T) string {
	t.Helper()
	name := fmt.Sprintf("kube-test-%08x", rand.Uint32())
	spaces := l.admin.Typed.CoreV1().Namespaces()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), patience)
		defer cancel()
		if err := spaces.Delete(ctx, name, metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
			t.Errorf("delete namespace %s: %v", name, err)
		}
	})
	return name
}

// wire is the way to the server, on which things go wrong.
type wire struct {
	mu     sync.Mutex
	user   string // to act as
	tear   int    // the answer to this change, counted from now, is lost
	cut    bool
	denied bool
}

func (w *wire) around(next http.RoundTripper) http.RoundTripper {
	return roundTrip(func(r *http.Request) (*http.Response, error) { return w.send(next, r) })
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func (w *wire) send(next http.RoundTripper, r *http.Request) (*http.Response, error) {
	w.mu.Lock()
	cut, user, torn := w.cut, w.user, false
	if w.denied {
		user = "nobody"
	}
	if w.tear > 0 && r.Method != http.MethodGet {
		w.tear--
		torn = w.tear == 0
	}
	w.mu.Unlock()
	if cut {
		return nil, errors.New("connection refused")
	}
	if user != "" {
		r = r.Clone(r.Context())
		r.Header.Set("Impersonate-User", user)
	}
	answer, err := next.RoundTrip(r)
	if torn && err == nil {
		answer.Body.Close()
		return nil, errors.New("connection reset by peer")
	}
	return answer, err
}

func (w *wire) set(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f()
}

// mover makes a user with exactly the rights that Role prints.
func (l lab) mover(t *testing.T, namespace string) string {
	t.Helper()
	name, ctx, rbac := "mover-"+namespace, t.Context(), l.admin.Typed.RbacV1()
	documents := strings.Split(kube.Role(namespace), "---\n")
	var cluster rbacv1.ClusterRole
	var own rbacv1.Role
	for text, into := range map[string]any{documents[0]: &cluster, documents[1]: &own} {
		if err := yaml.UnmarshalStrict([]byte(text), into); err != nil {
			t.Fatal(err)
		}
	}
	cluster.Name = name
	subject := []rbacv1.Subject{{Kind: "User", APIGroup: rbacv1.GroupName, Name: name}}
	steps := []error{
		ignore(l.admin.Typed.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}, metav1.CreateOptions{})),
		ignore(rbac.ClusterRoles().Create(ctx, &cluster, metav1.CreateOptions{})),
		ignore(rbac.ClusterRoleBindings().Create(ctx, &rbacv1.ClusterRoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: name}, Subjects: subject, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: name},
		}, metav1.CreateOptions{})),
		ignore(rbac.Roles(namespace).Create(ctx, &own, metav1.CreateOptions{})),
		ignore(rbac.RoleBindings(namespace).Create(ctx, &rbacv1.RoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: name}, Subjects: subject, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: own.Name},
		}, metav1.CreateOptions{})),
		// What everybody who is known may: ask for kinds, and for one's own rights.
		ignore(rbac.ClusterRoleBindings().Create(ctx, &rbacv1.ClusterRoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: name + "-known"}, Subjects: subject, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "system:discovery"},
		}, metav1.CreateOptions{})),
		ignore(rbac.ClusterRoleBindings().Create(ctx, &rbacv1.ClusterRoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: name + "-asks"}, Subjects: subject, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "system:basic-user"},
		}, metav1.CreateOptions{})),
	}
	if err := errors.Join(steps...); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), patience)
		defer cancel()
		for _, b := range []string{name, name + "-known", name + "-asks"} {
			_ = rbac.ClusterRoleBindings().Delete(ctx, b, metav1.DeleteOptions{})
		}
		_ = rbac.ClusterRoles().Delete(ctx, name, metav1.DeleteOptions{})
	})
	return name
}

func ignore[T any](_ T, err error) error { return err }

// clear takes the workloads away and waits until nothing of them is there.
func (l lab) clear(t *testing.T, workloads ...estate.Name) {
	t.Helper()
	c := kube.NewCluster(l.admin, time.Now, kube.ClusterOptions{})
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), patience)
	defer cancel()
	for _, w := range workloads {
		if err := c.Remove(ctx, w); err != nil {
			t.Errorf("clear %s: %v", w, err)
		}
		gone := await(func() bool {
			got, err := c.Observe(ctx, w)
			return err == nil && got.Absent
		})
		if !gone {
			t.Errorf("clear %s: it is not gone within %s", w, patience)
		}
	}
}

func resourceOf(t *testing.T, kind string) schema.GroupVersionResource {
	t.Helper()
	of := map[string]schema.GroupVersionResource{
		"Deployment": {Group: "apps", Version: "v1", Resource: "deployments"}, "Service": {Version: "v1", Resource: "services"},
		"Secret": {Version: "v1", Resource: "secrets"}, "ConfigMap": {Version: "v1", Resource: "configmaps"}, "Namespace": {Version: "v1", Resource: "namespaces"},
		"PersistentVolumeClaim":   {Version: "v1", Resource: "persistentvolumeclaims"},
		"HorizontalPodAutoscaler": {Group: "autoscaling", Version: "v2", Resource: "horizontalpodautoscalers"},
		"Job":                     {Group: "batch", Version: "v1", Resource: "jobs"},
		"DaemonSet":               {Group: "apps", Version: "v1", Resource: "daemonsets"},
	}
	r, ok := of[kind]
	if !ok {
		t.Fatalf("no resource for %s", kind)
	}
	return r
}

func (l lab) has(t *testing.T, kind, namespace, name string) bool {
	t.Helper()
	r := l.admin.Dynamic.Resource(resourceOf(t, kind))
	var err error
	if namespace == "" {
		_, err = r.Get(t.Context(), name, metav1.GetOptions{})
	} else {
		_, err = r.Namespace(namespace).Get(t.Context(), name, metav1.GetOptions{})
	}
	if err != nil && !apierrors.IsNotFound(err) {
		t.Fatal(err)
	}
	return err == nil
}

// set writes to a Deployment as another manager does.
func (l lab) set(t *testing.T, namespace, name, manager, patch string) {
	t.Helper()
	_, err := l.admin.Typed.AppsV1().Deployments(namespace).Patch(t.Context(), name, types.StrategicMergePatchType, []byte(patch), metav1.PatchOptions{FieldManager: manager})
	if err != nil {
		t.Fatal(err)
	}
}

// The suite runs as a user who has what Role prints and no more.
func TestClusterKeepsItsPromises(t *testing.T) {
	l := open(t)
	runnertest.Cluster(t, func(t *testing.T) (runner.Cluster, runnertest.ClusterWorld) {
		namespace := l.space(t)
		w := &wire{user: l.mover(t, namespace)}
		c := kube.NewCluster(l.connect(t, w.around), time.Now, kube.ClusterOptions{})
		t.Cleanup(func() { l.clear(t, "/shop/cart", "/shop/pay") })
		return c, runnertest.ClusterWorld{
			Namespace: namespace, Image: l.image, Await: await,
			Has: func(kind, namespace, name string) bool { return l.has(t, kind, namespace, name) },
			Grab: func(namespace, name, manager string) {
				l.set(t, namespace, name, manager, `{"spec":{"replicas":1}}`)
			},
			Fill: func(namespace, name string) {
				_, err := l.admin.Typed.CoreV1().Secrets(namespace).Patch(t.Context(), name, types.StrategicMergePatchType,
					[]byte(`{"stringData":{"a":"b"}}`), metav1.PatchOptions{FieldManager: "somebody"})
				if err != nil {
					t.Fatal(err)
				}
			},
			Tear: func(n int) { w.set(func() { w.tear = n }) },
			Cut: func() func() {
				w.set(func() { w.cut = true })
				return func() { w.set(func() { w.cut = false }) }
			},
			Deny: func() { w.set(func() { w.denied = true }) },
			Break: func(estate.Name) {
				l.set(t, namespace, "cart", "somebody", `{"spec":{"template":{"spec":{"containers":[{"name":"main","image":"lab.local/nowhere:1","imagePullPolicy":"Never"}]}}}}`)
			},
		}
	})
}

func TestLeaseKeepsItsPromises(t *testing.T) {
	l := open(t)
	runnertest.Lease(t, func(t *testing.T) runnertest.LeaseWorld {
		namespace := l.space(t)
		w := &wire{user: l.mover(t, namespace)}
		var mu sync.Mutex
		at := time.Now()
		now := func() time.Time {
			mu.Lock()
			defer mu.Unlock()
			return at
		}
		return runnertest.LeaseWorld{
			Open: func() runner.Lease { return kube.NewLease(l.connect(t, w.around), namespace, now) },
			Pass: func(d time.Duration) {
				mu.Lock()
				defer mu.Unlock()
				at = at.Add(d)
			},
		}
	})
}

func TestFencesKeepTheirPromises(t *testing.T) {
	l := open(t)
	runnertest.Fences(t, func(t *testing.T) runnertest.FencesWorld {
		namespace := l.space(t)
		w := &wire{user: l.mover(t, namespace)}
		return runnertest.FencesWorld{
			Open: func() runner.Fences { return kube.NewFences(l.connect(t, w.around), namespace) },
			Tear: func() { w.set(func() { w.tear = 1 }) },
		}
	})
}

func TestExposerKeepsItsPromises(t *testing.T) {
	l := open(t)
	for _, pods := range []bool{false, true} {
		t.Run(map[bool]string{false: "node-port", true: "pod"}[pods], func(t *testing.T) {
			runnertest.Exposer(t, func(t *testing.T) (runner.Exposer, runnertest.ExposerWorld) {
				namespace := l.space(t)
				w := &wire{user: l.mover(t, namespace)}
				e, c := kube.NewExposer(l.connect(t, w.around), pods), kube.NewCluster(l.admin, time.Now, kube.ClusterOptions{})
				t.Cleanup(func() { l.clear(t, "/shop/cart", "/shop/pay") })
				return e, runnertest.ExposerWorld{
					Place: func(w estate.Name) { l.place(t, c, w, deployment(namespace, short(w), l.image, 2), 2) },
					Exposed: func(w estate.Name) bool {
						list, err := l.admin.Typed.CoreV1().Services(namespace).List(t.Context(), metav1.ListOptions{LabelSelector: kube.Bridge + "=true"})
						if err != nil {
							t.Fatal(err)
						}
						for _, s := range list.Items {
							if s.Annotations[kube.MovedWorkload] == string(w) {
								return true
							}
						}
						return false
					},
					Makes: !pods,
				}
			})
		})
	}
}

func short(w estate.Name) string { return string(w[strings.LastIndex(string(w), "/")+1:]) }

// place applies a workload and waits until its copies are ready.
func (l lab) place(t *testing.T, c *kube.Cluster, w estate.Name, objects [][]byte, ready int) {
	t.Helper()
	if err := c.Apply(t.Context(), w, objects, -1); err != nil {
		t.Fatal(err)
	}
	if !await(func() bool { got, err := c.Observe(t.Context(), w); return err == nil && got.Ready == ready }) {
		got, err := c.Observe(t.Context(), w)
		t.Fatalf("Observe(%s) = %+v, %v; want %d ready", w, got, err, ready)
	}
}

// deployment gives a namespace and a Deployment; edits change it.
func deployment(namespace, name, image string, replicas int32, edits ...func(*appsv1.Deployment)) [][]byte {
	labels := map[string]string{"app.kubernetes.io/name": name}
	d := &appsv1.Deployment{
		TypeMeta:   metav1.TypeMeta{APIVersion: "apps/v1", Kind: "Deployment"},
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace},
		Spec: appsv1.DeploymentSpec{
			Replicas: &replicas, Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec: corev1.PodSpec{
					TerminationGracePeriodSeconds: new(int64(1)), Containers: []corev1.Container{{Name: "main", Image: image}},
				},
			},
		},
	}
	for _, edit := range edits {
		edit(d)
	}
	return [][]byte{[]byte("apiVersion: v1\nkind: Namespace\nmetadata: {name: " + namespace + "}\n"), document(d)}
}

// document writes an object as a person would, without what only a server fills in.
func document(object any) []byte {
	text, err := json.Marshal(object)
	if err != nil {
		panic(err)
	}
	text = bytes.ReplaceAll(text, []byte(`,"status":{}`), nil)
	text = bytes.ReplaceAll(text, []byte(`"creationTimestamp":null,`), nil)
	return text
}

var routeResource = schema.GroupVersionResource{Group: "gateway.networking.k8s.io", Version: "v1", Resource: "httproutes"}
