package names

import (
	"slices"
	"strings"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/estate"
)

// kinds of name: what the address behind it was.
type record int

const (
	byMode  record = iota // *.marathon.mesos, autoip: the machine, or the container where it had an address
	byAgent               // agentip: the machine
)

// resolve tells what a token names, if it is a name of the old world.
func (x *index) resolve(p *place, t estate.Token) (finding, bool) {
	host := t.Host
	if f, ok := x.sibling(p, t); ok {
		return f, true
	}
	dot := strings.LastIndexByte(host, '.')
	if dot < 0 {
		return x.bare(p, t)
	}
	host = strings.ToLower(host)
	switch host[dot+1:] {
	case "mesos":
		return x.mesos(p, t, strings.TrimSuffix(host, ".mesos"))
	case "directory":
		return x.directory(p, t, host)
	case "zk":
		if strings.HasPrefix(host, "zk-") {
			return unresolved(t, ControlPlaneName, "ZooKeeper of the old platform, which is not moved"), true
		}
	case "spartan":
		return unresolved(t, ControlPlaneName, "the resolver of the old platform, which is not moved"), true
	}
	return x.literal(p, t, host)
}

func unresolved(t estate.Token, code diag.Code, why string) finding {
	return finding{fate: estate.Unresolved, listen: t.Port, code: code, why: why}
}

// mesos resolves names below .mesos; name is without that.
func (x *index) mesos(p *place, t estate.Token, name string) (finding, bool) {
	switch name {
	case "leader", "master", "marathon", "metronome", "slave", "mesos", "":
		if t.Glued && name == "marathon" {
			break
		}
		return unresolved(t, ControlPlaneName, "the old platform's own API, which has no counterpart"), true
	}
	if strings.HasPrefix(name, "master") && number(name[len("master"):]) > 0 || name == "master0" || strings.HasPrefix(name, "_leader.") ||
		strings.HasPrefix(name, "_master.") {
		return unresolved(t, ControlPlaneName, "the old platform's own API, which has no counterpart"), true
	}
	if t.Glued {
		return unresolved(t, VariableInName, "it is put together from parts that are only known at run time"), true
	}
	agents := false
	if rest, ok := strings.CutSuffix(name, ".slave"); ok {
		name, agents = rest, true
	}
	if strings.HasPrefix(name, "_") {
		return x.srv(t, name)
	}
	task, framework, ok := cutLast(name)
	if !ok {
		return x.scheduler(t, name)
	}
	if !isMarathon(framework) {
		return x.ofFramework(t, framework), true
	}
	f := x.task(p, t, task, byMode)
	if agents && f.fate != estate.Unresolved {
		f.fate, f.code, f.why = estate.Unresolved, MachineName, "it gave the machines that ran the copies, and no copy has one of its own now"
	}
	return f, true
}

// directory resolves names below .thisdcos.directory.
func (x *index) directory(p *place, t estate.Token, host string) (finding, bool) {
	name, ok := strings.CutSuffix(host, ".thisdcos.directory")
	if !ok {
		return finding{}, false
	}
	if t.Glued {
		return unresolved(t, VariableInName, "it is put together from parts that are only known at run time"), true
	}
	kind := byMode
	switch {
	case strings.HasSuffix(name, ".l4lb"):
		return x.virtual(p, t, strings.TrimSuffix(name, ".l4lb")), true
	case strings.HasSuffix(name, ".agentip.dcos"):
		kind = byAgent
	case strings.HasSuffix(name, ".autoip.dcos"), strings.HasSuffix(name, ".containerip.dcos"):
	default:
		return unresolved(t, ControlPlaneName, "a name of the old platform, which has no counterpart"), true
	}
	name, _, _ = cutLast(name) // .dcos
	name, _, _ = cutLast(name) // .autoip
	task, framework, ok := cutLast(name)
	if !ok {
		return x.scheduler(t, name)
	}
	if !isMarathon(framework) {
		return x.ofFramework(t, framework), true
	}
	return x.task(p, t, task, kind), true
}

// cutLast cuts off what stands behind the last dot.
func cutLast(name string) (rest, last string, ok bool) {
	i := strings.LastIndexByte(name, '.')
	if i < 0 {
		return "", name, false
	}
	return name[:i], name[i+1:], true
}

// isMarathon reports whether a framework is a Marathon, whatever number of them.
func isMarathon(framework string) bool {
	return framework == "marathon" || strings.HasPrefix(framework, "marathon-")
}

// virtual resolves a named virtual address: "shopdb.marathon".
func (x *index) virtual(p *place, t estate.Token, name string) finding {
	short, framework, ok := cutLast(name)
	if !ok {
		return unresolved(t, UnknownName, "no virtual address of that name is declared")
	}
	if !isMarathon(framework) {
		return x.ofFramework(t, framework)
	}
	vips := x.vips[short]
	if len(vips) == 0 {
		return unresolved(t, UnknownName, "no virtual address of that name is declared")
	}
	listen := x.listen(p, t)
	at := slices.IndexFunc(vips, func(v vip) bool { return v.port == listen })
	if listen == 0 && !slices.ContainsFunc(vips, func(v vip) bool { return v.port != vips[0].port }) {
		at = 0 // the only port, by whatever protocol
	}
	if at < 0 {
		f := unresolved(t, UnknownPort, "the virtual address has no such port")
		if listen == 0 {
			f.code, f.why, f.fate = NameBridged, "the virtual address has several ports, and the text says none", estate.Bridged
		}
		f.to = vips[0].to
		return f
	}
	return x.atVIP(vips[at], listen)
}

func (x *index) atVIP(v vip, listen int) finding {
	f := finding{to: v.to, endpoint: v.endpoint, port: v.target, listen: v.port, fate: estate.Rewritten, code: NameRewritten}
	if listen == 0 {
		f.listen = v.port
	}
	switch {
	case len(f.to) == 0:
		f.fate, f.code, f.why = estate.Unresolved, UnknownName, "nobody stands behind the virtual address"
	case !x.served(f.to[0]):
		f.fate, f.code, f.why = estate.Bridged, FrameworkName, "what stands behind it is replaced by an operator"
	case v.endpoint == "" && len(v.to) > 1:
		f.fate, f.code, f.why = estate.Bridged, NameBridged, "several workloads share the virtual address"
	}
	return f
}

// served reports whether the workload gets a Service.
func (x *index) served(id estate.Name) bool {
	w := x.b.Workload(id)
	return w != nil && (w.Kind == estate.Service || w.Kind == estate.Daemon)
}

// ofFramework resolves the address of a task that some framework runs.
func (x *index) ofFramework(t estate.Token, framework string) finding {
	f := finding{
		listen: t.Port, fate: estate.Bridged, code: FrameworkName,
		why: "an address of framework " + framework + ", whose tasks an operator replaces",
	}
	id, ok := x.frameworks[framework]
	if !ok {
		f.fate, f.why = estate.Unresolved, "an address of framework "+framework+", which is not in the snapshot"
		return f
	}
	f.to = []estate.Name{id}
	return f
}

// scheduler resolves "kafka.mesos", the scheduler itself.
func (x *index) scheduler(t estate.Token, name string) (finding, bool) {
	if isMarathon(name) {
		return unresolved(t, ControlPlaneName, "the old platform's own API, which has no counterpart"), true
	}
	return x.ofFramework(t, name), true
}

// literal resolves names and addresses that are no form of the old world: of
// machines, virtual IPs, hosts of routes.
func (x *index) literal(p *place, t estate.Token, host string) (finding, bool) {
	if t.Glued {
		return finding{}, false
	}
	if strings.HasPrefix(host, "198.51.100.") && (host[11:] == "1" || host[11:] == "2" || host[11:] == "3") {
		return unresolved(t, ControlPlaneName, "the resolver of the old platform, which is not moved"), true
	}
	if isAddress(host) {
		for _, v := range x.vips[host] {
			if v.port == t.Port || t.Port == 0 {
				f := x.atVIP(v, t.Port)
				f.fate, f.code, f.why = estate.Unresolved, AddressVIP, "a virtual address that is an IP: no Service can be promised it"
				return f, true
			}
		}
	}
	if x.machines[host] {
		return x.machine(t), true
	}
	if routes := x.routes[host]; len(routes) > 0 && !p.text.Secret {
		return routed(p, routes), true
	}
	return finding{}, false
}

func (x *index) machine(t estate.Token) finding {
	f := unresolved(t, MachineName, "a machine of the old world, which will be switched off")
	if at := x.fixed[t.Port]; t.Port > 0 && len(at) == 1 {
		f.to = []estate.Name{at[0].ID}
	}
	return f
}

// routed gives the edges by way of the edge. The public name stays good.
func routed(p *place, routes []estate.Endpoint) finding {
	f := finding{way: estate.Routed, endpoint: routes[0].ID, fate: estate.None}
	for _, r := range routes {
		for _, back := range r.Backends {
			if back.Workload != "" && back.Workload != p.from.ID {
				f.to = append(f.to, back.Workload)
			}
		}
	}
	return f
}

// bare resolves a machine's name without a dot, where a host can stand.
func (x *index) bare(p *place, t estate.Token) (finding, bool) {
	if t.Glued || !x.machines[strings.ToLower(t.Host)] || !p.hostPosition(t) {
		return finding{}, false
	}
	return x.machine(t), true
}
