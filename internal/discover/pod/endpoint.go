package pod

import (
	"slices"
	"strings"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/jsonpos"
	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/discover"
	"github.com/tranship/tranship/internal/estate"
)

// firstDynamic is where numbers begin that take the place of those that the
// source chose at each start. Below it are the ports that programs like.
const firstDynamic = 20000

// endpoints reads the ports of all containers, which share one network.
func (p *pod) endpoints() {
	p.byName = map[string]int{}
	for i, v := range p.at {
		list := v.Get("endpoints")
		if p.Empty(list) || !p.Is(list, jsonpos.Array) {
			continue
		}
		for _, e := range list.Elems() {
			if !p.Empty(e) && p.Is(e, jsonpos.Object) {
				p.endpoint(e, &p.w.Containers[i])
			}
		}
	}
	next := firstDynamic
	for i := range p.w.Containers {
		for k := range p.w.Containers[i].Ports {
			port := &p.w.Containers[i].Ports[k]
			if port.Dynamic {
				for p.taken(next) {
					next++
				}
				port.Number = next
				next++
			}
			p.byName[port.Name] = port.Number
		}
	}
}

func (p *pod) taken(n int) bool {
	return slices.ContainsFunc(p.w.Containers, func(c estate.Container) bool {
		return slices.ContainsFunc(c.Ports, func(x estate.Port) bool { return x.Number == n })
	})
}

func (p *pod) endpoint(e *jsonpos.Value, c *estate.Container) {
	var port estate.Port
	if x := e.Get("name"); x != nil {
		if text, ok := p.String(x); ok {
			port.Name = text
			if len(text) < 15 {
				p.Note(x, ledger.Equivalent, PortName, "container#ports.name", "the same name, as far as it is one for Kubernetes")
			} else {
				p.Note(x, ledger.Approximate, PortName, "container#ports.name", "cut to 15 characters; variables keep the name")
			}
		}
	}
	inside, outside := p.port(e.Get("containerPort")), p.port(e.Get("hostPort"))
	host := p.w.Network == estate.HostNet
	switch {
	case host && outside > 0:
		port.Number, port.HostPort = outside, outside
	case !host && inside > 0:
		port.Number, port.HostPort = inside, max(outside, 0)
	default:
		port.Dynamic = true
		port.HostPort = max(outside, 0)
	}
	p.portEntries(e, host, inside, outside)
	p.protocols(e.Get("protocol"), &port)
	p.portLabels(e.Get("labels"), &port)
	if x := e.Get("networkNames"); !p.Empty(x) && p.Is(x, jsonpos.Array) {
		for _, n := range x.Elems() {
			if text, ok := p.String(n); ok {
				port.Networks = append(port.Networks, text)
				p.Note(n, ledger.Decision, PortNetwork, "service#spec.ports", "which of several networks serves the port; proposed is the pod network")
			}
		}
	}
	if !port.Dynamic && p.clash(e, port) {
		return
	}
	c.Ports = append(c.Ports, port)
}

// clash reports whether another endpoint has the port: containers share one
// network, so that one port stands for both.
func (p *pod) clash(e *jsonpos.Value, port estate.Port) bool {
	for i := range p.w.Containers {
		for k := range p.w.Containers[i].Ports {
			x := &p.w.Containers[i].Ports[k]
			shared := func(s string) bool { return slices.Contains(x.Protocols, s) }
			if x.Number != port.Number || !slices.ContainsFunc(port.Protocols, shared) {
				continue
			}
			p.Report(PortTwice, diag.Warning, e, "has two endpoints at one port, "+x.Name+" and "+port.Name,
				"containers of a pod share one network; the first endpoint stands for both")
			p.byName[port.Name] = port.Number
			for key, value := range port.Labels {
				if _, ok := x.Labels[key]; !ok {
					if x.Labels == nil {
						x.Labels = map[string]string{}
					}
					x.Labels[key] = value
				}
			}
			for _, key := range []string{"name", "containerPort", "hostPort"} {
				p.Note(e.Get(key), ledger.Approximate, PortTwice, "container#ports", "of a second endpoint at the same port: one port stands for both")
			}
			return true
		}
	}
	return false
}

// port gives a port's number, 0 if it is to be chosen, -1 if it is unsaid.
func (p *pod) port(v *jsonpos.Value) int {
	if v.IsNull() {
		return -1
	}
	if n, ok := p.Int(v, 0, 65535); ok {
		return n
	}
	return -1
}

func (p *pod) portEntries(e *jsonpos.Value, host bool, inside, outside int) {
	if v := e.Get("containerPort"); v != nil && !p.B.Noted(v) && !p.Empty(v) {
		switch {
		case host:
			p.Note(v, ledger.Informational, PortUnused, "", "not used on the host's network")
		case inside > 0:
			p.Note(v, ledger.Exact, PortNumber, "container#ports.containerPort", "the same port")
		default:
			p.Note(v, ledger.Decision, DynamicPort, "container#ports.containerPort",
				"chosen at each start and told by a variable; proposed is a fixed port, told by the same variable")
		}
	}
	if v := e.Get("hostPort"); v != nil && !p.B.Noted(v) && !p.Empty(v) {
		switch {
		case host && outside > 0:
			p.Note(v, ledger.Decision, HostPort, "container#ports.containerPort", "whether the host's port is needed; proposed is the pod's own")
		case host:
			p.Note(v, ledger.Decision, DynamicPort, "container#ports.containerPort",
				"chosen at each start and told by a variable; proposed is a fixed port, told by the same variable")
		case outside > 0:
			p.Note(v, ledger.Decision, HostPort, "container#ports.hostPort", "who comes by the host's port; proposed is the service in its place")
		default:
			p.Note(v, ledger.Approximate, HostPort, "service#spec.ports", "no port of the host: others come by the service, or by the pod's own address")
		}
	}
}

func (p *pod) protocols(v *jsonpos.Value, port *estate.Port) {
	defer func() {
		if len(port.Protocols) == 0 {
			port.Protocols = []string{"tcp"}
		}
	}()
	if p.Empty(v) {
		return
	}
	list := v.Elems()
	if v.Kind() == jsonpos.String {
		list = []*jsonpos.Value{v}
	} else if !p.Is(v, jsonpos.Array) {
		return
	}
	for _, e := range list {
		text, ok := p.String(e)
		if !ok {
			continue
		}
		for word := range strings.SplitSeq(strings.ToLower(text), ",") {
			name := "tcp"
			if word == "udp" || word == "sctp" {
				name = word
			}
			if !slices.Contains(port.Protocols, name) {
				port.Protocols = append(port.Protocols, name)
			}
		}
		p.Note(e, ledger.Approximate, Protocol, "service#spec.ports.protocol",
			"any word to Mesos, which only told it on; to Kubernetes it is TCP, UDP or SCTP")
	}
}

// portLabels reads an endpoint's labels: virtual addresses, for the most part.
func (p *pod) portLabels(v *jsonpos.Value, port *estate.Port) {
	if v == nil || !p.object(v) {
		return
	}
	for _, e := range v.Elems() {
		text, ok := p.String(e)
		if !ok {
			continue
		}
		clean, found := discover.RedactURLs(text)
		if port.Labels == nil {
			port.Labels = map[string]string{}
		}
		port.Labels[e.Key()] = clean
		switch {
		case strings.HasPrefix(e.Key(), "VIP_"):
			p.Note(e, ledger.Equivalent, VirtualAddress, "service#spec", "a service of that name and port, with the old name kept while callers use it")
		case found:
			p.Note(e, ledger.Approximate, discover.CredentialInURL, "workload#metadata.annotations", "a note without the credential that the URL held")
		default:
			p.Note(e, ledger.Approximate, PortLabel, "workload#metadata.annotations", "ports have no labels in Kubernetes: kept as a note of the workload")
		}
	}
}
