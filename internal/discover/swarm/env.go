package swarm

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/dotenv"

	"github.com/tranship/tranship/internal/base/jsonpos"
	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/discover"
	"github.com/tranship/tranship/internal/estate"
)

// environment sets the variables: those of the env files, the later file over
// the earlier, then those of the service itself.
func (s *service) environment() {
	vars := map[string]estate.EnvVar{}
	raw := map[string]pair{}
	for _, p := range s.pairs(at(s.raw, "environment")) {
		raw[p.key] = p
	}
	for _, f := range s.c.EnvFiles {
		s.envFile(f.Path, f.Format, vars)
	}
	for _, name := range slices.Sorted(maps.Keys(s.c.Environment)) {
		value := s.c.Environment[name]
		p, written := raw[name]
		if value == nil {
			v, ok := s.l.Variables[name]
			if !ok {
				if _, set := vars[name]; !set && !s.b.IsSecretName(name) {
					continue
				}
			}
			value = &v
		}
		place := estate.Origin{File: s.file, Pointer: s.raw.Pointer()}
		at := s.raw
		if written {
			place.Pointer, at = p.v.Pointer(), p.v
		}
		if x, ok := s.variable(name, *value, place, at, p.null && written); ok {
			vars[x.Name] = x
		}
	}
	for _, name := range slices.Sorted(maps.Keys(vars)) {
		s.k.Env = append(s.k.Env, vars[name])
	}
}

// envFile reads the variables of a file beside the definition.
func (s *service) envFile(rel, format string, vars map[string]estate.EnvVar) {
	file, data, ok := s.beside(rel)
	if !ok {
		s.warn(MissingFile, at(s.raw, "env_file"), "takes variables from "+file+", which is not in the snapshot",
			"put the file beside the definition and run discover again; its variables are missing")
		return
	}
	have, err := parseEnv(data, format, func(name string) (string, bool) {
		if s.b.IsSecretName(name) {
			return "${" + name + "}", true
		}
		v, ok := s.l.Variables[name]
		return v, ok
	})
	if err != nil {
		s.warn(UnusableFile, at(s.raw, "env_file"), "takes variables from "+file+", which is no env file throughout",
			"mend the file; what could be read is used")
	}
	for _, name := range slices.Sorted(maps.Keys(have)) {
		place := estate.Origin{File: file, Pointer: "/" + jsonpos.Escape(name)}
		if x, ok := s.variable(name, have[name], place, s.raw, false); ok {
			vars[x.Name] = x
		}
	}
}

func parseEnv(data []byte, format string, lookup dotenv.LookupFn) (vars map[string]string, err error) {
	defer func() {
		if recover() != nil {
			err = errUnreadable
		}
	}()
	if format == "raw" {
		vars = map[string]string{}
		for line := range strings.Lines(string(data)) {
			line = strings.TrimRight(line, "\r\n")
			if name, value, ok := strings.Cut(line, "="); ok && !strings.HasPrefix(line, "#") {
				vars[strings.TrimSpace(name)] = value
			}
		}
		return vars, nil
	}
	return dotenv.UnmarshalBytesWithLookup(data, lookup)
}

type envError string

func (e envError) Error() string { return string(e) }

const errUnreadable = envError("read env file: not readable")

// plainName is what every version of Kubernetes takes as a variable's name.
var plainName = regexp.MustCompile(`^[-._a-zA-Z][-._a-zA-Z0-9]*$`)

var notInVariable = regexp.MustCompile(`[^-._a-zA-Z0-9]`)

// variableName gives a name that Kubernetes takes.
func variableName(name string) string {
	if plainName.MatchString(name) && !strings.HasPrefix(name, "..") {
		return name
	}
	clean := strings.TrimLeft(notInVariable.ReplaceAllString(name, "_"), ".")
	if !plainName.MatchString(clean) {
		clean = "_" + clean
	}
	return clean
}

// variable makes one variable. A value that is a secret stays where it is.
func (s *service) variable(name, value string, place estate.Origin, at *jsonpos.Value, fromShell bool) (estate.EnvVar, bool) {
	if strings.Trim(name, ".") == "" {
		return estate.EnvVar{}, false
	}
	x := estate.EnvVar{Name: variableName(name)}
	t := discover.Text{
		Workload: s.w.ID, Place: estate.Place{Container: s.k.Name, Field: "env", Key: x.Name}, File: s.file, At: at, Raw: value,
	}
	if s.secret(name, value, at) && (value != "" || fromShell) {
		x.Secret = s.keep(x.Name, place)
		t.Secret = true
		if plain := literal(value); len(plain) >= 6 {
			s.secrets = append(s.secrets, plain)
		}
	} else {
		x.Value = value
	}
	if value != "" {
		s.b.Text(t)
	}
	return x, true
}

// literal gives a secret's value unless it is only a variable.
func literal(value string) string {
	if strings.HasPrefix(value, "${") {
		return ""
	}
	return value
}

var variableIn = regexp.MustCompile(`\$\{([a-zA-Z_][a-zA-Z0-9_]*)\}`)

// secret reports whether a variable holds a secret: by its name, by a URL with
// a credential in it, or by the secret variable that it takes its value from.
func (s *service) secret(name, value string, at *jsonpos.Value) bool {
	if s.b.IsSecretName(name) {
		return true
	}
	if _, found := discover.RedactURLs(value); found {
		return true
	}
	for _, m := range variableIn.FindAllStringSubmatch(value, -1) {
		if s.b.IsSecretName(m[1]) {
			return true
		}
	}
	return at != s.raw && len(s.l.Expand(at.Text()).Secrets) > 0
}

// keep declares that the value at place is a key of the workload's own secret.
func (s *service) keep(key string, place estate.Origin) *estate.SecretRef {
	name := s.name + "-env"
	d := s.declare(name)
	if i := slices.Index(d.Keys, key); i >= 0 {
		d.At[i] = place
	} else {
		d.Keys = append(d.Keys, key)
		d.At = append(d.At, place)
	}
	return &estate.SecretRef{Name: name, Key: key}
}

// declare gives the workload's secret of that name. The pointer is good until
// the next one is declared.
func (s *service) declare(name string) *estate.Secret {
	for i := range s.w.Secrets {
		if s.w.Secrets[i].Name == name {
			return &s.w.Secrets[i]
		}
	}
	s.w.Secrets = append(s.w.Secrets, estate.Secret{Name: name})
	return &s.w.Secrets[len(s.w.Secrets)-1]
}

func noteEnvironment(s *service, v *jsonpos.Value) {
	if v.IsLeaf() {
		s.put(v, empty)
		return
	}
	for _, p := range s.pairs(v) {
		s.put(p.v, s.variableRuling(p))
	}
}

func (s *service) variableRuling(p pair) discover.Ruling {
	value, known := s.c.Environment[p.key]
	if !known {
		return dropped(RefusedValue, "is no variable, and was left out")
	}
	name := variableName(p.key)
	if strings.Trim(p.key, ".") == "" {
		return dropped(Variable, "has no usable name, and was left out")
	}
	var x *estate.EnvVar
	for i := range s.k.Env {
		if s.k.Env[i].Name == name {
			x = &s.k.Env[i]
		}
	}
	target := "container#env." + name
	switch {
	case value == nil && x == nil:
		return decision(ShellVariable, target, "takes its value from the shell of who deploys; proposed is to leave it unset")
	case value == nil:
		return decision(ShellVariable, target, "takes its value from the shell of who deploys; proposed is what the files beside the definition say")
	case x == nil:
		return dropped(Variable, "could not be read, and was left out")
	case x.Secret != nil:
		return decision(SecretVariable, "secret#stringData."+x.Secret.Key,
			"a secret by its name, its variable or a credential in a URL: the value stays in the snapshot, and the variable refers to secret "+x.Secret.Name)
	case name != p.key:
		return decision(Variable, target, "Kubernetes may refuse the name; proposed is "+name+", which the program must learn")
	}
	return exact(Variable, target, "the same variable")
}

func noteEnvFile(s *service, v *jsonpos.Value) {
	list := []*jsonpos.Value{v}
	if v.Kind() == jsonpos.Array {
		list = v.Elems()
	}
	for _, e := range list {
		e = real(e)
		file := e
		if e.Kind() == jsonpos.Object {
			file = at(e, "path")
			s.put(e, approximate(EnvFile, "container#env", "how the file is read"))
		}
		_, _, ok := s.beside(s.text(file))
		switch {
		case file == nil || file.IsLeaf() && file.Kind() != jsonpos.String:
			s.put(e, empty)
		case ok:
			s.put(file, discover.Ruling{
				Verdict: ledger.Decision, Code: EnvFile, Target: "container#env",
				Reason: "where its variables are kept; proposed is to set them one by one",
			})
		default:
			s.put(file, decision(MissingFile, "container#env", "the file is not in the snapshot; proposed is to leave its variables out"))
		}
	}
}
