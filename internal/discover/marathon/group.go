package marathon

import (
	"slices"
	"strings"

	"github.com/tranship/tranship/internal/base/jsonpos"
	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/discover"
	"github.com/tranship/tranship/internal/estate"
)

// group reads a group and all that is in it, or an answer with a list of apps.
func (r *reader) group(v *jsonpos.Value, in estate.Name, depth int) {
	s := r.scope("")
	s.Kind = "group"
	name := in
	if id := v.Get("id"); id != nil {
		if text, ok := s.String(id); ok {
			name = resolve(in, text)
			s.Note(id, ledger.Decision, GroupName, "workload#metadata.namespace",
				"which namespace the group becomes; proposed is the one that policy gives its topmost group")
		}
	}
	if depth > maxDepth {
		s.Note(v, ledger.Dropped, NotAnApp, "", "groups are nested beyond what Marathon takes")
		return
	}
	first := len(r.b.Workloads())
	for _, e := range r.array(v, "apps") {
		r.element(e, name, depth, appShape)
	}
	for _, e := range r.array(v, "pods") {
		if !e.IsNull() && e.Kind() == jsonpos.Object {
			r.b.ReadPod(r.doc, e, name)
		} else {
			r.element(e, name, depth, podShape)
		}
	}
	for _, e := range r.array(v, "groups") {
		if e.Kind() == jsonpos.Object {
			r.group(e, name, depth+1)
		} else {
			r.element(e, name, depth, group)
		}
	}
	r.metadata(v, name, r.b.Workloads()[first:])
}

func (r *reader) array(v *jsonpos.Value, key string) []*jsonpos.Value {
	a := v.Get(key)
	s := r.scope("")
	s.Kind = "group"
	if a == nil || s.Empty(a) || !s.Is(a, jsonpos.Array) {
		return nil
	}
	return a.Elems()
}

// metadata reads what a group says of itself.
func (r *reader) metadata(v *jsonpos.Value, name estate.Name, in []*estate.Workload) {
	s := r.scope("")
	s.Kind = "group"
	if d := v.Get("dependencies"); d != nil && !s.Empty(d) && s.Is(d, jsonpos.Array) {
		for _, e := range d.Elems() {
			if text, ok := s.String(e); ok {
				on := resolve(name, text)
				s.Note(e, ledger.Approximate, Dependency, "",
					"all members are moved after it; Kubernetes itself starts everything at once")
				for _, w := range in {
					if !inside(w.ID, on) {
						addDependency(w, on)
					}
				}
			}
		}
	}
	if e := v.Get("enforceRole"); e != nil {
		if yes, ok := s.Bool(e); ok {
			if yes {
				role := strings.Split(strings.TrimPrefix(string(name), "/"), "/")[0]
				r.quota(role)
			}
			s.Note(e, ledger.Decision, EnforceRole, "workload#metadata.namespace",
				"whether the group's resources are bounded by its role's quota; proposed is a ResourceQuota where Mesos had a quota")
		}
	}
	for _, key := range []string{"version", "executorResources"} {
		if x := v.Get(key); x != nil && !s.Empty(x) {
			s.Evidence(x)
		}
	}
	if x := v.Get("scaleBy"); x != nil && !s.Empty(x) {
		s.Note(x, ledger.Dropped, GroupScale, "", "an order to scale once, not a state")
	}
}

func (r *reader) quota(role string) {
	e := r.b.Estate()
	if i := slices.IndexFunc(e.Quotas, func(q estate.Quota) bool { return q.Role == role }); i >= 0 {
		e.Quotas[i].Enforced = true
		return
	}
	e.Quotas = append(e.Quotas, estate.Quota{Role: role, Enforced: true})
}

func addDependency(w *estate.Workload, on estate.Name) {
	if on != w.ID && !slices.Contains(w.DependsOn, on) {
		w.DependsOn = append(w.DependsOn, on)
	}
}

// Finish expands dependencies on groups to all members, and makes one endpoint
// of each virtual address. What a dependency names that nobody has read stays:
// the search for names reports it.
func (Reader) Finish(b *discover.Builder) {
	wanted := map[estate.Name][]estate.Name{}
	for _, w := range b.Workloads() {
		for _, on := range w.DependsOn {
			if b.Workload(on) == nil {
				wanted[on] = nil
			}
		}
	}
	if len(wanted) > 0 {
		members(b, wanted)
		for _, w := range b.Workloads() {
			expand(w, wanted)
		}
	}
	addresses(b)
}

// members fills in who is in each of the wanted groups.
func members(b *discover.Builder, wanted map[estate.Name][]estate.Name) {
	for _, w := range b.Workloads() {
		for g := parent(w.ID); ; g = parent(g) {
			if _, ok := wanted[g]; ok {
				wanted[g] = append(wanted[g], w.ID)
			}
			if g == "/" || g == "." {
				break
			}
		}
	}
}

func expand(w *estate.Workload, groups map[estate.Name][]estate.Name) {
	on := w.DependsOn
	if !slices.ContainsFunc(on, func(n estate.Name) bool { return len(groups[n]) > 0 }) {
		return
	}
	w.DependsOn = nil
	have := map[estate.Name]bool{w.ID: true}
	for _, n := range on {
		in := groups[n]
		if len(in) == 0 {
			in = []estate.Name{n}
		}
		for _, m := range in {
			if !have[m] {
				have[m] = true
				w.DependsOn = append(w.DependsOn, m)
			}
		}
	}
}

func inside(id, group estate.Name) bool {
	return id == group || group == "/" || strings.HasPrefix(string(id), string(group)+"/")
}
