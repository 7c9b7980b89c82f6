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
// says. Whatever is placed in whatever way, the nodes' Most together must be the
// weight of all copies at least.
type Measure struct {
	Weight []float64 // of one copy, by entry of the copies
	Least  float64   // that of all copies
	Most   []float64 // by room
}

// A Scale makes measures of copies that may overload no node with a probability
// above epsilon.
//
// With L(k) what a node uses in bin k, D the deviation, C its room, the rule is
// mean Φ((L(k)−C)/D) ≤ ε. Φ is convex where L(k) < C, so that of any tangent
// Σ p(k)·L(k) + z·D ≤ C follows, with p and z those of the point where it touches;
// what is above the tangent is cut off. D² is V + 2.8·W + c² with V the sum of
// variances, W the largest, c the common drift, so D ≥ cosθ·c + sinθ·√(V+2.8·W)
// for each θ. What a node holds at most is bounded for each W (so many copies of
// one workload have it) and each range of V by two knapsacks in fractions of
// copies: the sum above at the range's low end, and V itself at its high end.
type Scale struct {
	parts   []part
	z       float64
	entries int
}

// A part is what one copy of a workload adds to the straight rule.
type part struct {
	entry int // of the copies
	count float64
	level float64 // Σ p·L, with what is fixed
	drift float64 // of its mean, in common
	// vary is the variance of so many copies, each the least that one of at most so
	// many adds.
	vary, each []float64
}

// mostMeasured bounds the workloads that are measured: with many on many nodes
// peaks do not decide.
const mostMeasured = 200

// touch is the deviation of a node's use over its mean at which the tangent is taken.
const touch = 0.14

// Scale prepares measures of copies; nil where there is nothing to measure, or
// where epsilon is above what the tangents are good for, 0.3.
func (t *Tails) Scale(copies []plan.Copies, epsilon float64) *Scale {
	if t.bins == 0 || len(copies) == 0 || len(copies) > mostMeasured || epsilon <= 0 || epsilon > 0.3 {
		return nil
	}
	total, mean := make([]float64, t.bins), 0.0
	s := &Scale{entries: len(copies)}
	for i, c := range copies {
		x := t.of[c.Workload]
		if x == nil || c.Count <= 0 {
			continue
		}
		p := part{entry: i, count: float64(c.Count), level: x.fixed, drift: commonDrift * x.mean, vary: make([]float64, c.Count+1), each: make([]float64, c.Count+1)}
		p.each[0] = math.Inf(1)
		for n := 1; n <= c.Count; n++ {
			p.vary[n] = x.variance(n)
			p.each[n] = min(p.each[n-1], p.vary[n]/float64(n))
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
	weights, z, reach := tangent(total, mean, touch, epsilon+1e-6) // which is how exact the rule is looked at
	s.z = z
	for i := range s.parts {
		p := &s.parts[i]
		p.level += t.of[copies[p.entry].Workload].weigh(weights, z+reach)
	}
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
	if len(x.bins) == 0 {
		return 0
	}
	top, limit := float64(slices.Max(x.bins)), math.Inf(1)
	for {
		sum := 0.0
		for k, v := range x.bins {
			sum += weights[k] * min(float64(v), limit)
		}
		most := sum + far*commonDrift*x.mean
		if most >= limit || top <= most {
			return sum
		}
		limit = most * (1 - 1e-9)
	}
}

// Separate looks for a measure by which nodes, so many of each room, are too few
// for all copies; false if it finds none. Weights begin with what a copy uses and
// grow for what the nodes hold too little of (a subgradient).
func (s *Scale) Separate(counts []int, rooms []unit.CPU) (Measure, bool) {
	weight := make([]float64, len(s.parts))
	for i, p := range s.parts {
		weight[i] = p.level + s.z*p.drift
	}
	const rounds = 120
	for round := range rounds {
		least, most := 0.0, 0.0
		missing := make([]float64, len(s.parts)) // copies that the fullest nodes leave over
		for i, p := range s.parts {
			least += weight[i] * p.count
			missing[i] = p.count
		}
		for t, n := range counts {
			if n == 0 {
				continue
			}
			value, held := s.most(weight, float64(rooms[t]))
			most += value * float64(n)
			for i, c := range held {
				missing[i] -= c * float64(n)
			}
		}
		if least > most*(1+1e-6) {
			return s.measure(weight, rooms), true
		}
		norm := 0.0
		for i, x := range missing {
			norm += x * x * weight[i] * weight[i]
		}
		if norm <= 0 {
			break
		}
		step := (most - least + 0.002*least) / norm / (1 + float64(round)/40)
		for i, x := range missing {
			weight[i] *= max(1+step*x*weight[i], 0.5)
		}
	}
	return Measure{}, false
}

func (s *Scale) measure(weight []float64, rooms []unit.CPU) Measure {
	m := Measure{Weight: make([]float64, s.entries)}
	for i, p := range s.parts {
		m.Weight[p.entry] = weight[i]
		m.Least += p.count * weight[i]
	}
	for _, r := range rooms {
		most, _ := s.most(weight, float64(r))
		m.Most = append(m.Most, most)
	}
	return m
}

// A crowd is loads in which so many copies of one part have the largest variance.
type crowd struct {
	part, n int
	most    []float64 // copies of each part that may be there
	each    []float64 // variance that one of them adds at least
	light   float64   // the most variance that others add
	bound   float64   // a first bound on the weight
}

// ranges is how many ranges of a crowd's variance are told apart.
const ranges = 16

// most is a bound on the weight on a node of a room, and what holds about that.
func (s *Scale) most(weight []float64, room float64) (most float64, held []float64) {
	room += 1e-3 // what just fits does fit
	crowds := s.crowds(weight, room)
	for i := range crowds {
		c := &crowds[i]
		if c.bound <= most {
			break
		}
		w := s.parts[c.part].vary[c.n]
		for j := range ranges {
			step := c.light / ranges
			value, load := s.within(weight, c, room, w+float64(j)*step, float64(j+1)*step, most)
			if value > most {
				most, held = value, load
			}
			if step == 0 {
				break
			}
		}
	}
	return most, held
}

// crowds lists all that fit a room, that of the greatest bound first.
func (s *Scale) crowds(weight []float64, room float64) []crowd {
	var out []crowd
	takes := make([]float64, len(s.parts))
	for i, p := range s.parts {
		takes[i] = p.level + s.z*p.drift
	}
	for i, p := range s.parts {
		for n := 1; n < len(p.vary) && float64(n)*takes[i] <= room; n++ {
			c := crowd{part: i, n: n, most: make([]float64, len(s.parts)), each: make([]float64, len(s.parts))}
			for k, other := range s.parts {
				if k == i {
					continue
				}
				fit := 0
				for m, v := range other.vary {
					if v <= p.vary[n]*(1+1e-9) {
						fit = m
					}
				}
				if fit > 0 {
					c.most[k], c.each[k] = float64(fit), other.each[fit]
				}
			}
			left := room - float64(n)*takes[i]
			c.light, _ = knapsack(c.each, takes, c.most, left)
			c.bound, _ = knapsack(weight, takes, c.most, left)
			c.bound += float64(n) * weight[i]
			out = append(out, c)
		}
	}
	slices.SortStableFunc(out, func(a, b crowd) int { return cmp.Compare(b.bound, a.bound) })
	return out
}

// within bounds the weight of a crowd's loads of which the variance is low at
// least, and that of the other parts high at most. Where it is not above known it
// may be anything up to that.
func (s *Scale) within(weight []float64, c *crowd, room, low, high, known float64) (float64, []float64) {
	p, n := &s.parts[c.part], float64(c.n)
	spread := math.Sqrt(low + fewDrift*p.vary[c.n])
	common := commonDrift * room / 1.6 // about what a full node has
	cosine := common / math.Hypot(common, spread)
	left := room - s.z*math.Sqrt(1-cosine*cosine)*spread - n*(p.level+s.z*cosine*p.drift)
	if left < 0 {
		return 0, nil
	}
	own := n * weight[c.part]
	takes := make([]float64, len(s.parts))
	try := func(share float64) (float64, []float64) {
		for i, q := range s.parts {
			takes[i] = (1-share)*(q.level+s.z*cosine*q.drift)/max(left, 1e-9) + share*c.each[i]/max(high, 1e-9)
		}
		value, held := knapsack(weight, takes, c.most, 1)
		held[c.part] = n
		return own + value, held
	}
	// Any blend of the two knapsacks is a bound; the least is found by thirds.
	a, b := 0.0, 1.0
	best, held := try(0)
	for range 6 {
		if best <= known {
			break
		}
		x, y := a+(b-a)/3, b-(b-a)/3
		u, with := try(x)
		v, load := try(y)
		if u < best {
			best, held = u, with
		}
		if v < best {
			best, held = v, load
		}
		if u < v {
			b = y
		} else {
			a = x
		}
	}
	return best, held
}

// knapsack is the most value in a room, in fractions of copies, and what has it.
func knapsack(value, takes, most []float64, room float64) (float64, []float64) {
	at := make([]int, 0, len(takes))
	for i, n := range most {
		if n > 0 {
			at = append(at, i)
		}
	}
	slices.SortFunc(at, func(a, b int) int { return cmp.Compare(value[b]*takes[a], value[a]*takes[b]) })
	sum, held := 0.0, make([]float64, len(takes))
	for _, i := range at {
		if room <= 0 {
			break
		}
		n := most[i]
		if takes[i] > 0 {
			n = min(n, room/takes[i])
			room -= n * takes[i]
		}
		held[i] = n
		sum += n * value[i]
	}
	return sum, held
}
