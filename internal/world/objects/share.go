package objects

import "slices"

// share gives each workload its own objects, what it uses of other folders, and
// what its namespace has. What more than one workload gets is marked as shared.
func (s *Set) share(all []*object) {
	named := map[reference]*object{}
	around := map[string][]*object{} // of a namespace, itself included
	services := map[string][]*object{}
	for _, o := range all {
		if o.owner != "" {
			s.by[o.owner] = append(s.by[o.owner], o)
		}
		for _, r := range o.gives() {
			named[r] = o
		}
		switch {
		case o.kind == "Namespace":
			around[o.name] = append(around[o.name], o)
		case o.owner == "" && o.kind != "Gateway" && o.kind != "HTTPRoute" && o.namespace != "":
			around[o.namespace] = append(around[o.namespace], o)
		case o.kind == "Service":
			services[o.namespace] = append(services[o.namespace], o)
		}
	}
	users := map[*object]int{}
	for w, own := range s.by {
		list := slices.Clone(own)
		spaces := map[string]bool{}
		for _, o := range own {
			spaces[o.namespace] = true
			for _, r := range o.needs() {
				if x := named[r]; x != nil {
					list = append(list, x)
					spaces[x.namespace] = true
				}
			}
			if labels := o.podLabels(); labels != nil {
				for _, x := range services[o.namespace] {
					if x.selects(labels) {
						list = append(list, x)
					}
				}
			}
		}
		for ns := range spaces {
			list = append(list, around[ns]...)
		}
		slices.SortFunc(list, inOrder)
		list = slices.Compact(list)
		for _, o := range list {
			users[o]++
		}
		s.by[w] = list
	}
	for o, n := range users {
		if n > 1 || o.owner == "" {
			o.mark()
		}
	}
	for _, list := range s.by {
		slices.SortStableFunc(list, func(a, b *object) int { return first(a) - first(b) })
	}
}

// first has shared objects come before a workload's own.
func first(o *object) int {
	switch {
	case o.kind == "Namespace":
		return 0
	case o.shared:
		return 1
	}
	return 2
}

// A reference is how one object names another.
type reference struct{ kind, namespace, name string }

// gives are the names under which others know the object.
func (o *object) gives() []reference {
	out := []reference{{o.kind, o.namespace, o.name}}
	if o.kind == "ExternalSecret" {
		name := text(child(child(o.body, "spec"), "target"), "name")
		if name == "" {
			name = o.name
		}
		out = append(out, reference{"Secret", o.namespace, name})
	}
	return out
}

// needs are the objects that this one names.
func (o *object) needs() []reference {
	var out []reference
	switch o.kind {
	case "HTTPRoute":
		parents, _ := child(o.body, "spec")["parentRefs"].([]any)
		for _, p := range parents {
			m, _ := p.(map[string]any)
			ns := text(m, "namespace")
			if ns == "" {
				ns = o.namespace
			}
			out = append(out, reference{"Gateway", ns, text(m, "name")})
		}
	case "PersistentVolumeClaim":
		if v := text(child(o.body, "spec"), "volumeName"); v != "" {
			out = append(out, reference{"PersistentVolume", "", v})
		}
	}
	if runs(o.kind) {
		o.walk(o.body["spec"], &out)
	}
	return out
}

// namedBy are the fields of a pod that name another object, with its kind and the
// key of the name.
var namedBy = map[string]struct{ kind, key string }{
	"configMapKeyRef": {"ConfigMap", "name"}, "configMapRef": {"ConfigMap", "name"}, "configMap": {"ConfigMap", "name"},
	"secretKeyRef": {"Secret", "name"}, "secretRef": {"Secret", "name"}, "secret": {"Secret", "secretName"},
	"persistentVolumeClaim": {"PersistentVolumeClaim", "claimName"},
}

func (o *object) walk(v any, out *[]reference) {
	switch x := v.(type) {
	case []any:
		for _, e := range x {
			o.walk(e, out)
		}
	case map[string]any:
		for key, e := range x {
			if by, ok := namedBy[key]; ok {
				m, _ := e.(map[string]any)
				name := text(m, by.key)
				if name == "" { // a projected secret
					name = text(m, "name")
				}
				*out = append(*out, reference{by.kind, o.namespace, name})
			}
			switch name, _ := e.(string); key {
			case "serviceAccountName":
				*out = append(*out, reference{"ServiceAccount", o.namespace, name})
			case "serviceName":
				*out = append(*out, reference{"Service", o.namespace, name})
			case "imagePullSecrets":
				list, _ := e.([]any)
				for _, s := range list {
					m, _ := s.(map[string]any)
					*out = append(*out, reference{"Secret", o.namespace, text(m, "name")})
				}
			}
			o.walk(e, out)
		}
	}
}

// podLabels are those of the copies, nil if the object makes none that serve.
func (o *object) podLabels() map[string]any {
	switch o.kind {
	case "Deployment", "StatefulSet", "DaemonSet":
		return child(child(child(child(o.body, "spec"), "template"), "metadata"), "labels")
	}
	return nil
}

// selects reports whether a Service leads to pods with these labels.
func (o *object) selects(labels map[string]any) bool {
	selector := child(child(o.body, "spec"), "selector")
	for key, value := range selector {
		if labels[key] != value {
			return false
		}
	}
	return len(selector) > 0
}
