// Package gate answers whether a move may go on: pass, fail or unknown. It
// takes what was observed of both worlds between two instants and gives one
// result a question, with the reason and the size of the sample. It never
// takes missing data for a pass, and never asks a world itself.
package gate

import (
	"time"

	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/plan/policy"
)

// Verdict is a gate's answer.
type Verdict string

// The verdicts.
const (
	Pass    Verdict = "pass"
	Fail    Verdict = "fail"
	Unknown Verdict = "unknown" // too little is known to say either
)

// A Name names a gate.
type Name string

// The gates. Checks and PromQL stand for several: their name and that of the
// question are joined by a colon.
const (
	ReadyGate    Name = "ready"
	RestartsGate Name = "restarts"
	ErrorsGate   Name = "errors"
	LatencyGate  Name = "latency"
	CheckGate    Name = "check"
	CapacityGate Name = "capacity"
	WitnessGate  Name = "witness"
	LagGate      Name = "lag"
	IdentityGate Name = "identity"
	PromQLGate   Name = "promql"
)

// A Result is one gate's answer with its reason.
type Result struct {
	Gate    Name    `json:"gate"`
	Verdict Verdict `json:"verdict"`
	Why     string  `json:"why"`
	// Samples of the target that it rests on: requests, copies, marks, answers.
	Samples int64 `json:"samples,omitempty"`
}

// Judge gives the verdict of all: fail if any fails, else unknown if any is
// unknown or there is none at all, else pass.
func Judge(results []Result) Verdict {
	verdict := Pass
	if len(results) == 0 {
		verdict = Unknown
	}
	for _, r := range results {
		switch r.Verdict {
		case Pass:
		case Fail:
			return Fail
		default:
			verdict = Unknown
		}
	}
	return verdict
}

// Failed gives the results that fail.
func Failed(results []Result) []Result { return having(results, Fail) }

// Open gives the results that are unknown.
func Open(results []Result) []Result { return having(results, Unknown) }

func having(results []Result, v Verdict) []Result {
	var out []Result
	for _, r := range results {
		if r.Verdict == v {
			out = append(out, r)
		}
	}
	return out
}

// Limits are the bounds of policy, with defaults filled in.
type Limits struct {
	MinRequests  int64
	ErrorShare   float64
	LatencyRatio float64
	LatencyFloor time.Duration
	Restarts     int
	Lag          unit.Bytes
}

// LimitsOf fills in what the policy leaves out.
func LimitsOf(m policy.MoveGates) Limits {
	l := Limits{MinRequests: 100, ErrorShare: 0.01, LatencyRatio: 1.5, LatencyFloor: 50 * time.Millisecond, Restarts: m.Restarts, Lag: unit.MiB}
	if m.MinRequests != nil {
		l.MinRequests = int64(*m.MinRequests)
	}
	if m.ErrorShare != nil {
		l.ErrorShare = *m.ErrorShare
	}
	if m.LatencyRatio != nil {
		l.LatencyRatio = *m.LatencyRatio
	}
	if m.LatencyFloor != nil {
		l.LatencyFloor = m.LatencyFloor.Duration()
	}
	if m.Lag != nil {
		l.Lag = *m.Lag
	}
	return l
}
