package edge

import (
	"net/netip"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/tranship/tranship/internal/render/manifest/cluster"
	"github.com/tranship/tranship/internal/render/manifest/naming"
	"github.com/tranship/tranship/internal/render/manifest/pod"
)

// tcp makes a load balancer of its own for a bare port: TCP routes of Gateway
// API are not for every controller yet.
func (r *route) tcp() {
	if r.w == nil {
		r.warn(cluster.RouteLost, "is a TCP port that leads to no workload: it is left out", "write a Service for it in an overlay")
		return
	}
	any := false
	for _, name := range groupsOf(r.ep) {
		any = any || !r.c.Policy.Spec.Edge.Groups[name].Skip
	}
	if !any {
		return
	}
	if r.ep.Port < 1 || r.ep.Port > 65535 {
		r.warn(cluster.RouteLost, "is a TCP route whose port nobody has said: it is left out", "write a Service of type LoadBalancer in an overlay")
		return
	}
	target := 0
	for _, b := range r.ep.Backends {
		if b.Workload == r.w.ID && target == 0 {
			target = servicePort(r.w, b.Port)
		}
	}
	if target == 0 {
		target = r.refs[0].Port
	}
	if len(r.refs) > 1 {
		r.warn(cluster.RouteChanged, "shares a TCP port among several workloads: Service "+r.name+"-edge leads to "+string(r.w.ID)+" alone",
			"give their copies a label in common and select by it, in an overlay")
	}
	s := &corev1.Service{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Service"}, ObjectMeta: r.meta(naming.Join(naming.Label, r.name, "edge")),
		Spec: corev1.ServiceSpec{
			Type: corev1.ServiceTypeLoadBalancer, Selector: pod.Selector(r.c, r.w.ID),
			ExternalTrafficPolicy: corev1.ServiceExternalTrafficPolicyCluster,
			Ports: []corev1.ServicePort{{
				Name: "p" + strconv.Itoa(r.ep.Port), Port: int32(r.ep.Port), TargetPort: intstr.FromInt(target), Protocol: corev1.ProtocolTCP,
			}},
		},
	}
	for _, a := range r.ep.Allow {
		n, ok := network(a)
		if !ok {
			r.warn(cluster.RouteLost, "lets in "+a+", which is no network: its Service has no selector, so that it stays shut", "correct it at the source")
			s.Spec.Selector = nil
			continue
		}
		s.Spec.LoadBalancerSourceRanges = append(s.Spec.LoadBalancerSourceRanges, n)
	}
	s.Annotations = r.facts()
	r.put("Service", "service-"+s.Name, s)
	r.note(cluster.PublicPort, "becomes a load balancer of its own on port "+strconv.Itoa(r.ep.Port)+": Service "+s.Name,
		"skip its group in spec.edge.groups if only clients inside use it: they go to the workload's own Service")
}

// network gives an address or network as a network.
func network(text string) (string, bool) {
	if p, err := netip.ParsePrefix(text); err == nil {
		return p.Masked().String(), true
	}
	a, err := netip.ParseAddr(text)
	if err != nil {
		return "", false
	}
	return netip.PrefixFrom(a, a.BitLen()).String(), true
}
