package edge

import (
	"encoding/json"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/render/manifest/cluster"
	"github.com/tranship/tranship/internal/render/manifest/naming"
)

// A route is one on its way into objects.
type route struct {
	*Gateways
	w     *estate.Workload // nil if none is behind it
	ep    *estate.Endpoint
	place cluster.Place
	name  string
	refs  []BackendRef
	out   []Object
}

// backendLimit is how many backends a rule has.
const backendLimit = 16

// weightLimit is the largest share that a backend has.
const weightLimit = 1_000_000

// backends finds the Services behind the route.
func (r *route) backends() {
	total := 0
	for i, b := range r.ep.Backends {
		ref, ok := r.backend(i, &b)
		if !ok {
			continue
		}
		ref.Weight = 1
		if b.Weight != nil {
			ref.Weight = min(max(*b.Weight, 0), weightLimit)
		}
		if b.Backup {
			ref.Weight = 0
		}
		total += ref.Weight
		r.refs = append(r.refs, ref)
	}
	if total == 0 {
		for i := range r.refs {
			r.refs[i].Weight = 1 // nobody would answer
		}
	}
	if len(r.refs) > backendLimit {
		r.warn(cluster.RouteLost, "has "+strconv.Itoa(len(r.refs))+" backends, of which a route carries "+strconv.Itoa(backendLimit), "put a Service in front of them")
		r.refs = r.refs[:backendLimit]
	}
}

func (r *route) backend(i int, b *estate.Backend) (BackendRef, bool) {
	if b.Workload == "" {
		return r.outside(i, b)
	}
	w := r.c.Estate.Find(b.Workload)
	if w == nil || !r.c.Renders(w) || w.Run != nil {
		r.warn(cluster.RouteLost, "leads to "+string(b.Workload)+", which is not rendered: that backend is left out", "name the Service that takes its place in an overlay")
		return BackendRef{}, false
	}
	p := r.c.Place(b.Workload)
	ref := BackendRef{Name: p.Name, Port: servicePort(w, b.Port)}
	if ref.Port == 0 {
		r.warn(cluster.RouteLost, "leads to port "+strconv.Itoa(b.Port)+" of "+string(b.Workload)+", which it does not have", "correct the port at the source")
		return ref, false
	}
	if p.Namespace != r.place.Namespace {
		ref.Namespace = p.Namespace
		if r.c.Policy.Spec.Edge.Kind != "ingress" {
			if r.grants[p.Namespace] == nil {
				r.grants[p.Namespace] = map[GrantFrom]bool{}
			}
			r.grants[p.Namespace][GrantFrom{Group: group, Kind: "HTTPRoute", Namespace: r.place.Namespace}] = true
		}
	}
	return ref, true
}

// servicePort gives the port of a workload's Service that leads to one of its
// own, 0 if there is none.
func servicePort(w *estate.Workload, port int) int {
	for i := range w.Containers {
		for _, p := range w.Containers[i].Ports {
			if port == 0 || p.Number == port || p.Last >= port && p.Number <= port || p.HostPort == port {
				if port == 0 {
					return p.Number
				}
				return port
			}
		}
	}
	return 0
}

// outside makes a Service for an address that is no workload's.
func (r *route) outside(i int, b *estate.Backend) (BackendRef, bool) {
	if b.Address == "" || b.Port < 1 || b.Port > 65535 {
		r.warn(cluster.RouteLost, "has a backend without a known address: it is left out", "write a Service for it in an overlay")
		return BackendRef{}, false
	}
	name := naming.Join(naming.Label, r.name, "outside", strconv.Itoa(i))
	s := &corev1.Service{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Service"}, ObjectMeta: r.meta(name),
		Spec: corev1.ServiceSpec{
			Type:  corev1.ServiceTypeClusterIP,
			Ports: []corev1.ServicePort{{Name: "out", Port: int32(b.Port), Protocol: corev1.ProtocolTCP}},
		},
	}
	ip, err := netip.ParseAddr(b.Address)
	switch {
	case err == nil && !ip.IsLoopback() && !ip.IsLinkLocalUnicast() && !ip.IsUnspecified() && !ip.IsMulticast() && ip.Zone() == "":
		family := discoveryv1.AddressTypeIPv4
		if ip.Is6() {
			family = discoveryv1.AddressTypeIPv6
		}
		meta := r.meta(name)
		meta.Labels[discoveryv1.LabelServiceName] = name
		r.put("EndpointSlice", "endpointslice-"+name, &discoveryv1.EndpointSlice{
			TypeMeta: metav1.TypeMeta{APIVersion: "discovery.k8s.io/v1", Kind: "EndpointSlice"}, ObjectMeta: meta,
			AddressType: family, Endpoints: []discoveryv1.Endpoint{{Addresses: []string{ip.String()}}},
			Ports: []discoveryv1.EndpointPort{{Name: new("out"), Port: new(int32(b.Port)), Protocol: new(corev1.ProtocolTCP)}},
		})
	case err != nil && naming.IsSubdomain(b.Address):
		s.Spec.Type, s.Spec.ExternalName = corev1.ServiceTypeExternalName, b.Address
	default:
		r.warn(cluster.RouteLost, "leads to "+b.Address+", which no Service can: it is left out", "name an address that nodes can reach")
		return BackendRef{}, false
	}
	r.put("Service", "service-"+name, s)
	return BackendRef{Name: name, Port: b.Port}, true
}

// facts keeps what of a route no field says.
func (r *route) facts() map[string]string {
	text, err := json.Marshal(r.ep)
	if err != nil {
		return nil
	}
	var m map[string]any
	if err := json.Unmarshal(text, &m); err != nil {
		return nil
	}
	for _, key := range []string{"id", "kind", "origin", "hosts", "mode", "protocol"} {
		delete(m, key)
	}
	if p := r.ep.Port; p == 80 || p == 443 {
		delete(m, "port")
	}
	if !slices.ContainsFunc(r.ep.Backends, func(b estate.Backend) bool { return b.Backup || b.Weight != nil && *b.Weight > weightLimit }) {
		delete(m, "backends")
	}
	if !slices.ContainsFunc(r.ep.Rules, func(m estate.Match) bool { return m.NoCase || m.HostRegex != "" || !clean(m.Path) }) {
		delete(m, "rules")
	}
	if text, err = json.Marshal(m); err != nil || len(m) == 0 {
		return map[string]string{}
	}
	return map[string]string{cluster.Prefix + "route": string(text)}
}

// shut says why a route must not be open to all, if it must not.
func (r *route) shut() string {
	switch {
	case r.ep.Auth != nil:
		return "asks for a user and a password (Secret " + r.ep.Auth.Secret.Name + ")"
	case len(r.ep.Allow) > 0:
		return "lets in clients of " + strings.Join(r.ep.Allow, ", ") + " alone"
	}
	return ""
}

var hostname = regexp.MustCompile(`^(\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`)

// isHost reports whether a Gateway takes a host.
func isHost(h string) bool {
	_, err := netip.ParseAddr(h)
	if err == nil || len(h) > 253 || !hostname.MatchString(h) {
		return false
	}
	for label := range strings.SplitSeq(strings.TrimPrefix(h, "*."), ".") {
		if len(label) > naming.Label {
			return false
		}
	}
	return true
}

// A table is the rules for one set of hosts.
type table struct {
	hosts   []string
	matches []estate.Match
	every   bool // has a rule for all paths
}

// tables sorts the rules by host: those of an HTTPRoute hold for all of its
// hosts. What cannot be said is left out, and reported; ok is false if that
// would let in more than before.
func (r *route) tables() (out []table, ok bool) {
	var hosts []string
	for _, h := range r.ep.Hosts {
		if h = strings.ToLower(h); isHost(h) {
			if !slices.Contains(hosts, h) {
				hosts = append(hosts, h)
			}
			continue
		}
		r.warn(cluster.RouteLost, "has host "+strconv.Quote(h)+", which is none: it is left out", "correct it at the source")
	}
	if len(r.ep.Hosts) > 0 && len(hosts) == 0 {
		return nil, false
	}
	at := map[string]int{}
	add := func(key string, hosts []string) *table {
		i, have := at[key]
		if !have {
			i = len(out)
			at[key] = i
			out = append(out, table{hosts: hosts})
		}
		return &out[i]
	}
	for _, m := range r.ep.Rules {
		own := hosts
		switch {
		case m.HostRegex != "":
			r.warn(cluster.RouteLost, "has a rule for hosts like "+m.HostRegex+", which a route cannot compare: it is left out", "name the hosts in an overlay")
			continue
		case m.Host != "" && !isHost(strings.ToLower(m.Host)):
			r.warn(cluster.RouteLost, "has a rule for host "+strconv.Quote(m.Host)+", which is none: it is left out", "correct it at the source")
			continue
		case m.Host != "":
			own = []string{strings.ToLower(m.Host)}
		}
		t := add(strings.Join(own, " "), own)
		if m.Path == "" && m.Header == "" {
			t.every = true
			continue
		}
		t.matches = append(t.matches, m)
	}
	if len(r.ep.Rules) == 0 {
		add(strings.Join(hosts, " "), hosts).every = true
	}
	return out, len(out) > 0
}
