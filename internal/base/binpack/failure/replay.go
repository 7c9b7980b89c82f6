package failure

import (
	"slices"

	"github.com/tranship/tranship/internal/base/binpack"
)

// Replay loses bins and gives where each of their pieces goes, without moving
// what runs elsewhere, and the pieces that no remaining bin took. It fills the
// tightest room first, heaviest piece first; what does not fit is tried in
// other orders, and few pieces in every way. Left is thus proven only for a
// handful of pieces; moves are always possible.
func Replay(p binpack.Problem, bins []binpack.Bin, lost []int) ([]Move, []binpack.Load) {
	m := newModel(&p, None, nil)
	s := load(m, bins)
	r := newReplay(s)
	moves, left := r.run(lost, thorough, nil)
	return moves, left
}

// How hard a replay tries: orders, then steps of the search in every way.
type effort struct{ orders, steps int }

var (
	quick    = effort{orders: 3}
	thorough = effort{orders: 40, steps: 200_000}
)

// A replay re-places lost pieces in a copy of what is free.
type replay struct {
	s      *state
	gone   []bool
	free   []int64 // boxes × dims
	added  [][]binpack.Load
	steps  int
	work   int64  // done, in looks at a box
	pieces []Move // to use again
	start  []int
}

func newReplay(s *state) *replay {
	return &replay{s: s}
}

func (r *replay) reset(lost []int) {
	n, d := len(r.s.boxes), r.s.m.dims
	r.work += int64(n)
	r.gone = slices.Grow(r.gone[:0], n)[:n]
	clear(r.gone)
	r.free = slices.Grow(r.free[:0], n*d)[:n*d]
	if len(r.added) < n {
		r.added = append(r.added, make([][]binpack.Load, n-len(r.added))...)
	}
	for k := range r.s.boxes {
		copy(r.free[k*d:k*d+d], r.s.boxes[k].free)
		r.added[k] = r.added[k][:0]
	}
	for _, k := range lost {
		r.gone[k] = true
	}
}

// all are the lost items, heaviest first.
func (r *replay) all(lost []int) []Move {
	var out []Move
	for _, k := range lost {
		for _, l := range r.s.boxes[k].load {
			out = append(out, Move{Item: l.Item, Count: l.Count, From: k})
		}
	}
	r.sort(out)
	return out
}

// sort puts heavy pieces first, but what may be lost last: it takes no room
// from what may not.
func (r *replay) sort(pieces []Move) {
	m := r.s.m
	slices.SortStableFunc(pieces, func(a, b Move) int {
		if x, y := m.items[a.Item].exposed > 0, m.items[b.Item].exposed > 0; x != y {
			if y {
				return -1
			}
			return 1
		}
		return m.rank[a.Item] - m.rank[b.Item]
	})
}

// forgive takes up to the exposed pieces of each item from what is left.
func (m *model) forgive(left []binpack.Load) []binpack.Load {
	var out []binpack.Load
	for _, l := range left {
		if n := l.Count - m.items[l.Item].exposed; n > 0 {
			out = append(out, binpack.Load{Item: l.Item, Count: n})
		}
	}
	return out
}

// run re-places the pieces of the lost boxes. With front, those items go first.
func (r *replay) run(lost []int, e effort, front []int) ([]Move, []binpack.Load) {
	pieces := r.all(lost)
	var best []Move
	var bestLeft []binpack.Load
	weight := -1.0
	for range max(e.orders, 1) {
		r.reset(lost)
		slices.SortStableFunc(pieces, func(a, b Move) int {
			return place(front, a.Item) - place(front, b.Item)
		})
		moves, left := r.pass(pieces)
		w := r.s.m.weight(r.s.m.forgive(left))
		if weight < 0 || w < weight {
			best, bestLeft, weight = moves, left, w
		}
		if w == 0 {
			return best, bestLeft
		}
		again := false
		for _, l := range left {
			if !slices.Contains(front, l.Item) {
				front, again = append([]int{l.Item}, front...), true
			}
		}
		if !again {
			break
		}
	}
	if e.steps > 0 {
		r.reset(lost)
		r.steps = e.steps
		if moves, ok := r.every(pieces, nil); ok {
			return tidy(moves), r.missing(pieces, moves)
		}
	}
	return best, bestLeft
}

// place is the item's place among those that go first.
func place(front []int, item int) int {
	if i := slices.Index(front, item); i >= 0 {
		return i
	}
	return len(front)
}

func (m *model) weight(left []binpack.Load) float64 {
	w := 0.0
	for _, l := range left {
		w += float64(l.Count) * m.items[l.Item].weight
	}
	return w
}

// pass places each piece in the tightest box that takes it.
func (r *replay) pass(pieces []Move) (moves []Move, left []binpack.Load) {
	for _, pc := range pieces {
		for pc.Count > 0 {
			k, n := r.tightest(pc.Item, pc.Count)
			if n == 0 {
				break
			}
			r.put(k, pc.Item, n)
			pc.Count -= n
			moves = append(moves, Move{Item: pc.Item, Count: n, From: pc.From, To: k})
		}
		if pc.Count > 0 {
			left = append(left, binpack.Load{Item: pc.Item, Count: pc.Count})
		}
	}
	return moves, merge(left)
}

// merge joins loads of the same item.
func merge(left []binpack.Load) []binpack.Load {
	slices.SortStableFunc(left, func(a, b binpack.Load) int { return a.Item - b.Item })
	out := left[:0]
	for _, l := range left {
		if n := len(out); n > 0 && out[n-1].Item == l.Item {
			out[n-1].Count += l.Count
		} else {
			out = append(out, l)
		}
	}
	return out
}

func (r *replay) tightest(item, want int) (int, int) {
	d := r.s.m.dims
	size := r.s.m.items[item].size
	at, best := -1, 0.0
	r.work += int64(len(r.s.boxes))
	for k := range r.s.boxes {
		if r.gone[k] {
			continue
		}
		free := r.free[k*d : k*d+d]
		if !holds(free, size) {
			continue
		}
		if v := r.s.left(free); (at < 0 || v < best) && r.room(k, item, 1) > 0 {
			at, best = k, v
		}
	}
	if at < 0 {
		return 0, 0
	}
	return at, r.room(at, item, want)
}

// room is how many pieces a box takes more after the failure.
func (r *replay) room(k, item, want int) int {
	m := r.s.m
	b, c := &r.s.boxes[k], &m.items[item]
	if r.gone[k] || !c.fits[b.kind] || c.zone > 0 && m.zones > 0 && c.zone != b.zone {
		return 0
	}
	n := fill(r.free[k*m.dims:(k+1)*m.dims], c.size, want)
	if n > 0 && c.perBin < unbounded {
		n = min(n, c.perBin-b.count(item)-countOf(r.added[k], item))
	}
	if n > 0 && c.perZone < unbounded {
		n = min(n, c.perZone-r.inZone(item, b.zone))
	}
	if n > 0 && len(c.groups) > 0 {
		n = min(n, m.groupRoom(c, b.load, r.added[k]))
	}
	return max(n, 0)
}

func countOf(load []binpack.Load, item int) int {
	n := 0
	for _, l := range load {
		if l.Item == item {
			n += l.Count
		}
	}
	return n
}

// inZone counts an item's pieces that run in a zone after the failure.
func (r *replay) inZone(item, zone int) int {
	n := 0
	for k := range r.s.boxes {
		if b := &r.s.boxes[k]; b.zone == zone && !r.gone[k] {
			n += b.count(item) + countOf(r.added[k], item)
		}
	}
	return n
}

func (r *replay) put(k, item, n int) {
	d := r.s.m.dims
	for i, v := range r.s.m.items[item].size {
		r.free[k*d+i] -= v * int64(n)
	}
	r.added[k] = append(r.added[k], binpack.Load{Item: item, Count: n})
}

// every tries all ways to place the pieces one by one, heaviest first, as long
// as steps last. Boxes that look the same are tried once.
func (r *replay) every(pieces []Move, moves []Move) ([]Move, bool) {
	d := r.s.m.dims
	for len(pieces) > 0 && pieces[0].Count == 0 {
		pieces = pieces[1:]
	}
	if len(pieces) == 0 {
		return moves, true
	}
	pc := pieces[0]
	rest := append([]Move{{Item: pc.Item, Count: pc.Count - 1, From: pc.From}}, pieces[1:]...)
	for k := range r.s.boxes {
		if r.room(k, pc.Item, 1) == 0 {
			continue
		}
		if r.steps--; r.steps < 0 {
			return nil, false
		}
		same := false
		for j := range k {
			if !r.gone[j] && slices.Equal(r.free[j*d:j*d+d], r.free[k*d:k*d+d]) && len(r.added[j])+len(r.added[k]) == 0 &&
				slices.Equal(r.s.boxes[j].load, r.s.boxes[k].load) && r.s.boxes[j].kind == r.s.boxes[k].kind && r.s.boxes[j].zone == r.s.boxes[k].zone {
				same = true
				break
			}
		}
		if same {
			continue
		}
		r.put(k, pc.Item, 1)
		if out, ok := r.every(rest, append(moves, Move{Item: pc.Item, Count: 1, From: pc.From, To: k})); ok {
			return out, true
		}
		r.added[k] = r.added[k][:len(r.added[k])-1]
		for i, v := range r.s.m.items[pc.Item].size {
			r.free[k*d+i] += v
		}
	}
	if r.s.m.items[pc.Item].exposed > 0 {
		return r.every(pieces[1:], moves)
	}
	return nil, false
}

// tidy joins moves of the same item between the same boxes.
func tidy(moves []Move) []Move {
	var out []Move
	for _, mv := range moves {
		if n := len(out); n > 0 && out[n-1].Item == mv.Item && out[n-1].From == mv.From && out[n-1].To == mv.To {
			out[n-1].Count += mv.Count
		} else {
			out = append(out, mv)
		}
	}
	return out
}

// missing are the pieces without a move.
func (r *replay) missing(pieces, moves []Move) []binpack.Load {
	var left []binpack.Load
	for _, pc := range pieces {
		left = append(left, binpack.Load{Item: pc.Item, Count: pc.Count})
	}
	left = merge(left)
	for _, mv := range moves {
		for i := range left {
			if left[i].Item == mv.Item {
				left[i].Count -= mv.Count
			}
		}
	}
	return slices.DeleteFunc(left, func(l binpack.Load) bool { return l.Count == 0 })
}

// losses are the failures of a level, each as boxes lost together.
func (s *state) losses() []Failure {
	var out []Failure
	switch s.m.level {
	case AnyNode:
		for k := range s.boxes {
			out = append(out, Failure{Lost: []int{k}})
		}
	case AnyZone:
		for z := 1; z <= s.m.zones; z++ {
			f := Failure{Zone: z}
			for k := range s.boxes {
				if s.boxes[k].zone == z {
					f.Lost = append(f.Lost, k)
				}
			}
			if len(f.Lost) > 0 {
				out = append(out, f)
			}
		}
	}
	return out
}
