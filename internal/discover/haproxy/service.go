package haproxy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/haproxyline"
	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/estate"
)

// defaultCookie is the one that marathon-lb sets for sticky sessions.
const defaultCookie = "mesosphere_server_id"

func (s *service) hosts() {
	s.ep.Hosts = split(strings.ToLower(s.value("VHOST")))
	if all(s.lbs, s.ep.Groups, bindsNone) {
		s.ep.Hosts = nil
		s.idle("the load balancers run with --dont-bind-http-https", "VHOST")
	}
	for _, h := range s.ep.Hosts {
		if !isHost(h) {
			report(s.b, s.app.w, s.labels["VHOST"], diag.Diagnostic{
				Code: OddHost, Severity: diag.Warning, Problem: "has virtual host " + h + ", which no client can ask for",
				Hint: "a placeholder that was not filled in, or a URL where a host name belongs; correct it at the source",
			})
		}
	}
	if len(s.ep.Hosts) == 0 {
		if len(split(s.value("VHOST"))) == 0 {
			s.idle("it names no host", "VHOST")
		}
		s.idle("the port has no virtual host", "PATH", "REDIRECT_TO_HTTPS", "AUTH", "BACKEND_WEIGHT")
	}
}

// isHost reports whether h can stand in a Host header.
func isHost(h string) bool {
	for label := range strings.SplitSeq(h, ".") {
		if label == "" || len(label) > 63 || strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return false
		}
	}
	return len(h) <= 253
}

// mode settles http or tcp. marathon-lb's documentation has an HTTP check win
// over the label; its program has the label win. HTTP carries both.
func (s *service) mode() {
	said := strings.ToLower(s.value("MODE"))
	if _, ok := s.labels["MODE"]; ok && said != "http" && said != "tcp" {
		s.bad("MODE", "is neither http nor tcp")
		said = ""
	}
	check := s.check()
	checked := check != nil && check.Kind == estate.HTTP
	switch {
	case checked:
		s.ep.Mode = "http"
		if said == "tcp" {
			s.renote("MODE", ledger.Decision, RouteMode,
				"an HTTP health check makes the route HTTP, says marathon-lb's documentation; proposed: http")
		}
	case said != "":
		s.ep.Mode = said
	case s.value("VHOST") != "":
		s.ep.Mode = "http"
	default:
		s.ep.Mode = "tcp"
	}
	if s.ep.Mode == "tcp" && len(s.ep.Hosts) > 0 {
		s.ep.Mode = "http"
		s.renote("MODE", ledger.Decision, TCPHost, "HAProxy refuses a virtual host in TCP mode; proposed: http")
		report(s.b, s.app.w, s.labels["MODE"], diag.Diagnostic{
			Code: TCPHost, Severity: diag.Warning, Problem: fmt.Sprintf("has a virtual host for port %d and mode tcp", s.n),
			Hint: "HAProxy refuses both together, so that marathon-lb left the application out; decide for one",
		})
	}
}

// check gives the health check that marathon-lb takes for the service: the
// first that is about its port, or about a port that is none of the app's.
func (s *service) check() *estate.HealthCheck {
	if c := s.checkOf(s.n); c != nil {
		return c
	}
	if n, ok := s.checkIndex(); ok {
		return s.checkOf(n)
	}
	return nil
}

func (s *service) checkOf(n int) *estate.HealthCheck {
	for i := range s.app.w.Containers {
		checks := s.app.w.Containers[i].Checks
		for k := range checks {
			if c := &checks[k]; c.Kind != estate.Command && (c.Port == s.ports[n].Number || !s.known(c.Port)) {
				return c
			}
		}
	}
	return nil
}

func (s *service) known(number int) bool {
	for _, p := range s.ports {
		if p.Number == number {
			return true
		}
	}
	return false
}

// checkIndex gives the port that the load balancer checks, if a label says
// which. An index too large is passed over, as marathon-lb does; a negative
// one counts from the end.
func (s *service) checkIndex() (int, bool) {
	n, ok := s.integer("BACKEND_HEALTHCHECK_PORT_INDEX", -1<<31, 1<<31-1)
	switch {
	case !ok:
		return 0, false
	case n < 0 && -n <= len(s.ports):
		return n + len(s.ports), true
	case n < 0 || n >= len(s.ports):
		s.idle("the application has no such port", "BACKEND_HEALTHCHECK_PORT_INDEX")
		return 0, false
	}
	return n, true
}

// paths reads path_beg's arguments: flags, then prefixes.
func (s *service) paths() {
	words := strings.Fields(s.value("PATH"))
	if _, ok := s.labels["PATH"]; ok && len(s.ep.Hosts) > 0 && len(words) == 0 {
		s.idle("it names no path", "PATH")
	}
	noCase := false
	flags := true
	for _, x := range words {
		switch {
		case flags && x == "-i":
			noCase = true
			continue
		case flags && x == "--":
			flags = false
			continue
		case flags && strings.HasPrefix(x, "-"):
			s.bad("PATH", "has the flag "+x+", which tranship does not know")
			return
		}
		if flags = false; len(s.ep.Hosts) == 0 {
			return
		}
		s.ep.Rules = append(s.ep.Rules, estate.Match{Path: x, PathKind: estate.StringPrefix, NoCase: noCase})
	}
	if noCase {
		s.renote("PATH", ledger.Approximate, PathPrefix,
			"path_beg compares strings, and here without regard to case; a path prefix compares whole segments, case and all")
	}
}

// http reads what has a meaning in HTTP only.
func (s *service) http() {
	if n, ok := s.integer("BACKEND_WEIGHT", -1<<31, 1<<31-1); ok {
		s.ep.Order = n
	}
	if _, ok := s.labels["PATH"]; ok && s.ep.Order == 0 {
		s.ep.Order = 1
	}
	if s.mapped() {
		s.ep.Order = -1
		s.idle("a load balancer with --haproxy-map asks its map of hosts last", "BACKEND_WEIGHT")
	}
	if len(s.ep.Hosts) > 0 {
		// A virtual host was always served on ports 80 and 443, and on its own
		// port as well, where no host, path or password was asked for.
		s.ep.Port, s.ep.Direct = 0, s.ep.Port
		s.ep.TLS = &estate.TLS{FromClients: true, Redirect: truth(s.value("REDIRECT_TO_HTTPS"))}
		s.auth()
	}
	if s.ep.Mode != "http" {
		s.idle("the port is in TCP mode", "USE_HSTS", "HTTP_BACKEND_PROXYPASS_PATH", "HTTP_BACKEND_REVPROXY_PATH", "HTTP_BACKEND_REDIR")
		return
	}
	s.ep.HSTS = truth(s.value("USE_HSTS"))
	var r estate.Rewrite
	if p := s.value("HTTP_BACKEND_PROXYPASS_PATH"); p != "" {
		r.From, r.Path = p, "/"
		if len(s.ep.Hosts) == 1 {
			r.Host = s.ep.Hosts[0]
		}
	}
	if p := s.value("HTTP_BACKEND_REVPROXY_PATH"); p != "" {
		r.RewriteLocation, r.LocationPath = true, p
	}
	if p := s.value("HTTP_BACKEND_REDIR"); p != "" {
		if len(s.ep.Hosts) == 1 {
			r.RedirectPath = p
		} else {
			s.idle("it asks for the one virtual host of the port, and the port has none or several", "HTTP_BACKEND_REDIR")
		}
	}
	if r.From != "" || r.RewriteLocation || r.RedirectPath != "" {
		s.ep.Rework = &r
	}
}

// mapped reports whether the load balancers find the service's hosts in their
// map, which they ask after all rules.
func (s *service) mapped() bool {
	for _, name := range []string{"PATH", "AUTH"} {
		if s.value(name) != "" {
			return false
		}
	}
	return len(s.ep.Hosts) > 0 && !truth(s.value("REDIRECT_TO_HTTPS")) && all(s.lbs, s.ep.Groups, usesMap)
}

func (s *service) auth() {
	l, ok := s.labels["AUTH"]
	if !ok {
		return
	}
	// The label's hash was cut off when it was read: "realm:user" is left.
	realm, user, ok := strings.Cut(l.Value, ":")
	if !ok || user == "" || strings.Contains(user, ":") {
		s.bad("AUTH", "is not realm:user:hash")
		if !ok {
			realm, user = "", realm
		}
	}
	s.ep.Auth = &estate.Auth{Realm: realm, User: user, Secret: declare(s.b, s.app.w, l)}
}

// rest reads what has a meaning in both modes.
func (s *service) rest() {
	if s.ep.Balance = s.value("BALANCE"); s.ep.Balance == "" {
		s.ep.Balance = "roundrobin"
	}
	if truth(s.value("STICKY")) {
		s.ep.Sticky = &estate.Sticky{Cookie: defaultCookie}
	}
	if a := s.value("BACKEND_NETWORK_ALLOWED_ACL"); a != "" {
		s.ep.Allow = strings.Fields(a)
		if s.ep.Mode == "http" {
			s.renote("BACKEND_NETWORK_ALLOWED_ACL", ledger.Decision, AllowedNetworks,
				"the Gateway API has no word for clients' networks; proposed: the route stays shut until the implementation is told")
		}
	}
	if c := s.value("SSL_CERT"); c != "" {
		if s.ep.TLS == nil {
			s.ep.TLS = &estate.TLS{FromClients: true}
		}
		for x := range strings.FieldsFuncSeq(c, func(r rune) bool { return r == ',' || r == ' ' }) {
			if x != "crt" {
				s.ep.TLS.Certs = append(s.ep.TLS.Certs, x)
			}
		}
	}
	if addr, opts := s.value("BIND_ADDR"), s.value("BIND_OPTIONS"); addr != "" || opts != "" {
		if addr == "" {
			addr = "*"
		}
		s.ep.Bind = strings.TrimSpace(addr + " " + opts)
	}
	if n, ok := s.checkIndex(); ok && s.check() == nil {
		s.idle("no health check is about the port", "BACKEND_HEALTHCHECK_PORT_INDEX")
	} else if ok {
		s.ep.Check = &estate.LBCheck{Port: s.ports[n].Number}
	}
}

func (s *service) templates() {
	for _, name := range sortedKeys(s.labels) {
		if !template(name) {
			continue
		}
		if s.ep.Raw == nil {
			s.ep.Raw = map[string]string{}
		}
		text := s.labels[name].Value
		s.ep.Raw[name] = text
		if name == "FRONTEND_HEAD" && strings.TrimSpace(text) == "" {
			// Without a head the service has no frontend of its own.
			s.ep.Disabled = len(s.ep.Hosts) == 0
			s.ep.Port, s.ep.Direct = 0, 0
		}
		if name == "HTTP_FRONTEND_ACL" && strings.Contains(text, "hdr_end(host)") {
			s.wildcards()
		}
		s.apply(name, haproxyline.Read(strings.ReplaceAll(text, "\r\n", "\n")))
	}
}

// wildcards adds to each host those that end in it.
func (s *service) wildcards() {
	for _, h := range slices.Clone(s.ep.Hosts) {
		s.ep.Hosts = append(s.ep.Hosts, "*."+h)
	}
}

// enabled settles whether marathon-lb took the service up at all.
func (s *service) enabled() {
	_, said := s.labels["ENABLED"]
	if said {
		s.ep.Disabled = s.ep.Disabled || !truth(s.value("ENABLED"))
		return
	}
	if all(s.lbs, s.ep.Groups, wantsEnabled) {
		s.ep.Disabled = true
		report(s.b, s.app.w, s.any(), diag.Diagnostic{
			Code: StrictMode, Severity: diag.Note,
			Problem: fmt.Sprintf("has no HAPROXY_%d_ENABLED, and the load balancers of its group run with --strict-mode", s.n),
			Hint:    "it had no route there and gets none here",
		})
	}
}

func (s *service) groupless() {
	if s.ep.Disabled || len(s.ep.Groups) != 1 || s.ep.Groups[0] != everyGroup {
		return
	}
	if _, ok := s.labels["GROUP"]; ok {
		return
	}
	if _, ok := s.app.global["GROUP"]; ok {
		return
	}
	report(s.b, s.app.w, s.any(), diag.Diagnostic{
		Code: NoGroup, Severity: diag.Warning,
		Problem: fmt.Sprintf("has labels for port %d and no HAPROXY_GROUP: only load balancers of group * carry it", s.n),
		Hint:    "if none runs with --group '*', nothing came through; name the group at the source, or skip group * in tranship.yaml",
	})
}
