package swarm

import (
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/compose-spec/compose-go/v2/types"

	"github.com/tranship/tranship/internal/base/jsonpos"
	"github.com/tranship/tranship/internal/discover"
	"github.com/tranship/tranship/internal/estate"
)

// grants shows the configs and secrets that the service is granted.
func (s *service) grants() {
	for i, c := range s.c.Configs {
		s.grantConfig(types.FileReferenceConfig(c), s.grantPlace("configs", i))
	}
	for i, c := range s.c.Secrets {
		s.grantSecret(types.FileReferenceConfig(c), s.grantPlace("secrets", i))
	}
}

func (s *service) grantPlace(key string, i int) *jsonpos.Value {
	list := at(s.raw, key)
	if list.Kind() == jsonpos.Array && i < len(list.Elems()) {
		return real(list.Elems()[i])
	}
	return s.raw
}

func fileMode(f types.FileReferenceConfig) *int {
	if f.Mode == nil || *f.Mode < 0 || *f.Mode > 0o7777 {
		return nil
	}
	mode := int(*f.Mode)
	return &mode
}

func (s *service) grantConfig(f types.FileReferenceConfig, v *jsonpos.Value) {
	target := f.Target
	if target == "" {
		target = "/" + f.Source
	}
	if !path.IsAbs(target) {
		target = "/" + target
	}
	key := path.Base(target)
	if !s.declaredConfig(f.Source, key, v) {
		return
	}
	s.addMount(v, configName(f.Source), estate.Volume{
		Kind: estate.ConfigVolume, Config: configName(f.Source), Items: map[string]string{key: key}, Mode: fileMode(f),
	}, estate.Mount{Path: target, SubPath: key, ReadOnly: true})
}

// declaredConfig declares a config of the file for the workload.
func (s *service) declaredConfig(name, key string, v *jsonpos.Value) bool {
	c, ok := s.l.Project.Configs[name]
	if !ok {
		s.warn(Undeclared, v, "is granted config "+name+", which the file does not declare", "declare it below configs; an external one is taken in its place")
		c.External = true
	}
	ref := estate.ConfigRef{Name: configName(name), External: bool(c.External)}
	content := ""
	switch {
	case c.Content != "":
		content = c.Content
	case c.File != "":
		file, data, ok := s.beside(c.File)
		ref.File = file
		if ok && utf8.Valid(data) {
			content = string(data)
		} else if !ok {
			s.warn(MissingFile, v, "shows config "+name+" from "+file+", which is not in the snapshot", "put the file beside the definition and run discover again")
		}
	case c.Environment != "":
		content = s.l.Variables[c.Environment]
		if s.b.IsSecretName(c.Environment) {
			content = ""
		}
	}
	if _, found := discover.RedactURLs(content); found || len(variableSecrets(s.scope, content)) > 0 {
		s.warn(SecretInText, v, "is granted config "+name+", which holds a credential", "make it a secret; its content was left out")
		content = ""
	}
	if content != "" {
		ref.Data = map[string]string{key: s.clean(content)}
	}
	s.config(ref)
	return true
}

func variableSecrets(s *scope, text string) []string {
	var out []string
	for _, m := range variableIn.FindAllStringSubmatch(text, -1) {
		if s.b.IsSecretName(m[1]) {
			out = append(out, m[1])
		}
	}
	return out
}

// config declares a config of the workload; one that is there gets more keys.
func (s *service) config(ref estate.ConfigRef) {
	for i := range s.w.Configs {
		if have := &s.w.Configs[i]; have.Name == ref.Name {
			for k, v := range ref.Data {
				if have.Data == nil {
					have.Data = map[string]string{}
				}
				have.Data[k] = v
			}
			return
		}
	}
	s.w.Configs = append(s.w.Configs, ref)
}

func (s *service) grantSecret(f types.FileReferenceConfig, v *jsonpos.Value) {
	c, ok := s.l.Project.Secrets[f.Source]
	if !ok {
		s.warn(Undeclared, v, "is granted secret "+f.Source+", which the file does not declare", "declare it below secrets; an external one is taken in its place")
		c.External = true
	}
	target := f.Target
	if target == "" {
		target = f.Source
	}
	if !path.IsAbs(target) {
		target = "/run/secrets/" + target
	}
	key := path.Base(target)
	name := f.Source
	d := s.declare(name)
	if !slices.Contains(d.Keys, key) {
		d.Keys = append(d.Keys, key)
	}
	d.External = bool(c.External)
	if c.Name != "" && c.Name != name {
		d.Source = c.Name
	}
	if c.File != "" {
		d.File, _, _ = s.beside(c.File)
	}
	if c.Environment != "" {
		d.Source = "environment:" + c.Environment
	}
	if c.Driver != "" {
		d.Source = strings.TrimSuffix(c.Driver+":"+c.Name, ":")
	}
	s.addMount(v, "secret-"+name, estate.Volume{
		Kind: estate.SecretVolume, Secret: &estate.SecretRef{Name: name, Key: key}, Items: map[string]string{key: key}, Mode: fileMode(f),
	}, estate.Mount{Path: target, SubPath: key, ReadOnly: true})
}

func noteGrants(s *service, v *jsonpos.Value) {
	if v.IsLeaf() {
		s.put(v, empty)
		return
	}
	show := equivalent(GrantedConfig, "pod#spec.volumes.configMap", "the same file; a ConfigMap's file does not change while it is shown")
	if v.Key() == "secrets" {
		show = decision(GrantedSecret, "pod#spec.volumes.secret", "which store holds it; proposed is a secret of the same name")
	}
	for _, e := range v.Elems() {
		e = real(e)
		if e.Kind() != jsonpos.Object {
			s.put(e, show)
			continue
		}
		for _, m := range s.mapping(e) {
			switch m.key {
			case "source":
				s.put(m.v, show)
			case "target":
				s.put(m.v, exact(GrantedFile, "container#volumeMounts.mountPath", "at the same path"))
			case "mode":
				if n, ok := permission(m.v, s.text(m.v)); !ok || n > 0o777 {
					s.put(m.v, approximate(GrantedFile, "pod#spec.volumes.defaultMode", "as far as these are permission bits: a plain number is not octal in YAML"))
					continue
				}
				s.put(m.v, equivalent(GrantedFile, "pod#spec.volumes.defaultMode", "the same permission bits"))
			case "uid", "gid":
				s.put(m.v, dropped(GrantedFile, "the file belongs to root, readable by the pod's group"))
			}
		}
	}
}

// permission reads a mode as Compose does: a text is octal.
func permission(v *jsonpos.Value, text string) (int64, bool) {
	base := 0
	if v.Kind() == jsonpos.String {
		base = 8
	}
	n, err := strconv.ParseInt(text, base, 32)
	return n, err == nil && n >= 0
}

// topGrant enters one config or secret of the file.
func (s *scope) topGrant(key, name string, v *jsonpos.Value) {
	if v.IsLeaf() {
		s.note("", v, empty)
		return
	}
	used := slices.ContainsFunc(s.list, func(x *service) bool {
		if key == "configs" {
			return slices.ContainsFunc(x.c.Configs, func(c types.ServiceConfigObjConfig) bool { return c.Source == name })
		}
		return slices.ContainsFunc(x.c.Secrets, func(c types.ServiceSecretConfig) bool { return c.Source == name })
	})
	for _, m := range s.mapping(v) {
		r := informational(NoBehaviour, "of what no service is granted")
		switch {
		case m.key == "labels":
			r = dropped(NoBehaviour, "labels of the object itself")
		case m.key == "template_driver":
			s.templated(key, name, m.v, used)
			r = decision(Templated, "config#data", "was filled in for each task; proposed is the template as it stands")
		case !used:
		case m.key == "content":
			r = equivalent(GrantedConfig, "config#data", "the same content")
			if c := s.l.Project.Configs[name]; s.isSecretText(c.Content) {
				r = decision(SecretInText, "config#data", "holds a credential; proposed is to leave the content out")
			}
		case m.key == "file" || m.key == "environment" || m.key == "external" || m.key == "name" || m.key == "driver" || m.key == "driver_opts":
			r = decision(GrantSource, strings.TrimSuffix(key, "s")+"#data", "where its content comes from; proposed is an object of the same name to be filled from there")
		default:
			continue
		}
		s.note("", m.v, r)
	}
}

func (s *scope) isSecretText(text string) bool {
	_, found := discover.RedactURLs(text)
	return found || len(variableSecrets(s, text)) > 0
}

func (s *scope) templated(key, name string, v *jsonpos.Value, used bool) {
	if used {
		s.report(Templated, "warning", strings.TrimSuffix(key, "s")+" "+name, v, "is a template that Swarm fills in for each task",
			"fill in what is the same for all tasks, and take the rest from the environment")
	}
}
