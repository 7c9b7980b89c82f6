package failure_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/tranship/tranship/internal/base/binpack"
	"github.com/tranship/tranship/internal/base/binpack/failure"
)

// A brute tries every safe packing of single pieces that costs less than a limit.
type brute struct {
	p      *binpack.Problem
	level  failure.Level
	pieces []int // item of each
	kinds  []int // by bin
	zones  []int
	in     []int // bin of each piece
}

func (b *brute) fits(in []int) bool {
	for k, kind := range b.kinds {
		for d, c := range b.p.Types[kind].Capacity {
			for i, at := range in {
				if at == k {
					c -= b.p.Items[b.pieces[i]].Size[d]
				}
			}
			if c < 0 {
				return false
			}
		}
	}
	return true
}

// recover places the pieces from i on that are lost in every way.
func (b *brute) recover(in []int, lost func(k int) bool, i int) bool {
	for i < len(in) && !lost(in[i]) {
		i++
	}
	if i == len(in) {
		return b.fits(in)
	}
	for k := range b.kinds {
		if lost(k) {
			continue
		}
		old := in[i]
		in[i] = k
		ok := b.recover(in, lost, i+1)
		in[i] = old
		if ok {
			return true
		}
	}
	return false
}

func (b *brute) safe() bool {
	var failures []func(k int) bool
	switch b.level {
	case failure.AnyNode:
		for j := range b.kinds {
			failures = append(failures, func(k int) bool { return k == j })
		}
	case failure.AnyZone:
		for z := 1; z <= b.p.Zones; z++ {
			failures = append(failures, func(k int) bool { return b.zones[k] == z })
		}
	}
	for _, lost := range failures {
		if !b.recover(slices.Clone(b.in), lost, 0) {
			return false
		}
	}
	return true
}

// assign places the pieces from i on in every way.
func (b *brute) assign(i int) bool {
	if i == len(b.pieces) {
		return b.fits(b.in) && b.safe()
	}
	for k := range b.kinds {
		b.in[i] = k
		if b.assign(i + 1) {
			return true
		}
	}
	return false
}

// cheaper tells whether bins that cost less than the budget hold everything
// safely; types and zones are taken in ascending order.
func (b *brute) cheaper(budget binpack.Price, from int) bool {
	if len(b.kinds) > 0 && b.assign(0) {
		return true
	}
	if len(b.kinds) == 5 {
		return false
	}
	zones := 1
	if b.level == failure.AnyZone {
		zones = b.p.Zones
	}
	for kz := from; kz < len(b.p.Types)*zones; kz++ {
		kind := kz / zones
		if price := b.p.Types[kind].Price; price < budget {
			b.kinds, b.zones = append(b.kinds, kind), append(b.zones, kz%zones+1)
			ok := b.cheaper(budget-price, kz)
			b.kinds, b.zones = b.kinds[:len(b.kinds)-1], b.zones[:len(b.zones)-1]
			if ok {
				return true
			}
		}
	}
	return false
}

func TestNoPackingIsCheaperThanTheBound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := binpack.Problem{Dimensions: rapid.IntRange(1, 2).Draw(t, "dimensions"), Zones: rapid.IntRange(2, 3).Draw(t, "zones")}
		for range rapid.IntRange(1, 2).Draw(t, "types") {
			ty := binpack.Type{Price: binpack.Price(rapid.IntRange(8, 20).Draw(t, "price"))}
			for range p.Dimensions {
				ty.Capacity = append(ty.Capacity, int64(rapid.IntRange(6, 14).Draw(t, "capacity")))
			}
			p.Types = append(p.Types, ty)
		}
		b := &brute{level: rapid.SampledFrom(levels).Draw(t, "level")}
		for i := range rapid.IntRange(1, 3).Draw(t, "items") {
			it := binpack.Item{Count: rapid.IntRange(1, 2).Draw(t, "count")}
			for range p.Dimensions {
				it.Size = append(it.Size, int64(rapid.IntRange(1, 6).Draw(t, "size")))
			}
			p.Items = append(p.Items, it)
			for range it.Count {
				if len(b.pieces) < 4 {
					b.pieces = append(b.pieces, i)
				}
			}
			p.Items[i].Count = len(slices.DeleteFunc(slices.Clone(b.pieces), func(j int) bool { return j != i }))
		}
		b.p, b.in = &p, make([]int, len(b.pieces))
		r := pack(t, p, b.level, binpack.Options{Iterations: 1})
		if b.cheaper(r.Bound, 0) {
			t.Fatalf("bins %v in zones %v hold everything for less than the bound %d", b.kinds, b.zones, r.Bound)
		}
	})
}

func TestSafetyIsNeverFree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := problem(t, false)
		p.Zones = 3
		var last failure.Result
		for i, level := range levels {
			r := pack(t, p, level, binpack.Options{Iterations: 2})
			if i > 0 && len(r.Left) == 0 && r.Cost < last.Bound {
				t.Fatalf("level %d costs %d, less than the bound %d of the one before", level, r.Cost, last.Bound)
			}
			last = r
		}
	})
}

func TestWhatCannotBeSafeIsExposedAndTheRestIsSafe(t *testing.T) {
	p := binpack.Problem{
		Dimensions: 1, Zones: 3,
		Types: []binpack.Type{{Capacity: []int64{10}, Price: 10}, {Capacity: []int64{10}, Price: 20, Most: 1}},
		Items: []binpack.Item{
			{Size: []int64{3}, Count: 6},
			{Size: []int64{4}, Count: 1, Zone: 2},
			{Size: []int64{2}, Count: 1, Types: []int{1}},
			{Size: []int64{1}, Count: 3, MaxPerZone: 1},
		},
	}
	for _, c := range []struct {
		level failure.Level
		want  []binpack.Load
	}{
		{failure.AnyNode, []binpack.Load{{Item: 2, Count: 1}}},
		{failure.AnyZone, []binpack.Load{{Item: 1, Count: 1}, {Item: 2, Count: 1}, {Item: 3, Count: 1}}},
	} {
		r := pack(t, p, c.level, binpack.Options{Iterations: 10})
		if !slices.Equal(r.Exposed, c.want) {
			t.Errorf("level %d exposes %v, want %v", c.level, r.Exposed, c.want)
		}
		if len(r.Left) > 0 {
			t.Errorf("level %d leaves %v", c.level, r.Left)
		}
	}
}
