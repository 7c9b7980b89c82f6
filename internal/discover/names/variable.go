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
	notInName = regexp.MustCompile(`[^A-Z0-9_]`)
	// answered are those that render can set: what they say is known beforehand,
	// or Kubernetes tells it.
	answered = regexp.MustCompile(`^(?:HOST|PORT|PORTS|MESOS_TASK_ID|MESOS_SANDBOX|MARATHON_APP_(?:ID|VERSION|DOCKER_IMAGE|LABELS|LABEL_\w+|` +
		`RESOURCE_(?:CPUS|MEM|DISK|GPUS)|ENFORCE_GROUP_ROLE))$`)
)

// variables finds references to what the old scheduler put into the
// environment. What the user set under the same name is the user's.
func (s *search) variables(p *place) {
	if isCompose(p.from) || !strings.Contains(p.raw, "$") {
		return
	}
	for _, m := range reference.FindAllStringSubmatch(p.raw, -1) {
		name := m[1] + m[2]
		if !injected.MatchString(name) || setByUser(p.from, p.text.Place.Container, name) {
			continue
		}
		f := finding{match: m[0], fate: estate.Bridged, code: InjectedVariable, why: "variable " + name + " is set as the old scheduler did"}
		switch {
		case name == "HOST":
			f.why = "variable HOST is set to the address at which others reach the copy"
		case !answered.MatchString(name) && !portVariable(p.from, name):
			f.fate, f.code, f.why = estate.Unresolved, UnknownVariable, "variable "+name+" was the old scheduler's to set, and nothing sets it now"
			if strings.HasPrefix(name, "PORT") {
				f.why = "variable " + name + " belongs to no port that the workload declares"
			}
		}
		s.found(p, f)
	}
}

func setByUser(w *estate.Workload, container, name string) bool {
	for i := range w.Containers {
		c := &w.Containers[i]
		if container != "" && c.Name != container {
			continue
		}
		if slices.ContainsFunc(c.Env, func(v estate.EnvVar) bool { return v.Name == name && !v.Injected }) {
			return true
		}
	}
	return false
}

// portVariable reports whether the workload has the port of PORT0, PORT_HTTP or
// PORT_8080.
func portVariable(w *estate.Workload, name string) bool {
	all := ports(w)
	if rest, ok := strings.CutPrefix(name, "PORT_"); ok {
		return slices.ContainsFunc(all, func(p estate.Port) bool {
			return rest == itoa(p.Number) || rest == itoa(p.ServicePort) || rest == itoa(p.HostPort) ||
				p.Name != "" && rest == notInName.ReplaceAllString(strings.ToUpper(p.Name), "_")
		})
	}
	n, err := strconv.Atoi(strings.TrimPrefix(name, "PORT"))
	return err == nil && n < len(all)
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
