package size

import (
	"cmp"
	"math"
	"slices"

	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/plan"
)

// A Measure is a weight for each copy such that what nodes may hold by the rule
// on joint peaks can be summed up: no node of a room holds more weight than Most
// says. Whatever is placed in whatever way, the nodes' Most must be the sum of all
// weights at least. The copies of one workload, that whose use varies most, are
// not weighed but counted: a node with some of them has room for less weight.
type Measure struct {
	// Weight is that of one copy, by entry of the copies; 0 for Counted.
	Weight []float64
	// Counted is the entry whose copies are counted.
	Counted int
	// Least is the weight of all copies.
	Least float64
	// Heavy is how many copies are counted.
	Heavy int
	// Most is, by room, the weight beside 0, 1, 2 … counted copies.
	Most [][]float64
}

// What measures are made with; each set gives one that holds.
var (
	// deviations are those of a node's use over its mean at which the rule is
	// taken to be straight.
	deviations = []float64{0.11, 0.14, 0.18}
	// cosines say which share of the deviation is common to all workloads.
	cosines = []float64{0.6, 0.7, 0.8, 0.9}
)

// mostMeasured bounds the workloads for which measures are made: with many on
// many nodes peaks do not decide.
const mostMeasured = 200

// Measures gives measures of copies that overload no node of the rooms with a
// probability above epsilon.
//
// With L(k) what a node uses in bin k, D the deviation, C its room, the rule is
// mean Φ((L(k)−C)/D) ≤ ε. Φ is convex where L(k) < C, so that of any tangent
// Σ p(k)·L(k) + z·D ≤ C follows, with p and z those of the point where it touches;
// what is above the tangent is cut off. D² is V + 2.8·W + c² with V the sum of
// variances, W the largest, c the common drift, so D ≥ cosθ·c + sinθ·√(V+2.8·W)
// for each θ. All but the root is a sum over copies. The root is concave in V:
// β·V minus it is largest at an end of what V can be, and that is added to Most.
func (t *Tails) Measures(copies []plan.Copies, rooms []unit.CPU, epsilon float64) []Measure {
	if t.bins == 0 || len(copies) == 0 || len(copies) > mostMeasured || epsilon <= 0 || epsilon >= 0.5 {
		return nil
	}
	var out []Measure
	refs := slices.Compact(slices.Sorted(slices.Values(rooms)))
	for _, q := range deviations {
		s := t.straighten(copies, q, epsilon)
		if s == nil {
			continue
		}
		for _, cosine := range cosines {
			for i := range min(len(refs), 4) {
				out = append(out, s.measure(cosine, float64(refs[i*len(refs)/min(len(refs), 4)]), rooms, len(copies)))
			}
		}
	}
	return out
}

// A part is what one copy of a workload adds to the straight rule.
type part struct {
	entry int // of the copies
	tail  *tail
	count float64
	level float64 // Σ p·L, with what is fixed
	drift float64 // of its mean, in common
	vary  float64 // variance, the least that a copy adds
}

type straight struct {
	parts []part // light ones, by variance
	heavy part
	z     float64
}

// straighten gives the tangent of the rule where all copies together use a node's
// room with a relative deviation q; nil where there is none.
func (t *Tails) straighten(copies []plan.Copies, q, epsilon float64) *straight {
	total, mean := make([]float64, t.bins), 0.0
	s := &straight{}
	for i, c := range copies {
		x := t.of[c.Workload]
		if x == nil || c.Count <= 0 {
			continue
		}
		p := part{entry: i, tail: x, count: float64(c.Count), level: x.fixed, drift: commonDrift * x.mean, vary: math.Inf(1)}
		for n := 1; n <= c.Count; n++ {
			p.vary = min(p.vary, x.variance(n)/float64(n))
		}
		for k, v := range x.bins {
			total[k] += float64(c.Count) * float64(v)
		}
		mean += float64(c.Count) * x.mean
		s.parts = append(s.parts, p)
	}
	if mean <= 0 {
		return nil
	}
	weights, z, reach := tangent(total, mean, q, epsilon)
	s.z = z
	for i := range s.parts {
		s.parts[i].level += s.parts[i].tail.weigh(weights, z+reach)
	}
	slices.SortStableFunc(s.parts, func(a, b part) int { return cmp.Compare(a.vary, b.vary) })
	s.heavy = s.parts[len(s.parts)-1]
	s.parts = s.parts[:len(s.parts)-1]
	return s
}

// tangent gives the weights p of bins and z, and up to which deviation above a
// room the tangents of Φ are below it.
func tangent(total []float64, mean, q, epsilon float64) (p []float64, z, reach float64) {
	n := float64(len(total))
	low, high := 0.0, slices.Max(total)/mean+far*q
	above := func(v, room float64) float64 { return min((v/mean-room)/q, steepest) }
	for range 60 {
		room, sum := (low+high)/2, 0.0
		for _, v := range total {
			sum += normal(above(v, room))
		}
		if sum > epsilon*n {
			low = room
		} else {
			high = room
		}
	}
	p = make([]float64, len(total))
	sum, top := 0.0, math.Inf(-1)
	for k, v := range total {
		x := above(v, high)
		p[k] = math.Exp(-x * x / 2)
		sum, top = sum+p[k], max(top, x)
	}
	for k, v := range total {
		p[k] /= sum
		z -= p[k] * above(v, high)
	}
	// The steepest tangent is the first to leave Φ.
	slope, at := math.Exp(-top*top/2)/math.Sqrt(2*math.Pi), normal(top)
	for reach < far && at+slope*(reach+0.01-top) <= normal(reach+0.01) {
		reach += 0.01
	}
	return p, z, reach
}

// steepest is where Φ is touched at most: nearer to 0 the tangent soon leaves it.
const steepest = -0.5

func normal(x float64) float64 { return 0.5 * math.Erfc(-x/math.Sqrt2) }

// weigh is the mean of a tail's bins with weights, those too far above it cut
// off: there the tangent may be above the rule. far is in deviations, of which a
// copy adds at least its part of the common drift.
func (x *tail) weigh(weights []float64, far float64) float64 {
	limit := math.Inf(1)
	for {
		sum := 0.0
		for k, v := range x.bins {
			sum += weights[k] * min(float64(v), limit)
		}
		most := sum + far*commonDrift*x.mean
		if most >= limit || float64(maxBin(x.bins)) <= most {
			return sum
		}
		limit = most * (1 - 1e-9)
	}
}

func maxBin(bins []float32) float32 {
	if len(bins) == 0 {
		return 0
	}
	return slices.Max(bins)
}

// brackets is how many sizes of the largest variance on a node are told apart.
const brackets = 12

// measure gives the measure for a share of the common drift, with β such that on
// nodes of the room ref the variances never count for more than their root.
func (s *straight) measure(cosine, ref float64, rooms []unit.CPU, entries int) Measure {
	root := s.z * math.Sqrt(max(1-cosine*cosine, 0))
	beta := math.Inf(1)
	s.bracket(func(smallest float64, upTo int) {
		if v := s.most(upTo, ref); v > 0 {
			beta = min(beta, root*math.Sqrt(v+fewDrift*smallest)/v)
		}
	})
	if math.IsInf(beta, 1) {
		beta = 0
	}
	m := Measure{Weight: make([]float64, entries), Counted: s.heavy.entry, Heavy: int(s.heavy.count)}
	for _, p := range s.parts {
		m.Weight[p.entry] = p.level + s.z*cosine*p.drift + beta*p.vary
		m.Least += p.count * m.Weight[p.entry]
	}
	heavy := s.heavy.level + s.z*cosine*s.heavy.drift
	for _, r := range rooms {
		room, most := float64(r)+1e-3, []float64{}
		for n := 0.0; n <= s.heavy.count && room >= n*(s.heavy.level+s.z*s.heavy.drift); n++ {
			over := 0.0
			ends := func(light, fixed, largest float64) float64 {
				return beta*light - root*math.Sqrt(light+fixed+fewDrift*largest)
			}
			if n == 0 {
				s.bracket(func(smallest float64, upTo int) {
					over = max(over, ends(smallest, 0, smallest), ends(s.most(upTo, room), 0, smallest))
				})
			} else {
				own := s.heavy.tail.variance(int(n))
				over = max(ends(0, own, own), ends(s.most(len(s.parts), room-n*(s.heavy.level+s.z*s.heavy.drift)), own, own))
			}
			most = append(most, room-n*heavy+over)
		}
		m.Most = append(m.Most, most)
	}
	return m
}

// bracket tells the loads of a node apart by the largest variance of a light
// part in them: it is smallest at least, and one of the parts below upTo.
func (s *straight) bracket(do func(smallest float64, upTo int)) {
	n := len(s.parts)
	for i := range min(n, brackets) {
		from, to := i*n/min(n, brackets), (i+1)*n/min(n, brackets)
		do(s.parts[from].vary, to)
	}
}

// most is the most variance that light parts below upTo have together on a node
// of a room, in fractions of copies.
func (s *straight) most(upTo int, room float64) float64 {
	at := make([]int, upTo)
	for i := range at {
		at[i] = i
	}
	takes := func(p *part) float64 { return p.level + s.z*p.drift }
	slices.SortFunc(at, func(a, b int) int {
		x, y := &s.parts[a], &s.parts[b]
		return cmp.Compare(y.vary*takes(x), x.vary*takes(y))
	})
	sum := 0.0
	for _, i := range at {
		p := &s.parts[i]
		if room <= 0 {
			break
		}
		n := p.count
		if t := takes(p); t > 0 {
			n = min(n, room/t)
			room -= n * t
		}
		sum += n * p.vary
	}
	return sum
}
