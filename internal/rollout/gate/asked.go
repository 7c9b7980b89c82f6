package gate

import (
	"fmt"
	"math"
	"time"

	"github.com/tranship/tranship/internal/plan/policy"
	"github.com/tranship/tranship/internal/rollout"
)

// Asked is one question and what came of it.
type Asked struct {
	Name   string // of the check, or the address that was asked
	Answer rollout.Answer
	// Err is set where no answer came.
	Err error
}

// Check judges the answers to one check, one of each address that was asked.
func Check(name string, asked []Asked) Result {
	r := Result{Gate: CheckGate + ":" + Name(name), Verdict: Pass, Why: fmt.Sprintf("%d addresses answer as they should", len(asked))}
	return r.each(asked, func(a rollout.Answer) string {
		if a.OK {
			return ""
		}
		return orElse(a.Why, "the answer is not as it should be")
	})
}

// Identity asks whether the answers come from the target, and from the version
// that source gives if policy names a header for it.
func Identity(id policy.MoveIdentity, asked []Asked, source rollout.Answer) Result {
	r := Result{Gate: IdentityGate, Verdict: Pass, Why: fmt.Sprintf("%d addresses answer as %s", len(asked), id.Target)}
	if id.VersionHeader != "" && source.Version == "" {
		r.Verdict, r.Why = Unknown, fmt.Sprintf("the source's answer has no %s to compare with", id.VersionHeader)
	}
	return r.each(asked, func(a rollout.Answer) string {
		switch {
		case a.World != id.Target:
			return fmt.Sprintf("%s is %q, want %q", id.Header, a.World, id.Target)
		case !a.OK:
			return orElse(a.Why, "the answer is not as it should be")
		case id.VersionHeader != "" && source.Version != "" && a.Version != source.Version:
			return fmt.Sprintf("%s is %q, and %q at the source", id.VersionHeader, a.Version, source.Version)
		}
		return ""
	})
}

// each judges answers one by one: a wrong one fails, a missing one is unknown.
func (r Result) each(asked []Asked, wrong func(rollout.Answer) string) Result {
	if len(asked) == 0 {
		r.Verdict, r.Why = Unknown, "nobody was asked"
		return r
	}
	for _, a := range asked {
		if a.Err != nil {
			if r.Verdict != Fail {
				r.Verdict, r.Why = Unknown, fmt.Sprintf("%s: no answer: %v", a.Name, a.Err)
			}
			continue
		}
		r.Samples++
		if why := wrong(a.Answer); why != "" && r.Verdict != Fail {
			r.Verdict, r.Why = Fail, a.Name+": "+why
		}
	}
	return r
}

// Marks are what became of the witness' records in a window.
type Marks struct {
	Sent, Acknowledged int64
	// Stored are the acknowledged ones that were read back; Missing those that a
	// read did not find once their time was up; Duplicated were read more often than
	// once.
	Stored, Missing, Duplicated int64
	// First tells the first one that is missing or doubled, where there is one.
	First string
	// Blind is for how long no read has been answered, where that is too long to
	// know anything of now.
	Blind time.Duration
}

// Witness fails on a single acknowledged record that is missing, or there twice.
func Witness(m Marks) Result {
	r := Result{Gate: WitnessGate, Verdict: Pass, Samples: m.Stored}
	r.Why = fmt.Sprintf("%d records sent, %d acknowledged, %d stored, %d missing, %d doubled", m.Sent, m.Acknowledged, m.Stored, m.Missing, m.Duplicated)
	switch {
	case m.Missing > 0 || m.Duplicated > 0:
		r.Verdict = Fail
		if m.First != "" {
			r.Why += "; the first is " + m.First
		}
	case m.Blind > 0:
		r.Verdict = Unknown
		r.Why += fmt.Sprintf("; nothing could be read for %s", m.Blind.Round(time.Second))
	case m.Stored <= 0:
		r.Verdict = Unknown
	}
	return r
}

// Lag passes where the follower has copied all and is no further behind than
// policy allows. It fails where it is further behind at the end than at the
// beginning; one that is catching up is unknown.
func Lag(begin, end rollout.Lag, l Limits) Result {
	r := Result{Gate: LagGate, Verdict: Pass, Samples: 1, Why: fmt.Sprintf("%s behind, %s allowed", end.Bytes, l.Lag)}
	switch {
	case !end.Copied:
		r.Verdict, r.Why = Unknown, fmt.Sprintf("the first copy is not done, %d tables are left", len(end.Left))
	case end.Bytes <= l.Lag:
	case begin.Copied && end.Bytes > begin.Bytes:
		r.Verdict = Fail
		r.Why += fmt.Sprintf(", and falling back from %s", begin.Bytes)
	default:
		r.Verdict = Unknown
		r.Why += ", and catching up"
	}
	return r
}

// PromQL passes on a value that is not 0. No value is unknown.
func PromQL(g policy.PromGate, value float64, ok bool, err error) Result {
	r := Result{Gate: PromQLGate + ":" + Name(g.Name), Verdict: Pass, Samples: 1, Why: fmt.Sprintf("%s is %g", g.Query, value)}
	switch {
	case err != nil:
		r.Verdict, r.Samples, r.Why = Unknown, 0, fmt.Sprintf("%s: %v", g.Query, err)
	case !ok || math.IsNaN(value):
		r.Verdict, r.Samples, r.Why = Unknown, 0, g.Query+" has no value"
	case value == 0:
		r.Verdict = Fail
	}
	return r
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
