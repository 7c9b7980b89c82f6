package manifest

import (
	"cmp"
	"maps"
	"strings"

	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/render/manifest/edge"
)

// A source is one file of definitions: where fields went that belong to no
// workload, as a pool's or a project's.
type source struct {
	namespace string
	route     string // the first
	routes    map[string]string
	things    map[string]string
}

func (r *renderer) source(file string) *source {
	s := r.sources[file]
	if s == nil {
		s = &source{routes: map[string]string{}, things: map[string]string{}}
		r.sources[file] = s
	}
	return s
}

// add keeps where a workload of the source went.
func (s *source) add(k *work) {
	s.namespace = cmp.Or(s.namespace, k.place.Namespace)
	maps.Copy(s.things, k.files.things)
	k.files.things = nil
}

// route keeps where a route went.
func (r *renderer) route(o edge.Object, file string) {
	if o.Of == (estate.Origin{}) {
		return
	}
	s := r.source(o.Of.File)
	s.route = cmp.Or(s.route, file)
	if s.routes[o.Of.Pointer] == "" {
		s.routes[o.Of.Pointer] = file
	}
}

// unowned gives the target of a field that belongs to no workload. What is
// rendered nowhere has none; what tranship.yaml answers keeps its own.
func (r *renderer) unowned(e *ledger.Entry) string {
	object, at, _ := strings.Cut(e.Target, "#")
	s := r.sources[e.File]
	in := func(file string) string {
		if file == "" {
			return ""
		}
		return file + "#" + at
	}
	switch object {
	case "route":
		if s == nil {
			return ""
		}
		for p := e.Pointer; p != ""; p = p[:strings.LastIndexByte(p, '/')] {
			if file := s.routes[p]; file != "" {
				return in(file)
			}
		}
		return in(s.route)
	case "config", "secret", "volume":
		parts := strings.Split(e.Pointer, "/")
		if s == nil || len(parts) < 3 {
			return ""
		}
		return in(s.things[parts[1]+"/"+parts[2]])
	case "workload":
		if s == nil || s.namespace == "" || at != "metadata.namespace" {
			return ""
		}
		return Base + "/" + s.namespace + "/namespace.yaml#metadata.name"
	case "quota":
		return in(r.quota)
	case "policy":
		if strings.HasPrefix(at, "spec.nodes") {
			return "tranship.yaml#" + at
		}
	}
	return ""
}
