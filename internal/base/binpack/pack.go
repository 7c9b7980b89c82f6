package binpack

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/tranship/tranship/internal/base/binpack/column"
	"github.com/tranship/tranship/internal/base/binpack/fleet"
	"github.com/tranship/tranship/internal/base/binpack/search"
	"github.com/tranship/tranship/internal/base/binpack/shape"
)

// Pack packs p. The order of items and types is of no matter to the cost, and
// the result is never dearer than the best that the same construction makes of
// a single type.
func Pack(p Problem, o Options) (Result, error) {
	if err := valid(&p); err != nil {
		return Result{}, fmt.Errorf("pack: %w", err)
	}
	r := reduce(&p)
	out := Result{Left: r.left}
	if r.m.Classes == 0 {
		return out, nil
	}
	j := &job{m: r.m, o: o}
	if err := j.run(); err != nil {
		return Result{}, fmt.Errorf("pack: %w", err)
	}
	out.Bins = r.bins(j.best)
	out.Left = append(out.Left, r.missing(j.best)...)
	slices.SortFunc(out.Left, func(a, b Load) int { return cmp.Compare(a.Item, b.Item) })
	out.Cost = Price(j.m.Cost(j.best))
	out.Bound = min(Price(j.bound), out.Cost)
	out.Iterations, out.Stopped = o.Iterations, j.stopped
	return out, nil
}

// Bound is a lower bound on the cost of everything in p that fits a type at
// all, from the resources in whole bins, without a search for a packing.
func Bound(p Problem) (Price, error) {
	if err := valid(&p); err != nil {
		return 0, fmt.Errorf("bound packing: %w", err)
	}
	r := reduce(&p)
	if r.m.Classes == 0 {
		return 0, nil
	}
	b, _, err := fleet.New(r.m).Bound(wholeNodes, 0)
	return Price(b), err
}

// Budget is the iterations that take about so many seconds on two cores.
func Budget(p *Problem, seconds float64) int {
	if !(seconds > 0) || len(p.Items) == 0 {
		return 0
	}
	return int(min(seconds*perSecond, math.MaxInt32))
}

const (
	perSecond  = 1000 // iterations, each of unit work
	unit       = 200_000
	wholeNodes = 2000 // linear programs for the bound in whole bins
)

// A job is one run of Pack.
type job struct {
	m       *shape.Model
	o       Options
	rows    *fleet.Rows
	value   []float64
	uses    []column.Use // of the configuration programme
	best    []shape.Bin
	bound   int64
	stopped bool
}

func (j *job) run() error {
	j.rows = fleet.New(j.m)
	fluid, value, err := j.rows.Fluid()
	if err != nil {
		return err
	}
	j.value = value
	whole, _, err := j.rows.Bound(wholeNodes, 0)
	if err != nil {
		return err
	}
	j.bound = max(int64(math.Ceil(fluid-1e-6)), whole)
	j.start()
	work := int64(j.o.Iterations) * unit
	if work <= 0 || j.m.Cost(j.best) <= j.bound {
		return nil
	}
	if err := j.generate(work / 4); err != nil {
		return err
	}
	if len(j.uses) > 0 {
		tries := make([][]shape.Bin, 4)
		j.each(len(tries), func(i int) {
			w := shape.Meter{Left: work / 40, Stop: j.o.Stop}
			tries[i] = j.round(i, &w)
		})
		for _, bins := range tries {
			j.offer(bins)
		}
	}
	j.improve(work / 2)
	return nil
}

// start makes the first packings: of all types in several styles, and of each
// type alone.
func (j *job) start() {
	all := make([]int, j.m.Types)
	for t := range all {
		all[t] = t
	}
	styles := 5
	tries := make([][]shape.Bin, styles)
	j.each(styles, func(i int) {
		w := shape.Meter{Left: math.MaxInt64}
		tries[i] = search.Start(j.m, j.value, all, i, &w)
	})
	for _, bins := range tries {
		j.offer(bins)
	}
}

func (j *job) each(n int, do func(i int)) {
	if j.o.Each != nil {
		j.o.Each(n, do)
		return
	}
	for i := range n {
		do(i)
	}
}

// offer takes bins where they hold more, or the same for less.
func (j *job) offer(bins []shape.Bin) {
	if bins == nil {
		return
	}
	if j.best == nil || pieces(bins) > pieces(j.best) || pieces(bins) == pieces(j.best) && j.m.Cost(bins) < j.m.Cost(j.best) {
		j.best = bins
	}
}

func pieces(bins []shape.Bin) int {
	n := 0
	for _, b := range bins {
		for _, l := range b.Load {
			n += int(l.Count)
		}
	}
	return n
}
