// Package wave puts what moves together into move groups and these into waves.
// It takes an estate and a policy and gives the waves in their order. It never
// lets a workload move before one that it needs.
package wave

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/plan"
	"github.com/tranship/tranship/internal/plan/policy"
	"github.com/tranship/tranship/internal/plan/usage"
)

// Inputs are all that the waves follow from. Only Estate and Policy are needed.
type Inputs struct {
	Estate *estate.Estate
	Policy *policy.Policy
	// Sizes and Usage tell of traffic and load.
	Sizes []plan.Size
	Usage *usage.Set
	// Ledger holds the decisions that are open.
	Ledger []ledger.Entry
	// AsOf is the date of the plan, as 2006-01-02; without it there is no calendar.
	AsOf string
}

// Make puts all that moves into move groups and these into waves: a group
// comes after those it needs. Groups that need each other become one.
func Make(in Inputs) ([]plan.Wave, diag.List) {
	e, p := in.Estate, in.Policy
	g := graph{at: map[estate.Name]int{}}
	for i := range e.Workloads {
		if w := &e.Workloads[i]; plan.Moves(w, p) {
			g.at[w.ID] = len(g.workloads)
			g.workloads = append(g.workloads, w)
			g.parent = append(g.parent, len(g.parent))
			g.reason = append(g.reason, plan.MoveAlone)
		}
	}
	g.tie(e)
	g.edges(e)
	diags := g.contract()
	return g.waves(), diags
}

// A graph holds the workloads, what binds them into groups (a union-find
// forest) and which needs which.
type graph struct {
	workloads []*estate.Workload
	at        map[estate.Name]int
	parent    []int
	reason    []plan.Reason
	needs     map[int][]int // by group, once contracted; by workload before
}

func (g *graph) find(i int) int {
	for g.parent[i] != i {
		g.parent[i] = g.parent[g.parent[i]]
		i = g.parent[i]
	}
	return i
}

func (g *graph) join(a, b int, why plan.Reason) {
	a, b = g.find(a), g.find(b)
	if a == b {
		return
	}
	if a > b {
		a, b = b, a
	}
	g.parent[b] = a
	g.reason[a] = why
}

// tie joins what must move together.
func (g *graph) tie(e *estate.Estate) {
	first := map[string]int{}
	together := func(key string, id estate.Name, why plan.Reason) {
		i, ok := g.at[id]
		if !ok {
			return
		}
		if j, ok := first[key]; ok {
			g.join(i, j, why)
			return
		}
		first[key] = i
	}
	for _, ep := range e.Endpoints {
		if ep.Kind == estate.VirtualAddress {
			for _, b := range ep.Backends {
				together("address "+ep.ID, b.Workload, plan.SharedAddress)
			}
		}
	}
	for _, w := range g.workloads {
		if w.BlueGreen != nil {
			together("pair "+w.BlueGreen.Group, w.ID, plan.BlueGreenPair)
		}
		for _, v := range w.Volumes {
			switch {
			case v.Kind == estate.ExternalVolume && v.Handle != "":
				together("volume "+v.Driver+" "+v.Handle, w.ID, plan.SharedVolume)
			case v.Shared && v.Kind == estate.PersistentVolume:
				together("volume "+string(w.Group)+" "+v.Name, w.ID, plan.SharedVolume)
			}
		}
	}
}

func (g *graph) edges(e *estate.Estate) {
	g.needs = map[int][]int{}
	for _, d := range e.Dependencies {
		from, ok := g.at[d.From]
		to, ok2 := g.at[d.To]
		if ok && ok2 && from != to {
			g.needs[from] = append(g.needs[from], to)
		}
	}
}

// contract joins the groups of each cycle (Tarjan's strongly connected
// components, without recursion) and then lets needs hold groups.
func (g *graph) contract() diag.List {
	n := len(g.workloads)
	byGroup := map[int][]int{}
	for i := range n {
		for _, j := range g.needs[i] {
			if a, b := g.find(i), g.find(j); a != b {
				byGroup[a] = append(byGroup[a], b)
			}
		}
	}
	var diags diag.List
	for _, cycle := range components(n, byGroup) {
		names := make([]string, len(cycle))
		for i, v := range cycle {
			names[i] = string(g.workloads[v].ID)
		}
		slices.Sort(names)
		diags = append(diags, diag.Diagnostic{
			Code: Cycle, Severity: diag.Warning, Subject: "workload " + names[0],
			Problem: fmt.Sprintf("and %s need each other, and will move together", strings.Join(names[1:], ", ")),
			Hint:    "break the circle, or make sure that one window suffices for all of them",
		})
		for _, v := range cycle[1:] {
			g.join(cycle[0], v, plan.InACycle)
		}
	}
	g.needs = map[int][]int{}
	for a, bs := range byGroup {
		for _, b := range bs {
			if x, y := g.find(a), g.find(b); x != y {
				g.needs[x] = append(g.needs[x], y)
			}
		}
	}
	return diags
}

// components gives the strongly connected components of more than one node.
func components(n int, next map[int][]int) [][]int {
	index, low := make([]int, n), make([]int, n)
	on := make([]bool, n)
	var stack []int
	var out [][]int
	count := 0
	type frame struct{ v, i int }
	for root := range n {
		if index[root] != 0 {
			continue
		}
		work := []frame{{root, 0}}
		for len(work) > 0 {
			f := &work[len(work)-1]
			if f.i == 0 {
				count++
				index[f.v], low[f.v] = count, count
				stack, on[f.v] = append(stack, f.v), true
			}
			if f.i < len(next[f.v]) {
				w := next[f.v][f.i]
				f.i++
				switch {
				case index[w] == 0:
					work = append(work, frame{w, 0})
				case on[w]:
					low[f.v] = min(low[f.v], index[w])
				}
				continue
			}
			v := f.v
			work = work[:len(work)-1]
			if len(work) > 0 {
				low[work[len(work)-1].v] = min(low[work[len(work)-1].v], low[v])
			}
			if low[v] != index[v] {
				continue
			}
			at := len(stack) - 1
			for stack[at] != v {
				at--
			}
			if c := slices.Clone(stack[at:]); len(c) > 1 {
				out = append(out, c)
			}
			for _, w := range stack[at:] {
				on[w] = false
			}
			stack = stack[:at]
		}
	}
	return out
}

// waves gives level after level: a group's wave is one after the last of those
// that it needs.
func (g *graph) waves() []plan.Wave {
	members := map[int][]int{}
	for i := range g.workloads {
		members[g.find(i)] = append(members[g.find(i)], i)
	}
	level := map[int]int{}
	var depth func(r int) int
	depth = func(r int) int {
		if l, ok := level[r]; ok {
			return l
		}
		l := 1
		for _, s := range g.needs[r] {
			l = max(l, depth(s)+1)
		}
		level[r] = l
		return l
	}
	byWave := map[int][]plan.MoveGroup{}
	last := 0
	for r, ms := range members {
		l := depth(r)
		last = max(last, l)
		byWave[l] = append(byWave[l], g.group(r, ms))
	}
	out := make([]plan.Wave, 0, last)
	for n := 1; n <= last; n++ {
		groups := byWave[n]
		slices.SortFunc(groups, func(a, b plan.MoveGroup) int {
			return strings.Compare(string(a.Workloads[0]), string(b.Workloads[0]))
		})
		why := plan.AfterNeeds
		if n == 1 {
			why = plan.Independent
		}
		out = append(out, plan.Wave{Number: n, Groups: groups, Reason: why})
	}
	return out
}

func (g *graph) group(root int, members []int) plan.MoveGroup {
	m := plan.MoveGroup{Mode: plan.Plain, Reason: g.reason[root]}
	order := []plan.Mode{plan.Plain, plan.Shifted, plan.Stateful, plan.Exclusive}
	for _, i := range members {
		w := g.workloads[i]
		m.Workloads = append(m.Workloads, w.ID)
		if mode := modeOf(w); cmp.Compare(slices.Index(order, mode), slices.Index(order, m.Mode)) > 0 {
			m.Mode = mode
		}
	}
	slices.Sort(m.Workloads)
	return m
}

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
