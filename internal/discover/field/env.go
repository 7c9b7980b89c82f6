package field

import (
	"regexp"
	"slices"
	"strings"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/jsonpos"
	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/discover"
	"github.com/tranship/tranship/internal/estate"
)

// Env reads an object of variables for one container of w. A value that is a
// secret, by its name or by a URL with a credential in it, becomes a reference
// to a key of the workload's own secret, and w declares where that key's value
// stands. Every text is registered for the search for names. Read the declared
// secrets (Secrets) before: a variable may refer to one.
func (s Scope) Env(v *jsonpos.Value, w *estate.Workload, container string) []estate.EnvVar {
	return s.EnvUnder(v, nil, w, container)
}

// EnvUnder is Env for variables that all containers share: those that the
// container's own object sets too are passed over, and not entered.
func (s Scope) EnvUnder(v, own *jsonpos.Value, w *estate.Workload, container string) []estate.EnvVar {
	if s.Empty(v) || !s.Is(v, jsonpos.Object) {
		return nil
	}
	var out []estate.EnvVar
	for _, e := range v.Elems() {
		if !own.Get(e.Key()).IsNull() {
			continue
		}
		if e.Kind() == jsonpos.Object && !e.IsLeaf() {
			if x, ok := s.envSecret(e, w, taken(out, v)); ok {
				out = append(out, x)
			}
			continue
		}
		if e.IsNull() {
			s.Note(e, ledger.Informational, discover.EmptyValue, "", "null sets no variable")
			continue
		}
		text, ok := s.String(e)
		if !ok {
			continue
		}
		if x, ok := s.variable(e.Key(), text, e, w, container, taken(out, v)); ok {
			out = append(out, x)
		}
	}
	return out
}

// Variable reads one variable whose name and value stand together in the text
// at, as in a parameter of docker run: "NAME=value".
func (s Scope) Variable(name, value string, at *jsonpos.Value, w *estate.Workload, container string) (estate.EnvVar, bool) {
	return s.variable(name, value, at, w, container, nil)
}

// taken gives the names that a sanitised name must not fall on.
func taken(out []estate.EnvVar, v *jsonpos.Value) func(string) bool {
	return func(name string) bool {
		return v.Has(name) || slices.ContainsFunc(out, func(x estate.EnvVar) bool { return x.Name == name })
	}
}

func (s Scope) variable(
	name, value string, at *jsonpos.Value, w *estate.Workload, container string, taken func(string) bool,
) (estate.EnvVar, bool) {
	clean, ok := s.variableName(name, at, taken)
	if !ok {
		return estate.EnvVar{}, false
	}
	x := estate.EnvVar{Name: clean}
	text := discover.Text{
		Workload: w.ID, Place: estate.Place{Container: container, Field: "env", Key: clean}, File: s.File, At: at,
	}
	if value != at.Text() {
		text.Raw = value
	}
	_, inURL := discover.RedactURLs(value)
	switch {
	case value != "" && s.B.IsSecretName(name):
		x.Secret = s.keep(w, "env", container, clean, at)
		text.Secret = true
		s.Note(at, ledger.Decision, discover.SecretValue, "secret#stringData."+x.Secret.Key,
			"a secret by its name: the value stays in the snapshot, and the variable refers to secret "+x.Secret.Name)
	case inURL:
		x.Secret = s.keep(w, "env", container, clean, at)
		text.Secret = true
		s.Note(at, ledger.Decision, discover.CredentialInURL, "secret#stringData."+x.Secret.Key,
			"a URL with a credential: the value stays in the snapshot, and the variable refers to secret "+x.Secret.Name)
	case !plain(name):
		x.Value = value
		s.Note(at, ledger.Decision, VariableName, "container#env."+clean, refusal(name, clean))
	default:
		x.Value = value
		s.Note(at, ledger.Exact, Variable, "container#env."+clean, "the same variable")
	}
	s.B.Text(text)
	return x, true
}

// envSecret reads {"secret": "name"}.
func (s Scope) envSecret(e *jsonpos.Value, w *estate.Workload, taken func(string) bool) (estate.EnvVar, bool) {
	ref := e.Get("secret")
	if ref.Kind() != jsonpos.String || ref.Text() == "" {
		s.wrong(e, "a string or a reference to a secret")
		return estate.EnvVar{}, false
	}
	name, ok := s.variableName(e.Key(), ref, taken)
	if !ok {
		return estate.EnvVar{}, false
	}
	r := s.SecretRef(ref, w)
	if !plain(e.Key()) {
		s.Note(ref, ledger.Decision, VariableName, "container#env."+name, refusal(e.Key(), name))
	} else {
		s.Note(ref, ledger.Equivalent, VariableFromSecret, "container#env."+name, "the same, once secret "+r.Name+" exists")
	}
	return estate.EnvVar{Name: name, Secret: &r}, true
}

// plainName is what every version of Kubernetes takes as a variable's name,
// printable what the newer ones do.
var (
	plainName = regexp.MustCompile(`^[-._a-zA-Z][-._a-zA-Z0-9]*$`)
	printable = regexp.MustCompile(`^[ -<>-~]+$`)
	notInName = regexp.MustCompile(`[^-._a-zA-Z0-9]`)
)

func plain(name string) bool {
	return plainName.MatchString(name) && name != "." && !strings.HasPrefix(name, "..")
}

func refusal(name, clean string) string {
	if name == clean {
		return "older versions of Kubernetes refuse the name; proposed is to keep it where the target takes it"
	}
	return "Kubernetes refuses the name; proposed is " + clean + ", which the program must learn"
}

// variableName gives a name that Kubernetes takes, or a newer one at least. An
// empty one is refused.
func (s Scope) variableName(name string, at *jsonpos.Value, taken func(string) bool) (string, bool) {
	if name == "" {
		s.Report(VariableName, diag.Warning, at, "a variable has no name, and was left out", "name it or delete it at the source")
		s.Note(at, ledger.Dropped, VariableName, "", "has no name, and was left out")
		return "", false
	}
	if printable.MatchString(name) && strings.Trim(name, " ") == name {
		return name, true
	}
	clean := strings.TrimLeft(notInName.ReplaceAllString(name, "_"), ".")
	if !plainName.MatchString(clean) {
		clean = "_" + clean
	}
	for taken != nil && taken(clean) {
		clean += "_"
	}
	return clean, true
}
