package compose

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"

	"github.com/tranship/tranship/internal/discover/swarm"
)

// project loads the model. Where compose-go refuses it, the smallest parts
// without which it loads are left out, and each is a problem.
func (l *load) project(model map[string]any) *types.Project {
	p, err := l.try(model)
	if err == nil {
		return p
	}
	l.parts(model)
	if p, err = l.try(model); err == nil {
		return p
	}
	(&search{l: l, root: model}).mend(nil, model, err)
	if p, err = l.try(model); err == nil {
		return p
	}
	l.problem(swarm.RefusedField, reason(err), "", "services")
	services := types.Services{}
	if m, ok := model["services"].(map[string]any); ok {
		for name := range m {
			services[name] = types.ServiceConfig{Name: name}
		}
	}
	return &types.Project{Services: services}
}

// parts mends each section and each service by itself, which is quick: only
// what they extend ties services together.
func (l *load) parts(model map[string]any) {
	for _, key := range slices.Sorted(maps.Keys(model)) {
		if key == "services" {
			continue
		}
		part := map[string]any{key: model[key]}
		if _, err := l.try(part); err != nil {
			(&search{l: l, root: part}).mend(nil, part, err)
			if v, ok := part[key]; ok {
				model[key] = v
			} else {
				delete(model, key)
			}
		}
	}
	services, _ := model["services"].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(services)) {
		part := map[string]any{}
		closure(services, name, part)
		root := map[string]any{"services": part}
		if _, err := l.try(root); err != nil {
			(&search{l: l, root: root}).mend(nil, root, err)
			maps.Copy(services, part)
		}
	}
}

// closure gathers a service and those that it extends.
func closure(services map[string]any, name string, into map[string]any) {
	v, ok := services[name]
	if _, have := into[name]; have || !ok {
		return
	}
	into[name] = v
	service, _ := v.(map[string]any)
	switch x := service["extends"].(type) {
	case string:
		closure(services, x, into)
	case map[string]any:
		if base, ok := x["service"].(string); ok {
			closure(services, base, into)
		}
	}
}

// search looks for the parts of root that cannot be loaded.
type search struct {
	l    *load
	root map[string]any
}

func (s *search) err() error {
	_, err := s.l.try(s.root)
	return err
}

// mend is called where the root cannot be loaded with node in it, and can
// without. It leaves the root loadable, with as much of node as can be.
func (s *search) mend(at []string, node any, err error) {
	switch node := node.(type) {
	case map[string]any:
		if len(node) > 0 && s.mendMap(at, node) {
			return
		}
	case []any:
		if len(node) > 0 && s.mendList(at, node) {
			return
		}
	}
	if len(at) > 0 {
		s.remove(at, err)
	}
}

func (s *search) remove(at []string, err error) {
	parent, last := s.parent(at)
	if p, ok := parent.(map[string]any); ok {
		if len(at) == 2 && at[0] == "services" {
			p[last] = map[string]any{} // a service stays, however little is left of it
		} else {
			delete(p, last)
		}
	}
	kind, what := swarm.RefusedField, reason(err)
	if unknownKey(err, last) {
		kind, what = swarm.UnknownField, ""
	}
	s.l.problem(kind, what, "", at...)
}

// parent gives the mapping that holds the last key of at.
func (s *search) parent(at []string) (any, string) {
	var v any = s.root
	for _, k := range at[:len(at)-1] {
		switch x := v.(type) {
		case map[string]any:
			v = x[k]
		case []any:
			i, _ := strconv.Atoi(k)
			v = x[i]
		}
	}
	return v, at[len(at)-1]
}

// mendMap first looks for one key without which all is well, then puts the
// keys back one by one.
func (s *search) mendMap(at []string, node map[string]any) bool {
	keys := slices.Sorted(maps.Keys(node))
	for _, k := range keys {
		v := node[k]
		delete(node, k)
		err := s.err()
		node[k] = v
		if err == nil {
			s.mend(append(slices.Clone(at), k), v, s.err())
			return true
		}
		if s.l.left <= 0 {
			return false
		}
	}
	all := maps.Clone(node)
	clear(node)
	if s.err() != nil {
		maps.Copy(node, all)
		return false
	}
	for _, k := range keys {
		node[k] = all[k]
		if err := s.err(); err != nil {
			s.mend(append(slices.Clone(at), k), all[k], err)
		}
		if s.l.left <= 0 {
			return s.err() == nil
		}
	}
	return true
}

// mendList is mendMap for a list. A list cannot lose an element in place, so
// the bad ones are found in lists of one.
func (s *search) mendList(at []string, node []any) bool {
	parent, last := s.parent(at)
	p, ok := parent.(map[string]any)
	if !ok {
		return false
	}
	good, bad := []any{}, 0
	for i, e := range node {
		p[last] = append(slices.Clone(good), e)
		err := s.err()
		if err == nil || s.mendElement(append(slices.Clone(at), strconv.Itoa(i)), e) {
			good = append(good, e)
			continue
		}
		bad++
		s.l.problem(swarm.RefusedField, reason(err), "", append(slices.Clone(at), strconv.Itoa(i))...)
	}
	p[last] = good
	if bad == len(node) && s.err() != nil {
		s.l.problems = s.l.problems[:len(s.l.problems)-bad] // the list as a whole is refused
		p[last] = node
		return false
	}
	return true
}

// mendElement takes the one key out of a list's last element without which it
// loads.
func (s *search) mendElement(at []string, e any) bool {
	m, _ := e.(map[string]any)
	for _, k := range slices.Sorted(maps.Keys(m)) {
		v := m[k]
		err := s.err()
		delete(m, k)
		if s.err() == nil {
			kind, what := swarm.RefusedField, reason(err)
			if unknownKey(err, k) {
				kind, what = swarm.UnknownField, ""
			}
			s.l.problem(kind, what, "", append(slices.Clone(at), k)...)
			return true
		}
		m[k] = v
	}
	return false
}

var (
	unknown = regexp.MustCompile(`additional properties '([^']*)'|additional properties (.*) not allowed`)
	wants   = regexp.MustCompile(`must be an? [a-z]+(?:,? (?:or )?(?:an? )?[a-z]+)*|must be one of [^"]*|is required|not allowed`)
)

func unknownKey(err error, key string) bool {
	if strings.HasSuffix(err.Error(), "."+key+" false schema") {
		return true
	}
	m := unknown.FindStringSubmatch(err.Error())
	return m != nil && (m[1] == key || m[2] != "")
}

// reason gives what compose-go says, without any value of the file.
func reason(err error) string {
	if err == nil {
		return "compose refuses it"
	}
	if m := wants.FindString(err.Error()); m != "" {
		return "compose says: " + m
	}
	return "compose refuses its value"
}
