package gate

import (
	"errors"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tranship/tranship/internal/base/hist"
	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/plan/policy"
	"github.com/tranship/tranship/internal/rollout"
)

var limits = LimitsOf(policy.MoveGates{})

// bad orders verdicts: the worse, the more.
var bad = map[Verdict]int{Pass: 0, Unknown: 1, Fail: 2}

func window(target, source sample) Window {
	t0 := time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)
	return Window{
		Begin: rollout.Flow{At: t0},
		End: rollout.Flow{
			At:     t0.Add(time.Minute),
			Source: rollout.Side{Requests: source.n, Errors: source.bad},
			Target: rollout.Side{Requests: target.n, Errors: target.bad},
		},
	}
}

func draw(t *rapid.T, name string) sample {
	n := rapid.Int64Range(0, 20000).Draw(t, name)
	return sample{n, rapid.Int64Range(0, n).Draw(t, name+" bad")}
}

func TestNoDataIsNeverPass(t *testing.T) {
	w := &rollout.Workload{Name: "/shop/cart", Replicas: 3, SourceReplicas: 3}
	none := rollout.Copies{Absent: true}
	for name, r := range map[string]Result{
		"errors":    Errors(Window{}, limits),
		"latency":   Latency(Window{}, limits),
		"no source": Errors(window(sample{50, 0}, sample{}), limits),
		"ready":     Ready(w, rollout.Copies{}, 1),
		"absent":    Ready(w, none, 0),
		"restarts":  Restarts(w, none, none, limits),
		"capacity":  Carries("target", 3, none, rollout.Side{}, 1),
		"check":     Check("health", nil),
		"no answer": Check("health", []Asked{{Name: "10.0.0.1:80", Err: errors.New("refused")}}),
		"identity":  Identity(policy.MoveIdentity{Header: "X-World", Target: "kubernetes"}, nil, rollout.Answer{}),
		"witness":   Witness(Marks{Sent: 10, Acknowledged: 10}),
		"blind":     Witness(Marks{Sent: 10, Acknowledged: 10, Stored: 9, Blind: time.Minute}),
		"lag":       Lag(rollout.Lag{}, rollout.Lag{}, limits),
		"promql":    PromQL(policy.PromGate{Name: "x", Query: "up"}, 0, false, nil),
		"nan":       PromQL(policy.PromGate{Name: "x", Query: "up"}, math.NaN(), true, nil),
	} {
		if r.Verdict == Pass || r.Why == "" {
			t.Errorf("%s without data = %+v, want no pass and a reason", name, r)
		}
	}
	if v := Judge(nil); v != Unknown {
		t.Errorf("Judge(nothing) = %s, want unknown", v)
	}
	rapid.Check(t, func(t *rapid.T) {
		s := draw(t, "source")
		few := rapid.Int64Range(0, limits.MinRequests-1).Draw(t, "target")
		if r := Errors(window(sample{few, 0}, s), limits); r.Verdict == Pass {
			t.Fatalf("Errors of %d requests = %+v, want no pass", few, r)
		}
	})
}

func TestJudgeTakesTheWorst(t *testing.T) {
	verdict := rapid.SampledFrom([]Verdict{Pass, Fail, Unknown})
	rapid.Check(t, func(t *rapid.T) {
		var rs []Result
		worst := 0
		for _, v := range rapid.SliceOfN(verdict, 1, 8).Draw(t, "verdicts") {
			rs = append(rs, Result{Verdict: v})
			worst = max(worst, bad[v])
		}
		if got := Judge(rs); bad[got] != worst || len(Failed(rs)) > 0 != (got == Fail) || len(Open(rs)) > 0 && got == Pass {
			t.Fatalf("Judge(%v) = %s", rs, got)
		}
	})
}

// TestMoreErrorsAreNeverBetter adds errors to the target, and takes some from the source.
func TestMoreErrorsAreNeverBetter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		target, source := draw(t, "target"), draw(t, "source")
		before := Errors(window(target, source), limits).Verdict
		more := sample{target.n, rapid.Int64Range(target.bad, target.n).Draw(t, "more")}
		if after := Errors(window(more, source), limits).Verdict; bad[after] < bad[before] {
			t.Fatalf("%d of %d failed: %s; %d: %s (source %d of %d)", target.bad, target.n, before, more.bad, after, source.bad, source.n)
		}
		fewer := sample{source.n, rapid.Int64Range(0, source.bad).Draw(t, "fewer")}
		if after := Errors(window(target, fewer), limits).Verdict; bad[after] < bad[before] {
			t.Fatalf("source %d of %d failed: %s; %d: %s (target %d of %d)", source.bad, source.n, before, fewer.bad, after, target.bad, target.n)
		}
	})
}

// TestOnlyWhatHappenedInTheWindowCounts moves both ends by the same counts.
func TestOnlyWhatHappenedInTheWindowCounts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := window(draw(t, "target"), draw(t, "source"))
		moved := w
		for _, s := range []struct{ begin, end *rollout.Side }{{&moved.Begin.Target, &moved.End.Target}, {&moved.Begin.Source, &moved.End.Source}} {
			n, e := rapid.Int64Range(0, 1<<40).Draw(t, "requests before"), rapid.Int64Range(0, 1<<30).Draw(t, "errors before")
			s.begin.Requests, s.end.Requests = s.begin.Requests+n, s.end.Requests+n
			s.begin.Errors, s.end.Errors = s.begin.Errors+e, s.end.Errors+e
		}
		if a, b := Errors(w, limits), Errors(moved, limits); a != b {
			t.Fatalf("Errors = %+v, and with counts from before %+v", a, b)
		}
	})
}

func TestSidesThatAreAlikeNeverFail(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := draw(t, "both")
		if r := Errors(window(s, s), limits); r.Verdict == Fail {
			t.Fatalf("Errors of equal sides = %+v", r)
		}
		var h hist.Hist
		for range rapid.IntRange(0, 20).Draw(t, "kinds") {
			h.AddN(time.Duration(rapid.Int64Range(0, 1e10).Draw(t, "latency")), rapid.Int64Range(1, 1000).Draw(t, "times"))
		}
		w := window(s, s)
		w.End.Source.Latency, w.End.Target.Latency = &h, &h
		if r := Latency(w, limits); r.Verdict == Fail {
			t.Fatalf("Latency of equal sides = %+v", r)
		}
	})
}

func TestCountersThatWentBackAreUnknown(t *testing.T) {
	w := window(sample{500, 0}, sample{500, 0})
	w.Begin.Target.Requests = 600
	if r := Errors(w, limits); r.Verdict != Unknown {
		t.Errorf("Errors = %+v, want unknown", r)
	}
	w = window(sample{500, 0}, sample{500, 0})
	w.Begin.At = w.End.At
	if r := Errors(w, limits); r.Verdict != Unknown {
		t.Errorf("Errors of no time = %+v, want unknown", r)
	}
}

// TestTailsAreExact holds both sums against the plain definition.
func TestTailsAreExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, m := rapid.Int64Range(1, 60).Draw(t, "n"), rapid.Int64Range(1, 60).Draw(t, "m")
		a, b := rapid.Int64Range(0, n).Draw(t, "a"), rapid.Int64Range(0, m).Draw(t, "b")
		var want float64
		for x := a; x <= min(n, a+b); x++ {
			if a+b-x <= m {
				want += over(n, x) * over(m, a+b-x) / over(n+m, a+b)
			}
		}
		if got := more(a, n, b, m); math.Abs(got-want) > 1e-9+want*1e-6 && want < 0.3 || got < want-1e-9 {
			t.Fatalf("more(%d of %d, %d of %d) = %g, want %g", a, n, b, m, got, want)
		}
		q := rapid.Float64Range(0.001, 0.999).Draw(t, "q")
		want = 0
		for x := a; x <= n; x++ {
			want += over(n, x) * math.Pow(q, float64(x)) * math.Pow(1-q, float64(n-x))
		}
		if got := above(a, n, q); math.Abs(got-want) > 1e-9+want*1e-6 && want < 0.3 || got < want-1e-9 {
			t.Fatalf("above(%d of %d, %g) = %g, want %g", a, n, q, got, want)
		}
	})
	if p := more(40, 1_000_000, 900, 99_000_000); p > 1e-10 || p <= 0 || math.IsNaN(p) {
		t.Errorf("more(40 of 10⁶, 900 of 99·10⁶) = %g, want far below 10⁻¹⁰", p)
	}
}

func over(n, k int64) float64 {
	p := 1.0
	for i := range k {
		p = p * float64(n-i) / float64(i+1)
	}
	return p
}

func TestTheTargetAloneIsHeldAgainstTheLastWindowOfTheSource(t *testing.T) {
	base := window(sample{100, 0}, sample{10000, 300})
	w := window(sample{5000, 150}, sample{})
	if r := Errors(w, limits); r.Verdict != Fail {
		t.Errorf("without a comparison: %+v, want a fail against the bound alone", r)
	}
	w.Base = &base
	if r := Errors(w, limits); r.Verdict != Pass {
		t.Errorf("3 %% failed, as at the source before: %+v, want pass", r)
	}
	w.End.Target.Errors = 400
	if r := Errors(w, limits); r.Verdict != Fail {
		t.Errorf("8 %% failed, 3 %% at the source before: %+v, want fail", r)
	}
}

func TestBoundsOfPolicyAreTaken(t *testing.T) {
	ten, none, ratio, floor, lag := 10, 0.0, 2.0, unit.Seconds(0.2), 5*unit.MiB
	got := LimitsOf(policy.MoveGates{MinRequests: &ten, ErrorShare: &none, LatencyRatio: &ratio, LatencyFloor: &floor, Restarts: 2, Lag: &lag})
	if want := (Limits{MinRequests: 10, LatencyRatio: 2, LatencyFloor: 200 * time.Millisecond, Restarts: 2, Lag: lag}); got != want {
		t.Errorf("LimitsOf = %+v, want %+v", got, want)
	}
}
