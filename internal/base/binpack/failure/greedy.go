package failure

import (
	"slices"

	"github.com/tranship/tranship/internal/base/binpack"
)

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
