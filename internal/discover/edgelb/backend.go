package edgelb

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/haproxyline"
	"github.com/tranship/tranship/internal/base/jsonpos"
	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/discover"
	"github.com/tranship/tranship/internal/estate"
)

// A backend is one of a pool's, before its services are found.
type backend struct {
	v        *jsonpos.Value
	part     estate.Endpoint // what it says of the routes that lead to it
	services []service
	linked   bool
	to       []estate.Backend // once found
	found    bool
}

// A service selects what is behind a backend.
type service struct {
	v      *jsonpos.Value
	weight *int
	backup bool
}

// defaultCookie is the one that Edge-LB sets for sticky sessions.
const defaultCookie = "dcos.edgelb"

func (p *pool) backend(i int, v *jsonpos.Value) {
	if v.Kind() != jsonpos.Object {
		return
	}
	name, _ := p.String(v.Get("name"))
	if _, double := p.backends[name]; double || name == "" {
		p.Report(BackendName, diag.Warning, v, "has a backend "+name+" that no link can name",
			"a backend has a name of its own; the first of that name counts")
		name = "\x00" + strconv.Itoa(i)
	}
	b := &backend{v: v}
	p.backends[name] = b
	protocol, ok := p.Choice(v.Get("protocol"), "HTTP", "HTTPS", "TCP", "TLS")
	if ok && (protocol == "HTTPS" || protocol == "TLS") {
		b.part.TLS = &estate.TLS{ToBackend: true}
		p.amend(v.Get("protocol"), ledger.Decision, BackendProtocol,
			"a gateway speaks TLS to a backend whose certificate it can check; proposed: a BackendTLSPolicy to be written, without which the backend does not answer")
	} else if protocol == "TCP" {
		p.amend(v.Get("protocol"), ledger.Approximate, BackendProtocol, "what comes is passed on as the frontend takes it")
	}
	if s, ok := p.String(v.Get("balance")); ok {
		b.part.Balance = s
	}
	web := protocol == "" || protocol == "HTTP" || protocol == "HTTPS"
	if rw := v.Get("rewriteHttp"); web {
		p.rewrite(rw, &b.part)
	} else {
		p.amend(rw, ledger.Informational, NotHTTP, "has no effect, as the backend's protocol is not HTTP")
	}
	if lines := p.lines(v.Get("miscStrs")); lines != "" {
		b.part.Raw = map[string]string{"backend": lines}
		p.directives(lines, &b.part)
	}
	p.customCheck(v.Get("customCheck"), &b.part)
	for _, e := range v.Get("services").Elems() {
		if e.Kind() == jsonpos.Object {
			b.services = append(b.services, p.service(e, len(v.Get("services").Elems()) > 1, &b.part))
		}
	}
}

// rewrite reads what a backend does to requests and answers.
func (p *pool) rewrite(v *jsonpos.Value, ep *estate.Endpoint) {
	var r estate.Rewrite
	r.Host, _ = p.String(v.Get("host"))
	from, okFrom := p.String(v.At("path", "fromPath"))
	to, okTo := p.String(v.At("path", "toPath"))
	in, out := true, true
	if x, ok := p.Bool(v.At("request", "rewritePath")); ok {
		in = x
	}
	if x, ok := p.Bool(v.At("response", "rewriteLocation")); ok {
		out = x
	}
	for _, key := range []string{"forwardfor", "xForwardedPort", "xForwardedProtoHttpsIfTls", "setHostHeader"} {
		p.Bool(v.At("request", key))
	}
	switch {
	case okFrom && okTo && from != "":
		// The path that redirects are changed back to stands in LocationPath
		// where requests themselves pass unchanged.
		if in {
			r.From, r.Path = from, cmp.Or(to, "/")
		}
		if out {
			r.RewriteLocation, r.LocationPath = true, from
		}
	case v.Has("path"):
		p.amend(v.Get("path"), ledger.Informational, PathRewrite, "both paths are needed, and Edge-LB ignores one alone")
	}
	if r.Host != "" || r.From != "" || r.RewriteLocation {
		ep.Rework = &r
	}
	p.sticky(v.Get("sticky"), ep)
}

func (p *pool) sticky(v *jsonpos.Value, ep *estate.Endpoint) {
	if v.Kind() != jsonpos.Object {
		return
	}
	custom, _ := p.String(v.Get("customStr"))
	if on, ok := p.Bool(v.Get("enabled")); ok && !on {
		p.amend(v.Get("customStr"), ledger.Informational, StickyCookie, "sticky sessions are off")
		return
	}
	ep.Sticky = &estate.Sticky{Cookie: defaultCookie}
	if w := strings.Fields(custom); len(w) > 0 {
		ep.Sticky.Cookie = w[0]
		if w[0] == "cookie" && len(w) > 1 {
			ep.Sticky.Cookie = w[1]
		}
	}
}

func (p *pool) customCheck(v *jsonpos.Value, ep *estate.Endpoint) {
	on, _ := p.Bool(v.Get("httpchk"))
	p.Bool(v.Get("sslHelloChk"))
	text, _ := p.String(v.Get("httpchkMiscStr"))
	if on {
		ep.Check = &estate.LBCheck{Path: "/"}
		for w := range strings.FieldsSeq(text) {
			if strings.HasPrefix(w, "/") {
				ep.Check.Path = w
				break
			}
		}
	}
	if misc, ok := p.String(v.Get("miscStr")); ok && misc != "" {
		p.directives(misc, ep)
	}
}

// directives puts into ep what is known of HAProxy's own lines.
func (p *pool) directives(lines string, ep *estate.Endpoint) {
	for name, text := range ep.Raw {
		ep.Raw[name] = redact(text)
	}
	d := haproxyline.Read(lines)
	ep.Balance = cmp.Or(d.Balance, ep.Balance)
	ep.MaxConns = cmp.Or(d.MaxConns, ep.MaxConns)
	if d.Cookie != "" {
		ep.Sticky = &estate.Sticky{Cookie: d.Cookie}
	}
	if d.CheckPath != "" || d.Interval != 0 {
		if ep.Check == nil {
			ep.Check = &estate.LBCheck{}
		}
		ep.Check.Path = cmp.Or(d.CheckPath, ep.Check.Path)
		ep.Check.Interval = cmp.Or(unit.Seconds(d.Interval.Seconds()), ep.Check.Interval)
	}
	if d.Client != 0 || d.Server != 0 || d.Connect != 0 {
		ep.Times = &estate.Timeouts{
			Client: unit.Seconds(d.Client.Seconds()), Server: unit.Seconds(d.Server.Seconds()), Connect: unit.Seconds(d.Connect.Seconds()),
		}
	}
}

// redact takes passwords and credentials in URLs out of a text.
func redact(text string) string {
	clean, _ := discover.RedactURLs(text)
	clean, _ = haproxyline.Redact(clean)
	return clean
}

// service reads one selector. Whom it selects is known at Finish.
func (p *pool) service(v *jsonpos.Value, several bool, ep *estate.Endpoint) service {
	s := service{v: v}
	misc := v.At("endpoint", "miscStr")
	text, _ := p.String(misc)
	words := strings.Fields(text)
	for i, w := range words {
		switch w {
		case "weight":
			if i+1 < len(words) {
				if n, err := strconv.Atoi(words[i+1]); err == nil && n >= 0 && n <= 256 {
					s.weight = &n
				}
			}
		case "backup":
			s.backup = true
		case "ssl":
			if ep.TLS == nil {
				ep.TLS = &estate.TLS{}
			}
			ep.TLS.ToBackend = true
		case "maxconn":
			if i+1 < len(words) {
				ep.MaxConns, _ = strconv.Atoi(words[i+1])
			}
		}
	}
	if s.weight != nil && len(words) == 2 && several {
		p.amend(misc, ledger.Exact, BackendWeight, "a share of the traffic")
	}
	if v.Get("endpoint").Kind() == jsonpos.Object {
		p.Choice(v.At("endpoint", "type"), "AUTO_IP", "AGENT_IP", "CONTAINER_IP", "ADDRESS")
		p.Bool(v.At("endpoint", "check", "enabled"))
	}
	return s
}
