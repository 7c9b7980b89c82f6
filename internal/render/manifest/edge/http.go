package edge

import (
	"cmp"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/render/manifest/cluster"
)

// The sizes that Gateway API allows.
const (
	ruleLimit  = 16
	matchLimit = 16
	hostLimit  = 16
	pathLimit  = 1024
)

// strictTransport is what marathon-lb sent with USE_HSTS.
const strictTransport = "max-age=15768000"

// http makes HTTPRoutes: one for the requests, and one more where plain HTTP is
// sent to HTTPS.
func (r *route) http() {
	tables, ok := r.tables()
	if !ok {
		r.warn(cluster.RouteLost, "has no host or rule that can be carried: it is left out", "correct it at the source, or write it in an overlay")
		return
	}
	plain, secure := r.parents()
	if why := r.shut(); why != "" {
		plain, secure = nil, nil
		r.warn(cluster.RouteLost, why+", which Gateway API cannot: its HTTPRoute hangs on no Gateway, so that it stays shut",
			"set up what keeps it shut, then add parentRefs in an overlay")
	} else if len(plain)+len(secure) == 0 {
		return // policy leaves all of its groups out
	}
	t := r.ep.TLS
	redirect := t != nil && t.Redirect && len(secure) > 0
	partly := redirect && (t.RedirectPath != "" || len(t.RedirectExcept) > 0)
	for i, x := range tables {
		both := slices.Concat(plain, secure)
		rules := r.rules(x)
		if redirect {
			both = secure
		}
		name := r.name
		if i > 0 {
			name += "-" + strconv.Itoa(i+1)
		}
		r.routes(name, both, x.hosts, rules)
		if !redirect {
			continue
		}
		to := Rule{Filters: []Filter{{Type: "RequestRedirect", RequestRedirect: &Redirect{Scheme: "https", StatusCode: 301}}}}
		away := []Rule{to}
		switch {
		case partly && t.RedirectPath != "":
			if m, ok := r.match(&estate.Match{Path: t.RedirectPath, PathKind: estate.StringPrefix}); ok {
				to.Matches = []Match{m}
				away = append([]Rule{to}, rules...)
			}
		case partly:
			for _, e := range t.RedirectExcept {
				if m, ok := r.match(&e); ok && (e.Host == "" || slices.Contains(x.hosts, e.Host) || len(x.hosts) == 0) {
					away = append(away, Rule{Matches: []Match{m}, BackendRefs: r.refs, Filters: r.headers(), Timeouts: r.timeouts()})
				}
			}
		}
		r.routes(name+"-redirect", plain, x.hosts, away)
	}
	r.lost()
}

// parents gives the listeners that the route hangs on, without and with TLS.
func (r *route) parents() (plain, secure []ParentRef) {
	if r.ep.Port < 0 || r.ep.Port > 65535 {
		r.warn(cluster.RouteLost, "is on port "+strconv.Itoa(r.ep.Port)+", which is none", "correct it at the source")
		return nil, nil
	}
	for _, name := range groupsOf(r.ep) {
		l := r.group(name)
		if l == nil {
			continue
		}
		switch t := r.ep.TLS; {
		case r.ep.Port == 0:
			plain = append(plain, r.listen(l, 80, false, nil))
			if t != nil && t.FromClients {
				secure = append(secure, r.listen(l, 443, true, r.certs(l)))
			}
		case t != nil && t.FromClients:
			secure = append(secure, r.listen(l, r.ep.Port, true, r.certs(l)))
		default:
			plain = append(plain, r.listen(l, r.ep.Port, false, nil))
		}
	}
	return plain, secure
}

func groupsOf(ep *estate.Endpoint) []string {
	if len(ep.Groups) == 0 {
		return []string{"*"}
	}
	return ep.Groups
}

// routes writes as many HTTPRoutes as hosts and rules need.
func (r *route) routes(name string, parents []ParentRef, hosts []string, rules []Rule) {
	parts := 0
	for h := range slices.Chunk(orNone(hosts), hostLimit) {
		for c := range slices.Chunk(rules, ruleLimit) {
			own := name
			if parts++; parts > 1 {
				own += "-p" + strconv.Itoa(parts)
			}
			x := &HTTPRoute{TypeMeta: gatewayType("HTTPRoute"), ObjectMeta: r.meta(own), Spec: HTTPRouteSpec{ParentRefs: parents, Rules: c}}
			if h[0] != "" {
				x.Spec.Hostnames = h
			}
			x.Annotations = r.facts()
			r.put("HTTPRoute", "httproute-"+own, x)
		}
	}
}

func orNone(hosts []string) []string {
	if len(hosts) == 0 {
		return []string{""}
	}
	return hosts
}

// rules gives the rules of one table.
func (r *route) rules(t table) []Rule {
	var out []Rule
	if w := r.ep.Rework; w != nil && strings.HasPrefix(w.RedirectPath, "/") {
		out = append(out, Rule{
			Matches: []Match{{Path: &PathMatch{Type: "Exact", Value: "/"}}},
			Filters: []Filter{{Type: "RequestRedirect", RequestRedirect: &Redirect{
				StatusCode: 302, Path: &PathModifier{Type: "ReplaceFullPath", ReplaceFullPath: &w.RedirectPath},
			}}},
		})
	}
	plain := func(matches []Match) Rule {
		return Rule{Matches: matches, BackendRefs: r.refs, Filters: r.headers(), Timeouts: r.timeouts()}
	}
	var joined []Match
	for i := range t.matches {
		m, ok := r.match(&t.matches[i])
		if !ok {
			continue
		}
		if rule, ok := r.rewritten(m, plain); ok {
			out = append(out, rule...)
			continue
		}
		joined = append(joined, m)
	}
	for c := range slices.Chunk(joined, matchLimit) {
		out = append(out, plain(c))
	}
	if t.every {
		root := Match{Path: &PathMatch{Type: "PathPrefix", Value: "/"}}
		if rule, ok := r.rewritten(root, plain); ok {
			return append(out, rule...)
		}
		out = append(out, plain([]Match{root}))
	}
	if len(out) == 0 {
		// No rule could be said: an empty rule would take every request.
		r.warn(cluster.RouteLost, "has no rule that can be carried: it answers 404", "write one in an overlay")
		return []Rule{{Matches: []Match{{Path: &PathMatch{Type: "Exact", Value: "/.tranship/no-rule"}}}, BackendRefs: r.refs}}
	}
	return out
}

// rewritten gives the rules for a match whose path is changed on its way.
func (r *route) rewritten(m Match, plain func([]Match) Rule) ([]Rule, bool) {
	w := r.ep.Rework
	if w == nil {
		return nil, false
	}
	host := Filter{Type: "URLRewrite", URLRewrite: &URLRewrite{}}
	if h := strings.ToLower(w.Host); h != "" && isHost(h) && !strings.HasPrefix(h, "*") && !slices.Equal(r.ep.Hosts, []string{h}) {
		host.URLRewrite.Hostname = h
	}
	from, to := w.From, w.Path
	if from != "" && to != "" && m.Path != nil && m.Path.Type == "PathPrefix" && clean(from) {
		switch {
		case strings.HasPrefix(m.Path.Value, from):
			return []Rule{r.prefix(m, host, join(to, m.Path.Value[len(from):]), plain)}, true
		case strings.HasPrefix(from, m.Path.Value):
			inner := m
			inner.Path = &PathMatch{Type: "PathPrefix", Value: from}
			rest := plain([]Match{m})
			if host.URLRewrite.Hostname != "" {
				rest.Filters = append(rest.Filters, host)
			}
			return []Rule{r.prefix(inner, host, to, plain), rest}, true
		}
	}
	if host.URLRewrite.Hostname == "" {
		return nil, false
	}
	rule := plain([]Match{m})
	rule.Filters = append(rule.Filters, host)
	return []Rule{rule}, true
}

func (r *route) prefix(m Match, f Filter, to string, plain func([]Match) Rule) Rule {
	u := *f.URLRewrite
	u.Path = &PathModifier{Type: "ReplacePrefixMatch", ReplacePrefixMatch: &to}
	rule := plain([]Match{m})
	rule.Filters = append(rule.Filters, Filter{Type: "URLRewrite", URLRewrite: &u})
	return rule
}

func join(to, rest string) string {
	if rest == "" {
		return to
	}
	return strings.TrimSuffix(to, "/") + "/" + strings.TrimPrefix(rest, "/")
}

var pathChars = regexp.MustCompile(`^(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|[%][0-9a-fA-F]{2})+$`)

// clean reports whether a path can be compared as it is.
func clean(p string) bool {
	low := strings.ToLower(p)
	for _, bad := range []string{"//", "/./", "/../", "%2f", "#"} {
		if strings.Contains(low, bad) {
			return false
		}
	}
	return strings.HasPrefix(p, "/") && !strings.HasSuffix(p, "/..") && !strings.HasSuffix(p, "/.") && len(p) <= pathLimit && pathChars.MatchString(p)
}

// match turns one of the source's matches into one of Gateway API's.
func (r *route) match(m *estate.Match) (Match, bool) {
	var out Match
	if m.Header != "" {
		name, value, _ := strings.Cut(m.Header, ":")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		if !isHeader(name) || value == "" || len(value) > 4096 {
			r.warn(cluster.RouteLost, "compares header "+strconv.Quote(m.Header)+", which a route cannot: the rule is left out", "write it in an overlay")
			return out, false
		}
		out.Headers = []HeaderMatch{{Type: "Exact", Name: name, Value: value}}
	}
	if m.Path == "" {
		return out, len(out.Headers) > 0
	}
	p := PathMatch{Type: "RegularExpression"}
	switch m.PathKind {
	case estate.PathRegex:
		p.Value = m.Path
	case estate.PathSuffix:
		p.Value = ".*" + regexp.QuoteMeta(m.Path)
	case estate.PathExact:
		p.Type, p.Value = "Exact", m.Path
	default:
		p.Type, p.Value = "PathPrefix", m.Path
	}
	if p.Type != "RegularExpression" && (m.NoCase || !clean(m.Path)) {
		p.Value = regexp.QuoteMeta(m.Path)
		if p.Type == "PathPrefix" {
			p.Value += ".*"
		}
		p.Type = "RegularExpression"
	}
	if m.NoCase && p.Type == "RegularExpression" {
		p.Value = "(?i)" + p.Value
	}
	if len(p.Value) > pathLimit {
		r.warn(cluster.RouteLost, "has a path that is longer than a route can compare: the rule is left out", "write it in an overlay")
		return out, false
	}
	if p.Type == "RegularExpression" {
		r.note(cluster.RouteChanged, "compares paths by a regular expression, which not every controller can", "see what the Gateway's controller says of it")
	}
	out.Path = &p
	return out, true
}

var headerName = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+\\-.^_\x60|~]+$")

func isHeader(name string) bool { return len(name) <= 256 && headerName.MatchString(name) }

// headers gives the filters that set headers.
func (r *route) headers() []Filter {
	var out []Filter
	request, response := map[string]string{}, map[string]string{}
	if w := r.ep.Rework; w != nil {
		maps.Copy(request, w.RequestHeaders)
		maps.Copy(response, w.ResponseHeaders)
	}
	if r.ep.HSTS {
		response["Strict-Transport-Security"] = strictTransport
	}
	if set := r.set(request); len(set) > 0 {
		out = append(out, Filter{Type: "RequestHeaderModifier", RequestHeaderModifier: &HeaderFilter{Set: set}})
	}
	if set := r.set(response); len(set) > 0 {
		out = append(out, Filter{Type: "ResponseHeaderModifier", ResponseHeaderModifier: &HeaderFilter{Set: set}})
	}
	return out
}

// headerLimit is how many headers a filter sets.
const headerLimit = 16

func (r *route) set(m map[string]string) []Header {
	var out []Header
	seen := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(m)) {
		low := strings.ToLower(name)
		if !isHeader(name) || m[name] == "" || len(m[name]) > 4096 || seen[low] || len(out) == headerLimit {
			r.warn(cluster.RouteLost, "sets header "+strconv.Quote(name)+", which a route cannot: it is left out", "set it in the program, or in an overlay")
			continue
		}
		seen[low] = true
		out = append(out, Header{name, m[name]})
	}
	return out
}

func (r *route) timeouts() *Timeouts {
	if r.ep.Times == nil || r.ep.Times.Server <= 0 {
		return nil
	}
	return &Timeouts{Request: duration(r.ep.Times.Server)}
}

// duration spells a time as Gateway API reads it.
func duration(s unit.Seconds) string {
	ms := int64(math.Min(math.Round(float64(s)*1000), 99999*3600*1000))
	var b strings.Builder
	for _, u := range []struct {
		size int64
		name string
	}{{3600 * 1000, "h"}, {60 * 1000, "m"}, {1000, "s"}, {1, "ms"}} {
		if n := ms / u.size; n > 0 {
			b.WriteString(strconv.FormatInt(n, 10) + u.name)
			ms %= u.size
		}
	}
	return cmp.Or(b.String(), "1ms")
}

// lost reports what the edge does in another way than the old one.
func (r *route) lost() {
	ep := r.ep
	var what []string
	if ep.Sticky != nil {
		what = append(what, "keeps a client with one copy by a cookie")
	}
	if b := ep.Balance; b != "" && b != "roundrobin" {
		what = append(what, "balances by "+b)
	}
	if ep.Rework != nil && ep.Rework.RewriteLocation {
		what = append(what, "changes the path in redirects of the program")
	}
	if ep.TLS != nil && ep.TLS.ToBackend {
		what = append(what, "speaks TLS to the program")
	}
	if len(ep.Raw) > 0 {
		what = append(what, "has HAProxy configuration of its own ("+strings.Join(slices.Sorted(maps.Keys(ep.Raw)), ", ")+")")
	}
	if len(what) > 0 {
		r.note(cluster.RouteChanged, strings.Join(what, "; ")+": kept as a note of the route",
			"set it with what the Gateway's controller has for it")
	}
}
