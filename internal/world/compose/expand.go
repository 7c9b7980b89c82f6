package compose

import (
	"errors"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/template"

	"github.com/tranship/tranship/internal/discover/swarm"
)

// unset stands for a required variable that has no value.
const unset = "\ue002"

// lookup gives a variable's value; of a secret only its name.
func (l *load) lookup(name string) (string, bool) {
	if l.src.Secret(name) {
		return "${" + name + "}", true
	}
	v, ok := l.vars[name]
	return v, ok
}

// substitute expands the variables of a text and never fails.
func (l *load) substitute(text string, _ template.Mapping) (string, error) {
	return l.expand(text).Text, nil
}

func (l *load) expand(text string) swarm.Expansion {
	if !strings.Contains(text, "$") {
		return swarm.Expansion{Text: text}
	}
	var missing, secrets []string
	mapping := func(name string) (string, bool) {
		v, ok := l.lookup(name)
		if l.src.Secret(name) && !slices.Contains(secrets, name) {
			secrets = append(secrets, name)
		}
		if !ok && !slices.Contains(missing, name) && !hasDefault(text, name) {
			missing = append(missing, name)
		}
		return v, ok
	}
	out, err := template.SubstituteWithOptions(text, mapping, template.WithoutLogging)
	var required *template.MissingRequiredError
	if errors.As(err, &required) {
		out, err = template.SubstituteWithOptions(text, func(name string) (string, bool) {
			if v, ok := mapping(name); ok && v != "" {
				return v, true
			}
			return unset, true
		}, template.WithoutLogging)
		out = strings.ReplaceAll(out, unset, "")
	}
	if err != nil {
		return swarm.Expansion{Text: text, Bad: true}
	}
	return swarm.Expansion{Text: out, Unset: missing, Secrets: secrets}
}

// hasDefault reports whether text says what to take where the variable is unset.
func hasDefault(text, name string) bool {
	for _, op := range []string{":-", "-", ":+", "+"} {
		if strings.Contains(text, "{"+name+op) {
			return true
		}
	}
	return false
}

// escape keeps dollars of a model that was expanded already from being
// expanded again.
func escape(v any) any {
	switch v := v.(type) {
	case string:
		return strings.ReplaceAll(v, "$", "$$")
	case map[string]any:
		for k, e := range v {
			v[k] = escape(e)
		}
	case []any:
		for i, e := range v {
			v[i] = escape(e)
		}
	}
	return v
}
