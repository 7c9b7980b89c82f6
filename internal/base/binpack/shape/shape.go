// Package shape is a packing problem made ready for search: equal sizes
// merged into classes, types that are never worth their price left out, all in
// an order that does not depend on the input's. It takes bare numbers and gives
// a Model, and bins of it that are checked for room. It never searches.
package shape

import "slices"

// A Model is a problem on classes and types, as flat numbers.
type Model struct {
	Dim, Classes, Types int

	Size  []int64 // Classes × Dim
	Count []int
	Most  []int     // of a class in one bin; never more than Count
	In    [][]int32 // the groups of a class
	Group []int     // how many pieces of a group a bin may hold

	Room  []int64 // Types × Dim
	Price []int64
	Limit []int // bins of a type, 0 for any number

	// Fit is by type and class: how many pieces of the class alone an empty bin
	// of the type holds; 0 where it may not hold any.
	Fit []int32 // Types × Classes
}

// SizeOf is the size of a piece of class c.
func (m *Model) SizeOf(c int) []int64 { return m.Size[c*m.Dim : (c+1)*m.Dim] }

// RoomOf is the capacity of type t.
func (m *Model) RoomOf(t int) []int64 { return m.Room[t*m.Dim : (t+1)*m.Dim] }

// FitOf is, by class, how many pieces a bin of type t holds of it alone.
func (m *Model) FitOf(t int) []int32 { return m.Fit[t*m.Classes : (t+1)*m.Classes] }

// Pieces is the number of pieces in all.
func (m *Model) Pieces() int {
	n := 0
	for _, c := range m.Count {
		n += c
	}
	return n
}

// SetFit works out Fit; allowed says whether a class may be in a type at all.
func (m *Model) SetFit(allowed func(t, c int) bool) {
	m.Fit = make([]int32, m.Types*m.Classes)
	for t := range m.Types {
		room, fit := m.RoomOf(t), m.FitOf(t)
		for c := range m.Classes {
			if allowed(t, c) {
				fit[c] = int32(m.alone(room, c))
			}
		}
	}
}

func (m *Model) alone(room []int64, c int) int {
	n := m.Most[c]
	for d, s := range m.SizeOf(c) {
		if s > 0 && int64(n) > room[d]/s {
			n = int(room[d] / s)
		}
	}
	for _, g := range m.In[c] {
		n = min(n, m.Group[g])
	}
	return max(n, 0)
}

// A Load is pieces of one class.
type Load struct{ Class, Count int32 }

// A Bin is a type with what is in it, ascending by class.
type Bin struct {
	Type int
	Load []Load
}

// Total is the summed size of load, in out.
func (m *Model) Total(load []Load, out []int64) {
	clear(out)
	for _, l := range load {
		for d, s := range m.SizeOf(int(l.Class)) {
			out[d] += s * int64(l.Count)
		}
	}
}

// Holds says whether an empty bin of type t may hold load, whose total is known.
// Bounds on classes and groups are not asked: they are the same for all types.
func (m *Model) Holds(t int, load []Load, total []int64) bool {
	for d, r := range m.RoomOf(t) {
		if total[d] > r {
			return false
		}
	}
	fit := m.FitOf(t)
	for _, l := range load {
		if fit[l.Class] == 0 {
			return false
		}
	}
	return true
}

// Within says whether load keeps the bounds on classes and groups of one bin.
func (m *Model) Within(load []Load) bool {
	for _, l := range load {
		if int(l.Count) > m.Most[l.Class] {
			return false
		}
	}
	if len(m.Group) == 0 {
		return true
	}
	var used []int
	for _, l := range load {
		for _, g := range m.In[l.Class] {
			if used == nil {
				used = make([]int, len(m.Group))
			}
			if used[g] += int(l.Count); used[g] > m.Group[g] {
				return false
			}
		}
	}
	return true
}

// Cost is the summed price of bins.
func (m *Model) Cost(bins []Bin) int64 {
	var sum int64
	for _, b := range bins {
		sum += m.Price[b.Type]
	}
	return sum
}

// Sort puts a load into the order of classes, and merges equal ones.
func Sort(load []Load) []Load {
	slices.SortFunc(load, func(a, b Load) int { return int(a.Class) - int(b.Class) })
	out := load[:0]
	for _, l := range load {
		if l.Count == 0 {
			continue
		}
		if n := len(out); n > 0 && out[n-1].Class == l.Class {
			out[n-1].Count += l.Count
			continue
		}
		out = append(out, l)
	}
	return out
}

// A Meter counts work, so that a search can be bound by work and not by time:
// the same work gives the same result on any machine.
type Meter struct {
	Left int64
	// Stop is asked now and then; nil never stops.
	Stop    func() bool
	Stopped bool
	asked   int64
}

// askEvery is the work between two questions whether to stop.
const askEvery = 1 << 20

// Spend takes n units off and says whether there is anything left.
func (w *Meter) Spend(n int) bool {
	w.Left -= int64(n)
	if w.Left <= 0 || w.Stopped {
		return false
	}
	if w.Stop != nil {
		if w.asked += int64(n); w.asked >= askEvery {
			w.asked = 0
			w.Stopped = w.Stop()
		}
	}
	return !w.Stopped
}
