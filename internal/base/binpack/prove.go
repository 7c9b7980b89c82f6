package binpack

import (
	"github.com/tranship/tranship/internal/base/binpack/column"
	"github.com/tranship/tranship/internal/base/binpack/search"
	"github.com/tranship/tranship/internal/base/binpack/shape"
)

// Fleets are tried one by one where there are few bins of few classes.
const (
	fewBins    = 24
	fewClasses = 60 // for cuts
	fewFleets  = 60
)

// enumerate goes through the fleets (numbers of bins of each type) that have
// room for everything, from the cheapest on. A fleet that is packed is the
// best. One that a cut shows to be too small raises the bound for all that
// follow; where neither succeeds the bound stays, and dearer fleets are tried
// for the packing alone, up to the cost of the best that is known.
func (j *job) enumerate(work int64) error {
	if j.m.Classes > columns || len(j.best) > fewBins || j.limited() {
		return nil
	}
	w := j.meter(work)
	defer func() { j.spent(work, &w) }()
	cutter := column.NewCutter(j.m, &w)
	rows, proven := j.rows, true
	starts := [][]float64{j.value}
	for d := range j.m.Dim {
		size := make([]float64, j.m.Classes)
		for c := range size {
			size[c] = float64(j.m.SizeOf(c)[d])
		}
		starts = append(starts, size)
	}
	for tried := 0; tried < fewFleets && w.Left > 0 && !j.done(); tried++ {
		best := j.m.Cost(j.best)
		nodes := wholeNodes
		if !proven {
			nodes = wholeNodes / 10
		}
		b, fleet, err := rows.Bound(nodes, best, &w)
		if err != nil {
			return err
		}
		if proven {
			j.bound = max(j.bound, b)
		}
		if fleet == nil {
			return nil
		}
		var cost int64
		for t, n := range fleet {
			cost += int64(n) * j.m.Price[t]
		}
		if j.fit(fleet, uint64(tried), &w) {
			continue
		}
		if j.m.Classes <= fewClasses {
			if cut, found := cutter.Separate(fleet, starts, 150); found {
				rows.Add(cut.Value, cut.Most)
				continue
			}
		}
		if proven {
			rows, proven = j.rows.Clone(), false
		}
		rows.AtLeast(cost + 1)
	}
	return nil
}

// fit packs everything into a fleet, if it can: several tries at the same time.
func (j *job) fit(fleet []int, seed uint64, w *shape.Meter) bool {
	const tries = 2
	bins := make([][]shape.Bin, tries)
	share := max(w.Left/40, 1)
	if j.m.Classes > fewClasses {
		share *= 4 // no cut will tell whether it can be done
	}
	j.each(tries, func(i int) {
		own := shape.Meter{Left: share, Stop: j.o.Stop}
		bins[i] = search.Fit(j.m, j.value, fleet, j.o.Seed*100+seed*tries+uint64(i), &own)
	})
	w.Spend(int(share) * tries)
	before := j.m.Cost(j.best)
	for _, b := range bins {
		j.offer(b)
	}
	return j.m.Cost(j.best) < before
}
