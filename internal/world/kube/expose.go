package kube

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/render/manifest/naming"
	"github.com/tranship/tranship/internal/rollout/runner"
	"github.com/tranship/tranship/internal/world/kube/internal/fault"
)

// Exposer tells where a front door outside of the cluster reaches a workload.
type Exposer struct {
	conn *Connection
	pods bool
}

// NewExposer makes one that gives nodes with the port of a Service of its own;
// or, if pods, the ready pods themselves, where the network leads to them. The
// addresses of pods change with each pod that comes or goes.
func NewExposer(c *Connection, pods bool) *Exposer { return &Exposer{c, pods} }

// placed is what has a workload's pods.
type placed struct {
	namespace, name string
	selector        map[string]string
}

// Expose implements runner.Exposer.
func (e *Exposer) Expose(ctx context.Context, w estate.Name, port int) ([]string, error) {
	what := fmt.Sprintf("expose port %d of %s", port, w)
	if port < 1 || port > 65535 {
		return nil, fmt.Errorf("%s: %w: it is no port", what, runner.ErrRefused)
	}
	p, err := e.find(ctx, w)
	if err != nil {
		return nil, fault.Of(what, err)
	}
	var out []string
	if e.pods {
		out, err = e.ofPods(ctx, p, port)
	} else {
		out, err = e.ofNodes(ctx, w, p, port)
	}
	return out, fault.Of(what, err)
}

// find gives what has the workload's pods; ErrAbsent.
func (e *Exposer) find(ctx context.Context, w estate.Name) (placed, error) {
	apps, all := e.conn.Typed.AppsV1(), metav1.ListOptions{LabelSelector: MovedWorkload + "=" + labelOf(w)}
	deployments, err := apps.Deployments("").List(ctx, all)
	if err != nil {
		return placed{}, err
	}
	for _, d := range deployments.Items {
		if d.Spec.Selector != nil && d.DeletionTimestamp == nil {
			return placed{d.Namespace, d.Name, d.Spec.Selector.MatchLabels}, nil
		}
	}
	stateful, err := apps.StatefulSets("").List(ctx, all)
	if err != nil {
		return placed{}, err
	}
	for _, s := range stateful.Items {
		if s.Spec.Selector != nil && s.DeletionTimestamp == nil {
			return placed{s.Namespace, s.Name, s.Spec.Selector.MatchLabels}, nil
		}
	}
	daemons, err := apps.DaemonSets("").List(ctx, all)
	if err != nil {
		return placed{}, err
	}
	for _, d := range daemons.Items {
		if d.Spec.Selector != nil && d.DeletionTimestamp == nil {
			return placed{d.Namespace, d.Name, d.Spec.Selector.MatchLabels}, nil
		}
	}
	return placed{}, fmt.Errorf("%w: the cluster has nothing of it that serves", runner.ErrAbsent)
}

func (e *Exposer) ofPods(ctx context.Context, p placed, port int) ([]string, error) {
	pods, err := e.conn.Typed.CoreV1().Pods(p.namespace).List(ctx, metav1.ListOptions{LabelSelector: metav1.FormatLabelSelector(&metav1.LabelSelector{MatchLabels: p.selector})})
	if err != nil {
		return nil, err
	}
	var out []string
	for i := range pods.Items {
		x := &pods.Items[i]
		if x.DeletionTimestamp == nil && x.Status.PodIP != "" && has(x.Status.Conditions, corev1.PodReady) {
			out = append(out, x.Status.PodIP)
		}
	}
	return withPort(out, int32(port)), nil
}

func has(conditions []corev1.PodCondition, kind corev1.PodConditionType) bool {
	return slices.ContainsFunc(conditions, func(c corev1.PodCondition) bool { return c.Type == kind && c.Status == corev1.ConditionTrue })
}

// ofNodes makes the workload's bridge: one Service with a node's port for each
// port that was ever asked for, which keep what they were given.
func (e *Exposer) ofNodes(ctx context.Context, w estate.Name, p placed, port int) ([]string, error) {
	services := e.conn.Typed.CoreV1().Services(p.namespace)
	name := naming.Cut(p.name+"-bridge", p.name+"-bridge", naming.Label)
	number := corev1.ServicePort{Name: "p" + strconv.Itoa(port), Port: int32(port), TargetPort: intstr.FromInt(port), Protocol: corev1.ProtocolTCP}
	s, err := services.Get(ctx, name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		s, err = services.Create(ctx, &corev1.Service{
			ObjectMeta: metav1.ObjectMeta{
				Name: name, Namespace: p.namespace,
				Labels:      map[string]string{Bridge: "true", BridgeOf: labelOf(w)},
				Annotations: map[string]string{MovedWorkload: string(w)},
			},
			Spec: corev1.ServiceSpec{
				Type: corev1.ServiceTypeNodePort, Selector: p.selector, Ports: []corev1.ServicePort{number},
				ExternalTrafficPolicy: corev1.ServiceExternalTrafficPolicyCluster,
			},
		}, metav1.CreateOptions{FieldManager: Manager})
	case err != nil:
	case s.Labels[BridgeOf] != labelOf(w):
		return nil, fmt.Errorf("%w: Service %s/%s is not the mover's", runner.ErrRefused, p.namespace, name)
	case !maps.Equal(s.Spec.Selector, p.selector) || !slices.ContainsFunc(s.Spec.Ports, func(x corev1.ServicePort) bool { return x.Port == number.Port }):
		s.Spec.Selector = p.selector
		if !slices.ContainsFunc(s.Spec.Ports, func(x corev1.ServicePort) bool { return x.Port == number.Port }) {
			s.Spec.Ports = append(s.Spec.Ports, number)
		}
		s, err = services.Update(ctx, s, metav1.UpdateOptions{FieldManager: Manager})
	}
	if err != nil {
		return nil, err
	}
	nodes, err := e.conn.Typed.CoreV1().Nodes().List(ctx, metav1.ListOptions{LabelSelector: "!" + corev1.LabelNodeExcludeBalancers})
	if err != nil {
		return nil, err
	}
	var out []string
	for i := range nodes.Items {
		if address := reached(&nodes.Items[i]); address != "" {
			out = append(out, address)
		}
	}
	for _, x := range s.Spec.Ports {
		if x.Port == number.Port && x.NodePort != 0 {
			return withPort(out, x.NodePort), nil
		}
	}
	return nil, fmt.Errorf("no node's port was given to Service %s/%s", p.namespace, name)
}

// reached gives a ready node's address inside of its network.
func reached(n *corev1.Node) string {
	ready := slices.ContainsFunc(n.Status.Conditions, func(c corev1.NodeCondition) bool {
		return c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue
	})
	if !ready || n.DeletionTimestamp != nil {
		return ""
	}
	for _, a := range n.Status.Addresses {
		if a.Type == corev1.NodeInternalIP {
			return a.Address
		}
	}
	return ""
}

// withPort gives the addresses in order, with a port.
func withPort(addresses []string, port int32) []string {
	var list []netip.AddrPort
	for _, a := range addresses {
		if ip, err := netip.ParseAddr(a); err == nil {
			list = append(list, netip.AddrPortFrom(ip, uint16(port)))
		}
	}
	slices.SortFunc(list, func(a, b netip.AddrPort) int {
		return cmp.Or(a.Addr().Compare(b.Addr()), cmp.Compare(a.Port(), b.Port()))
	})
	var out []string
	for _, a := range slices.Compact(list) {
		out = append(out, a.String())
	}
	return out
}

// Hide implements runner.Exposer.
func (e *Exposer) Hide(ctx context.Context, w estate.Name) error {
	what := "hide " + string(w)
	list, err := e.conn.Typed.CoreV1().Services("").List(ctx, metav1.ListOptions{LabelSelector: BridgeOf + "=" + labelOf(w)})
	if err != nil {
		return fault.Of(what, err)
	}
	for _, s := range list.Items {
		err := e.conn.Typed.CoreV1().Services(s.Namespace).Delete(ctx, s.Name, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &s.UID}})
		if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
			return fault.Of(what, err)
		}
	}
	return nil
}
