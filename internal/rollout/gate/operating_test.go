package gate

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/tranship/tranship/internal/base/hist"
)

// A world answers requests at random: some fail, some are slow.
type world struct {
	errors float64       // part that fails
	middle time.Duration // of a lognormal latency
	spread float64       // its sigma
}

// drawn are latencies to pick from evenly: a normal draw for each request would
// be most of the test's time.
func (w world) drawn() []time.Duration {
	random := rand.New(rand.NewPCG(3, 3))
	out := make([]time.Duration, 1<<16)
	for i := range out {
		out[i] = time.Duration(float64(w.middle) * math.Exp(w.spread*random.NormFloat64()))
	}
	return out
}

// A play is both worlds over one watch of sixty looks.
type play struct {
	source, target world
	rate           int // requests a look
	share          float64
	ds, dt         []time.Duration
}

const looks = 60

// run gives, after how many requests of the target each gate failed first, 0 if
// it never did, and whether both passed at the end.
func (p play) run(random *rand.Rand) (errors, latency int64, passed bool) {
	var s, t sample
	var hs, ht hist.Hist
	w := window(sample{}, sample{})
	for range looks {
		for range p.rate {
			if random.Float64() < p.share {
				one(random, p.target, p.dt, &t, &ht)
			} else {
				one(random, p.source, p.ds, &s, &hs)
			}
		}
		w.End.Source.Requests, w.End.Source.Errors, w.End.Source.Latency = s.n, s.bad, &hs
		w.End.Target.Requests, w.End.Target.Errors, w.End.Target.Latency = t.n, t.bad, &ht
		e, l := Errors(w, limits), Latency(w, limits)
		if e.Verdict == Fail && errors == 0 {
			errors = t.n
		}
		if l.Verdict == Fail && latency == 0 {
			latency = t.n
		}
		passed = e.Verdict == Pass && l.Verdict == Pass
	}
	return errors, latency, passed
}

func one(random *rand.Rand, w world, drawn []time.Duration, s *sample, h *hist.Hist) {
	s.n++
	if random.Float64() < w.errors {
		s.bad++
	}
	h.Add(drawn[random.IntN(len(drawn))])
}

// TestTargetsThatAreAsGoodAsTheSourceAreSeldomFailed watches targets that are
// exactly like their source, a look after each second, and counts watches in which any look failed.
func TestTargetsThatAreAsGoodAsTheSourceAreSeldomFailed(t *testing.T) {
	const watches = 1000 // of sixty windows each; docs/gates.md has ten times as many
	for _, c := range []struct {
		name   string
		w      world
		rate   int
		share  float64
		passed float64 // of watches, at their end, at least
	}{
		{"1 % of 200 requests a second, nothing fails", world{0, 40 * time.Millisecond, 0.5}, 200, 0.01, 0.85},
		{"1 % of 200 requests a second, 0.5 % fails", world{0.005, 40 * time.Millisecond, 1}, 200, 0.01, 0.5},
		{"half of 20 requests a second, 2 % fails", world{0.02, 80 * time.Millisecond, 1}, 20, 0.5, 0.8},
		{"half of 10 requests a second, 20 % fails", world{0.2, 80 * time.Millisecond, 1.5}, 10, 0.5, 0.3},
	} {
		random := rand.New(rand.NewPCG(4, uint64(c.rate)))
		failed, passed, drawn := 0, 0, c.w.drawn()
		for range watches {
			e, l, ok := play{source: c.w, target: c.w, rate: c.rate, share: c.share, ds: drawn, dt: drawn}.run(random)
			if e > 0 || l > 0 {
				failed++
			}
			if ok {
				passed++
			}
		}
		t.Logf("%s: %d of %d watches failed, %d passed at their end", c.name, failed, watches, passed)
		// Sixty looks at two gates bound it by 0.12 %.
		if float64(failed) > 0.0012*watches {
			t.Errorf("%s: %d of %d watches failed, want 0.12 %% at most", c.name, failed, watches)
		}
		if float64(passed) < c.passed*watches {
			t.Errorf("%s: %d of %d watches passed at their end, want %g at least", c.name, passed, watches, c.passed)
		}
	}
}

// TestBadTargetsAreFailedSoon counts the requests that a bad target answers
// before its gate fails: the worst of nine in ten watches.
func TestBadTargetsAreFailedSoon(t *testing.T) {
	good := world{0.001, 40 * time.Millisecond, 0.5}
	for _, c := range []struct {
		name   string
		target world
		rate   int
		share  float64
		within int64
	}{
		{"all fails, at 1 % of 500 a second", world{1, 40 * time.Millisecond, 0.5}, 500, 0.01, 15},
		{"half fails, at 1 % of 500 a second", world{0.5, 40 * time.Millisecond, 0.5}, 500, 0.01, 25},
		{"5 % fails, at 1 % of 500 a second", world{0.05, 40 * time.Millisecond, 0.5}, 500, 0.01, 220},
		{"5 % fails, at half of 100 a second", world{0.05, 40 * time.Millisecond, 0.5}, 100, 0.5, 800},
		{"ten times as slow, at 1 % of 500 a second", world{0.001, 400 * time.Millisecond, 0.5}, 500, 0.01, 15},
		{"ten times as slow, at half of 100 a second", world{0.001, 400 * time.Millisecond, 0.5}, 100, 0.5, 60},
		{"twice as slow, at half of 100 a second", world{0.001, 80 * time.Millisecond, 0.5}, 100, 0.5, 1000},
	} {
		random := rand.New(rand.NewPCG(5, uint64(c.rate)))
		const watches = 200
		ds, dt := good.drawn(), c.target.drawn()
		var at []int64
		for range watches {
			e, l, _ := play{source: good, target: c.target, rate: c.rate, share: c.share, ds: ds, dt: dt}.run(random)
			if c.target.errors > good.errors {
				at = append(at, e)
			} else {
				at = append(at, l)
			}
		}
		half, most := ranks(at)
		t.Logf("%s: failed after %d requests in the middle, %d in nine of ten", c.name, half, most)
		if most == 0 || most > c.within {
			t.Errorf("%s: failed after %d requests (0 is never) in nine of ten watches, want %d at most", c.name, most, c.within)
		}
	}
}

// ranks gives the middle and the ninetieth of a hundred; 0, never, is the greatest.
func ranks(at []int64) (half, most int64) {
	const never = math.MaxInt64
	var h []int64
	for _, n := range at {
		if n == 0 {
			n = never
		}
		h = append(h, n)
	}
	slices.Sort(h)
	half, most = h[len(h)/2], h[len(h)*9/10]
	if half == never {
		half = 0
	}
	if most == never {
		most = 0
	}
	return half, most
}
