package manifest

import (
	"encoding/json"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/render/manifest/cluster"
	"github.com/tranship/tranship/internal/render/manifest/naming"
	"github.com/tranship/tranship/internal/render/manifest/pod"
)

// services writes the Services of a workload: its own, those of its further
// names, the headless one of a StatefulSet, and virtual addresses.
func (k *work) services() {
	if k.w.Run == nil {
		ports := k.ports()
		called := k.c.Called(k.w.ID) || len(k.w.Networks) > 0
		if len(ports) > 0 || called {
			s := k.service(k.place.Name, ports, k.pod.Selector)
			k.files.service = k.put("Service", "service", s)
			for _, alias := range k.place.Aliases {
				x := k.service(alias, ports, k.pod.Selector)
				if strings.HasPrefix(alias, "tasks-") { // Swarm gave every copy's address for it
					x.Spec.ClusterIP = corev1.ClusterIPNone
				}
				k.put("Service", "service-"+alias, x)
			}
		}
		if k.place.Headless != "" {
			s := k.service(k.place.Headless, ports, k.pod.Selector)
			s.Spec.ClusterIP = corev1.ClusterIPNone
			// A copy finds the others before it is ready.
			s.Spec.PublishNotReadyAddresses = true
			k.put("Service", "service-headless", s)
		}
	}
	for _, a := range k.c.HomeOf(k.w.ID) {
		k.address(a)
	}
}

// service makes a Service; one without ports only gives the copies' addresses.
func (k *work) service(name string, ports []corev1.ServicePort, selector map[string]string) *corev1.Service {
	s := &corev1.Service{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Service"}, ObjectMeta: k.meta(name),
		Spec: corev1.ServiceSpec{Selector: selector, Ports: ports, Type: corev1.ServiceTypeClusterIP},
	}
	if len(ports) == 0 {
		s.Spec.ClusterIP = corev1.ClusterIPNone
	}
	return s
}

type portKey struct {
	number int
	proto  corev1.Protocol
}

// ports gives the workload's own Service its ports: those that the containers
// listen on, then those by which the machines knew them.
func (k *work) ports() []corev1.ServicePort {
	var out []corev1.ServicePort
	taken := map[portKey]bool{}
	names := naming.Set{}
	for _, c := range k.pod.Spec.Spec.Containers {
		for _, p := range c.Ports {
			key := portKey{int(p.ContainerPort), p.Protocol}
			if taken[key] {
				continue
			}
			taken[key] = true
			names[p.Name] = true
			out = append(out, corev1.ServicePort{Name: p.Name, Port: p.ContainerPort, TargetPort: intstr.FromInt32(p.ContainerPort), Protocol: p.Protocol})
		}
	}
	for i := range k.w.Containers {
		for j := range k.w.Containers[i].Ports {
			p := &k.w.Containers[i].Ports[j]
			for _, n := range []int{p.HostPort, p.Published} {
				for _, proto := range pod.Protocols(p) {
					key := portKey{n, proto}
					if n < 1 || n > 65535 || taken[key] || p.Last > p.Number {
						continue
					}
					taken[key] = true
					name := names.Take("host-"+strconv.Itoa(n), strconv.Itoa(n)+string(proto), naming.Port)
					out = append(out, corev1.ServicePort{Name: name, Port: int32(n), TargetPort: intstr.FromInt(p.Number), Protocol: proto})
				}
			}
		}
	}
	return out
}

// address writes the Service of a virtual address: one for all workloads
// behind it, as long as they are in one namespace.
func (k *work) address(a *cluster.Address) {
	selector := map[string]string{a.Label(): "true"}
	if len(a.Workloads) == 1 {
		selector = pod.Selector(k.c, a.Workloads[0])
	}
	var ports []corev1.ServicePort
	var told []string
	taken := map[portKey]bool{}
	names := naming.Set{}
	for _, ep := range a.Endpoints {
		proto := pod.Protocols(&estate.Port{Protocols: []string{ep.Protocol}})[0]
		key := portKey{ep.Port, proto}
		if ep.Port < 1 || ep.Port > 65535 || taken[key] {
			continue
		}
		taken[key] = true
		number, name := k.c.Target(a, ep)
		target := intstr.FromInt(number)
		if name != "" {
			target = intstr.FromString(name)
		}
		ports = append(ports, corev1.ServicePort{
			Name: names.Take("p"+strconv.Itoa(ep.Port), ep.ID, naming.Port), Port: int32(ep.Port), TargetPort: target, Protocol: proto,
		})
		told = append(told, a.Text+":"+strconv.Itoa(ep.Port))
	}
	if len(ports) == 0 {
		return
	}
	s := k.service(a.Name, ports, selector)
	s.Labels = ownLabels(a.Name)
	if b, err := json.Marshal(told); err == nil {
		s.Annotations = map[string]string{cluster.Prefix + "virtual-address": string(b)}
	}
	if ip, ok := a.IP(); ok {
		k.c.Warn(k.w, cluster.LiteralAddress, "has virtual address "+ip.String()+": Service "+a.Name+" takes its place, at an address of its own",
			"have clients use its name; or set spec.clusterIP in an overlay, if the address is in the cluster's range")
	}
	file := k.put("Service", "service-"+a.Name, s)
	if k.files.address == "" {
		k.files.address = file
	}
}
