package failure

import (
	"maps"
	"slices"

	"github.com/tranship/tranship/internal/base/binpack"
)

// A box is a bin that is being filled.
type box struct {
	kind, zone int
	free       []int64
	load       []binpack.Load // ascending by item
}

// A state is boxes with items in them, and how many pieces of bounded items
// each zone has.
type state struct {
	m     *model
	boxes []box
	zoned map[[2]int]int // item, zone -> pieces, for items with a bound per zone
}

func newState(m *model) *state { return &state{m: m, zoned: map[[2]int]int{}} }

// load puts given bins into a state.
func load(m *model, bins []binpack.Bin) *state {
	s := newState(m)
	for _, b := range bins {
		k := s.open(b.Type, b.Zone)
		for _, l := range b.Load {
			s.put(k, l.Item, l.Count)
		}
	}
	return s
}

func (s *state) clone() *state {
	c := &state{m: s.m, boxes: slices.Clone(s.boxes), zoned: make(map[[2]int]int, len(s.zoned))}
	for i := range c.boxes {
		c.boxes[i].free = slices.Clone(c.boxes[i].free)
		c.boxes[i].load = slices.Clone(c.boxes[i].load)
	}
	maps.Copy(c.zoned, s.zoned)
	return c
}

func (s *state) open(kind, zone int) int {
	s.boxes = append(s.boxes, box{kind: kind, zone: zone, free: slices.Clone(s.m.p.Types[kind].Capacity)})
	return len(s.boxes) - 1
}

func (s *state) put(k, item, n int) {
	b := &s.boxes[k]
	c := &s.m.items[item]
	for d, v := range c.size {
		b.free[d] -= v * int64(n)
	}
	i, found := at(b.load, item)
	if found {
		b.load[i].Count += n
		if b.load[i].Count == 0 {
			b.load = slices.Delete(b.load, i, i+1)
		}
	} else if n != 0 {
		b.load = slices.Insert(b.load, i, binpack.Load{Item: item, Count: n})
	}
	if c.perZone < unbounded || c.spreadZone < unbounded {
		s.zoned[[2]int{item, b.zone}] += n
	}
}

func (b *box) count(item int) int {
	return countIn(b.load, item)
}

// at is the place of an item in a load.
func at(load []binpack.Load, item int) (int, bool) {
	low, high := 0, len(load)
	for low < high {
		if mid := (low + high) / 2; load[mid].Item < item {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return low, low < len(load) && load[low].Item == item
}

func countIn(load []binpack.Load, item int) int {
	if i, found := at(load, item); found {
		return load[i].Count
	}
	return 0
}

// room is how many pieces of an item a box takes more, at most want, while
// nothing has failed.
func (s *state) room(k, item, want int) int {
	b, c := &s.boxes[k], &s.m.items[item]
	if !c.fits[b.kind] || c.zone > 0 && s.m.zones > 0 && c.zone != b.zone {
		return 0
	}
	n := fill(b.free, c.size, want)
	if n > 0 && c.spread < unbounded {
		n = min(n, c.spread-b.count(item))
	}
	if n > 0 && c.spreadZone < unbounded {
		n = min(n, c.spreadZone-s.zoned[[2]int{item, b.zone}])
	}
	if n > 0 && len(c.groups) > 0 {
		n = min(n, s.m.groupRoom(c, b.load))
	}
	return max(n, 0)
}

// groupRoom is how many pieces the groups of a class allow beside a load.
func (m *model) groupRoom(c *class, loads ...[]binpack.Load) int {
	n := unbounded
	for _, g := range c.groups {
		have := 0
		for _, load := range loads {
			for _, l := range load {
				if slices.Contains(m.items[l.Item].groups, g) {
					have += l.Count
				}
			}
		}
		n = min(n, m.p.Groups[g].MaxPerBin-have)
	}
	return n
}

// fill is how many pieces of a size go into what is free, at most want.
func fill(free, size []int64, want int) int {
	n := int64(want)
	for d, v := range size {
		if v > 0 {
			if v > free[d] {
				return 0
			}
			n = min(n, free[d]/v)
		}
	}
	return int(n)
}

// left is the worth of what is free.
func (s *state) left(free []int64) float64 {
	v := 0.0
	for d, w := range s.m.worth {
		v += w * float64(free[d])
	}
	return v
}

func (s *state) cost() binpack.Price {
	var c binpack.Price
	for i := range s.boxes {
		c += s.m.p.Types[s.boxes[i].kind].Price
	}
	return c
}

// bins gives the state's boxes as bins, empty ones too: they may be a reserve.
func (s *state) bins() []binpack.Bin {
	out := make([]binpack.Bin, len(s.boxes))
	for i, b := range s.boxes {
		out[i] = binpack.Bin{Type: b.kind, Zone: b.zone, Load: slices.Clone(b.load)}
	}
	return out
}
