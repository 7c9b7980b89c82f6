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
	j := &job{m: r.m, r: r, o: o}
	if err := j.run(); err != nil {
		return Result{}, fmt.Errorf("pack: %w", err)
	}
	out.Bins = r.bins(j.best)
	if missing := r.missing(j.best); len(missing) > 0 {
		// Limits of the types leave pieces over: the bound is that of the others.
		out.Left = append(out.Left, missing...)
		if err := j.without(missing, r); err != nil {
			return Result{}, fmt.Errorf("pack: %w", err)
		}
	}
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
	b, _, err := fleet.New(r.m).Bound(wholeNodes, 0, &shape.Meter{})
	return Price(b), err
}

// Budget is the iterations that take about so many seconds on two cores that
// are shared with others, when Options.Each uses both. As an iteration is an
// amount of work and not of steps, the rule is the same for all problems; only
// the first packing of very many classes is made whatever the budget.
func Budget(seconds float64) int {
	if !(seconds > 0) {
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
	r       *reduced
	o       Options
	rows    *fleet.Rows
	value   []float64
	uses    []column.Use // of the configuration programme
	best    []shape.Bin
	bound   int64
	left    int64 // of the work
	stopped bool
}

func (j *job) run() error {
	j.rows = fleet.New(j.m)
	fluid, value, err := j.rows.Fluid()
	if err != nil {
		return err
	}
	j.value = value
	j.bound = int64(math.Ceil(fluid - 1e-6))
	j.left = int64(min(max(j.o.Iterations, 0), math.MaxInt32)) * unit
	whole := j.left
	j.start(whole / 5)
	if err := j.singles(); err != nil {
		return err
	}
	if j.left <= 0 {
		return j.whole(wholeNodes / 4)
	}
	if err := j.tighten(whole / 10); err != nil || j.done() {
		return err
	}
	if err := j.generate(whole / 6); err != nil || j.done() {
		return err
	}
	if err := j.enumerate(whole / 3); err != nil || j.done() {
		return err
	}
	j.improve(j.left)
	return nil
}

// meter is for so much work, which is taken off what is left by spent.
func (j *job) meter(work int64) shape.Meter { return shape.Meter{Left: work, Stop: j.o.Stop} }

func (j *job) spent(work int64, w *shape.Meter) {
	j.left -= work - w.Left
	j.stopped = j.stopped || w.Stopped
}

// done is whether nothing is left to win, or to win it with.
func (j *job) done() bool {
	return j.stopped || j.m.Cost(j.best) <= j.bound && pieces(j.best) == j.m.Pieces()
}

// limited is whether bins of some type cannot be had in any number.
func (j *job) limited() bool { return slices.Max(j.m.Limit) > 0 }

// without bounds what is packed, where pieces are missing.
func (j *job) without(missing []Load, r *reduced) error {
	m := *j.m
	m.Count = slices.Clone(m.Count)
	for c, items := range r.items {
		for _, l := range missing {
			if slices.Contains(items, l.Item) {
				m.Count[c] -= l.Count
			}
		}
	}
	b, _, err := fleet.New(&m).Bound(wholeNodes, 0, &shape.Meter{})
	j.bound = b
	return err
}

// whole raises the bound to that of whole bins.
func (j *job) whole(nodes int) error {
	w := j.meter(math.MaxInt64)
	b, _, err := j.rows.Bound(nodes, j.m.Cost(j.best), &w)
	j.spent(math.MaxInt64, &w)
	j.bound = max(j.bound, b)
	return err
}

// tighten adds the rows of what bins can use of each dimension, and bounds.
func (j *job) tighten(work int64) error {
	if j.m.Classes <= columns {
		w := j.meter(work)
		for _, c := range column.NewCutter(j.m, &w).Resources(500) {
			j.rows.Add(c.Value, c.Most)
		}
		j.spent(work, &w)
	}
	return j.whole(wholeNodes)
}

// start makes the first packings: a quick one, and as many of better styles as
// the work allows, or as cost next to nothing.
func (j *job) start(work int64) {
	types := j.promising()
	try := func(style int) ([]shape.Bin, shape.Meter) {
		w := shape.Meter{Left: math.MaxInt64}
		return search.Start(j.m, j.value, types, style, &w), w
	}
	quick, w := try(0)
	j.offer(quick)
	const slower = 10 // times the work of the quick one
	more := int(max(work, 20*unit) / (slower*(math.MaxInt64-w.Left) + 1))
	j.spent(math.MaxInt64, &w)
	tries := make([][]shape.Bin, min(more, 4))
	each := make([]shape.Meter, len(tries))
	j.each(len(tries), func(i int) { tries[i], each[i] = try(i + 1) })
	for i, bins := range tries {
		j.offer(bins)
		j.spent(math.MaxInt64, &each[i])
	}
}

// promising are the types that first packings are made of: those whose room is
// worth most of their price. The ends of packings are made of all.
func (j *job) promising() []int {
	m := j.m
	worth := make([]float64, m.Types)
	out := make([]int, m.Types)
	for t := range out {
		out[t] = t
		worth[t] = j.rows.Worth(t) / (float64(m.Price[t]) + 1e-9)
	}
	if m.Classes < 100 {
		return out
	}
	slices.SortStableFunc(out, func(a, b int) int { return cmp.Compare(worth[b], worth[a]) })
	most := max(8, 30_000/m.Classes)
	// Each class must have a type to be in.
	kept := out[:0]
	covered := make([]bool, m.Classes)
	for at, t := range out {
		use := at < most
		for c, n := range m.FitOf(t) {
			if n > 0 && !covered[c] {
				covered[c], use = true, true
			}
		}
		if use {
			kept = append(kept, t)
		}
	}
	return kept
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
	if bins == nil || !j.within(bins) {
		return
	}
	if j.best == nil || pieces(bins) > pieces(j.best) || pieces(bins) == pieces(j.best) && j.m.Cost(bins) < j.m.Cost(j.best) {
		j.best = bins
	}
}

// within is whether bins keep the limits of the types.
func (j *job) within(bins []shape.Bin) bool {
	if !j.limited() {
		return true
	}
	used := make([]int, j.m.Types)
	for _, b := range bins {
		if used[b.Type]++; j.m.Limit[b.Type] > 0 && used[b.Type] > j.m.Limit[b.Type] {
			return false
		}
	}
	return true
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
