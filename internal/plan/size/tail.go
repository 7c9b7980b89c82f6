package size

import (
	"cmp"
	"maps"
	"math"
	"slices"

	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/plan"
)

// Tails know how the use of workloads varies together in time.
//
// What shares a node is added up time by time, so that peaks which come
// together stay together. On top of what the window shows lies what it cannot
// show: on another day a workload's level is another (levelDrift of its own
// spread about its usual day, apart from the others'), a busy day is busy for all of them
// (commonDrift of their sum), and one copy is not the mean of all. A workload
// without usage counts with its whole request at all times.
//
// On the PlanetLab series, trained on a day and judged on the next, nodes sized
// so are overloaded less than 0.5 % of the time with 5 to 100 pods on them. They
// ask for 0.76 of krr's CPU with 50 pods, 0.80 with 35, 0.89 with 20 and 1.33
// with 5, where krr's own are overloaded 2.4 % of the time.
//
// Nothing in Tails changes once they are made: several may ask at a time.
type Tails struct {
	bins int
	of   map[estate.Name]*tail
}

// How far a day to come lies from those that were seen; measured on the
// PlanetLab series (see the test of that name), where one day of training and
// three gave the same.
const (
	levelDrift  = 0.9
	commonDrift = 0.095
	// A drift is no normal variable: few workloads on a node surprise by more
	// than many do. The largest part of the variance counts so often more.
	fewDrift = 2.8
)

// A tail is one workload's, of one copy, in thousandths of a core.
type tail struct {
	bins  []float32 // nil: always fixed
	fixed float64
	mean  float64
	// level is the variance that all copies share, own that of each copy apart
	// from the others, copies how many there were.
	level, own float64
	copies     float64
}

// A Sum is what copies on one node use together. It is for one user at a time.
type Sum struct {
	t     *Tails
	count map[*tail]int
	bins  []float64
	fixed float64
	mean  float64
	vary  float64 // variance, the common drift apart
	most  float64 // the largest part of it
}

// Coarse gives tails with about n bins, each the mean of bins in which all
// workloads together use about the same; what varies within it counts as
// variance. They are many times faster and tell nearly the same, for a search.
func (t *Tails) Coarse(n int) *Tails {
	at, each := t.busiest(), 1
	if t.bins > n {
		each = t.bins / n
	}
	out := &Tails{bins: (t.bins + each - 1) / each, of: make(map[estate.Name]*tail, len(t.of))}
	for id, x := range t.of {
		y := *x
		if x.bins != nil {
			y.bins = make([]float32, 0, out.bins)
			within := 0.0
			for group := range slices.Chunk(at, each) {
				sum, squares := 0.0, 0.0
				for _, k := range group {
					v := float64(x.bins[k])
					sum, squares = sum+v, squares+v*v
				}
				mean := sum / float64(len(group))
				y.bins = append(y.bins, float32(mean))
				within += max(squares-mean*sum, 0)
			}
			y.level += within / float64(t.bins)
		}
		out.of[id] = &y
	}
	return out
}

// busiest gives the bins in the order of what all workloads together use.
func (t *Tails) busiest() []int {
	total := make([]float64, t.bins)
	for _, id := range slices.Sorted(maps.Keys(t.of)) { // sums of floats depend on their order
		x := t.of[id]
		for k, v := range x.bins {
			total[k] += float64(v) * x.copies
		}
	}
	at := make([]int, t.bins)
	for k := range at {
		at[k] = k
	}
	slices.SortStableFunc(at, func(a, b int) int { return cmp.Compare(total[b], total[a]) })
	return at
}

// Sum adds up copies.
func (t *Tails) Sum(pods []plan.Copies) *Sum {
	s := &Sum{t: t, count: make(map[*tail]int, len(pods)), bins: make([]float64, t.bins)}
	for _, p := range pods {
		s.Add(p.Workload, p.Count)
	}
	return s
}

// Add puts n more copies there, or takes them away.
func (s *Sum) Add(id estate.Name, n int) {
	x := s.t.of[id]
	if x == nil || n == 0 {
		return
	}
	had := s.count[x]
	n = max(n, -had)
	if s.count[x] = had + n; had+n == 0 {
		delete(s.count, x)
	}
	now, was := x.variance(had+n), x.variance(had)
	s.vary += now - was
	if now >= s.most {
		s.most = now
	} else if was >= s.most {
		s.most = 0
		for x, c := range s.count {
			s.most = max(s.most, x.variance(c))
		}
	}
	by := float64(n)
	s.fixed += by * x.fixed
	s.mean += by * x.mean
	for i, v := range x.bins {
		s.bins[i] += by * float64(v)
	}
}

// variance of n copies on one node.
func (x *tail) variance(n int) float64 {
	if n <= 0 {
		return 0
	}
	c := float64(n)
	// Of all copies together nothing but their mean varies.
	return c*c*x.level + c*x.own*max(1-c/max(x.copies, 1), 0)
}

// Overload gives the probability that the copies use more CPU than room.
func (s *Sum) Overload(room unit.CPU) float64 { return s.beyond(float64(room), s.deviation()) }

func (s *Sum) deviation() float64 {
	common := commonDrift * s.mean
	return math.Sqrt(max(s.vary, 0) + fewDrift*s.most + common*common)
}

// far is how many standard deviations are taken for never.
const far = 6

// fineness is how many steps of a deviation beyond is tabulated in.
const fineness = 256

// tabulated is the normal distribution's upper tail from -far to far.
var tabulated = func() (out [2*far*fineness + 2]float64) {
	for i := range out {
		out[i] = normal(far - float64(i)/fineness)
	}
	return out
}()

// beyond is the probability of more than x deviations, x from -far to far, to
// within 1e-6.
func beyond(x float64) float64 {
	at := (x + far) * fineness
	i := int(at)
	return tabulated[i] + (at-float64(i))*(tabulated[i+1]-tabulated[i])
}

func (s *Sum) beyond(room, deviation float64) float64 {
	room += 1e-6 - s.fixed // what just fits does fit
	if len(s.bins) == 0 {
		if room < 0 {
			return 1
		}
		return 0
	}
	total := 0.0
	for _, v := range s.bins {
		d := room - v
		switch {
		case d >= far*deviation && d >= 0:
		case d <= -far*deviation:
			total++
		default:
			total += beyond(d / deviation)
		}
	}
	return total / float64(len(s.bins))
}

// Need gives the least CPU at which the copies overload at most with
// probability epsilon.
func (s *Sum) Need(epsilon float64) unit.CPU {
	deviation := s.deviation()
	high := s.fixed
	if len(s.bins) > 0 {
		high += max(slices.Max(s.bins), 0) + far*deviation
	}
	low := 0.0
	for high-low > 0.25 {
		middle := (low + high) / 2
		if s.beyond(middle, deviation) > epsilon {
			low = middle
		} else {
			high = middle
		}
	}
	return unit.CPU(math.Ceil(high))
}

// Overload gives the probability, at a time like those that were seen, that
// the copies use more CPU than room.
func (t *Tails) Overload(pods []plan.Copies, room unit.CPU) float64 {
	return t.Sum(pods).Overload(room)
}

// Need gives the least CPU at which the copies overload at most with
// probability epsilon.
func (t *Tails) Need(pods []plan.Copies, epsilon float64) unit.CPU {
	return t.Sum(pods).Need(epsilon)
}
