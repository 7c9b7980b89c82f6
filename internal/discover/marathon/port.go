package marathon

import (
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/jsonpos"
	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/discover"
	"github.com/tranship/tranship/internal/discover/marathon/normal"
	"github.com/tranship/tranship/internal/estate"
)

// firstDynamic is where numbers begin that take the place of those that
// Marathon chose at each start. Below it are the ports that programs like.
const firstDynamic = 20000

// portList reads the ports, whose order is that of $PORT0, $PORT1.
func (a *app) portList() {
	host := a.n.HostMode()
	require := a.n.RequirePorts
	fixed := false
	used := map[int]bool{}
	list := a.n.Ports()
	for _, p := range list {
		port := estate.Port{Name: p.Name.Value, Protocols: strings.Split(p.Protocol.Value, ",")}
		if len(port.Protocols) == 2 {
			port.Protocols = []string{"tcp", "udp"}
		}
		if host {
			fixed = fixed || p.Port.Value > 0
			a.definition(p, require.Value, &port)
		} else {
			a.mapping(p, &port)
		}
		used[port.Number] = true
		a.portDetails(p, &port)
		a.c.Ports = append(a.c.Ports, port)
	}
	for _, at := range []*jsonpos.Value{a.v.At("container", "portMappings"), a.docker.Get("portMappings"), a.v.Get("portDefinitions"), a.v.Get("ports")} {
		if at.Kind() == jsonpos.Array && at.IsLeaf() && !a.B.Noted(at) {
			a.Note(at, ledger.Equivalent, PortNumber, "container#ports", "no ports, where saying nothing would have meant one")
		}
	}
	next := firstDynamic
	for i := range a.c.Ports {
		p := &a.c.Ports[i]
		if p.Number != 0 {
			continue
		}
		p.Number = p.ServicePort
		if p.ServicePort < 1024 || used[p.ServicePort] {
			for used[next] {
				next++
			}
			p.Number = next
		}
		used[p.Number] = true
	}
	if require.At != nil && host {
		switch {
		case fixed:
			a.Note(require.At, ledger.Equivalent, RequiredPorts, "container#ports.containerPort",
				"the program listens on the ports as numbered, or on those that it is told; on the pod's own address no other is in the way")
		default:
			a.Note(require.At, ledger.Informational, RequiredPorts, "", "no port has a number that could be required")
		}
	}
}

// definition reads a port of an app that shares the agent's network.
func (a *app) definition(p normal.Port, require bool, port *estate.Port) {
	n := p.Port.Value
	switch {
	case require && n > 0:
		port.Number, port.HostPort = n, n
		a.Note(p.Port.At, ledger.Exact, PortNumber, "container#ports.containerPort", "the same port, on the pod's own address")
	case n > 0:
		port.Dynamic, port.ServicePort = true, n
		a.Note(p.Port.At, ledger.Decision, ServicePort, "service#metadata.annotations",
			"a number that load balancers used, not the program: proposed is to keep it as a note, and as the port that $PORT tells the program")
	default:
		port.Dynamic = true
		a.Note(p.Port.At, ledger.Decision, DynamicPort, "container#ports.containerPort",
			"chosen at each start and told by $PORT; proposed is a fixed port, told by the same variable")
	}
}

// mapping reads a port of an app with an address of its own.
func (a *app) mapping(p normal.Port, port *estate.Port) {
	port.ServicePort = p.Service.Value
	inside, outside := p.Container.Value, p.Host.Value
	switch {
	case inside > 0:
		port.Number = inside
		a.Note(p.Container.At, ledger.Exact, PortNumber, "container#ports.containerPort", "the same port")
	case outside > 0:
		port.Number = outside
		a.Note(p.Container.At, ledger.Decision, DynamicPort, "container#ports.containerPort", "the same number as the host's port, which is fixed")
	default:
		port.Dynamic = true
		a.Note(p.Container.At, ledger.Decision, DynamicPort, "container#ports.containerPort",
			"chosen at each start and told by $PORT; proposed is a fixed port, told by the same variable")
	}
	port.HostPort = outside
	if outside > 0 {
		a.Note(p.Host.At, ledger.Decision, HostPort, "container#ports.hostPort", "who comes by the host's port; proposed is the service in its place")
	} else {
		a.Note(p.Host.At, ledger.Approximate, HostPort, "service#spec.ports",
			"no port of the host: who asked Marathon for host and port now goes by the service, or by the pod's own address")
	}
	a.Note(p.Service.At, ledger.Decision, ServicePort, "service#metadata.annotations",
		"a number that load balancers used; proposed is to keep it as a note, and as a listener where a route needs it")
}

// portName is what Kubernetes takes as it is.
var portName = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,12}[a-z0-9])?$`)

func (a *app) portDetails(p normal.Port, port *estate.Port) {
	if p.Name.At != nil {
		if portName.MatchString(port.Name) && strings.Trim(port.Name, "0123456789-") != "" && !a.taken(port.Name) {
			a.Note(p.Name.At, ledger.Equivalent, PortName, "service#spec.ports.name", "the same name; $PORT_NAME keeps it too where the program asks for it")
		} else {
			a.Note(p.Name.At, ledger.Approximate, PortName, "service#spec.ports.name", "as near as Kubernetes takes it: 15 letters, digits and dashes")
		}
	}
	if p.Protocol.At != nil {
		a.Note(p.Protocol.At, ledger.Exact, Protocol, "service#spec.ports.protocol", "the same protocol")
	}
	if p.Networks != nil && !a.Empty(p.Networks) && a.Is(p.Networks, jsonpos.Array) {
		for _, e := range p.Networks.Elems() {
			if text, ok := a.String(e); ok {
				port.Networks = append(port.Networks, text)
				a.Note(e, ledger.Decision, PortNetwork, "service#spec.ports", "which of several networks serves the port; proposed is the pod network")
			}
		}
	}
	if p.Labels != nil && !a.Empty(p.Labels) && a.Is(p.Labels, jsonpos.Object) {
		for _, e := range p.Labels.Elems() {
			a.portLabel(e, port)
		}
	}
}

func (a *app) taken(name string) bool {
	return slices.ContainsFunc(a.c.Ports, func(p estate.Port) bool { return p.Name == name })
}

func (a *app) portLabel(e *jsonpos.Value, port *estate.Port) {
	text, ok := a.String(e)
	if !ok {
		return
	}
	clean, found := discover.RedactURLs(text)
	if port.Labels == nil {
		port.Labels = map[string]string{}
	}
	port.Labels[e.Key()] = clean
	switch {
	case isVIP(e.Key()):
		a.vip(e, text)
	case found:
		a.Note(e, ledger.Approximate, discover.CredentialInURL, "workload#metadata.annotations", "a note without the credential that the URL held")
	default:
		a.Note(e, ledger.Approximate, PortLabel, "workload#metadata.annotations", "ports have no labels in Kubernetes: kept as a note of the workload")
	}
}

func isVIP(key string) bool { return strings.HasPrefix(strings.ToUpper(key), "VIP_") }

// vip enters a label that gives a port a virtual address. The endpoint is made
// at the end, from the labels of all workloads.
func (a *app) vip(e *jsonpos.Value, text string) {
	name, _, ok := splitVIP(text)
	switch {
	case !ok:
		a.Report(BadVIP, diag.Error, e, "has a virtual address that is no name and port", `the form is "/name:port"; it was left out`)
		a.Note(e, ledger.Approximate, BadVIP, "", "no name and port, so that no address is made of it")
	case net.ParseIP(name) != nil:
		a.Note(e, ledger.Decision, AddressIP, "service#spec.clusterIP",
			"an IP address that clients know; proposed is a service with an address of its own, and clients that use its name")
	default:
		a.Note(e, ledger.Equivalent, VirtualAddress, "service#spec.ports",
			"a service of that port, with the old name kept while callers use it")
	}
}

// splitVIP takes "/name:port" apart.
func splitVIP(text string) (name string, port int, ok bool) {
	i := strings.LastIndexByte(text, ':')
	if i < 0 {
		return "", 0, false
	}
	port, err := strconv.Atoi(strings.TrimSpace(text[i+1:]))
	name = strings.TrimSpace(text[:i])
	return name, port, err == nil && port > 0 && port < 65536 && strings.Trim(name, "/") != ""
}

// addresses makes one endpoint of each virtual address, whoever declares it:
// the port labels of all workloads, in the order in which they were read.
func addresses(b *discover.Builder) {
	e := b.Estate()
	at := map[string]int{}
	for i, ep := range e.Endpoints {
		at[ep.ID] = i
	}
	for _, w := range b.Workloads() {
		for _, c := range w.Containers {
			for _, p := range c.Ports {
				for _, key := range sortedVIPs(p.Labels) {
					address(e, at, w, p, p.Labels[key])
				}
			}
		}
	}
}

func sortedVIPs(labels map[string]string) []string {
	var keys []string
	for k := range labels {
		if isVIP(k) {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	return keys
}

func address(e *estate.Estate, at map[string]int, w *estate.Workload, p estate.Port, text string) {
	name, port, ok := splitVIP(text)
	if !ok {
		return
	}
	protocols := p.Protocols
	if len(protocols) == 0 {
		protocols = []string{"tcp"}
	}
	for _, protocol := range protocols {
		id := "vip:" + name + ":" + strconv.Itoa(port)
		if protocol != "tcp" {
			id += "/" + protocol
		}
		i, have := at[id]
		if !have {
			i = len(e.Endpoints)
			at[id] = i
			e.Endpoints = append(e.Endpoints, estate.Endpoint{
				ID: id, Kind: estate.VirtualAddress, Origin: w.Origin, Port: port, Protocol: protocol, Address: vipName(name),
			})
		}
		back := estate.Backend{Workload: w.ID, Port: p.Number}
		if !slices.Contains(e.Endpoints[i].Backends, back) {
			e.Endpoints[i].Backends = append(e.Endpoints[i].Backends, back)
		}
	}
}

// vipName gives the host name that DC/OS answered for a named address: the
// slashes go, and the framework's name follows.
func vipName(name string) string {
	if net.ParseIP(name) != nil {
		return name
	}
	return strings.ReplaceAll(name, "/", "") + ".marathon.l4lb.thisdcos.directory"
}
