package field

import (
	"regexp"
	"slices"
	"strings"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/jsonpos"
	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/estate"
)

// SecretKey is the key of a secret that has one value only, as each secret of
// the source's store has.
const SecretKey = "value"

// PullKey is the key of a secret that holds an image registry's credential.
const PullKey = ".dockerconfigjson"

// Short gives the last part of a workload's name: "cart" of "/shop/cart".
func Short(id estate.Name) string {
	s := strings.TrimRight(string(id), "/")
	return s[strings.LastIndexAny(s, "/.")+1:]
}

// Secrets reads the declared secrets: {"name": {"source": "path"}}.
func (s Scope) Secrets(v *jsonpos.Value, w *estate.Workload) {
	if s.Empty(v) || !s.Is(v, jsonpos.Object) {
		return
	}
	for _, e := range v.Elems() {
		switch e.Kind() {
		case jsonpos.Object:
		case jsonpos.Null:
			s.Empty(e)
			continue
		default:
			s.wrong(e, "an object with a source")
			continue
		}
		d := secret(w, e.Key())
		if src := e.Get("source"); src != nil {
			if text, ok := s.String(src); ok {
				d.Source = text
				s.Note(src, ledger.Decision, DeclaredSecret, "secret#metadata.name",
					"which store holds it; proposed is secret "+d.Name+" with key "+SecretKey+", from the same path")
			}
		} else {
			s.Empty(e)
		}
		if !slices.Contains(d.Keys, SecretKey) {
			d.Keys = append(d.Keys, SecretKey)
		}
	}
}

// SecretRef gives the reference for the name of a declared secret that stands
// at v. Who calls it notes v. A secret that nobody declares is reported, and
// declared without a source, so that the reference leads somewhere.
func (s Scope) SecretRef(v *jsonpos.Value, w *estate.Workload) estate.SecretRef {
	name := v.Text()
	if !slices.ContainsFunc(w.Secrets, func(d estate.Secret) bool { return d.Name == name }) {
		s.Report(UndeclaredSecret, diag.Warning, v, "secret "+name+" is used and not declared",
			"declare it below secrets with its source; a stub without a value is written for it")
	}
	if d := secret(w, name); !slices.Contains(d.Keys, SecretKey) {
		d.Keys = append(d.Keys, SecretKey)
	}
	return estate.SecretRef{Name: name, Key: SecretKey}
}

// PullConfig reads {"secret": "name"}: the credential of an image registry. Read
// it before whatever else may refer to the same secret.
func (s Scope) PullConfig(v *jsonpos.Value, w *estate.Workload) {
	if s.Empty(v) || !s.Is(v, jsonpos.Object) {
		return
	}
	ref := v.Get("secret")
	if s.Empty(ref) {
		return
	}
	if _, ok := s.String(ref); !ok || ref.Text() == "" {
		return
	}
	r := s.SecretRef(ref, w)
	d := secret(w, r.Name)
	d.Pull = true
	d.Keys = []string{PullKey}
	addPull(w, estate.SecretRef{Name: r.Name})
	s.Note(ref, ledger.Decision, PullCredential, "pod#spec.imagePullSecrets",
		"which credential pulls the image; proposed is secret "+r.Name+", unneeded with a registry that nodes may read")
}

func addPull(w *estate.Workload, r estate.SecretRef) {
	if !slices.ContainsFunc(w.PullSecrets, func(x estate.SecretRef) bool { return x.Name == r.Name }) {
		w.PullSecrets = append(w.PullSecrets, r)
	}
}

// secret gives w's secret of that name, declaring it if need be. The pointer
// is good until the next one is declared.
func secret(w *estate.Workload, name string) *estate.Secret {
	for i := range w.Secrets {
		if w.Secrets[i].Name == name {
			return &w.Secrets[i]
		}
	}
	w.Secrets = append(w.Secrets, estate.Secret{Name: name})
	return &w.Secrets[len(w.Secrets)-1]
}

var notInKey = regexp.MustCompile(`[^-._a-zA-Z0-9]`)

// keep declares that the value at v is a key of the workload's own secret for
// that use ("env", "fetch"), and gives the reference. Where two containers
// have the same key, the second's is told apart by the container's name; one
// value that several containers share is one key.
func (s Scope) keep(w *estate.Workload, use, container, key string, v *jsonpos.Value) *estate.SecretRef {
	d := secret(w, Short(w.ID)+"-"+use)
	at := estate.Origin{File: s.File, Pointer: v.Pointer()}
	if i := slices.Index(d.At, at); i >= 0 {
		return &estate.SecretRef{Name: d.Name, Key: d.Keys[i]}
	}
	key = notInKey.ReplaceAllString(key, "_")
	if slices.Contains(d.Keys, key) {
		key = notInKey.ReplaceAllString(container, "_") + "." + key
	}
	for slices.Contains(d.Keys, key) {
		key += "_"
	}
	d.Keys = append(d.Keys, key)
	d.At = append(d.At, at)
	return &estate.SecretRef{Name: d.Name, Key: key}
}

// Keep is keep for readers that find a secret elsewhere: in a parameter, say.
func (s Scope) Keep(w *estate.Workload, use, container, key string, v *jsonpos.Value) estate.SecretRef {
	return *s.keep(w, use, container, key, v)
}
