package names

import (
	"slices"
	"strings"

	"github.com/tranship/tranship/internal/estate"
)

// find gives the workloads that a task's name can mean.
func (x *index) find(task string) owners {
	if o := x.tasks[task]; len(o) > 0 {
		return o
	}
	return x.short[task]
}

// task resolves "cart-shop" and "cart.shop" of a Marathon.
func (x *index) task(p *place, t estate.Token, task string, kind record) finding {
	found := x.find(task)
	if len(found) == 0 && strings.HasPrefix(task, "marathon-lb") || len(found) == 1 && x.ingress[found[0].ID] {
		return x.balanced(p, t)
	}
	switch len(found) {
	case 0:
		return unresolved(t, UnknownName, "no workload of that name was read")
	case 1:
	default:
		f := unresolved(t, AmbiguousName, "several workloads answer to it")
		for _, w := range found {
			f.to = append(f.to, w.ID)
		}
		slices.Sort(f.to)
		return f
	}
	w := found[0]
	f := finding{to: []estate.Name{w.ID}, listen: x.listen(p, t), fate: estate.Rewritten, code: NameRewritten}
	if !x.served(w.ID) {
		f.fate, f.code, f.why = estate.Bridged, FrameworkName, "an operator takes the place of what it names"
		return f
	}
	return atTask(f, w, kind)
}

// atTask says whether the port that clients connect to is one that is known.
func atTask(f finding, w *estate.Workload, kind record) finding {
	all := ports(w)
	own := w.Network == estate.Own && len(w.Networks) > 0 && kind == byMode
	bridged := func(why string) finding {
		f.fate, f.code, f.why = estate.Bridged, NameBridged, why
		return f
	}
	if f.listen == 0 {
		switch {
		case !own:
			return bridged("it gave a machine's address, and the port that clients use is said elsewhere")
		case len(all) == 0:
			return bridged("the workload declares no port, so that it has no Service")
		case len(all) == 1:
			f.port = all[0].Number
		}
		return f
	}
	for _, p := range all {
		if p.HostPort == f.listen || p.Number <= f.listen && f.listen <= max(p.Number, p.Last) && !p.Dynamic {
			f.port = p.Number
			if p.HostPort != f.listen {
				f.port = f.listen
			}
			return f
		}
	}
	return bridged("the port is none that the workload declares")
}

func ports(w *estate.Workload) []estate.Port {
	var out []estate.Port
	for i := range w.Containers {
		out = append(out, w.Containers[i].Ports...)
	}
	return out
}

// balanced resolves the old load balancer's own name by the port behind it.
func (x *index) balanced(p *place, t estate.Token) finding {
	listen := x.listen(p, t)
	f := finding{way: estate.Routed, listen: listen, fate: estate.Bridged, code: NameBridged}
	switch listen {
	case 0:
		f.why = "the old load balancer, and the text does not say which port of it"
		return f
	case 80, 443:
		f.why = "the old load balancer, which tells workloads apart by the host that is asked for"
		return f
	case 9090, 9091:
		return unresolved(t, ControlPlaneName, "the old load balancer's own status page")
	}
	at := x.ports[listen]
	if len(at) == 0 {
		return unresolved(t, UnknownPort, "no workload owns this port of the old load balancer")
	}
	for _, s := range at {
		if !slices.Contains(f.to, s.w.ID) {
			f.to = append(f.to, s.w.ID)
		}
	}
	first := at[0]
	f.port = first.port
	if first.endpoint != nil {
		f.endpoint = first.endpoint.ID
	}
	switch {
	case len(f.to) > 1:
		slices.Sort(f.to)
		f.endpoint, f.port = "", 0
		f.why = "several workloads take turns at this port of the old load balancer"
	case !x.served(f.to[0]):
		f.code, f.why = FrameworkName, "an operator takes the place of what it leads to"
	case changes(first.endpoint):
		f.why = "the old load balancer changes or guards what goes through this port"
	default:
		f.fate, f.code = estate.Rewritten, NameRewritten
	}
	return f
}

// changes reports whether going past the load balancer would behave otherwise.
func changes(ep *estate.Endpoint) bool {
	return ep != nil && (ep.Auth != nil || ep.Rework != nil || len(ep.Allow) > 0 || len(ep.Raw) > 0 ||
		ep.TLS != nil && (len(ep.TLS.Certs) > 0 || ep.TLS.Redirect))
}

// srv resolves "_pg._db-shop._tcp.marathon" and "_db-shop._tcp.marathon".
func (x *index) srv(t estate.Token, name string) (finding, bool) {
	labels := strings.Split(name, ".")
	framework := labels[len(labels)-1]
	var names []string
	for _, l := range labels[:len(labels)-1] {
		if n, ok := strings.CutPrefix(l, "_"); ok && n != "tcp" && n != "udp" {
			names = append(names, n)
		}
	}
	f := finding{
		fate: estate.Bridged, code: SRVName,
		why: "an SRV record with a port that changes: Kubernetes answers such for a headless Service, under another name",
	}
	if len(names) == 0 {
		return unresolved(t, ControlPlaneName, "a name of the old platform, which has no counterpart"), true
	}
	if !isMarathon(framework) {
		return x.ofFramework(t, framework), true
	}
	found := x.find(names[len(names)-1])
	if len(found) != 1 {
		return unresolved(t, UnknownName, "no workload of that name was read"), true
	}
	f.to = []estate.Name{found[0].ID}
	if len(names) > 1 {
		for _, p := range ports(found[0]) {
			if strings.EqualFold(p.Name, names[0]) {
				f.port = p.Number
			}
		}
	}
	return f, true
}

// listen gives the port that clients connect to: the one written, or that of
// the URL's scheme, 0 if neither says.
func (x *index) listen(p *place, t estate.Token) int {
	if t.Port > 0 {
		return t.Port
	}
	if t.End < len(p.raw) && p.raw[t.End] == ':' { // a variable follows
		return 0
	}
	switch p.scheme(t) {
	case "http", "ws":
		return 80
	case "https", "wss":
		return 443
	}
	return 0
}

// scheme gives the scheme of the URL whose host t is, empty if it is none.
func (p *place) scheme(t estate.Token) string {
	before := p.raw[:t.Start]
	if strings.HasSuffix(before, "@") {
		i := strings.LastIndex(before, "://")
		if i < 0 || strings.ContainsAny(before[i+3:], "/ \t\n\"'") {
			return ""
		}
		before = before[:i+3]
	}
	before, ok := strings.CutSuffix(before, "://")
	if !ok {
		return ""
	}
	i := len(before)
	for i > 0 && (before[i-1] >= 'a' && before[i-1] <= 'z' || before[i-1] >= 'A' && before[i-1] <= 'Z' ||
		before[i-1] >= '0' && before[i-1] <= '9' || before[i-1] == '+' || before[i-1] == '-') {
		i--
	}
	return strings.ToLower(before[i:])
}
