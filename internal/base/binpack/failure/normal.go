package failure

import (
	"cmp"
	"slices"

	"github.com/tranship/tranship/internal/base/binpack"
)

// A normal is a problem in an order of its own, so that the order of the input
// is no matter, with equal items joined where nothing tells them apart.
type normal struct {
	p     binpack.Problem
	loose []bool           // by item: single pieces of many items, which need no spread
	types []int            // the input's type of each
	parts [][]binpack.Load // by item, the input's items and their counts
}

func normalise(p *binpack.Problem, level Level) *normal {
	n := &normal{p: *p}
	n.types = make([]int, len(p.Types))
	for t := range n.types {
		n.types[t] = t
	}
	slices.SortStableFunc(n.types, func(a, b int) int {
		return cmp.Or(cmp.Compare(p.Types[a].Price, p.Types[b].Price), slices.Compare(p.Types[a].Capacity, p.Types[b].Capacity), cmp.Compare(p.Types[a].Most, p.Types[b].Most))
	})
	place := make([]int, len(p.Types))
	n.p.Types = nil
	for i, t := range n.types {
		place[t] = i
		n.p.Types = append(n.p.Types, p.Types[t])
	}
	items := slices.Clone(p.Items)
	order := make([]int, len(items))
	for i := range items {
		order[i] = i
		it := &items[i]
		if it.Types != nil {
			mapped := make([]int, 0, len(it.Types))
			for _, t := range it.Types {
				mapped = append(mapped, place[t])
			}
			slices.Sort(mapped)
			it.Types = slices.Compact(mapped)
		}
		it.Groups = slices.Compact(slices.Sorted(slices.Values(it.Groups)))
		if it.MaxPerBin >= it.Count {
			it.MaxPerBin = 0
		}
		if it.MaxPerZone >= it.Count || p.Zones == 0 {
			it.MaxPerZone = 0
		}
		if p.Zones == 0 {
			it.Zone = 0
		}
	}
	slices.SortStableFunc(order, func(a, b int) int {
		x, y := &items[a], &items[b]
		return cmp.Or(slices.Compare(y.Size, x.Size), compareLimits(x, y), cmp.Compare(x.Count, y.Count))
	})
	n.p.Items = nil
	for _, i := range order {
		it := items[i]
		if it.Count == 0 {
			continue
		}
		single := it.MaxPerBin == 0 && it.MaxPerZone == 0 && (it.Count == 1 || level == None)
		if k := len(n.p.Items) - 1; k >= 0 && single && n.loose[k] && slices.Equal(n.p.Items[k].Size, it.Size) && compareLimits(&n.p.Items[k], &it) == 0 {
			n.p.Items[k].Count += it.Count
			n.parts[k] = append(n.parts[k], binpack.Load{Item: i, Count: it.Count})
			continue
		}
		n.p.Items = append(n.p.Items, it)
		n.loose = append(n.loose, single)
		n.parts = append(n.parts, []binpack.Load{{Item: i, Count: it.Count}})
	}
	return n
}

// compareLimits orders items by what limits them, nil types after all others.
func compareLimits(x, y *binpack.Item) int {
	all := func(it *binpack.Item) int {
		if it.Types == nil {
			return 1
		}
		return 0
	}
	return cmp.Or(cmp.Compare(all(x), all(y)), slices.Compare(x.Types, y.Types), slices.Compare(x.Groups, y.Groups),
		cmp.Compare(x.Zone, y.Zone), cmp.Compare(x.MaxPerBin, y.MaxPerBin), cmp.Compare(x.MaxPerZone, y.MaxPerZone))
}

// take moves up to count pieces from the front of a list to the returned one.
func take(list *[]binpack.Load, count int) []binpack.Load {
	var out []binpack.Load
	for count > 0 && len(*list) > 0 {
		l := &(*list)[0]
		c := min(l.Count, count)
		out = append(out, binpack.Load{Item: l.Item, Count: c})
		count -= c
		if l.Count -= c; l.Count == 0 {
			*list = (*list)[1:]
		}
	}
	return out
}

// back gives a result of the normal problem in the input's types and items.
func (n *normal) back(r *Result) {
	parts := make([][]binpack.Load, len(n.parts))
	for i := range parts {
		parts[i] = slices.Clone(n.parts[i])
	}
	inBin := make([]map[int][]binpack.Load, len(r.Bins))
	for k := range r.Bins {
		b := &r.Bins[k]
		b.Type = n.types[b.Type]
		inBin[k] = map[int][]binpack.Load{}
		var out []binpack.Load
		for _, l := range b.Load {
			got := take(&parts[l.Item], l.Count)
			inBin[k][l.Item] = got
			out = append(out, got...)
		}
		b.Load = merge(slices.Clone(out))
	}
	var left []binpack.Load
	for _, l := range r.Left {
		left = append(left, take(&parts[l.Item], l.Count)...)
	}
	r.Left = merge(left)
	for f := range r.Failures {
		r.Failures[f] = n.backFailure(r.Failures[f], inBin)
	}
}

func (n *normal) backFailure(f Failure, inBin []map[int][]binpack.Load) Failure {
	type from struct{ bin, item int }
	lists := map[from]*[]binpack.Load{}
	list := func(bin, item int) *[]binpack.Load {
		l, ok := lists[from{bin, item}]
		if !ok {
			c := slices.Clone(inBin[bin][item])
			l = &c
			lists[from{bin, item}] = l
		}
		return l
	}
	var moves []Move
	for _, mv := range f.Moves {
		for _, l := range take(list(mv.From, mv.Item), mv.Count) {
			moves = append(moves, Move{Item: l.Item, Count: l.Count, From: mv.From, To: mv.To})
		}
	}
	var left []binpack.Load
	for _, l := range f.Left {
		for _, k := range f.Lost {
			got := take(list(k, l.Item), l.Count)
			for _, g := range got {
				l.Count -= g.Count
			}
			left = append(left, got...)
		}
	}
	f.Moves, f.Left = tidy(moves), merge(left)
	return f
}
