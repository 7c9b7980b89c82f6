//go:build integration

package gateway_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"

	"github.com/tranship/tranship/internal/rollout"
	"github.com/tranship/tranship/internal/rollout/runner"
	"github.com/tranship/tranship/internal/rollout/runner/runnertest"
	"github.com/tranship/tranship/internal/world/kube"
	"github.com/tranship/tranship/internal/world/kube/gateway"
)

// The API server, the definitions of Gateway API and their validation are real;
// the controller is played here: it takes routes up, and shares requests out as
// the weights say.

const (
	module = "sigs.k8s.io/gateway-api@v1.6.3"
	sum    = "h1:lKpJa5bGlraC/QeACvCpsHLdmO6y0iKfzVl6gzaFEYc="
)

var (
	routes      = schema.GroupVersionResource{Group: "gateway.networking.k8s.io", Version: "v1", Resource: "httproutes"}
	definitions = schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}
)

func open(t *testing.T) *kube.Connection {
	t.Helper()
	file := os.Getenv("KUBECONFIG")
	if facts := os.Getenv("TRANSHIP_LAB"); facts != "" {
		var lab struct{ Kubernetes struct{ Kubeconfig string } }
		text, err := os.ReadFile(facts)
		if err == nil {
			err = json.Unmarshal(text, &lab)
		}
		if err != nil {
			t.Fatal(err)
		}
		file = lab.Kubernetes.Kubeconfig
	}
	if file == "" {
		t.Fatal("set TRANSHIP_LAB to the lab.json of a lab that is up, or KUBECONFIG")
	}
	c, err := kube.Connect(kube.Config{Kubeconfig: file})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// definition reads that of HTTPRoute from the module that publishes it.
func definition(t *testing.T) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "mod", "download", "-json", module)
	cmd.Dir = t.TempDir() // outside of any module
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("download %s: %v", module, err)
	}
	var at struct{ Dir, Sum string }
	if err := json.Unmarshal(out, &at); err != nil || at.Sum != sum {
		t.Fatalf("%s has sum %s, want %s (%v)", module, at.Sum, sum, err)
	}
	text, err := os.ReadFile(filepath.Join(at.Dir, "config/crd/standard/gateway.networking.k8s.io_httproutes.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// Inside of the lab, where the other tests run, no module can be fetched: this one runs before them, outside.
func TestTheDefinitionCanBeHad(t *testing.T) { definition(t) }

// install brings the definition of HTTPRoute, and takes it away again if it was
// not there.
func install(t *testing.T, c *kube.Connection) {
	t.Helper()
	if _, err := c.Dynamic.Resource(definitions).Get(t.Context(), routes.GroupResource().String(), metav1.GetOptions{}); err == nil {
		return
	}
	text := definition(t)
	var o unstructured.Unstructured
	if err := yaml.Unmarshal(text, &o.Object); err != nil {
		t.Fatal(err)
	}
	made, err := c.Dynamic.Resource(definitions).Create(t.Context(), &o, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		if err := c.Dynamic.Resource(definitions).Delete(ctx, made.GetName(), metav1.DeleteOptions{}); err != nil {
			t.Error(err)
		}
		until(t, "HTTPRoute is gone", func() bool {
			_, err := c.Dynamic.Resource(definitions).Get(ctx, made.GetName(), metav1.GetOptions{})
			return apierrors.IsNotFound(err)
		})
	})
	served := 0 // some requests after a change still see the time before it
	until(t, "HTTPRoute is served", func() bool {
		if _, err := c.Dynamic.Resource(routes).List(t.Context(), metav1.ListOptions{Limit: 1}); err != nil {
			served = 0
			return false
		}
		served++
		return served == 20
	})
}

func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if done() {
			return
		}
	}
	t.Fatalf("not within 30 s: %s", what)
}

// door is a Gateway's controller and data path, played.
type door struct {
	*testing.T
	c         *kube.Connection
	namespace string

	mu    sync.Mutex
	table []share // as it took it up last
	down  map[string]bool
	idle  bool   // it takes nothing up
	says  string // what it says of every route
}

type share struct {
	weight    int64
	side      string
	addresses []string
}

func newDoor(t *testing.T, c *kube.Connection) *door {
	t.Helper()
	d := &door{T: t, c: c, namespace: fmt.Sprintf("gateway-test-%08x", rand.Uint32()), down: map[string]bool{}}
	ctx := t.Context()
	_, err := c.Typed.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: d.namespace}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	stop, ended := make(chan struct{}), make(chan struct{})
	t.Cleanup(func() {
		close(stop)
		<-ended
		_ = c.Typed.CoreV1().Namespaces().Delete(context.WithoutCancel(ctx), d.namespace, metav1.DeleteOptions{})
	})
	_, err = c.Typed.CoreV1().Services(d.namespace).Create(ctx, &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: "old"}, Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 80}}},
	}, metav1.CreateOptions{})
	if err == nil {
		_, err = c.Typed.DiscoveryV1().EndpointSlices(d.namespace).Create(ctx, &discoveryv1.EndpointSlice{
			ObjectMeta:  metav1.ObjectMeta{Name: "old", Labels: map[string]string{discoveryv1.LabelServiceName: "old"}},
			AddressType: discoveryv1.AddressTypeIPv4, Ports: []discoveryv1.EndpointPort{{Name: new(""), Port: new(int32(10001))}},
			Endpoints: []discoveryv1.Endpoint{{Addresses: []string{"10.9.0.1"}}, {Addresses: []string{"10.9.0.2"}}},
		}, metav1.CreateOptions{})
	}
	if err == nil {
		_, err = c.Dynamic.Resource(routes).Namespace(d.namespace).Create(ctx, d.route(), metav1.CreateOptions{})
	}
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(ended)
		for {
			select {
			case <-stop:
				return
			case <-time.After(20 * time.Millisecond):
				d.takeUp(context.WithoutCancel(ctx))
			}
		}
	}()
	return d
}

func (d *door) route() *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute",
		"metadata": map[string]any{"name": "shop", "namespace": d.namespace},
		"spec": map[string]any{
			"parentRefs": []any{map[string]any{"name": "front"}},
			"rules": []any{
				map[string]any{
					"matches":     []any{map[string]any{"path": map[string]any{"type": "PathPrefix", "value": "/"}}},
					"backendRefs": []any{map[string]any{"name": "old", "port": int64(80)}},
				},
				map[string]any{
					"matches": []any{map[string]any{"path": map[string]any{"type": "PathPrefix", "value": "/away"}}},
					"filters": []any{map[string]any{"type": "RequestRedirect", "requestRedirect": map[string]any{"statusCode": int64(302), "hostname": "away.example"}}},
				},
			},
		},
	}}
}

// takeUp reads the route and what stands behind it, and then says so.
func (d *door) takeUp(ctx context.Context) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.idle {
		return
	}
	route, err := d.c.Dynamic.Resource(routes).Namespace(d.namespace).Get(ctx, "shop", metav1.GetOptions{})
	if err != nil {
		return
	}
	list, err := d.c.Typed.DiscoveryV1().EndpointSlices(d.namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return
	}
	rules, _, _ := unstructured.NestedSlice(route.Object, "spec", "rules")
	refs := rules[0].(map[string]any)["backendRefs"].([]any)
	d.table = nil
	for _, ref := range refs {
		m := ref.(map[string]any)
		s := share{weight: m["weight"].(int64), side: "target"}
		if m["name"] == "old" {
			s.side = "source"
		}
		for _, slice := range list.Items {
			if slice.Labels[discoveryv1.LabelServiceName] != m["name"] {
				continue
			}
			for _, e := range slice.Endpoints {
				s.addresses = append(s.addresses, net.JoinHostPort(e.Addresses[0], strconv.Itoa(int(*slice.Ports[0].Port))))
			}
		}
		d.table = append(d.table, s)
	}
	status := "True"
	if d.says != "" {
		status = "False"
	}
	condition := map[string]any{
		"type": "Accepted", "status": status, "reason": "Played", "message": d.says,
		"observedGeneration": route.GetGeneration(), "lastTransitionTime": "2026-11-24T09:00:00Z",
	}
	has, _, _ := unstructured.NestedSlice(route.Object, "status", "parents")
	if len(has) == 1 {
		if c := has[0].(map[string]any)["conditions"].([]any)[0].(map[string]any); c["observedGeneration"] == route.GetGeneration() && c["status"] == status {
			return
		}
	}
	route.Object["status"] = map[string]any{"parents": []any{map[string]any{
		"parentRef": map[string]any{"name": "front"}, "controllerName": "lab.example/played", "conditions": []any{condition},
	}}}
	_, err = d.c.Dynamic.Resource(routes).Namespace(d.namespace).UpdateStatus(ctx, route, metav1.UpdateOptions{})
	if err != nil && !apierrors.IsConflict(err) && !apierrors.IsNotFound(err) {
		d.Errorf("the played controller: %v", err)
	}
}

// send shares n requests out, exactly by weight.
func (d *door) send(n int) (source, target, failed int) {
	d.takeUp(d.Context()) // EndpointSlices have no status to wait for
	d.mu.Lock()
	defer d.mu.Unlock()
	var all int64
	for _, s := range d.table {
		all += s.weight
	}
	credit := make([]int64, len(d.table))
	for range n {
		best := -1
		for i, s := range d.table {
			credit[i] += s.weight
			if s.weight > 0 && (best < 0 || credit[i] > credit[best]) {
				best = i
			}
		}
		if best < 0 {
			failed++
			continue
		}
		credit[best] -= all
		switch s := d.table[best]; {
		case len(s.addresses) == 0 || d.down[s.side]:
			failed++
		case s.side == "source":
			source++
		default:
			target++
		}
	}
	return source, target, failed
}

func (d *door) probe(_ context.Context, address string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	side := "target"
	if strings.HasPrefix(address, "10.9.") {
		side = "source"
	}
	if d.down[side] {
		return errors.New("connection refused")
	}
	return nil
}

func (d *door) spec() string {
	d.Helper()
	route, err := d.c.Dynamic.Resource(routes).Namespace(d.namespace).Get(d.Context(), "shop", metav1.GetOptions{})
	if err != nil {
		d.Fatal(err)
	}
	text, err := json.Marshal(route.Object["spec"])
	if err != nil {
		d.Fatal(err)
	}
	return string(text)
}

var (
	shop    = rollout.Route{Backend: "shop", Workload: "/shop/cart", Port: 8080}
	targets = []string{"10.8.0.1:31000", "10.8.0.2:31000"}
)

func TestTrafficKeepsItsPromises(t *testing.T) {
	c := open(t)
	install(t, c)
	runnertest.Traffic(t, func(t *testing.T) runnertest.Door {
		d := newDoor(t, c)
		return runnertest.Door{
			Traffic: gateway.New(c, d.namespace, time.Now, gateway.Options{Probe: d.probe}), Route: shop, Targets: targets, Send: d.send, Blind: true, Near: 1,
			Answer: func(side string, yes bool) {
				d.mu.Lock()
				defer d.mu.Unlock()
				d.down[side] = !yes
			},
		}
	})
}

func TestTheRouteIsAsItWasOnceTheTargetIsGone(t *testing.T) {
	c := open(t)
	install(t, c)
	d := newDoor(t, c)
	g := gateway.New(c, d.namespace, time.Now, gateway.Options{})
	before := d.spec()
	for _, act := range []func() error{
		func() error { return g.Connect(t.Context(), shop, targets) },
		func() error { return g.Shift(t.Context(), shop, 100) },
		func() error { return g.Connect(t.Context(), shop, nil) },
	} {
		if err := act(); err != nil {
			t.Fatal(err)
		}
	}
	if after := d.spec(); after != before {
		t.Errorf("the route was\n%s\nand is\n%s", before, after)
	}
	services, err := c.Typed.CoreV1().Services(d.namespace).List(t.Context(), metav1.ListOptions{})
	if err != nil || len(services.Items) != 1 {
		t.Errorf("%d Services are left, want the source's alone (%v)", len(services.Items), err)
	}
	list, err := c.Typed.DiscoveryV1().EndpointSlices(d.namespace).List(t.Context(), metav1.ListOptions{})
	if err != nil || slices.ContainsFunc(list.Items, func(s discoveryv1.EndpointSlice) bool { return s.Name != "old" }) {
		t.Errorf("EndpointSlices of the target are left (%v)", err)
	}
}

func TestAChangeThatNoControllerTakesUpIsNotDone(t *testing.T) {
	c := open(t)
	install(t, c)
	d := newDoor(t, c)
	g := gateway.New(c, d.namespace, time.Now, gateway.Options{Settle: time.Second})
	if err := g.Connect(t.Context(), shop, targets); err != nil {
		t.Fatal(err)
	}
	set := func(f func()) {
		d.mu.Lock()
		defer d.mu.Unlock()
		f()
	}
	set(func() { d.idle = true })
	if err := g.Shift(t.Context(), shop, 50); err == nil || errors.Is(err, runner.ErrRefused) {
		t.Errorf("Shift without a controller = %v, want an error that may pass", err)
	}
	set(func() { d.idle, d.says = false, "no such listener" })
	if err := g.Shift(t.Context(), shop, 60); !errors.Is(err, runner.ErrRefused) || !strings.Contains(err.Error(), "no such listener") {
		t.Errorf("Shift that the controller does not accept = %v, want its words", err)
	}
	set(func() { d.says = "" })
	if err := g.Shift(t.Context(), shop, 50); err != nil {
		t.Errorf("Shift once the controller is well = %v", err)
	}
}

func TestSourcesKeepTheirWeightsAmongEachOther(t *testing.T) {
	c := open(t)
	install(t, c)
	d := newDoor(t, c)
	of := c.Dynamic.Resource(routes).Namespace(d.namespace)
	route, err := of.Get(t.Context(), "shop", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	rules, _, _ := unstructured.NestedSlice(route.Object, "spec", "rules")
	rules[0].(map[string]any)["backendRefs"] = []any{
		map[string]any{"name": "old", "port": int64(80), "weight": int64(300_000)}, map[string]any{"name": "older", "port": int64(80), "weight": int64(100_000)},
	}
	_ = unstructured.SetNestedSlice(route.Object, rules, "spec", "rules")
	if _, err := of.Update(t.Context(), route, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	g := gateway.New(c, d.namespace, time.Now, gateway.Options{})
	for _, x := range []struct {
		do   func() error
		want []int64
	}{
		{func() error { return g.Connect(t.Context(), shop, targets) }, []int64{300_000, 100_000, 0}},
		{func() error { return g.Shift(t.Context(), shop, 25) }, []int64{562_500, 187_500, 250_000}},
		{func() error { return g.Shift(t.Context(), shop, 100) }, []int64{0, 0, 1_000_000}},
		{func() error { return g.Shift(t.Context(), shop, 0) }, []int64{750_000, 250_000, 0}},
		{func() error { return g.Connect(t.Context(), shop, nil) }, []int64{300_000, 100_000}},
	} {
		if err := x.do(); err != nil {
			t.Fatal(err)
		}
		route, err := of.Get(t.Context(), "shop", metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		rules, _, _ := unstructured.NestedSlice(route.Object, "spec", "rules")
		var got []int64
		for _, ref := range rules[0].(map[string]any)["backendRefs"].([]any) {
			got = append(got, ref.(map[string]any)["weight"].(int64))
		}
		if !slices.Equal(got, x.want) {
			t.Errorf("weights = %v, want %v", got, x.want)
		}
	}
}
