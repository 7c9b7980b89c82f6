package fit

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/plan"
	"github.com/tranship/tranship/internal/plan/policy"
)

// targetZones are the zones that nodes spread over: those of policy, or those
// that hosts were in, or the first three of the region.
func targetZones(in *Inputs) []string {
	t := &in.Policy.Spec.Target
	if len(t.Zones) > 0 {
		return slices.Compact(slices.Sorted(slices.Values(t.Zones)))
	}
	region := cmp.Or(t.Region, in.Catalog.Region, "us-east-1")
	seen := map[string]bool{}
	for i := range in.Estate.Hosts {
		z := in.Estate.Hosts[i].Zone
		if z = cmp.Or(in.Policy.Spec.Nodes.Zones[z], z); strings.HasPrefix(z, region) && len(z) > len(region) {
			seen[z] = true
		}
	}
	if len(seen) > 1 {
		return slices.Sorted(maps.Keys(seen))
	}
	return []string{region + "a", region + "b", region + "c"}
}

var architectures = map[string]string{"x86_64": "amd64", "aarch64": "arm64"}

// constraint takes one constraint into account. What it gives is a
// contradiction and what to do about it.
func (d *demand) constraint(x *want, k *estate.Constraint) (problem, hint string) {
	nodes := &d.in.Policy.Spec.Nodes
	attribute := k.Attribute
	if attribute == "hostname" && nodes.Labels[attribute] != "" && k.Rule != estate.Apart && k.Rule != estate.AtMost && k.Rule != estate.Spread {
		attribute = "hostname by label"
	}
	switch attribute {
	case "hostname":
		d.byNode(x, k)
		return "", ""
	case "@zone":
		return d.byZone(x, k)
	case "@region":
		return d.byRegion(x, k)
	case "@arch":
		return x.byArch(k)
	case "@os":
		return "", ""
	}
	d.byLabel(x, k)
	return "", ""
}

// byNode keeps copies apart or together by node.
func (d *demand) byNode(x *want, k *estate.Constraint) {
	switch {
	case k.Soft && (k.Rule == estate.Apart || k.Rule == estate.AtMost && k.Count == 1):
		x.wishes = true
	case k.Rule == estate.Together && !k.Soft:
		x.together = true
	case k.Rule == estate.In && !k.Soft:
		d.force(x, k, "names hosts of the old world ("+strings.Join(k.Values, ", ")+"): it may run on any node",
			"give a label in their place (spec.nodes.labels, hostname), or take the constraint off")
	case k.Rule == estate.Apart, k.Rule == estate.AtMost, k.Rule == estate.Spread:
		x.apart(k, false)
	}
}

// apart adds a rule for a constraint that keeps copies apart, as the manifests
// say it.
func (x *want) apart(k *estate.Constraint, zone bool) {
	r := rule{source: k.Source, zone: zone, soft: k.Soft}
	switch {
	case k.Rule == estate.Apart || k.Rule == estate.AtMost && k.Count == 1:
		r.apart = !k.Soft
		if k.Soft {
			return
		}
	case k.Rule == estate.AtMost && x.count > k.Count:
		r.domains = (x.count + k.Count - 1) / max(k.Count, 1)
	case k.Rule == estate.Spread:
		r.domains = k.Count
		if k.Soft {
			r.domains = 0
		}
	default:
		return
	}
	x.rules = append(x.rules, r)
}

func (d *demand) byZone(x *want, k *estate.Constraint) (problem, hint string) {
	if k.Rule != estate.In && k.Rule != estate.NotIn {
		if k.Rule == estate.Together && !k.Soft {
			x.zones = d.zone(x.zones, func(z string) bool { return z == d.zones[0] })
			return "", ""
		}
		x.apart(k, true)
		return "", ""
	}
	if k.Soft {
		return "", ""
	}
	named := map[string]bool{}
	for _, v := range k.Values {
		named[cmp.Or(d.in.Policy.Spec.Nodes.Zones[v], v)] = true
	}
	x.zones = d.zone(x.zones, func(z string) bool { return named[z] == (k.Rule == estate.In) })
	if !slices.Contains(x.zones, true) {
		return "asks for " + k.Source + ", and the nodes are in " + strings.Join(d.zones, ", "),
			"say what its zones are called now (spec.nodes.zones), or which zones to use (spec.target.zones)"
	}
	return "", ""
}

// zone narrows a choice of zones.
func (d *demand) zone(was []bool, holds func(string) bool) []bool {
	out := make([]bool, len(d.zones))
	for i, z := range d.zones {
		out[i] = holds(z) && (was == nil || was[i])
	}
	return out
}

func (d *demand) byRegion(x *want, k *estate.Constraint) (problem, hint string) {
	region := cmp.Or(d.in.Policy.Spec.Target.Region, d.in.Catalog.Region)
	if k.Soft {
		return "", ""
	}
	switch k.Rule {
	case estate.In, estate.NotIn:
		here := slices.ContainsFunc(k.Values, func(v string) bool { return cmp.Or(d.in.Policy.Spec.Nodes.Regions[v], v) == region })
		if here != (k.Rule == estate.In) {
			return "asks for " + k.Source + ", and the nodes are in " + region, "say what its region is called now (spec.nodes.regions)"
		}
	case estate.Apart, estate.Spread, estate.AtMost:
		if x.count > 1 {
			d.force(x, k, "asks for several regions, and all nodes are in "+region, "plan each region on its own, or take the constraint off")
		}
	}
	return "", ""
}

func (x *want) byArch(k *estate.Constraint) (problem, hint string) {
	if k.Soft || k.Rule != estate.In && k.Rule != estate.NotIn {
		return "", ""
	}
	x.archs = slices.DeleteFunc(x.archs, func(arch string) bool {
		named := slices.ContainsFunc(k.Values, func(v string) bool { return cmp.Or(architectures[strings.ToLower(v)], v) == arch })
		return named != (k.Rule == estate.In)
	})
	if len(x.archs) == 0 {
		return "asks for " + k.Source + ", which is none of the architectures that policy allows", "name it in spec.target.architectures"
	}
	return "", ""
}

// byLabel turns an attribute of hosts into a label of nodes.
func (d *demand) byLabel(x *want, k *estate.Constraint) {
	if k.Soft {
		return
	}
	key := labelKey(&d.in.Policy.Spec.Nodes, k.Attribute)
	switch k.Rule {
	case estate.In, estate.NotIn:
		if len(k.Values) == 0 {
			return // the manifests keep it as a note
		}
		r := labelRule{key: key, not: k.Rule == estate.NotIn}
		for _, v := range k.Values {
			r.values = append(r.values, labelValue(scalar(v)))
		}
		x.labels = append(x.labels, r)
	case estate.Exists, estate.Together:
		x.labels = append(x.labels, labelRule{key: key})
	case estate.Spread, estate.AtMost:
		if k.Rule == estate.AtMost && (k.Count == 1 || x.count <= k.Count) {
			return
		}
		x.labels = append(x.labels, labelRule{key: key})
		d.force(x, k, "spreads over "+k.Attribute+", of which nodes have one value only", "spread over @zone or hostname instead")
	case estate.Apart:
		d.report(NoPlace, diag.Warning, x.w, "asks for "+k.Source+", and nodes have no "+k.Attribute+": it is planned without",
			"keep copies apart by hostname or @zone instead")
	}
}

// force lets go of a constraint from the start.
func (d *demand) force(x *want, k *estate.Constraint, why, hint string) {
	x.forced = append(x.forced, plan.Bent{Workload: x.w.ID, Constraint: k.Source, Why: why})
	d.report(NoPlace, diag.Warning, x.w, "asks for "+k.Source+", which "+why, hint)
}

// roles asks for the nodes that take the place of hosts reserved for a role.
func (x *want) roles(p *policy.Policy) {
	if slices.Contains(x.w.AcceptedRoles, "*") {
		return
	}
	for _, r := range x.w.AcceptedRoles {
		if key, value, ok := strings.Cut(p.Spec.Nodes.Roles[r], "="); ok && key != "" {
			x.labels = append(x.labels, labelRule{key: key, values: []string{value}})
		}
	}
}

// contradiction finds rules that no nodes can meet together.
func (x *want) contradiction() string {
	if x.together && x.count > 1 {
		for _, r := range x.rules {
			if r.apart || r.domains > 1 && !r.soft {
				return fmt.Sprintf("wants all copies on one node and asks for %s", r.source)
			}
		}
		if len(x.ports) > 0 {
			return fmt.Sprintf("wants all %d copies on one node, where only one can have port %s", x.count, x.ports[0])
		}
	}
	if x.zones != nil {
		open := 0
		for _, ok := range x.zones {
			if ok {
				open++
			}
		}
		for _, r := range x.rules {
			if n := r.domains; r.zone && !r.soft && (r.apart && x.count > open || min(n, x.count) > open) {
				return fmt.Sprintf("may run in %d zones and asks for %s with %d copies", open, r.source, x.count)
			}
		}
	}
	if len(x.labels) > 0 && x.labels.choose() == nil {
		return "asks for " + x.labels.String() + ", which no node can have at once"
	}
	return ""
}
