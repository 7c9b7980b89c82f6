package cluster

import (
	"cmp"
	"slices"
	"strings"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/render/manifest/naming"
)

// A Place is where a workload's objects are.
type Place struct {
	Namespace string
	Name      string
	// Headless is the Service that names each copy of a StatefulSet.
	Headless string
	// Aliases are Services for further names that others call it by.
	Aliases []string
}

// Place gives a workload's place.
func (c *Cluster) Place(id estate.Name) Place { return c.places[id] }

// EdgeNamespace is where Gateways are.
func (c *Cluster) EdgeNamespace() string {
	return naming.DNS(cmp.Or(c.Policy.Spec.Edge.Namespace, "edge"), naming.Label)
}

// place names every workload.
func (c *Cluster) place() {
	texts := map[string]bool{}
	wanted := make([]string, len(c.Estate.Workloads))
	for i := range c.Estate.Workloads {
		wanted[i] = c.namespaceText(&c.Estate.Workloads[i])
		texts[wanted[i]] = true
	}
	spaces := c.grantNamespaces(texts)
	wishes := map[string][]naming.Wish{}
	index := map[string][]int{}
	for i := range c.Estate.Workloads {
		w := &c.Estate.Workloads[i]
		ns := spaces[wanted[i]]
		raw := c.nameText(w, wanted[i])
		limit := naming.Label
		if w.Kind == estate.Schedule || w.Kind == estate.Job || IsStateful(w) {
			limit = naming.Short
		}
		name := naming.DNS(raw, limit)
		wishes[ns] = append(wishes[ns], naming.Wish{
			Text: string(w.ID), Name: name, Limit: limit, Exact: raw == name,
		})
		index[ns] = append(index[ns], i)
	}
	for ns, list := range wishes {
		set := naming.Set{}
		c.used[ns] = set
		for j, name := range set.Grant(list) {
			w := &c.Estate.Workloads[index[ns][j]]
			c.places[w.ID] = Place{Namespace: ns, Name: name}
		}
	}
	c.aliases()
	for i := range c.Estate.Workloads {
		w := &c.Estate.Workloads[i]
		raw := c.nameText(w, wanted[i])
		if got := c.places[w.ID].Name; got != naming.DNS(raw, naming.Label) && c.Renders(w) {
			c.Note(w, NameChanged, "is named "+got+", as its own name is too long or taken by another",
				"set spec.workloads."+string(w.ID)+".name in tranship.yaml for another")
		}
	}
}

// grantNamespaces gives each text its namespace; two texts never share one.
func (c *Cluster) grantNamespaces(texts map[string]bool) map[string]string {
	all := make([]string, 0, len(texts))
	for t := range texts {
		all = append(all, t)
	}
	slices.Sort(all)
	set := naming.Set{}
	wishes := make([]naming.Wish, len(all))
	for i, t := range all {
		name := naming.DNS(t, naming.Label)
		if strings.HasPrefix(name, "kube-") {
			name = naming.DNS("apps-"+name, naming.Label)
		}
		wishes[i] = naming.Wish{Text: t, Name: name, Exact: t == name, Limit: naming.Label}
	}
	out := map[string]string{}
	for i, name := range set.Grant(wishes) {
		out[all[i]] = name
	}
	return out
}

// groupsOf gives the groups above a workload.
func groupsOf(w *estate.Workload) []string {
	id := strings.Trim(string(w.ID), "/")
	parts := strings.Split(id, "/")
	if len(parts) > 1 {
		return parts[:len(parts)-1]
	}
	if g := strings.Trim(string(w.Group), "/"); g != "" {
		return strings.Split(g, "/")
	}
	return nil
}

func (c *Cluster) namespaceText(w *estate.Workload) string {
	if ns := c.Policy.For(w.ID).Namespace; ns != "" {
		return ns
	}
	spec := &c.Policy.Spec.Namespaces
	groups := groupsOf(w)
	for n := len(groups); n >= 0; n-- {
		path := "/" + strings.Join(groups[:n], "/")
		if ns := spec.Map[path]; ns != "" {
			return ns
		}
		if ns := spec.Map[strings.TrimPrefix(path, "/")]; ns != "" && n > 0 {
			return ns
		}
	}
	def := cmp.Or(spec.Default, "default")
	switch {
	case len(groups) == 0 || spec.By == "one":
		return def
	case spec.By == "group":
		return strings.Join(groups, "-")
	}
	return groups[0]
}

// nameText gives the part of a workload's ID that its namespace does not say.
// One with a slash in it is not exact: "/a/b" gives way to "/a-b".
func (c *Cluster) nameText(w *estate.Workload, namespace string) string {
	if n := c.Policy.For(w.ID).Name; n != "" {
		return n
	}
	id := strings.Trim(string(w.ID), "/")
	groups := groupsOf(w)
	said := groups
	if c.Policy.Spec.Namespaces.By != "group" && len(groups) > 0 {
		said = groups[:1]
	}
	if len(said) == 0 || strings.Join(said, "-") != namespace {
		return id
	}
	for _, between := range []string{"/", "."} {
		if rest, ok := strings.CutPrefix(id, strings.Join(said, between)+between); ok && rest != "" {
			return rest
		}
	}
	return id
}

// aliases names the further Services of workloads.
func (c *Cluster) aliases() {
	for i := range c.Estate.Workloads {
		w := &c.Estate.Workloads[i]
		if !c.Renders(w) {
			continue
		}
		p := c.places[w.ID]
		if IsStateful(w) {
			p.Headless = c.TakeService(p.Namespace, naming.Join(naming.Label, p.Name, "headless"), string(w.ID)+" headless")
		}
		for _, n := range w.Networks {
			for _, alias := range n.Aliases {
				name := naming.DNS(alias, naming.Label)
				if name == p.Name || slices.Contains(p.Aliases, name) {
					continue
				}
				if c.used[p.Namespace][name] {
					c.Note(w, NameChanged, "is called "+alias+" too, a name that another Service has", "clients must use "+p.Name)
					continue
				}
				p.Aliases = append(p.Aliases, c.TakeService(p.Namespace, name, alias))
			}
		}
		c.places[w.ID] = p
	}
}

// TakeService takes a name for a Service in a namespace.
func (c *Cluster) TakeService(ns, name, text string) string {
	if c.used[ns] == nil {
		c.used[ns] = naming.Set{}
	}
	return c.used[ns].Take(name, text, naming.Label)
}

// Skipped gives the workloads that become no objects, with the reason.
func (c *Cluster) Skipped() diag.List {
	var list diag.List
	for i := range c.Estate.Workloads {
		w := &c.Estate.Workloads[i]
		d := diag.Diagnostic{Severity: diag.Note, Pos: diag.Pos{File: w.Origin.File}, Subject: "workload " + string(w.ID)}
		switch {
		case c.Policy.For(w.ID).Skip:
			d.Code, d.Problem = SkippedByPolicy, "is left out, as tranship.yaml says"
			d.Hint = "it stays where it is"
		case w.Kind == estate.Framework:
			d.Code, d.Problem = ReplacedByOperator, "schedules tasks of its own, and is not rendered"
			d.Hint = "an operator takes its place"
		case w.Kind == estate.Infrastructure:
			d.Code, d.Problem = PartOfOldPlatform, "is part of the old platform, and is not rendered"
			d.Hint = "the cluster has its own"
		case len(w.Containers) == 0:
			d.Code, d.Problem = NothingRuns, "has no container, and is not rendered"
			d.Hint = "correct the definition"
			d.Severity = diag.Warning
		default:
			continue
		}
		if o := w.Operator; o != nil && d.Code != SkippedByPolicy {
			d.Hint = o.Name + ": " + o.Advice
		}
		list = append(list, d)
	}
	return list
}
