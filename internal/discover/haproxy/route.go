package haproxy

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/discover"
	"github.com/tranship/tranship/internal/estate"
)

// everyGroup is the group of load balancers that carry all routes, and the
// only one to carry what names no group.
const everyGroup = "*"

// Finish makes the routes, now that the ports of all workloads are known.
func (r *Reader) Finish(b *discover.Builder) {
	balancers := findBalancers(b)
	var made []estate.Endpoint
	for _, a := range r.apps {
		if a.first.At == nil {
			continue // none of its labels could be read
		}
		made = append(made, a.routes(balancers, b)...)
	}
	made = r.merge(made, b)
	r.clashes(made, b)
	r.orders(made, b)
	e := b.Estate()
	e.Endpoints = append(e.Endpoints, made...)
	r.apps, r.byID = nil, map[estate.Name]*app{}
}

// A port is one of a workload's, as marathon-lb counts them.
type port struct {
	estate.Port
	container int
}

// portsOf gives the workload's ports in the order of its definition: the n-th
// is the one that HAPROXY_{n}_ labels are about.
func portsOf(w *estate.Workload) []port {
	var ports []port
	for i := range w.Containers {
		for _, p := range w.Containers[i].Ports {
			ports = append(ports, port{p, i})
		}
	}
	return ports
}

// unread reports whether marathon-lb never saw the workload: it asks Marathon
// for applications, and gets neither pods nor jobs.
func (a *app) unread() bool {
	if a.w.Kind == estate.Job || a.w.Kind == estate.Schedule {
		return true
	}
	labels := a.first.At.Parent()
	return labels != nil && labels.Parent().Has("containers")
}

func (a *app) routes(lbs []balancer, b *discover.Builder) []estate.Endpoint {
	if a.unread() {
		for _, labels := range append(slices.Collect(maps.Values(a.ports)), a.global) {
			for _, name := range sortedKeys(labels) {
				note(b, a.w, labels[name], discover.Ruling{
					Verdict: a.lost(name), Code: NoEffect, Target: annotations,
					Reason: "marathon-lb reads applications and neither pods nor jobs, so it did nothing with it",
				})
			}
		}
		report(b, a.w, a.first, diag.Diagnostic{
			Code: NotAnApp, Severity: diag.Warning, Problem: "has labels of marathon-lb, which reads neither pods nor jobs",
			Hint: "no route led to it and none is made; give it one if it is wanted",
		})
		return nil
	}
	ports := portsOf(a.w)
	groups := split(a.global["GROUP"].Value)
	for _, n := range slices.Sorted(maps.Keys(a.ports)) {
		if n >= len(ports) {
			a.withoutPort(n, len(ports), a.ports[n], b)
		}
	}
	if len(groups) > 0 && len(ports) == 0 {
		report(b, a.w, a.global["GROUP"], diag.Diagnostic{
			Code: NoSuchPort, Severity: diag.Warning, Problem: "is in group " + groups[0] + " and has no port to expose",
			Hint: "marathon-lb made no route for it; give it a port or take the label away",
		})
	}
	var made []estate.Endpoint
	for n := range ports {
		labels := a.ports[n]
		if len(groups) == 0 && len(labels) == 0 && !carriesAll(lbs) {
			continue
		}
		s := service{app: a, n: n, ports: ports, labels: labels, b: b, lbs: lbs}
		if ep, ok := s.route(groups); ok {
			made = append(made, ep)
		}
	}
	return made
}

// withoutPort says that labels of a port that is not there have no effect.
func (a *app) withoutPort(n, have int, labels map[string]discover.Label, b *discover.Builder) {
	for _, name := range sortedKeys(labels) {
		l := labels[name]
		note(b, a.w, l, discover.Ruling{
			Verdict: a.lost(name), Code: NoSuchPort, Target: annotations,
			Reason: "the application has no port " + strconv.Itoa(n) + ", so marathon-lb did nothing with it",
		})
	}
	l := labels[sortedKeys(labels)[0]]
	report(b, a.w, l, diag.Diagnostic{
		Code: NoSuchPort, Severity: diag.Warning,
		Problem: fmt.Sprintf("has labels for port %d and %d ports; they count from 0", n, have),
		Hint:    "marathon-lb ignores them; if the route is wanted, correct the number at the source",
	})
}

// lost is the verdict of a label that has no effect: all of them stay as
// annotations but the one that holds a password's hash.
func (a *app) lost(name string) ledger.Verdict {
	if r, ok := perPort(name); ok && r.secret {
		return ledger.Decision
	}
	return ledger.Equivalent
}

func split(list string) []string {
	var out []string
	for s := range strings.SplitSeq(list, ",") {
		if s = strings.TrimSpace(s); s != "" && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

func sortedKeys(m map[string]discover.Label) []string {
	return slices.Sorted(maps.Keys(m))
}

// A service is one port of an app, as marathon-lb calls it.
type service struct {
	app    *app
	n      int
	ports  []port
	labels map[string]discover.Label
	b      *discover.Builder
	lbs    []balancer
	ep     estate.Endpoint
}

// value gives a label's text, empty if it is not set.
func (s *service) value(name string) string { return strings.TrimSpace(s.labels[name].Value) }

// integer gives a label's number. What is none is reported: marathon-lb
// stopped at it.
func (s *service) integer(name string, low, high int) (int, bool) {
	l, ok := s.labels[name]
	if !ok {
		return 0, false
	}
	n, err := strconv.Atoi(strings.TrimSpace(l.Value))
	if err == nil && n >= low && n <= high {
		return n, true
	}
	s.bad(name, fmt.Sprintf("is not a whole number from %d to %d", low, high))
	return 0, false
}

// bad reports a label whose value marathon-lb cannot read.
func (s *service) bad(name, why string) {
	l := s.labels[name]
	s.renote(name, s.app.lost(name), BadValue, why+"; only the annotation keeps it")
	report(s.b, s.app.w, l, diag.Diagnostic{
		Code: BadValue, Severity: diag.Warning, Problem: "has label " + l.Key + ", which " + why,
		Hint: "marathon-lb cannot read it either; the label was left out and the rest was read",
	})
}

// renote changes a label's ruling, keeping its target.
func (s *service) renote(name string, v ledger.Verdict, code diag.Code, reason string) {
	l, ok := s.labels[name]
	if !ok {
		return
	}
	s.b.Amend(l.At, func(e *ledger.Entry) {
		if e.Verdict == ledger.Decision && v == ledger.Equivalent && code == NoEffect {
			v = ledger.Decision // what is to be decided stays so, and the default is to do nothing
		}
		e.Verdict, e.Code, e.Reason = v, code, reason
	})
}

// idle says that labels had no effect, and why.
func (s *service) idle(why string, names ...string) {
	for _, name := range names {
		s.renote(name, s.app.lost(name), NoEffect, why+", so marathon-lb did nothing with it")
	}
}

func (s *service) route(groups []string) (estate.Endpoint, bool) {
	w, p := s.app.w, s.ports[s.n]
	if len(p.Protocols) > 0 && !slices.Contains(p.Protocols, "tcp") {
		s.udp()
		return estate.Endpoint{}, false
	}
	s.ep = estate.Endpoint{
		ID: "route:" + string(w.ID) + ":" + strconv.Itoa(s.n), Kind: estate.Route, Protocol: "tcp",
		Origin:   s.origin(),
		Backends: []estate.Backend{{Workload: w.ID, Port: p.Number}},
		Groups:   s.groups(groups),
		Port:     p.ServicePort,
	}
	if n, ok := s.integer("PORT", 1, 65535); ok {
		s.ep.Port = n
	}
	s.hosts()
	s.mode()
	s.paths()
	s.http()
	s.rest()
	s.templates()
	s.enabled()
	s.groupless()
	if s.ep.Port == 0 && len(s.ep.Hosts) == 0 && !s.ep.Disabled {
		report(s.b, w, s.any(), diag.Diagnostic{
			Code: NoServicePort, Severity: diag.Warning,
			Problem: fmt.Sprintf("has neither a virtual host nor a known service port for port %d", s.n),
			Hint:    "Marathon gives the service port when it deploys: export the running application, or set HAPROXY_" + strconv.Itoa(s.n) + "_PORT",
		})
	}
	return s.ep, true
}

// groups gives those of the service: its own if it names any, else the app's.
func (s *service) groups(ofApp []string) []string {
	if _, ok := s.labels["GROUP"]; ok {
		ofApp = split(s.value("GROUP"))
	}
	if len(ofApp) == 0 {
		return []string{everyGroup}
	}
	return ofApp
}

// any gives one label that speaks of the service.
func (s *service) any() discover.Label {
	if len(s.labels) > 0 {
		return s.labels[sortedKeys(s.labels)[0]]
	}
	if l, ok := s.app.global["GROUP"]; ok {
		return l
	}
	return s.app.first
}

func (s *service) origin() estate.Origin {
	l := s.any()
	if v, ok := s.labels["VHOST"]; ok {
		l = v
	}
	return estate.Origin{File: l.File, Pointer: l.At.Pointer()}
}

func (s *service) udp() {
	for _, name := range sortedKeys(s.labels) {
		s.idle("HAProxy carries TCP and the port is of another protocol", name)
	}
	report(s.b, s.app.w, s.any(), diag.Diagnostic{
		Code: NotTCP, Severity: diag.Warning,
		Problem: fmt.Sprintf("exposes port %d through HAProxy, and it is not a TCP port", s.n),
		Hint:    "no route was made, as nothing can have come through; expose it by a Service of type LoadBalancer if it is needed",
	})
}
