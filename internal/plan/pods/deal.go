package pods

import (
	"fmt"
	"slices"

	"github.com/tranship/tranship/internal/base/binpack"
	"github.com/tranship/tranship/internal/base/binpack/failure"
	"github.com/tranship/tranship/internal/base/unit"
)

// A dealer gives the pieces of items, which are equal, the names of pods: one
// copy of each service in turn, so that the copies of one are not side by side.
type dealer struct {
	p    *Packing
	left [][]int // of each item, the copies of each of its pods not yet dealt
	next []int
}

func newDealer(p *Packing) *dealer {
	d := &dealer{p: p, left: make([][]int, len(p.services)), next: make([]int, len(p.services))}
	for i, s := range p.services {
		d.left[i] = make([]int, len(s))
		for j, pod := range s {
			d.left[i][j] = p.set.Pods[pod].Replicas
		}
	}
	return d
}

// deal gives n copies of an item their pods.
func (d *dealer) deal(item, n int) []Count {
	left := d.left[item]
	got := map[int]int{}
	for at := d.next[item]; n > 0; at = (at + 1) % len(left) {
		if left[at] > 0 {
			left[at]--
			n--
			got[at]++
		}
		d.next[item] = (at + 1) % len(left)
	}
	out := make([]Count, 0, len(got))
	for at := range left {
		if got[at] > 0 {
			out = append(out, Count{d.p.set.Pods[d.p.services[item][at]].Name, got[at]})
		}
		if len(out) == len(got) {
			break
		}
	}
	return out
}

func (d *dealer) nodes(bins []binpack.Bin, failures []failure.Failure) ([]Node, []Failure) {
	nodes := make([]Node, 0, len(bins))
	dealt := make([][][]Count, len(bins)) // by bin, by load
	for b, bin := range bins {
		t := d.p.types[bin.Type]
		n := Node{Type: t.Name, Price: unit.Money(d.p.Problem.Types[bin.Type].Price), Zone: bin.Zone, Pods: []Count{}}
		dealt[b] = make([][]Count, len(bin.Load))
		for i, l := range bin.Load {
			dealt[b][i] = d.deal(l.Item, l.Count)
			n.Pods = append(n.Pods, dealt[b][i]...)
		}
		nodes = append(nodes, n)
	}
	var out []Failure
	for _, f := range failures {
		out = append(out, moves(f, bins, dealt))
	}
	return nodes, out
}

// moves gives each moved piece its name.
func moves(f failure.Failure, bins []binpack.Bin, dealt [][][]Count) Failure {
	out := Failure{Lost: f.Lost, Zone: f.Zone, Moves: []Move{}}
	type place struct{ bin, load int }
	rest := map[place][]Count{}
	for _, m := range f.Moves {
		load := slices.IndexFunc(bins[m.From].Load, func(l binpack.Load) bool { return l.Item == m.Item })
		at := place{m.From, load}
		names, ok := rest[at]
		if !ok {
			names = slices.Clone(dealt[m.From][load])
		}
		for n := m.Count; n > 0 && len(names) > 0; {
			take := min(n, names[0].Count)
			out.Moves = append(out.Moves, Move{Name: names[0].Name, Count: take, From: m.From, To: m.To})
			names[0].Count -= take
			n -= take
			if names[0].Count == 0 {
				names = names[1:]
			}
		}
		rest[at] = names
	}
	return out
}

// service gives pieces of an item the name of its first pod.
func (d *dealer) service(l binpack.Load) Count {
	return Count{d.p.set.Pods[d.p.services[l.Item][0]].Name, l.Count}
}

// rest gives the pods of pieces that fit nowhere.
func (d *dealer) rest(left []binpack.Load) []Count {
	var out []Count
	for _, l := range left {
		out = append(out, d.deal(l.Item, l.Count)...)
	}
	return out
}

// survives holds every failure's moves against the problem: what is lost goes
// to nodes that stand, and they are not too full with it.
func (p *Packing) survives(r *failure.Result) error {
	if p.Level == failure.None {
		return nil
	}
	seen := make([]bool, len(r.Bins))
	for _, f := range r.Failures {
		for _, b := range f.Lost {
			if b < 0 || b >= len(seen) {
				return fmt.Errorf("loss of node %d of %d", b, len(seen))
			}
			seen[b] = true
		}
		if err := p.outlives(r.Bins, &f); err != nil {
			return fmt.Errorf("loss of %v: %w", f.Lost, err)
		}
	}
	if b := slices.Index(seen, false); b >= 0 {
		return fmt.Errorf("nobody lost node %d", b)
	}
	return nil
}

// outlives checks the nodes that a failure's moves touch, as a problem of their
// own: what ran there and on what is lost, and nothing else.
func (p *Packing) outlives(bins []binpack.Bin, f *failure.Failure) error {
	items := map[int]int{} // their place in the small problem
	small := binpack.Problem{Dimensions: p.Problem.Dimensions, Types: p.Problem.Types, Groups: p.Problem.Groups}
	place := func(item int) int {
		i, ok := items[item]
		if !ok {
			i = len(small.Items)
			items[item] = i
			small.Items = append(small.Items, p.Problem.Items[item])
			small.Items[i].Count = 0
		}
		return i
	}
	after := map[int]*binpack.Bin{}
	var order []int
	lost := map[int]bool{}
	for _, b := range f.Lost {
		lost[b] = true
		for _, l := range bins[b].Load {
			small.Items[place(l.Item)].Count += l.Count
		}
	}
	for _, m := range f.Moves {
		if m.To < 0 || m.To >= len(bins) || lost[m.To] || !lost[m.From] {
			return fmt.Errorf("move of %d from node %d to %d, which is lost", m.Count, m.From, m.To)
		}
		if after[m.To] == nil {
			after[m.To] = &binpack.Bin{Type: bins[m.To].Type}
			order = append(order, m.To)
			for _, l := range bins[m.To].Load {
				i := place(l.Item)
				small.Items[i].Count += l.Count
				after[m.To].Load = added(after[m.To].Load, i, l.Count)
			}
		}
		after[m.To].Load = added(after[m.To].Load, place(m.Item), m.Count)
	}
	touched := make([]binpack.Bin, 0, len(order))
	for _, b := range order {
		touched = append(touched, *after[b])
	}
	var left []binpack.Load
	for _, l := range f.Left {
		left = added(left, place(l.Item), l.Count)
	}
	return binpack.Check(&small, touched, left)
}

func added(loads []binpack.Load, item, n int) []binpack.Load {
	i, ok := slices.BinarySearchFunc(loads, item, func(l binpack.Load, item int) int { return l.Item - item })
	if ok {
		loads[i].Count += n
		return loads
	}
	return slices.Insert(loads, i, binpack.Load{Item: item, Count: n})
}
