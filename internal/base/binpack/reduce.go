package binpack

import (
	"cmp"
	"slices"

	"github.com/tranship/tranship/internal/base/binpack/shape"
)

// A reduced problem is the model to search and the way back from it.
type reduced struct {
	p     *Problem
	m     *shape.Model
	items [][]int // by class, ascending
	types []int   // by type of the model: that of the problem
	left  []Load  // pieces that fit no type
}

// reduce merges items of equal size and rules into classes, leaves out what
// fits nowhere, and leaves out the types that another makes needless: one that
// has no more room in any dimension, costs no less, and takes no item that the
// other refuses. Classes and types are put into an order of their own numbers.
func reduce(p *Problem) *reduced {
	r := &reduced{p: p}
	types := r.order()
	may := make([][]bool, len(p.Items)) // by item and type of the problem
	var items []int
	for i, it := range p.Items {
		if it.Count == 0 {
			continue
		}
		may[i] = make([]bool, len(p.Types))
		some := false
		for t := range p.Types {
			if it.Types == nil || slices.Contains(it.Types, t) {
				may[i][t] = fits(it.Size, p.Types[t].Capacity)
				some = some || may[i][t]
			}
		}
		if !some {
			r.left = append(r.left, Load{Item: i, Count: it.Count})
			continue
		}
		items = append(items, i)
	}
	r.types = prune(p, types, items, may)
	classes, bounds := r.classes(items, may)

	m := &shape.Model{Dim: p.Dimensions, Classes: len(classes), Types: len(r.types)}
	for _, c := range classes {
		it := &p.Items[c[0]]
		n := 0
		for _, i := range c {
			n += p.Items[i].Count
		}
		m.Size = append(m.Size, it.Size...)
		m.Count = append(m.Count, n)
		m.Most = append(m.Most, n)
		if b := bounds[c[0]]; b > 0 {
			m.Most[len(m.Most)-1] = b
		}
		var in []int32
		for _, g := range groups(p, it) {
			in = append(in, int32(g))
		}
		m.In = append(m.In, in)
	}
	for _, g := range p.Groups {
		m.Group = append(m.Group, g.MaxPerBin)
	}
	for _, t := range r.types {
		m.Room = append(m.Room, p.Types[t].Capacity...)
		m.Price = append(m.Price, int64(p.Types[t].Price))
		m.Limit = append(m.Limit, p.Types[t].Most)
	}
	m.SetFit(func(t, c int) bool { return may[classes[c][0]][r.types[t]] })
	r.m, r.items = m, classes
	return r
}

func fits(size, room []int64) bool {
	for d, s := range size {
		if s > room[d] {
			return false
		}
	}
	return true
}

// groups are those of an item that bound anything, ascending and once.
func groups(p *Problem, it *Item) []int {
	var out []int
	for _, g := range it.Groups {
		if p.Groups[g].MaxPerBin > 0 {
			out = append(out, g)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// order is the types by price, then by room.
func (r *reduced) order() []int {
	out := make([]int, len(r.p.Types))
	for t := range out {
		out[t] = t
	}
	slices.SortStableFunc(out, func(a, b int) int {
		x, y := &r.p.Types[a], &r.p.Types[b]
		return cmp.Or(cmp.Compare(x.Price, y.Price), slices.Compare(y.Capacity, x.Capacity), cmp.Compare(x.Most, y.Most))
	})
	return out
}

func prune(p *Problem, types, all []int, may [][]bool) []int {
	// Only an item that is bound to certain types can be refused by a type with
	// more room; of those with the same types one speaks for all.
	var items []int
	for _, i := range all {
		if ty := p.Items[i].Types; ty != nil && !slices.ContainsFunc(items, func(k int) bool { return slices.Equal(p.Items[k].Types, ty) && fits(p.Items[i].Size, p.Items[k].Size) }) {
			items = append(items, i)
		}
	}
	needless := func(t, by int) bool {
		x, y := &p.Types[t], &p.Types[by]
		if y.Most > 0 || y.Price > x.Price || !fits(x.Capacity, y.Capacity) {
			return false
		}
		for _, i := range items {
			if may[i][t] && !may[i][by] {
				return false
			}
		}
		return true
	}
	var out []int
	for at, t := range types {
		useful := slices.ContainsFunc(all, func(i int) bool { return may[i][t] })
		for other, by := range types {
			if !useful {
				break
			}
			// Of two that make each other needless the first stays.
			if other != at && needless(t, by) && (other < at || !needless(by, t)) {
				useful = false
			}
		}
		if useful {
			out = append(out, t)
		}
	}
	return out
}

// bound is the pieces of item i in a bin, 0 where neither its count nor the
// room of its types lets the bound matter.
func bound(p *Problem, i int, rank, types []int) int {
	it := &p.Items[i]
	if it.MaxPerBin == 0 || it.MaxPerBin >= it.Count {
		return 0
	}
	for _, at := range rank {
		n := int64(it.Count)
		for d, s := range it.Size {
			if s > 0 {
				n = min(n, p.Types[types[at]].Capacity[d]/s)
			}
		}
		if n > int64(it.MaxPerBin) {
			return it.MaxPerBin
		}
	}
	return 0
}

// classes groups the items, ascending inside a class, the classes by size, and
// gives the bound of each item.
func (r *reduced) classes(items []int, may [][]bool) ([][]int, []int) {
	p := r.p
	rank := make([][]int, len(p.Items)) // the model's types that it may be in
	for _, i := range items {
		for at, t := range r.types {
			if may[i][t] {
				rank[i] = append(rank[i], at)
			}
		}
	}
	bounds := make([]int, len(p.Items))
	for _, i := range items {
		bounds[i] = bound(p, i, rank[i], r.types)
	}
	compare := func(a, b int) int {
		x, y := &p.Items[a], &p.Items[b]
		return cmp.Or(slices.Compare(y.Size, x.Size), cmp.Compare(bounds[a], bounds[b]),
			slices.Compare(groups(p, x), groups(p, y)), slices.Compare(rank[a], rank[b]))
	}
	sorted := slices.Clone(items)
	slices.SortStableFunc(sorted, func(a, b int) int {
		// Items with a bound of their own stay apart; the larger goes first.
		return cmp.Or(compare(a, b), cmp.Compare(p.Items[b].Count, p.Items[a].Count))
	})
	var out [][]int
	for _, i := range sorted {
		if n := len(out); n > 0 && bounds[i] == 0 && compare(out[n-1][0], i) == 0 {
			out[n-1] = append(out[n-1], i)
			continue
		}
		out = append(out, []int{i})
	}
	for _, c := range out {
		slices.Sort(c)
	}
	return out, bounds
}

// bins gives the model's bins back in items and types of the problem. The
// pieces of a class are handed out in the order of its items.
func (r *reduced) bins(in []shape.Bin) []Bin {
	at := make([]int, len(r.items))
	used := make([]int, len(r.items))
	out := make([]Bin, 0, len(in))
	for _, b := range in {
		bin := Bin{Type: r.types[b.Type]}
		for _, l := range b.Load {
			bin.Load = append(bin.Load, r.hand(int(l.Class), int(l.Count), at, used)...)
		}
		slices.SortFunc(bin.Load, func(a, b Load) int { return cmp.Compare(a.Item, b.Item) })
		out = append(out, bin)
	}
	return out
}

// hand takes the next n pieces of class c.
func (r *reduced) hand(c, n int, at, used []int) []Load {
	var out []Load
	for n > 0 {
		i := r.items[c][at[c]]
		k := min(n, r.p.Items[i].Count-used[c])
		if k > 0 {
			out = append(out, Load{Item: i, Count: k})
			n -= k
			used[c] += k
		}
		if used[c] == r.p.Items[i].Count {
			at[c]++
			used[c] = 0
		}
	}
	return out
}

// missing is what is in none of the bins.
func (r *reduced) missing(in []shape.Bin) []Load {
	placed := make([]int, len(r.items))
	for _, b := range in {
		for _, l := range b.Load {
			placed[l.Class] += int(l.Count)
		}
	}
	var out []Load
	for c, items := range r.items {
		for _, i := range slices.Backward(items) {
			n := min(r.p.Items[i].Count, r.m.Count[c]-placed[c])
			if n > 0 {
				out = append(out, Load{Item: i, Count: n})
				placed[c] += n
			}
		}
	}
	return out
}
