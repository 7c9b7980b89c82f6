package fit

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tranship/tranship/internal/base/binpack"
	"github.com/tranship/tranship/internal/base/binpack/failure"
	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/plan"
	"github.com/tranship/tranship/internal/plan/fit/mix"
	"github.com/tranship/tranship/internal/plan/fit/peak"
	"github.com/tranship/tranship/internal/plan/fit/replay"
)

// A group is the wants of one class with what they may run on.
type group struct {
	d       *demand
	class   class
	wants   []*want
	total   vector
	choices []choice // none that another one beats
	dims    []int    // that some want asks for
	// ports numbers the ports of nodes.
	ports map[string]int

	none   binpack.Result // packed without survival
	safe   failure.Result
	answer mix.Answer
	floor  int64 // no nodes that do cost less, by their sums; 0 where not known
	// parted are the groups that take its place, each with nodes of its own:
	// itself where that is the cheapest.
	parted []*group
}

// take gives the group its wants.
func (g *group) take(wants []*want) {
	g.wants, g.total = wants, vector{}
	for _, x := range wants {
		g.total = g.total.plus(x.size, int64(x.count))
	}
}

// groups sorts the wants into classes; what nothing is sold for is reported.
func (d *demand) groups() []*group {
	by := map[class][]*want{}
	for _, x := range d.wants {
		by[x.class] = append(by[x.class], x)
	}
	// Spot pools that cannot be had are bought on demand.
	for _, k := range sorted(by) {
		if k.purchase == plan.Spot && len(d.choices(k, vector{})) == 0 {
			d.diags = append(d.diags, diag.Diagnostic{
				Code: NoType, Severity: diag.Warning, Subject: "policy",
				Problem: fmt.Sprintf("allows no spot types for %d workloads: they are planned on demand", len(by[k])),
				Hint:    "allow more families (spec.target.families), a worse band of interruptions (spec.buying.interruptBand) or fewer types (spec.buying.spotTypes)",
			})
			for _, x := range by[k] {
				x.class.purchase = plan.OnDemand
				x.explain(d.in.Policy)
				by[x.class] = append(by[x.class], x)
			}
			delete(by, k)
		}
	}
	var out []*group
	for _, k := range sorted(by) {
		slices.SortFunc(by[k], func(a, b *want) int { return strings.Compare(string(a.w.ID), string(b.w.ID)) })
		if g := d.group(k, by[k]); g != nil {
			out = append(out, g)
		}
	}
	return out
}

func sorted(by map[class][]*want) []class {
	return slices.SortedFunc(maps.Keys(by), func(a, b class) int {
		return cmp.Or(strings.Compare(string(a.purchase), string(b.purchase)), strings.Compare(a.name(), b.name()),
			strings.Compare(a.labels, b.labels), strings.Compare(a.arch, b.arch))
	})
}

// group gives the class with the wants that fit some type; nil for none.
func (d *demand) group(k class, wants []*want) *group {
	g := &group{d: d, class: k, ports: map[string]int{}}
	mean := vector{}
	for _, x := range wants {
		mean = mean.plus(x.size, int64(x.count))
	}
	all := d.choices(k, mean)
	if len(all) == 0 {
		d.noType(k, wants)
		return nil
	}
	for _, x := range wants {
		if c, short := fitsSome(x.piece(), all, d.system); c == nil {
			g.wants = append(g.wants, x)
		} else {
			d.tooLarge(x, c, short)
		}
	}
	if len(g.wants) == 0 {
		return nil
	}
	g.take(g.wants)
	for dim := range g.total {
		if g.total[dim] > 0 || dim < inPods {
			g.dims = append(g.dims, dim)
		}
	}
	g.choices = pruned(g.usable(all), d.system)
	return g
}

// usable leaves out dimensions that nobody asks for, so that a choice is not
// kept for them.
func (g *group) usable(all []choice) []choice {
	out := slices.Clone(all)
	for i := range out {
		for dim := range out[i].room {
			if !slices.Contains(g.dims, dim) {
				out[i].room[dim] = 0
			}
		}
	}
	return out
}

// fitsSome reports whether one copy fits an empty node of some choice: nil if
// so, or else the choice that comes nearest and the dimension that is short.
func fitsSome(size vector, all []choice, system vector) (nearest *choice, short int) {
	best := -1.0
	for i := range all {
		c := &all[i]
		worst, at := 0.0, 0
		for d, x := range size {
			if x <= 0 {
				continue
			}
			if over := float64(x) / float64(max(c.room[d]-system[d], 1)); over > worst {
				worst, at = over, d
			}
		}
		if worst <= 1 {
			return nil, 0
		}
		if best < 0 || worst < best {
			nearest, short, best = c, at, worst
		}
	}
	return nearest, short
}

func (d *demand) tooLarge(x *want, c *choice, short int) {
	room := c.room[short] - d.system[short]
	hint := "raise spec.target.maxVCPU or allow more families (spec.target.families), or split the workload"
	switch short {
	case inEphemeral:
		hint = "raise spec.target.rootVolume"
	case inGPUs, inVolumes:
		hint = "allow larger types (spec.target.maxVCPU, spec.target.types), or split the workload"
	}
	what := "a copy"
	if x.together && x.count > 1 {
		what = fmt.Sprintf("for its %d copies together", x.count)
	}
	d.report(FitsNothing, diag.Error, x.w, fmt.Sprintf("asks for %s %s, and %s, the nearest of the allowed types, has %s left beside DaemonSets: it is left out",
		amount(short, x.piece()[short]), what, c.name(), amount(short, max(room, 0))), hint)
}

// amount gives a quantity in its unit.
func amount(dim int, n int64) string {
	switch dim {
	case inCPU:
		return unit.CPU(n).String() + " CPU"
	case inMemory, inEphemeral:
		return (unit.Bytes(n) * unit.MiB).String() + " " + dimensionNames[dim]
	}
	return fmt.Sprintf("%d %s", n, dimensionNames[dim])
}

func (d *demand) noType(k class, wants []*want) {
	what := "the policy's families, generations, sizes and patterns"
	switch {
	case k.gpu:
		what = "types with GPUs"
	case k.disk:
		what = "types with local NVMe"
	}
	ids := make([]string, 0, len(wants))
	for _, x := range wants {
		ids = append(ids, string(x.w.ID))
	}
	d.diags = append(d.diags, diag.Diagnostic{
		Code: NoType, Severity: diag.Error, Subject: "policy",
		Problem: fmt.Sprintf("leaves no instance type for %s: none of %s is on the price list for %s", strings.Join(some(ids), ", "), what, strings.ReplaceAll(k.arch, ",", " or ")),
		Hint:    "widen spec.target.families, minGeneration, maxVCPU, types or architectures, or import a fuller list with tranship prices import",
	})
}

// some shortens a list for a sentence.
func some(ids []string) []string {
	if len(ids) <= 3 {
		return ids
	}
	return append(slices.Clone(ids[:3]), fmt.Sprintf("%d more", len(ids)-3))
}

// problem is the group as a packing problem over some choices. Rules that may
// bend after a loss are left out of it where there is one.
func (g *group) problem(all []choice, level mix.Level) binpack.Problem {
	p := binpack.Problem{Dimensions: len(g.dims)}
	for i := range all {
		room := make([]int64, len(g.dims))
		for j, dim := range g.dims {
			room[j] = max(all[i].room[dim]-g.d.system[dim], 0)
		}
		p.Types = append(p.Types, binpack.Type{Capacity: room, Price: binpack.Price(all[i].price)})
	}
	groups, same := map[string]int{}, map[vector]int{}
	for _, x := range g.wants {
		times, count := int64(1), x.count
		if x.together {
			times, count = int64(x.count), 1
		}
		item := binpack.Item{Size: make([]int64, len(g.dims)), Count: count}
		for j, dim := range g.dims {
			item.Size[j] = x.size[dim] * times
		}
		if level == mix.None || !g.bends() {
			for _, r := range x.rules {
				if r.apart && !r.zone {
					item.MaxPerBin = 1
				}
			}
		}
		for _, port := range x.ports {
			if _, ok := groups[port]; !ok {
				groups[port] = len(p.Groups)
				p.Groups = append(p.Groups, binpack.Group{MaxPerBin: 1})
			}
			item.Groups = append(item.Groups, groups[port])
		}
		if item.MaxPerBin == 0 && len(item.Groups) == 0 {
			// Workloads of one size are one item: names do not matter here.
			if i, ok := same[x.size]; ok && times == 1 {
				p.Items[i].Count += count
				continue
			} else if times == 1 {
				same[x.size] = len(p.Items)
			}
		}
		p.Items = append(p.Items, item)
	}
	return p
}

// bends reports whether rules give way to survival.
func (g *group) bends() bool { return g.d.in.Policy.Spec.Target.Apart != "keep" }

// mixProblem is the group as the scheduler sees it.
func (g *group) mixProblem(level mix.Level) mix.Problem {
	p := mix.Problem{Zones: len(g.d.zones), Level: level, First: g.pinned()}
	if g.d.in.Tails != nil {
		rule := g.peaks()
		p.Accept, p.Load = rule.Holds, rule.Load
	}
	for i := range g.choices {
		c := &g.choices[i]
		p.Types = append(p.Types, mix.Type{Room: g.project(c.room), System: g.project(g.d.system), Price: int64(c.price)})
	}
	for _, x := range g.wants {
		pod := mix.Pod{Strict: g.pod(x, strict)}
		pod.Nodes, pod.Zones = x.places()
		pod.Zones = min(pod.Zones, len(g.d.zones))
		hard := func(r rule) bool { return !r.soft && (r.apart || r.domains > 0) }
		if g.bends() && slices.ContainsFunc(x.rules, hard) {
			pod.Bent = append(pod.Bent, g.pod(x, even))
			if slices.ContainsFunc(x.rules, func(r rule) bool { return hard(r) && r.zone }) {
				pod.Bent = append(pod.Bent, g.pod(x, wished))
			}
		}
		// A zone that does not exist twice cannot be waited out.
		pod.Strict.Waits = x.zones != nil && (g.bends() || level == mix.Zone) || x.disk() && level == mix.Zone
		pod.Strict.Disk = x.disk()
		for i := range pod.Bent {
			pod.Bent[i].Waits, pod.Bent[i].Disk = pod.Strict.Waits, pod.Strict.Disk
		}
		p.Pods = append(p.Pods, pod)
	}
	return p
}

// pinned are the zones that constraints name, the most named first.
func (g *group) pinned() []int {
	votes := make([]int, len(g.d.zones))
	for _, x := range g.wants {
		for z, ok := range x.zones {
			if ok {
				votes[z] += x.count
			}
		}
	}
	var out []int
	for z := range votes {
		if votes[z] > 0 {
			out = append(out, z)
		}
	}
	slices.SortStableFunc(out, func(a, b int) int { return cmp.Compare(votes[b], votes[a]) })
	return out
}

func (g *group) pod(x *want, how bending) replay.Pod {
	p := x.pod(g.ports, how, g.d.in.Policy.Spec.Pods.DisruptionBudget != "none")
	p.Size = g.project(x.size)
	return p
}

func (g *group) project(v vector) []int64 {
	out := make([]int64, 0, len(g.dims))
	for _, dim := range g.dims {
		out = append(out, v[dim])
	}
	return out
}

// level gives policy's level of survival, a node by default.
func level(in *Inputs) (plan.SurvivalLevel, mix.Level) {
	switch in.Policy.Spec.Target.Survive {
	case "none":
		return plan.SurviveNone, mix.None
	case "zone":
		return plan.SurviveZone, mix.Zone
	}
	return plan.SurviveNode, mix.Node
}

// peaks is the rule on joint peaks for the group.
func (g *group) peaks() *peak.Rule {
	r := &peak.Rule{Tails: g.d.in.Tails, Quick: g.d.quick, Allowed: overload(g.d.in), Factor: g.d.factor}
	for _, x := range g.wants {
		r.Pods = append(r.Pods, x.w.ID)
	}
	return r
}

// overload is how often a node's pods may need more CPU than it has.
func overload(in *Inputs) float64 {
	if x := in.Policy.Spec.Sizing.Overload; x != nil {
		return *x
	}
	return 0.005
}

func (g *group) names(list []replay.Load) []estate.Name {
	var out []estate.Name
	for _, l := range list {
		out = append(out, g.wants[l.Pod].w.ID)
	}
	return out
}
