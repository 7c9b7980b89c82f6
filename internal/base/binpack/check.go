package binpack

import (
	"fmt"
	"slices"
)

// valid refuses a problem that means nothing: numbers below 0, indexes that
// point nowhere, sizes of the wrong length.
func valid(p *Problem) error {
	if p.Dimensions < 0 {
		return fmt.Errorf("read problem: %d dimensions", p.Dimensions)
	}
	for i, it := range p.Items {
		if len(it.Size) != p.Dimensions {
			return fmt.Errorf("read problem: item %d has %d sizes for %d dimensions", i, len(it.Size), p.Dimensions)
		}
		for d, s := range it.Size {
			if s < 0 || s > limit {
				return fmt.Errorf("read problem: item %d has size %d in dimension %d, not one of 0 to %d", i, s, d, int64(limit))
			}
		}
		if it.Count < 0 || it.Count > most || it.MaxPerBin < 0 {
			return fmt.Errorf("read problem: item %d has %d pieces, at most %d in a bin", i, it.Count, it.MaxPerBin)
		}
		for _, t := range it.Types {
			if t < 0 || t >= len(p.Types) {
				return fmt.Errorf("read problem: item %d may be in type %d of %d", i, t, len(p.Types))
			}
		}
		for _, g := range it.Groups {
			if g < 0 || g >= len(p.Groups) {
				return fmt.Errorf("read problem: item %d is in group %d of %d", i, g, len(p.Groups))
			}
		}
	}
	for t, ty := range p.Types {
		if len(ty.Capacity) != p.Dimensions {
			return fmt.Errorf("read problem: type %d has %d capacities for %d dimensions", t, len(ty.Capacity), p.Dimensions)
		}
		for d, c := range ty.Capacity {
			if c < 0 || c > limit {
				return fmt.Errorf("read problem: type %d has capacity %d in dimension %d, not one of 0 to %d", t, c, d, int64(limit))
			}
		}
		if ty.Price < 0 || ty.Price > limit || ty.Most < 0 {
			return fmt.Errorf("read problem: type %d has price %d and at most %d bins", t, ty.Price, ty.Most)
		}
	}
	for d := range p.Dimensions {
		total := 0.0
		for _, it := range p.Items {
			total += float64(it.Size[d]) * float64(it.Count)
		}
		if total > sum {
			return fmt.Errorf("read problem: all pieces together are %g in dimension %d, at most %g", total, d, float64(sum))
		}
	}
	for g, gr := range p.Groups {
		if gr.MaxPerBin < 0 {
			return fmt.Errorf("read problem: group %d has at most %d pieces in a bin", g, gr.MaxPerBin)
		}
	}
	return nil
}

// The largest numbers that may come in, and the largest sum over all pieces.
const (
	limit = 1 << 50
	most  = 1 << 24
	sum   = 1 << 61
)

// Check verifies bins against p from nothing but the two: that every bin's type
// exists and is not used too often, that no bin is over its capacity, holds an
// item that may not be in it, or too many of an item or group, and that every
// piece is in exactly one bin but for those of left.
func Check(p *Problem, bins []Bin, left []Load) error {
	if err := valid(p); err != nil {
		return err
	}
	placed := make([]int, len(p.Items))
	used := make([]int, len(p.Types))
	for b, bin := range bins {
		if bin.Type < 0 || bin.Type >= len(p.Types) {
			return fmt.Errorf("check bin %d: type %d of %d", b, bin.Type, len(p.Types))
		}
		used[bin.Type]++
		if err := checkBin(p, bin, placed); err != nil {
			return fmt.Errorf("check bin %d of type %d: %w", b, bin.Type, err)
		}
	}
	for t, n := range used {
		if m := p.Types[t].Most; m > 0 && n > m {
			return fmt.Errorf("check bins: %d of type %d, at most %d", n, t, m)
		}
	}
	for _, l := range left {
		if l.Item < 0 || l.Item >= len(p.Items) || l.Count < 0 || l.Count > most {
			return fmt.Errorf("check what is left: %d pieces of item %d", l.Count, l.Item)
		}
		placed[l.Item] += l.Count
	}
	for i, n := range placed {
		if n != p.Items[i].Count {
			return fmt.Errorf("check pieces: %d of item %d, want %d", n, i, p.Items[i].Count)
		}
	}
	return nil
}

func checkBin(p *Problem, bin Bin, placed []int) error {
	total := make([]int64, p.Dimensions)
	group := make([]int, len(p.Groups))
	before := -1
	for _, l := range bin.Load {
		if l.Item < 0 || l.Item >= len(p.Items) {
			return fmt.Errorf("item %d of %d", l.Item, len(p.Items))
		}
		it := &p.Items[l.Item]
		switch {
		case l.Item <= before:
			return fmt.Errorf("item %d after item %d", l.Item, before)
		case l.Count < 1 || l.Count > it.Count:
			return fmt.Errorf("%d pieces of item %d, which has %d", l.Count, l.Item, it.Count)
		case it.MaxPerBin > 0 && l.Count > it.MaxPerBin:
			return fmt.Errorf("%d pieces of item %d, at most %d", l.Count, l.Item, it.MaxPerBin)
		case it.Types != nil && !slices.Contains(it.Types, bin.Type):
			return fmt.Errorf("item %d may not be in it", l.Item)
		}
		before = l.Item
		placed[l.Item] += l.Count
		for d, s := range it.Size {
			total[d] += s * int64(l.Count)
		}
		for g := range counted(it.Groups) {
			if group[g] += l.Count; p.Groups[g].MaxPerBin > 0 && group[g] > p.Groups[g].MaxPerBin {
				return fmt.Errorf("%d pieces of group %d, at most %d", group[g], g, p.Groups[g].MaxPerBin)
			}
		}
	}
	for d, n := range total {
		if n > p.Types[bin.Type].Capacity[d] {
			return fmt.Errorf("%d in dimension %d, room for %d", n, d, p.Types[bin.Type].Capacity[d])
		}
	}
	return nil
}

// counted is the groups of an item, each once.
func counted(groups []int) map[int]bool {
	out := make(map[int]bool, len(groups))
	for _, g := range groups {
		out[g] = true
	}
	return out
}
