package binpack

import (
	"math"
	"slices"

	"github.com/tranship/tranship/internal/base/binpack/fleet"
	"github.com/tranship/tranship/internal/base/binpack/shape"
)

// singles makes the first packing of each type alone that could be cheaper than
// the best so far, so that a mix is never dearer than what one type gives.
func (j *job) singles() error {
	if len(j.r.p.Types) == 1 {
		return nil
	}
	for t := range j.m.Types {
		if !j.alone(t) {
			continue
		}
		p := only(j.r.p, j.r.types[t])
		r := reduce(&p)
		one := &job{m: r.m, r: r, o: j.o, rows: fleet.New(r.m)}
		_, value, err := one.rows.Fluid()
		if err != nil {
			return err
		}
		one.value = value
		one.start(0)
		j.left += one.left
		bins := make([]shape.Bin, 0, len(one.best))
		class := make([]int32, len(p.Items))
		for c, items := range j.r.items {
			for _, i := range items {
				class[i] = int32(c)
			}
		}
		for _, b := range r.bins(one.best) {
			bin := shape.Bin{Type: t}
			for _, l := range b.Load {
				bin.Load = append(bin.Load, shape.Load{Class: class[l.Item], Count: int32(l.Count)})
			}
			bin.Load = shape.Sort(bin.Load)
			bins = append(bins, bin)
		}
		j.offer(bins)
	}
	return nil
}

// alone is whether bins of type t could hold everything for less than the best.
func (j *job) alone(t int) bool {
	m := j.m
	if slices.Contains(m.FitOf(t), 0) {
		return false
	}
	bins := 1.0
	for d, room := range m.RoomOf(t) {
		total := 0.0
		for c, n := range m.Count {
			total += float64(m.SizeOf(c)[d]) * float64(n)
		}
		if total > 0 {
			bins = max(bins, math.Ceil(total/float64(room)-1e-9))
		}
	}
	return bins*float64(m.Price[t]) < float64(m.Cost(j.best)) || pieces(j.best) < m.Pieces()
}

// only is p with one type alone.
func only(p *Problem, t int) Problem {
	out := *p
	out.Types = []Type{p.Types[t]}
	out.Items = make([]Item, len(p.Items))
	for i, it := range p.Items {
		if it.Types != nil {
			may := []int{}
			for _, k := range it.Types {
				if k == t {
					may = []int{0}
				}
			}
			it.Types = may
		}
		out.Items[i] = it
	}
	return out
}
