package edgelb

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/jsonpos"
	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/discover"
	"github.com/tranship/tranship/internal/estate"
)

// Finish ties the pools' backends to workloads and gives the estate their routes.
func (r *Reader) Finish(b *discover.Builder) {
	found := index(b)
	e := b.Estate()
	for _, p := range r.pools {
		for _, rt := range p.routes {
			e.Endpoints = append(e.Endpoints, p.resolve(rt, found))
		}
		for _, name := range slices.Sorted(maps.Keys(p.backends)) {
			if bk := p.backends[name]; !bk.linked {
				p.amend(bk.v, ledger.Informational, Unlinked, "no frontend leads to the backend")
			}
		}
		unowned(b, p.v)
	}
	r.pools = nil
}

// unowned takes the pool's name out of the entries: a pool is metadata of the
// old platform, and no workload of the new.
func unowned(b *discover.Builder, v *jsonpos.Value) {
	b.Amend(v, func(e *ledger.Entry) { e.Workload = "" })
	for _, x := range v.Elems() {
		unowned(b, x)
	}
}

func (p *pool) resolve(rt route, x *workloads) estate.Endpoint {
	ep := rt.ep
	if rt.link == nil {
		return ep
	}
	bk := p.backends[rt.to]
	if bk == nil {
		p.Report(NoBackend, diag.Error, rt.link, "leads to backend "+rt.to+", which the pool has not",
			"the route was kept without a backend; correct the name at the source")
		p.Note(rt.link, ledger.Dropped, NoBackend, "", "names a backend that is not there")
		return ep
	}
	bk.linked = true
	part := bk.part
	ep.Balance, ep.Rework, ep.Sticky, ep.Check = part.Balance, part.Rework, part.Sticky, part.Check
	if part.Times != nil {
		ep.Times = part.Times
	}
	ep.MaxConns = max(ep.MaxConns, part.MaxConns)
	if part.TLS != nil {
		t := estate.TLS{}
		if ep.TLS != nil {
			t = *ep.TLS
		}
		t.ToBackend = true
		ep.TLS = &t
	}
	if len(part.Raw) > 0 {
		raw := maps.Clone(part.Raw)
		maps.Copy(raw, ep.Raw)
		ep.Raw = raw
	}
	if !bk.found {
		bk.to, bk.found = p.servers(bk, x), true
	}
	ep.Backends = slices.Clone(bk.to)
	return ep
}

// servers gives the backends of all services, with their shares of the traffic.
func (p *pool) servers(bk *backend, x *workloads) []estate.Backend {
	var out []estate.Backend
	var weights []int
	said := false
	for _, s := range bk.services {
		for _, to := range p.selected(s, x) {
			to.Backup = s.backup
			weight := 1
			if s.weight != nil {
				weight, said = *s.weight, true
			}
			out, weights = append(out, to), append(weights, weight)
		}
	}
	x.share(out, weights, said)
	return out
}

// share sets the backends' shares: HAProxy has one server for each copy, so
// that a workload's share is its weight times its copies.
func (x *workloads) share(list []estate.Backend, weights []int, said bool) {
	copies := make([]int, len(list))
	for i, b := range list {
		copies[i] = 1
		if w := x.byID[b.Workload]; w != nil && w.Kind == estate.Service {
			copies[i] = w.Replicas
		}
	}
	even := len(copies) == 0 || slices.Max(copies) == slices.Min(copies)
	if even && !said || len(copies) > 0 && slices.Max(copies) == 0 && !said {
		return
	}
	for i := range list {
		n := weights[i]
		if !even {
			n = min(n*copies[i], 1_000_000)
		}
		list[i].Weight = &n
	}
}

// workloads are those of the estate by what pools call them.
type workloads struct {
	byID   map[estate.Name]*estate.Workload
	sorted []*estate.Workload
	vips   []estate.Endpoint
}

func index(b *discover.Builder) *workloads {
	x := &workloads{byID: map[estate.Name]*estate.Workload{}}
	for _, w := range b.Workloads() {
		x.byID[w.ID] = w
		if w.Kind == estate.Service || w.Kind == estate.Framework || w.Kind == estate.Daemon {
			x.sorted = append(x.sorted, w)
		}
	}
	slices.SortFunc(x.sorted, func(a, b *estate.Workload) int { return strings.Compare(string(a.ID), string(b.ID)) })
	for _, ep := range b.Estate().Endpoints {
		if ep.Kind == estate.VirtualAddress {
			x.vips = append(x.vips, ep)
		}
	}
	return x
}

// selected gives whom one service selects. Whom it cannot find it reports, and
// keeps by the name that answers in the old world.
func (p *pool) selected(s service, x *workloads) []estate.Backend {
	e := s.v.Get("endpoint")
	if address := e.Get("address").Text(); strings.EqualFold(e.Get("type").Text(), "ADDRESS") || address != "" && !s.v.Has("marathon") && !s.v.Has("mesos") {
		for _, key := range []string{"marathon", "mesos"} {
			p.amend(s.v.Get(key), ledger.Informational, ServiceSelector, "an address stands in its place")
		}
		return p.address(e, address, x)
	}
	var found []*estate.Workload
	var name string
	m, k := s.v.Get("marathon"), s.v.Get("mesos")
	switch {
	case m.Get("serviceID").Text() != "" || m.Get("serviceIDPattern").Text() != "":
		found, name = p.byServiceID(m, x)
	case len(k.Elems()) > 0:
		found, name = p.byTask(k, x)
	default:
		p.Report(UnresolvedService, diag.Warning, s.v, "has a service that selects nothing",
			"name an application, a task or an address")
		return nil
	}
	var out []estate.Backend
	for _, w := range found {
		out = append(out, p.portsOf(w, m, e)...)
	}
	if len(out) > 0 {
		return out
	}
	p.unresolved(s.v, name)
	if name == "" {
		return nil
	}
	return []estate.Backend{{Address: name, Port: positive(e.Get("port"))}}
}

func (p *pool) unresolved(v *jsonpos.Value, name string) {
	for _, key := range []string{"marathon", "mesos"} {
		p.amend(v.Get(key), ledger.Decision, UnresolvedService, "no workload or port of this snapshot; proposed: the old name, as long as it answers")
	}
	for _, key := range []string{"port", "portName"} {
		p.amend(v.At("endpoint", key), ledger.Decision, UnresolvedService, "no workload or port of this snapshot; proposed: the old name, as long as it answers")
	}
	what := "a service that matches no workload of this snapshot"
	if name != "" {
		what = "a service that is no workload of this snapshot, " + name
	}
	p.Report(UnresolvedService, diag.Warning, v, "leads to "+what,
		"capture the scheduler that runs it too, or correct the selector")
}

// address finds the workload behind a virtual address; another address is kept.
func (p *pool) address(e *jsonpos.Value, address string, x *workloads) []estate.Backend {
	port := positive(e.Get("port"))
	vip := vipName(address)
	for _, ep := range x.vips {
		if vip != "" && vipName(ep.Address+l4lb) == vip && (ep.Port == port || port == 0) {
			return slices.Clone(ep.Backends)
		}
	}
	if address == "" {
		p.Report(UnresolvedService, diag.Warning, e, "has an endpoint of type ADDRESS without an address", "write the address")
		return nil
	}
	address, _ = discover.RedactURLs(address)
	return []estate.Backend{{Address: address, Port: port}}
}

const l4lb = ".l4lb.thisdcos.directory"

// vipName gives the name of a virtual address as DNS has it, empty if the
// address is none.
func vipName(address string) string {
	a, ok := strings.CutSuffix(strings.ToLower(strings.TrimSuffix(address, ".")), l4lb)
	if !ok {
		return ""
	}
	a, _, _ = strings.Cut(a, ":")
	a = strings.TrimSuffix(a, l4lb)
	return strings.ReplaceAll(strings.TrimSuffix(a, ".marathon"), "/", "")
}

func (p *pool) byServiceID(m *jsonpos.Value, x *workloads) (found []*estate.Workload, name string) {
	if id := m.Get("serviceID").Text(); id != "" {
		full := estate.Name("/" + strings.Trim(id, "/"))
		if w := x.byID[full]; w != nil {
			found = append(found, w)
		}
		if m.Get("serviceIDPattern").Text() != "" {
			p.amend(m.Get("serviceIDPattern"), ledger.Informational, ServiceSelector, "serviceID stands beside it")
		}
		return found, oldName(string(full), "marathon")
	}
	re := p.pattern(m.Get("serviceIDPattern"))
	return x.matching(func(w *estate.Workload) bool { return re != nil && re.MatchString(string(w.ID)) }), ""
}

func (x *workloads) matching(f func(*estate.Workload) bool) (out []*estate.Workload) {
	for _, w := range x.sorted {
		if f(w) {
			out = append(out, w)
		}
	}
	return out
}

// pattern compiles a selector's regular expression; one that is none is reported.
func (p *pool) pattern(v *jsonpos.Value) *regexp.Regexp {
	text := v.Text()
	if text == "" {
		return nil
	}
	re, err := regexp.Compile(text)
	if err != nil {
		p.Report(BadPattern, diag.Error, v, "has the pattern "+text+", which is no regular expression",
			"it selects nothing; correct it at the source")
		p.Note(v, ledger.Dropped, BadPattern, "", "is no regular expression, and was left out")
		return nil
	}
	return re
}

// oldName gives the name under which Mesos-DNS and the overlay's DNS know an
// application: its path reversed.
func oldName(id, framework string) string {
	parts := strings.Split(strings.Trim(id, "/"), "/")
	slices.Reverse(parts)
	return strings.Join(parts, "-") + "." + framework + ".autoip.dcos.thisdcos.directory"
}

func positive(v *jsonpos.Value) int {
	n := 0
	for _, c := range v.Text() {
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
