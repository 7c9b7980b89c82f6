package names

import (
	"cmp"
	"slices"
	"strings"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/discover"
	"github.com/tranship/tranship/internal/estate"
)

// declared makes edges of what definitions say that they need. The name of a
// group stands for all workloads in it.
func (s *search) declared() {
	groups := s.groups()
	e := s.b.Estate()
	for _, w := range s.b.Workloads() {
		for _, id := range w.DependsOn {
			d := estate.Dependency{From: w.ID, Way: estate.Declared, At: w.Origin}
			switch members := groups[id]; {
			case s.b.Workload(id) != nil:
				d.To = id
				e.Dependencies = append(e.Dependencies, d)
			case len(members) > 0:
				for _, m := range members {
					if d.To = m; m != w.ID {
						e.Dependencies = append(e.Dependencies, d)
					}
				}
			default:
				d.Match, d.Fate, d.Why = string(id), estate.Unresolved, "no workload and no group has that ID"
				e.Dependencies = append(e.Dependencies, d)
				s.b.Report(diag.Diagnostic{
					Code: UnknownDependency, Severity: diag.Warning, Pos: diag.Pos{File: w.Origin.File},
					Subject: discover.Subject("workload", w.ID), Problem: "depends on " + string(id) + ", which was not read",
					Hint: "export it too, or delete the dependency",
				})
			}
		}
	}
}

// groups gives the members of every group that somebody depends on.
func (s *search) groups() map[estate.Name][]estate.Name {
	wanted := map[estate.Name][]estate.Name{}
	for _, w := range s.b.Workloads() {
		for _, id := range w.DependsOn {
			if s.b.Workload(id) == nil {
				wanted[id] = nil
			}
		}
	}
	if len(wanted) == 0 {
		return wanted
	}
	for _, w := range s.b.Workloads() {
		for i, c := range w.ID {
			if c != '/' || i == 0 {
				continue
			}
			if g := w.ID[:i]; hasKey(wanted, g) {
				wanted[g] = append(wanted[g], w.ID)
			}
		}
	}
	return wanted
}

func hasKey(m map[estate.Name][]estate.Name, k estate.Name) bool {
	_, ok := m[k]
	return ok
}

// cycles reports workloads that need each other, each knot once.
func (s *search) cycles() {
	next := map[estate.Name][]estate.Name{}
	for _, d := range s.b.Estate().Dependencies {
		if d.To != "" && d.To != d.From {
			next[d.From] = append(next[d.From], d.To)
		}
	}
	ids := make([]estate.Name, 0, len(next))
	for id := range next {
		slices.Sort(next[id])
		next[id] = slices.Compact(next[id])
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, knot := range knots(ids, next) {
		path := shortest(knot, next)
		w := s.b.Workload(path[0])
		if w == nil {
			continue
		}
		s.b.Report(diag.Diagnostic{
			Code: Cycle, Severity: diag.Warning, Pos: diag.Pos{File: w.Origin.File}, Subject: discover.Subject("workload", w.ID),
			Problem: "needs itself by way of others: " + spell(path) + rest(len(knot)-len(path)+1),
			Hint:    "they are moved together; no order between them is kept",
		})
	}
}

func spell(path []estate.Name) string {
	parts := make([]string, 0, len(path))
	for _, id := range path {
		parts = append(parts, string(id))
	}
	if len(parts) > 12 {
		parts = append(append(parts[:6:6], "..."), parts[len(parts)-6:]...)
	}
	return strings.Join(parts, " -> ")
}

func rest(n int) string {
	if n <= 0 {
		return ""
	}
	return ", and " + itoa(n) + " more in the same knot"
}

// knots gives the strongly connected parts of more than one workload (Tarjan's
// algorithm, without recursion: ten thousand workloads can stand in one line).
func knots(ids []estate.Name, next map[estate.Name][]estate.Name) [][]estate.Name {
	type state struct{ index, low, edge int }
	at := map[estate.Name]*state{}
	on := map[estate.Name]bool{}
	var stack, calls []estate.Name
	var out [][]estate.Name
	enter := func(id estate.Name) {
		at[id] = &state{index: len(at), low: len(at)}
		stack, calls, on[id] = append(stack, id), append(calls, id), true
	}
	for _, root := range ids {
		if at[root] != nil {
			continue
		}
		enter(root)
		for len(calls) > 0 {
			id := calls[len(calls)-1]
			st := at[id]
			if st.edge < len(next[id]) {
				to := next[id][st.edge]
				st.edge++
				switch seen := at[to]; {
				case seen == nil:
					enter(to)
				case on[to]:
					st.low = min(st.low, seen.index)
				}
				continue
			}
			calls = calls[:len(calls)-1]
			if len(calls) > 0 {
				above := at[calls[len(calls)-1]]
				above.low = min(above.low, st.low)
			}
			if st.low != st.index {
				continue
			}
			i := len(stack) - 1
			for stack[i] != id {
				i--
			}
			part := slices.Clone(stack[i:])
			stack = stack[:i]
			for _, x := range part {
				on[x] = false
			}
			if len(part) > 1 {
				slices.Sort(part)
				out = append(out, part)
			}
		}
	}
	slices.SortFunc(out, func(a, b []estate.Name) int { return cmp.Compare(a[0], b[0]) })
	return out
}

// shortest gives a shortest way from the first of the knot back to itself.
func shortest(knot []estate.Name, next map[estate.Name][]estate.Name) []estate.Name {
	start := knot[0]
	from := map[estate.Name]estate.Name{}
	queue := []estate.Name{start}
	for len(queue) > 0 {
		id := queue[0]
		queue = queue[1:]
		for _, to := range next[id] {
			if to == start {
				path := []estate.Name{start}
				for x := id; x != start; x = from[x] {
					path = append(path, x)
				}
				slices.Reverse(path[1:])
				return append(path, start)
			}
			if _, seen := from[to]; !seen {
				if _, in := slices.BinarySearch(knot, to); in {
					from[to] = id
					queue = append(queue, to)
				}
			}
		}
	}
	return knot
}
