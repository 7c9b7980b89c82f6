package runnertest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/tranship/tranship/internal/plan/policy"
	"github.com/tranship/tranship/internal/rollout"
	"github.com/tranship/tranship/internal/rollout/runner"
	"github.com/tranship/tranship/internal/rollout/witness"
)

// MarkerWorld is the service that keeps the witness' records. It is made anew
// for each test.
type MarkerWorld struct {
	Witness policy.MoveWitness
	// Lose, Double and Refuse befall the next write: it is acknowledged and not kept,
	// acknowledged and kept twice, or answered without a promise and not kept.
	Lose, Double, Refuse func()
	// Tear has the next write be kept and its answer be lost.
	Tear func()
	// Mute has nobody answer reads until restore is called.
	Mute func() (restore func())
}

// Marker holds the witness' way to a service against what runner.Marker promises.
func Marker(t *testing.T, open func(*testing.T) (runner.Marker, MarkerWorld)) {
	type bench struct {
		*testing.T
		m runner.Marker
		w MarkerWorld
	}
	mark := func(device string, n int64) witness.Mark {
		return witness.Mark{Device: device, Sequence: n, At: time.Date(2026, 11, 28, 9, 0, int(n), 0, time.UTC)}
	}
	writes := func(b bench, m witness.Mark, want bool) {
		b.Helper()
		if kept, err := b.m.Write(b.Context(), b.w.Witness, m); err != nil || kept != want {
			b.Fatalf("Write(%s %d) = %t, %v; want %t", m.Device, m.Sequence, kept, err, want)
		}
	}
	reads := func(b bench, m witness.Mark, want int) {
		b.Helper()
		if n, err := b.m.Read(b.Context(), b.w.Witness, m); err != nil || n != want {
			b.Errorf("Read(%s %d) = %d, %v; want %d", m.Device, m.Sequence, n, err, want)
		}
	}
	for name, test := range map[string]func(bench){
		"A record that was written is read once, and no other": func(b bench) {
			writes(b, mark("a", 1), true)
			writes(b, mark("a", 11), true)
			reads(b, mark("a", 1), 1)
			reads(b, mark("a", 11), 1)
			reads(b, mark("a", 2), 0)
			reads(b, mark("b", 1), 0)
		},
		"A record that was not kept is read no time": func(b bench) {
			b.w.Lose()
			writes(b, mark("a", 1), true)
			reads(b, mark("a", 1), 0)
		},
		"A record that was kept twice is read twice": func(b bench) {
			b.w.Double()
			writes(b, mark("a", 1), true)
			reads(b, mark("a", 1), 2)
		},
		"Without a promise it is not acknowledged": func(b bench) {
			b.w.Refuse()
			writes(b, mark("a", 1), false)
			reads(b, mark("a", 1), 0)
		},
		"A write whose answer was lost is an error": func(b bench) {
			b.w.Tear()
			if kept, err := b.m.Write(b.Context(), b.w.Witness, mark("a", 1)); err == nil || kept {
				b.Errorf("Write = %t, %v; want an error", kept, err)
			}
			reads(b, mark("a", 1), 1)
		},
		"A read without an answer is an error, not none": func(b bench) {
			writes(b, mark("a", 1), true)
			restore := b.w.Mute()
			if n, err := b.m.Read(b.Context(), b.w.Witness, mark("a", 1)); err == nil {
				b.Errorf("Read = %d while nobody answers, want an error", n)
			}
			restore()
			reads(b, mark("a", 1), 1)
		},
		"A context that has ended ends the call": func(b bench) {
			ctx, cancel := context.WithCancelCause(b.Context())
			cancel(errors.New("the mover ends"))
			if kept, err := b.m.Write(ctx, b.w.Witness, mark("a", 1)); err == nil || kept {
				b.Errorf("Write = %t, %v; want the end of the context", kept, err)
			}
			reads(b, mark("a", 1), 0)
		},
	} {
		t.Run(name, func(t *testing.T) {
			m, w := open(t)
			test(bench{t, m, w})
		})
	}
}

// ProberWorld is the target under questions. It is made anew for each test.
type ProberWorld struct {
	// Checks are questions, one of a kind, that Address answers as it should.
	Checks  []policy.MoveCheck
	Address string
	// Wrong has the target answer them otherwise, Cut not at all.
	Wrong, Cut func()
	// Identity tells the worlds apart; Home is an address of the source. Both answer
	// with the same version.
	Identity policy.MoveIdentity
	Home     string
	// Another is the target with another version, Nameless an answer that tells nothing.
	Another, Nameless func()
	// Prometheus answers Query with Value, and Empty with nothing.
	Prometheus, Query, Empty string
	Value                    float64
}

// Prober holds the way to ask a world against what runner.Prober promises.
func Prober(t *testing.T, open func(*testing.T) (runner.Prober, ProberWorld)) {
	type bench struct {
		*testing.T
		p runner.Prober
		w ProberWorld
	}
	identity := func(b bench, at string) rollout.Answer {
		b.Helper()
		a, err := b.p.Identity(b.Context(), b.w.Identity, at)
		if err != nil {
			b.Fatalf("Identity(%s) = %v", at, err)
		}
		return a
	}
	for name, test := range map[string]func(bench){
		"A right answer is right": func(b bench) {
			for _, c := range b.w.Checks {
				if a, err := b.p.Check(b.Context(), c, b.w.Address); err != nil || !a.OK {
					b.Errorf("Check(%s) = %+v, %v; want right", c.Name, a, err)
				}
			}
		},
		"A wrong answer is wrong, and says why": func(b bench) {
			b.w.Wrong()
			for _, c := range b.w.Checks {
				if a, err := b.p.Check(b.Context(), c, b.w.Address); err != nil || a.OK || a.Why == "" {
					b.Errorf("Check(%s) = %+v, %v; want wrong and why", c.Name, a, err)
				}
			}
		},
		"No answer is never right": func(b bench) {
			b.w.Cut()
			for _, c := range b.w.Checks {
				if a, err := b.p.Check(b.Context(), c, b.w.Address); err == nil && a.OK {
					b.Errorf("Check(%s) = %+v while nobody answers", c.Name, a)
				}
			}
			if a, err := b.p.Identity(b.Context(), b.w.Identity, b.w.Address); err == nil {
				b.Errorf("Identity = %+v while nobody answers, want an error", a)
			}
		},
		"The worlds are told apart, and their versions": func(b bench) {
			target, home := identity(b, b.w.Address), identity(b, b.w.Home)
			if target.World != b.w.Identity.Target || home.World != b.w.Identity.Source || !target.OK {
				b.Errorf("Identity = %+v and %+v, want %s and %s", target, home, b.w.Identity.Target, b.w.Identity.Source)
			}
			if target.Version == "" || target.Version != home.Version {
				b.Errorf("versions are %q and %q, want one", target.Version, home.Version)
			}
			b.w.Another()
			if a := identity(b, b.w.Address); a.Version == home.Version || a.World != b.w.Identity.Target {
				b.Errorf("Identity = %+v, want another version of the target", a)
			}
		},
		"An answer that does not tell its world is of none": func(b bench) {
			b.w.Nameless()
			if a := identity(b, b.w.Address); a.World != "" {
				b.Errorf("Identity = %+v, want no world", a)
			}
		},
		"A query has a value or none": func(b bench) {
			if v, ok, err := b.p.Query(b.Context(), b.w.Prometheus, b.w.Query); err != nil || !ok || v != b.w.Value {
				b.Errorf("Query = %g, %t, %v; want %g", v, ok, err, b.w.Value)
			}
			if v, ok, err := b.p.Query(b.Context(), b.w.Prometheus, b.w.Empty); err != nil || ok {
				b.Errorf("Query without a value = %g, %t, %v; want none", v, ok, err)
			}
		},
		"A context that has ended ends the call": func(b bench) {
			ctx, cancel := context.WithCancelCause(b.Context())
			cancel(errors.New("the mover ends"))
			for _, c := range b.w.Checks {
				if a, err := b.p.Check(ctx, c, b.w.Address); err == nil {
					b.Errorf("Check(%s) = %+v, want the end of the context", c.Name, a)
				}
			}
			if _, _, err := b.p.Query(ctx, b.w.Prometheus, b.w.Query); err == nil {
				b.Error("Query gave no error, want the end of the context")
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			p, w := open(t)
			test(bench{t, p, w})
		})
	}
}
