// Package failure packs items so that the rest still holds everything after any
// one bin, or any one zone, is lost. It takes a binpack.Problem and a level and
// gives bins, a proven lower bound for that level, and for each failure where
// every lost piece went. It never moves a piece that was not lost, and never
// calls a packing safe that it has not failed bin by bin.
package failure

import (
	"errors"
	"fmt"
	"slices"

	"github.com/tranship/tranship/internal/base/binpack"
)

// A Level is what may fail at once.
type Level int

// The levels.
const (
	None Level = iota
	AnyNode
	AnyZone
)

// A Move is pieces of a lost bin and where they run after it.
type Move struct {
	Item, Count int
	From, To    int // indexes of bins
}

// A Failure is bins that were lost together, and what became of their pieces.
type Failure struct {
	Lost  []int // indexes of bins: one, or all those of a zone
	Zone  int   // that was lost, 0 for one bin
	Moves []Move
	// Left are the pieces that no remaining bin could take.
	Left []binpack.Load
}

// A Result is a packing with the proof of what it survives.
type Result struct {
	binpack.Result
	// Failures are all those of the level, in the order of bins or zones; none
	// at level None.
	Failures []Failure
	// Exposed are the pieces that cannot be given the level, whatever is
	// bought: pinned to a zone, or bound to fewer bins than it takes. They run,
	// they are lost in their failure, and the rest is protected without them.
	Exposed []binpack.Load
}

// Pack packs the items so that the level can be given, and proves it by failing
// each bin or zone in turn. What fits no bin is in Left; what cannot be given
// the level is in Exposed. The error is for a problem that is none: sizes of the
// wrong length, indexes out of range. With fewer than two zones AnyZone is
// AnyNode with everything exposed.
func Pack(p binpack.Problem, level Level, o binpack.Options) (Result, error) {
	if err := check(&p); err != nil {
		return Result{}, err
	}
	var out Result
	var unfit []binpack.Load
	p.Items = slices.Clone(p.Items)
	all := newModel(&p, None, nil)
	for i := range p.Items {
		if p.Items[i].Count > 0 && !slices.Contains(all.items[i].fits, true) {
			unfit = append(unfit, binpack.Load{Item: i, Count: p.Items[i].Count})
			p.Items[i].Count = 0
		}
	}
	n := normalise(&p, level)
	m := newModel(&n.p, level, n.loose)
	plain := o
	if level != None {
		plain.Iterations = o.Iterations / 5
	}
	none, err := binpack.Pack(n.p, plain)
	if err != nil {
		return Result{}, err
	}
	large := level != None && m.large(none.Bins, o.Iterations)
	if large {
		// Nothing is searched after it: all work is its own.
		if none, err = binpack.Pack(n.p, o); err != nil {
			return Result{}, err
		}
	}
	s, left, plans := m.pack(none, large, o)
	out.Left, out.Iterations = left, o.Iterations
	out.Stopped = none.Stopped || o.Stop != nil && o.Stop()
	out.Bins = s.bins()
	out.Cost = s.cost()
	out.Failures = s.prove(plans, large)
	out.Bound = m.proven(none.Bound, &out)
	n.back(&out)
	out.Left = merge(append(out.Left, unfit...))
	for _, f := range out.Failures {
		for _, l := range f.Left {
			if level == AnyZone && p.Zones < 2 {
				break
			}
			i := slices.IndexFunc(out.Exposed, func(e binpack.Load) bool { return e.Item == l.Item })
			if i < 0 {
				out.Exposed = append(out.Exposed, l)
			} else {
				out.Exposed[i].Count = max(out.Exposed[i].Count, l.Count)
			}
		}
	}
	if level == AnyZone && p.Zones < 2 {
		// The only zone there is cannot be outlived.
		for _, b := range out.Bins {
			out.Exposed = append(out.Exposed, b.Load...)
		}
		out.Exposed = merge(out.Exposed)
	}
	slices.SortFunc(out.Exposed, func(a, b binpack.Load) int { return a.Item - b.Item })
	return out, nil
}

// proven is the bound of what the result holds: of the level if it gives that
// to all it can, else of packing alone, and none if pieces found no bin.
func (m *model) proven(none binpack.Price, r *Result) binpack.Price {
	if len(m.items) == 0 || len(r.Left) > 0 {
		return 0
	}
	level := m.level
	for _, f := range r.Failures {
		if len(m.forgive(f.Left)) > 0 {
			level = None
		}
	}
	return m.bound(level, none)
}

// pack is a packing for the model's level, with how its failures are outlived.
func (m *model) pack(none binpack.Result, large bool, o binpack.Options) (*state, []binpack.Load, [][]Move) {
	if m.level == None {
		s := newState(m)
		left := append(s.adopt(none.Bins, nil), none.Left...)
		return s, s.buy(left, m.buy), nil
	}
	if large {
		j, left := m.reserve(none)
		s, plans := j.prune()
		return s, left, plans
	}
	j, left := m.find(none, o)
	j.even(int64(max(o.Iterations, 100))*unit/5, o.Stop)
	s, plans := j.prune()
	return s, left, plans
}

// adopt opens the bins of a packing without zones, each in the zone told, else
// in that which has the least so far, and gives the pieces that must not be there.
func (s *state) adopt(bins []binpack.Bin, zones []int) []binpack.Load {
	var left []binpack.Load
	for i, b := range bins {
		zone := 0
		if zones != nil {
			zone = zones[i]
		} else if s.m.zones > 0 {
			zone = s.emptiest(nil)[0]
		}
		k := s.open(b.Type, zone)
		for _, l := range b.Load {
			n := s.room(k, l.Item, l.Count)
			if n > 0 {
				s.put(k, l.Item, n)
			}
			if n < l.Count {
				left = append(left, binpack.Load{Item: l.Item, Count: l.Count - n})
			}
		}
	}
	return s.place(merge(left))
}

// unit is the work of an iteration, in looks at a box: about a millisecond.
const unit = 100_000

// prove fails everything that the level names: as hard as it can, or else by
// the moves that the search knows; the other way round where there is too much
// to do for that.
func (s *state) prove(plans [][]Move, large bool) []Failure {
	r := newReplay(s)
	out := s.losses()
	steps := allSteps / max(len(s.boxes), 1)
	for i := range out {
		f := &out[i]
		known := i
		if f.Zone > 0 {
			known = f.Zone - 1
		}
		if large && known < len(plans) {
			f.Moves, f.Left = r.follow(f.Lost, plans[known])
		} else {
			f.Moves, f.Left = r.run(f.Lost, quick, nil)
		}
		if len(f.Left) == 0 {
			continue
		}
		if !large && known < len(plans) {
			moves, left := r.follow(f.Lost, plans[known])
			if s.m.weight(left) < s.m.weight(f.Left) {
				f.Moves, f.Left = moves, left
			}
		}
		if len(s.m.forgive(f.Left)) > 0 {
			e := effort{thorough.orders, min(thorough.steps, steps)}
			f.Moves, f.Left = r.run(f.Lost, e, nil)
			steps -= e.steps
		}
	}
	return out
}

// allSteps is how many looks at a box all failures of a packing are searched
// for in every way.
const allSteps = 400_000_000

var errProblem = errors.New("not a problem")

func check(p *binpack.Problem) error {
	if p.Dimensions < 1 {
		return fmt.Errorf("pack: %w: no dimensions", errProblem)
	}
	for t, ty := range p.Types {
		if len(ty.Capacity) != p.Dimensions || ty.Price < 0 || ty.Most < 0 || slices.ContainsFunc(ty.Capacity, negative) {
			return fmt.Errorf("pack: %w: type %d", errProblem, t)
		}
	}
	for i, it := range p.Items {
		bad := len(it.Size) != p.Dimensions || it.Count < 0 || it.Zone < 0 || it.Zone > max(p.Zones, 1) ||
			slices.ContainsFunc(it.Size, negative) ||
			slices.ContainsFunc(it.Types, func(t int) bool { return t < 0 || t >= len(p.Types) }) ||
			slices.ContainsFunc(it.Groups, func(g int) bool { return g < 0 || g >= len(p.Groups) })
		if bad {
			return fmt.Errorf("pack: %w: item %d", errProblem, i)
		}
	}
	return nil
}

func negative(v int64) bool { return v < 0 }
