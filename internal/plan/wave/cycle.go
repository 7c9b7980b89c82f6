package wave

import "slices"

// components gives the strongly connected components of more than one node:
// Tarjan's algorithm, without recursion.
func components(next [][]int) [][]int {
	n := len(next)
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
