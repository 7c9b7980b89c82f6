package gateway

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/tranship/tranship/internal/rollout"
	"github.com/tranship/tranship/internal/rollout/runner"
	"github.com/tranship/tranship/internal/world/kube"
)

// ofRoute is the label of what was made for a route.
const ofRoute = "tranship.dev/target-of"

// reached is where the target is: addresses of one family, with one port.
type reached struct {
	hosts  []string
	port   int32
	family discoveryv1.AddressType
}

func parse(addresses []string) (reached, error) {
	var out reached
	for i, a := range addresses {
		x, err := netip.ParseAddrPort(a)
		if err != nil || x.Port() == 0 {
			return reached{}, fmt.Errorf("%w: %q is no address with a port", runner.ErrRefused, a)
		}
		family := discoveryv1.AddressTypeIPv4
		if x.Addr().Is6() {
			family = discoveryv1.AddressTypeIPv6
		}
		if i > 0 && (int32(x.Port()) != out.port || family != out.family) {
			return reached{}, fmt.Errorf("%w: %s and %s have different ports or families, and one Service leads to one port", runner.ErrRefused, addresses[0], a)
		}
		out.port, out.family = int32(x.Port()), family
		out.hosts = append(out.hosts, x.Addr().String())
	}
	slices.Sort(out.hosts)
	out.hosts = slices.Compact(out.hosts)
	return out, nil
}

// serve makes a Service of the addresses: one without a selector, and the
// EndpointSlice that it would have.
func (t *Traffic) serve(ctx context.Context, r rollout.Route, at reached) error {
	port := at.port
	labels := map[string]string{ofRoute: r.Backend}
	services := t.conn.Typed.CoreV1().Services(t.namespace)
	want := []corev1.ServicePort{{Name: "target", Port: servicePort, TargetPort: intstr.FromInt32(port), Protocol: corev1.ProtocolTCP}}
	s, err := services.Get(ctx, target(r), metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		_, err = services.Create(ctx, &corev1.Service{
			ObjectMeta: metav1.ObjectMeta{Name: target(r), Namespace: t.namespace, Labels: labels}, Spec: corev1.ServiceSpec{Ports: want},
		}, metav1.CreateOptions{FieldManager: kube.Manager})
	case err != nil:
	case s.Labels[ofRoute] != r.Backend:
		return fmt.Errorf("%w: Service %s/%s is not the mover's", runner.ErrRefused, t.namespace, target(r))
	case len(s.Spec.Ports) != 1 || s.Spec.Ports[0].TargetPort.IntVal != port:
		s.Spec.Ports = want
		_, err = services.Update(ctx, s, metav1.UpdateOptions{FieldManager: kube.Manager})
	}
	if err != nil {
		return err
	}
	slice := &discoveryv1.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{Name: target(r), Namespace: t.namespace, Labels: map[string]string{
			ofRoute: r.Backend, discoveryv1.LabelServiceName: target(r), discoveryv1.LabelManagedBy: kube.Manager,
		}},
		AddressType: at.family,
		Ports:       []discoveryv1.EndpointPort{{Name: new("target"), Port: &port, Protocol: new(corev1.ProtocolTCP)}},
	}
	for _, h := range at.hosts {
		slice.Endpoints = append(slice.Endpoints, discoveryv1.Endpoint{Addresses: []string{h}, Conditions: discoveryv1.EndpointConditions{Ready: new(true)}})
	}
	slicesOf := t.conn.Typed.DiscoveryV1().EndpointSlices(t.namespace)
	has, err := slicesOf.Get(ctx, slice.Name, metav1.GetOptions{})
	if err == nil && has.AddressType != at.family { // it cannot be changed
		if err := slicesOf.Delete(ctx, slice.Name, metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
			return err
		}
		has, err = nil, apierrors.NewNotFound(discoveryv1.Resource("endpointslices"), slice.Name)
	}
	switch {
	case apierrors.IsNotFound(err):
		_, err = slicesOf.Create(ctx, slice, metav1.CreateOptions{FieldManager: kube.Manager})
	case err == nil:
		has.Labels, has.Endpoints, has.Ports = slice.Labels, slice.Endpoints, slice.Ports
		_, err = slicesOf.Update(ctx, has, metav1.UpdateOptions{FieldManager: kube.Manager})
	}
	return err
}

// unserve takes away what serve made.
func (t *Traffic) unserve(ctx context.Context, r rollout.Route) error {
	err := t.conn.Typed.DiscoveryV1().EndpointSlices(t.namespace).Delete(ctx, target(r), metav1.DeleteOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		return err
	}
	services := t.conn.Typed.CoreV1().Services(t.namespace)
	s, err := services.Get(ctx, target(r), metav1.GetOptions{})
	if err == nil && s.Labels[ofRoute] == r.Backend {
		err = services.Delete(ctx, s.Name, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &s.UID}})
	}
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

// backend is a Service's port that a route leads to.
type backend struct {
	namespace, name string
	port            int64
}

// backends gives those of all rules, each once.
func backends(route *unstructured.Unstructured) []backend {
	var out []backend
	_ = eachRule(route, func(_ int, refs []any) ([]any, error) {
		for _, ref := range refs {
			m, _ := ref.(map[string]any)
			b := backend{namespace: route.GetNamespace(), name: nameOf(ref)}
			if ns, _ := m["namespace"].(string); ns != "" {
				b.namespace = ns
			}
			b.port, _ = m["port"].(int64)
			if !slices.Contains(out, b) {
				out = append(out, b)
			}
		}
		return refs, nil
	})
	return out
}

// endpoints gives the addresses behind a backend, and whether they are ready. A
// Service that is not there has none.
func (t *Traffic) endpoints(ctx context.Context, b backend) (map[string]bool, error) {
	out := map[string]bool{}
	s, err := t.conn.Typed.CoreV1().Services(b.namespace).Get(ctx, b.name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return out, nil
	}
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(s.Spec.Ports, func(p corev1.ServicePort) bool { return int64(p.Port) == b.port })
	if i < 0 {
		return out, nil
	}
	list, err := t.conn.Typed.DiscoveryV1().EndpointSlices(b.namespace).List(ctx, metav1.ListOptions{LabelSelector: discoveryv1.LabelServiceName + "=" + b.name})
	if err != nil {
		return nil, err
	}
	for _, slice := range list.Items {
		for _, p := range slice.Ports {
			if p.Name == nil || *p.Name != s.Spec.Ports[i].Name || p.Port == nil {
				continue
			}
			for _, e := range slice.Endpoints {
				for _, a := range e.Addresses {
					address := net.JoinHostPort(a, strconv.Itoa(int(*p.Port)))
					out[address] = out[address] || e.Conditions.Ready == nil || *e.Conditions.Ready
				}
			}
		}
	}
	return out, nil
}
