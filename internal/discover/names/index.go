package names

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/tranship/tranship/internal/discover"
	"github.com/tranship/tranship/internal/estate"
)

// An index knows every old name of every workload. It is built in one pass.
type index struct {
	b          *discover.Builder
	tasks      map[string]owners // "cart-shop", "cart.shop"
	short      map[string]owners // the same, cut to the lengths that older versions of Mesos-DNS kept
	vips       map[string][]vip  // by name without slashes, or by IP
	ports      map[int][]service // of the old load balancer
	fixed      map[int]owners    // ports on machines
	frameworks map[string]estate.Name
	machines   map[string]bool
	routes     map[string][]estate.Endpoint // by host
	projects   map[estate.Name]*project
	ingress    map[estate.Name]bool // load balancers of the old world
}

// owners are the workloads that answer to one name.
type owners []*estate.Workload

type vip struct {
	port     int
	endpoint string // its ID, empty if only a label tells of it
	to       []estate.Name
	target   int // container port
}

type service struct {
	endpoint *estate.Endpoint // nil if only the port tells of it
	w        *estate.Workload
	port     int
}

func newIndex(b *discover.Builder) *index {
	x := &index{
		b: b, tasks: map[string]owners{}, short: map[string]owners{}, vips: map[string][]vip{}, ports: map[int][]service{},
		fixed: map[int]owners{}, frameworks: map[string]estate.Name{}, machines: map[string]bool{},
		routes: map[string][]estate.Endpoint{}, projects: map[estate.Name]*project{}, ingress: map[estate.Name]bool{},
	}
	for _, w := range b.Workloads() {
		if isCompose(w) {
			x.member(w)
			continue
		}
		x.marathon(w)
	}
	e := b.Estate()
	for i := range e.Endpoints {
		x.endpoint(&e.Endpoints[i])
	}
	for _, w := range b.Workloads() { // after the endpoints, which know more
		x.portsOf(w)
	}
	for i := range e.Hosts {
		name := strings.ToLower(e.Hosts[i].Name)
		if name != "localhost" && !strings.HasPrefix(name, "127.") {
			x.machines[name] = true
		}
	}
	return x
}

func (o owners) with(w *estate.Workload) owners {
	if slices.Contains(o, w) {
		return o
	}
	return append(o, w)
}

// marathon enters the names that Mesos-DNS and DC/OS gave a workload.
func (x *index) marathon(w *estate.Workload) {
	path := strings.Split(strings.ToLower(strings.Trim(string(w.ID), "/")), "/")
	if w.Kind == estate.Framework || w.Kind == estate.Infrastructure {
		x.framework(w, path)
	}
	last := path[len(path)-1]
	if strings.HasPrefix(last, "marathon-lb") || w.Labels["DCOS_PACKAGE_NAME"] == "marathon-lb" {
		x.ingress[w.ID] = true
	}
	if w.Kind == estate.Job || w.Kind == estate.Schedule {
		return
	}
	slices.Reverse(path)
	dotted := strings.Join(path, ".")
	dashed := strings.ReplaceAll(dotted, ".", "-")
	for _, name := range []string{dotted, dashed} {
		x.tasks[name] = x.tasks[name].with(w)
	}
	for _, n := range []int{63, 24} {
		if len(dashed) > n {
			cut := strings.TrimRight(dashed[:n], "-")
			x.short[cut] = x.short[cut].with(w)
		}
	}
}

// framework enters the names under which a scheduler can have registered.
func (x *index) framework(w *estate.Workload, path []string) {
	id := strings.Join(path, "/")
	names := []string{
		w.Labels["DCOS_PACKAGE_FRAMEWORK_NAME"], w.Labels["DCOS_SERVICE_NAME"], strings.TrimPrefix(id, "framework:"), path[len(path)-1],
	}
	for _, n := range names {
		n = strings.ToLower(strings.Trim(n, "/"))
		for _, spelled := range []string{
			n, strings.ReplaceAll(n, "/", ""), strings.ReplaceAll(n, "/", "-"), strings.ReplaceAll(n, "/", "__"),
		} {
			if _, taken := x.frameworks[spelled]; !taken && spelled != "" {
				x.frameworks[spelled] = w.ID
			}
		}
	}
}

// endpoint enters a virtual address or a route.
func (x *index) endpoint(ep *estate.Endpoint) {
	if ep.Kind == estate.VirtualAddress {
		v := vip{port: ep.Port, endpoint: ep.ID}
		for _, back := range ep.Backends {
			if back.Workload != "" && !slices.Contains(v.to, back.Workload) {
				v.to = append(v.to, back.Workload)
				v.target = cmp.Or(v.target, back.Port)
			}
		}
		name := vipName(ep.Address)
		x.vips[name] = append(x.vips[name], v)
		return
	}
	if ep.Disabled {
		return
	}
	for _, h := range ep.Hosts {
		h = strings.ToLower(h)
		if strings.Contains(h, ".") && !strings.HasPrefix(h, "*") {
			x.routes[h] = append(x.routes[h], *ep)
		}
	}
	port := cmp.Or(ep.Direct, ep.Port)
	for _, back := range ep.Backends {
		if w := x.b.Workload(back.Workload); w != nil && port > 0 {
			x.ports[port] = append(x.ports[port], service{endpoint: ep, w: w, port: back.Port})
		}
	}
}

// vipName gives a virtual address as DNS has it: without its slashes, the
// domain and the port.
func vipName(address string) string {
	a := strings.ToLower(address)
	if h, p, ok := strings.Cut(a, ":"); ok && !strings.Contains(p, ":") {
		a = h
	}
	a = strings.TrimSuffix(a, ".l4lb.thisdcos.directory")
	a = strings.TrimSuffix(a, ".marathon")
	return strings.ReplaceAll(a, "/", "")
}

// portsOf enters the ports by which the load balancer or the machine knew a
// workload, and virtual addresses that stand in labels of ports alone.
func (x *index) portsOf(w *estate.Workload) {
	for i := range w.Containers {
		for _, p := range w.Containers[i].Ports {
			if p.HostPort > 0 {
				x.fixed[p.HostPort] = x.fixed[p.HostPort].with(w)
			}
			if p.ServicePort > 0 && !isCompose(w) && !slices.ContainsFunc(x.ports[p.ServicePort], func(s service) bool { return s.w == w }) {
				x.ports[p.ServicePort] = append(x.ports[p.ServicePort], service{w: w, port: p.Number})
			}
			x.labelled(w, p)
		}
	}
}

func (x *index) labelled(w *estate.Workload, p estate.Port) {
	for _, key := range slices.Sorted(maps.Keys(p.Labels)) {
		address, port, ok := strings.Cut(p.Labels[key], ":")
		n := number(port)
		if !strings.HasPrefix(strings.ToUpper(key), "VIP_") || !ok || n == 0 {
			continue
		}
		name := vipName(address)
		i := slices.IndexFunc(x.vips[name], func(v vip) bool { return v.port == n })
		switch {
		case i < 0:
			x.vips[name] = append(x.vips[name], vip{port: n, to: []estate.Name{w.ID}, target: p.Number})
		case x.vips[name][i].endpoint == "" && !slices.Contains(x.vips[name][i].to, w.ID):
			x.vips[name][i].to = append(x.vips[name][i].to, w.ID)
		}
	}
}

// number reads a port, 0 if it is none.
func number(s string) int {
	n := 0
	for _, c := range []byte(s) {
		if c < '0' || c > '9' || n > 65535 {
			return 0
		}
		n = n*10 + int(c-'0')
	}
	if n > 65535 {
		return 0
	}
	return n
}

func isAddress(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil
}
