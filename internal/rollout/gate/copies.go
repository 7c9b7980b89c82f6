package gate

import (
	"fmt"

	"github.com/tranship/tranship/internal/rollout"
)

// Needs gives how many of a side's copies carry a share of traffic, in percent,
// if all of them carry the whole: rounded up, none of a workload that has none.
func Needs(copies, share int) int { return (copies*share + 99) / 100 }

// Ready asks whether the target's ready copies carry its share of traffic; one
// at least has to be ready before it has any.
func Ready(w *rollout.Workload, target rollout.Copies, share int) Result {
	need := max(Needs(w.Replicas, share), min(w.Replicas, 1))
	r := Result{Gate: ReadyGate, Verdict: Pass, Samples: int64(target.Running)}
	r.Why = fmt.Sprintf("%s: %d copies ready at the target, %d of %d needed for %d %% of traffic", w.Name, target.Ready, need, w.Replicas, share)
	switch {
	case target.Absent:
		r.Verdict, r.Why = Fail, fmt.Sprintf("%s: the target has none of it", w.Name)
	case target.Doomed || target.Ready < need:
		r.Verdict = Fail
		if target.Failing != "" {
			r.Why += ": " + target.Failing
		}
	}
	return r
}

// Restarts asks whether the target's copies restarted more often between two
// looks than policy allows, or were killed for want of memory.
func Restarts(w *rollout.Workload, begin, end rollout.Copies, l Limits) Result {
	restarts, kills := end.Restarts-begin.Restarts, end.OOMKills-begin.OOMKills
	r := Result{Gate: RestartsGate, Verdict: Pass, Samples: int64(end.Running)}
	r.Why = fmt.Sprintf("%s: %d restarts of %d copies, %d allowed", w.Name, restarts, end.Running, l.Restarts)
	switch {
	case end.Absent || begin.Absent:
		r.Verdict, r.Why = Unknown, fmt.Sprintf("%s: the target has none of it", w.Name)
	case kills > 0:
		r.Verdict, r.Why = Fail, fmt.Sprintf("%s: %d copies were killed for want of memory", w.Name, kills)
	case restarts > l.Restarts:
		r.Verdict = Fail
		if end.Failing != "" {
			r.Why += ": " + end.Failing
		}
	case restarts < 0 && end.Restarts > l.Restarts, kills < 0 && end.OOMKills > 0:
		// Copies went away and took their counts with them: those that are there may
		// have restarted before or since.
		r.Verdict, r.Why = Unknown, fmt.Sprintf("%s: copies were replaced, and the present ones have %d restarts: look again", w.Name, end.Restarts)
	case restarts < 0:
		r.Why = fmt.Sprintf("%s: copies were replaced, and the present ones have %d restarts, %d allowed", w.Name, end.Restarts, l.Restarts)
	}
	return r
}

// Carries asks whether one side may be given a share of traffic, in percent: its
// ready copies have to carry it, and the front door has to reach one of them.
// all is how many copies carry the whole.
func Carries(side string, all int, c rollout.Copies, s rollout.Side, share int) Result {
	need := Needs(all, share)
	r := Result{Gate: CapacityGate, Verdict: Pass, Samples: int64(c.Ready)}
	r.Why = fmt.Sprintf("%d of %d copies ready at the %s, %d needed for %d %% of traffic", c.Ready, all, side, need, share)
	switch {
	case c.Absent && need > 0:
		r.Verdict, r.Why = Fail, fmt.Sprintf("the %s has no copy for %d %% of traffic", side, share)
	case c.Ready < need:
		r.Verdict = Fail
	case need > 0 && s.Up == 0:
		r.Verdict = Fail
		r.Why = fmt.Sprintf("the front door finds none of the %s's %d servers up", side, s.Servers)
	}
	return r
}

// Capacity asks whether both sides carry the traffic that they have. A source
// that does not is unknown, not a failure: going back would give it more.
func Capacity(w *rollout.Workload, source, target rollout.Copies, f rollout.Flow) Result {
	to := Carries("target", w.Replicas, target, f.Target, f.Target.Weight)
	from := Carries("source", w.SourceReplicas, source, f.Source, f.Source.Weight)
	r := Result{Gate: CapacityGate, Verdict: to.Verdict, Samples: to.Samples, Why: fmt.Sprintf("%s: %s; %s", w.Name, to.Why, from.Why)}
	if to.Verdict == Pass && from.Verdict == Fail {
		r.Verdict = Unknown
	}
	return r
}
