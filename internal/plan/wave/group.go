package wave

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/plan"
	"github.com/tranship/tranship/internal/plan/policy"
)

// A graph holds what moves as groups, and which group needs which.
type graph struct {
	workloads []*estate.Workload // by ID
	at        map[estate.Name]int
	parent    []int // a union-find forest: the root is the least
	ties      []tie
	edges     [][2]int            // workload needs workload, sorted, each once
	of        []int               // workload to group
	lost      map[estate.Name]int // names that lead nowhere known
	// replaced are the frameworks that each calls: an operator takes their place.
	replaced map[estate.Name][]string
	groups   []group // by the first ID

	pilotReason plan.Reason
	pilotWhy    string
}

// A tie is why two workloads move together.
type tie struct {
	to     int
	reason plan.Reason
	bond   string
}

// A group is what moves together.
type group struct {
	members []int // workloads
	mode    plan.Mode
	reason  plan.Reason
	bonds   []string
	// needs and callers are groups.
	needs, callers []int
	height         int // of the longest chain that waits for it
	wave           int

	risk     int
	risks    []string
	traffic  evidence
	requests float64 // per second
}

func newGraph(e *estate.Estate, p *policy.Policy) (*graph, diag.List) {
	g := &graph{at: map[estate.Name]int{}, lost: map[estate.Name]int{}, replaced: map[estate.Name][]string{}}
	for i := range e.Workloads {
		if w := &e.Workloads[i]; plan.Moves(w, p) {
			g.workloads = append(g.workloads, w)
		}
	}
	slices.SortStableFunc(g.workloads, func(a, b *estate.Workload) int { return strings.Compare(string(a.ID), string(b.ID)) })
	g.workloads = slices.CompactFunc(g.workloads, func(a, b *estate.Workload) bool { return a.ID == b.ID })
	for i, w := range g.workloads {
		g.at[w.ID] = i
		g.parent = append(g.parent, i)
	}
	g.tie(e)
	g.connect(e)
	diags := g.contract()
	g.build()
	return g, diags
}

func (g *graph) find(i int) int {
	for g.parent[i] != i {
		g.parent[i] = g.parent[g.parent[i]]
		i = g.parent[i]
	}
	return i
}

func (g *graph) join(a, b int, why plan.Reason, bond string) {
	g.ties = append(g.ties, tie{a, why, bond})
	a, b = g.find(a), g.find(b)
	g.parent[max(a, b)] = min(a, b)
}

// tie joins what must move together.
func (g *graph) tie(e *estate.Estate) {
	first := map[string]int{}
	together := func(id estate.Name, why plan.Reason, bond string) {
		i, ok := g.at[id]
		if !ok {
			return
		}
		key := string(why) + " " + bond
		j, ok := first[key]
		if !ok {
			first[key] = i
		} else if i != j {
			g.join(i, j, why, bond)
		}
	}
	for i := range e.Endpoints {
		if ep := &e.Endpoints[i]; ep.Kind == estate.VirtualAddress {
			for _, b := range ep.Backends {
				together(b.Workload, plan.SharedAddress, ep.ID)
			}
		}
	}
	for _, w := range g.workloads {
		if w.BlueGreen != nil {
			together(w.ID, plan.BlueGreenPair, "pair "+w.BlueGreen.Group)
		}
		for i := range w.Volumes {
			switch v := &w.Volumes[i]; {
			case v.Kind == estate.ExternalVolume && v.Handle != "":
				together(w.ID, plan.SharedVolume, strings.TrimSpace("volume "+v.Driver+" "+v.Handle))
			case v.Shared && v.Kind == estate.PersistentVolume:
				together(w.ID, plan.SharedVolume, "volume "+v.Name+" of "+cmp.Or(string(w.Group), "/"))
			}
		}
	}
	for bond, ids := range g.locks() {
		for _, id := range ids {
			together(id, plan.SharedLock, bond)
		}
	}
}

// connect gathers which workload needs which.
func (g *graph) connect(e *estate.Estate) {
	frameworks := map[estate.Name]bool{}
	for i := range e.Workloads {
		frameworks[e.Workloads[i].ID] = e.Workloads[i].Kind == estate.Framework
	}
	add := func(from, to estate.Name) {
		a, ok := g.at[from]
		b, ok2 := g.at[to]
		if ok && ok2 && a != b {
			g.edges = append(g.edges, [2]int{a, b})
		}
	}
	for i := range e.Dependencies {
		d := &e.Dependencies[i]
		add(d.From, d.To)
		if d.Fate == estate.Unresolved {
			g.lost[d.From]++
		}
		if frameworks[d.To] && !slices.Contains(g.replaced[d.From], string(d.To)) {
			g.replaced[d.From] = append(g.replaced[d.From], string(d.To))
		}
	}
	for _, w := range g.workloads {
		for _, to := range w.DependsOn {
			add(w.ID, to)
		}
	}
	slices.SortFunc(g.edges, func(a, b [2]int) int { return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1])) })
	g.edges = slices.Compact(g.edges)
}

// contract joins the groups of each cycle.
func (g *graph) contract() diag.List {
	next := make([][]int, len(g.workloads))
	for _, x := range g.edges {
		if a, b := g.find(x[0]), g.find(x[1]); a != b {
			next[a] = append(next[a], b)
		}
	}
	for i := range next {
		slices.Sort(next[i])
		next[i] = slices.Compact(next[i])
	}
	var diags diag.List
	for _, cycle := range components(next) {
		slices.Sort(cycle)
		names := make([]string, len(cycle))
		for i, v := range cycle {
			names[i] = string(g.workloads[v].ID)
		}
		diags = append(diags, diag.Diagnostic{
			Code: Cycle, Severity: diag.Warning, Subject: "workload " + names[0],
			Problem: fmt.Sprintf("and %s need each other, and will move together", some(names[1:], 8)),
			Hint:    "break the circle, or make sure that one window suffices for all of them",
		})
		for _, v := range cycle[1:] {
			g.join(cycle[0], v, plan.InACycle, "")
		}
	}
	return diags
}

// build makes the groups of what was joined.
func (g *graph) build() {
	g.of = make([]int, len(g.workloads))
	for i, w := range g.workloads {
		r := g.find(i)
		if r == i {
			g.of[i] = len(g.groups)
			g.groups = append(g.groups, group{mode: plan.Plain, reason: plan.MoveAlone})
		}
		g.of[i] = g.of[r]
		x := &g.groups[g.of[i]]
		x.members = append(x.members, i)
		if m := modeOf(w); slices.Index(modes, m) > slices.Index(modes, x.mode) {
			x.mode = m
		}
	}
	for _, t := range g.ties {
		x := &g.groups[g.of[t.to]]
		if slices.Index(reasons, t.reason) > slices.Index(reasons, x.reason) {
			x.reason = t.reason
		}
		if t.bond != "" {
			x.bonds = append(x.bonds, t.bond)
		}
	}
	for _, e := range g.edges {
		if a, b := g.of[e[0]], g.of[e[1]]; a != b {
			g.groups[a].needs = append(g.groups[a].needs, b)
			g.groups[b].callers = append(g.groups[b].callers, a)
		}
	}
	for i := range g.groups {
		x := &g.groups[i]
		slices.Sort(x.bonds)
		x.bonds = slices.Compact(x.bonds)
		slices.Sort(x.needs)
		x.needs = slices.Compact(x.needs)
		slices.Sort(x.callers)
		x.callers = slices.Compact(x.callers)
	}
}

// The order in which a group takes a mode or a reason of one of its members:
// the last wins.
var (
	modes   = []plan.Mode{plan.Plain, plan.Shifted, plan.Stateful, plan.Exclusive}
	reasons = []plan.Reason{plan.MoveAlone, plan.SharedLock, plan.SharedAddress, plan.BlueGreenPair, plan.SharedVolume, plan.InACycle}
)

func modeOf(w *estate.Workload) plan.Mode {
	switch {
	case w.Kind == estate.Job || w.Kind == estate.Schedule || w.Singleton:
		return plan.Exclusive
	case w.Stateful:
		return plan.Stateful
	}
	for _, c := range w.Containers {
		if len(c.Ports) > 0 {
			return plan.Shifted
		}
	}
	return plan.Plain
}

// MoveGroup gives the group as the plan has it, once every group has its wave.
func (x *group) MoveGroup(g *graph, pilot bool) plan.MoveGroup {
	m := plan.MoveGroup{Mode: x.mode, Reason: x.reason, Risk: x.risk, Risks: x.risks}
	for _, i := range x.members {
		m.Workloads = append(m.Workloads, g.workloads[i].ID)
	}
	var why []string
	if len(x.members) > 1 {
		text := x.reason.Meaning()
		if len(x.bonds) > 0 {
			text += " (" + some(x.bonds, 3) + ")"
		}
		why = append(why, text)
	}
	names := make([]string, 0, min(len(x.needs), 4))
	for _, n := range x.needs[:min(len(x.needs), 4)] {
		names = append(names, fmt.Sprintf("%s (wave %d)", g.name(n), g.groups[n].wave))
	}
	if more := len(x.needs) - len(names); more > 0 {
		names = append(names, fmt.Sprintf("%d more", more))
	}
	switch {
	case len(names) > 0 && pilot:
		why = append(why, "calls back to "+listed(names)+" until they follow")
	case len(names) > 0:
		why = append(why, "comes after "+listed(names))
	default:
		why = append(why, "needs nothing that moves")
	}
	if n := len(x.callers); n > 0 {
		why = append(why, verb(n, "group", "waits", "wait")+" for it")
	}
	m.Why = strings.Join(why, "; ")
	return m
}

// name gives the first workload of a group.
func (g *graph) name(v int) string { return string(g.workloads[g.groups[v].members[0]].ID) }

// listed joins names as a sentence does.
func listed(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}

// some gives at most n of the names and how many there are beside.
func some(names []string, n int) string {
	if len(names) <= n {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:n], ", "), len(names)-n)
}
