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

// place puts pieces into the tightest open boxes that take them; what no box
// takes is given back.
func (s *state) place(pieces []binpack.Load) []binpack.Load {
	slices.SortStableFunc(pieces, func(a, b binpack.Load) int { return s.m.rank[a.Item] - s.m.rank[b.Item] })
	var left []binpack.Load
	for _, pc := range pieces {
		for pc.Count > 0 {
			at, best := -1, 0.0
			size := s.m.items[pc.Item].size
			for k := range s.boxes {
				if !holds(s.boxes[k].free, size) {
					continue
				}
				if v := s.left(s.boxes[k].free); (at < 0 || v < best) && s.room(k, pc.Item, 1) > 0 {
					at, best = k, v
				}
			}
			if at < 0 {
				break
			}
			n := s.room(at, pc.Item, pc.Count)
			s.put(at, pc.Item, n)
			pc.Count -= n
		}
		if pc.Count > 0 {
			left = append(left, pc)
		}
	}
	return left
}

// buy opens boxes for pieces, each time the one that holds the most worth for
// its price, of the given types and in the zone that has the least.
func (s *state) buy(pieces []binpack.Load, types []int) []binpack.Load {
	pieces = slices.Clone(pieces)
	for {
		pieces = slices.DeleteFunc(pieces, func(l binpack.Load) bool { return l.Count == 0 })
		if len(pieces) == 0 {
			return nil
		}
		kind, zone := s.bestBox(pieces, types)
		if kind < 0 {
			return pieces
		}
		k := s.open(kind, zone)
		for i := range pieces {
			n := s.room(k, pieces[i].Item, pieces[i].Count)
			if n > 0 {
				s.put(k, pieces[i].Item, n)
				pieces[i].Count -= n
			}
		}
	}
}

// bestBox is the type and zone of a new box that holds the most worth for its
// price, of pieces in the order given.
func (s *state) bestBox(pieces []binpack.Load, types []int) (kind, zone int) {
	kind, best := -1, 0.0
	zones := []int{0}
	if s.m.zones > 0 {
		zones = s.emptiest(pieces)
	}
	for _, t := range types {
		if most := s.m.p.Types[t].Most; most > 0 && s.bought(t) >= most {
			continue
		}
		for _, z := range zones {
			k := s.open(t, z)
			worth := 0.0
			for _, pc := range pieces {
				if n := s.room(k, pc.Item, pc.Count); n > 0 {
					s.put(k, pc.Item, n)
					worth += s.m.items[pc.Item].weight * float64(n)
				}
			}
			for _, l := range slices.Clone(s.boxes[k].load) {
				s.put(k, l.Item, -l.Count)
			}
			s.boxes = s.boxes[:k]
			if v := worth / max(float64(s.m.p.Types[t].Price), 1e-9); worth > 0 && v > best {
				kind, zone, best = t, z, v
			}
		}
	}
	return kind, zone
}

func (s *state) bought(t int) int {
	n := 0
	for i := range s.boxes {
		if s.boxes[i].kind == t {
			n++
		}
	}
	return n
}

// emptiest are the zone with the least capacity, and those that a piece is
// pinned to or that its bounds leave.
func (s *state) emptiest(pieces []binpack.Load) []int {
	worth := make([]float64, s.m.zones+1)
	for i := range s.boxes {
		worth[s.boxes[i].zone] += s.left(s.m.p.Types[s.boxes[i].kind].Capacity)
	}
	least := 1
	for z := 2; z <= s.m.zones; z++ {
		if worth[z] < worth[least] {
			least = z
		}
	}
	out := []int{least}
	for _, pc := range pieces {
		c := &s.m.items[pc.Item]
		if c.zone > 0 && !slices.Contains(out, c.zone) {
			out = append(out, c.zone)
		}
		if c.zone == 0 && c.spreadZone < unbounded {
			for z := 1; z <= s.m.zones; z++ {
				if !slices.Contains(out, z) && s.zoned[[2]int{pc.Item, least}] >= c.spreadZone {
					out = append(out, z)
				}
			}
		}
	}
	return out
}
