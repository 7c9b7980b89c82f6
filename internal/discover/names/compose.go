package names

import (
	"regexp"
	"slices"
	"strings"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/discover"
	"github.com/tranship/tranship/internal/estate"
)

// A project knows the services of one Compose file or stack by every name that
// they have for each other.
type project struct{ names map[string]owners }

// isCompose reports whether the workload is a service of Compose or Swarm,
// where a service's name is a host's name for its neighbours.
func isCompose(w *estate.Workload) bool {
	return strings.HasPrefix(w.Origin.Pointer, "/services/") ||
		len(w.Networks) > 0 && slices.ContainsFunc(w.Networks[0].Aliases, func(a string) bool { return strings.HasPrefix(a, "tasks.") })
}

func (x *index) member(w *estate.Workload) {
	p := x.projects[w.Group]
	if p == nil {
		p = &project{names: map[string]owners{}}
		x.projects[w.Group] = p
	}
	name := w.Origin.Pointer[strings.LastIndexByte(w.Origin.Pointer, '/')+1:]
	names := []string{name, "tasks." + name}
	for _, n := range w.Networks {
		names = append(names, n.Aliases...)
	}
	for _, n := range names {
		n = strings.ToLower(n)
		p.names[n] = p.names[n].with(w)
	}
}

// sibling resolves the name of another service of the same project. Such a
// name is an ordinary word: it counts only where nothing but a host can stand.
func (x *index) sibling(p *place, t estate.Token) (finding, bool) {
	if !isCompose(p.from) || t.Glued || p.text.Place.Field == "label" {
		return finding{}, false
	}
	group := x.projects[p.from.Group]
	if group == nil {
		return finding{}, false
	}
	found := group.names[strings.ToLower(t.Host)]
	found = slices.DeleteFunc(slices.Clone(found), func(w *estate.Workload) bool { return !reaches(p.from, w) })
	if len(found) == 0 || !p.hostPosition(t) || found[0] == p.from && p.scheme(t) == "" && t.Port == 0 {
		return finding{}, false
	}
	f := finding{listen: x.listen(p, t), fate: estate.Rewritten, code: NameRewritten}
	for _, w := range found {
		f.to = append(f.to, w.ID)
	}
	slices.Sort(f.to)
	if len(found) > 1 {
		f.fate, f.code, f.why = estate.Bridged, NameBridged, "several services share the alias"
		return f, true
	}
	return x.atService(p, f, found[0], strings.HasPrefix(strings.ToLower(t.Host), "tasks.")), true
}

// atService tells the port, and learns it where the service declares none: in
// a container network every port is open without a word.
func (x *index) atService(p *place, f finding, w *estate.Workload, each bool) finding {
	all := ports(w)
	if each {
		f.fate, f.code, f.why = estate.Bridged, NameBridged, "it gives the address of every copy, as a headless Service does under another name"
		return f
	}
	if !x.served(w.ID) {
		f.fate, f.code, f.why = estate.Bridged, NameBridged, "it names a job, which has no Service"
		return f
	}
	if f.listen == 0 {
		if len(all) == 1 {
			f.port = all[0].Number
		}
		if len(all) == 0 {
			f.fate, f.code, f.why = estate.Bridged, NameBridged, "the service declares no port, so that it has no Service"
		}
		return f
	}
	f.port = f.listen
	known := slices.ContainsFunc(all, func(p estate.Port) bool {
		return p.Number <= f.listen && f.listen <= max(p.Number, p.Last)
	})
	if known || len(w.Containers) == 0 {
		return f
	}
	w.Containers[0].Ports = append(w.Containers[0].Ports, estate.Port{Number: f.listen, Protocols: []string{"tcp"}})
	x.b.Report(diag.Diagnostic{
		Code: PortLearned, Severity: diag.Note, Pos: p.text.At.Pos(p.at.File), Subject: discover.Subject("service", w.ID),
		Problem: "declares no such port, and " + string(p.from.ID) + " connects to it at " + itoa(f.listen) + "; it becomes a port of its Service",
		Hint:    "add it to the service's expose list",
	})
	return f
}

// reaches reports whether two services share a network. One that names none is
// in its project's own.
func reaches(a, b *estate.Workload) bool {
	if len(a.Networks) == 0 || len(b.Networks) == 0 {
		return len(a.Networks) == len(b.Networks) || inDefault(a) || inDefault(b)
	}
	return slices.ContainsFunc(a.Networks, func(n estate.NetworkRef) bool {
		return slices.ContainsFunc(b.Networks, func(m estate.NetworkRef) bool { return n.Name == m.Name })
	})
}

func inDefault(w *estate.Workload) bool {
	return slices.ContainsFunc(w.Networks, func(n estate.NetworkRef) bool {
		return n.Name == "default" || strings.HasSuffix(n.Name, "_default")
	})
}

// hostKey are the variables whose whole value is a host or a list of them.
var hostKey = regexp.MustCompile(`(?i)(host|hostname|addr|address|server|servers|url|uri|endpoint|endpoints|broker|brokers|` +
	`nodes|peers?|seeds?|contact_points|upstream|bootstrap_servers|backend)s?\d*$`)

// hostPosition reports whether nothing but a host can stand at the token: in a
// URL, before a port, behind "host=", or alone in a variable for hosts.
func (p *place) hostPosition(t estate.Token) bool {
	before, after := p.raw[:t.Start], p.raw[t.End:]
	switch {
	case p.scheme(t) != "":
		return true
	case strings.HasSuffix(before, "/") || strings.HasPrefix(after, "/") && !p.hostVariable():
		return false // a path or an image
	case t.Port >= 80:
		return before == "" || strings.IndexByte(" ,;=\"'([\t\n@/", before[len(before)-1]) >= 0
	case strings.HasSuffix(before, "host=") || strings.HasSuffix(before, "HOST="):
		return true
	case p.text.Secret:
		return false
	case p.hostVariable():
		return (before == "" || before[len(before)-1] == ',') && (after == "" || after[0] == ',' || after[0] == '/')
	}
	return false
}

func (p *place) hostVariable() bool {
	return p.text.Place.Field == "env" && hostKey.MatchString(p.text.Place.Key)
}
