package failure

import (
	"errors"
	"fmt"
	"slices"

	"github.com/tranship/tranship/internal/base/binpack"
)

// Pack packs the items so that the level can be given, and proves it by failing
// each bin or zone in turn. What fits no bin is in Left; what cannot be given
// the level is in Exposed. The error is for a problem that is none: sizes of the
// wrong length, indexes out of range.
func Pack(p binpack.Problem, level Level, o binpack.Options) (Result, error) {
	if err := check(&p); err != nil {
		return Result{}, err
	}
	var out Result
	p.Items = slices.Clone(p.Items)
	all := newModel(&p, level)
	for i := range p.Items {
		if p.Items[i].Count > 0 && !slices.Contains(all.items[i].fits, true) {
			out.Left = append(out.Left, binpack.Load{Item: i, Count: p.Items[i].Count})
			p.Items[i].Count = 0
		}
	}
	m := newModel(&p, level)
	s, left, n := m.start(o)
	out.Iterations, out.Stopped = n, o.Stop != nil && o.Stop()
	out.Left = merge(append(out.Left, left...))
	out.Bins = s.bins()
	out.Cost = s.cost()
	out.Bound = m.bound(0)
	out.Failures = s.prove()
	for _, f := range out.Failures {
		for _, l := range f.Left {
			i := slices.IndexFunc(out.Exposed, func(e binpack.Load) bool { return e.Item == l.Item })
			if i < 0 {
				out.Exposed = append(out.Exposed, l)
			} else {
				out.Exposed[i].Count = max(out.Exposed[i].Count, l.Count)
			}
		}
	}
	slices.SortFunc(out.Exposed, func(a, b binpack.Load) int { return a.Item - b.Item })
	return out, nil
}

// prove fails everything that the level names, as hard as it can.
func (s *state) prove() []Failure {
	r := newReplay(s)
	out := s.losses()
	for i := range out {
		out[i].Moves, out[i].Left = r.run(out[i].Lost, thorough, nil)
	}
	return out
}

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
