package edgelb

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/jsonpos"
	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/estate"
)

// settings reads what the pool says of itself.
func (p *pool) settings() {
	if n, ok := p.Int(p.v.Get("count"), 0, 1<<31-1); ok {
		p.w.Replicas = n
	}
	if role, ok := p.String(p.v.Get("role")); ok {
		p.w.Role = role
	}
	for _, key := range []string{"cpus", "cpusAdminOverhead", "mem", "memAdminOverhead", "disk"} {
		p.Number(p.v.Get(key))
	}
	for _, e := range p.v.Get("secrets").Elems() {
		name, file := e.Get("secret"), e.Get("file")
		if text, ok := p.String(name); ok && text != "" {
			s := estate.Secret{Name: text, Source: text}
			if f, ok := p.String(file); ok && f != "" {
				s.Keys = []string{f}
			}
			if !slices.ContainsFunc(p.w.Secrets, func(x estate.Secret) bool { return x.Name == text }) {
				p.w.Secrets = append(p.w.Secrets, s)
			}
		}
	}
	for _, e := range p.v.Get("environmentVariables").Elems() {
		if e.Kind() == jsonpos.String && strings.HasPrefix(e.Key(), "ELB_FILE_") {
			p.Keep(p.w, "files", "", e.Key(), e)
		}
	}
}

// secretOf gives the secret behind a certificate's path in the pool's sandbox.
func (p *pool) secretOf(cert string) string {
	if file, ok := strings.CutPrefix(cert, "$SECRETS/"); ok {
		for _, s := range p.w.Secrets {
			if slices.Contains(s.Keys, file) && s.Source != "" {
				return s.Name
			}
		}
	}
	if file, ok := strings.CutPrefix(cert, "$ENVFILE/"); ok {
		for _, s := range p.w.Secrets {
			if slices.Contains(s.Keys, file) && s.Source == "" {
				return s.Name
			}
		}
	}
	return ""
}

// frontend reads one listener with all its links.
func (p *pool) frontend(i int, v *jsonpos.Value, group string) {
	if v.Kind() != jsonpos.Object {
		return
	}
	protocol, ok := p.Choice(v.Get("protocol"), "HTTP", "HTTPS", "TCP", "TLS")
	if !ok {
		protocol = "HTTP"
		if len(v.Get("certificates").Elems()) > 0 {
			protocol = "HTTPS"
		}
	}
	base := estate.Endpoint{
		Kind: estate.Route, Origin: estate.Origin{File: p.File, Pointer: v.Pointer()}, Groups: []string{group},
		Protocol: "tcp", Mode: "http",
	}
	if protocol == "TCP" || protocol == "TLS" {
		base.Mode = "tcp"
	}
	if n, ok := p.Int(v.Get("bindPort"), 0, 65535); ok {
		base.Port = n
	}
	if base.Port == 0 {
		p.dynamic(v, protocol, &base)
	}
	base.Bind = p.bind(v)
	if protocol == "HTTPS" || protocol == "TLS" {
		base.TLS = p.tls(v.Get("certificates"))
	} else if len(v.Get("certificates").Elems()) > 0 {
		p.amend(v.Get("certificates"), ledger.Informational, FrontendCertificate, "the frontend's protocol has no use for it")
	}
	if lines := p.lines(v.Get("miscStrs")); lines != "" {
		base.Raw = map[string]string{"frontend": lines}
		p.directives(lines, &base)
	}
	p.links(i, v, base)
}

// dynamic gives a frontend without a port the one that people expect.
func (p *pool) dynamic(v *jsonpos.Value, protocol string, ep *estate.Endpoint) {
	ep.Port = map[string]int{"HTTP": 80, "HTTPS": 443}[protocol]
	why := "the pool chose the port by itself; proposed: port " + strconv.Itoa(ep.Port)
	if ep.Port == 0 {
		why = "the pool chose the port by itself; a port must be chosen"
	}
	p.amend(v.Get("bindPort"), ledger.Decision, FrontendPort, why)
	p.Report(DynamicPort, diag.Warning, v, fmt.Sprintf("has a %s frontend without a port of its own", protocol),
		"Edge-LB chose the port when it started; choose one for the gateway")
}

func (p *pool) bind(v *jsonpos.Value) string {
	addr, _ := p.String(v.Get("bindAddress"))
	mod, _ := p.String(v.Get("bindModifier"))
	addr, mod = strings.TrimSpace(addr), strings.TrimSpace(mod)
	if addr == "" && mod == "" {
		return ""
	}
	if addr == "" {
		addr = "*"
	}
	return strings.TrimSpace(addr + " " + mod)
}

func (p *pool) tls(certs *jsonpos.Value) *estate.TLS {
	t := &estate.TLS{FromClients: true}
	for _, e := range certs.Elems() {
		if c, ok := p.String(e); ok && c != "" {
			t.Certs = append(t.Certs, c)
			if t.Secret == "" {
				t.Secret = p.secretOf(c)
			}
		}
	}
	return t
}

// links makes a route of each link. They are asked in order, the default last.
func (p *pool) links(i int, v *jsonpos.Value, base estate.Endpoint) {
	prefix := "route:" + string(p.ID) + ":" + strconv.Itoa(i) + ":"
	redirect := v.Get("redirectToHttps")
	moved := redirect.Kind() == jsonpos.Object
	if moved {
		base.TLS = p.redirected(redirect, base.TLS)
	}
	rows := v.At("linkBackend", "map").Elems()
	def := v.At("linkBackend", "defaultBackend")
	if moved && len(base.TLS.RedirectExcept) == 0 {
		// Nothing passes the redirect, so that the links are never asked.
		p.amend(v.Get("protocol"), ledger.Approximate, FrontendProtocol, "a redirect is made of plain HTTP, whatever it was")
		p.amend(v.Get("linkBackend"), ledger.Informational, Shadowed, "every request is redirected to HTTPS first")
		ep := base
		ep.ID = prefix + "redirect"
		p.routes = append(p.routes, route{ep: ep})
		return
	}
	made := len(p.routes)
	for k, row := range rows {
		if row.Kind() != jsonpos.Object {
			continue
		}
		ep := base
		ep.ID, ep.Order = prefix+strconv.Itoa(k), len(rows)-k
		p.match(row, &ep)
		if to, ok := p.String(row.Get("backend")); ok {
			p.routes = append(p.routes, route{ep: ep, to: to, link: row.Get("backend")})
		}
	}
	if to, ok := p.String(def); ok && to != "" {
		ep := base
		ep.ID = prefix + "default"
		p.routes = append(p.routes, route{ep: ep, to: to, link: def})
	}
	if len(p.routes) == made {
		p.amend(v, ledger.Informational, Unlinked, "the frontend leads nowhere")
	}
}

func (p *pool) redirected(v *jsonpos.Value, t *estate.TLS) *estate.TLS {
	if t == nil {
		t = &estate.TLS{}
	}
	t.Redirect = true
	for _, e := range v.Get("except").Elems() {
		var m estate.Match
		if h, ok := p.String(e.Get("host")); ok {
			m.Host = strings.ToLower(h)
		}
		if path, ok := p.String(e.Get("pathBeg")); ok && path != "" {
			m.Path, m.PathKind = path, estate.StringPrefix
		}
		if m != (estate.Match{}) {
			t.RedirectExcept = append(t.RedirectExcept, m)
		}
	}
	return t
}

// match reads the conditions of one link; all that are set must hold.
func (p *pool) match(row *jsonpos.Value, ep *estate.Endpoint) {
	var m estate.Match
	if h, ok := p.String(row.Get("hostEq")); ok && h != "" {
		ep.Hosts = []string{strings.ToLower(h)}
	}
	m.HostRegex, _ = p.String(row.Get("hostReg"))
	first := true
	for _, c := range []struct {
		key  string
		kind estate.PathMatch
	}{{"pathBeg", estate.StringPrefix}, {"pathEnd", estate.PathSuffix}, {"pathReg", estate.PathRegex}} {
		text, ok := p.String(row.Get(c.key))
		if !ok || text == "" {
			continue
		}
		if !first {
			p.amend(row.Get(c.key), ledger.Decision, RegexMatch,
				"a second condition on one path, which the estate cannot hold; proposed: the first alone")
			continue
		}
		m.Path, m.PathKind, first = text, c.kind, false
	}
	if m != (estate.Match{}) {
		ep.Rules = []estate.Match{m}
	}
	if len(ep.Hosts) == 0 && m == (estate.Match{}) {
		p.Report(NoCondition, diag.Warning, row, "has a link without a condition",
			"it takes every request that no link before it took; give it a host or a path, or make it the default")
	}
}

// amend changes the ruling of every leaf below v that has one, but of those
// that could not be read.
func (p *pool) amend(v *jsonpos.Value, verdict ledger.Verdict, code diag.Code, reason string) {
	v.Leaves(func(leaf *jsonpos.Value) {
		p.B.Amend(leaf, func(e *ledger.Entry) {
			if strings.HasPrefix(string(e.Code), "L") {
				e.Verdict, e.Code, e.Reason = verdict, code, reason
			}
		})
	})
}

// lines gives the lines of an array of strings as one text.
func (p *pool) lines(v *jsonpos.Value) string {
	var out []string
	for _, e := range v.Elems() {
		if s, ok := p.String(e); ok {
			out = append(out, s)
		}
	}
	return strings.Join(out, "\n")
}
