package swarm

import (
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/jsonpos"
	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/discover"
	"github.com/tranship/tranship/internal/estate"
)

// service is the reading of one service.
type service struct {
	*scope
	name string
	raw  *jsonpos.Value
	c    types.ServiceConfig
	w    *estate.Workload
	k    *estate.Container
	// secrets are values that must not stand in any other text.
	secrets []string
}

func (s *service) subject() string { return discover.Subject("service", s.id(s.name)) }

func (s *service) warn(code diag.Code, v *jsonpos.Value, problem, hint string) {
	if v == nil {
		v = s.raw
	}
	s.report(code, diag.Warning, s.subject(), v, problem, hint)
}

func (s *service) fail(code diag.Code, v *jsonpos.Value, problem, hint string) {
	if v == nil {
		v = s.raw
	}
	s.report(code, diag.Error, s.subject(), v, problem, hint)
}

func (s *service) put(v *jsonpos.Value, r discover.Ruling) { s.note(s.id(s.name), v, r) }

// begin gives the estate the workload, so that others can refer to it.
func (s *service) begin() {
	w := estate.Workload{
		ID: s.id(s.name), Kind: estate.Service, Group: estate.Name("/" + s.project),
		Origin: estate.Origin{File: s.file, Pointer: s.raw.Pointer()}, Replicas: 1,
		Containers: []estate.Container{{Name: s.name}},
	}
	s.w = s.b.Add(w, s.raw.Pos(s.file))
	if s.w != nil {
		s.k = &s.w.Containers[0]
	}
}

// read fills the workload from the typed service, then enters each key as it
// was written.
func (s *service) read() {
	if s.raw.IsNull() || s.raw.Kind() != jsonpos.Object {
		s.fail(RefusedValue, s.raw, "is "+s.raw.Kind().String()+", not a service", "say at least which image it runs")
		s.put(s.raw, dropped(RefusedValue, "is no service, and was left out"))
	}
	s.deploy()
	s.environment()
	s.image()
	s.settings()
	s.ports()
	s.network()
	s.mounts()
	s.grants()
	s.resources()
	s.health()
	s.scrub()

	have, hidden := members(s.raw)
	for _, m := range hidden {
		s.put(m.v, overridden)
	}
	for _, m := range have {
		if strings.HasPrefix(m.key, "x-") {
			continue
		}
		handle := serviceKeys[m.key]
		if handle == nil {
			continue // swept up as unknown
		}
		if m.v.IsNull() {
			s.put(m.v, empty)
			continue
		}
		handle(s, m.v)
	}
}

func (s *service) image() {
	s.k.Image = s.c.Image
	if s.c.Build != nil && s.c.Image == "" {
		s.k.Build = s.c.Build.Context
		if s.k.Build == "" {
			s.k.Build = "."
		}
	}
	s.k.AlwaysPull = s.c.PullPolicy == types.PullPolicyAlways
	s.k.Command, s.k.Args = slices.Clone(s.c.Entrypoint), slices.Clone(s.c.Command)
	if s.c.Image == "" && s.c.Build == nil && s.c.Provider == nil {
		s.warn(NoImage, nil, "has neither an image nor a build", "name an image, or read the file together with the one that it extends")
	}
	if s.c.Provider != nil {
		s.warn(NotCarried, nil, "is run by an external provider, not as a container", "put what the provider offers in its place")
	}
	if len(s.c.Profiles) > 0 {
		s.report(ProfileOnly, diag.Note, s.subject(), s.raw, "runs only where one of its profiles is chosen",
			"leave it out by policy (skip) if it serves development only")
	}
	for i := range s.k.Args {
		s.register("args", i, s.k.Args[i])
	}
	for i := range s.k.Command {
		s.register("command", i, s.k.Command[i])
	}
}

func (s *service) settings() {
	c, k := &s.c, s.k
	k.WorkingDir, k.TTY, k.Stdin = c.WorkingDir, c.Tty, c.StdinOpen
	k.Security.User, k.Security.Groups = c.User, slices.Clone(c.GroupAdd)
	k.Security.Privileged, k.Security.ReadOnlyRoot = c.Privileged, c.ReadOnly
	k.Security.Add, k.Security.Drop = slices.Clone(c.CapAdd), slices.Clone(c.CapDrop)
	for _, o := range c.SecurityOpt {
		securityOption(o, &k.Security)
	}
	grace := unit.Seconds(10)
	if c.StopGracePeriod != nil {
		grace = seconds(*c.StopGracePeriod)
	}
	s.w.KillGrace = &grace
	s.labels()
}

// seconds gives a duration; one below zero is none.
func seconds(d types.Duration) unit.Seconds { return unit.Seconds(max(float64(d)/1e9, 0)) }

// labels reads the labels of the service and of its containers; where both
// have a key, the service's holds.
func (s *service) labels() {
	type place struct {
		v    *jsonpos.Value
		want map[string]string
	}
	places := []place{{at(s.raw, "labels"), s.c.Labels}, {at(s.raw, "annotations"), s.c.Annotations}}
	if s.c.Deploy != nil {
		places = append([]place{{at(s.raw, "deploy", "labels"), s.c.Deploy.Labels}}, places...)
	}
	seen := map[string]bool{}
	var out []discover.Label
	for _, p := range places {
		for _, e := range s.pairs(p.v) {
			value, ok := p.want[e.key]
			switch {
			case !ok:
				s.scope.put(s.w.ID, e.v, dropped(RefusedValue, "is no label, and was left out"))
			case seen[e.key]:
				s.put(e.v, overridden)
			case len(s.l.Expand(e.v.Text()).Secrets) > 0:
				s.put(e.v, decision(SecretInText, "workload#metadata.annotations", "holds a secret's variable; proposed is the label with the variable's name in its place"))
				s.label(e.key, value)
			default:
				s.hints[e.v] = true
				out = append(out, discover.Label{Key: e.key, Value: value, File: s.file, At: e.v})
			}
			seen[e.key] = true
		}
		for key, value := range p.want {
			if !seen[key] { // of an included or extended service
				s.label(key, value)
			}
		}
	}
	if len(out) > 0 {
		s.b.LabelList(s.w, out)
	}
}

func (s *service) label(key, value string) {
	if s.w.Labels == nil {
		s.w.Labels = map[string]string{}
	}
	s.w.Labels[key], _ = discover.RedactURLs(value)
}

// A pair is one entry of what may be a mapping or a list of "key=value".
type pair struct {
	key  string
	v    *jsonpos.Value
	null bool // no value was given
}

// pairs gives the entries of v, the last of each key of a list.
func (s *service) pairs(v *jsonpos.Value) []pair {
	var out []pair
	if v.Kind() == jsonpos.Array {
		last := map[string]int{}
		for _, e := range v.Elems() {
			e = real(e)
			key, _, ok := strings.Cut(s.text(e), "=")
			if i, dup := last[key]; dup {
				s.put(out[i].v, overridden)
				out[i] = pair{key, e, !ok}
				continue
			}
			last[key] = len(out)
			out = append(out, pair{key, e, !ok})
		}
		return out
	}
	have, hidden := members(v)
	for _, m := range hidden {
		s.put(m.v, overridden)
	}
	for _, m := range have {
		out = append(out, pair{m.key, m.v, m.v.IsNull()})
	}
	return out
}

// securityOption reads one of security_opt and says what becomes of it.
func securityOption(text string, sec *estate.Security) discover.Ruling {
	key, value, _ := strings.Cut(strings.Replace(text, "=", ":", 1), ":")
	switch key {
	case "no-new-privileges":
		if value != "false" {
			sec.NoNewPrivs = true
		}
		return approximate(SecurityOption, "container#securityContext.allowPrivilegeEscalation", "the same, as Kubernetes spells it")
	case "seccomp":
		sec.Seccomp = value
		return decision(SecurityOption, "container#securityContext.seccompProfile", "a profile must lie on every node; proposed is the same profile")
	case "apparmor":
		sec.AppArmor = value
		return decision(SecurityOption, "container#securityContext.appArmorProfile", "a profile must be loaded on every node; proposed is the same profile")
	case "label":
		k, v, _ := strings.Cut(value, ":")
		if v != "" {
			if sec.SELinux == nil {
				sec.SELinux = map[string]string{}
			}
			sec.SELinux[k] = v
		}
		return decision(SecurityOption, "container#securityContext.seLinuxOptions", "nodes of the target may label otherwise; proposed is the same label")
	}
	return dropped(SecurityOption, "is no security option that Kubernetes has")
}

// register hands a text on to the search for names.
func (s *service) register(where string, i int, text string) {
	v := s.raw
	switch where {
	case "args":
		v = at(s.raw, "command")
	case "command":
		v = at(s.raw, "entrypoint")
	}
	if v.Kind() == jsonpos.Array && i < len(v.Elems()) {
		v = real(v.Elems()[i])
	}
	if v == nil {
		v = s.raw
	}
	t := discover.Text{
		Workload: s.w.ID, Place: estate.Place{Container: s.k.Name, Field: where, Key: itoa(i)}, File: s.file, At: v,
	}
	if text != v.Text() {
		t.Raw = text
	}
	s.b.Text(t)
}

// scrub takes credentials, and the values of the service's secrets, out of
// texts that are no secrets by themselves.
func (s *service) scrub() {
	clean := func(list []string) {
		for i, t := range list {
			list[i] = s.clean(t)
		}
	}
	clean(s.k.Command)
	clean(s.k.Args)
	for i := range s.k.Checks {
		s.k.Checks[i].Shell = s.clean(s.k.Checks[i].Shell)
		clean(s.k.Checks[i].Command)
	}
	s.k.Image, _ = discover.RedactURLs(s.k.Image)
	s.k.Build, _ = discover.RedactURLs(s.k.Build)
}

func (s *service) clean(text string) string {
	text, _ = discover.RedactURLs(text)
	for _, v := range s.secrets {
		text = strings.ReplaceAll(text, v, "REDACTED")
	}
	return text
}

// unclean reports whether a text holds a secret.
func (s *service) unclean(v *jsonpos.Value) bool {
	x := s.l.Expand(real(v).Text())
	return len(x.Secrets) > 0 || s.clean(x.Text) != x.Text
}
