package gate

import (
	"fmt"
	"time"

	"github.com/tranship/tranship/internal/base/hist"
	"github.com/tranship/tranship/internal/rollout"
)

// A Window is the traffic of one route between two looks: both sides over the
// same time.
type Window struct {
	Begin, End rollout.Flow
	// Base is the last window in which the source had traffic, nil if there was
	// none: what the target is held against once it has all of it.
	Base *Window
}

// sample is what one side answered in a window: n requests, bad of them.
type sample struct{ n, bad int64 }

func (s sample) share() float64 {
	if s.n == 0 {
		return 0
	}
	return float64(s.bad) / float64(s.n)
}

func counted(begin, end rollout.Side) sample {
	return sample{n: end.Requests - begin.Requests, bad: end.Errors - begin.Errors}
}

// whole reports whether counters only grew, as they do of one observer.
func (s sample) whole() bool { return s.n >= 0 && s.bad >= 0 }

// against gives the window that the target is compared with: this one, or the
// last in which the source had traffic, if that says more.
func (w *Window) against(l Limits) (*Window, string) {
	if own := w.End.Source.Requests - w.Begin.Source.Requests; w.Base == nil ||
		own >= l.MinRequests || own >= w.Base.End.Source.Requests-w.Base.Begin.Source.Requests {
		return w, "the source in the same time"
	}
	return w.Base, "the source when it last had traffic, until " + w.Base.End.At.UTC().Format(time.TimeOnly)
}

const begun = "the window begins now"

// Errors compares the share of requests that fail. It fails where the target's
// share passes the source's by more than policy allows and chance does not
// explain it: on the smallest sample of policy, or before on at least 5 errors.
func Errors(w Window, l Limits) Result {
	target := counted(w.Begin.Target, w.End.Target)
	base, with := w.against(l)
	source := counted(base.Begin.Source, base.End.Source)
	r := Result{Gate: ErrorsGate, Verdict: Unknown, Samples: max(target.n, 0)}
	switch {
	case !w.End.At.After(w.Begin.At):
		r.Why = begun
		return r
	case !target.whole() || !source.whole():
		r.Why = "the front door's counters went back: look again"
		return r
	case target.n == 0 && target.bad == 0:
		r.Why = "the target had no requests"
		return r
	}
	// An error may be counted before the request that it belongs to is.
	target.n, source.n = max(target.n, target.bad), max(source.n, source.bad)
	r.Why = fmt.Sprintf("%d of %d requests failed at the target, %d of %d at %s", target.bad, target.n, source.bad, source.n, with)
	beyond := target.share()-source.share() > l.ErrorShare
	switch {
	case beyond && enough(target, l) && chance(target, source, l.ErrorShare) < alpha:
		r.Verdict = Fail
		r.Why += fmt.Sprintf(": beyond what is allowed, %.3g", l.ErrorShare)
	case target.n < l.MinRequests:
		r.Why += fmt.Sprintf(": fewer than %d at the target", l.MinRequests)
	case target.share() <= l.ErrorShare:
		// Whatever the source's share is, the target's cannot be too far beyond it.
		r.Verdict = Pass
	case source.n < l.MinRequests:
		r.Why += fmt.Sprintf(": fewer than %d at the source", l.MinRequests)
	case beyond:
		r.Why += ": more than is allowed, and too few to tell from chance"
	default:
		r.Verdict = Pass
	}
	return r
}

// enough reports whether a sample may fail a gate.
func enough(target sample, l Limits) bool { return target.n >= l.MinRequests || target.bad >= early }

// chance is how likely a target that is no worse than its source is to look at
// least so bad. Where the source has no requests at all, allowed stands for it.
func chance(target, source sample, allowed float64) float64 {
	if source.n == 0 {
		return above(target.bad, target.n, allowed)
	}
	return more(target.bad, target.n, source.bad, source.n)
}

// slow is the part of requests that may be slower than the 99th percentile.
const slow = 0.01

// Latency compares the 99th percentile. Its bound is the source's times the
// ratio of policy, or the floor if that is more. It fails where more than one in
// a hundred of the target's requests are above the bound and chance does not
// explain it, held against the source's own that are above.
func Latency(w Window, l Limits) Result {
	r := Result{Gate: LatencyGate, Verdict: Unknown}
	base, with := w.against(l)
	if !w.End.At.After(w.Begin.At) {
		r.Why = begun
		return r
	}
	if w.End.Target.Latency == nil || base.End.Source.Latency == nil {
		r.Why = "the front door tells no latencies"
		return r
	}
	target, source := during(w.Begin.Target, w.End.Target), during(base.Begin.Source, base.End.Source)
	r.Samples = max(target.N, 0)
	switch {
	case target.N < 0 || source.N < 0:
		r.Why = "the front door's counters went back: look again"
		return r
	case target.N == 0:
		r.Why = "the target had no requests"
		return r
	}
	bound := l.LatencyFloor
	if source.N > 0 {
		bound = max(bound, time.Duration(l.LatencyRatio*float64(source.Quantile(1-slow))))
	}
	t, s := sample{target.N, target.Above(bound)}, sample{source.N, source.Above(bound)}
	p99 := target.Quantile(1 - slow)
	r.Why = fmt.Sprintf("p99 %s of %d requests at the target, %s of %d at %s, bound %s",
		brief(p99), target.N, brief(source.Quantile(1-slow)), source.N, with, brief(bound))
	switch {
	case t.share() > slow && source.N > 0 && enough(t, l) && chance(t, s, slow) < alpha:
		r.Verdict = Fail
		r.Why += fmt.Sprintf(": %d of %d are above it, %d of %d at the source", t.bad, t.n, s.bad, s.n)
	case t.n < l.MinRequests:
		r.Why += fmt.Sprintf(": fewer than %d at the target", l.MinRequests)
	case t.share() <= slow && (s.n >= l.MinRequests || bound == l.LatencyFloor):
		r.Verdict = Pass
	case s.n < l.MinRequests:
		r.Why += fmt.Sprintf(": fewer than %d at the source", l.MinRequests)
	default:
		r.Why += ": more than is allowed, and too few to tell from chance"
	}
	return r
}

func during(begin, end rollout.Side) hist.Hist {
	if begin.Latency == nil {
		begin.Latency = &hist.Hist{}
	}
	return end.Latency.Since(begin.Latency)
}

// brief rounds a latency to what is read at a glance.
func brief(d time.Duration) time.Duration {
	switch {
	case d >= time.Second:
		return d.Round(10 * time.Millisecond)
	case d >= 10*time.Millisecond:
		return d.Round(100 * time.Microsecond)
	}
	return d.Round(10 * time.Microsecond)
}
