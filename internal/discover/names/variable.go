package names

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/tranship/tranship/internal/discover"
	"github.com/tranship/tranship/internal/estate"
)

func itoa(n int) string { return strconv.Itoa(n) }

var (
	reference = regexp.MustCompile(`\$(?:\{([A-Za-z_][A-Za-z0-9_]*)[^}]*\}|([A-Za-z_][A-Za-z0-9_]*))`)
	injected  = regexp.MustCompile(`^(?:HOST|PORTS?|PORT\d+|PORT_\w+|MESOS_\w+|MARATHON_\w+|LIBPROCESS_IP)$`)
)

// variables finds references to what the old scheduler put into the
// environment. What the user set under the same name is the user's.
func (s *search) variables(p *place) {
	if isCompose(p.from) || !strings.Contains(p.raw, "$") {
		return
	}
	for _, m := range reference.FindAllStringSubmatch(p.raw, -1) {
		name := m[1] + m[2]
		if !injected.MatchString(name) {
			continue
		}
		f := finding{match: m[0]}
		switch set, byUser := variable(p.from, p.text.Place.Container, name); {
		case byUser:
			continue
		case set:
			f.fate, f.code, f.why = estate.Bridged, InjectedVariable, "variable "+name+" is set as the old scheduler did"
			if name == "HOST" {
				f.why = "variable HOST is set to the address at which others reach the copy"
			}
		case strings.HasPrefix(name, "PORT"):
			f.fate, f.code, f.why = estate.Unresolved, UnknownVariable, "variable "+name+" belongs to no port that the workload declares"
		default:
			f.fate, f.code, f.why = estate.Unresolved, UnknownVariable, "variable "+name+" was the old scheduler's to set, and nothing sets it now"
		}
		s.found(p, f)
	}
}

// variable tells whether the container has the variable, and whether it is its
// user's own. Readers add those of the scheduler that the workload mentions.
func variable(w *estate.Workload, container, name string) (set, byUser bool) {
	for i := range w.Containers {
		c := &w.Containers[i]
		if container != "" && c.Name != container {
			continue
		}
		if j := slices.IndexFunc(c.Env, func(v estate.EnvVar) bool { return v.Name == name }); j >= 0 {
			return true, !c.Env[j].Injected
		}
	}
	return false, false
}

var (
	platformPath = regexp.MustCompile(`/opt/mesosphere(?:/[^\s"'` + "`" + `:;,|&<>()$]*)?`)
	serviceNode  = regexp.MustCompile(`/dcos-service-[A-Za-z0-9_.-]+`)
	ensemble     = regexp.MustCompile(`zk://(?:[^\s/@"']*@)?([^\s/"',]+(?:,[^\s/"',]+)*)`)
)

// paths finds what is no host: folders of the agent, nodes of ZooKeeper.
func (s *search) paths(p *place) {
	if strings.Contains(p.raw, "/opt/mesosphere") {
		for _, m := range platformPath.FindAllString(p.raw, -1) {
			s.found(p, finding{match: m, fate: estate.Unresolved, code: PlatformPath, why: "a folder of the agent's own installation"})
		}
	}
	if strings.Contains(p.raw, "/dcos-service-") {
		for _, m := range serviceNode.FindAllString(p.raw, -1) {
			f := s.x.ofFramework(estate.Token{}, strings.ToLower(strings.TrimPrefix(m, "/dcos-service-")))
			f.match = m
			s.found(p, f)
		}
	}
	if strings.Contains(p.raw, "zk://") {
		for _, m := range ensemble.FindAllStringSubmatch(p.raw, -1) {
			for t := range estate.Tokens(m[1]) {
				s.ensemble(p, m[1][t.Start:t.End], t)
			}
		}
	}
}

// ensemble tells of a host in a zk:// URL that is no other name: the scheme is
// Mesos' own.
func (s *search) ensemble(p *place, match string, t estate.Token) {
	if p.seen[match] || t.Host == "" || t.Glued {
		return
	}
	s.found(p, finding{
		match: match, listen: t.Port, fate: estate.Unresolved, code: ControlPlaneName,
		why: "a ZooKeeper ensemble by the scheme of Mesos, and no workload's name",
	})
}

// images looks at the registries that images come from: nodes cannot ask the
// old world's resolver.
func (s *search) images() {
	for _, w := range s.b.Workloads() {
		for i := range w.Containers {
			c := &w.Containers[i]
			registry, _, ok := strings.Cut(c.Image, "/")
			if !ok || !strings.Contains(registry, ".") {
				continue
			}
			p := &place{
				text: discover.Text{Workload: w.ID, Place: estate.Place{Container: c.Name, Field: "image"}},
				from: w, at: w.Origin, raw: registry, seen: map[string]bool{},
			}
			for t := range estate.Tokens(registry) {
				f, found := s.x.resolve(p, t)
				if !found || f.way == estate.Routed {
					continue
				}
				f.match = registry[t.Start:t.End]
				if f.fate == estate.Rewritten || f.fate == estate.Bridged {
					f.fate, f.code, f.why = estate.Unresolved, UnknownName, "nodes pull images, and cannot ask for that name"
				}
				s.found(p, f)
			}
		}
	}
}
