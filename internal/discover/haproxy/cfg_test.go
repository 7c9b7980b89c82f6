package haproxy

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// A table is what a configuration of HAProxy does with requests, as far as
// routes go. Both the configuration and what was read from labels come to it.
type table struct {
	// HTTP and HTTPS routes by host, in the order in which they are asked.
	HTTP, HTTPS map[string][]string
	// Redirects and Auths are asked before all routes: "scheme host paths: what".
	Redirects, Auths []string
	// ByID are the backends by header X-Marathon-App-Id.
	ByID map[string]string
	// Ports are the services' own frontends: "address:port options mode backend".
	Ports    []string
	Backends map[string]backend
}

// A backend is what HAProxy does with a request once its backend is chosen.
type backend struct {
	Mode, Balance, Cookie string
	Servers, Allow        []string
	Checks                []string // address of a check's own port, by server
	HSTS                  bool
	Strip, Location, Root string // paths of proxypass, revproxy and redir
	SetHost               string
}

// A section is a frontend, a backend or a userlist.
type section struct {
	kind, name string
	lines      [][]string
	acls       map[string][]acl
}

// An acl is one line of a named condition; lines of one name are alternatives.
type acl struct {
	criterion string
	noCase    bool
	values    []string
}

// sectionsOf splits a configuration. One that does not end in a newline was
// cut off: its last line is not whole and is left out.
func sectionsOf(text string) (list []*section, cut bool) {
	if !strings.HasSuffix(text, "\n") {
		text, cut = text[:strings.LastIndexByte(text, '\n')+1], true
	}
	text = strings.ReplaceAll(text, "\\\n", "")
	for line := range strings.Lines(text) {
		w := words(line)
		if len(w) == 0 {
			continue
		}
		if !strings.HasPrefix(line, " ") {
			s := &section{kind: w[0], acls: map[string][]acl{}}
			if len(w) > 1 {
				s.name = w[1]
			}
			list = append(list, s)
			continue
		}
		s := list[len(list)-1]
		s.lines = append(s.lines, w)
		if w[0] == "acl" {
			a := aclOf(w[2:])
			s.acls[w[1]] = append(s.acls[w[1]], a)
		}
	}
	return list, cut
}

// words splits a line as HAProxy does: quotes hold blanks, a backslash one.
func words(line string) []string {
	var out []string
	var b strings.Builder
	in, quoted := false, false
	for i := 0; i < len(line); i++ {
		c := line[i]
		switch {
		case c == '\\' && i+1 < len(line) && !quoted:
			i++
			in = true
			b.WriteByte(line[i])
		case c == '"':
			quoted, in = !quoted, true
		case !quoted && (c == ' ' || c == '\t' || c == '\n'):
			if in {
				out = append(out, b.String())
				b.Reset()
			}
			in = false
		default:
			in = true
			b.WriteByte(c)
		}
	}
	if in {
		out = append(out, b.String())
	}
	return out
}

func aclOf(w []string) acl {
	a := acl{criterion: w[0]}
	for _, x := range w[1:] {
		if x == "-i" {
			a.noCase = true
			continue
		}
		a.values = append(a.values, x)
	}
	return a
}

// A term is one of the conditions after "if".
type term struct {
	not  bool
	acls []acl
}

func (s *section) terms(w []string) []term {
	var out []term
	for i := 0; i < len(w); i++ {
		x, not := strings.CutPrefix(w[i], "!")
		if x != "{" {
			if s.acls[x] == nil {
				panic("acl " + x + " is not declared in " + s.name)
			}
			out = append(out, term{not, s.acls[x]})
			continue
		}
		end := i + slices.Index(w[i:], "}")
		out = append(out, term{not, []acl{aclOf(w[i+1 : end])}})
		i = end
	}
	return out
}

// match takes terms apart into hosts, paths, app and userlist.
func match(terms []term) (hosts []string, paths, app, users string) {
	for _, t := range terms {
		for _, a := range t.acls {
			switch a.criterion {
			case "hdr(host)", "ssl_fc_sni":
				hosts = append(hosts, a.values...)
			case "path_beg":
				paths = showPaths(a.values, a.noCase)
			case "hdr(x-marathon-app-id)":
				app = a.values[0]
			case "ssl_fc":
			default:
				if !t.not || !strings.HasPrefix(a.criterion, "http_auth(") {
					panic("criterion " + a.criterion + " is not known")
				}
				users = strings.TrimSuffix(strings.TrimPrefix(a.criterion, "http_auth("), ")")
			}
		}
	}
	return hosts, paths, app, users
}

func showPaths(paths []string, noCase bool) string {
	p := strings.Join(slices.Sorted(slices.Values(paths)), " ")
	if noCase {
		p = "-i " + p
	}
	return p
}

func newTable() *table {
	return &table{HTTP: map[string][]string{}, HTTPS: map[string][]string{}, ByID: map[string]string{}, Backends: map[string]backend{}}
}

// tableOf reads a configuration. Its maps of hosts and app ids come apart from it.
func tableOf(text string, domains [][2]string, ids map[string]string) (t *table, cut bool) {
	list, cut := sectionsOf(text)
	t = newTable()
	users := map[string]string{}
	for _, s := range list {
		if s.kind == "userlist" {
			users[s.name] = s.lines[0][1]
		}
	}
	for _, s := range list {
		switch {
		case s.kind == "frontend" && s.name == "marathon_http_in":
			t.virtual(s, "http", t.HTTP, domains, users)
		case s.kind == "frontend" && s.name == "marathon_https_in":
			t.virtual(s, "https", t.HTTPS, domains, users)
		case s.kind == "frontend" && s.name == "marathon_http_appid_in":
			t.byID(s, ids)
		case s.kind == "frontend":
			t.port(s)
		case s.kind == "backend":
			t.Backends[s.name] = backendOf(s)
		}
	}
	t.tidy()
	return t, cut
}

// virtual reads the frontend of all virtual hosts of one scheme.
func (t *table) virtual(s *section, scheme string, routes map[string][]string, domains [][2]string, users map[string]string) {
	for _, w := range s.lines {
		at := slices.Index(w, "if")
		var hosts []string
		var paths, list string
		if at >= 0 && w[0] != "acl" {
			hosts, paths, _, list = match(s.terms(w[at+1:]))
		}
		for _, h := range hosts {
			switch {
			case w[0] == "use_backend":
				routes[h] = append(routes[h], paths+": "+w[1])
			case w[0] == "redirect":
				t.Redirects = append(t.Redirects, scheme+" "+h+" "+paths)
			case w[0] == "http-request" && w[1] == "auth":
				t.Auths = append(t.Auths, scheme+" "+h+" "+paths+": "+w[3]+" "+users[list])
			}
		}
		if w[0] == "use_backend" && strings.HasPrefix(w[1], "%[") {
			for _, d := range domains {
				routes[d[0]] = append(routes[d[0]], ": "+d[1])
			}
		}
	}
}

func (t *table) byID(s *section, ids map[string]string) {
	for _, w := range s.lines {
		switch {
		case w[0] == "use_backend" && strings.HasPrefix(w[1], "%["):
			maps.Copy(t.ByID, ids)
		case w[0] == "use_backend":
			_, _, app, _ := match(s.terms(w[3:]))
			t.ByID[app] = w[1]
		}
	}
}

func (t *table) port(s *section) {
	var bind, mode, to string
	for _, w := range s.lines {
		switch w[0] {
		case "bind":
			bind = strings.Join(w[1:], " ")
		case "mode":
			mode = w[1]
		case "use_backend":
			to = w[1]
		}
	}
	t.Ports = append(t.Ports, fmt.Sprintf("%s %s %s", bind, mode, to))
}

var (
	stripped = regexp.MustCompile(`^\^\(\[\^ :\]\*\)\\? (.*)/\?\(\.\*\)$`)
	located  = regexp.MustCompile(`^Location:\s+(.*)$`)
)

func backendOf(s *section) backend {
	var b backend
	for _, w := range s.lines {
		switch {
		case w[0] == "mode":
			b.Mode = w[1]
		case w[0] == "balance":
			b.Balance = w[1]
		case w[0] == "cookie":
			b.Cookie = w[1]
		case w[0] == "server":
			b.Servers = append(b.Servers, w[2])
			if i := slices.Index(w, "port"); i > 0 {
				b.Checks = append(b.Checks, w[2][:strings.LastIndexByte(w[2], ':')+1]+w[i+1])
			}
		case w[0] == "rspadd":
			b.HSTS = strings.HasPrefix(w[1], "Strict-Transport-Security:")
		case w[0] == "reqirep":
			b.Strip = stripped.FindStringSubmatch(w[1])[1]
		case w[0] == "http-request" && w[1] == "set-header" && w[2] == "Host":
			if b.SetHost = w[3]; strings.Contains(w[3], ",") {
				b.SetHost = "None" // a list of hosts is no host, and the client's own is kept
			}
		case w[0] == "rspirep":
			b.Location = located.FindStringSubmatch(w[2])[1]
		case w[0] == "redirect":
			if domain := s.acls["is_domain"][0].values[0]; domain != "None" && !strings.Contains(domain, ",") {
				b.Root = w[4]
			}
		case w[0] == "acl" && w[1] == "network_allowed":
			b.Allow = append(b.Allow, w[3:]...)
		}
	}
	slices.Sort(b.Servers)
	slices.Sort(b.Checks)
	return b
}

// tidy sorts what has no order, and takes out the routes that a redirect of
// the same requests never lets come to their turn.
func (t *table) tidy() {
	slices.Sort(t.Redirects)
	slices.Sort(t.Auths)
	t.Auths = slices.Compact(t.Auths)
	slices.Sort(t.Ports)
	for h, rows := range t.HTTP {
		rows = slices.DeleteFunc(rows, func(row string) bool {
			paths, _, _ := strings.Cut(row, ":")
			return slices.Contains(t.Redirects, "http "+h+" "+paths)
		})
		if t.HTTP[h] = rows; len(rows) == 0 {
			delete(t.HTTP, h)
		}
	}
}
